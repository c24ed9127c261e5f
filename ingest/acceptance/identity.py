"""Rules of the group identity: which form this is, who sends it, and for which period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ingest.acceptance.quoting import quote
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.clock import local_day
from ingest.period import Period
from ingest.typed import Table


def _on_cover(submission: Submission, field: str, found: str, expected: str) -> Finding:
    return Finding("cover", submission.cover_rows.get(field), field, found, expected)


@rule(
    code="IDENTITY-001",
    group="identity",
    stage="cover",
    message="The cover names no kind of return that is known.",
    remedy="Use the cover of the form you were sent, and leave its kind as it is.",
)
def kind_is_known(submission: Submission) -> Iterator[Finding]:
    """Find covers whose kind has no form."""
    kind = submission.cover.get("kind")
    if (
        submission.workbook is not None
        and submission.workbook.sheet("cover")
        and kind not in submission.context.forms.kinds
    ):
        yield _on_cover(
            submission, "kind", quote(kind), f"one of {', '.join(submission.context.forms.kinds)}"
        )


@rule(
    code="IDENTITY-002",
    group="identity",
    stage="cover",
    message="The cover names no version of the form that is known.",
    remedy="Use the cover of the form you were sent, and leave its version as it is.",
)
def version_is_known(submission: Submission) -> Iterator[Finding]:
    """Find covers whose form version does not exist."""
    kind = submission.cover.get("kind", "")
    versions = submission.context.forms.versions(kind)
    if versions and submission.form is None:
        known = ", ".join(map(str, versions))
        yield _on_cover(
            submission, "form_version", quote(submission.cover.get("form_version")), f"one of {known}"
        )


@rule(
    code="IDENTITY-003",
    group="identity",
    message="This version of the form is not in force for the period.",
    remedy=(
        "Use the version of the form that is in force for the period; ask for a fresh template if you "
        "have none."
    ),
)
def form_is_in_force(submission: Submission) -> Iterator[Finding]:
    """Find forms used for a period outside their dates."""
    form, period = submission.form, submission.period
    if form is None or period is None or (form.in_force(period.first_day) and form.in_force(period.last_day)):
        return
    until = f" to {form.valid_to.isoformat()}" if form.valid_to else ""
    yield _on_cover(
        submission,
        "form_version",
        f"version {form.version} for {period.code}",
        f"a form in force then; this one is in force from {form.valid_from.isoformat()}{until}",
    )


@rule(
    code="IDENTITY-004",
    group="identity",
    message="The cover names another sender than the one whose folder the file came in.",
    remedy=(
        "Put your own sender code on the cover, or deliver the file through the account of the sender "
        "it names."
    ),
)
def sender_is_the_folders(submission: Submission) -> Iterator[Finding]:
    """Find returns delivered through somebody else's account."""
    folder, named = submission.context.sender_code, submission.cover.get("sender_code")
    if folder is not None and named and named != folder:
        yield _on_cover(submission, "sender_code", quote(named), quote(folder))


@rule(
    code="IDENTITY-005",
    group="identity",
    message="The sender does not send this kind of return for this period.",
    remedy="Check the sender code, the kind of return and the period on the cover.",
)
def sender_sends_this_kind(submission: Submission) -> Iterator[Finding]:
    """Find senders that answer for no body in this kind of return at the period's date."""
    if submission.form is None or submission.view is None or submission.sender_code is None:
        return
    if not submission.served:
        yield _on_cover(
            submission,
            "sender_code",
            f"{quote(submission.sender_code)}, {submission.form.kind}",
            "a sender that answers for a body in this kind of return",
        )


@rule(
    code="IDENTITY-006",
    group="identity",
    message="The cover names no period that this form is for.",
    remedy=(
        "Write the period as the form asks for it: 2025-26-Q1 for April to June 2025, 2019-20-FY for a "
        "financial year."
    ),
)
def period_is_of_the_forms_frequency(submission: Submission) -> Iterator[Finding]:
    """Find periods that cannot be read (blank ones are told by SHAPE-006) or are of another length."""
    form, period = submission.form, submission.period
    named = submission.cover.get("period_code")
    if form is not None and named and (period is None or period.kind != form.frequency):
        latest = Period.of(local_day(submission.context.arrived_at), form.frequency)
        example = latest if form.timing == "during" else latest.previous()
        expected = f"a {form.frequency} such as {example.code}"
        yield _on_cover(submission, "period_code", quote(named), expected)


@rule(
    code="IDENTITY-007",
    group="identity",
    message="The period is not open for this kind of return yet.",
    remedy="Send the return once the period is open, or correct the period on the cover.",
)
def period_is_open(submission: Submission) -> Iterator[Finding]:
    """Find periods in the future on the day of arrival, or still running where only what is over is sent."""
    form, period = submission.form, submission.period
    today = local_day(submission.context.arrived_at)
    if period is None:
        return
    if form is not None and form.timing == "during":
        if period.first_day > today:
            yield _on_cover(
                submission,
                "period_code",
                f"{period.code}, which starts on {period.first_day.isoformat()}",
                f"a period that started by {today.isoformat()}",
            )
    elif period.last_day >= today:
        yield _on_cover(
            submission,
            "period_code",
            f"{period.code}, which ends on {period.last_day.isoformat()}",
            f"a period that ended before {today.isoformat()}",
        )


@rule(
    code="IDENTITY-008",
    group="identity",
    message="The period is before reporting started.",
    remedy="Correct the period on the cover; figures of earlier periods are not collected on this form.",
)
def reporting_has_started(submission: Submission) -> Iterator[Finding]:
    """Find periods before the first one that is collected."""
    form, period, view = submission.form, submission.period, submission.view
    if form is None or period is None or view is None or not form.has_due_date:
        return
    start = view.cycle.reporting_starts_on
    if period.first_day < start:
        yield _on_cover(submission, "period_code", period.code, f"a period from {start.isoformat()} on")


def _pairs(table: Table) -> Iterator[tuple[int, str, str]]:
    """Yield (row number, body_code, pfa_code) of the rows whose codes are known."""
    bodies = table[table.sheet.body_column or "body_code"]
    for number, body, area in zip(table.row_numbers, bodies, table["pfa_code"], strict=True):
        if body is not None and area is not None:
            yield number, body, area


def _tables_of_bodies(submission: Submission) -> Iterator[Table]:
    if submission.served:
        for table in submission.form_tables:
            if table.sheet.body_column is not None:
                yield table


@rule(
    code="IDENTITY-009",
    group="identity",
    message="A row is about a body that the sender does not answer for.",
    remedy="Take the row out, or correct its body code.",
)
def bodies_are_served(submission: Submission) -> Iterator[Finding]:
    """Find rows about other senders' bodies."""
    served = {body for body, _ in submission.served}
    expected = ", ".join(sorted(served)[:6]) + (" or others" if len(served) > 6 else "")
    for table in _tables_of_bodies(submission):
        if served.issuperset(table[table.sheet.body_column or ""]):
            continue
        for number, body, _ in _pairs(table):
            if body not in served:
                yield Finding(table.sheet.name, number, table.sheet.body_column, body, expected)


@rule(
    code="IDENTITY-010",
    group="identity",
    message="A row is about an area that the sender does not answer for with that body.",
    remedy=(
        "Take the row out, or correct its area code. A figure belongs to the area of the force that "
        "recorded the crime."
    ),
)
def areas_are_served(submission: Submission) -> Iterator[Finding]:
    """Find rows about areas outside those of their body."""
    served = set(submission.served)
    areas: dict[str, list[str]] = {}
    for body, area in submission.served:
        areas.setdefault(body, []).append(area)
    for table in _tables_of_bodies(submission):
        if served.issuperset(zip(table[table.sheet.body_column or ""], table["pfa_code"], strict=True)):
            continue
        for number, body, area in _pairs(table):
            if body in areas and (body, area) not in served:
                yield Finding(table.sheet.name, number, "pfa_code", area, ", ".join(areas[body]))
    yield from _areas_without_a_body(submission, {area for _, area in served})


def _areas_without_a_body(submission: Submission, served: set[str]) -> Iterator[Finding]:
    """Yield rows about an area as a whole, where the form allows that, which is none of the sender's."""
    for table in _tables_of_bodies(submission):
        bodies = table[table.sheet.body_column or ""]
        if None not in bodies:
            continue
        for index, (body, area) in enumerate(zip(bodies, table["pfa_code"], strict=True)):
            unfit = (index, table.sheet.body_column) in table.unfit_places
            if body is None and area is not None and area not in served and not unfit:
                expected = ", ".join(sorted(served)[:6]) + (" or others" if len(served) > 6 else "")
                yield Finding(table.sheet.name, table.row_numbers[index], "pfa_code", area, expected)


@rule(
    code="IDENTITY-011",
    group="identity",
    severity="warning",
    message="The return is late.",
    remedy="Nothing to mend in the file; the return counts as received late.",
)
def is_in_time(submission: Submission) -> Iterator[Finding]:
    """Tell of returns that arrive after their due date."""
    form, period, view = submission.form, submission.period, submission.view
    if form is None or period is None or view is None or not submission.is_of_the_forms_frequency:
        return
    arrived = local_day(submission.context.arrived_at)
    # Working days are never fewer than calendar days, so most returns need no calendar of holidays.
    if (arrived - period.last_day).days <= view.cycle.returns_due_working_days:
        return
    due = form.due_on(period, view.cycle)
    if due is not None and arrived > due:
        yield Finding("cover", found=f"arrived on {arrived.isoformat()}", expected=f"by {due.isoformat()}")


@rule(
    code="IDENTITY-012",
    group="identity",
    message="A row's period is not part of the period on the cover.",
    remedy="Take the row out, or correct its period.",
)
def row_periods_are_in_the_returns(submission: Submission) -> Iterator[Finding]:
    """Find rows that carry a period outside the return's."""
    period = submission.period
    if period is None:
        return
    for table in submission.form_tables:
        if not table.sheet.has("period_code"):
            continue
        inside: dict[str, bool] = {}
        for number, code in zip(table.row_numbers, table["period_code"], strict=True):
            if code is None:
                continue
            if code not in inside:
                inside[code] = period.contains(Period.parse(code))
            if not inside[code]:
                yield Finding(table.sheet.name, number, "period_code", code, f"a period within {period.code}")


@rule(
    code="IDENTITY-013",
    group="identity",
    severity="warning",
    message=(
        "The period is closed: its final figures stand, and this return goes into the next scheduled "
        "revision."
    ),
    remedy="Nothing to mend in the file; the figures of the period change on the day of that revision.",
)
def period_is_not_closed(submission: Submission) -> Iterator[Finding]:
    """Tell of returns that arrive after the review of their period is due, when its figures become final."""
    form, period, view = submission.form, submission.period, submission.view
    if (
        form is None
        or period is None
        or view is None
        or form.cycle != "reporting"
        or not submission.is_of_the_forms_frequency
        or period.first_day < view.cycle.reporting_starts_on
    ):
        return
    arrived = local_day(submission.context.arrived_at)
    if (arrived - period.last_day).days <= view.cycle.review_due_working_days:
        return
    closed_on = view.cycle.review_due_on(period)
    if arrived > closed_on:
        revised_on = _next_revision(submission, period, arrived)
        yield Finding(
            "cover",
            found=f"arrived on {arrived.isoformat()}",
            expected=f"by {closed_on.isoformat()}; the next revision is on {revised_on.isoformat()}",
        )


def _next_revision(submission: Submission, period: Period, arrived: date) -> date:
    """Return the day of the first final build from the day of arrival on: that of a later period."""
    later = period.next()
    # No final build is later than a year after its period, so older ones need not be looked at.
    while (arrived - later.last_day).days > 366:
        later = later.next()
    while True:
        final_on = submission.context.reference.cycle_on(later.last_day).review_due_on(later)
        if final_on >= arrived:
            return final_on
        later = later.next()

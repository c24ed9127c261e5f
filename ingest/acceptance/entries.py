"""Rules for returns that are no counts: decisions, notices, insight, rules and context.

Belongs here: what makes the entries of one return agree with each other, its period and its sender. Does not:
whether a decision follows from the state that its case was in (ingest/acceptance/transitions.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from ingest.acceptance.quoting import quote
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.clock import local_day
from ingest.period import Period
from ingest.reference import ReferenceOnDay
from ingest.typed import Table

CASE_ID = re.compile(r"[0-9a-f]{16}\Z")
_CASE_IN_WORDS = "16 digits and small letters a to f"
FORCES = ("police", "btp", "mdp")
"""Kinds of body about which a notice goes to somebody else."""
_RECEIPT_ID = re.compile(r"R\d{6,12}-[0-9a-f]{8}\Z", re.ASCII)

_PAST_DAYS = {
    ("decisions", "decisions"): ("decided_on",),
    ("decisions", "notices"): (
        "sos_agreed_on",
        "ag_agreed_on",
        "vc_consulted_on",
        "published_on",
        "closed_on",
    ),
    ("decisions", "meetings"): ("meeting_on",),
    ("insight", "review"): ("meeting_on",),
    ("rules", "rules"): ("agreed_on",),
    ("context", "context"): ("published_on",),
}
"""Kind of return and sheet -> days of what has happened, and so cannot lie in the future."""
_DAYS_OF_THE_PERIOD = {
    ("decisions", "decisions"): "decided_on",
    ("decisions", "meetings"): "meeting_on",
    ("rules", "rules"): "agreed_on",
}
_DAYS_FROM_THE_PERIOD_ON = {("insight", "review"): "meeting_on"}
_AGREEMENTS = {
    "sos_agreed_on": "the Secretary of State's agreement",
    "ag_agreed_on": "the Attorney General's agreement",
    "vc_consulted_on": "the consultation of the Victims' Commissioner",
}


def _table(submission: Submission, kind: str, sheet: str) -> Table | None:
    """Return a table of one kind of return, or None."""
    if submission.form is None or submission.form.kind != kind:
        return None
    return submission.tables.get(sheet)


def codes_in(cell: str | None) -> list[str]:
    """Return the codes of a cell that holds several with ; between them."""
    return [code.strip() for code in (cell or "").split(";") if code.strip()]


# --- something to tell --------------------------------------------------------------------------------------


@rule(
    code="SHAPE-030",
    group="shape",
    message="A sheet has no rows, and the cover does not say why.",
    remedy=(
        "Fill the sheet in. If there is nothing to report, give the reason on the cover; a form whose cover "
        "does not ask for one need not be sent."
    ),
)
def every_sheet_has_rows_or_a_reason(submission: Submission) -> Iterator[Finding]:
    """Find empty sheets without a reason, where the form does not say what has to be answered."""
    form = submission.form
    # Of a report of a period, FIGURES-008 tells everything that is missing.
    if form is None or form.cycle == "reporting":
        return
    for table in submission.form_tables:
        sheet = table.sheet
        if not table.row_count and not submission.nil_reason(sheet):
            expected = f"rows, or {sheet.nil_reason} on the cover" if sheet.nil_reason else "rows"
            yield Finding(sheet.name, None, None, "no row", expected)


# --- days --------------------------------------------------------------------------------------------------


@rule(
    code="SHAPE-017",
    group="shape",
    message="A day of something that has happened lies after the day the return arrived.",
    remedy="Correct the day; leave out what has not happened yet.",
)
def past_days_are_past(submission: Submission) -> Iterator[Finding]:
    """Find decisions, meetings, agreements and publications of the future."""
    arrived = local_day(submission.context.arrived_at)
    for (kind, sheet), columns in _PAST_DAYS.items():
        table = _table(submission, kind, sheet)
        for column in columns if table else ():
            assert table is not None
            for number, day in zip(table.row_numbers, table[column], strict=True):
                if day is not None and day > arrived:
                    yield Finding(sheet, number, column, day.isoformat(), f"{arrived.isoformat()} or earlier")


@rule(
    code="SHAPE-018",
    group="shape",
    message="A day does not belong to the period on the cover.",
    remedy="Correct the day, or send the row in the return of the period that it belongs to.",
)
def days_are_of_the_period(submission: Submission) -> Iterator[Finding]:
    """Find decisions, agreements and forums' meetings outside the period, and review meetings before it."""
    period = submission.period
    if period is None:
        return
    for (kind, sheet), column in (_DAYS_OF_THE_PERIOD | _DAYS_FROM_THE_PERIOD_ON).items():
        table = _table(submission, kind, sheet)
        if table is None:
            continue
        last = period.last_day if (kind, sheet) in _DAYS_OF_THE_PERIOD else None
        expected = (
            f"a day from {period.first_day.isoformat()} to {last.isoformat()}"
            if last
            else f"{period.first_day.isoformat()} or later"
        )
        for number, day in zip(table.row_numbers, table[column], strict=True):
            if day is not None and (day < period.first_day or (last is not None and day > last)):
                yield Finding(sheet, number, column, day.isoformat(), expected)


# --- decisions and notices ---------------------------------------------------------------------------------


@rule(
    code="SHAPE-019",
    group="shape",
    message="A case is not written as the case register writes it.",
    remedy=(
        "Copy the case's number from the flag register: 16 digits and letters from a to f, small. Put ; "
        "between several, each once."
    ),
)
def cases_are_written_right(submission: Submission) -> Iterator[Finding]:
    """Find case numbers that cannot be ones, and cases named twice in one notice."""
    table = _table(submission, "decisions", "decisions")
    if table is not None:
        for number, case_id in zip(table.row_numbers, table["case_id"], strict=True):
            if case_id is not None and not CASE_ID.match(case_id):
                yield Finding("decisions", number, "case_id", quote(case_id), _CASE_IN_WORDS)
    table = _table(submission, "decisions", "notices")
    if table is not None:
        for number, cell in zip(table.row_numbers, table["case_ids"], strict=True):
            cases = codes_in(cell)
            wrong = [place for place, case in enumerate(cases, 1) if not CASE_ID.match(case)]
            if cell is not None and (wrong or not cases):
                found = f"case {', '.join(map(str, wrong[:5]))} of {len(cases)}" if wrong else "no case"
                yield Finding("notices", number, "case_ids", found, f"{_CASE_IN_WORDS} each, with ; between")
            elif len(set(cases)) < len(cases):
                yield Finding("notices", number, "case_ids", "a case that stands twice", "each case once")


@rule(
    code="SHAPE-020",
    group="shape",
    message="The days of a notice are not in order.",
    remedy=(
        "Correct the days: agreed and consulted, then published, then the plan and the update due, then "
        "closed."
    ),
)
def notice_days_are_in_order(submission: Submission) -> Iterator[Finding]:
    """Find notices agreed after they were published, or whose plan or update is due before that or in the
    wrong order.
    """
    table = _table(submission, "decisions", "notices")
    if table is None:
        return
    orders = [
        *((earlier, "published_on") for earlier in _AGREEMENTS),
        ("published_on", "plan_due"),
        ("published_on", "update_due"),
        ("plan_due", "update_due"),
        ("published_on", "closed_on"),
    ]
    for index, number in enumerate(table.row_numbers):
        for earlier, later in orders:
            first, second = table[earlier][index], table[later][index]
            if first is not None and second is not None and second < first:
                yield Finding(
                    "notices",
                    number,
                    later,
                    second.isoformat(),
                    f"not before {earlier}, which is {first.isoformat()}",
                )


@rule(
    code="SHAPE-021",
    group="shape",
    message="A notice is published without both ministers' agreement and the Victims' Commissioner's view.",
    remedy="Give the three days, or leave published_on blank until all three are there.",
)
def published_notices_are_agreed(submission: Submission) -> Iterator[Finding]:
    """Find published notices that lack an agreement or the consultation."""
    table = _table(submission, "decisions", "notices")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        if table["published_on"][index] is None:
            continue
        for column, what in _AGREEMENTS.items():
            if table[column][index] is None and (index, column) not in table.unfit_places:
                yield Finding("notices", number, column, "nothing", f"the day of {what}")


@rule(
    code="SHAPE-022",
    group="shape",
    message="A notice goes to somebody who cannot receive one.",
    remedy=(
        "Name the body itself as the recipient; for a police force, the local policing body (or the "
        "authority that stands in its place)."
    ),
)
def notices_go_to_their_recipients(submission: Submission) -> Iterator[Finding]:
    """Find notices to police forces themselves, and to senders that are neither bodies nor reviewers."""
    table, view = _table(submission, "decisions", "notices"), submission.view
    if table is None or view is None:
        return
    reviewers = reviewers_by_force(view)
    may_receive = set(view.bodies) - set(reviewers) | set(reviewers.values())
    for number, code in zip(table.row_numbers, table["recipient_code"], strict=True):
        if code is not None and code not in may_receive:
            expected = reviewers.get(code, "a body, or a local policing body")
            yield Finding("notices", number, "recipient_code", code, expected)


@rule(
    code="SHAPE-023",
    group="shape",
    message="A notice is copied to a code that nobody has.",
    remedy="Use codes of bodies and senders, letter for letter, with ; between them.",
)
def copies_go_to_known_codes(submission: Submission) -> Iterator[Finding]:
    """Find unknown codes in copied_to."""
    table = _table(submission, "decisions", "notices")
    if table is None:
        return
    known = submission.context.reference.codes("recipients")
    for number, cell in zip(table.row_numbers, table["copied_to"], strict=True):
        for code in codes_in(cell):
            if code not in known:
                yield Finding("notices", number, "copied_to", quote(code), "the code of a body or a sender")


@rule(
    code="SHAPE-024",
    group="shape",
    message="A notice to a local policing body is not copied to the police force that it is about.",
    remedy="Add the code of the force to copied_to.",
)
def forces_get_a_copy(submission: Submission) -> Iterator[Finding]:
    """Find notices to reviewers, who stand for a force, without the force among the copies."""
    table, view = _table(submission, "decisions", "notices"), submission.view
    if table is None or view is None:
        return
    forces = {reviewer: force for force, reviewer in reviewers_by_force(view).items()}
    for index, number in enumerate(table.row_numbers):
        force = forces.get(table["recipient_code"][index])
        if force is not None and force not in codes_in(table["copied_to"][index]):
            yield Finding("notices", number, "copied_to", "no copy to the force", force)


def reviewers_by_force(view: ReferenceOnDay) -> dict[str, str]:
    """Return police force -> the reviewer that receives notices about it, in force on a day."""
    forces = {code for code, body in view.bodies.items() if body.body_kind in FORCES}
    return {
        body: sender.sender_code
        for sender in view.senders.values()
        if sender.sender_kind == "reviewer"
        for body, _ in view.served(sender.sender_code, "insight")
        if body in forces
    }


@rule(
    code="SHAPE-037",
    group="shape",
    message="A meeting is recorded as reviewing a quarter that was not over on its day.",
    remedy="Name the quarter whose figures lay before the meeting, or correct the day.",
)
def meetings_review_what_is_over(submission: Submission) -> Iterator[Finding]:
    """Find meetings of the forums on a quarter that still ran."""
    table = _table(submission, "decisions", "meetings")
    if table is None:
        return
    cells = zip(table.row_numbers, table["meeting_on"], table["reviewed_period_code"], strict=True)
    for number, day, code in cells:
        if day is not None and code is not None and day <= Period.parse(code).last_day:
            expected = f"a quarter that ended before {day.isoformat()}"
            yield Finding("meetings", number, "reviewed_period_code", code, expected)


@rule(
    code="SHAPE-038",
    group="shape",
    severity="warning",
    message="A forum decided on a day for which no meeting of it is recorded.",
    remedy=(
        "Add the meeting, or correct the day or the role. Nothing is to be done if the forum decided between "
        "two meetings."
    ),
)
def forums_decide_when_they_meet(submission: Submission) -> Iterator[Finding]:
    """Find decisions of a forum on days without a meeting, where the form records meetings."""
    table, meetings = (_table(submission, "decisions", sheet) for sheet in ("decisions", "meetings"))
    if table is None or meetings is None:
        return
    forums = meetings.sheet.column("forum").codes
    held = set(zip(meetings["forum"], meetings["meeting_on"], strict=True))
    rows = zip(table.row_numbers, table["decided_by_role"], table["decided_on"], strict=True)
    for number, role, day in rows:
        if role in forums and day is not None and (role, day) not in held:
            expected = f"a meeting of {role} on {day.isoformat()}"
            yield Finding("decisions", number, "decided_on", day.isoformat(), expected)


# --- insight -----------------------------------------------------------------------------------------------

_OF_AN_ACTION = {
    "owner_role": "the role that sees to the action",
    "due": "the day the action is due",
    "status": "how the action stands",
}


@rule(
    code="SHAPE-025",
    group="shape",
    message="An action lacks who sees to it, by when, or how it stands.",
    remedy="Give the role that owns the action (never a name), the day it is due, and its status.",
)
def actions_are_whole(submission: Submission) -> Iterator[Finding]:
    """Find actions without owner, due day or status."""
    table = _table(submission, "insight", "insight")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        if table["insight_kind"][index] != "action":
            continue
        for column in _OF_AN_ACTION:
            # Of a row with an owner the form itself asks for the others: SHAPE-006 tells them.
            is_told = column != "owner_role" and table["owner_role"][index] is not None
            if table[column][index] is None and not is_told and (index, column) not in table.unfit_places:
                yield Finding("insight", number, column, "nothing", _OF_AN_ACTION[column])


@rule(
    code="SHAPE-026",
    group="shape",
    message="What is no action has an owner, a due day or a status.",
    remedy="Clear the cells, or make the row an action.",
)
def only_actions_have_a_status(submission: Submission) -> Iterator[Finding]:
    """Find owners, due days and states on rows that are no actions."""
    table = _table(submission, "insight", "insight")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        kind = table["insight_kind"][index]
        if kind in (None, "action"):
            continue
        for column in _OF_AN_ACTION:
            if table[column][index] is not None:
                yield Finding("insight", number, column, f"a value on a row of {kind}", "nothing")


@rule(
    code="SHAPE-027",
    group="shape",
    message="A receipt is not written as receipts are numbered.",
    remedy="Copy the number from the receipt, such as R000123-0a1b2c3d.",
)
def receipts_are_written_right(submission: Submission) -> Iterator[Finding]:
    """Find receipt numbers that cannot be ones."""
    table = _table(submission, "insight", "review")
    if table is None:
        return
    for number, receipt in zip(table.row_numbers, table["receipt_id"], strict=True):
        if receipt is not None and not _RECEIPT_ID.match(receipt.strip()):
            yield Finding("review", number, "receipt_id", quote(receipt), "a number such as R000123-0a1b2c3d")


# --- context -----------------------------------------------------------------------------------------------

_NEEDED_BY_SOURCE = {
    "inspectorate": ("published_on", "link"),
    "victims_commissioner": ("published_on", "link"),
    "ombudsman": ("published_on", "link"),
    "support_services": ("pfa_code",),
}


@rule(
    code="SHAPE-028",
    group="shape",
    message="A cell is blank that an entry of this source needs.",
    remedy=(
        "Fill the cell: what was published needs its day and its link, a commissioned service its police "
        "area."
    ),
)
def sources_are_told_in_full(submission: Submission) -> Iterator[Finding]:
    """Find context entries without the cells that their source needs."""
    table = _table(submission, "context", "context")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        source = table["source"][index]
        for column in _NEEDED_BY_SOURCE.get(source, ()):
            if table[column][index] is None and (index, column) not in table.unfit_places:
                yield Finding("context", number, column, "nothing", f"a value, as the source is {source}")


@rule(
    code="SHAPE-029",
    group="shape",
    message="The sender does not report what this source says.",
    remedy="Take the row out; a local policing body reports the services that it commissions, and no other.",
)
def reviewers_tell_of_their_services(submission: Submission) -> Iterator[Finding]:
    """Find what others publish in a return of a local policing body."""
    table, view = _table(submission, "context", "context"), submission.view
    if table is None or view is None or submission.sender_code is None:
        return
    sender = view.senders.get(submission.sender_code)
    if sender is None or sender.sender_kind != "reviewer":
        return
    for number, source in zip(table.row_numbers, table["source"], strict=True):
        if source not in (None, "support_services"):
            yield Finding("context", number, "source", source, "support_services")


# --- rules of the severe indicators ------------------------------------------------------------------------

_NUMBERS: dict[str, tuple[float, float, bool]] = {
    "n_min": (1, 1_000, True),
    "s1_z": (0.5, 6, False),
    "s2_z_flag": (-10, -0.5, False),
    "s2_z_watch": (-10, -0.5, False),
    "s2_gap_min": (0, 1, False),
    "s2_peers_min": (1, 50, True),
    "s2_areas_min": (2, 50, True),
    "s2_winsor_low": (0, 0.49, False),
    "s2_winsor_high": (0.51, 1, False),
    "s2_tail": (0.000001, 0.5, False),
    "s4_grade_max": (0, 3, True),
    "met_min": (1, 3, True),
    "bridge_quarters": (0, 4, True),
    "reopen_quarters": (0, 20, True),
    "close_quarters": (1, 20, True),
    "yjs_share_min": (0, 1, False),
    "yjs_s4_share_min": (0, 1, False),
    "high_z": (0.5, 10, False),
    "high_n_min": (1, 1_000_000, True),
    "interval_z": (0.5, 6, False),
    "change_z": (0.5, 6, False),
    "threshold": (0, 1, False),
}
"""Parameter -> least value, greatest value, whether it is a whole number."""
_WORDS: dict[str, tuple[str, ...]] = {
    "s2_divide_tail": ("true", "false"),
    "s4_counts": ("aggravates", "counts"),
    "persistence_scope": ("same_indicator", "any_indicator"),
    "peer_set": (),
}
"""Parameter -> the words it may have; none: any name."""
PARAMETERS_IN_ORDER = (("s2_z_flag", "s2_z_watch"), ("s2_winsor_low", "s2_winsor_high"))
"""Parameters of which the first must not be above the second."""


@rule(
    code="FIGURES-025",
    group="figures",
    message="A parameter does not have exactly one value, of the sort that it takes.",
    remedy="Give number_value where the parameter is a number, else text_value, and leave the other blank.",
)
def parameters_have_one_value(submission: Submission) -> Iterator[Finding]:
    """Find parameters without a value, with two, or with a word for a number."""
    table = _table(submission, "rules", "rules")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        parameter = table["parameter"][index]
        if parameter is None:
            continue
        due, other = ("text_value", "number_value") if parameter in _WORDS else ("number_value", "text_value")
        if table[other][index] is not None or (index, other) in table.unfit_places:
            yield Finding("rules", number, other, "a value", f"nothing; {parameter} goes into {due}")
        elif table[due][index] is None and (index, due) not in table.unfit_places:
            yield Finding("rules", number, due, "nothing", f"the value of {parameter}")


@rule(
    code="FIGURES-026",
    group="figures",
    message="The value of a parameter is out of its range.",
    remedy="Correct the value; shares are written from 0 to 1, not as percentages.",
)
def parameters_are_in_range(submission: Submission) -> Iterator[Finding]:
    """Find values that a parameter cannot have."""
    table = _table(submission, "rules", "rules")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        parameter = table["parameter"][index]
        value, word = table["number_value"][index], table["text_value"][index]
        if parameter in _NUMBERS and value is not None:
            least, greatest, is_whole = _NUMBERS[parameter]
            if not least <= value <= greatest or (is_whole and value != int(value)):
                sort = "a whole number" if is_whole else "a number"
                expected = f"{sort} from {least:g} to {greatest:,}"
                yield Finding("rules", number, "number_value", f"{parameter} {value:g}", expected)
        words = _WORDS.get(parameter, ())
        # A spreadsheet makes a truth value of what is typed as true or false, and shows it in capitals.
        said = word.lower() if word in ("TRUE", "FALSE") else word
        if words and word is not None and said not in words:
            yield Finding("rules", number, "text_value", quote(word), " or ".join(words))


@rule(
    code="FIGURES-027",
    group="figures",
    message="Two parameters of a rule version contradict each other.",
    remedy="Correct one of them: what flags is at least as strict as what is watched, and low is below high.",
)
def parameters_agree(submission: Submission) -> Iterator[Finding]:
    """Find pairs of parameters in the wrong order."""
    table = _table(submission, "rules", "rules")
    if table is None:
        return
    values: dict[tuple[int, str], tuple[int, float]] = {}
    cells = zip(
        table.row_numbers, table["rule_version"], table["parameter"], table["number_value"], strict=True
    )
    for number, version, parameter, value in cells:
        if version is not None and parameter is not None and value is not None:
            values.setdefault((version, parameter), (number, value))
    for version in sorted({version for version, _ in values}):
        for low, high in PARAMETERS_IN_ORDER:
            if (version, low) in values and (version, high) in values:
                number, value = values[version, high]
                least = values[version, low][1]
                if value < least:
                    found = f"{high} {value:g} of version {version}"
                    yield Finding(
                        "rules", number, "number_value", found, f"at least {low}, which is {least:g}"
                    )


@rule(
    code="FIGURES-028",
    group="figures",
    message="A threshold names no metric or question, or another parameter names one.",
    remedy="Give metric_id on rows of threshold, and leave it blank on all others.",
)
def thresholds_name_their_metric(submission: Submission) -> Iterator[Finding]:
    """Find thresholds of nothing, and other parameters of a metric."""
    table = _table(submission, "rules", "rules")
    if table is None:
        return
    for index, number in enumerate(table.row_numbers):
        parameter, metric = table["parameter"][index], table["metric_id"][index]
        if parameter == "threshold" and metric is None and (index, "metric_id") not in table.unfit_places:
            yield Finding("rules", number, "metric_id", "nothing", "the metric or question of the threshold")
        elif parameter not in (None, "threshold") and metric is not None:
            yield Finding("rules", number, "metric_id", f"{metric} with {parameter}", "nothing")


@rule(
    code="FIGURES-029",
    group="figures",
    message="The dates of a rule version are not those of whole quarters, or not in order.",
    remedy=(
        "Give every row of a version the same dates: the first day of a quarter, and the last day of the "
        "same or a later one. A later version starts later."
    ),
)
def versions_are_in_order(submission: Submission) -> Iterator[Finding]:
    """Find rule versions below 1, that start or end inside a quarter, have several dates, or overtake."""
    table = _table(submission, "rules", "rules")
    if table is None:
        return
    first_of: dict[int, tuple[date, date | None]] = {}
    rows = zip(
        table.row_numbers, table["rule_version"], table["effective_from"], table["effective_to"], strict=True
    )
    for number, version, start, end in rows:
        if version is None or start is None:
            continue
        if version not in first_of:
            first_of[version] = (start, end)
            yield from _version_findings(number, version, start, end, first_of)
        elif (start, end) != first_of[version]:
            column = "effective_from" if start != first_of[version][0] else "effective_to"
            yield Finding(
                "rules", number, column, "another day", f"the same on all rows of version {version}"
            )


def _version_findings(
    number: int, version: int, start: date, end: date | None, first_of: dict[int, tuple[date, date | None]]
) -> Iterator[Finding]:
    """Yield what is wrong with the dates of one version, told at its first row."""
    if version < 1:
        yield Finding("rules", number, "rule_version", str(version), "1 or more")
    if start != Period.of(start).first_day:
        yield Finding("rules", number, "effective_from", start.isoformat(), "the first day of a quarter")
    if end is not None and (end != Period.of(end).last_day or end < start):
        expected = f"the last day of a quarter from {start.isoformat()} on"
        yield Finding("rules", number, "effective_to", end.isoformat(), expected)
    for other, (other_start, _) in first_of.items():
        if (other < version and other_start >= start) or (other > version and other_start <= start):
            order = "later" if other < version else "earlier"
            expected = f"{order} than {other_start.isoformat()}, the start of version {other}"
            yield Finding("rules", number, "effective_from", start.isoformat(), expected)


@rule(
    code="FIGURES-030",
    group="figures",
    message="A rule version lacks a parameter.",
    remedy=(
        "Give every parameter of the form's list, those that stay as they were included; only a version "
        "that is whole can be put in force."
    ),
)
def versions_are_whole(submission: Submission) -> Iterator[Finding]:
    """Find rule versions without one of the form's parameters. A threshold left out is not set."""
    table = _table(submission, "rules", "rules")
    if table is None:
        return
    needed = set(table.sheet.column("parameter").codes) - {"threshold"}
    given: dict[int, set[str]] = {}
    for version, parameter in zip(table["rule_version"], table["parameter"], strict=True):
        if version is not None:
            given.setdefault(version, set()).add(parameter)
    for version, parameters in given.items():
        for name in sorted(needed - parameters):
            yield Finding("rules", None, "parameter", f"no row of version {version}", name)

"""A decision is judged against the log of its case: what was decided before, and what later returns say.

Belongs here: what a return decides, the log that it is judged against, and the rules of the stage log. Which
steps there are, and who may decide them, is the seed case_transitions. Does not: which returns are current
(ingest/receive.py decides that in the order of arrival), or whether statistics ever detected the case. That
cannot be known when a file arrives, for it may come before the final build that records it: a number that
some body, area, right and quarter have is taken as a detected case, and the marts warn of those that are not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.acceptance.comparison import tables_of_receipt
from ingest.acceptance.entries import CASE_ID, FORCES, codes_in, reviewers_by_force
from ingest.acceptance.found import judged_further
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.acceptance.verdict import Verdict
from ingest.form import Forms
from ingest.limits import Limits
from ingest.period import Period
from ingest.reference import Reference
from ingest.typed import Table

if TYPE_CHECKING:
    from ingest.paths import DataRoot
    from ingest.receipts import Receipt

KIND = "decisions"
"""Kind of return that the log is made of."""
START = "detected"
"""State of a case before the first decision. Statistics set it."""
_FILE = "decisions.json"
_FORMAT = 1


@dataclass(frozen=True)
class Decision:
    """One decision: the case, the state it enters, who decided by role, and when."""

    row_number: int
    case_id: str
    to_state: str
    decided_by_role: str | None
    decided_on: date


@dataclass(frozen=True)
class Notice:
    """One notice: the cases it rests on, who receives it, and the days that decisions have too."""

    row_number: int
    case_ids: tuple[str, ...]
    recipient_code: str | None
    sos_agreed_on: date | None
    ag_agreed_on: date | None
    vc_consulted_on: date | None
    published_on: date | None


@dataclass(frozen=True)
class ReturnDecisions:
    """What one return decides.

    unread: cases of which a row cannot be read; other rules tell that, and their log is not judged.
    """

    sender_code: str
    period_code: str
    decisions: tuple[Decision, ...]
    notices: tuple[Notice, ...]
    unread: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What the latest accepted return stands for: sender and quarter."""
        return self.sender_code, self.period_code

    @property
    def cases(self) -> set[str]:
        """Every case that is named."""
        noticed = (case for notice in self.notices for case in notice.case_ids)
        return {*(decision.case_id for decision in self.decisions), *noticed}

    def to_json(self) -> str:
        """Return it as JSON, to be read by from_json; not whose it is, for two may send the same file."""
        values = {"format": _FORMAT, **asdict(self), "sender_code": ""}
        return json.dumps(values, separators=(",", ":"), ensure_ascii=False, default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> ReturnDecisions:
        """Read what to_json wrote. Raises ValueError for anything else."""
        try:
            values = json.loads(text)
            if values["format"] != _FORMAT:
                raise ValueError("written in another format")
            return cls(
                values["sender_code"],
                values["period_code"],
                tuple(Decision(**_with_days(row)) for row in values["decisions"]),
                tuple(
                    Notice(**{**_with_days(row), "case_ids": tuple(row["case_ids"])})
                    for row in values["notices"]
                ),
                tuple(values["unread"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"Not the decisions of a return: {error}.") from error


def _with_days(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: date.fromisoformat(cell) if name.endswith("_on") and cell is not None else cell
        for name, cell in row.items()
    }


# --- what a return decides ---------------------------------------------------------------------------------


def decisions_of(tables: Mapping[str, Table], sender_code: str | None) -> ReturnDecisions | None:
    """Return what the typed tables of a return decide; None if it is of another kind, or has no quarter."""
    if not {"cover", "decisions", "notices"} <= tables.keys():
        return None
    period_code = tables["cover"]["period_code"][0]
    if period_code is None or sender_code is None:
        return None
    decided: list[Decision] = []
    unread: set[str] = set()
    table = tables["decisions"]
    names = ("case_id", "to_state", "decided_by_role", "decided_on")
    for number, case_id, state, role, day in zip(
        table.row_numbers, *(table[name] for name in names), strict=True
    ):
        if case_id is None or not CASE_ID.match(case_id):
            continue
        if state is None or day is None:
            unread.add(case_id)
        else:
            decided.append(Decision(number, case_id, state, role, day))
    table = tables["notices"]
    others = ("recipient_code", "sos_agreed_on", "ag_agreed_on", "vc_consulted_on", "published_on")
    notices = tuple(
        Notice(number, tuple(case for case in codes_in(cases) if CASE_ID.match(case)), *cells)
        for number, cases, *cells in zip(
            table.row_numbers, table["case_ids"], *(table[name] for name in others), strict=True
        )
    )
    return ReturnDecisions(sender_code, period_code, tuple(decided), notices, tuple(sorted(unread)))


def write_decisions(tables: Mapping[str, Table], folder: Path) -> None:
    """Write what a return decides into the folder of its parsed sheets, for later ones to be judged against.

    A short cut like the figures of a return: decisions_of_receipt works it out again where it is missing.
    """
    decided = decisions_of(tables, "")
    if decided is not None:
        (folder / _FILE).write_text(decided.to_json(), encoding="utf-8")


def decisions_of_receipt(
    root: DataRoot, receipt: Receipt, reference: Reference, forms: Forms, limits: Limits | None = None
) -> ReturnDecisions | None:
    """Return what an accepted return decides, kept when it was judged or parsed again from the archive.

    None where its content can no longer be read. Writes nothing.
    """
    kept = root.raw_return(receipt.sha256) / _FILE
    try:
        decided = ReturnDecisions.from_json(kept.read_text(encoding="utf-8"))
        return replace(decided, sender_code=receipt.sender_code)
    except (OSError, ValueError):
        pass
    form = forms.get(receipt.kind or "", receipt.form_version or 0)
    tables = None if form is None else tables_of_receipt(root, receipt, form, reference, limits)
    return None if tables is None else decisions_of(tables, receipt.sender_code)


def decisions_so_far(
    root: DataRoot,
    current: Iterable[Receipt],
    *,
    reference: Reference,
    forms: Forms,
    limits: Limits | None = None,
) -> list[ReturnDecisions]:
    """Return what the current returns among the receipts decide, quarter after quarter."""
    found = [
        decisions_of_receipt(root, receipt, reference, forms, limits)
        for receipt in current
        if receipt.kind == KIND
    ]
    return sorted(
        (decided for decided in found if decided is not None), key=lambda d: (d.period_code, d.sender_code)
    )


def decisions_in_ledger(
    root: DataRoot, *, reference: Reference, forms: Forms, limits: Limits | None = None
) -> list[ReturnDecisions]:
    """Return what the current accepted returns in the ledger of a root decide.

    What was erased is not current. Raises LedgerError or RemovalsError if the ledger of the root, or its log
    of removals, cannot be read.
    """
    from ingest.erasure import erased_receipts, standing
    from ingest.receipts import Ledger

    ledger = Ledger(root.receipts)
    # Of a ledger of years only the lines of those who may send decisions are read.
    senders = sorted({row.sender_code for row in reference.sender_bodies if row.form_kind == KIND})
    receipts = [
        receipt
        for sender in senders
        for receipt in ledger.read(of_sender=sender)
        if receipt.is_accepted and receipt.kind == KIND
    ]
    current: dict[tuple[Any, ...], Receipt] = {}
    if receipts:
        current = {receipt.key: receipt for receipt in standing(receipts, erased_receipts(root))}
    return decisions_so_far(root, current.values(), reference=reference, forms=forms, limits=limits)


# --- which case a number stands for ------------------------------------------------------------------------


class CaseKey(NamedTuple):
    """What the number of a case stands for."""

    body_kind: str
    pfa_code: str
    right_number: int
    first_period: Period


def case_id_of(body_kind: str, pfa_code: str, right_number: int, first_period_code: str) -> str:
    """Return the number of a case: what it is about and the quarter it began in, hashed."""
    words = f"{body_kind}|{pfa_code}|{right_number}|{first_period_code}"
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()[:16]


def cases_of(reference: Reference, case_ids: Iterable[str], through: Period) -> dict[str, CaseKey]:
    """Return what case numbers stand for, of those that began in a quarter up to the one given."""
    wanted, found = {bytes.fromhex(case_id) for case_id in case_ids}, dict[str, CaseKey]()
    kinds = [
        (row, right, f"{row.body_kind}|{row.pfa_code}|{right.right_number}|".encode())
        for row in reference.body_kind_areas
        if row.applicability == "expected"
        for right in reference.rights
    ]
    first_day = min(cycle.reporting_starts_on for cycle in reference.cycles)
    period = through
    # The latest quarter first: the cases that are decided on began in the last few.
    while wanted and period.last_day >= first_day:
        code, day = period.code.encode(), period.last_day
        for row, right, words in kinds:
            digest = hashlib.md5(words + code, usedforsecurity=False).digest()[:8]
            if digest in wanted and row.in_force(day) and right.in_force(day):
                found[digest.hex()] = CaseKey(row.body_kind, row.pfa_code, right.right_number, period)
                wanted.discard(digest)
        period = period.previous()
    return found


def recipients_of(reference: Reference, case: CaseKey, period: Period) -> set[str]:
    """Return who receives a notice about a case, in force for a quarter.

    The bodies of the case or their successors; for a police force, its reviewer.
    """
    view = reference.for_period(period)
    kinds = {body.body_code: body for body in reference.bodies}
    reviewers = reviewers_by_force(view)
    receive = set()
    for held in reference.body_areas:
        body = kinds.get(held.body_code)
        if (
            body is None
            or (body.body_kind, held.pfa_code) != case[:2]
            or not held.in_force(case.first_period.last_day)
        ):
            continue
        passed = set()
        while body is not None and body.body_code not in view.bodies and body.body_code not in passed:
            passed.add(body.body_code)
            body = kinds.get(body.successor_body_code)
        if body is None:
            continue
        code = reviewers.get(body.body_code) if body.body_kind in FORCES else body.body_code
        if code is not None:
            receive.add(code)
    return receive


# --- the log -----------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """A decision in its place in the log of its case: the return it stands in, and the state found."""

    decision: Decision
    of: ReturnDecisions
    before: str
    since: date | None


class Trouble(NamedTuple):
    """What is wrong with one row of one return of the log."""

    what: str
    of: tuple[str, str]
    place: tuple[str, int, str]
    found: str
    expected: str


@dataclass(frozen=True)
class CaseLog:
    """The return that is judged, and the current returns of its cases' log.

    others: those of other quarters, earlier and later ones. replaced: the one that this return would replace.
    """

    judged: ReturnDecisions
    others: tuple[ReturnDecisions, ...]
    replaced: ReturnDecisions | None
    reference: Reference

    @classmethod
    def of(cls, judged: ReturnDecisions, so_far: Sequence[ReturnDecisions], reference: Reference) -> CaseLog:
        """Put a return into the log of those that stand."""
        others = tuple(each for each in so_far if each.key != judged.key)
        replaced = next((each for each in so_far if each.key == judged.key), None)
        return cls(judged, others, replaced, reference)

    @cached_property
    def out_of_order(self) -> list[tuple[Decision, Decision]]:
        """Decisions of the judged return, each below a later one on the same case: (it, the one above)."""
        latest: dict[str, Decision] = {}
        found = []
        for decision in self.judged.decisions:
            above = latest.setdefault(decision.case_id, decision)
            if decision.decided_on < above.decided_on:
                found.append((decision, above))
            else:
                latest[decision.case_id] = decision
        return found

    @cached_property
    def _cases(self) -> set[str]:
        """Cases whose log is judged: those named now, or in the return that is replaced."""
        named = self.judged.cases | (self.replaced.cases if self.replaced else set())
        unclear = {*self.judged.unread, *(decision.case_id for decision, _ in self.out_of_order)}
        return named - unclear

    @cached_property
    def troubles(self) -> list[Trouble]:
        """What is wrong in the judged return, and what it would make wrong in the others.

        What was wrong there without it is none of its fault: a return that mends a gap must not be kept out
        by another gap.
        """
        before = [*self.others, *([self.replaced] if self.replaced else [])]
        known = {(each.what, each.of, each.place) for each in self._troubles_of(before)}
        now = self._troubles_of([*self.others, self.judged])
        return [each for each in now if each.of == self.judged.key or each[:3] not in known]

    def _troubles_of(self, returns: Sequence[ReturnDecisions]) -> list[Trouble]:
        steps = _steps(returns, self._cases)
        found = [trouble for step in steps for trouble in _wrong_step(step, returns, self.reference)]
        by_case: dict[str, list[Decision]] = {}
        for step in steps:
            by_case.setdefault(step.decision.case_id, []).append(step.decision)
        for each in returns:
            for notice in each.notices:
                for case_id in notice.case_ids:
                    if case_id in self._cases:
                        found += _wrong_notice(notice, each, case_id, by_case.get(case_id, []))
        return found

    def findings(self, what: str) -> Iterator[Finding]:
        """Yield what is wrong in one way; what stands in another return, without a row of this one."""
        for trouble in self.troubles:
            sheet, row, column = trouble.place
            if trouble.what != what:
                continue
            if trouble.of == self.judged.key:
                yield Finding(sheet, row, column, trouble.found, trouble.expected)
            else:
                there = f"row {row} of the return for {trouble.of[1]}"
                yield Finding(sheet, None, None, f"{there}: {trouble.found}", trouble.expected)


def logged(
    verdict: Verdict,
    decided: ReturnDecisions | None,
    so_far: Sequence[ReturnDecisions],
    reference: Reference,
) -> Verdict:
    """Return a verdict with what the rules of the log find added to it.

    A return that is quarantined, or decides nothing, stays as it is.
    """
    if decided is None or verdict.outcome == "quarantined":
        return verdict
    return judged_further(verdict, "log", CaseLog.of(decided, so_far, reference))


def _steps(returns: Sequence[ReturnDecisions], cases: set[str]) -> list[Step]:
    """Return every decision on the cases in order of its day, then its row, with the state it found."""
    entries = sorted(
        ((d, each) for each in returns for d in each.decisions if d.case_id in cases),
        key=lambda e: (e[0].case_id, e[0].decided_on, e[1].period_code, e[1].sender_code, e[0].row_number),
    )
    steps = []
    for _, log in groupby(entries, key=lambda entry: entry[0].case_id):
        before, since = START, None
        for decision, each in log:
            steps.append(Step(decision, each, before, since))
            # Also after a step that is not allowed, so that one missing row is told once.
            before, since = decision.to_state, decision.decided_on
    return steps


def _wrong_step(step: Step, returns: Sequence[ReturnDecisions], reference: Reference) -> Iterator[Trouble]:
    decision = step.decision
    may_follow = reference.transitions_from(step.before, decision.decided_on)

    def trouble(what: str, column: str, found: str, expected: str) -> Trouble:
        return Trouble(what, step.of.key, ("decisions", decision.row_number, column), found, expected)

    allowed = may_follow.get(decision.to_state)
    if allowed is None:
        has_been = (
            f"has been {step.before} since {step.since.isoformat()}"
            if step.since
            else f"is {step.before}, with no decision so far"
        )
        found = f"{decision.to_state}; the case {has_been}"
        yield trouble("step", "to_state", found, " or ".join(may_follow) or "nothing: the case has ended")
        return
    role = decision.decided_by_role
    if role is not None and role not in allowed.roles:
        found = f"{role} for {decision.to_state} from {step.before}"
        yield trouble("role", "decided_by_role", found, " or ".join(allowed.roles))
    if allowed.needs == "notice" and not any(
        decision.case_id in notice.case_ids
        for each in returns
        if each.period_code <= step.of.period_code
        for notice in each.notices
    ):
        found = f"{decision.to_state}, but no notice names the case"
        yield trouble("no_notice", "to_state", found, f"a notice that names case {decision.case_id}")


def _wrong_notice(
    notice: Notice, of: ReturnDecisions, case_id: str, log: Sequence[Decision]
) -> Iterator[Trouble]:
    """Yield what a published notice says otherwise than the log of one of its cases."""
    if notice.published_on is None:
        return

    def trouble(what: str, column: str, found: str, expected: str) -> Trouble:
        return Trouble(what, of.key, ("notices", notice.row_number, column), found, expected)

    agreed = _last(log, "notice_agreed", notice.published_on)
    if agreed is None:
        found = f"{notice.published_on.isoformat()}; case {case_id} has no decision notice_agreed by then"
        yield trouble("not_agreed", "published_on", found, "a case whose notice both ministers agreed")
        return
    given: list[tuple[str, date | None, date | None, str]] = []
    if notice.sos_agreed_on and notice.ag_agreed_on:
        # Both have agreed on the day on which the second of them did.
        is_ag_last = notice.ag_agreed_on >= notice.sos_agreed_on
        column = "ag_agreed_on" if is_ag_last else "sos_agreed_on"
        given.append((column, max(notice.sos_agreed_on, notice.ag_agreed_on), agreed, "notice_agreed"))
    consulted = _last(log, "commissioner_consulted", agreed)
    given.append(("vc_consulted_on", notice.vc_consulted_on, consulted, "commissioner_consulted"))
    published = next(
        (d.decided_on for d in log if d.to_state == "notice_published" and d.decided_on >= agreed), None
    )
    given.append(("published_on", notice.published_on, published, "notice_published"))
    for column, day, decided_on, state in given:
        if day is not None and day != decided_on:
            expected = decided_on.isoformat() if decided_on else "a day on which it was decided"
            yield trouble("days", column, day.isoformat(), f"{expected}: {state} of case {case_id}")


def _last(log: Sequence[Decision], state: str, by: date) -> date | None:
    """Return the last day up to the one given on which a state was entered."""
    days = [d.decided_on for d in log if d.to_state == state and d.decided_on <= by]
    return days[-1] if days else None


# --- rules -------------------------------------------------------------------------------------------------


@rule(
    code="IDENTITY-014",
    group="identity",
    message="The number of a case stands for no body, area, right and quarter.",
    remedy=(
        "Copy the case's number from the flag register. A case cannot have begun after the quarter on the "
        "cover."
    ),
)
def cases_are_those_of_a_body(submission: Submission) -> Iterator[Finding]:
    """Find case numbers that no body, area, right and quarter up to the return's have."""
    period, tables = submission.period, submission.tables
    decided = decisions_of(tables, "") if submission.form and submission.form.kind == KIND else None
    if decided is None or period is None or not submission.is_of_the_forms_frequency:
        return
    cases = {*decided.cases, *decided.unread}
    unknown = cases - cases_of(submission.context.reference, cases, period).keys()
    expected = f"the number of a case that began by {period.code}"
    for number, case_id in zip(tables["decisions"].row_numbers, tables["decisions"]["case_id"], strict=True):
        if case_id in unknown:
            yield Finding("decisions", number, "case_id", case_id, expected)
    for notice in decided.notices:
        for case_id in notice.case_ids:
            if case_id in unknown:
                yield Finding("notices", notice.row_number, "case_ids", case_id, expected)


@rule(
    code="IDENTITY-015",
    group="identity",
    stage="log",
    message="The role may not decide this step of a case.",
    remedy="Correct the role, or leave the decision out until those whose decision it is have taken it.",
)
def roles_may_decide(log: CaseLog) -> Iterator[Finding]:
    """Find decisions of roles that may not take them."""
    return log.findings("role")


@rule(
    code="SHAPE-031",
    group="shape",
    stage="log",
    message="The decisions on a case are not in the order of their days.",
    remedy="Correct the day, or sort the rows by it: of two decisions on one day, the upper row comes first.",
)
def decisions_are_in_order(log: CaseLog) -> Iterator[Finding]:
    """Find decisions that stand below a later one on the same case."""
    for decision, above in log.out_of_order:
        yield Finding(
            "decisions",
            decision.row_number,
            "decided_on",
            decision.decided_on.isoformat(),
            f"{above.decided_on.isoformat()} or later, as in row {above.row_number}",
        )


@rule(
    code="SHAPE-032",
    group="shape",
    stage="log",
    message="A case cannot enter this state from the state that it is in.",
    remedy=(
        "Add the decisions between the two, or correct the state or the case. A decision of another quarter "
        "belongs in the return of that quarter, which has to be sent before."
    ),
)
def steps_are_allowed(log: CaseLog) -> Iterator[Finding]:
    """Find decisions that do not follow from the state their case is in, here and in later returns."""
    return log.findings("step")


@rule(
    code="SHAPE-033",
    group="shape",
    stage="log",
    message="A notice is decided to be published, but no notice names the case.",
    remedy="Add the notice to the sheet of notices, with the number of the case among its cases.",
)
def published_cases_have_a_notice(log: CaseLog) -> Iterator[Finding]:
    """Find decisions that need a notice, with none in their return or an earlier one."""
    return log.findings("no_notice")


@rule(
    code="SHAPE-034",
    group="shape",
    stage="log",
    message="A notice is published about a case whose notice both ministers have not agreed.",
    remedy="Add the decision notice_agreed of both ministers, or take the case out of the notice.",
)
def published_notices_were_decided(log: CaseLog) -> Iterator[Finding]:
    """Find published notices with a case that has no decision notice_agreed."""
    return log.findings("not_agreed")


@rule(
    code="SHAPE-035",
    group="shape",
    stage="log",
    message="A day of a published notice is not the day of the decision on its case.",
    remedy=(
        "Make the two agree: both ministers' agreement (the later of their days), the consultation of the "
        "Victims' Commissioner and the publication are decisions on every case of the notice."
    ),
)
def days_of_notices_are_those_decided(log: CaseLog) -> Iterator[Finding]:
    """Find published notices whose days are not those of the decisions."""
    return log.findings("days")


@rule(
    code="SHAPE-036",
    group="shape",
    stage="log",
    message="A notice goes to somebody who is not the recipient of one of its cases.",
    remedy=(
        "Name the body of the case as the recipient; for a police force, its local policing body (or the "
        "authority that stands in its place). Of a notice to several recipients, give each a row."
    ),
)
def notices_go_to_those_they_are_about(log: CaseLog) -> Iterator[Finding]:
    """Find notices with a case whose recipient receives neither this notice nor another that names it."""
    judged, reference = log.judged, log.reference
    period = Period.parse(judged.period_code)
    known = cases_of(reference, (case for notice in judged.notices for case in notice.case_ids), period)
    sent = {
        (case_id, notice.recipient_code)
        for each in (*log.others, judged)
        if each.period_code <= judged.period_code
        for notice in each.notices
        for case_id in notice.case_ids
    }
    for notice in judged.notices:
        for case_id in notice.case_ids if notice.recipient_code else ():
            if case_id in known:
                receive = recipients_of(reference, known[case_id], period)
                if not any((case_id, code) in sent for code in receive):
                    found = f"{notice.recipient_code} for case {case_id}"
                    yield Finding(
                        "notices",
                        notice.row_number,
                        "recipient_code",
                        found,
                        " or ".join(sorted(receive)) or "a case of a body in force",
                    )

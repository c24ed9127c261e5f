"""The order of judging: inspect, read, choose the form, type, apply every rule, give one verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

# Importing these modules is what fills the register of rules.
from ingest.acceptance import comparison as _comparison  # noqa: F401
from ingest.acceptance import entries as _entries  # noqa: F401
from ingest.acceptance import figures as _figures  # noqa: F401
from ingest.acceptance import file as _file  # noqa: F401
from ingest.acceptance import identity as _identity  # noqa: F401
from ingest.acceptance import person as _person  # noqa: F401
from ingest.acceptance import shape as _shape  # noqa: F401
from ingest.acceptance import transitions as _transitions  # noqa: F401
from ingest.acceptance.comparison import ReturnFigures, compared, figures_of, previous_figures
from ingest.acceptance.file import EXTENSIONS
from ingest.acceptance.found import Found, rule_order
from ingest.acceptance.person import screen_file_name
from ingest.acceptance.registry import rules_of
from ingest.acceptance.submission import Context, Submission
from ingest.acceptance.transitions import ReturnDecisions, decisions_in_ledger, decisions_of, logged
from ingest.acceptance.verdict import Problem, Verdict
from ingest.clock import Clock
from ingest.form import Forms
from ingest.limits import Limits
from ingest.period import Period
from ingest.readers import Fault, FileFacts, RawSheet, Unreadable, inspect, read_workbook
from ingest.reference import Reference
from ingest.typed import Table, is_blank, type_workbook

if TYPE_CHECKING:
    from ingest.paths import DataRoot

WITHHELD = "(name withheld)"


@dataclass
class Judgement:
    """A verdict, and the typed tables it was given on (empty unless the file could be read).

    figures: what the verdict is compared by with the period before; None if there is nothing to compare. The
    verdict itself does not say yet what that comparison finds: see comparison.compared.
    decisions: what the return decides; None if it is of another kind. The verdict does not say yet what the
    log of its cases makes of them: see transitions.logged.
    """

    verdict: Verdict
    tables: dict[str, Table]
    figures: ReturnFigures | None = None
    decisions: ReturnDecisions | None = None

    @property
    def may_be_archived(self) -> bool:
        """Say whether the file was read to its end, screened, and holds neither personal data nor harm."""
        return self.verdict.is_readable and self.verdict.outcome != "quarantined"


def _apply(stage: str, submission: Submission, found: Found) -> None:
    for rule in rules_of(stage):
        for finding in rule.check(submission):
            found.add(rule.code, finding, submission.shown_sheet(finding.sheet))


def judge(path: Path, context: Context, file_name: str | None = None) -> Judgement:
    """Judge one file. `file_name` is the name it was delivered under, if it lies under another now.

    Never raises for what a file holds; raises OSError if it cannot be opened at all.
    """
    facts = inspect(path, file_name, max_bytes=context.limits.file_bytes)
    submission = Submission(facts, context)
    found = Found()
    _apply("facts", submission, found)
    if not found.has_errors:
        try:
            submission.workbook = read_workbook(path, facts, context.limits)
            submission.titles = submission.workbook.titles
        except Unreadable as error:
            submission.fault, submission.titles = error.fault, error.titles
        except MemoryError:
            submission.fault = Fault("out_of_memory")
    _judge_content(submission, found)
    verdict = _verdict(submission, found)
    figures, decisions = None, None
    if verdict.outcome != "quarantined" and submission.is_of_the_forms_frequency:
        figures = figures_of(submission.tables)
        decisions = decisions_of(submission.tables, context.sender_code or verdict.sender_code)
    return Judgement(verdict, submission.tables, figures, decisions)


def judge_fault(facts: FileFacts, context: Context, fault: Fault) -> Verdict:
    """Return the verdict on a file whose reading ended in a fault outside the reader, such as a crash."""
    submission = Submission(facts, context, fault)
    found = Found()
    _apply("content", submission, found)
    _apply("person", submission, found)
    return _verdict(submission, found)


def _judge_content(submission: Submission, found: Found) -> None:
    context, workbook = submission.context, submission.workbook
    _apply("content", submission, found)
    if workbook is not None:
        cover = workbook.sheet("cover")
        if cover is not None:
            submission.cover, submission.cover_rows = _cover_fields(cover)
        _choose_form(submission)
        if submission.form is not None:
            submission.tables = type_workbook(submission.form, workbook, context.reference)
        _apply("cover", submission, found)
        if submission.form is not None:
            _apply("tables", submission, found)
    _apply("person", submission, found)


def _cover_fields(cover: RawSheet) -> tuple[dict[str, str], dict[str, int]]:
    """Read field -> value as text, and field -> row, whatever the form; the first line of a field counts."""
    fields: dict[str, str] = {}
    rows: dict[str, int] = {}
    if "field" not in cover.header or "value" not in cover.header:
        return fields, rows
    names = cover.columns[cover.header.index("field")]
    values = cover.columns[cover.header.index("value")]
    for number, name, value in zip(cover.row_numbers, names, values, strict=True):
        if not isinstance(name, str) or is_blank(name) or name in rows:
            continue
        rows[name] = number
        if not is_blank(value):
            fields[name] = str(int(value)) if type(value) is float and value.is_integer() else str(value)
    return fields, rows


def _choose_form(submission: Submission) -> None:
    version = submission.cover.get("form_version", "")
    # Longer digits are no version of ours, and would be slow to read as a number.
    if version.isascii() and version.isdigit() and len(version) < 6:
        submission.form = submission.context.forms.get(submission.cover.get("kind", ""), int(version))
    try:
        period = Period.parse(submission.cover.get("period_code", ""))
    except ValueError:
        return
    # A period that no cycle rule covers is outside the life of the service: IDENTITY-006 tells it.
    if submission.context.reference.covers(period.last_day):
        submission.period = period


def _verdict(submission: Submission, found: Found) -> Verdict:
    cover, context = submission.cover, submission.context
    kind = cover.get("kind")
    problems = sorted(found.problems, key=_order(submission))
    return Verdict(
        outcome=found.outcome(),
        problems=tuple(problems),
        counts=found.ordered_counts(),
        is_readable=submission.workbook is not None,
        file_name=shown_file_name(submission.facts.file_name),
        kind=kind if kind in context.forms.kinds else None,
        form_version=submission.form.version if submission.form else None,
        sender_code=submission.sender_code,
        period_code=submission.period.code if submission.period else None,
        rows_read={table.sheet.name: table.row_count for table in submission.form_tables},
    )


def shown_file_name(file_name: str) -> str:
    """Return a file name as it may be kept and shown.

    One that looks like a person is withheld, but for an ending that files of returns have.
    """
    if not screen_file_name(file_name):
        return file_name
    ending = Path(file_name).suffix.lower()
    return f"{WITHHELD}{ending if ending.lstrip('.') in EXTENSIONS else ''}"


def _order(submission: Submission) -> Callable[[Problem], tuple[object, ...]]:
    sheets = {name: place for place, name in enumerate(submission.tables)}

    def key(problem: Problem) -> tuple[object, ...]:
        return (
            *rule_order(problem.rule_code),
            sheets.get(problem.sheet or "", -1),
            problem.sheet or "",
            problem.row_number or 0,
        )

    return key


def conclude(judgement: Judgement, context: Context, root: DataRoot | None = None) -> Verdict:
    """Return the verdict with what the comparison with the period before finds, and the log of cases.

    The return before is the sender's current accepted one in the ledger of `root`, and so are the decisions
    taken so far; without a root, or without such a return, only what needs none is added, and decisions are
    not judged against a log. Nothing is written.
    """
    verdict = judgement.verdict
    if root is not None and judgement.decisions is not None:
        so_far = decisions_in_ledger(
            root, reference=context.reference, forms=context.forms, limits=context.limits
        )
        verdict = logged(verdict, judgement.decisions, so_far, context.reference)
    if judgement.figures is None or verdict.period_code is None:
        return verdict
    period = Period.parse(verdict.period_code)
    sender_code = context.sender_code or verdict.sender_code
    previous = None
    if root is not None and sender_code is not None and verdict.kind is not None:
        previous = previous_figures(
            root,
            sender_code,
            verdict.kind,
            period,
            reference=context.reference,
            forms=context.forms,
            limits=context.limits,
        )
    rules = context.reference.acceptance_on(period.last_day)
    return compared(verdict, judgement.figures, previous, rules)


def check_file(
    path: Path | str,
    sender_code: str | None,
    reference: Reference,
    forms: Forms,
    clock: Clock,
    *,
    limits: Limits | None = None,
    root: DataRoot | None = None,
) -> Verdict:
    """Judge a file as the pipeline would if it arrived now in the sender's folder of a data root.

    None stands for the folder of whichever sender its cover names; without a data root, nothing is compared
    with the period before, or judged against the log of its cases. Raises ValueError for a code of no sender.
    """
    context = context_of(sender_code, reference, forms, clock, limits=limits)
    return conclude(judge(Path(path), context), context, root)


def context_of(
    sender_code: str | None,
    reference: Reference,
    forms: Forms,
    clock: Clock,
    *,
    limits: Limits | None = None,
) -> Context:
    """Return what a file is judged against if it arrives now. Raises ValueError for a code of no sender."""
    known = reference.codes("senders")
    if sender_code is not None and sender_code not in known:
        close = get_close_matches(sender_code, sorted(known), n=1)
        hint = f"; perhaps {close[0]} is meant" if close else ""
        raise ValueError(
            f"{sender_code!r} is no sender's code{hint}. "
            "The codes are listed in dbt_project/seeds/senders.csv."
        )
    return Context(reference, forms, clock.now(), sender_code, limits or Limits())

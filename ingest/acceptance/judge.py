"""The order of judging: inspect, read, choose the form, type, apply every rule, give one verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

# Importing these modules is what fills the register of rules.
from ingest.acceptance import figures as _figures  # noqa: F401
from ingest.acceptance import file as _file  # noqa: F401
from ingest.acceptance import identity as _identity  # noqa: F401
from ingest.acceptance import person as _person  # noqa: F401
from ingest.acceptance import shape as _shape  # noqa: F401
from ingest.acceptance.file import EXTENSIONS
from ingest.acceptance.person import screen_file_name
from ingest.acceptance.registry import GROUPS, RULES, Finding, rules_of
from ingest.acceptance.submission import Context, Submission
from ingest.acceptance.verdict import Problem, Verdict
from ingest.clock import Clock
from ingest.form import Forms
from ingest.limits import Limits
from ingest.period import Period
from ingest.readers import Fault, FileFacts, RawSheet, Unreadable, inspect, read_workbook
from ingest.reference import Reference
from ingest.typed import Table, is_blank, type_workbook

MAX_PROBLEMS_PER_RULE = 1_000
WITHHELD = "(name withheld)"


@dataclass
class Judgement:
    """A verdict, and the typed tables it was given on (empty unless the file could be read)."""

    verdict: Verdict
    tables: dict[str, Table]

    @property
    def may_be_archived(self) -> bool:
        """Say whether the file was read to its end, screened, and holds neither personal data nor harm."""
        return self.verdict.is_readable and self.verdict.outcome != "quarantined"


class _Found:
    """Collects the problems, at most so many a rule, and counts them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.counts: dict[str, int] = {}

    def apply(self, stage: str, submission: Submission) -> None:
        for rule in rules_of(stage):
            for finding in rule.check(submission):
                self.add(rule.code, finding, submission.shown_sheet(finding.sheet))

    def add(self, code: str, finding: Finding, sheet: str | None) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MAX_PROBLEMS_PER_RULE:
            rule = RULES[code]
            self.problems.append(
                Problem(
                    rule_code=code,
                    severity=rule.severity,
                    sheet=sheet,
                    row_number=finding.row,
                    column_name=finding.column,
                    found=finding.found,
                    expected=finding.expected,
                    remedy=rule.remedy,
                    message=rule.message,
                )
            )

    @property
    def has_errors(self) -> bool:
        return any(RULES[code].severity == "error" for code in self.counts)

    def outcome(self) -> str:
        if any(RULES[code].quarantines for code in self.counts):
            return "quarantined"
        if self.has_errors:
            return "rejected"
        return "accepted_with_warnings" if self.counts else "accepted"


def judge(path: Path, context: Context, file_name: str | None = None) -> Judgement:
    """Judge one file. `file_name` is the name it was delivered under, if it lies under another now.

    Never raises for what a file holds; raises OSError if it cannot be opened at all.
    """
    facts = inspect(path, file_name, max_bytes=context.limits.file_bytes)
    submission = Submission(facts, context)
    found = _Found()
    found.apply("facts", submission)
    if not found.has_errors:
        try:
            submission.workbook = read_workbook(path, facts, context.limits)
            submission.titles = submission.workbook.titles
        except Unreadable as error:
            submission.fault, submission.titles = error.fault, error.titles
        except MemoryError:
            submission.fault = Fault("out_of_memory")
    _judge_content(submission, found)
    return Judgement(_verdict(submission, found), submission.tables)


def judge_fault(facts: FileFacts, context: Context, fault: Fault) -> Verdict:
    """Return the verdict on a file whose reading ended in a fault outside the reader, such as a crash."""
    submission = Submission(facts, context, fault)
    found = _Found()
    found.apply("content", submission)
    found.apply("person", submission)
    return _verdict(submission, found)


def _judge_content(submission: Submission, found: _Found) -> None:
    context, workbook = submission.context, submission.workbook
    found.apply("content", submission)
    if workbook is not None:
        cover = workbook.sheet("cover")
        if cover is not None:
            submission.cover, submission.cover_rows = _cover_fields(cover)
        _choose_form(submission)
        if submission.form is not None:
            submission.tables = type_workbook(submission.form, workbook, context.reference)
        found.apply("cover", submission)
        if submission.form is not None:
            found.apply("tables", submission)
    found.apply("person", submission)


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


def _verdict(submission: Submission, found: _Found) -> Verdict:
    cover, context = submission.cover, submission.context
    kind = cover.get("kind")
    problems = sorted(found.problems, key=_order(submission))
    return Verdict(
        outcome=found.outcome(),
        problems=tuple(problems),
        counts={code: found.counts[code] for code in sorted(found.counts, key=_rule_order)},
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


def _rule_order(code: str) -> tuple[int, str]:
    return GROUPS.index(RULES[code].group), code


def _order(submission: Submission) -> Callable[[Problem], tuple[object, ...]]:
    sheets = {name: place for place, name in enumerate(submission.tables)}

    def key(problem: Problem) -> tuple[object, ...]:
        return (
            *_rule_order(problem.rule_code),
            sheets.get(problem.sheet or "", -1),
            problem.sheet or "",
            problem.row_number or 0,
        )

    return key


def check_file(
    path: Path | str,
    sender_code: str | None,
    reference: Reference,
    forms: Forms,
    clock: Clock,
    *,
    limits: Limits | None = None,
) -> Verdict:
    """Judge a file as the pipeline would if it arrived now in the sender's folder.

    None stands for the folder of whichever sender its cover names. Raises ValueError for a code of no sender.
    """
    known = reference.codes("senders")
    if sender_code is not None and sender_code not in known:
        close = get_close_matches(sender_code, sorted(known), n=1)
        hint = f"; perhaps {close[0]} is meant" if close else ""
        raise ValueError(
            f"{sender_code!r} is no sender's code{hint}. "
            "The codes are listed in dbt_project/seeds/senders.csv."
        )
    context = Context(reference, forms, clock.now(), sender_code, limits or Limits())
    return judge(Path(path), context).verdict

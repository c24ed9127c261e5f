"""A table of rules for severe indicators, read from a file before anybody agreed it.

What belongs here: a `rules` return in any format, judged as acceptance judges it, or a plain CSV of its sheet
`rules`, judged by the same rules for what it holds. What does not: what the rules would do (orchestration).
Nothing is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ingest.acceptance.entries import PARAMETERS_IN_ORDER
from ingest.acceptance.found import Found
from ingest.acceptance.judge import conclude, context_of, judge, shown_file_name
from ingest.acceptance.registry import rules_of
from ingest.acceptance.submission import Context, Submission
from ingest.acceptance.verdict import Verdict
from ingest.clock import Clock
from ingest.confine import judge_confined
from ingest.form import Forms, Sheet
from ingest.limits import Limits
from ingest.paths import DataRoot
from ingest.readers import FileFacts, RawSheet, Unreadable
from ingest.readers.csv_zip import read_csv
from ingest.reference import Reference
from ingest.typed import Table, is_blank, type_sheet

KIND = SHEET = "rules"
THRESHOLD = "threshold"
#: What a proposal must have of the sheet: what is changed, and to what. The other columns may be left out.
NEEDED = ("parameter",)
#: Rules for a return that a proposal need not keep: it may hold changes alone.
_OF_WHOLE_RETURNS = frozenset({"versions_are_whole"})
_MAX_BYTES = 1 << 20


class RuleTableRefused(ValueError):
    """The file is no table of rules that could be put in force. Carries the verdict, which says why."""

    def __init__(self, verdict: Verdict) -> None:
        """Raise with the verdict."""
        super().__init__(verdict.to_text())
        self.verdict = verdict


@dataclass(frozen=True)
class RuleRow:
    """One parameter, or the threshold of one metric or question."""

    parameter: str
    metric_id: str | None
    number_value: float | None
    text_value: str | None
    basis: str

    @property
    def key(self) -> tuple[str, str]:
        """What the row sets: a parameter, of a metric or of none."""
        return self.parameter, self.metric_id or ""

    @property
    def value(self) -> float | str | None:
        """The number, or the word."""
        return self.text_value if self.number_value is None else self.number_value


@dataclass(frozen=True)
class RuleTable:
    """One rule version as a file gives it.

    rule_version and effective_from are None where a plain CSV does not say. `is_whole`: it is a return, which
    must hold every parameter and names every threshold that shall be; otherwise what it does not name stays.
    """

    rows: tuple[RuleRow, ...]
    is_whole: bool
    rule_version: int | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    #: Versions of the same file that are not this one.
    other_versions: tuple[int, ...] = ()


def read_rule_table(
    path: Path,
    reference: Reference,
    forms: Forms,
    clock: Clock,
    *,
    limits: Limits | None = None,
    root: DataRoot | None = None,
) -> RuleTable:
    """Read FILE. Of several versions in it the highest is taken.

    Raises RuleTableRefused for a return that would be rejected and for a CSV with errors, ValueError for a
    return of another kind, OSError for a file that cannot be opened.
    """
    context = context_of(None, reference, forms, clock, limits=limits)
    if path.suffix.lower() == ".csv":
        return _of_csv(path, context)
    verdict = conclude(judge_confined(path, context), context, root)
    if not verdict.is_accepted:
        raise RuleTableRefused(verdict)
    if verdict.kind != KIND:
        raise ValueError(
            f"{shown_file_name(path.name)} is a return of kind {verdict.kind};"
            f" `--rules` takes one of kind {KIND}, or a CSV of its sheet."
        )
    # Judged already under limits, and found to be in order.
    return _highest_version(judge(path, context).tables[SHEET], is_whole=True)


def _of_csv(path: Path, context: Context) -> RuleTable:
    size = path.stat().st_size
    if size > min(_MAX_BYTES, context.limits.file_bytes):
        raise ValueError(
            f"{shown_file_name(path.name)} holds more than {_MAX_BYTES >> 20} MiB, too much for a rule table."
        )
    facts = FileFacts(path.name, "csv", size, "other")
    form = context.forms.get(KIND, context.forms.versions(KIND)[-1])
    assert form is not None
    sheet = form.sheet(SHEET)
    try:
        raw = read_csv(SHEET, path.read_bytes(), context.limits)
    except Unreadable as error:
        fault = error.fault
        where = f"row {fault.row}" if fault.row else "the file"
        raise ValueError(
            f"{shown_file_name(path.name)} cannot be read as CSV: {where}: found {fault.found}; expected"
            f" {fault.expected}. Save it as CSV (UTF-8) and try again."
        ) from None
    is_headed = all(name in raw.header for name in NEEDED)
    if not raw.row_numbers or not is_headed:
        columns = ", ".join(column.name for column in sheet.columns)
        raise ValueError(
            f"{shown_file_name(path.name)} lacks "
            + ("rows" if is_headed else f"the column {' and '.join(NEEDED)}")
            + f". The first row names columns of the sheet {SHEET} ({columns}); each row below gives one"
            " parameter and its number_value or text_value."
        )
    filled = _filled(raw, sheet, context)
    table = type_sheet(sheet, filled, context.reference)
    verdict = _judged(Submission(facts, context, form=form, tables={SHEET: table}))
    if not verdict.is_accepted:
        raise RuleTableRefused(verdict)
    said = {name for name in ("rule_version", "effective_from") if name in raw.header}
    return _highest_version(table, is_whole=False, said=said)


def _highest_version(
    table: Table, *, is_whole: bool, said: Collection[str] = ("rule_version", "effective_from")
) -> RuleTable:
    """Return the version of the highest number; `said`: which of its own columns the file has."""
    versions = sorted(set(table["rule_version"]))
    chosen = versions[-1]
    columns = ("parameter", "metric_id", "number_value", "text_value", "basis")
    places = [index for index, version in enumerate(table["rule_version"]) if version == chosen]
    rows = [RuleRow(*(table[name][index] for name in columns)) for index in places]
    first = places[0]
    return RuleTable(
        rows=tuple(sorted((_plain(row) for row in rows), key=lambda row: row.key)),
        is_whole=is_whole,
        rule_version=chosen if "rule_version" in said else None,
        effective_from=table["effective_from"][first] if "effective_from" in said else None,
        effective_to=table["effective_to"][first],
        other_versions=tuple(versions[:-1]),
    )


def _plain(row: RuleRow) -> RuleRow:
    """Return the row with its word in small letters: a spreadsheet makes TRUE of what is typed as true."""
    word = row.text_value
    return replace(row, text_value=word.lower()) if word in ("TRUE", "FALSE") else row


def _filled(raw: RawSheet, sheet: Sheet, context: Context) -> RawSheet:
    """Return the sheet with every column; what a proposal leaves out gets a value that says nothing."""
    today = context.arrived_at.date()
    neutral = {
        "rule_version": "1",
        "effective_from": f"{today.year}-04-01",
        "basis": "proposed",
        "agreed_on": today.isoformat(),
    }
    header, columns = list(raw.header), list(raw.columns)
    for column in sheet.columns:
        if column.name not in header:
            header.append(column.name)
            columns.append((neutral.get(column.name, ""),) * raw.row_count)
        elif column.name in ("basis", "agreed_on"):
            place = header.index(column.name)
            columns[place] = [neutral[column.name] if is_blank(cell) else cell for cell in columns[place]]
    return RawSheet(raw.name, header, columns, raw.row_numbers)


def _judged(submission: Submission) -> Verdict:
    """Put the rules for tables to what the file holds; those for the cover find none and say nothing."""
    found = Found()
    for rule in rules_of("tables"):
        if rule.name in _OF_WHOLE_RETURNS:
            continue
        for finding in rule.check(submission):
            if finding.sheet == SHEET:
                found.add(rule.code, finding, SHEET)
    return Verdict(
        outcome=found.outcome(),
        problems=tuple(found.problems),
        counts=found.ordered_counts(),
        file_name=shown_file_name(submission.facts.file_name),
        kind=KIND,
        rows_read={SHEET: submission.tables[SHEET].row_count},
    )


def completed(proposed: RuleTable, in_force: Sequence[RuleRow]) -> tuple[RuleRow, ...]:
    """Return the whole version: what the proposal does not name is taken from the version in force.

    A return is whole already. Raises ValueError where what is proposed contradicts what stays.
    """
    if proposed.is_whole:
        return proposed.rows
    rows = {row.key: row for row in (*in_force, *proposed.rows)}
    given = {row.key for row in proposed.rows}
    for low, high in PARAMETERS_IN_ORDER:
        least, greatest = (
            rows[name, ""].number_value if (name, "") in rows else None for name in (low, high)
        )
        if least is not None and greatest is not None and greatest < least:
            told = " and ".join(
                f"{name} {rows[name, ''].number_value:g}"
                f" ({'proposed' if (name, '') in given else 'from the version in force'})"
                for name in (low, high)
            )
            raise ValueError(f"{told} contradict each other: {low} must not be above {high}. Propose both.")
    return tuple(rows[key] for key in sorted(rows))

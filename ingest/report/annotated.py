"""The body's own workbook, with a comment on each offending cell and a sheet that sums the report up.

An .xlsx stays the body's own as far as openpyxl keeps it (cells, styles, drop-downs; no charts, pictures or
links to other files); an .ods stays as it is but for formulas; a zip of CSVs becomes an .xlsx of its cells.
Belongs here: which cell a problem is about, and what is said there. Does not: judging (a file is read back
only after that), or the two formats (annotated_xlsx.py, annotated_ods.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.acceptance.verdict import Problem, Verdict
from ingest.files import replacing
from ingest.form import REPORT_SHEET
from ingest.limits import Limits
from ingest.readers import RawSheet, column_letter, inspect, read_workbook
from ingest.report.groups import HEADLINES, Group, facts_of, groups_of, next_step, plural
from ingest.spreadsheet_text import inert, inert_title

Place = tuple[str, str]
"""Title of a sheet, and a cell of it such as K5."""

_COMMENTS_PER_CELL = 8
MAX_CELLS = 500_000
"""Writing every cell again takes far longer than reading it: about 15 seconds for so many."""
_LETTERS = re.compile(r"(?:column )?([A-Z]{1,3})\Z")
_BY_NUMBER = re.compile(r"sheet number (\d+)\Z")


class NotAnnotated(ValueError):
    """A file that gets no annotated copy. The text says why, and what to do instead."""


@dataclass(frozen=True)
class ReportLine:
    """One line of the sheet that sums the report up. Its texts are inert.

    style: title, told (a sentence across all columns), fact, rule (a heading), head (of a table) or place;
    the first cell of a place leads to `leads_to`.
    """

    style: str
    cells: tuple[str | int | None, ...]
    leads_to: Place | None = None


def annotate(path: Path, verdict: Verdict, out: Path, *, limits: Limits | None = None) -> None:
    """Write a copy of a judged file with a comment on every offending cell, at most 20 a rule.

    `out` ends in .xlsx, or in .ods if the file does. Formulas stand as the values they were read as. Raises
    NotAnnotated if the file could not be read, was kept apart or is very large, or for another ending;
    OSError if the copy cannot be written.
    """
    if not verdict.is_readable or verdict.outcome == "quarantined":
        raise NotAnnotated(
            f"{verdict.file_name} cannot be annotated, for it "
            f"{'may hold personal data or do harm' if verdict.is_readable else 'could not be read'}; "
            "read the report as text or as a page."
        )
    limits = limits or Limits()
    facts = inspect(path, max_bytes=limits.file_bytes)
    suffix = out.suffix.lower()
    if suffix != ".xlsx" and not suffix == f".{facts.extension}" == ".ods":
        own = ", or in .ods as the file itself" if facts.extension == "ods" else ""
        raise NotAnnotated(f"The annotated copy is a workbook; give it a name that ends in .xlsx{own}.")
    read = read_workbook(path, facts, limits)
    if sum(sheet.row_count * len(sheet.columns) for sheet in read.sheets) > MAX_CELLS:
        raise NotAnnotated(
            f"{verdict.file_name} has more than {MAX_CELLS:,} cells, too many to annotate; read the report "
            "as text or as a page."
        )
    keeps_own = suffix == f".{facts.extension}"
    titles: dict[str, str] = {}
    for title in read.titles or [sheet.name for sheet in read.sheets]:
        titles[title] = title if keeps_own else inert_title(title, set(titles.values()))
    report_title = inert_title(REPORT_SHEET, set(titles.values()))
    groups = groups_of(verdict)
    places = _Places(titles, {sheet.name: sheet for sheet in read.sheets})
    comments = _comments(groups, places, report_title)
    lines = list(_report(verdict, groups, places))
    with replacing(out) as temporary:
        if suffix == ".ods":
            from ingest.report.annotated_ods import write_ods

            write_ods(path, temporary, comments, report_title, lines)
        else:
            from ingest.report.annotated_xlsx import write_xlsx

            write_xlsx(
                path if keeps_own else None, read.sheets, titles, temporary, comments, report_title, lines
            )


def _comments(groups: Sequence[Group], places: _Places, report_title: str) -> dict[Place, list[str]]:
    """Return what is said on each cell, one text a problem; of many on one cell the first ones."""
    said: dict[Place, list[str]] = {}
    for group in groups:
        for problem in group.shown:
            place = places.of(problem)
            if place is not None:
                said.setdefault(place, []).append(_comment(group, problem))
    for texts in said.values():
        more = len(texts) - _COMMENTS_PER_CELL
        if more > 0:
            texts[_COMMENTS_PER_CELL:] = [f"And {more} more: see the sheet {report_title}."]
    return said


def _comment(group: Group, problem: Problem) -> str:
    lines = [f"{group.code} {group.severity}: {group.message}"]
    if problem.found:
        lines.append(f"Found: {problem.found}.")
    if problem.expected:
        lines.append(f"Expected: {problem.expected}.")
    lines.append(f"To mend: {group.remedy}")
    return inert("\n".join(lines))


class _Places:
    """Finds the cell that a problem is about."""

    def __init__(self, titles: Mapping[str, str], sheets: Mapping[str, RawSheet]) -> None:
        self.titles = titles
        self.sheets = sheets
        self.in_order = list(titles)
        self.headers: dict[str, dict[str, str]] = {}

    def of(self, problem: Problem) -> Place | None:
        """Return the place of a problem in the copy, or None where it is in no cell.

        Without a row the column's header stands for it, without a column the first cell of the row.
        """
        name = self._sheet(problem.sheet)
        if name is None:
            return None
        letter = self._letter(name, problem)
        if letter is not None:
            return self.titles[name], f"{letter}{problem.row_number or 1}"
        # A column that is missing is told at the start of the header.
        row = problem.row_number if problem.column_name is None else None
        return self.titles[name], f"A{row or 1}"

    def _sheet(self, name: str | None) -> str | None:
        if name is None:
            return None
        numbered = _BY_NUMBER.match(name)
        if numbered:
            place = int(numbered[1]) - 1
            name = self.in_order[place] if place < len(self.in_order) else None
        return name if name in self.sheets else None

    def _letter(self, name: str, problem: Problem) -> str | None:
        if problem.column_name is None:
            return None
        if name not in self.headers:
            letters: dict[str, str] = {}
            for place, header in enumerate(self.sheets[name].header):
                letters.setdefault(header, column_letter(place))
            self.headers[name] = letters
        headers = self.headers[name]
        if problem.column_name in headers:
            return headers[problem.column_name]
        lettered = _LETTERS.match(problem.column_name)
        if lettered:
            return lettered[1]
        # A field of the cover is a row, and its entry stands beside it.
        is_field = problem.sheet == "cover" and problem.row_number is not None
        return headers.get("value") if is_field else None


def _report(verdict: Verdict, groups: Sequence[Group], places: _Places) -> Iterator[ReportLine]:
    """Yield the lines of the sheet in front: counts, what is known, then every rule with its first places."""

    def line(style: str, *cells: str | int | None, leads_to: Place | None = None) -> ReportLine:
        texts = tuple(inert(cell) if isinstance(cell, str) else cell for cell in cells)
        return ReportLine(style, texts, leads_to)

    counted = f"{plural(verdict.count('error'), 'error')}, {plural(verdict.count('warning'), 'warning')}"
    yield line("title", f"{HEADLINES[verdict.outcome]}: {counted}")
    yield line("told", next_step(verdict, is_check=True))
    yield line("told", "Comments mark the cells. Formulas stand here as the values that were read.")
    for name, value in facts_of(verdict):
        yield line("fact", name, None, value)
    for group in groups:
        yield line("told", "")
        heading = f"{group.code} {group.severity}, {plural(group.total, 'place')}: {group.message}"
        yield line("rule", heading)
        yield line("told", f"To mend: {group.remedy}")
        yield line("head", "Sheet", "Row", "Column", "Found", "Expected")
        for problem in group.shown:
            yield line(
                "place",
                problem.sheet or "the file",
                problem.row_number,
                problem.column_name,
                problem.found,
                problem.expected,
                leads_to=places.of(problem),
            )
        if group.more:
            yield line("told", f"And {group.more:,} more. By sheet and column: {group.spread}.")

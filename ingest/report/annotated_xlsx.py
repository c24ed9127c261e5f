"""Writing the annotated copy as an Excel workbook.

Belongs here: openpyxl. Does not: which cell is said what (annotated.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from ingest.readers import RawSheet
from ingest.spreadsheet_text import looks_like_formula, writable

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from ingest.report.annotated import Place, ReportLine

_AUTHOR = "Acceptance"
_WIDTHS = {"A": 18, "B": 8, "C": 26, "D": 38, "E": 52}
_LINE = 15.5
"""Height of a line of text, in points."""
_FILLS = {"head": "FFD9E2EF", "rule": "FFF1F3F5"}
_SPANS = {"title": 1, "told": 1, "rule": 1, "fact": 3}
"""Style of a line -> column from which its text runs to the last one."""


def write_xlsx(
    own: Path | None,
    sheets: Sequence[RawSheet],
    titles: Mapping[str, str],
    out: Path,
    comments: Mapping[Place, Sequence[str]],
    report_title: str,
    lines: Sequence[ReportLine],
) -> None:
    """Write the body's own workbook, or (own is None) one made of its sheets, with comments and report."""
    book = _made_of(sheets, titles) if own is None else _own_workbook(own)
    there = {sheet.title for sheet in book.worksheets}
    for (title, place), texts in comments.items():
        if title in there:
            _comment(book[title], place, texts)
    page = book.create_sheet(report_title, 0)
    book.active = 0
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = sheet is page
    _write_report(page, lines)
    book.save(out)


def _own_workbook(path: Path) -> openpyxl.Workbook:
    with path.open("rb") as stream:
        # Values, not formulas: what was judged is what stands there, and opening it runs nothing.
        book = openpyxl.load_workbook(stream, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    cell.value = None
                elif cell.data_type == "s" and looks_like_formula(str(cell.value)):
                    cell.quotePrefix = True
    return book


def _made_of(sheets: Sequence[RawSheet], titles: Mapping[str, str]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for raw in sheets:
        page = book.create_sheet(titles[raw.name])
        for place, header in enumerate(raw.header, 1):
            _put(page, 1, place, header)
        for place, cells in enumerate(raw.columns, 1):
            for number, value in zip(raw.row_numbers, cells, strict=True):
                _put(page, number, place, value)
        page.freeze_panes = "A2"
    return book


def _put(page: Worksheet, row: int, column: int, value: Any) -> None:
    """Write one cell of the body's own: a text stays the text it is, and is never taken for a formula."""
    if value == "" or value is None:
        return
    cell = page.cell(row, column)
    if isinstance(value, str):
        cell.value = writable(value)
        cell.data_type = "s"  # whatever openpyxl takes it for
        if looks_like_formula(value):
            cell.quotePrefix = True
    else:
        cell.value = value


def _comment(sheet: Worksheet, place: str, texts: Sequence[str]) -> None:
    cell: Any = sheet[place]
    if isinstance(cell, MergedCell):
        # Of merged cells the first holds value and comment.
        merged = next(cells for cells in sheet.merged_cells.ranges if cell.coordinate in cells)
        cell = sheet.cell(merged.min_row, merged.min_col)
    own = [cell.comment.text] if cell.comment is not None and cell.comment.text else []
    text = writable("\n\n".join([*own, *texts]))
    lines = sum(1 + len(line) // 60 for line in text.splitlines())
    cell.comment = Comment(text, _AUTHOR, height=min(40 + 17 * lines, 500), width=420)


def _write_report(page: Worksheet, lines: Sequence[ReportLine]) -> None:
    page.sheet_properties.tabColor = "FF6F0F1C"
    page.sheet_view.showGridLines = False
    for letter, width in _WIDTHS.items():
        page.column_dimensions[letter].width = width
    for row, line in enumerate(lines, 1):
        size = 15 if line.style == "title" else 11
        fill = _FILLS.get(line.style)
        for column in range(1, len(_WIDTHS) + 1):
            cell = page.cell(row, column)
            if column <= len(line.cells):
                cell.value = line.cells[column - 1]
            cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
            cell.font = Font(bold=line.style in ("title", "rule", "head"), size=size)
            if fill:
                cell.fill = PatternFill("solid", fgColor=fill)
        span = _SPANS.get(line.style)
        if span is not None:
            page.merge_cells(start_row=row, end_row=row, start_column=span, end_column=len(_WIDTHS))
            # A row of merged cells does not find its own height.
            wide = sum(list(_WIDTHS.values())[span - 1 :]) * 11 / size
            length = len(str(line.cells[span - 1]))
            page.row_dimensions[row].height = _LINE * size / 11 * (1 + length // wide)
        elif line.style == "place":
            # Not every program finds the height of wrapped text by itself.
            cells = zip(_WIDTHS.values(), line.cells, strict=True)
            needed = (len(wrap(str(cell or ""), width)) for width, cell in cells)
            page.row_dimensions[row].height = _LINE * max(1, *needed)
        if line.leads_to is not None:
            title, place = line.leads_to
            cell = page.cell(row, 1)
            quoted = title.replace("'", "''")
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{quoted}'!{place}")
            cell.font = Font(underline="single", color="FF1D4F91")
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)

"""Sheets as header and rows of cells, with the row numbers a person sees in a spreadsheet."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import chain, zip_longest
from pathlib import Path

from ingest.limits import Limits
from ingest.readers.facts import FileFacts

Cell = str | float | int | bool | date | datetime | time | timedelta
"""A blank cell is the empty string. A zip of CSVs holds strings only; a workbook holds numbers as floats."""


@dataclass(frozen=True)
class Fault:
    """Why a file, or a part of it, cannot be read. `found` never quotes content."""

    reason: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    found: str = ""
    expected: str = ""


class Unreadable(Exception):
    """A file cannot be read to its end. Carries the fault, and the titles of the sheets where known."""

    def __init__(self, fault: Fault, titles: Sequence[str] = ()) -> None:
        """Raise with the fault."""
        super().__init__(f"{fault.reason}: {fault.found}")
        self.fault = fault
        self.titles = tuple(titles)


@dataclass
class RawSheet:
    """One sheet: row 1 is the header; wholly blank rows are left out, and the row numbers tell so."""

    name: str
    header: list[str]
    columns: list[Sequence[Cell]]
    row_numbers: list[int]
    holds_booleans: bool = False

    @property
    def row_count(self) -> int:
        """Number of rows that are not wholly blank, the header not counted."""
        return len(self.row_numbers)


@dataclass
class Workbook:
    """All sheets of one file. `loose_text` is text outside cells (comments), as (where it stands, text)."""

    sheets: list[RawSheet]
    loose_text: list[tuple[str, str]] = field(default_factory=list)
    error_cells: list[Fault] = field(default_factory=list)
    formula_counts: dict[str, int] = field(default_factory=dict)
    outside_references: list[Fault] = field(default_factory=list)
    """References to other files, programs and sources of data. None was followed."""
    unvalued_formulas: list[Fault] = field(default_factory=list)
    """Formulas whose value the file does not hold; their cells are read as blank."""
    shown_otherwise: list[Fault] = field(default_factory=list)
    """Cells that show another number than they hold: 1 as 100%, 12000 as 12, or nothing at all."""
    concealed: list[Fault] = field(default_factory=list)
    """Sheets, rows and columns with values that are read and not shown, and merged cells."""
    titles: tuple[str, ...] = ()
    """Titles of all sheets in the order of the file, those that are not read included."""

    def sheet(self, name: str) -> RawSheet | None:
        """Return a sheet by its exact name, or None."""
        return next((sheet for sheet in self.sheets if sheet.name == name), None)


def column_letter(index: int) -> str:
    """Return the letters a spreadsheet shows for a column, from index 0: A, B, ... Z, AA."""
    letters = ""
    index += 1
    while index:
        index, place = divmod(index - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def column_index(letters: str) -> int:
    """Return the index from 0 of a column by the letters that a spreadsheet shows: A is 0, AA is 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def read_workbook(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every sheet of an inspected file. Raises Unreadable; the caller has judged the facts already."""
    try:
        if facts.is_opendocument:
            from ingest.readers.ods import read_ods

            workbook = read_ods(path, facts, limits)
        elif facts.is_excel:
            from ingest.readers.xlsx import read_xlsx

            workbook = read_xlsx(path, facts, limits)
        else:
            from ingest.readers.csv_zip import read_csv_zip

            workbook = read_csv_zip(path, facts, limits)
    except (Unreadable, MemoryError, ImportError, NameError):
        raise  # the last two are faults of this program, never of the file
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk or the machine; a damaged directory makes zipfile seek to nowhere (EINVAL)
        raise Unreadable(
            Fault("corrupt", found=f"a part that cannot be unpacked ({type(error).__name__})")
        ) from error
    if len(workbook.sheets) > limits.sheets:
        raise Unreadable(
            Fault("too_large", found=f"{len(workbook.sheets)} sheets", expected=f"at most {limits.sheets}")
        )
    return workbook


def make_sheet(name: str, rows: Sequence[Sequence[Cell]], limits: Limits) -> RawSheet:
    """Turn rows (the header first) into a sheet of columns. Raises Unreadable when a limit is passed."""
    if not rows:
        return RawSheet(name, [], [], [])
    width = max(map(len, rows))
    if len(rows) > limits.rows:
        raise Unreadable(
            Fault("too_large", name, found=f"{len(rows)} rows", expected=f"at most {limits.rows} rows")
        )
    if width > limits.columns:
        raise Unreadable(
            Fault("too_large", name, found=f"{width} columns", expected=f"at most {limits.columns} columns")
        )
    if width * len(rows) > limits.cells:
        raise Unreadable(
            Fault(
                "too_large",
                name,
                found=f"{width * len(rows)} cells",
                expected=f"at most {limits.cells} cells",
            )
        )
    body: list[Sequence[Cell]] = []
    numbers: list[int] = []
    for number, row in enumerate(rows[1:], 2):
        if row.count("") != len(row):
            body.append(row)
            numbers.append(number)
    columns: list[Sequence[Cell]]
    if not body:
        columns = [()] * width
    elif min(map(len, body)) == width:
        columns = list(zip(*body, strict=True))
    else:
        columns = list(zip_longest(*body, fillvalue=""))
        columns += [("",) * len(body)] * (width - len(columns))
    header = [_header_text(cell) for cell in rows[0]] + [""] * (width - len(rows[0]))
    sheet = RawSheet(name, header, columns, numbers)
    _check_cell_length(sheet, limits)
    return sheet


def _header_text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else str(cell)


def _check_cell_length(sheet: RawSheet, limits: Limits) -> None:
    for place, cells in enumerate(chain([sheet.header], sheet.columns)):
        if any(type(cell) is str and len(cell) > limits.cell_characters for cell in set(cells)):
            in_header = place == 0
            row = next(i for i, c in enumerate(cells) if type(c) is str and len(c) > limits.cell_characters)
            raise Unreadable(
                Fault(
                    "too_large",
                    sheet.name,
                    1 if in_header else sheet.row_numbers[row],
                    column_letter(row if in_header else place - 1),
                    f"a cell of {len(str(cells[row]))} characters",
                    f"at most {limits.cell_characters} characters",
                )
            )

"""Cells become typed columns, as the form says; cells that do not fit are listed, never mended.

Belongs here: the meaning of each column type. Does not: whether an unfit cell matters (ingest/acceptance).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ingest.form import Column, Form, Sheet
from ingest.period import Period
from ingest.readers.workbook import Cell, RawSheet, Workbook, column_letter
from ingest.reference import Reference

MAX_COUNT = 10**12
_MEMO_SIZE = 50_000
# 12.0 is how a program writes 12; 1.000 may be a thousand elsewhere, and is not taken for 1.
_WHOLE = re.compile(r"\d+(?:\.00?)?\Z", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_NEGATIVE = re.compile(r"[-\u2212]\s*\d+(?:\.\d+)?\Z", re.ASCII)
_SIGNED = re.compile(r"-?\d+(?:\.\d+)?\Z", re.ASCII)
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_YEARS = range(1990, 2101)


class Unfit:
    """A cell that does not fit its column. reason: type, code, negative, fraction or percentage."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        """Note why a cell does not fit."""
        self.reason = reason


_TYPE, _CODE, _NEGATIVE_NUMBER = Unfit("type"), Unfit("code"), Unfit("negative")
_FRACTION, _PERCENTAGE = Unfit("fraction"), Unfit("percentage")


@dataclass(frozen=True)
class UnfitCell:
    """Where a cell does not fit, why, and what stands there."""

    index: int
    column: Column
    reason: str
    raw: Cell


@dataclass
class Table:
    """One sheet of a return, typed. Every form column is there; a blank or unfit cell is None."""

    sheet: Sheet
    row_numbers: list[int]
    columns: dict[str, Sequence[Any]]
    unfit: list[UnfitCell] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    extra_columns: list[tuple[str, str]] = field(default_factory=list)
    """Letter and header of columns the form does not know."""
    repeated_columns: list[tuple[str, str]] = field(default_factory=list)
    unnamed_cells: list[tuple[int, str]] = field(default_factory=list)
    """Row number and letter of filled cells without a header."""
    field_rows: dict[str, int] = field(default_factory=dict)
    """Layout fields only: the row number of each field."""

    @property
    def row_count(self) -> int:
        """Number of rows that are not wholly blank."""
        return len(self.row_numbers)

    @cached_property
    def unfit_places(self) -> frozenset[tuple[int, str]]:
        """Row index and column name of the unfit cells."""
        return frozenset((cell.index, cell.column.name) for cell in self.unfit)

    def __getitem__(self, column: str) -> Sequence[Any]:
        """Return the typed cells of a column."""
        return self.columns[column]


def is_blank(cell: Cell | None) -> bool:
    """Say whether nothing can be seen in a cell."""
    return cell is None or (type(cell) is str and not cell.strip())


# --- what each type accepts --------------------------------------------------------------------------------


def _count(cell: Cell) -> int | Unfit:
    if type(cell) is str:
        text = cell.strip()
        if _WHOLE.match(text):
            number = int(text.partition(".")[0])
            return number if number <= MAX_COUNT else _TYPE
        if "%" in text:
            return _PERCENTAGE
        if _NEGATIVE.match(text):
            return _NEGATIVE_NUMBER
        return _FRACTION if _NUMBER.match(text) else _TYPE
    if type(cell) is float or type(cell) is int:
        if cell < 0:
            return _NEGATIVE_NUMBER
        if cell != cell or cell > MAX_COUNT:
            return _TYPE
        return int(cell) if cell == int(cell) else _FRACTION
    return _TYPE


def _decimal(cell: Cell) -> float | Unfit:
    """Read a number above 0."""
    if type(cell) is str:
        text = cell.strip()
        if _NEGATIVE.match(text):
            return _NEGATIVE_NUMBER
        number = float(text) if _NUMBER.match(text) else None
    elif type(cell) is float or type(cell) is int:
        number = float(cell)
    else:
        number = None
    if number is None or number != number or number == 0 or number > MAX_COUNT:
        return _TYPE
    return number if number > 0 else _NEGATIVE_NUMBER


def _number(cell: Cell) -> float | Unfit:
    """Read a number of any sign."""
    if type(cell) is str:
        text = cell.strip().replace("\u2212", "-")
        number = float(text) if _SIGNED.match(text) else None
    elif type(cell) is float or type(cell) is int:
        number = float(cell)
    else:
        number = None
    return _TYPE if number is None or number != number or abs(number) > MAX_COUNT else number


def _flag(cell: Cell) -> bool | Unfit:
    """Read yes or no, or the TRUE and FALSE of a spreadsheet (which come as text: see _typed_column)."""
    known = _FLAGS.get(cell.strip().lower()) if type(cell) is str else None
    return _TYPE if known is None else known


def _grade(cell: Cell) -> int | Unfit:
    number = _count(cell)
    return number if isinstance(number, Unfit) or number <= 3 else _TYPE


def _date(cell: Cell) -> date | Unfit:
    if type(cell) is date:
        day = cell
    elif type(cell) is datetime:
        if cell.time() != datetime.min.time():
            return _TYPE
        day = cell.date()
    elif type(cell) is str and _DAY.match(cell.strip()):
        try:
            day = date.fromisoformat(cell.strip())
        except ValueError:
            return _TYPE
    else:
        return _TYPE
    return day if day.year in _YEARS else _TYPE


def _string(cell: Cell) -> str | Unfit:
    # A spreadsheet keeps 30% as 0.3 and 100% as 1: only a text cell still holds what was printed.
    return cell if type(cell) is str else _TYPE


def _text(cell: Cell) -> str | Unfit:
    if type(cell) is str:
        return cell
    if type(cell) is float or type(cell) is int:
        is_whole = cell == cell and abs(cell) <= MAX_COUNT and cell == int(cell)
        return str(int(cell)) if is_whole else _TYPE
    return _TYPE


_PARSERS: Mapping[str, Callable[[Cell], Any]] = {
    "count": _count,
    "decimal": _decimal,
    "number": _number,
    "flag": _flag,
    "grade": _grade,
    "date": _date,
    "string": _string,
    "text": _text,
}


class _Memo(dict[Any, Any]):
    """Cell -> typed value, worked out once a value. Shared by all returns a process judges."""

    def __init__(self, parse: Callable[[Cell], Any]) -> None:
        super().__init__()
        self.parse = parse

    def __missing__(self, cell: Cell) -> Any:
        value = None if is_blank(cell) else self.parse(cell)
        if len(self) < _MEMO_SIZE:
            self[cell] = value
        return value


_memos: dict[str, _Memo] = {}


def _memo(type_: str) -> _Memo:
    if type_ not in _memos:
        _memos[type_] = _Memo(_PARSERS[type_])
    return _memos[type_]


def is_period(code: str) -> bool:
    """Say whether a text is a period_code."""
    try:
        Period.parse(code)
    except ValueError:
        return False
    return True


def allowed_codes(column: Column, reference: Reference) -> frozenset[str]:
    """Return the codes a column accepts, whatever their dates. Empty for periods, which are not a list."""
    if column.codes_from is None:
        return frozenset(column.codes + column.also)
    if column.codes_from == "periods":
        return frozenset()
    codes = reference.codes(column.codes_from)
    return codes.union(column.also) if column.also else codes


def _typed_codes(
    cells: Sequence[Cell], distinct: set[Cell], column: Column, reference: Reference
) -> dict[Any, Any]:
    codes = allowed_codes(column, reference)
    known: dict[Any, Any] = {}
    for cell in distinct:
        text = _text(cell)
        if is_blank(cell):
            known[cell] = None
        elif isinstance(text, Unfit):
            known[cell] = _TYPE
        elif text in codes or (column.codes_from == "periods" and is_period(text)):
            known[cell] = text
        else:
            known[cell] = _CODE
    return known


def _typed_column(
    cells: Sequence[Cell], column: Column, reference: Reference, *, mixed: bool
) -> tuple[Sequence[Any], list[UnfitCell]]:
    """Type one column. `mixed`: the sheet holds TRUE or FALSE, which equal 1 and 0 as dictionary keys."""
    if mixed:
        cells = [str(cell).upper() if type(cell) is bool else cell for cell in cells]
    distinct = set(cells)
    if distinct == {""}:
        return [None] * len(cells), []
    values: Mapping[Any, Any]
    if column.type == "code":
        values = _typed_codes(cells, distinct, column, reference)
    else:
        memo = _memo(column.type)
        values = {cell: memo[cell] for cell in distinct}
    if all(value is cell for cell, value in values.items()):
        return cells, []
    typed = [values[cell] for cell in cells]
    if not any(type(value) is Unfit for value in values.values()):
        return typed, []
    unfit = []
    for index, value in enumerate(typed):
        if type(value) is Unfit:
            unfit.append(UnfitCell(index, column, value.reason, cells[index]))
            typed[index] = None
    return typed, unfit


def type_sheet(sheet: Sheet, raw: RawSheet, reference: Reference) -> Table:
    """Type one sheet of a return as the form says. Never raises for content."""
    if sheet.layout == "fields":
        return _type_fields(sheet, raw, reference)
    table = Table(sheet, raw.row_numbers, {})
    places: dict[str, int] = {}
    for place, header in enumerate(raw.header):
        letter = column_letter(place)
        if is_blank(header):
            filled = [
                number
                for number, cell in zip(raw.row_numbers, raw.columns[place], strict=True)
                if not is_blank(cell)
            ]
            table.unnamed_cells += [(number, letter) for number in filled]
        elif header in places:
            table.repeated_columns.append((letter, header))
        else:
            places[header] = place
            if not sheet.has(header):
                table.extra_columns.append((letter, header))
    for column in sheet.columns:
        if column.name not in places:
            table.missing_columns.append(column.name)
            table.columns[column.name] = [None] * raw.row_count
            continue
        typed, unfit = _typed_column(
            raw.columns[places[column.name]], column, reference, mixed=raw.holds_booleans
        )
        table.columns[column.name] = typed
        table.unfit += unfit
    return table


def _type_fields(sheet: Sheet, raw: RawSheet, reference: Reference) -> Table:
    """Type a sheet of fields as one row, whose row number is 1."""
    table = Table(sheet, [1], {})
    for name in ("field", "value"):
        if name not in raw.header:
            table.missing_columns.append(name)
    if table.missing_columns:
        table.columns = {column.name: [None] for column in sheet.columns}
        return table
    names = raw.columns[raw.header.index("field")]
    values = raw.columns[raw.header.index("value")]
    found: dict[str, Cell] = {}
    for number, named, value in zip(raw.row_numbers, names, values, strict=True):
        if is_blank(named):
            if not is_blank(value):
                table.unnamed_cells.append((number, column_letter(raw.header.index("value"))))
        elif not isinstance(named, str) or not sheet.has(named):
            table.extra_columns.append((str(number), str(named)))
        elif named in found:
            table.repeated_columns.append((str(number), named))
        else:
            found[named] = value
            table.field_rows[named] = number
    for column in sheet.columns:
        if column.name not in found:
            table.columns[column.name] = [None]
            continue
        typed, unfit = _typed_column((found[column.name],), column, reference, mixed=raw.holds_booleans)
        table.columns[column.name] = typed
        table.unfit += unfit
    return table


def type_workbook(form: Form, workbook: Workbook, reference: Reference) -> dict[str, Table]:
    """Type every sheet of the form that the workbook has, by sheet name.

    Where the cover declares a sheet empty and nothing was entered beside what the template had filled in, the
    sheet's rows are blank rows, and are left out as such.
    """
    tables: dict[str, Table] = {}
    for sheet in form.sheets:
        raw = workbook.sheet(sheet.name)
        if raw is not None:
            if _is_declared_nil(sheet, tables.get("cover")) and _has_no_entry(sheet, raw):
                raw = RawSheet(raw.name, raw.header, [()] * len(raw.columns), [], raw.holds_booleans)
            tables[sheet.name] = type_sheet(sheet, raw, reference)
    return tables


def _is_declared_nil(sheet: Sheet, cover: Table | None) -> bool:
    return (
        cover is not None
        and sheet.nil_reason is not None
        and sheet.nil_reason in cover.columns
        and cover[sheet.nil_reason][0] is not None
    )


def _has_no_entry(sheet: Sheet, raw: RawSheet) -> bool:
    """Say whether every cell outside the columns that a template fills in is blank."""
    return bool(sheet.prefilled) and all(
        header in sheet.prefilled or all(is_blank(cell) for cell in set(cells))
        for header, cells in zip(raw.header, raw.columns, strict=True)
    )

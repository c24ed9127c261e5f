"""Tables of a document as one accessible ODS workbook, by the writer that releases use too.

Belongs here: rows with shown and hidden figures as sheets. Does not belong here: how a cell becomes XML
(`reports.release.ods`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reports.components.text import neutral
from reports.engine.rows import Cell, Row, Rows
from reports.files import neutralised
from reports.release.ods import ods_bytes
from reports.release.spreadsheets import (
    LONGEST_SHEET_NAME,
    LONGEST_TEXT,
    SHORTHAND,
    Kind,
    Line,
    Link,
    Sheet,
    SheetColumn,
    Value,
    Workbook,
)

_MOST_WIDE, _LEAST_WIDE = 46, 9
_CONTENTS = "Contents"
#: Format of a page's table -> what the cells of its column are in a spreadsheet.
_KINDS: Mapping[str, Kind] = {
    "text": "text",
    "count": "count",
    "percent": "number",
    "percent1": "number",
    "points": "number",
    "number": "number",
    "date": "date",
    "month": "text",
}


@dataclass(frozen=True)
class OdsTable:
    """One table: the name of its sheet, its title, its rows, and its columns as `data_table` takes them.

    `columns` are (column, heading, format); shares of one (`percent1`) become numbers of percent, as the
    heading should say. `note` stands above the table.
    """

    name: str
    title: str
    rows: Rows | Sequence[Row]
    columns: Sequence[tuple[str, str, str]]
    note: str = ""


def ods_of(
    title: str,
    tables: Iterable[OdsTable],
    *,
    lines: Sequence[str] = (),
    dated: dt.date = dt.date(2000, 1, 1),
    subject: str = "",
) -> bytes:
    """The tables as the bytes of an ODS file: a sheet of contents, then one sheet a table, in order.

    `lines` stand on the first sheet under the title (the marking, what the document was made of). `dated` is
    written into the file's properties, so that the same tables give the same bytes. No cell is a formula: a
    text that a spreadsheet might run has an apostrophe before it. A table without rows is named in the
    contents and has no sheet. Raises ValueError for a format that does not exist, and for a text longer than
    a cell holds.
    """
    listed = list(tables)
    names = _names([table.name for table in listed])
    shown = [(name, table) for name, table in zip(names, listed, strict=True) if len(table.rows)]
    contents = Sheet(
        _CONTENTS,
        (
            Line(_text(title), "title"),
            *(Line(_text(line)) for line in lines),
            *(Line(f"{mark} {meaning}") for mark, meaning in SHORTHAND.items()),
        ),
        "table_of_contents",
        (
            SheetColumn("Sheet", "text", 34, is_wrapped=True),
            SheetColumn("Title", "text", 60, is_wrapped=True),
            SheetColumn("Rows", "count", 12),
        ),
        tuple(
            (
                Link(name) if len(table.rows) else "no sheet: nothing to list",
                _text(table.title),
                len(table.rows),
            )
            for name, table in zip(names, listed, strict=True)
        ),
    )
    return ods_bytes(
        Workbook(
            title=neutral(title),
            subject=neutral(subject or title),
            publisher="Ministry of Justice",
            description="Tables of a document; management information, definitions provisional.",
            keywords=(),
            created=dated,
            sheets=(contents, *(_sheet(name, table) for name, table in shown)),
        )
    )


def _sheet(name: str, table: OdsTable) -> Sheet:
    kinds: list[Kind] = []
    for column, _, format in table.columns:
        if format not in _KINDS:
            raise ValueError(
                f"Table {table.name}, column {column}: there is no format {format!r};"
                f" the formats are {', '.join(_KINDS)}."
            )
        kinds.append(_KINDS[format])
    rows = tuple(
        tuple(
            _value(row[column], kind, format)
            for (column, _, format), kind in zip(table.columns, kinds, strict=True)
        )
        for row in table.rows
    )
    columns = tuple(
        _column(heading, kind, [row[place] for row in rows])
        for place, ((_, heading, _), kind) in enumerate(zip(table.columns, kinds, strict=True))
    )
    lines = [Line(_text(table.title), "title")]
    if table.note:
        lines.append(Line(_text(table.note)))
    lines.append(Line("Back to the contents", sheet=_CONTENTS))
    return Sheet(name, tuple(lines), name, columns, rows)


def _value(cell: Cell, kind: Kind, format: str) -> Value:
    value: Value | Decimal = cell.value
    if kind == "text":
        return _text(cell.shown(None if format == "text" else format))
    if value is None:
        return cell.shown(format) or ("[x]" if kind != "date" else None)
    if kind == "date":
        if isinstance(value, dt.datetime):
            return value.date()
        return value if isinstance(value, dt.date) else _text(str(value))
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text(str(value))
    if format == "percent1":
        return round(100 * value, 1)
    return round(value, 4) if isinstance(value, float) else value


def _column(heading: str, kind: Kind, values: Sequence[Value]) -> SheetColumn:
    if kind == "date":
        return SheetColumn(heading, kind, 13)
    longest = max((len(str(value)) for value in values if value is not None), default=0)
    word = max((len(word) for word in heading.split()), default=0)
    width = min(max(word + 4, longest + 2, _LEAST_WIDE), _MOST_WIDE)
    return SheetColumn(heading, kind, width, is_wrapped=kind == "text" and longest > _MOST_WIDE)


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT - 1:
        raise ValueError(
            f"A text has {len(text)} characters; a cell holds no more than {LONGEST_TEXT}. Shorten it."
        )
    return neutralised(neutral(text))


def _names(wanted: Sequence[str]) -> list[str]:
    """Names of sheets: letters, digits and underscores, short enough, none twice."""
    taken, names = {_CONTENTS.lower()}, []
    for name in wanted:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII) or "table"
        found, number = plain[:LONGEST_SHEET_NAME], 1
        while found.lower() in taken:
            number += 1
            ending = f"_{number}"
            found = plain[: LONGEST_SHEET_NAME - len(ending)] + ending
        taken.add(found.lower())
        names.append(found)
    return names

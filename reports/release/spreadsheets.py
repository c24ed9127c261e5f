"""One accessible workbook of a release, as XLSX and as ODS: cover, contents, notes, columns, a sheet a table.

Belongs here: what stands in which cell, once for both kinds of file, and how wide a column is. Does not
belong here: how a cell becomes XML (`xlsx`, `ods`), and figures other than those of the CSV files.

Follows "Releasing statistics in spreadsheets" of the Government Analysis Function: every sheet starts in A1
with its title, holds one marked table with one header row and no merged or hidden cell, and leaves no number
cell empty: shorthand in square brackets says why there is no number, the sheet Notes what it means.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from textwrap import wrap
from typing import Any, Literal

from reports.release.publication import Publication, PublicTable
from reports.release.publisher import publisher

#: What both programs can open: Excel's limits are the narrower ones.
MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
LONGEST_SHEET_NAME = 31
LONGEST_TEXT = 32_767

COVER, CONTENTS, NOTES, COLUMNS = "Cover", "Contents", "Notes", "Columns"

#: Shorthand of the Analysis Function; the letters are those of `obs_status`.
SHORTHAND: Mapping[str, str] = {
    "[c]": "Confidential: withheld, so that nobody can be identified. It does not say whether the figure"
    " itself is small or another one would give it away.",
    "[x]": "Not available: the figure was not collected, or not counted alike everywhere, or no rate can be"
    " made from it.",
    "[z]": "Not applicable: there can be no such figure in this row, such as a rate where the metric is a"
    " count.",
    "[w]": "Not submitted: the figure was due and had not come in, or not from every sender. It is neither a"
    " zero nor a pass.",
}
_OTHER_NOTES: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("p", "Provisional (column Obs note): the figure may be revised in a scheduled release.", ("obs_note",)),
    ("r", "Revised (column Obs note): the figure differs from the one first published.", ("obs_note",)),
    (
        "Blank cell",
        "Only columns of text, of dates, and of yes or no have blank cells: there is nothing to say.",
        (),
    ),
    (
        "Counts",
        "Rounded to the nearest 5. A count of 0 to 7 is withheld, so parts may not add up to totals.",
        ("case_count", "valid_answer_count", "base_count", "reported_count"),
    ),
    (
        "Rate percent",
        "Worked out from the rounded counts: a whole per cent, or to the nearest 10 where Rate is about says"
        " TRUE.",
        ("rate_percent",),
    ),
    (
        "Rate band",
        "Where the rate itself is withheld: the range that it lies in, such as 90% and over.",
        ("rate_band",),
    ),
    (
        "Rate lower and upper percent",
        "A range of 95% confidence, worked out from the rounded counts and rounded outwards.",
        ("rate_lower_percent", "rate_upper_percent"),
    ),
)

_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE"}
_MOST_WIDE, _LEAST_WIDE = 46, 9
# what fits on the width of a page
_COVER_WIDTH = 76
#: Tables longer than this have buttons to filter them by.
_FILTERED_FROM = 20

Kind = Literal["text", "count", "integer", "number", "date", "boolean"]
Value = str | int | float | bool | dt.date | None


@dataclass(frozen=True)
class Line:
    """One line above or instead of a table. `sheet` or `address` makes it a link; at most one is set."""

    text: str
    role: Literal["title", "heading", "text"] = "text"
    sheet: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Link:
    """A cell that leads to the top of another sheet."""

    sheet: str

    @property
    def text(self) -> str:
        """What the cell shows: the sheet's name."""
        return self.sheet


@dataclass(frozen=True)
class SheetColumn:
    """One column of a table: its heading, what its cells hold, and its width in characters."""

    heading: str
    kind: Kind
    width: int
    is_wrapped: bool = False

    @property
    def is_number(self) -> bool:
        """Does the column hold numbers, and shorthand where there is none?"""
        return self.kind in ("count", "integer", "number")


@dataclass(frozen=True)
class Sheet:
    """One sheet: lines from A1 downwards and, straight beneath, at most one table.

    `table_name` marks the table for assistive technology. A number cell that holds text holds shorthand.
    """

    name: str
    lines: tuple[Line, ...]
    table_name: str = ""
    columns: tuple[SheetColumn, ...] = ()
    rows: tuple[tuple[Value | Link, ...], ...] = ()
    width: int = _COVER_WIDTH

    @property
    def header_row(self) -> int:
        """The row of the table's header, counted from 0."""
        return len(self.lines)

    def lines_high(self, row: Sequence[Value | Link]) -> int:
        """Lines of text that a row of the table needs."""
        texts = ((row[place], width) for place, width in self._wrapped)
        return max((lines_needed(text, width) for text, width in texts if isinstance(text, str)), default=1)

    @cached_property
    def _wrapped(self) -> tuple[tuple[int, int], ...]:
        """Place and width of the columns whose text is wrapped."""
        return tuple((place, column.width) for place, column in enumerate(self.columns) if column.is_wrapped)

    @property
    def header_lines_high(self) -> int:
        """Lines of text that the header needs, with room for the buttons of a filter."""
        return max((lines_needed(column.heading, column.width - 3) for column in self.columns), default=1)

    @property
    def has_filter(self) -> bool:
        """Is the table long enough for buttons to filter it by?"""
        return len(self.rows) >= _FILTERED_FROM


@cache
def lines_needed(text: str, width: int) -> int:
    """Lines that a text takes in a cell so many characters wide."""
    return max(1, len(wrap(text, max(width * 19 // 20, 1))))


@dataclass(frozen=True)
class Workbook:
    """The whole workbook and what its properties say. `created` dates the file, whenever it is made."""

    title: str
    subject: str
    publisher: str
    description: str
    keywords: tuple[str, ...]
    created: dt.date
    sheets: tuple[Sheet, ...]
    language: str = "en-GB"


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The workbook of a publication as XLSX and as ODS: {file name: content}. Same rows, same bytes."""
    from reports.release.ods import ods_bytes
    from reports.release.xlsx import xlsx_bytes

    book = workbook(publication)
    stem = f"{publisher().name}-{publication.period_code.lower()}"
    return {f"{stem}.xlsx": xlsx_bytes(book), f"{stem}.ods": ods_bytes(book)}


def workbook(publication: Publication) -> Workbook:
    """What the workbook of a publication holds, sheet by sheet.

    A table without rows has no sheet; the contents say so. Raises ValueError for a table that Excel cannot
    open: too many rows or columns, or too long a text.
    """
    facts = publisher()
    tables = (*publication.tables, *publication.references)
    names = _sheet_names(tables)
    shown = [table for table in tables if table.rows]
    notes, columns = _notes(shown), _columns(shown, names)
    return Workbook(
        title=facts.full_title(publication),
        subject=f"{publication.period_label}, version {publication.version}",
        publisher=facts.organisation.name,
        description=facts.description,
        keywords=facts.keywords,
        created=publication.issued_on,
        sheets=(
            _cover(publication),
            _contents(tables, names, (notes, columns)),
            notes,
            columns,
            *(_table_sheet(table, names[table.name]) for table in shown),
        ),
    )


def heading(column_name: str) -> str:
    """A column's name as its heading: `case_count` becomes `Case count`."""
    words = column_name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def shorthand(row: Mapping[str, Any], column_name: str) -> str:
    """What stands in a number cell without a number: [c], [x], [z] or [w]."""
    unit = row.get("unit")
    if unit == "proportion" and column_name == "reported_count":
        return "[z]"
    if unit == "count" and column_name != "reported_count":
        return "[z]"
    if "obs_status" not in row:
        return "[x]"
    marked = f"[{row['obs_status']}]"
    return marked if marked in SHORTHAND else "[z]"


# --- the sheets


def _cover(publication: Publication) -> Sheet:
    facts = publisher()
    lines = [
        Line(facts.full_title(publication), "title"),
        Line(facts.summary),
        Line("Status", "heading"),
        Line(facts.description),
        Line(f"The figures of this version are {publication.status}."),
        Line("Publication", "heading"),
        Line(f"Published on {_day(publication.issued_on)}, version {publication.version}."),
    ]
    if publication.previous:
        lines.append(Line(f"It replaces version {publication.previous}. {publication.reason or ''}".strip()))
    lines += [
        Line(f"Period: {_day(publication.first_day)} to {_day(publication.last_day)}."),
        *(
            [Line(f"Feedback and breakdowns: {_day(start)} to {_day(publication.last_day)}.")]
            if (start := publication.year_first_day)
            else []
        ),
        Line("Coverage: England and Wales, with British Transport Police and Ministry of Defence Police."),
        Line("How to read this workbook", "heading"),
        Line("Contents: every table, with links", sheet=CONTENTS),
        Line("Notes: what the shorthand in the tables means", sheet=NOTES),
        Line("Columns: what each column of each table means", sheet=COLUMNS),
        Line(
            "The same figures are published as CSV and Parquet files, in which a cell without a number is"
            " empty."
        ),
        Line("Contact", "heading"),
        Line(f"{facts.contact_name}, {facts.contact_email}", address=f"mailto:{facts.contact_email}"),
        Line("All versions of this release", address=facts.landing_page),
        Line("Licence", "heading"),
        Line(facts.licence_title, address=facts.licence_uri),
    ]
    return Sheet(COVER, tuple(lines))


def _contents(
    tables: Sequence[PublicTable], names: Mapping[str, str], explaining: tuple[Sheet, Sheet]
) -> Sheet:
    notes, columns_sheet = explaining
    rows: list[tuple[Value | Link, ...]] = [
        (Link(NOTES), "Notes", "What the shorthand in the tables means.", len(notes.rows)),
        (Link(COLUMNS), "Columns", "What each column of each table means.", len(columns_sheet.rows)),
    ]
    for table in tables:
        sheet = Link(names[table.name]) if table.rows else "no sheet: no rows in this period"
        rows.append((sheet, table.title, table.description, len(table.rows)))
    columns = (
        SheetColumn("Sheet", "text", 34, is_wrapped=True),
        SheetColumn("Title", "text", 44, is_wrapped=True),
        SheetColumn("What it holds", "text", 80, is_wrapped=True),
        SheetColumn("Rows", "count", 12),
    )
    lines = (Line("Contents", "title"), _ONE_TABLE)
    return Sheet(CONTENTS, lines, "table_of_contents", columns, tuple(rows))


def _notes(tables: Sequence[PublicTable]) -> Sheet:
    present = {name for table in tables for name in table.column_names}
    rows = [(mark, meaning) for mark, meaning in SHORTHAND.items()]
    rows += [
        (mark, meaning) for mark, meaning, needs in _OTHER_NOTES if not needs or present.intersection(needs)
    ]
    columns = (
        SheetColumn("Mark or column", "text", 32, is_wrapped=True),
        SheetColumn("Meaning", "text", 100, is_wrapped=True),
    )
    return Sheet(NOTES, (Line("Notes", "title"), _ONE_TABLE, _BACK), "notes", columns, tuple(rows))


def _columns(tables: Sequence[PublicTable], names: Mapping[str, str]) -> Sheet:
    rows = [
        (names[table.name], heading(column.name), column.name, column.description)
        for table in tables
        for column in table.columns
    ]
    columns = (
        SheetColumn("Sheet", "text", _width("Sheet", (row[0] for row in rows))),
        SheetColumn("Heading", "text", _width("Heading", (row[1] for row in rows))),
        SheetColumn("Name in the CSV file", "text", _width("Name in the CSV file", (row[2] for row in rows))),
        SheetColumn("Meaning", "text", 90, is_wrapped=True),
    )
    return Sheet(COLUMNS, (Line("Columns", "title"), _ONE_TABLE, _BACK), "columns", columns, tuple(rows))


def _table_sheet(table: PublicTable, name: str) -> Sheet:
    if len(table.rows) + 5 > MOST_ROWS or len(table.columns) > MOST_COLUMNS:
        raise ValueError(
            f"Table {table.name} has {len(table.rows)} rows and {len(table.columns)} columns; a sheet of"
            f" Excel holds {MOST_ROWS} and {MOST_COLUMNS}. Release a shorter period, or split the table."
        )
    kinds = [_kind(column.name, column.data_type) for column in table.columns]
    numeric = [
        (place, column.name)
        for place, (column, kind) in enumerate(zip(table.columns, kinds, strict=True))
        if kind in ("count", "integer", "number")
    ]
    rows: list[tuple[Value | Link, ...]] = []
    for row in table.rows:
        cells = list(row)
        empty = [(place, column) for place, column in numeric if cells[place] is None]
        if empty:
            named = dict(zip(table.column_names, row, strict=True))
            for place, column in empty:
                cells[place] = shorthand(named, column)
        rows.append(tuple(cells))
    for place, name_of_column in enumerate(table.column_names):
        if kinds[place] == "text" and any(len(row[place] or "") > LONGEST_TEXT for row in table.rows):
            raise ValueError(
                f"Table {table.name} has a text of more than {LONGEST_TEXT} characters in {name_of_column}; a"
                " cell of Excel holds no more. Shorten it."
            )
    columns = tuple(
        _sheet_column(column.name, kind, [row[place] for row in rows])
        for place, (column, kind) in enumerate(zip(table.columns, kinds, strict=True))
    )
    lines = (
        Line(table.title, "title"),
        Line(
            "This sheet has one table. Shorthand in square brackets is explained on the sheet Notes. Cells"
            " of text and dates are blank where there is nothing to say."
        ),
        _BACK,
    )
    return Sheet(name, lines, name, columns, tuple(rows))


_ONE_TABLE = Line("This sheet has one table.")
_BACK = Line("Back to the contents", sheet=CONTENTS)


def _sheet_names(tables: Iterable[PublicTable]) -> dict[str, str]:
    """Table -> name of its sheet: the name of its CSV file, cut to what Excel allows, none twice."""
    names: dict[str, str] = {}
    taken = {name.lower() for name in (COVER, CONTENTS, NOTES, COLUMNS)}
    for table in tables:
        # letters, digits and underscores need no quotes in a link
        plain = re.sub(r"\W", "_", table.name, flags=re.ASCII)
        name, number = plain[:LONGEST_SHEET_NAME], 1
        while name.lower() in taken:
            number += 1
            ending = f"_{number}"
            name = plain[: LONGEST_SHEET_NAME - len(ending)] + ending
        taken.add(name.lower())
        names[table.name] = name
    return names


def _kind(name: str, data_type: str) -> Kind:
    if data_type in _NUMBERS:
        if name.endswith("_count"):
            return "count"
        return "number" if data_type == "DOUBLE" else "integer"
    return {"BOOLEAN": "boolean", "DATE": "date"}.get(data_type, "text")  # type: ignore[return-value]


def _sheet_column(name: str, kind: Kind, values: Sequence[Value | Link]) -> SheetColumn:
    title = heading(name)
    if kind == "date":
        return SheetColumn(title, kind, 13)
    texts = (f"{value:,}" if kind == "count" and isinstance(value, int) else str(value) for value in values)
    width = _width(title, (text for value, text in zip(values, texts, strict=True) if value is not None))
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    return SheetColumn(title, kind, width, is_wrapped=kind == "text" and longest > _MOST_WIDE)


def _width(title: str, texts: Iterable[str]) -> int:
    """Characters a column needs: its longest cell, up to a readable line, or its heading's longest word."""
    longest_word = max(len(word) for word in title.split())
    # the button of a filter stands beside the heading
    return min(max(longest_word + 4, max(map(len, texts), default=0) + 2, _LEAST_WIDE), _MOST_WIDE)


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"

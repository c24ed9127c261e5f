"""The workbook as XLSX, with xlsxwriter: marked tables, frozen headers, real numbers, always the same bytes.

Belongs here: cells and looks. Does not belong here: what stands in a cell (`spreadsheets`).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.files import neutralised
from reports.release.spreadsheets import Link, Sheet, SheetColumn, Value, Workbook, lines_needed

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

#: The first moment a zip file can name: no entry says when it was made.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_FONT = {"font_name": "Arial", "font_size": 12, "font_scheme": "none"}
#: Widths are counted in characters of a smaller font than the sheets are set in.
_WIDTH_FACTOR = 1.2
_LINE_HEIGHT = 15.6
_TITLE_HEIGHT, _HEADING_HEIGHT = 26, 30
# away from the text of the next column
_RIGHT = {"align": "right", "indent": 1}
_NUMBER_FORMATS = {"count": "#,##0", "integer": "0", "date": "yyyy-mm-dd"}
_UNFIT_FOR_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def xlsx_bytes(book: Workbook) -> bytes:
    """The workbook as the bytes of an XLSX file."""
    import xlsxwriter

    stream = io.BytesIO()
    as_written = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    # a copy: xlsxwriter adds to what it is given
    made = xlsxwriter.Workbook(
        stream, {**as_written, "in_memory": True, "default_format_properties": dict(_FONT)}
    )
    made.set_properties(
        {
            "title": book.title,
            "subject": book.subject,
            "author": book.publisher,
            "company": book.publisher,
            "keywords": ", ".join(book.keywords),
            "comments": book.description,
            "created": dt.datetime.combine(book.created, dt.time()),
        }
    )
    writer = _Writer(made)
    for sheet in book.sheets:
        writer.sheet(sheet)
    made.close()
    return _with_fixed_times(stream.getvalue(), book.language)


@dataclass(frozen=True)
class _Looks:
    """How the cells of one column look, by what they hold."""

    number: Format
    shorthand: Format
    boolean: Format
    date: Format
    text: Format
    inert: Format
    link: Format
    is_text: bool


class _Writer:
    def __init__(self, made: Any) -> None:
        self.made = made
        self.formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def format(self, **looks: Any) -> Format:
        key = tuple(sorted(looks.items()))
        if key not in self.formats:
            self.formats[key] = self.made.add_format({"valign": "top", **looks})
        return self.formats[key]

    def sheet(self, sheet: Sheet) -> None:
        page: Worksheet = self.made.add_worksheet(sheet.name)
        page.set_default_row(_LINE_HEIGHT)
        if not sheet.columns:
            page.set_column(0, 0, sheet.width)
        self._lines(page, sheet)
        if sheet.columns:
            self._table(page, sheet)
        page.set_paper(9)
        page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        page.fit_to_pages(1, 0)
        page.set_footer("&L&A&RPage &P of &N")

    def _lines(self, page: Worksheet, sheet: Sheet) -> None:
        # over a table, a wrapped line would be as narrow as the first column
        wrapped = {} if sheet.columns else {"text_wrap": True}
        looks = {
            "title": self.format(bold=True, font_size=16, **wrapped),
            "heading": self.format(bold=True, font_size=14, **{"valign": "bottom", **wrapped}),
            "text": self.format(**wrapped),
        }
        link = self.format(underline=1, font_color="#0B5394", **wrapped)
        for row, line in enumerate(sheet.lines):
            if line.role == "title":
                page.set_row(row, _TITLE_HEIGHT)
            elif line.role == "heading":
                page.set_row(row, _HEADING_HEIGHT)
            elif wrapped:
                # said here: not every program makes a wrapped row as high as its text
                page.set_row(row, _height(lines_needed(line.text, sheet.width)))
            if line.sheet is not None:
                page.write_url(row, 0, f"internal:'{line.sheet}'!A1", link, line.text)
            elif line.address is not None:
                page.write_url(row, 0, line.address, link, line.text)
            else:
                page.write_string(row, 0, fit_for_xml(line.text), looks[line.role])

    def _table(self, page: Worksheet, sheet: Sheet) -> None:
        top, right = sheet.header_row, len(sheet.columns) - 1
        header = {
            is_number: self.format(bold=True, text_wrap=True, bottom=2, **(_RIGHT if is_number else {}))
            for is_number in (True, False)
        }
        page.add_table(
            top,
            0,
            top + len(sheet.rows),
            right,
            {
                "name": sheet.table_name,
                "style": "Table Style Light 1",
                "banded_rows": False,
                "autofilter": sheet.has_filter,
                "columns": [
                    {"header": column.heading, "header_format": header[column.is_number]}
                    for column in sheet.columns
                ],
            },
        )
        for place, column in enumerate(sheet.columns):
            page.set_column(place, place, round(column.width * _WIDTH_FACTOR, 1))
        page.set_row(top, _height(sheet.header_lines_high))
        looks = [self._looks(column) for column in sheet.columns]
        for number, row in enumerate(sheet.rows, top + 1):
            if (lines := sheet.lines_high(row)) > 1:
                page.set_row(number, _height(lines))
            for place, value in enumerate(row):
                if value is not None:
                    self._cell(page, number, place, looks[place], value)
        page.ignore_errors({"number_stored_as_text": _range(top, right, len(sheet.rows))})
        page.freeze_panes(top + 1, 0)
        page.repeat_rows(top)
        page.set_landscape()

    def _looks(self, column: SheetColumn) -> _Looks:
        wrapped = {"text_wrap": True} if column.is_wrapped else {}
        return _Looks(
            number=self.format(num_format=_NUMBER_FORMATS.get(column.kind, "General"), **_RIGHT),
            shorthand=self.format(**_RIGHT),
            boolean=self.format(align="left"),
            date=self.format(num_format=_NUMBER_FORMATS["date"], align="left"),
            text=self.format(**wrapped),
            # stays text when somebody edits the cell
            inert=self.format(quote_prefix=True, **wrapped),
            link=self.format(underline=1, font_color="#0B5394"),
            is_text=column.kind == "text",
        )

    def _cell(self, page: Worksheet, row: int, place: int, looks: _Looks, value: Value | Link) -> None:
        if isinstance(value, str):
            if not looks.is_text:
                page.write_string(row, place, value, looks.shorthand)
            elif neutralised(value) != value:
                page.write_string(row, place, fit_for_xml(value), looks.inert)
            else:
                page.write_string(row, place, fit_for_xml(value), looks.text)
        elif isinstance(value, bool):
            page.write_boolean(row, place, value, looks.boolean)
        elif isinstance(value, int | float):
            page.write_number(row, place, value, looks.number)
        elif isinstance(value, dt.date):
            page.write_datetime(row, place, dt.datetime.combine(value, dt.time()), looks.date)
        elif isinstance(value, Link):
            page.write_url(row, place, f"internal:'{value.sheet}'!A1", looks.link, value.text)


def _height(lines: int) -> float:
    return round(lines * _LINE_HEIGHT + 1, 1)


def fit_for_xml(text: str) -> str:
    """The text as it is. Raises ValueError for a character that no XML may hold."""
    if _UNFIT_FOR_XML.search(text):
        raise ValueError(f"A cell holds a control character: {text[:60]!r}. Clean the text in its mart.")
    return text


def _range(top: int, right: int, rows: int) -> str:
    from xlsxwriter.utility import xl_range

    return str(xl_range(top, 0, top + rows, right))


def _with_fixed_times(content: bytes, language: str) -> bytes:
    """The same archive with the document's language, and nothing in it that depends on when it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            text = source.read(entry)
            if entry.filename == "docProps/core.xml":
                ending = b"</cp:coreProperties>"
                text = text.replace(ending, f"<dc:language>{language}</dc:language>".encode() + ending)
            target.writestr(zip_entry(entry.filename), text)
    return out.getvalue()


def zip_entry(name: str, *, stored: bool = False) -> zipfile.ZipInfo:
    """An entry of a zip file that says nothing of the moment or the machine it was made on."""
    entry = zipfile.ZipInfo(name, ZIP_EPOCH)
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry

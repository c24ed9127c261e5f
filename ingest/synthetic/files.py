"""Writing one return as a sender would: .xlsx, .ods, or a zip of CSV files. Same rows, same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter

from ingest.files import replacing
from ingest.paths import ARRIVALS

Cell = str | int | float | None
Row = Sequence[Cell]

# A fixed instant inside every file, so that the bytes depend on the figures alone.
WRITTEN_AT = dt.datetime(2025, 1, 1)
_EXCEL_EPOCH = dt.date(1899, 12, 30)


@dataclass(frozen=True)
class Sheet:
    """Column names, which of them hold dates (ISO text in the rows), and rows in column order."""

    columns: tuple[str, ...]
    dates: frozenset[str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Dialect:
    """How the CSV files of a sender's zip are written: as another program, or another country, does it."""

    encoding: str = "utf-8"
    delimiter: str = ","


PLAIN = Dialect()
WITH_MARK = Dialect("utf-8-sig")
WINDOWS = Dialect("cp1252")
SEMICOLON = Dialect("utf-8", ";")
TAB = Dialect("utf-8", "\t")


def zip_bytes(sheets: Mapping[str, Sheet], dialect: Dialect = PLAIN) -> bytes:
    """A zip of CSV files named like the sheets. Windows-1252 comes with the dash that its programs put in."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, sheet in sheets.items():
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter=dialect.delimiter)
            writer.writerow(sheet.columns)
            writer.writerows(sheet.rows)
            content = text.getvalue()
            if dialect is WINDOWS:
                content = content.replace("; ", " \u2013 ")
            archive.writestr(_entry(f"{name}.csv"), content.encode(dialect.encoding))
    return target.getvalue()


def _entry(name: str, compress_type: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=WRITTEN_AT.timetuple()[:6])
    entry.compress_type = compress_type
    entry.external_attr = 0o600 << 16
    return entry


_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
    'manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
_ODS_START = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">'
    "<office:body><office:spreadsheet>"
)
_ODS_END = "</office:spreadsheet></office:body></office:document-content>"


def ods_bytes(sheets: Mapping[str, Sheet]) -> bytes:
    """An OpenDocument spreadsheet with a table per sheet: dates are date cells, counts are numbers."""
    parts = [_ODS_START]
    for name, sheet in sheets.items():
        dates = [column in sheet.dates for column in sheet.columns]
        parts.append(f"<table:table table:name={quoteattr(name)}>")
        parts.append(_ods_row(sheet.columns, [False] * len(sheet.columns)))
        parts.extend(_ods_row(row, dates) for row in sheet.rows)
        parts.append("</table:table>")
    parts.append(_ODS_END)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compresslevel=4) as archive:
        # Stored and first, so that programs tell the type of the file from its first bytes.
        archive.writestr(_entry("mimetype", zipfile.ZIP_STORED), _ODS_TYPE)
        archive.writestr(_entry("content.xml"), "".join(parts).encode())
        archive.writestr(_entry("META-INF/manifest.xml"), _ODS_MANIFEST)
    return target.getvalue()


def _ods_row(row: Row, dates: Sequence[bool]) -> str:
    cells = []
    for value, is_date in zip(row, dates, strict=True):
        if value is None or value == "":
            cells.append("<table:table-cell/>")
        elif is_date:
            cells.append(f'<table:table-cell office:value-type="date" office:date-value="{value}"/>')
        elif isinstance(value, str):
            words = escape(value)
            cells.append(
                f'<table:table-cell office:value-type="string"><text:p>{words}</text:p></table:table-cell>'
            )
        else:
            cells.append(f'<table:table-cell office:value-type="float" office:value="{value}"/>')
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def xlsx_bytes(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook with a page per sheet: dates are date cells, counts are numbers, blanks are no cells."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    book.set_properties({"created": WRITTEN_AT})
    date_format = book.add_format({"num_format": "yyyy-mm-dd"})
    serials: dict[str, int] = {}
    for name, sheet in sheets.items():
        page = book.add_worksheet(name)
        page.freeze_panes(1, 0)
        page.write_row(0, 0, sheet.columns)
        date_columns = {index for index, column in enumerate(sheet.columns) if column in sheet.dates}
        put_text, put_number = page.write_string, page.write_number
        for row_number, row in enumerate(sheet.rows, start=1):
            for column, value in enumerate(row):
                if value is None or value == "":
                    continue
                if column in date_columns:
                    day = str(value)
                    if day not in serials:
                        serials[day] = (dt.date.fromisoformat(day) - _EXCEL_EPOCH).days
                    put_number(row_number, column, serials[day], date_format)
                elif isinstance(value, str):
                    put_text(row_number, column, value)
                else:
                    put_number(row_number, column, value)
    book.close()
    return target.getvalue()


ARRIVALS_COLUMNS = ("sender_code", "file_name", "arrived_at")


def record_arrivals(inbox: Path, arrivals: Iterable[tuple[str, str, str]]) -> Path:
    """Add (sender_code, file_name, arrived_at) to the delivery journal of the inbox; other lines stay.

    The same file delivered again replaces its earlier line. Ordered by arrival, sender and name.
    """
    path = inbox / ARRIVALS
    known: dict[tuple[str, str], str] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as handle:
            known = {(r["sender_code"], r["file_name"]): r["arrived_at"] for r in csv.DictReader(handle)}
    known.update({(sender, name): arrived_at for sender, name, arrived_at in arrivals})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ARRIVALS_COLUMNS)
    lines = sorted((arrived_at, sender, name) for (sender, name), arrived_at in known.items())
    writer.writerows((sender, name, arrived_at) for arrived_at, sender, name in lines)
    with replacing(path) as temporary:
        temporary.write_bytes(text.getvalue().encode())
    return path

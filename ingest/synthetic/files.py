"""Writing one return as a body would send it: a workbook, or a zip of CSV files. Same rows, same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def zip_bytes(sheets: Mapping[str, Sheet], *, bom: bool = False) -> bytes:
    """A zip of UTF-8 CSV files named like the sheets; `bom` starts each as spreadsheet programs do."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, sheet in sheets.items():
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(sheet.columns)
            writer.writerows(sheet.rows)
            entry = zipfile.ZipInfo(f"{name}.csv", date_time=WRITTEN_AT.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    return target.getvalue()


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

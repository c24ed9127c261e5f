"""A zip of CSV files, one a sheet, in UTF-8 with or without a byte order mark."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from ingest.limits import Limits
from ingest.readers.facts import FileFacts
from ingest.readers.workbook import Fault, RawSheet, Unreadable, Workbook, make_sheet


def read_csv_zip(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every CSV of the zip.

    Raises Unreadable for bytes that are not UTF-8 or quotes that do not close.
    """
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        titles = tuple(info.filename.removesuffix(".csv") for info in infos)
        try:
            sheets = _sheets(archive, infos, limits)
        except Unreadable as error:
            error.titles = titles
            raise
    return Workbook(sheets, titles=titles)


def _sheets(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], limits: Limits) -> list[RawSheet]:
    sheets = []
    for info in infos:
        name = info.filename.removesuffix(".csv")
        # zipfile gives at most the declared size and checks the checksum, so a lying entry cannot grow.
        data = archive.read(info)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Unreadable(
                Fault("not_text", name, line, None, "bytes that are not UTF-8", "a CSV saved as UTF-8")
            ) from error
        if "\0" in text:
            raise Unreadable(
                Fault(
                    "not_text",
                    name,
                    text.count("\n", 0, text.index("\0")) + 1,
                    None,
                    "a NUL character",
                    "text",
                )
            )
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            rows = list(lines)
        except csv.Error as error:
            raise Unreadable(
                Fault(
                    "not_text",
                    name,
                    lines.line_num,
                    None,
                    f"a broken line ({error})",
                    "a CSV with closed quotes",
                )
            ) from error
        sheets.append(make_sheet(name, rows, limits))
    return sheets

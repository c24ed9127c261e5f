"""The spreadsheets of a release: LibreOffice opens them, and what it reads back equals the CSV files.

Besides, each is looked through for what the guidance on accessible spreadsheets asks: title and language,
cover, contents and notes, one marked table a sheet that starts in column A, no merged cell, no hidden sheet,
no blank row, a frozen header, no formula, and shorthand in every number cell without a number.

Where LibreOffice is not on the machine, one fault of the kind `NotRun` says so beside the faults of the rest.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from quality.validators import Fault
from quality.validators.local import read_json

NAME = "spreadsheets"
DESCRIPTOR = "datapackage.json"
KINDS = (".xlsx", ".ods")
SECONDS = 600
#: Sheets that explain the others.
EXPLAINING = ("Cover", "Contents", "Notes", "Columns")
SHORTHAND = ("[c]", "[x]", "[z]", "[w]")
LONGEST_SHEET_NAME = 31

# Comma, double quotes, UTF-8, every sheet in a file of its own, values as they are stored.
_CSV_FILTER = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
# Other shapes of the same figures, and the dictionary, which the workbook has in its own words.
_NOT_A_SHEET = ("ees-", "cjs-dashboard", "data-dictionary")
_MOST_FAULTS = 20
_NUMBER_TYPES = ("integer", "number")
_ODF = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "config": "urn:oasis:names:tc:opendocument:xmlns:config:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
}


class NotRun(Fault):
    """A check that could not be made here, and says nothing of the release."""


@dataclass(frozen=True)
class _Csv:
    """One CSV that must have a sheet, and which of its columns hold numbers."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str]

    @property
    def sheet(self) -> str:
        return re.sub(r"\W", "_", Path(self.name).stem, flags=re.ASCII)[:LONGEST_SHEET_NAME]


def validate(folder: Path, *, soffice: str | None = None, seconds: int = SECONDS) -> list[Fault]:
    """Every fault of the workbooks of a release folder.

    `soffice` is the program that opens them (looked up if not given), `seconds` what one book may take. A
    program that is missing gives a NotRun; one that fails or takes too long, a fault.
    """
    books = sorted(path for path in folder.iterdir() if path.suffix in KINDS)
    faults = [
        Fault(NAME, folder.name, f"{folder.name} has no {kind} file; write the workbook.")
        for kind in KINDS
        if not any(book.suffix == kind for book in books)
    ]
    expected, unreadable = _expected(folder)
    faults += unreadable
    program = soffice or shutil.which("soffice") or shutil.which("libreoffice")
    for book in books:
        looked_at = _xlsx_faults(book) if book.suffix == ".xlsx" else _ods_faults(book)
        faults += islice((Fault(NAME, book.name, f"{book.name}: {text}") for text in looked_at), _MOST_FAULTS)
        if program is None or shutil.which(program) is None:
            continue
        try:
            sheets = read_back(book, program, seconds)
        except _Unreadable as error:
            faults.append(Fault(NAME, book.name, f"{book.name}: {error}"))
            continue
        compared = _comparison(sheets, expected)
        faults += islice((Fault(NAME, book.name, f"{book.name} {text}") for text in compared), _MOST_FAULTS)
    if books and (program is None or shutil.which(program) is None):
        names = " and ".join(book.name for book in books)
        faults.append(
            NotRun(NAME, books[0].name, f"{names} not opened: LibreOffice (soffice) is not on this machine.")
        )
    return faults


# --- what the CSV files say


def _expected(folder: Path) -> tuple[list[_Csv], list[Fault]]:
    descriptor, faults = read_json(NAME, folder, DESCRIPTOR)
    types: dict[str, dict[str, str]] = {
        resource.get("path", ""): {
            field["name"]: field["type"] for field in resource.get("schema", {}).get("fields", [])
        }
        for resource in descriptor.get("resources", [])
    }
    found = []
    for path in sorted(folder.glob("*.csv")):
        if path.name.startswith(_NOT_A_SHEET):
            continue
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = (tuple(row) for row in csv.reader(stream))
        except (UnicodeDecodeError, ValueError, csv.Error) as error:
            faults.append(Fault(NAME, path.name, f"{path.name} cannot be read: {error}."))
            continue
        numeric = {name for name, kind in types.get(path.name, {}).items() if kind in _NUMBER_TYPES}
        if rows:
            found.append(_Csv(path.name, header, tuple(rows), frozenset(numeric)))
    return found, faults


# --- what LibreOffice reads back


class _Unreadable(Exception):
    """LibreOffice did not give the sheets of a book; the text says why."""


def read_back(book: Path, program: str, seconds: int = SECONDS) -> dict[str, list[list[str]]]:
    """Sheet -> rows of a workbook as LibreOffice reads them, numbers and dates as they are stored.

    It runs with a profile of its own, so that no other LibreOffice is in its way, and is ended with all it
    started after so many seconds. Raises an error when it fails.
    """
    with tempfile.TemporaryDirectory(prefix="read-back-") as scratch:
        profile, out = Path(scratch, "profile"), Path(scratch, "out")
        copy = Path(scratch, f"book{book.suffix}")
        shutil.copyfile(book, copy)
        command = [
            program,
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--norestore",
            "--convert-to",
            _CSV_FILTER,
            "--outdir",
            str(out),
            str(copy),
        ]
        try:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "HOME": scratch},
                start_new_session=True,
            )
        except OSError as error:
            raise _Unreadable(f"{program} does not start: {error}.") from error
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise _Unreadable(f"LibreOffice took more than {seconds} seconds to open it.") from error
        sheets = {}
        for path in sorted(out.glob("book-*.csv")) if out.is_dir() else []:
            with path.open(encoding="utf-8", newline="") as stream:
                sheets[path.stem.removeprefix("book-")] = list(csv.reader(stream))
        if process.returncode != 0 or not sheets:
            words = " ".join(said.decode("utf-8", "replace").split())[:200]
            raise _Unreadable(f"LibreOffice cannot open it (status {process.returncode}): {words}")
        return sheets


def _comparison(sheets: Mapping[str, list[list[str]]], expected: Sequence[_Csv]) -> Iterator[str]:
    for name in EXPLAINING:
        if name not in sheets:
            yield f"has no sheet {name}."
    wanted = {each.sheet for each in expected}
    for name in sorted(set(sheets) - wanted - set(EXPLAINING)):
        yield f"has a sheet {name}, of which there is no CSV with rows."
    for each in expected:
        if each.sheet not in sheets:
            yield f"has no sheet {each.sheet}, though {each.name} has rows."
        else:
            yield from islice(_sheet_difference(sheets[each.sheet], each), 3)


def _sheet_difference(sheet: Sequence[Sequence[str]], each: _Csv) -> Iterator[str]:
    header = [column.replace("_", " ").casefold() for column in each.header]
    top = next(
        (number for number, row in enumerate(sheet) if [cell.casefold() for cell in row] == header), None
    )
    if top is None:
        yield f"sheet {each.sheet} has no header row with the columns of {each.name}."
        return
    body = sheet[top + 1 :]
    if len(body) != len(each.rows):
        yield f"sheet {each.sheet} has {len(body)} rows beneath its header, {each.name} {len(each.rows)}."
        return
    status_at = each.header.index("obs_status") if "obs_status" in each.header else None
    for number, (shown, row) in enumerate(zip(body, each.rows, strict=True), start=top + 2):
        status = None if status_at is None else row[status_at]
        for place, column in enumerate(each.header):
            cell = shown[place] if place < len(shown) else ""
            is_number = column in each.numeric
            if not _is_same(cell, row[place], is_number=is_number, status=status):
                yield (
                    f"sheet {each.sheet} row {number} column {column}: {cell[:60]!r} where {each.name} has"
                    f" {row[place][:60]!r}{f' and the status {status!r}' if status else ''}."
                )


def _is_same(shown: str, cell: str, *, is_number: bool, status: str | None) -> bool:
    if is_number and cell == "":
        # a figure that cannot be in a row is not applicable, whatever the row's status
        allowed = ("[x]", "[z]") if status is None else ("[z]", f"[{status}]")
        return shown in SHORTHAND and shown in allowed
    if is_number:
        try:
            return float(shown) == float(cell)
        except ValueError:
            return False
    if cell in ("true", "false"):
        return shown == cell.upper()
    # in a CSV, text that a spreadsheet would run has an apostrophe before it
    return cell in (shown, f"'{shown}") if shown else cell == ""


# --- what stands in the files themselves


def _xlsx_faults(book: Path) -> Iterator[str]:
    import openpyxl

    try:
        opened = openpyxl.load_workbook(book)
    except Exception as error:  # whatever a broken file makes the library raise
        yield f"cannot be opened: {' '.join(str(error).split())[:200]}"
        return
    if not (opened.properties.title or "").strip():
        yield "has no document title."
    if not (opened.properties.language or "").strip():
        yield "has no document language."
    for page in opened.worksheets:
        name = page.title
        if page.sheet_state != "visible":
            yield f"sheet {name} is hidden."
        yield from _name_faults(name)
        for area in page.merged_cells.ranges:
            yield f"sheet {name} has merged cells ({area})."
        if not page.cell(1, 1).value:
            yield f"sheet {name} has no title in A1."
        tables = list(page.tables.values())
        if name == "Cover":
            continue
        if len(tables) != 1:
            yield f"sheet {name} has {len(tables)} marked tables; one is what assistive technology expects."
            continue
        yield from _xlsx_table_faults(page, tables[0])


def _xlsx_table_faults(page: Any, table: Any) -> Iterator[str]:
    from openpyxl.utils import range_boundaries

    left, top, right, bottom = (place or 0 for place in range_boundaries(table.ref))
    name = page.title
    if left != 1 or bottom != page.max_row or right != page.max_column or table.headerRowCount != 1:
        yield f"sheet {name}: the table {table.ref} does not start in column A with one header and end last."
        return
    if page.freeze_panes != f"A{top + 1}":
        yield f"sheet {name}: the header in row {top} is not frozen."
    for row in page.iter_rows(min_row=top, max_row=bottom):
        if all(cell.value is None for cell in row):
            yield f"sheet {name} row {row[0].row} is blank."
        for cell in row:
            if cell.data_type == "f":
                yield f"sheet {name} cell {cell.coordinate} holds a formula."
            elif cell.data_type == "e":
                yield f"sheet {name} cell {cell.coordinate} holds an error."


def _ods_faults(book: Path) -> Iterator[str]:
    try:
        with zipfile.ZipFile(book) as archive:
            first = archive.infolist()[0]
            if first.filename != "mimetype" or first.compress_type != zipfile.ZIP_STORED:
                yield "does not begin with its media type."
            content, meta, settings = (
                _parsed(archive.read(name)) for name in ("content.xml", "meta.xml", "settings.xml")
            )
    except Exception as error:  # whatever a broken file makes the libraries raise
        yield f"cannot be opened: {' '.join(str(error).split())[:200]}"
        return
    for element, word in (("dc:title", "title"), ("dc:language", "language")):
        if not (meta.findtext(f".//{element}", "", _ODF) or "").strip():
            yield f"has no document {word}."
    ranges = [
        (each.get(_odf("table:target-range-address"), ""), each.get(_odf("table:contains-header"), "true"))
        for each in content.iterfind(".//table:database-range", _ODF)
    ]
    frozen = _frozen_rows(settings)
    for page in content.iterfind(".//table:table", _ODF):
        yield from _ods_sheet_faults(page, ranges, frozen)


def _parsed(content: bytes) -> Element:
    """The root of an XML file. One that declares a document type is refused unread: no bomb gets in.

    The parser of the standard library takes a sixth of the time of one that looks at every declaration.
    """
    if b"<!DOCTYPE" in content or not content.lstrip().startswith((b"<?xml", b"<office:")):
        raise ValueError("declares a document type, or is no XML in UTF-8")
    return fromstring(content)


def _ods_sheet_faults(
    page: Element, ranges: Sequence[tuple[str, str]], frozen: Mapping[str, int]
) -> Iterator[str]:
    name = page.get(_odf("table:name"), "")
    yield from _name_faults(name)
    if page.get(_odf("table:visibility")) == "collapse":
        yield f"sheet {name} is hidden."
    rows = list(page.iter(_odf("table:table-row")))
    for number, row in enumerate(rows, start=1):
        values = [cell.get(_odf("office:value-type")) for cell in row]
        if all(value is None for value in values):
            yield f"sheet {name} row {number} is blank."
        for cell in row:
            spans = (cell.get(_odf(f"table:number-{way}-spanned"), "1") for way in ("columns", "rows"))
            if cell.tag == _odf("table:covered-table-cell") or set(spans) != {"1"}:
                yield f"sheet {name} row {number} has merged cells."
            if cell.get(_odf("table:formula")) is not None:
                yield f"sheet {name} row {number} holds a formula."
    if name == "Cover":
        return
    marked = [each for each in ranges if each[0].replace("$", "").startswith(f"{name}.")]
    if len(marked) != 1 or marked[0][1] != "true":
        yield f"sheet {name} has {len(marked)} marked tables with a header; there must be one."
        return
    found = re.fullmatch(r"\w+\.A(\d+):\w+\.([A-Z]+)(\d+)", marked[0][0].replace("$", ""))
    if found is None or int(found[3]) != len(rows):
        yield f"sheet {name}: the table {marked[0][0]} does not start in column A and end in the last row."
    elif frozen.get(name) != int(found[1]):
        yield f"sheet {name}: the header in row {found[1]} is not frozen."


def _frozen_rows(settings: Element) -> dict[str, int]:
    """Sheet -> rows that stay in sight."""
    rows = {}
    for entry in settings.iterfind(".//config:config-item-map-named/config:config-item-map-entry", _ODF):
        items = {item.get(_odf("config:name")): item.text for item in entry}
        if items.get("VerticalSplitMode") == "2":
            rows[entry.get(_odf("config:name"), "")] = int(items.get("VerticalSplitPosition") or 0)
    return rows


def _name_faults(name: str) -> Iterator[str]:
    if not 0 < len(name) <= LONGEST_SHEET_NAME or re.search(r"[\[\]:*?/\\]", name):
        yield f"sheet {name!r}: a name has up to {LONGEST_SHEET_NAME} characters and none of []:*?/\\."


def _odf(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_ODF[prefix]}}}{local}"

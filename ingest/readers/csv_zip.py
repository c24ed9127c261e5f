"""A zip of CSV files, one a sheet, as spreadsheet programs write them.

Encoding: UTF-8, with or without a byte order mark; else Windows-1252, which is what Excel for Windows writes
as plain "CSV". Windows-1252 fits nearly any bytes, UTF-8 fits next to none but its own: so UTF-8 is tried
first. A byte that Windows-1252 does not have, or a text of both encodings, is refused.

Separator: comma, semicolon or tab, whichever the header line holds outside quotes. The header of a form is
known words, none of which holds any of the three; the rows below hold free text and figures, in which all
three are ordinary, so that a guess at them would one day cut a sentence in two. A header line that holds more
than one of the three is refused. A first line `sep=;` (a note to Excel, which does not show it as a row) is
taken at its word and is no row here either. A decimal comma is left as it stands.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from itertools import islice
from pathlib import Path

from ingest.limits import Limits
from ingest.readers.facts import FileFacts
from ingest.readers.spreadsheet import comments_of
from ingest.readers.workbook import Fault, RawSheet, Unreadable, Workbook, make_sheet

_UTF8_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_OF_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_NOTE = re.compile(r"sep=([^\r\n]*)(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
_HEADER_LINE = re.compile(r'(?:"[^"]*"|[^"\r\n])*')
_QUOTED = re.compile(r'"[^"]*"')


def read_csv_zip(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every CSV of the zip.

    Raises Unreadable for bytes that are no text, a separator that cannot be told, quotes that do not close
    and sheets that are too large.
    """
    with zipfile.ZipFile(path) as archive:
        loose_text = list(comments_of(archive))
        infos = [info for info in archive.infolist() if not info.is_dir()]
        titles = tuple(info.filename.removesuffix(".csv") for info in infos)
        try:
            sheets = _sheets(archive, infos, limits)
        except Unreadable as error:
            error.titles = titles
            raise
    return Workbook(sheets, loose_text, titles=titles)


def _sheets(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], limits: Limits) -> list[RawSheet]:
    sheets = []
    for info in infos:
        name = info.filename.removesuffix(".csv")
        # zipfile gives at most the declared size and checks the checksum, so a lying entry cannot grow.
        sheets.append(read_csv(name, archive.read(info), limits))
    return sheets


def read_csv(name: str, data: bytes, limits: Limits) -> RawSheet:
    """Read the bytes of one CSV as a sheet of that name. Raises Unreadable as read_csv_zip does."""
    text, separator = _separator(name, _decoded(name, data))
    return make_sheet(name, _rows(name, text, separator, limits), limits)


def _decoded(name: str, data: bytes) -> str:
    for mark, encoding in _WIDE_MARKS.items():
        if data.startswith(mark):
            raise _no_text(name, 1, f"text in {encoding}")
    nul = data.find(b"\0")
    if nul >= 0:
        raise _no_text(name, _line(data, nul), "a NUL character", "text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith(_UTF8_MARK):
            line = _line(data, error.start)
            raise _no_text(name, line, "bytes that are not UTF-8, as which it begins") from error
        return _decoded_as_windows(name, data)


def _decoded_as_windows(name: str, data: bytes) -> str:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        line = _line(data, error.start)
        raise _no_text(name, line, "bytes that are neither UTF-8 nor Windows-1252") from error
    mixed = _OF_UTF8.search(data)
    if mixed is not None:
        raise _no_text(name, _line(data, mixed.start()), "bytes of UTF-8 beside others that are not UTF-8")
    return text


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def _no_text(name: str, line: int, found: str, expected: str = "a CSV saved as UTF-8") -> Unreadable:
    return Unreadable(Fault("not_text", name, line, None, found, expected))


def _separator(name: str, text: str) -> tuple[str, str]:
    """Return the text without a note on the separator, and the separator."""
    expected = "one separator throughout: comma, semicolon or tab"
    note = _NOTE.match(text)
    if note is not None:
        if note[1] not in _SEPARATORS:
            raise _no_text(name, 1, "a note sep= with another separator", expected)
        return text[note.end() :], note[1]
    header = _HEADER_LINE.match(text)
    bare = _QUOTED.sub("", header[0] if header else "")
    present = [separator for separator in _SEPARATORS if separator in bare]
    if len(present) > 1:
        both = " and ".join(_SEPARATORS[separator] for separator in present)
        raise _no_text(name, 1, f"a header line with {both} outside quotes", expected)
    return text, present[0] if present else ","


def _rows(name: str, text: str, separator: str, limits: Limits) -> list[list[str]]:
    # Looked at before any row is made: a line of nothing but separators takes far more room as a row.
    if text.count(separator) > limits.cells:
        raise Unreadable(
            Fault("too_large", name, found="too many cells", expected=f"at most {limits.cells} cells")
        )
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(islice(lines, limits.rows + 1))
    except csv.Error as error:
        if "field limit" in str(error):
            raise Unreadable(
                Fault(
                    "too_large",
                    name,
                    lines.line_num,
                    found=f"a cell of more than {csv.field_size_limit()} characters",
                    expected=f"at most {limits.cell_characters} characters",
                )
            ) from error
        raise _no_text(
            name, lines.line_num, f"a broken line ({error})", "a CSV with closed quotes"
        ) from error
    if len(rows) > limits.rows:
        raise Unreadable(
            Fault(
                "too_large",
                name,
                found=f"more than {limits.rows} rows",
                expected=f"at most {limits.rows} rows",
            )
        )
    return rows

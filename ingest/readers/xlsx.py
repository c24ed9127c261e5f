"""An Excel workbook: its XML is looked over for traps first, its cells are then read by calamine."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from ingest.limits import Limits
from ingest.readers.facts import FileFacts
from ingest.readers.workbook import Fault, RawSheet, Unreadable, Workbook, make_sheet

_ENTITY_TRICK = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']""")
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\bt=["']e["'][^>]*>""")
_CELL_PLACE = re.compile(rb"""\br=["']([A-Z]+)(\d+)["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_RUN = re.compile(rb"<(?:\w+:)?(?:t|text)(?:\s[^>]*)?>([^<]*)<")
_NODE = re.compile(rb">([^<]*[^<\s][^<]*)<")
_SPOKEN = re.compile(
    rb"""\s(?:descr|title|name|displayName|userId|author|alt|prompt|promptTitle|error|errorTitle|display|"""
    rb"""tooltip)\s*=\s*(?:"([^"]*)"|'([^']*)')"""
)
_MESSAGE = re.compile(rb"<(?:\w+:)?(?:dataValidation|hyperlink)\s[^>]*>")
_PAGE_TEXT = re.compile(rb"<(?:\w+:)?(?:odd|even|first)(?:Header|Footer)(?:\s[^>]*)?>([^<]*)<")
_PAGE_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|\d+|.)')
_TARGET = re.compile(rb"""\sTarget\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_SHEET_FOLDERS = ("xl/worksheets/", "xl/chartsheets/")
_LOOSE_TEXT = {
    "xl/comments": "a comment",
    "xl/threadedcomments": "a comment",
    "xl/persons": "a comment",
    "xl/drawings": "a drawing",
    "xl/charts": "a drawing",
    "xl/diagrams": "a drawing",
    "docprops": "the document's properties",
    "customxml": "the document's properties",
}
"""Start of a part's name -> where its text stands, as a report names it."""
_LETTERS = 26
_PLACE_LETTERS = re.compile(rb"""[\s"']r\s*=\s*["']([A-Za-z]+)\d""")
_PLACE_DIGITS = re.compile(rb"""[\s"']r\s*=\s*["'][A-Za-z]*(\d+)["']""")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_PLACED_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?[\s"'])?r\s*=\s*["'][A-Za-z]""")
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")


def read_xlsx(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every worksheet.

    Cells that hold an Excel error are listed (calamine gives them as blank), formulas are counted (they are
    read as the value that was last calculated). Raises Unreadable for entity tricks, tables that are too
    large and a workbook that does not open.
    """
    data = path.read_bytes()
    workbook = Workbook([])
    try:
        _look_over(data, limits, workbook)
        _read_sheets(data, limits, workbook)
    except Unreadable as error:
        error.titles = workbook.titles
        raise
    return workbook


def _read_sheets(data: bytes, limits: Limits, workbook: Workbook) -> None:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        for meta in book.sheets_metadata:
            if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            rows = book.get_sheet_by_name(meta.name).to_python(skip_empty_area=False)
            sheet = make_sheet(meta.name, rows, limits)
            sheet.holds_booleans = _holds_booleans(sheet)
            workbook.sheets.append(sheet)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(_does_not_open(error)) from error
    except BaseException as error:
        # A panic inside calamine is not an Exception in Python, and must not end the process that reads.
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable(_does_not_open(error)) from error


def _does_not_open(error: BaseException) -> Fault:
    return Fault("corrupt", found=f"a workbook that does not open ({type(error).__name__})")


def _holds_booleans(sheet: RawSheet) -> bool:
    """Say whether any cell is TRUE or FALSE, which Python would otherwise take for 1 and 0."""
    return any(bool in set(map(type, cells)) for cells in sheet.columns)


def _look_over(data: bytes, limits: Limits, workbook: Workbook) -> None:
    """Scan every XML part for traps, size, error cells, formulas and text outside cells.

    Raises Unreadable.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [
            info for info in archive.infolist() if info.filename.lower().endswith((".xml", ".rels", ".vml"))
        ]
        titles = _sheet_titles(archive)
        workbook.titles = tuple(titles.values())
        for info in parts:
            name = info.filename
            xml = archive.read(info)
            _refuse_tricks(name, xml)
            lowered = name.lower()
            if lowered.startswith(_SHEET_FOLDERS):
                _scan_sheet(titles.get(name, name), xml, limits, workbook)
            said = dict.fromkeys(_loose_text(lowered, xml))  # each once
            workbook.loose_text += [(where, text) for where, text in said if text.strip()]


def _refuse_tricks(name: str, xml: bytes) -> None:
    encoding = _DECLARED_ENCODING.match(xml.removeprefix(b"\xef\xbb\xbf"))
    if xml.startswith(_UTF16) or (encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
        # The scan below reads bytes as ASCII; another encoding would hide what it looks for.
        raise Unreadable(Fault("xml_trick", found="a part that is not in UTF-8", expected="XML in UTF-8"))
    if _ENTITY_TRICK.search(xml):
        raise Unreadable(Fault("xml_trick", found="a document type or entity", expected="XML without either"))


def _loose_text(name: str, xml: bytes) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of everything a part says outside cells. No markup is expanded or followed."""
    if name.endswith(".rels"):
        for tag in _RELATION.findall(xml):
            if b"External" in tag:
                yield from (("a link", unquote(text)) for text in _attributes(_TARGET, tag))
        return
    if name.startswith(_SHEET_FOLDERS):
        if b"eader" in xml or b"ooter" in xml:
            for text in _PAGE_TEXT.findall(xml):
                yield "a header or footer", _PAGE_CODE.sub(" ", _decoded(text))
        if b"dataValidation" in xml or b"hyperlink" in xml:
            for tag in _MESSAGE.findall(xml):
                yield from (("a message of a cell", text) for text in _attributes(_SPOKEN, tag))
        return
    for start, where in _LOOSE_TEXT.items():
        if name.startswith(start):
            yield from ((where, _decoded(text)) for text in _NODE.findall(xml))
            yield from ((where, text) for text in _attributes(_SPOKEN, xml))
            # Words that are written in several fonts stand in several runs.
            yield where, "".join(map(_decoded, _RUN.findall(xml)))


def _attributes(pattern: re.Pattern[bytes], xml: bytes) -> Iterator[str]:
    for double, single in pattern.findall(xml):
        yield _decoded(double or single)


def _decoded(text: bytes) -> str:
    return html.unescape(text.decode("utf-8", "replace"))


def _refuse_large_table(title: str, xml: bytes, limits: Limits) -> None:
    """Refuse a sheet whose used range is beyond a limit, before it is read.

    A table is made as large as its last row and column, however few cells are filled. Cells and rows that do
    not say where they stand count as standing behind those that do.
    """
    letters = set(_PLACE_LETTERS.findall(xml))
    digits = set(_PLACE_DIGITS.findall(xml))
    # Longer than any place of a limit, and slow to read as a number.
    far_off = any(len(place) > 4 for place in letters) or any(len(place) > 9 for place in digits)
    width = 0 if far_off else max(map(_column_number, letters), default=0)
    height = 0 if far_off else max(map(int, digits), default=0)
    if not far_off:
        cells = len(_CELL.findall(xml))
        if cells > len(_PLACED_CELL.findall(xml)):
            rows = _ROW.split(xml)
            width += max(len(_CELL.findall(row)) for row in rows)
            height += len(rows) - 1
    if far_off or height > limits.rows or width > limits.columns or height * width > limits.cells:
        raise Unreadable(
            Fault(
                "too_large",
                title,
                found="a cell far outside the table",
                expected=f"at most {limits.rows} rows, {limits.columns} columns and {limits.cells} cells",
            )
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + letter - ord("A") + 1
    return number


def _scan_sheet(title: str, xml: bytes, limits: Limits, workbook: Workbook) -> None:
    _refuse_large_table(title, xml, limits)
    if b'="e"' in xml or b"='e'" in xml:
        for cell in _ERROR_CELL.findall(xml):
            place = _CELL_PLACE.search(cell)
            workbook.error_cells.append(
                Fault(
                    "error_cell",
                    title,
                    int(place[2]) if place else None,
                    place[1].decode() if place else None,
                    "an Excel error",
                    "a value",
                )
            )
    if b"<f" in xml or b":f" in xml:
        formulas = len(_FORMULA.findall(xml))
        if formulas:
            workbook.formula_counts[title] = formulas


def _sheet_titles(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return part name -> sheet title, as far as workbook.xml and its relations tell."""
    try:
        workbook = archive.read("xl/workbook.xml")
        relations = archive.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        return {}
    targets = {}
    for tag in _RELATION.findall(relations):
        values = dict(_ATTRIBUTE.findall(tag))
        target = values.get(b"Target", b"").decode("utf-8", "replace")
        targets[values.get(b"Id", b"")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    titles = {}
    for tag in _SHEET.findall(workbook):
        values = dict(_ATTRIBUTE.findall(tag))
        relation = next((value for key, value in values.items() if key.endswith(b":id")), b"")
        if relation in targets:
            titles[targets[relation]] = html.unescape(values.get(b"name", b"").decode("utf-8", "replace"))
    return titles

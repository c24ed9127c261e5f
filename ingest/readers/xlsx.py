"""An Excel workbook: its XML is looked over for traps first, its cells are then read by calamine."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from ingest.limits import Limits
from ingest.readers.facts import FileFacts
from ingest.readers.workbook import Fault, RawSheet, Unreadable, Workbook, make_sheet

_ENTITY_TRICK = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']""")
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\bt=["']e["'][^>]*>""")
_CELL_PLACE = re.compile(rb"""\br=["']([A-Z]+)(\d+)["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_COMMENT_TEXT = re.compile(rb"<(?:\w+:)?(?:t|text)(?:\s[^>]*)?>([^<]*)<")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_SHEET_FOLDERS = ("xl/worksheets/", "xl/chartsheets/")
_COMMENT_FOLDERS = ("xl/comments", "xl/threadedcomments")


def read_xlsx(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every worksheet. Raises Unreadable for entity tricks, far-off cells or a workbook that does not
    open.

    Cells that hold an Excel error are listed (calamine gives them as blank), formulas are counted (they are
    read as
    the value that was last calculated).
    """
    data = path.read_bytes()
    workbook = Workbook([])
    _look_over(data, limits, workbook)
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
    except python_calamine.CalamineError as error:
        raise Unreadable(_does_not_open(error)) from error
    except BaseException as error:
        # A panic inside calamine is not an Exception in Python, and must not end the process that reads.
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable(_does_not_open(error)) from error
    return workbook


def _does_not_open(error: BaseException) -> Fault:
    return Fault("corrupt", found=f"a workbook that does not open ({type(error).__name__})")


def _holds_booleans(sheet: RawSheet) -> bool:
    """Say whether any cell is TRUE or FALSE, which Python would otherwise take for 1 and 0."""
    return any(bool in set(map(type, cells)) for cells in sheet.columns)


def _look_over(data: bytes, limits: Limits, workbook: Workbook) -> None:
    """Scan every XML part for traps, error cells, formulas and comments. Raises Unreadable."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [
            info for info in archive.infolist() if info.filename.lower().endswith((".xml", ".rels", ".vml"))
        ]
        titles = _sheet_titles(archive)
        far_off = _far_off(limits)
        for info in parts:
            name = info.filename
            xml = archive.read(info)
            _refuse_tricks(name, xml)
            lowered = name.lower()
            if lowered.startswith(_SHEET_FOLDERS):
                _scan_sheet(titles.get(name, name), xml, far_off, limits, workbook)
            elif lowered.startswith(_COMMENT_FOLDERS):
                text = " ".join(part.decode("utf-8", "replace") for part in _COMMENT_TEXT.findall(xml))
                workbook.loose_text.append(("a comment", text))


def _refuse_tricks(name: str, xml: bytes) -> None:
    encoding = _DECLARED_ENCODING.match(xml.removeprefix(b"\xef\xbb\xbf"))
    if xml.startswith(_UTF16) or (encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
        # The scan below reads bytes as ASCII; another encoding would hide what it looks for.
        raise Unreadable(Fault("xml_trick", found="a part that is not in UTF-8", expected="XML in UTF-8"))
    if _ENTITY_TRICK.search(xml):
        raise Unreadable(Fault("xml_trick", found="a document type or entity", expected="XML without either"))


def _far_off(limits: Limits) -> re.Pattern[bytes]:
    """Match the place of a cell so far off that a table up to it would be enormous, however few cells it
    has.
    """
    digits = len(str(limits.rows)) + 1
    return re.compile(rb'r="(?:[A-Z]{3,}|[A-Z]{0,2}\d{%d,})' % digits)


def _scan_sheet(
    title: str, xml: bytes, far_off: re.Pattern[bytes], limits: Limits, workbook: Workbook
) -> None:
    if far_off.search(xml):
        raise Unreadable(
            Fault(
                "too_large",
                title,
                found="a cell far outside the table",
                expected=f"at most {limits.rows} rows and {limits.columns} columns",
            )
        )
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
    import html

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

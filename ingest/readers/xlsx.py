"""An Excel workbook: its XML is looked over for traps first, then calamine reads its cells."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ingest.limits import Limits
from ingest.readers.facts import FileFacts
from ingest.readers.spreadsheet import (
    ANOTHER_FILE,
    DATA_SOURCE,
    ELSEWHERE,
    PROGRAM,
    Hidden,
    comments_of,
    note_concealed,
    outside,
    reaches_outside,
    read_sheets,
    refuse_broken_xml,
    refuse_xml_tricks,
    repacked,
)
from ingest.readers.workbook import Cell, Fault, Unreadable, Workbook, column_index
from ingest.readers.xlsx_text import (
    LEFT_OVER,
    PREFIX,
    RELATION,
    SHEET,
    attributes,
    decoded,
    shared_strings,
    sounds,
    texts_of_part,
    texts_of_relations,
    texts_of_sheet,
)

_SHEET_FOLDERS = ("xl/worksheets/", "xl/chartsheets/")
_WORKBOOK, _STRINGS, _STYLES = "xl/workbook.xml", "xl/sharedstrings.xml", "xl/styles.xml"
_RELATIONS = ("_rels/.rels", "xl/_rels/workbook.xml.rels")
_FIXED_PARTS = {"officedocument": _WORKBOOK, "sharedstrings": _STRINGS, "styles": _STYLES}
"""Last word of a relation's type -> the only part that calamine takes for it. All in lower case."""
_REACHING_PARTS = {
    "xl/externallinks/": ANOTHER_FILE,
    "xl/connections": DATA_SOURCE,
    "xl/querytables/": DATA_SOURCE,
    "xl/webextensions/": PROGRAM,
    "xl/volatiledependencies": ELSEWHERE,
}
"""Start of a part's name, in lower case -> what it refers to."""
_REACHING_RELATIONS = {
    "externallink": ANOTHER_FILE,
    "externallinkpath": ANOTHER_FILE,
    "connections": DATA_SOURCE,
    "querytable": DATA_SOURCE,
    "webextension": PROGRAM,
    "webextensiontaskpanes": PROGRAM,
    "oleobject": PROGRAM,
    "control": PROGRAM,
    "activexcontrolbinary": PROGRAM,
    "volatiledependencies": ELSEWHERE,
}
"""Last word of a relation's type, in lower case -> what it refers to."""

_TAG_END = rb"(?:\s[^<>]*)?>"
_CLOSED = rb"</" + PREFIX
_FORMULA = re.compile(
    rb"<" + PREFIX + rb"(f|formula[12]?|definedName)" + _TAG_END + rb"([^<]*)" + _CLOSED + rb"\1\s*>"
)
_CELL_FORMULA = re.compile(rb"<" + PREFIX + rb"c" + _TAG_END + rb"\s*<" + PREFIX + rb"f[\s>/]")
_NO_VALUE = re.compile(
    rb"<" + PREFIX + rb"c(\s[^<>]*)?>\s*<" + PREFIX + rb"f(?:\s[^<>]*)?(?:/>|>[^<]*" + _CLOSED + rb"f\s*>)\s*"
    rb"(?:<" + PREFIX + rb"v(?:\s[^<>]*)?(?:/>|>" + _CLOSED + rb"v\s*>)\s*)?" + _CLOSED + rb"c\s*>"
)
_TEXT_CELL = re.compile(rb"""\st\s*=\s*["']str["']""")
_ERROR_CELL = re.compile(rb"<" + PREFIX + rb"""c\s[^<>]*?\bt\s*=\s*["']e["'][^<>]*>""")
_CELL_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]+)(\d+)["']""")
_TABLE = re.compile(rb"<" + PREFIX + rb"sheetData[\s/>]")
_TWO_VALUES = re.compile(_CLOSED + rb"(?:v|is)\s*>\s*<" + PREFIX + rb"(?:v|is)[\s/>]")
_HIDDEN = re.compile(rb"<" + PREFIX + rb"""(?:row|col)\s[^<>]*?\bhidden\s*=\s*["'](?:1|true)["'][^<>]*>""")
_NUMBER_FORMAT = re.compile(rb"<" + PREFIX + rb"numFmt\s[^<>]*>")
_CELL_FORMAT = re.compile(rb"<" + PREFIX + rb"xf[\s/>][^<>]*")
_FORMAT_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].')
_FORMAT_IN_THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")
_FORMAT_SHOWS = re.compile(r"[0#?@dmyhsge]", re.IGNORECASE)

_DIGITS, _CAPITALS = b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_Places = tuple[list[bytes], list[bytes]]
_PLAIN_CELL = re.compile(rb'<c r="([A-Z]+[0-9]+)"')
_PLAIN_ROW = re.compile(rb'<row r="([0-9]+)"')
_CELL_OR_ROW = re.compile(rb"<" + PREFIX + rb"(?:c|row)[\s/>]")
_PLACE_LETTERS = re.compile(rb"""[\s"']r\s*=\s*["']([A-Za-z]+)\d""")
_PLACE_DIGITS = re.compile(rb"""[\s"']r\s*=\s*["'][A-Za-z]*(\d+)["']""")
_CELL = re.compile(rb"<" + PREFIX + rb"c[\s/>]")
_PLACED_CELL = re.compile(rb"<" + PREFIX + rb"""c\s(?:[^<>]*?[\s"'])?r\s*=\s*["']([A-Za-z]+\d+)""")
_ROW = re.compile(rb"<" + PREFIX + rb"row[\s/>]")
_ATTRIBUTES = rb"""(?:[\s/](?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+)?+>"""
_EMPTY_CELL = re.compile(rb"<" + PREFIX + rb"c" + _ATTRIBUTES + rb"(?:(?<=/>)|\s*+</" + PREFIX + rb"c\s*+>)")
_EMPTY_ROW = re.compile(
    rb"<" + PREFIX + rb"row" + _ATTRIBUTES + rb"(?:(?<=/>)|\s*+</" + PREFIX + rb"row\s*+>)"
)


def read_xlsx(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every worksheet.

    Cells that hold an Excel error are listed (calamine gives them as blank), formulas are counted (they are
    read as the value that was last calculated) and listed where no value is stored, references to the outside
    are listed. Raises Unreadable for entity tricks, tables that are too large, a workbook that does not open,
    and one that Excel would show otherwise than it is read.
    """
    workbook = Workbook([])
    scan = _Scan(workbook, limits)
    try:
        parts = scan.run(path)
        strings = [xml for name, xml in parts.items() if name.lower() == _STRINGS]
        read_sheets(repacked(parts), limits, workbook)
    except Unreadable as error:
        error.titles = workbook.titles
        raise
    note_concealed(scan.hidden, workbook)
    for xml in strings:
        workbook.loose_text += _left_over(xml, workbook)
    return workbook


def _left_over(xml: bytes, workbook: Workbook) -> list[tuple[str, str]]:
    """Return (where, text) of the shared strings that no cell shows any more."""
    shown: set[Cell] = set()
    for sheet in workbook.sheets:
        shown.update(sheet.header, *sheet.columns)
    return [(LEFT_OVER, text) for text in shared_strings(xml) if text not in shown and text.strip()]


class _Scan:
    """A look at every part for traps, size, formulas, references and text outside cells."""

    def __init__(self, workbook: Workbook, limits: Limits) -> None:
        self.workbook = workbook
        self.limits = limits
        self.titles: dict[str, str] = {}
        """Name of a part -> title of its sheet."""
        self.hidden: dict[str, Hidden] = {}
        self.odd_formats: dict[str, str] = {}
        """Number of a cell format that shows another number than the cell holds -> what it shows."""

    def run(self, path: Path) -> dict[str, bytes]:
        """Return the parts for calamine. Raises Unreadable."""
        parts: dict[str, bytes] = {}
        with zipfile.ZipFile(path) as archive:
            self.workbook.loose_text += comments_of(archive)
            self._read_titles(archive)
            names = {name.lower(): name for name in archive.namelist()}
            if _STYLES in names:
                self.odd_formats = _odd_formats(archive.read(names[_STYLES]))
            for info in archive.infolist():
                data = archive.read(info)
                refuse_xml_tricks(data)
                said = dict.fromkeys(self._texts(info.filename, data))  # each once
                self.workbook.loose_text += [(where, text) for where, text in said if text.strip()]
                parts[info.filename] = data
        return parts

    def _read_titles(self, archive: zipfile.ZipFile) -> None:
        """Learn what the sheets are called, as far as workbook.xml and its relations tell."""
        try:
            workbook = archive.read(_WORKBOOK)
            relations = archive.read("xl/_rels/workbook.xml.rels")
        except KeyError:
            return  # calamine will not open it either
        targets = {}
        for tag in RELATION.findall(relations):
            values = attributes(tag)
            targets[values.get("Id")] = posixpath.join("/xl", values.get("Target", "")).lstrip("/")
        for tag in SHEET.findall(workbook):
            values = attributes(tag)
            title = values.get("name", "")
            self.workbook.titles = (*self.workbook.titles, title)
            self.hidden[title] = Hidden(whole=values.get("state", "visible") != "visible")
            if values.get("id") in targets:
                self.titles[targets[values.get("id")]] = title

    def _texts(self, name: str, xml: bytes) -> Iterator[tuple[str, str]]:
        """Yield (where, text) of everything that a part says outside cells; note what else is in it."""
        lowered = name.lower()
        self.workbook.outside_references += map(outside, dict.fromkeys(_references(lowered, xml)))
        is_relations = lowered.endswith(".rels")
        # Whatever a part is called: a relation may name any of them as a sheet.
        is_sheet = (lowered.startswith(_SHEET_FOLDERS) and not is_relations) or b"sheetData" in xml
        if is_sheet or name in self.titles:
            title = self.titles.get(name, name)
            plain = _plain_places(xml)
            _refuse_another_reading(title, xml, plain)
            _refuse_large_table(title, xml, self.limits, plain)
            refuse_broken_xml(xml)
            self._look_at_cells(title, xml)
            yield from texts_of_sheet(xml, self._formulas(title, xml))
            return
        if is_relations or lowered in _FIXED_PARTS.values():
            refuse_broken_xml(xml)
        if is_relations:
            _refuse_other_parts(lowered, xml)
            yield from texts_of_relations(xml)
        elif lowered == _STRINGS:
            _refuse_notes(None, xml)
            yield from sounds(xml)  # the strings themselves are looked at once the cells are known
        elif lowered.endswith((".xml", ".vml")):
            formulas = set()
            if b"definedName" in xml:
                _refuse_notes(None, xml)
                formulas = self._formulas(None, xml)
            yield from texts_of_part(lowered, xml, formulas)

    def _look_at_cells(self, title: str, xml: bytes) -> None:
        workbook = self.workbook
        if b'"e"' in xml or b"'e'" in xml:
            for tag in _ERROR_CELL.findall(xml):
                workbook.error_cells.append(_at("error_cell", title, tag, "an Excel error", "a value"))
        if b"<f" in xml or b":f" in xml:
            formulas = len(_CELL_FORMULA.findall(xml))
            if formulas:
                workbook.formula_counts[title] = formulas
                for match in _NO_VALUE.finditer(xml):
                    if not _TEXT_CELL.search(match[1] or b""):
                        fault = _at("no_value", title, match[0], "a formula without its value", "a value")
                        workbook.unvalued_formulas.append(fault)
        if self.odd_formats:
            styles = "|".join(self.odd_formats).encode()
            pattern = rb"<" + PREFIX + rb"""c\s[^<>]*?\bs\s*=\s*["'](""" + styles + rb""")["'][^<>]*[^/]>"""
            for match in re.finditer(pattern, xml):
                found = self.odd_formats[match[1].decode()]
                fault = _at("shown_otherwise", title, match[0], found, "a number shown as it is")
                workbook.shown_otherwise.append(fault)
        hidden = self.hidden.setdefault(title, Hidden())
        if b"hidden" in xml:
            for tag in _HIDDEN.findall(xml):
                values = attributes(tag)
                first, last = values.get("min", ""), values.get("max", "")
                if _is_number(values.get("r", "")):
                    hidden.rows.add(int(values["r"]))
                elif _is_number(first) and _is_number(last):
                    hidden.columns.append(range(int(first), int(last) + 1))
        hidden.merged = b"mergeCell " in xml

    def _formulas(self, title: str | None, xml: bytes) -> set[str]:
        """Return the formulas (of cells, formats, messages, names); list those that reach outside."""
        formulas = set()
        for match in _FORMULA.finditer(xml):
            formula = decoded(match[2])
            formulas.add(formula)
            kind = reaches_outside(formula)
            if kind is not None:
                # The place of the cell stands in the tag just before its formula.
                cell = xml.rfind(b"<", 0, match.start()) if match[1] == b"f" else -1
                tag = xml[cell : match.start()] if cell >= 0 else b""
                place = _at("outside", title, tag, "", "")
                self.workbook.outside_references.append(outside(kind, title, place.row, place.column))
        return formulas


def _at(reason: str, title: str | None, cell: bytes, found: str, expected: str) -> Fault:
    """Return a fault of the cell that a text of XML begins with."""
    place = _CELL_PLACE.search(cell)
    row, column = (int(place[2]), place[1].decode().upper()) if place else (None, None)
    return Fault(reason, title, row, column, found, expected)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _odd_formats(styles: bytes) -> dict[str, str]:
    """Return which cell formats show another number than the cell holds, and what they show."""
    codes = {"9": "0%", "10": "0.00%"}
    for tag in _NUMBER_FORMAT.findall(styles):
        values = attributes(tag)
        codes[values.get("numFmtId", "")] = values.get("formatCode", "")
    formats = styles[styles.find(b"cellXfs") : styles.rfind(b"cellXfs")]
    odd = {}
    for number, tag in enumerate(_CELL_FORMAT.findall(formats)):
        code = codes.get(attributes(tag).get("numFmtId", ""))
        found = None if code is None else _shown_by(code)
        if found is not None:
            odd[str(number)] = found
    return odd


def _shown_by(code: str) -> str | None:
    """Return what a number format shows in place of the number, or None."""
    bare = _FORMAT_LITERAL.sub("", code)
    if "%" in bare:
        return "a number shown as a percentage"
    if _FORMAT_IN_THOUSANDS.search(bare):
        return "a number shown in thousands or millions"
    if not _FORMAT_SHOWS.search(bare.partition(";")[0]):
        return "a number that its format hides"
    return None


def _refuse_another_reading(title: str, xml: bytes, plain: _Places | None) -> None:
    """Refuse a sheet that other programs would show otherwise than calamine reads it."""
    _refuse_notes(title, xml)
    expected = "a workbook saved by a spreadsheet program"
    places = _PLACED_CELL.findall(xml) if plain is None else plain[0]
    if len(set(places)) != len(places):
        twice = next(place for place, times in Counter(places).items() if times > 1)
        cell = b'r="%s"' % twice
        raise Unreadable(_at("corrupt", title, cell, "a cell that stands twice", expected))
    start, end = xml.find(b"sheetData"), xml.rfind(b"sheetData")
    found = None
    if len(_TABLE.findall(xml)) > 1 or xml.find(b"AlternateContent", start, end) >= 0:
        found = "more than one table of cells"
    elif _TWO_VALUES.search(xml):
        found = "a cell with two values"
    if found is not None:
        raise Unreadable(Fault("corrupt", title, found=found, expected=expected))


def _refuse_notes(title: str | None, xml: bytes) -> None:
    # Calamine reads a value only up to a comment, and nothing of a CDATA section.
    if b"<!" in xml or xml.count(b"<?") > 1:
        raise Unreadable(
            Fault(
                "xml_trick",
                title,
                found="a comment or a CDATA section between the cells",
                expected="cells as spreadsheets write them",
            )
        )


def _refuse_other_parts(name: str, relations: bytes) -> None:
    """Refuse a workbook whose cells, texts or formats stand in other parts than calamine looks into."""
    if name not in _RELATIONS:
        return
    base = "/xl" if name.startswith("xl/") else "/"
    for tag in RELATION.findall(relations):
        values = attributes(tag)
        wanted = _FIXED_PARTS.get(values.get("Type", "").rpartition("/")[2].lower())
        target = posixpath.normpath(posixpath.join(base, values.get("Target", ""))).lstrip("/")
        if wanted is not None and target.lower() != wanted:
            raise Unreadable(
                Fault(
                    "corrupt",
                    found="parts under names of their own",
                    expected="a workbook saved by a spreadsheet program",
                )
            )


def _references(name: str, xml: bytes) -> Iterator[str]:
    """Yield what a part refers to outside the workbook."""
    for start, kind in _REACHING_PARTS.items():
        if name.startswith(start):
            yield kind
    if b"ddeLink" in xml or b"oleLink" in xml:
        yield PROGRAM
    if not name.endswith(".rels"):
        return
    for tag in RELATION.findall(xml):
        values = {name.lower(): value.lower() for name, value in attributes(tag).items()}
        kind = values.get("type", "").rpartition("/")[2]
        if kind in _REACHING_RELATIONS:
            yield _REACHING_RELATIONS[kind]
        elif values.get("targetmode") == "external" and kind != "hyperlink":
            yield ANOTHER_FILE


def _plain_places(xml: bytes) -> _Places | None:
    """Return the places of all cells and rows, if all are written as most programs write them."""
    cells, rows = _PLAIN_CELL.findall(xml), _PLAIN_ROW.findall(xml)
    return (cells, rows) if len(_CELL_OR_ROW.findall(xml)) == len(cells) + len(rows) else None


def _refuse_large_table(title: str, xml: bytes, limits: Limits, plain: _Places | None) -> None:
    """Refuse a sheet whose filled range is beyond a limit, before it is read.

    A table is made as large as its last filled row and column, however few cells are filled. Cells and rows
    that are there for their looks alone, as far as the sheet reaches, do not count.
    """
    if not (_ends_too_far_down(xml, limits) or _is_too_large(xml, limits, plain)):
        return
    # Cells that do not say where they stand stand behind the others, the empty ones included.
    if not _ends_too_far_down(xml, limits) and len(_CELL.findall(xml)) <= len(_PLACED_CELL.findall(xml)):
        filled = _EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", xml))
        if not _is_too_large(filled, limits, None):
            return
    raise Unreadable(
        Fault(
            "too_large",
            title,
            found="a filled cell far outside the table, or too many of them",
            expected=f"at most {limits.rows} rows, {limits.columns} columns and {limits.cells} cells",
        )
    )


def _ends_too_far_down(xml: bytes, limits: Limits) -> bool:
    """Say whether the last cell with a value stands too far down, which spares a look at all the rest."""
    value = xml.rfind(b"<v>")
    cell = xml.rfind(b"<c ", 0, value) if value >= 0 else -1
    place = _CELL_PLACE.match(xml, xml.find(b" r=", cell, value) + 1) if cell >= 0 else None
    return place is not None and (len(place[2]) > 9 or int(place[2]) > limits.rows)


def _is_too_large(xml: bytes, limits: Limits, plain: _Places | None) -> bool:
    if plain is None:
        letters, digits = set(_PLACE_LETTERS.findall(xml)), set(_PLACE_DIGITS.findall(xml))
    else:
        cells, rows = plain
        letters = {cell.rstrip(_DIGITS) for cell in cells}
        digits = {cell.lstrip(_CAPITALS) for cell in cells}.union(rows)
    # Longer than any place of a limit, and slow to read as a number.
    if any(len(place) > 4 for place in letters) or any(len(place) > 9 for place in digits):
        return True
    width = max((column_index(place.decode()) + 1 for place in letters), default=0)
    height = max(map(int, digits), default=0)
    # Cells and rows that do not say where they stand count as standing behind those that do.
    if plain is None and len(_CELL.findall(xml)) > len(_PLACED_CELL.findall(xml)):
        parts = _ROW.split(xml)
        width += max(len(_CELL.findall(part)) for part in parts)
        height += len(parts) - 1
    return height > limits.rows or width > limits.columns or height * width > limits.cells

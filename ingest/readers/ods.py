"""An OpenDocument spreadsheet: its XML is looked over for traps first, then calamine reads its cells."""

from __future__ import annotations

import html
import math
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote
from xml.parsers import expat

from ingest.limits import Limits
from ingest.readers.facts import MANIFEST, MIMETYPE, FileFacts
from ingest.readers.spreadsheet import (
    ANOTHER_FILE,
    DATA_SOURCE,
    PROGRAM,
    Hidden,
    comments_of,
    note_concealed,
    outside,
    reaches_outside,
    read_sheets,
    refuse_xml_tricks,
    repacked,
    said_in,
)
from ingest.readers.workbook import Fault, Unreadable, Workbook, column_letter

_CONTENT = "content.xml"
_XML = (".xml", ".rdf")

# Calamine knows elements by their prefix, other programs by what the prefix stands for: the two must agree.
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_NAMESPACES = {
    **{name: f"{_ODF}{name}:1.0" for name in ("office", "table", "text", "script", "form", "meta", "style")},
    "draw": f"{_ODF}drawing:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
}
_PREFIXES = {space: name for name, space in _NAMESPACES.items()}
_DECLARED_NAMESPACE = re.compile(rb"""xmlns(?::([^\s=]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_LINE_BREAK = re.compile(rb"<text:line-break\s*(?:/>|>\s*</text:line-break\s*>)")
_TAB = re.compile(rb"<text:tab(?:\s[^<>]*)?(?:/>|>\s*</text:tab\s*>)")

_ROWS_REPEATED = "table:number-rows-repeated"
_VISIBILITY = "table:visibility"
_COLUMNS_REPEATED = "table:number-columns-repeated"
_ROWS_SPANNED = "table:number-rows-spanned"
_COLUMNS_SPANNED = "table:number-columns-spanned"
_VALUE_OF = {
    "float": "office:value",
    "percentage": "office:value",
    "currency": "office:value",
    "date": "office:date-value",
    "time": "office:time-value",
    "boolean": "office:boolean-value",
    "string": "office:string-value",
}
"""Type of a cell -> the attribute that holds its value; a string may stand as text alone."""
_VALUES = tuple(dict.fromkeys(_VALUE_OF.values()))
_ERROR_TEXT = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)\Z|Err:\d{3}\Z")
_FORMULAS = ("table:formula", "table:expression", "table:condition", "style:condition", "calcext:value")
_NUMBERS = ("float", "currency", "percentage")
_WHOLE = re.compile(r"-?[0-9]{1,15}\Z")
_FEWEST_DIGITS = 9
"""Of a number that may stand for a person."""

_WHERE = {
    "office:annotation": "a comment",
    "table:tracked-changes": "a comment",
    "table:scenario": "a comment",
    "table:shapes": "a drawing",
    "table:content-validations": "a message of a cell",
    "style:header": "a header or footer",
    "style:header-left": "a header or footer",
    "style:header-first": "a header or footer",
    "style:footer": "a header or footer",
    "style:footer-left": "a header or footer",
    "style:footer-first": "a header or footer",
}
"""Element -> where the text inside it stands, as a report names it."""
_DRAWN = ("draw:", "dr3d:", "form:", "chart:", "svg:")
_ELSEWHERE = "the document's properties"
_SPACES = ("text:s", "text:tab", "text:line-break")
_SPOKEN = frozenset(
    ("table:title", "table:comment", "table:author", "table:name", "office:name", "office:title",
     "office:author", "draw:name", "draw:text", "form:label", "form:title", "form:value", "form:name",
     "form:current-value", "xlink:title", "text:description", "text:note", "svg:title", "svg:desc",
     "meta:name", "office:target-frame-name")
)  # fmt: skip
"""Attributes that hold words."""
_LINKS = ("text:a", "draw:a", "draw:area-rectangle", "draw:area-circle", "draw:area-polygon", "meta:template")
"""Elements whose target nobody fetches until somebody clicks on it."""
_REACHING = {
    "office:dde-source": PROGRAM,
    "table:dde-link": PROGRAM,
    "text:dde-connection-decl": PROGRAM,
    "office:script": PROGRAM,
    "script:event-listener": PROGRAM,
    "presentation:event-listener": PROGRAM,
    "draw:applet": PROGRAM,
    "draw:plugin": PROGRAM,
    "table:table-source": ANOTHER_FILE,
    "table:cell-range-source": ANOTHER_FILE,
    "text:section-source": ANOTHER_FILE,
    "meta:auto-reload": ANOTHER_FILE,
    "table:source-service": DATA_SOURCE,
    "table:database-source-sql": DATA_SOURCE,
    "table:database-source-table": DATA_SOURCE,
    "table:database-source-query": DATA_SOURCE,
    "form:connection-resource": DATA_SOURCE,
}
"""Elements that stand for something outside the workbook."""
_PROGRAM_TARGET = re.compile(
    r"\s*(?:vnd\.sun\.star\.|macro:|service:|\.uno:|javascript:|vbscript:)", re.IGNORECASE
)
_OUTSIDE_TARGET = re.compile(r"\s*(?:[A-Za-z][\w+.-]*:|/|\\|(?:\./)*\.\.(?:/|\Z))")


def read_ods(path: Path, facts: FileFacts, limits: Limits) -> Workbook:
    """Read every sheet.

    Cells that show an error are listed, formulas are counted (they are read as the value that was last
    calculated), references to the outside are listed. Repeated rows and columns count as if written out, but
    those behind the last filled cell do not count at all. Raises Unreadable for entity tricks, tables that
    are too large, and a workbook that does not open or would lose text if it were read.
    """
    workbook = Workbook([])
    try:
        parts, table_sizes, hidden = _look_over(path, limits, workbook)
        read_sheets(repacked(parts), limits, workbook)
        _compare_sizes(table_sizes, workbook)
        note_concealed(hidden, workbook)
    except Unreadable as error:
        error.titles = workbook.titles
        raise
    return workbook


def _look_over(
    path: Path, limits: Limits, workbook: Workbook
) -> tuple[dict[str, bytes], list[tuple[int, int]], dict[str, Hidden]]:
    """Scan every XML part.

    Return what calamine is to read, (height, width) of each table, and what is hidden of each by its title.
    """
    parts: dict[str, bytes] = {}
    hidden: dict[str, Hidden] = {}
    sizes: list[tuple[int, int]] = []
    with zipfile.ZipFile(path) as archive:
        workbook.loose_text += comments_of(archive)
        for info in archive.infolist():
            name = info.filename
            data = archive.read(info)  # also of parts that are not looked into: damage shows itself
            if name.endswith(_XML):
                refuse_xml_tricks(data)
            if data and name.endswith(_XML):
                if name in (_CONTENT, "styles.xml", "meta.xml"):
                    _refuse_odd_prefixes(data)
                scan = _Scan(workbook, limits, is_content=name == _CONTENT)
                scan.run(data)
                sizes += scan.sizes
                hidden.update(scan.hidden)
            if name == _CONTENT:
                # Calamine leaves out both elements, which would glue words together.
                data = _TAB.sub(b"&#9;", _LINE_BREAK.sub(b"&#10;", data))
            if name in (MIMETYPE, MANIFEST, _CONTENT):
                parts[name] = data
    workbook.loose_text = list(dict.fromkeys(workbook.loose_text))
    return parts, sizes, hidden


def _refuse_odd_prefixes(xml: bytes) -> None:
    for prefix, double, single in _DECLARED_NAMESPACE.findall(xml):
        name = prefix.decode("utf-8", "replace")
        space = html.unescape((double or single).decode("utf-8", "replace")).strip()
        if _NAMESPACES.get(name, space) != space or _PREFIXES.get(space, name) != name:
            raise Unreadable(
                Fault("xml_trick", found="elements under names of their own", expected="the usual prefixes")
            )


def _compare_sizes(sizes: list[tuple[int, int]], workbook: Workbook) -> None:
    """Refuse a workbook of which calamine has read more than the scan has seen."""
    if len(sizes) != len(workbook.sheets) or any(
        len(sheet.header) > width or max(sheet.row_numbers, default=0) > height
        for sheet, (height, width) in zip(workbook.sheets, sizes, strict=True)
    ):
        raise Unreadable(Fault("corrupt", found="sheets that cannot be told apart"))


class _Scan:
    """One pass over a part, element by element, that keeps nothing but what it finds."""

    def __init__(self, workbook: Workbook, limits: Limits, *, is_content: bool) -> None:
        self.workbook = workbook
        self.limits = limits
        self.is_content = is_content
        self.sizes: list[tuple[int, int]] = []
        self.hidden: dict[str, Hidden] = {}
        self.style = ""
        self.hidden_styles: set[str] = set()
        self.characters = 0
        self.depth = 0
        # Of text outside cells: where it stands, how deep that element lies, what was said so far.
        self.where: str | None = None
        self.where_depth = 0
        self.said: list[str] = []
        # Of the table, the row and the cell under way. Rows and columns count from 0 up.
        self.title: str | None = None
        self.height = self.width = 0
        self.columns_declared = 0
        self.row_is_hidden = False
        self.row = self.row_repeats = 0
        self.column = self.column_repeats = 0
        self.row_width = 0
        self.row_characters = 0
        self.cell: dict[str, str] | None = None
        self.shown: list[str] = []
        self.spaces = 0
        self.is_drawn = False

    def run(self, xml: bytes) -> None:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartCdataSectionHandler = _refuse_cdata
        try:
            parser.Parse(xml, True)
        except expat.ExpatError as error:
            raise Unreadable(Fault("corrupt", found="XML that is not whole")) from error

    # --- elements ---

    def _start(self, name: str, values: dict[str, str]) -> None:
        self.depth += 1
        if name == "text:p" or name == "text:span":
            return
        if name == "table:table-cell" or name == "table:covered-table-cell":
            self._begin_cell(values)
        elif name == "table:table-row":
            self.row_repeats = self._repeats(values, _ROWS_REPEATED)
            self.row_is_hidden = values.get(_VISIBILITY, "visible") != "visible"
            self.column = self.row_width = self.row_characters = 0
        elif name in _SPACES:
            (self.shown if self.where is None else self.said).append(" ")
            self.spaces += self._number(values.get("text:c", "1"))
            if self.cell is not None and self.spaces > self.limits.cell_characters:
                raise self._long_cell(self.spaces)
        else:
            self._begin_other(name, values)

    def _end(self, name: str) -> None:
        self.depth -= 1
        if name == "text:p":
            (self.shown if self.where is None else self.said).append("\n")
        elif name == "table:table-cell" or name == "table:covered-table-cell":
            self._end_cell()
        elif name == "table:table-row":
            self._end_row()
        elif name == "table:table" and self.is_content:
            self.sizes.append((self.height, self.width))
            self.title = None
        if self.where is not None and self.depth < self.where_depth:
            self._speak(self.where, "".join(self.said))
            self.where = None

    def _text(self, text: str) -> None:
        if self.where is not None:
            self.said.append(text)
        elif self.cell is not None:
            self.shown.append(text)
        else:
            self._speak(_ELSEWHERE, text)

    def _begin_other(self, name: str, values: dict[str, str]) -> None:
        if name == "table:table" and self.is_content:
            self._begin_table(values)
        elif name == "table:table-column" and self.title is not None:
            first = self.columns_declared + 1
            self.columns_declared += self._repeats(values, _COLUMNS_REPEATED)
            if values.get(_VISIBILITY, "visible") != "visible":
                self.hidden[self.title].columns.append(range(first, self.columns_declared + 1))
        elif name == "style:style":
            self.style = values.get("style:name", "")
        elif name == "style:table-properties" and values.get("table:display") == "false":
            self.hidden_styles.add(self.style)
        elif self.where is None:
            place = _WHERE.get(name) or ("a drawing" if name.startswith(_DRAWN) else None)
            if place is not None:
                self.where, self.where_depth, self.said = place, self.depth, []
                self.is_drawn = self.is_drawn or place == "a drawing"
        if name in _REACHING:
            self._reach(_REACHING[name])
        for key, value in values.items():
            if key == "xlink:href":
                self._follow_not(name, value)
            elif key in _FORMULAS:
                self._judge_formula(value)
            elif (key in _SPOKEN and name != "table:table") or "@" in value:
                self._speak(self.where or _ELSEWHERE, value)

    def _follow_not(self, name: str, target: str) -> None:
        if name in _LINKS:
            self._speak("a link", unquote(target))
            if _PROGRAM_TARGET.match(target):
                self._reach(PROGRAM)
        elif name not in _REACHING and _OUTSIDE_TARGET.match(target):
            self._reach(PROGRAM if _PROGRAM_TARGET.match(target) else ANOTHER_FILE)

    def _speak(self, where: str, text: str) -> None:
        if not text.isspace() and text:
            self.workbook.loose_text.append((where, text.strip()))

    def _reach(self, kind: str) -> None:
        if self.cell is None:
            self.workbook.outside_references.append(outside(kind, self.title))
        else:
            row, column = self._place()
            self.workbook.outside_references.append(outside(kind, self.title, row, column))

    def _judge_formula(self, formula: str) -> None:
        for text in said_in(formula):
            self._speak("a formula or a defined name", text)
        kind = reaches_outside(formula)
        if kind is not None:
            self._reach(kind)

    # --- tables ---

    def _begin_table(self, values: dict[str, str]) -> None:
        if self.title is not None:
            raise Unreadable(Fault("corrupt", self.title, found="a table inside a table"))
        if len(self.sizes) >= self.limits.sheets:
            raise self._too_large(f"more than {self.limits.sheets} sheets", f"at most {self.limits.sheets}")
        self.title = values.get("table:name", "")
        self.workbook.titles = (*self.workbook.titles, self.title)
        self.height = self.width = self.row = self.columns_declared = 0
        whole = values.get("table:style-name") in self.hidden_styles
        self.hidden[self.title] = Hidden(whole=whole)

    def _begin_cell(self, values: dict[str, str]) -> None:
        if self.cell is not None or self.title is None:
            raise Unreadable(Fault("corrupt", self.title, found="a cell outside a row"))
        self.cell = values
        self.column_repeats = self._repeats(values, _COLUMNS_REPEATED)
        self.shown = []
        self.spaces = 0
        self.is_drawn = False
        if values.get(_COLUMNS_SPANNED, "1") != "1" or values.get(_ROWS_SPANNED, "1") != "1":
            self.hidden[self.title].merged = True
        formula = values.get("table:formula")
        if formula is not None:
            counts = self.workbook.formula_counts
            counts[self.title] = counts.get(self.title, 0) + self.column_repeats * self.row_repeats
            self._judge_formula(formula)

    def _end_cell(self) -> None:
        cell = self.cell
        assert cell is not None
        shown = "".join(self.shown).removesuffix("\n") if self.shown else ""
        kind = cell.get("office:value-type")
        if kind is not None or shown.strip() or "table:formula" in cell:
            stored = cell.get("office:string-value")
            self._look_at(cell, kind, shown, stored)
            length = max(len(shown), len(stored or "")) + self.spaces
            if length > self.limits.cell_characters:
                raise self._long_cell(length)
            self.row_characters += length * self.column_repeats
            self.row_width = self.column + self.column_repeats
        self.column += self.column_repeats
        self.cell = None

    def _look_at(self, cell: dict[str, str], kind: str | None, shown: str, stored: str | None) -> None:
        row, column = self._place()
        text = shown.strip()
        if cell.get("calcext:value-type") == "error" or (
            (kind != "string" or "table:formula" in cell) and _ERROR_TEXT.match(text)
        ):
            self.workbook.error_cells.append(
                Fault("error_cell", self.title, row, column, "an error of the spreadsheet", "a value")
            )
            return
        wanted = _VALUE_OF.get(kind or "")
        given = [name for name in _VALUES if name in cell]
        # Programs do not agree on such cells: what one shows, another reads as blank or as something else.
        found = None
        if any(name != wanted for name in given) or (text and not given and kind != "string"):
            found = "a cell whose value is not of its type"
        elif wanted == "office:value" and given and not _is_number(cell["office:value"]):
            found = "a cell whose number is none"
        elif self.is_drawn and kind == "string":
            found = "a drawing in a cell with text"
        if found is not None:
            expected = "a workbook saved by a spreadsheet program"
            raise Unreadable(Fault("corrupt", self.title, row, column, found, expected))
        if kind is None and "table:formula" in cell:
            self._note(self.workbook.unvalued_formulas, "a formula without its value", "a value")
        elif kind in _NUMBERS and given:
            self._compare(kind, cell["office:value"], text)
        differs = kind != "string" or (stored is not None and text.split() != stored.split())
        if differs and (any(map(str.isalpha, text)) or sum(map(str.isdigit, text)) >= _FEWEST_DIGITS):
            self._speak("text shown instead of a value", text)

    def _compare(self, kind: str, value: str, text: str) -> None:
        """Note a number that is shown as another."""
        found = None
        if kind == "percentage":
            found = "a number shown as a percentage"
        elif text != value and _WHOLE.match(text) and abs(int(text) - float(value)) > 0.51:
            found = "a number shown as another one"
        if found is not None:
            self._note(self.workbook.shown_otherwise, found, "a number shown as it is")

    def _note(self, faults: list[Fault], found: str, expected: str) -> None:
        row, column = self._place()
        faults.append(Fault("cell", self.title, row, column, found, expected))

    def _end_row(self) -> None:
        if self.row_width:
            limits = self.limits
            self.height = self.row + self.row_repeats
            if self.row_is_hidden and self.title is not None:
                self.hidden[self.title].rows.update(range(self.row + 1, min(self.height, limits.rows) + 1))
            self.width = max(self.width, self.row_width)
            self.characters += self.row_characters * self.row_repeats
            if (
                self.height > limits.rows
                or self.width > limits.columns
                or self.height * self.width > limits.cells
                or self.characters > limits.unpacked_bytes
            ):
                raise self._too_large(
                    f"{self.height} rows and {self.width} columns with repeated ones written out",
                    f"at most {limits.rows} rows, {limits.columns} columns and {limits.cells} cells",
                )
        self.row += self.row_repeats

    def _place(self) -> tuple[int, str]:
        return self.row + 1, column_letter(self.column)

    def _repeats(self, values: dict[str, str], attribute: str) -> int:
        number = values.get(attribute)
        return 1 if number is None else self._number(number)

    def _number(self, text: str) -> int:
        # None is no number that a spreadsheet writes, and longer digits are slow to read.
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
            raise Unreadable(Fault("corrupt", self.title, self.row + 1, found="a repeat that is no number"))
        return int(text)

    def _too_large(self, found: str, expected: str) -> Unreadable:
        return Unreadable(Fault("too_large", self.title, found=found, expected=expected))

    def _long_cell(self, length: int) -> Unreadable:
        row, column = self._place()
        return Unreadable(
            Fault("too_large", self.title, row, column, f"a cell of {length} characters",
                  f"at most {self.limits.cell_characters} characters")
        )  # fmt: skip


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _refuse_doctype(*_: object) -> None:
    raise Unreadable(Fault("xml_trick", found="a document type or entity", expected="XML without either"))


def _refuse_cdata() -> None:
    # Calamine passes over it: what a person sees in the cell would not be read.
    raise Unreadable(Fault("xml_trick", found="a CDATA section", expected="text as spreadsheets write it"))

"""Writing the annotated copy of an OpenDocument spreadsheet: comments are put into its own content.

Belongs here: the XML of the content. Does not: which cell is said what (annotated.py).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defusedxml import minidom  # type: ignore[import-untyped]

from ingest.spreadsheet_text import writable

if TYPE_CHECKING:
    from ingest.report.annotated import Place, ReportLine

_AUTHOR = "Acceptance"
_CONTENT = "content.xml"
_KEPT = ("mimetype", _CONTENT, "styles.xml", "meta.xml", "settings.xml")
"""Parts of the copy: text, looks and settings. No programs, pictures or embedded files."""
_MANIFEST = "META-INF/manifest.xml"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_NAMESPACES = {
    **{name: f"{_ODF}{name}:1.0" for name in ("office", "table", "text", "style")},
    "fo": f"{_ODF}xsl-fo-compatible:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xlink": "http://www.w3.org/1999/xlink",
}
_REACHING_OUT = (
    "office:scripts", "office:event-listeners", "office:dde-source", "table:dde-links", "table:table-source",
    "table:cell-range-source", "draw:object", "draw:object-ole", "draw:plugin", "draw:applet", "draw:image",
)  # fmt: skip
"""Elements that stand for something outside the cells; they are left out of the copy."""
_CELLS = ("table:table-cell", "table:covered-table-cell")
_ROWS = ("table:table-header-rows", "table:table-rows", "table:table-row-group")
_REPEATED = {"row": "table:number-rows-repeated", "cell": "table:number-columns-repeated"}
_A1 = re.compile(r"([A-Z]+)(\d+)\Z")
_WIDTHS = ("3.6cm", "1.6cm", "5.2cm", "8cm", "11cm")
_STYLES = {
    "title": {"fo:font-weight": "bold", "fo:font-size": "15pt"},
    "rule": {"fo:font-weight": "bold"},
    "head": {"fo:font-weight": "bold"},
    "place": {},
}
_WRAPPED = ("place",)
"""Styles of cells that stand in columns; other texts run on over the blank cells beside them."""


def write_ods(
    own: Path,
    out: Path,
    comments: Mapping[Place, Sequence[str]],
    report_title: str,
    lines: Sequence[ReportLine],
) -> None:
    """Write the body's own spreadsheet with comments and, in front, the report."""
    with zipfile.ZipFile(own) as archive:
        parts = {name: archive.read(name) for name in _KEPT if name in archive.namelist()}
    # No entity is expanded, and a document type is refused: acceptance lets neither through.
    document = minidom.parseString(parts[_CONTENT], forbid_dtd=True)
    content = _Content(document)
    content.drop_what_runs()
    for (title, place), texts in comments.items():
        content.comment(title, place, texts)
    content.put_in_front(report_title, lines)
    parts[_CONTENT] = document.toxml(encoding="UTF-8")
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml"/>'
        for name in parts
        if name != "mimetype"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<manifest:manifest xmlns:manifest="{_ODF}manifest:1.0" manifest:version="1.2">'
        '<manifest:file-entry manifest:full-path="/" '
        'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        f"{listed}</manifest:manifest>"
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        # The type stands first and unpacked, so that programs know the file by its first bytes.
        for name, data in parts.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, compress_type=kind)
        archive.writestr(_MANIFEST, manifest)


class _Content:
    """The content of a spreadsheet, as elements."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.root = document.documentElement
        for prefix, namespace in _NAMESPACES.items():
            self.root.setAttribute(f"xmlns:{prefix}", namespace)
        [self.spreadsheet] = document.getElementsByTagName("office:spreadsheet")
        self.tables = {
            table.getAttribute("table:name"): table for table in _children(self.spreadsheet, ("table:table",))
        }

    def drop_what_runs(self) -> None:
        """Leave formulas out, whose values stay, and everything that reaches outside the workbook."""
        for name in _REACHING_OUT:
            for element in self.document.getElementsByTagName(name):
                element.parentNode.removeChild(element)
        for name in _CELLS:
            for cell in self.document.getElementsByTagName(name):
                if cell.hasAttribute("table:formula"):
                    cell.removeAttribute("table:formula")

    def comment(self, title: str, place: str, texts: Sequence[str]) -> None:
        """Put texts into the comment of a cell, behind what it says already."""
        found = _A1.match(place)
        table = self.tables.get(title)
        if found is None or table is None:
            return
        row = _nth(_rows(table), int(found[2]) - 1, "row")
        cell = None if row is None else _nth(_children(row, _CELLS), _column(found[1]), "cell")
        if cell is None:
            cell = self._appended(table, row, int(found[2]) - 1, _column(found[1]))
        note = next(_children(cell, ("office:annotation",)), None)
        if note is None:
            note = self.element("office:annotation", {"office:display": "false"})
            note.appendChild(self.element("dc:creator", text=_AUTHOR))
            cell.insertBefore(note, cell.firstChild)
        for text in texts:
            for line in writable(text).splitlines():
                note.appendChild(self.element("text:p", text=line))

    def _appended(self, table: Any, row: Any, row_place: int, column: int) -> Any:
        """Return a new cell behind the last row or cell that is written out."""
        if row is None:
            missing = row_place - sum(_count(each, "row") for each in _rows(table))
            if missing > 0:
                table.appendChild(self.element("table:table-row", {_REPEATED["row"]: str(missing)}))
            row = table.appendChild(self.element("table:table-row"))
        missing = column - sum(_count(each, "cell") for each in _children(row, _CELLS))
        if missing > 0:
            row.appendChild(self.element("table:table-cell", {_REPEATED["cell"]: str(missing)}))
        return row.appendChild(self.element("table:table-cell"))

    def put_in_front(self, title: str, lines: Sequence[ReportLine]) -> None:
        """Write the report as the first sheet."""
        self._add_styles()
        table = self.element("table:table", {"table:name": title})
        for place in range(len(_WIDTHS)):
            style = {"table:style-name": f"report-column-{place}"}
            table.appendChild(self.element("table:table-column", style))
        for line in lines:
            table.appendChild(self._line(line))
        first = next(_children(self.spreadsheet, ("table:table",)), None)
        self.spreadsheet.insertBefore(table, first)

    def _line(self, line: ReportLine) -> Any:
        row = self.element("table:table-row")
        style = {"table:style-name": f"report-{line.style if line.style in _STYLES else 'told'}"}
        for place, value in enumerate(line.cells):
            attributes = dict(style)
            if value is None or value == "":
                row.appendChild(self.element("table:table-cell", attributes))
                continue
            if isinstance(value, int):
                attributes |= {"office:value-type": "float", "office:value": str(value)}
            else:
                attributes |= {"office:value-type": "string"}
            cell = row.appendChild(self.element("table:table-cell", attributes))
            paragraph = cell.appendChild(self.element("text:p"))
            text = self.document.createTextNode(str(value))
            if place == 0 and line.leads_to is not None:
                target = f"#{_quoted(line.leads_to[0])}.{line.leads_to[1]}"
                link = {"xlink:type": "simple", "xlink:href": target}
                paragraph = paragraph.appendChild(self.element("text:a", link))
            paragraph.appendChild(text)
        return row

    def _add_styles(self) -> None:
        styles = next(_children(self.root, ("office:automatic-styles",)), None)
        if styles is None:
            body = next(_children(self.root, ("office:body",)))
            styles = self.root.insertBefore(self.element("office:automatic-styles"), body)
        for place, width in enumerate(_WIDTHS):
            named = {"style:name": f"report-column-{place}", "style:family": "table-column"}
            column = styles.appendChild(self.element("style:style", named))
            column.appendChild(self.element("style:table-column-properties", {"style:column-width": width}))
        for name in ("told", *_STYLES):
            named = {"style:name": f"report-{name}", "style:family": "table-cell"}
            style = styles.appendChild(self.element("style:style", named))
            wrapped = {"fo:wrap-option": "wrap" if name in _WRAPPED else "no-wrap"}
            style.appendChild(
                self.element("style:table-cell-properties", {**wrapped, "style:vertical-align": "top"})
            )
            style.appendChild(self.element("style:paragraph-properties", {"fo:text-align": "start"}))
            style.appendChild(self.element("style:text-properties", _STYLES.get(name, {})))

    def element(self, name: str, attributes: Mapping[str, str] | None = None, *, text: str = "") -> Any:
        """Return a new element."""
        made = self.document.createElement(name)
        for key, value in (attributes or {}).items():
            made.setAttribute(key, value)
        if text:
            made.appendChild(self.document.createTextNode(text))
        return made


def _children(parent: Any, names: Sequence[str]) -> Iterator[Any]:
    for child in list(parent.childNodes):
        if child.nodeName in names:
            yield child


def _rows(parent: Any) -> Iterator[Any]:
    for child in _children(parent, ("table:table-row", *_ROWS)):
        if child.nodeName == "table:table-row":
            yield child
        else:
            yield from _rows(child)


def _count(element: Any, what: str) -> int:
    return int(element.getAttribute(_REPEATED[what]) or 1)


def _nth(elements: Iterator[Any], place: int, what: str) -> Any:
    """Return the element that stands at a place, cut out of a run of repeated ones; None behind the last."""
    before = 0
    for element in elements:
        count = _count(element, what)
        if place < before + count:
            _set_count(element, count, what, place - before)
            return element
        before += count
    return None


def _set_count(element: Any, count: int, what: str, place: int) -> None:
    """Leave one of a run in `element`, with copies for what stood before and after it."""
    if count == 1:
        return
    element.removeAttribute(_REPEATED[what])
    for number, neighbour in ((place, element), (count - place - 1, element.nextSibling)):
        if number:
            copy = element.cloneNode(True)
            if number > 1:
                copy.setAttribute(_REPEATED[what], str(number))
            element.parentNode.insertBefore(copy, neighbour)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _quoted(title: str) -> str:
    return title if title.isidentifier() else "'" + title.replace("'", "''") + "'"

"""What an Excel workbook says outside its cells, part by part. No markup is expanded or followed."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from urllib.parse import unquote

from ingest.readers.spreadsheet import said_in

PREFIX = rb"(?:[^\s<>/:]+:)?"
"""What may stand before the name of an element. Calamine reads elements under any prefix."""
RELATION = re.compile(rb"<" + PREFIX + rb"Relationship\s[^<>]*>")
SHEET = re.compile(rb"<" + PREFIX + rb"sheet\s[^<>]*>")

_ATTRIBUTE = re.compile(rb"""([^\s<>"'=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_SPOKEN = re.compile(
    rb"""\s(?:descr|title|name|displayName|userId|userName|user|author|alt|prompt|promptTitle|error|errorTitle|"""
    rb"""display|tooltip|caption|comment|text|description|help|statusBar|formatCode|url|codeName|"""
    rb"""totalsRowLabel|securityDescriptor|uniqueName|sourceName|location)\s*=\s*(?:"([^"]*)"|'([^']*)')"""
)
_ADDRESS = re.compile(rb"""\s[^\s<>"'=]+\s*=\s*(?:"([^"]*(?:@|%40)[^"]*)"|'([^']*(?:@|%40)[^']*)')""")
_MESSAGE = re.compile(rb"<" + PREFIX + rb"(?:dataValidation|hyperlink)\s[^<>]*>")
_FILTER = re.compile(
    rb"<" + PREFIX + rb"""(?:filter|customFilter)\s[^<>]*?\bval\s*=\s*(?:"([^"]*)"|'([^']*)')"""
)
_DEFINED_NAME = re.compile(rb"<" + PREFIX + rb"definedName\s[^<>]*>[^<]*</" + PREFIX + rb"definedName\s*>")
_PAGE_TEXT = re.compile(rb"<" + PREFIX + rb"(?:odd|even|first)(?:Header|Footer)(?:\s[^<>]*)?>([^<]*)<")
_PAGE_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|\d+|.)')
_RUN = re.compile(rb"<" + PREFIX + rb"(?:t|text)(?:\s[^<>]*)?>([^<]*)<")
_SOUND = re.compile(
    rb"<" + PREFIX + rb"rPh(?:\s[^<>]*)?>\s*<" + PREFIX + rb"t(?:\s[^<>]*)?>([^<]*)</" + PREFIX + rb"t\s*>"
)
_END_OF_SHARED = re.compile(rb"</" + PREFIX + rb"si\s*>")
_NODE = re.compile(rb">([^<]*[^<\s][^<]*)<")
_IDENTIFIER = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")
_CONTROL = re.compile(r"_x([0-9A-Fa-f]{4})_")

LEFT_OVER = "text left over from former cells"
_PROPERTIES = "the document's properties"
_WHERE = {
    "xl/comments": "a comment",
    "xl/threadedcomments": "a comment",
    "xl/persons": "a comment",
    "xl/drawings": "a drawing",
    "xl/charts": "a drawing",
    "xl/diagrams": "a drawing",
    "xl/tables": "a table or slicer",
    "xl/slicer": "a table or slicer",
    "xl/timeline": "a table or slicer",
    "xl/pivottables": "a table or slicer",
}
"""Start of a part's name, in lower case -> where its text stands, as a report names it."""


def attributes(tag: bytes) -> dict[str, str]:
    """Return name -> value of a tag, the names without their prefixes."""
    return {
        decoded(name).rpartition(":")[2]: decoded(double or single)
        for name, double, single in _ATTRIBUTE.findall(tag)
    }


def decoded(text: bytes) -> str:
    """Return the text that stands in XML as bytes of UTF-8."""
    return html.unescape(text.decode("utf-8", "replace"))


def texts_of_relations(xml: bytes) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of the targets outside the workbook, which links point at."""
    for tag in RELATION.findall(xml):
        if b"External" in tag:
            yield "a link", unquote(attributes(tag).get("Target", ""))


def texts_of_sheet(xml: bytes, formulas: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of what a worksheet says outside its cells, and of the words in its formulas."""
    for formula in formulas:
        yield from (("a formula or a defined name", text) for text in said_in(formula))
    start, end = xml.find(b"sheetData"), xml.rfind(b"sheetData")
    around, cells = xml[:start] + xml[end:], xml[start:end]
    if b"eader" in around or b"ooter" in around:
        for text in _PAGE_TEXT.findall(around):
            yield "a header or footer", _PAGE_CODE.sub(" ", decoded(text))
    for tag in _MESSAGE.findall(around):
        yield from (("a message of a cell", text) for text in _values(_SPOKEN, tag))
    for pattern in (_SPOKEN, _FILTER, _ADDRESS):
        yield from (("a setting of a sheet", text) for text in _values(pattern, _MESSAGE.sub(b"", around)))
    if b"@" in cells or b"%40" in cells:
        yield from (("a setting of a sheet", text) for text in _values(_ADDRESS, cells))
    yield from sounds(cells)


def texts_of_part(name: str, xml: bytes, formulas: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of everything that another part says. `name` is in lower case."""
    where = next((place for start, place in _WHERE.items() if name.startswith(start)), _PROPERTIES)
    if formulas:
        for formula in formulas:
            yield from (("a formula or a defined name", text) for text in said_in(formula))
        for tag in _DEFINED_NAME.findall(xml):
            yield from (("a formula or a defined name", text) for text in _values(_SPOKEN, tag))
        xml = _DEFINED_NAME.sub(b"", xml)
    for text in _NODE.findall(xml):
        yield where, _IDENTIFIER.sub("", decoded(text))
    # The titles of the sheets are looked at as such.
    for pattern in (_SPOKEN, _FILTER, _ADDRESS):
        yield from ((where, _IDENTIFIER.sub("", text)) for text in _values(pattern, SHEET.sub(b"", xml)))
    # Words that are written in several fonts stand in several runs.
    yield where, "".join(map(decoded, _RUN.findall(xml)))


def shared_strings(xml: bytes) -> Iterator[str]:
    """Yield the texts that cells may refer to, each as a cell would show it."""
    for entry in _END_OF_SHARED.split(xml)[:-1]:
        text = "".join(map(decoded, _RUN.findall(_SOUND.sub(b"", entry))))
        yield _CONTROL.sub(lambda code: chr(int(code[1], 16)), text)


def sounds(xml: bytes) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of notes on how words are spoken, which no cell shows."""
    if b"rPh" in xml:
        for sound in _SOUND.findall(xml):
            yield LEFT_OVER, decoded(sound)


def _values(pattern: re.Pattern[bytes], xml: bytes) -> Iterator[str]:
    for double, single in pattern.findall(xml):
        yield decoded(double or single)

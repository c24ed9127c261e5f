"""The workbook as ODS, its XML written straight through: marked ranges, frozen headers, same bytes always.

Belongs here: cells and looks. Does not belong here: what stands in a cell (`spreadsheets`).

odfpy builds a tree of objects and takes 2 seconds for 2,400 rows of 21 columns, and dates the archive by the
clock; a cell of a table is two short tags, so they are written as text. OpenDocument 1.2, part 1.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape

from reports.release.spreadsheets import Line, Link, Sheet, SheetColumn, Value, Workbook, lines_needed
from reports.release.xlsx import fit_for_xml, zip_entry

MEDIA_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
        "number": "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0",
        "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
        "config": "urn:oasis:names:tc:opendocument:xmlns:config:1.0",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xlink": "http://www.w3.org/1999/xlink",
        "ooo": "http://openoffice.org/2004/office",
    }.items()
)
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: One character of the sheets' font at 12 points, in centimetres.
_CHARACTER = 0.235
_LINE_HEIGHT = 0.55
_MOST_LINES = 40
# away from the text of the next column
_HEADER = 'fo:wrap-option="wrap" fo:border-bottom="1.5pt solid #000000"'
_AWAY = 'fo:padding-right="0.25cm"'
_RUN_OF_SPACES = re.compile("(^ +| {2,}| +$)")


def ods_bytes(book: Workbook) -> bytes:
    """The workbook as the bytes of an ODS file."""
    parts = {
        "content.xml": _content(book),
        "styles.xml": _styles(book),
        "meta.xml": _meta(book),
        "settings.xml": _settings(book),
        "META-INF/manifest.xml": _manifest(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        # first and not compressed, so that the kind of file can be read off its first bytes
        archive.writestr(zip_entry("mimetype", stored=True), MEDIA_TYPE)
        for name, text in parts.items():
            archive.writestr(zip_entry(name), text.encode("utf-8"))
    return out.getvalue()


# --- content


def _content(book: Workbook) -> str:
    widths = sorted({width for sheet in book.sheets for width in _widths(sheet)})
    out = [
        f'{_DECLARATION}<office:document-content {_NAMESPACES} office:version="1.2">',
        "<office:automatic-styles>",
        *(
            f'<style:style style:name="width{width}" style:family="table-column">'
            f'<style:table-column-properties style:column-width="{width * _CHARACTER:.2f}cm"/></style:style>'
            for width in widths
        ),
        *(
            f'<style:style style:name="row{lines}" style:family="table-row"><style:table-row-properties'
            f' style:row-height="{lines * _LINE_HEIGHT + 0.04:.2f}cm" style:use-optimal-row-height="true"/>'
            "</style:style>"
            for lines in range(1, _MOST_LINES + 1)
        ),
        '<style:style style:name="heading_row" style:family="table-row"><style:table-row-properties'
        ' style:row-height="1.05cm" style:use-optimal-row-height="false"/></style:style>',
        '<style:style style:name="sheet" style:family="table" style:master-page-name="Default">'
        '<style:table-properties table:display="true"/></style:style>',
        '<style:style style:name="table_sheet" style:family="table" style:master-page-name="Wide">'
        '<style:table-properties table:display="true"/></style:style>',
        "</office:automatic-styles><office:body><office:spreadsheet>",
    ]
    for sheet in book.sheets:
        out.extend(_sheet(sheet))
    out.append("<table:database-ranges>")
    out.extend(_marked_range(sheet) for sheet in book.sheets if sheet.columns)
    out.append("</table:database-ranges></office:spreadsheet></office:body></office:document-content>\n")
    return "".join(out)


def _widths(sheet: Sheet) -> tuple[int, ...]:
    return tuple(column.width for column in sheet.columns) or (sheet.width,)


def _sheet(sheet: Sheet) -> Iterator[str]:
    style = "table_sheet" if sheet.columns else "sheet"
    yield f'<table:table table:name="{_attribute(sheet.name)}" table:style-name="{style}">'
    for width in _widths(sheet):
        yield f'<table:table-column table:style-name="width{width}" table:default-cell-style-name="Default"/>'
    for line in sheet.lines:
        lines = 1 if sheet.columns else lines_needed(line.text, sheet.width)
        start = _row(lines) if line.role == "text" else '<table:table-row table:style-name="heading_row">'
        yield f"{start}{_line_cell(line, is_wrapped=not sheet.columns)}{_ROW_END}"
    if sheet.columns:
        yield f"<table:table-header-rows>{_row(sheet.header_lines_high)}"
        for column in sheet.columns:
            yield _text_cell("number_header" if column.is_number else "table_header", column.heading)
        yield f"{_ROW_END}</table:table-header-rows>"
        for row in sheet.rows:
            yield _row(sheet.lines_high(row))
            for column, value in zip(sheet.columns, row, strict=True):
                yield _cell(column, value)
            yield _ROW_END
    yield "</table:table>"


_ROW_END = "</table:table-row>"


def _row(lines: int) -> str:
    return f'<table:table-row table:style-name="row{min(lines, _MOST_LINES)}">'


_LINE_STYLES = {"title": "Heading_20_1", "heading": "Heading_20_2", "text": "Default"}


def _line_cell(line: Line, *, is_wrapped: bool) -> str:
    if line.sheet is not None:
        return _link_cell(f"#{line.sheet}.A1", line.text)
    if line.address is not None:
        return _link_cell(line.address, line.text)
    style = _LINE_STYLES[line.role]
    return _text_cell("wrapped" if is_wrapped and style == "Default" else style, line.text)


def _cell(column: SheetColumn, value: Value | Link) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, Link):
        return _link_cell(f"#{value.sheet}.A1", value.text)
    if isinstance(value, bool):
        truth = "true" if value else "false"
        return (
            f'<table:table-cell table:style-name="boolean" office:value-type="boolean"'
            f' office:boolean-value="{truth}"><text:p>{truth.upper()}</text:p></table:table-cell>'
        )
    if isinstance(value, int | float):
        shown = f"{value:,}" if column.kind == "count" else repr(value)
        return (
            f'<table:table-cell table:style-name="{column.kind}" office:value-type="float"'
            f' office:value="{value!r}"><text:p>{shown}</text:p></table:table-cell>'
        )
    if isinstance(value, dt.date):
        return (
            f'<table:table-cell table:style-name="date" office:value-type="date"'
            f' office:date-value="{value.isoformat()}"><text:p>{value.isoformat()}</text:p>'
            "</table:table-cell>"
        )
    if column.kind != "text":
        return _text_cell("shorthand", value)
    return _text_cell("wrapped" if column.is_wrapped else "Default", value)


def _text_cell(style: str, text: str) -> str:
    return (
        f'<table:table-cell table:style-name="{style}" office:value-type="string">{_paragraphs(text)}'
        "</table:table-cell>"
    )


def _link_cell(address: str, text: str) -> str:
    return (
        '<table:table-cell table:style-name="Hyperlink" office:value-type="string"><text:p>'
        f'<text:a xlink:type="simple" xlink:href="{_attribute(address)}">{_run(text)}</text:a></text:p>'
        "</table:table-cell>"
    )


@cache
def _paragraphs(text: str) -> str:
    return "".join(f"<text:p>{_run(line)}</text:p>" for line in text.split("\n"))


def _run(text: str) -> str:
    plain = escape(fit_for_xml(text), quote=False).replace("\t", "<text:tab/>")
    return _RUN_OF_SPACES.sub(lambda found: f'<text:s text:c="{len(found[0])}"/>', plain)


def _marked_range(sheet: Sheet) -> str:
    name, right = _attribute(sheet.name), column_letters(len(sheet.columns) - 1)
    first, last = sheet.header_row + 1, sheet.header_row + 1 + len(sheet.rows)
    buttons = "true" if sheet.has_filter else "false"
    return (
        f'<table:database-range table:name="{_attribute(sheet.table_name)}"'
        f' table:target-range-address="{name}.A{first}:{name}.{right}{last}"'
        f' table:contains-header="true" table:display-filter-buttons="{buttons}"/>'
    )


def column_letters(place: int) -> str:
    """The letters of a column counted from 0: A, Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


# --- the other parts


def _styles(book: Workbook) -> str:
    language, _, country = book.language.partition("-")
    font = (
        'fo:font-family="Arial" style:font-family-generic="swiss" fo:font-size="12pt"'
        f' fo:language="{language}" fo:country="{country}"'
    )
    cells = {
        "wrapped": ('fo:wrap-option="wrap"', "", ""),
        "table_header": (_HEADER, "", 'fo:font-weight="bold"'),
        "number_header": (
            f'{_HEADER} style:text-align-source="fix" {_AWAY}', 'fo:text-align="end"',
            'fo:font-weight="bold"'),
        "shorthand": (f'style:text-align-source="fix" {_AWAY}', 'fo:text-align="end"', ""),
    }  # fmt: skip
    numbers = {
        "count": '<number:number-style style:name="n_count"><number:number number:decimal-places="0"'
        ' number:min-integer-digits="1" number:grouping="true"/></number:number-style>',
        "integer": '<number:number-style style:name="n_integer"><number:number number:decimal-places="0"'
        ' number:min-integer-digits="1"/></number:number-style>',
        "number": '<number:number-style style:name="n_number"><number:number number:min-integer-digits="1"/>'
        "</number:number-style>",
        "boolean": '<number:boolean-style style:name="n_boolean"><number:boolean/></number:boolean-style>',
        "date": '<number:date-style style:name="n_date"><number:year number:style="long"/>'
        '<number:text>-</number:text><number:month number:style="long"/>'
        '<number:text>-</number:text><number:day number:style="long"/>'
        "</number:date-style>",
    }
    out = [
        f'{_DECLARATION}<office:document-styles {_NAMESPACES} office:version="1.2"><office:styles>',
        f'<style:default-style style:family="table-cell"><style:text-properties {font}/>'
        "</style:default-style>",
        '<style:style style:name="Default" style:family="table-cell">'
        f'<style:table-cell-properties style:vertical-align="top"/><style:text-properties {font}/>'
        "</style:style>",
        '<style:style style:name="Heading_20_1" style:display-name="Heading 1" style:family="table-cell"'
        ' style:parent-style-name="Default"><style:table-cell-properties style:vertical-align="middle"/>'
        '<style:text-properties fo:font-size="16pt" fo:font-weight="bold"/>'
        "</style:style>",
        '<style:style style:name="Heading_20_2" style:display-name="Heading 2" style:family="table-cell"'
        ' style:parent-style-name="Default"><style:table-cell-properties style:vertical-align="bottom"/>'
        '<style:text-properties fo:font-size="14pt" fo:font-weight="bold"/>'
        "</style:style>",
        '<style:style style:name="Hyperlink" style:family="table-cell" style:parent-style-name="Default">'
        '<style:text-properties fo:color="#0b5394" style:text-underline-style="solid"/></style:style>',
    ]
    for name, (cell, paragraph, text) in cells.items():
        out.append(
            f'<style:style style:name="{name}" style:family="table-cell" style:parent-style-name="Default">'
            f"<style:table-cell-properties {cell}/>"
            + (f"<style:paragraph-properties {paragraph}/>" if paragraph else "")
            + (f"<style:text-properties {text}/>" if text else "")
            + "</style:style>"
        )
    for kind, number_format in numbers.items():
        is_text = kind in ("boolean", "date")
        align = f'<style:paragraph-properties fo:text-align="{"start" if is_text else "end"}"/>'
        out.append(
            f'{number_format}<style:style style:name="{kind}" style:family="table-cell"'
            f' style:parent-style-name="Default" style:data-style-name="n_{kind}">'
            f'<style:table-cell-properties style:text-align-source="fix"{"" if is_text else f" {_AWAY}"}/>'
            f"{align}</style:style>"
        )
    out.append("</office:styles><office:automatic-styles>")
    for name, width, height, orientation in (
        ("page", "21cm", "29.7cm", "portrait"),
        ("wide_page", "29.7cm", "21cm", "landscape"),
    ):
        out.append(
            f'<style:page-layout style:name="{name}"><style:page-layout-properties fo:page-width="{width}"'
            f' fo:page-height="{height}" style:print-orientation="{orientation}" fo:margin="1cm"'
            ' style:scale-to-X="1" style:scale-to-Y="0" style:print-page-order="ttb"/></style:page-layout>'
        )
    out.append(
        "</office:automatic-styles><office:master-styles>"
        '<style:master-page style:name="Default" style:page-layout-name="page"/>'
        '<style:master-page style:name="Wide" style:page-layout-name="wide_page"/>'
        "</office:master-styles></office:document-styles>\n"
    )
    return "".join(out)


def _meta(book: Workbook) -> str:
    moment = f"{book.created.isoformat()}T00:00:00"
    elements: Iterable[tuple[str, str]] = (
        ("dc:title", book.title),
        ("dc:subject", book.subject),
        ("dc:description", book.description),
        ("meta:initial-creator", book.publisher),
        ("dc:creator", book.publisher),
        ("meta:creation-date", moment),
        ("dc:date", moment),
        ("dc:language", book.language),
        *(("meta:keyword", word) for word in book.keywords),
    )
    return (
        f'{_DECLARATION}<office:document-meta {_NAMESPACES} office:version="1.2"><office:meta>'
        + "".join(f"<{name}>{escape(text, quote=False)}</{name}>" for name, text in elements)
        + "</office:meta></office:document-meta>\n"
    )


def _settings(book: Workbook) -> str:
    """Where each sheet is frozen: beneath its header."""
    sheets = "".join(
        f'<config:config-item-map-entry config:name="{_attribute(sheet.name)}">'
        + "".join(
            f'<config:config-item config:name="{name}" config:type="{kind}">{value}</config:config-item>'
            for name, kind, value in (
                ("HorizontalSplitMode", "short", 0),
                ("VerticalSplitMode", "short", 2),
                ("HorizontalSplitPosition", "int", 0),
                ("VerticalSplitPosition", "int", sheet.header_row + 1),
                ("ActiveSplitRange", "short", 2),
                ("PositionTop", "int", 0),
                ("PositionBottom", "int", sheet.header_row + 1),
            )
        )
        + "</config:config-item-map-entry>"
        for sheet in book.sheets
        if sheet.columns
    )
    return (
        f'{_DECLARATION}<office:document-settings {_NAMESPACES} office:version="1.2"><office:settings>'
        '<config:config-item-set config:name="ooo:view-settings"><config:config-item-map-indexed'
        ' config:name="Views"><config:config-item-map-entry>'
        '<config:config-item config:name="ViewId" config:type="string">view1</config:config-item>'
        f'<config:config-item-map-named config:name="Tables">{sheets}</config:config-item-map-named>'
        f'<config:config-item config:name="ActiveTable" config:type="string">'
        f"{escape(book.sheets[0].name)}</config:config-item>"
        "</config:config-item-map-entry></config:config-item-map-indexed></config:config-item-set>"
        "</office:settings></office:document-settings>\n"
    )


def _manifest() -> str:
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{kind}"/>'
        for name, kind in (
            ("content.xml", "text/xml"),
            ("styles.xml", "text/xml"),
            ("meta.xml", "text/xml"),
            ("settings.xml", "text/xml"),
        )
    )
    return (
        f"{_DECLARATION}<manifest:manifest"
        ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:version="1.2"'
        f' manifest:media-type="{MEDIA_TYPE}"/>{entries}</manifest:manifest>\n'
    )


def _attribute(text: str) -> str:
    return escape(fit_for_xml(text))

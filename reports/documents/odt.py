"""A finished page of HTML as an ODT file that people can open, read aloud and work on.

Belongs here: which parts of a page reach the file, and its bytes. Does not belong here: what the page says.
Headings become real headings, tables repeat their header row on every page, pictures are PNG with their text
alternative.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.dom import minidom
from xml.sax.saxutils import quoteattr

#: Width of a picture in the file, in CSS pixels: the text of an A4 page with pandoc's margins.
_PICTURE_WIDTH = 600
#: Characters of a cell beyond which a column gets no wider.
_LONG_TEXT = 36
_VOID = frozenset({"br", "hr", "img", "col"})
#: Elements of which only the content is kept, and elements that are left out with theirs.
_UNWRAPPED = frozenset(
    {"figure", "figcaption", "picture", "details", "summary", "main", "section", "div", "span", "body"}
)
_LEFT_OUT = frozenset(
    {"head", "script", "style", "source", "svg", "iframe", "object", "embed", "link", "meta"}
)
_KEPT = frozenset(
    {
        "h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "table", "caption", "thead",
        "tbody", "tr", "th", "td", "a", "strong", "em", "b", "i", "code", "br", "hr", "dl", "dt", "dd", "img",
        "sup", "sub",
    }
)  # fmt: skip
#: A4, with margins that leave room for tables of many columns.
_PAGE = {
    "fo:page-width": "210mm", "fo:page-height": "297mm", "fo:margin-left": "18mm", "fo:margin-right": "18mm",
    "fo:margin-top": "12mm", "fo:margin-bottom": "12mm",
}  # fmt: skip
_MARKED = {"fo:font-weight": "bold", "fo:color": "#6f0f1c", "fo:font-size": "9pt"}
_TYPE = {
    "Marking": _MARKED,
    "Footer": {"fo:font-size": "8pt"},
    "Standard": {"fo:font-size": "10.5pt"},
    "Table_20_Contents": {"fo:font-size": "8.5pt"},
    "Table_20_Heading": {"fo:font-size": "8.5pt", "fo:font-weight": "bold", "fo:font-style": "normal"},
    "Table": {"fo:font-size": "9.5pt", "fo:font-weight": "bold", "fo:font-style": "normal"},
}
_LINES = {"TableHeaderRowCell": "0.9pt solid #0b0c0c", "TableRowCell": "0.5pt solid #b1b4b6"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def odt_of(
    html: str,
    *,
    title: str,
    language: str = "en-GB",
    dated: dt.date = dt.date(2000, 1, 1),
    marking: str | None = None,
    footer: str = "",
) -> bytes:
    """The page as the bytes of an ODT file; the same page gives the same bytes.

    `marking` stands at the top of every page, `footer` at its foot beside the page number. `dated` is written
    into the file's properties. Pictures must be `data:` addresses (SVG or PNG). Raises ValueError for any
    other picture and for a picture without a text alternative.
    """
    import pypandoc
    import tinyhtml5

    root: Any = tinyhtml5.parse(html, namespace_html_elements=False)
    alternatives: list[str] = []
    body = "".join(_cleaned(root, alternatives))
    with TemporaryDirectory(prefix="vcc-odt-") as folder:
        path = Path(folder) / "page.odt"
        # In its sandbox pandoc reads and loads nothing but what it is handed.
        pypandoc.convert_text(
            f"<html><body>{body}</body></html>",
            "odt",
            format="html",
            outputfile=str(path),
            extra_args=["--sandbox"],
        )
        return _finished(path, title, language, dated, marking, footer, alternatives)


# --- the page ----------------------------------------------------------------------------------------------


def _cleaned(element: Any, alternatives: list[str]) -> Iterator[str]:
    """The element as HTML that pandoc makes the right things of; the text after it is left to its parent."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _LEFT_OUT:
        return
    classes = str(element.get("class") or "").split()
    if tag == "img":
        yield _picture(element, alternatives)
        return
    if tag in _VOID:
        yield f"<{tag}>"
        return
    is_kept = tag in _KEPT and "marking" not in classes
    if "marking" in classes:
        return  # it stands in the header of every page
    if is_kept:
        yield f"<{tag}{_attributes(element, tag, classes)}>"
    elif tag in ("div", "summary", "figcaption") and (element.text or "").strip():
        yield "<p>"
    yield escape(_CONTROL.sub("", element.text or ""))
    if tag == "table" and element.find("caption") is None:
        yield _columns(element)
    for child in element:
        yield from _cleaned(child, alternatives)
        if child.tag == "caption":
            yield _columns(element)  # only here may it stand
        yield escape(_CONTROL.sub("", child.tail or ""))
    if is_kept:
        yield f"</{tag}>"
    elif tag in ("div", "summary", "figcaption") and (element.text or "").strip():
        yield "</p>"


def _attributes(element: Any, tag: str, classes: list[str]) -> str:
    if tag == "a":
        href = str(element.get("href") or "")
        return f' href="{escape(href)}"' if href.startswith(("https://", "http://", "mailto:")) else ""
    if tag in ("th", "td"):
        is_number = any("numeric" in name or name == "number" for name in classes)
        side = "right" if is_number else "left"
        spans = "".join(
            f' {name}="{int(element.get(name))}"'
            for name in ("colspan", "rowspan")
            if str(element.get(name) or "").isdigit()
        )
        return f' style="text-align: {side}"{spans}'
    return ""


def _columns(table: Any) -> str:
    """Widths by what stands in the columns: words are not broken, long texts share what is left."""
    wanted: list[float] = []
    for row in table.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("th", "td")]
        for place, cell in enumerate(cells):
            words = "".join(cell.itertext()).split()
            # Capitals and digits of a heading or a figure are wide; a long text may take several lines.
            need = max(max(map(len, words), default=0) + 4.5, min(len(" ".join(words)), _LONG_TEXT) * 0.8)
            if place == len(wanted):
                wanted.append(need)
            else:
                wanted[place] = max(wanted[place], need)
    if len(wanted) < 2:
        return ""
    total = sum(wanted)
    return (
        "<colgroup>"
        + "".join(f'<col style="width: {100 * need / total:.2f}%">' for need in wanted)
        + "</colgroup>"
    )


def _picture(element: Any, alternatives: list[str]) -> str:
    alternative = str(element.get("alt") or "").strip()
    if not alternative:
        raise ValueError("A picture has no text alternative; give every picture of the page an alt text.")
    content, width, height = _png(str(element.get("src") or ""))
    shown = min(width, _PICTURE_WIDTH)
    alternatives.append(alternative)
    address = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
    return (
        f'<p><img src="{address}" alt={quoteattr(alternative)} width="{shown}"'
        f' height="{round(height * shown / width)}"></p>'
    )


def _png(source: str) -> tuple[bytes, int, int]:
    """A picture's bytes as PNG, and its size in CSS pixels."""
    head, comma, data = source.partition(",")
    kind = head.removeprefix("data:").split(";")[0]
    if not source.startswith("data:image/") or not comma or kind not in ("image/svg+xml", "image/png"):
        raise ValueError(
            f"The page shows the picture {source[:60]!r}; put pictures into the page as data: (SVG or PNG)."
        )
    raw = base64.b64decode(data) if head.endswith(";base64") else unquote_to_bytes(data)
    scale = 1
    if kind == "image/svg+xml":
        import vl_convert

        scale = 2
        raw = bytes(vl_convert.svg_to_png(raw.decode("utf-8"), scale=scale))
    if raw[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("A picture that says it is PNG is none; make it again.")
    width, height = (int.from_bytes(raw[place : place + 4], "big") for place in (16, 20))
    return raw, max(1, width // scale), max(1, height // scale)


# --- the file ----------------------------------------------------------------------------------------------


def _finished(
    path: Path,
    title: str,
    language: str,
    dated: dt.date,
    marking: str | None,
    footer: str,
    alternatives: list[str],
) -> bytes:
    """The file with its properties, header and footer, in a fixed order and with one date."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    parts["meta.xml"] = _meta(title, language, dated)
    parts["styles.xml"] = _styles(parts["styles.xml"].decode("utf-8"), language, marking, footer)
    parts["content.xml"] = _content(parts["content.xml"].decode("utf-8"), alternatives)
    moment = (dated.year, dated.month, dated.day, 0, 0, 0)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        # A reader tells the kind of file by its first entry, which is not compressed.
        for name in ("mimetype", *sorted(set(parts) - {"mimetype"})):
            entry = zipfile.ZipInfo(name, moment)
            entry.external_attr = 0o600 << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, parts[name])
    return stream.getvalue()


def _meta(title: str, language: str, dated: dt.date) -> bytes:
    stamp = f"{dated.isoformat()}T00:00:00Z"
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" office:version="1.3"><office:meta>'
        f"<dc:title>{_text(title)}</dc:title><dc:language>{_text(language)}</dc:language>"
        f"<meta:creation-date>{stamp}</meta:creation-date><dc:date>{stamp}</dc:date>"
        "</office:meta></office:document-meta>\n"
    ).encode()


def _text(text: str) -> str:
    return escape(_CONTROL.sub("", text), quote=False)


def _styles(styles: str, language: str, marking: str | None, footer: str) -> bytes:
    """The style sheet with A4 pages, one sans-serif type, small type in tables, a header and a footer."""
    document: Any = minidom.parseString(styles.encode("utf-8"))
    code, _, country = language.partition("-")
    for text in document.getElementsByTagName("style:text-properties"):
        if text.hasAttribute("fo:language"):
            text.setAttribute("fo:language", code)
            text.setAttribute("fo:country", country or "GB")
        if text.getAttribute("style:font-name") == "Times New Roman":
            text.setAttribute("style:font-name", "Arial")
    for row in document.getElementsByTagName("style:table-row-properties"):
        # Not "always": LibreOffice then loses the row after a heading that stands at the end of a page.
        row.setAttribute("fo:keep-together", "auto")
    for page in document.getElementsByTagName("style:page-layout-properties"):
        for name, value in _PAGE.items():
            page.setAttribute(name, value)
    for named in document.getElementsByTagName("office:styles"):
        marked = named.appendChild(document.createElement("style:style"))
        for name, value in (("name", "Marking"), ("family", "paragraph"), ("parent-style-name", "Standard")):
            marked.setAttribute(f"style:{name}", value)
    for style in document.getElementsByTagName("style:style"):
        name = style.getAttribute("style:name")
        for property, value in _TYPE.get(name, {}).items():
            _part(document, style, "style:text-properties").setAttribute(property, value)
        if name in ("Table", "TableCaption"):  # a caption stays with its table
            _part(document, style, "style:paragraph-properties").setAttribute("fo:keep-with-next", "always")
    masters = document.getElementsByTagName("style:master-page")
    if not masters:
        raise ValueError("The file has no page style to put a header into; pandoc has changed.")
    for master in masters:
        while master.firstChild:
            master.removeChild(master.firstChild)
        if marking:
            _line(document, master, "style:header", "Marking", _CONTROL.sub("", marking))
        said = f"{_CONTROL.sub('', footer)}: page " if footer else "Page "
        line = _line(document, master, "style:footer", "Footer", said)
        line.appendChild(_field(document, "text:page-number"))
        line.appendChild(document.createTextNode(" of "))
        line.appendChild(_field(document, "text:page-count"))
    return bytes(document.toxml(encoding="utf-8"))


def _part(document: Any, style: Any, tag: str) -> Any:
    """The part of a style that holds its properties of a kind; made if it has none."""
    found = style.getElementsByTagName(tag)
    return found[0] if found else style.appendChild(document.createElement(tag))


def _line(document: Any, master: Any, tag: str, style: str, text: str) -> Any:
    line = document.createElement("text:p")
    line.setAttribute("text:style-name", style)
    line.appendChild(document.createTextNode(text))
    master.appendChild(document.createElement(tag)).appendChild(line)
    return line


def _field(document: Any, tag: str) -> Any:
    field = document.createElement(tag)
    field.appendChild(document.createTextNode("1"))
    return field


def _unchained(document: Any) -> None:
    """Let automatic styles stand on named ones: pandoc chains them, which LibreOffice does not follow."""
    automatic = {
        style.getAttribute("style:name"): style
        for group in document.getElementsByTagName("office:automatic-styles")
        for style in group.getElementsByTagName("style:style")
        if style.getAttribute("style:family") == "paragraph"
    }
    for style in automatic.values():
        parent = style.getAttribute("style:parent-style-name")
        while parent in automatic:
            parent = automatic[parent].getAttribute("style:parent-style-name")
        if parent:
            style.setAttribute("style:parent-style-name", parent)


def _content(content: str, alternatives: list[str]) -> bytes:
    """The text with lines under the rows of tables, and every picture with its text alternative."""
    document: Any = minidom.parseString(content.encode("utf-8"))
    _unchained(document)
    for style in document.getElementsByTagName("style:style"):
        line = _LINES.get(style.getAttribute("style:name"))
        if line:
            cell = _part(document, style, "style:table-cell-properties")
            cell.setAttribute("fo:border", "none")
            cell.setAttribute("fo:border-bottom", line)
            cell.setAttribute("fo:padding", "0.04in")
    pictures = document.getElementsByTagName("draw:frame")
    if len(pictures) != len(alternatives):
        raise ValueError(
            f"{len(alternatives)} pictures went in and {len(pictures)} came out; pandoc has changed."
        )
    for picture, alternative in zip(pictures, alternatives, strict=True):
        for tag in ("svg:title", "svg:desc"):
            for old in picture.getElementsByTagName(tag):
                old.parentNode.removeChild(old)
        said = document.createElement("svg:desc")
        said.appendChild(document.createTextNode(_CONTROL.sub("", alternative)))
        picture.appendChild(said)
    return bytes(document.toxml(encoding="utf-8"))

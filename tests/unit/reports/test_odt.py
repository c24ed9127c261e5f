"""A page of HTML as ODT: what is a heading stays one, pictures are described, nothing is loaded."""

from __future__ import annotations

import base64
import datetime as dt
import io
import zipfile
from typing import Any
from xml.dom import minidom

import pytest
from odf import opendocument

from reports.documents.odt import odt_of

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="720" height="80" viewBox="0 0 720 80">'
    '<rect width="720" height="80" fill="#1d70b8"/></svg>'
)
ADDRESS = f"data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}"
PAGE = f"""<html lang="en-GB"><head><title>T</title><style>p {{ color: red }}</style></head><body>
<div class="marking">SECRET</div><main><h1>Report</h1><h2>Part</h2>
<figure><figcaption><h3>Chart</h3><p>It says this.</p></figcaption>
<img src="{ADDRESS}" alt="Bars &amp; &lt;dots&gt;"></figure>
<div role="region" tabindex="0"><table><caption>Figures</caption>
<thead><tr><th scope="col">Measure</th><th scope="col" class="govuk-table__header--numeric">Cases</th></tr></thead>
<tbody><tr><th scope="row">Letters</th><td class="govuk-table__cell--numeric">1,234</td></tr>
<tr><th scope="row">Calls</th><td class="govuk-table__cell--numeric">5</td></tr></tbody></table></div>
<p>Before <a href="javascript:alert(1)">one</a>, <a href="https://example.org/">two</a>.</p>
<script>alert(1)</script></main></body></html>"""


def parts(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def words_of(node: Any) -> str:
    own = node.data if node.nodeType == node.TEXT_NODE else " " if node.nodeName == "text:s" else ""
    return own + "".join(map(words_of, node.childNodes))


@pytest.fixture(scope="module")
def content() -> bytes:
    return odt_of(PAGE, title="A & B", dated=dt.date(2026, 4, 15), marking="SECRET <x>", footer="Foot")


def test_the_structure_of_the_page_is_the_structure_of_the_file(content: bytes) -> None:
    document = minidom.parseString(parts(content)["content.xml"])
    headings = [
        (heading.getAttribute("text:outline-level"), words_of(heading))
        for heading in document.getElementsByTagName("text:h")
    ]
    assert headings == [("1", "Report"), ("2", "Part"), ("3", "Chart")]
    (table,) = document.getElementsByTagName("table:table")
    (header,) = table.getElementsByTagName("table:table-header-rows")
    assert "Measure" in header.toxml() and "Letters" not in header.toxml()
    assert len(table.getElementsByTagName("table:table-row")) == 3
    (said,) = document.getElementsByTagName("svg:desc")
    assert said.firstChild.data == "Bars & <dots>"
    links = [link.getAttribute("xlink:href") for link in document.getElementsByTagName("text:a")]
    assert links == ["https://example.org/"]
    text = document.documentElement.toxml()
    assert "alert" not in text and "SECRET" not in text and "color: red" not in text


def test_figures_stand_to_the_right_in_a_style_that_readers_follow(content: bytes) -> None:
    document = minidom.parseString(parts(content)["content.xml"])
    (cell,) = [each for each in document.getElementsByTagName("text:p") if "1,234" in each.toxml()]
    styles = {
        style.getAttribute("style:name"): style for style in document.getElementsByTagName("style:style")
    }
    own = styles[cell.getAttribute("text:style-name")]
    assert own.getAttribute("style:parent-style-name") == "Table_20_Contents"
    (place,) = own.getElementsByTagName("style:paragraph-properties")
    assert place.getAttribute("fo:text-align") == "end"


def test_every_page_is_marked_numbered_and_a4(content: bytes) -> None:
    styles = minidom.parseString(parts(content)["styles.xml"])
    (header,) = styles.getElementsByTagName("style:header")
    assert header.firstChild.firstChild.data == "SECRET <x>"
    (footer,) = styles.getElementsByTagName("style:footer")
    assert footer.getElementsByTagName("text:page-number") and "Foot: page " in footer.toxml()
    assert all(
        page.getAttribute("fo:page-width") == "210mm"
        for page in styles.getElementsByTagName("style:page-layout-properties")
    )
    unmarked = parts(odt_of("<p>Text</p>", title="T"))["styles.xml"]
    assert not minidom.parseString(unmarked).getElementsByTagName("style:header")


def test_the_file_opens_and_tells_nothing_of_when_it_was_made(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 4, 15, 0, 0, 0)}
        assert {name for name in archive.namelist() if name.startswith("Pictures/")}
        assert archive.read("meta.xml").count(b"2026-04-15T00:00:00Z") == 2
    opened = opendocument.load(io.BytesIO(content))
    assert opened.mimetype == "application/vnd.oasis.opendocument.text"
    assert (
        odt_of(PAGE, title="A & B", dated=dt.date(2026, 4, 15), marking="SECRET <x>", footer="Foot")
        == content
    )


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        ('<img src="https://example.org/a.png" alt="A">', "put pictures into the page"),
        ('<img src="file:///etc/passwd" alt="A">', "put pictures into the page"),
        ('<img src="data:text/html;base64,PHA+" alt="A">', "put pictures into the page"),
        ('<img src="data:image/png;base64,PHA+" alt="A">', "says it is PNG"),
        (f'<img src="{ADDRESS}">', "no text alternative"),
    ],
)
def test_pictures_from_elsewhere_or_without_words_are_refused(picture: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        odt_of(f"<html><body><p>{picture}</p></body></html>", title="T")

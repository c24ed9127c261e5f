from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from pathlib import Path

import pypdf
import pytest

from reports.documents.ods import OdsTable, ods_of
from reports.documents.pdf import PdfError, pdf_of
from reports.engine.rows import Rows
from reports.page import rendered

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


def html(
    body: str = "<h1>Report</h1><h2>First part</h2><p>Words.</p>", head: str = "<title>A title</title>"
) -> str:
    return f'<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'


def test_a_pdf_is_tagged_and_has_bookmarks_title_language_and_no_clock() -> None:
    first, second = pdf_of(html()), pdf_of(html())
    assert first == second

    reader = pypdf.PdfReader(io.BytesIO(first))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "A title"
    assert "/CreationDate" not in reader.metadata
    outline = reader.outline
    assert outline[0].title == "Report"
    assert outline[1][0].title == "First part"


def test_the_date_of_a_pdf_is_that_of_its_page() -> None:
    head = '<title>A title</title><meta name="dcterms.created" content="2026-12-17">'
    reader = pypdf.PdfReader(io.BytesIO(pdf_of(html(head=head))))
    assert reader.metadata is not None
    assert str(reader.metadata["/CreationDate"]).startswith("D:20261217")


@pytest.mark.parametrize(
    "page", [html(head=""), html().replace(' lang="en-GB"', ""), html(head="<title> </title>")]
)
def test_a_pdf_without_title_or_language_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="title and a language"):
        pdf_of(page)


def test_a_pdf_loads_only_what_belongs_to_it(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "secret.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    (own / "picture.svg").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", encoding="utf-8"
    )

    assert pdf_of(html(f'<h1>x</h1><img alt="dot" src="{PIXEL}">'))
    assert pdf_of(html('<h1>x</h1><img alt="dot" src="picture.svg">'), base=own)
    for address in ("https://example.org/a.png", "../secret.svg", "file:///etc/hostname"):
        with pytest.raises(ValueError, match="not part of it"):
            pdf_of(html(f'<h1>x</h1><img alt="dot" src="{address}">'), base=own)
    with pytest.raises(ValueError, match="not part of it"):
        pdf_of(html("<h1>x</h1><style>@import url(https://example.org/a.css);</style>"))


def document(**values: object) -> str:
    page = {"title": 'Pack "a\\b" </style>', "description": "", "path": "pack.html"}
    return rendered("layouts/document.html.j2", **{"page": page, "content": "Words", "root": "", **values})


def test_a_document_without_marking_has_none() -> None:
    assert "OFFICIAL" not in document()
    text = document(marking="OFFICIAL-SENSITIVE")
    assert text.count('role="note">OFFICIAL-SENSITIVE</div>') == 2
    assert text.count("<script") == 0


def test_a_title_cannot_leave_the_style_sheet() -> None:
    text = document(marking="OFFICIAL-SENSITIVE")
    assert text.count("</style>") == 1
    assert text.index("</style>") > text.index("@bottom-right")


ROWS = Rows(
    "figures",
    ("name", "count", "share", "day", "obs_status"),
    [
        ("=SUM(A1:A9)", 1234, 0.654, dt.date(2026, 12, 17), None),
        ("+44 plain", None, None, None, "c"),
        ("words", "withheld", "withheld", None, None),
    ],
)
COLUMNS = (
    ("name", "Name", "text"),
    ("count", "Cases", "count"),
    ("share", "Rate, %", "percent1"),
    ("day", "Day", "date"),
)


def cells(content: bytes) -> list[list[tuple[str, str | None]]]:
    """Text and number of every cell of the second sheet, read by another library."""
    from odf import teletype
    from odf.opendocument import load
    from odf.table import Table, TableCell, TableRow

    tables = load(io.BytesIO(content)).spreadsheet.getElementsByType(Table)
    return [
        [
            (teletype.extractText(cell), cell.getAttribute("value"))
            for cell in row.getElementsByType(TableCell)
        ]
        for row in tables[1].getElementsByType(TableRow)
    ]


def test_a_workbook_holds_numbers_shorthand_and_no_formula() -> None:
    content = ods_of("Tables", [OdsTable("figures", "Figures", ROWS, COLUMNS)])
    _, _, header, first, second, third = cells(content)

    assert [text for text, _ in header] == ["Name", "Cases", "Rate, %", "Day"]
    assert first == [("'=SUM(A1:A9)", None), ("1,234", "1234"), ("65.4", "65.4"), ("2026-12-17", None)]
    assert [text for text, _ in second] == ["'+44 plain", "[c]", "[c]", "[c]"]
    assert [text for text, _ in third] == ["words", "withheld", "withheld", ""]
    assert content == ods_of("Tables", [OdsTable("figures", "Figures", ROWS, COLUMNS)])
    assert b"table:formula" not in zipfile.ZipFile(io.BytesIO(content)).read("content.xml")


def test_two_tables_of_one_name_have_two_sheets_and_an_empty_one_none() -> None:
    from odf.opendocument import load
    from odf.table import Table

    empty = Rows("none", ("name",), [])
    tables = [
        OdsTable("a table", "First", ROWS, COLUMNS),
        OdsTable("a table", "Second", ROWS, COLUMNS),
        OdsTable("empty", "Third", empty, (("name", "Name", "text"),)),
    ]
    book = load(io.BytesIO(ods_of("Tables", tables)))
    names = [table.getAttribute("name") for table in book.spreadsheet.getElementsByType(Table)]
    assert names == ["Contents", "a_table", "a_table_2"]


def test_an_unknown_format_of_a_column_is_refused() -> None:
    with pytest.raises(ValueError, match="figures, column name: there is no format 'words'"):
        ods_of("Tables", [OdsTable("figures", "Figures", ROWS, (("name", "Name", "words"),))])


def test_without_pango_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(PdfError, match=r"cannot load library 'libpango-1.0-0'.*`.ci/programs run`"):
        pdf_of(html())

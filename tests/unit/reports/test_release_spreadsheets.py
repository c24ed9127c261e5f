"""The workbook of a release: one description, two kinds of file, the same cells in both."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from odf.opendocument import load
from odf.table import DatabaseRange
from python_calamine import CalamineWorkbook
from small_publication import public_table, small_publication

from reports.release import ods, spreadsheets
from reports.release.publication import PublicColumn, PublicTable
from reports.release.spreadsheets import heading, shorthand, workbook, write

NAME = "victims-code-compliance-2025-26-q4"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return write(small_publication(), {})


@pytest.fixture(scope="module")
def xlsx(files: dict[str, bytes]) -> Any:
    return openpyxl.load_workbook(io.BytesIO(files[f"{NAME}.xlsx"]))


def _cells(content: bytes, sheet: str) -> list[list[Any]]:
    """A sheet as a third library reads it, for both kinds of file."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def test_both_kinds_hold_the_same_cells(files: dict[str, bytes]) -> None:
    assert set(files) == {f"{NAME}.xlsx", f"{NAME}.ods"}
    names = [sheet.name for sheet in workbook(small_publication()).sheets]
    assert names[:4] == ["Cover", "Contents", "Notes", "Columns"]
    for name in names:
        one, other = (_cells(files[f"{NAME}.{kind}"], name) for kind in ("xlsx", "ods"))
        assert one == other, name


def test_rows_are_those_of_the_table_with_shorthand_for_empty_numbers(files: dict[str, bytes]) -> None:
    table = small_publication().table("local_compliance")
    for kind in ("xlsx", "ods"):
        title, _, back, header, *body = _cells(files[f"{NAME}.{kind}"], "local_compliance")
        assert title[0] == "Compliance by area"
        assert back[0] == "Back to the contents"
        assert header == [heading(name) for name in table.column_names]
        assert len(body) == len(table.rows)
        for shown, row in zip(body, table.dicts(), strict=True):
            cells = dict(zip(table.column_names, shown, strict=True))
            assert cells["area_name"] == row["area_name"]
            assert cells["case_count"] == (row["case_count"] or shorthand(row, "case_count"))
            assert cells["rate_band"] == (row["rate_band"] or "")
            assert cells["rate_is_about"] in (row["rate_is_about"], "")


@pytest.mark.parametrize(
    ("row", "column", "mark"),
    [
        ({"unit": "proportion", "obs_status": "c"}, "met_count", "[c]"),
        ({"unit": "proportion", "obs_status": "w"}, "case_count", "[w]"),
        ({"unit": "proportion", "obs_status": "x"}, "rate_percent", "[x]"),
        ({"unit": "proportion", "obs_status": "z"}, "rate_percent", "[z]"),
        ({"unit": "proportion", "obs_status": None}, "reported_count", "[z]"),
        ({"unit": "proportion", "obs_status": "c"}, "reported_count", "[z]"),
        ({"unit": "count", "obs_status": "c"}, "reported_count", "[c]"),
        ({"unit": "count", "obs_status": "c"}, "rate_percent", "[z]"),
        ({"obs_status": "c"}, "good_count", "[c]"),
        ({"obs_status": None}, "good_count", "[z]"),
        ({}, "sort_order", "[x]"),
    ],
)
def test_shorthand_says_why_a_number_is_missing(row: dict[str, Any], column: str, mark: str) -> None:
    assert shorthand(row, column) == mark


def test_every_mark_is_explained(xlsx: Any) -> None:
    notes = {row[0].value for row in xlsx["Notes"].iter_rows(min_row=5)}
    used = {
        cell.value
        for page in xlsx.worksheets
        for row in page.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("[")
    }
    assert {"[c]", "[x]", "[z]", "[w]"} <= used <= notes
    assert {"p", "r", "Blank cell", "Rate band"} <= notes


def test_numbers_are_numbers_and_formulas_are_text(xlsx: Any) -> None:
    page = xlsx["local_compliance"]
    header = [cell.value for cell in page[4]]
    by_name = {cell.value: cell.column for cell in page[4]}
    kinds = {
        name: {page.cell(row, by_name[name]).data_type for row in range(5, page.max_row + 1)} for name in header
    }  # fmt: skip
    assert kinds["Right number"] == {"n"}
    assert kinds["Case count"] == {"n", "s"}
    assert kinds["Rate is about"] == {"b", "n"}  # n: a blank cell
    names = [page.cell(row, by_name["Area name"]) for row in range(5, page.max_row + 1)]
    (formula,) = (cell for cell in names if cell.value.startswith("="))
    assert formula.value == '=HYPERLINK("x","Ynys Môn")'
    assert formula.data_type == "s" or formula.quotePrefix
    assert formula.quotePrefix
    assert not any(cell.quotePrefix for cell in names if cell is not formula)


def test_tables_are_marked_headers_frozen_and_nothing_is_merged(files: dict[str, bytes], xlsx: Any) -> None:
    for page in xlsx.worksheets:
        assert not page.merged_cells.ranges
        assert page.sheet_state == "visible" and len(page.title) <= 31
        if page.title == "Cover":
            assert not page.tables
            continue
        (table,) = page.tables.values()
        top = 3 if page.title == "Contents" else 4
        assert table.ref == f"A{top}:{ods.column_letters(page.max_column - 1)}{page.max_row}"
        assert page.freeze_panes == f"A{top + 1}"
        assert all(cell.alignment.wrap_text for cell in page[top])
    opened = load(io.BytesIO(files[f"{NAME}.ods"]))
    ranges = {
        each.getAttribute("name"): each.getAttribute("targetrangeaddress")
        for each in opened.getElementsByType(DatabaseRange)
    }
    assert ranges["local_compliance"] == "local_compliance.A4:local_compliance.Y16"
    assert len(ranges) == len(xlsx.worksheets) - 1


def test_title_language_and_day_are_those_of_the_release(files: dict[str, bytes], xlsx: Any) -> None:
    title = "Victims' Code compliance, January to March 2026 (2025/26 Q4)"
    properties = xlsx.properties
    assert (properties.title, properties.language) == (title, "en-GB")
    assert properties.created == properties.modified == dt.datetime(2026, 6, 18)
    with zipfile.ZipFile(io.BytesIO(files[f"{NAME}.ods"])) as archive:
        meta = archive.read("meta.xml").decode("utf-8")
    assert "<dc:title>Victims' Code compliance, January to March 2026 (2025/26 Q4)</dc:title>" in meta
    assert "<dc:language>en-GB</dc:language>" in meta
    assert "<meta:creation-date>2026-06-18T00:00:00</meta:creation-date>" in meta


def test_the_cover_says_status_day_contact_and_what_is_replaced() -> None:
    publication = small_publication(version="1.0.1", previous="1.0.0", reason="One area was counted twice.")
    text = "\n".join(line.text for line in workbook(publication).sheets[0].lines)
    for words in (
        "Management information.",
        "Published on 18 June 2026, version 1.0.1.",
        "It replaces version 1.0.0. One area was counted twice.",
        "Period: 1 January 2026 to 31 March 2026.",
        "@",
        "Open Government Licence",
    ):
        assert words in text


def test_the_contents_lead_to_every_sheet(xlsx: Any) -> None:
    page = xlsx["Contents"]
    links = {row[0].value: row[0].hyperlink.location for row in page.iter_rows(min_row=4) if row[0].hyperlink}
    assert links == {name: f"'{name}'!A1" for name in xlsx.sheetnames if name not in ("Cover", "Contents")}
    rows = {row[0].value: row[3].value for row in page.iter_rows(min_row=4)}
    assert rows["local_compliance"] == 12


def test_a_table_without_rows_has_no_sheet_and_the_contents_say_so() -> None:
    publication = small_publication()
    empty = replace(publication.table("group_compliance"), rows=())
    others = (table for table in publication.tables if table.name != empty.name)
    book = workbook(replace(publication, tables=(empty, *others)))
    assert "group_compliance" not in {sheet.name for sheet in book.sheets}
    contents = next(sheet for sheet in book.sheets if sheet.name == "Contents")
    assert ("no sheet: no rows in this period", empty.title, empty.description, 0) in contents.rows


def _texts(*names: str, rows: int = 1, text: str = "a") -> tuple[PublicTable, ...]:
    column = (PublicColumn("item_name", "A name.", "VARCHAR"),)
    return tuple(
        PublicTable(name, "", name, name, column, ("item_name",), ((text,),) * rows) for name in names
    )


def test_sheet_names_are_plain_short_and_different() -> None:
    long = "a_very_long_name_of_a_table_that_does_not_fit"
    publication = small_publication(tables=_texts(long, f"{long}_either", "notes", "by-area"), references=())
    names = [sheet.name for sheet in workbook(publication).sheets]
    assert names[4:] == [
        "a_very_long_name_of_a_table_tha", "a_very_long_name_of_a_table_t_2", "notes_2", "by_area",
    ]  # fmt: skip
    assert openpyxl.load_workbook(io.BytesIO(write(publication, {})[f"{NAME}.xlsx"])).sheetnames == names


def test_what_excel_cannot_open_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 20)
    with pytest.raises(ValueError, match=r"Table long has 16 rows .* Excel holds 20"):
        workbook(small_publication(tables=_texts("long", rows=16), references=()))
    with pytest.raises(ValueError, match="text of more than 32767 characters in item_name"):
        workbook(small_publication(tables=_texts("wide", text="a" * 32_768), references=()))
    with pytest.raises(ValueError, match="control character"):
        write(small_publication(tables=_texts("odd", text="a\x0bb"), references=()), {})


def test_text_comes_back_as_it_was() -> None:
    texts = [
        "  two  before, <and> & after  ",
        "Ynys Môn",
        "'quoted'",
        "@SUM(A1)",
        "\uff1d1+1",
        "007",
        "1e5",
        "TRUE",
    ]
    column = (PublicColumn("item_name", "A name.", "VARCHAR"),)
    table = PublicTable("texts", "", "t", "d", column, ("item_name",), tuple((text,) for text in texts))
    for content in write(small_publication(tables=(table,), references=()), {}).values():
        assert [row[0] for row in _cells(content, "texts")[4:]] == texts


def test_the_same_publication_gives_the_same_bytes(files: dict[str, bytes]) -> None:
    assert write(small_publication(), {}) == files
    code = (
        "import hashlib, sys; sys.path.insert(0, 'tests/unit/reports')\n"
        "from small_publication import small_publication\n"
        "from reports.release.spreadsheets import write\n"
        "print(sorted(hashlib.sha256(b).hexdigest() for b in write(small_publication(), {}).values()))"
    )
    root = Path(__file__).parents[3]
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]
    assert said[0] == said[1]
    for content in files.values():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_another_figure_gives_other_bytes(files: dict[str, bytes]) -> None:
    table = small_publication().table("local_feedback")
    changed = public_table(
        "local_feedback", table.title, table.column_names, table.primary_key, table.dicts()[:1]
    )
    tables = tuple(each if each.name != table.name else changed for each in small_publication().tables)
    other = write(small_publication(tables=tables), {})
    assert all(other[name] != content for name, content in files.items())

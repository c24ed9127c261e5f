"""Workbooks that a person sees otherwise than a program reads them: refused, or told of, never read in silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hostile_files import CONTENT, SHEET, TABLES, inserted, ods, xlsx, zip_of
from return_files import PROPORTION, SENDER, ReturnFile, patched, write_ods, write_xlsx
from test_hidden_text import workbook_with
from test_ods import by_libreoffice

from ingest.acceptance import Verdict
from ingest.limits import Limits
from ingest.readers import Unreadable, Workbook, column_letter, inspect, read_workbook

Judged = Callable[..., Verdict]


def read(path: Path) -> Workbook:
    return read_workbook(path, inspect(path), Limits())


def reason(path: Path) -> str:
    with pytest.raises(Unreadable) as error:
        read(path)
    return error.value.fault.reason


@pytest.mark.parametrize("other", ["cover", "Cover"])
@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_two_sheets_of_one_name_are_refused(tmp_path: Path, other: str, suffix: str) -> None:
    if suffix == "xlsx":
        path = xlsx(
            tmp_path / "r.xlsx",
            ("xl/workbook.xml", lambda xml: xml.replace(b'"metrics"', f'"{other}"'.encode())),
        )
    else:
        path = ods(
            tmp_path / "r.ods", (CONTENT, lambda xml: xml.replace(b'"metrics"', f'"{other}"'.encode()))
        )
    assert reason(path) == "corrupt"


def test_a_name_with_a_space_behind_it_is_another_name(
    tmp_path: Path, good: ReturnFile, judged: Judged
) -> None:
    tables = good.tables()
    tables["metrics "] = tables["metrics"]
    assert judged(write_xlsx(tmp_path / "r.xlsx", tables), SENDER).counts == {"SHAPE-012": 1}
    del tables["metrics"]
    assert "SHAPE-001" in judged(write_xlsx(tmp_path / "r.xlsx", tables), SENDER).counts


def test_a_title_with_a_quote_in_it_is_read_whole(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"St Anne's": [["=1+1"]]})
    book = read(path)
    assert (book.titles, book.formula_counts) == (("St Anne's",), {"St Anne's": 1})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda xml: xml.replace(b"<v>30</v>", b"<v>3<!-- -->0</v>"), "xml_trick"),
        (lambda xml: xml.replace(b"<v>30</v>", b"<v><![CDATA[30]]></v>"), "xml_trick"),
        (lambda xml: xml.replace(b"<v>30</v>", b"<v>3<?x y?>0</v>"), "xml_trick"),
        (lambda xml: xml.replace(b"<v>30</v>", b"<v>30</v><v>31</v>"), "corrupt"),
        (lambda xml: xml.replace(b"<v>30</v>", b"<v>30</v><is><t>31</t></is>"), "corrupt"),
        (inserted(b'<c r="B2">', b'<c r="B2"><v>31</v></c>'), "corrupt"),
        (inserted(b"</sheetData>", b'<row r="2"><c r="B2"><v>31</v></c></row>'), "corrupt"),
        (inserted(b"</worksheet>", b'<sheetData><row r="2"><c r="C2"><v>31</v></c></row></sheetData>'), "corrupt"),
        (inserted(b'<c r="B2">', b'<mc:AlternateContent xmlns:mc="mc"></mc:AlternateContent>'), "corrupt"),
        (inserted(b"<v>30</v>", b"<v>"), "corrupt"),
        (inserted(b'<c r="B2">', b'<x:c r="A2"><x:v>31</x:v></x:c>'), "corrupt"),
    ],
)  # fmt: skip
def test_a_sheet_that_programs_read_differently_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], expected: str
) -> None:
    assert reason(xlsx(tmp_path / "r.xlsx", (SHEET, change))) == expected


def test_a_note_within_a_shared_string_is_refused(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "r.xlsx", ("xl/sharedStrings.xml", lambda xml: xml.replace(b"yjs-", b"yjs-<!-- -->"))
    )
    assert reason(path) == "xml_trick"


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_workbook_that_keeps_another_part_for_other_programs_is_refused(tmp_path: Path, part: str) -> None:
    """Excel opens the part that the relation names; calamine the one that stands where it always does."""
    relations = "_rels/.rels" if part == "xl/workbook.xml" else "xl/_rels/workbook.xml.rels"
    name = part.rpartition("/")[2].encode()
    path = xlsx(
        tmp_path / "r.xlsx",
        ("xl/other.xml", lambda _: b"<x/>"),
        (relations, lambda xml: xml.replace(name, b"other.xml")),
    )
    assert reason(path) == "corrupt"


def test_what_stands_under_an_odd_prefix_is_seen(tmp_path: Path) -> None:
    formula = b'<a-b:c xmlns:a-b="a" r="C2"><a-b:f>cmd|" /C calc"!A0</a-b:f><a-b:v>1</a-b:v></a-b:c>'
    book = read(xlsx(tmp_path / "r.xlsx", (SHEET, inserted(b"</row></sheetData>", formula))))
    assert [(fault.row, fault.column) for fault in book.outside_references] == [(2, "C")]


def test_an_excel_binary_workbook_under_another_name_is_refused(tmp_path: Path, judged: Judged) -> None:
    path = zip_of(
        tmp_path / "r.xlsx", [("[Content_Types].xml", b"<Types/>"), ("xl/workbook.bin", b"\x83\x01\x00")]
    )
    assert dict(judged(path, SENDER).counts) == {"FILE-004": 1}


def test_strict_names_and_dates_from_1904_are_read_as_excel_shows_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(["day"])
    sheet.append([date(2025, 6, 30)])
    path = tmp_path / "r.xlsx"
    book.save(path)
    assert read(path).sheets[0].columns[0][0] in (date(2025, 6, 30),)
    strict = xlsx(tmp_path / "s.xlsx")
    for part in (
        "xl/workbook.xml",
        SHEET,
        "xl/_rels/workbook.xml.rels",
        "_rels/.rels",
        "xl/sharedStrings.xml",
    ):
        patched(
            strict,
            part,
            lambda xml: xml.replace(
                b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                b"http://purl.oclc.org/ooxml/spreadsheetml/main",
            ).replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            ),
        )
    assert [list(column) for column in read(strict).sheets[1].columns] == [["yjs-barnsley"], [30.0]]


def test_texts_keep_the_characters_that_excel_escapes(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], ["one\x01two"], ["'030"], ["a_x000D_b"]]})
    assert list(read(path).sheets[0].columns[0]) == ["one\x01two", "'030", "a_x000D_b"]


# --- what a person sees of a good return -------------------------------------------------------------------


def figure(book: Any, good: ReturnFile) -> Any:
    """The cell `met` of the first row that has one."""
    place = good.headers["metrics"].index("met") + 1
    return next(row[place - 1] for row in book["metrics"].iter_rows(min_row=2) if row[place - 1].value)


@pytest.mark.parametrize("code", ["0%", "0.00%", '0" of 100%"%', "#,##0,", "0.0,,", ";;;", '"none"'])
def test_a_count_that_shows_another_number_is_refused_by_place(
    tmp_path: Path, good: ReturnFile, judged: Judged, code: str
) -> None:
    rows = [row["metric_id"] for row in good["metrics"]]
    good["metrics"][rows.index(PROPORTION)]["met"] = 1

    def plant(book: Any) -> None:
        cell = figure(book, good)
        assert cell.value is not None
        for row in book["metrics"].iter_rows(min_row=2):
            for each in row:
                if each.value == 1:
                    each.number_format = code

    path = workbook_with(plant, good, tmp_path / "r.xlsx")
    verdict = judged(path, SENDER)
    found = [(problem.rule_code, problem.row_number, problem.column_name) for problem in verdict.problems]
    assert ("FILE-021", rows.index(PROPORTION) + 2, "met") in found
    if "%" in code and code != '0" of 100%"%':
        counts = judged(by_libreoffice(path), SENDER).counts
        assert counts["FILE-021"] == 1


@pytest.mark.parametrize(
    "code", ["0", "#,##0", "0.00", '0" cases"', "[Red]0;-0", "@", "0;-0;;@", '#,##0"%"', "0_%"]
)
def test_a_count_that_shows_its_number_is_accepted(
    tmp_path: Path, good: ReturnFile, judged: Judged, code: str
) -> None:
    good["metrics"][0]["met"] = 12_000

    def plant(book: Any) -> None:
        for row in book["metrics"].iter_rows(min_row=2):
            for cell in row:
                cell.number_format = code

    assert "FILE-021" not in judged(workbook_with(plant, good, tmp_path / "r.xlsx"), SENDER).counts


def test_a_share_may_be_shown_as_a_percentage_outside_the_form(
    tmp_path: Path, good: ReturnFile, judged: Judged
) -> None:
    def plant(book: Any) -> None:
        sheet = book.create_sheet("working")
        sheet.append(["share", 1])
        sheet["B1"].number_format = "0%"

    assert judged(workbook_with(plant, good, tmp_path / "r.xlsx"), SENDER).counts == {"SHAPE-012": 1}


def test_an_opendocument_count_that_shows_another_number_is_refused(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "r.ods", TABLES | {"metrics": [["met"], [58]]})
    patched(path, CONTENT, lambda xml: xml.replace(b"<text:p>58<", b"<text:p>85<"))
    assert [(f.sheet, f.row, f.column) for f in read(path).shown_otherwise] == [("metrics", 2, "A")]


def test_a_formula_without_its_value_is_refused_and_not_read_as_blank(
    tmp_path: Path, good: ReturnFile, judged: Judged
) -> None:
    def plant(book: Any) -> None:
        figure(book, good).value = "=20+10"

    path = workbook_with(plant, good, tmp_path / "r.xlsx")
    verdict = judged(path, SENDER)
    assert verdict.counts["FILE-023"] == 1
    place = next(problem for problem in verdict.problems if problem.rule_code == "FILE-023")
    assert (place.sheet, place.column_name) == (
        "metrics",
        column_letter(good.headers["metrics"].index("met")),
    )
    # Once a spreadsheet program has worked it out, it is a number like others.
    counts = judged(by_libreoffice(path), SENDER).counts
    assert counts == {"FILE-014": 1}


def test_the_same_in_opendocument_and_a_text_of_no_characters_is_a_value(tmp_path: Path) -> None:
    cells = (
        b'<table:table-row><table:table-cell table:formula="of:=1+1"/><table:table-cell table:formula="of:=&quot;&quot;" '
        b'office:value-type="string" office:string-value=""/></table:table-row>'
    )
    path = ods(tmp_path / "r.ods", (CONTENT, inserted(b"</table:table>", cells)))
    assert [(f.row, f.column) for f in read(path).unvalued_formulas] == [(4, "A")]
    text = b'<c r="C2" t="str"><f>""</f><v></v></c><c r="D2"><f t="shared" si="0"/></c>'
    book = read(xlsx(tmp_path / "r.xlsx", (SHEET, inserted(b"</row></sheetData>", text))))
    assert [(f.row, f.column) for f in book.unvalued_formulas] == [(2, "D")]


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
@pytest.mark.parametrize(
    ("hide", "found"),
    [
        (lambda sheet: setattr(sheet.row_dimensions[2], "hidden", True), "a hidden row"),
        (lambda sheet: setattr(sheet.row_dimensions[900], "hidden", True), None),
        (lambda sheet: setattr(sheet.column_dimensions["B"], "hidden", True), "hidden columns"),
        (lambda sheet: setattr(sheet.column_dimensions["ZZ"], "hidden", True), None),
        (lambda sheet: setattr(sheet, "sheet_state", "hidden"), "a hidden sheet"),
        (lambda sheet: sheet.merge_cells("AA1:AB2"), "merged cells"),
    ],
)
def test_what_a_sheet_of_the_form_hides_is_told_and_read(
    tmp_path: Path,
    good: ReturnFile,
    judged: Judged,
    hide: Callable[[Any], object],
    found: str | None,
    suffix: str,
) -> None:
    path = workbook_with(lambda book: hide(book["metrics"]), good, tmp_path / "r.xlsx")
    verdict = judged(path if suffix == "xlsx" else by_libreoffice(path), SENDER)
    told = [(problem.rule_code, problem.sheet, problem.found) for problem in verdict.problems]
    assert told == ([] if found is None else [("FILE-022", "metrics", found)])
    assert verdict.is_accepted
    assert verdict.rows_read["metrics"] == len(good["metrics"])

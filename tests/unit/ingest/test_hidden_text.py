"""What a person cannot see in a workbook and a program can: planted there, and found."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hostile_files import CONTENT, inserted
from openpyxl.workbook.defined_name import DefinedName
from return_files import SENDER, ReturnFile, patched
from test_ods import by_libreoffice

from ingest.acceptance import Verdict

PLANTED = "jo.bloggs@example.org"
Judged = Callable[..., Verdict]


def workbook_with(plant: Callable[[Any], object], good: ReturnFile, path: Path) -> Path:
    """A good return saved by openpyxl with something planted in it."""
    good.xlsx(path)
    book = openpyxl.load_workbook(path)
    plant(book)
    book.save(path)
    return path


def drop_down(book: Any) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    validation = DataValidation(type="list", formula1=f'"yes,{PLANTED}"')
    book["delivery"].add_data_validation(validation)
    validation.add("Z1")


def drop_down_prompt(book: Any) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    validation = DataValidation(type="whole", formula1="0", promptTitle="Ask", prompt=PLANTED)
    book["delivery"].add_data_validation(validation)
    validation.add("Z1")


def format_rule(book: Any) -> None:
    from openpyxl.formatting.rule import Rule

    rule = Rule(type="containsText", operator="containsText", text=PLANTED)
    book["delivery"].conditional_formatting.add("A1:A9", rule)


def format_rule_formula(book: Any) -> None:
    from openpyxl.formatting.rule import FormulaRule

    book["delivery"].conditional_formatting.add("A1:A9", FormulaRule(formula=[f'$A1="{PLANTED}"']))


def defined_name(book: Any) -> None:
    book.defined_names["contact"] = DefinedName("contact", attr_text=f'"{PLANTED}"')


def note_on_a_name(book: Any) -> None:
    book.defined_names["contact"] = DefinedName("contact", attr_text="delivery!$A$1", comment=f"of {PLANTED}")


def custom_property(book: Any) -> None:
    from openpyxl.packaging.custom import StringProperty

    book.custom_doc_props.append(StringProperty(name="owner", value=PLANTED))


def filter_value(book: Any) -> None:
    book["delivery"].auto_filter.ref = "A1:B3"
    book["delivery"].auto_filter.add_filter_column(0, [PLANTED])


def number_format(book: Any) -> None:
    book["delivery"]["A1"].number_format = f'0"{PLANTED}"'


def user_of_a_scenario(book: Any) -> None:
    from openpyxl.worksheet.scenario import InputCells, Scenario, ScenarioList

    scenario = Scenario(name="s", user=PLANTED, inputCells=[InputCells(r="A1", val="1")], count=1)
    book["delivery"].scenarios = ScenarioList(scenario=[scenario])


@pytest.mark.parametrize(
    ("plant", "where"),
    [
        (drop_down, "a formula or a defined name"),
        (drop_down_prompt, "a message of a cell"),
        (format_rule, "a setting of a sheet"),
        (format_rule_formula, "a formula or a defined name"),
        (defined_name, "a formula or a defined name"),
        (note_on_a_name, "a formula or a defined name"),
        (custom_property, "the document's properties"),
        (filter_value, "a setting of a sheet"),
        (number_format, "the document's properties"),
        (user_of_a_scenario, "a setting of a sheet"),
    ],
)
def test_it_is_found_where_openpyxl_wrote_it(
    tmp_path: Path, good: ReturnFile, judged: Judged, plant: Callable[[Any], object], where: str
) -> None:
    verdict = judged(workbook_with(plant, good, tmp_path / "r.xlsx"), SENDER)
    assert (verdict.outcome, set(verdict.counts)) == ("quarantined", {"PERSON-001"})
    assert {problem.sheet for problem in verdict.problems} == {where}
    assert PLANTED not in verdict.to_json()


SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRINGS = "xl/sharedStrings.xml"
SHEET = "xl/worksheets/sheet4.xml"


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (STRINGS, inserted(b"</sst>", f"<si><t>{PLANTED}</t></si>".encode())),
        (
            STRINGS,
            inserted(b"</sst>", b"<si><r><t>jo.bloggs</t></r><r><rPr><b/></rPr><t>@example.org</t></r></si>"),
        ),
        (STRINGS, inserted(b"</si>", f'<rPh sb="0" eb="1"><t>{PLANTED}</t></rPh>'.encode())),
        (SHEET, inserted(b"</worksheet>", f'<x name="{PLANTED}"/>'.encode())),
        (SHEET, inserted(b"</worksheet>", f'<x any="{PLANTED}"/>'.encode())),
        ("xl/workbook.xml", inserted(b"<sheets>", f'<fileSharing userName="{PLANTED}"/>'.encode())),
        (
            "xl/tables/table1.xml",
            lambda _: (
                f'<table xmlns="{SPREADSHEET}" id="1" name="T" displayName="T" ref="A1:A2"><tableColumns>'
                f'<tableColumn id="1" name="a" totalsRowLabel="{PLANTED}"/></tableColumns></table>'.encode()
            ),
        ),
        ("xl/slicers/slicer1.xml", lambda _: f'<slicers><slicer caption="{PLANTED}"/></slicers>'.encode()),
        (
            "customXml/item1.xml",
            lambda _: f'<p:properties xmlns:p="p"><a b="{PLANTED}"/></p:properties>'.encode(),
        ),
        ("customXml/item1.xml", lambda _: f"<owner>{PLANTED}</owner>".encode()),
        ("xl/any.xml", lambda _: f"<any>{PLANTED}</any>".encode()),
    ],
)
def test_it_is_found_in_any_part_of_a_workbook(
    tmp_path: Path, good: ReturnFile, judged: Judged, part: str, change: Callable[[bytes], bytes]
) -> None:
    verdict = judged(patched(good.xlsx(tmp_path / "r.xlsx"), part, change), SENDER)
    assert (verdict.outcome, set(verdict.counts)) == ("quarantined", {"PERSON-001"})


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("settings.xml", lambda _: config_item("PrinterName", PLANTED)),
        (CONTENT, inserted(b"</office:spreadsheet>", b'<table:named-expressions><table:named-expression table:name="n" '
                           b'table:expression="of:=&quot;%s&quot;"/></table:named-expressions>' % PLANTED.encode())),
        (CONTENT, inserted(b"<table:table ", b'<table:content-validations><table:content-validation table:name="v" '
                           b'table:condition="of:cell-content-is-in-list(&quot;%s&quot;)"/></table:content-validations>'
                           % PLANTED.encode())),
        (CONTENT, inserted(b"</table:table-row>", b'<table:table-cell office:value-type="float" office:value="5">'
                           b"<text:p>%s</text:p></table:table-cell>" % PLANTED.encode())),
        (CONTENT, inserted(b"</table:table-row>", b'<table:table-cell office:value-type="date" '
                           b'office:date-value="2025-06-30"><text:p>%s</text:p></table:table-cell>' % PLANTED.encode())),
        (CONTENT, inserted(b"<table:table ", b"<table:tracked-changes><table:cell-content-change><table:previous>"
                           b"<table:change-track-table-cell><text:p>%s</text:p></table:change-track-table-cell>"
                           b"</table:previous></table:cell-content-change></table:tracked-changes>" % PLANTED.encode())),
        ("meta.xml", inserted(b"</office:meta>", b'<meta:user-defined meta:name="owner">%s</meta:user-defined>'
                              % PLANTED.encode())),
    ],
)  # fmt: skip
def test_it_is_found_in_any_part_of_an_opendocument_spreadsheet(
    tmp_path: Path, good: ReturnFile, judged: Judged, part: str, change: Callable[[bytes], bytes]
) -> None:
    verdict = judged(patched(good.ods(tmp_path / "r.ods"), part, change), SENDER)
    assert verdict.outcome == "quarantined"
    assert "PERSON-001" in verdict.counts


def config_item(name: str, value: str) -> bytes:
    """The settings of a program with one item."""
    return (
        '<office:document-settings xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:config="urn:oasis:names:tc:opendocument:xmlns:config:1.0"><office:settings>'
        f'<config:config-item config:name="{name}" config:type="string">{value}</config:config-item>'
        "</office:settings></office:document-settings>"
    ).encode()


@pytest.mark.parametrize("suffix", ["zip", "xlsx", "ods"])
def test_it_is_found_in_the_comment_of_a_zip(
    tmp_path: Path, good: ReturnFile, judged: Judged, suffix: str
) -> None:
    path = getattr(good, suffix)(tmp_path / f"r.{suffix}")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = f"made by {PLANTED}".encode()
    verdict = judged(path, SENDER)
    assert (verdict.outcome, dict(verdict.counts)) == ("quarantined", {"PERSON-001": 1})


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_rows_and_columns_are_looked_at_like_others(
    tmp_path: Path, good: ReturnFile, judged: Judged, state: str
) -> None:
    def plant(book: Any) -> None:
        sheet = book.create_sheet("working")
        sheet.sheet_state = state
        sheet.append(["a", PLANTED])
        sheet.row_dimensions[1].hidden = True
        sheet.column_dimensions["B"].hidden = True

    for path in (workbook_with(plant, good, tmp_path / "r.xlsx"), by_libreoffice(tmp_path / "r.xlsx")):
        verdict = judged(path, SENDER)
        assert verdict.outcome == "quarantined"
        assert set(verdict.counts) == {"PERSON-001", "SHAPE-012"}


@pytest.mark.parametrize(
    "part", ["xl/pivotCache/pivotCacheDefinition1.xml", "xl/revisions/revisionLog1.xml", "xl/model/item.data"]
)
def test_copies_of_data_that_no_sheet_shows_are_refused(
    tmp_path: Path, good: ReturnFile, judged: Judged, part: str
) -> None:
    path = patched(good.xlsx(tmp_path / "r.xlsx"), part, lambda _: b'<x><s v="Jo Bloggs"/></x>')
    assert dict(judged(path, SENDER).counts) == {"FILE-019": 1}


def write_with_every_feature(path: Path, good: ReturnFile) -> Path:
    """A good return with what people put into workbooks: none of it speaks of a person."""
    book = xlsxwriter.Workbook(str(path))
    formats = [
        book.add_format({"num_format": code}) for code in ("0", "#,##0", "dd mmm yyyy", '0" cases"', "@")
    ]
    tables = good.tables()
    for name, rows in tables.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                sheet.write(number, place, cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(rows[0]) - 1)
        sheet.protect("secret", {"sort": True})
        sheet.data_validation("A2:A900", {"validate": "list", "source": ["census", "sample"], "input_title": "Pick",
                                          "input_message": "one of the list"})  # fmt: skip
        sheet.conditional_format("C2:C900", {"type": "text", "criteria": "containing", "value": "review"})
        sheet.conditional_format("D2:D900", {"type": "data_bar"})
        sheet.set_header("&L&F&C&A&RPage &P of &N")
    extra = book.add_worksheet("working")
    extra.add_table("A1:C3", {"name": "Working", "columns": [{"header": "met"}, {"header": "not met"}, {"header": "all"}],
                              "total_row": True})  # fmt: skip
    extra.write_formula(5, 0, '=IF(SUM(A2:A3)=0,"",TEXT(A2/A3,"0.0%"))', value="50.0%")
    extra.write_formula(6, 0, "=SUM(Working[met])+X123456+AB10", value=3)
    extra.write_datetime(7, 0, date(2025, 6, 30), formats[2])
    extra.write_number(8, 0, 12, formats[3])
    extra.write_rich_string(9, 0, "see ", book.add_format({"bold": True}), "returns.md", " of 2025-26")
    extra.write_url(10, 0, "internal:metrics!A1", string="back to the figures")
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=working!$A$2:$A$3", "name": "Met the entitlement"})
    extra.insert_chart("E2", chart)
    book.define_name("figures", "=metrics!$A$1:$F$30")
    book.set_properties(
        {"title": "Return of 2025-26-Q1", "company": "Barnsley", "keywords": "returns, figures"}
    )
    book.set_custom_property("ContentTypeId", "0x010100B4D3F2077009001234567890ABCDEF01")
    book.set_custom_property(
        "MSIP_Label_07700900-1234-4567-8901-234567890123_SetDate", "2025-06-30T10:15:00Z"
    )
    book.close()
    return path


def test_an_ordinary_workbook_with_many_features_raises_no_alarm(
    tmp_path: Path, good: ReturnFile, judged: Judged
) -> None:
    path = write_with_every_feature(tmp_path / "r.xlsx", good)
    verdict = judged(path, SENDER)
    assert (verdict.outcome, set(verdict.counts)) == ("accepted_with_warnings", {"SHAPE-012", "FILE-014"})
    by_openpyxl = tmp_path / "o.xlsx"
    openpyxl.load_workbook(path).save(by_openpyxl)
    assert set(judged(by_openpyxl, SENDER).counts) == {"SHAPE-012", "FILE-014"}
    by_calc = by_libreoffice(path.rename(tmp_path / "c.xlsx"), "ods")
    # A chart is a file of its own there; what is left is read without an alarm.
    assert set(judged(by_calc, SENDER).counts) == {"FILE-019"}


def test_a_workbook_that_libreoffice_saved_raises_no_alarm(
    tmp_path: Path, good: ReturnFile, judged: Judged
) -> None:
    source = workbook_with(lambda book: None, good, tmp_path / "r.xlsx")
    for target in ("ods", "xlsx"):
        folder = tmp_path / target
        folder.mkdir()
        copy = Path(folder / "r.xlsx")
        copy.write_bytes(source.read_bytes())
        if target == "xlsx":
            copy = by_libreoffice(copy, "ods")
        verdict = judged(by_libreoffice(copy, target), SENDER)
        assert (verdict.outcome, dict(verdict.counts)) == ("accepted", {})

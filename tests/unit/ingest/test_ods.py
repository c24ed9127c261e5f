from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hostile_files import CONTENT, inserted, ods, ods_cell, ods_row, ods_rows
from return_files import ReturnFile, patched, write_ods, write_xlsx

from ingest.acceptance import Verdict
from ingest.limits import Limits
from ingest.readers import Fault, Unreadable, Workbook, inspect, read_workbook


def read(path: Path, limits: Limits | None = None) -> Workbook:
    facts = inspect(path)
    assert facts.is_opendocument
    return read_workbook(path, facts, limits or Limits())


def refused(path: Path) -> Fault:
    with pytest.raises(Unreadable) as error:
        read(path)
    return error.value.fault


def places(faults: list[Fault]) -> list[tuple[str | None, int | None, str | None, str]]:
    return [(fault.sheet, fault.row, fault.column, fault.found) for fault in faults]


def by_libreoffice(path: Path, target: str = "ods") -> Path:
    """Convert a file by LibreOffice, under a profile of its own."""
    profile = path.parent / "profile"
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", target,
         "--outdir", str(path.parent), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return path.with_suffix(f".{target}")


ROWS = [
    ["text", "number", "day", "yes", "share"],
    ["  café & co  ", 12, date(2025, 6, 30), True, 0.25],
    ["", "", "", "", ""],
    ["two\nlines", -3.5, datetime(2025, 6, 30, 10, 15), False, ""],
    [],
    ["012", "", "", "", "last"],
]


def test_a_file_of_odfpy_is_read_as_the_same_workbook_of_excel(tmp_path: Path) -> None:
    ours = read(write_ods(tmp_path / "r.ods", {"s": ROWS, "t": [["a"], ["x"]]}))
    path = write_xlsx(tmp_path / "r.xlsx", {"s": ROWS, "t": [["a"], ["x"]]})
    excel = read_workbook(path, inspect(path), Limits())
    assert ours.titles == ("s", "t")
    for mine, theirs in zip(ours.sheets, excel.sheets, strict=True):
        assert (mine.name, mine.header, mine.row_numbers) == (theirs.name, theirs.header, theirs.row_numbers)
        assert [list(column) for column in mine.columns] == [list(column) for column in theirs.columns]
        assert [list(map(type, column)) for column in mine.columns] == [
            list(map(type, column)) for column in theirs.columns
        ]
        assert mine.holds_booleans == theirs.holds_booleans


def test_a_return_that_libreoffice_saved_is_accepted_and_read_alike(
    tmp_path: Path, good: ReturnFile, judged: Callable[..., Verdict]
) -> None:
    good["delivery"][0]["next_step"] = "Caf\u00e9 \u201creview\u201d"
    good["delivery"][0]["next_step_due"] = date(2025, 9, 30)
    good["delivery"][1]["evidence"] = "first line\nsecond line"
    source = good.xlsx(tmp_path / "return.xlsx")
    converted = by_libreoffice(source)
    book, excel = read(converted), read_workbook(source, inspect(source), Limits())
    assert [(s.name, s.header, s.row_numbers) for s in book.sheets] == [
        (s.name, s.header, s.row_numbers) for s in excel.sheets
    ]
    for mine, theirs in zip(book.sheets, excel.sheets, strict=True):
        assert [list(column) for column in mine.columns] == [list(column) for column in theirs.columns]
    assert (book.error_cells, book.formula_counts, book.outside_references) == ([], {}, [])
    assert {where for where, _ in book.loose_text} == {"the document's properties"}
    verdict, of_excel = judged(converted), judged(source)
    assert (verdict.outcome, verdict.rows_read) == (of_excel.outcome, of_excel.rows_read)
    assert verdict.is_accepted


def test_formulas_errors_and_comments_of_libreoffice(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "r.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("s")
    sheet.write_row(0, 0, ["a", "b"])
    sheet.write_formula(1, 0, "=6*7", value=42)
    sheet.write_formula(2, 1, "=1/0", value="#DIV/0!")
    sheet.write_formula(3, 1, "=NA()", value="#N/A")
    sheet.write_comment(0, 0, "call 07700 900123", {"author": "somebody"})
    sheet.write_url(4, 0, "https://example.org/a%20b", string="here")
    sheet.set_header("&LAsk 07700 900456")
    book.set_properties({"title": "07700 900789", "comments": "said on opening"})
    book.close()
    read_back = read(by_libreoffice(path))
    assert read_back.sheets[0].columns[0][0] == 42.0
    assert read_back.formula_counts == {"s": 3}
    assert [(f.sheet, f.row, f.column) for f in read_back.error_cells] == [("s", 3, "B"), ("s", 4, "B")]
    said = dict.fromkeys(read_back.loose_text)
    assert any(where == "a comment" and "07700 900123" in text for where, text in said)
    assert any(where == "a header or footer" and "07700 900456" in text for where, text in said)
    assert ("the document's properties", "07700 900789") in said
    assert ("a link", "https://example.org/a b") in said
    assert read_back.outside_references == []  # a hyperlink is not followed, and no reference


def test_the_sample_of_the_audit_of_2019_20_is_read_alike_once_libreoffice_has_saved_it(
    tmp_path: Path, judged: Callable[..., Verdict]
) -> None:
    import ingest

    sample = Path(ingest.__file__).parent / "samples" / "essex_vcop_2019_20.xlsx"
    source = Path(shutil.copy(sample, tmp_path / "essex.xlsx"))
    converted = by_libreoffice(source)
    mine, theirs = read(converted), read_workbook(source, inspect(source), Limits())
    for sheet, other in zip(mine.sheets, theirs.sheets, strict=True):
        assert (sheet.name, sheet.header, sheet.row_numbers) == (other.name, other.header, other.row_numbers)
        assert [list(column) for column in sheet.columns] == [list(column) for column in other.columns]
    assert judged(converted).counts == judged(source).counts


def test_repeated_rows_and_columns_stand_where_a_person_sees_them(tmp_path: Path) -> None:
    empty = b"<table:table-cell/>"
    path = ods_rows(
        tmp_path / "r.ods",
        ods_row(empty, attributes='table:number-rows-repeated="3"')
        + ods_row(b'<table:table-cell table:number-columns-repeated="3"/>', ods_cell("d6"))
        + ods_row(ods_cell("twice"), attributes='table:number-rows-repeated="2"')
        + ods_row(ods_cell("thrice", 'table:number-columns-repeated="3"'), empty)
        + ods_row(empty, attributes='table:number-rows-repeated="1048567"'),
    )
    sheet = read(path).sheet("metrics")  # has two rows of its own
    assert sheet is not None
    assert sheet.row_numbers == [2, 6, 7, 8, 9]
    assert sheet.columns[0][1:] == ("", "twice", "twice", "thrice")
    assert sheet.columns[3] == ("", "d6", "", "", "")
    assert sheet.columns[2][-1] == "thrice"


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("a<text:tab/>b", "a\tb"),
        ("a<text:line-break/>b", "a\nb"),
        ('a<text:s text:c="3"/>b', "a   b"),
        ("<text:span>John</text:span> <text:span>Lewis</text:span>", "John Lewis"),
        ('see <text:a xlink:href="https://example.org">here</text:a>', "see here"),
        ("a &amp; b &lt; c", "a & b < c"),
        ("a<!-- said -->b", "ab"),
    ],
)
def test_no_word_of_a_cell_is_lost_or_glued_to_another(tmp_path: Path, xml: str, text: str) -> None:
    sheet = read(ods_rows(tmp_path / "r.ods", ods_row(ods_cell(xml)))).sheet("metrics")
    assert sheet is not None
    assert sheet.columns[0][-1] == text


def value_cell(kind: str | None, text: str, **values: str) -> bytes:
    kinds = "" if kind is None else f'office:value-type="{kind}" '
    given = " ".join(f'office:{name.replace("_", "-")}="{value}"' for name, value in values.items())
    return f"<table:table-cell {kinds}{given}><text:p>{text}</text:p></table:table-cell>".encode()


def test_types_of_cells(tmp_path: Path) -> None:
    cells = [
        value_cell("percentage", "30%", value="0.3"),
        value_cell("currency", "£5.00", value="5"),
        value_cell("date", "30 June", date_value="2025-06-30"),
        value_cell("date", "30 June", date_value="2025-06-30T00:00:00"),
        value_cell("boolean", "TRUE", boolean_value="true"),
        value_cell("string", "shown", string_value="stored"),
    ]
    book = read(ods_rows(tmp_path / "r.ods", ods_row(*cells)))
    sheet = book.sheet("metrics")
    assert sheet is not None
    row = [column[-1] for column in sheet.columns]
    assert row == [0.3, 5.0, date(2025, 6, 30), datetime(2025, 6, 30), True, "stored"]
    assert ("text shown instead of a value", "shown") in book.loose_text


@pytest.mark.parametrize(
    "cell",
    [
        value_cell(None, "text alone"),
        value_cell("float", "5"),
        value_cell("float", "5", date_value="2025-06-30"),
        value_cell("string", "five", value="5"),
        value_cell("float", "many", value="INF"),
        value_cell("float", "many", value="1e999"),
        value_cell("float", "1,5", value="1,5"),
    ],
)
def test_a_cell_that_programs_read_differently_is_refused_by_place(tmp_path: Path, cell: bytes) -> None:
    fault = refused(ods_rows(tmp_path / "r.ods", ods_row(ods_cell("x"), cell)))
    assert (fault.reason, fault.sheet, fault.row, fault.column) == ("corrupt", "metrics", 3, "B")


DRAW = 'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
SHAPE = f"<draw:frame {DRAW}><draw:text-box><text:p>on a <text:span>shape</text:span></text:p></draw:text-box></draw:frame>"


def test_text_of_a_shape_is_told_and_never_becomes_the_cells(tmp_path: Path) -> None:
    empty = f"<table:table-cell>{SHAPE}</table:table-cell>".encode()
    book = read(ods_rows(tmp_path / "a.ods", ods_row(empty)))
    assert ("a drawing", "on a shape") in book.loose_text
    assert book.sheet("metrics").row_numbers == [2]  # type: ignore[union-attr]
    filled = f'<table:table-cell office:value-type="string">{SHAPE}<text:p>own</text:p></table:table-cell>'
    fault = refused(ods_rows(tmp_path / "b.ods", ods_row(filled.encode())))
    assert (fault.reason, fault.row, fault.column, fault.found) == (
        "corrupt", 3, "A", "a drawing in a cell with text",
    )  # fmt: skip


def test_messages_and_deleted_text_are_told(tmp_path: Path) -> None:
    hidden = (
        b"<table:tracked-changes><table:deletion><text:p>deleted words</text:p></table:deletion></table:tracked-changes>"
        b'<table:content-validations><table:content-validation table:name="v1"><table:help-message table:title="Help">'
        b"<text:p>how to fill it in</text:p></table:help-message></table:content-validation></table:content-validations>"
    )
    said = read(ods(tmp_path / "r.ods", (CONTENT, inserted(b"<table:table ", hidden)))).loose_text
    assert ("a comment", "deleted words") in said
    assert ("a message of a cell", "how to fill it in") in said
    assert ("a message of a cell", "Help") in said


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        (b'<table:table-source xlink:href="../x.ods"/>', "a link to another file"),
        (b'<office:dde-source office:dde-application="cmd"/>', "a call of a program (DDE, OLE or a script)"),
        (b'<table:database-source-sql table:database-name="d"/>', "a connection to a source of data"),
    ],
)
def test_references_to_the_outside_are_listed(tmp_path: Path, xml: bytes, found: str) -> None:
    book = read(ods(tmp_path / "r.ods", (CONTENT, inserted(b"<table:table-row", xml))))
    assert places(book.outside_references) == [("cover", None, None, found)]


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (
            "of:=DDE(&quot;soffice&quot;;&quot;x&quot;;&quot;y&quot;)",
            "a call of a program (DDE, OLE or a script)",
        ),
        ("msoxl:=cmd|'/C calc'!A0", "a call of a program (DDE, OLE or a script)"),
        ("of:=['file:///srv/figures.ods'#$Sheet1.A1]", "a link to another file"),
        ("of:=WEBSERVICE(&quot;https://example.org&quot;)", "a function that fetches from elsewhere"),
        ("of:=HYPERLINK(&quot;https://example.org&quot;)", None),
        ("of:=SUM({1;2|3;4})&amp;&quot;a|b!c&quot;", None),
        ("of:=['left|right'.A1]+[.B2]", None),
        ("of:=RECALL([.A1])", None),
    ],
)
def test_formulas_that_reach_outside_are_listed_by_place(
    tmp_path: Path, formula: str, found: str | None
) -> None:
    cell = f'<table:table-cell table:formula="{formula}" office:value-type="float" office:value="1"/>'
    book = read(ods_rows(tmp_path / "r.ods", ods_row(ods_cell("x"), cell.encode())))
    assert places(book.outside_references) == ([] if found is None else [("metrics", 3, "B", found)])
    assert book.formula_counts == {"metrics": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda xml: xml.replace(b"yjs-barnsley", b"<![CDATA[yjs-barnsley]]>"), "xml_trick"),
        (inserted(b"<office:document-content", b"<!DOCTYPE x>"), "xml_trick"),
        (lambda xml: xml.replace(b"drawing:1.0", b"text:1.0"), "xml_trick"),
        (lambda xml: xml.decode().encode("utf-16"), "xml_trick"),
        (lambda xml: xml[: len(xml) // 2], "corrupt"),
        (inserted(b"<text:p>", b'<table:table table:name="inner"></table:table>'), "corrupt"),
        (lambda xml: xml.replace(b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="0" ', 1),
         "corrupt"),
        (lambda xml: xml.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="-1">', 1),
         "corrupt"),
    ],
)  # fmt: skip
def test_content_that_may_be_read_in_two_ways_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    path = ods(tmp_path / "r.ods")
    with zipfile.ZipFile(path) as archive:
        before = archive.read(CONTENT)
    patched(path, CONTENT, change)
    with zipfile.ZipFile(path) as archive:
        assert archive.read(CONTENT) != before
    assert refused(path).reason == reason


def test_too_many_sheets_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python_calamine.CalamineWorkbook.from_filelike", None, raising=False)
    path = write_ods(tmp_path / "r.ods", {f"s{number}": [["a"]] for number in range(21)})
    assert refused(path).reason == "too_large"


def test_the_facts_of_a_file_of_libreoffice(tmp_path: Path, good: ReturnFile) -> None:
    facts = inspect(by_libreoffice(good.xlsx(tmp_path / "r.xlsx")))
    assert "Thumbnails/thumbnail.png" in facts.names
    assert (facts.is_opendocument, facts.is_excel, facts.is_workbook) == (True, False, True)
    assert (facts.embedded_files, facts.has_macros, facts.is_encrypted) == (0, False, False)


@pytest.mark.parametrize(
    "part",
    ["Pictures/a.png", "Object 1/content.xml", "ObjectReplacements/Object 1", "Versions/Version1", "x.txt"],
)
def test_pictures_and_objects_count_as_embedded(tmp_path: Path, part: str) -> None:
    assert inspect(ods(tmp_path / "r.ods", (part, lambda _: b"x"))).embedded_files == 1


def test_a_text_document_is_no_spreadsheet(tmp_path: Path) -> None:
    path = ods(tmp_path / "r.ods", ("mimetype", lambda _: b"application/vnd.oasis.opendocument.text"))
    assert not inspect(path).is_workbook

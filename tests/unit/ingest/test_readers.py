from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from return_files import patched, write_xlsx, write_zip

from ingest.limits import Limits
from ingest.readers import Unreadable, Workbook, column_letter, inspect, read_workbook

LIMITS = Limits()


def read(path: Path, limits: Limits = LIMITS) -> Workbook:
    return read_workbook(path, inspect(path), limits)


SHEET = "xl/worksheets/sheet1.xml"


def test_columns_are_lettered_as_in_a_spreadsheet() -> None:
    assert [column_letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


def test_both_formats_give_the_same_header_rows_and_row_numbers(tmp_path: Path) -> None:
    rows = [["a", "b", "c"], ["x", "", "1"], ["", "", ""], ["", "y", "2"], [], ["z", "", ""]]
    for path in (write_zip(tmp_path / "r.zip", {"s": rows}), write_xlsx(tmp_path / "r.xlsx", {"s": rows})):
        sheet = read(path).sheet("s")
        assert sheet is not None
        assert sheet.header == ["a", "b", "c"]
        assert sheet.row_numbers == [2, 4, 6]
        assert [list(column) for column in sheet.columns] == [["x", "", "z"], ["", "y", ""], ["1", "2", ""]]


def test_leading_blank_rows_and_columns_are_not_shifted_away(tmp_path: Path) -> None:
    sheet = read(write_xlsx(tmp_path / "r.xlsx", {"s": [["", "", ""], ["", "b", ""], ["", "", 5]]})).sheet(
        "s"
    )
    assert sheet is not None
    assert sheet.header == ["", "", ""]
    assert sheet.row_numbers == [2, 3]
    assert [list(column) for column in sheet.columns] == [["", ""], ["b", ""], ["", 5.0]]


def test_a_workbook_keeps_types(tmp_path: Path) -> None:
    rows = [["n", "d", "t", "b"], [12, date(2025, 6, 30), "012", True]]
    sheet = read(write_xlsx(tmp_path / "r.xlsx", {"s": rows})).sheet("s")
    assert sheet is not None
    assert [column[0] for column in sheet.columns] == [12.0, date(2025, 6, 30), "012", True]
    assert sheet.holds_booleans
    assert not isinstance(sheet.columns[1][0], datetime)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    sheet = read(write_zip(tmp_path / "r.zip", {"s": [["a"], ["é"]]}, encoding="utf-8-sig")).sheet("s")
    assert sheet is not None
    assert (sheet.header, list(sheet.columns[0])) == (["a"], ["é"])


def test_a_quoted_line_break_does_not_shift_row_numbers(tmp_path: Path) -> None:
    sheet = read(write_zip(tmp_path / "r.zip", {"s": [["a"], ["one\nline"], ["two"]]})).sheet("s")
    assert sheet is not None
    assert sheet.row_numbers == [2, 3]


def test_rows_of_unequal_length_are_filled_with_blanks(tmp_path: Path) -> None:
    sheet = read(write_zip(tmp_path / "r.zip", {"s": [["a", "b"], ["1"], ["1", "2", "3"]]})).sheet("s")
    assert sheet is not None
    assert sheet.header == ["a", "b", ""]
    assert [list(column) for column in sheet.columns] == [["1", "1"], ["", "2"], ["", "3"]]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a\r\nMr\x81\r\n", "neither UTF-8 nor"),
        (b'a\r\n"open\r\n', "broken line"),
        (b"a\r\nx\0y\r\n", "NUL"),
    ],
)
def test_what_is_no_text_is_refused_by_line(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("s.csv", data)
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "not_text"
    assert found in error.value.fault.found
    assert error.value.fault.row == 2


@pytest.mark.parametrize(
    ("limit", "rows"),
    [
        ({"rows": 3}, [["a"], ["1"], ["2"], ["3"]]),
        ({"columns": 2}, [["a", "b", "c"]]),
        ({"cells": 5}, [["a", "b"], ["1", "2"], ["3", "4"]]),
        ({"cell_characters": 5}, [["a"], ["123456"]]),
        ({"cell_characters": 5}, [["abcdef"], ["1"]]),
    ],
)
def test_a_sheet_beyond_a_limit_is_refused(
    tmp_path: Path, limit: dict[str, int], rows: list[list[str]]
) -> None:
    path = write_zip(tmp_path / "r.zip", {"s": rows})
    assert read(path).sheets
    with pytest.raises(Unreadable) as error:
        read(path, replace(LIMITS, **limit))  # type: ignore[arg-type]
    assert error.value.fault.reason == "too_large"


def test_too_many_sheets_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "r.zip", {"s": [["a"]], "t": [["a"]]})
    with pytest.raises(Unreadable, match="2 sheets"):
        read(path, replace(LIMITS, sheets=1))


@pytest.mark.parametrize("place", ["A1048576", "XFD1", "XFD1048576"])
def test_one_cell_far_away_does_not_make_an_enormous_table(tmp_path: Path, place: str) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], [1]]})
    patched(path, SHEET, lambda xml: xml.replace(b'r="A2"', f'r="{place}"'.encode()))
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "too_large"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<c r="A2">', b'<c r="ZZ99999">'),
        (b'<c r="A2">', b"<c s='1'r = 'zz99999'>"),
        (b'<c r="A2">', b'<c r="GR50000">'),  # 200 columns of 50,000 rows: each within its limit
        (b'<row r="2"', b'<row r="999999"'),
        (b'<c r="A2">', b"<c><v>0</v></c>" * 300 + b"<c>"),
    ],
)
def test_the_used_range_is_bounded_before_the_table_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes
) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], [1]]})
    patched(path, SHEET, lambda xml: xml.replace(old, new))
    with zipfile.ZipFile(path) as archive:
        assert new in archive.read(SHEET)
    monkeypatch.setattr("python_calamine.CalamineWorkbook.from_filelike", None, raising=False)
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "too_large"


def test_cells_that_do_not_say_where_they_stand_are_read(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a", "b"], [1, 2], [3, 4]]})
    patched(path, SHEET, lambda xml: re.sub(rb' r="[A-Z]*\d+"', b"", xml))
    sheet = read(path).sheet("s")
    assert sheet is not None
    assert [list(column) for column in sheet.columns] == [[1.0, 3.0], [2.0, 4.0]]


@pytest.mark.parametrize("suffix", ["zip", "xlsx"])
def test_damaged_bytes_are_the_files_fault_whatever_is_damaged(tmp_path: Path, suffix: str) -> None:
    tables = {"s": [["a"], ["x"]], "t": [["b"], ["y"]]}
    path = (write_zip if suffix == "zip" else write_xlsx)(tmp_path / f"r.{suffix}", tables)
    data = path.read_bytes()
    # The directory at the end is what readers trust most: spoil each of its bytes, one after the other.
    for place in range(data.index(b"PK\x01\x02"), len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        facts = inspect(path)
        if facts.container == "zip":
            with contextlib.suppress(Unreadable):
                read_workbook(path, facts, LIMITS)


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY e "1">]><worksheet', 1),
        lambda xml: xml.replace(b'encoding="UTF-8"', b'encoding="UTF-16"'),
        lambda xml: xml.decode().encode("utf-16"),
    ],
)
def test_xml_tricks_are_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = patched(write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], [1]]}), SHEET, change)
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "xml_trick"


def test_error_cells_and_formulas_are_told_by_place(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"first": [["a", "b"], [1, 2]], "second": [["=1+1"]]})
    patched(path, SHEET, lambda xml: xml.replace(b'<c r="B2"><v>2</v>', b'<c r="B2" t="e"><v>#N/A</v>'))
    book = read(path)
    assert [(f.sheet, f.row, f.column) for f in book.error_cells] == [("first", 2, "B")]
    assert book.formula_counts == {"second": 1}


def test_comments_are_given_as_loose_text(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "r.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("s")
    sheet.write_string(0, 0, "a")
    sheet.write_comment(0, 0, "call 07700 900123", {"author": ""})
    book.close()
    assert any("07700 900123" in text for _, text in read(path).loose_text)


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = patched(
        write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], [1]]}), SHEET, lambda xml: xml[: len(xml) // 2]
    )
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "corrupt"


def test_a_damaged_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("s.csv", "a\r\n12345\r\n")
    path.write_bytes(path.read_bytes().replace(b"12345", b"99999", 1))
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "corrupt"


@pytest.mark.parametrize(
    ("name", "trick"),
    [
        ("metrics.csv", False),
        ("sub/metrics.csv", False),
        ("../metrics.csv", True),
        ("/etc/metrics.csv", True),
        ("..\\metrics.csv", True),
        ("C:metrics.csv", True),
    ],
)
def test_names_that_leave_the_folder_are_noticed(tmp_path: Path, name: str, trick: bool) -> None:
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "a")
    assert bool(inspect(path).path_tricks) is trick


def test_links_and_doubled_names_are_noticed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("cover.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert inspect(tmp_path / "link.zip").path_tricks == ("cover.csv",)
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("cover.csv", "a")
        archive.writestr("Cover.csv", "b")
    assert inspect(tmp_path / "twice.zip").path_tricks == ("Cover.csv",)


def test_the_facts_of_odd_files(tmp_path: Path) -> None:
    def facts(name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        return inspect(tmp_path / name).container

    assert facts("empty.xlsx", b"") == "empty"
    assert facts("text.xlsx", b"a,b\n1,2\n") == "other"
    assert facts("cut.zip", b"PK\x03\x04 and no more") == "broken"
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    assert facts("old.xls", ole + b"\0" * 600) == "ole"
    assert not inspect(tmp_path / "old.xls").is_encrypted
    (tmp_path / "locked.xlsx").write_bytes(ole + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    assert inspect(tmp_path / "locked.xlsx").is_encrypted


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("cmd|' /C calc'!A0", "a call of a program (DDE, OLE or a script)"),
        ("DDE(&quot;cmd&quot;,&quot;x&quot;,&quot;y&quot;)", "a call of a program (DDE, OLE or a script)"),
        ("_xlfn.WEBSERVICE(&quot;https://example.org&quot;)", "a function that fetches from elsewhere"),
        ("[1]Sheet1!$A$1", "a link to another file"),
        ("'C:\\figures\\[q1.xlsx]s'!A1", "a link to another file"),
        ("HYPERLINK(&quot;https://example.org&quot;)", None),
        ("Table1[[#This Row],[met]]+Table1[1]", None),
        ("&quot;a|b!c&quot;&amp;'x|y'!A1", None),
    ],
)
def test_formulas_that_reach_outside_are_listed_by_place(
    tmp_path: Path, formula: str, found: str | None
) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a", "b"], [1, 2]]})
    cell = f'<c r="B2"><f>{formula}</f><v>2</v></c>'.encode()
    patched(path, SHEET, lambda xml: xml.replace(b'<c r="B2"><v>2</v></c>', cell))
    book = read(path)
    listed = [(f.sheet, f.row, f.column, f.found) for f in book.outside_references]
    assert listed == ([] if found is None else [("s", 2, "B", found)])
    assert book.formula_counts == {"s": 1}


def test_a_hyperlink_in_a_cell_is_text_and_no_reference(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "r.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("s").write_url(0, 0, "https://example.org/a", string="here")
    book.close()
    result = read(path)
    assert result.outside_references == []
    assert ("a link", "https://example.org/a") in result.loose_text


def test_drop_downs_from_another_sheet_are_no_formulas_of_cells(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], [1]], "lists": [["x"]]})
    drop_down = (
        b'<extLst><ext><x14:dataValidations xmlns:x14="x14" xmlns:xm="xm"><x14:dataValidation><x14:formula1>'
        b"<xm:f>lists!$A$1:$A$9</xm:f></x14:formula1></x14:dataValidation></x14:dataValidations></ext></extLst>"
    )
    patched(path, SHEET, lambda xml: xml.replace(b"</worksheet>", drop_down + b"</worksheet>"))
    book = read(path)
    assert (book.formula_counts, book.outside_references) == ({}, [])


def test_what_hides_behind_an_attribute_counts_as_filled(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"s": [["a"], [1]]})
    patched(path, SHEET, lambda xml: xml.replace(b'<c r="A2">', b'<c r="XFD1048576" x="/>">'))
    with pytest.raises(Unreadable) as error:
        read(path)
    assert error.value.fault.reason == "too_large"

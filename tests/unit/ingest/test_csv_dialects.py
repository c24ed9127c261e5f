from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from return_files import ReturnFile

from ingest.acceptance import Verdict
from ingest.limits import Limits
from ingest.readers import RawSheet, Unreadable, inspect, read_workbook

SAID = "Caf\u00e9 \u201creview\u201d \u2013 40% done, more to come; see plan\tnext year"
"""Signs that Windows-1252 has in a place of their own, and every separator inside a text."""


def zip_of(path: Path, **sheets: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sheets.items():
            archive.writestr(f"{name}.csv", data)
    return path


def read(tmp_path: Path, data: bytes) -> RawSheet:
    path = zip_of(tmp_path / "r.zip", s=data)
    return read_workbook(path, inspect(path), Limits()).sheets[0]


def fault(tmp_path: Path, data: bytes) -> tuple[str, int | None, str]:
    with pytest.raises(Unreadable) as error:
        read(tmp_path, data)
    found = error.value.fault
    return found.reason, found.row, found.found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_dialect_of_a_return_is_accepted(
    tmp_path: Path, good: ReturnFile, judged: Callable[..., Verdict], encoding: str, separator: str
) -> None:
    good["delivery"][0]["evidence"] = SAID
    sheets = {}
    for name, rows in good.tables().items():
        text = io.StringIO()
        csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
        sheets[name] = text.getvalue().encode(encoding)
    assert judged(zip_of(tmp_path / "r.zip", **sheets)).outcome == "accepted"
    raw = read(tmp_path, sheets["delivery"])
    evidence = raw.columns[raw.header.index("evidence")][0]
    assert evidence == SAID


def test_bytes_that_are_utf8_are_never_read_as_windows(tmp_path: Path) -> None:
    assert read(tmp_path, "a\r\né€\r\n".encode()).columns == [("é€",)]


def test_signs_of_windows_1252(tmp_path: Path) -> None:
    # By the code page table: 80 euro, 91/92 single and 93/94 double quotation marks, 96 dash, A3 pound.
    sheet = read(tmp_path, b"a\r\n\x80 \x91x\x92 \x93y\x94 \x96 \xa3\r\n")
    assert sheet.columns == [("\u20ac \u2018x\u2019 \u201cy\u201d \u2013 \u00a3",)]


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_a_byte_that_windows_1252_does_not_have_is_refused_by_line(tmp_path: Path, byte: int) -> None:
    found = fault(tmp_path, b"a\r\nb\r\n" + bytes([byte]) + b"\r\n")
    assert found == ("not_text", 3, "bytes that are neither UTF-8 nor Windows-1252")


def test_a_text_of_both_encodings_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path, b"a\r\ncaf\xe9\r\ncaf\xc3\xa9\r\n") == (
        "not_text",
        3,
        "bytes of UTF-8 beside others that are not UTF-8",
    )


def test_a_byte_order_mark_must_hold_good_to_the_end(tmp_path: Path) -> None:
    reason, row, found = fault(tmp_path, b"\xef\xbb\xbfa\r\ncaf\xe9\r\n")
    assert (reason, row) == ("not_text", 2)
    assert "as which it begins" in found


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-32-le", b"\xff\xfe\0\0")],
)
def test_wide_text_is_called_by_its_name(tmp_path: Path, encoding: str, mark: bytes) -> None:
    reason, row, found = fault(tmp_path, mark + "field;value\r\n".encode(encoding))
    assert (reason, row) == ("not_text", 1)
    assert found == f"text in {encoding[:6].upper()}"


def test_wide_text_without_a_mark_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path, "a\r\n".encode("utf-16-le")) == ("not_text", 1, "a NUL character")


def test_the_header_decides_whatever_the_rows_hold(tmp_path: Path) -> None:
    sheet = read(tmp_path, b"a,b\r\n1;5,2;5;;;;\r\n")
    assert sheet.columns == [("1;5",), ("2;5;;;;",)]
    sheet = read(tmp_path, b"a;b\r\n1,5;x, y, z\r\n")
    assert sheet.columns == [("1,5",), ("x, y, z",)]  # a decimal comma stays what it is


def test_separators_inside_quotes_of_the_header_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, b'"a, b; c";d\r\n1;2\r\n').header == ["a, b; c", "d"]


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\r\n1;2\r\n").columns == [("1;2",)]


def test_a_header_with_two_separators_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path, b"a,b;c\r\n1,2;3\r\n") == (
        "not_text",
        1,
        "a header line with comma and semicolon outside quotes",
    )


@pytest.mark.parametrize("note", [b"sep=;\r\n", b"SEP=;\n", b"\xef\xbb\xbfsep=;\r\n"])
def test_a_note_on_the_separator_is_no_row(tmp_path: Path, note: bytes) -> None:
    sheet = read(tmp_path, note + b"a;b,c\r\n1;2\r\n")
    assert (sheet.header, sheet.columns, sheet.row_numbers) == (["a", "b,c"], [("1",), ("2",)], [2])


@pytest.mark.parametrize("note", [b"sep=|\r\n", b"sep=\r\n", b"sep=;;\r\n"])
def test_a_note_on_another_separator_is_refused(tmp_path: Path, note: bytes) -> None:
    assert fault(tmp_path, note + b"a|b\r\n") == ("not_text", 1, "a note sep= with another separator")


def test_a_refused_dialect_is_told_by_sheet_and_line(
    tmp_path: Path, good: ReturnFile, judged: Callable[..., Verdict]
) -> None:
    path = good.zip(tmp_path / "r.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.csv", b"a,b;c\r\n")
    (problem,) = judged(path).problems
    assert (problem.rule_code, problem.row_number) == ("FILE-012", 1)
    assert "separator" in problem.remedy

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from quality.validators import Fault, spreadsheets
from quality.validators.spreadsheets import NotRun

Spoil = Callable[[Path], object]
NOWHERE = "/nowhere/soffice"


def _book(release: Path, kind: str) -> Path:
    (found,) = release.glob(f"*{kind}")
    return found


def _xlsx(change: Callable[[Any], object]) -> Spoil:
    def spoil(release: Path) -> None:
        path = _book(release, ".xlsx")
        book = openpyxl.load_workbook(path)
        change(book)
        book.save(path)

    return spoil


def _ods(part: str, old: str, new: str, *, is_pattern: bool = False) -> Spoil:
    def spoil(release: Path) -> None:
        path = _book(release, ".ods")
        with zipfile.ZipFile(path) as archive:
            parts = {entry: archive.read(entry) for entry in archive.infolist()}
        with zipfile.ZipFile(path, "w") as archive:
            for entry, content in parts.items():
                if entry.filename == part:
                    text = content.decode("utf-8")
                    changed = re.sub(old, new, text, count=1) if is_pattern else text.replace(old, new, 1)
                    assert changed != text
                    content = changed.encode("utf-8")
                archive.writestr(entry, content)

    return spoil


def test_an_ods_that_declares_entities_is_not_read(release: Path) -> None:
    _ods("content.xml", "<office:document-content", "<!DOCTYPE a [<!ENTITY b 'c'>]><office:document-content")(
        release
    )

    faults = spreadsheets.validate(release, soffice=NOWHERE)

    assert any("declares a document type" in text for text in _messages(faults))


def _messages(faults: list[Fault]) -> list[str]:
    return [fault.message for fault in faults if not isinstance(fault, NotRun)]


def test_a_whole_release_is_read_back_equal(release: Path) -> None:
    assert spreadsheets.validate(release) == []


def test_without_libreoffice_one_fault_of_its_own_kind_says_so(release: Path) -> None:
    (fault,) = spreadsheets.validate(release, soffice=NOWHERE)
    assert isinstance(fault, NotRun)
    assert "LibreOffice (soffice) is not on this machine" in fault.message


def _set(sheet: str, cell: str, value: object) -> Callable[[Any], object]:
    def change(book: Any) -> None:
        assert book[sheet][cell].value != value
        book[sheet][cell].value = value

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_xlsx(lambda book: setattr(book.properties, "title", "")), "no document title"),
        (_xlsx(lambda book: setattr(book.properties, "language", None)), "no document language"),
        (_xlsx(lambda book: book["local_compliance"].merge_cells("A1:C1")), "has merged cells (A1:C1)"),
        (_xlsx(lambda book: book["local_compliance"].tables.clear()), "sheet local_compliance has 0 marked"),
        (_xlsx(lambda book: setattr(book["Notes"], "sheet_state", "hidden")), "sheet Notes is hidden"),
        (_xlsx(lambda book: setattr(book["codes"], "freeze_panes", None)), "codes: the header in row 4 is not frozen"),
        (_xlsx(_set("local_compliance", "F6", "=1+1")), "cell F6 holds a formula"),
        (_xlsx(_set("areas", "A1", None)), "sheet areas has no title in A1"),
        (_xlsx(lambda book: [setattr(cell, "value", None) for cell in book["areas"][6]]), "areas row 6 is blank"),
        (_xlsx(_set("areas", "A60", "more")), "does not start in column A"),
        (_ods("meta.xml", "<dc:title>[^<]*</dc:title>", "", is_pattern=True), "no document title"),
        (_ods("meta.xml", "<dc:language>en-GB</dc:language>", ""), "no document language"),
        (_ods("content.xml", "<table:table-cell ", '<table:table-cell table:number-columns-spanned="2" '), "merged cells"),
        (_ods("content.xml", 'table:name="codes" table:target', 'table:name="codes" table:other'), "0 marked tables"),
        (_ods("content.xml", 'table:contains-header="true"', 'table:contains-header="false"'), "marked tables with a header"),
        (_ods("content.xml", 'address="codes.A4:', 'address="codes.B4:'), "does not start in column A"),
        (_ods("content.xml", 'office:value-type="float" ', 'office:value-type="float" table:formula="of:=1" '), "holds a formula"),
        (_ods("settings.xml", '"VerticalSplitMode" config:type="short">2', '"VerticalSplitMode" config:type="short">0'), "is not frozen"),
        (_ods("content.xml", 'table:name="codes"', 'table:name="codes: what all of them mean here"'), "a name has up to 31"),
        (lambda release: _book(release, ".ods").unlink(), "has no .ods file"),
        (lambda release: _book(release, ".ods").write_bytes(b"PK"), "cannot be opened"),
        (lambda release: _book(release, ".xlsx").write_bytes(b"PK"), "cannot be opened"),
    ],
)  # fmt: skip
def test_each_planted_fault_of_form_is_found(release: Path, spoil: Spoil, words: str) -> None:
    spoil(release)
    messages = _messages(spreadsheets.validate(release, soffice=NOWHERE))
    assert any(words in message for message in messages), messages


SHEET = {
    "release_period_code": ["2025-26-Q4", "2025-26-Q4"],
    "case_count": ["120", "[c]"],
    "rate_percent": ["75", "[c]"],
}


def _table(**columns: list[str]) -> list[list[str]]:
    held = SHEET | columns
    header = [name.replace("_", " ").capitalize() for name in held]
    return [["A title"], header, *(list(row) for row in zip(*held.values(), strict=True))]


def _differences(sheet: list[list[str]], status: tuple[str, str] | None = ("", "c")) -> list[str]:
    header: tuple[str, ...] = ("release_period_code", "case_count", "rate_percent")
    rows: list[tuple[str, ...]] = [("2025-26-Q4", "120", "75"), ("2025-26-Q4", "", "")]
    if status is not None:
        header = (*header, "obs_status")
        rows = [(*row, each) for row, each in zip(rows, status, strict=True)]
        sheet = [sheet[0], [*sheet[1], "Obs status"], *([*row, each] for row, each in zip(sheet[2:], status, strict=False))]  # fmt: skip
    held = spreadsheets._Csv("a.csv", header, tuple(rows), frozenset({"case_count", "rate_percent"}))
    return list(spreadsheets._sheet_difference(sheet, held))


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (_table(case_count=["125", "[c]"]), "row 3 column case_count: '125' where a.csv has '120'"),
        (_table(case_count=["120", ""]), "row 4 column case_count: '' where a.csv has ''"),
        (_table(case_count=["120", "[w]"]), "'[w]' where a.csv has '' and the status 'c'"),
        (_table(case_count=["120", "0"]), "row 4 column case_count: '0'"),
        (_table(release_period_code=["2025-26-Q3", "2025-26-Q4"]), "column release_period_code"),
        (_table()[:3], "has 1 rows beneath its header, a.csv 2"),
        (_table()[:1] + _table()[2:], "no header row"),
    ],
)
def test_a_sheet_that_differs_from_its_csv_is_found(sheet: list[list[str]], words: str) -> None:
    assert any(words in message for message in _differences(sheet)), _differences(sheet)


def test_shorthand_stands_for_an_empty_number_and_says_why() -> None:
    assert _differences(_table()) == []
    assert _differences(_table(rate_percent=["75", "[z]"])) == []
    assert _differences(_table(case_count=["120", "[x]"], rate_percent=["75", "[z]"]), None) == []


def test_a_changed_figure_is_found_in_what_libreoffice_reads(release: Path) -> None:
    _ods("content.xml", 'office:value="13620"', 'office:value="13621"')(release)
    _book(release, ".xlsx").unlink()
    words = " ".join(_messages(spreadsheets.validate(release)))
    assert "column met_count: '13621' where" in words and "has no .xlsx file" in words


def test_sheets_missing_and_too_many_are_found(release: Path) -> None:
    _xlsx(lambda book: book.remove(book["codes"]))(release)
    _book(release, ".ods").unlink()
    (release / "areas.csv").unlink()
    words = " ".join(_messages(spreadsheets.validate(release)))
    assert "has no sheet codes, though codes.csv has rows" in words
    assert "has a sheet areas, of which there is no CSV" in words


def test_a_program_that_hangs_is_ended_and_said(release: Path, tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\nsleep 60 &\nwait\n", encoding="utf-8")
    program.chmod(0o755)
    started = time.monotonic()
    words = " ".join(_messages(spreadsheets.validate(release, soffice=str(program), seconds=1)))
    assert words.count("took more than 1 seconds") == 2
    assert time.monotonic() - started < 20


def test_a_program_that_fails_is_said(release: Path, tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho no display\nexit 77\n", encoding="utf-8")
    program.chmod(0o755)
    words = " ".join(_messages(spreadsheets.validate(release, soffice=str(program))))
    assert "cannot open it (status 77): no display" in words

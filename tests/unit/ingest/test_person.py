from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from return_files import SENDER, ReturnFile, patched, write_xlsx, write_zip

from ingest.acceptance import Verdict
from ingest.acceptance.judge import shown_file_name
from ingest.acceptance.person import nhs_check_digit_holds, screen
from ingest.acceptance.quoting import quote
from ingest.reference import Reference

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PERSON-001", "write to jo.o'bloggs+x@mail.example.co.uk please"),
        ("PERSON-002", "07700 900123"),
        ("PERSON-002", "07700900123"),
        ("PERSON-002", "call +44 7700 900123"),
        ("PERSON-002", "+44 (0)20 7946 0000"),
        ("PERSON-002", "(020) 7946 0000"),
        ("PERSON-002", "0115-496-0123"),
        ("PERSON-003", "AB123456C"),
        ("PERSON-003", "ab 12 34 56 c"),
        ("PERSON-004", "NHS 943 476 5919"),
        ("PERSON-004", "9434765919"),
        ("PERSON-005", "SW1A 1AA"),
        ("PERSON-005", "cm1 1qh"),
        ("PERSON-005", "at M11AE."),
        ("PERSON-006", "Date of birth: known"),
        ("PERSON-006", "DOB 1/2/90"),
        ("PERSON-006", "born on 3 May 1990"),
        ("PERSON-007", "URN 42CD1234525"),
        ("PERSON-007", "custody record AB/1234/25"),
        ("PERSON-007", "crime ref 42/123456/25"),
        ("PERSON-007", "Crime number: 42000123"),
        ("PERSON-007", "T20257123"),
        ("PERSON-007", "PNC 20/123456A"),
        ("PERSON-008", "Mr Smith"),
        ("PERSON-008", "as Mrs. J. O'Neill said"),
        ("PERSON-008", "Dr Patel"),
        ("PERSON-008", "MISS JONES"),
        ("PERSON-008", "PC 1234"),
        ("PERSON-008", "Mrs\u00a0Bloggs"),
        ("PERSON-008", "Mrs \n Bloggs"),
        ("PERSON-008", "Mrs\u200b Bloggs"),
        ("PERSON-002", "07700  900123"),
        ("PERSON-002", "07700\t900123"),
        ("PERSON-002", "07700.900123"),
        ("PERSON-005", "SW1A\u00a01AA"),
        ("PERSON-003", "AB  12 34 56 C"),
    ],
)
def test_what_looks_like_a_person(code: str, text: str) -> None:
    assert code in screen(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E23000028-police",
        "2025-26-Q1",
        "Counts for 1 April 2025 to 30 June 2025 (2025/26 Q1)",
        "01/04/2025 to 30/06/2025",
        "01 04 2025 to 30 06 2025",
        "30 of 2019/20 cases",
        "103 of 118 recent cases received a written acknowledgement",
        "Sample of 30 finalised Magistrates and Crown Court cases",
        "18 in 2019/20 and 19 in 2020/21",
        "£1,234,567 over 12 months; 0.85 of 1000000",
        "Case handling was reviewed; case numbers rose by 1,200",
        "Crime records are checked within 24 hours",
        "The victim is informed within 5 working days",
        "Hit and miss. Missed deadlines are chased.",
        "PC-based systems; PCC area name: Essex",
        "E2 1st quarter, M1 2nd quarter",
        "Rights 1, 5 and 12 have none",
        "r11_s04_yot_progress",
        "1234567890",  # ten digits whose check digit is wrong
        "0000000000",
    ],
)
def test_what_does_not_look_like_a_person(text: str) -> None:
    assert screen(text) == []


def test_the_screen_lets_every_word_of_the_reference_data_pass(reference: Reference) -> None:
    texts = [m.definition for m in reference.metrics] + [m.metric_id for m in reference.metrics]
    texts += [b.body_name for b in reference.bodies] + [b.body_code for b in reference.bodies]
    texts += [r.question for r in reference.legacy_responses] + [
        r.response for r in reference.legacy_responses
    ]
    assert [(text, screen(text)) for text in texts if screen(text)] == []


def test_nhs_check_digits() -> None:
    assert nhs_check_digit_holds("9434765919")  # the example of the NHS Data Dictionary
    assert not nhs_check_digit_holds("9434765918")
    # 6 x 2 = 12 leaves 1, and 11 - 1 = 10 is no digit: no number starts like this.
    assert not any(nhs_check_digit_holds(f"000000006{digit}") for digit in range(10))


# --- where a person may hide in a file ---------------------------------------------------------------------

SECRET = "07700 900123"


def hidden_in(file: ReturnFile, folder: Path, place: str) -> Path:
    tables = file.tables()
    if place == "cover value":
        tables["cover"].append(["nil_delivery_reason", SECRET])
    elif place == "cover field":
        tables["cover"].append([SECRET, "x"])
    elif place == "header":
        tables["metrics"][0].append(SECRET)
    elif place == "extra column":
        tables["metrics"][0].append("remarks")
        tables["metrics"][1].append(SECRET)
    elif place == "extra sheet":
        tables["working"] = [["a"], [SECRET]]
    elif place == "sheet name":
        tables[SECRET] = [["a"]]
    elif place == "code column":
        tables["metrics"][1][tables["metrics"][0].index("collection_mode")] = SECRET
    elif place == "count column":
        tables["metrics"][1][tables["metrics"][0].index("unknown")] = SECRET
    elif place == "number in a count column":
        tables["metrics"][1][tables["metrics"][0].index("count")] = 7700900123
    elif place == "date column":
        tables["metrics"][1][tables["metrics"][0].index("cases_from")] = SECRET
    return write_xlsx(folder / ("07700_900123.xlsx" if place == "file name" else "r.xlsx"), tables)


@pytest.mark.parametrize(
    "place",
    [
        "cover value", "cover field", "header", "extra column", "extra sheet", "sheet name", "code column",
        "count column", "number in a count column", "date column", "file name",
    ],
)  # fmt: skip
def test_a_person_is_found_wherever_it_stands_and_never_repeated(
    tmp_path: Path, good: ReturnFile, judged: Judged, place: str
) -> None:
    verdict = judged(hidden_in(good, tmp_path, place), SENDER)
    assert "PERSON-002" in verdict.counts
    assert verdict.outcome == "quarantined"
    for report in (verdict.to_text(), verdict.to_json()):
        assert "900123" not in report.replace(" ", "")


def test_a_hit_says_where(good: ReturnFile, judged: Judged) -> None:
    good["delivery"][2]["evidence"] = f"Seen; {SECRET}"
    verdict = judged(good, SENDER)
    assert [(p.sheet, p.row_number, p.column_name, p.found) for p in verdict.problems] == [
        ("delivery", 4, "evidence", "")
    ]


def test_a_person_in_a_file_of_no_known_form_is_found(tmp_path: Path, judged: Judged) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", {"anything": [["a", "b"], ["x", SECRET]]})
    assert {"PERSON-002", "SHAPE-001"} == set(judged(path, SENDER).counts)


# --- text outside cells --------------------------------------------------------------------------------------

NODE = b'<?xml version="1.0" encoding="UTF-8"?><x xmlns:a="y">%s</x>'
RELATIONS = (
    b'<?xml version="1.0"?><Relationships><Relationship Id="rId1" Type="hyperlink" Target="%s" '
    b'TargetMode="External"/></Relationships>'
)
SHEET_2 = "xl/worksheets/sheet2.xml"


@pytest.mark.parametrize(
    ("part", "xml", "code", "where"),
    [
        ("xl/comments9.xml", NODE % b"<author>Mrs Bloggs</author>", "PERSON-008", "a comment"),
        ("xl/comments9.xml", NODE % b"<r><t>Mrs </t></r><r><t>Bloggs</t></r>", "PERSON-008", "a comment"),
        ("xl/persons/person.xml", NODE % b'<p displayName="a@b.example"/>', "PERSON-001", "a comment"),
        ("xl/drawings/drawing9.xml", NODE % b"<a:t>07700 900123</a:t>", "PERSON-002", "a drawing"),
        ("xl/drawings/drawing9.xml", NODE % b'<a:c descr="Mrs Bloggs"/>', "PERSON-008", "a drawing"),
        ("docProps/core.xml", NODE % b"<a:creator>jo@b.example</a:creator>", "PERSON-001", "the document's properties"),
        ("xl/worksheets/_rels/sheet2.xml.rels", RELATIONS % b"mailto:jo%40b.example", "PERSON-001", "a link"),
        (SHEET_2, b"<headerFooter><oddHeader>&amp;L&amp;9Mrs Bloggs</oddHeader></headerFooter>", "PERSON-008", "a header or footer"),
        (SHEET_2, b'<hyperlinks><hyperlink ref="A1" tooltip="Mrs Bloggs"/></hyperlinks>', "PERSON-008", "a message of a cell"),
    ],
)  # fmt: skip
def test_a_person_outside_the_cells_is_found(
    tmp_path: Path, good: ReturnFile, judged: Judged, part: str, xml: bytes, code: str, where: str
) -> None:
    path = good.xlsx(tmp_path / "r.xlsx")
    patched(
        path,
        part,
        lambda old: old.replace(b"</worksheet>", xml + b"</worksheet>") if part == SHEET_2 else xml,
    )
    verdict = judged(path, SENDER)
    assert (verdict.outcome, dict(verdict.counts)) == ("quarantined", {code: 1})
    assert verdict.problems[0].sheet == where


def test_what_programs_write_outside_the_cells_is_let_pass(
    tmp_path: Path, good: ReturnFile, judged: Judged
) -> None:
    properties = (
        b"<creator>Jane Doe</creator><AppVersion>16.0300</AppVersion><TotalTime>0</TotalTime>"
        b"<created>2025-07-01T09:00:00Z</created><Application>LibreOffice/7.4.7.2</Application>"
    )
    drawing = (
        b"<from><col>1</col><colOff>0</colOff><rowOff>9434765919</rowOff></from><a:t>April to June</a:t>"
    )
    path = good.xlsx(tmp_path / "r.xlsx")
    patched(path, "docProps/core.xml", lambda _: NODE % properties)
    patched(
        path, "xl/worksheets/_rels/sheet2.xml.rels", lambda _: RELATIONS % b"https://example.org/?id=SW1A1AA"
    )
    patched(path, "xl/drawings/drawing9.xml", lambda _: NODE % drawing.replace(b"9434765919", b"190500"))
    patched(
        path,
        SHEET_2,
        lambda xml: xml.replace(
            b"</worksheet>",
            b"<headerFooter><oddFooter>&amp;CPage &amp;P of &amp;N</oddFooter></headerFooter></worksheet>",
        ),
    )
    assert judged(path, SENDER).outcome == "accepted"


def test_pictures_and_embedded_files_are_refused(tmp_path: Path, good: ReturnFile, judged: Judged) -> None:
    for part in ("xl/media/image1.jpg", "xl/embeddings/oleObject1.bin"):
        path = patched(good.xlsx(tmp_path / "r.xlsx"), part, lambda _: b"Mrs Bloggs")
        verdict = judged(path, SENDER)
        assert (verdict.is_accepted, dict(verdict.counts)) == (False, {"FILE-019": 1})


@pytest.mark.parametrize(
    "place", ["formula", "error cell", "long cell", "broken text", "large table", "extra sheet"]
)
def test_a_title_of_a_sheet_is_never_repeated(
    tmp_path: Path, good: ReturnFile, judged: Judged, place: str
) -> None:
    tables = good.tables() | {"Jane Doe": [["a"], ["x"]]}
    path = tmp_path / "r.zip"
    if place == "formula":
        tables["Jane Doe"] = [["=1+1"]]
        path = write_xlsx(tmp_path / "r.xlsx", tables)
    elif place in ("error cell", "large table"):
        tables["Jane Doe"] = [["a", 1]]
        path = write_xlsx(tmp_path / "r.xlsx", tables)
        new = b'<c r="B1" t="e"><v>#N/A</v>' if place == "error cell" else b'<c r="ZZ9"><v>1</v>'
        patched(
            path, f"xl/worksheets/sheet{len(tables)}.xml", lambda xml: xml.replace(b'<c r="B1"><v>1</v>', new)
        )
    else:
        if place == "long cell":
            tables["Jane Doe"] = [["a"], ["x" * 5000]]
        write_zip(path, tables)
        if place == "broken text":
            patched(path, "Jane Doe.csv", lambda _: b"a\n\xff\n")
    verdict = judged(path, SENDER)
    assert verdict.counts
    for report in (verdict.to_text(), verdict.to_json()):
        assert "Doe" not in report
    assert "sheet number 5" in verdict.to_text()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("return.Mrs Bloggs 07700 900123", "(name withheld)"),
        ("Mrs-Bloggs.zip", "(name withheld).zip"),
        ("Mrs.Bloggs.XLSX", "(name withheld).xlsx"),
        ("07700-900123.Bloggs", "(name withheld)"),
        ("E23000028-police_2025-26-Q1.zip", "E23000028-police_2025-26-Q1.zip"),
        ("yjs-barnet-2025-26-Q1_v2.xlsx", "yjs-barnet-2025-26-Q1_v2.xlsx"),
    ],
)
def test_a_file_name_is_shown_unless_it_may_name_a_person(name: str, shown: str) -> None:
    assert shown_file_name(name) == shown


# --- how cells are quoted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("VAP2", "VAP2"),
        ("r02_s1_recorded_24h", "r02_s1_recorded_24h"),
        ("85%", "85%"),
        ("-3", "-3"),
        ("1,234", "1,234"),
        ("2025-26-Q5", "2025-26-Q5"),
        ("E23000028-police", "E23000028-police"),
        ("cps-london-north", "cps-london-north"),
        ("l1_ack_yes", "text of 10 characters"),
        ("30/06/2025", "a date written as text"),
        ("14/03/1985", "a date written as text"),
        ("1985-03-14T00:00:00", "a date written as text"),
        ("12345678", "a number of 8 digits"),
        (7700900123.0, "a number of 10 digits"),
        (12.0, "12"),
        (0.85, "0.85"),
        (True, "TRUE"),
        (date(2025, 6, 30), "a date"),
        (datetime(2025, 6, 30, 9, 30), "a date with a time of day"),
        (1234567890123456.0, "a number of 16 digits"),
        ("", "nothing"),
        (None, "nothing"),
        ("N/A", "N/A"),
        (" tbc", "tbc"),
        # Words may be a name; they are never repeated.
        ("Smith", "text of 5 characters"),
        ("jo smith", "text of 8 characters"),
        ("SMITHSON", "text of 8 characters"),
        ("Jane_Doe", "text of 8 characters"),
        ("joe.bloggs1", "text of 11 characters"),
        ("bloggs-1985", "text of 11 characters"),
        ("SMIT", "text of 4 characters"),
        ("JB", "text of 2 characters"),
        ("07700 900123", "a number of 11 digits"),
        ("AB123456C", "text of 9 characters"),
    ],
)
def test_only_short_numbers_and_codes_are_quoted(cell: Any, shown: str) -> None:
    assert quote(cell) == shown


def test_identifiers_of_cases_and_receipts_are_no_nhs_numbers() -> None:
    # Among these are runs of ten digits whose check digit holds.
    told = [hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(5_000)]
    assert any(
        nhs_check_digit_holds(run) for text in told for run in re.findall(r"(?<!\d)\d{10}(?!\d)", text)
    )
    assert [text for text in told if screen(text)] == []
    assert [text for text in told if screen(f"R{int(text, 16) % 10**6:06d}-{text[:8]}")] == []

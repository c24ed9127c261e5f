from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from return_files import SENDER, ReturnFile, write_xlsx

from ingest.acceptance import Verdict
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


# --- how cells are quoted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("VAP2", "VAP2"),
        ("r02_s1_recorded_24h", "r02_s1_recorded_24h"),
        ("85%", "85%"),
        ("-3", "-3"),
        ("1,234", "1,234"),
        ("30/06/2025", "30/06/2025"),
        (12.0, "12"),
        (0.85, "0.85"),
        (True, "TRUE"),
        (date(2025, 6, 30), "2025-06-30"),
        ("", "nothing"),
        (None, "nothing"),
        # Words may be a name; they are never repeated.
        ("Smith", "text of 5 characters"),
        ("jo smith", "text of 8 characters"),
        ("SMITHSON", "text of 8 characters"),
        ("07700 900123", "text of 12 characters"),
        ("AB123456C", "text of 9 characters"),
    ],
)
def test_only_numbers_dates_and_codes_are_quoted(cell: Any, shown: str) -> None:
    assert quote(cell) == shown

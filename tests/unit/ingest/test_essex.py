"""The committed Essex return: equal to its source, and to a second, independent reading of the table."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from ingest.acceptance import check_file
from ingest.clock import FixedClock
from ingest.form import load_forms
from ingest.reference import Reference
from ingest.synthetic import deliver_essex, essex

# Appendix A read a second time, top to bottom: H1, Q3, Q4 as printed; None where the cell holds no figure.
PRINTED = """
q1_acknowledgement      yes             30%  33%  35%
q1_acknowledgement      no              30%  67%  65%
q1_acknowledgement      not_suitable    40%  40%  33%
q2_assessed             assessed        100% 100% 100%
q2_assessed             not_assessed    0%   0%   0%
q2_referred             referred        82%  63%  60%
q2_referred             not_referred    18%  37%  40%
q3_updates_in_time      in_time         88%  69%  55%
q3_update_quality       quality         97%  46%  100%
q3_end_of_journey       yes             97%  100% 100%
q3_end_of_journey       no              3%   0%   0%
q3_end_of_journey       not_applicable  0%   0%   0%
q4_vps_taken            yes             50%  53%  37%
q4_vps_taken            no              33%  37%  53%
q4_vps_taken            declined        17%  10%  10%
q4_vps_used             yes             -    -    -
q4_vps_used             no              -    -    -
q4_vps_reported_back    yes             0%   0%   0%
q4_vps_reported_back    no              0%   0%   0%
q4_vps_reported_back    unknown         -    -    -
q4_vps_reported_back    not_applicable  -    -    -
q5_release_communicated yes             100% 100% 100%
q5_release_communicated no              0    -    -
"""
COLUMNS = ("2019-20-H1", "2019-20-Q3", "2019-20-Q4")


@pytest.fixture(scope="module")
def answers() -> list[dict[str, object]]:
    """Rows of the packed workbook's answers sheet."""
    header, *rows = (
        CalamineWorkbook.from_path(str(essex.PACKED_PATH)).get_sheet_by_name("answers").to_python()
    )
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def test_the_packed_return_is_what_its_readable_source_makes() -> None:
    assert essex.PACKED_PATH.read_bytes() == essex.packed_bytes()


def test_appendix_a_is_transcribed_as_printed(answers: list[dict[str, object]]) -> None:
    expected = {}
    for line in PRINTED.split("\n"):
        if line.strip():
            question, response, *values = line.split()
            for period, value in zip(COLUMNS, values, strict=True):
                expected[question, response, period] = "" if value == "-" else value
    found = {
        (row["question_id"], row["response_id"], row["period_code"]): row["printed_value"]
        for row in answers
        if row["source"] == "appendix_a"
    }
    assert found == expected
    assert len(answers) == 71


def test_figures_of_the_body_text(answers: list[dict[str, object]]) -> None:
    recent, overdue = (row for row in answers if row["source"] == "body_text")
    assert (recent["question_id"], recent["response_id"]) == ("q1_acknowledgement", "yes")
    assert (recent["cases_stated"], recent["base_stated"]) == (103, 118)
    assert (recent["sampling_frame"], recent["period_code"]) == ("recent_cases", "2019-20-Q4")
    assert (overdue["question_id"], overdue["printed_value"]) == ("q3_overdue_contacts", "4%")
    assert (overdue["base_stated"], overdue["sampling_frame"], overdue["period_code"]) == (
        "",
        "",
        "2019-20-Q4",
    )


def test_no_base_is_claimed_where_none_is_printed(answers: list[dict[str, object]]) -> None:
    assert {
        (row["cases_stated"], row["base_stated"]) for row in answers if row["source"] == "appendix_a"
    } == {("", "")}


def test_blank_cells_say_that_they_are_blank(answers: list[dict[str, object]]) -> None:
    marked = {
        (row["question_id"], row["response_id"], row["period_code"])
        for row in answers
        if str(row["note"]).endswith("[The table cell is blank]")
    }
    assert marked == {
        *(("q4_vps_used", response, period) for response in ("yes", "no") for period in COLUMNS),
        *(("q5_release_communicated", "no", period) for period in COLUMNS[1:]),
    }


@pytest.mark.parametrize(
    ("question", "response", "note"),
    [
        ("q2_referred", "referred", "Accepted and referred."),
        ("q3_end_of_journey", "no", "There was no audit trail of an update to the victim in one case."),
        ("q4_vps_taken", "no", "No record of being requested"),
        ("q3_end_of_journey", "yes", ""),
    ],
)
def test_notes_stand_on_the_line_they_are_printed_beside(
    answers: list[dict[str, object]], question: str, response: str, note: str
) -> None:
    lines = [row for row in answers if (row["question_id"], row["response_id"]) == (question, response)]
    assert {row["note"] for row in lines if row["source"] == "appendix_a"} == {note}


def test_delivery_keeps_other_lines_of_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "arrivals.csv"
    journal.write_text("sender_code,file_name,arrived_at\nBTP,a.zip,2025-08-01T10:00:00Z\n", encoding="utf-8")
    path = deliver_essex(tmp_path)
    assert path.read_bytes() == essex.PACKED_PATH.read_bytes()
    assert path.parent.name == "E23000028-lpb"
    with journal.open(encoding="utf-8") as handle:
        assert [tuple(row.values()) for row in csv.DictReader(handle)] == [
            ("E23000028-lpb", path.name, "2020-06-30T10:00:00Z"),
            ("BTP", "a.zip", "2025-08-01T10:00:00Z"),
        ]


def test_acceptance_takes_it_and_warns_of_the_changed_base() -> None:
    clock = FixedClock(datetime(2020, 6, 30, 10, tzinfo=UTC))
    verdict = check_file(essex.PACKED_PATH, essex.SENDER_CODE, Reference.load(), load_forms(), clock)
    assert verdict.outcome == "accepted_with_warnings", json.dumps([str(p) for p in verdict.problems])
    assert any("33 + 67 + 40 = 140" in str(problem) for problem in verdict.problems)

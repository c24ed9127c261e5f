from __future__ import annotations

import csv
import stat
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from reports import labels
from reports.flags import Flag, FlagsSummary, _process_in_words, write_flags

PERIOD = "2025-26-Q2"
RIGHT_2 = "To have the details of the crime recorded without unjustified delay"
CUMBRIA = {"body_kind": "police", "pfa_code": "E23000002", "period_code": PERIOD, "area_name": "Cumbria"}
ESSEX_CPS = {"body_kind": "cps", "pfa_code": "E23000028", "period_code": PERIOD, "area_name": "Essex"}


def persistence(body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        **body,
        "right_number": 2,
        "right_title": RIGHT_2,
        "quarter_index": 8101,
        "state": "MET",
        "result": "SEVERE_PERSISTENT",
        "is_recommended": True,
        "is_open_case": True,
        "quarters_running": 2,
        "is_s4_met": True,
        "reason": "Severe in two or more consecutive quarters",
        "rule_version": 0,
        "case_id": "0123656789abcdef",
        **changes,
    }


def indicator(kind: str, item_id: str, **changes: Any) -> dict[str, Any]:
    return {
        **CUMBRIA,
        "right_number": 2,
        "indicator": kind,
        "item_id": item_id,
        "item_definition": "Crimes recorded within 24 hours",
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "is_assessable": True,
        "is_met": True,
        "is_watch": False,
        "good_count": 1236,
        "base_count": 4000,
        "rate": 0.309,
        "rule_version": 0,
        **changes,
    }


ROWS: dict[str, list[dict[str, Any]]] = {
    "oversight_persistence": [
        persistence(CUMBRIA),
        persistence(
            CUMBRIA, period_code="2025-26-Q1", quarter_index=8100, result="SEVERE", is_recommended=False
        ),
        persistence(
            ESSEX_CPS,
            state="NOT_SUBMITTED",
            result="NON_SUBMISSION",
            is_s4_met=False,
            reason="No complete return accepted for two or more consecutive quarters",
        ),
        persistence(
            {**CUMBRIA, "pfa_code": "E23000003", "area_name": "Lancashire"},
            result="SEVERE",
            is_recommended=False,
            is_open_case=False,
            is_s4_met=False,
            quarters_running=1,
            reason="Severe in this quarter: watch",
        ),
        persistence(
            {**CUMBRIA, "pfa_code": "E23000005", "area_name": "Merseyside"},
            state="NOT_MET",
            result="CLEAR",
            is_recommended=False,
            is_open_case=False,
            reason="No severe indicator met",
        ),
        persistence(
            {**CUMBRIA, "pfa_code": "E23000006", "area_name": "Greater Manchester"},
            state="TOO_FEW",
            result="NOT_ASSESSED",
            is_recommended=False,
            is_open_case=False,
            reason="Could not be assessed",
        ),
    ],
    "oversight_indicators": [
        indicator("S1", "r02_s01_recorded_24h", threshold=0.5, upper_bound=0.3206),
        indicator(
            "S2",
            "r02_s01_recorded_24h",
            threshold=-3.09,
            z_score=-4.2,
            gap_to_peers=0.291,
            peer_count=7,
            peer_target_rate=0.6,
            p_value=0.00002,
            p_adjusted=0.01,
        ),
        indicator(
            "S2",
            "r02_s01_recorded_24h",
            pfa_code="E23000005",
            area_name="Merseyside",
            is_met=False,
            threshold=-3.09,
            z_score=0.5,
            p_value=0.7,
            p_adjusted=0.9,
        ),
        indicator("S3", "r02_f01", item_definition="Felt heard", collection_mode="online", threshold=0.35)
        | {"sampling_frame": "respondents", "good_count": 10, "base_count": 100, "rate": 0.1}
        | {"upper_bound": 0.16},
        indicator("S4", "r02_d01", item_definition="Recording process", grade=1, good_count=None)
        | {"base_count": None, "rate": 1.0, "collection_mode": "none", "sampling_frame": "none"},
    ],
    "oversight_exclusion_warnings": [],
    "local_area_compliance": [
        {**CUMBRIA, "metric_id": "r02_s01_recorded_24h", "right_number": 2, "figure_status": "reported"}
        | {"collection_mode": "census", "sampling_frame": "all_cases", "like_area_count": 7}
        | {"like_areas_rate": 0.6123},
        {**CUMBRIA, "metric_id": "r03_s01_crn_5wd", "right_number": 2, "figure_status": "not_collected"}
        | {"collection_mode": "none", "sampling_frame": "none"},
    ],
    "local_area_feedback": [
        {**CUMBRIA, "question_id": "r02_f01", "survey_mode": "online", "right_number": 2}
        | {"figure_status": "reported", "like_area_count": 6, "like_areas_rate": 0.55},
    ],
    "local_area_delivery": [
        {**CUMBRIA, "item_id": "r02_d01", "right_number": 2, "figure_status": "reported", "lowest_grade": 1}
        | {"has_improvement_plan": False, "next_step_due_on": "2026-01-05"},
    ],
    "quality_submissions": [
        {"sender_code": "E23000002-police", "form_kind": "quarterly", "period_code": PERIOD}
        | {"sender_name": "Cumbria Constabulary", "submission_status": "late", "days_late": 3}
        | {"is_revised": True},
        {"sender_code": "cps-east-of-england", "form_kind": "quarterly", "period_code": PERIOD}
        | {"sender_name": "CPS East of England", "submission_status": "not_submitted", "is_revised": False},
    ],
}


@pytest.fixture
def write(tmp_path: Path, mart_tables: ModuleType) -> Callable[..., FlagsSummary]:
    def run(rows: Mapping[str, Any] = ROWS, name: str = "one") -> FlagsSummary:
        path = mart_tables.create_warehouse(tmp_path / f"{name}.duckdb", rows)
        with duckdb.connect(str(path), read_only=True) as con:
            return write_flags(con, PERIOD, tmp_path / "restricted" / PERIOD)

    return run


def csv_rows(summary: FlagsSummary) -> list[dict[str, str]]:
    with summary.csv_path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_one_row_for_each_flag_recommended_first(write: Callable[..., FlagsSummary]) -> None:
    summary = write()

    rows = csv_rows(summary)
    assert [(row["result"], row["body_name"]) for row in rows] == [
        ("SEVERE_PERSISTENT", "Police force, Cumbria"),
        ("NON_SUBMISSION", "Crown Prosecution Service, Essex"),
        ("SEVERE", "Police force, Lancashire"),
    ]
    assert summary.sections["recommended"] == 2
    assert summary.sections["watch"] == 1
    assert summary.states == {"MET": 2, "NOT_MET": 1, "TOO_FEW": 1, "NO_CASES": 0, "NOT_SUBMITTED": 1}
    first = rows[0]
    assert "decides nothing" in first["recommendation"]
    assert "not a notice" in first["recommendation"]
    assert rows[2]["recommendation"] == "Not recommended for escalation."
    assert (first["quarters_running"], first["is_s4_met"], first["case_id"]) == (
        "2",
        "true",
        "0123656789abcdef",
    )
    assert first["marking"] == "OFFICIAL-SENSITIVE"


def test_figures_stand_beside_each_indicator(write: Callable[..., FlagsSummary]) -> None:
    first = csv_rows(write())[0]

    assert first["indicators_met"].split(" | ") == [
        "S1 Crimes recorded within 24 hours (r02_s01_recorded_24h): 1,236 of 4,000, 30.9%;"
        " upper bound 32.1% is below the threshold 50.0%; like areas 61.2% (7 areas)",
        "S2 Crimes recorded within 24 hours (r02_s01_recorded_24h): 1,236 of 4,000, 30.9%;"
        " z \u22124.20, flagged at \u22123.09 or below; like areas point to 60.0% (7 areas):"
        " 29.1 points below that",
        "S3 Felt heard (r02_f01): 10 of 100, 10.0%; upper bound 16.0% is below the threshold 35.0%;"
        " like areas 55.0% (6 areas)",
        "S4 Recording process (r02_d01): lowest grade 1, drafted and not in use",
    ]
    assert first["delivery"] == (
        "Lowest grade 1, drafted and not in use; no improvement plan; next step due 5 January 2026"
    )
    assert first["earlier_quarters"] == "2025-26-Q1: severe"


def test_data_quality_is_noted_for_the_body_it_concerns(write: Callable[..., FlagsSummary]) -> None:
    cumbria, essex, lancashire = csv_rows(write())

    assert cumbria["data_quality"].split(" | ") == [
        "Return of Cumbria Constabulary: late by 3 days, revised",
        "Not collected: Crime report number / written confirmation delivered within 5 working days",
    ]
    assert essex["data_quality"] == "Return of CPS East of England: not submitted"
    assert lancashire["data_quality"] == ""


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def test_the_page_says_what_the_secretariat_needs(write: Callable[..., FlagsSummary]) -> None:
    page = Page(write().html_path.read_text(encoding="utf-8"))

    for words in (
        "OFFICIAL-SENSITIVE",
        "Flags under the Victims' Code: July to September 2025 (2025/26 Q2)",
        "A recommendation to the Board. It decides nothing and is not a notice.",
        "Police force, Cumbria",
        f"Right 2: {RIGHT_2}",
        "1,236 of 4,000, 30.9%",
        "2 severe quarters in this run",
        "S4 is met",
        "late by 3 days, revised",
        "Rule version 0",
        "at least 10 cases",
        "2 comparisons with like areas (S2) were made; 1 met the indicator",
    ):
        assert words in page.text
    # two tests, each with a chance of one in a thousand; one flag whose adjusted p-value is 0.01
    assert "about 0.0 of them would fall below the z limit" in page.text
    assert "at most about 0.01 of the 1 are expected to be false" in page.text


def test_empty_sections_say_so(write: Callable[..., FlagsSummary]) -> None:
    summary = write()
    assert summary.html_path.read_text(encoding="utf-8").count("None in this quarter.") == 3

    quiet = {**ROWS, "oversight_persistence": ROWS["oversight_persistence"][-1:], "oversight_indicators": []}
    summary = write(quiet, "quiet")
    text = summary.html_path.read_text(encoding="utf-8")
    assert text.count("None in this quarter.") == 5
    assert "No comparison with like areas could be made" in text
    assert csv_rows(summary) == []
    assert summary.csv_path.read_text(encoding="utf-8").startswith("period_code,section,result,")


def test_the_page_stands_alone_and_its_tables_are_marked(write: Callable[..., FlagsSummary]) -> None:
    page = Page(write().html_path.read_text(encoding="utf-8"))

    assert page.count("script") == page.count("link") == page.count("img") == 0
    assert dict(page.tags)["html"] == {"lang": "en-GB"}
    assert page.count("table") == page.count("caption") == 4
    assert page.count("h1") == page.count("main") == 1
    headers = [attributes for tag, attributes in page.tags if tag == "th"]
    assert headers
    assert {attributes.get("scope") for attributes in headers} == {"col", "row"}
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    targets = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}
    assert targets <= {f"#{identifier}" for identifier in identifiers}


def test_hostile_text_is_escaped_in_the_page_and_harmless_in_the_csv(
    write: Callable[..., FlagsSummary],
) -> None:
    hostile = '<script>alert(1)</script>" onload="x'
    rows = {
        **ROWS,
        "oversight_persistence": [
            persistence({**CUMBRIA, "area_name": hostile}, reason="=1+1", right_title="<b>bold</b>")
        ],
        "quality_submissions": [
            {**ROWS["quality_submissions"][0], "sender_name": "<img src=x onerror=alert(1)>"}
        ],
    }

    summary = write(rows)

    text = summary.html_path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.count("script") == page.count("img") == page.count("b") == 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not any("onload" in attributes for _, attributes in page.tags)
    assert csv_rows(summary)[0]["reason"] == "'=1+1"


def test_files_are_private_stable_and_left_alone_when_nothing_changed(
    write: Callable[..., FlagsSummary],
) -> None:
    first = write()
    before = (first.html_path.read_bytes(), first.csv_path.read_bytes(), first.html_path.stat().st_ino)
    turned = {name: list(reversed(rows)) for name, rows in ROWS.items()}

    second = write(turned, "turned")

    assert (first.changed, second.changed) == (True, False)
    assert (
        second.html_path.read_bytes(),
        second.csv_path.read_bytes(),
        second.html_path.stat().st_ino,
    ) == before
    assert (
        stat.S_IMODE(first.html_path.stat().st_mode) == stat.S_IMODE(first.csv_path.stat().st_mode) == 0o600
    )
    assert stat.S_IMODE(first.html_path.parent.stat().st_mode) == 0o700


def test_a_quarter_without_results_is_refused(tmp_path: Path, mart_tables: ModuleType) -> None:
    path = mart_tables.create_warehouse(tmp_path / "build.duckdb", ROWS)
    with (
        duckdb.connect(str(path), read_only=True) as con,
        pytest.raises(ValueError, match="build the warehouse"),
    ):
        write_flags(con, "2025-26-Q3", tmp_path / "flags")
    assert not (tmp_path / "flags").exists()


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ({"grade": 1, "rate": 1.0}, "lowest grade 1, drafted"),
        ({"grade": 0, "rate": 0.4}, "held by bodies with 40.0% of the area's cases"),
        ({"grade": 3, "rate": 0.0}, "no improvement plan where a severe indicator is met"),
        ({"grade": None, "rate": None}, "no delivery assessment"),
    ],
)
def test_s4_says_which_of_its_legs_is_met(test: dict[str, Any], words: str) -> None:
    assert words in _process_in_words(test)


def flag_of(**row: object) -> Flag:
    values = {"quarters_running": 2, "state": "MET", "result": "SEVERE_PERSISTENT", **row}
    return Flag(values, "Crown Prosecution Service, London", labels.RESULTS[str(values["result"])])


def test_a_missing_return_is_not_called_a_severe_quarter() -> None:
    assert flag_of().run == "2 severe quarters in this run"
    assert (
        flag_of(state="NOT_SUBMITTED", result="NON_SUBMISSION").run == "2 quarters without a complete return"
    )
    assert flag_of(state="NOT_SUBMITTED", result="SEVERE_PENDING", quarters_running=1).run.startswith(
        "1 severe"
    )
    assert flag_of(state="NOT_MET", result="ELIGIBLE_TO_CLOSE", quarters_running=0).run == ""


def test_a_return_that_is_half_in_is_not_called_missing() -> None:
    half = flag_of(state="NOT_SUBMITTED", result="NON_SUBMISSION", senders_expected=2, senders_received=1)
    assert half.without_figures == "No complete return: 1 of 2 returns are in."


def test_what_is_not_asked_of_a_body_is_not_held_against_it(write: Callable[..., FlagsSummary]) -> None:
    rows = {**ROWS, "local_area_delivery": []}
    page = Page(write(rows).html_path.read_text(encoding="utf-8"))
    assert "Not collected by design" in page.text
    assert "No delivery assessment for this quarter" not in page.text

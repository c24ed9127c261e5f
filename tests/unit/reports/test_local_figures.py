from __future__ import annotations

import csv
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from reports.local_figures import LocalFiguresSummary, write_local_figures

PERIOD = "2025-26-Q2"


def figure(**changes: Any) -> dict[str, Any]:
    return {
        "body_kind": "police",
        "pfa_code": "E23000002",
        "period_code": PERIOD,
        "area_name": "Cumbria",
        "right_number": 2,
        "metric_id": "r02_s01_recorded_24h",
        "metric_version": 1,
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "unit": "proportion",
        "figure_status": "reported",
        "senders_expected": 1,
        "senders_received": 1,
        "met_count": 1236,
        "not_met_count": 2764,
        "case_count": 4000,
        "compliance_rate": 0.309,
        "rate_lower": 0.2944,
        "rate_upper": 0.323,
        "previous_met_count": 1600,
        "previous_case_count": 4000,
        "previous_rate": 0.4,
        "change_from_previous": "lower",
        "year_ago_met_count": 1500,
        "year_ago_case_count": 4000,
        "year_ago_rate": 0.375,
        "like_area_count": 7,
        "like_areas_met_count": 12000,
        "like_areas_case_count": 20000,
        "like_areas_rate": 0.6,
        **changes,
    }


BARE = dict.fromkeys(
    (
        "met_count",
        "not_met_count",
        "case_count",
        "compliance_rate",
        "rate_lower",
        "rate_upper",
        "previous_met_count",
        "previous_case_count",
        "previous_rate",
        "change_from_previous",
        "year_ago_met_count",
        "year_ago_case_count",
        "year_ago_rate",
        "like_area_count",
        "like_areas_met_count",
        "like_areas_case_count",
        "like_areas_rate",
    )
)
ABSENT = {**BARE, "collection_mode": "none", "sampling_frame": "none"}
ROWS = [
    figure(),
    figure(metric_id="r03_s01_crn_5wd", right_number=3, **ABSENT, figure_status="not_collected")
    | {"not_collected_reason": "No field for it"},
    figure(body_kind="cps", metric_id="r06_s02_nfa_letters_ontime", right_number=6, **ABSENT)
    | {"figure_status": "not_submitted", "senders_received": 0},
    figure(metric_id="r04_s01_referrals_n", right_number=4, unit="count", reported_count=77, **BARE),
    figure(pfa_code="W15000001", area_name="=Gwent", change_from_previous=None)
    | {"previous_rate": None, "year_ago_rate": None, "like_areas_rate": None},
    figure(pfa_code="NAT", body_kind="btp", area_name="England and Wales (national forces)")
    | {"change_from_previous": "no detectable change", "like_areas_rate": None},
    figure(pfa_code="NAT", body_kind="mdp", area_name="England and Wales (national forces)")
    | {"change_from_previous": "higher", "like_areas_rate": None},
    figure(period_code="2025-26-Q1"),
]


def write(
    tmp_path: Path, mart_tables: ModuleType, rows: Any = ROWS, name: str = "one"
) -> LocalFiguresSummary:
    path = mart_tables.create_warehouse(tmp_path / f"{name}.duckdb", {"local_area_compliance": rows})
    with duckdb.connect(str(path), read_only=True) as con:
        return write_local_figures(con, PERIOD, tmp_path / "packs" / PERIOD)


def read(summary: LocalFiguresSummary, stem: str) -> list[dict[str, str]]:
    with (summary.folder / f"{stem}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_area_and_each_national_force_has_its_own_file(tmp_path: Path, mart_tables: ModuleType) -> None:
    summary = write(tmp_path, mart_tables)

    assert summary.rows == {"BTP": 1, "E23000002": 4, "MDP": 1, "W15000001": 1}
    assert {path.name for path in summary.folder.iterdir()} == {
        "BTP.csv",
        "E23000002.csv",
        "MDP.csv",
        "W15000001.csv",
    }
    assert {row["body_kind"] for row in read(summary, "BTP")} == {"btp"}
    assert read(summary, "MDP")[0]["body_name"] == "Ministry of Defence Police"
    assert stat.S_IMODE(summary.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in summary.folder.iterdir()} == {0o600}


def test_a_figure_stands_beside_like_areas_and_earlier_quarters(
    tmp_path: Path, mart_tables: ModuleType
) -> None:
    first = read(write(tmp_path, mart_tables), "E23000002")[0]

    assert first["body_name"] == "Police force, Cumbria"
    assert first["metric_definition"] == "Crimes recorded within 24 hours"
    assert first["right_title"] == "To have the details of the crime recorded without unjustified delay"
    assert (first["met_count"], first["case_count"], first["rate_percent"]) == ("1236", "4000", "30.9")
    assert (first["like_area_count"], first["like_areas_rate_percent"]) == ("7", "60.0")
    assert (first["previous_rate_percent"], first["year_ago_rate_percent"]) == ("40.0", "37.5")
    assert first["change_from_previous"] == "lower"
    assert first["reading"] == (
        "30.9% of 4,000. Lower than the quarter before (40.0% of 4,000). A year ago: 37.5% of 4,000."
        " 7 like areas together: 60.0% of 20,000."
    )
    assert first["marking"] == "OFFICIAL-SENSITIVE"


def test_what_is_missing_is_said_and_never_a_zero(tmp_path: Path, mart_tables: ModuleType) -> None:
    summary = write(tmp_path, mart_tables)

    rows = {(row["body_kind"], row["metric_id"]): row for row in read(summary, "E23000002")}
    absent = rows["police", "r03_s01_crn_5wd"]
    assert absent["reading"] == "Not collected (No field for it)."
    assert (absent["met_count"], absent["rate_percent"], absent["collection_mode"]) == ("", "", "")
    assert rows["cps", "r06_s02_nfa_letters_ontime"]["reading"] == "No accepted return."
    count = rows["police", "r04_s01_referrals_n"]
    assert (count["reported_count"], count["reading"]) == ("77", "A count; no rate is made from it.")
    gwent = read(summary, "W15000001")[0]
    assert gwent["area_name"] == "'=Gwent"
    assert "No comparable figure for the quarter before." in gwent["reading"]
    assert "No detectable change from the quarter before" in read(summary, "BTP")[0]["reading"]
    assert "Higher than the quarter before" in read(summary, "MDP")[0]["reading"]


def test_the_same_rows_give_the_same_bytes_and_touch_nothing(tmp_path: Path, mart_tables: ModuleType) -> None:
    first = write(tmp_path, mart_tables)
    before = {path.name: (path.read_bytes(), path.stat().st_ino) for path in first.folder.iterdir()}

    second = write(tmp_path, mart_tables, list(reversed(ROWS)), "turned")

    assert (first.changed, second.changed) == (True, False)
    assert {path.name: (path.read_bytes(), path.stat().st_ino) for path in second.folder.iterdir()} == before


def test_a_quarter_without_figures_and_an_unsafe_area_code_are_refused(
    tmp_path: Path, mart_tables: ModuleType
) -> None:
    with pytest.raises(ValueError, match="No local figure"):
        write(tmp_path, mart_tables, [])
    with pytest.raises(ValueError, match="cannot name a file"):
        write(tmp_path, mart_tables, [figure(pfa_code="../../etc")], "unsafe")
    assert not (tmp_path / "packs").exists()

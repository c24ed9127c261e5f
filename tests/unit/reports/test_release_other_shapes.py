"""The figures in the shapes of two other services: theirs columns, our figures, nothing withheld given away."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

import pytest
from small_publication import (
    COMMON,
    CUMBRIA,
    SUPPRESSED,
    VALUE,
    public_table,
    small_publication,
)

from reports.release import cjs_dashboard, explore_education
from reports.release.publication import Publication, PublicColumn, PublicTable

# As the screener of the service has them (eesyscreener: geography_df, req_meta_cols, acceptable_values).
META = "col_name,col_type,label,indicator_grouping,indicator_unit,indicator_dp,filter_hint,filter_grouping_column"
LEVELS = {
    "National": {"country_code", "country_name"},
    "Regional": {"country_code", "country_name", "region_code", "region_name"},
    "Police force area": {
        "country_code",
        "country_name",
        "region_code",
        "region_name",
        "pfa_code",
        "pfa_name",
    },
}
PLACES = {"country_code", "country_name", "region_code", "region_name", "pfa_code", "pfa_name"}
UNITS = {"%", "pp", "£", "£m", ""}
TEN = [
    "offence_type", "stage", "priority_area", "metric_name", "geographic_granularity", "geographic_area_name",
    "date_granularity", "time_period", "value", "reason_for_missing_data",
]  # fmt: skip


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def _breakdowns(**row: Any) -> PublicTable:
    types = {
        "release_period_code": "VARCHAR", "year_code": "VARCHAR", "information": "VARCHAR", "body_kind": "VARCHAR",
        "region_code": "VARCHAR", "region_name": "VARCHAR", "right_number": "INTEGER", "item_id": "VARCHAR",
        "item_definition": "VARCHAR", "breakdown": "VARCHAR", "breakdown_value": "VARCHAR",
        "breakdown_label": "VARCHAR", "collection_mode": "VARCHAR", "sampling_frame": "VARCHAR",
        "collected_by": "VARCHAR", "base_count": "BIGINT", "good_count": "BIGINT", "rate_percent": "INTEGER",
        "rate_band": "VARCHAR", "published_as": "VARCHAR", "obs_status": "VARCHAR",
    }  # fmt: skip
    whole = {
        "release_period_code": "2025-26-Q4", "year_code": "2025-26-FY", "information": "statistic",
        "body_kind": "police", "region_code": "E12000002", "region_name": "North West", "right_number": 2,
        "item_id": "r02_s01_recorded_24h", "item_definition": "Crimes recorded within 24 hours",
        "breakdown": "crime_type", "breakdown_value": "ROB", "breakdown_label": "Robbery",
        "collection_mode": "census", "sampling_frame": "all_cases", "collected_by": "none", "base_count": 200,
        "good_count": 150, "rate_percent": 75, "published_as": "value",
    }  # fmt: skip
    rows = [whole | row, whole | {"breakdown_value": "SEX", "breakdown_label": "Sexual offences"},
            whole | {"breakdown": "sex", "breakdown_value": "F", "breakdown_label": "Female"}]  # fmt: skip
    return PublicTable(
        "region_breakdowns", "", "Breakdowns", "d", tuple(PublicColumn(n, n, t) for n, t in types.items()),
        ("item_id",), tuple(tuple(each.get(name) for name in types) for each in rows),
    )  # fmt: skip


@pytest.fixture(scope="module")
def publication() -> Publication:
    small = small_publication()
    return small_publication(
        tables=(*small.tables, _breakdowns(region_code="W92000004", region_name="Wales"))
    )


@pytest.fixture(scope="module")
def pairs(publication: Publication) -> Mapping[str, bytes]:
    return explore_education.write(publication, {})


def test_every_table_of_figures_has_data_and_metadata(pairs: Mapping[str, bytes]) -> None:
    stems = ["ees-group-compliance", "ees-local-compliance", "ees-local-feedback", "ees-region-breakdowns"]
    assert sorted(pairs) == [f"{stem}{kind}.csv" for stem in stems for kind in ("", ".meta")]


def test_each_pair_is_what_the_screener_of_the_service_asks_for(pairs: Mapping[str, bytes]) -> None:
    for name in (name for name in pairs if not name.endswith(".meta.csv")):
        data, meta = _rows(pairs[name]), _rows(pairs[name.replace(".csv", ".meta.csv")])
        assert re.fullmatch(r"[a-z0-9-]+\.csv", name)
        assert pairs[name.replace(".csv", ".meta.csv")].decode().splitlines()[0] == META
        filters = [row["col_name"] for row in meta if row["col_type"] == "Filter"]
        indicators = [row["col_name"] for row in meta if row["col_type"] == "Indicator"]
        groups = [row["filter_grouping_column"] for row in meta if row["filter_grouping_column"]]
        assert set(filters + indicators + groups) <= set(data[0])
        assert not set(groups) & set(filters) and indicators
        labels = [row["label"] for row in meta]
        assert all(labels) and len(set(labels)) == len(labels)
        assert all(row["indicator_unit"] in UNITS and row["indicator_dp"] in ("0", "") for row in meta)
        assert not any(
            row["indicator_unit"] or row["indicator_dp"] for row in meta if row["col_type"] == "Filter"
        )
        seen = set()
        for row in data:
            assert re.fullmatch(r"20\d{4}", row["time_period"])
            assert int(row["time_period"][4:]) == (int(row["time_period"][2:4]) + 1) % 100
            assert row["time_identifier"] in {
                "Financial year",
                *(f"Financial year Q{n}" for n in range(1, 5)),
            }
            filled = {place for place in PLACES if row.get(place)}
            # Wales has no English region
            assert filled in (
                LEVELS[row["geographic_level"]], LEVELS[row["geographic_level"]] - {"region_code", "region_name"},
            )  # fmt: skip
            assert all(row[column].strip() == row[column] != "" for column in filters + groups)
            assert all(re.fullmatch(r"\d+|[cxz]", row[column]) for column in indicators), row
            seen.add(tuple(row[column] for column in (*list(row)[:7], *(["pfa_code"] if "pfa_code" in row else []), *filters)))  # fmt: skip
        assert len({row["time_identifier"] for row in data}) == 1
        assert len(seen) == len(data)
        assert all(len({row[column] for row in data}) > 1 for column in filters)


def test_places_stand_at_the_level_the_service_knows(pairs: Mapping[str, bytes]) -> None:
    local = _rows(pairs["ees-local-compliance.csv"])
    found = {
        (row["geographic_level"], row["country_name"], row["region_name"], row["pfa_code"]) for row in local
    }  # fmt: skip
    assert found == {
        ("Police force area", "England", "North West", "E23000002"),
        ("Police force area", "England", "London", "E23000001"),
        ("Police force area", "Wales", "", "W15000004"),
        ("National", "England and Wales", "", ""),
    }
    # Wales as a region of ours is a country there, and stands there once
    group = [
        (row["geographic_level"], row["country_code"]) for row in _rows(pairs["ees-group-compliance.csv"])
    ]
    assert group == [("National", "K04000001")]
    regions = {
        row["country_name"]: row["geographic_level"] for row in _rows(pairs["ees-region-breakdowns.csv"])
    }
    assert regions == {"England": "Regional", "Wales": "National"}


def test_what_is_withheld_here_is_withheld_there(pairs: Mapping[str, bytes]) -> None:
    table = small_publication().table("local_compliance")
    ours = sorted(
        tuple(row[name] for name in ("case_count", "met_count", "reported_count", "rate_percent"))
        for row in ({k: "" if v is None else str(v) for k, v in row.items()} for row in table.dicts())
    )  # fmt: skip
    theirs = sorted(
        tuple("" if row[name] in "cxz" else row[name] for name in ("case_count", "met_count", "reported_count", "rate_percent"))
        for row in _rows(pairs["ees-local-compliance.csv"])
    )  # fmt: skip
    assert ours == theirs
    by_band = {row["rate_band"]: row["met_count"] for row in _rows(pairs["ees-local-compliance.csv"])}
    assert by_band["90% and over"] == by_band["50% to 79%"] == "c"


def test_a_missing_return_is_not_available_there(pairs: Mapping[str, bytes]) -> None:
    (row,) = (
        row for row in _rows(pairs["ees-local-compliance.csv"])
        if row["body"] == "Crown Prosecution Service" and row["pfa_code"] == "W15000004"
    )  # fmt: skip
    assert (row["case_count"], row["reported_count"]) == ("x", "z")


def test_breakdowns_are_grouped_by_what_they_break_down(pairs: Mapping[str, bytes]) -> None:
    meta = {row["col_name"]: row for row in _rows(pairs["ees-region-breakdowns.meta.csv"])}
    assert meta["breakdown"]["filter_grouping_column"] == "breakdown_topic"
    assert "breakdown_topic" not in meta and "metric" not in meta
    topics = {(row["breakdown_topic"], row["breakdown"]) for row in _rows(pairs["ees-region-breakdowns.csv"])}
    assert topics == {("Crime type", "Robbery"), ("Crime type", "Sexual offences"), ("Sex", "Female")}


def test_two_rows_that_would_be_one_there_are_refused() -> None:
    table = small_publication().table("local_compliance")
    rows = [CUMBRIA | VALUE, CUMBRIA | SUPPRESSED | {"period_label": "another"}]
    twice = public_table(table.name, table.title, table.column_names, ("area_code",), rows)
    with pytest.raises(ValueError, match="Table local_compliance: two rows are one in the shape"):
        explore_education.write(small_publication(tables=(twice,)), {})


def test_a_period_that_is_none_is_refused() -> None:
    table = small_publication().table("local_compliance")
    odd = public_table(
        table.name, "t", table.column_names, ("area_code",), [CUMBRIA | VALUE | {"period_code": "2025"}]
    )
    with pytest.raises(ValueError, match="Period '2025' is no quarter or financial year"):
        explore_education.write(small_publication(tables=(odd,)), {})


@pytest.fixture(scope="module")
def dashboard(publication: Publication) -> list[dict[str, str]]:
    files = cjs_dashboard.write(publication, {})
    assert list(files) == ["cjs-dashboard.csv"]
    return _rows(files["cjs-dashboard.csv"])


def test_the_dashboard_has_its_ten_columns(publication: Publication, dashboard: list[dict[str, str]]) -> None:
    assert list(dashboard[0]) == TEN == list(cjs_dashboard.HEADER)
    assert cjs_dashboard.write(publication, {}) == cjs_dashboard.write(publication, {})


def test_every_rate_is_there_and_every_gap_has_a_reason(dashboard: list[dict[str, str]]) -> None:
    local = [
        row for row in dashboard if row["geographic_granularity"] in ("Police force area", "National force")
    ]
    rates = [
        row["rate_percent"]
        for row in small_publication().table("local_compliance").dicts()
        if row["unit"] != "count"
    ]
    assert sorted(row["value"] for row in local) == sorted(
        "" if rate is None else str(rate) for rate in rates
    )
    assert all(bool(row["value"]) != bool(row["reason_for_missing_data"]) for row in dashboard)
    reasons = {row["reason_for_missing_data"].partition(":")[0] for row in local} - {""}
    assert reasons == {"Confidential", "Not available", "Not applicable", "Not submitted"}
    assert any(row["reason_for_missing_data"].endswith("the rate is 90% and over") for row in local)


def test_crime_types_stand_beside_all_crime_and_characteristics_do_not(
    dashboard: list[dict[str, str]],
) -> None:
    assert {row["offence_type"] for row in dashboard} == {"All crime", "Robbery", "Sexual offences"}
    robbery = next(row for row in dashboard if row["offence_type"] == "Robbery")
    assert (robbery["geographic_granularity"], robbery["date_granularity"], robbery["time_period"]) == (
        "Region", "Financial year", "2025-26-FY",
    )  # fmt: skip
    assert robbery["metric_name"] == "Crimes recorded within 24 hours (Police force, census, all cases)"
    assert robbery["priority_area"].startswith("Right 2: ")


def test_two_rates_with_the_same_words_are_refused() -> None:
    table = small_publication().table("local_compliance")
    rows = [
        CUMBRIA | VALUE,
        CUMBRIA | VALUE | {"metric_id": "other", "metric_definition": COMMON["metric_definition"]},
    ]
    twice = public_table(table.name, table.title, table.column_names, ("metric_id",), rows)
    with pytest.raises(ValueError, match=r"cjs-dashboard.csv would hold 2 rows"):
        cjs_dashboard.write(small_publication(tables=(twice,)), {})


def test_without_any_of_its_tables_there_is_no_file() -> None:
    publication = small_publication(tables=(small_publication().table("local_feedback"),))
    assert cjs_dashboard.write(publication, {}) == {}
    assert set(explore_education.write(publication, {})) == {
        "ees-local-feedback.csv",
        "ees-local-feedback.meta.csv",
    }

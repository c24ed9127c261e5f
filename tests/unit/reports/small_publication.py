"""A small publication with one row of every kind a release can hold: what the tests of the writers share.

The columns are those of the open data marts, the figures are made up, the references are those of the real seeds.
"""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from typing import Any

import duckdb

from reports.release.areas import read_areas
from reports.release.breakdowns import read_breakdowns
from reports.release.catalogue import read_catalogue
from reports.release.codes import read_codes
from reports.release.publication import Publication, PublicColumn, PublicTable

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
PERIOD = "2025-26-Q4"

_COLUMNS: dict[str, tuple[str, str]] = {
    "release_period_code": ("VARCHAR", "Quarter whose release holds the row."),
    "period_code": ("VARCHAR", "Period, by financial year and part, such as 2025-26-Q1."),
    "period_label": ("VARCHAR", "Period in words."),
    "financial_year": ("VARCHAR", "Financial year, such as 2025-26."),
    "body_kind": ("VARCHAR", "Kind of body."),
    "area_code": ("VARCHAR", "Area code; BTP or MDP for the national forces."),
    "area_name": ("VARCHAR", "Name of the area."),
    "region_name": ("VARCHAR", "Region."),
    "group_kind": ("VARCHAR", "Kind of larger area."),
    "group_code": ("VARCHAR", "Code of the larger area."),
    "group_name": ("VARCHAR", "Name of the larger area."),
    "is_combined": ("BOOLEAN", "Do several groups stand here as one?"),
    "right_number": ("INTEGER", "Right of the Victims' Code."),
    "metric_id": ("VARCHAR", "Metric of the catalogue."),
    "question_id": ("VARCHAR", "Feedback question of the catalogue."),
    "metric_definition": ("VARCHAR", "Definition of the metric."),
    "unit": ("VARCHAR", "proportion, count, counts_by_delay or grade_0_3."),
    "collection_mode": ("VARCHAR", "How cases were chosen."),
    "sampling_frame": ("VARCHAR", "Which cases were looked at."),
    "survey_mode": ("VARCHAR", "How victims were asked."),
    "collected_by": ("VARCHAR", "Who asked."),
    "areas_published": ("INTEGER", "Areas whose figures make up the total."),
    "case_share_covered": ("DOUBLE", "Share of the cases the total covers, rounded down."),
    "case_count": ("BIGINT", "Cases that count: met and not met."),
    "met_count": ("BIGINT", "Cases in which the right was met."),
    "reported_count": ("BIGINT", "The count itself, of a metric whose unit is a count."),
    "valid_answer_count": ("BIGINT", "Victims who gave a valid answer."),
    "good_count": ("BIGINT", "Victims who answered positively."),
    "rate_percent": ("INTEGER", "Rate in whole percent, or to the nearest 10 where about."),
    "rate_is_about": ("BOOLEAN", "Is the rate given only to the nearest 10?"),
    "rate_lower_percent": ("INTEGER", "Lower end of the 95% interval, from rounded counts."),
    "rate_upper_percent": ("INTEGER", "Upper end of the 95% interval, from rounded counts."),
    "rate_band": ("VARCHAR", "Rate as a band where no rate may be given."),
    "published_as": ("VARCHAR", "Form in which the figure is given."),
    "obs_status": ("VARCHAR", "Why a cell is empty."),
    "obs_note": ("VARCHAR", "p provisional, r revised."),
    "disclosure_rule_version": ("INTEGER", "Version of the disclosure rules applied."),
}
_FORM = [
    "rate_percent",
    "rate_is_about",
    "rate_lower_percent",
    "rate_upper_percent",
    "rate_band",
    "published_as",
]
_END = ["obs_status", "obs_note", "disclosure_rule_version"]

LOCAL_KEY = ("body_kind", "area_code", "metric_id", "period_code", "collection_mode", "sampling_frame")
GROUP_KEY = (
    "body_kind",
    "group_kind",
    "group_code",
    "metric_id",
    "period_code",
    "collection_mode",
    "sampling_frame",
)
AREA_GROUPS_KEY = ("period_code", "group_kind", "group_code", "area_code")
AREA_GROUPS_COLUMNS = (
    "release_period_code", "period_code", "group_kind", "group_code", "group_name", "area_code", "area_name",
    "is_combined",
)  # fmt: skip
FEEDBACK_KEY = ("body_kind", "area_code", "question_id", "financial_year", "survey_mode", "collected_by")

LOCAL_COLUMNS = (
    "release_period_code", "period_code", "period_label", "body_kind", "area_code", "area_name", "region_name",
    "right_number", "metric_id", "metric_definition", "unit", "collection_mode", "sampling_frame", "case_count",
    "met_count", "reported_count", *_FORM, *_END,
)  # fmt: skip
GROUP_COLUMNS = (
    "release_period_code", "period_code", "period_label", "body_kind", "group_kind", "group_code", "group_name",
    "right_number", "metric_id", "metric_definition", "unit", "collection_mode", "sampling_frame",
    "areas_published", "case_share_covered", "case_count", "met_count", "reported_count", *_FORM, *_END,
)  # fmt: skip
FEEDBACK_COLUMNS = (
    "release_period_code", "financial_year", "body_kind", "area_code", "area_name", "right_number", "question_id",
    "survey_mode", "collected_by", "valid_answer_count", "good_count", *_FORM, *_END,
)  # fmt: skip

COMMON: dict[str, Any] = {
    "release_period_code": PERIOD,
    "period_code": PERIOD,
    "period_label": "January to March 2026 (2025/26 Q4)",
    "financial_year": "2025-26",
    "body_kind": "police",
    "right_number": 2,
    "metric_id": "r02_s01_recorded_24h",
    "metric_definition": "Crimes recorded within 24 hours",
    "unit": "proportion",
    "collection_mode": "census",
    "sampling_frame": "all_cases",
    "survey_mode": "online",
    "collected_by": "survey",
    "obs_note": "p",
    "disclosure_rule_version": 0,
}
CUMBRIA = {"area_code": "E23000002", "area_name": "Cumbria", "region_name": "North West"}
METROPOLITAN = {"area_code": "E23000001", "area_name": "Metropolitan Police", "region_name": "London"}
DYFED_POWYS = {"area_code": "W15000004", "area_name": "Dyfed-Powys", "region_name": "Wales"}
CRN = {
    "right_number": 3,
    "metric_id": "r03_s01_crn_5wd",
    "metric_definition": "Crime report number / written confirmation delivered within 5 working days",
}

VALUE = {
    "case_count": 14595, "met_count": 13620, "rate_percent": 93, "rate_is_about": False,
    "rate_lower_percent": 92, "rate_upper_percent": 94, "published_as": "value",
}  # fmt: skip
ABOUT = {
    "case_count": 60, "met_count": 40, "rate_percent": 70, "rate_is_about": True,
    "rate_lower_percent": 54, "rate_upper_percent": 78, "published_as": "about",
}  # fmt: skip
OPEN_BAND = {"case_count": 100, "rate_band": "90% and over", "published_as": "band", "obs_status": "c"}
CLOSED_BAND = {"case_count": 30, "rate_band": "50% to 79%", "published_as": "band", "obs_status": "c"}
BASE_ONLY = {"case_count": 15, "published_as": "base", "obs_status": "c"}
SUPPRESSED = {"published_as": "suppressed", "obs_status": "c"}
NO_FIGURE = {"collection_mode": "none", "sampling_frame": "none"}

LOCAL_ROWS: list[dict[str, Any]] = [
    METROPOLITAN | VALUE,
    METROPOLITAN | CRN | VALUE | {"obs_note": "r"},
    CUMBRIA | ABOUT,
    CUMBRIA | CRN | OPEN_BAND,
    DYFED_POWYS | CLOSED_BAND,
    DYFED_POWYS | CRN | BASE_ONLY,
    CUMBRIA | {"body_kind": "cps"} | SUPPRESSED,
    METROPOLITAN | NO_FIGURE | {"body_kind": "cps", "obs_status": "x"},
    DYFED_POWYS | NO_FIGURE | {"body_kind": "cps", "obs_status": "w"},
    {"body_kind": "mdp", "area_code": "MDP", "area_name": "Ministry of Defence Police"}
    | {"region_name": "England and Wales", "obs_status": "z"}
    | NO_FIGURE,
    METROPOLITAN
    | {
        "right_number": 4, "metric_id": "r04_s01_referrals_n", "unit": "count", "reported_count": 1250,
        "metric_definition": 'Victims referred, "by any means", to a support service',
        "published_as": "value",
    },
    # what a spreadsheet would run, and letters outside ASCII
    CUMBRIA | CRN | VALUE | {"body_kind": "courts", "area_name": '=HYPERLINK("x","Ynys Môn")'},
]  # fmt: skip
GROUP_ROWS: list[dict[str, Any]] = [
    {"group_kind": "nation", "group_code": "K04000001", "group_name": "England and Wales"}
    | {"areas_published": 40, "case_share_covered": 0.95}
    | VALUE,
    {"group_kind": "region", "group_code": "W92000004", "group_name": "Wales"}
    | {"areas_published": 0, "case_share_covered": 0.0}
    | SUPPRESSED,
]
WALES = {"group_kind": "region", "group_code": "W92000004", "group_name": "Wales", "is_combined": False}
AREA_GROUPS_ROWS: list[dict[str, Any]] = [
    WALES | {"area_code": "W15000001", "area_name": "North Wales"},
    WALES | {"area_code": "W15000002", "area_name": "Gwent"},
    WALES | {"area_code": "W15000003", "area_name": "South Wales"},
    WALES | {"area_code": "W15000004", "area_name": "Dyfed-Powys"},
]
FEEDBACK_ROWS: list[dict[str, Any]] = [
    CUMBRIA
    | {"right_number": 1, "question_id": "r01_f01", "valid_answer_count": 120, "good_count": 90}
    | {"rate_percent": 75, "rate_is_about": False, "rate_lower_percent": 66, "rate_upper_percent": 82}
    | {"published_as": "value"},
    METROPOLITAN | {"right_number": 1, "question_id": "r01_f01"} | SUPPRESSED,
]


def public_table(
    name: str, title: str, columns: tuple[str, ...], key: tuple[str, ...], rows: list[dict[str, Any]]
) -> PublicTable:
    """A table of the given columns whose rows take what they do not say from COMMON, sorted by key."""
    whole = [{column: (COMMON | row).get(column) for column in columns} for row in rows]
    whole.sort(key=lambda row: tuple(str(row[column]) for column in key))
    return PublicTable(
        name=name,
        mart=f"marts.open_data_{name}",
        title=title,
        description=f"One row a {' x '.join(key)}. Figures fit to be published.",
        columns=tuple(PublicColumn(column, _COLUMNS[column][1], _COLUMNS[column][0]) for column in columns),
        primary_key=key,
        rows=tuple(tuple(row.values()) for row in whole),
    )


def fill_references(con: duckdb.DuckDBPyConnection) -> None:
    """The seeds that the tables of reference come from, and the periods."""
    con.execute("create schema reference; create schema staging")
    dated = ("areas", "characteristics", "crime_types", "metric_bodies", "metrics", "rights")
    for seed in (*dated, "body_kinds", "observation_statuses"):
        options = ", types={'valid_from': 'date', 'valid_to': 'date'}" if seed in dated else ""
        con.execute(
            f"create table reference.{seed} as from read_csv('{SEEDS / seed}.csv', header=true{options})"
        )
    con.execute(
        "create table staging.stg_periods as select * from (values"
        f" ('{PERIOD}', 'January to March 2026 (2025/26 Q4)', date '2026-01-01', date '2026-03-31'),"
        " ('2026-27-Q1', 'April to June 2026 (2026/27 Q1)', date '2026-04-01', date '2026-06-30'))"
        " as periods (period_code, period_label, first_day, last_day)"
    )


def fill_marts(con: duckdb.DuckDBPyConnection, tables: tuple[PublicTable, ...]) -> None:
    """The marts behind some tables, with their rows from last to first."""
    con.execute("create schema marts")
    for table in tables:
        columns = ", ".join(f'"{column.name}" {column.data_type}' for column in table.columns)
        con.execute(f"create table {table.mart} ({columns})")
        marks = ", ".join("?" for _ in table.columns)
        con.executemany(f"insert into {table.mart} values ({marks})", table.rows[::-1])


@functools.cache
def references() -> tuple[PublicTable, ...]:
    """The tables of reference as the seeds make them."""
    with duckdb.connect() as con:
        fill_references(con)
        return (
            read_areas(con, dt.date(2026, 3, 31)),
            read_breakdowns(con, dt.date(2026, 3, 31)),
            read_codes(con),
            read_catalogue(con),
        )


def small_publication(**changes: Any) -> Publication:
    """The publication of the fourth quarter of 2025/26, first version; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "period_code": PERIOD,
        "period_label": "January to March 2026 (2025/26 Q4)",
        "first_day": dt.date(2026, 1, 1),
        "last_day": dt.date(2026, 3, 31),
        "issued_on": dt.date(2026, 6, 18),
        "version": "1.0.0",
        "status": "provisional",
        "tables": (
            public_table(
                "area_groups", "Areas of larger areas", AREA_GROUPS_COLUMNS, AREA_GROUPS_KEY, AREA_GROUPS_ROWS
            ),
            public_table(
                "group_compliance", "Compliance by larger area", GROUP_COLUMNS, GROUP_KEY, GROUP_ROWS
            ),
            public_table("local_compliance", "Compliance by area", LOCAL_COLUMNS, LOCAL_KEY, LOCAL_ROWS),
            public_table("local_feedback", "Feedback by area", FEEDBACK_COLUMNS, FEEDBACK_KEY, FEEDBACK_ROWS),
        ),
        "references": references(),
        "changes": {"previous": None, "rows": {}},
    }
    return Publication(**{**fields, **changes})

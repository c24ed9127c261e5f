"""An invented history of shares, as the models behind benchmarks, series and breakdowns read it.

What belongs here: the relations that several tests fill in the same way. What does not: expected values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import duckdb

from tests.warehouse.rendering import build, database, render, table, typed_seed

METRIC_COLUMNS = {
    "body_kind": "varchar", "pfa_code": "varchar", "metric_id": "varchar", "period_code": "varchar",
    "crime_type": "varchar", "characteristic": "varchar", "characteristic_value": "varchar",
    "collection_mode": "varchar", "sampling_frame": "varchar", "is_total": "boolean", "quarter_index": "integer",
    "right_number": "integer", "metric_version": "integer", "unit": "varchar", "polarity": "varchar",
    "is_complete": "boolean", "met_count": "bigint", "not_met_count": "bigint", "not_suitable_count": "bigint",
    "declined_count": "bigint", "unknown_count": "bigint", "reported_count": "bigint",
    "within_limit_count": "bigint", "short_delay_count": "bigint", "long_delay_count": "bigint",
    "case_count": "bigint", "series_id": "varchar",
}  # fmt: skip
ANSWER_COLUMNS = {
    "body_kind": "varchar", "pfa_code": "varchar", "question_id": "varchar", "period_code": "varchar",
    "crime_type": "varchar", "characteristic": "varchar", "characteristic_value": "varchar",
    "survey_mode": "varchar", "is_total": "boolean", "quarter_index": "integer", "right_number": "integer",
    "metric_version": "integer", "polarity": "varchar", "response_set": "varchar", "is_complete": "boolean",
    "invited_count": "bigint", "valid_answer_count": "bigint", "good_answer_count": "bigint",
    "effective_answer_count": "double", "series_id": "varchar", "collected_by": "varchar", "is_standing": "boolean",
}  # fmt: skip
FIRST_INDEX = 8096


def quarters(first: int, count: int) -> list[tuple[Any, ...]]:
    """Rows of stg_periods for so many quarters from April of the year `first` on."""
    found = []
    for step in range(count):
        year, part = first + step // 4, step % 4 + 1
        starts = date(year + (part == 4), (4, 7, 10, 1)[part - 1], 1)
        after = date(starts.year + (part == 3), (7, 10, 1, 4)[part - 1], 1)
        code = f"{year}-{(year + 1) % 100:02d}-Q{part}"
        ago = f"{year - 1}-{year % 100:02d}-Q{part}"
        found.append(
            (
                code,
                "quarter",
                starts,
                after - timedelta(days=1),
                code,
                FIRST_INDEX + step,
                None,
                None,
                ago,
                True,
            )
        )
    return found


def codes(count: int, first: int = 2024) -> list[str]:
    """The codes of so many quarters."""
    return [row[0] for row in quarters(first, count)]


def warehouse(
    count: int = 6, first: int = 2024, others: Iterable[tuple[Any, ...]] = ()
) -> duckdb.DuckDBPyConnection:
    """A database with the reference data, so many quarters, and the rules and like areas of each."""
    con = database()
    for name in (
        "areas", "bodies", "body_kinds", "similar_areas", "severe_rules", "benchmark_rules", "code_standards",
        "crime_types", "metrics",
    ):  # fmt: skip
        typed_seed(con, name)
    con.execute("create view intermediate.int_severe_rules as from reference.severe_rules")
    table(
        con,
        "stg_periods",
        {
            "period_code": "varchar", "period_kind": "varchar", "first_day": "date", "last_day": "date",
            "period_label": "varchar", "quarter_index": "integer", "returns_due_on": "date",
            "review_due_on": "date", "year_ago_period_code": "varchar", "is_reporting": "boolean",
        },
        [*quarters(first, count), *others],
    )  # fmt: skip
    build(con, "int_quarters", "int_rules_by_quarter", "int_benchmark_rules", "int_like_areas")
    return con


def metric_figure(period: str, index: int, x: int, n: int, **changes: Any) -> dict[str, Any]:
    """A complete total of a police force's metric, but for the columns given."""
    row = dict.fromkeys(METRIC_COLUMNS) | {
        "body_kind": "police", "pfa_code": "E23000002", "metric_id": "m", "period_code": period,
        "crime_type": "ALL", "characteristic": "ALL", "characteristic_value": "ALL", "collection_mode": "census",
        "sampling_frame": "all_cases", "is_total": True, "quarter_index": index, "right_number": 4,
        "metric_version": 1, "unit": "proportion", "polarity": "higher", "is_complete": True, "met_count": x,
        "not_met_count": n - x, "not_suitable_count": 0, "declined_count": 0, "case_count": n,
    } | changes  # fmt: skip
    row["series_id"] = "|".join(
        str(row[key])
        for key in (
            "body_kind", "pfa_code", "metric_id", "metric_version", "collection_mode", "sampling_frame",
        )
    )  # fmt: skip
    return row


def answers(
    period: str, index: int, x: int, n: int, effective: float | None = None, **changes: Any
) -> dict[str, Any]:
    """Complete answers to a question about a police force, but for the columns given."""
    row = dict.fromkeys(ANSWER_COLUMNS) | {
        "body_kind": "police", "pfa_code": "E23000002", "question_id": "q", "period_code": period,
        "crime_type": "ALL", "characteristic": "ALL", "characteristic_value": "ALL", "survey_mode": "online",
        "is_total": True, "quarter_index": index, "right_number": 4, "metric_version": 1, "polarity": "higher",
        "response_set": "five_point", "is_complete": True, "invited_count": n, "valid_answer_count": n,
        "good_answer_count": x, "effective_answer_count": float(n) if effective is None else effective,
        "collected_by": "own", "is_standing": True,
    } | changes  # fmt: skip
    row["series_id"] = "|".join(
        str(row[key]) for key in ("body_kind", "pfa_code", "question_id", "metric_version", "survey_mode")
    )
    return row


def fill(
    con: duckdb.DuckDBPyConnection,
    metrics: Iterable[Mapping[str, Any]] = (),
    feedback: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Give the database its figures and answers, and make shares of them."""
    table(con, "int_metric_figures", METRIC_COLUMNS, [tuple(row.values()) for row in metrics])
    table(con, "int_feedback_answers", ANSWER_COLUMNS, [tuple(row.values()) for row in feedback])
    build(con, "int_proportions")


def no_audit(con: duckdb.DuckDBPyConnection) -> None:
    """Leave out the 2019/20 audit."""
    table(
        con,
        "int_legacy_answers",
        {
            "body_code": "varchar", "pfa_code": "varchar", "question_id": "varchar", "metric_id": "varchar",
            "period_code": "varchar", "sampling_frame": "varchar", "stated_case_count": "integer",
            "stated_base_count": "integer",
        },
        [],
    )  # fmt: skip
    table(
        con,
        "int_legacy_cases",
        {
            "body_code": "varchar", "pfa_code": "varchar", "question_id": "varchar", "period_code": "varchar",
            "sampling_frame": "varchar", "met_cases": "integer", "not_met_cases": "integer",
        },
        [],
    )  # fmt: skip


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query, by column."""
    cursor = con.execute(query)
    names = [each[0] for each in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def scalar(template: str) -> Any:
    """The value of an expression with macros."""
    found = duckdb.execute(f"select {render(template)}").fetchone()
    assert found is not None
    return found[0]

"""Figures over time: what is added up, what is compared, and that nothing is joined across a change of what is meant.

What belongs here: series, windows and words of change, in every mart that sets one period beside another. What does
not: the statistics themselves (test_macros.py).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from tests.warehouse.rendering import build, database, table
from tests.warehouse.shares import FIRST_INDEX, answers, codes, fill, metric_figure, no_audit, rows, warehouse

PERIODS = codes(9)
COLUMNS = "information, item_id, time_window, period_code, collection_mode, sampling_frame, metric_version"


def series_of(
    metrics: list[dict[str, Any]], feedback: list[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    con = warehouse(9)
    fill(con, metrics, feedback or [])
    no_audit(con)
    build(con, "local_area_series")
    return rows(con, "select * from marts.local_area_series order by window_ends_on, time_window, series_id")


def quarter(number: int, x: int, n: int, **changes: Any) -> dict[str, Any]:
    return metric_figure(PERIODS[number], FIRST_INDEX + number, x, n, **changes)


def asked(number: int, x: int, n: int, effective: float | None = None, **changes: Any) -> dict[str, Any]:
    return answers(PERIODS[number], FIRST_INDEX + number, x, n, effective, **changes)


def in_window(found: list[dict[str, Any]], window: str) -> dict[str, dict[str, Any]]:
    return {row["period_code"]: row for row in found if row["time_window"] == window}


COUNTS = [(80, 100), (70, 100), (90, 120), (85, 100), (60, 100), (88, 110), (91, 100), (70, 90), (20, 100)]


def test_quarters_and_four_quarters_are_sums_of_whole_cases() -> None:
    found = series_of([quarter(i, x, n) for i, (x, n) in enumerate(COUNTS)])
    single, pooled = in_window(found, "quarter"), in_window(found, "four_quarters")
    assert list(single) == PERIODS
    assert list(pooled) == PERIODS[3:]
    for i, code in enumerate(PERIODS):
        assert (single[code]["good_count"], single[code]["base_count"], single[code]["period_count"]) == (
            *COUNTS[i],
            1,
        )
    for i, code in enumerate(PERIODS[3:], start=3):
        x, n = (sum(values) for values in zip(*COUNTS[i - 3 : i + 1], strict=True))
        row = pooled[code]
        assert (row["good_count"], row["base_count"], row["period_count"]) == (x, n, 4)
        assert (row["rate_lower"], row["rate_upper"]) == pytest.approx(
            proportion_confint(x, n, alpha=0.05, method="wilson"), abs=1e-6
        )
        assert (row["window_starts_on"], row["window_ends_on"]) == (
            single[PERIODS[i - 3]]["window_starts_on"],
            single[code]["window_ends_on"],
        )


def test_changes_are_tested_against_the_period_before_and_the_same_one_last_year() -> None:
    found = in_window(series_of([quarter(i, x, n) for i, (x, n) in enumerate(COUNTS)]), "quarter")
    for i, code in enumerate(PERIODS):
        for back, word in ((1, "change_from_previous"), (4, "change_from_year_ago")):
            if i < back:
                assert found[code][word] is None
                continue
            (x1, n1), (x0, n0) = COUNTS[i], COUNTS[i - back]
            _, p = proportions_ztest([x1, x0], [n1, n0])
            expected = "no detectable change" if p >= 0.05 else ("higher" if x1 / n1 > x0 / n0 else "lower")
            assert found[code][word] == expected
    assert {row["change_from_previous"] for row in found.values()} == {
        None,
        "higher",
        "lower",
        "no detectable change",
    }


def test_four_quarters_are_compared_only_with_four_others() -> None:
    found = in_window(series_of([quarter(i, x, n) for i, (x, n) in enumerate(COUNTS)]), "four_quarters")
    assert {code: row["previous_period_code"] for code, row in found.items()} == {
        PERIODS[3]: None, PERIODS[4]: None, PERIODS[5]: None, PERIODS[6]: None,
        PERIODS[7]: PERIODS[3], PERIODS[8]: PERIODS[4],
    }  # fmt: skip
    assert found[PERIODS[7]]["previous_good_count"] == sum(x for x, _ in COUNTS[:4])
    assert found[PERIODS[7]]["change_from_previous"] == found[PERIODS[7]]["change_from_year_ago"] is not None


def test_four_quarters_need_all_four() -> None:
    found = series_of([quarter(i, *COUNTS[i]) for i in (0, 1, 3, 4, 5, 6)])
    assert list(in_window(found, "four_quarters")) == [PERIODS[6]]
    single = in_window(found, "quarter")
    assert single[PERIODS[3]]["previous_period_code"] is None
    # the same series goes on after a quarter without a return
    assert {row["series_break"] for row in found} == {None}


CHANGES = [
    ({"metric_version": 2}, "definition: version 1 before, version 2 now"),
    ({"collection_mode": "random_sample"}, "collection mode: census before, random sample now"),
    ({"sampling_frame": "recent_cases"}, "sampling frame: all cases before, recent cases now"),
    (
        {"metric_version": 2, "sampling_frame": "recent_cases"},
        "definition: version 1 before, version 2 now; sampling frame: all cases before, recent cases now",
    ),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_a_new_series_says_what_changed_and_joins_nothing(change: dict[str, Any], words: str) -> None:
    metrics = [quarter(i, 80, 100) for i in range(5)] + [quarter(i, 20, 100, **change) for i in range(5, 9)]
    found = series_of(metrics)
    single = in_window(found, "quarter")
    assert {code: row["series_break"] for code, row in single.items() if row["series_break"]} == {
        PERIODS[5]: words
    }
    first = single[PERIODS[5]]
    assert (first["previous_good_count"], first["year_ago_good_count"]) == (None, None)
    assert (first["change_from_previous"], first["change_from_year_ago"]) == (None, None)
    assert single[PERIODS[6]]["previous_good_count"] == 20
    # 80 and 20 never stand in one sum
    pooled = in_window(found, "four_quarters")
    assert {code: row["good_count"] for code, row in pooled.items()} == {
        PERIODS[3]: 320, PERIODS[4]: 320, PERIODS[8]: 80,
    }  # fmt: skip


def test_another_way_of_asking_is_another_series() -> None:
    found = series_of([], [asked(0, 8, 10), asked(1, 8, 10, survey_mode="telephone")])
    assert [row["series_break"] for row in found] == [None, "way of asking: online before, telephone now"]
    assert [row["previous_good_count"] for row in found] == [None, None]


def test_two_series_side_by_side_break_nothing() -> None:
    both = [quarter(i, 8, 10, collection_mode=mode) for i in range(2) for mode in ("census", "random_sample")]
    found = series_of([*both, quarter(2, 8, 10, collection_mode="random_sample"), quarter(3, 8, 10)])
    assert [(row["period_code"], row["series_break"]) for row in found if row["series_break"]] == [
        (PERIODS[3], "collection mode: random sample before, census now")
    ]


def test_a_clustered_sample_counts_for_less_when_a_change_is_tested() -> None:
    plain = series_of([], [asked(0, 50, 100), asked(1, 65, 100)])
    clustered = series_of([], [asked(0, 50, 100, 40.0), asked(1, 65, 100, 40.0)])
    assert proportions_ztest([65, 50], [100, 100])[1] < 0.05 < proportions_ztest([26, 20], [40, 40])[1]
    assert plain[1]["change_from_previous"] == "higher"
    assert clustered[1]["change_from_previous"] == "no detectable change"
    assert (clustered[1]["good_count"], clustered[1]["base_count"]) == (65, 100)


def test_a_contextual_share_is_shown_and_an_incomplete_figure_is_not() -> None:
    found = series_of([quarter(0, 30, 100, polarity="contextual"), quarter(1, 8, 10, is_complete=False)])
    assert [(row["polarity"], row["good_count"]) for row in found] == [("contextual", 30)]


# --- half-years -------------------------------------------------------------------------------------------------


def period(code: str, kind: str, first: date, last: date, number: int | None = None) -> tuple[Any, ...]:
    year_ago = f"{int(code[:4]) - 1}-{int(code[5:7]) - 1:02d}{code[7:]}"
    return code, kind, first, last, code, number, None, None, year_ago, number is not None


# neighbours are one number apart, whatever their length
HALVES = [
    period("2027-28-H1", "half", date(2027, 4, 1), date(2027, 9, 30), FIRST_INDEX + 12),
    period("2027-28-H2", "half", date(2027, 10, 1), date(2028, 3, 31), FIRST_INDEX + 13),
]


def test_four_quarters_of_a_half_yearly_form_are_two_halves_and_never_a_mixture() -> None:
    con = warehouse(12, 2024, HALVES)
    metrics = [metric_figure(code, FIRST_INDEX + 10 + i, 8, 10) for i, code in enumerate(codes(12)[10:])]
    metrics += [
        metric_figure(HALVES[0][0], HALVES[0][5], 18, 20),
        metric_figure(HALVES[1][0], HALVES[1][5], 19, 20),
    ]
    fill(con, metrics)
    no_audit(con)
    build(con, "local_area_series")
    found = rows(con, "select * from marts.local_area_series order by window_ends_on, time_window desc")
    assert [(row["period_code"], row["time_window"], row["good_count"]) for row in found] == [
        ("2026-27-Q3", "quarter", 8),
        ("2026-27-Q4", "quarter", 8),
        ("2027-28-H1", "half_year", 18),
        ("2027-28-H2", "half_year", 19),
        ("2027-28-H2", "four_quarters", 37),
    ]


# --- the 2019/20 audit ------------------------------------------------------------------------------------------

AUDIT = [
    period("2019-20-H1", "half", date(2019, 4, 1), date(2019, 9, 30)),
    period("2019-20-Q3", "quarter", date(2019, 10, 1), date(2019, 12, 31)),
    period("2019-20-Q4", "quarter", date(2020, 1, 1), date(2020, 3, 31)),
]


@pytest.fixture(scope="module")
def essex() -> list[dict[str, Any]]:
    con = warehouse(1, 2025, AUDIT)
    fill(con)
    no_audit(con)
    body = ("E23000028-police", "E23000028")
    asked_for = [
        (*body, "q1", "l1_ack_yes", code, "finalised_cases", None, None)
        for code in ("2019-20-H1", "2019-20-Q3", "2019-20-Q4")
    ]
    asked_for += [
        (*body, "q1", "l1_ack_yes", "2019-20-Q4", "recent_cases", 103, 118),
        (*body, "q3", "l3_updates_5wd", "2019-20-Q4", "finalised_cases", None, None),  # only as printed
    ]
    con.executemany("insert into intermediate.int_legacy_answers values (?, ?, ?, ?, ?, ?, ?, ?)", asked_for)
    solved = [("2019-20-H1", 9, 9), ("2019-20-Q3", 6, 12), ("2019-20-Q4", 7, 13)]
    con.executemany(
        "insert into intermediate.int_legacy_cases values (?, ?, 'q1', ?, 'finalised_cases', ?, ?)",
        [(*body, code, met, not_met) for code, met, not_met in solved],
    )
    build(con, "local_area_series")
    return rows(con, "select * from marts.local_area_series order by window_ends_on, sampling_frame")


def test_essexs_acknowledgement_falls_on_one_base_and_no_change_can_be_told(
    essex: list[dict[str, Any]],
) -> None:
    """30%, 33%, 35% as printed: 50%, 33%, 35% of suitable cases, in a half-year and two quarters."""
    finalised = [row for row in essex if row["sampling_frame"] == "finalised_cases"]
    assert [
        (
            row["period_code"],
            row["time_window"],
            row["good_count"],
            row["base_count"],
            row["change_from_previous"],
        )
        for row in finalised
    ] == [
        ("2019-20-H1", "half_year", 9, 18, None),
        ("2019-20-Q3", "quarter", 6, 18, "no detectable change"),
        ("2019-20-Q4", "quarter", 7, 20, "no detectable change"),
    ]
    assert [(round(row["rate_lower"], 2), round(row["rate_upper"], 2)) for row in finalised] == [
        (0.29, 0.71), (0.16, 0.56), (0.18, 0.57),
    ]  # fmt: skip
    assert len({row["series_id"] for row in finalised}) == 1


def test_recent_cases_are_a_series_of_their_own(essex: list[dict[str, Any]]) -> None:
    recent = [row for row in essex if row["sampling_frame"] == "recent_cases"]
    assert [(row["good_count"], row["base_count"], row["previous_good_count"]) for row in recent] == [
        (103, 118, None)
    ]
    assert recent[0]["series_break"] == "sampling frame: finalised cases before, recent cases now"


def test_what_is_only_printed_is_no_figure(essex: list[dict[str, Any]]) -> None:
    assert {row["item_id"] for row in essex} == {"l1_ack_yes"}
    assert {row["collection_mode"] for row in essex} == {"purposive_sample"}


# --- the other marts that set one period beside another ---------------------------------------------------------


def item(number: int, item_id: str, version: int, information: str) -> tuple[Any, ...]:
    return (
        PERIODS[number],
        FIRST_INDEX + number,
        "police",
        4,
        item_id,
        version,
        information,
        "",
        "",
        "",
        "higher",
    )


def due(con: duckdb.DuckDBPyConnection, items: list[tuple[Any, ...]]) -> None:
    table(
        con,
        "int_expected_items",
        {
            "period_code": "varchar", "quarter_index": "integer", "body_kind": "varchar", "right_number": "integer",
            "metric_id": "varchar", "metric_version": "integer", "information": "varchar", "definition": "varchar",
            "unit": "varchar", "response_set": "varchar", "polarity": "varchar",
        },
        items,
    )  # fmt: skip
    table(
        con,
        "int_reporting_coverage",
        {
            "period_code": "varchar", "body_kind": "varchar", "pfa_code": "varchar", "applicability": "varchar",
            "is_submitted": "boolean", "senders_expected": "integer", "senders_received": "integer",
        },
        [(code, "police", "E23000002", "expected", True, 1, 1) for code in PERIODS],
    )  # fmt: skip


@pytest.mark.parametrize("change", [change for change, _ in CHANGES])
def test_local_compliance_compares_only_within_a_series(change: dict[str, Any]) -> None:
    con = warehouse(9)
    versions = [1] * 5 + [change.get("metric_version", 1)] * 4
    due(
        con,
        [item(i, "m", versions[i], "statistic") for i in range(9)],
    )
    table(
        con,
        "stg_quarterly_metrics",
        {
            "receipt_id": "varchar", "body_code": "varchar", "pfa_code": "varchar", "metric_id": "varchar",
            "not_collected_reason": "varchar",
        },
        [],
    )  # fmt: skip
    table(con, "int_expected_returns", {"receipt_id": "varchar", "body_code": "varchar", "pfa_code": "varchar",
                                        "body_kind": "varchar", "period_code": "varchar"}, [])  # fmt: skip
    fill(con, [quarter(i, 80, 100) for i in range(5)] + [quarter(i, 20, 100, **change) for i in range(5, 9)])
    build(con, "int_due_figures", "local_area_compliance")
    found = rows(con, "select * from marts.local_area_compliance order by quarter_index")
    assert [row["previous_met_count"] for row in found] == [None, 80, 80, 80, 80, None, 20, 20, 20]
    assert [row["year_ago_met_count"] for row in found] == [None] * 4 + [80] + [None] * 4


@pytest.mark.parametrize("change", [{"metric_version": 2}, {"survey_mode": "postal"}])
def test_local_feedback_compares_only_within_a_series(change: dict[str, Any]) -> None:
    con = warehouse(9)
    due(
        con,
        [item(i, "q", 1, "feedback") for i in range(9)],
    )
    table(con, "stg_quarterly_covers", {"receipt_id": "varchar", "nil_feedback_reason": "varchar"}, [])
    table(con, "int_expected_returns", {"receipt_id": "varchar", "body_kind": "varchar", "pfa_code": "varchar",
                                        "period_code": "varchar"}, [])  # fmt: skip
    fill(
        con,
        [],
        [asked(i, 50, 100, 40.0) for i in range(5)]
        + [asked(i, 65, 100, 40.0, **change) for i in range(5, 9)],
    )
    build(con, "local_area_feedback")
    found = rows(con, "select * from marts.local_area_feedback order by quarter_index")
    assert [row["previous_good_count"] for row in found] == [None, 50, 50, 50, 50, None, 65, 65, 65]
    assert [row["year_ago_good_count"] for row in found] == [None] * 4 + [50] + [None] * 4


def test_local_feedback_tests_a_change_on_what_the_answers_count_for() -> None:
    con = warehouse(9)
    due(
        con,
        [item(i, name, 1, "feedback") for i in range(2) for name in ("plain", "clustered")],
    )
    table(con, "stg_quarterly_covers", {"receipt_id": "varchar", "nil_feedback_reason": "varchar"}, [])
    table(con, "int_expected_returns", {"receipt_id": "varchar", "body_kind": "varchar", "pfa_code": "varchar",
                                        "period_code": "varchar"}, [])  # fmt: skip
    fill(
        con,
        [],
        [
            asked(i, x, 100, effective, question_id=item)
            for item, effective in (("plain", 100.0), ("clustered", 40.0))
            for i, x in enumerate((50, 65))
        ],
    )
    build(con, "local_area_feedback")
    found = con.execute(
        "select question_id, change_from_previous from marts.local_area_feedback where previous_good_count = 50"
    ).fetchall()
    assert sorted(found) == [("clustered", "no detectable change"), ("plain", "higher")]


def test_a_grade_is_compared_only_while_the_item_means_the_same() -> None:
    con = database()
    con.execute(
        "create table reference.areas as select 'E23000002' as pfa_code, 'Cumbria' as area_name,"
        " cast(null as date) as valid_from, cast(null as date) as valid_to"
    )
    con.execute(
        "create table intermediate.int_quarters as select * from (values"
        + ", ".join(f"('{code}', {FIRST_INDEX + i}, date '2026-01-01')" for i, code in enumerate(PERIODS))
        + ") as quarters(period_code, quarter_index, last_day)"
    )
    due(
        con,
        [item(i, "d", 1 if i < 2 else 2, "delivery") for i in range(4)],
    )
    table(
        con,
        "int_delivery_assessments",
        {
            "body_kind": "varchar", "pfa_code": "varchar", "item_id": "varchar", "period_code": "varchar",
            "quarter_index": "integer", "is_complete": "boolean", "body_count": "integer", "lowest_grade": "integer",
            "low_grade_share": "double", "has_improvement_plan": "boolean", "next_step_due_on": "date",
        },
        [("police", "E23000002", "d", PERIODS[i], FIRST_INDEX + i, True, 1, i, 0.0, True, None) for i in range(4)],
    )  # fmt: skip
    build(con, "local_area_delivery")
    found = con.execute(
        "select lowest_grade, previous_lowest_grade from marts.local_area_delivery where lowest_grade is not null"
        " order by quarter_index"
    ).fetchall()
    assert found == [(0, None), (1, 0), (2, None), (3, 2)]

"""Groups of victims against the rest, against Newcombe's printed examples and a plain reading of docs/methods.md."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import duckdb
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from tests.warehouse.rendering import build, render
from tests.warehouse.shares import FIRST_INDEX, answers, codes, fill, metric_figure, rows, warehouse

Z = 1.959964
PERIODS = codes(6)
AREAS = ("E23000002", "E23000003", "E23000004")


def wilson(x: float, n: float) -> tuple[float, float]:
    root = Z * math.sqrt(Z * Z + 4 * x * (1 - x / n))
    bounds = ((2 * x + Z * Z - root) / (2 * (n + Z * Z)), (2 * x + Z * Z + root) / (2 * (n + Z * Z)))
    return max(bounds[0], 0.0), min(bounds[1], 1.0)


def newcombe(x1: float, n1: float, x2: float, n2: float) -> tuple[float, float]:
    """Method 10 by arithmetic: the square-and-add of the two Wilson intervals."""
    p1, p2 = x1 / n1, x2 / n2
    (l1, u1), (l2, u2) = wilson(x1, n1), wilson(x2, n2)
    return p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def in_sql(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float, str]:
    sides = [
        f"{{{{ {macro} }}}} as {name}"
        for macro, name in (
            (f"rate('{x1}', '{n1}')", "p1"),
            (f"wilson_bound('{x1}', '{n1}', '{Z}', 'lower')", "l1"),
            (f"wilson_bound('{x1}', '{n1}', '{Z}', 'upper')", "u1"),
            (f"rate('{x2}', '{n2}')", "p2"),
            (f"wilson_bound('{x2}', '{n2}', '{Z}', 'lower')", "l2"),
            (f"wilson_bound('{x2}', '{n2}', '{Z}', 'upper')", "u2"),
        )
    ]
    sql = render(
        "select lower, upper, {{ difference_in_words('lower', 'upper') }} from ("
        "select {{ difference_bound('p1', 'l1', 'u1', 'p2', 'l2', 'u2', 'lower') }} as lower,"
        " {{ difference_bound('p1', 'l1', 'u1', 'p2', 'l2', 'u2', 'upper') }} as upper"
        f" from (select {', '.join(sides)}))"
    )
    found = duckdb.execute(sql).fetchone()
    assert found is not None
    return found


# Newcombe RG (1998), "Interval estimation for the difference between independent proportions: comparison of eleven
# methods", Statistics in Medicine 17:873-890, table II, method 10 (score without continuity correction), 95%.
NEWCOMBE = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


@pytest.mark.parametrize(("x1", "n1", "x2", "n2", "lower", "upper"), NEWCOMBE)
def test_the_difference_is_newcombes(x1: int, n1: int, x2: int, n2: int, lower: float, upper: float) -> None:
    """Table II to its four printed places; statsmodels, and arithmetic, to seven."""
    found = in_sql(x1, n1, x2, n2)
    assert (round(found[0], 4), round(found[1], 4)) == (lower, upper)
    assert found[:2] == pytest.approx(newcombe(x1, n1, x2, n2), abs=1e-8)
    assert found[:2] == pytest.approx(
        confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff"), abs=1e-6
    )


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        ((56, 70, 48, 80), "higher"),
        ((48, 80, 56, 70), "lower"),
        ((5, 56, 0, 29), "no detectable difference"),
    ],
)
def test_the_words_follow_the_interval(counts: tuple[int, int, int, int], word: str) -> None:
    assert in_sql(*counts)[2] == word


# --- an invented history ----------------------------------------------------------------------------------------

VALUES = {
    "crime_type": ["VAP", "SEX", "ROB", "UNK"],
    "sex": ["F", "M", "NS"],
    "disability": ["D", "N", "NS"],
}
UNKNOWN = {"UNK", "NS"}
LIMIT = 30


def marks(breakdown: str, value: str) -> dict[str, str]:
    if breakdown == "crime_type":
        return {"crime_type": value}
    return {"characteristic": breakdown, "characteristic_value": value}


def history() -> dict[tuple[str, int, str, str], tuple[int, int]]:
    """(area, quarter, breakdown, value) -> x of n; small and large groups, some without cases, some quarters without."""
    rng = random.Random(11)
    found = {}
    for area in AREAS:
        for quarter in range(6):
            if (area, quarter) == (AREAS[1], 2):
                continue
            for breakdown, values in VALUES.items():
                for value in values:
                    n = rng.choice([0, 3, 12, 29, 30, 200])
                    found[area, quarter, breakdown, value] = (sum(rng.random() < 0.7 for _ in range(n)), n)
    return found


HISTORY = history()


@pytest.fixture(scope="module")
def built() -> duckdb.DuckDBPyConnection:
    con = warehouse(6)
    metrics = []
    for (area, quarter, breakdown, value), (x, n) in HISTORY.items():
        # from the fifth quarter on another definition in the last area
        version = 2 if area == AREAS[2] and quarter >= 4 else 1
        metrics.append(
            metric_figure(PERIODS[quarter], FIRST_INDEX + quarter, x, n, pfa_code=area, is_total=False,
                          metric_version=version, **marks(breakdown, value))
        )  # fmt: skip
    metrics += [
        metric_figure(PERIODS[0], FIRST_INDEX, 50, 100, pfa_code=AREAS[0]),
        # neither two breakdowns at once, nor a subgroup beside its group, nor what is not scored or not complete
        metric_figure(PERIODS[0], FIRST_INDEX, 5, 10, pfa_code=AREAS[0], is_total=False, crime_type="VAP",
                      characteristic="sex", characteristic_value="F"),
        metric_figure(PERIODS[0], FIRST_INDEX, 40, 50, pfa_code=AREAS[0], is_total=False, crime_type="VAP-VWI"),
        metric_figure(PERIODS[0], FIRST_INDEX, 10, 50, pfa_code=AREAS[0], is_total=False, crime_type="VAP-VWO"),
        metric_figure(PERIODS[0], FIRST_INDEX, 5, 10, metric_id="context", polarity="contextual", is_total=False,
                      crime_type="VAP"),
        metric_figure(PERIODS[0], FIRST_INDEX, 5, 10, metric_id="short", is_complete=False, is_total=False,
                      crime_type="VAP"),
    ]  # fmt: skip
    feedback = [
        answers(PERIODS[0], FIRST_INDEX, x, n, n / 2, is_total=False, crime_type=value)
        for value, x, n in (("VAP", 60, 80), ("SEX", 30, 60), ("UNK", 5, 10))
    ]
    fill(con, metrics, feedback)
    build(con, "local_area_breakdowns", "national_breakdowns")
    return con


def version_of(area: str, quarter: int) -> int:
    return 2 if area == AREAS[2] and quarter >= 4 else 1


def expected(
    figures: dict[tuple[int, str, str], tuple[int, int]], quarter: int, breakdown: str, value: str
) -> dict[str, Any]:
    """What is compared with what, for one unit and series whose figures by quarter, breakdown and value are given."""

    def held(quarters: list[int], values: list[str]) -> tuple[int, int]:
        found = [figures.get((q, breakdown, v), (0, 0)) for q in quarters for v in values]
        return sum(x for x, _ in found), sum(n for _, n in found)

    known = [v for v in VALUES[breakdown] if v not in UNKNOWN]
    rest = [v for v in known if v != value]
    everyone, unknown = held([quarter], VALUES[breakdown])[1], held([quarter], [*UNKNOWN])[1]
    found: dict[str, Any] = {"unknown_share": unknown / everyone}
    if value in UNKNOWN:
        return found | dict.fromkeys(("compared_over", "compared_period_count", "group", "rest", "bounds"))
    window, over = [quarter], "quarter"
    if held(window, [value])[1] < LIMIT or held(window, rest)[1] < LIMIT:
        window, over = (
            [q for q in range(quarter - 3, quarter + 1) if held([q], known)[1] > 0],
            "four_quarters",
        )
    group, others = held(window, [value]), held(window, rest)
    bounds = newcombe(*group, *others) if others[1] else None
    return found | {
        "compared_over": over, "compared_period_count": len(window), "group": group, "rest": others, "bounds": bounds,
    }  # fmt: skip


def check(row: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert row["unknown_share"] == pytest.approx(wanted["unknown_share"], abs=1e-9)
    assert row["compared_over"] == wanted["compared_over"]
    assert row["compared_period_count"] == wanted["compared_period_count"]
    if wanted["group"] is None:
        assert {
            row[key] for key in ("group_base_count", "rest_base_count", "rate_difference", "disparity")
        } == {None}
        return
    assert (row["group_good_count"], row["group_base_count"]) == wanted["group"]
    assert (row["rest_good_count"], row["rest_base_count"]) == wanted["rest"]
    if wanted["bounds"] is None:
        assert (row["rate_difference"], row["disparity"]) == (None, None)
        return
    lower, upper = wanted["bounds"]
    assert (row["difference_lower"], row["difference_upper"]) == pytest.approx((lower, upper), abs=1e-8)
    assert row["disparity"] == (
        "higher" if lower > 0 else "lower" if upper < 0 else "no detectable difference"
    )


def test_every_group_of_every_area_against_the_rest(built: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        built,
        "select * from marts.local_area_breakdowns where item_id = 'm' and breakdown <> 'crime_subgroup'",
    )
    assert len(found) == sum(n > 0 for _, n in HISTORY.values())
    seen: Counter[tuple[str | None, str | None]] = Counter()
    for row in found:
        area, quarter = row["pfa_code"], PERIODS.index(row["period_code"])
        one_series = {
            (q, breakdown, value): figure
            for (a, q, breakdown, value), figure in HISTORY.items()
            if a == area and version_of(a, q) == version_of(area, quarter)
        }
        x, n = HISTORY[area, quarter, row["breakdown"], row["breakdown_value"]]
        assert (row["good_count"], row["base_count"]) == (x, n)
        assert (row["rate_lower"], row["rate_upper"]) == pytest.approx(wilson(x, n), abs=1e-8)
        assert row["is_unknown_value"] == (row["breakdown_value"] in UNKNOWN)
        check(row, expected(one_series, quarter, row["breakdown"], row["breakdown_value"]))
        seen[row["compared_over"], row["disparity"]] += 1
    assert {over for over, _ in seen} == {None, "quarter", "four_quarters"}
    assert {word for _, word in seen} >= {"no detectable difference", None}


def test_the_nation_is_the_sum_of_its_areas(built: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        built, "select * from marts.national_breakdowns where item_id = 'm' and breakdown <> 'crime_subgroup'"
    )
    sums: dict[int, dict[tuple[int, str, str], tuple[int, int]]] = {1: {}, 2: {}}
    areas: Counter[tuple[int, int, str, str]] = Counter()
    for (area, quarter, breakdown, value), (x, n) in HISTORY.items():
        if n == 0:
            continue
        key, version = (quarter, breakdown, value), version_of(area, quarter)
        before = sums[version].get(key, (0, 0))
        sums[version][key] = (before[0] + x, before[1] + n)
        areas[version, *key] += 1
    assert len(found) == sum(map(len, sums.values()))
    for row in found:
        quarter = PERIODS.index(row["period_code"])
        key = (quarter, row["breakdown"], row["breakdown_value"])
        figures = sums[row["metric_version"]]
        assert (row["good_count"], row["base_count"]) == figures[key]
        assert row["areas_in_group"] == areas[row["metric_version"], *key]
        check(row, expected(figures, *key))


def test_a_subgroup_is_compared_with_subgroups_and_adds_nothing_to_its_group(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(built, "select * from marts.local_area_breakdowns where breakdown = 'crime_subgroup'")
    assert {
        (row["breakdown_value"], row["group_base_count"], row["rest_base_count"], row["disparity"])
        for row in found
    } == {
        ("VAP-VWI", 50, 50, "higher"),
        ("VAP-VWO", 50, 50, "lower"),
    }


def test_one_breakdown_at_a_time_of_what_is_scored_and_complete(built: duckdb.DuckDBPyConnection) -> None:
    found = rows(built, "select distinct item_id, breakdown from marts.local_area_breakdowns order by all")
    assert [(row["item_id"], row["breakdown"]) for row in found] == [
        ("m", "crime_subgroup"), ("m", "crime_type"), ("m", "disability"), ("m", "sex"), ("q", "crime_type"),
    ]  # fmt: skip


def test_answers_of_a_clustered_sample_count_for_less(built: duckdb.DuckDBPyConnection) -> None:
    """60 of 80 against 30 of 60 would be a difference; what the answers count for does not show one."""
    row = rows(
        built, "select * from marts.local_area_breakdowns where item_id = 'q' and breakdown_value = 'VAP'"
    )[0]
    assert (row["group_good_count"], row["group_base_count"], row["rest_good_count"], row["rest_base_count"]) == (
        60, 80, 30, 60,
    )  # fmt: skip
    assert (row["difference_lower"], row["difference_upper"]) == pytest.approx(
        newcombe(30, 40, 15, 30), abs=1e-8
    )
    assert newcombe(60, 80, 30, 60)[0] > 0
    assert row["unknown_share"] == pytest.approx(10 / 150, abs=1e-9)


def test_the_limit_is_a_row_of_the_rules() -> None:
    con = warehouse(2)
    con.execute("update reference.benchmark_rules set breakdown_n_min = 101")
    con.execute("drop table intermediate.int_benchmark_rules")
    build(con, "int_benchmark_rules")
    fill(
        con,
        [
            metric_figure(PERIODS[i], FIRST_INDEX + i, 50, 100, is_total=False, characteristic="sex",
                          characteristic_value=value)
            for i in range(2)
            for value in "FM"
        ],
    )  # fmt: skip
    build(con, "local_area_breakdowns")
    found = con.execute(
        "select distinct quarter_index, compared_over, compared_period_count, group_base_count"
        " from marts.local_area_breakdowns order by 1"
    ).fetchall()
    assert found == [(FIRST_INDEX, "four_quarters", 1, 100), (FIRST_INDEX + 1, "four_quarters", 2, 200)]


def test_answers_of_the_bodies_and_of_the_survey_are_two_sums() -> None:
    """The survey breaks its answers down for one area only; the other areas keep their own answers, asked alike."""
    con = warehouse(1)
    fill(
        con,
        feedback=[
            answers(PERIODS[0], FIRST_INDEX, x, 100, pfa_code=area, collected_by=source, is_total=False, crime_type=value)
            for area, source, shift in ((AREAS[0], "survey", 0), (AREAS[1], "own", 20), (AREAS[2], "own", 30))
            for value, x in (("VAP", 40 + shift), ("SEX", 50 + shift))
        ],
    )  # fmt: skip
    build(con, "local_area_breakdowns", "national_breakdowns")
    assert con.execute(
        "select collected_by, breakdown_value, areas_in_group, good_count, base_count, rest_good_count"
        " from marts.national_breakdowns order by 1, 2"
    ).fetchall() == [
        ("own", "SEX", 2, 150, 200, 130), ("own", "VAP", 2, 130, 200, 150),
        ("survey", "SEX", 1, 50, 100, 40), ("survey", "VAP", 1, 40, 100, 50),
    ]  # fmt: skip
    assert con.execute(
        "select distinct pfa_code, collected_by from marts.local_area_breakdowns order by 1"
    ).fetchall() == [(AREAS[0], "survey"), (AREAS[1], "own"), (AREAS[2], "own")]

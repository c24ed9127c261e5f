"""What good looks like, against a plain reading of docs/methods.md in whole numbers and fractions."""

from __future__ import annotations

import csv
import math
import random
from fractions import Fraction
from statistics import median
from typing import Any

import duckdb
import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.warehouse.rendering import DBT, build, render, table
from tests.warehouse.shares import FIRST_INDEX, answers, codes, fill, metric_figure, rows, scalar, warehouse

MET, CITY = "E23000001", "E23000034"
PERIODS = codes(6)


def area_codes() -> list[str]:
    with (DBT / "seeds" / "areas.csv").open() as stream:
        return [row["pfa_code"] for row in csv.DictReader(stream) if row["area_kind"] == "police_area"]


def like_areas() -> dict[str, list[str]]:
    with (DBT / "seeds" / "similar_areas.csv").open() as stream:
        found: dict[str, list[str]] = {}
        for row in csv.DictReader(stream):
            found.setdefault(row["pfa_code"], []).append(row["peer_pfa_code"])
    return {
        area: found.get(area, [other for other in area_codes() if other != area]) for area in area_codes()
    }


def gap(benchmark: Fraction, x: int, n: int) -> int:
    return max(0, math.ceil(benchmark * n - x))


# --- the gap in victims -----------------------------------------------------------------------------------------


def test_the_gap_is_exact_for_all_small_figures_and_benchmarks() -> None:
    sql = render(
        "select x, n, bx, bn, {{ gap_in_victims('x', 'n', 'bx', 'bn') }}"
        " from range(1, 13) as t(n), range(0, 13) as u(x), range(1, 13) as v(bn), range(0, 13) as w(bx)"
        " where x <= n and bx <= bn"
    )
    found = duckdb.execute(sql).fetchall()
    assert len(found) == sum(n + 1 for n in range(1, 13)) ** 2
    for x, n, bx, bn, victims in found:
        assert victims == gap(Fraction(bx, bn), x, n)


@pytest.mark.parametrize(
    ("x", "n", "bx", "bn"),
    [
        (0, 100, 7, 100),  # 0.07 * 100 is 7.000000000000001 in floating point
        (0, 100, 29, 50),  # 0.58 * 100 is 57.99999999999999
        (11, 30, 21_700, 31_000),  # 0.7 * 30 is 21 exactly
        (123_456, 200_003, 8_765_432, 9_999_991),
        (0, 1_000_000, 999_999_999, 1_000_000_000),
    ],
)
def test_the_gap_is_exact_where_floating_point_is_not(x: int, n: int, bx: int, bn: int) -> None:
    found = scalar(
        "{{ gap_in_victims(" + ", ".join(f"'cast({value} as bigint)'" for value in (x, n, bx, bn)) + ") }}"
    )
    assert found == gap(Fraction(bx, bn), x, n)


def test_plain_floating_point_would_be_wrong() -> None:
    assert math.ceil(7 / 100 * 100) == 8
    assert scalar("{{ gap_in_victims('0', '100', '7', '100') }}") == 7


@pytest.mark.parametrize(("n", "bn"), [("0", "10"), ("10", "0"), ("null", "10"), ("10", "null")])
def test_no_cases_give_no_gap(n: str, bn: str) -> None:
    assert scalar(f"{{{{ gap_in_victims('0', '{n}', '0', '{bn}') }}}}") is None


@pytest.mark.parametrize("standard", ["0.07", "0.29", "0.57", "0.58", "0.95", "1.0", "0.333333"])
def test_a_standard_of_some_decimals_is_exact_too(standard: str) -> None:
    sql = render(
        f"select x, n, {{{{ gap_in_victims('x', 'n', in_millionths('{standard}'), '1000000') }}}}"
        " from range(1, 101) as t(n), range(0, 101) as u(x) where x <= n"
    )
    for x, n, victims in duckdb.execute(sql).fetchall():
        assert victims == gap(Fraction(standard), x, n)


# --- a whole invented nation ------------------------------------------------------------------------------------


def figures() -> dict[tuple[str, str, str, int], tuple[int, int]]:
    """(item, mode, area, quarter) -> x of n: one metric of every case, one on samples, one with ties, gaps in it."""
    rng = random.Random(7)
    found = {}
    for quarter in range(6):
        for place, area in enumerate(area_codes()):
            n = rng.randint(1, 4000)
            found["full", "census", area, quarter] = (sum(rng.random() < 0.8 for _ in range(n)), n)
            if rng.random() < 0.8:
                mode = "census" if place % 2 else "random_sample"
                n = rng.randint(0, 30)
                found["mixed", mode, area, quarter] = (rng.randint(0, n), n)
            found["ties", "census", area, quarter] = (8, 10)
    return found


FIGURES = figures()


@pytest.fixture(scope="module")
def built() -> duckdb.DuckDBPyConnection:
    con = warehouse(6)
    metrics = [
        metric_figure(
            PERIODS[quarter], FIRST_INDEX + quarter, x, n, metric_id=item, collection_mode=mode, pfa_code=area
        )
        for (item, mode, area, quarter), (x, n) in FIGURES.items()
    ]
    # one far above all others, one force of the nation, a sample chosen by hand, a complement, an incomplete figure
    last = (PERIODS[5], FIRST_INDEX + 5)
    for area in area_codes():
        x, n = (995, 1000) if area == "E23000005" else (500 + 3 * (int(area[-2:]) % 7), 1000)
        metrics.append(metric_figure(*last, x, n, metric_id="high", pfa_code=area))
        metrics.append(
            metric_figure(*last, 10, 100, metric_id="dips", pfa_code=area, collection_mode="purposive_sample")
        )
        metrics.append(metric_figure(*last, 20, 100, metric_id="less", pfa_code=area, polarity="lower"))
    metrics += [
        metric_figure(*last, 50, 100, metric_id="full", body_kind="btp", pfa_code="NAT"),
        metric_figure(*last, 50, 100, metric_id="short", is_complete=False),
        metric_figure(*last, 50, 100, metric_id="context", polarity="contextual"),
        metric_figure(*last, 1, 3, metric_id="r04_s03_referral_2wd"),
        metric_figure(*last, 1, 3, metric_id="r02_s01_recorded_24h"),
    ]
    feedback = [
        answers(PERIODS[quarter], FIRST_INDEX + quarter, 30 + place, 100, 50.0, pfa_code=area)
        for quarter in range(6)
        for place, area in enumerate(area_codes())
    ]
    fill(con, metrics, feedback)
    build(con, "int_s2_inputs", "int_s2_pools", "int_s2_scores", "local_area_benchmarks")
    return con


def expected_benchmark(item: str, mode: str, quarter: int) -> tuple[list[str], int, int] | None:
    """The best areas by (x + 1)/(n + 2) until they hold a tenth of all cases, with their x and n."""
    pool = {
        area: figure
        for (i, m, area, q), figure in FIGURES.items()
        if (i, m, q) == (item, mode, quarter) and figure[1] > 0
    }
    if len(pool) < 5:
        return None
    best = sorted(pool, key=lambda area: (-Fraction(pool[area][0] + 1, pool[area][1] + 2), area))
    taken: list[str] = []
    while 10 * sum(pool[area][1] for area in taken) < sum(n for _, n in pool.values()):
        taken.append(best[len(taken)])
    return sorted(taken), sum(pool[area][0] for area in taken), sum(pool[area][1] for area in taken)


@pytest.mark.parametrize("item", ["full", "mixed", "ties"])
def test_the_four_lines_of_every_figure(built: duckdb.DuckDBPyConnection, item: str) -> None:
    found = rows(
        built, f"select * from marts.local_area_benchmarks where item_id = '{item}' and body_kind = 'police'"
    )
    assert len(found) == sum(key[0] == item for key in FIGURES)
    peers = like_areas()
    for row in found:
        mode, area, quarter = row["collection_mode"], row["pfa_code"], PERIODS.index(row["period_code"])
        x, n = FIGURES[item, mode, area, quarter]
        assert (row["good_count"], row["base_count"]) == (x, n)

        best = expected_benchmark(item, mode, quarter)
        assert best is not None
        assert row["achievable_pfa_codes"] == "; ".join(best[0])
        assert row["achievable_area_count"] == len(best[0])
        assert (row["achievable_good_count"], row["achievable_base_count"]) == best[1:]
        assert row["achievable_gap"] == (gap(Fraction(*best[1:]), x, n) if n else None)

        others = [
            figure
            for peer in peers[area]
            if (figure := FIGURES.get((item, mode, peer, quarter))) is not None and figure[1] > 0
        ]
        assert row["like_area_count"] == (len(others) or None)
        if others:
            rates = [Fraction(*figure) for figure in others]
            pooled = Fraction(sum(figure[0] for figure in others), sum(figure[1] for figure in others))
            assert row["like_areas_median_rate"] == pytest.approx(float(median(rates)), abs=1e-9)
            assert row["like_areas_lowest_rate"] == pytest.approx(float(min(rates)), abs=1e-9)
            assert row["like_areas_highest_rate"] == pytest.approx(float(max(rates)), abs=1e-9)
            assert row["like_areas_rate"] == pytest.approx(float(pooled), abs=1e-9)
            assert row["like_areas_gap"] == (gap(pooled, x, n) if n else None)
            assert row["like_areas_median_gap"] == (gap(median(rates), x, n) if n else None)

        window = [
            held
            for earlier in range(max(0, quarter - 3), quarter + 1)
            if (held := FIGURES.get((item, mode, area, earlier))) is not None
        ]
        own = (sum(held[0] for held in window), sum(held[1] for held in window))
        assert (row["own_period_count"], row["own_good_count"], row["own_base_count"]) == (len(window), *own)
        if own[1]:
            interval = proportion_confint(*own, alpha=0.05, method="wilson")
            assert (row["own_rate_lower"], row["own_rate_upper"]) == pytest.approx(interval, abs=1e-6)
            assert row["own_gap"] == (gap(Fraction(*own), x, n) if n else None)

        previous = FIGURES.get((item, mode, area, quarter - 1), (None, None))
        assert (row["previous_good_count"], row["previous_base_count"]) == previous
        year_ago = FIGURES.get((item, mode, area, quarter - 4), (None, None))
        assert (row["year_ago_good_count"], row["year_ago_base_count"]) == year_ago


def test_london_is_compared_with_all_others_and_never_with_itself(built: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        built,
        "select pfa_code, like_area_count from marts.local_area_benchmarks"
        f" where item_id = 'full' and pfa_code in ('{MET}', '{CITY}') and body_kind = 'police'",
    )
    assert {(row["pfa_code"], row["like_area_count"]) for row in found} == {(MET, 42), (CITY, 42)}


def test_the_gap_to_the_codes_standard_is_every_victim_it_was_not_met_for(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = {
        row["item_id"]: row
        for row in rows(
            built,
            "select item_id, standard_rate, standard_wording, standard_gap from marts.local_area_benchmarks"
            " where item_id in ('r04_s03_referral_2wd', 'r02_s01_recorded_24h', 'q')",
        )
    }
    assert found["r04_s03_referral_2wd"]["standard_gap"] == 2
    assert "2 working days" in found["r04_s03_referral_2wd"]["standard_wording"]
    for item in ("r02_s01_recorded_24h", "q"):
        assert found[item] == {
            "item_id": item, "standard_rate": None, "standard_wording": "the Code sets none", "standard_gap": None,
        }  # fmt: skip


def test_a_standard_is_only_set_for_scored_shares_and_never_where_the_limit_is_ours() -> None:
    with (DBT / "seeds" / "metrics.csv").open() as stream:
        metrics = {row["metric_id"]: row for row in csv.DictReader(stream)}
    with (DBT / "seeds" / "code_standards.csv").open() as stream:
        standards = list(csv.DictReader(stream))
    assert len({row["metric_id"] for row in standards}) == len(standards)
    for row in standards:
        metric = metrics[row["metric_id"]]
        assert (metric["unit"], metric["polarity"], metric["information"]) == (
            "proportion",
            "higher",
            "statistic",
        )
        assert 0 < float(row["standard_rate"]) <= 1
        assert row["basis"] in ("code", "proposed")
        # a limit that the catalogue itself calls proposed, or has not seen in the Code in force
        assert not any(word in metric["time_limit"] for word in ("proposed", "not seen"))


def test_less_is_better_is_counted_the_other_way_round(built: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        built, "select distinct good_count, good_rate from marts.local_area_benchmarks where item_id = 'less'"
    )
    assert found == [{"good_count": 80, "good_rate": 0.8}]


def test_what_is_not_scored_or_not_complete_has_no_benchmark(built: duckdb.DuckDBPyConnection) -> None:
    assert (
        rows(built, "select * from marts.local_area_benchmarks where item_id in ('short', 'context')") == []
    )


def test_nothing_is_measured_against_one_area_alone_or_cases_chosen_by_hand(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        built,
        "select distinct body_kind, item_id, achievable_rate, achievable_gap, high_compliance"
        " from marts.local_area_benchmarks where body_kind = 'btp' or item_id = 'dips'",
    )
    assert {row["high_compliance"] for row in found} == {
        "not tested: a national force has no like areas",
        "not tested: the cases were chosen by hand",
    }
    assert {(row["achievable_rate"], row["achievable_gap"]) for row in found} == {(None, None)}


def test_answers_of_a_clustered_sample_have_wider_intervals_and_fewer_changes(
    built: duckdb.DuckDBPyConnection,
) -> None:
    row = rows(
        built,
        "select * from marts.local_area_benchmarks where information = 'feedback' and pfa_code = 'E23000002'"
        f" and period_code = '{PERIODS[5]}'",
    )[0]
    interval = proportion_confint(row["good_rate"] * 50, 50, alpha=0.05, method="wilson")
    assert (row["rate_lower"], row["rate_upper"]) == pytest.approx(interval, abs=1e-6)
    pooled = proportion_confint(row["own_rate"] * 200, 200, alpha=0.05, method="wilson")
    assert (row["own_rate_lower"], row["own_rate_upper"]) == pytest.approx(pooled, abs=1e-6)
    assert row["high_compliance"].startswith("not tested")


# --- high compliance --------------------------------------------------------------------------------------------


def high_rows(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return rows(
        con,
        "select benchmarks.pfa_code, benchmarks.item_id, benchmarks.base_count, benchmarks.is_high_compliance,"
        " benchmarks.high_compliance, scores.z_score, scores.gap_to_peers, scores.is_assessable"
        " from marts.local_area_benchmarks as benchmarks inner join intermediate.int_s2_scores as scores"
        " on benchmarks.item_id = scores.metric_id and scores.subject = 'compliance'"
        " and benchmarks.collection_mode = scores.collection_mode and benchmarks.body_kind = scores.body_kind"
        " and benchmarks.pfa_code = scores.pfa_code and benchmarks.period_code = scores.period_code",
    )


def test_high_compliance_needs_the_evidence_that_low_compliance_needs(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = high_rows(built)
    for row in found:
        assert row["is_high_compliance"] == bool(
            row["is_assessable"]
            and row["z_score"] >= 3.09
            and row["base_count"] >= 100
            and row["gap_to_peers"] <= -0.05
        )
        assert row["is_high_compliance"] == (row["high_compliance"] == "significantly better than like areas")
    assert [(row["pfa_code"], row["item_id"]) for row in found if row["is_high_compliance"]] == [
        ("E23000005", "high")
    ]
    assert {row["high_compliance"] for row in found} >= {
        "not significantly better than like areas",
        "not tested: too few cases",
        "not tested: too few cases to call it high",
    }


def scored_by_hand(z: float, n: int, own_gap: float, **rules: Any) -> bool:
    con = warehouse(1)
    for parameter, value in rules.items():
        con.execute(f"update reference.severe_rules set {parameter} = ?", [value])
    con.execute("drop table intermediate.int_rules_by_quarter; drop table intermediate.int_benchmark_rules")
    build(con, "int_rules_by_quarter", "int_benchmark_rules")
    fill(con, [metric_figure(PERIODS[0], FIRST_INDEX, n, n)])
    table(
        con,
        "int_s2_scores",
        {
            "subject": "varchar", "body_kind": "varchar", "pfa_code": "varchar", "period_code": "varchar",
            "metric_id": "varchar", "metric_version": "integer", "collection_mode": "varchar",
            "sampling_frame": "varchar", "is_assessable": "boolean", "not_assessable_reason": "varchar",
            "z_score": "double", "z_flag": "double", "gap_to_peers": "double",
        },
        [("compliance", "police", "E23000002", PERIODS[0], "m", 1, "census", "all_cases", True, None, z, -3.6, own_gap)],
    )  # fmt: skip
    build(con, "local_area_benchmarks")
    found = con.execute("select is_high_compliance from marts.local_area_benchmarks").fetchall()
    assert len(found) == 1
    return bool(found[0][0])


@pytest.mark.parametrize(
    ("z", "n", "own_gap", "rules", "expected"),
    [
        (3.09, 100, -0.05, {}, True),
        (3.08, 100, -0.05, {}, False),
        (3.09, 99, -0.05, {}, False),
        (3.09, 100, -0.049, {}, False),
        (3.09, 99, -0.05, {"high_n_min": 50}, True),
        (3.09, 100, -0.05, {"high_z": 3.5}, False),
        # a limit divided among the metrics of a right is as strict upwards as downwards
        (3.5, 100, -0.05, {"s2_divide_tail": True}, False),
        (3.6, 100, -0.05, {"s2_divide_tail": True}, True),
    ],
)
def test_the_limits_of_high_compliance_are_those_of_the_rules(
    z: float, n: int, own_gap: float, rules: dict[str, Any], expected: bool
) -> None:
    assert scored_by_hand(z, n, own_gap, **rules) is expected


def test_the_benchmark_rules_in_force_decide() -> None:
    """A later version takes a third of the cases, and only of the quarters it is for."""
    con = warehouse(2)
    con.execute(
        "insert into reference.benchmark_rules select 1, date '2024-07-01', effective_to, basis, 0.34, prior_good,"
        " prior_cases, achievable_areas_min, 1, breakdown_n_min from reference.benchmark_rules"
    )
    con.execute("drop table intermediate.int_benchmark_rules")
    build(con, "int_benchmark_rules")
    fill(
        con,
        [
            metric_figure(PERIODS[quarter], FIRST_INDEX + quarter, 90 - place, 100, pfa_code=area)
            for quarter in range(2)
            for place, area in enumerate(area_codes()[1:7])
        ],
    )
    build(con, "int_s2_inputs", "int_s2_pools", "int_s2_scores", "local_area_benchmarks")
    found = rows(
        con,
        "select distinct period_code, achievable_area_count, own_period_count from marts.local_area_benchmarks",
    )
    assert sorted(tuple(row.values()) for row in found) == [(PERIODS[0], 1, 1), (PERIODS[1], 3, 1)]

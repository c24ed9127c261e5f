"""S2 from SQL against a plain numpy reading of docs/methods.md."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import duckdb
import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from tests.warehouse.rendering import DBT, build, database, seed, table

MET, CITY = "E23000001", "E23000034"
RULE = dict(n_min=10, s2_z_flag=-3.09, s2_z_watch=-1.96, s2_gap_min=0.05, s2_peers_min=4, s2_areas_min=5)


def like_areas() -> dict[str, list[str]]:
    with (DBT / "seeds" / "similar_areas.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    peers: dict[str, list[str]] = {}
    for row in rows:
        peers.setdefault(row["pfa_code"], []).append(row["peer_pfa_code"])
    return peers


def area_codes() -> list[str]:
    with (DBT / "seeds" / "areas.csv").open() as stream:
        return [row["pfa_code"] for row in csv.DictReader(stream) if row["area_kind"] == "police_area"]


def reference_s2(figures: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, float]]:
    """One pool by numpy: area -> z, gap; phi and tau squared under the key of the pool, "".

    Spiegelhalter 2005 (funnel plots, additive random effects), winsorising at type-7 percentiles.
    """
    codes = [code for code, (_, n) in figures.items() if n >= RULE["n_min"]]
    x = np.array([figures[code][0] for code in codes], dtype=float)
    n = np.array([figures[code][1] for code in codes], dtype=float)
    y, s = np.arcsin(np.sqrt(x / n)), 1 / (2 * np.sqrt(n))
    count = len(codes)
    zeta = (y - np.average(y, weights=s**-2)) / s
    low, high = np.percentile(zeta, [10, 90], method="linear")
    phi = float(np.mean(np.clip(zeta, low, high) ** 2))
    s1, s2 = np.sum(s**-2), np.sum(s**-4)
    tau2 = 0.0 if count * phi < count - 1 else float((count * phi - (count - 1)) / (s1 - s2 / s1))
    peers = like_areas()
    out: dict[str, dict[str, float]] = {"": {"phi": phi, "tau_squared": tau2}}
    for i, code in enumerate(codes):
        others = [j for j, peer in enumerate(codes) if (peer in peers[code] if code in peers else j != i)]
        if len(others) < RULE["s2_peers_min"] or count < RULE["s2_areas_min"]:
            continue
        v = 1 / (s[others] ** 2 + tau2)
        target = np.sum(v * y[others]) / np.sum(v)
        out[code] = {
            "z": float((y[i] - target) / np.sqrt(s[i] ** 2 + tau2 + 1 / np.sum(v))),
            "gap": float(np.sin(target) ** 2 - x[i] / n[i]),
            "peers": float(len(others)),
        }
    return out


def spread_out(
    seed_number: int, spread: float, low_n: int, high_n: int, areas: int = 43
) -> dict[str, tuple[int, int]]:
    rng = np.random.default_rng(seed_number)
    figures = {}
    for code in area_codes()[:areas]:
        n = int(rng.integers(low_n, high_n))
        rate = 1 / (1 + np.exp(-rng.normal(1.3, spread)))
        figures[code] = (int(rng.binomial(n, rate)), n)
    return figures


POOLS = {
    "overdispersed": spread_out(1, 0.5, 50, 5000),
    "no_spread_at_all": spread_out(2, 0.0, 20, 300),
    "many_too_small": spread_out(3, 0.4, 1, 25),
    "everyone_meets_it": {code: (40, 40) for code in area_codes()},
    "few_areas": spread_out(4, 0.4, 50, 500, areas=4),
    "one_far_below": {**spread_out(5, 0.2, 300, 900), "E23000032": (150, 500)},
}


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    return scored_warehouse()


def scored_warehouse(rule_change: str = "") -> duckdb.DuckDBPyConnection:
    con = database()
    seed(con, "areas", valid_from="date", valid_to="date")
    seed(con, "similar_areas", valid_from="date", valid_to="date")
    seed(con, "body_kinds")
    seed(con, "severe_rules", effective_from="date", effective_to="date")
    if rule_change:
        con.execute(f"update reference.severe_rules set {rule_change}")
    con.execute("create view intermediate.int_severe_rules as from reference.severe_rules")
    con.execute(
        "create table intermediate.int_quarters as select '2025-26-Q1' as period_code, 8100 as quarter_index,"
        " date '2025-06-30' as last_day"
    )
    build(con, "int_rules_by_quarter", "int_like_areas")
    columns = {
        "body_kind": "varchar", "pfa_code": "varchar", "period_code": "varchar", "right_number": "integer",
        "metric_id": "varchar", "metric_version": "integer", "collection_mode": "varchar",
        "sampling_frame": "varchar", "unit": "varchar", "polarity": "varchar", "is_total": "boolean",
        "is_complete": "boolean", "met_count": "bigint", "not_met_count": "bigint",
        "not_suitable_count": "bigint", "declined_count": "bigint", "case_count": "bigint",
    }  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for metric, figures in POOLS.items():
        for code, (x, n) in figures.items():
            rows.append(
                ("police", code, "2025-26-Q1", 4, metric, 1, "census", "all_cases", "proportion", "higher",
                 True, True, x, n - x, 3, None, n)
            )  # fmt: skip
    rows.append(("btp", "NAT", "2025-26-Q1", 4, "overdispersed", 1, "census", "all_cases", "proportion", "higher",
                 True, True, 100, 400, 0, 0, 500))  # fmt: skip
    # never part of a pool: a dip sample, an incomplete figure, a breakdown, a contextual metric
    rows += [
        ("police", MET, "2025-26-Q1", 4, "overdispersed", 1, "purposive_sample", "all_cases", "proportion", "higher",
         True, True, 1, 99, 0, 0, 100),
        ("police", MET, "2025-26-Q1", 4, "incomplete", 1, "census", "all_cases", "proportion", "higher",
         True, False, 1, 99, 0, 0, 100),
        ("police", MET, "2025-26-Q1", 4, "context", 1, "census", "all_cases", "proportion", "contextual",
         True, True, 1, 99, 0, 0, 100),
    ]  # fmt: skip
    table(con, "int_metric_figures", columns, rows)
    build(con, "int_s2_inputs", "int_s2_pools", "int_s2_scores")
    return con


@pytest.mark.parametrize("metric", list(POOLS))
def test_z_phi_and_tau_squared_equal_numpy(warehouse: duckdb.DuckDBPyConnection, metric: str) -> None:
    expected = reference_s2(POOLS[metric])
    rows = warehouse.execute(
        "select pfa_code, z_score, gap_to_peers, peer_count, phi, tau_squared, is_assessable"
        " from intermediate.int_s2_scores where subject = 'compliance' and metric_id = ? and body_kind = 'police'",
        [metric],
    ).fetchall()
    assert len(rows) == len(POOLS[metric])
    assessed = {code for code in expected if code}
    for code, z, gap, peers, phi, tau_squared, is_assessable in rows:
        assert is_assessable == (code in assessed)
        if POOLS[metric][code][1] >= RULE["n_min"]:
            assert phi == pytest.approx(expected[""]["phi"], abs=1e-9)
            assert tau_squared == pytest.approx(expected[""]["tau_squared"], abs=1e-9)
        if code in assessed:
            assert z == pytest.approx(expected[code]["z"], abs=1e-9)
            assert gap == pytest.approx(expected[code]["gap"], abs=1e-9)
            assert peers == expected[code]["peers"]
        else:
            assert z is None


def test_the_pools_are_of_every_kind() -> None:
    assert reference_s2(POOLS["overdispersed"])[""]["tau_squared"] > 0
    assert reference_s2(POOLS["no_spread_at_all"])[""]["tau_squared"] == 0
    assert any(code not in reference_s2(POOLS["many_too_small"]) for code in POOLS["many_too_small"])


def test_london_is_compared_with_all_other_areas(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select pfa_code, peer_count from intermediate.int_s2_scores"
        " where subject = 'compliance' and metric_id = 'overdispersed' and pfa_code in (?, ?)",
        [MET, CITY],
    ).fetchall()
    assert dict(rows) == {MET: 42, CITY: 42}


def test_a_national_force_has_no_like_areas(warehouse: duckdb.DuckDBPyConnection) -> None:
    row = warehouse.execute(
        "select is_assessable, not_assessable_reason, z_score from intermediate.int_s2_scores"
        " where body_kind = 'btp' and subject = 'compliance'"
    ).fetchone()
    assert row == (False, "a national force has no like areas", None)


def test_what_is_not_tested_is_not_in_the_inputs(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select count(*) from intermediate.int_s2_inputs"
        " where metric_id in ('incomplete', 'context') or collection_mode = 'purposive_sample'"
    ).fetchone()
    assert rows == (0,)


def test_adjusted_p_is_benjamini_and_hochbergs(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select p_value, p_adjusted from intermediate.int_s2_scores where subject = 'compliance' and is_assessable"
    ).fetchall()
    assert len(rows) > 100
    expected = multipletests([p for p, _ in rows], method="fdr_bh")[1]
    assert [adjusted for _, adjusted in rows] == pytest.approx(list(expected), abs=1e-9)


def test_a_flag_needs_both_a_low_z_and_a_gap(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select z_score, gap_to_peers, is_met, is_watch from intermediate.int_s2_scores where is_assessable"
    ).fetchall()
    for z, gap, is_met, is_watch in rows:
        assert is_met == (z <= RULE["s2_z_flag"] and gap >= RULE["s2_gap_min"])
        assert is_watch == (z <= RULE["s2_z_watch"] and not is_met)
    assert any(is_met for *_, is_met, _ in rows)
    assert any(is_watch for *_, is_watch in rows)


def test_a_rule_table_may_divide_the_tail_among_the_metrics_of_a_right() -> None:
    con = scored_warehouse("s2_divide_tail = true")
    rows = con.execute(
        "select distinct z_flag from intermediate.int_s2_scores where subject = 'compliance' and body_kind = 'police'"
    ).fetchall()
    assert len(rows) == 1
    assert rows[0][0] == pytest.approx(NormalDist().inv_cdf(0.001 / len(POOLS)), abs=1e-6)
    met = con.execute("select z_score from intermediate.int_s2_scores where is_met").fetchall()
    assert met and all(z <= rows[0][0] for (z,) in met)

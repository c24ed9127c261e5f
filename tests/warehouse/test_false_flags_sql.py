"""S1, S2 and persistence of the false-flag study are those of the SQL models, on counts drawn at random."""

from __future__ import annotations

from statistics import NormalDist

import duckdb
import numpy as np
import pandas as pd
import pytest

from quality.false_flags.histories import QUARTERS, Setting, draw
from quality.false_flags.indicators import Scope, recommended, s1_met, s2_met, s2_scores, wilson
from quality.false_flags.inputs import Country, Flags, Rules
from tests.warehouse.persistence_tables import CLOSURES, OF_THE_RULES, OFFICIAL, nothing_recorded
from tests.warehouse.rendering import build, database, render, seed, table

RULES = Rules.load()
COUNTRY = Country.load(RULES)
#: No spread at all and n = 30: tau squared 0; every case: the City of London is often too small to be assessed.
SETTINGS = {
    "samples": Setting(0.0, 30, quarter_noise=0.0),
    "census": Setting(0.1),
    "heavy": Setting(0.075, tails=5, planted_points=20),
}


def with_rules(con: duckdb.DuckDBPyConnection, scope: str = "same_indicator", divide: bool = False) -> None:
    seed(con, "severe_rules", effective_from="date", effective_to="date")
    con.execute(
        "create table intermediate.int_rules_by_quarter as"
        " select 'q' || quarter as period_code, cast(quarter as integer) as quarter_index,"
        " date '2025-06-30' as last_day, severe_rules.* replace (cast(? as varchar) as persistence_scope,"
        " cast(? as boolean) as s2_divide_tail)"
        f" from reference.severe_rules, range({QUARTERS}) as quarters(quarter)",
        [scope, divide],
    )


def long_table(**arrays: np.ndarray) -> pd.DataFrame:
    """One row a quarter, metric and area that reports, of arrays (Q, M, A)."""
    q, m, a = np.nonzero(np.broadcast_to(COUNTRY.is_expected, next(iter(arrays.values())).shape))
    return pd.DataFrame(
        {
            "period_code": [f"q{i}" for i in q],
            "quarter_index": q,
            "body_kind": [COUNTRY.metrics[i].body_kind for i in m],
            "right_number": [COUNTRY.metrics[i].right_number for i in m],
            "metric_id": [COUNTRY.metrics[i].metric_id for i in m],
            "pfa_code": [COUNTRY.area_codes[i] for i in a],
            "m": m,
            "a": a,
            **{name: values[q, m, a] for name, values in arrays.items()},
        }
    )


@pytest.mark.parametrize("divide", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_s2_equals_the_models(name: str, divide: bool) -> None:
    drawn = draw(COUNTRY, SETTINGS[name], 1, seed=11)
    z, gap = s2_scores(drawn.x, drawn.n, COUNTRY.like_areas, RULES)
    limit = COUNTRY.divided_limits(RULES)[:, None] if divide else RULES.z_flag
    figures = long_table(x=drawn.x[0], n=drawn.n[0], z=z[0], gap=gap[0], met=s2_met(z, gap, limit, RULES)[0])
    con = database()
    seed(con, "areas", valid_from="date", valid_to="date")
    seed(con, "similar_areas", valid_from="date", valid_to="date")
    seed(con, "body_kinds")
    with_rules(con, divide=divide)
    con.register("figures", figures)
    con.execute(
        "create table intermediate.int_metric_figures as select body_kind, pfa_code, period_code, right_number,"
        " metric_id, 1 as metric_version, 'census' as collection_mode, 'all_cases' as sampling_frame,"
        " 'proportion' as unit, 'higher' as polarity, true as is_total, true as is_complete, x as met_count,"
        " n - x as not_met_count, 0 as not_suitable_count, 0 as declined_count, n as case_count from figures"
    )
    build(con, "int_like_areas", "int_s2_inputs", "int_s2_pools", "int_s2_scores")
    both = con.execute(
        "select scores.is_assessable, scores.is_met, scores.z_score, scores.gap_to_peers, scores.tau_squared,"
        " figures.z, figures.gap, figures.met"
        " from intermediate.int_s2_scores as scores inner join figures"
        " using (body_kind, pfa_code, period_code, metric_id) where scores.subject = 'compliance'"
    ).df()
    assert len(both) == len(figures) == QUARTERS * COUNTRY.is_expected.sum()
    assert (both["is_assessable"] == both["z"].notna()).all()
    assessed = both[both["is_assessable"]]
    np.testing.assert_allclose(assessed["z"], assessed["z_score"].astype(float), atol=1e-8)
    np.testing.assert_allclose(assessed["gap"], assessed["gap_to_peers"].astype(float), atol=1e-8)
    assert (both["is_met"].astype(bool) == both["met"]).all()
    # the tables are of every kind
    if name == "samples":
        assert (assessed["tau_squared"] == 0).any()
    else:
        assert both["met"].any() and len(assessed) < len(both)


def test_the_divided_limit_is_the_models() -> None:
    # the SQL rounds it to six places
    sql = render("select {{ normal_quantile('0.001 / 6') }}")
    value = duckdb.connect().execute(sql).fetchone()
    assert value is not None
    assert RULES.divided_z_flag(6) == pytest.approx(value[0], abs=1e-9)
    assert RULES.divided_z_flag(6) == pytest.approx(NormalDist().inv_cdf(0.001 / 6), abs=1e-9)


def test_s1_equals_the_macro() -> None:
    drawn = draw(COUNTRY, Setting(0.2, planted_points=30), 1, seed=4)
    thresholds = COUNTRY.thresholds()[:, None]
    met = s1_met(drawn.x, drawn.n, thresholds, RULES)
    figures = long_table(
        x=drawn.x[0],
        n=drawn.n[0],
        upper=wilson(drawn.x, drawn.n, RULES.s1_z, "upper")[0],
        met=met[0],
        threshold=np.broadcast_to(thresholds, drawn.n[0].shape),
    )
    con = duckdb.connect()
    con.register("figures", figures)
    sql = render("{{ wilson_bound('x', 'n', '1.644854', 'upper') }}")
    both = con.execute(f"select *, {sql} as sql_upper from figures where n > 0").df()
    np.testing.assert_allclose(both["upper"], both["sql_upper"], atol=1e-9)
    assert ((both["n"] >= 10) & (both["sql_upper"] < both["threshold"]) == both["met"]).all()
    assert both["met"].any()


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
def test_persistence_equals_the_model(scope: Scope) -> None:
    # two items of one right; histories are areas, so that a few thousand are compared at once
    rng = np.random.default_rng(8)
    histories = 3000
    state = rng.choice(["MET", "NOT_MET", "TOO_FEW"], p=[0.5, 0.3, 0.2], size=(histories, QUARTERS))
    items = rng.integers(1, 4, (histories, QUARTERS))  # first, second, both
    met: Flags = np.stack([(state == "MET") & (items & bit > 0) for bit in (1, 2)], axis=2)[..., None]
    expected = recommended(met, (state != "TOO_FEW")[..., None], scope, RULES.bridge_quarters)[..., 0]

    con = database()
    with_rules(con, scope)
    h, q = np.indices(state.shape)
    con.register("states", pd.DataFrame({"h": h.ravel(), "q": q.ravel(), "state": state.ravel()}))
    h, q, item = (values.ravel() for values in np.indices(met.shape[:3]))
    con.register("items", pd.DataFrame({"h": h, "q": q, "item": item, "met": met[..., 0].ravel()}))
    con.execute(
        "create table intermediate.int_right_states as select 'police' as body_kind, 'h' || h as pfa_code,"
        " 4 as right_number, 'q' || q as period_code, cast(q as integer) as quarter_index, 0 as rule_version, state,"
        " false as is_s4_met, cast(null as varchar) as indicators_met, 1 as senders_expected, 1 as senders_received,"
        f" {OF_THE_RULES} from states inner join intermediate.int_rules_by_quarter on q = quarter_index"
    )
    con.execute(
        "create table intermediate.int_indicators as select 'police' as body_kind, 'h' || h as pfa_code,"
        " 4 as right_number, 'q' || q as period_code, 'S2' as indicator, 'm' || item as item_id, met as is_met"
        " from items"
    )
    table(con, "int_case_closures", CLOSURES, [])
    table(con, "int_quarters", {"period_code": "varchar", "quarter_index": "integer"}, [])
    nothing_recorded(con)
    build(con, *OFFICIAL)
    rows = con.execute(
        "select pfa_code, quarter_index from intermediate.int_persistence where is_recommended"
    ).fetchall()
    found = np.zeros_like(expected)
    for name, quarter in rows:
        found[int(name[1:]), quarter] = True
    np.testing.assert_array_equal(found, expected)
    assert expected.any() and not expected.all()

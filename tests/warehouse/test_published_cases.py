"""The methods reproduce cases printed in the papers they come from, through the project's own SQL.

What belongs here: figures that others have published, and the same figures from statsmodels, so that a digit copied
wrongly is found; S2's own scale against statsmodels too. What does not: S2 as a whole (test_s2.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import duckdb
import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from tests.warehouse.rendering import build, database, render, table, typed_seed

QUARTER = "2025-26-Q1"
SERIES = (QUARTER, 4, "published", 1, "census", "all_cases")


def rules_database(**changes: object) -> duckdb.DuckDBPyConnection:
    """A database with the rules of the seed in force in one quarter, but for the parameters given."""
    con = database()
    typed_seed(con, "severe_rules")
    for parameter, value in changes.items():
        con.execute(f"update reference.severe_rules set {parameter} = ?", [value])
    con.execute(
        f"create table intermediate.int_rules_by_quarter as select '{QUARTER}' as period_code,"
        " 8100 as quarter_index, * from reference.severe_rules"
    )
    return con


def s2_inputs(
    con: duckdb.DuckDBPyConnection, y: Sequence[float], s: Sequence[float], names: Sequence[str]
) -> None:
    """Give S2 its estimates and standard errors as they are, in place of those it makes from counts."""
    columns = {
        "subject": "varchar", "body_kind": "varchar", "pfa_code": "varchar", "period_code": "varchar",
        "right_number": "integer", "metric_id": "varchar", "metric_version": "integer",
        "collection_mode": "varchar", "sampling_frame": "varchar", "good_count": "bigint", "base_count": "bigint",
        "is_national_force": "boolean", "is_in_pool": "boolean", "y": "double", "s": "double",
    }  # fmt: skip
    table(
        con,
        "int_s2_inputs",
        columns,
        [
            ("compliance", "police", name, *SERIES, 50, 100, False, True, float(estimate), float(error))
            for name, estimate, error in zip(names, y, s, strict=True)
        ],
    )


# Newcombe RG (1998), "Two-sided confidence intervals for the single proportion: comparison of seven methods",
# Statistics in Medicine 17:857-872, table I, method 3 (Wilson's score method without continuity correction), 95%.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("x", "n", "lower", "upper"), NEWCOMBE)
def test_wilson_limits_are_those_of_newcombe_1998(x: int, n: int, lower: float, upper: float) -> None:
    """Table I of Newcombe 1998, method 3, to its four printed places; statsmodels to ten."""
    z = repr(NormalDist().inv_cdf(0.975))
    sides = [render(f"{{{{ wilson_bound('{x}', '{n}', '{z}', '{side}') }}}}") for side in ("lower", "upper")]
    found = duckdb.execute(f"select {', '.join(sides)}").fetchone()
    assert found is not None
    assert [round(limit, 4) for limit in found] == [lower, upper]
    assert found == pytest.approx(proportion_confint(x, n, alpha=0.05, method="wilson"), abs=1e-9)


# Benjamini Y, Hochberg Y (1995), "Controlling the false discovery rate: a practical and powerful approach to multiple
# testing", JRSS B 57:289-300, the worked example: the fifteen ordered p-values of the cardiac events after myocardial
# infarction in Neuhaus KL and others (1992), JACC 19:885-891. At q = 0.05 the first four are rejected.
NEUHAUS = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
           0.7590, 1.0000]  # fmt: skip


def adjusted_by_s2(p_values: Sequence[float]) -> list[tuple[float, float]]:
    """(p, adjusted p) of each p-value in the order given, from S2's own scores.

    S2 makes its p-values from z. Four like areas at zero with s = 1 and no spread give a target of zero and a
    predictive variance of 1 + 1/4, so an area at y = z sqrt(5/4) has the score z. The like areas have none themselves
    and are not tested.
    """
    con = rules_database()
    names = [f"area {i:02d}" for i in range(len(p_values))]
    peers = [f"peer {i}" for i in range(4)]
    # p = 1 has no finite z; at 9 the distribution is 1 to the last digit
    z = [NormalDist().inv_cdf(p) if p < 1 else 9.0 for p in p_values]
    s2_inputs(con, [value * 1.25**0.5 for value in z] + [0.0] * 4, [1.0] * (len(z) + 4), names + peers)
    con.execute(
        "create table intermediate.int_like_areas as select period_code, areas.pfa_code,"
        " peers.pfa_code as peer_pfa_code from intermediate.int_s2_inputs as areas"
        " inner join intermediate.int_s2_inputs as peers using (period_code)"
        " where areas.pfa_code like 'area%' and peers.pfa_code like 'peer%'"
    )
    con.execute(
        "create table intermediate.int_s2_pools as select distinct subject, body_kind, period_code, metric_id,"
        " metric_version, collection_mode, sampling_frame, 19 as area_count, cast(0 as double) as centre,"
        " cast(1 as double) as phi, cast(0 as double) as tau_squared from intermediate.int_s2_inputs"
    )
    build(con, "int_s2_scores")
    return con.execute(
        "select p_value, p_adjusted from intermediate.int_s2_scores where is_assessable order by pfa_code"
    ).fetchall()


def test_four_are_rejected_as_in_benjamini_and_hochberg_1995() -> None:
    """The paper's example: the largest i with p(i) <= 0.05 i / 15 is 4, p(4) = 0.0095 <= 0.0133."""
    rows = adjusted_by_s2(NEUHAUS)
    assert [p for p, _ in rows] == pytest.approx(NEUHAUS, abs=1e-9)
    assert [adjusted <= 0.05 for _, adjusted in rows] == [True] * 4 + [False] * 11
    assert rows[3][1] == pytest.approx(0.0095 * 15 / 4, abs=1e-8)
    rejected, adjusted, _, _ = multipletests(NEUHAUS, alpha=0.05, method="fdr_bh")
    assert list(rejected) == [True] * 4 + [False] * 11
    assert [found for _, found in rows] == pytest.approx(list(adjusted), abs=1e-8)


def test_the_order_in_which_the_tests_stand_does_not_matter() -> None:
    shuffled = [NEUHAUS[i * 7 % 15] for i in range(15)]
    assert sorted(adjusted_by_s2(shuffled)) == adjusted_by_s2(NEUHAUS)


# Colditz GA and others (1994), "Efficacy of BCG vaccine in the prevention of tuberculosis: meta-analysis of the
# published literature", JAMA 271:698-702: thirteen trials, (positive, negative) of the vaccinated and of the controls,
# as in table I of van Houwelingen, Arends and Stijnen (2002), Statistics in Medicine 21:589-624, and in the data set
# dat.bcg of the R package metafor (Viechtbauer 2010, Journal of Statistical Software 36(3)).
BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
    (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip
# what metafor prints for the log risk ratios: method = "EE" (the estimate and Q), method = "DL" (tau squared, H squared)
BCG_CENTRE, BCG_Q, BCG_TAU_SQUARED, BCG_H_SQUARED = -0.4303, 152.2330, 0.3088, 12.69


def log_risk_ratios() -> tuple[list[float], list[float]]:
    """Estimates and standard errors of the thirteen trials."""
    y = [float(np.log((a / (a + b)) / (c / (c + d)))) for a, b, c, d in BCG]
    s = [float(np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))) for a, b, c, d in BCG]
    return y, s


def pool(y: Sequence[float], s: Sequence[float], **changes: object) -> tuple[int, float, float, float]:
    """(count, c, phi, tau squared) of S2's pool of these estimates under the seed's rules, but for these changes."""
    con = rules_database(**changes)
    s2_inputs(con, y, s, [f"unit {i:03d}" for i in range(len(y))])
    build(con, "int_s2_pools")
    rows = con.execute(
        "select area_count, centre, phi, tau_squared from intermediate.int_s2_pools"
    ).fetchall()
    assert len(rows) == 1
    count, centre, phi, tau_squared = rows[0]
    return count, centre, phi, tau_squared


UNWINSORISED = {"s2_winsor_low": 0.0, "s2_winsor_high": 1.0}


def test_tau_squared_of_the_bcg_trials_is_dersimonian_and_lairds() -> None:
    """Colditz 1994 as metafor prints it, with winsorising switched off in the rule table (limits at 0 and 1).

    The pool takes estimates and standard errors, so that log risk ratios can be given to it as well as arcsines.
    Without winsorising I phi is Cochran's Q, and tau squared is DerSimonian and Laird's (1986, Control Clin Trials
    7:177-188).
    """
    y, s = log_risk_ratios()
    count, centre, phi, tau_squared = pool(y, s, **UNWINSORISED)
    assert count == 13
    assert round(centre, 4) == BCG_CENTRE
    assert round(count * phi, 3) == round(BCG_Q, 3)
    assert round(count * phi / (count - 1), 2) == BCG_H_SQUARED
    assert round(tau_squared, 4) == BCG_TAU_SQUARED
    generic = combine_effects(np.array(y), np.array(s) ** 2, method_re="dl")
    assert (centre, count * phi, tau_squared) == pytest.approx(
        (generic.mean_effect_fe, generic.q, generic.tau2), abs=1e-9
    )


def test_winsorising_makes_tau_squared_of_the_bcg_trials_smaller() -> None:
    """The seed's limits are not without effect: the same trials give a smaller spread when the tails are drawn in."""
    y, s = log_risk_ratios()
    winsorised = pool(y, s)
    assert winsorised[1] == pool(y, s, **UNWINSORISED)[1]
    assert 0 < winsorised[3] < BCG_TAU_SQUARED - 0.01


def test_trials_that_agree_have_no_spread() -> None:
    """The estimate is truncated at zero where Q is below its degrees of freedom (DerSimonian and Laird 1986).

    The first three of the thirteen trials (Aronson 1948, Ferguson and Simes 1949, Rosenthal 1960) agree with one another.
    """
    y, s = log_risk_ratios()
    y, s = y[:3], s[:3]
    count, _, phi, tau_squared = pool(y, s, **UNWINSORISED)
    generic = combine_effects(np.array(y), np.array(s) ** 2, method_re="dl")
    assert count * phi == pytest.approx(generic.q, abs=1e-9)
    assert generic.q < count - 1
    assert tau_squared == 0


@pytest.mark.parametrize(
    ("areas", "spread", "seed_number"), [(5, 0.3, 1), (13, 0.02, 2), (43, 0.1, 3), (43, 0.0, 4)]
)
def test_the_arcsine_scale_has_dersimonian_and_lairds_spread_too(
    areas: int, spread: float, seed_number: int
) -> None:
    """On S2's own scale, from counts: tau squared without winsorising against statsmodels' on the same y and s."""
    rng = np.random.default_rng(seed_number)
    n = rng.integers(20, 2000, size=areas)
    x = rng.binomial(n, np.clip(rng.normal(0.8, spread, size=areas), 0.05, 0.98))
    y, s = np.arcsin(np.sqrt(x / n)), 1 / (2 * np.sqrt(n))
    count, centre, phi, tau_squared = pool(y.tolist(), s.tolist(), **UNWINSORISED)
    generic = combine_effects(y, s**2, method_re="dl")
    assert centre == pytest.approx(generic.mean_effect_fe, abs=1e-9)
    assert count * phi == pytest.approx(generic.q, abs=1e-7)
    assert tau_squared == pytest.approx(max(generic.tau2, 0.0), abs=1e-9)

"""The statistical macros against independent implementations and published values."""

from __future__ import annotations

from statistics import NormalDist

import duckdb
import pytest
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from tests.warehouse.rendering import render

Z = 1.959964


def scalar(template: str) -> object:
    row = duckdb.execute(f"select {render(template)}").fetchone()
    assert row is not None
    return row[0]


def test_wilson_bounds_over_all_small_tables() -> None:
    sql = render(
        f"select x, n, {{{{ wilson_bound('x', 'n', '{Z}', 'lower') }}}} as lower,"
        f" {{{{ wilson_bound('x', 'n', '{Z}', 'upper') }}}} as upper"
        " from range(1, 41) as bases(n), range(0, 41) as counts(x) where x <= n"
    )
    rows = duckdb.execute(sql).fetchall()
    assert len(rows) == sum(n + 1 for n in range(1, 41))
    for x, n, lower, upper in rows:
        expected_lower, expected_upper = proportion_confint(x, n, alpha=0.05, method="wilson")
        assert lower == pytest.approx(max(expected_lower, 0.0), abs=1e-6)
        assert upper == pytest.approx(min(expected_upper, 1.0), abs=1e-6)
        assert 0.0 <= lower <= round(x / n, 10) <= upper <= 1.0


@pytest.mark.parametrize("n", ["0", "null"])
def test_no_cases_give_no_interval_and_no_rate(n: str) -> None:
    assert scalar(f"{{{{ wilson_bound('0', '{n}', '{Z}', 'upper') }}}}") is None
    assert scalar(f"{{{{ rate('0', '{n}') }}}}") is None


def test_normal_distribution_both_ways() -> None:
    normal = NormalDist()
    for z in (-8.5, -5.0, -3.09, -1.959964, -0.3, 0.0, 0.3, 1.644854, 3.09, 6.0):
        assert scalar(f"{{{{ normal_cdf('{z}') }}}}") == pytest.approx(normal.cdf(z), rel=1e-7, abs=1e-14)
    for p in (1e-12, 1e-6, 0.001 / 12, 0.001, 0.02, 0.075, 0.3, 0.5, 0.7, 0.95, 0.999, 1 - 1e-9):
        assert scalar(f"{{{{ normal_quantile('{p!r}') }}}}") == pytest.approx(normal.inv_cdf(p), abs=1e-9)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ((60, 100), (50, 100)),
        ((640, 1000), (500, 1000)),
        ((10, 100), (30, 100)),
        ((5, 9), (4, 9)),
        ((9, 9), (9, 9)),
    ],
)
def test_change_in_words_is_the_two_proportion_test(now: tuple[int, int], before: tuple[int, int]) -> None:
    word = scalar(f"{{{{ change_in_words('{now[0]}', '{now[1]}', '{before[0]}', '{before[1]}', '{Z}') }}}}")
    if now == before:
        assert word == "no detectable change"  # the test has no variance to stand on
        return
    _, p = proportions_ztest([now[0], before[0]], [now[1], before[1]])
    if p >= 0.05:
        assert word == "no detectable change"
    else:
        assert word == ("higher" if now[0] / now[1] > before[0] / before[1] else "lower")


def test_a_change_from_nothing_is_not_stated() -> None:
    assert scalar(f"{{{{ change_in_words('5', '10', '0', '0', '{Z}') }}}}") is None
    assert scalar(f"{{{{ change_in_words('5', '10', 'null', 'null', '{Z}') }}}}") is None


def test_counts_round_to_the_nearest_five() -> None:
    sql = render("select v, {{ rounded_to_base('v', '5') }} from range(0, 1001) as counts(v)")
    for value, rounded in duckdb.execute(sql).fetchall():
        assert rounded % 5 == 0 and abs(rounded - value) <= 2


def test_open_bands_leave_room() -> None:
    sql = render(
        "select n, {{ open_band_high('n', '10') }}, {{ open_band_low('n', '10') }} from range(5, 2005, 5) as t(n)"
    )
    for base, above, below in duckdb.execute(sql).fetchall():
        room_above = [limit for limit in (50, 60, 70, 80, 90, 95) if base * (100 - limit) / 100 >= 10]
        room_below = [limit for limit in (5, 10, 20, 30, 40, 50) if base * limit / 100 >= 10]
        assert above == (f"{max(room_above)}% and over" if room_above else None)
        assert below == (f"up to {min(room_below)}%" if room_below else None)

from __future__ import annotations

import itertools

import pytest
from scipy import stats

from reports.components.funnel import funnel_plot, limits, place_names, pooled
from reports.engine.rows import Rows

SHARES = (0.025, 0.975, 0.001, 0.999)


def interpolated(base: int, target: float, share: float) -> float:
    """Spiegelhalter 2005, A.1.1, from scipy's distribution."""
    found = int(stats.binom.ppf(share, base, target))
    over = (stats.binom.cdf(found, base, target) - share) / stats.binom.pmf(found, base, target)
    return 100 * min(max((found - over) / base, 0), 1)


@pytest.mark.parametrize(
    ("base", "target"),
    [*itertools.product((1, 2, 7, 40, 333, 10_000, 106_005), (0.05, 0.5, 0.817, 0.99)), (12, 0.999999)],
)
def test_limits_are_the_binomial_ones_of_scipy(base: int, target: float) -> None:
    found = limits(base, target)
    expected = [interpolated(base, target, share) for share in SHARES]
    assert [found.inner_low, found.inner_high, found.outer_low, found.outer_high] == pytest.approx(
        expected, abs=1e-6
    )


def test_limits_of_a_large_base_are_those_of_the_normal_curve() -> None:
    found = limits(40_000, 0.8)
    assert found.inner_high == pytest.approx(80 + 1.96 * 100 * (0.8 * 0.2 / 40_000) ** 0.5, abs=0.01)
    assert found.outer_low == pytest.approx(80 - 3.09 * 100 * (0.8 * 0.2 / 40_000) ** 0.5, abs=0.01)


def test_pooled_is_the_rate_of_all_cases() -> None:
    assert pooled([(100, 50), (300, 90)]) == 80  # (50 + 270) of 400


HEADER = ("area_name", "case_count", "rate_percent", "rate_is_about", "obs_status")


def funnel(*rows: tuple[object, ...], **options: object) -> str:
    figure = funnel_plot(
        Rows("figures", HEADER, rows), "area_name", "case_count", "rate_percent", title="Rates", **options
    )  # type: ignore[arg-type]
    return figure.sentence


def test_the_words_name_what_lies_outside_and_where_the_pointed_out_one_is() -> None:
    # Of 400 about 80%: 95% of counts lie within 76 to 84, 99.8% within 74 to 86 (normal approximation).
    said = funnel(
        ("Aford", 400, 70, False, None),
        ("Bford", 400, 88, False, None),
        ("Cford", 400, 85, False, None),
        ("Dford", 400, 80, False, None),
        *((f"E{at}", 400, 80, False, None) for at in range(5)),
        ("Fford", 400, None, False, "c"),
        target=80,
        highlight="Cford",
    )
    assert "Nine points are drawn, with limits about the target of 80%." in said
    assert "Bford lies above the 99.8% limits." in said
    assert "Aford lies below the 99.8% limits." in said
    assert "One lies outside the 95% limits only." in said
    assert "Cford, 85%, is above the 95% limits." in said
    assert "Of 10 figures, one is withheld so that nobody can be identified." in said
    assert "sets them apart" not in said


def test_a_rate_that_may_be_inside_before_rounding_is_not_called_outside() -> None:
    # 60 cases about 80%: the lower 99.8% limit is near 63%. "about 60%" may be 65%, an exact 60% is not.
    assert "Aford lies below" in funnel(("Aford", 60, 60, False, None), ("B", 50, 80, False, None), target=80)
    assert "None lies outside the 99.8%" in funnel(
        ("Aford", 60, 60, True, None), ("B", 50, 80, False, None), target=80
    )


def test_names_cover_neither_each_other_nor_points_nor_the_edge() -> None:
    wanted = [(10 * at % 300, 37 * at % 200, f"Area number {at}") for at in range(30)]
    spots = [(x, y) for x, y, _ in wanted]
    texts = place_names(wanted, spots, 300, 200, 13)
    assert 3 <= len(texts) < 30
    boxes = [(t["px"], t["py"] - 6, t["px"] + 6.5 * len(t["text"]), t["py"] + 6) for t in texts]
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for left, top, right, bottom in boxes:
        assert left >= 0 and right <= 302
        assert not any(left < x < right and top < y < bottom for x, y in spots)

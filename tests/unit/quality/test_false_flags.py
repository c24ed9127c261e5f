"""The study of false flags on few histories: what must hold whatever the numbers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quality.false_flags import __main__ as command
from quality.false_flags.histories import LEVELS, Setting, draw
from quality.false_flags.indicators import recommended, wilson, winsorised
from quality.false_flags.inputs import Country, Rules
from quality.false_flags.study import Study, headline, report, share_of_planted_found, share_twice

FEW = 6


@pytest.fixture(scope="module")
def study() -> Study:
    rules = Rules.load()
    return Study(Country.load(rules), rules, histories=FEW, seed=3)


def test_the_country_is_that_of_the_seeds(study: Study) -> None:
    country = study.country
    assert len(country.area_codes) == 43
    peers = dict(zip(country.area_names, country.like_areas.sum(axis=1), strict=True))
    assert {name for name, count in peers.items() if count == 42} == {"Metropolitan Police", "City of London"}
    assert set(peers.values()) == {7, 42}
    assert not country.like_areas.diagonal().any()
    sizes = {right: len(positions) for right, positions in country.rights().items()}
    assert sizes["police", 8] == 6 and sizes["probation", 11] == 3 and ("btp", 8) not in sizes
    # Rights 1, 5 and 12 have no statistics
    assert not {1, 5, 12} & {right for _, right in sizes}
    prisons = next(i for i, metric in enumerate(country.metrics) if metric.body_kind == "prisons")
    assert country.is_expected[prisons].sum() == 42


def test_the_same_seed_gives_the_same_tables(study: Study) -> None:
    small = Study(study.country, study.rules, histories=2, seed=5)
    assert report(small) == report(small)
    other = draw(study.country, Setting(), 2, seed=6)
    assert not np.array_equal(draw(study.country, Setting(), 2, seed=5).x, other.x)


def test_counts_are_counts_of_areas_that_report(study: Study) -> None:
    drawn = draw(study.country, Setting(), FEW, seed=1)
    assert (drawn.x >= 0).all() and (drawn.x <= drawn.n).all()
    assert not drawn.n[:, :, ~study.country.is_expected].any()
    assert not drawn.is_planted.any()
    n = drawn.n[:, :, study.country.is_expected]
    assert np.quantile(n, 0.1) < 300 and np.quantile(n, 0.95) > 10_000
    assert (draw(study.country, Setting(sample=30), 1, seed=1).n.max(axis=(0, 1)) == 30)[
        study.country.is_expected
    ].all()


def test_ordinary_areas_keep_the_spread_asked_for(study: Study) -> None:
    drawn = draw(study.country, Setting(0.075, 100_000, quarter_noise=0.0), FEW, seed=1)
    y = np.arcsin(np.sqrt(drawn.x / np.maximum(drawn.n, 1)))
    spread = np.where(study.country.is_expected, y, np.nan)
    assert np.sqrt(np.nanmean(np.nanvar(spread, axis=-1))) == pytest.approx(0.075, abs=0.004)
    # it lasts: a quarter says what the next will be
    assert np.nanmax(np.abs(np.diff(spread, axis=1))) < 0.02


def test_one_area_a_metric_is_planted_as_far_below_as_said(study: Study) -> None:
    drawn = draw(study.country, Setting(0.05, 100_000, planted_points=30, quarter_noise=0.0), FEW, seed=1)
    assert (drawn.is_planted.sum(axis=-1) == 1).all()
    assert study.country.is_expected[np.nonzero(drawn.is_planted)[1], np.nonzero(drawn.is_planted)[2]].all()
    rates = (drawn.x / np.maximum(drawn.n, 1))[:, 0][drawn.is_planted]
    assert rates.min() > LEVELS[0] - 0.31 and rates.max() < LEVELS[1] - 0.29


def test_shares_fall_as_the_limit_is_divided(study: Study) -> None:
    assessed = study.assess(Setting(tails=5))
    one, divided = assessed.s2["one limit"], assessed.s2["divided"]
    assert not (divided & ~one).any()
    several = [i for right in study.country.rights().values() if len(right) > 1 for i in right]
    assert divided[:, :, several].sum() < one[:, :, several].sum()
    single = [i for i in range(len(study.country.metrics)) if i not in several]
    assert divided[:, :, single].sum() == pytest.approx(one[:, :, single].sum(), rel=0.02)


def test_the_wider_scope_holds_the_narrower_one(study: Study) -> None:
    assessed = study.assess(Setting(tails=5))
    same = study.recommended_rights(assessed, "same_indicator", "one limit")
    wide = study.recommended_rights(assessed, "any_indicator", "one limit")
    assert all(not (same[right] & ~wide[right]).any() for right in same)
    assert sum(flags.sum() for flags in same.values()) > 0


def test_s2_twice_running_is_rare_where_no_area_is_bad(study: Study) -> None:
    assessed = study.assess(Setting())
    assert 0 < share_twice(assessed.s2["one limit"], assessed.is_s2_assessable) < 0.01


def test_planted_areas_are_found_more_often_with_larger_returns(study: Study) -> None:
    found = [
        share_of_planted_found(study, Setting(0.05, sample, planted_points=20))["one limit"]
        for sample in (30, 120, 1000)
    ]
    assert found == sorted(found) and found[0] < 0.5 < 0.9 < found[-1]
    further = share_of_planted_found(study, Setting(0.05, 30, planted_points=30))
    assert (
        further["one limit"] > found[0] and further["divided"] <= further["one limit"] <= further["S1 or S2"]
    )


def test_wilson_is_newcombes_published_interval() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263, 15 of 148
    x, n = np.array([81, 15, 0]), np.array([263, 148, 0])
    assert wilson(x, n, 1.959964, "lower")[:2] == pytest.approx([0.2553, 0.0624], abs=5e-5)
    assert wilson(x, n, 1.959964, "upper")[:2] == pytest.approx([0.3662, 0.1605], abs=5e-5)
    assert np.isnan(wilson(x, n, 1.959964, "upper")[2])


def test_winsorising_leaves_out_what_is_missing() -> None:
    row = np.array([[np.nan, 5.0, 1.0, 2.0, 3.0, 4.0, np.nan]])
    # the 10th and 90th percentile of 1 to 5, type 7, are 1.4 and 4.6
    assert winsorised(row, 0.1, 0.9)[0, 1:6] == pytest.approx([4.6, 1.4, 2.0, 3.0, 4.0])
    assert np.isnan(winsorised(row, 0.1, 0.9)[0, [0, 6]]).all()


def test_the_page_holds_the_tables_of_these_rules_and_metrics(study: Study) -> None:
    page = command.PAGE.read_text(encoding="utf-8")
    assert command.written_into(command.written_into(page, "old"), "new") == command.written_into(page, "new")
    # written anew since the rules or the catalogue last changed: python -m quality.false_flags --write
    assert headline(Study(study.country, study.rules)) in page
    with pytest.raises(ValueError, match="markers"):
        command.written_into("no markers", "tables")


def test_the_command_prints_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "methods.md"
    page.write_text(f"before\n{command.BEGIN}\n{command.END}\nafter\n")
    monkeypatch.setattr(command, "PAGE", page)
    assert command.main(["--histories", "1", "--write"]) == 0
    printed = capsys.readouterr().out
    assert "| police | 8 | 6 |" in printed
    assert page.read_text().startswith("before") and page.read_text().endswith("after\n")
    assert "| police | 8 | 6 |" in page.read_text()


@pytest.mark.parametrize(
    ("quarters", "expected"),
    [
        # an item met, "-" assessed and clear, "?" not assessed; same indicator, then any
        ("aa", ("01", "01")),
        ("ab", ("00", "01")),
        ("a?a", ("001", "001")),
        ("a??a", ("0000", "0000")),
        ("a-a", ("000", "000")),
        ("aa-b", ("0101", "0101")),
        ("?aba", ("0000", "0011")),
    ],
)
def test_two_quarters_running(quarters: str, expected: tuple[str, str]) -> None:
    met = np.array([[[[mark == item] for item in "ab"] for mark in quarters]])
    assessable = np.array([[[mark != "?"] for mark in quarters]])
    for scope, flags in zip(("same_indicator", "any_indicator"), expected, strict=True):
        found = recommended(met, assessable, scope, bridge_quarters=1)  # type: ignore[arg-type]
        assert "".join(str(int(flag)) for flag in found[0, :, 0]) == flags

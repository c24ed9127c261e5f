"""The study: histories under several suppositions, the rules put to them, and what came of it as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from quality.false_flags.histories import Histories, Setting, draw
from quality.false_flags.indicators import intervals_apart, recommended, s1_met, s2_met, s2_scores
from quality.false_flags.inputs import Country, Flags, Floats, Rules, Scope

SPREADS = (0.05, 0.075, 0.10)
SAMPLES: tuple[int | None, ...] = (None, 300, 30)
PLANTED_SAMPLES: tuple[int | None, ...] = (30, 60, 120, 300, 1000, None)
PLANTED_POINTS = (10, 20, 30)
PLANTED_SPREADS = (0.05, 0.10)
STRICTER_LIMITS = (-3.5, -4.0)
SCOPES: tuple[Scope, ...] = ("same_indicator", "any_indicator")
LIMITS = ("one limit", "divided")


@dataclass(frozen=True)
class Assessed:
    """One set of histories with the indicators put to it; arrays are (H, Q, M, A)."""

    histories: Histories
    s1: Flags
    #: S2 under each limit, by its name in LIMITS.
    s2: dict[str, Flags]
    #: Could S2, or S1, be assessed?
    is_s2_assessable: Flags
    is_s1_assessable: Flags


@dataclass(frozen=True)
class Study:
    """The country, the rules, and how much is drawn."""

    country: Country
    rules: Rules
    histories: int = 200
    seed: int = 1

    def assess(self, setting: Setting) -> Assessed:
        """Draw histories under a setting and put S1 and S2 to them."""
        drawn = draw(self.country, setting, self.histories, self.seed)
        thresholds = self.country.thresholds()[:, None]
        z, gap = s2_scores(drawn.x, drawn.n, self.country.like_areas, self.rules)
        divided = self.country.divided_limits(self.rules)[:, None]
        return Assessed(
            drawn,
            s1_met(drawn.x, drawn.n, thresholds, self.rules),
            {
                "one limit": s2_met(z, gap, self.rules.z_flag, self.rules),
                "divided": s2_met(z, gap, divided, self.rules),
            },
            ~np.isnan(z),
            (drawn.n >= self.rules.n_min) & ~np.isnan(thresholds),
        )

    def recommended_rights(
        self, assessed: Assessed, scope: Scope, limit: str
    ) -> dict[tuple[str, int], Flags]:
        """(body kind, right) -> is it recommended to the Board, (H, Q, A), by S1 and S2 together."""
        found = {}
        for right, positions in self.country.rights().items():
            s1, s2 = assessed.s1[:, :, positions], assessed.s2[limit][:, :, positions]
            indicators = s1.any(axis=2, keepdims=True).astype(int) + s2.any(axis=2, keepdims=True)
            met = np.concatenate([s1, s2], axis=2) & (indicators >= self.rules.met_min)
            figures = assessed.is_s2_assessable[:, :, positions] | assessed.is_s1_assessable[:, :, positions]
            assessable: Flags = np.any(figures, axis=2)
            found[right] = recommended(met, assessable, scope, self.rules.bridge_quarters)
        return found


def twice(met: Flags) -> Flags:
    """Met in a quarter and in the one before: (H, Q - 1, M, A)."""
    return met[:, 1:] & met[:, :-1]


def share_twice(met: Flags, assessable: Flags) -> float:
    """Of all pairs of consecutive assessed quarters, the share in which both are met."""
    return float(twice(met).sum() / twice(assessable).sum())


def false_flags_by_metric(study: Study) -> str:
    """S2 per body, area and metric, nothing planted."""
    rows = []
    for name, setting in _ordinary_settings():
        assessed = study.assess(setting)
        drawn, assessable, met = assessed.histories, assessed.is_s2_assessable, assessed.s2["one limit"]
        like_areas = study.country.like_areas
        funnel, _ = s2_scores(drawn.x, drawn.n, like_areas, study.rules, additive=False)
        with np.errstate(invalid="ignore"):
            is_outside = funnel <= study.rules.z_flag
        is_apart = intervals_apart(drawn.x, drawn.n, like_areas, study.rules) & assessable
        by_area = twice(met).sum(axis=(0, 1, 2)) / np.maximum(twice(assessable).sum(axis=(0, 1, 2)), 1)
        rows.append(
            (
                name,
                _percent(met.sum() / assessable.sum()),
                _percent(share_twice(met, assessable)),
                _percent(by_area.max()),
                _percent(twice(met).any(axis=1).sum() / twice(assessable).any(axis=1).sum()),
                _percent(share_twice(assessed.s2["divided"], assessable)),
                _percent(share_twice(is_apart, assessable)),
                _percent(share_twice(is_outside, assessable)),
            )
        )
    header = (
        "returns, lasting spread",
        "S2 in a quarter",
        "S2 in two consecutive quarters",
        "the same, highest of the areas",
        "S2 twice running, within six quarters",
        "two consecutive, divided limit",
        "two consecutive, comparing 95% intervals",
        "two consecutive, unadjusted funnel",
    )
    return _table(header, rows)


def _ordinary_settings() -> Iterator[tuple[str, Setting]]:
    for sample, spread in product(SAMPLES, SPREADS):
        yield f"{_size(sample)}, {spread:g}", Setting(spread, sample)
    yield "every case, 0.075, half of it shared by a body's metrics", Setting(shared=0.5)
    yield "every case, 0.075, quarters vary twice as much", Setting(quarter_noise=0.03)
    yield "every case, 0.075, heavy tails", Setting(tails=5)


def false_flags_by_right(study: Study) -> str:
    """Recommended at least once within six quarters, per right of each kind of body, nothing planted."""
    assessed = study.assess(Setting())
    choices = list(product(LIMITS, SCOPES))
    ever = {
        choice: {
            right: np.asarray(flags.any(axis=1))
            for right, flags in study.recommended_rights(assessed, choice[1], choice[0]).items()
        }
        for choice in choices
    }
    rows = []
    for (body_kind, right_number), positions in study.country.rights().items():
        is_expected = study.country.is_expected[positions[0]]
        right = (body_kind, right_number)
        shares = [_percent(ever[choice][right][:, is_expected].mean()) for choice in choices]
        rows.append((body_kind, right_number, len(positions), *shares))
    return _table(("body", "right", "scored metrics", *(_choice(*choice) for choice in choices)), rows)


def false_flags_by_area(study: Study) -> str:
    """Share of areas with anything recommended, and the recommendations of the nation, nothing planted."""
    settings = [
        ("every case", Setting()),
        ("every case, half of the spread shared by a body's metrics", Setting(shared=0.5)),
        ("every case, heavy tails", Setting(tails=5)),
        ("samples of 300", Setting(sample=300)),
        ("samples of 30", Setting(sample=30)),
    ]
    rows = []
    for name, setting in settings:
        assessed = study.assess(setting)
        for limit, scope in product(LIMITS, SCOPES):
            rights = np.stack(list(study.recommended_rights(assessed, scope, limit).values()))
            rows.append(
                (
                    name,
                    _choice(limit, scope),
                    _percent(rights[:, :, 1].any(axis=0).mean()),
                    _percent(rights.any(axis=(0, 2)).mean()),
                    f"{rights[:, :, 1].sum(axis=(0, 2)).mean():.1f}",
                    f"{rights.any(axis=2).sum(axis=(0, 2)).mean():.1f}",
                )
            )
    header = (
        "returns",
        "choice",
        "areas with a recommendation after two quarters",
        "areas with one within six",
        "recommendations in the nation after two quarters",
        "within six",
    )
    return _table(header, rows)


def other_limits(study: Study) -> str:
    """What another single limit, or leaving out the winsorising, costs and saves."""
    settings = (
        Setting(),
        Setting(tails=5),
        Setting(PLANTED_SPREADS[0], 300, planted_points=20),
        Setting(PLANTED_SPREADS[0], None, planted_points=20),
    )
    drawn = [draw(study.country, setting, study.histories, study.seed) for setting in settings]
    plain = replace(study.rules, winsor_low=0.0, winsor_high=1.0)
    rows = []
    for rules, name in ((study.rules, ""), (plain, ", not winsorised")):
        scored = [s2_scores(each.x, each.n, study.country.like_areas, rules) for each in drawn]
        for limit in (rules.z_flag, *STRICTER_LIMITS) if rules is study.rules else (rules.z_flag,):
            cells = []
            for (z, gap), each, setting in zip(scored, drawn, settings, strict=True):
                met = twice(s2_met(z, gap, limit, rules))
                if setting.planted_points is None:
                    share = met.sum() / twice(~np.isnan(z)).sum()
                    cells += [_percent(share), _middle_gap(gap[:, 1:][met])]
                else:
                    found: Flags = np.any(met, axis=1)
                    cells.append(_percent(found[each.is_planted].mean()))
            rows.append((f"{limit:g}{name}", *cells))
    header = (
        "limit",
        "every case: two consecutive quarters",
        "middle gap to like areas of those marked",
        "every case, heavy tails: two consecutive quarters",
        "middle gap of those marked",
        "found, samples of 300",
        "found, every case",
    )
    return _table(header, rows)


def _middle_gap(gaps: Floats) -> str:
    return f"{100 * np.median(gaps):.0f} points" if gaps.size else "none marked"


def planted_found(study: Study, spread: float) -> str:
    """Share of planted areas that are met twice running on the metric, within six quarters."""
    rows = []
    for sample in PLANTED_SAMPLES:
        cells = []
        for points in PLANTED_POINTS:
            found = share_of_planted_found(study, Setting(spread, sample, planted_points=points))
            cells += [_percent(share) for share in found.values()]
        rows.append((_size(sample), *cells))
    names = ("S2", "S2, divided limit", "S1 or S2")
    columns = [f"{points} points: {name}" for points, name in product(PLANTED_POINTS, names)]
    return _table(("returns", *columns), rows)


def share_of_planted_found(study: Study, setting: Setting) -> dict[str, float]:
    """Share of the planted areas found by S2 under each limit, and by S1 or S2 under one limit."""
    assessed = study.assess(setting)
    planted = assessed.histories.is_planted
    by: dict[str, Flags] = {name: np.any(twice(met), axis=1) for name, met in assessed.s2.items()}
    by["S1 or S2"] = by["one limit"] | np.any(twice(assessed.s1), axis=1)
    return {name: float(found[planted].mean()) for name, found in by.items()}


def headline(study: Study) -> str:
    """What the tables rest on, in one line."""
    country = study.country
    kinds = {metric.body_kind for metric in country.metrics}
    return (
        f"{study.histories} histories of six quarters, seed {study.seed}, rule version"
        f" {study.rules.rule_version}: {len(country.area_codes)} areas, {len(kinds)} kinds of body,"
        f" {len(country.metrics)} scored metrics of bodies."
    )


def report(study: Study) -> str:
    """All tables as Markdown."""
    return "\n".join(
        (
            f"{headline(study)}\n",
            "**Per body, area and metric: S2, no area truly bad**\n",
            false_flags_by_metric(study),
            "**Per right: recommended at least once within six quarters, no area truly bad** (S1 and S2,"
            " every case, spread 0.075)\n",
            false_flags_by_right(study),
            "**Per area, and in the nation: all bodies and rights, no area truly bad** (S1 and S2, spread"
            " 0.075)\n",
            false_flags_by_area(study),
            "**Another limit for all metrics** (S2, spread 0.075; found: planted 20 points below, spread"
            " 0.05)\n",
            other_limits(study),
            *(
                "**Planted areas found: met twice running on the metric within six quarters, by points below"
                f" the national level** (lasting spread {spread:g})\n\n{planted_found(study, spread)}"
                for spread in PLANTED_SPREADS
            ),
        )
    )


def _choice(limit: str, scope: str) -> str:
    words = {"same_indicator": "same indicator", "any_indicator": "any indicator"}
    return f"{words[scope]}, {limit}"


def _size(sample: int | None) -> str:
    return "every case" if sample is None else f"samples of {sample:,}"


def _percent(share: Floats | float) -> str:
    value = 100 * float(share)
    return f"{value:.2f}%" if value < 2 else f"{value:.1f}%" if value < 10 else f"{value:.0f}%"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"

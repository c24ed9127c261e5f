"""How many flags a table of rules is expected to raise in a nation where nothing is wrong.

What belongs here: a few numbers for one table of rules, on few histories, in seconds. What does not: the
tables of docs/methods.md (study.py), which compare many suppositions on many histories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from quality.false_flags.histories import QUARTERS, Setting
from quality.false_flags.inputs import SEEDS, Country, Rules
from quality.false_flags.study import Study, twice

#: What is supposed of ordinary differences between areas, in words.
SETTINGS: Mapping[str, Setting] = {
    "normal spread": Setting(),
    "heavy tails": Setting(tails=5),
}


@dataclass(frozen=True)
class Expected:
    """Means over the histories, for the whole nation and all bodies; S1 and S2 only."""

    setting: str
    #: Tests of S1 and S2 that are met in one quarter.
    tests_met: float
    #: Those that are met in a quarter and in the one before.
    tests_met_twice: float
    #: Recommendations to the Board in each quarter of a history; none in the first.
    recommended: tuple[float, ...]
    #: Rights of a body and area that are recommended at least once in the history.
    rights: float
    #: Areas with at least one recommendation in the history.
    areas: float


def expected_false_flags(
    rule: Mapping[str, Any],
    thresholds: Mapping[str, float],
    histories: int,
    seed: int = 1,
    seeds: Path = SEEDS,
) -> list[Expected]:
    """Draw histories in which no area lies lastingly below a threshold, and put one rule version to them.

    `rule` has the columns of `severe_rules`; the same arguments give the same numbers.
    """
    rules = Rules.of(rule)
    study = Study(Country.load(rules, seeds, thresholds), rules, histories, seed)
    return [_expected(study, name, setting) for name, setting in SETTINGS.items()]


def _expected(study: Study, name: str, setting: Setting) -> Expected:
    assessed = study.assess(setting)
    limit = "divided" if study.rules.divide_tail else "one limit"
    # (rights, histories, quarters, areas)
    rights = np.stack(list(study.recommended_rights(assessed, study.rules.scope, limit).values()))
    tests = (assessed.s1, assessed.s2[limit])
    return Expected(
        setting=name,
        tests_met=_mean(sum(int(met.sum()) for met in tests), study.histories * QUARTERS),
        tests_met_twice=_mean(sum(int(twice(met).sum()) for met in tests), study.histories * (QUARTERS - 1)),
        recommended=tuple(
            _mean(int(rights[:, :, quarter].sum()), study.histories) for quarter in range(QUARTERS)
        ),
        rights=_mean(int(rights.any(axis=2).sum()), study.histories),
        areas=_mean(int(rights.any(axis=(0, 2)).sum()), study.histories),
    )


def _mean(total: int, count: int) -> float:
    return round(total / count, 6)

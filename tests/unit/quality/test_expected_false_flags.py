"""What a rule table is expected to flag where nothing is wrong: the study's own numbers, on few histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quality.false_flags.expected import Expected, expected_false_flags
from quality.false_flags.histories import Setting
from quality.false_flags.inputs import Country, Rules, read_seed
from quality.false_flags.study import Study

HISTORIES = 4
ROW: dict[str, Any] = read_seed("severe_rules")[0]
THRESHOLDS = {row["metric_id"]: float(row["threshold"]) for row in read_seed("severe_thresholds")}


def expected(**changes: Any) -> Expected:
    return expected_false_flags({**ROW, **changes}, THRESHOLDS, HISTORIES)[0]


def test_the_numbers_are_those_of_the_study() -> None:
    rules = Rules.load()
    study = Study(Country.load(rules), rules, HISTORIES)
    assessed = study.assess(Setting())
    rights = study.recommended_rights(assessed, "same_indicator", "one limit")
    found = expected()
    assert found.rights == pytest.approx(sum(r.any(axis=1).sum() for r in rights.values()) / HISTORIES)
    assert found.recommended[1] == pytest.approx(sum(r[:, 1].sum() for r in rights.values()) / HISTORIES)
    assert found.tests_met * HISTORIES * 6 == pytest.approx(
        assessed.s1.sum() + assessed.s2["one limit"].sum()
    )


def test_the_same_rules_give_the_same_numbers_typed_or_as_text() -> None:
    typed = {**ROW, "s2_z_flag": -3.09, "n_min": 10.0, "met_min": 1.0, "s2_divide_tail": "false"}
    assert expected_false_flags(typed, THRESHOLDS, HISTORIES) == expected_false_flags(
        ROW, THRESHOLDS, HISTORIES
    )


@pytest.mark.parametrize(
    "changes", [{"s2_z_flag": -4}, {"s2_divide_tail": "true"}, {"n_min": 1_000}, {"met_min": 2}], ids=str
)
def test_stricter_rules_are_expected_to_flag_less(changes: dict[str, Any]) -> None:
    before, after = expected(), expected(**changes)
    assert after.rights < before.rights
    assert sum(after.recommended) < sum(before.recommended)


def test_the_wider_scope_flags_no_less() -> None:
    assert expected(persistence_scope="any_indicator").rights >= expected().rights


def test_two_indicators_needed_are_two_met_at_once() -> None:
    rules = replace(Rules.load(), met_min=2)
    study = Study(Country.load(rules), rules, HISTORIES)
    assessed = study.assess(Setting(0.1, planted_points=30))
    for right, positions in study.country.rights().items():
        both = assessed.s1[:, :, positions].any(axis=2) & assessed.s2["one limit"][:, :, positions].any(
            axis=2
        )
        found = study.recommended_rights(assessed, "same_indicator", "one limit")[right]
        assert not np.any(found & ~both)

"""One list of parameters: the form of the rules, what acceptance knows of each, the seed and the models."""

from __future__ import annotations

import csv
import re

from ingest.acceptance.entries import _NUMBERS, _WORDS
from ingest.form import Forms
from ingest.reference import SEEDS_DIR

MODELS = SEEDS_DIR.parent / "models" / "intermediate"
OF_THE_VERSION = {"rule_version", "effective_from", "effective_to", "basis"}
PICKED = re.compile(r"parameter = '(\w+)' then (?:lower\()?(number_value|text_value)\)? end\).* as (\w+)")


def in_the_form(forms: Forms) -> list[str]:
    form = forms.get("rules", 1)
    assert form is not None
    return list(form.sheet("rules").column("parameter").codes)


def in_the_seed() -> list[str]:
    with (SEEDS_DIR / "severe_rules.csv").open(encoding="utf-8") as stream:
        return [name for name in next(csv.reader(stream)) if name not in OF_THE_VERSION]


def picked() -> list[tuple[str, str, str]]:
    """Parameter, the column its value is read from, and the column it becomes."""
    return PICKED.findall((MODELS / "int_severe_rules.sql").read_text(encoding="utf-8"))


def test_acceptance_knows_the_sort_of_every_parameter_of_the_form(forms: Forms) -> None:
    parameters = in_the_form(forms)
    assert len(parameters) == len(set(parameters))
    assert set(parameters) == _NUMBERS.keys() | _WORDS.keys()
    assert _NUMBERS.keys() & _WORDS.keys() == set()


def test_the_seed_has_a_column_for_every_parameter_of_the_form_but_the_threshold(forms: Forms) -> None:
    assert sorted([*in_the_seed(), "threshold"]) == sorted(in_the_form(forms))


def test_the_model_picks_every_parameter_of_the_form_but_the_threshold(forms: Forms) -> None:
    assert sorted([*(parameter for parameter, _, _ in picked()), "threshold"]) == sorted(in_the_form(forms))
    thresholds = (MODELS / "int_severe_thresholds.sql").read_text(encoding="utf-8")
    assert re.findall(r"parameter = '(\w+)'", thresholds) == ["threshold"]


def test_the_model_reads_each_parameter_from_the_column_that_acceptance_asks_for() -> None:
    sorts = {parameter: (column, name) for parameter, column, name in picked()}
    assert sorts == {
        parameter: ("text_value" if parameter in _WORDS else "number_value", parameter)
        for parameter in in_the_seed()
    }


def test_the_model_keeps_the_order_of_the_seed_in_both_of_its_parts() -> None:
    sql = (MODELS / "int_severe_rules.sql").read_text(encoding="utf-8")
    parts = re.findall(r"^select\n(.*?)\nfrom ", sql, re.MULTILINE | re.DOTALL)
    columns = [[column.strip() for column in part.split(",")] for part in parts]
    assert len(columns) == 2
    assert columns[0] == columns[1]
    assert columns[0][len(OF_THE_VERSION) :] == in_the_seed()

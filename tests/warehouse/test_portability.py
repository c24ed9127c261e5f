"""The models stay within what DuckDB, Athena and Spark have in common."""

from __future__ import annotations

import re

import pytest
from trino_sql_validator import validate

from tests.warehouse.rendering import DBT, model_sql

MODELS = sorted(path.stem for path in (DBT / "models").rglob("*.sql"))


@pytest.mark.parametrize("name", MODELS)
def test_model_is_in_athenas_grammar(name: str) -> None:
    result = validate(model_sql(name))
    assert result.valid, f"{name}: {result.error}"


def test_the_grammar_check_can_fail() -> None:
    assert not validate("select a from t qualify row_number() over (order by a) = 1 group all").valid
    assert not validate("select a::integer from read_parquet('x')").valid


@pytest.mark.parametrize("name", MODELS)
def test_windows_that_number_rows_break_ties(name: str) -> None:
    sql = (next((DBT / "models").rglob(f"{name}.sql"))).read_text()
    for window in re.findall(r"row_number\(\) over \((.*?)\)\s+as", sql, flags=re.DOTALL):
        order = window.split("order by")[1]
        keys = [part for part in order.split(",") if part.strip()]
        assert len(keys) > 1 or re.search(r"sequence|version", order), f"{name}: {order.strip()} may tie"

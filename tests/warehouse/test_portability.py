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


def ties_possible(sql: str) -> list[str]:
    """The orders of row numbers that may leave ties: one key that is no running number."""
    windows = re.findall(r"row_number\(\) over \((.*?)\)\s+as", sql, flags=re.DOTALL)
    orders = [window.split("order by")[1].strip() for window in windows]
    return [order for order in orders if "," not in order and not re.search(r"sequence|version", order)]


def test_windows_that_number_rows_break_ties() -> None:
    sources = {path.stem: path.read_text() for path in (DBT / "models").rglob("*.sql")}
    assert sum("row_number()" in sql for sql in sources.values()) >= 6
    assert {name: ties for name, sql in sources.items() if (ties := ties_possible(sql))} == {}


def test_the_check_for_ties_can_fail() -> None:
    assert ties_possible("select row_number() over (partition by a order by rate) as place from t") == [
        "rate"
    ]

"""Builds models without dbt on a small DuckDB, in milliseconds.

What belongs here: invented tables, and seeds, for the models to read. What does not: expected values, or
rendering (orchestration/rendering.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import yaml

from orchestration.rendering import DBT_FOLDER as DBT
from orchestration.rendering import model_sql, relation, render

__all__ = ["DBT", "build", "database", "model_sql", "relation", "render", "seed", "table", "typed_seed"]


def database() -> duckdb.DuckDBPyConnection:
    """An empty database in memory with the project's schemas."""
    con = duckdb.connect()
    for schema in ("raw", "register", "reference", "staging", "intermediate", "marts"):
        con.execute(f"create schema {schema}")
    return con


def table(
    con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    """Create the relation of a model or seed with these columns (name to SQL type) and rows."""
    target = relation(name)
    con.execute(
        f"create table {target} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
    )
    values = [tuple(row) for row in rows]
    if values:
        place = f"({', '.join('?' * len(columns))})"
        for start in range(0, len(values), 200):  # row by row is slow
            some = values[start : start + 200]
            con.execute(
                f"insert into {target} values {', '.join([place] * len(some))}",
                [cell for row in some for cell in row],
            )


def build(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Create each model from the relations already there, in the order given."""
    for name in names:
        con.execute(f"create table {relation(name)} as {_sql(name)}")


_sql = cache(model_sql)  # a template takes longer to compile than its SQL to run


def typed_seed(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Create a seed from its file, with the types that the project gives it."""
    entry = next(each for each in _described_seeds() if each["name"] == name)
    seed(
        con,
        name,
        **{c: str(kind) for c, kind in entry["config"]["column_types"].items() if "{" not in str(kind)},
    )


@cache
def _described_seeds() -> list[dict[str, Any]]:
    document = yaml.load((DBT / "seeds" / "seeds.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    described: list[dict[str, Any]] = document["seeds"]
    return described


def seed(con: duckdb.DuckDBPyConnection, name: str, **types: str) -> None:
    """Create a seed from its file, with DuckDB's own reading of the types but those given."""
    chosen = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
    option = f", types = {{{chosen}}}" if chosen else ""
    con.execute(
        f"create table {relation(name)} as"
        f" select * from read_csv('{DBT / 'seeds' / f'{name}.csv'}', header = true{option})"
    )

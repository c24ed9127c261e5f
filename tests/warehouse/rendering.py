"""Renders models and macros without dbt, so that their SQL runs on a small DuckDB in milliseconds.

What belongs here: the few names a template needs. What does not: expected values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import yaml

DBT = Path(__file__).resolve().parents[2] / "dbt_project"
SCHEMAS = {"staging": "staging", "intermediate": "intermediate", "marts": "marts"}


class _Adapter:
    """Stands in for dbt's adapter: DuckDB's version of a macro, else the default one."""

    @jinja2.pass_context
    def dispatch(self, context: jinja2.runtime.Context, name: str) -> Any:
        return context.vars.get(f"duckdb__{name}") or context.vars[f"default__{name}"]


def render(template: str) -> str:
    """Render a template that may call the project's macros, `ref`, `source` and `config`."""
    env = jinja2.Environment(undefined=jinja2.StrictUndefined)
    env.globals.update(
        adapter=_Adapter(),
        ref=relation,
        source=lambda schema, table: f"{schema}.{table}",
        config=lambda **_: "",
    )
    # macros see one another only within one template
    macros = "".join(
        path.read_text()
        for path in sorted((DBT / "macros").rglob("*.sql"))
        if path.name != "generate_schema_name.sql"
    )
    return env.from_string(macros + template).render().strip()


def relation(name: str) -> str:
    """The schema and name of a model or seed."""
    for path in (DBT / "models").rglob(f"{name}.sql"):
        return f"{SCHEMAS[path.relative_to(DBT / 'models').parts[0]]}.{name}"
    if (DBT / "seeds" / f"{name}.csv").exists():
        return f"reference.{name}"
    raise KeyError(name)


def model_sql(name: str) -> str:
    """The SQL of a model, as dbt would compile it for DuckDB."""
    path = next((DBT / "models").rglob(f"{name}.sql"))
    return render(path.read_text())


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
        con.executemany(f"insert into {target} values ({', '.join('?' * len(columns))})", values)


def build(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Create each model from the relations already there, in the order given."""
    for name in names:
        con.execute(f"create table {relation(name)} as {model_sql(name)}")


def typed_seed(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Create a seed from its file, with the types that the project gives it."""
    document = yaml.safe_load((DBT / "seeds" / "seeds.yml").read_text())
    entry = next(each for each in document["seeds"] if each["name"] == name)
    seed(con, name, **{c: str(kind) for c, kind in entry["config"]["column_types"].items() if "{" not in str(kind)})


def seed(con: duckdb.DuckDBPyConnection, name: str, **types: str) -> None:
    """Create a seed from its file, with DuckDB's own reading of the types but those given."""
    chosen = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
    option = f", types = {{{chosen}}}" if chosen else ""
    con.execute(
        f"create table {relation(name)} as"
        f" select * from read_csv('{DBT / 'seeds' / f'{name}.csv'}', header = true{option})"
    )

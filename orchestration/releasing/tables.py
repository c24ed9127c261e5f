"""The public tables of a build, by the marts' own SQL, from what is withheld and what was published before.

Belongs here: running the models of open data again in memory. Does not: the rules (they live in the models),
deciding what is withheld (the audit). Nothing is written into the warehouse.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.rendering import DBT_FOLDER, between, model_sql, relation
from orchestration.simulation import BUILD, beside
from orchestration.warehouse import WarehouseError

if TYPE_CHECKING:
    import duckdb

SUPPRESSIONS, EARLIER_CELLS = "int_suppressions", "int_earlier_cells"
#: Empty in a build; a release fills them.
FILLED = (SUPPRESSIONS, EARLIER_CELLS)
CELLS, RELATIONS, OPEN_DATA = "int_public_*_cells", "int_public_relations_*", "open_data_*"

#: cell_id -> how much of it is withheld, 0 to 3.
Suppressions = Mapping[str, int]
#: Of a cell that was published: exact base and cases met behind it, and whether it was marked revised.
Earlier = tuple[int | None, int | None, bool]
#: cell_id -> what was last published of it.
EarlierCells = Mapping[str, Earlier]


def models_like(pattern: str) -> list[str]:
    """Names of the models whose file matches a pattern, sorted."""
    return sorted(path.stem for path in (DBT_FOLDER / "models").rglob(f"{pattern}.sql"))


@cache
def made_again() -> tuple[str, ...]:
    """The models that depend on what a release fills, in the order in which they can be built."""
    ordered: dict[str, None] = {}
    for end in (*models_like(CELLS), *models_like(RELATIONS), *models_like(OPEN_DATA)):
        ordered |= dict.fromkeys(name for name in between(FILLED, end) if name not in FILLED)
    return tuple(ordered)


class PublicTables:
    """A connection in memory that has every table of a build under its own name, for reading.

    The tables of open data, and the exact cells behind them, are made again by `put`.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """Take a connection on which the build is attached; `put` makes the tables."""
        self.con = con
        self._put: tuple[dict[str, int], dict[str, Earlier]] | None = None

    def put(self, suppressions: Suppressions, earlier: EarlierCells) -> duckdb.DuckDBPyConnection:
        """Make the public tables with these cells withheld and these earlier values; return the connection.

        What is so already is not made again. Raises WarehouseError if the build was made by other models.
        """
        wanted = (dict(suppressions), dict(earlier))
        if wanted != self._put:
            self._put = None
            _fill(self.con, *wanted)
            _make_again(self.con)
            self._put = wanted
        return self.con


@contextlib.contextmanager
def public_tables(build: Path) -> Iterator[PublicTables]:
    """Open a build for making its public tables again; close it at the end."""
    with beside(build) as con:
        fresh = {relation(name) for name in (*FILLED, *made_again())}
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ?", [BUILD]
        ).fetchall()
        for schema, table in sorted(tables):
            con.execute(f'create schema if not exists "{schema}"')
            if f"{schema}.{table}" not in fresh:
                con.execute(f'create view "{schema}"."{table}" as from {BUILD}."{schema}"."{table}"')
        yield PublicTables(con)


def _make_again(con: duckdb.DuckDBPyConnection) -> None:
    import duckdb

    for name in made_again():
        con.execute(f"create schema if not exists {relation(name).partition('.')[0]}")
        try:
            con.execute(f"create or replace table {relation(name)} as {_sql(name)}")
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise WarehouseError(
                f"The build that is served was made by other models than these ({name}: {error}); run"
                " `vcc run --all` to build it anew."
            ) from error


@cache
def _sql(name: str) -> str:
    return model_sql(name)


def _fill(con: duckdb.DuckDBPyConnection, suppressions: Suppressions, earlier: EarlierCells) -> None:
    for name, columns in _COLUMNS.items():
        con.execute(f"create schema if not exists {relation(name).partition('.')[0]}")
        told = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        con.execute(f"create or replace table {relation(name)} ({told})")
    _insert(con, SUPPRESSIONS, sorted(suppressions.items()))
    _insert(con, EARLIER_CELLS, [(cell_id, *values) for cell_id, values in sorted(earlier.items())])


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Insert rows by column, which takes a fraction of the time of one statement a row."""
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    places = ", ".join(f"unnest(?::{kind}[])" for kind in _COLUMNS[name].values())
    con.execute(f"insert into {relation(name)} select {places}", [list(column) for column in columns])


_COLUMNS = {
    SUPPRESSIONS: {"cell_id": "varchar", "level": "integer"},
    EARLIER_CELLS: {
        "cell_id": "varchar",
        "base_count": "bigint",
        "met_count": "bigint",
        "is_revised": "boolean",
    },
}

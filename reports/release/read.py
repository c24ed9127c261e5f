"""One quarter's publication, read from a database that holds the open data marts.

Belongs here: rows and their order, the period's facts. Does not belong here: which tables are published
(`exposures`), or what becomes of them (the writers).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from reports.release import areas, breakdowns, catalogue, codes
from reports.release.columns import FIELD_TYPES
from reports.release.publication import Publication, PublicTable

STATUSES = ("provisional", "final")

# The column of every open data mart that says in which release a row is carried.
RELEASE = "release_period_code"
# The column of a table that holds financial years instead of quarters.
YEAR = "year_code"

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_publication(
    con: duckdb.DuckDBPyConnection,
    period_code: str,
    exposures: Sequence[PublicTable],
    *,
    version: str,
    issued_on: dt.date,
    status: str = "provisional",
    previous: str | None = None,
    reason: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Publication:
    """The publication of one quarter: the rows of each exposed table whose release is that quarter's, by key.

    `con` must reach the tables the exposures name, `staging.stg_periods`, and for the reference tables
    `reference.areas`, `.body_kinds`, `.characteristics`, `.crime_types`, `.metric_bodies`, `.metrics`,
    `.observation_statuses` and `.rights`.
    `issued_on` is the day of the release and dates its files.

    Raises ValueError when nothing is exposed, when period, version or status are not what they should be,
    when no table has a row, or when a table has columns or types other than those described.
    """
    if not exposures:
        raise ValueError("No exposure has meta release: open_data, so there is nothing to release; add one.")
    for number in (version, previous):
        if number is not None and not _VERSION.fullmatch(number):
            raise ValueError(f"Release version {number!r}; write a version like 1.0.0.")
    if not _SAFE_NAME.fullmatch(period_code):
        raise ValueError(f"Release {period_code!r}; write a period code like 2025-26-Q1.")
    if status not in STATUSES:
        raise ValueError(f"Release status {status!r}; write {' or '.join(STATUSES)}.")
    period_label, first_day, last_day = _period(con, period_code)
    tables = tuple(
        _with_rows(con, table, period_code) for table in sorted(exposures, key=lambda table: table.name)
    )
    if not any(table.rows for table in tables):
        raise ValueError(
            f"No open data row has the period {period_code}; is the code right and the quarter built?"
        )
    return Publication(
        period_code=period_code,
        period_label=period_label,
        first_day=first_day,
        last_day=last_day,
        issued_on=issued_on,
        version=version,
        status=status,
        tables=tables,
        year_first_day=_year_first_day(tables),
        references=(
            areas.read_areas(con, last_day),
            breakdowns.read_breakdowns(con, last_day),
            codes.read_codes(con),
            catalogue.read_catalogue(con),
        ),
        previous=previous,
        reason=reason,
        changes=dict(changes or {}),
    )


def _period(con: duckdb.DuckDBPyConnection, period_code: str) -> tuple[str, dt.date, dt.date]:
    row = con.execute(
        "select period_label, first_day, last_day from staging.stg_periods where period_code = ?",
        [period_code],
    ).fetchone()
    if row is None:
        raise ValueError(f"The warehouse knows no period {period_code}; write it like 2025-26-Q1.")
    return str(row[0]), row[1], row[2]


def _year_first_day(tables: Sequence[PublicTable]) -> dt.date | None:
    """The first day of the earliest financial year, such as 2025-26-FY, that has rows; None without any."""
    years = [
        str(row[table.column_names.index(YEAR)])
        for table in tables
        if YEAR in table.column_names
        for row in table.rows
    ]
    return dt.date(int(min(years)[:4]), 4, 1) if years else None


def _with_rows(con: duckdb.DuckDBPyConnection, table: PublicTable, period_code: str) -> PublicTable:
    _check_columns(con, table)
    names = ", ".join(f'"{name}"' for name in table.column_names)
    order = ", ".join(f'"{name}" nulls first' for name in table.primary_key)
    rows = con.execute(
        f"select {names} from {table.mart} where {RELEASE} = ? order by {order}", [period_code]
    ).fetchall()
    return replace(table, rows=tuple(rows))


def _check_columns(con: duckdb.DuckDBPyConnection, table: PublicTable) -> None:
    described = con.execute(f"describe {table.mart}").fetchall()
    held = {str(row[0]): str(row[1]) for row in described}
    expected = {column.name: column.data_type for column in table.columns}
    if RELEASE not in expected:
        raise ValueError(f"Table {table.mart} has no column {RELEASE}, so no release can carry it; add it.")
    if set(held) != set(expected):
        odd = ", ".join(sorted(set(held) ^ set(expected)))
        raise ValueError(
            f"Table {table.mart} and its description differ in {odd}; describe exactly what it holds."
        )
    wrong = [
        f"{name} is {held[name]}, described as {kind}"
        for name, kind in expected.items()
        if held[name] != kind
    ]
    if wrong:
        raise ValueError(f"Table {table.mart}: {'; '.join(wrong)}; describe the type it has, or cast it.")
    unknown = sorted(name for name, kind in held.items() if kind not in FIELD_TYPES)
    if unknown:
        raise ValueError(
            f"Table {table.mart} holds types no open data file has: {', '.join(unknown)}; cast them."
        )

"""What every writer of a release gets: the tables as they will be published, and what is said of them.

A writer is a function `write(publication, files) -> {file name: bytes}`, where `files` holds what the writers
before it made. Nothing in its bytes depends on the clock, on the machine or on the build.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PublicColumn:
    """One published column: name, meaning, and its type as DuckDB writes it (VARCHAR, BIGINT, DATE)."""

    name: str
    description: str
    data_type: str


@dataclass(frozen=True)
class PublicTable:
    """One published table. `name` is the stem of its files, `mart` schema and table of the model behind it.

    `rows` are tuples in the order of `columns`, sorted by `primary_key`; a figure that may not or cannot be
    given is None, and the column `obs_status` of its row says why. `missing_values` are the texts that stand
    for nothing in its CSV. The publication list holds tables without rows.
    """

    name: str
    mart: str
    title: str
    description: str
    columns: tuple[PublicColumn, ...]
    primary_key: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...] = ()
    missing_values: tuple[str, ...] = ("",)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def dicts(self) -> list[dict[str, Any]]:
        """The rows as name -> value."""
        names = self.column_names
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Publication:
    """One version of one release, before it is written.

    `issued_on` is its day in the release calendar and dates every file. `version` is major.minor.patch;
    `previous` the version it replaces, if any, and `reason` why. `status` is `provisional` or `final`.
    `tables` hold the figures; `references` what is needed to read them (metric catalogue, areas, codes).
    `changes` is the content of changes.json. `first_day` and `last_day` are those of the quarter;
    `year_first_day` is that of the financial year of which it holds figures too, if any.
    """

    period_code: str
    period_label: str
    first_day: dt.date
    last_day: dt.date
    issued_on: dt.date
    version: str
    status: str
    tables: tuple[PublicTable, ...]
    references: tuple[PublicTable, ...] = ()
    previous: str | None = None
    reason: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    year_first_day: dt.date | None = None

    @property
    def release_id(self) -> str:
        """Period and version, as in 2025-26-Q1/v1.0.0."""
        return f"{self.period_code}/v{self.version}"

    @property
    def covered_from(self) -> dt.date:
        """The first day that any of its figures is about."""
        return min(self.first_day, self.year_first_day or self.first_day)

    def table(self, name: str) -> PublicTable:
        """The table of that name, of figures or of reference. Raises KeyError if there is none."""
        for table in (*self.tables, *self.references):
            if table.name == name:
                return table
        raise KeyError(name)

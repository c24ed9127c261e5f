"""Every table a release holds as CSV, and the data dictionary, which says what each of their columns means.

Dictionary, Data Package and CSVW describe these same tables. A writer that makes a CSV of its own says here
what is in it: add its `tables(publication)` to `MORE_TABLES`. A table's name is the stem of its file, its
columns are the header.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.release import cjs_dashboard, explore_education
from reports.release.columns import FIELD_TYPES
from reports.release.publication import Publication, PublicColumn, PublicTable
from reports.release.tables import table_csv

MORE_TABLES: tuple[Callable[[Publication], tuple[PublicTable, ...]], ...] = (
    explore_education.tables,
    cjs_dashboard.tables,
)

DATA_DICTIONARY = "data-dictionary"

# Every writer asks for the tables of the same publication, and shaping them for others takes seconds.
_latest: list[Any] = []

_COLUMNS = (
    PublicColumn(
        "file", "File the column stands in; a Parquet of that name has the same columns.", "VARCHAR"
    ),
    PublicColumn("column", "Name of the column.", "VARCHAR"),
    PublicColumn("position", "Place of the column in its file, from 1.", "INTEGER"),
    PublicColumn("type", "Type of its values: string, integer, number, boolean or date.", "VARCHAR"),
    PublicColumn("is_key", "Is it one of the columns that together identify a row?", "BOOLEAN"),
    PublicColumn("description", "What it means.", "VARCHAR"),
)


def csv_tables(publication: Publication) -> tuple[PublicTable, ...]:
    """The tables of all CSVs: figures, other shapes of them, references, and last the data dictionary."""
    if _latest and _latest[0]() is publication and _latest[1] is MORE_TABLES:
        kept: tuple[PublicTable, ...] = _latest[2]
        return kept
    tables = (
        *publication.tables,
        *(table for more in MORE_TABLES for table in more(publication)),
        *publication.references,
    )
    whole = (*tables, _dictionary(tables))
    _latest[:] = [weakref.ref(publication), MORE_TABLES, whole]
    return whole


def described_tables(publication: Publication, files: Mapping[str, bytes]) -> tuple[PublicTable, ...]:
    """The tables of all CSVs, after making sure that exactly these were written.

    Raises ValueError naming a CSV nobody has described, or a table nobody has written.
    """
    tables = csv_tables(publication)
    names = {f"{table.name}.csv" for table in tables}
    written = {name for name in files if name.endswith(".csv")}
    if names != written:
        raise ValueError(
            f"{', '.join(sorted(names ^ written))}: every CSV of a release is described, and every"
            " described table written; add the table to reports.release.dictionary.MORE_TABLES, or its"
            " writer to WRITERS."
        )
    return tables


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """data-dictionary.csv."""
    table = csv_tables(publication)[-1]
    return {f"{table.name}.csv": table_csv(table)}


def _dictionary(tables: Sequence[PublicTable]) -> PublicTable:
    """The dictionary of some tables and of itself, one row a column, in the order of the files."""
    itself = PublicTable(
        name=DATA_DICTIONARY,
        mart="",
        title="Data dictionary",
        description="One row a file x column. What each column of each file means.",
        columns=_COLUMNS,
        primary_key=("file", "column"),
    )
    rows = tuple(
        (
            f"{table.name}.csv",
            column.name,
            position,
            FIELD_TYPES[column.data_type],
            column.name in table.primary_key,
            column.description,
        )
        for table in (*tables, itself)
        for position, column in enumerate(table.columns, start=1)
    )
    return replace(itself, rows=rows)

"""The values by which figures are broken down, with their words: a table of reference."""

from __future__ import annotations

import datetime as dt

import duckdb

from reports.release.publication import PublicColumn, PublicTable

BREAKDOWNS = "breakdowns"

_COLUMNS = (
    PublicColumn("breakdown", "crime_type, or the characteristic of the victim.", "VARCHAR"),
    PublicColumn(
        "breakdown_value", "Code of the offence group, or of the characteristic's value.", "VARCHAR"
    ),
    PublicColumn("breakdown_label", "The value in words.", "VARCHAR"),
    PublicColumn("sort_order", "Order of the values within their breakdown.", "INTEGER"),
)


def read_breakdowns(con: duckdb.DuckDBPyConnection, on: dt.date) -> PublicTable:
    """The offence groups and the values of each characteristic as they were on a day, by code.

    The same code, such as NS for not stated, stands for something of its own in each breakdown.
    """
    rows = con.execute(
        """
        select breakdown, breakdown_value, breakdown_label, sort_order
        from (
            select
                'crime_type' as breakdown, crime_type as breakdown_value, crime_type_name as breakdown_label,
                sort_order, valid_from, valid_to
            from reference.crime_types
            where level = 'group' and reporting <> 'not_accepted'
            union all
            select characteristic, characteristic_value, label, sort_order, valid_from, valid_to
            from reference.characteristics
        )
        where valid_from <= $1 and (valid_to is null or valid_to >= $1)
        order by breakdown, breakdown_value
        """,
        [on],
    ).fetchall()
    return PublicTable(
        name=BREAKDOWNS,
        mart="reference.characteristics",
        title="Breakdowns",
        description=(
            "One row a breakdown x value. Offence groups, and values of each characteristic of victims."
        ),
        columns=_COLUMNS,
        primary_key=("breakdown", "breakdown_value"),
        rows=tuple(rows),
    )

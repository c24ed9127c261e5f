"""What is true of a published column by its name and type, wherever it stands: field type, limits, codes.

One list for the Data Package, CSVW and the data dictionary, so that they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.release.publication import PublicColumn, PublicTable

# DuckDB's types and the Table Schema types they are published as.
FIELD_TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "DATE": "date",
}

OBS_STATUS = ("c", "x", "z", "w")
OBS_NOTE = ("p", "r")
PUBLISHED_AS = ("value", "about", "band", "base", "suppressed")

_ENUMS = {"obs_status": OBS_STATUS, "obs_note": OBS_NOTE, "published_as": PUBLISHED_AS}
# Differences may be negative; everything else in percent lies between none and all.
_DIFFERENCES = ("difference", "gap", "change")


@dataclass(frozen=True)
class Limits:
    """What a column's values must be: given at all, between two numbers, one of some codes."""

    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForeignKey:
    """Every value of `columns` stands in the columns `referenced` of the table of that name."""

    columns: tuple[str, ...]
    table: str
    referenced: tuple[str, ...]


def limits(table: PublicTable, column: PublicColumn) -> Limits:
    """What holds for every value of a column of a published table."""
    minimum: int | None = None
    maximum: int | None = None
    if FIELD_TYPES[column.data_type] in {"integer", "number"}:
        difference = any(word in column.name for word in _DIFFERENCES)
        if column.name.endswith("_percent") and not difference:
            minimum, maximum = 0, 100
        elif "share" in column.name.split("_") and not difference:
            minimum, maximum = 0, 1
        elif column.name.endswith("_count") and not difference:
            minimum = 0
        elif column.name.endswith("_grade") and not difference:
            minimum, maximum = 0, 3
    return Limits(
        required=column.name in table.primary_key,
        minimum=minimum,
        maximum=maximum,
        codes=_ENUMS.get(column.name, ()),
    )


# Columns that together name something of a table of reference, and the columns there that they name.
_REFERENCES = {
    ("area_code",): ("areas", ("area_code",)),
    ("breakdown", "breakdown_value"): ("breakdowns", ("breakdown", "breakdown_value")),
    ("metric_id",): ("metric-catalogue", ("metric_id",)),
    ("question_id",): ("metric-catalogue", ("metric_id",)),
    ("item_id",): ("metric-catalogue", ("metric_id",)),
}


def foreign_keys(table: PublicTable, tables: Sequence[PublicTable]) -> tuple[ForeignKey, ...]:
    """The foreign keys of a table among the tables of a release.

    Columns point to others only if those alone identify a row there: a metric of the catalogue can
    have several versions, and then it cannot be pointed at.
    """
    by_name = {other.name: other for other in tables}
    found = []
    for columns, (name, referenced) in _REFERENCES.items():
        other = by_name.get(name)
        if other is None or name == table.name or not set(columns) <= set(table.column_names):
            continue
        places = [other.column_names.index(column) for column in referenced]
        values = [tuple(row[place] for place in places) for row in other.rows]
        if len(set(values)) == len(values):
            found.append(ForeignKey(columns, name, referenced))
    return tuple(found)

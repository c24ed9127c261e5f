"""How a component reads the rows it is given: columns that must be there, cells as numbers and as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reports.components.text import plain
from reports.engine.rows import FORMATS, SHORTHANDS, STATUS_COLUMNS, Cell, Row, Rows

#: Words for columns as headings where a page gives none.
HEADINGS = {
    "area_name": "Area",
    "body_kind": "Body",
    "case_count": "Cases",
    "good_count": "Good answers",
    "group_name": "Group",
    "item_definition": "Item",
    "met_count": "Met",
    "metric_definition": "Measure",
    "period_label": "Period",
    "rate_percent": "Rate",
    "reported_count": "Reported",
    "valid_answer_count": "Answers",
    "year_label": "Year",
}


class ComponentError(ValueError):
    """A component cannot be made of what it was given; the message says what to change on the page."""


@dataclass(frozen=True)
class Point:
    """One figure as a chart draws it: `value`, `lower`, `upper` in units of the axis (percent as 0 to 100).

    `shown` is the figure as the table prints it; `status` the shorthand where there is no value, `band` the
    range that is given instead.
    """

    label: str
    value: float | None
    shown: str
    status: str | None = None
    band: str | None = None
    series: str | None = None
    lower: float | None = None
    upper: float | None = None


def heading(column: str) -> str:
    """A column's name as a heading: `met_count` is Met, `like_areas` is Like areas."""
    return HEADINGS.get(column) or plain(column.replace("_", " ")).capitalize()


def required_text(kind: str, name: str, value: object) -> str:
    """A title or caption, which nothing may go without. Raises ComponentError where it is empty."""
    if isinstance(value, Row | Rows):
        raise ComponentError(
            f"{kind}: the {name} is a query or a row; take a column of it, as row.area_name."
        )
    text = plain(value) if value is not None else ""
    if not text:
        raise ComponentError(f'{kind}: the {name} is empty; write what the figures are: {name}="...".')
    return text


def checked_rows(kind: str, rows: Any, columns: Iterable[str | None]) -> list[Row]:
    """The rows as a list, each with the named columns (None for one that is not asked for).

    Raises ComponentError without rows, or for a column that the query does not have.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise ComponentError(f"{kind}: the first argument must be the rows of a query, by its name.")
    listed = list(rows)
    if not listed:
        raise ComponentError(
            f"{kind}: the query gave no rows; put the chart in {{% if rows %}} ... {{% endif %}}."
        )
    if not all(isinstance(row, Row) for row in listed):
        raise ComponentError(f"{kind}: the first argument must be the rows of a query, by its name.")
    for column in columns:
        if column is not None and column not in listed[0]:
            there = ", ".join(listed[0])
            raise ComponentError(f"{kind}: the query has no column {column!r}; it has {there}.")
    return listed


def checked_format(kind: str, format: str | None) -> None:
    """Raises ComponentError for a format that rows.py does not know."""
    if format is not None and format not in FORMATS:
        raise ComponentError(f"{kind}: there is no format {format!r}; the formats are {', '.join(FORMATS)}.")


def shown(cell: Cell, format: str | None = None) -> str:
    """The cell as text for readers, in one line."""
    if isinstance(cell.value, Decimal):
        cell = Cell(float(cell.value), cell.column, cell.status, cell.is_about, cell.band)
    return plain(cell.shown(format))


def number(kind: str, cell: Cell, format: str | None) -> float | None:
    """The cell as a number of the axis: `percent1` becomes percent. Raises ComponentError for text."""
    if cell.value is None:
        return None
    if isinstance(cell.value, bool) or not isinstance(cell.value, int | float | Decimal):
        raise ComponentError(
            f"{kind}: column {cell.column!r} holds {str(cell.value)[:40]!r}, which is no number."
        )
    value = float(cell.value)
    if not math.isfinite(value):
        raise ComponentError(f"{kind}: column {cell.column!r} holds {value}; correct the query.")
    return 100 * value if format == "percent1" else value


def level(kind: str, target: object, format: str) -> float | None:
    """A target in units of the axis: a number or a cell; None without one. Raises ComponentError for text."""
    cell = target if isinstance(target, Cell) else Cell(target, "target")
    return number(kind, cell, format)


def point(
    kind: str,
    row: Row,
    label: str,
    value: str,
    format: str | None,
    *,
    series: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
) -> Point:
    """One row as a point of a chart."""
    cell = row[value]
    low = number(kind, row[lower], format) if lower else None
    high = number(kind, row[upper], format) if upper else None
    given = number(kind, cell, format)
    has_interval = given is not None and low is not None and high is not None
    return Point(
        label=shown(row[label]),
        value=given,
        shown=shown(cell, format),
        status=None if given is not None else cell.status or "",
        band=plain(cell.band) if given is None and cell.band and shown(cell) == plain(cell.band) else None,
        series=shown(row[series]) if series else None,
        lower=low if has_interval else None,
        upper=high if has_interval else None,
    )


def notes(rows: Sequence[Row], cells: Iterable[Cell]) -> tuple[str, ...]:
    """What explains the shorthands, the rounded rates and the bands that occur among the cells."""
    listed = list(cells)
    found = {cell.status for cell in listed if not cell.is_given and shown(cell) == f"[{cell.status}]"}
    said = [f"[{status}] means {meaning}." for status, meaning in SHORTHANDS.items() if status in found]
    if any(shown(cell).startswith("about ") for cell in listed):
        said.append("“about” marks a rate that is given to the nearest 10.")
    if any(not cell.is_given and cell.band and shown(cell) == plain(cell.band) for cell in listed):
        said.append("Where few people are concerned, a range is given instead of a rate.")
    return tuple(said)


def raw(cell: Cell) -> object:
    """The cell's value for a CSV: numbers stay numbers, text in one line."""
    return plain(cell.value) if isinstance(cell.value, str) else cell.value


def csv_part(
    rows: Sequence[Row], columns: Sequence[str]
) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Header and rows of the CSV: the columns, and those that say what an empty cell means."""
    names = tuple(dict.fromkeys((*columns, *(name for name in STATUS_COLUMNS if name in rows[0]))))
    return names, tuple(tuple(raw(row[name]) for name in names) for row in rows)

"""What a query gives a page: rows whose figures know whether they may be shown.

A table of figures carries beside each row the columns `obs_status` (c, x, z, w or nothing), `published_as`,
`rate_is_about` and `rate_band`. A cell of a figure without a value prints its shorthand, `[c]`, whatever
format it is asked for: a page cannot turn what is withheld into a number, a blank or a zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex, overload

#: Columns that describe a row's figures and are no figures themselves.
STATUS_COLUMNS = ("obs_status", "published_as", "rate_is_about", "rate_band")

#: What each status means, as the note under a table says it.
SHORTHANDS: Mapping[str, str] = {
    "c": "withheld so that nobody can be identified",
    "x": "not available: not collected, or no rate can be made",
    "z": "not applicable: no such service or duty there",
    "w": "not submitted: the return did not come, or not from every sender",
}
FORMATS = ("text", "count", "percent", "percent1", "points", "number", "date", "month")


@dataclass(frozen=True)
class Cell:
    """One value of a row. `status` is set only where the row's figures are not (all) given.

    `is_about` marks a rate given to the nearest ten; `band` is what is given instead of a rate.
    """

    value: Any
    column: str
    status: str | None = None
    is_about: bool = False
    band: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is a value to show, plot or compute with."""
        return self.value is not None

    def shown(self, format: str | None = None) -> str:
        """The cell as readers see it, never blank for a figure that is withheld.

        `percent` a number of percent (65 -> 65%), `percent1` a share of one (0.654 -> 65.4%), `count` with
        thousands, `points` percentage points, `number` as it is, `date` 1 April 2025, `month` April 2025.
        Raises ValueError for another format.
        """
        if format is not None and format not in FORMATS:
            raise ValueError(f"There is no format {format!r}; the formats are {', '.join(FORMATS)}.")
        if self.value is None:
            if self.band and self.column.startswith("rate"):
                return self.band
            return f"[{self.status}]" if self.status else ""
        text = _formatted(self.value, format)
        return f"about {text}" if self.is_about and self.column == "rate_percent" else text

    def __str__(self) -> str:
        return self.shown()

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, Cell) else other))

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < _plain(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > _plain(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= _plain(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= _plain(other))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Cell) else value


def _formatted(value: Any, format: str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime | dt.date):
        return f"{value:%B %Y}" if format == "month" else f"{value:%-d %B %Y}"
    if isinstance(value, int | float):
        match format:
            case "percent":
                return f"{value:,.0f}%" if float(value).is_integer() else f"{value:,.1f}%"
            case "percent1":
                return f"{100 * value:,.1f}%"
            case "points":
                return f"{value:+,.0f} points" if float(value).is_integer() else f"{value:+,.1f} points"
            case "count":
                return f"{value:,.0f}"
    return str(value)


class Row(Mapping[str, Cell]):
    """One row of a query: `row.rate_percent` and `row["rate_percent"]` are cells."""

    __slots__ = ("_columns", "_status", "_values")

    def __init__(self, columns: Mapping[str, int], values: Sequence[Any]) -> None:
        self._columns = columns
        self._values = values
        self._status = {name: values[columns[name]] for name in STATUS_COLUMNS if name in columns}

    def __getitem__(self, name: str) -> Cell:
        value = self._values[self._columns[name]]
        if name in STATUS_COLUMNS or isinstance(value, str):
            return Cell(value, name)
        return Cell(
            value,
            name,
            status=self._status.get("obs_status"),
            is_about=bool(self._status.get("rate_is_about")),
            band=self._status.get("rate_band"),
        )

    def __getattr__(self, name: str) -> Cell:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"The query has no column {name!r}; it has {', '.join(self._columns)}."
            ) from None

    @property
    def values_in_order(self) -> Sequence[Any]:
        """The values as the query gave them, in the order of its columns."""
        return self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class Rows(Sequence[Row]):
    """The result of a query: its name, its columns in order, its rows."""

    def __init__(self, name: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
        self.name = name
        self.columns = tuple(columns)
        index = {column: place for place, column in enumerate(self.columns)}
        self._rows = tuple(Row(index, row) for row in values)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def where(self, **values: Any) -> Rows:
        """The rows in which each column named has the value given: `figures.where(body_kind="police")`.

        Raises KeyError for a column that the query does not have.
        """
        wanted = {column: _plain(value) for column, value in values.items()}
        chosen = [
            row.values_in_order
            for row in self._rows
            if all(row[column].value == value for column, value in wanted.items())
        ]
        return Rows(self.name, self.columns, chosen)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that occur among its rows, in the order of SHORTHANDS."""
        if "obs_status" not in self.columns:
            return ()
        found = {row["obs_status"].value for row in self}
        return tuple(status for status in SHORTHANDS if status in found)

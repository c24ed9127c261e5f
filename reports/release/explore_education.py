"""The figures in the shape of DfE "explore education statistics": a data file and a metadata file a table.

Belongs here: which of our columns are filters, indicators, time and place there. Does not belong here: other
figures than those of our own tables; what is withheld here is withheld there.

Follows the open data standards of the DfE analysts' guide and its screener (`eesyscreener`): six-digit
financial years, one kind of period a file, geography only from its list of levels (police force areas are one
of them), no blank filter, and in an indicator without a number `c` confidential, `x` not available or `z` not
applicable.
Boards and CPS areas have no level there and are left out; they stand in our own files.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import labels
from reports.files import csv_bytes
from reports.release.publication import Publication, PublicColumn, PublicTable
from reports.release.spreadsheets import heading, shorthand

PREFIX = "ees-"
SYMBOLS = ("c", "x", "z")
META_HEADER = (
    "col_name",
    "col_type",
    "label",
    "indicator_grouping",
    "indicator_unit",
    "indicator_dp",
    "filter_hint",
    "filter_grouping_column",
)
ENGLAND_AND_WALES = ("K04000001", "England and Wales")
_COUNTRIES = {"E": ("E92000001", "England"), "W": ("W92000004", "Wales")}
_TIME_COLUMNS = ("period_code", "year_code", "financial_year")
_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE"}
_PERIOD = re.compile(r"(20\d\d)-(\d\d)(?:-(Q[1-4]|FY))?")
_TIME = (
    PublicColumn("time_period", "Financial year as six digits, such as 202526.", "VARCHAR"),
    PublicColumn("time_identifier", "Part of the financial year, such as Financial year Q1.", "VARCHAR"),
    PublicColumn("geographic_level", "National, Regional or Police force area.", "VARCHAR"),
    PublicColumn("country_code", "Code of the country.", "VARCHAR"),
    PublicColumn("country_name", "Name of the country.", "VARCHAR"),
    PublicColumn("region_code", "Code of the English region; blank for a country.", "VARCHAR"),
    PublicColumn("region_name", "Name of the English region; blank for a country.", "VARCHAR"),
)
_AREA = (
    PublicColumn("pfa_code", "Code of the police force area; blank for a force without one.", "VARCHAR"),
    PublicColumn("pfa_name", "Name of the police force area; blank for a force without one.", "VARCHAR"),
)


@dataclass(frozen=True)
class _Filter:
    """A filter made of one of our columns, the first of `sources` that the table has."""

    name: str
    label: str
    sources: tuple[str, ...]
    hint: str
    blank: str = "Not applicable"
    words: Mapping[str, str] | None = None
    grouped_by: str = ""


# In the order they are offered. A grouping filter has no row of its own in the metadata.
_FILTERS = (
    _Filter(
        "body", "Body", ("body_kind",), "Filter by kind of criminal justice body", words=labels.BODY_KINDS
    ),
    _Filter("code_right", "Right", ("right_number",), "Filter by right of the Victims' Code"),
    _Filter(
        "metric",
        "Metric",
        ("metric_definition", "item_definition", "question_id", "metric_id", "item_id"),
        "Filter by what was measured",
        grouped_by="code_right",
    ),
    _Filter("metric_code", "Metric code", ("metric_id", "question_id", "item_id"), "Filter by metric code"),
    _Filter("information", "Information", ("information",), "Filter by kind of information"),
    _Filter("breakdown_topic", "Breakdown topic", ("breakdown",), "Filter by topic", blank="Total"),
    _Filter(
        "breakdown",
        "Breakdown",
        ("breakdown_label", "breakdown_value"),
        "Filter by crime type or characteristic of the victim",
        blank="Total",
        grouped_by="breakdown_topic",
    ),
    _Filter(
        "collection_mode", "How cases were chosen", ("collection_mode",), "Filter by way of choosing cases"
    ),
    _Filter("sampling_frame", "Cases looked at", ("sampling_frame",), "Filter by cases looked at"),
    _Filter("survey_mode", "How victims were asked", ("survey_mode",), "Filter by way of asking"),
    _Filter("collected_by", "Who asked", ("collected_by",), "Filter by who asked"),
)


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """`ees-<table>.csv` and `ees-<table>.meta.csv` of every table that has periods, places and figures."""
    return {f"{table.name}.csv": csv_bytes(table.column_names, table.rows) for table in tables(publication)}


def tables(publication: Publication) -> tuple[PublicTable, ...]:
    """What stands in these files, a data table and its metadata in turn, for those that describe a release.

    Columns of figures hold a symbol where there is no number; as `missing_values` these count as none.
    """
    return _tables(publication.tables, publication.references)


@functools.lru_cache(maxsize=1)
def _tables(figures: tuple[PublicTable, ...], references: tuple[PublicTable, ...]) -> tuple[PublicTable, ...]:
    """Kept, because every file that describes the release asks again."""
    made: list[PublicTable] = []
    for table in figures:
        # published cells, and what adds them up
        if table.rows and "published_as" in table.column_names:
            data, meta = _pair(references, table)
            made += [data, meta] if data.rows else []
    return tuple(made)


def _pair(references: tuple[PublicTable, ...], table: PublicTable) -> tuple[PublicTable, PublicTable]:
    names = table.column_names
    filters = [each for each in _FILTERS if set(each.sources).intersection(names)]
    indicators = [column for column in table.columns if _is_indicator(column)]
    rights, regions = _right_titles(references), _regions(references)
    rows: list[tuple[Any, ...]] = []
    for row in table.dicts():
        place = _place(row, regions)
        if place is None:
            continue
        rows.append(
            (
                *_time(row),
                *place,
                *(_filter_value(each, row, rights) for each in filters),
                *(_figure(row, column.name) for column in indicators),
                row.get("rate_band"),
            )
        )
    with_areas = "area_code" in names
    if not with_areas:
        rows = [row[:7] + row[9:] for row in rows]
    if "rate_band" not in names:
        rows = [row[:-1] for row in rows]
    columns = (
        *_TIME,
        *(_AREA if with_areas else ()),
        *(PublicColumn(each.name, f"{each.hint}.", "VARCHAR") for each in filters),
        *indicators,
        *(column for column in table.columns if column.name == "rate_band"),
    )
    first = 9 if with_areas else 7
    _must_be_unique(table.name, [row[: first + len(filters)] for row in rows])
    stem = PREFIX + table.name.replace("_", "-")
    data = PublicTable(
        name=stem,
        mart=table.mart,
        title=f"{table.title} (explore education statistics)",
        description=f"{table.description} In the shape of DfE explore education statistics.",
        columns=columns,
        primary_key=(),
        rows=tuple(sorted(rows, key=lambda row: tuple(str(cell) for cell in row[: first + len(filters)]))),
        missing_values=("", *SYMBOLS),
    )
    return data, _meta(data, filters, indicators)


def _meta(data: PublicTable, filters: Sequence[_Filter], indicators: Sequence[PublicColumn]) -> PublicTable:
    places = {name: place for place, name in enumerate(data.column_names)}
    # a filter with one value is no choice: the standards leave it out
    offered = [each for each in filters if len({row[places[each.name]] for row in data.rows}) > 1]
    names = {each.name for each in offered}
    groups = {each.grouped_by for each in offered if each.grouped_by in names}
    rows: list[tuple[Any, ...]] = [
        (
            each.name,
            "Filter",
            each.label,
            None,
            None,
            None,
            each.hint,
            each.grouped_by if each.grouped_by in names else None,
        )
        for each in offered
        if each.name not in groups
    ]
    rows += [
        (
            column.name,
            "Indicator",
            heading(column.name.removesuffix("_percent")),
            None,
            "%" if column.name.endswith("_percent") else None,
            "0",
            None,
            None,
        )
        for column in indicators
    ]
    return PublicTable(
        name=f"{data.name}.meta",
        mart="",
        title=f"{data.title}, metadata",
        description=f"One row a column. Which columns of {data.name}.csv are filters and which indicators.",
        columns=tuple(PublicColumn(name, _META_MEANINGS[name], "VARCHAR") for name in META_HEADER),
        primary_key=("col_name",),
        rows=tuple(rows),
    )


_META_MEANINGS = {
    "col_name": "Column of the data file.",
    "col_type": "Filter or Indicator.",
    "label": "The column in words.",
    "indicator_grouping": "Heading that indicators are shown under.",
    "indicator_unit": "Unit of an indicator; blank for a number.",
    "indicator_dp": "Decimal places of an indicator.",
    "filter_hint": "What a reader is told about a filter.",
    "filter_grouping_column": "Column whose values group those of a filter.",
}


def _is_indicator(column: PublicColumn) -> bool:
    return column.data_type in _NUMBERS and column.name.endswith(("_count", "_percent"))


def _time(row: Mapping[str, Any]) -> tuple[str, str]:
    """A period's code as six digits and an identifier: 2025-26-Q1 is 202526, Financial year Q1."""
    code = next(str(row[name]) for name in _TIME_COLUMNS if row.get(name) is not None)
    found = _PERIOD.fullmatch(code)
    if found is None:
        raise ValueError(f"Period {code!r} is no quarter or financial year; write it like 2025-26-Q1.")
    year, following, part = found.groups()
    is_quarter = part is not None and part.startswith("Q")
    return year + following, f"Financial year {part}" if is_quarter else "Financial year"


Place = tuple[str, str, str, str | None, str | None, str | None, str | None]


def _place(row: Mapping[str, Any], regions: Mapping[str, tuple[str, str]]) -> Place | None:
    """Level, country, region and police force area of a row; None for a level the service does not know."""
    none = (None, None, None, None)
    if "group_kind" in row:
        kind, code, name = row["group_kind"], str(row["group_code"]), str(row["group_name"])
        if kind == "region" and code.startswith("E12"):
            return ("Regional", *_COUNTRIES["E"], code, name, None, None)
        # Wales is a country here; as a region it would stand there twice
        return ("National", code, name, *none) if kind in ("country", "nation") else None
    if "area_code" in row:
        code, name = str(row["area_code"]), str(row["area_name"])
        country = _COUNTRIES.get(code[0]) if re.fullmatch(r"[EW]\d{8}", code) else None
        if country is None:
            return ("National", *ENGLAND_AND_WALES, *none)
        region = regions.get(code, (row.get("region_code"), row.get("region_name")))
        is_region = str(region[0]).startswith("E12")
        return ("Police force area", *country, *(region if is_region else (None, None)), code, name)
    if "region_code" in row:
        code, name = str(row["region_code"]), str(row["region_name"])
        if code.startswith("E12"):
            return ("Regional", *_COUNTRIES["E"], code, name, None, None)
        return ("National", code, name, *none)
    return ("National", *ENGLAND_AND_WALES, *none)


def _filter_value(each: _Filter, row: Mapping[str, Any], rights: Mapping[Any, str]) -> str:
    value = next((row[name] for name in each.sources if row.get(name) is not None), None)
    if value is None:
        return each.blank
    if each.name == "code_right":
        title = rights.get(value)
        return f"Right {value}: {title}" if title else f"Right {value}"
    if each.words is not None:
        return each.words.get(str(value), heading(str(value)))
    is_code = re.fullmatch(r"[a-z]+(_[a-z]+)*", str(value)) is not None and each.name != "metric_code"
    return heading(str(value)) if is_code else str(value)


def _figure(row: Mapping[str, Any], name: str) -> Any:
    if row[name] is not None:
        return row[name]
    mark = shorthand(row, name).strip("[]")
    # the service knows no "not submitted": such a figure is not available
    return mark if mark in SYMBOLS else "x"


def _right_titles(references: tuple[PublicTable, ...]) -> dict[Any, str]:
    return {
        row["right_number"]: row["right_title"]
        for row in _reference(references, "metric-catalogue")
        if row["right_title"]
    }


def _regions(references: tuple[PublicTable, ...]) -> dict[str, tuple[str, str]]:
    return {
        row["area_code"]: (row["region_code"], row["region_name"])
        for row in _reference(references, "areas")
        if row["region_code"]
    }


def _reference(references: tuple[PublicTable, ...], name: str) -> Iterator[dict[str, Any]]:
    for table in references:
        if table.name == name:
            yield from table.dicts()


def _must_be_unique(name: str, keys: Sequence[tuple[Any, ...]]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for key in keys:
        if key in seen:
            raise ValueError(
                f"Table {name}: two rows are one in the shape of explore education statistics: {key}."
                " Make the column that tells them apart a filter."
            )
        seen.add(key)

"""The compliance rates in the ten columns of the criminal justice system delivery data dashboard.

Belongs here: our words for that dashboard's columns. Does not belong here: other figures than those of our
own tables. A band has no column there; the reason why there is no value names it.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from reports import labels
from reports.files import csv_bytes
from reports.release.publication import Publication, PublicColumn, PublicTable

NAME = "cjs-dashboard"
ALL_OFFENCES = "All crime"
#: Where a body stands on the way of a case through the system.
_STAGES = {
    "police": "Police",
    "btp": "Police",
    "mdp": "Police",
    "cps": "Crown Prosecution Service",
    "courts": "Courts",
    "prisons": "After sentence",
    "probation": "After sentence",
    "yjs": "Youth justice",
}
_GRANULARITIES = {
    "nation": "National",
    "country": "Country",
    "region": "Region",
    "criminal_justice_board": "Local criminal justice board",
    "cps_area": "CPS area",
    "hmcts_region": "HMCTS region",
    "probation_region": "Probation region",
}
_REASONS = {
    "c": "Confidential: withheld so that nobody can be identified",
    "x": "Not available: not collected, not counted alike everywhere, or no rate can be made from it",
    "z": "Not applicable",
    "w": "Not submitted: the figure was due and had not come in from every sender",
}
_COLUMNS = (
    PublicColumn("offence_type", "Crime type, or All crime.", "VARCHAR"),
    PublicColumn("stage", "Stage of a case at which the body stands.", "VARCHAR"),
    PublicColumn("priority_area", "Right of the Victims' Code.", "VARCHAR"),
    PublicColumn(
        "metric_name", "Definition of the metric, with the body and how cases were chosen.", "VARCHAR"
    ),
    PublicColumn(
        "geographic_granularity",
        "Kind of area: Police force area, National force, Local criminal justice board, CPS area, HMCTS"
        " region, Probation region, Region, Country or National.",
        "VARCHAR",
    ),
    PublicColumn("geographic_area_name", "Name of the area.", "VARCHAR"),
    PublicColumn("date_granularity", "Quarter or Financial year.", "VARCHAR"),
    PublicColumn(
        "time_period", "Quarter, such as 2025-26-Q1, or financial year, such as 2025-26-FY.", "VARCHAR"
    ),
    PublicColumn("value", "Rate in percent, from rounded counts; empty where there is a reason.", "INTEGER"),
    PublicColumn("reason_for_missing_data", "Why there is no value; empty where there is one.", "VARCHAR"),
)
HEADER = tuple(column.name for column in _COLUMNS)
_KEY = HEADER[:8]
_TABLES = ("local_compliance", "group_compliance", "region_breakdowns", "national_breakdowns")


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """cjs-dashboard.csv: every compliance rate of the release and, once a year, those by crime type."""
    return {f"{table.name}.csv": csv_bytes(table.column_names, table.rows) for table in tables(publication)}


def tables(publication: Publication) -> tuple[PublicTable, ...]:
    """What stands in the file; nothing where the release holds no compliance rate.

    Raises ValueError if two rates have the same first eight columns.
    """
    return _tables(publication.tables, publication.references)


@functools.lru_cache(maxsize=1)
def _tables(figures: tuple[PublicTable, ...], references: tuple[PublicTable, ...]) -> tuple[PublicTable, ...]:
    """Kept, because every file that describes the release asks again."""
    rights = {
        row["right_number"]: row["right_title"]
        for table in references
        if table.name == "metric-catalogue"
        for row in table.dicts()
    }
    held = {table.name: table for table in figures}
    rows = [row for name in _TABLES if name in held for row in _rows(held[name], rights)]
    times = Counter(row[: len(_KEY)] for row in rows)
    for key, count in sorted(times.items()):
        if count > 1:
            raise ValueError(f"{NAME}.csv would hold {count} rows of {key}; tell them apart in metric_name.")
    if not rows:
        return ()
    return (
        PublicTable(
            name=NAME,
            mart="marts.open_data_local_compliance",
            title="Compliance rates for the CJS delivery data dashboard",
            description="One row a metric x area x period. Compliance rates in the dashboard's ten columns.",
            columns=_COLUMNS,
            primary_key=_KEY,
            rows=tuple(sorted(rows, key=lambda row: row[: len(_KEY)])),
        ),
    )


def _rows(table: PublicTable, rights: Mapping[Any, str]) -> Iterator[tuple[Any, ...]]:
    for row in table.dicts():
        if (
            row.get("unit", "proportion") != "proportion"
            or row.get("information", "statistic") != "statistic"
        ):
            continue
        if row.get("breakdown", "crime_type") != "crime_type":
            continue
        granularity, area = _place(row)
        if granularity is None:
            continue
        period = row.get("period_code") or row.get("year_code") or row.get("financial_year")
        right = row.get("right_number")
        title = rights.get(right)
        yield (
            row.get("breakdown_label") or row.get("breakdown_value") or ALL_OFFENCES,
            _STAGES.get(row["body_kind"], labels.BODY_KINDS.get(row["body_kind"], row["body_kind"])),
            f"Right {right}: {title}" if title else f"Right {right}",
            _metric_name(row),
            granularity,
            area,
            "Quarter" if "-Q" in str(period) else "Financial year",
            period,
            row["rate_percent"],
            _reason(row),
        )


def _metric_name(row: Mapping[str, Any]) -> str:
    """Definition, body and way of choosing cases: figures that may not be compared have different names."""
    definition = (
        row.get("metric_definition") or row.get("item_definition") or row.get("metric_id") or row["item_id"]
    )
    told = [labels.BODY_KINDS.get(row["body_kind"], row["body_kind"])]
    for name in ("collection_mode", "sampling_frame"):
        if row.get(name) not in (None, "none"):
            told.append(str(row[name]).replace("_", " "))
    return f"{definition} ({', '.join(told)})"


def _place(row: Mapping[str, Any]) -> tuple[str | None, str]:
    if "group_kind" in row:
        return _GRANULARITIES.get(row["group_kind"]), str(row["group_name"])
    if "area_code" in row:
        is_force = row["body_kind"] in labels.NATIONAL_FORCES
        return ("National force" if is_force else "Police force area"), str(row["area_name"])
    if "region_code" in row:
        is_nation = str(row["region_code"]).startswith("K")
        return ("National" if is_nation else "Region"), str(row["region_name"])
    return "National", "England and Wales"


def _reason(row: Mapping[str, Any]) -> str | None:
    if row["rate_percent"] is not None:
        return None
    if row.get("rate_band"):
        return f"{_REASONS['c']}; the rate is {row['rate_band']}"
    return _REASONS.get(str(row["obs_status"]), _REASONS["x"])

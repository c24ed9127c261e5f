"""Local figures back to the bodies and the reviewer: one CSV for each area, exact and therefore restricted.

Each line is one statistic due from a body of the area, whether it came or not, beside its like areas, the
quarter before and the same quarter a year ago, with the change in words. BTP and MDP have a file each.

Reads `marts.local_area_compliance`, with names from the reference tables.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reports import labels
from reports.files import csv_bytes, publish_folder

HEADER = (
    "period_code",
    "area_code",
    "area_name",
    "body_kind",
    "body_name",
    "right_number",
    "right_title",
    "metric_id",
    "metric_definition",
    "figure_status",
    "figure_status_text",
    "not_collected_reason",
    "collection_mode",
    "sampling_frame",
    "met_count",
    "not_met_count",
    "not_suitable_count",
    "declined_count",
    "unknown_count",
    "case_count",
    "reported_count",
    "within_limit_count",
    "short_delay_count",
    "long_delay_count",
    "rate_percent",
    "rate_lower_percent",
    "rate_upper_percent",
    "like_area_count",
    "like_areas_case_count",
    "like_areas_rate_percent",
    "previous_met_count",
    "previous_case_count",
    "previous_rate_percent",
    "change_from_previous",
    "year_ago_met_count",
    "year_ago_case_count",
    "year_ago_rate_percent",
    "reading",
    "marking",
)
_FILE_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


@dataclass(frozen=True)
class LocalFiguresSummary:
    """What was written: the folder, rows for each file's stem (area code, BTP, MDP), whether it changed."""

    period_code: str
    folder: Path
    rows: Mapping[str, int]
    changed: bool


def write_local_figures(
    con: duckdb.DuckDBPyConnection, period_code: str, out_dir: Path
) -> LocalFiguresSummary:
    """Writes `<out_dir>/<area code>.csv` for every area of the quarter, all files or none.

    `con` is open on a verified build, read-only; `out_dir` is the quarter's own folder and holds nothing else
    afterwards. The same rows give the same bytes, and unchanged files are not touched. Raises ValueError when
    the quarter has no local figure.
    """
    cursor = con.execute(
        """
        select
            figures.*,
            metrics.definition as metric_definition,
            rights.right_title,
            coalesce(kinds.is_national_force, false) as is_national_force,
            coalesce(kinds.sort_order, 99) as kind_order
        from marts.local_area_compliance as figures
        left join reference.metrics as metrics
            on figures.metric_id = metrics.metric_id
            and figures.metric_version = metrics.metric_version
        inner join staging.stg_periods as periods on figures.period_code = periods.period_code
        left join reference.rights as rights
            on figures.right_number = rights.right_number
            and (rights.valid_from is null or rights.valid_from <= periods.last_day)
            and (rights.valid_to is null or rights.valid_to >= periods.last_day)
        left join reference.body_kinds as kinds on figures.body_kind = kinds.body_kind
        where figures.period_code = ?
        order by
            figures.pfa_code, kind_order, figures.body_kind, figures.right_number, figures.metric_id,
            figures.collection_mode, figures.sampling_frame
        """,
        [period_code],
    )
    names = [item[0] for item in cursor.description or []]
    by_area: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        stem = str(row["body_kind"]).upper() if row["is_national_force"] else str(row["pfa_code"])
        if not _FILE_STEM.fullmatch(stem):
            raise ValueError(
                f"Area code {stem!r} cannot name a file; correct it in the areas reference table."
            )
        by_area[stem].append(_line(row))
    if not by_area:
        raise ValueError(f"No local figure for {period_code}; build the warehouse for that quarter first.")
    files = {f"{stem}.csv": csv_bytes(HEADER, lines) for stem, lines in by_area.items()}
    changed = publish_folder(out_dir, files)
    return LocalFiguresSummary(
        period_code, out_dir, {stem: len(by_area[stem]) for stem in sorted(by_area)}, changed
    )


def _line(row: Mapping[str, Any]) -> tuple[object, ...]:
    derived = {
        "area_code": row["pfa_code"],
        "body_name": labels.body_name(row["body_kind"], row["area_name"]),
        "figure_status_text": labels.FIGURE_STATUSES.get(row["figure_status"], row["figure_status"]),
        "collection_mode": labels.COLLECTION_MODES.get(row["collection_mode"], row["collection_mode"]),
        "sampling_frame": labels.SAMPLING_FRAMES.get(row["sampling_frame"], row["sampling_frame"]),
        "rate_percent": _percent(row["compliance_rate"]),
        "rate_lower_percent": _percent(row["rate_lower"]),
        "rate_upper_percent": _percent(row["rate_upper"]),
        "like_areas_rate_percent": _percent(row["like_areas_rate"]),
        "previous_rate_percent": _percent(row["previous_rate"]),
        "year_ago_rate_percent": _percent(row["year_ago_rate"]),
        "reading": _reading(row),
        "marking": labels.MARKING,
    }
    return tuple(derived[name] if name in derived else row[name] for name in HEADER)


def _reading(row: Mapping[str, Any]) -> str:
    """The figure in one or two sentences; says why there is none where there is none."""
    if row["figure_status"] in {"not_submitted", "not_applicable", "not_collected"}:
        reason = f" ({row['not_collected_reason']})" if row["not_collected_reason"] else ""
        return f"{labels.FIGURE_STATUSES[row['figure_status']]}{reason}."
    if row["unit"] != "proportion":
        return "A count; no rate is made from it."
    if row["compliance_rate"] is None:
        return "No cases in this quarter; no rate can be made."
    sentences = []
    if row["figure_status"] == "incomplete":
        sentences.append(
            f"Incomplete: {row['senders_received']} of {row['senders_expected']} returns are in."
        )
    sentences.append(f"{_of(row['compliance_rate'], row['case_count'])}.")
    change = labels.CHANGES.get(row["change_from_previous"] or "")
    if change is None:
        sentences.append("No comparable figure for the quarter before.")
    else:
        sentences.append(
            f"{change} the quarter before ({_of(row['previous_rate'], row['previous_case_count'])})."
        )
    if row["year_ago_rate"] is not None:
        sentences.append(f"A year ago: {_of(row['year_ago_rate'], row['year_ago_case_count'])}.")
    if row["like_areas_rate"] is not None:
        sentences.append(
            f"{row['like_area_count']} like areas together:"
            f" {_of(row['like_areas_rate'], row['like_areas_case_count'])}."
        )
    return " ".join(sentences)


def _of(rate: float | None, base: int | None) -> str:
    return f"{labels.percent(rate)} of {base:,}" if rate is not None and base is not None else "no rate"


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 1)

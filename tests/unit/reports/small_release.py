"""Small releases with the real files and columns, made by hand: what tests of pages and of the data tool read.

    release = make_release(tmp_path, "2026-27-Q1", local_compliance=[proportion(ESSEX, "police", REFERRED, 200, 150)])
    with open_published([release], SEEDS) as connection: ...

Tables of reference are those of the real seeds. Figures are whatever the test gives; what it leaves out is empty,
but for the columns that follow from others (period, names, definition).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.files import csv_bytes
from reports.published import PublishedRelease

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
ESSEX, KENT, BTP = "E23000028", "E23000032", "BTP"
REFERRED, RECORDED, OFFERED = "r04_s02_referral_prop", "r02_s01_recorded_24h", "r07_s01_vps_offered"

# Columns of every table of figures; after the colon the type: i and n whole numbers, f number, b truth, d date.
COLUMNS: Mapping[str, Sequence[str]] = {
    name: columns.split()
    for name, columns in {
        "area_groups": """
        release_period_code period_code group_kind group_code group_name area_code area_name
        is_combined:b
    """,
        "group_compliance": """
        release_period_code period_code period_label group_kind group_code group_name body_kind
        metric_id collection_mode sampling_frame right_number:i metric_definition unit
        areas_expected:i areas_published:i case_share_covered:f case_count:n met_count:n
        reported_count:n rate_percent:i rate_is_about:b rate_lower_percent:i rate_upper_percent:i
        published_as obs_status obs_note disclosure_rule_version:i
    """,
        "group_feedback": """
        release_period_code year_code year_label group_kind group_code group_name body_kind
        question_id survey_mode collected_by right_number:i item_definition areas_expected:i
        areas_published:i answer_share_covered:f valid_answer_count:n good_count:n rate_percent:i
        rate_is_about:b rate_lower_percent:i rate_upper_percent:i published_as obs_status obs_note
        disclosure_rule_version:i
    """,
        "local_benchmarks": """
        release_period_code period_code body_kind area_code metric_id collection_mode sampling_frame
        area_name right_number:i rate_percent:i like_areas_expected:i like_areas_published:i
        like_areas_case_count:n like_areas_met_count:n like_areas_rate_percent:i
        like_areas_lower_percent:i like_areas_upper_percent:i obs_status obs_note
        disclosure_rule_version:i
    """,
        "local_compliance": """
        release_period_code period_code period_label body_kind area_code area_name region_code
        region_name right_number:i metric_id metric_definition unit collection_mode sampling_frame
        case_count:n met_count:n reported_count:n rate_percent:i rate_is_about:b
        rate_lower_percent:i rate_upper_percent:i rate_band published_as obs_status obs_note
        disclosure_rule_version:i
    """,
        "local_delivery": """
        release_period_code period_code period_label body_kind area_code area_name region_code
        region_name right_number:i item_id item_definition lowest_grade:i obs_status obs_note
    """,
        "local_feedback": """
        release_period_code year_code year_label body_kind area_code area_name region_code
        region_name right_number:i question_id item_definition survey_mode collected_by
        valid_answer_count:n good_count:n rate_percent:i rate_is_about:b rate_lower_percent:i
        rate_upper_percent:i rate_band published_as obs_status obs_note disclosure_rule_version:i
    """,
        "national_breakdowns": """
        release_period_code year_code year_label information body_kind item_id breakdown
        breakdown_value collection_mode sampling_frame collected_by right_number:i item_definition
        breakdown_label regions_expected:i regions_published:i base_share_covered:f base_count:n
        good_count:n rate_percent:i rate_is_about:b rate_lower_percent:i rate_upper_percent:i
        published_as obs_status obs_note disclosure_rule_version:i
    """,
        "notice_grounds": """
        release_period_code notice_id body_kind area_code right_number:i metric_id period_code
        collection_mode sampling_frame limit_percent:i statement disclosure_rule_version:i
    """,
        "notices": """
        release_period_code notice_id body_kind area_code area_name right_number:i right_title
        notice_scope notice_status recipient_code recipient_name summary request sos_agreed_on:d
        ag_agreed_on:d vc_consulted_on:d published_on:d plan_due_on:d plan_link update_due_on:d
        closed_on:d
    """,
        "publication_shares": """
        release_period_code table_name body_kind item_id cells_expected:i cells_value:i
        cells_about:i cells_band:i cells_base:i cells_suppressed:i cells_not_submitted:i
        cells_not_available:i large_cells:i large_cells_published:i large_published_percent:i
        disclosure_rule_version:i
    """,
        "region_breakdowns": """
        release_period_code year_code year_label information body_kind region_code region_name
        right_number:i item_id item_definition breakdown breakdown_value breakdown_label
        collection_mode sampling_frame collected_by base_count:n good_count:n rate_percent:i
        rate_is_about:b rate_lower_percent:i rate_upper_percent:i rate_band published_as obs_status
        obs_note disclosure_rule_version:i
    """,
    }.items()
}

_QUARTERS = {
    "Q1": ("April to June", 0),
    "Q2": ("July to September", 0),
    "Q3": ("October to December", 0),
    "Q4": ("January to March", 1),
}


def period_label(period_code: str) -> str:
    """2025-26-Q4 -> January to March 2026 (2025/26 Q4)."""
    year, part = period_code[:7], period_code[8:]
    months, later = _QUARTERS[part]
    return f"{months} {int(year[:4]) + later} ({year.replace('-', '/')} {part})"


def wilson(met: int, cases: int) -> tuple[int, int]:
    """The 95% interval in whole percent, lower limit down, upper limit up (Wilson 1927)."""
    z, share = 1.959964, met / cases
    middle = share + z * z / (2 * cases)
    half = z * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    whole = 1 + z * z / cases
    return math.floor(100 * (middle - half) / whole), math.ceil(100 * (middle + half) / whole)


def proportion(
    area_code: str, body_kind: str, metric_id: str, cases: int, met: int, **changes: Any
) -> dict[str, Any]:
    """A row of `local_compliance` with a published rate; `changes` replace its columns."""
    lower, upper = wilson(met, cases)
    return {
        "area_code": area_code,
        "body_kind": body_kind,
        "metric_id": metric_id,
        "case_count": cases,
        "met_count": met,
        "rate_percent": round(100 * met / cases),
        "rate_is_about": False,
        "rate_lower_percent": lower,
        "rate_upper_percent": upper,
        "published_as": "value",
        **changes,
    }


def without(
    area_code: str, body_kind: str, metric_id: str, obs_status: str, **changes: Any
) -> dict[str, Any]:
    """A row of `local_compliance` without a figure: `c` withheld, `x`, `z` or `w`."""
    chosen = "census" if obs_status == "c" else "none"
    return {
        "area_code": area_code,
        "body_kind": body_kind,
        "metric_id": metric_id,
        "collection_mode": chosen,
        "sampling_frame": "all_cases" if obs_status == "c" else "none",
        "published_as": "suppressed" if obs_status == "c" else None,
        "obs_status": obs_status,
        **changes,
    }


def make_release(
    folder: Path,
    period_code: str,
    *,
    version: str = "1.0.0",
    issued_on: str = "2026-09-17",
    area_names: Mapping[str, str] | None = None,
    only_areas: Collection[str] = (),
    **tables: Iterable[Mapping[str, Any]],
) -> PublishedRelease:
    """Write `folder/releases/<period>/v<version>/` with every table and table of reference, and describe it.

    `area_names` replaces names of areas (code -> name), in all files; `only_areas` are the areas there are, if
    not all. A row may leave columns out. Raises ValueError for a table or a column that no release has.
    """
    home = folder / "releases" / period_code / f"v{version}"
    home.mkdir(parents=True)
    if unknown := set(tables) - set(COLUMNS):
        raise ValueError(f"No release has the table {', '.join(sorted(unknown))}.")
    reference = _references(area_names or {}, only_areas)
    files: dict[str, bytes] = {}
    for name, columns in COLUMNS.items():
        rows = [_completed(row, name, period_code, reference) for row in tables.get(name, ())]
        names = [column.split(":")[0] for column in columns]
        files[f"{name}.csv"] = csv_bytes(names, [[row[column] for column in names] for row in rows])
        _write_parquet(home / f"{name}.parquet", columns, rows)
    for name, (header, values) in reference.items():
        files[f"{name}.csv"] = csv_bytes(header, values)
    for name, content in files.items():
        (home / name).write_bytes(content)
    sums = "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(home.iterdir())
    ).encode()
    (home / "SHA256SUMS").write_bytes(sums)
    return PublishedRelease(
        period_code, period_label(period_code), version, issued_on, hashlib.sha256(sums).hexdigest(), home
    )


def _completed(
    row: Mapping[str, Any],
    table: str,
    period_code: str,
    reference: Mapping[str, tuple[Sequence[str], list[Any]]],
) -> dict[str, Any]:
    names = [column.split(":")[0] for column in COLUMNS[table]]
    if unknown := set(row) - set(names):
        raise ValueError(f"The table {table} has no column {', '.join(sorted(unknown))}.")
    start = int(period_code[:4]) - (0 if period_code.endswith("Q4") else 1)
    year = f"{start}-{(start + 1) % 100:02}"
    known: dict[str, Any] = {
        "release_period_code": period_code,
        "period_code": period_code,
        "period_label": period_label(period_code),
        "year_code": f"{year}-FY",
        "year_label": f"April {start} to March {start + 1}",
        "obs_note": "p",
        "disclosure_rule_version": 0,
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "survey_mode": "mixed",
        "collected_by": "survey",
    }
    area = _found(reference["areas"], "area_code", row.get("area_code"))
    item = row.get("metric_id") or row.get("question_id") or row.get("item_id")
    metric = _found(reference["metric-catalogue"], "metric_id", item)
    known |= {name: area.get(name) for name in ("area_name", "region_code", "region_name")}
    known |= {name: metric.get(name) for name in ("right_number", "right_title", "unit")}
    known |= {"metric_definition": metric.get("definition"), "item_definition": metric.get("definition")}
    return {name: row.get(name, known.get(name)) for name in names}


def _found(table: tuple[Sequence[str], list[Any]], key: str, value: object) -> dict[str, Any]:
    header, rows = table
    place = list(header).index(key)
    return next((dict(zip(header, row, strict=True)) for row in rows if row[place] == value), {})


def _references(
    area_names: Mapping[str, str], only_areas: Collection[str]
) -> dict[str, tuple[Sequence[str], list[Any]]]:
    spec = importlib.util.spec_from_file_location(
        "small_publication", Path(__file__).with_name("small_publication.py")
    )
    assert spec is not None and spec.loader is not None
    module = _MODULES.get("small_publication")
    if module is None:
        module = _MODULES["small_publication"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    tables: dict[str, tuple[Sequence[str], list[Any]]] = {
        table.name: (table.column_names, [list(row) for row in table.rows]) for table in module.references()
    }
    header, rows = tables["areas"]
    code, name = list(header).index("area_code"), list(header).index("area_name")
    rows[:] = [row for row in rows if not only_areas or row[code] in only_areas]
    for row in rows:
        row[name] = area_names.get(row[code], row[name])
    tables["data-dictionary"] = (
        ("file", "column", "position", "type", "is_key", "description"),
        [
            (f"{table}.csv", column.split(":")[0], place, "string", False, "")
            for table, columns in COLUMNS.items()
            for place, column in enumerate(columns, start=1)
        ],
    )
    return tables


_MODULES: dict[str, Any] = {}


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "": pa.string(),
        "i": pa.int32(),
        "n": pa.int64(),
        "f": pa.float64(),
        "b": pa.bool_(),
        "d": pa.date32(),
    }
    fields = [pa.field(name, types[kind]) for name, _, kind in (column.partition(":") for column in columns)]
    values = [pa.array([_day(row[field.name]) for row in rows], type=field.type) for field in fields]
    pq.write_table(pa.Table.from_arrays(values, schema=pa.schema(fields)), path)


def _day(value: Any) -> Any:
    return dt.date.fromisoformat(value) if isinstance(value, str) and _is_day(value) else value


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit()

"""Small warehouse files for tests: tables with the columns the dbt models declare, and the seeds as they are.

The columns come from the models' own descriptions, so that a renamed column breaks a test here and not a run.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import yaml

PROJECT = Path(__file__).parents[3]
MARTS = PROJECT / "dbt_project" / "models" / "marts"
SEEDS = PROJECT / "dbt_project" / "seeds"
SEED_TABLES = (
    "bodies",
    "body_kinds",
    "disclosure_rules",
    "metric_links",
    "metrics",
    "rights",
    "sender_bodies",
    "severe_rules",
)

DATE_COLUMNS = {"valid_from", "valid_to", "effective_from", "effective_to"}

PERIODS = [
    ("2025-26-Q1", "2025-04-01", "2025-06-30", "April to June 2025 (2025/26 Q1)", 8100, "2025-08-11"),
    ("2025-26-Q2", "2025-07-01", "2025-09-30", "July to September 2025 (2025/26 Q2)", 8101, "2025-11-11"),
    ("2025-26-Q3", "2025-10-01", "2025-12-31", "October to December 2025 (2025/26 Q3)", 8102, "2026-02-12"),
]


@functools.cache
def mart_columns() -> dict[str, dict[str, str]]:
    """Mart -> name -> type of every column its dbt description declares."""
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for path in sorted(MARTS.rglob("*.yml"))
        for model in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader).get("models", [])
    }


def create_warehouse(
    path: Path, marts: Mapping[str, Sequence[Mapping[str, Any]]], *, more_seeds: Sequence[str] = ()
) -> Path:
    """A DuckDB file with the given marts (name -> rows; a column left out is NULL), seeds and periods.

    `more_seeds` are reference tables beyond those that most tests need.
    """
    with duckdb.connect(str(path)) as con:
        con.execute(
            "begin; create schema marts; create schema reference; create schema staging; "
            "create schema intermediate"
        )
        for name, rows in marts.items():
            columns = mart_columns()[name]
            con.execute(f"create table marts.{name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")
            for row in rows:
                unknown = set(row) - set(columns)
                assert not unknown, f"{name} has no column {unknown}"
                marks = ", ".join("?" for _ in row)
                con.execute(
                    f"insert into marts.{name} ({', '.join(row)}) values ({marks})", list(row.values())
                )
        for seed in (*SEED_TABLES, *more_seeds):
            path_of_seed = SEEDS / f"{seed}.csv"
            header = path_of_seed.read_text(encoding="utf-8").splitlines()[0].split(",")
            # a column of open ends alone would be read as text
            dates = ", ".join(f"'{name}': 'date'" for name in header if name in DATE_COLUMNS)
            types = f", types={{{dates}}}" if dates else ""
            con.execute(
                f"create table reference.{seed} as from read_csv('{path_of_seed}', header=true{types})"
            )
        con.execute("create table intermediate.int_severe_rules as from reference.severe_rules")
        con.execute(
            "create table staging.stg_periods (period_code varchar, first_day date, last_day date,"
            " period_label varchar, quarter_index integer, review_due_on date)"
        )
        con.executemany("insert into staging.stg_periods values (?, ?, ?, ?, ?, ?)", PERIODS)
        con.execute("commit")
    return path

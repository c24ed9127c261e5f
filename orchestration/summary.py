"""What there is after a run, on one screen.

What belongs here: reading the served build, the receipts and the outcomes of the checks. What does not:
judging.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.paths import EMPTY
from ingest.receipts import OUTCOMES
from orchestration.serving import DATABASE
from orchestration.terminal import table
from orchestration.warehouse import open_reader, table_rows

if TYPE_CHECKING:
    import duckdb

    from orchestration.project import Project

PLAINLY_ACCEPTED, WITH_WARNINGS, REJECTED, DUPLICATE, QUARANTINED = OUTCOMES
UI_ADDRESS = "http://127.0.0.1:3000"


@dataclass(frozen=True)
class CheckCounts:
    """How the checks of a build came out."""

    passed: int
    warned: int
    failed: int


def summary(project: Project, period_codes: Sequence[str], final_codes: Sequence[str]) -> str:
    """Return the summary as text: returns, rows, checks, flags, and where everything is.

    `final_codes` are those of the periods whose build was final.
    """
    build = project.warehouse.current()
    if build is None:
        return "No build is served yet."
    with open_reader(build.path) as connection:
        parts = [
            "\nReturns\n" + _indent(table(RETURNS_HEADER, returns_by_period(project, connection))),
            "\nRows\n" + _indent(table(("stage", "tables", "rows"), rows_by_stage(project, build.path))),
            "\nChecks\n" + _indent(_checks_line(project, build.build_id)),
            "\nFlagged (body, area and right)\n"
            + _indent(table(FLAGS_HEADER, flags_by_period(connection, period_codes))),
        ]
    parts.append("\nWhere\n" + _indent(_places(project, build.path, period_codes, final_codes)))
    return "\n".join(parts)


RETURNS_HEADER = ("period", "expected", "accepted", "with warnings", "rejected", "duplicate", "missing")


def returns_by_period(project: Project, connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Return one row a period: senders expected, receipts by outcome, senders without an accepted return."""
    expected = {
        code: (int(count), int(missing))
        for code, count, missing in connection.execute(
            """
            select
                period_code,
                count(*) filter (where is_expected),
                count(*) filter (where is_expected and submission_status in ('rejected', 'not_submitted'))
            from marts.quality_submissions
            group by period_code
            """
        ).fetchall()
    }
    received = Counter(
        (period, outcome)
        for period, outcome in connection.execute(
            "select period_code, outcome from staging.stg_receipts"
        ).fetchall()
    )
    periods = sorted({*expected, *(period or "not read" for period, _ in received)})
    rows: list[tuple[object, ...]] = []
    for period in periods:
        key = None if period == "not read" else period
        count, missing = expected.get(period, (None, None))
        accepted = sum(received[(key, outcome)] for outcome in (PLAINLY_ACCEPTED, WITH_WARNINGS))
        rejected = received[(key, REJECTED)] + received[(key, QUARANTINED)]
        rows.append(
            (
                period,
                count,
                accepted,
                received[(key, WITH_WARNINGS)],
                rejected,
                received[(key, DUPLICATE)],
                missing,
            )
        )
    return rows


def rows_by_stage(project: Project, warehouse_file: Path) -> list[tuple[str, int, int]]:
    """Return stage, number of tables and rows, from raw through marts."""
    import pyarrow.parquet as pq

    from orchestration.warehouse import raw_files

    files = [path for path in raw_files(project.root) if path.name != EMPTY]
    raw = (
        "raw",
        len({path.parent for path in files}),
        sum(pq.read_metadata(path).num_rows for path in files),
    )
    counted = table_rows(warehouse_file)
    order = ("reference", "staging", "intermediate", "marts")
    return [
        raw,
        *((stage, len(counted[stage]), sum(counted[stage].values())) for stage in order if stage in counted),
    ]


def check_counts(project: Project, build_id: str) -> dict[str, CheckCounts]:
    """Return the outcome of the contracts' promises and of dbt's tests of a build."""
    counts = {}
    contracts = project.checks_path(build_id)
    if contracts.is_file():
        document = json.loads(contracts.read_bytes())
        counts["contract promises"] = CheckCounts(document["passed"], document["warned"], document["failed"])
    tests = project.dbt_tests_path(build_id)
    if tests.is_file():
        states = Counter(test["status"] for test in json.loads(tests.read_bytes())["tests"])
        failed = states["fail"] + states["error"]
        counts["dbt tests"] = CheckCounts(states["pass"], states["warn"], failed)
    return counts


def _checks_line(project: Project, build_id: str) -> str:
    rows = [
        (what, found.passed, found.warned, found.failed)
        for what, found in check_counts(project, build_id).items()
    ]
    return table(("checks", "passed", "warned", "failed"), rows)


FLAGS_HEADER = ("period", "recommended", "of these not sent", "watch")


def flags_by_period(
    connection: duckdb.DuckDBPyConnection, period_codes: Sequence[str]
) -> list[tuple[object, ...]]:
    """Return one row a quarter: recommended to the Board, of these for not sending, and on watch."""
    return connection.execute(
        """
        select
            period_code,
            count(*) filter (where is_recommended) as recommended,
            count(*) filter (where result = 'NON_SUBMISSION') as not_sent,
            count(*) filter (where result = 'SEVERE') as watch
        from marts.oversight_persistence
        where list_contains(?, period_code)
        group by period_code
        order by period_code
        """,
        [list(period_codes)],
    ).fetchall()


def _places(
    project: Project, warehouse_file: Path, period_codes: Sequence[str], final_codes: Sequence[str]
) -> str:
    root = project.root
    places = [
        ("marts", f"{root.serving_current / DATABASE} (DuckDB, schema marts; Parquet lies beside it)"),
        ("checks", str(project.checks_path(warehouse_file.stem))),
        ("packs", str(root.packs / period_codes[-1])),
    ]
    if final_codes:
        latest = final_codes[-1]
        places[1:1] = [
            ("draft release", str(root.drafts / latest)),
            ("flags", str(root.flags / latest / "flags.html")),
            ("register", str(root.register)),
        ]
    places.append(("web page", f"make ui, then {UI_ADDRESS}"))
    width = max(len(name) for name, _ in places)
    return "\n".join(f"{name.ljust(width)}  {where}" for name, where in places)


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

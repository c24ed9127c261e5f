"""One national quarter: what receiving it costs above the floor of merely reading the same files.

The floor is the parsing libraries alone (calamine for .xlsx, zipfile and csv for .zip), in one process.
Receiving adds acceptance, receipts, the archive and the typed pieces; it is measured with one worker, so that
the two compare.
"""

from __future__ import annotations

import csv
import io
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from ingest.clock import FixedClock
from ingest.form import load_forms
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw
from ingest.receive import receive
from ingest.reference import Reference
from ingest.synthetic import generate

PERIOD = "2025-26-Q1"
PROJECT = Path(__file__).resolve().parents[1]


def read_only(files: list[Path]) -> int:
    """Read every cell of every file and keep nothing; return the number of rows."""
    rows = 0
    for path in files:
        if path.suffix == ".xlsx":
            workbook = CalamineWorkbook.from_path(str(path))
            rows += sum(len(workbook.get_sheet_by_name(name).to_python()) for name in workbook.sheet_names)
        else:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    text = archive.read(name).decode("utf-8-sig")
                    rows += sum(1 for _ in csv.reader(io.StringIO(text, newline="")))
    return rows


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and what the call returned."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def main() -> int:
    """Measure and print a table."""
    reference, forms = Reference.load(PROJECT / "dbt_project" / "seeds"), load_forms()
    with tempfile.TemporaryDirectory() as folder:
        root = DataRoot(Path(folder) / "data")
        root.create()
        summary = generate(root.inbox, reference, forms, first_period=PERIOD, quarters=1)
        files = sorted(path for path in root.inbox.rglob("*") if path.suffix in (".xlsx", ".zip"))
        floor, rows = timed(lambda: read_only(files))
        clock = FixedClock(datetime(2025, 9, 1, tzinfo=UTC))
        received, _ = timed(lambda: receive(root, reference, forms, clock, workers=1))
        period = Period.parse(PERIOD)
        compacted, _ = timed(lambda: build_raw(root, reference, forms, [period], through=period))
    print(f"{summary.files} returns, {rows:,} rows\n")
    print(f"{'step':<34}{'ms a return':>12}{'ratio to the floor':>20}")
    for name, seconds in (
        ("read with the libraries alone", floor),
        ("receive: judge, archive, receipt", received),
        ("raw: compact into one file a sheet", compacted),
    ):
        print(f"{name:<34}{1000 * seconds / summary.files:>12.1f}{seconds / floor:>20.2f}")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"\npeak memory of the largest process: {peak / 1024:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""400 returns of one quarter: what receiving them costs above the floor of merely reading the same files.

The floor is the parsing libraries alone (calamine for .xlsx and .ods, zipfile and csv for .zip), in one
process. Receiving adds acceptance, receipts, the archive and the typed pieces, which are parsed on the way.
One worker compares with the floor; two are what a run uses. By type of file the same is measured in this
process: judging and writing the typed pieces, without the ledger, the archive and the processes.
"""

from __future__ import annotations

import csv
import io
import resource
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from ingest.acceptance import Context, judge
from ingest.clock import FixedClock, parse_instant
from ingest.files import sha256_of
from ingest.form import Forms, load_forms
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw, store_parsed
from ingest.receive import receive
from ingest.reference import Reference
from ingest.synthetic import generate
from ingest.synthetic.files import record_arrivals

PERIOD = "2026-27-Q2"
RETURNS = 400
TYPES = (".zip", ".xlsx", ".ods")
PROJECT = Path(__file__).resolve().parents[1]


def read_only(files: list[Path]) -> int:
    """Read every cell of every file and keep nothing; return the number of rows."""
    rows = 0
    for path in files:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    # a few are Windows-1252, in which every byte stands for one sign as well
                    text = archive.read(name).decode("utf-8-sig", "replace")
                    delimiter = next(mark for mark in ",;\t" if mark in text.partition("\n")[0])
                    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
                    rows += sum(1 for _ in lines)
        else:
            workbook = CalamineWorkbook.from_path(str(path))
            rows += sum(len(workbook.get_sheet_by_name(name).to_python()) for name in workbook.sheet_names)
    return rows


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and what the call returned."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def files_of(root: DataRoot) -> list[Path]:
    """All returns that wait in the inbox."""
    return sorted(path for path in root.inbox.rglob("*") if path.suffix in TYPES)


def send_some_again(root: DataRoot, total: int) -> None:
    """Deliver returns once more, with other bytes and the same figures, until there are `total` files."""
    files = files_of(root)
    again = []
    for path in files[:: max(1, len(files) // max(1, total - len(files)))][: total - len(files)]:
        second = path.with_name(f"{path.stem} again{path.suffix}")
        shutil.copyfile(path, second)
        with zipfile.ZipFile(second, "a") as archive:
            archive.comment = b"sent again"
        again.append((path.parent.name, second.name, "2026-12-09T16:00:00Z"))
    record_arrivals(root.inbox, again)


def judge_here(root: DataRoot, files: list[Path], reference: Reference, forms: Forms) -> None:
    """Judge files and write their typed pieces in this process, as a judging process would."""
    arrived_at = parse_instant("2026-12-09T12:00:00Z")
    for path in files:
        judgement = judge(path, Context(reference, forms, arrived_at, path.parent.name))
        if judgement.verdict.is_accepted:
            store_parsed(root, sha256_of(path), judgement.tables)


def main() -> int:
    """Measure and print two tables."""
    reference, forms = Reference.load(PROJECT / "dbt_project" / "seeds"), load_forms()
    clock = FixedClock(datetime(2026, 12, 10, tzinfo=UTC))
    period = Period.parse(PERIOD)
    with tempfile.TemporaryDirectory() as folder:
        root = DataRoot(Path(folder) / "one").create()
        generate(root.inbox, reference, forms, first_period=PERIOD, quarters=1)
        send_some_again(root, RETURNS)
        other = DataRoot(Path(folder) / "two").create()
        shutil.copytree(root.inbox, other.inbox, dirs_exist_ok=True)

        files = files_of(root)
        held = {suffix: [path for path in files if path.suffix == suffix] for suffix in TYPES}
        spare = DataRoot(Path(folder) / "spare").create()
        by_type = {
            suffix: (
                timed(partial(read_only, some))[0],
                timed(partial(judge_here, spare, some, reference, forms))[0],
            )
            for suffix, some in held.items()
        }
        floor, rows = timed(lambda: read_only(files))
        received, summary = timed(lambda: receive(root, reference, forms, clock, workers=1, settle_seconds=0))
        together, _ = timed(lambda: receive(other, reference, forms, clock, workers=2, settle_seconds=0))
        compacted, _ = timed(lambda: build_raw(root, reference, forms, [period], through=period))
    assert len(summary.receipts) == len(files) == RETURNS
    print(f"{len(files)} returns of {PERIOD}, {rows:,} rows; {summary.accepted} accepted\n")
    print(f"{'step':<44}{'seconds':>9}{'ms a return':>13}{'ratio to the floor':>20}")
    for name, seconds in (
        ("read with the libraries alone", floor),
        ("receive and parse, one worker", received),
        ("receive and parse, two workers", together),
        ("raw: compact into one file a sheet", compacted),
    ):
        each = 1000 * seconds / len(files)
        print(f"{name:<44}{seconds:>9.1f}{each:>13.1f}{seconds / floor:>20.2f}")
    print(
        f"\n{'type of file':<14}{'returns':>9}{'read alone, ms':>17}{'judge and parse, ms':>21}{'ratio':>9}"
    )
    for suffix, (alone, judged) in by_type.items():
        count = max(1, len(held[suffix]))
        print(
            f"{suffix:<14}{len(held[suffix]):>9}{1000 * alone / count:>17.1f}"
            f"{1000 * judged / count:>21.1f}{judged / alone:>9.2f}"
        )
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"\npeak memory of the largest process: {peak / 1024:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

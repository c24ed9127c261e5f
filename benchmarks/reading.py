"""What it takes to make all that people read: every local pack of a quarter, and the public site.

    python -m benchmarks.reading --data <data root> --period 2026-27-Q1

Both are made from start to end, as `vcc packs` and `vcc site build` make them, but into a folder that is then
thrown away. What counts is processor time, user and system, of this process and all that it starts: other
programs disturb it less than the clock. Then one pack is taken apart.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reports.documents.pdf import pdf_of
from reports.files import publish_folder
from reports.packs.local import build_local_packs
from reports.packs.provenance import Provenance
from reports.published import PublishedRelease, releases_in
from reports.site.build import build_site

PROJECT = Path(__file__).parents[1]
SEEDS = PROJECT / "dbt_project" / "seeds"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="a data root with releases and a served copy"
    )
    parser.add_argument("--period", required=True, help="the quarter of the packs, such as 2026-27-Q1")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    data = chosen.data.resolve()
    warehouse = data / "warehouse" / "serving" / "current" / "victims_code.duckdb"
    shown, versions = releases_in(data / "public")

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        packs, packs_clock = _spent(lambda: _packs(warehouse, chosen.period, shown, out, chosen.workers))
        site, site_clock = _spent(lambda: _site(shown, versions, out / "site", chosen.workers))
        pages = sorted((out / "packs").glob("*[0-9].html"))
        print(f"local packs: {packs:.0f} s of processor, {packs_clock:.0f} s by the clock")
        print(f"site:        {site:.0f} s of processor, {site_clock:.0f} s by the clock")
        print(
            f"together:    {packs + site:.0f} s of processor, {packs_clock + site_clock:.0f} s by the clock"
        )
        print(f"the packs take {packs / site:.1f} times the site")

        page = pages[0].read_text(encoding="utf-8")
        pdf_of(page)  # imports and fonts, once
        printing, _ = _spent(lambda: [pdf_of(each.read_text(encoding="utf-8")) for each in pages[:5]])
        each = printing / len(pages[:5])
        share = each * len(list((out / "packs").glob("*.pdf"))) / packs
        print(f"a PDF: {each:.2f} s of processor; all of them {share:.0%} of what the packs take")


def _packs(warehouse: Path, period: str, shown: Sequence[PublishedRelease], out: Path, workers: int) -> None:
    release = next((each for each in shown if each.period_code == period), None)
    provenance = Provenance(
        period,
        release.period_label if release else period,
        "final",
        "benchmark",
        release_id=release.release_id if release else None,
        sums_sha256=release.sums_sha256 if release else None,
    )
    build_local_packs(
        warehouse,
        period,
        "final",
        provenance,
        out / "packs",
        workers=workers,
        published=shown,
        seeds=SEEDS,
    )


def _site(shown: Sequence[PublishedRelease], versions: Any, out: Path, workers: int) -> None:
    publish_folder(out, build_site(shown, versions, SEEDS, PROJECT / "node_modules", workers=workers))


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor of this process and of those it started and waited for; seconds by the clock."""
    before, started = _processor(), time.perf_counter()
    work()
    return _processor() - before, time.perf_counter() - started


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()

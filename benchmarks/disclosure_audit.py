"""The audit of one national quarter with a ledger of six quarters: what it costs above reading the ledger.

The figures are made up: forty areas, 55 metrics, counts from a handful to thousands, published by rules 1 to
4. The fourth quarter also carries breakdowns by region and year that add up to the local cells of the year:
these hang together over areas and quarters, and insiders are tried there. The floor is reading the stored
ledger. `--workers 1` shows one core, `--everything` judges all six quarters again as well.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quality.disclosure.audit import Audit, audit
from quality.disclosure.ledger import LedgerRow, ledger_bytes, read_ledger
from quality.disclosure.model import Criteria
from quality.disclosure.rules import Rules

RULES = Rules(
    version=0,
    suppress_max=7,
    rounding_base=5,
    whole_percent_n_min=100,
    interval_z=1.959964,
    respondents_min=10,
)
CRITERIA = Criteria(
    small_max=7, small_values=4, small_reach=3, other_values=3, rate_base=20, rate_points=10.0
)
QUARTERS = ("2025-26-Q1", "2025-26-Q2", "2025-26-Q3", "2025-26-Q4", "2026-27-Q1", "2026-27-Q2")
YEAR = QUARTERS[:4]
REGIONS = 10
AREAS_OF_A_REGION = 4
METRICS = 55
BROKEN_DOWN = 28
VALUES = (2, 5, 8, 6)


def rows_of(cell: str, table: str, base: int, met: int, release: str) -> Iterator[LedgerRow]:
    """What the rules publish of a cell: its base, and the cases met or a band."""

    def row(column: str, form: str, **said: Any) -> LedgerRow:
        return LedgerRow(release, table, cell, column, cell, form=form, rule_version=0, **said)

    if base <= RULES.suppress_max:
        yield row("case_count", "suppressed", measure="base", text="c", lower=0, upper=RULES.suppress_max)
        return
    rounded, part, unmet = 5 * round(base / 5), 5 * round(met / 5), base - met
    low, high = RULES.box(rounded)
    yield row("case_count", "rounded", measure="base", value=float(rounded), lower=low, upper=high)
    if min(met, unmet) <= RULES.suppress_max or rounded - part <= 5 or part <= 5:
        limit = RULES.open_limit(rounded)
        if limit is not None and max(met, unmet) > RULES.suppress_max:
            if rounded - part <= part:
                text = f"{limit}% and over"
                yield row("rate_band", "open_band_high", measure="rate", text=text, lower=limit)
            else:
                text = f"up to {100 - limit}%"
                yield row("rate_band", "open_band_low", measure="rate", text=text, upper=100 - limit)
    elif rounded >= 40:
        low, high = RULES.box(part)
        yield row("met_count", "rounded", measure="met", value=float(part), lower=low, upper=high)
    elif rounded >= 20:
        band = next(
            text
            for text, (_, end) in (
                ("under 50%", (0, 50)),
                ("50% to 79%", (50, 80)),
                ("80% and over", (80, 101)),
            )
            if 100 * met < end * base
        )
        found = RULES.band(band, rounded)
        assert found is not None
        yield row("rate_band", "closed_band", measure="rate", text=band, lower=found.lower, upper=found.upper)


def split_up(total: int, parts: int, chance: random.Random) -> list[int]:
    """A total in random parts."""
    marks = sorted(chance.randint(0, total) for _ in range(parts - 1))
    return [end - start for start, end in zip([0, *marks], [*marks, total], strict=True)]


def national(
    chance: random.Random,
) -> tuple[list[LedgerRow], list[dict[str, Any]], list[dict[str, Any]]]:
    """Ledger, true counts and relations of six quarters."""
    ledger: list[LedgerRow] = []
    truth: list[dict[str, Any]] = []
    relations: list[dict[str, Any]] = []
    for metric in range(METRICS):
        size = 10 ** chance.uniform(1.0, 3.5)
        rate = chance.betavariate(6, 2)
        for region in range(REGIONS):
            cells = []
            for area in range(AREAS_OF_A_REGION):
                for quarter in QUARTERS:
                    base = int(size * chance.lognormvariate(0, 0.6))
                    met = sum(chance.random() < rate for _ in range(base)) if base < 50 else int(base * rate)
                    cell = f"statistic|police|{region}-{area}|m{metric}|{quarter}|census|all_cases"
                    release = f"{quarter}/v1.0.0"
                    ledger += rows_of(cell, "local_compliance", base, met, release)
                    truth.append(
                        {"cell_id": cell, "release_id": release, "base_count": base, "met_count": met}
                    )
                    if quarter in YEAR:
                        cells.append((cell, base, met))
            if metric < BROKEN_DOWN:
                breakdowns(cells, metric, region, chance, ledger, truth, relations)
    return ledger, truth, relations


def breakdowns(
    cells: list[tuple[str, int, int]],
    metric: int,
    region: int,
    chance: random.Random,
    ledger: list[LedgerRow],
    truth: list[dict[str, Any]],
    relations: list[dict[str, Any]],
) -> None:
    """The year of a region by four characteristics, each of which adds up to its local cells."""
    release = f"{YEAR[-1]}/v1.0.0"
    for number, values in enumerate(VALUES):
        met = split_up(sum(part for _, _, part in cells), values, chance)
        unmet = split_up(sum(base - part for _, base, part in cells), values, chance)
        for measure in ("base", "met"):
            name = f"{metric}|{region}|{number}|{measure}"
            relations += [
                {"relation_id": name, "cell_id": cell, "measure": measure, "coefficient": -1, "kind": "zero"}
                for cell, _, _ in cells
            ]
        for value in range(values):
            place = f"{region}|m{metric}|2025-26|b{number}|v{value}"
            cell = f"breakdown|statistic|police|{place}|census|all_cases|own"
            base = met[value] + unmet[value]
            ledger += rows_of(cell, "region_breakdowns", base, met[value], release)
            truth.append(
                {"cell_id": cell, "release_id": release, "base_count": base, "met_count": met[value]}
            )
            for measure in ("base", "met"):
                relations.append(
                    {
                        "relation_id": f"{metric}|{region}|{number}|{measure}",
                        "cell_id": cell,
                        "measure": measure,
                        "coefficient": 1,
                        "kind": "zero",
                    }
                )


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--everything", action="store_true", help="judge all six quarters again as well")
    chosen = parser.parse_args()
    ledger, truth, relations = national(random.Random(5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.parquet"
        path.write_bytes(ledger_bytes(ledger))
        start = time.perf_counter()
        read_ledger(path)
        floor = time.perf_counter() - start

    def audited(quarter: str, *, everything: bool = False) -> Audit:
        return audit(
            ledger,
            truth,
            relations,
            CRITERIA,
            rules={0: RULES},
            candidate=f"{quarter}/v1.0.0",
            everything=everything,
            workers=chosen.workers,
        )

    cells = len({row["cell_id"] for row in truth})
    print(
        f"{cells:,} cells and {len(ledger):,} numbers of {len(QUARTERS)} quarters; {chosen.workers} workers\n"
    )
    print(f"{'step':<52}{'seconds':>9}{'ratio to the floor':>20}{'values':>10}{'exposed':>9}")
    print(f"{'read the ledger':<52}{floor:>9.1f}{1:>20.1f}")
    runs = [
        ("the last quarter, local cells only", QUARTERS[-1], False),
        ("a fourth quarter, with its breakdowns and insiders", YEAR[-1], False),
    ]
    if chosen.everything:
        runs.append(("all six quarters again", QUARTERS[-1], True))
    for name, quarter, everything in runs:
        found = audited(quarter, everything=everything)
        seconds = found.seconds["in all"]
        counts = f"{len(found.findings):>10,}{len(found.exposed):>9,}"
        print(f"{name:<52}{seconds:>9.1f}{seconds / floor:>20.1f}{counts}")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"\npeak memory of the largest process: {peak / 1024:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

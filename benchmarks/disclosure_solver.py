"""The disclosure audit's solver on a made-up national ledger of six quarters: what each shortcut is worth.

The ledger: 14,000 cells that stand alone (cases, met, unmet), and 300 region-years whose quarterly area cells
and breakdowns add up to the same totals. Everything is published as the rules say; every count is protected.
An outsider attacks all of it. Ratios are of processor time, within this run.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from quality.disclosure.components import split
from quality.disclosure.model import Criteria, Finding, Known, Problem, Protected, ProtectedRate, Variable
from quality.disclosure.solver import Limits, judge

CELLS = 14_000
REGION_YEARS = 300
AREAS = 10
QUARTERS = 4
BREAKDOWNS = (8, 14, 18)

CRITERIA = Criteria(
    small_max=7, small_values=4, small_reach=3, other_values=3, rate_base=20, rate_points=10.0
)
BANDS = (95, 90, 80, 70, 60, 50)


class Ledger:
    """Cells with true counts, published by rules 1 to 4 in short, as what an outsider knows."""

    def __init__(self, seed: int) -> None:
        """An empty one."""
        self.random = random.Random(seed)
        self.variables: list[Variable] = []
        self.known: list[Known] = []
        self.protected: list[Protected] = []
        self.rates: list[ProtectedRate] = []

    def cell(self, name: str, base: int, met: int) -> None:
        """Publish one cell: base and cases met rounded, or a band, or nothing."""
        n, x, source = f"{name}|n", f"{name}|x", f"row of {name}"
        self.variables += [Variable(n, base), Variable(x, met)]
        self.known.append(Known(((x, 1), (n, -1)), None, 0, f"{source}: met at most base"))
        unmet = ((n, 1), (x, -1))
        self.protected += [
            Protected(f"{name}|base", ((n, 1),), base),
            Protected(f"{name}|met", ((x, 1),), met),
            Protected(f"{name}|unmet", unmet, base - met),
        ]
        self.rates.append(ProtectedRate(f"{name}|rate", ((x, 1),), ((n, 1),), met, base))
        if base <= 7:
            self.known.append(Known(((n, 1),), 0, 7, source))
            return
        rounded = 5 * round(base / 5)
        self.known.append(Known(((n, 1),), rounded - 2, rounded + 2, source))
        if base - met <= 7 or met <= 7:
            band = next((band for band in BANDS if rounded * (100 - band) / 100 >= 10), None)
            if band is not None:
                side = x if base - met <= 7 else None
                terms = ((x, 100), (n, -band)) if side else ((x, -100), (n, 100 - band))
                self.known.append(Known(terms, 0, None, f"{source}: open band"))
        elif rounded >= 40:
            about = 5 * round(met / 5)
            self.known.append(Known(((x, 1),), about - 2, about + 2, source))
        elif rounded >= 20:
            low, high = (0, 50) if 2 * met < base else (50, 80) if 5 * met < 4 * base else (80, 101)
            self.known.append(Known(((x, 100), (n, -low)), 0, None, f"{source}: band"))
            self.known.append(Known(((x, 100), (n, -high)), None, -1, f"{source}: band"))

    def counts(self, typical: float) -> tuple[int, int]:
        """A base around `typical` and the cases met of it."""
        base = int(self.random.lognormvariate(0, 0.8) * typical)
        rate = min(1.0, max(0.0, self.random.gauss(0.8, 0.15)))
        return base, round(base * rate)

    def region_year(self, name: str) -> None:
        """Quarterly area cells and the values of some breakdowns, which all add up to the same totals."""
        areas = [
            (f"{name}, area {area} Q{quarter}", *self.counts(40))
            for area in range(AREAS)
            for quarter in range(1, QUARTERS + 1)
        ]
        for cell in areas:
            self.cell(*cell)
        total, met = sum(base for _, base, _ in areas), sum(met for _, _, met in areas)
        for number, size in enumerate(BREAKDOWNS):
            marks = [self.random.randrange(size) for _ in range(total)]
            good = set(self.random.sample(range(total), met))
            parts = []
            for value in range(size):
                of_value = [person for person, mark in enumerate(marks) if mark == value]
                part = f"{name}, breakdown {number} value {value}"
                parts.append(part)
                self.cell(part, len(of_value), sum(person in good for person in of_value))
            for measure in "nx":
                terms = tuple((f"{part}|{measure}", 1) for part in parts)
                terms += tuple((f"{area}|{measure}", -1) for area, _, _ in areas)
                self.known.append(Known(terms, 0, 0, f"{name}: breakdown {number} adds up ({measure})"))

    def problem(self, attacker: str) -> Problem:
        """What anybody knows who has read everything published."""
        return Problem(
            attacker,
            tuple(self.variables),
            tuple(self.known),
            (),
            tuple(self.protected),
            tuple(self.rates),
        )


def ledger(cells: int, region_years: int) -> Ledger:
    """A made-up ledger of this size."""
    made = Ledger(20260701)
    for number in range(cells):
        made.cell(f"cell {number}, area {number % 43} ", *made.counts(60))
    for number in range(region_years):
        made.region_year(f"region-year {number}")
    return made


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds of wall time, of processor time (finished workers included), and what the call returned."""
    start, used = time.perf_counter(), sum(os.times()[:4])
    result = call()
    return time.perf_counter() - start, sum(os.times()[:4]) - used, result


def said(findings: list[Finding]) -> str:
    """The findings in one line."""
    methods: dict[str, int] = {}
    for finding in findings:
        methods[finding.method] = methods.get(finding.method, 0) + 1
    failed = sum(not finding.passes for finding in findings)
    return f"{failed} fail; {methods}"


def main() -> int:
    """Measure and print."""
    alone, linked = ledger(CELLS, 0), ledger(0, REGION_YEARS)
    every = ledger(CELLS, REGION_YEARS)
    outsider = every.problem("outsider")
    components = split(outsider)
    print(
        f"{len(outsider.variables):,} variables, {len(outsider.known):,} rows, {len(outsider.protected):,}"
        f" protected counts; {len(components):,} components,"
        f" {len({component.system for component in components}):,} different\n"
    )
    print(f"{'step':<52}{'seconds':>9}{'processor':>11}{'ratio':>8}")

    def line(
        name: str, call: Callable[[], Any], floor: float | None = None, times: int = 1
    ) -> tuple[float, Any]:
        wall, used, result = timed(call)
        wall, used = times * wall, times * used
        print(f"{name:<52}{wall:>9.1f}{used:>11.1f}{used / (floor or used):>8.2f}", flush=True)
        return used, result

    cells = alone.problem("outsider")
    floor, _ = line("cells alone, listed, equal ones once", partial(judge, cells, CRITERIA))
    few = ledger(CELLS // 10, 0).problem("outsider")
    line(
        "the same, each by itself (a tenth, times ten)",
        lambda: [judge(one.problem("outsider"), CRITERIA) for one in _singly(few)],
        floor,
        10,
    )
    tenth, _ = line("a tenth of the cells, listed", partial(judge, few, CRITERIA))
    line(
        "a tenth of the cells, by HiGHS", partial(judge, few, CRITERIA, limits=Limits(listed_tables=0)), tenth
    )

    regions = linked.problem("outsider")
    floor, _ = line("region-years, one worker", partial(judge, regions, CRITERIA))
    line("region-years, two workers", partial(judge, regions, CRITERIA, workers=2), floor)

    _, found = line("everything, two workers", partial(judge, outsider, CRITERIA, workers=2))
    print(f"\n{said(found)}")
    return 0


def _singly(problem: Problem) -> list[Ledger]:
    """One ledger a cell of a problem of cells that stand alone."""
    found: list[Ledger] = []
    of_name: dict[str, Ledger] = {}
    for variable in problem.variables:
        of_name.setdefault(variable.name.split("|")[0], Ledger(0)).variables.append(variable)
    for known in problem.known:
        of_name[known.terms[0][0].split("|")[0]].known.append(known)
    for count in problem.protected:
        of_name[count.name.split("|")[0]].protected.append(count)
    for rate in problem.rates:
        of_name[rate.name.split("|")[0]].rates.append(rate)
    found += of_name.values()
    return found


if __name__ == "__main__":
    sys.exit(main())

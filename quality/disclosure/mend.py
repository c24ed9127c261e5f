"""Withholding more until a release passes, and stopping it where that is not enough. Never a number that
loosens.

Suppression levels of a cell: 1 the rate only as a band, 2 the base only, 3 nothing. A number about several
cells (a total, a pooled count) is named by its table and row, and is withheld at level 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quality.disclosure.audit import Audit, Auditor, ExposedCluster, Judge
from quality.disclosure.errors import DisclosureError
from quality.disclosure.ledger import LedgerRow, parquet_bytes
from quality.disclosure.model import Criteria
from quality.disclosure.rules import Rules

BANDS = ("open_band_high", "open_band_low", "closed_band")
_RATES = ("percent_of_counts", "interval_of_counts", "below", "at_least")


@dataclass(frozen=True, order=True)
class Suppression:
    """Something withheld beyond the rules: a cell (or table and row of a total), how much of it, and why."""

    cell_id: str
    level: int
    reason: str


@dataclass(frozen=True)
class Mended:
    """A release that passes: its last audit, its ledger, what had to be withheld, and in how many rounds."""

    audit: Audit
    ledger: tuple[LedgerRow, ...]
    suppressions: tuple[Suppression, ...]
    added: tuple[Suppression, ...]
    rounds: int


def mend(
    audit: Audit, ledger: Sequence[LedgerRow], suppressions: Iterable[Suppression] = ()
) -> list[Suppression]:
    """The next withholding for each group of cells that is exposed: one step, the mildest that is left.

    First a number that ties cells together, then the rate of an exposed cell becomes a band, then the exposed
    cell is withheld, then the smallest other cell: of those that a number or definition ties to it directly,
    then of the rest. Empty where nothing is left that this release could withhold.
    """
    levels = levels_of(suppressions)
    given: dict[str, list[LedgerRow]] = {}
    rows: set[str] = set()
    for row in ledger:
        if row.release_id != audit.candidate:
            continue
        rows.add(f"{row.table_name}|{row.row_key}")
        if row.cell_id is not None:
            given.setdefault(row.cell_id, []).append(row)
    steps = [_step(cluster, given, rows, levels) for cluster in audit.exposed_clusters]
    return sorted({step for step in steps if step is not None})


def _step(
    cluster: ExposedCluster, given: Mapping[str, list[LedgerRow]], rows: set[str], levels: Mapping[str, int]
) -> Suppression | None:
    for total, level, reason in cluster.totals:
        if levels.get(total, 0) >= level:
            continue
        if (total in given and _effective(given[total], level)) or total in rows:
            return Suppression(total, level, f"linking number: {reason}")
    own = cluster.exposed
    others = [cell for cell in cluster.cells if cell not in own]
    for cell in own:
        if levels.get(cell, 0) < 1 and _effective(given.get(cell, []), 1):
            return Suppression(cell, 1, "exposed: its rate becomes a band")
    for level in (2, 3):
        for cell in (cell for cell in cluster.cells if cell in own):
            if levels.get(cell, 0) < level and _effective(given.get(cell, []), level):
                return Suppression(cell, level, "exposed")
    for cell in others:
        # where a base is known too well, only a base withheld hides it
        for level in (3,) if cluster.has_exposed_base else (2, 3):
            if levels.get(cell, 0) < level and _effective(given.get(cell, []), level):
                return Suppression(cell, level, "hangs together with an exposed cell")
    return None


def _effective(rows: Iterable[LedgerRow], level: int) -> bool:
    """Would the level take anything away that the release says?"""
    rows = list(rows)
    met = any(row.form == "rounded" and row.measure == "met" for row in rows)
    if level == 1:
        return met
    if level == 2:
        return met or any(row.form in BANDS or row.form in _RATES for row in rows)
    return any(row.form == "rounded" or row.form in BANDS or row.form in _RATES for row in rows)


def levels_of(suppressions: Iterable[Suppression]) -> dict[str, int]:
    """The level in force of each cell: the greatest."""
    levels: dict[str, int] = {}
    for suppression in suppressions:
        levels[suppression.cell_id] = max(suppression.level, levels.get(suppression.cell_id, 0))
    return levels


def audit_until_safe(
    make_tables: Callable[[tuple[Suppression, ...]], Sequence[LedgerRow]],
    truth: Iterable[Mapping[str, Any]],
    relations: Iterable[Mapping[str, Any]],
    criteria: Criteria,
    *,
    rules: Mapping[int, Rules],
    candidate: str,
    suppressions: Iterable[Suppression] = (),
    order: Sequence[str] | None = None,
    max_rounds: int = 30,
    everything: bool = False,
    judge: Judge | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Mended:
    """Audit, withhold what is exposed, make the tables again, and so on until the release passes.

    `make_tables` makes the draft with the given suppressions and returns the whole ledger: all releases
    before, and the draft. `suppressions` are those of earlier versions: they stay. Raises DisclosureError,
    naming the cells, if nothing is left to withhold, if withholding took no effect, or after `max_rounds`.
    """
    truth, relations = list(truth), list(relations)
    earlier = tuple(sorted(suppressions))
    in_force = earlier
    auditor = Auditor(criteria, rules, candidate, order, everything, judge, workers, progress)
    spent: dict[str, float] = {}
    for number in range(1, max_rounds + 1):
        ledger = tuple(make_tables(in_force))
        found = auditor.audit(ledger, truth, relations)
        spent = {step: spent.get(step, 0.0) + seconds for step, seconds in found.seconds.items()}
        if found.passes:
            added = tuple(item for item in in_force if item not in earlier)
            # a later round judges only what it changed: the report tells the time of all
            return Mended(replace(found, seconds=spent), ledger, in_force, added, number)
        steps = mend(found, ledger, in_force)
        if progress:
            progress(f"round {number}: {len(found.exposed)} cells exposed, {len(steps)} steps")
        levels = levels_of(in_force)
        if not steps:
            raise DisclosureError(
                f"{candidate} must not be published: nothing is left that it could withhold, and "
                f"{_named(found)}. What earlier releases say of them cannot be taken back; withdraw the "
                "candidate."
            )
        if any(step.level <= levels.get(step.cell_id, 0) for step in steps):
            raise DisclosureError(
                f"{candidate}: a suppression would loosen an earlier one; nothing is loosened."
            )
        in_force = tuple(sorted({*in_force, *steps}))
    raise DisclosureError(
        f"{candidate} must not be published: after {max_rounds} rounds of withholding {_named(found)}. Allow "
        "more rounds, or look for what ties these cells together."
    )


def _named(found: Audit) -> str:
    cells = found.exposed
    more = f" and {len(cells) - 10} more" if len(cells) > 10 else ""
    return f"{len(cells)} cells are exposed: {', '.join(cells[:10])}{more}"


def suppressions_bytes(suppressions: Iterable[Suppression]) -> bytes:
    """`suppressions.parquet`: one row a cell and reason; the same suppressions give the same bytes."""
    import pyarrow as pa

    ordered = sorted(set(suppressions))
    schema = pa.schema([("cell_id", pa.string()), ("level", pa.int32()), ("reason", pa.string())])
    return parquet_bytes(
        schema, {name: [getattr(item, name) for item in ordered] for name in ("cell_id", "level", "reason")}
    )


def read_suppressions(path: Path) -> list[Suppression]:
    """A stored `suppressions.parquet`."""
    import pyarrow.parquet as pq

    return [Suppression(**line) for line in pq.read_table(path).to_pylist()]

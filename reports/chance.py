"""How many comparisons with like areas chance alone explains, from their limits and p-values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Chance:
    """The S2 tests of one quarter, those met, and what their p-values say of both."""

    tests: int
    flagged: int
    #: Tests that would fall below their own z limit if no area truly differed from its like areas.
    by_chance: float
    #: At most so many of those met are expected to be false; None where none is met.
    false_at_most: float | None


def chance_of(tests: Iterable[tuple[float | None, bool, float | None]]) -> Chance | None:
    """Add up the assessable S2 tests of a quarter, (z limit, is it met?, adjusted p-value); None for none.

    `by_chance` adds up the probability of falling below each test's own limit. `false_at_most` is the number
    of those met times the largest adjusted p-value among them (Benjamini and Hochberg 1995).
    """
    listed = list(tests)
    if not listed:
        return None
    adjusted = [p_adjusted for _, is_met, p_adjusted in listed if is_met and p_adjusted is not None]
    tails = (0.5 * math.erfc(-limit / math.sqrt(2)) for limit, _, _ in listed if limit is not None)
    return Chance(
        tests=len(listed),
        flagged=sum(bool(is_met) for _, is_met, _ in listed),
        by_chance=math.fsum(tails),
        false_at_most=len(adjusted) * max(adjusted) if adjusted else None,
    )


def chance_of_quarter(con: duckdb.DuckDBPyConnection, period_code: str) -> Chance | None:
    """What chance alone explains of a quarter's tests against like areas; None where none was made."""
    return chance_of(
        con.execute(
            """
            select threshold, is_met, p_adjusted
            from marts.oversight_indicators
            where period_code = ? and indicator = 'S2' and is_assessable and p_value is not null
            """,
            [period_code],
        ).fetchall()
    )

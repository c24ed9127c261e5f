"""What the rules in force tell every reader, as arithmetic: boxes of rounded counts, bands, rates, intervals.

The rules themselves are SQL (dbt_project/macros/methods/disclosure.sql) and a row of the seed
`disclosure_rules`. Here stands only what somebody who has read them can work out from a published figure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from quality.disclosure.model import Criteria

_OPEN_HIGH = (95, 90, 80, 70, 60, 50)
_OPEN_LOW = (5, 10, 20, 30, 40, 50)
#: Text of a closed band -> its limits in percent; the upper one is not part of it.
CLOSED_BANDS: Mapping[str, tuple[int | None, int | None]] = {
    "under 50%": (None, 50),
    "50% to 79%": (50, 80),
    "80% and over": (80, None),
}
_AND_OVER = re.compile(r"(\d+)% and over")
_UP_TO = re.compile(r"up to (\d+)%")


@dataclass(frozen=True)
class Band:
    """A rate band as printed: its form in the ledger and its limits in percent."""

    form: str
    lower: int | None
    upper: int | None


@dataclass(frozen=True)
class Rules:
    """The numbers of one version of the disclosure rules that a reader needs to undo a figure."""

    version: int
    suppress_max: int
    rounding_base: int
    whole_percent_n_min: int
    interval_z: float
    respondents_min: int = 0
    flag_base_min: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Rules:
        """From a row of `disclosure_rules` (or of int_disclosure_rules), values as text or numbers."""
        version = row["rule_version"] if "rule_version" in row else row["disclosure_rule_version"]
        return cls(
            version=int(version),
            suppress_max=int(row["suppress_max"]),
            rounding_base=int(row["rounding_base"]),
            whole_percent_n_min=int(row["whole_percent_n_min"]),
            interval_z=float(row["interval_z"]),
            respondents_min=int(row.get("respondents_min") or 0),
            flag_base_min=int(row.get("flag_base_min") or 0),
        )

    @property
    def below(self) -> int:
        """How far a true count can lie below its rounded one: 2 for a base of 5."""
        return self.rounding_base // 2

    @property
    def above(self) -> int:
        """How far a true count can lie above its rounded one: 2 for a base of 5."""
        return self.rounding_base - 1 - self.below

    def withheld_max(self, *, is_breakdown: bool = False) -> int:
        """The greatest count that is withheld for its size; a breakdown needs `respondents_min` cases."""
        return max(self.suppress_max, self.respondents_min - 1) if is_breakdown else self.suppress_max

    def box(self, value: int, *, is_breakdown: bool = False) -> tuple[int, int]:
        """Least and greatest true count behind a published one. A number that is not a multiple is exact."""
        if value % self.rounding_base:
            return value, value
        least, most = max(value - self.below, 0), value + self.above
        withheld = self.withheld_max(is_breakdown=is_breakdown)
        # a number that the rules would have withheld is printed against them: only rounding hides it
        return (max(least, withheld + 1) if most > withheld else least), most

    def percent(self, part: int, base: int) -> int | None:
        """The rate printed for two rounded counts: a whole percent, or the nearest 10 on a small base."""
        if base <= 0:
            return None
        if base >= self.whole_percent_n_min:
            return math.floor(Fraction(100 * part, base) + Fraction(1, 2))
        return 10 * math.floor(Fraction(10 * part, base) + Fraction(1, 2))

    def wilson(self, part: int, base: int, side: str) -> float:
        """Wilson limit of a rate in percent; `side` is lower or upper."""
        z = self.interval_z
        rate = part / base
        middle = rate + z * z / (2 * base)
        reach = z * math.sqrt(rate * (1 - rate) / base + z * z / (4 * base * base))
        limit = (middle + (reach if side == "upper" else -reach)) / (1 + z * z / base)
        return 100 * min(max(limit, 0.0), 1.0)

    def interval(self, part: int, base: int, side: str) -> int:
        """The limit printed for two rounded counts: whole percent, rounded outwards."""
        limit = round(self.wilson(part, base, side), 6)
        return math.ceil(limit) if side == "upper" else math.floor(limit)

    def open_limit(self, rounded_base: int) -> int | None:
        """The limit of an open band at the upper end that a rounded base allows, if any."""
        room = self.suppress_max + 1 + self.below
        return next((limit for limit in _OPEN_HIGH if rounded_base * (100 - limit) >= 100 * room), None)

    def band(self, text: str, rounded_base: int | None) -> Band | None:
        """A printed band; None for a text that the rules do not know.

        `80% and over` is an open or a closed band: the base says which of them the rules would print.
        """
        if high := _AND_OVER.fullmatch(text):
            limit = int(high[1])
            if limit not in _OPEN_HIGH:
                return None
            opens = rounded_base is None or self.open_limit(rounded_base) == limit
            form = "closed_band" if text in CLOSED_BANDS and not opens else "open_band_high"
            return Band(form, limit, None)
        if low := _UP_TO.fullmatch(text):
            return Band("open_band_low", None, int(low[1])) if int(low[1]) in _OPEN_LOW else None
        if text in CLOSED_BANDS:
            return Band("closed_band", *CLOSED_BANDS[text])
        return None


def criteria_of(row: Mapping[str, Any]) -> Criteria:
    """When a protected value is open enough, from a row of `disclosure_rules`."""
    return Criteria(
        small_max=int(row["suppress_max"]),
        small_values=int(row["feasible_small_values"]),
        small_reach=int(row["feasible_small_reach"]),
        other_values=int(row["feasible_other_values"]),
        rate_base=int(row["rate_base_open"]),
        rate_points=float(row["rate_points_open"]),
    )

"""What an attacker knows, as a system over whole numbers: what is open, what is known, what is protected.

A variable is one true count that nobody outside knows; its name says which. Everything published, and every
definition that anybody can read, becomes `Known` or `Pairs`. The solver asks what is still possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Sum of coefficient * variable.
Terms = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Variable:
    """One true count: a whole number from `lower` to `upper` (None: no limit), in truth `true_value`."""

    name: str
    true_value: int
    lower: int = 0
    upper: int | None = None


@dataclass(frozen=True)
class Known:
    """lower <= sum of terms <= upper (None: no limit on that side); `source` names the row of the ledger."""

    terms: Terms
    lower: float | None
    upper: float | None
    source: str


@dataclass(frozen=True)
class Pairs:
    """Two variables are one of the listed pairs of values: a figure printed so exactly that few give it."""

    first: str
    second: str
    allowed: tuple[tuple[int, int], ...]
    source: str


@dataclass(frozen=True)
class Protected:
    """A count that must stay open: a sum of terms, with its true value."""

    name: str
    terms: Terms
    true_value: int


@dataclass(frozen=True)
class ProtectedRate:
    """A rate part / base on a small base that must stay open: both are sums of terms."""

    name: str
    part: Terms
    base: Terms
    true_part: int
    true_base: int


@dataclass(frozen=True)
class Problem:
    """One attacker's knowledge. The true values satisfy every `Known` and `Pairs`."""

    attacker: str
    variables: tuple[Variable, ...]
    known: tuple[Known, ...]
    pairs: tuple[Pairs, ...]
    protected: tuple[Protected, ...]
    rates: tuple[ProtectedRate, ...]


@dataclass(frozen=True)
class Criteria:
    """When a protected value is open enough. Numbers of the disclosure rules in force.

    A true value up to `small_max` needs `small_values` feasible values, one of them `small_reach` or more;
    any other needs `other_values`. The rate of a base below `rate_base` must span `rate_points` points
    of a percentage at least.
    """

    small_max: int
    small_values: int
    small_reach: int
    other_values: int
    rate_base: int
    rate_points: float


@dataclass(frozen=True)
class Finding:
    """What the attacker learns of one protected value.

    `low` and `high` are its least and greatest feasible value (percent for a rate). `values` is the number of
    feasible values, counted one by one where it decides, else a number that is certainly reached. `method` is
    `lp` (the relaxation was narrow enough to fail), `integer` or `witness` (tables found while asking about
    others settle it; `low` and `high` are then what was seen, not the limits) or `undecided` (time was up: it
    fails; `low` and `high` are what was seen). The two witnesses are whole feasible tables of the component
    with different values of the protected one.
    """

    name: str
    attacker: str
    true_value: float
    low: float
    high: float
    values: int
    method: str
    passes: bool
    witness_low: Mapping[str, int] | None = None
    witness_high: Mapping[str, int] | None = None

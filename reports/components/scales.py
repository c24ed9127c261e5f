"""Axes: where they start and end, where their ticks stand, and how a tick reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

PERCENT = frozenset({"percent", "percent1"})
#: Where every figure (with its interval) is at least this many percent, the axis may start above 0.
HIGH_RANGE = 80.0
#: Vega drops every second tick of those it is given, above this number, or where labels come close.
EVERY_TICK = {"tickCount": 100, "labelOverlap": False}


def nice_step(span: float, parts: int) -> float:
    """The step of 1, 2 or 5 times a power of ten that divides a span in at most `parts` parts."""
    least = span / parts
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def axis(
    values: Sequence[float], format: str | None, *, parts: int = 5, may_start_high: bool = False
) -> tuple[tuple[float, float], tuple[float, ...]]:
    """First and last value of an axis and its ticks.

    Percentages run from 0 to 100; where all are at least HIGH_RANGE and it may start high, from a multiple of
    ten below the lowest. Others start at 0 and end at a round number (below 0 too, if a value is).
    """
    low, high = min([0.0, *values]), max([0.0, *values])
    if format in PERCENT and low >= 0 and high <= 100:
        start = 0.0
        if may_start_high and values and min(values) >= HIGH_RANGE:
            start = max(0.0, min(90.0, 10 * math.floor((min(values) - 2) / 10)))
        step = nice_step(100 - start, parts)
        step = 25.0 if step == 50 and parts >= 4 and start == 0 else step
        return (start, 100.0), _ticks(start, 100.0, step)
    if high == low:
        high = low + 1
    step = nice_step(high - low, parts)
    if format == "count":
        step = max(1.0, step)
    first, last = step * math.floor(low / step + 1e-9), step * math.ceil(high / step - 1e-9)
    return (first, last), _ticks(first, last, step)


def _ticks(start: float, end: float, step: float) -> tuple[float, ...]:
    count = round((end - start) / step)
    return tuple(round(start + at * step, 10) for at in range(count + 1))


def tick_format(format: str | None) -> str:
    """The Vega expression that prints a tick."""
    if format in PERCENT:
        return "format(datum.value, ',~r') + '%'"
    if format == "points":
        return "format(datum.value, '+,~r')"
    return "format(datum.value, ',~r')"


def tick_text(value: float, format: str | None) -> str:
    """A tick as text, as `tick_format` prints it."""
    text = f"{value:,.10g}"
    return f"{text}%" if format in PERCENT else text

"""Whole tables as arrays of whole numbers: checked exactly, and all of them listed where they are few.

A table is one row of an int64 array, a column a variable of the system. Nothing here is in floating point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quality.disclosure.components import Form, System

Table = npt.NDArray[np.int64]

#: Sums beyond this could overflow int64.
_SAFE = 2**61

#: Larger pieces have too many tables to try: not worth finding out.
LISTED_VARIABLES = 16


class Checker:
    """Says which tables satisfy a system, in whole numbers."""

    def __init__(self, system: System) -> None:
        """Lay the rows of the system out as arrays."""
        size = len(system.lower)
        self._choices = system.choices
        self._lower = np.array(system.lower, dtype=np.int64)
        self._upper = np.array([_SAFE if high is None else high for high in system.upper], dtype=np.int64)
        self._rows = weights([row.terms for row in system.rows], size)
        self._least = np.array(
            [-_SAFE if row.lower is None else row.lower for row in system.rows], dtype=np.int64
        )
        self._most = np.array(
            [_SAFE if row.upper is None else row.upper for row in system.rows], dtype=np.int64
        )
        self._heaviest = int(np.abs(self._rows).sum(axis=1).max(initial=1))

    def satisfied(self, tables: Table) -> npt.NDArray[np.bool_]:
        """For each table whether it satisfies every limit, row and choice."""
        if tables.size and int(np.abs(tables).max()) * self._heaviest >= _SAFE:
            raise OverflowError("a table holds counts too large to be added up exactly")
        good = np.asarray(((tables >= self._lower) & (tables <= self._upper)).all(axis=1))
        if len(self._rows):
            sums = tables @ self._rows.T
            good &= ((sums >= self._least) & (sums <= self._most)).all(axis=1)
        for choice in self._choices:
            good &= is_allowed(tables[:, choice.first], tables[:, choice.second], choice.allowed)
        return good


def weights(sums: Sequence[Sequence[tuple[int, int]]], size: int) -> Table:
    """One row of coefficients a sum."""
    found = np.zeros((len(sums), size), dtype=np.int64)
    for number, terms in enumerate(sums):
        for index, value in terms:
            found[number, index] += value
    return found


def values(forms: Sequence[Form], tables: Table) -> Table:
    """The value of each form (columns) in each table (rows)."""
    constants = np.array([form.constant for form in forms], dtype=np.int64)
    return np.asarray(tables @ weights([form.terms for form in forms], tables.shape[1]).T + constants)


def is_allowed(
    first: npt.NDArray[Any], second: npt.NDArray[Any], allowed: Sequence[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Element by element, whether the pair of values is one of the allowed."""
    pairs = np.array(allowed, dtype=np.int64).reshape(-1, 2)
    span = int(max(pairs[:, 1].max(initial=0), second.max(initial=0))) + 1
    return np.isin(first * span + second, pairs[:, 0] * span + pairs[:, 1]) & (second >= 0)


def enumerated(system: System, most: int) -> Table | None:
    """All tables of a system with tightened limits, or None if on the way there would be more than `most`.

    One variable after the other: for every table so far, the values that leave each row within its limits for
    some values of the variables still to come. When the last one is in, what is left is exact.
    """
    size = len(system.lower)
    if size > LISTED_VARIABLES:
        return None
    tables = np.zeros((1, 0), dtype=np.int64)
    order: list[int] = []
    sets = [(frozenset(place for place, _ in row.terms), row.lower == row.upper) for row in system.rows]
    left = set(range(size))
    while left:
        index = _next(system, sets, set(order), left)
        left.remove(index)
        low = np.full(len(tables), system.lower[index], dtype=np.int64)
        high_limit = system.upper[index]
        high = np.full(len(tables), _SAFE if high_limit is None else high_limit, dtype=np.int64)
        column = {place: number for number, place in enumerate(order)}
        for row in system.rows:
            mine = next((value for place, value in row.terms if place == index), 0)
            if not mine:
                continue
            so_far = np.zeros(len(tables), dtype=np.int64)
            least, greatest = 0, 0
            open_below, open_above = False, False
            for place, value in row.terms:
                if place in column:
                    so_far += value * tables[:, column[place]]
                elif place != index:
                    high_rest = system.upper[place]
                    if high_rest is None:
                        open_below |= value < 0
                        open_above |= value > 0
                    ends = value * system.lower[place], value * (high_rest or 0)
                    least += min(ends) if high_rest is not None else ends[0] if value > 0 else 0
                    greatest += max(ends) if high_rest is not None else ends[0] if value < 0 else 0
            if row.upper is not None and not open_below:
                room = row.upper - so_far - least
                if mine > 0:
                    high = np.minimum(high, room // mine)
                else:
                    low = np.maximum(low, -(room // -mine))
            if row.lower is not None and not open_above:
                room = row.lower - so_far - greatest
                if mine > 0:
                    low = np.maximum(low, -(-room // mine))
                else:
                    high = np.minimum(high, -room // -mine)
        if (high >= _SAFE // 2).any():
            return None
        numbers = np.maximum(high - low + 1, 0)
        total = int(numbers.sum())
        if total > most:
            return None
        starts = np.repeat(low - (np.cumsum(numbers) - numbers), numbers)
        added = starts + np.arange(total, dtype=np.int64)
        tables = np.column_stack([np.repeat(tables, numbers, axis=0), added])
        order.append(index)
        for choice in system.choices:
            if index in (choice.first, choice.second) and not left & {choice.first, choice.second}:
                first, second = order.index(choice.first), order.index(choice.second)
                tables = tables[is_allowed(tables[:, first], tables[:, second], choice.allowed)]
    places = np.argsort(np.array(order, dtype=np.int64))
    tables = tables[:, places]
    return np.asarray(tables[Checker(system).satisfied(tables)])


def _next(system: System, sets: Sequence[tuple[frozenset[int], bool]], done: set[int], left: set[int]) -> int:
    """The variable that adds fewest tables: one that others give away, else the narrowest of those linked."""

    def cost(index: int) -> tuple[int, int, int]:
        high = system.upper[index]
        span = _SAFE if high is None else high - system.lower[index]
        grade = 3
        for places, is_equal in sets:
            if index in places:
                others = places - {index}
                if others <= done:
                    grade = min(grade, 0 if is_equal else 1)
                elif others & done:
                    grade = min(grade, 2)
        return (grade, span, index) if done else (0, span, index)

    return min(left, key=cost)

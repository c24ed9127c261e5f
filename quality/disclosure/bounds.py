"""Limits of single variables that follow from the rows, one row at a time; what is then redundant goes.

Whole numbers throughout, so every limit is exact and holds in every table of the system. Does not belong
here: limits that follow from several rows together (`programs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quality.disclosure.components import (
    Choice,
    Form,
    Row,
    System,
    Union,
    reduced,
    reduced_row,
)

#: A pair of rows can tighten one another by one for ever; then the limits so far are as true, only wider.
ROUNDS = 60


class Empty(ValueError):
    """No table satisfies the system."""


@dataclass(frozen=True)
class Piece:
    """A part of a system that hangs together once limits are known: places in the whole, and its own system.

    `counts` and `rates` are the places, in the whole system's lists, of what the piece's lists hold.
    """

    places: tuple[int, ...]
    system: System
    counts: tuple[int, ...]
    rates: tuple[int, ...]


def tightened(system: System) -> tuple[list[int], list[int | None]]:
    """The limits of each variable, as far as single rows and choices tell; Empty where no value is left."""
    lower, upper = list(system.lower), list(system.upper)
    of_place: list[list[int]] = [[] for _ in lower]
    for number, row in enumerate(system.rows):
        for index, _ in row.terms:
            of_place[index].append(number)
    of_choice: list[list[int]] = [[] for _ in lower]
    for number, choice in enumerate(system.choices):
        for index in {choice.first, choice.second}:
            of_choice[index].append(number + len(system.rows))
    waiting = list(range(len(system.rows) + len(system.choices)))
    is_waiting = [True] * len(waiting)
    turns = ROUNDS * len(waiting)
    while waiting and turns:
        turns -= 1
        number = waiting.pop()
        is_waiting[number] = False
        if number < len(system.rows):
            changed = _by_row(system.rows[number], lower, upper)
        else:
            changed = _by_choice(system.choices[number - len(system.rows)], lower, upper)
        for index in changed:
            high = upper[index]
            if high is not None and lower[index] > high:
                raise Empty("what is known contradicts itself: no table satisfies it")
            for other in of_place[index] + of_choice[index]:
                if not is_waiting[other]:
                    is_waiting[other] = True
                    waiting.append(other)
    return lower, upper


def pieces(system: System, lower: Sequence[int], upper: Sequence[int | None]) -> list[Piece]:
    """The system taken apart again under tightened limits: rows that they imply gone, known variables put in.

    Only pieces in which something is counted are returned. Everything is in the order of the system.
    """
    is_fixed = [low == high for low, high in zip(lower, upper, strict=True)]
    rows = []
    for row in system.rows:
        least, most = extent(row.terms, lower, upper)
        low = None if row.lower is None or (least is not None and least >= row.lower) else row.lower
        high = None if row.upper is None or (most is not None and most <= row.upper) else row.upper
        if low is not None or high is not None:
            kept = reduced_row(Row(row.terms, low, high), lower, is_fixed)
            if kept.terms:
                rows.append(kept)
    choices = [
        choice for choice in system.choices if not (is_fixed[choice.first] and is_fixed[choice.second])
    ]
    counts = [reduced(form.terms, form.constant, lower, is_fixed) for form in system.counts]
    rates = [
        (
            reduced(part.terms, part.constant, lower, is_fixed),
            reduced(base.terms, base.constant, lower, is_fixed),
        )
        for part, base in system.rates
    ]
    union = Union(len(lower))
    for row in rows:
        union.join([index for index, _ in row.terms])
    for choice in choices:
        union.join([choice.first, choice.second])
    for form in counts:
        union.join([index for index, _ in form.terms])
    for part, base in rates:
        union.join([index for index, _ in part.terms + base.terms])

    linked = {index for choice in choices for index in (choice.first, choice.second)}
    places: dict[int, list[int]] = {}
    for index in range(len(lower)):
        if not is_fixed[index] or index in linked:
            places.setdefault(union.root(index), []).append(index)
    held_counts: dict[int, list[int]] = {}
    for number, form in enumerate(counts):
        root = union.root(form.terms[0][0]) if form.terms else -1
        held_counts.setdefault(root, []).append(number)
    held_rates: dict[int, list[int]] = {}
    for number, (part, base) in enumerate(rates):
        terms = part.terms + base.terms
        held_rates.setdefault(union.root(terms[0][0]) if terms else -1, []).append(number)
    held_rows: dict[int, list[Row]] = {}
    for row in rows:
        held_rows.setdefault(union.root(row.terms[0][0]), []).append(row)
    held_choices: dict[int, list[Choice]] = {}
    for choice in choices:
        held_choices.setdefault(union.root(choice.first), []).append(choice)

    found = []
    for root in sorted(set(held_counts) | set(held_rates)):
        here = places.get(root, [])
        new = {old: index for index, old in enumerate(here)}

        def moved(form: Form, new: dict[int, int] = new) -> Form:
            return Form(tuple((new[index], value) for index, value in form.terms), form.constant)

        own_counts, own_rates = held_counts.get(root, []), held_rates.get(root, [])
        found.append(
            Piece(
                tuple(here),
                System(
                    tuple(lower[index] for index in here),
                    tuple(upper[index] for index in here),
                    tuple(
                        Row(tuple((new[index], value) for index, value in row.terms), row.lower, row.upper)
                        for row in held_rows.get(root, [])
                    ),
                    tuple(
                        Choice(new[choice.first], new[choice.second], choice.allowed)
                        for choice in held_choices.get(root, [])
                    ),
                    tuple(moved(counts[number]) for number in own_counts),
                    tuple((moved(rates[number][0]), moved(rates[number][1])) for number in own_rates),
                ),
                tuple(own_counts),
                tuple(own_rates),
            )
        )
    return found


def extent(
    terms: Sequence[tuple[int, int]], lower: Sequence[int], upper: Sequence[int | None]
) -> tuple[int | None, int | None]:
    """Least and greatest value of a sum within limits (None: no limit)."""
    least: int | None = 0
    most: int | None = 0
    for index, value in terms:
        high = upper[index]
        if value > 0:
            least = None if least is None else least + value * lower[index]
            most = None if most is None or high is None else most + value * high
        else:
            least = None if least is None or high is None else least + value * high
            most = None if most is None else most + value * lower[index]
    return least, most


def _by_row(row: Row, lower: list[int], upper: list[int | None]) -> list[int]:
    """Tighten the limits of a row's variables in place; which of them changed."""
    least, most = 0, 0
    open_below, open_above = 0, 0
    for index, value in row.terms:
        high = upper[index]
        if value > 0:
            least += value * lower[index]
            if high is None:
                open_above += 1
            else:
                most += value * high
        else:
            most += value * lower[index]
            if high is None:
                open_below += 1
            else:
                least += value * high
    changed = []
    # each limit of a variable is worked out from the sums at the start, which stay true when others tighten
    start = [(index, value, lower[index], upper[index]) for index, value in row.terms]
    for index, value, low, high in start:
        new_low, new_high = low, high
        is_open = high is None
        mine_least = value * low if value > 0 else (0 if is_open else value * high)  # type: ignore[operator]
        mine_most = value * low if value < 0 else (0 if is_open else value * high)  # type: ignore[operator]
        if row.upper is not None and open_below - (is_open and value < 0) == 0:
            room = row.upper - (least - mine_least)
            if value > 0:
                limit = room // value
                new_high = limit if new_high is None else min(new_high, limit)
            else:
                new_low = max(new_low, -(room // -value))
        if row.lower is not None and open_above - (is_open and value > 0) == 0:
            room = row.lower - (most - mine_most)
            if value > 0:
                new_low = max(new_low, -(-room // value))
            else:
                limit = -room // -value
                new_high = limit if new_high is None else min(new_high, limit)
        if new_low != low or new_high != high:
            lower[index], upper[index] = new_low, new_high
            changed.append(index)
    return changed


def _by_choice(choice: Choice, lower: list[int], upper: list[int | None]) -> list[int]:
    def within(index: int, value: int) -> bool:
        high = upper[index]
        return value >= lower[index] and (high is None or value <= high)

    allowed = [
        pair for pair in choice.allowed if within(choice.first, pair[0]) and within(choice.second, pair[1])
    ]
    if not allowed:
        raise Empty("what is known contradicts itself: none of the listed pairs of values is left")
    changed = []
    for index, values in (
        (choice.first, [first for first, _ in allowed]),
        (choice.second, [second for _, second in allowed]),
    ):
        if min(values) > lower[index] or upper[index] is None or max(values) < upper[index]:  # type: ignore[operator]
            lower[index], upper[index] = min(values), max(values)
            changed.append(index)
    return changed

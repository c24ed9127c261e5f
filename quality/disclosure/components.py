"""A problem taken apart: what hangs together is one component, and equal knowledge is one system.

Belongs here: checking the true table, putting in what is known exactly, splitting, the canonical order. Does
not belong here: finding out what is possible (`solver`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from quality.disclosure.model import Known, Pairs, Problem, Protected, ProtectedRate, Terms

#: coefficient * variable, the variable by its place in the system
Places = tuple[tuple[int, int], ...]

#: Stands for "no limit" where limits are hashed or sorted; no count of ours comes near it.
_OPEN = 2**62

SHOWN = 10


class Contradiction(ValueError):
    """The true table does not satisfy what is known: what was published is not what was counted."""


class Form(NamedTuple):
    """A quantity: sum of coefficient * variable, plus a constant (what is known exactly)."""

    terms: Places
    constant: int

    def at(self, table: Sequence[int]) -> int:
        """Its value in a table."""
        return self.constant + sum(coefficient * table[place] for place, coefficient in self.terms)


class Row(NamedTuple):
    """lower <= sum of terms <= upper, in whole numbers (None: no limit)."""

    terms: Places
    lower: int | None
    upper: int | None


class Choice(NamedTuple):
    """The variables at two places are one of the allowed pairs."""

    first: int
    second: int
    allowed: tuple[tuple[int, int], ...]


class System(NamedTuple):
    """What is known of one component without any name or true value: equal systems have equal answers."""

    lower: tuple[int, ...]
    upper: tuple[int | None, ...]
    rows: tuple[Row, ...]
    choices: tuple[Choice, ...]
    counts: tuple[Form, ...]
    rates: tuple[tuple[Form, Form], ...]


class Witness(Mapping[str, int]):
    """A whole table by name. Findings share names and values: a dictionary each would fill the memory."""

    __slots__ = ("_fixed", "_names", "_values")

    def __init__(self, names: tuple[str, ...], values: tuple[int, ...], fixed: Mapping[str, int]) -> None:
        """`values` in the order of `names`, and the variables known exactly."""
        self._names, self._values, self._fixed = names, values, fixed

    def __getitem__(self, name: str) -> int:
        """The value of a variable."""
        if name in self._fixed:
            return self._fixed[name]
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        """The names, those known exactly last."""
        yield from self._names
        yield from self._fixed

    def __len__(self) -> int:
        """The number of variables."""
        return len(self._names) + len(self._fixed)

    def __repr__(self) -> str:
        """As a dictionary."""
        return repr(dict(self))


@dataclass(frozen=True)
class Component:
    """One connected part of a problem.

    `names` and `truth` are in the order of the system's places; `fixed` are the variables known exactly, with
    their values; `counts` and `rates` pair what is protected with its place in the system's lists.
    """

    system: System
    names: tuple[str, ...]
    truth: tuple[int, ...]
    fixed: Mapping[str, int]
    counts: tuple[tuple[Protected, int], ...]
    rates: tuple[tuple[ProtectedRate, int], ...]

    def witness(self, values: tuple[int, ...]) -> Witness:
        """A table of the system under the names of the variables, with what is known exactly."""
        return Witness(self.names, values, self.fixed)


def whole_limits(lower: float | None, upper: float | None, source: str) -> tuple[int | None, int | None]:
    """Limits of a sum of whole numbers, as whole numbers; infinity is no limit."""
    if (lower is not None and math.isnan(lower)) or (upper is not None and math.isnan(upper)):
        raise ValueError(f"{source}: a limit is not a number; leave it None where there is none")
    low = None if lower is None or lower == -math.inf else math.ceil(lower)
    high = None if upper is None or upper == math.inf else math.floor(upper)
    return low, high


def satisfies(system: System, table: Sequence[int]) -> bool:
    """Whether a table is one of the system: in Python's own whole numbers, without arrays."""
    return (
        all(_within(*place) for place in zip(table, system.lower, system.upper, strict=True))
        and all(_within(Form(row.terms, 0).at(table), row.lower, row.upper) for row in system.rows)
        and all((table[choice.first], table[choice.second]) in choice.allowed for choice in system.choices)
    )


def value_of(terms: Terms, table: Mapping[str, int]) -> int:
    """A sum of terms in a table by name."""
    return sum(coefficient * table[name] for name, coefficient in terms)


def check(problem: Problem) -> None:
    """Raise ValueError where a name is wrong, Contradiction where the true table is not a possible one.

    A true table that satisfies everything also proves that what is known does not contradict itself.
    """
    truth = {variable.name: variable.true_value for variable in problem.variables}
    if len(truth) != len(problem.variables):
        raise ValueError(f"{problem.attacker}: a variable is there twice; every name must be of one count")
    named: list[tuple[str, Iterable[str]]] = [
        (known.source, (name for name, _ in known.terms)) for known in problem.known
    ]
    named += [(pairs.source, (pairs.first, pairs.second)) for pairs in problem.pairs]
    named += [(count.name, (name for name, _ in count.terms)) for count in problem.protected]
    named += [(rate.name, (name for name, _ in rate.part + rate.base)) for rate in problem.rates]
    for source, names in named:
        for name in names:
            if name not in truth:
                raise ValueError(f"{problem.attacker}: {source} speaks of {name}, which is no variable")
    for count in problem.protected:
        _same(problem, count.name, value_of(count.terms, truth), count.true_value)
    for rate in problem.rates:
        _same(problem, f"{rate.name} (part)", value_of(rate.part, truth), rate.true_part)
        _same(problem, f"{rate.name} (base)", value_of(rate.base, truth), rate.true_base)

    violated = [
        f"{variable.name} = {variable.true_value} is not from {variable.lower} to {_limit(variable.upper)}"
        for variable in problem.variables
        if not _within(variable.true_value, variable.lower, variable.upper)
    ]
    violated += [
        f"{known.source}: {_shown(known, truth)} is not from {_limit(known.lower)} to {_limit(known.upper)}"
        for known in problem.known
        if not _within(value_of(known.terms, truth), *whole_limits(known.lower, known.upper, known.source))
    ]
    violated += [
        f"{pairs.source}: {pairs.first} = {truth[pairs.first]} with {pairs.second} = {truth[pairs.second]}"
        f" is none of the {len(pairs.allowed)} pairs allowed"
        for pairs in problem.pairs
        if (truth[pairs.first], truth[pairs.second]) not in pairs.allowed
    ]
    if violated:
        more = f"; and {len(violated) - SHOWN} more" if len(violated) > SHOWN else ""
        raise Contradiction(
            f"{problem.attacker}: the true table does not satisfy what is said to be known, so nothing can be"
            f" proved of it. {'; '.join(violated[:SHOWN])}{more}. Look for a figure that was not published as"
            " the rules say, or for a rule that the audit reads otherwise than the marts."
        )


def split(problem: Problem) -> list[Component]:
    """The connected components of a checked problem, in the order of its variables.

    A variable that is known exactly is a number: it links nothing. A quantity that is protected holds the
    variables it is made of together. Components in which nothing is protected are left out.
    """
    names = [variable.name for variable in problem.variables]
    place = {name: index for index, name in enumerate(names)}
    lower = [variable.lower for variable in problem.variables]
    upper = [variable.upper for variable in problem.variables]
    rows = _put_in(problem.known, place, lower, upper)
    is_fixed = [low == high for low, high in zip(lower, upper, strict=True)]

    def form(terms: Terms) -> Form:
        return reduced([(place[name], coefficient) for name, coefficient in terms], 0, lower, is_fixed)

    counts = [(form(count.terms), count) for count in problem.protected]
    rates = [((form(rate.part), form(rate.base)), rate) for rate in problem.rates]
    choices = [_choice(pairs, place) for pairs in problem.pairs]

    union = Union(len(names))
    for row in rows:
        union.join([index for index, _ in row.terms])
    for choice in choices:
        union.join([index for index in (choice.first, choice.second) if not is_fixed[index]])
    for shape, _ in counts:
        union.join([index for index, _ in shape.terms])
    for (part, base), _ in rates:
        union.join([index for index, _ in part.terms + base.terms])

    parts: dict[int, _Part] = {}

    def part_of(places: Sequence[int], otherwise: int) -> _Part:
        # what is known exactly belongs to no component: each such quantity is one of its own
        root = union.root(places[0]) if places else otherwise
        return parts.setdefault(root, _Part([], [], [], [], []))

    for index in range(len(names)):
        if not is_fixed[index]:
            part_of([index], 0).places.append(index)
    for row in rows:
        part_of([index for index, _ in row.terms], 0).rows.append(row)
    for choice in choices:
        free = [index for index in (choice.first, choice.second) if not is_fixed[index]]
        if free:
            part_of(free, 0).choices.append(choice)
    for number, (shape, count) in enumerate(counts):
        part_of([index for index, _ in shape.terms], -1 - number).counts.append((shape, count))
    for number, (shapes, rate) in enumerate(rates):
        free = [index for shape in shapes for index, _ in shape.terms]
        part_of(free, -1 - len(counts) - number).rates.append((shapes, rate))

    truth = [variable.true_value for variable in problem.variables]
    return [
        _component(part, names, place, truth, lower, upper, is_fixed)
        for part in parts.values()
        if part.counts or part.rates
    ]


def reduced(
    terms: Iterable[tuple[int, int]], constant: int, values: Sequence[int], is_fixed: Sequence[bool]
) -> Form:
    """The sum with variables known exactly put in as numbers, each variable once, none with coefficient 0."""
    sums: dict[int, int] = {}
    for index, coefficient in terms:
        if is_fixed[index]:
            constant += coefficient * values[index]
        else:
            sums[index] = sums.get(index, 0) + coefficient
    return Form(tuple(sorted((index, value) for index, value in sums.items() if value)), constant)


def reduced_row(row: Row, values: Sequence[int], is_fixed: Sequence[bool]) -> Row:
    """A row with known variables put in, divided by its common factor, limits rounded inwards."""
    shape = reduced(row.terms, 0, values, is_fixed)
    low = None if row.lower is None else row.lower - shape.constant
    high = None if row.upper is None else row.upper - shape.constant
    factor = math.gcd(*(coefficient for _, coefficient in shape.terms)) if shape.terms else 1
    if factor > 1:
        low = None if low is None else -(-low // factor)
        high = None if high is None else high // factor
        return Row(tuple((index, coefficient // factor) for index, coefficient in shape.terms), low, high)
    return Row(shape.terms, low, high)


class Union:
    """Which of `size` things belong together."""

    def __init__(self, size: int) -> None:
        """Each alone."""
        self._above = list(range(size))

    def root(self, index: int) -> int:
        """The one that stands for the group of `index`."""
        above = self._above
        while above[index] != index:
            above[index] = above[above[index]]
            index = above[index]
        return index

    def join(self, indexes: Sequence[int]) -> None:
        """Put all of them into one group."""
        for index in indexes[1:]:
            self._above[self.root(index)] = self.root(indexes[0])


class _Part(NamedTuple):
    places: list[int]
    rows: list[Row]
    choices: list[Choice]
    counts: list[tuple[Form, Protected]]
    rates: list[tuple[tuple[Form, Form], ProtectedRate]]


def _put_in(
    knowns: Sequence[Known], place: Mapping[str, int], lower: list[int], upper: list[int | None]
) -> list[Row]:
    """Rows of two variables or more; those of one become limits of the variable (lists changed in place)."""
    rows = [
        Row(
            tuple((place[name], coefficient) for name, coefficient in known.terms),
            *whole_limits(known.lower, known.upper, known.source),
        )
        for known in knowns
    ]
    of_place: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        for index, _ in row.terms:
            of_place.setdefault(index, []).append(number)
    is_fixed = [low == high for low, high in zip(lower, upper, strict=True)]
    kept: dict[int, Row] = {}
    waiting = list(range(len(rows)))[::-1]
    while waiting:
        number = waiting.pop()
        row = reduced_row(rows[number], lower, is_fixed)
        kept.pop(number, None)
        if len(row.terms) > 1:
            kept[number] = row
        elif row.terms:
            index, sign = row.terms[0]  # 1 or -1: the common factor is out
            low, high = row.lower, row.upper
            if sign < 0:
                low, high = None if high is None else -high, None if low is None else -low
            if low is not None:
                lower[index] = max(lower[index], low)
            if high is not None:
                upper[index] = high if upper[index] is None else min(upper[index], high)  # type: ignore[type-var]
            if lower[index] == upper[index] and not is_fixed[index]:
                is_fixed[index] = True
                waiting += of_place[index]
    return [kept[number] for number in sorted(kept)]


def _choice(pairs: Pairs, place: Mapping[str, int]) -> Choice:
    return Choice(place[pairs.first], place[pairs.second], tuple(sorted(set(pairs.allowed))))


def _component(
    part: _Part,
    names: Sequence[str],
    place: Mapping[str, int],
    truth: Sequence[int],
    lower: Sequence[int],
    upper: Sequence[int | None],
    is_fixed: Sequence[bool],
) -> Component:
    # a choice with one variable known lists values of the other: kept as a choice of that one with itself
    choices = [_one_sided(choice, lower, is_fixed) for choice in part.choices]
    order = _order(part, choices, names, lower, upper)
    new = {old: index for index, old in enumerate(order)}

    def moved(form: Form) -> Form:
        return Form(tuple(sorted((new[index], value) for index, value in form.terms)), form.constant)

    merged: dict[Places, tuple[int, int]] = {}
    for row in part.rows:
        terms = tuple(sorted((new[index], value) for index, value in row.terms))
        low = -_OPEN if row.lower is None else row.lower
        high = _OPEN if row.upper is None else row.upper
        if terms[0][1] < 0:
            terms, low, high = tuple((index, -value) for index, value in terms), -high, -low
        before = merged.get(terms, (-_OPEN, _OPEN))
        merged[terms] = max(low, before[0]), min(high, before[1])
    rows = tuple(
        Row(terms, None if low == -_OPEN else low, None if high == _OPEN else high)
        for terms, (low, high) in sorted(merged.items())
    )
    moved_choices = tuple(
        sorted(
            {Choice(new[choice.first], new[choice.second], choice.allowed) for choice in choices},
        )
    )
    counts = [(moved(form), count) for form, count in part.counts]
    rates = [((moved(shapes[0]), moved(shapes[1])), rate) for shapes, rate in part.rates]
    count_forms = sorted({form for form, _ in counts})
    rate_forms = sorted({forms for forms, _ in rates})
    count_place = {form: index for index, form in enumerate(count_forms)}
    rate_place = {forms: index for index, forms in enumerate(rate_forms)}
    used = {name for _, count in part.counts for name, _ in count.terms}
    used |= {name for _, rate in part.rates for name, _ in rate.part + rate.base}
    fixed = {name: lower[place[name]] for name in sorted(used) if is_fixed[place[name]]}
    return Component(
        System(
            tuple(lower[index] for index in order),
            tuple(upper[index] for index in order),
            rows,
            moved_choices,
            tuple(count_forms),
            tuple(rate_forms),
        ),
        tuple(names[index] for index in order),
        tuple(truth[index] for index in order),
        fixed,
        tuple((count, count_place[form]) for form, count in counts),
        tuple((rate, rate_place[forms]) for forms, rate in rates),
    )


def _one_sided(choice: Choice, values: Sequence[int], is_fixed: Sequence[bool]) -> Choice:
    if is_fixed[choice.first]:
        allowed = {second for first, second in choice.allowed if first == values[choice.first]}
        return Choice(choice.second, choice.second, tuple((value, value) for value in sorted(allowed)))
    if is_fixed[choice.second]:
        allowed = {first for first, second in choice.allowed if second == values[choice.second]}
        return Choice(choice.first, choice.first, tuple((value, value) for value in sorted(allowed)))
    return choice


def _order(
    part: _Part,
    choices: Sequence[Choice],
    names: Sequence[str],
    lower: Sequence[int],
    upper: Sequence[int | None],
) -> list[int]:
    """Places in an order that follows from structure as far as colours tell; names decide between equals.

    Colour refinement: a variable's colour is hashed from those of the rows it stands in, a row's from its
    variables. Two components that differ in names only mostly get the same order; where they do not, each is
    solved by itself, which costs time and nothing else. Large ones are hardly ever equal: one round will do.
    """
    roles: list[tuple[int, Places]] = [
        (
            hash((1, -_OPEN if row.lower is None else row.lower, _OPEN if row.upper is None else row.upper)),
            row.terms,
        )
        for row in part.rows
    ]
    roles += [(hash((2, choice.allowed)), ((choice.first, 1), (choice.second, 2))) for choice in choices]
    roles += [(hash((3, form.constant)), form.terms) for form, _ in part.counts]
    for (share, base), _ in part.rates:
        mark = hash((4, share.constant, base.constant))
        # odd for the part, even for the base: the two must not be taken for one another
        roles.append(
            (
                mark,
                tuple((index, 2 * value + 1) for index, value in share.terms)
                + tuple((index, 2 * value) for index, value in base.terms),
            )
        )
    colour = {
        index: hash((lower[index], _OPEN if upper[index] is None else upper[index])) for index in part.places
    }
    for _ in range(2 if len(part.places) < 5 else 1):
        seen: dict[int, list[int]] = {index: [] for index in part.places}
        for mark, terms in roles:
            shade = hash((mark, tuple(sorted((value, colour[index]) for index, value in terms))))
            for index, value in terms:
                seen[index].append(hash((value, shade)))
        colour = {index: hash((colour[index], tuple(sorted(seen[index])))) for index in part.places}
    return sorted(part.places, key=lambda index: (colour[index], names[index]))


def _same(problem: Problem, name: str, summed: int, said: int) -> None:
    if summed != said:
        raise ValueError(
            f"{problem.attacker}: {name} is said to be {said} in truth, but its terms add up to {summed}"
        )


def _within(value: int, lower: int | None, upper: int | None) -> bool:
    return (lower is None or value >= lower) and (upper is None or value <= upper)


def _limit(value: float | None) -> str:
    return "no limit" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _shown(known: Known, truth: Mapping[str, int]) -> str:
    terms = [f"{coefficient:+d} * {name} ({truth[name]})" for name, coefficient in known.terms[:SHOWN]]
    more = f" and {len(known.terms) - SHOWN} more" if len(known.terms) > SHOWN else ""
    return f"{' '.join(terms)}{more} = {value_of(known.terms, truth)}"

"""What an attacker can work out of every protected value: what is still possible, and whether that is enough.

A value passes only on whole tables that satisfy everything published and were checked in whole numbers; what
could not be decided in time fails. How: known values are put in and the problem falls into components
(`components`), equal ones are solved once; limits of single variables are tightened (`bounds`); small pieces
are listed table by table (`tables`); for the others HiGHS (`programs`) proposes tables and bounds.

Belongs here: the order of those steps, and the judging. Does not belong here: what is known (`model.Problem`
is made elsewhere) and what to do about a failure.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from quality.disclosure.bounds import Piece, extent, pieces, tightened
from quality.disclosure.components import Component, Form, System, check, satisfies, split
from quality.disclosure.model import Criteria, Finding, Problem
from quality.disclosure.programs import Program, Reply, inwards
from quality.disclosure.tables import Checker, Table, enumerated, values, weights

Method = Literal["lp", "integer", "witness", "undecided"]

#: Whole tables by way of group objectives: how far from the true table, in each step (None: anywhere).
RADII: tuple[int | None, ...] = (1, 1, 1, 2, 2, 2, 3, 4, 5, 8, None, None, None)


#: Fewer variables than this are answered before other processes have started.
WORTH_WORKERS = 6000


@dataclass(frozen=True)
class Limits:
    """How much work may go into one answer; beyond it the answer is `undecided`.

    `listed_tables`: pieces with up to this many tables (at any step) are listed, the rest go to HiGHS.
    """

    seconds_a_solve: float = 10.0
    seconds_a_component: float = 120.0
    listed_tables: int = 100_000


@dataclass(frozen=True)
class Need:
    """A count is open with `values` feasible values, one of them `reach` or more (None: wherever)."""

    values: int
    reach: int | None


@dataclass(frozen=True)
class Answer:
    """What is possible for one quantity of a system.

    `low` and `high` as in `Finding`, `values` the number of values in verified tables; `low_table` and
    `high_table` are verified tables with its least and greatest value found, `low_value` and `high_value`.
    """

    low: float
    high: float
    values: int
    method: Method
    low_table: Kept
    high_table: Kept
    low_value: Fraction
    high_value: Fraction

    def meets(self, need: Need) -> bool:
        """Whether the verified tables are enough."""
        return self.values >= need.values and (need.reach is None or self.high_value >= need.reach)


@dataclass(frozen=True)
class Answers:
    """An answer for each count and rate of a system; `is_listed`: from all its tables, true of any need."""

    counts: tuple[Answer, ...]
    rates: tuple[Answer, ...]
    is_listed: bool


#: A table as it is kept in answers.
Kept = tuple[int, ...]

#: For each count of a system, what is asked of it; for all its rates, the points (Fraction) they must span.
Needs = tuple[tuple[tuple[Need, ...], ...], Fraction]

#: Answers by system, to be handed on from one attacker's problem to the next.
Memo = dict[tuple[System, Needs | None], Answers]


def judge(
    problem: Problem,
    criteria: Criteria,
    *,
    limits: Limits | None = None,
    memo: Memo | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """One finding for every protected count, then one for every protected rate, in the order of the problem.

    A rate is judged only where its true base is from 1 to below `criteria.rate_base`; for others there is no
    finding. `memo` carries answers from one problem to the next (an insider's differs in few components).
    `progress` is called with the number of components answered and their total.

    Raises ValueError where names or sums of the problem are wrong, `components.Contradiction` (naming the
    rows) where its true table does not satisfy what is said to be known.
    """
    limits = limits or Limits()
    memo = {} if memo is None else memo
    check(problem)
    asked = replace(
        problem, rates=tuple(rate for rate in problem.rates if 0 < rate.true_base < criteria.rate_base)
    )
    components = split(asked)
    keys = [(component.system, _needs(component, criteria)) for component in components]
    todo: dict[tuple[System, Needs], Component] = {}
    for key, component in zip(keys, components, strict=True):
        if key not in memo and (key[0], None) not in memo:
            todo.setdefault(key, component)

    done = len(components) - len(todo)
    if progress:
        progress(done, len(components))
    jobs = [(system, needs, component.truth, limits) for (system, needs), component in todo.items()]
    for (system, needs), answers in zip(todo, _solve_all(jobs, workers), strict=True):
        memo[(system, None if answers.is_listed else needs)] = answers
        done += 1
        if progress:
            progress(done, len(components))

    counts: dict[int, Finding] = {}
    rates: dict[int, Finding] = {}
    for (system, needs), component in zip(keys, components, strict=True):
        answers = memo.get((system, None)) or memo[(system, needs)]
        for count, place in component.counts:
            need = _need(count.true_value, criteria)
            answer = answers.counts[place]
            counts[id(count)] = _finding(
                problem, component, count.name, count.true_value, answer, answer.meets(need)
            )
        for rate, place in component.rates:
            answer = answers.rates[place]
            true_value = 100 * rate.true_part / rate.true_base
            passes = answer.high_value - answer.low_value >= needs[1]
            rates[id(rate)] = _finding(problem, component, rate.name, true_value, answer, passes)
    return [counts[id(count)] for count in asked.protected] + [rates[id(rate)] for rate in asked.rates]


def solve(system: System, needs: Needs, truth: Sequence[int], limits: Limits) -> Answers:
    """Answer for every quantity of a system, as far as the needs ask; `truth` is one table of it."""
    until = time.monotonic() + limits.seconds_a_component
    lower, upper = tightened(system)
    counts: dict[int, Answer] = {}
    rates: dict[int, Answer] = {}
    is_listed = True
    for piece in pieces(system, lower, upper):
        tables = enumerated(piece.system, limits.listed_tables)
        if tables is not None:
            found = _from_list(piece.system, tables)
        else:
            is_listed = False
            start = np.array([truth[place] for place in piece.places], dtype=np.int64)
            own = tuple(needs[0][number] for number in piece.counts), needs[1]
            found = _Search(piece.system, own, start, limits, until).answers()
        lifted = _lifted(found, piece, truth)
        counts |= dict(zip(piece.counts, lifted.counts, strict=True))
        rates |= dict(zip(piece.rates, lifted.rates, strict=True))
    answers = Answers(
        tuple(counts[number] for number in range(len(system.counts))),
        tuple(rates[number] for number in range(len(system.rates))),
        is_listed,
    )
    _verify(system, answers)
    return answers


def _solve_one(job: tuple[System, Needs, tuple[int, ...], Limits]) -> Answers:
    return solve(*job)


def _solve_all(jobs: list[tuple[System, Needs, tuple[int, ...], Limits]], workers: int) -> list[Answers]:
    work = sum(len(job[0].lower) for job in jobs)
    if workers < 2 or work < WORTH_WORKERS:
        return [solve(*job) for job in jobs]
    # the longest first, so that no worker is left with one at the end
    order = sorted(range(len(jobs)), key=lambda number: (-len(jobs[number][0].lower), number))
    large = [number for number in order if len(jobs[number][0].lower) > 10]
    small = [number for number in order if len(jobs[number][0].lower) <= 10]
    found: dict[int, Answers] = {}
    # HiGHS keeps threads of its own, which a forked process would not have
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        first = pool.map(_solve_one, [jobs[number] for number in large])
        second = pool.map(_solve_one, [jobs[number] for number in small], chunksize=100)
        found |= dict(zip(large, first, strict=True))
        found |= dict(zip(small, second, strict=True))
    return [found[number] for number in range(len(jobs))]


def _need(true_value: int, criteria: Criteria) -> Need:
    if 0 <= true_value <= criteria.small_max:
        return Need(criteria.small_values, criteria.small_reach)
    return Need(criteria.other_values, None)


def _needs(component: Component, criteria: Criteria) -> Needs:
    found: list[set[Need]] = [set() for _ in component.system.counts]
    for count, place in component.counts:
        found[place].add(_need(count.true_value, criteria))
    ordered = tuple(
        tuple(sorted(needs, key=lambda need: (need.values, need.reach is not None))) for needs in found
    )
    return ordered, Fraction(criteria.rate_points) / 100


def _finding(
    problem: Problem, component: Component, name: str, true_value: float, answer: Answer, passes: bool
) -> Finding:
    method: Method = answer.method
    if passes and method in ("lp", "undecided"):
        method = "witness"
    return Finding(
        name=name,
        attacker=problem.attacker,
        true_value=true_value,
        low=answer.low,
        high=answer.high,
        values=answer.values,
        method=method,
        passes=passes,
        witness_low=component.witness(answer.low_table),
        witness_high=component.witness(answer.high_table),
    )


def _lifted(found: Answers, piece: Piece, base: Sequence[int]) -> Answers:
    """The same with tables of the whole system: pieces are independent, the rest is as in any other table."""
    done: dict[Kept, Kept] = {}

    def whole(table: Kept) -> Kept:
        if table not in done:
            every = list(base)
            for place, value in zip(piece.places, table, strict=True):
                every[place] = value
            done[table] = tuple(every)
        return done[table]

    def lifted(answer: Answer) -> Answer:
        return replace(answer, low_table=whole(answer.low_table), high_table=whole(answer.high_table))

    return Answers(
        tuple(lifted(answer) for answer in found.counts),
        tuple(lifted(answer) for answer in found.rates),
        found.is_listed,
    )


def _verify(system: System, answers: Answers) -> None:
    """Check both tables of every answer once more, by other means, against the system as it was given."""
    every = {
        table for answer in answers.counts + answers.rates for table in (answer.low_table, answer.high_table)
    }
    good = all(satisfies(system, table) for table in every)
    for form, answer in zip(system.counts, answers.counts, strict=True):
        good &= (
            form.at(answer.low_table) == answer.low_value and form.at(answer.high_table) == answer.high_value
        )
    for (part, base), answer in zip(system.rates, answers.rates, strict=True):
        for table, value in ((answer.low_table, answer.low_value), (answer.high_table, answer.high_value)):
            good &= base.at(table) > 0 and Fraction(part.at(table), base.at(table)) == value
    if not good:
        raise RuntimeError("a witness is no table of what is known: a fault of the solver, nothing is proved")


def _from_list(system: System, tables: Table) -> Answers:
    """Answers from all tables of a system."""
    counts = []
    if system.counts:
        found = values(system.counts, tables)
        for number in range(found.shape[1]):
            column = found[:, number]
            low, high = int(column.argmin()), int(column.argmax())
            counts.append(
                _answer(
                    Fraction(int(column[low])),
                    Fraction(int(column[high])),
                    len(np.unique(column)),
                    "integer",
                    tuple(tables[low].tolist()),
                    tuple(tables[high].tolist()),
                    1,
                )
            )
    rates = []
    for part, base in system.rates:
        both = values([part, base], tables)
        some = np.flatnonzero(both[:, 1] > 0)
        parts, bases = both[some, 0], both[some, 1]
        common = np.gcd(parts, bases)
        shares, first = np.unique(
            np.column_stack([parts // common, bases // common]), axis=0, return_index=True
        )
        order = sorted(range(len(shares)), key=lambda row: Fraction(int(shares[row, 0]), int(shares[row, 1])))
        low, high = order[0], order[-1]
        rates.append(
            _answer(
                Fraction(int(shares[low, 0]), int(shares[low, 1])),
                Fraction(int(shares[high, 0]), int(shares[high, 1])),
                len(shares),
                "integer",
                tuple(tables[some[first[low]]].tolist()),
                tuple(tables[some[first[high]]].tolist()),
                100,
            )
        )
    return Answers(tuple(counts), tuple(rates), True)


def _answer(
    low: Fraction, high: Fraction, number: int, method: Method, low_table: Kept, high_table: Kept, scale: int
) -> Answer:
    return Answer(
        float(low * scale),
        float(high * scale),
        number,
        method,
        low_table,
        high_table,
        low,
        high,
    )


class _Search:
    """A piece too large to be listed: verified tables are collected until every need is met, or cannot be."""

    def __init__(self, system: System, needs: Needs, start: Table, limits: Limits, until: float) -> None:
        self._system = system
        self._needs, self._span = needs
        self._until = until
        self._start = start
        self._checker = Checker(system)
        sizes = [abs(limit) for limit in (*system.lower, *system.upper, *start.tolist()) if limit is not None]
        sizes += [abs(limit) for row in system.rows for limit in (row.lower, row.upper) if limit is not None]
        self._program = Program(system, 4 * max(sizes, default=0) + 1000, limits.seconds_a_solve)
        self._weighted = [row for row in system.rows if any(abs(value) > 1 for _, value in row.terms)]
        size = len(system.lower)
        self._counted = weights([form.terms for form in system.counts], size)
        self._parts = weights([part.terms for part, _ in system.rates], size)
        self._bases = weights([base.terms for _, base in system.rates], size)
        # of each count: its values so far, each with a table; of each rate: the same by fraction
        self._seen: list[dict[int, Kept]] = [{} for _ in system.counts]
        self._seen_rates: list[dict[Fraction, Kept]] = [{} for _ in system.rates]
        self._keep(start)

    def answers(self) -> Answers:
        """The answer for each count and rate."""
        self._probe()
        counts = [self._count(number) for number in range(len(self._seen))]
        rates = [self._rate(number) for number in range(len(self._seen_rates))]
        return Answers(tuple(counts), tuple(rates), False)

    def _keep(self, table: Table | None) -> bool:
        """Enter a table into what was seen; False if there is none or it is not one of the system."""
        if table is None or not self._checker.satisfied(table[None, :])[0]:
            return False
        kept = tuple(table.tolist())
        if len(self._seen):
            found = (self._counted @ table).tolist()
            for seen, form, value in zip(self._seen, self._system.counts, found, strict=True):
                seen.setdefault(value + form.constant, kept)
        if len(self._seen_rates):
            parts, bases = (self._parts @ table).tolist(), (self._bases @ table).tolist()
            for number, (part, base) in enumerate(self._system.rates):
                whole = bases[number] + base.constant
                if whole > 0:
                    rate = Fraction(parts[number] + part.constant, whole)
                    self._seen_rates[number].setdefault(rate, kept)
        return True

    def _meets(self, number: int) -> bool:
        seen = self._seen[number]
        return all(
            len(seen) >= need.values and (need.reach is None or max(seen) >= need.reach)
            for need in self._needs[number]
        )

    def _spans(self, number: int) -> bool:
        seen = self._seen_rates[number]
        return bool(seen) and max(seen) - min(seen) >= self._span

    def _probe(self) -> None:
        """Push many unsettled quantities at once, up or down at random, near the true table and then far.

        Near it the vertices have values between the extremes; most needs are met by a dozen tables.
        """
        random = np.random.default_rng(0)
        for radius in RADII:
            counts = [number for number in range(len(self._seen)) if not self._meets(number)]
            rates = [number for number in range(len(self._seen_rates)) if not self._spans(number)]
            if (not counts and not rates) or time.monotonic() > self._until:
                return
            for sign in (1.0, -1.0) if radius is None else (1.0,):
                cost = random.choice([-1.0, 1.0], len(counts)) @ self._counted[counts].astype(np.float64)
                cost = cost + random.choice([-1.0, 1.0], len(rates)) @ self._slopes(rates)
                box = None if radius is None else self._box(radius, random)
                reply = self._program.relaxed(sign * cost, box=box)
                if not self._keep(reply.table) and reply.state == "best":
                    self._keep(self._program.whole(sign * cost, box=box, gap=0.2, seconds=1.0).table)

    def _box(
        self, radius: int, random: np.random.Generator
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Limits `radius` around the true table, where no row with other coefficients than 1 can be broken.

        Such rows (bands) are what makes vertices fractional; in the box they have no say. Variables are held
        at their true value, at random, until that is so.
        """
        start = self._start.tolist()
        low, high = [value - radius for value in start], [value + radius for value in start]
        for number in random.permutation(len(self._weighted)).tolist():
            row = self._weighted[number]
            for place in random.permutation(len(row.terms)).tolist():
                least, most = extent(row.terms, low, high)
                assert least is not None and most is not None
                if (row.lower is None or least >= row.lower) and (row.upper is None or most <= row.upper):
                    break
                index = row.terms[place][0]
                low[index] = high[index] = start[index]
        return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)

    def _slopes(self, rates: list[int]) -> npt.NDArray[np.float64]:
        """The direction in which each rate grows at the true table."""
        found = np.zeros((len(rates), len(self._start)))
        for row, number in enumerate(rates):
            part, base = self._system.rates[number]
            start = self._start.tolist()
            slope = base.at(start) * self._parts[number] - part.at(start) * self._bases[number]
            found[row] = slope / max(1, np.abs(slope).max())
        return found

    def _count(self, number: int) -> Answer:
        seen, form, needs = self._seen[number], self._system.counts[number], self._needs[number]
        if self._meets(number):
            return self._seen_answer(seen, "witness", 1)
        if time.monotonic() > self._until:
            return self._seen_answer(seen, "undecided", 1)
        low, high, is_low_sure, is_high_sure = self._relaxed_limits(number)
        if all(
            high - low + 1 < need.values or (need.reach is not None and high < need.reach) for need in needs
        ):
            return replace(self._seen_answer(seen, "lp", 1), low=float(low), high=float(high))
        is_sure = True
        cost = self._counted[number].astype(np.float64)
        if not is_low_sure:
            reply = self._within_time(cost)
            is_sure &= self._keep(reply.table) and reply.state == "best"
        if not is_high_sure and high < math.inf:
            reply = self._within_time(-cost)
            is_sure &= self._keep(reply.table) and reply.state == "best"
        for need in needs:
            if need.reach is not None and max(seen) < need.reach and high == math.inf:
                is_sure &= self._keep(self._within_time(cost, (form, float(need.reach), math.inf)).table)
        # one value after the other: feasible values need not be neighbours
        after, most = min(seen), max((need.values for need in needs), default=0)
        while is_sure and len(seen) < most:
            if after + 1 in seen:
                after += 1
                continue
            reply = self._within_time(cost, (form, float(after + 1), math.inf))
            if reply.state == "none":
                break
            is_sure &= self._keep(reply.table) and reply.state == "best"
            # the table is one of the system for certain; of the extra row only if its value says so
            above = [value for value in seen if value > after]
            is_sure &= bool(above)
            after = min(above, default=after)
        method: Method = "integer" if is_sure else "witness" if self._meets(number) else "undecided"
        answer = self._seen_answer(seen, method, 1)
        return replace(answer, high=math.inf) if is_sure and high == math.inf else answer

    def _relaxed_limits(self, number: int) -> tuple[float, float, bool, bool]:
        """Least and greatest value in the relaxation, rounded inwards, and whether a table has that value."""
        seen, constant = self._seen[number], self._system.counts[number].constant
        limits: list[float] = []
        for sign in (1.0, -1.0):
            reply = self._program.relaxed(sign * self._counted[number])
            self._keep(reply.table)
            if reply.state == "best":
                limits.append(inwards(sign * reply.bound, sign > 0) + constant)
            else:
                limits.append(-sign * math.inf)
        return limits[0], limits[1], limits[0] in seen, limits[1] in seen

    def _rate(self, number: int) -> Answer:
        seen = self._seen_rates[number]
        if self._spans(number):
            return self._seen_answer(seen, "witness", 100)
        is_sure = True
        base = self._system.rates[number][1]
        for sign in (1, -1):
            while is_sure:
                if time.monotonic() > self._until:
                    is_sure = False
                    break
                # no table has a lower rate than p / q if q * part - p * base is never below 0 (Dinkelbach)
                best = min(seen) if sign > 0 else max(seen)
                slope = sign * (best.denominator * self._parts[number] - best.numerator * self._bases[number])
                part, whole = self._system.rates[number]
                constant = sign * (best.denominator * part.constant - best.numerator * whole.constant)
                row = (base, 1.0, math.inf)
                before = len(seen)
                reply = self._program.relaxed(slope.astype(np.float64), row=row)
                if reply.state == "best" and inwards(reply.bound, True) + constant >= 0:
                    break
                self._keep(reply.table)
                if (min(seen) if sign > 0 else max(seen)) != best:
                    continue
                reply = self._within_time(slope.astype(np.float64), row)
                is_sure &= self._keep(reply.table) and reply.state == "best"
                if (min(seen) if sign > 0 else max(seen)) == best:
                    break
                is_sure &= len(seen) > before
            if self._spans(number):
                break
        if self._spans(number):
            return self._seen_answer(seen, "witness", 100)
        return self._seen_answer(seen, "integer" if is_sure else "undecided", 100)

    def _within_time(
        self, cost: npt.NDArray[np.float64], row: tuple[Form, float, float] | None = None
    ) -> Reply:
        left = self._until - time.monotonic()
        if left <= 0:
            return Reply("unknown", 0.0, None)
        return self._program.whole(cost, row=row)

    @staticmethod
    def _seen_answer(
        seen: Mapping[int, Kept] | Mapping[Fraction, Kept], method: Method, scale: int
    ) -> Answer:
        tables = sorted((Fraction(value), table) for value, table in seen.items())
        (low, low_table), (high, high_table) = tables[0], tables[-1]
        return _answer(low, high, len(tables), method, low_table, high_table, scale)

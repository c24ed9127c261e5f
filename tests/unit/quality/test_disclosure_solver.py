"""The solver against every whole table there is: small problems, counted one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.disclosure import solver, tables
from quality.disclosure.components import Contradiction, split, value_of
from quality.disclosure.model import (
    Criteria,
    Finding,
    Known,
    Pairs,
    Problem,
    Protected,
    ProtectedRate,
    Terms,
    Variable,
)
from quality.disclosure.programs import Program, Reply
from quality.disclosure.solver import Limits, Memo, judge

CRITERIA = Criteria(
    small_max=7, small_values=4, small_reach=3, other_values=3, rate_base=20, rate_points=10.0
)
BY_HIGHS = Limits(listed_tables=0)

# -------------------------------------------------------------------------------------------- every table there is


def every_table(problem: Problem) -> Iterator[dict[str, int]]:
    """All whole tables that satisfy a problem, by trying all; independent of the solver."""
    names = [variable.name for variable in problem.variables]
    ranges = [range(v.lower, (9 if v.upper is None else v.upper) + 1) for v in problem.variables]
    for values in product(*ranges):
        table = dict(zip(names, values, strict=True))
        if is_possible(problem, table):
            yield table


def is_possible(problem: Problem, table: Mapping[str, int]) -> bool:
    for variable in problem.variables:
        value = table[variable.name]
        if value < variable.lower or (variable.upper is not None and value > variable.upper):
            return False
    for known in problem.known:
        total = sum(coefficient * table[name] for name, coefficient in known.terms)
        if (known.lower is not None and total < known.lower) or (
            known.upper is not None and total > known.upper
        ):
            return False
    return all((table[pairs.first], table[pairs.second]) in pairs.allowed for pairs in problem.pairs)


def is_open(true_value: int, feasible: set[int]) -> bool:
    """disclosure.md: a true 0-7 needs four values, one of them three or more; any other three."""
    if 0 <= true_value <= 7:
        return len(feasible) >= 4 and max(feasible) >= 3
    return len(feasible) >= 3


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Small problems with sums, rounding, bands, complements, pairs, and what an insider knows exactly."""
    names = [f"v{number}" for number in range(draw(st.integers(1, 4)))]
    truth = {name: draw(st.integers(0, 9)) for name in names}
    variables = tuple(
        Variable(name, truth[name], upper=draw(st.sampled_from([9, 9, None]))) for name in names
    )
    # a variable without a limit has one through a row, as the brute force tries values up to 9
    known = [
        Known(((variable.name, 1),), None, 9.4, "limit") for variable in variables if variable.upper is None
    ]
    coefficient = st.sampled_from([1, 1, 1, -1, 2, -3, 19, -20])
    for number in range(draw(st.integers(0, 4))):
        some = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
        terms: Terms = tuple((name, draw(coefficient)) for name in some)
        total = value_of(terms, truth)
        below, above = (draw(st.sampled_from([None, 0, 0, 0.5, 1, 2, 7, 30])) for _ in "lu")
        known.append(
            Known(
                terms,
                None if below is None else total - below,
                None if above is None else total + above,
                f"row {number}",
            )
        )
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(names))
        known.append(Known(((name, 1),), truth[name], truth[name], "own cell"))
    pairs = []
    if len(names) > 1 and draw(st.booleans()):
        first, second = draw(st.permutations(names))[:2]
        allowed = {(truth[first], truth[second])} | set(
            draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8))
        )
        pairs.append(Pairs(first, second, tuple(sorted(allowed)), "printed rate"))
    protected = [Protected(name, ((name, 1),), truth[name]) for name in names]
    rates = []
    if len(names) > 1:
        unmet: Terms = ((names[0], 1), (names[1], -1))
        protected.append(Protected("unmet", unmet, value_of(unmet, truth)))
        rates.append(
            ProtectedRate(
                "rate", ((names[1], 1),), ((names[0], 1), (names[-1], 1)), *rate_truth(names, truth)
            )
        )
    return Problem("outsider", variables, tuple(known), tuple(pairs), tuple(protected), tuple(rates))


def rate_truth(names: list[str], truth: Mapping[str, int]) -> tuple[int, int]:
    return truth[names[1]], truth[names[0]] + truth[names[-1]]


@settings(max_examples=150, deadline=None)
@given(problems(), st.sampled_from([Limits(), BY_HIGHS]))
def test_every_answer_agrees_with_all_tables_counted_one_by_one(problem: Problem, limits: Limits) -> None:
    tables = list(every_table(problem))
    findings = {finding.name: finding for finding in judge(problem, CRITERIA, limits=limits)}
    for count in problem.protected:
        feasible = {value_of(count.terms, table) for table in tables}
        finding = findings.pop(count.name)
        assert finding.passes == is_open(count.true_value, feasible)
        if limits is BY_HIGHS:
            agrees(finding, min(feasible), max(feasible), len(feasible))
        else:
            assert (finding.low, finding.high, finding.values) == (
                min(feasible),
                max(feasible),
                len(feasible),
            )
        witnessed(problem, finding, count.terms)
    for rate in problem.rates:
        if not 0 < rate.true_base < 20:
            continue
        shares = {
            Fraction(100 * value_of(rate.part, table), value_of(rate.base, table))
            for table in tables
            if value_of(rate.base, table) > 0
        }
        finding = findings.pop(rate.name)
        assert finding.passes == (max(shares) - min(shares) >= 10)
        agrees(finding, float(min(shares)), float(max(shares)), len(shares), is_rate=True)
    assert not findings


def agrees(finding: Finding, low: float, high: float, number: int, is_rate: bool = False) -> None:
    """Exact where the method says exact, on the safe side where it says less."""
    if finding.method == "integer":
        assert (finding.low, finding.high) == pytest.approx((low, high))
        if not is_rate and number < (4 if 0 <= finding.true_value <= 7 else 3):
            assert finding.values == number  # the number decides, so it is exact
    elif finding.method == "lp":
        assert finding.low <= low and finding.high >= high and not finding.passes
    else:
        assert finding.method == "witness" and finding.passes
        assert low - 1e-9 <= finding.low and finding.high <= high + 1e-9
    assert finding.values <= number


def witnessed(problem: Problem, finding: Finding, terms: Terms) -> None:
    """Both tables are possible, whole, and have the values that the finding says."""
    truth = {variable.name: variable.true_value for variable in problem.variables}
    assert finding.witness_low is not None and finding.witness_high is not None
    for witness in (finding.witness_low, finding.witness_high):
        assert is_possible(problem, truth | dict(witness))
    low, high = value_of(terms, finding.witness_low), value_of(terms, finding.witness_high)
    assert finding.low <= low <= high <= finding.high
    if finding.method != "lp":
        assert (low, high) == (finding.low, finding.high)


# ------------------------------------------------------------------------------------------------------ known tables


def counts(table: Mapping[str, int]) -> tuple[Protected, ...]:
    return tuple(Protected(name, ((name, 1),), value) for name, value in table.items())


def suppressed(table: list[list[int]], hidden: set[tuple[int, int]]) -> Problem:
    """A two-way table of which row and column totals are published, and all cells but the hidden ones."""
    name = {(r, c): f"{r},{c}" for r in range(len(table)) for c in range(len(table[0]))}
    truth = {name[place]: table[place[0]][place[1]] for place in name}
    known = [
        Known(tuple((name[r, c], 1) for c in range(len(row))), sum(row), sum(row), f"total of row {r}")
        for r, row in enumerate(table)
    ]
    for c in range(len(table[0])):
        total = sum(row[c] for row in table)
        known.append(
            Known(tuple((name[r, c], 1) for r in range(len(table))), total, total, f"total of column {c}")
        )
    known += [
        Known(((name[place], 1),), truth[name[place]], truth[name[place]], "cell")
        for place in name
        if place not in hidden
    ]
    return Problem(
        "outsider",
        tuple(Variable(key, value) for key, value in truth.items()),
        tuple(known),
        (),
        counts({name[place]: truth[name[place]] for place in sorted(hidden)}),
        (),
    )


#: The table of sdcTable's own tests of secondary suppression (github.com/sdcTools/sdcTable,
#: `context("test secondarySuppression()")`): two hidden cells and more in every row and column, and yet row w,
#: column b follows: rows w and x leave 236 for a and c of them and for it, columns a and c leave 189, so it is 47.
SDC_TABLE = [[30, 47, 64, 89], [90, 124, 5, 31], [92, 100, 59, 85], [800, 991, 651, 685]]
SDC_HIDDEN = {(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (2, 3), (3, 1), (3, 3)}


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
def test_a_cell_that_follows_from_several_totals_is_found_in_a_published_example(limits: Limits) -> None:
    finding = by_name(judge(suppressed(SDC_TABLE, SDC_HIDDEN), CRITERIA, limits=limits))["0,1"]
    assert (finding.low, finding.high, finding.passes) == (47, 47, False)


def test_one_more_hidden_cell_opens_it_as_far_as_the_published_example_says() -> None:
    # the same test file: attack() gives 0 to 78 once one more cell is hidden; of the seven left only x, d does that
    problem = suppressed(SDC_TABLE, SDC_HIDDEN | {(1, 3)})
    all_values = replace(CRITERIA, other_values=80)
    finding = by_name(judge(problem, all_values, limits=BY_HIGHS))["0,1"]
    assert (finding.low, finding.high) == (0, 78)
    assert not finding.passes
    finding = by_name(judge(problem, replace(CRITERIA, other_values=79), limits=BY_HIGHS))["0,1"]
    assert (finding.values, finding.passes) == (79, True)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def cell(base: int, met: int) -> Problem:
    """A cell with its base and cases met rounded, or its rate in the band 90% and over."""
    variables = (Variable("n", base), Variable("x", met), Variable("u", base - met))
    known = [
        Known((("x", 1), ("u", 1), ("n", -1)), 0, 0, "met and unmet"),
        rounded("n", base),
        rounded("x", met) if base - met > 7 else Known((("x", 100), ("n", -90)), 0, None, "band"),
    ]
    return Problem("o", variables, tuple(known), (), counts({"n": base, "x": met, "u": base - met})[1:], ())


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 400), st.floats(0.5, 1))
def test_highs_counts_as_many_values_as_the_list_has(base: int, rate: float) -> None:
    met = min(base, -(-round(rate * base * 100) // 100))
    if base - met <= 7 and 10 * met < 9 * base:
        met = base
    for finding in judge(cell(base, met), CRITERIA):
        alone = replace(
            cell(base, met), protected=tuple(p for p in cell(base, met).protected if p.name == finding.name)
        )
        for asked in {min(finding.values, 12), finding.values + 1}:
            criteria = Criteria(10**6, asked, 0, asked, 20, 10.0)
            other = judge(alone, criteria, limits=BY_HIGHS)[0]
            assert other.passes == (asked <= finding.values)
            assert finding.low <= other.low <= other.high <= finding.high


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4),
    st.sampled_from([Limits(), BY_HIGHS]),
)
def test_two_way_tables_have_the_bounds_of_frechet(table: list[list[int]], limits: Limits) -> None:
    # max(0, row + column - total) to min(row, column), each attained: Dobra and Fienberg, Bounds for cell entries
    # in contingency tables given marginal totals and decomposable graphs, PNAS 97 (2000), 11885-11892, section 1
    hidden = {(r, c) for r in range(len(table)) for c in range(3)}
    problem = suppressed(table, hidden)
    # more values than there are: so that least and greatest are worked out, not only witnessed
    criteria = Criteria(10**6, 10**6, 0, 10**6, 20, 10.0)
    total = sum(map(sum, table))
    for finding in judge(problem, criteria, limits=limits):
        r, c = map(int, finding.name.split(","))
        row, column = sum(table[r]), sum(line[c] for line in table)
        assert (finding.low, finding.high) == (max(0, row + column - total), min(row, column))


def test_a_decomposable_three_way_table_has_its_closed_bounds() -> None:
    # margins AB and BC published: bounds max(0, n(ab) + n(bc) - n(b)) to min(n(ab), n(bc)) (the same paper, theorem 4)
    size = range(2), range(2), range(3)
    truth = {
        (a, b, c): (7 * a + 3 * b + 5 * c + a * b * c) % 11 for a in size[0] for b in size[1] for c in size[2]
    }
    known = [
        Known(tuple((f"{a}{b}{c}", 1) for c in size[2]), ab, ab, "AB")
        for a in size[0]
        for b in size[1]
        for ab in [sum(truth[a, b, c] for c in size[2])]
    ]
    known += [
        Known(tuple((f"{a}{b}{c}", 1) for a in size[0]), bc, bc, "BC")
        for b in size[1]
        for c in size[2]
        for bc in [sum(truth[a, b, c] for a in size[0])]
    ]
    cells = {f"{a}{b}{c}": value for (a, b, c), value in truth.items()}
    problem = Problem(
        "o", tuple(Variable(k, v) for k, v in cells.items()), tuple(known), (), counts(cells), ()
    )
    assert len(split(problem)) == 2
    for limits in (Limits(), BY_HIGHS):
        for finding in judge(problem, Criteria(99, 99, 0, 99, 20, 10.0), limits=limits):
            a, b, c = map(int, finding.name)
            ab = sum(truth[a, b, other] for other in size[2])
            bc = sum(truth[other, b, c] for other in size[0])
            every = sum(truth[x, b, y] for x in size[0] for y in size[2])
            assert (finding.low, finding.high) == (max(0, ab + bc - every), min(ab, bc))


# ----------------------------------------------------------------------------------------------------- planted leaks


def rounded(name: str, value: int) -> Known:
    near = 5 * round(value / 5)
    return Known(((name, 1),), near - 2, near + 2, f"{name} rounded")


QUARTERS = {f"Q{number}": 12 for number in range(1, 5)}


def year(published: int) -> Problem:
    terms = tuple((name, 1) for name in QUARTERS)
    known = [rounded(name, value) for name, value in QUARTERS.items()]
    known.append(Known(terms, published - 2, published + 2, "year"))
    return Problem(
        "o", tuple(Variable(n, v) for n, v in QUARTERS.items()), tuple(known), (), counts(QUARTERS), ()
    )


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
def test_four_tens_in_a_year_of_fifty_are_each_twelve(limits: Limits) -> None:
    findings = judge(year(50), CRITERIA, limits=limits)
    assert [(f.low, f.high, f.values, f.passes) for f in findings] == [(12, 12, 1, False)] * 4


def test_without_the_year_each_of_the_four_has_its_five_values() -> None:
    problem = year(50)
    findings = judge(replace(problem, known=problem.known[:4]), CRITERIA)
    assert [(f.low, f.high, f.values, f.passes) for f in findings] == [(8, 12, 5, True)] * 4


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
def test_an_insider_who_knows_his_part_leaves_less_of_the_other(limits: Limits) -> None:
    # two bodies, 9 and 4, total published exactly: the one that knows its 9 knows the other's 4
    variables = (Variable("mine", 9), Variable("other", 4, upper=7))
    total = Known((("mine", 1), ("other", 1)), 13, 13, "total")
    outsider = Problem("outsider", variables, (total, rounded("mine", 9)), (), counts({"other": 4}), ())
    assert judge(outsider, CRITERIA, limits=limits)[0].passes
    insider = replace(outsider, attacker="mine", known=(*outsider.known, Known((("mine", 1),), 9, 9, "own")))
    finding = judge(insider, CRITERIA, limits=limits)[0]
    assert (finding.low, finding.high, finding.passes, finding.attacker) == (4, 4, False, "mine")


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
def test_values_with_gaps_are_counted_not_measured(limits: Limits) -> None:
    # 0 or 500 more than 700: a range of 501 and two values
    variables = (Variable("n", 700, upper=10_000), Variable("switch", 0, upper=1))
    known = (Known((("n", 1), ("switch", -500)), 700, 700, "printed twice"),)
    problem = Problem("o", variables, known, (), counts({"n": 700}), ())
    finding = judge(problem, CRITERIA, limits=limits)[0]
    assert (finding.low, finding.high, finding.values, finding.passes) == (700, 1200, 2, False)


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
def test_a_relaxation_that_is_wide_does_not_pass_what_whole_numbers_forbid(limits: Limits) -> None:
    # 20 x = 19 n with n from 981 to 1019: x is 932 to 968 in the relaxation, but n must be a multiple of 20
    variables = (Variable("n", 1000), Variable("x", 950))
    known = (Known((("n", 1),), 981, 1019, "n"), Known((("x", 20), ("n", -19)), 0, 0, "exact rate"))
    problem = Problem("o", variables, known, (), counts({"x": 950}), ())
    finding = judge(problem, CRITERIA, limits=limits)[0]
    assert (finding.low, finding.high, finding.values, finding.passes) == (950, 950, 1, False)


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
@pytest.mark.parametrize("million", [10**6, 10**6 + 1, 3 * 10**6 + 7])
def test_large_counts_at_the_edge_of_a_band_are_exact(million: int, limits: Limits) -> None:
    # n known, 100 x >= 95 n and 1000 x < 951 n: the ends are whole-number division, not a tolerance
    low, high = -(-95 * million // 100), (951 * million - 1) // 1000
    truth = {"n": million, "x": low, "u": million - low}
    known = (
        Known((("n", 1),), million - 1, million, "n"),
        Known((("x", 1), ("u", 1), ("n", -1)), 0, 0, "sum"),
        Known((("x", 100), ("n", -95)), 0, None, "band"),
        Known((("x", 1000), ("n", -951)), None, -1, "band"),
        Known((("x", 1),), None, low + 1, "other band"),
    )
    variables = tuple(Variable(name, value) for name, value in truth.items())
    problem = Problem("o", variables, known, (), counts({"x": low}), ())
    least = -(-95 * (million - 1) // 100)
    finding = judge(problem, CRITERIA, limits=limits)[0]
    assert high > low + 1
    assert finding.passes == (low + 1 - least + 1 >= 3)
    assert least <= finding.low <= finding.high <= low + 1
    if not finding.passes:
        assert (finding.low, finding.high) == (least, low + 1)


def test_a_count_without_limit_above_is_open_above() -> None:
    problem = Problem(
        "o",
        (Variable("n", 3), Variable("m", 5)),
        (Known((("n", 1), ("m", -1)), None, 0, "at most"), Known((("n", 1),), 2, None, "at least")),
        (),
        counts({"n": 3, "m": 5}),
        (),
    )
    findings = judge(problem, Criteria(7, 9, 60, 3, 20, 10.0))
    assert [finding.passes for finding in findings] == [True, True]
    for finding in findings:
        assert finding.low == 2
        assert finding.witness_high is not None and is_possible(problem, finding.witness_high)
        assert finding.witness_high[finding.name] >= 60


# ------------------------------------------------------------------------------------------------------------- rates


def rate_problem(part: tuple[int, int], base: tuple[int, int]) -> Problem:
    """A rate of which part and base are each known to be in a range; in truth 6 of 12."""
    variables = (Variable("x", 6), Variable("n", 12))
    known = (
        Known((("x", 1),), *part, "part"),
        Known((("n", 1),), *base, "base"),
        Known((("x", 1), ("n", -1)), None, 0, "met at most base"),
    )
    return Problem("o", variables, known, (), (), (ProtectedRate("rate", (("x", 1),), (("n", 1),), 6, 12),))


@pytest.mark.parametrize("limits", [Limits(), BY_HIGHS])
@pytest.mark.parametrize(
    ("part", "base", "low", "high", "passes"),
    [
        ((6, 6), (12, 12), 50, 50, False),
        ((6, 6), (11, 13), 100 * 6 / 13, 100 * 6 / 11, False),  # 8.4 points
        ((6, 6), (10, 12), 50, 60, True),  # ten points exactly
        ((6, 7), (12, 13), 100 * 6 / 13, 100 * 7 / 12, True),
    ],
)
def test_the_rate_of_a_small_base_must_span_ten_points(
    part: tuple[int, int], base: tuple[int, int], low: float, high: float, passes: bool, limits: Limits
) -> None:
    finding = judge(rate_problem(part, base), CRITERIA, limits=limits)[0]
    assert finding.passes == passes
    assert (finding.low, finding.high) == pytest.approx((low, high)) or (passes and limits is BY_HIGHS)
    assert finding.high - finding.low >= 10 or not passes


def test_a_rate_on_twenty_is_not_judged() -> None:
    problem = rate_problem((6, 6), (12, 12))
    assert judge(problem, replace(CRITERIA, rate_base=12)) == []


# -------------------------------------------------------------------------------------------- what must not go wrong


def test_what_is_not_decided_in_time_fails_and_says_so() -> None:
    hidden = {(r, c) for r in range(4) for c in range(4)}
    findings = judge(
        suppressed(SDC_TABLE, hidden), CRITERIA, limits=Limits(listed_tables=0, seconds_a_component=0.0)
    )
    assert {(finding.method, finding.passes) for finding in findings} == {("undecided", False)}


@pytest.mark.parametrize("is_whole_too", [True, False])
def test_a_solver_that_lies_makes_nothing_pass(monkeypatch: pytest.MonkeyPatch, is_whole_too: bool) -> None:
    # whatever HiGHS calls a table, only what is one in whole numbers counts
    def lie(self: Program, cost: np.ndarray, **_: object) -> Reply:
        return Reply("best", -1000.0, np.arange(len(cost), dtype=np.int64) * 7)

    monkeypatch.setattr(Program, "relaxed", lie)
    if is_whole_too:
        monkeypatch.setattr(Program, "whole", lie)
    findings = judge(year(50), CRITERIA, limits=BY_HIGHS)
    assert not any(finding.passes for finding in findings)
    wide = replace(
        year(50), known=(Known((("Q1", 1), ("Q2", -1), ("Q3", 1)), 8, 18, "some"), *year(50).known[:4])
    )
    found = by_name(judge(wide, CRITERIA, limits=BY_HIGHS))
    assert {finding.method for name, finding in found.items() if name != "Q4"} <= (
        {"undecided"} if is_whole_too else {"integer", "witness"}
    )
    # and with that check broken the last look at every witness still stops it
    if is_whole_too:
        monkeypatch.setattr(
            tables.Checker, "satisfied", lambda self, some: np.ones(len(some), dtype=np.bool_)
        )
        with pytest.raises(RuntimeError, match="a witness is no table"):
            judge(wide, CRITERIA, limits=BY_HIGHS)


def test_a_true_table_that_is_not_possible_stops_with_the_rows_named() -> None:
    problem = year(55)
    with pytest.raises(Contradiction, match=r"year: .*Q1 \(12\).* = 48 is not from 53 to 57"):
        judge(problem, CRITERIA)


def test_a_pair_that_the_truth_is_not_among_stops_with_its_row_named() -> None:
    problem = Problem(
        "o", (Variable("a", 1), Variable("b", 2)), (), (Pairs("a", "b", ((2, 1),), "rate of a"),), (), ()
    )
    with pytest.raises(Contradiction, match="rate of a: a = 1 with b = 2 is none of the 1 pairs"):
        judge(problem, CRITERIA)


def test_a_value_said_to_be_true_that_its_terms_do_not_add_up_to_is_an_error() -> None:
    problem = Problem("o", (Variable("a", 1),), (), (), (Protected("p", (("a", 2),), 1),), ())
    with pytest.raises(ValueError, match="p is said to be 1 in truth, but its terms add up to 2"):
        judge(problem, CRITERIA)


def test_an_unknown_name_is_an_error() -> None:
    problem = Problem("o", (Variable("a", 1),), (Known((("b", 1),), 0, 1, "row 5"),), (), (), ())
    with pytest.raises(ValueError, match="row 5 speaks of b, which is no variable"):
        judge(problem, CRITERIA)


def test_a_value_that_is_known_exactly_fails() -> None:
    problem = Problem("o", (Variable("a", 9, 9, 9),), (), (), counts({"a": 9}), ())
    finding = judge(problem, CRITERIA)[0]
    assert (finding.low, finding.high, finding.values, finding.passes) == (9, 9, 1, False)
    assert dict(finding.witness_low or {}) == {"a": 9}


# ---------------------------------------------------------------------------------------------- components and order


def renamed(problem: Problem, prefix: str) -> Problem:
    def terms(of: Terms) -> Terms:
        return tuple((prefix + name, coefficient) for name, coefficient in of)

    return replace(
        problem,
        variables=tuple(replace(v, name=prefix + v.name) for v in problem.variables),
        known=tuple(replace(k, terms=terms(k.terms)) for k in problem.known),
        pairs=tuple(replace(p, first=prefix + p.first, second=prefix + p.second) for p in problem.pairs),
        protected=tuple(replace(p, name=prefix + p.name, terms=terms(p.terms)) for p in problem.protected),
        rates=tuple(
            replace(r, name=prefix + r.name, part=terms(r.part), base=terms(r.base)) for r in problem.rates
        ),
    )


def together(*problems: Problem) -> Problem:
    return replace(
        problems[0],
        variables=sum((p.variables for p in problems), ()),
        known=sum((p.known for p in problems), ()),
        pairs=sum((p.pairs for p in problems), ()),
        protected=sum((p.protected for p in problems), ()),
        rates=sum((p.rates for p in problems), ()),
    )


@settings(max_examples=60, deadline=None)
@given(problems(), problems(), st.randoms(use_true_random=False))
def test_neither_names_nor_order_nor_neighbours_change_an_answer(
    one: Problem, two: Problem, random: object
) -> None:
    both = together(renamed(one, "a "), renamed(two, "b "), renamed(one, "c "))
    for field in ("variables", "known", "pairs", "protected", "rates"):
        items = list(getattr(both, field))
        random.shuffle(items)  # type: ignore[attr-defined]
        both = replace(both, **{field: tuple(items)})
    found = by_name(judge(both, CRITERIA))
    for prefix, problem in (("a ", one), ("b ", two), ("c ", one)):
        for finding in judge(problem, CRITERIA):
            other = found[prefix + finding.name]
            assert (other.low, other.high, other.values, other.passes) == (
                finding.low,
                finding.high,
                finding.values,
                finding.passes,
            )


def test_cells_that_differ_in_names_only_are_solved_once() -> None:
    problem = together(*(renamed(year(50), f"{number} ") for number in range(50)))
    components = split(problem)
    assert len(components) == 50
    assert len({component.system for component in components}) == 1
    memo: Memo = {}
    assert len(judge(problem, CRITERIA, memo=memo)) == 200
    assert len(memo) == 1


def test_an_exactly_known_cell_links_nothing() -> None:
    # a + b and b + c are published; who knows b sees two components
    variables = tuple(Variable(name, 9) for name in "abc")
    known = (Known((("a", 1), ("b", 1)), 16, 20, "1"), Known((("b", 1), ("c", 1)), 16, 20, "2"))
    problem = Problem("o", variables, known, (), counts({"a": 9, "c": 9}), ())
    assert len(split(problem)) == 1
    assert len(split(replace(problem, known=(*known, Known((("b", 1),), 9, 9, "own"))))) == 2


def test_two_workers_answer_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "WORTH_WORKERS", 0)
    shifted = [
        Problem(
            "o",
            tuple(Variable(f"{number} {name}", 30 + number) for name in "abcdef"),
            (
                Known(tuple((f"{number} {name}", 1) for name in "abcdef"), 178 + 6 * number, None, "total"),
                *(rounded(f"{number} {name}", 30 + number) for name in "abcdef"),
            ),
            (),
            counts({f"{number} {name}": 30 + number for name in "abcdef"}),
            (),
        )
        for number in range(20)
    ]
    problem = together(*shifted)
    seen: list[tuple[int, int]] = []
    two = judge(problem, CRITERIA, workers=2, progress=lambda done, total: seen.append((done, total)))
    one = judge(problem, CRITERIA)
    assert [(f.name, f.low, f.high, f.values, f.method, dict(f.witness_low or {})) for f in one] == [
        (f.name, f.low, f.high, f.values, f.method, dict(f.witness_low or {})) for f in two
    ]
    assert seen[-1] == (20, 20)

"""The auditor audited: it finds every leak planted here, and lets the safe table beside each of them pass."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from disclosure_tables import (
    CRITERIA,
    RELEASE,
    REVISION,
    RULES,
    audited,
    cell,
    closed,
    exact,
    flag,
    limit_of,
    open_high,
    percent,
    relation,
    rounded,
    row,
    sum_of_published,
    suppressed,
    total,
    true,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from quality.disclosure.attackers import TOGETHER, Attacker, attackers_on, clusters_of, problem_of
from quality.disclosure.errors import DisclosureError
from quality.disclosure.knowledge import compile_knowledge, relations_of, truth_of
from quality.disclosure.ledger import LedgerRow
from quality.disclosure.model import Criteria, Finding, Known, Problem
from quality.disclosure.solver import judge

A, B = cell("A"), cell("B")
PART, REST, WHOLE = cell("A", "part"), cell("A", "rest"), cell("A", "whole")
LINKED = cell("A", "linked")
QUARTERS = [
    cell("A", period=period)
    for period in ("2025-26-Q1", "2025-26-Q2", "2025-26-Q3", "2025-26-Q4", "2026-27-Q1")
]


@dataclass(frozen=True)
class Table:
    """A publication: its numbers, the truth behind them, the definitions; and who finds what in it."""

    ledger: list[LedgerRow]
    truth: list[dict[str, Any]]
    relations: list[dict[str, Any]] = field(default_factory=list)
    exposed: set[str] = field(default_factory=set)
    attacker: str = "outsider"


def wilson(met: int, base: int, decimals: int) -> tuple[float, float]:
    low, high = proportion_confint(met, base, alpha=0.05, method="wilson")
    return round(100 * low, decimals), round(100 * high, decimals)


LEAKS = {
    # four quarters of 10 can be 48 at most, and a year of 50 is 48 at least
    "a year rounded by itself beside its quarters": Table(
        [*(rounded(quarter, "base", 10) for quarter in QUARTERS[:4]), total(QUARTERS[:4], 50)],
        [true(quarter, 12) for quarter in QUARTERS[:4]],
        exposed=set(QUARTERS[:4]),
    ),
    # 62 and 37 are 99: no other whole numbers near 60 and 35 add up to something near 100 but 61 + 37, 62 + 36
    "the cases not met beside the cases met": Table(
        [rounded(A, "base", 100), rounded(A, "met", 60), rounded(A, "unmet", 35)],
        [true(A, 99, 62)],
        exposed={A},
    ),
    # 12 became 13: of 8 to 12 and 13 to 17 only these are one apart
    "a revision that says it adds one case": Table(
        [rounded(A, "base", 10), rounded(A, "base", 15, REVISION),
         row(A, "added_count", "change", REVISION, measure="base", value=1.0, lower=1, upper=1)],
        [true(A, 12), true(A, 13, release=REVISION)],
        exposed={A},
        attacker="holder of all earlier releases",
    ),
    "a revision by one case, seen by whoever keeps both versions": Table(
        [rounded(A, "base", 10), rounded(A, "base", 15, REVISION)],
        [true(A, 12), true(A, 13, release=REVISION)],
        exposed={A},
        attacker="holder of all earlier releases",
    ),
    # 18 to 22 in all, of which 8 to 12 are visible: six or seven are left
    "a pooled count of peers of which all but one are visible": Table(
        [rounded(A, "base", 10), suppressed(B), total([A, B], 20, form="peers")],
        [true(A, 12), true(B, 6)],
        exposed={A, B},
    ),
    "Wilson limits of the true counts": Table(
        [rounded(A, "base", 100), rounded(A, "met", 60), limit_of(A, "lower", wilson(61, 99, 2)[0], 2),
         limit_of(A, "upper", wilson(61, 99, 2)[1], 2)],
        [true(A, 99, 61)],
        exposed={A},
    ),
    # of 98 to 102 cases only 60 of 98 are 61.2%
    "a percentage with a decimal": Table(
        [rounded(A, "base", 100), percent(A, 61.2, 1)],
        [true(A, 98, 60)],
        exposed={A},
    ),
    # under 10% of 8 to 12 is none or one
    "a flag on a small base": Table(
        [rounded(A, "base", 10), flag(A, "below", 10)],
        [true(A, 11, 1)],
        exposed={A},
    ),
    # under half of 13 to 17, and eight or more: 8 of 17
    "a closed band on a base of 15": Table(
        [rounded(A, "base", 15), closed(A, "under 50%", None, 50)],
        [true(A, 17, 8)],
        exposed={A},
    ),
    "a band and the count it hides": Table(
        [rounded(A, "base", 40), exact(A, "met", 38), open_high(A, 70)],
        [true(A, 41, 38)],
        exposed={A},
    ),
    "a total over a suppressed cell": Table(
        [rounded(PART, "base", 10), suppressed(REST), rounded(WHOLE, "base", 20)],
        [true(PART, 12), true(REST, 7), true(WHOLE, 19)],
        relation("parts", "zero", (PART, "base", 1), (REST, "base", 1), (WHOLE, "base", -1)),
        exposed={PART, REST, WHOLE},
    ),
    # 98 to 102 who consent, 88 to 92 of them referred, at most nine not: six to eight
    "a metric that repeats what another withholds": Table(
        [rounded(A, "base", 100), open_high(A, 90), rounded(LINKED, "base", 90)],
        [true(A, 99, 92), true(LINKED, 92)],
        relation("link", "zero", (LINKED, "base", 1), (A, "met", -1)),
        exposed={A, LINKED},
    ),
    # the later year is 11 more at least, so 12 came and one went, or 11 or 12 came and none
    "quarters beside rolling years": Table(
        [suppressed(QUARTERS[0]), *(rounded(quarter, "base", 15) for quarter in QUARTERS[1:4]),
         rounded(QUARTERS[4], "base", 10), total(QUARTERS[:4], 40, key="first year"), total(QUARTERS[1:], 55, key="second year")],
        [true(QUARTERS[0], 1), true(QUARTERS[1], 13), true(QUARTERS[2], 14), true(QUARTERS[3], 14), true(QUARTERS[4], 12)],
        exposed={QUARTERS[0], QUARTERS[4]},
    ),
    # 18 to 22 in all; who knows that his own are 20 knows that two at most are left
    "a total of two bodies, to one of them": Table(
        [rounded(A, "base", 20), suppressed(B), total([A, B], 20)],
        [true(A, 20), true(B, 2)],
        exposed={B},
        attacker="insider: police A",
    ),
}  # fmt: skip

SAFE = {
    "a year rounded by itself beside its quarters": Table(
        [*(rounded(quarter, "base", 10) for quarter in QUARTERS[:4]), sum_of_published(QUARTERS[:4], 40)],
        [true(quarter, 12) for quarter in QUARTERS[:4]],
    ),
    "the cases not met beside the cases met": Table(
        [rounded(A, "base", 100), rounded(A, "met", 60)], [true(A, 99, 62)]
    ),
    "a revision that says it adds one case": Table([rounded(A, "base", 10)], [true(A, 12), true(A, 12, release=REVISION)]),
    "a revision by one case, seen by whoever keeps both versions": Table(
        [rounded(A, "base", 10), rounded(A, "base", 25, REVISION)], [true(A, 12), true(A, 24, release=REVISION)]
    ),
    "a pooled count of peers of which all but one are visible": Table(
        [rounded(A, "base", 10), suppressed(B), total([A, B], 15, form="peers")], [true(A, 10), true(B, 4)]
    ),
    "Wilson limits of the true counts": Table(
        [rounded(A, "base", 100), rounded(A, "met", 60), row(A, "rate_lower_percent", "interval", value=50.0)],
        [true(A, 99, 61)],
    ),
    "a percentage with a decimal": Table(
        [rounded(A, "base", 100), rounded(A, "met", 60), row(A, "rate_percent", "percent", value=60.0)], [true(A, 98, 60)]
    ),
    "a flag on a small base": Table([rounded(A, "base", 40), flag(A, "below", 50)], [true(A, 41, 12)]),
    "a closed band on a base of 15": Table([rounded(A, "base", 20), closed(A, "under 50%", None, 50)], [true(A, 21, 9)]),
    "a band and the count it hides": Table([rounded(A, "base", 40), open_high(A, 70)], [true(A, 41, 38)]),
    "a total over a suppressed cell": Table(
        [rounded(PART, "base", 10), suppressed(REST)],
        [true(PART, 12), true(REST, 7), true(WHOLE, 19)],
        relation("parts", "zero", (PART, "base", 1), (REST, "base", 1), (WHOLE, "base", -1)),
    ),
    "a metric that repeats what another withholds": Table(
        [rounded(A, "base", 100), open_high(A, 90), suppressed(LINKED)],
        [true(A, 99, 92), true(LINKED, 92)],
        relation("link", "zero", (LINKED, "base", 1), (A, "met", -1)),
    ),
    "quarters beside rolling years": Table(
        [suppressed(QUARTERS[0]), *(rounded(quarter, "base", 15) for quarter in QUARTERS[1:4]), rounded(QUARTERS[4], "base", 10)],
        [true(QUARTERS[0], 1), true(QUARTERS[1], 13), true(QUARTERS[2], 14), true(QUARTERS[3], 14), true(QUARTERS[4], 12)],
    ),
    "a total of two bodies, to one of them": Table(
        [rounded(A, "base", 20), suppressed(B), sum_of_published([A], 20)], [true(A, 20), true(B, 2)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_found(name: str) -> None:
    table = LEAKS[name]
    found = audited(table.ledger, table.truth, table.relations)
    assert not found.passes
    assert set(found.exposed) == table.exposed
    assert table.attacker in {finding.attacker for finding in found.failures}


@pytest.mark.parametrize("name", SAFE)
def test_the_safe_table_beside_it_passes(name: str) -> None:
    table = SAFE[name]
    found = audited(table.ledger, table.truth, table.relations)
    assert found.exposed == ()
    assert found.findings, "a table in which nothing is judged proves nothing"


def test_the_two_lists_are_about_the_same_leaks() -> None:
    assert list(LEAKS) == list(SAFE)


# ---------------------------------------------------------------------------------------- rules 1 to 8

#: The rule in short -> the table under it, and the same cells published without it.
BY_RULE = {
    "1 a count of 0-7 is suppressed, every other one rounded": (
        Table([suppressed(A), rounded(B, "base", 40)], [true(A, 3), true(B, 41)]),
        Table([exact(A, "base", 3), rounded(B, "base", 40)], [true(A, 3), true(B, 41)]),
    ),
    "2 the cases not met are never published": (
        Table([rounded(A, "base", 100), rounded(A, "met", 60)], [true(A, 102, 58)]),
        Table([rounded(A, "base", 100), rounded(A, "met", 60), rounded(A, "unmet", 45)], [true(A, 102, 58)]),
    ),
    "3 where a side is small the band leaves room for eight": (
        Table([rounded(A, "base", 40), open_high(A, 70)], [true(A, 41, 40)]),
        Table([rounded(A, "base", 40), open_high(A, 95)], [true(A, 41, 40)]),
    ),
    "4 the rate comes from rounded counts, and is a band on a small base": (
        Table([rounded(A, "base", 20), closed(A, "50% to 79%", 50, 80)], [true(A, 18, 10)]),
        Table([rounded(A, "base", 20), percent(A, 56, 0)], [true(A, 18, 10)]),
    ),
    "5 one window, and totals add up the published cells": (
        Table([rounded(A, "base", 10), rounded(B, "base", 15), sum_of_published([A, B], 25)], [true(A, 8), true(B, 13)]),
        Table([rounded(A, "base", 10), rounded(B, "base", 15), total([A, B], 20)], [true(A, 8), true(B, 13)]),
    ),
    "6 no interval of unrounded counts": (
        Table([rounded(A, "base", 200), rounded(A, "met", 150), row(A, "rate_lower_percent", "interval", value=68.0)],
              [true(A, 199, 151)]),
        Table([rounded(A, "base", 200), rounded(A, "met", 150), limit_of(A, "lower", wilson(151, 199, 3)[0], 3)],
              [true(A, 199, 151)]),
    ),
    "7 a benchmark adds up the rounded counts of the others": (
        Table([rounded(A, "met", 20), rounded(A, "base", 40), rounded(B, "base", 40), open_high(B, 70), sum_of_published([A], 20)],
              [true(A, 41, 22), true(B, 41, 38)]),
        Table([rounded(A, "met", 20), rounded(A, "base", 40), rounded(B, "base", 40), open_high(B, 70),
               total([A, B], 65, measure="met", form="peers")],
              [true(A, 42, 22), true(B, 42, 41)]),
    ),
    "8 a flag stands on a base of 20 or more": (
        Table([rounded(A, "base", 25), flag(A, "below", 50)], [true(A, 23, 4)]),
        Table([rounded(A, "base", 10), flag(A, "below", 25)], [true(A, 8, 1)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", BY_RULE)
def test_a_table_passes_with_the_rule_and_fails_without_it(rule: str) -> None:
    with_rule, without = BY_RULE[rule]
    assert audited(with_rule.ledger, with_rule.truth, with_rule.relations).exposed == ()
    assert not audited(without.ledger, without.truth, without.relations).passes


# ---------------------------------------------------------------------------------------- what a row says


def nearest_five(value: int) -> int:
    return 5 * round(value / 5)


def published(met: int, base: int) -> tuple[Any, ...] | None:
    """Base, cases met, band as rules 1, 3 and 4 (and decision 7) publish one cell; written from their words."""
    if base <= 7:
        return None
    n, x, unmet = nearest_five(base), nearest_five(met), base - met
    if met <= 7 or unmet <= 7 or n - x <= 5 or x <= 5:
        if met <= 7 and unmet <= 7:
            return n, None, None
        # ten cases must lie between the limit and the end
        if n - x <= x:
            return (
                n,
                None,
                next(
                    (f"{limit}% and over" for limit in (95, 90, 80, 70, 60, 50) if n * (100 - limit) >= 1000),
                    None,
                ),
            )
        return (
            n,
            None,
            next((f"up to {limit}%" for limit in (5, 10, 20, 30, 40, 50) if n * limit >= 1000), None),
        )
    if n >= 40:
        return n, x, None
    if n < 20:
        return n, None, None
    rate = met / base
    return n, None, "under 50%" if rate < 0.5 else "50% to 79%" if rate < 0.8 else "80% and over"


def rows_of(public: tuple[Any, ...]) -> list[LedgerRow]:
    n, x, text = public
    rows = [rounded(A, "base", n)]
    if x is not None:
        rows.append(rounded(A, "met", x))
    if text is not None:
        band = RULES[0].band(text, n)
        assert band is not None
        rows.append(
            row(A, "rate_band", band.form, measure="rate", text=text, lower=band.lower, upper=band.upper)
        )
    return rows


def test_a_row_says_no_less_than_the_rules_let_a_reader_infer() -> None:
    """Every table of up to 90 cases: what the audit takes for possible is what has the same public row."""
    behind: dict[tuple[Any, ...], set[tuple[int, int]]] = defaultdict(set)
    for base in range(96):
        for met in range(base + 1):
            public = published(met, base)
            if public is not None and public[0] <= 90:
                behind[public].add((met, base))
    looser = 0
    for public, tables in behind.items():
        met, base = min(tables)
        knowledge = compile_knowledge(rows_of(public), truth_of([true(A, base, met)]), [], RULES)
        assert knowledge.inferences_left_out == 0
        ((outsider, clusters),) = attackers_on(clusters_of(knowledge))
        problem = problem_of(outsider, knowledge, clusters, CRITERIA)
        names = {
            variable.name.partition("@")[0].rpartition("#")[2]: variable.name
            for variable in problem.variables
        }
        possible = {
            (x, n)
            for n in range(public[0] - 2, public[0] + 3)
            for x in range(n + 1)
            if all(
                (known.lower is None or value >= known.lower)
                and (known.upper is None or value <= known.upper)
                for known in problem.known
                for value in [
                    sum({names["met"]: x, names["base"]: n}[name] * number for name, number in known.terms)
                ]
            )
        }
        assert possible >= tables, public
        if public[0] >= 20:
            # an open band: eight unmet of exactly the rounded base is the one table no inequality cuts off
            assert len(possible - tables) <= 1, (public, sorted(possible - tables))
            looser += len(possible - tables)
    assert len(behind) > 140 and looser > 0


# ---------------------------------------------------------------------------------------- who is asked what


def test_what_a_release_does_not_touch_was_judged_with_its_own() -> None:
    ledger = [rounded(A, "base", 20), rounded(B, "base", 30, "2025-26-Q2/v1.0.0")]
    truth = [true(A, 21), true(B, 31, release="2025-26-Q2/v1.0.0")]
    found = audited(ledger, truth)
    assert (found.clusters_judged, found.clusters_carried_over) == (1, 1)
    assert {finding.name for finding in found.findings} == {f"{B}#base@2025-26-Q2/v1.0.0"}
    everything = audited(ledger, truth, everything=True)
    assert (everything.clusters_judged, everything.clusters_carried_over) == (2, 0)


def test_a_new_number_about_an_old_cell_judges_the_old_cell_again() -> None:
    ledger = [rounded(A, "base", 10), suppressed(B), total([A, B], 20, release="2025-26-Q2/v1.0.0")]
    found = audited(ledger, [true(A, 12), true(B, 6)])
    assert found.candidate == "2025-26-Q2/v1.0.0"
    assert found.exposed == (A, B)


def test_an_insider_is_asked_only_where_several_bodies_hang_together() -> None:
    alone = audited([rounded(A, "base", 20), rounded(B, "base", 20)], [true(A, 20), true(B, 20)])
    assert set(alone.by_attacker) == {"outsider"}
    together = audited([rounded(A, "base", 20), suppressed(B), total([A, B], 20)], [true(A, 20), true(B, 2)])
    assert set(together.by_attacker) == {"everybody else together", "outsider", "insider: police A"}
    own = {finding.name for finding in together.findings if finding.attacker == "insider: police A"}
    assert own == {f"{B}#base@{RELEASE}"}


def test_what_stays_open_to_all_others_together_is_not_asked_of_each() -> None:
    found = audited(
        [rounded(A, "base", 20), rounded(B, "base", 20), total([A, B], 40)], [true(A, 20), true(B, 20)]
    )
    assert found.passes
    assert {finding.name: (finding.attacker, finding.low, finding.high) for finding in found.findings} == {
        f"{A}#base@{RELEASE}": ("everybody else together", 18, 22),
        f"{B}#base@{RELEASE}": ("everybody else together", 18, 22),
    }


@st.composite
def regions(draw: st.DrawFn) -> Table:
    """Two quarters of two bodies, whose year is broken down, and a total rounded by itself."""
    cells = [*QUARTERS[:2], B]
    counts = {cell: draw(st.tuples(st.integers(0, 30), st.integers(0, 30))) for cell in cells}
    told = draw(st.integers(0, sum(met for met, _ in counts.values())))
    missed = draw(st.integers(0, sum(unmet for _, unmet in counts.values())))
    parts = [f"breakdown|statistic|police|R|m|2025-26|sex|{sex}|census|all_cases|own" for sex in ("f", "m")]
    counts[parts[0]] = told, missed
    counts[parts[1]] = (
        sum(counts[cell][0] for cell in cells) - told,
        sum(counts[cell][1] for cell in cells) - missed,
    )
    ledger = []
    for name, (met, unmet) in counts.items():
        base = met + unmet
        if base <= 7:
            ledger.append(suppressed(name))
            continue
        ledger.append(rounded(name, "base", 5 * round(base / 5)))
        if min(met, unmet) > 7:
            ledger.append(rounded(name, "met", 5 * round(met / 5)))
    if draw(st.booleans()):
        ledger.append(total(cells, 5 * round(sum(sum(counts[cell]) for cell in cells) / 5)))
    adds_up = [
        row
        for measure in ("base", "met")
        for row in relation(
            measure,
            "zero",
            *((cell, measure, -1) for cell in cells),
            *((part, measure, 1) for part in parts),
        )
    ]
    return Table(ledger, [true(cell, met + unmet, met) for cell, (met, unmet) in counts.items()], adds_up)


@settings(max_examples=25, deadline=None)
@given(regions())
def test_all_others_together_know_no_less_than_any_attacker(table: Table) -> None:
    knowledge = compile_knowledge(table.ledger, truth_of(table.truth), relations_of(table.relations), RULES)
    clusters = clusters_of(knowledge)

    def found(attacker: Attacker) -> dict[str, Finding]:
        return {
            finding.name: finding
            for finding in judge(problem_of(attacker, knowledge, clusters, CRITERIA), CRITERIA)
        }

    together, exposed = found(TOGETHER), set()
    for attacker, _ in attackers_on(clusters):
        alone = found(attacker)
        assert not {name for name, finding in alone.items() if not finding.passes and together[name].passes}
        for name, finding in alone.items():
            if finding.method == together[name].method == "integer":
                assert finding.low <= together[name].low and together[name].high <= finding.high
        exposed |= {name.partition("#")[0] for name, finding in alone.items() if not finding.passes}
    assert set(audited(table.ledger, table.truth, table.relations).exposed) == exposed


def test_a_region_is_no_insider_and_a_body_alone_in_it_knows_all() -> None:
    """The parts of a region's year beside the cells of its areas: the areas are bodies, the region is not."""
    parts = [f"breakdown|statistic|police|R|m|2025-26|sex|{sex}|census|all_cases|own" for sex in ("f", "m")]
    ledger = [rounded(A, "base", 20), rounded(B, "base", 20), *(rounded(part, "base", 20) for part in parts)]
    truth = [true(A, 20), true(B, 20), *(true(part, 20) for part in parts)]
    both = relation("sex", "zero", (A, "base", -1), (B, "base", -1), *((part, "base", 1) for part in parts))
    # each body's own count follows from all other counts together, so each attacker is asked about it
    assert set(audited(ledger, truth, both).by_attacker) == {
        "everybody else together",
        "outsider",
        "insider: police A",
        "insider: police B",
    }
    alone = relation("sex", "zero", (A, "base", -1), *((part, "base", 1) for part in parts))
    truth = [true(A, 40), true(B, 20), *(true(part, 20) for part in parts)]
    ledger[0] = rounded(A, "base", 40)
    assert set(audited(ledger, truth, alone).by_attacker) == {"outsider"}


def test_a_revised_cell_is_protected_in_both_its_versions() -> None:
    ledger = [rounded(A, "base", 20), rounded(A, "base", 40, REVISION)]
    found = audited(ledger, [true(A, 21), true(A, 41, release=REVISION)], everything=True)
    assert {finding.name for finding in found.findings} == {f"{A}#base@{RELEASE}", f"{A}#base@{REVISION}"}
    assert found.passes


def test_a_figure_that_a_revision_repeats_is_known_of_both_versions() -> None:
    """The base changed visibly; the band did not, gets no row of its own, and still holds."""
    ledger = [rounded(A, "base", 40), open_high(A, 70), rounded(A, "base", 60, REVISION)]
    truth = [true(A, 41, 40), true(A, 60, 58, REVISION)]
    found = {
        finding.name: finding for finding in audited(ledger, truth).findings if finding.attacker == "outsider"
    }
    unmet = found[f"{A}#unmet@{REVISION}"]
    assert unmet.high <= 9


def test_a_definition_holds_of_the_earlier_version_that_a_published_change_tells_of() -> None:
    """17 more than before are 23 to 27 now, so six to ten then, as many as in a cell that is withheld as small."""
    change = row(A, "change", "change", REVISION, measure="base", value=17.0, lower=17, upper=17)
    ledger = [suppressed(A), rounded(A, "base", 25, REVISION), change, suppressed(B)]
    truth = [true(A, 7), true(A, 24, release=REVISION), true(B, 7)]
    same = relation("same", "zero", (A, "base", 1), (B, "base", -1))

    def known(relations: list[dict[str, Any]]) -> tuple[float, float]:
        outsider = audited(ledger, truth, relations, everything=True, judge=_outsider_only).findings
        found = next(item for item in outsider if item.name == f"{B}#base@{RELEASE}")
        return found.low, found.high

    assert known([]) == (0, 7)
    assert known(same) == (6, 7)


def _outsider_only(problem: Problem, criteria: Criteria, **settings: Any) -> list[Finding]:
    """The solver, but nothing stays open to attackers that know more: so everything is asked of the outsider."""
    found = judge(problem, criteria, **settings)
    return found if problem.attacker == "outsider" else [replace(item, passes=False) for item in found]


def test_small_rates_are_judged_too() -> None:
    found = audited([rounded(A, "base", 15)], [true(A, 14, 9)])
    assert [finding.name for finding in found.findings if "#rate" in finding.name] == [f"{A}#rate@{RELEASE}"]


def test_relations_that_the_true_counts_contradict_are_left_out_and_counted() -> None:
    ledger = [rounded(A, "base", 20), rounded(B, "base", 20)]
    definition = relation("same", "zero", (A, "base", 1), (B, "base", -1))
    assert audited(ledger, [true(A, 20), true(B, 20)], definition).relations_left_out == 0
    assert audited(ledger, [true(A, 20), true(B, 21)], definition).relations_left_out == 1
    waiting = audited(
        ledger, [true(A, 20), true(B, 20)], relation("later", "zero", (A, "base", 1), (LINKED, "base", -1))
    )
    assert (waiting.relations_left_out, waiting.relations_not_yet) == (0, 1)
    assert (
        audited(
            ledger,
            [true(A, 20), true(B, 21)],
            relation("less", "at_most_zero", (A, "base", 1), (B, "base", -1)),
        ).relations_left_out
        == 0
    )


def test_a_number_that_the_truth_does_not_give_stops_the_audit() -> None:
    with pytest.raises(DisclosureError, match="not what the true counts give"):
        audited([rounded(A, "base", 20)], [true(A, 33)])
    with pytest.raises(DisclosureError, match="no true counts"):
        audited([rounded(A, "base", 20)], [true(B, 20)])


def test_a_solver_that_leaves_a_value_out_does_not_pass() -> None:
    with pytest.raises(DisclosureError, match="not answered for 1 protected"):
        audited([rounded(A, "base", 20)], [true(A, 20)], judge=lambda *_, **__: [])


def test_a_cell_withheld_for_another_reason_than_its_size_tells_nothing() -> None:
    found = audited([suppressed(A), rounded(B, "base", 20)], [true(A, 300), true(B, 20)])
    assert found.passes


def test_the_same_inputs_give_the_same_hashes() -> None:
    table = SAFE["quarters beside rolling years"]
    one = audited(table.ledger, table.truth, table.relations)
    two = audited(table.ledger[::-1], table.truth[::-1], table.relations)
    assert (one.ledger_hash, one.inputs_hash) == (two.ledger_hash, two.inputs_hash)
    other = audited(table.ledger, [*table.truth[:-1], true(QUARTERS[4], 11)], table.relations)
    assert other.ledger_hash == one.ledger_hash and other.inputs_hash != one.inputs_hash


def test_kinds_and_measures_of_relations_are_checked() -> None:
    with pytest.raises(DisclosureError, match="zero"):
        relations_of(relation("r", "at_least_zero", (A, "base", 1)))
    with pytest.raises(DisclosureError, match="measure"):
        relations_of(relation("r", "zero", (A, "told", 1)))
    assert json.dumps(relations_of(relation("r", "zero", (A, "base", 1)))[0].kind) == '"zero"'


def test_a_definition_that_is_news_is_tried_on_cells_of_earlier_releases() -> None:
    # 8 to 12 twice and 23 to 27: that they add up leaves 23 and 24 only
    ledger = [
        rounded(PART, "base", 10),
        rounded(REST, "base", 10),
        rounded(WHOLE, "base", 25),
        rounded(A, "base", 40, REVISION),
    ]
    truth = [true(PART, 12), true(REST, 12), true(WHOLE, 24), true(A, 40, release=REVISION)]
    news = relation("sum", "zero", (PART, "base", 1), (REST, "base", 1), (WHOLE, "base", -1))
    known = audited(ledger, truth, news, candidate=REVISION)
    assert (known.exposed, known.clusters_judged) == ((), 1)
    found = audited(ledger, truth, [{**each, "since": REVISION} for each in news], candidate=REVISION)
    assert set(found.exposed) == {PART, REST, WHOLE}


def test_a_flag_says_that_its_base_is_large_enough() -> None:
    rules = {0: replace(RULES[0], flag_base_min=20)}

    def base_of(n: int) -> tuple[float, int, int]:
        compiled = compile_knowledge(
            [rounded(A, "base", 20), flag(A, "below", 50)], truth_of([true(A, n, 5)]), [], rules
        )
        limits = [
            fact.what.lower
            for fact in compiled.facts
            if isinstance(fact.what, Known) and fact.what.terms == ((f"{A}#base@{RELEASE}", 1),)
        ]
        return max(limits), compiled.inferences_left_out, len(limits)

    assert base_of(21) == (20, 0, 2)
    # one on a smaller base breaks the rule, and tells nobody that it does not
    assert base_of(19) == (18, 1, 1)


@pytest.mark.parametrize(("now", "known"), [(19, [7]), (20, [])])
def test_the_holder_of_both_versions_is_taken_to_know_a_change_of_up_to_seven(
    now: int, known: list[int]
) -> None:
    ledger = [rounded(A, "base", 10), rounded(A, "base", 20, REVISION)]
    truth = truth_of([true(A, 12), true(A, now, release=REVISION)])
    facts = compile_knowledge(ledger, truth, [], RULES).facts
    changes = [
        fact.what for fact in facts if isinstance(fact.what, Known) and "change of" in fact.what.source
    ]
    assert [what.lower for what in changes] == [what.upper for what in changes] == known


def test_a_definition_holds_before_and_after_a_revision() -> None:
    ledger = [
        rounded(name, "base", value, release)
        for name in (A, B)
        for value, release in ((20, RELEASE), (40, REVISION))
    ]
    truth = truth_of(
        [true(name, 20) for name in (A, B)] + [true(name, 40, release=REVISION) for name in (A, B)]
    )
    same = relations_of(relation("same", "zero", (A, "base", 1), (B, "base", -1)))
    facts = compile_knowledge(ledger, truth, same, RULES).facts
    told = [set(fact.names) for fact in facts if fact.release_id is None]
    assert told == [{f"{name}#base@{release}" for name in (A, B)} for release in (RELEASE, REVISION)]

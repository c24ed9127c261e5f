"""Withholding until a release passes: each step in its order, nothing loosened, and the end where nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
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
    open_high,
    relation,
    rounded,
    suppressed,
    total,
    true,
)

from quality.disclosure.audit import Auditor
from quality.disclosure.errors import DisclosureError
from quality.disclosure.ledger import LedgerRow
from quality.disclosure.mend import (
    Mended,
    Suppression,
    audit_until_safe,
    mend,
    read_suppressions,
    suppressions_bytes,
)
from quality.disclosure.solver import judge

A, B = cell("A"), cell("B")
FIRST, SECOND, WHOLE = cell("A", "first"), cell("A", "second"), cell("A", "whole")


@dataclass
class Draft:
    """Makes the ledger of a draft as the open data marts would: each cell's rows by the level it is withheld at."""

    cells: dict[str, list[list[LedgerRow]]]
    others: list[LedgerRow] = field(default_factory=list)
    earlier: list[LedgerRow] = field(default_factory=list)
    asked: list[tuple[Suppression, ...]] = field(default_factory=list)

    def __call__(self, suppressions: tuple[Suppression, ...]) -> Sequence[LedgerRow]:
        self.asked.append(suppressions)
        levels: dict[str, int] = {}
        for item in suppressions:
            levels[item.cell_id] = max(levels.get(item.cell_id, 0), item.level)
        rows = [*self.earlier]
        for cell_id, by_level in self.cells.items():
            rows += by_level[min(levels.get(cell_id, 0), len(by_level) - 1)]
        rows += [row for row in self.others if f"{row.table_name}|{row.row_key}" not in levels]
        return rows


def mended(
    draft: Draft, truth: list[dict[str, Any]], relations: list[dict[str, Any]] | None = None, **settings: Any
) -> Mended:
    return audit_until_safe(
        draft, truth, relations or [], CRITERIA, rules=RULES, **{"candidate": RELEASE, **settings}
    )


def steps(result: Mended) -> list[tuple[str, int]]:
    return sorted((item.cell_id, item.level) for item in result.added)


def counted(cell_id: str, value: int) -> list[list[LedgerRow]]:
    """A count: the same at levels 0 to 2, nothing at 3."""
    shown = [rounded(cell_id, "base", value)]
    return [shown, shown, shown, [suppressed(cell_id)]]


def test_a_release_that_passes_needs_nothing() -> None:
    result = mended(Draft({A: counted(A, 20)}), [true(A, 20)])
    assert (result.rounds, result.added, result.audit.passes) == (1, (), True)


def test_first_a_number_that_ties_cells_together_is_withheld() -> None:
    draft = Draft({A: counted(A, 10), B: [[suppressed(B)]]}, [total([A, B], 20)])
    result = mended(draft, [true(A, 12), true(B, 6)])
    assert steps(result) == [("local_compliance|total", 3)]
    assert result.rounds == 2
    assert {row.column_name for row in result.ledger if row.cell_id is None} == set()


def test_the_time_told_is_that_of_all_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    audit_once = Auditor.audit

    def noted(self: Auditor, *arguments: Any) -> Any:
        rounds.append(audit_once(self, *arguments))
        return rounds[-1]

    monkeypatch.setattr(Auditor, "audit", noted)
    draft = Draft({A: counted(A, 10), B: [[suppressed(B)]]}, [total([A, B], 20)])
    told = mended(draft, [true(A, 12), true(B, 6)]).audit.seconds
    assert len(rounds) == 2
    assert told == {step: rounds[0].seconds[step] + rounds[1].seconds[step] for step in rounds[0].seconds}


def test_a_total_that_is_a_cell_is_withheld_before_its_parts() -> None:
    draft = Draft({FIRST: counted(FIRST, 10), SECOND: [[suppressed(SECOND)]], WHOLE: counted(WHOLE, 20)})
    parts = relation("parts", "zero", (FIRST, "base", 1), (SECOND, "base", 1), (WHOLE, "base", -1))
    result = mended(draft, [true(FIRST, 12), true(SECOND, 7), true(WHOLE, 19)], parts)
    assert steps(result) == [(WHOLE, 3)]


def test_then_the_rate_becomes_a_band_where_that_is_enough() -> None:
    """98 to 102 cases of which 58 to 62 were met leave 36 to 44; a count of 43 to 47 of just those leaves 43 or 44."""
    rest = cell("A", "rest")
    shown = rounded(A, "base", 100)
    draft = Draft({
        A: [[shown, rounded(A, "met", 60)], [shown, closed(A, "50% to 79%", 50, 80)], [shown], [suppressed(A)]],
        rest: [[rounded(rest, "base", 45)]],
    })  # fmt: skip
    unmet = relation("the rest", "zero", (rest, "base", 1), (A, "unmet", -1))
    result = mended(draft, [true(A, 102, 58), true(rest, 44)], unmet)
    assert steps(result) == [(A, 1)]
    assert result.audit.exposed == ()


def test_then_the_exposed_cell_is_withheld_and_then_the_smallest_other() -> None:
    """90 referrals of the 100 who consented, a band of 90% and over: six to eight were not referred."""
    shown = rounded(A, "base", 100)
    linked = cell("A", "linked")
    draft = Draft({
        A: [[shown, open_high(A, 90)], [shown, open_high(A, 90)], [shown], [suppressed(A)]],
        linked: counted(linked, 90),
    })  # fmt: skip
    link = relation("link", "zero", (linked, "base", 1), (A, "met", -1))
    result = mended(draft, [true(A, 99, 92), true(linked, 92)], link)
    # the band of the exposed cell goes first, then its base or the other's: with either gone the rest is open
    assert [item.level for suppressions in draft.asked[1:2] for item in suppressions] == [2]
    assert (A, 2) in steps(result) and result.audit.passes
    assert all(level >= 2 for _, level in steps(result))


def test_the_smallest_other_cell_comes_last() -> None:
    """The cell itself is an old number that cannot be withheld any more; of what ties it the smallest goes."""
    old = "2024-25-Q4/v1.0.0"
    small, large = cell("A", "small"), cell("A", "large")
    draft = Draft(
        {small: counted(small, 10), large: counted(large, 20)},
        earlier=[suppressed(A, old)],
    )
    parts = relation("parts", "zero", (A, "base", 1), (small, "base", 1), (large, "base", -1))
    result = mended(
        draft,
        [true(A, 7, release=old), true(small, 12), true(large, 19)],
        [{**item, "kind": "zero"} for item in parts],
    )
    # the total first; were it not a total, the smallest
    assert steps(result) == [(large, 3)]
    links = relation("less", "at_most_zero", (large, "base", 1), (small, "base", -1), (A, "base", -1))
    result = mended(draft, [true(A, 7, release=old), true(small, 12), true(large, 19)], links)
    assert steps(result) == [(small, 3)]


def test_of_other_cells_those_tied_to_the_exposed_one_come_first() -> None:
    """13 and 23 at least of 37 at most leave none or one; the other breakdown of the total, though smaller, ties nothing."""
    old = "2024-25-Q4/v1.0.0"
    rest, first, second, whole, far, farther = (
        cell("A", name) for name in ("rest", "1", "2", "whole", "far", "farther")
    )
    draft = Draft(
        {rest: [[suppressed(rest)]], first: counted(first, 15), second: counted(second, 25), far: counted(far, 10),
         farther: counted(farther, 25)},
        earlier=[rounded(whole, "base", 35, old)],
    )  # fmt: skip
    parts = [
        *relation(
            "one breakdown",
            "zero",
            (rest, "base", 1),
            (first, "base", 1),
            (second, "base", 1),
            (whole, "base", -1),
        ),
        *relation("another", "zero", (far, "base", 1), (farther, "base", 1), (whole, "base", -1)),
    ]
    truth = [
        true(rest, 1),
        true(first, 13),
        true(second, 23),
        true(whole, 37, release=old),
        true(far, 10),
        true(farther, 27),
    ]
    assert not audited(draft(()), truth, parts, candidate=RELEASE).passes
    result = mended(draft, truth, parts)
    assert steps(result) == [(first, 3)]


def test_what_earlier_versions_withheld_stays_withheld() -> None:
    earlier = Suppression(A, 3, "exposed in an earlier version")
    result = mended(
        Draft({A: counted(A, 20), B: counted(B, 20)}), [true(A, 20), true(B, 20)], suppressions=[earlier]
    )
    assert result.suppressions == (earlier,) and result.added == ()


def test_levels_only_rise() -> None:
    draft = Draft({A: counted(A, 10), B: [[suppressed(B)]]}, [total([A, B], 20)])
    earlier = Suppression(B, 3, "earlier")
    result = mended(draft, [true(A, 12), true(B, 6)], suppressions=[earlier])
    for before, after in zip(draft.asked, draft.asked[1:], strict=False):
        assert set(before) < set(after)
    assert earlier in result.suppressions


def test_what_cannot_be_mended_stops_the_release_and_names_the_cells() -> None:
    """Two versions that are out: nothing that a third withholds takes them back."""
    earlier = [rounded(A, "base", 10), rounded(A, "base", 15, REVISION)]
    third = "2025-26-Q1/v1.2.0"
    draft = Draft({B: [[rounded(B, "base", 20, third)]]}, earlier=earlier)
    truth = [true(A, 12), true(A, 13, release=REVISION), true(B, 20, release=third)]
    with pytest.raises(DisclosureError, match="must not be published") as caught:
        mended(draft, truth, candidate=third, everything=True)
    assert A in str(caught.value) and B not in str(caught.value)


def test_withholding_that_takes_no_effect_ends(tmp_path: Path) -> None:
    stubborn = Draft({A: [[rounded(A, "base", 10)]], B: [[suppressed(B)]]}, [total([A, B], 20, key="kept")])
    rows = stubborn(())
    with pytest.raises(DisclosureError, match=r"nothing is left .* 2 cells are exposed"):
        mended(Draft({}, earlier=list(rows)), [true(A, 12), true(B, 6)])
    with pytest.raises(DisclosureError, match="after 1 rounds"):
        mended(Draft({}, earlier=list(rows)), [true(A, 12), true(B, 6)], max_rounds=1)


def test_one_step_a_group_of_cells_and_round() -> None:
    other = [cell("C"), cell("D")]
    rows = [rounded(A, "base", 10), suppressed(B), total([A, B], 20), rounded(other[0], "base", 10), suppressed(other[1]),
            total(other, 20, key="other total")]  # fmt: skip
    truth = [true(A, 12), true(B, 6), true(other[0], 12), true(other[1], 6)]
    found = audited(rows, truth)
    assert [(item.cell_id, item.level) for item in mend(found, rows)] == [
        ("local_compliance|other total", 3),
        ("local_compliance|total", 3),
    ]


def test_a_cluster_that_a_round_leaves_alone_is_not_solved_again() -> None:

    asked: list[set[str]] = []

    def counting(problem: Any, criteria: Any, **settings: Any) -> Any:
        if problem.attacker == "outsider":
            asked.append({item.name.partition("#")[0] for item in problem.protected})
        return judge(problem, criteria, **settings)

    alone = cell("E")
    draft = Draft({A: counted(A, 10), B: [[suppressed(B)]], alone: counted(alone, 30)}, [total([A, B], 20)])
    result = mended(draft, [true(A, 12), true(B, 6), true(alone, 31)], judge=counting)
    assert asked == [{A, B, alone}, {A, B}]
    assert {finding.name.partition("#")[0] for finding in result.audit.findings} == {A, B, alone}


def test_suppressions_are_written_the_same_and_read_back(tmp_path: Path) -> None:
    items = [Suppression(B, 3, "linking number"), Suppression(A, 1, "exposed")]
    content = suppressions_bytes(items)
    assert content == suppressions_bytes(items[::-1])
    (tmp_path / "suppressions.parquet").write_bytes(content)
    assert read_suppressions(tmp_path / "suppressions.parquet") == sorted(items)
    assert suppressions_bytes([])


def test_where_a_base_is_known_too_well_the_rate_of_another_cell_is_not_withheld_in_vain() -> None:
    """Five to seven in an old cell, as 68 are 62 and one and those at most: only a base can hide them."""
    old = "2024-25-Q4/v1.0.0"
    small, large, one = cell("A", "small"), cell("A", "large"), cell("A", "one")
    ledger = [
        suppressed(A, old),
        exact(one, "base", 1, old),
        rounded(small, "base", 60),
        rounded(small, "met", 30),
        rounded(large, "base", 70),
    ]
    truth = [true(A, 6, release=old), true(one, 1, release=old), true(small, 61, 30), true(large, 68)]
    links = relation(
        "less", "at_most_zero", (large, "base", 1), (small, "base", -1), (A, "base", -1), (one, "base", -1)
    )
    found = audited(ledger, truth, links)
    assert found.exposed == (A, one)
    assert [(step.cell_id, step.level) for step in mend(found, ledger)] == [(small, 3)]


def test_a_step_that_would_not_withhold_more_stops_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quality.disclosure.mend.mend", lambda *_: [Suppression(A, 1, "again")])
    draft = Draft({A: counted(A, 10), B: [[suppressed(B)]]}, [total([A, B], 20)])
    with pytest.raises(DisclosureError, match="nothing is loosened"):
        mended(draft, [true(A, 12), true(B, 6)], suppressions=[Suppression(A, 2, "earlier")])

"""Persistence in SQL against a state machine written from the table in docs/methods.md, over every short history.

A history is a word: one letter a quarter. The machine walks it forward and remembers only what the table asks for; the
model sees all quarters at once. Nothing of the one is used by the other.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

import duckdb
import pytest

from tests.warehouse.persistence_tables import CLOSURES, OF_THE_RULES, OFFICIAL, nothing_recorded
from tests.warehouse.rendering import build, database, table

QUARTERS = 6
OPENING = {"SEVERE_PERSISTENT", "SEVERE_PERSISTENT_BRIDGED", "NON_SUBMISSION", "REOPENED"}
RESULTS = OPENING | {
    "PERSISTENT_IMPROVING", "ELIGIBLE_TO_CLOSE", "PERSISTENT_UNASSESSED", "SEVERE", "SEVERE_PENDING", "RESET", "CLEAR",
    "NOT_ASSESSED",
}  # fmt: skip
# The letters of a history: the state of the quarter and, where severe, what it is severe on.
NOT_EXPECTED = "not expected"
Closing = int | str
STATES = {"N": "NOT_MET", "T": "TOO_FEW", "C": "NO_CASES", "S": "NOT_SUBMITTED"}
SEVERE_ON = {
    "1": ["S1 m1"],
    "2": ["S1 m2"],
    "B": ["S1 m1", "S1 m2"],
    "X": ["S2 m1"],
    "V": [],  # on another metric in every quarter
}


class Rule(NamedTuple):
    """What a rule version says of persistence."""

    scope: str = "same_indicator"
    bridge: int = 1
    close: int = 2
    reopen: int = 4


class Memory(NamedTuple):
    """What the machine knows at the end of a quarter."""

    is_open: bool = False
    clear_run: int = 0
    closed_at: int | None = None
    previous: str = ""
    last_assessed: str = ""
    last_items: frozenset[str] = frozenset()
    unassessed: int = 0


@cache
def step(memory: Memory, number: int, state: str, items: frozenset[str], rule: Rule) -> tuple[str, Memory]:
    """The result of a quarter by the first row of the table that applies, and what is known after it."""
    is_assessable = state in ("MET", "NOT_MET")
    same = rule.scope == "any_indicator" or bool(items & memory.last_items)
    clear_run = {"MET": 0, "NOT_MET": memory.clear_run + 1}.get(state, memory.clear_run)
    if memory.is_open and state == "MET":
        result = "SEVERE_PERSISTENT"
    elif memory.is_open and state == "NOT_MET":
        result = "ELIGIBLE_TO_CLOSE" if clear_run >= rule.close else "PERSISTENT_IMPROVING"
    elif memory.is_open:
        result = "PERSISTENT_UNASSESSED"
    elif state == "MET" and memory.closed_at is not None and number - memory.closed_at <= rule.reopen:
        result = "REOPENED"
    elif state == "MET" and memory.previous == "MET" and same:
        result = "SEVERE_PERSISTENT"
    elif state == "MET" and memory.last_assessed == "MET" and 1 <= memory.unassessed <= rule.bridge and same:
        result = "SEVERE_PERSISTENT_BRIDGED"
    elif state == "MET":
        result = "SEVERE"
    elif state == memory.previous == "NOT_SUBMITTED":
        result = "NON_SUBMISSION"
    elif not is_assessable and memory.last_assessed == "MET" and memory.unassessed == 0:
        result = "SEVERE_PENDING"
    elif state == "NOT_MET" and memory.last_assessed == "MET":
        result = "RESET"
    elif state == "NOT_MET":
        result = "CLEAR"
    else:
        result = "NOT_ASSESSED"
    return result, Memory(
        is_open=memory.is_open or result in OPENING,
        clear_run=clear_run,
        closed_at=memory.closed_at,
        previous=state,
        last_assessed=state if is_assessable else memory.last_assessed,
        last_items=items if is_assessable else memory.last_items,
        unassessed=0 if is_assessable else memory.unassessed + 1,
    )


def machine(
    quarters: Iterable[tuple[str, frozenset[str]]], closed: Iterable[Closing], rules: Sequence[Rule]
) -> list[tuple[str, bool]]:
    """(result, is a case open afterwards) of each quarter. A decision closes a case at the end of its quarter."""
    memory, found = Memory(), []
    decided = decisions_on(closed)
    for number, (state, items) in enumerate(quarters):
        if state == NOT_EXPECTED:
            # no result; nothing is next to the quarter before, and what is assessed later comes after a gap
            memory = memory._replace(previous="", unassessed=memory.unassessed + 1)
        else:
            result, memory = step(memory, number, state, items, rules[number])
            found.append((result, memory.is_open))
        if number in decided:
            memory = memory._replace(is_open=False, closed_at=number if decided[number] == "closed" else None)
            if decided[number] == "data_error":
                # what was found so far rests on wrong data: it is no quarter before another
                memory = memory._replace(previous="", last_assessed="", last_items=frozenset(), unassessed=0)
    return found


def decisions_on(closed: Iterable[Closing]) -> dict[int, str]:
    """Quarter -> state that the decision set: 2 is a case closed after quarter 2, 2e one ended as a data error."""
    words = [str(each) for each in closed]
    return {int(word.rstrip("e")): "data_error" if word.endswith("e") else "closed" for word in words}


@cache
def quarter(letter: str, number: int) -> tuple[str, frozenset[str]]:
    """State and items of a letter in a quarter."""
    if letter == "_":
        return NOT_EXPECTED, frozenset()
    if letter in STATES:
        return STATES[letter], frozenset()
    return "MET", frozenset(SEVERE_ON[letter] or [f"S1 v{number}"])


def rules_table(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule], **more: Sequence[object]) -> None:
    """The rule version of each quarter, with further parameters given quarter by quarter."""
    kinds = {"met_min": "integer", "n_min": "integer"}
    extra = {"s4_counts": ["aggravates"] * len(rules), **more}
    table(
        con,
        "int_rules_by_quarter",
        {"period_code": "varchar", "quarter_index": "integer", "rule_version": "integer",
         "persistence_scope": "varchar", "bridge_quarters": "integer", "close_quarters": "integer",
         "reopen_quarters": "integer", **{name: kinds.get(name, "varchar") for name in extra}},
        [(f"q{i}", i, 0, *rule, *(values[i] for values in extra.values())) for i, rule in enumerate(rules)],
    )  # fmt: skip
    table(
        con,
        "int_quarters",
        {"period_code": "varchar", "quarter_index": "integer"},
        [(f"q{i}", i) for i in range(len(rules))],
    )
    nothing_recorded(con)


History = tuple[str, tuple[Closing, ...]]


def area_of(history: History) -> str:
    """A history as the code of an area: its letters, and the quarters of its closing decisions."""
    letters, closed = history
    return f"{letters}/{','.join(map(str, closed))}"


def histories_tables(
    con: duckdb.DuckDBPyConnection, histories: Sequence[History], revised: Mapping[str, str] | None = None
) -> None:
    """States, indicators and closing decisions of areas, one a history; made in SQL, since there are many.

    Of a history that was revised the letters are those of now; its area bears the name that it had.
    """
    con.execute(
        "create table areas as select unnest(?::varchar[]) as pfa_code, unnest(?::varchar[]) as letters,"
        " unnest(?::varchar[]) as closed",
        [
            [area_of(each) for each in histories],
            [(revised or {}).get(area_of(each), each[0]) for each in histories],
            [",".join(map(str, closed)) for _, closed in histories],
        ],
    )
    con.execute(
        "create table letters as select pfa_code, cast(i as integer) as quarter_index, letters[i + 1] as letter"
        " from areas, range(0, ?) as quarters(i) where i < length(letters)",
        [max(len(letters) for letters, _ in histories)],
    )
    states = " ".join(f"when '{letter}' then '{state}'" for letter, state in STATES.items())
    con.execute(
        "create table intermediate.int_right_states as select 'police' as body_kind, pfa_code, 4 as right_number,"
        f" period_code, quarter_index, 0 as rule_version, case letter {states} else 'MET' end"
        " as state, false as is_s4_met, cast(null as varchar) as indicators_met, 1 as senders_expected,"
        f" 1 as senders_received, {OF_THE_RULES}"
        " from letters inner join intermediate.int_rules_by_quarter using (quarter_index) where letter <> '_'"
    )
    con.execute("create table items (letter varchar, indicator varchar, item_id varchar)")
    con.executemany(
        "insert into items values (?, ?, ?)",
        [(letter, *item.split()) for letter, items in SEVERE_ON.items() for item in items or ["S1 v"]],
    )
    con.execute(
        "create table intermediate.int_indicators as select 'police' as body_kind, pfa_code, 4 as right_number,"
        " 'q' || quarter_index as period_code, indicator,"
        " case when letter = 'V' then item_id || quarter_index else item_id end as item_id, true as is_met"
        " from letters inner join items using (letter)"
    )
    closings_table(con, histories)


def closings_table(con: duckdb.DuckDBPyConnection, histories: Sequence[History]) -> None:
    """Closing decisions of areas, each at the end of its quarter."""
    table(con, "int_case_closures", CLOSURES, [])
    rows = [
        (area_of(each), number, state)
        for each in histories
        for number, state in sorted(decisions_on(each[1]).items())
    ]
    con.execute(
        "insert into intermediate.int_case_closures select 'police', unnest(?::varchar[]), 4, null,"
        " unnest(?::integer[]), null, unnest(?::varchar[])",
        [[row[place] for row in rows] for place in range(3)],
    )


def results_by_area(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Results of each area in the order of its quarters, an open case marked with a plus."""
    wrong = con.execute(
        f"select count(*) from intermediate.int_persistence where is_recommended <> (result in {tuple(OPENING)})"
    ).fetchone()
    assert wrong == (0,), (
        "what opens a case, and every severe quarter while one is open, is recommended; nothing else"
    )
    return dict(
        con.execute(
            "select pfa_code, string_agg(result || case when is_open_case then '+' else '' end, ' '"
            " order by quarter_index) from intermediate.int_persistence group by pfa_code"
        ).fetchall()
    )


def in_words(found: Iterable[tuple[str, bool]]) -> str:
    """The machine's results written as `results_by_area` writes the model's."""
    return " ".join(f"{result}+" if is_open else result for result, is_open in found)


def differences(found: Mapping[str, str], expected: Mapping[str, str]) -> str:
    """Empty where both agree, else how many do not and the shortest of them."""
    wrong = sorted(
        (area for area in expected if found.get(area) != expected[area]), key=lambda area: (len(area), area)
    )
    if not wrong:
        return "" if len(found) == len(expected) else f"{len(found)} areas instead of {len(expected)}"
    area = wrong[0]
    return f"{len(wrong)} of {len(expected)} histories differ, such as {area}: {found.get(area)}, not {expected[area]}"


def compare(histories: Sequence[History], rules: Sequence[Rule]) -> set[str]:
    """Put the histories through both; the results that occurred."""
    con = database()
    rules_table(con, rules)
    histories_tables(con, histories)
    build(con, *OFFICIAL)
    expected = {
        area_of(each): in_words(machine([quarter(c, i) for i, c in enumerate(each[0])], each[1], rules))
        for each in histories
    }
    assert not (text := differences(results_by_area(con), expected)), text
    return {result.rstrip("+") for results in expected.values() for result in results.split()}


def words(letters: str, length: int) -> list[str]:
    """Every history of this length."""
    return ["".join(word) for word in product(letters, repeat=length)]


# The five states. With the narrower scope every severe quarter is on the same metric, with the wider each on another.
FIVE_STATES = [("same_indicator", "1NTCS"), ("any_indicator", "VNTCS")]


@pytest.mark.parametrize(("scope", "letters"), FIVE_STATES)
def test_every_history_of_seven_quarters(scope: str, letters: str) -> None:
    histories: list[History] = [(word, ()) for word in words(letters, 7)]
    assert len(histories) == 5**7 == 78_125
    assert compare(histories, [Rule(scope)] * 7) == RESULTS - {"REOPENED"}


@pytest.mark.parametrize(("scope", "letters"), FIVE_STATES)
def test_every_shorter_history(scope: str, letters: str) -> None:
    """A history that ends earlier is judged as the beginning of a longer one is: no quarter looks ahead."""
    lengths = range(1, 7) if scope == "same_indicator" else range(1, 6)
    compare([(word, ()) for length in lengths for word in words(letters, length)], [Rule(scope)] * 6)


def test_every_history_of_five_quarters_with_every_set_of_closing_decisions() -> None:
    sets = [closed for size in range(5) for closed in combinations(range(4), size)]
    histories: list[History] = [(word, closed) for word in words("1NTCS", 5) for closed in sets]
    assert len(histories) == 5**5 * 2**4
    assert compare(histories, [Rule()] * 5) == RESULTS


@pytest.mark.parametrize(("scope", "letters"), FIVE_STATES)
def test_histories_of_seven_quarters_with_closing_decisions(scope: str, letters: str) -> None:
    """Fifteen thousand of the histories, drawn, each with one to six closing decisions, drawn too."""
    draw = random.Random(f"closing decisions, {scope}")
    histories: list[History] = [
        (word, tuple(sorted(draw.sample(range(6), draw.randint(1, 6)))))
        for word in draw.sample(words(letters, 7), 15_000)
    ]
    assert compare(histories, [Rule(scope)] * 7) == RESULTS


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
def test_histories_in_which_a_case_is_ended_as_an_error_of_the_data(scope: str) -> None:
    """Every history of five quarters of four states, with one or two decisions, one at least for a data error."""
    draw = random.Random(f"data errors, {scope}")
    closings: list[tuple[Closing, ...]] = [
        tuple(each)
        for size in (1, 2)
        for places in combinations(range(4), size)
        for each in product(*([place, f"{place}e"] for place in places))
        if any(str(word).endswith("e") for word in each)
    ]
    histories: list[History] = [
        (word, closed) for word in words("12NS", 5) for closed in draw.sample(closings, 6)
    ]
    assert compare(histories, [Rule(scope)] * 5) >= RESULTS - {"SEVERE_PERSISTENT_BRIDGED", "NOT_ASSESSED"}


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
def test_every_history_with_quarters_in_which_the_right_was_not_expected(scope: str) -> None:
    """A quarter that is left out is nobody's neighbour: it is passed over as an unassessed one, and ends a run."""
    draw = random.Random(f"not expected, {scope}")
    histories: list[History] = [
        (word, draw.choice([(), (), (1,), (2,), ("2e",)]))
        for word in words("12NS_", 6)
        if "_" in word and set(word) != {"_"}
    ]
    compare(histories, [Rule(scope)] * 6)


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
def test_every_history_of_six_quarters_on_two_metrics(scope: str) -> None:
    """Severe on one metric, on the other, or one of the states without a severe indicator."""
    assert compare([(word, ()) for word in words("12NTS", 6)], [Rule(scope)] * 6) == RESULTS - {"REOPENED"}


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
def test_what_is_the_same_indicator(scope: str) -> None:
    """Two metrics, both at once, and another indicator on the first metric."""
    draw = random.Random("same indicator")
    histories: list[History] = [
        (word, draw.choice([(), (0,), (1,), (2,), (3,)])) for word in words("12BXNS", 5)
    ]
    assert compare(histories, [Rule(scope)] * 5) == RESULTS


CHANGES = {
    "narrower to wider scope": (Rule(), Rule("any_indicator")),
    "wider to narrower scope": (Rule("any_indicator"), Rule()),
    "two quarters may be bridged, then one": (Rule(bridge=2), Rule(bridge=1)),
    "one quarter may be bridged, then two": (Rule(bridge=1), Rule(bridge=2)),
    "none may be bridged any more": (Rule(bridge=1), Rule(bridge=0)),
    "one clear quarter makes eligible to close": (Rule(close=2), Rule(close=1)),
    "three clear quarters make eligible to close": (Rule(close=1), Rule(close=3)),
    "a closed case is watched for one quarter only": (Rule(reopen=4), Rule(reopen=1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_quarter_is_judged_by_its_own_rule_version(change: str) -> None:
    """Every history of five quarters with two metrics, the rules changing after the second, third or fourth."""
    before, after = CHANGES[change]
    draw = random.Random(change)
    first_of_new = draw.choice([2, 3, 4])
    histories: list[History] = [(word, draw.choice([(), (), (0,), (1,), (2,)])) for word in words("12NTS", 5)]
    compare(histories, [before] * first_of_new + [after] * (5 - first_of_new))


@pytest.mark.parametrize("seed", range(4))
def test_another_rule_version_in_every_quarter(seed: int) -> None:
    draw = random.Random(seed)
    rules = [
        Rule(draw.choice(["same_indicator", "any_indicator"]), draw.choice([0, 1, 2]), draw.choice([1, 2, 3]),
             draw.choice([1, 2, 4]))
        for _ in range(5)
    ]  # fmt: skip
    closings = [(), (0,), (1,), (2,), (3,), (0, 2), (1, 3)]
    compare([(word, draw.choice(closings)) for word in words("12NTS", 5)], rules)


# One letter a quarter: which of S1 on m1, S2 on m1, S1 on m2, S4 on d1 are met. A figure is assessed in every quarter.
MET = {
    "0": [],
    "1": ["S1 m1"],
    "2": ["S1 m2"],
    "3": ["S1 m1", "S1 m2"],
    "4": ["S1 m1", "S2 m1"],
    "5": ["S4 d1"],
    "6": ["S1 m1", "S4 d1"],
}


def state_of(letter: str, met_min: int, s4_counts: str) -> tuple[str, frozenset[str]]:
    """MET where as many different indicators are met as the rule asks for; S4 counts only where the rule says so."""
    items = frozenset(item for item in MET[letter] if s4_counts == "counts" or not item.startswith("S4"))
    return ("MET" if len({item.split()[0] for item in items}) >= met_min else "NOT_MET"), items


@pytest.mark.parametrize(
    ("met_min", "s4_counts"),
    [
        ([1, 1, 2, 2], "aaaa"),
        ([2, 2, 1, 1], "aaaa"),
        ([1, 2, 1, 2], "cccc"),
        ([1, 1, 1, 1], "aacc"),
        ([1, 1, 1, 1], "ccaa"),
        ([2, 1, 2, 1], "acca"),
    ],
)
def test_a_change_of_how_many_indicators_make_a_right_severe(met_min: list[int], s4_counts: str) -> None:
    """State and persistence together: an earlier quarter keeps the state that its own rule version gave it."""
    counts = [{"a": "aggravates", "c": "counts"}[each] for each in s4_counts]
    rules = [Rule()] * 4
    con = database()
    rules_table(con, rules, met_min=met_min, n_min=[10] * 4, s4_counts=counts)
    areas = words("".join(MET), 4)
    key = {"body_kind": "varchar", "period_code": "varchar", "right_number": "integer"}
    table(
        con,
        "int_expected_items",
        {**key, "is_scored": "boolean"},
        [("police", f"q{i}", 4, True) for i in range(4)],
    )
    con.execute(
        "create table letters as select pfa_code, cast(i as integer) as quarter_index, pfa_code[i + 1] as letter"
        " from (select unnest(?::varchar[]) as pfa_code), range(0, 4) as quarters(i)",
        [areas],
    )
    con.execute(
        "create table intermediate.int_reporting_coverage as select 'police' as body_kind, pfa_code,"
        " 'q' || quarter_index as period_code, quarter_index, 'expected' as applicability, true as is_submitted,"
        " 1 as senders_expected, 1 as senders_received from letters"
    )
    con.execute("create table items (letter varchar, indicator varchar, item_id varchar, is_met boolean)")
    con.executemany(
        "insert into items values (?, ?, ?, ?)",
        [
            (letter, *item.split(), item in met)
            for letter, met in MET.items()
            for item in ("S1 m1", "S1 m2", "S2 m1", "S3 f1", "S4 d1")
        ],
    )
    con.execute(
        "create table intermediate.int_indicators as select 'police' as body_kind, pfa_code, 4 as right_number,"
        " 'q' || quarter_index as period_code, indicator, item_id, is_met, true as is_assessable, 50 as base_count"
        " from letters inner join items using (letter)"
    )
    closings_table(con, [])
    build(con, "int_right_states", *OFFICIAL)
    expected = {
        area: in_words(
            machine([state_of(letter, met_min[i], counts[i]) for i, letter in enumerate(area)], (), rules)
        )
        for area in areas
    }
    assert not (text := differences(results_by_area(con), expected)), text


# Every row of the table in words. Quarters are written out: severe on metric 1 or 2, clear, few, none, unsent.
LETTERS = {"severe": "1", "severe_2": "2", "severe_both": "B", "severe_S2": "X", "clear": "N", "few": "T",
           "none": "C", "unsent": "S"}  # fmt: skip
NAMED = [
    ("open and severe", "severe severe severe", (), "SEVERE_PERSISTENT"),
    ("open and severe on another metric", "severe severe clear severe_2", (), "SEVERE_PERSISTENT"),
    ("open, the first clear quarter", "severe severe clear", (), "PERSISTENT_IMPROVING"),
    ("open, the second clear quarter", "severe severe clear clear", (), "ELIGIBLE_TO_CLOSE"),
    ("open, a third clear quarter: only a decision closes", "severe severe clear clear clear", (),
     "ELIGIBLE_TO_CLOSE"),
    ("open, clear quarters with a missing one between", "severe severe clear unsent clear", (), "ELIGIBLE_TO_CLOSE"),
    ("open, a severe quarter starts the count of clear ones again", "severe severe clear severe clear", (),
     "PERSISTENT_IMPROVING"),
    ("open, too few cases", "severe severe few", (), "PERSISTENT_UNASSESSED"),
    ("open, no cases", "severe severe none", (), "PERSISTENT_UNASSESSED"),
    ("open, not sent: missing is never a pass", "severe severe unsent", (), "PERSISTENT_UNASSESSED"),
    ("open, not sent twice: no second case", "severe severe unsent unsent", (), "PERSISTENT_UNASSESSED"),
    ("closed, severe in the next quarter", "severe severe clear clear severe", (3,), "REOPENED"),
    ("closed, severe in the fourth quarter after", "severe severe clear clear clear severe", (1,), "REOPENED"),
    ("closed, severe in the fifth quarter after", "severe severe clear clear clear clear severe", (1,), "SEVERE"),
    ("closed, severe again on another metric", "severe severe clear severe_2", (2,), "REOPENED"),
    ("closed and reopened, severe", "severe severe clear severe severe", (2,), "SEVERE_PERSISTENT"),
    ("closed and clear: the last assessed was clear", "severe severe clear clear", (2,), "CLEAR"),
    ("closed at once, then clear", "severe severe clear", (1,), "RESET"),
    ("ended as a data error, then severe on another metric", "severe severe clear severe_2", ("2e",), "SEVERE"),
    ("ended as a data error, then clear", "severe severe clear clear", ("2e",), "CLEAR"),
    ("ended as a data error, severe in the next quarter", "severe severe severe", ("1e",), "SEVERE"),
    ("ended as a data error, severe in the next two", "severe severe severe severe", ("1e",), "SEVERE_PERSISTENT"),
    ("ended as a data error, not sent, severe", "severe severe unsent severe", ("1e",), "SEVERE"),
    ("ended as a data error, then not sent", "severe severe unsent", ("1e",), "NOT_ASSESSED"),
    ("ended as a data error, not sent once more", "unsent unsent unsent", ("1e",), "NOT_ASSESSED"),
    ("ended as a data error, not sent twice more", "unsent unsent unsent unsent", ("1e",), "NON_SUBMISSION"),
    ("closed, reopened, ended as a data error, severe", "severe severe clear severe_2 clear severe", (2, "4e"), "SEVERE"),
    ("closed, then not sent twice", "severe severe clear unsent unsent", (2,), "NON_SUBMISSION"),
    ("severe in the previous quarter", "severe severe", (), "SEVERE_PERSISTENT"),
    ("severe in the previous quarter on one of two metrics", "severe_both severe_2", (), "SEVERE_PERSISTENT"),
    ("severe in the previous quarter on another metric", "severe severe_2", (), "SEVERE"),
    ("severe in the previous quarter by another indicator on the same metric", "severe severe_S2", (), "SEVERE"),
    ("severe, not sent, severe", "severe unsent severe", (), "SEVERE_PERSISTENT_BRIDGED"),
    ("severe, too few, severe", "severe few severe", (), "SEVERE_PERSISTENT_BRIDGED"),
    ("severe, no cases, severe", "severe none severe", (), "SEVERE_PERSISTENT_BRIDGED"),
    ("severe, not sent, severe on another metric", "severe unsent severe_2", (), "SEVERE"),
    ("severe, two quarters that cannot be assessed, severe", "severe few none severe", (), "SEVERE"),
    ("severe for the first time", "severe", (), "SEVERE"),
    ("severe, clear, severe", "severe clear severe", (), "SEVERE"),
    ("not sent twice", "unsent unsent", (), "NON_SUBMISSION"),
    ("severe, then not sent twice", "severe unsent unsent", (), "NON_SUBMISSION"),
    ("not sent, too few, not sent", "unsent few unsent", (), "NOT_ASSESSED"),
    ("severe, then too few", "severe few", (), "SEVERE_PENDING"),
    ("severe, then no cases", "severe none", (), "SEVERE_PENDING"),
    ("severe, then not sent", "severe unsent", (), "SEVERE_PENDING"),
    ("severe, too few twice", "severe few few", (), "NOT_ASSESSED"),
    ("severe, then clear", "severe clear", (), "RESET"),
    ("severe, not sent, clear", "severe unsent clear", (), "RESET"),
    ("clear for the first time", "clear", (), "CLEAR"),
    ("severe, clear, clear", "severe clear clear", (), "CLEAR"),
    ("clear, then not sent", "clear unsent", (), "NOT_ASSESSED"),
    ("too few in the first quarter", "few", (), "NOT_ASSESSED"),
]  # fmt: skip


@pytest.fixture(scope="module")
def named_results() -> dict[str, str]:
    con = database()
    rules_table(con, [Rule()] * 7)
    histories_tables(con, [named_history(quarters, closed) for _, quarters, closed, _ in NAMED])
    build(con, *OFFICIAL)
    return results_by_area(con)


def named_history(quarters: str, closed: tuple[Closing, ...]) -> History:
    """Quarters in words as a history."""
    return "".join(LETTERS[word] for word in quarters.split()), closed


@pytest.mark.parametrize(
    ("quarters", "closed", "last"), [each[1:] for each in NAMED], ids=[each[0] for each in NAMED]
)
def test_a_row_of_the_table(
    named_results: dict[str, str], quarters: str, closed: tuple[Closing, ...], last: str
) -> None:
    assert named_results[area_of(named_history(quarters, closed))].split()[-1].rstrip("+") == last


def test_every_result_has_a_named_case() -> None:
    assert {last for *_, last in NAMED} == RESULTS


def test_the_scope_of_the_later_quarter_decides() -> None:
    """Severe on one metric, then on another, with the rule changed between the two."""
    for rules, last in (
        ([Rule(), Rule("any_indicator")], "SEVERE_PERSISTENT+"),
        ([Rule("any_indicator"), Rule()], "SEVERE"),
    ):
        con = database()
        rules_table(con, rules)
        histories_tables(con, [("12", ())])
        build(con, *OFFICIAL)
        assert results_by_area(con) == {"12/": f"SEVERE {last}"}


def test_a_case_keeps_its_first_quarter() -> None:
    con = database()
    table(con, "int_rules_by_quarter",
          {"period_code": "varchar", "quarter_index": "integer", "bridge_quarters": "integer",
           "close_quarters": "integer", "reopen_quarters": "integer", "persistence_scope": "varchar",
           "s4_counts": "varchar"},
          [(f"q{i}", i, 1, 2, 4, "same_indicator", "aggravates") for i in range(QUARTERS)])  # fmt: skip
    nothing_recorded(con)
    table(con, "int_quarters", {"period_code": "varchar", "quarter_index": "integer"}, [])
    states = {"case": ["NOT_MET", "MET", "MET", "NOT_MET", "MET", "MET"],
              "pending": ["NOT_MET", "MET", "NOT_SUBMITTED", "MET", "NOT_MET", "NOT_MET"],
              "two_runs": ["MET", "TOO_FEW", "TOO_FEW", "MET", "NOT_MET", "NOT_MET"],
              "unsent": ["MET", "NOT_MET", "NOT_SUBMITTED", "NOT_SUBMITTED", "NOT_SUBMITTED", "MET"]}  # fmt: skip
    columns = {"body_kind": "varchar", "pfa_code": "varchar", "right_number": "integer", "period_code": "varchar",
               "quarter_index": "integer", "rule_version": "integer", "state": "varchar", "is_s4_met": "boolean",
               "indicators_met": "varchar", "senders_expected": "integer", "senders_received": "integer",
               "s4_counts": "varchar", "persistence_scope": "varchar", "bridge_quarters": "integer",
               "close_quarters": "integer", "reopen_quarters": "integer"}  # fmt: skip
    table(con, "int_right_states", columns,
          [("police", area, 4, f"q{i}", i, 0, state, False, None, 1, 1, "aggravates", "same_indicator", 1, 2, 4)
           for area, run in states.items() for i, state in enumerate(run)])  # fmt: skip
    con.execute(
        "create table intermediate.int_indicators as select body_kind, pfa_code, right_number, period_code,"
        " 'S1' as indicator, 'm1' as item_id, true as is_met from intermediate.int_right_states where state = 'MET'"
    )
    closings_table(con, [])
    build(con, *OFFICIAL)
    rows = con.execute(
        "select pfa_code, quarter_index, case_first_index, quarters_running from intermediate.int_persistence"
        " order by 1, 2"
    ).fetchall()
    assert [row[2] for row in rows if row[0] == "case"] == [None, 1, 1, 1, 1, 1]
    assert [row[3] for row in rows if row[0] == "case"] == [0, 1, 2, 0, 1, 2]
    # severe once, then two missing returns open a case of their own, which keeps its start
    assert [row[2] for row in rows if row[0] == "unsent"] == [0, None, None, 2, 2, 2]
    assert [row[3] for row in rows if row[0] == "unsent"][2:5] == [1, 2, 3]
    # a missing return neither moves the start of the run nor counts as a severe quarter
    assert [row[2] for row in rows if row[0] == "pending"] == [None, 1, 1, 1, 1, 1]
    assert [row[3] for row in rows if row[0] == "pending"] == [0, 1, 1, 2, 0, 0]
    # two quarters that cannot be assessed are too many to bridge: another run
    assert [row[2] for row in rows if row[0] == "two_runs"] == [0, 0, None, 3, None, None]
    assert [row[3] for row in rows if row[0] == "two_runs"] == [1, 1, 0, 1, 0, 0]


def first_quarters(
    letters: str, closed: tuple[Closing, ...], rule: Rule
) -> list[tuple[int, str, int | None]]:
    """(quarter, result, first quarter of the case) of one history."""
    con = database()
    rules_table(con, [rule] * len(letters))
    histories_tables(con, [(letters, closed)])
    build(con, *OFFICIAL)
    return con.execute(
        "select quarter_index, result, case_first_index from intermediate.int_persistence order by quarter_index"
    ).fetchall()


def test_a_reopened_case_goes_on_under_its_own_number() -> None:
    found = first_quarters("11NN1N", (2,), Rule())
    assert found[1:] == [
        (1, "SEVERE_PERSISTENT", 0),
        (2, "PERSISTENT_IMPROVING", 0),
        (3, "CLEAR", None),
        (4, "REOPENED", 0),
        (5, "PERSISTENT_IMPROVING", 0),
    ]


def test_what_follows_an_error_of_the_data_is_a_case_of_its_own() -> None:
    """The number of the ended case takes no further decision: what is severe later begins after it."""
    assert first_quarters("1111", ("1e",), Rule())[1:] == [
        (1, "SEVERE_PERSISTENT", 0),
        (2, "SEVERE", 2),
        (3, "SEVERE_PERSISTENT", 2),
    ]
    assert first_quarters("SSSS", (1,), Rule())[1:] == [
        (1, "NON_SUBMISSION", 0),
        (2, "NON_SUBMISSION", 2),
        (3, "PERSISTENT_UNASSESSED", 2),
    ]


def test_the_reason_says_what_a_quarter_is_judged_by() -> None:
    con = database()
    rules_table(con, [Rule(close=3)] * 5)
    histories_tables(con, [("11NNN", ()), ("111", ("1e",)), ("12", ())])
    build(con, *OFFICIAL)
    rows = con.execute(
        "select pfa_code, quarter_index, result, reason from intermediate.int_persistence order by 1, 2"
    ).fetchall()
    said = {(area.split("/")[0], quarter): (result, reason) for area, quarter, result, reason in rows}
    assert [said["11NNN", i] for i in (2, 3, 4)] == [
        ("PERSISTENT_IMPROVING", "The case is open; the first quarter without a severe indicator"),
        (
            "PERSISTENT_IMPROVING",
            "The case is open; not enough quarters without a severe indicator yet to consider closing it",
        ),
        (
            "ELIGIBLE_TO_CLOSE",
            "The case is open; enough quarters without a severe indicator to consider closing it",
        ),
    ]
    assert said["111", 2] == (
        "SEVERE",
        "Severe in this quarter; the case before it ended as an error of the data: watch",
    )
    assert said["12", 1] == ("SEVERE", "Severe in both quarters, on different indicators: watch")


def test_the_reason_says_over_how_many_quarters_was_bridged() -> None:
    con = database()
    rules_table(con, [Rule(bridge=2)] * 4)
    histories_tables(con, [("1T1", ()), ("1TS1", ()), ("1_1", ())])
    build(con, *OFFICIAL)
    found = con.execute(
        "select pfa_code, reason from intermediate.int_persistence where result = 'SEVERE_PERSISTENT_BRIDGED'"
    ).fetchall()
    assert dict(found) == {
        "1T1/": "Severe again after one quarter that could not be assessed (too few)",
        "1TS1/": "Severe again after 2 quarters that could not be assessed (the last: not submitted)",
        "1_1/": "Severe again after one quarter that could not be assessed (not expected)",
    }
    running = con.execute(
        "select quarter_index, quarters_running from intermediate.int_persistence where pfa_code = '1TS1/' order by 1"
    ).fetchall()
    assert running == [(0, 1), (1, 1), (2, 1), (3, 2)]

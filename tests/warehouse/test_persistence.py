"""Persistence in SQL against a state machine written from the table in docs/methods.md, over every short history."""

from __future__ import annotations

from itertools import product

import pytest

from tests.warehouse.rendering import build, database, table

QUARTERS = 6
OPENING = {"SEVERE_PERSISTENT", "SEVERE_PERSISTENT_BRIDGED", "NON_SUBMISSION", "REOPENED"}
# A quarter is a state and, where severe, the metric it is severe on.
EVENTS = {
    "M1": ("MET", "m1"),
    "M2": ("MET", "m2"),
    "N": ("NOT_MET", ""),
    "S": ("NOT_SUBMITTED", ""),
    "T": ("TOO_FEW", ""),
}


def machine(events: tuple[str, ...], closed_after: int | None, scope: str) -> list[tuple[str, bool]]:
    """(result, is a case open afterwards) of each quarter, walking forward one quarter at a time."""
    results: list[tuple[str, bool]] = []
    is_open, clear_run, closed_at = False, 0, None
    for now, event in enumerate(events):
        state, metric = EVENTS[event]
        before = [EVENTS[e] for e in events[:now]]
        if closed_after is not None and now == closed_after + 1:
            is_open, closed_at = False, closed_after
        if state == "MET":
            clear_run = 0
        elif state == "NOT_MET":
            clear_run += 1
        assessed = [i for i, (s, _) in enumerate(before) if s in ("MET", "NOT_MET")]
        last = assessed[-1] if assessed else None
        last_met = last is not None and before[last][0] == "MET"
        same = scope == "any_indicator" or (last is not None and before[last][1] == metric)
        between = now - last - 1 if last is not None else None
        unassessable = state not in ("MET", "NOT_MET")
        if is_open and state == "MET":
            result = "SEVERE_PERSISTENT"
        elif is_open and state == "NOT_MET":
            result = "PERSISTENT_IMPROVING" if clear_run < 2 else "ELIGIBLE_TO_CLOSE"
        elif is_open:
            result = "PERSISTENT_UNASSESSED"
        elif state == "MET" and closed_at is not None and now - closed_at <= 4:
            result = "REOPENED"
        elif state == "MET" and before and before[-1][0] == "MET" and same:
            result = "SEVERE_PERSISTENT"
        elif state == "MET" and last_met and between == 1 and same:
            result = "SEVERE_PERSISTENT_BRIDGED"
        elif state == "MET":
            result = "SEVERE"
        elif state == "NOT_SUBMITTED" and before and before[-1][0] == "NOT_SUBMITTED":
            result = "NON_SUBMISSION"
        elif unassessable and last_met and between == 0:
            result = "SEVERE_PENDING"
        elif state == "NOT_MET" and last_met:
            result = "RESET"
        elif state == "NOT_MET":
            result = "CLEAR"
        else:
            result = "NOT_ASSESSED"
        is_open = is_open or result in OPENING
        results.append((result, is_open))
    return results


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
@pytest.mark.parametrize("closed_after", [None, 1, 2])
def test_every_history_of_six_quarters(scope: str, closed_after: int | None) -> None:
    histories = list(product(EVENTS, repeat=QUARTERS))
    con = database()
    periods = [f"q{i}" for i in range(QUARTERS)]
    table(
        con,
        "int_rules_by_quarter",
        {"period_code": "varchar", "quarter_index": "integer", "bridge_quarters": "integer",
         "close_quarters": "integer", "reopen_quarters": "integer", "persistence_scope": "varchar",
         "s4_counts": "varchar"},
        [(period, i, 1, 2, 4, scope, "aggravates") for i, period in enumerate(periods)],
    )  # fmt: skip
    table(
        con,
        "stg_periods",
        {"period_code": "varchar", "quarter_index": "integer"},
        list(zip(periods, range(QUARTERS), strict=True)),
    )
    # histories are areas; they are generated in SQL, since there are fifteen thousand of them
    con.execute("create table histories (pfa_code varchar, quarter_index integer, event varchar)")
    names = ["-".join(history) for history in histories]
    con.execute(
        "insert into histories select name, cast(i as integer), split_part(name, '-', cast(i as integer) + 1)"
        " from (select unnest(?::varchar[]) as name), range(0, ?) as quarters(i)",
        [names, QUARTERS],
    )
    con.execute(
        "create table intermediate.int_right_states as select 'police' as body_kind, pfa_code, 4 as right_number,"
        " 'q' || quarter_index as period_code, quarter_index, 0 as rule_version,"
        " case event when 'N' then 'NOT_MET' when 'S' then 'NOT_SUBMITTED' when 'T' then 'TOO_FEW' else 'MET' end as state,"
        " false as is_s4_met, cast(null as varchar) as indicators_met, 1 as senders_expected, 1 as senders_received"
        " from histories"
    )
    con.execute(
        "create table intermediate.int_indicators as select 'police' as body_kind, pfa_code, 4 as right_number,"
        " 'q' || quarter_index as period_code, 'S1' as indicator, lower(event) as item_id, true as is_met"
        " from histories where event in ('M1', 'M2')"
    )
    con.execute(
        "create table reference.case_closures (body_kind varchar, pfa_code varchar, right_number integer,"
        " closed_period_code varchar)"
    )
    if closed_after is not None:
        con.execute(
            "insert into reference.case_closures select distinct 'police', pfa_code, 4, ? from histories",
            [f"q{closed_after}"],
        )
    build(con, "int_persistence")
    found: dict[str, list[tuple[str, bool]]] = {name: [] for name in names}
    for name, result, is_open in con.execute(
        "select pfa_code, result, is_open_case from intermediate.int_persistence order by pfa_code, quarter_index"
    ).fetchall():
        found[name].append((result, is_open))
    wrong = {
        name: (found[name], expected)
        for name, history in zip(names, histories, strict=True)
        if found[name] != (expected := machine(history, closed_after, scope))
    }
    assert len(found) == 5**QUARTERS
    assert not wrong, f"{len(wrong)} of {len(found)} histories differ, such as {next(iter(wrong.items()))}"


def test_a_case_keeps_its_first_quarter() -> None:
    con = database()
    table(con, "int_rules_by_quarter",
          {"period_code": "varchar", "quarter_index": "integer", "bridge_quarters": "integer",
           "close_quarters": "integer", "reopen_quarters": "integer", "persistence_scope": "varchar",
           "s4_counts": "varchar"},
          [(f"q{i}", i, 1, 2, 4, "same_indicator", "aggravates") for i in range(QUARTERS)])  # fmt: skip
    table(con, "stg_periods", {"period_code": "varchar", "quarter_index": "integer"}, [])
    states = {"case": ["NOT_MET", "MET", "MET", "NOT_MET", "MET", "MET"],
              "pending": ["NOT_MET", "MET", "NOT_SUBMITTED", "MET", "NOT_MET", "NOT_MET"],
              "two_runs": ["MET", "TOO_FEW", "TOO_FEW", "MET", "NOT_MET", "NOT_MET"],
              "unsent": ["MET", "NOT_MET", "NOT_SUBMITTED", "NOT_SUBMITTED", "NOT_SUBMITTED", "MET"]}  # fmt: skip
    columns = {"body_kind": "varchar", "pfa_code": "varchar", "right_number": "integer", "period_code": "varchar",
               "quarter_index": "integer", "rule_version": "integer", "state": "varchar", "is_s4_met": "boolean",
               "indicators_met": "varchar", "senders_expected": "integer", "senders_received": "integer"}  # fmt: skip
    table(con, "int_right_states", columns,
          [("police", area, 4, f"q{i}", i, 0, state, False, None, 1, 1)
           for area, run in states.items() for i, state in enumerate(run)])  # fmt: skip
    con.execute(
        "create table intermediate.int_indicators as select body_kind, pfa_code, right_number, period_code,"
        " 'S1' as indicator, 'm1' as item_id, true as is_met from intermediate.int_right_states where state = 'MET'"
    )
    table(
        con,
        "case_closures",
        {
            "body_kind": "varchar",
            "pfa_code": "varchar",
            "right_number": "integer",
            "closed_period_code": "varchar",
        },
        [],
    )
    build(con, "int_persistence")
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

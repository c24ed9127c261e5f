"""The case register: closings, the log of events, cases as they stand, and notices, from invented decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta

import duckdb

from ingest.period import add_working_days, working_day_numbers
from tests.warehouse.rendering import build, database, table, typed_seed

#: Quarter -> (running number, day by which its local review was due).
QUARTERS = {
    "2025-26-Q1": (100, date(2025, 9, 9)),
    "2025-26-Q2": (101, date(2025, 12, 9)),
    "2025-26-Q3": (102, date(2026, 3, 12)),
    "2025-26-Q4": (103, date(2026, 6, 15)),
    "2026-27-Q1": (104, date(2026, 9, 9)),
}
KNOWN_ON = date(2026, 10, 1)
FIRST_DAYS = [date(2025 + month // 12, 1 + month % 12, 1) for month in range(3, 21, 3)]
MODELS = ("int_known_day", "int_case_keys", "int_case_decisions", "int_case_closures", "int_area_lineage")
#: Code, last day, successor.
Area = tuple[str, date | None, str | None]


def case_id(first_period: str, area: str = "A", right: int = 4, body_kind: str = "police") -> str:
    """The number of a case as docs/methods.md defines it."""
    return hashlib.md5(
        f"{body_kind}|{area}|{right}|{first_period}".encode(), usedforsecurity=False
    ).hexdigest()[:16]


CASE = case_id("2025-26-Q1")
Decision = tuple[str, str, str, str]


def decided(
    decisions: Sequence[Decision],
    notices: Sequence[tuple[object, ...]] = (),
    stale: Sequence[Decision] = (),
    areas: Sequence[Area] = (("A", None, None),),
) -> duckdb.DuckDBPyConnection:
    """A database with these decisions (case, state, role, day) in the current return, and others in a superseded one."""
    con = database()
    days = {"first_day": "date", "last_day": "date", "review_due_on": "date"}
    rows = [
        (code, i, FIRST_DAYS[n], FIRST_DAYS[n + 1] - timedelta(days=1), due)
        for n, (code, (i, due)) in enumerate(QUARTERS.items())
    ]
    table(con, "int_quarters", {"period_code": "varchar", "quarter_index": "integer", **days}, rows)
    table(
        con,
        "stg_periods",
        {"period_code": "varchar", "first_day": "date", "last_day": "date"},
        [
            (code, date(2025 + n // 4, 1 + 3 * (n % 4), 1), date(2025, 6, 30))
            for n, code in enumerate(QUARTERS)
        ],
    )
    table(con, "stg_receipts", {"period_code": "varchar", "arrived_on": "date"}, [("2025-26-Q4", KNOWN_ON)])
    table(
        con,
        "body_kind_areas",
        {"body_kind": "varchar", "pfa_code": "varchar"},
        [("police", "A"), ("cps", "A")],
    )
    dated = {"valid_from": "date", "valid_to": "date"}
    table(
        con,
        "rights",
        {"right_number": "integer", "right_title": "varchar", **dated},
        [(n, f"right {n}", date(2020, 1, 1), None) for n in (4, 7)],
    )
    table(
        con,
        "areas",
        {"pfa_code": "varchar", "area_name": "varchar", **dated, "successor_pfa_code": "varchar"},
        [(code, "Area", date(2020, 1, 1), *end) for code, *end in areas],
    )
    table(
        con,
        "senders",
        {"sender_code": "varchar", "sender_name": "varchar", **dated},
        [("A-lpb", "Commissioner", date(2020, 1, 1), None)],
    )
    for name in ("case_states", "cycle_rules"):
        typed_seed(con, name)
    table(
        con,
        "stg_working_days",
        {"day_on": "date", "is_working_day": "boolean", "working_day_number": "integer"},
        working_day_numbers(date(2025, 4, 1), date(2027, 3, 31)),
    )
    table(
        con,
        "int_current_receipts",
        {"receipt_id": "varchar", "receipt_sequence": "integer", "period_code": "varchar"},
        [("R1", 1, "2025-26-Q3"), ("R2", 2, "2025-26-Q4")],
    )
    sheet = [("R1", n, *row, "why", "paper 1") for n, row in enumerate(decisions, 2)]
    sheet += [("R0", n, *row, "superseded", None) for n, row in enumerate(stale, 2)]
    table(
        con,
        "stg_decisions",
        {
            "receipt_id": "varchar",
            "sheet_row": "integer",
            "case_id": "varchar",
            "to_state": "varchar",
            "decided_by_role": "varchar",
            "decided_on": "date",
            "decision_reason": "varchar",
            "evidence_reference": "varchar",
        },
        sheet,
    )
    dates = (
        "update_due_on",
        "plan_due_on",
        "plan_link",
        "sos_agreed_on",
        "ag_agreed_on",
        "vc_consulted_on",
        "published_on",
        "closed_on",
    )
    kinds = {name: "varchar" if name == "plan_link" else "date" for name in dates}
    table(
        con,
        "stg_notices",
        {
            "receipt_id": "varchar",
            "sheet_row": "integer",
            "notice_id": "varchar",
            "case_ids": "varchar",
            "recipient_code": "varchar",
            "copied_to": "varchar",
            "summary": "varchar",
            "request": "varchar",
            **kinds,
        },
        notices,
    )
    table(con, "stg_recorded_quarters", {"period_code": "varchar"}, [("2025-26-Q2",)])
    build(con, *MODELS)
    return con  # fmt: skip


def closures(*decisions: Decision, stale: Sequence[Decision] = ()) -> list[tuple[object, ...]]:
    return decided(decisions, stale=stale).execute(
        "select body_kind, pfa_code, right_number, closed_period_code, closed_index, decided_on, closing_state"
        " from intermediate.int_case_closures order by closed_index"
    ).fetchall()  # fmt: skip


def test_the_number_of_a_case_is_the_hash_that_decisions_name() -> None:
    con = decided([])
    [(found,)] = con.execute(
        "select case_id from intermediate.int_case_keys where body_kind = 'police' and pfa_code = 'A'"
        " and right_number = 4 and first_period_code = '2025-26-Q1'"
    ).fetchall()
    assert found == CASE
    [(rows, numbers)] = con.execute(
        "select count(*), count(distinct case_id) from intermediate.int_case_keys"
    ).fetchall()
    assert rows == numbers == 2 * 2 * len(QUARTERS)


def test_a_case_is_closed_after_the_latest_quarter_whose_review_was_due() -> None:
    about = ("police", "A", 4)
    for day, period in (
        ("2026-06-14", "2025-26-Q3"),
        ("2026-06-15", "2025-26-Q4"),
        ("2026-06-24", "2025-26-Q4"),
        ("2026-09-08", "2025-26-Q4"),
    ):
        found = closures((CASE, "closed", "programme_board", day))
        assert found == [(*about, period, QUARTERS[period][0], date.fromisoformat(day), "closed")]
    # before any review of a quarter of the case there is nothing to close
    assert closures((CASE, "closed", "programme_board", "2025-09-08")) == []
    assert closures((case_id("2025-26-Q4"), "closed", "programme_board", "2026-03-30")) == []


def test_only_decisions_that_stand_and_end_a_case_close_it() -> None:
    closed = (CASE, "closed", "programme_board", "2026-06-24")
    assert closures((CASE, "local_action", "programme_board", "2026-06-24"), stale=[closed]) == []
    assert closures(("0123456789abcdef", "closed", "programme_board", "2026-06-24")) == []
    assert [row[-1] for row in closures((CASE, "data_error", "programme_board", "2026-01-10"))] == [
        "data_error"
    ]


def test_the_last_word_between_two_reviews_holds() -> None:
    closed = (CASE, "closed", "programme_board", "2026-06-24")
    reopened = (CASE, "reopened", "programme_board", "2026-07-01")
    again = (CASE, "closed", "programme_board", "2026-07-20")
    assert closures(closed, reopened) == []
    assert [row[5] for row in closures(closed, reopened, again)] == [date(2026, 7, 20)]
    # a decision to reopen after the next review takes nothing back: the case was closed in between
    later = (CASE, "reopened", "programme_board", "2026-09-10")
    assert [row[3] for row in closures(closed, later)] == ["2025-26-Q4"]


def test_reopening_one_case_takes_no_closing_of_another_back() -> None:
    second = case_id("2025-26-Q4")
    ended = (second, "data_error", "programme_board", "2026-06-24")
    reopened = (CASE, "reopened", "programme_board", "2026-07-01")
    assert [row[3:] for row in closures(ended, reopened)] == [
        ("2025-26-Q4", 103, date(2026, 6, 24), "data_error")
    ]
    # both ended after one quarter: one row, the later decision's
    both = closures(ended, (CASE, "closed", "programme_board", "2026-07-20"))
    assert [row[4:] for row in both] == [(103, date(2026, 7, 20), "closed")]


SEVERE = ("SEVERE", "SEVERE_PERSISTENT", "REOPENED")


def persistence(
    con: duckdb.DuckDBPyConnection, *results: tuple[str, int | None, int | None], neighbour: str | None = None
) -> None:
    """Results of police, area A, right 4, from 2025-26-Q1 on: result, when opened, first quarter (None: no case).

    A severe quarter is so on item m and its number. Another area may be clear in the last quarter.
    """
    rows: list[tuple[object, ...]] = [
        ("police", "A", 4, code, QUARTERS[code][0], "MET" if result in SEVERE else "NOT_MET",
         f"S1: m{QUARTERS[code][0]}" if result in SEVERE else None, result, opened is not None, opened, first,
         result.lower())
        for code, (result, opened, first) in zip(QUARTERS, results, strict=False)
    ]  # fmt: skip
    if neighbour is not None:
        rows.append(
            ("police", neighbour, 4, "2026-27-Q1", 104, "NOT_MET", None, "CLEAR", False, None, None, "clear")
        )
    table(
        con,
        "int_persistence",
        {"body_kind": "varchar", "pfa_code": "varchar", "right_number": "integer", "period_code": "varchar",
         "quarter_index": "integer", "state": "varchar", "indicators_met": "varchar", "result": "varchar", "is_open_case": "boolean", "opened_index": "integer",
         "case_first_index": "integer", "reason": "varchar"},
        rows,
    )  # fmt: skip
    build(
        con,
        "int_case_events",
        "int_notices",
        "int_cases",
        "oversight_case_events",
        "oversight_cases",
        "oversight_notices",
    )


OPEN = [
    ("SEVERE", None, 100),
    ("SEVERE_PERSISTENT", 101, 100),
    ("PERSISTENT_IMPROVING", 101, 100),
    ("ELIGIBLE_TO_CLOSE", 101, 100),
]
STEPS: list[Decision] = [
    (CASE, "data_check", "secretariat", "2025-12-11"),
    (CASE, "confirmed", "programme_board", "2025-12-23"),
    (CASE, "local_action", "programme_board", "2026-01-15"),
]


def events(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute(
        "select set_by, cast(occurred_on as varchar), from_state, to_state, coalesce(decided_by_role, period_code)"
        " from marts.oversight_case_events where case_id = ? order by event_number",
        [CASE],
    ).fetchall()


def test_the_log_holds_what_statistics_found_and_what_was_decided_in_order() -> None:
    con = decided([*STEPS, (CASE, "closed", "programme_board", "2026-06-24")])
    persistence(con, *OPEN, ("REOPENED", 104, 100))
    assert events(con) == [
        ("statistics", "2025-12-09", None, "detected", "2025-26-Q2"),
        ("decision", "2025-12-11", "detected", "data_check", "secretariat"),
        ("decision", "2025-12-23", "data_check", "confirmed", "programme_board"),
        ("decision", "2026-01-15", "confirmed", "local_action", "programme_board"),
        ("statistics", "2026-06-15", "local_action", "eligible_to_close", "2025-26-Q4"),
        ("decision", "2026-06-24", "local_action", "closed", "programme_board"),
        ("statistics", "2026-09-09", "closed", "detected", "2026-27-Q1"),
    ]
    recorded = con.execute(
        "select to_state, is_recorded from marts.oversight_case_events where set_by = 'statistics' order by event_number"
    ).fetchall()
    assert recorded == [("detected", True), ("eligible_to_close", False), ("detected", False)]


def cases(con: duckdb.DuckDBPyConnection, *columns: str) -> dict[object, tuple[object, ...]]:
    rows = con.execute(f"select case_id, {', '.join(columns)} from marts.oversight_cases").fetchall()
    return {row[0]: row[1:] for row in rows}


def attention(decisions: Sequence[Decision], *results: tuple[str, int | None, int | None]) -> object:
    con = decided(decisions)
    persistence(con, *results)
    return cases(con, "needs_attention")[CASE][0]


def test_a_case_stands_as_the_last_decision_says() -> None:
    con = decided(STEPS)
    persistence(con, *OPEN)
    columns = (
        "case_state", "state_since_on", "decided_by_role", "is_open", "is_eligible_to_close", "opened_period_code",
        "opened_by_result", "detected_on", "is_recorded", "decision_count", "area_name", "right_title", "latest_result",
    )  # fmt: skip
    assert cases(con, *columns) == {
        CASE: ("local_action", date(2026, 1, 15), "programme_board", True, True, "2025-26-Q2", "SEVERE_PERSISTENT",
               date(2025, 12, 9), True, 3, "Area", "right 4", "ELIGIBLE_TO_CLOSE")
    }  # fmt: skip


def test_a_case_shows_what_is_severe_in_the_latest_quarter() -> None:
    columns = ("latest_period_code", "latest_result", "latest_state", "latest_indicators_met")
    con = decided(STEPS)
    persistence(con, *OPEN[:2])
    assert cases(con, *columns) == {CASE: ("2025-26-Q2", "SEVERE_PERSISTENT", "MET", "S1: m101")}
    con = decided(STEPS)
    persistence(con, *OPEN[:3])
    assert cases(con, *columns) == {CASE: ("2025-26-Q3", "PERSISTENT_IMPROVING", "NOT_MET", None)}
    # a case of long ago shows the latest quarter of its body, area and right, too
    con = decided([*STEPS, (CASE, "closed", "programme_board", "2026-06-24")])
    persistence(con, *OPEN, ("SEVERE", None, 104))
    assert cases(con, *columns) == {CASE: ("2026-27-Q1", "SEVERE", "MET", "S1: m104")}


def of_area(decisions: Sequence[Decision], *areas: Area, neighbour: str | None = "D") -> tuple[object, ...]:
    """Successor and what needs attention of the case in A, whose last result is of 2025-26-Q3."""
    con = decided(decisions, areas=areas)
    persistence(con, *OPEN[:3], neighbour=neighbour)
    return cases(con, "successor_pfa_code", "needs_attention")[CASE]


def test_the_open_case_of_an_area_that_has_ended_is_to_be_decided() -> None:
    ended = "the area has ended: decide on the case"
    march, june = date(2026, 3, 31), date(2026, 6, 30)
    assert of_area(STEPS, ("A", None, None), ("D", None, None)) == (None, None)
    assert of_area(STEPS, ("A", march, "D"), ("D", None, None)) == ("D", f"{ended}, or for its successor D")
    assert of_area(STEPS, ("A", march, None), ("D", None, None)) == (None, ended)
    assert of_area([], ("A", march, "D"), ("D", None, None))[1] == (
        f"{ended}, or for its successor D; no decision yet"
    )
    # the successor that stands, over a second merger
    chain: list[Area] = [("A", date(2025, 12, 31), "C"), ("C", march, "D"), ("D", None, None)]
    assert of_area(STEPS, *chain) == ("D", f"{ended}, or for its successor D")
    # it ends with the last quarter that is known, or nothing is known yet of any after it
    assert of_area(STEPS, ("A", june, "D"), ("D", None, None)) == (None, None)
    assert of_area(STEPS, ("A", march, "D"), ("D", None, None), neighbour=None) == (None, None)
    # nothing is to be decided on a case that is closed
    closed = [*STEPS, (CASE, "data_error", "programme_board", "2026-03-20")]
    assert of_area(closed, ("A", march, "D"), ("D", None, None)) == ("D", None)


def test_what_needs_attention() -> None:
    closed = (CASE, "closed", "programme_board", "2026-06-24")
    assert attention([], *OPEN[:2]) == "no decision yet"
    assert attention(STEPS, *OPEN[:3]) is None
    assert attention(STEPS, *OPEN) == "eligible to close, to be decided"
    assert attention([*STEPS, closed], *OPEN, ("CLEAR", None, None)) is None
    early = [*OPEN[:3], ("PERSISTENT_IMPROVING", 101, 100), ("CLEAR", None, None)]
    assert attention([*STEPS, closed], *early) == "closed before it was eligible to close"
    error = (CASE, "data_error", "programme_board", "2026-06-24")
    assert attention([*STEPS[:1], error], *early) is None
    assert attention([*STEPS, closed], *OPEN, ("REOPENED", 104, 100)) == "severe again after it was closed"
    reopened = (CASE, "reopened", "programme_board", "2026-09-15")
    assert attention([*STEPS, closed, reopened], *OPEN, ("REOPENED", 104, 100)) is None
    # the next quarter is looked at, and was not severe: open for the Board, but not in the statistics
    assert (
        attention([*STEPS, closed, reopened], *OPEN, ("CLEAR", None, None))
        == "open here, but not in the statistics"
    )
    assert attention(STEPS, ("CLEAR", None, None)) == "decided on without a detection"
    hasty = [(CASE, "data_check", "secretariat", "2025-12-01"), *STEPS[1:]]
    assert attention(hasty, *OPEN[:3]) == "decided on before it was detected"
    agreed = [*STEPS, (CASE, "notice_agreed", "both_ministers", "2026-05-12")]
    assert attention(agreed, *OPEN[:3]) == "no notice names the case"


def test_the_data_check_is_due_ten_working_days_after_it_was_asked_for() -> None:
    con = decided(STEPS[:1])
    persistence(con, *OPEN[:2])
    due = add_working_days(date(2025, 12, 11), 10)
    assert due == date(2025, 12, 29)  # over Christmas
    assert cases(con, "next_step", "next_due_on", "is_overdue", "needs_attention") == {
        CASE: ("data check", due, True, "data check overdue")
    }
    con = decided([(CASE, "data_check", "secretariat", "2026-09-21")])
    persistence(con, *OPEN[:2])
    assert cases(con, "next_due_on", "is_overdue") == {CASE: (add_working_days(date(2026, 9, 21), 10), False)}


def test_a_decision_on_a_number_that_is_no_case_is_listed() -> None:
    con = decided([("0123456789abcdef", "data_check", "secretariat", "2026-09-28")])
    persistence(con, *OPEN[:2])
    found = cases(con, "body_kind", "detected_on", "is_recorded", "needs_attention")
    assert found["0123456789abcdef"] == (None, None, False, "the number is that of no case")
    assert found[CASE][-1] == "no decision yet"


def test_a_reopened_case_counts_its_reopenings() -> None:
    closed = (CASE, "closed", "programme_board", "2026-06-24")
    reopened = (CASE, "reopened", "programme_board", "2026-09-15")
    con = decided([*STEPS, closed, reopened])
    persistence(con, *OPEN, ("REOPENED", 104, 100))
    assert cases(con, "case_state", "is_open", "reopened_count") == {CASE: ("reopened", True, 1)}


OTHER = case_id("2025-26-Q1", right=7)


def notice(receipt: str, name: str, ids: str, **dates: object) -> tuple[object, ...]:
    names = ("update_due_on", "plan_due_on", "plan_link", "sos_agreed_on", "ag_agreed_on", "vc_consulted_on",
             "published_on", "closed_on")  # fmt: skip
    return (
        receipt,
        2,
        name,
        ids,
        "A-lpb",
        "A-police",
        "Low.",
        "A plan.",
        *(dates.get(each) for each in names),
    )


def notices(con: duckdb.DuckDBPyConnection, *columns: str) -> list[tuple[object, ...]]:
    return con.execute(
        f"select notice_id, case_id, {', '.join(columns)} from marts.oversight_notices order by 1, right_number"
    ).fetchall()


def test_a_notice_has_one_row_a_case_and_is_as_the_latest_quarter_says() -> None:
    agreed = {
        "sos_agreed_on": date(2026, 5, 11),
        "ag_agreed_on": date(2026, 5, 12),
        "vc_consulted_on": date(2026, 4, 1),
    }
    con = decided(
        STEPS,
        [
            notice("R1", "N1", CASE, **agreed),
            notice("R2", "N1", f"{CASE}; {OTHER}", **agreed, published_on=date(2026, 5, 20)),
            notice("R0", "N2", CASE),
        ],
    )
    persistence(con, *OPEN)
    found = notices(con, "right_number", "notice_scope", "notice_status", "recipient_name", "is_case_known")
    assert found == [
        ("N1", CASE, 4, "joint", "published", "Commissioner", True),
        ("N1", OTHER, 7, "joint", "published", "Commissioner", False),
    ]
    assert cases(con, "notice_ids")[CASE] == ("N1",)


def test_the_status_of_a_notice() -> None:
    both = {"sos_agreed_on": date(2026, 5, 11), "ag_agreed_on": date(2026, 5, 12)}
    out = {**both, "published_on": date(2026, 5, 20)}
    stories: dict[str, dict[str, object]] = {
        "draft": {"sos_agreed_on": date(2026, 5, 11)},
        "agreed": both,
        "published": out,
        "plan_due": {**out, "plan_due_on": KNOWN_ON},
        "plan_overdue": {**out, "plan_due_on": date(2026, 9, 30)},
        "plan_published": {**out, "plan_due_on": date(2026, 7, 1), "plan_link": "https://example.org/plan"},
        "update_due": {**out, "plan_link": "https://example.org/plan", "update_due_on": date(2026, 9, 1)},
        "closed": {**out, "closed_on": date(2026, 9, 1)},
    }
    con = decided([], [notice("R1", status, CASE, **dates) for status, dates in stories.items()])
    persistence(con, *OPEN[:2])
    assert {row[0]: row[2] for row in notices(con, "notice_status")} == {status: status for status in stories}
    assert {row[2] for row in notices(con, "notice_scope")} == {"single"}


def test_what_a_notice_asks_for_is_due_of_its_case() -> None:
    plan_due = [*STEPS, (CASE, "plan_due", "secretariat", "2026-05-21")]
    con = decided(plan_due, [notice("R1", "N1", CASE, plan_due_on=date(2026, 7, 15))])
    persistence(con, *OPEN[:3])
    assert cases(con, "next_step", "next_due_on", "needs_attention") == {
        CASE: ("plan", date(2026, 7, 15), "plan overdue")
    }

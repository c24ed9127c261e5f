"""Reviews, actions and context as their senders' latest returns have them, on invented returns."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from tests.warehouse.rendering import build, database, table

Q1, Q2 = "2026-27-Q1", "2026-27-Q2"
RECEIPTS = [
    # receipt, number, sender, kind, period, arrived, outcome, erased
    ("F1", 1, "essex", "quarterly", Q1, date(2026, 8, 3), "accepted", False),
    ("F2", 2, "essex", "quarterly", Q1, date(2026, 9, 20), "accepted", False),
    ("F3", 3, "kent", "quarterly", Q1, date(2026, 8, 4), "accepted", False),
    ("F4", 4, "kent", "quarterly", Q1, date(2026, 8, 5), "rejected", False),
    ("F5", 5, "surrey", "quarterly", Q1, date(2026, 8, 5), "accepted", True),
    ("I1", 6, "pcc", "insight", Q1, date(2026, 9, 8), "accepted", False),
    ("I2", 7, "pcc", "insight", Q1, date(2026, 9, 9), "accepted", False),
    ("I3", 8, "pcc", "insight", Q2, date(2026, 12, 7), "accepted", False),
    ("I4", 9, "mayor", "insight", Q1, date(2026, 9, 8), "accepted", False),
    ("C1", 10, "moj", "context", Q1, date(2026, 10, 1), "accepted", False),
    ("X1", 11, "nobody", "quarterly", Q2, date(2026, 12, 20), "rejected", False),
]


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    con = database()
    table(
        con, "stg_receipts",
        {"receipt_id": "varchar", "receipt_sequence": "bigint", "sender_code": "varchar", "form_kind": "varchar",
         "period_code": "varchar", "form_version": "integer", "arrived_at": "timestamptz", "arrived_on": "date",
         "outcome": "varchar", "is_accepted": "boolean", "is_erased": "boolean"},
        [(r, n, s, k, p, 1, datetime(d.year, d.month, d.day, tzinfo=UTC), d, o, o == "accepted" and not e, e)
         for r, n, s, k, p, d, o, e in RECEIPTS],
    )  # fmt: skip
    table(con, "stg_periods",
          {"period_code": "varchar", "quarter_index": "integer", "last_day": "date", "review_due_on": "date"},
          [(Q1, 8104, date(2026, 6, 30), date(2026, 9, 9)), (Q2, 8105, date(2026, 9, 30), date(2026, 12, 9))])  # fmt: skip
    table(con, "senders", {"sender_code": "varchar", "sender_name": "varchar"},
          [(s, s.upper()) for s in ("pcc", "mayor", "moj")])  # fmt: skip
    dated = {"valid_from": "date", "valid_to": "date"}
    table(
        con, "areas", {"pfa_code": "varchar", "area_name": "varchar", **dated}, [("E28", "Essex", None, None)]
    )
    table(con, "bodies", {"body_code": "varchar", "body_name": "varchar", "body_kind": "varchar", **dated},
          [(b, b.title(), "police", None, None) for b in ("b-essex", "b-kent", "b-surrey")])  # fmt: skip
    table(con, "int_expected_returns", {"period_code": "varchar", "sender_code": "varchar", "body_code": "varchar"},
          [(Q1, s, f"b-{s}") for s in ("essex", "kent", "surrey")])  # fmt: skip
    table(con, "stg_insight_covers",
          {"receipt_id": "varchar", "nil_review_reason": "varchar", "nil_insight_reason": "varchar"},
          [("I1", None, None), ("I2", None, None), ("I3", "No quorum", None), ("I4", "Vacancy", "Vacancy")])  # fmt: skip
    table(
        con, "stg_insight_reviews",
        {"receipt_id": "varchar", "sheet_row": "integer", "meeting_on": "date", "pfa_code": "varchar",
         "body_code": "varchar", "is_represented": "boolean", "reviewed_receipt_id": "varchar", "note": "varchar"},
        [
            ("I1", 2, date(2026, 9, 1), "E28", "b-essex", True, "F1", None),
            ("I2", 2, date(2026, 9, 1), "E28", "b-essex", True, "F1", None),
            ("I2", 3, date(2026, 9, 1), "E28", "b-kent", True, "F3", None),
            ("I2", 4, date(2026, 9, 1), "E28", "b-surrey", False, "F5", None),
            ("I2", 5, date(2026, 9, 10), "E28", "b-kent", True, "F4", None),
            ("I2", 6, date(2026, 9, 10), "E28", "b-surrey", False, "F3", None),
            ("I2", 7, date(2026, 9, 10), "E28", "b-essex", False, None, None),
        ],
    )  # fmt: skip
    table(
        con, "stg_insight_entries",
        {"receipt_id": "varchar", "sheet_row": "integer", "insight_id": "varchar", "insight_kind": "varchar",
         "pfa_code": "varchar", "body_code": "varchar", "right_number": "integer", "insight_text": "varchar",
         "owner_role": "varchar", "action_due_on": "date", "action_status": "varchar"},
        [
            ("I1", 2, "A1", "action", "E28", "b-essex", 4, "as first sent", "Head", date(2026, 8, 1), "open"),
            ("I2", 2, "A1", "action", "E28", "b-essex", 4, "write again", "Head", date(2026, 9, 1), "open"),
            ("I2", 3, "A2", "action", "E28", None, None, "train", "Head", date(2026, 9, 30), "open"),
            ("I2", 4, "A3", "action", "E28", None, None, "forgotten", "Head", date(2026, 12, 30), "open"),
            ("I2", 5, "B1", "best_practice", "E28", "b-kent", 6, "one contact", None, None, None),
            ("I3", 2, "A1", "action", "E28", "b-essex", 4, "write again", "Head", date(2026, 12, 10), "in_progress"),
            ("I3", 3, "A2", "action", "E28", None, None, "train", "Head", date(2026, 9, 30), "done"),
            ("I3", 4, "E1", "escalate", "E28", "b-essex", 4, "to the Board", None, None, None),
        ],
    )  # fmt: skip
    table(
        con, "stg_context_entries",
        {"receipt_id": "varchar", "sheet_row": "integer", "context_id": "varchar", "context_source": "varchar",
         "publisher": "varchar", "pfa_code": "varchar", "body_code": "varchar", "right_number": "integer",
         "title": "varchar", "summary": "varchar", "measure": "varchar", "measure_value": "double",
         "measure_unit": "varchar", "published_on": "date", "link": "varchar"},
        [("C1", 2, "C1", "ombudsman", "Ombudsman", None, None, 12, "Report", "Fewer", None, None, None, None, None),
         ("C1", 3, "C2", "support_services", "PCC", "E28", "b-essex", None, "Service", "Open", "Victims helped",
          12.0, "victims", None, None)],
    )  # fmt: skip
    build(con, "int_current_receipts", "int_known_day", "insight_returns", "insight_reviews", "insight_entries", "insight_actions",
          "context_entries")  # fmt: skip
    return con


def test_only_the_current_return_counts_and_says_why_a_part_is_empty(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = warehouse.execute(
        "select sender_code, period_code, receipt_id, is_review_held, nil_review_reason, meeting_count,"
        " bodies_expected_count, bodies_represented_count, entry_count, action_count, escalation_count"
        " from marts.insight_returns order by all"
    ).fetchall()
    assert found == [
        ("mayor", Q1, "I4", False, "Vacancy", 0, 0, 0, 0, 0, 0),
        ("pcc", Q1, "I2", True, None, 2, 3, 2, 4, 3, 0),
        ("pcc", Q2, "I3", False, "No quorum", 0, 0, 0, 3, 2, 1),
    ]


def test_a_review_says_whether_its_figures_still_stand(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select sheet_row, reviewed_state, standing_receipt_id, is_after_due from marts.insight_reviews order by 1"
    ).fetchall()
    assert found == [
        (2, "replaced", "F2", False),
        (3, "stands", "F3", False),
        (4, "erased", None, False),
        (5, "not_accepted", "F3", True),
        # another body's return
        (6, "not_the_bodys", None, True),
        (7, "not_named", None, True),
    ]


def test_an_action_is_followed_over_the_quarters(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select insight_id, action_status, status_history, first_due_on, action_due_on, is_unfinished, is_overdue,"
        " days_overdue, is_lost, known_on from marts.insight_actions order by insight_id"
    ).fetchall()
    known = date(2026, 12, 20)  # even a rejected file tells which day it is
    assert found == [
        ("A1", "in_progress", f"{Q1} open; {Q2} in_progress", date(2026, 9, 1), date(2026, 12, 10), True, True, 10,
         False, known),
        ("A2", "done", f"{Q1} open; {Q2} done", date(2026, 9, 30), date(2026, 9, 30), False, False, None, False, known),
        # no longer mentioned, and never said to be done
        ("A3", "open", f"{Q1} open", date(2026, 12, 30), date(2026, 12, 30), True, False, None, True, known),
    ]  # fmt: skip


def test_an_entry_says_whether_it_was_late_when_it_was_reported(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select period_code, insight_id, was_overdue from marts.insight_entries order by all"
    ).fetchall()
    assert found == [
        (Q1, "A1", True), (Q1, "A2", False), (Q1, "A3", False), (Q1, "B1", None),
        (Q2, "A1", False), (Q2, "A2", False), (Q2, "E1", None),
    ]  # fmt: skip


def test_context_is_about_an_area_or_the_nation(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select context_id, area_name, body_kind, sender_name from marts.context_entries order by 1"
    ).fetchall()
    assert found == [("C1", "England and Wales", None, "MOJ"), ("C2", "Essex", "police", "MOJ")]

"""Meetings of the forums as the current returns of the secretariat have them, with what was decided at them."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tests.warehouse.rendering import build, database, table

Q4, Q1 = "2025-26-Q4", "2026-27-Q1"
BOARD, TASKFORCE = "programme_board", "taskforce"


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    con = database()
    table(con, "int_current_receipts", {"receipt_id": "varchar", "period_code": "varchar"},
          [("R2", Q4), ("R3", Q1)])  # fmt: skip
    table(
        con, "stg_forum_meetings",
        {"receipt_id": "varchar", "sheet_row": "integer", "forum": "varchar", "meeting_on": "date",
         "reviewed_period_code": "varchar", "considered_case_count": "bigint", "summary": "varchar"},
        [
            ("R1", 2, BOARD, date(2026, 3, 16), "2025-26-Q2", 9, "as first sent"),
            ("R2", 2, BOARD, date(2026, 3, 17), "2025-26-Q2", 4, "four cases"),
            ("R2", 3, TASKFORCE, date(2026, 3, 17), "2025-26-Q2", 1, "one case"),
            ("R3", 2, TASKFORCE, date(2026, 6, 16), "2025-26-Q3", 0, "no case"),
        ],
    )  # fmt: skip
    table(con, "int_case_decisions", {"decided_by_role": "varchar", "decided_on": "date"},
          [(BOARD, date(2026, 3, 17)), (BOARD, date(2026, 3, 17)), ("secretariat", date(2026, 3, 17)),
           (BOARD, date(2026, 6, 16))])  # fmt: skip
    build(con, "oversight_forum_meetings")
    return con


def test_meetings_are_those_of_the_standing_returns_with_their_own_decisions(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = warehouse.execute(
        "select forum, meeting_on, period_code, reviewed_period_code, considered_case_count,"
        " meeting_decision_count, summary from marts.oversight_forum_meetings order by meeting_on, forum"
    ).fetchall()
    # The return that was replaced counts no more; of two forums on one day each has its own decisions.
    assert found == [
        (BOARD, date(2026, 3, 17), Q4, "2025-26-Q2", 4, 2, "four cases"),
        (TASKFORCE, date(2026, 3, 17), Q4, "2025-26-Q2", 1, 0, "one case"),
        (TASKFORCE, date(2026, 6, 16), Q1, "2025-26-Q3", 0, 0, "no case"),
    ]

"""Small published tables and a small warehouse for the annual report, every figure by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

QUARTERS = ("2025-26-Q2", "2025-26-Q3", "2025-26-Q4", "2026-27-Q1")
LABELS = {
    "2025-26-Q2": "July to September 2025 (2025/26 Q2)",
    "2025-26-Q3": "October to December 2025 (2025/26 Q3)",
    "2025-26-Q4": "January to March 2026 (2025/26 Q4)",
    "2026-27-Q1": "April to June 2026 (2026/27 Q1)",
}
#: Event of a case: number of the case, place, day, state entered.
Event = tuple[str, int, dt.date, str]

_TABLES = {
    "releases": "period_code varchar, period_label varchar, version varchar, issued_on date,"
    " sums_sha256 varchar, is_newest boolean",
    "metric_catalogue": "metric_id varchar, metric_version bigint, right_number bigint, right_title varchar,"
    " information varchar, polarity varchar, valid_from date, valid_to date",
    "codes": '"column" varchar, code varchar, code_name varchar',
    "group_compliance": "period_code varchar, group_kind varchar, unit varchar, body_kind varchar,"
    " metric_id varchar, collection_mode varchar, sampling_frame varchar, right_number integer,"
    " metric_definition varchar, met_count bigint, case_count bigint, rate_percent integer,"
    " obs_status varchar, areas_published integer, areas_expected integer",
    "group_feedback": "release_period_code varchar, group_kind varchar, right_number integer,"
    " question_id varchar, item_definition varchar, body_kind varchar, year_label varchar,"
    " valid_answer_count bigint, rate_percent integer, rate_lower_percent integer,"
    " rate_upper_percent integer, obs_status varchar, areas_published integer, areas_expected integer,"
    " survey_mode varchar, collected_by varchar",
    "local_delivery": "period_code varchar, right_number integer, lowest_grade integer, obs_status varchar",
    "notices": "release_period_code varchar, notice_id varchar, right_title varchar, recipient_name varchar,"
    " area_name varchar, summary varchar, request varchar, published_on date, notice_status varchar,"
    " closed_on date",
    "publication_shares": "release_period_code varchar, table_name varchar, cells_expected integer,"
    " cells_value integer, cells_about integer, cells_band integer, cells_base integer,"
    " cells_suppressed integer, cells_not_submitted integer, cells_not_available integer",
}

#: Measure -> its right, polarity, and (met, cases) in each quarter; None for what is withheld.
MEASURES: Mapping[str, tuple[int, str, str, Sequence[tuple[int, int] | None]]] = {
    "r02_s01": (2, "higher", "Crimes recorded in time", ((60, 100), (65, 100), (70, 100), (75, 100))),
    "r02_s02": (2, "higher", "Crimes confirmed in time", ((50, 100), (50, 100), (50, 100), (52, 100))),
    "r03_s01": (3, "higher", "Confirmed in writing", ((80, 100), None, (80, 100), (40, 100))),
    "r04_s06": (4, "contextual", "Found eligible", ((10, 100), (10, 100), (10, 100), (90, 100))),
    "r06_s01": (6, "higher", "Letters sent in time", (None, None, None, None)),
}


def published(*, without: Iterable[str] = (), hostile: str = "") -> duckdb.DuckDBPyConnection:
    """What is public, as `open_published` gives it: releases of four quarters but those left out."""
    con = duckdb.connect()
    con.execute("create schema published")
    con.execute("set schema = 'published'")
    for table, columns in _TABLES.items():
        con.execute(f"create table {table} ({columns})")
    there = [quarter for quarter in QUARTERS if quarter not in set(without)]
    for place, quarter in enumerate(there):
        day = dt.date(2026, 1 + place, 15)
        _add(con, "releases", quarter, LABELS[quarter], "1.0.0", day, f"{place}" * 64, quarter == there[-1])
    for metric_id, (right, polarity, definition, cells) in MEASURES.items():
        _add(con, "metric_catalogue", metric_id, 1, right, f"Title of right {right}", "statistic", polarity,
             dt.date(2024, 4, 1), None)  # fmt: skip
        for quarter, cell in zip(QUARTERS, cells, strict=True):
            if quarter in there:
                met, cases = cell or (None, None)
                rate = None if cell is None else round(100 * cell[0] / cell[1])
                _add(con, "group_compliance", quarter, "nation", "proportion", "police", metric_id, "census",
                     "all_cases", right, f"{definition}{hostile}", met, cases, rate,
                     None if cell else "c", 40, 43)  # fmt: skip
    _add(con, "metric_catalogue", "r12_f01", 1, 12, "Title of right 12", "feedback", "higher",
         dt.date(2024, 4, 1), None)  # fmt: skip
    _add(con, "codes", "body_kind", "police", "Police force")
    _add(con, "codes", "notice_status", "closed", "Closed")
    if "2025-26-Q4" in there:
        _add(con, "group_feedback", "2025-26-Q4", "nation", 12, "r12_f01", "Complaint heard", "police",
             "April 2025 to March 2026", 1000, 61, 58, 64, None, 40, 43, "mixed", "survey")  # fmt: skip
    for quarter in there:
        for grade in (3, 3, 2, 0):
            _add(con, "local_delivery", quarter, 2, grade, None)
        _add(con, "local_delivery", quarter, 2, None, "w")
        _add(con, "local_delivery", quarter, 2, None, "z")
        _add(con, "publication_shares", quarter, "local_compliance", 100, 80, 3, 2, 1, 10, 3, 1)
        # The first release that tells of the notice says another status than the newest.
        status, closed = ("closed", dt.date(2026, 6, 1)) if quarter == there[-1] else ("published", None)
        _add(con, "notices", quarter, "N2026-01", "Title of right 2", f"Commissioner{hostile}", "Kent",
             f"Seldom offered.{hostile}", "Publish a plan.", dt.date(2026, 5, 20), status, closed)  # fmt: skip
        _add(con, "notices", quarter, "N2025-01", "Title of right 2", "Another", "Essex", "Before these months.",
             "A plan.", dt.date(2025, 6, 30), "published", None)  # fmt: skip
    return con


def _add(con: duckdb.DuckDBPyConnection, table: str, *values: Any) -> None:
    con.execute(f"insert into {table} values ({', '.join('?' * len(values))})", values)


STATES = {
    "detected": True, "data_check": True, "confirmed": True, "data_error": False, "local_action": True,
    "escalated_to_board": True, "escalated_to_taskforce": True, "commissioner_consulted": True,
    "notice_agreed": True, "notice_published": True, "plan_published": True, "eligible_to_close": True,
    "closed": False, "reopened": True,
}  # fmt: skip
STATISTICS = ("detected", "eligible_to_close")


def warehouse(
    path: Path,
    *,
    events: Sequence[Event] = (),
    meetings: Sequence[tuple[str, dt.date, str, int, int]] = (),
    notices: Sequence[tuple[str, str, dt.date | None, dt.date | None]] = (),
    practice: Sequence[tuple[str, str, str, str]] = (),
    unrecorded: Iterable[tuple[str, int]] = (),
) -> Path:
    """A build with the case register and the meetings.

    `notices` are (notice, case, published, closed), `practice` (receipt, entry, kind, text); `unrecorded` are
    events, by case and place, of quarters without a final build.
    """
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts")
        con.execute("create schema reference")
        con.execute("create table reference.case_states (state varchar, state_name varchar, is_open boolean)")
        for state, is_open in STATES.items():
            _add(con, "reference.case_states", state, state.replace("_", " ").capitalize(), is_open)
        con.execute(
            "create table marts.oversight_case_events (case_id varchar, event_number integer, set_by varchar,"
            " occurred_on date, to_state varchar, is_recorded boolean)"
        )
        recorded = [
            (case, place, "statistics" if state in STATISTICS else "decision", day, state,
             (case, place) not in set(unrecorded))
            for case, place, day, state in events
        ]  # fmt: skip
        for row in range(0, len(recorded), 100):
            part = recorded[row : row + 100]
            values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(part))
            con.execute(
                f"insert into marts.oversight_case_events values {values}",
                [cell for one in part for cell in one],
            )
        con.execute(
            "create table marts.oversight_notices (notice_id varchar, case_id varchar, published_on date,"
            " closed_on date)"
        )
        for notice in notices:
            _add(con, "marts.oversight_notices", *notice)
        con.execute(
            "create table marts.oversight_forum_meetings (forum varchar, meeting_on date,"
            " reviewed_period_code varchar, considered_case_count bigint, meeting_decision_count integer,"
            " summary varchar)"
        )
        for meeting in meetings:
            _add(con, "marts.oversight_forum_meetings", *meeting, "Names a body that is not public.")
        con.execute(
            "create table marts.insight_entries (receipt_id varchar, insight_id varchar, insight_kind varchar,"
            " insight_text varchar, right_number integer, area_name varchar, sender_name varchar)"
        )
        for receipt, entry, kind, text in practice:
            _add(con, "marts.insight_entries", receipt, entry, kind, text, 4, "Kent", "Commissioner for Kent")
    return path

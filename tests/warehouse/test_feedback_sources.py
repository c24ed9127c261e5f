"""The survey stands before the bodies' own answers, and the two are never one series. Expected values by hand."""

from __future__ import annotations

from datetime import date
from math import sqrt
from typing import Any

import duckdb
import pytest

from tests.warehouse.rendering import build, database, table

QUARTER, LAST_DAY = "2025-26-Q2", date(2025, 9, 30)
BEFORE, BEFORE_LAST = "2025-26-Q1", date(2025, 6, 30)
SINCE = date(2019, 4, 1)
ANSWERS = {
    "receipt_id": "varchar", "body_code": "varchar", "pfa_code": "varchar", "question_id": "varchar",
    "crime_type": "varchar", "characteristic": "varchar", "characteristic_value": "varchar", "is_total": "boolean",
    "survey_mode": "varchar", "invited_count": "bigint", "response_set": "varchar", "very_good_count": "bigint",
    "good_count": "bigint", "neither_count": "bigint", "poor_count": "bigint", "very_poor_count": "bigint",
    "yes_count": "bigint", "no_count": "bigint", "not_applicable_count": "bigint", "dont_know_count": "bigint",
    "design_effect": "double",
}  # fmt: skip


def answers(
    receipt: str, body: str, area: str, good: int, poor: int, *, mode: str = "mixed", question: str = "q",
    crime_type: str = "ALL", design_effect: float | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    return (receipt, body, area, question, crime_type, "ALL", "ALL", crime_type == "ALL", mode, None, "five_point",
            0, good, 0, poor, 0, None, None, None, None, design_effect)  # fmt: skip


# Areas, each of one kind of body: what the bodies sent, and what the survey asked.
BODIES = {
    "both-1": ("police", "both", 1.0), "own-1": ("police", "own", 1.0), "survey-1": ("police", "survey", 1.0),
    "silent-1": ("police", "silent", 1.0), "peer-1": ("police", "peer", 1.0),
    # youth teams: 80% of the cases are enough
    "team-large": ("yjs", "teams", 0.7), "team-small": ("yjs", "teams", 0.2), "team-least": ("yjs", "teams", 0.1),
    "pair-large": ("yjs", "pair", 0.7), "pair-small": ("yjs", "pair", 0.3),
    # one body, two senders, of which one sent
    "half": ("cps", "london", 1.0),
}  # fmt: skip
OWN = [
    answers("r-both-1", "both-1", "both", 30, 20, mode="online"),
    answers("r-both-1", "both-1", "both", 10, 5, mode="online", crime_type="SEX"),
    answers("b-both-1", "both-1", "both", 25, 25, mode="online"),
    answers("r-own-1", "own-1", "own", 12, 8),
    answers("r-peer-1", "peer-1", "peer", 90, 10),
    answers("r-team-large", "team-large", "teams", 7, 3), answers("r-team-small", "team-small", "teams", 5, 5),
    answers("r-pair-large", "pair-large", "pair", 6, 4), answers("r-pair-small", "pair-small", "pair", 4, 6),
    answers("r-london-north", "half", "london", 3, 3),
]  # fmt: skip
SURVEY = [
    answers("s2", "both-1", "both", 80, 120, design_effect=2.0),
    answers("s1", "both-1", "both", 44, 56),
    answers("s2", "survey-1", "survey", 9, 1),
    answers("s2", "silent-1", "silent", 1, 99),
    answers("s2", "peer-1", "peer", 60, 40),
    # 70% of the cases of the teams' area, and 70% of the pair's: not enough; London's one body is asked about
    answers("s2", "team-large", "teams", 70, 30), answers("s2", "pair-large", "pair", 1, 9),
    answers("s2", "half", "london", 50, 50),
    # a superseded return is no current one
    answers("s0", "own-1", "own", 0, 100),
]  # fmt: skip
SENDERS = {code: (code,) for code in BODIES} | {"half": ("london-north", "london-south")}
SILENT = {"silent-1", "survey-1", "team-least", "london-south"}
NIL = {"survey-1"}  # its return is in, and declares that no question was asked


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = database()
    text, whole, truth, day, real = "varchar", "integer", "boolean", "date", "double"
    table(con, "int_quarters", {"period_code": text, "quarter_index": whole, "last_day": day,
          "year_ago_period_code": text},
          [(BEFORE, 8100, BEFORE_LAST, None), (QUARTER, 8101, LAST_DAY, None)])  # fmt: skip
    table(con, "metrics", {"metric_id": text, "right_number": whole, "metric_version": whole, "polarity": text,
          "valid_from": day, "valid_to": day}, [("q", 3, 1, "higher", SINCE, None)])  # fmt: skip
    table(con, "bodies", {"body_code": text, "body_kind": text, "valid_from": day, "valid_to": day},
          [(code, kind, SINCE, None) for code, (kind, _, _) in BODIES.items()])  # fmt: skip
    due = [
        (period, kind, area, code, sender, share,
         f"{'r' if period == QUARTER else 'b'}-{sender}" if sender not in SILENT - NIL else None)
        for period in (BEFORE, QUARTER)
        for code, (kind, area, share) in BODIES.items()
        for sender in SENDERS[code]
    ]  # fmt: skip
    table(con, "int_expected_returns", {"period_code": text, "body_kind": text, "pfa_code": text, "body_code": text,
          "sender_code": text, "case_share": real, "receipt_id": text}, due)  # fmt: skip
    areas = {area: kind for kind, area, _ in BODIES.values()}
    submitted = set(areas) - {"silent", "london"}
    table(con, "int_reporting_coverage", {"period_code": text, "body_kind": text, "pfa_code": text,
          "applicability": text, "expected_share": real, "share_needed": real, "is_submitted": truth,
          "senders_received": whole},
          [(period, kind, area, "expected", 1.0, 0.8 if kind == "yjs" else 1.0, area in submitted,
            0 if area == "silent" else 1) for period in (BEFORE, QUARTER) for area, kind in areas.items()])  # fmt: skip
    table(con, "int_current_receipts", {"receipt_id": text, "form_kind": text, "sender_code": text,
          "period_code": text},
          [("s1", "feedback", "survey", BEFORE), ("s2", "feedback", "survey", QUARTER)])  # fmt: skip
    table(con, "stg_quarterly_feedback", ANSWERS, OWN)
    table(con, "stg_feedback_answers", ANSWERS, SURVEY)
    table(con, "int_rules_by_quarter", {"period_code": text, "last_day": day, "interval_z": real, "change_z": real},
          [(BEFORE, BEFORE_LAST, 1.96, 1.96), (QUARTER, LAST_DAY, 1.96, 1.96)])  # fmt: skip
    table(con, "areas", {"pfa_code": text, "area_name": text, "valid_from": day, "valid_to": day},
          [(area, area.title(), SINCE, None) for area in areas])  # fmt: skip
    table(con, "int_expected_items", {"period_code": text, "quarter_index": whole, "body_kind": text,
          "metric_id": text, "right_number": whole, "response_set": text, "polarity": text, "information": text},
          [(QUARTER, 8101, kind, "q", 3, "five_point", "higher", "feedback")
           for kind in ("police", "cps", "yjs")])  # fmt: skip
    table(con, "stg_quarterly_covers", {"receipt_id": text, "nil_feedback_reason": text},
          [("r-survey-1", "The contractor asks.")])  # fmt: skip
    table(con, "int_like_areas", {"period_code": text, "pfa_code": text, "peer_pfa_code": text},
          [(QUARTER, "both", "peer"), (QUARTER, "own", "peer"), (QUARTER, "own", "both")])  # fmt: skip
    # two larger areas: one of the police areas that answered by themselves or by the survey, one of the others
    table(con, "int_area_groups", {"period_code": text, "group_kind": text, "group_code": text, "group_name": text,
          "pfa_code": text},
          [(QUARTER, "region", group, group.title(), area) for group, members in (
              ("mixed", ("own", "both", "peer")), ("rest", ("survey", "silent", "london", "teams", "pair"))
          ) for area in members])  # fmt: skip
    build(
        con, "int_feedback_answers", "local_area_feedback", "local_area_feedback_sources", "national_feedback",
        "national_group_feedback",
    )  # fmt: skip
    return con


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_the_survey_stands_where_it_is_complete_and_own_answers_otherwise(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        con,
        "select pfa_code, collected_by, is_complete, is_standing, valid_answer_count"
        f" from intermediate.int_feedback_answers where is_total and period_code = '{QUARTER}' order by all",
    )
    assert found == [
        ("both", "own", True, False, 50),
        ("both", "survey", True, True, 200),
        ("london", "own", False, False, 6),  # one of two senders
        ("london", "survey", True, True, 100),
        ("own", "own", True, True, 20),
        ("pair", "own", True, True, 20),
        ("pair", "survey", False, False, 10),
        ("peer", "own", True, False, 100),
        ("peer", "survey", True, True, 100),
        ("silent", "survey", True, True, 100),
        ("survey", "survey", True, True, 10),
        ("teams", "own", True, True, 20),  # 90% of the cases
        ("teams", "survey", False, False, 100),
    ]


def test_a_survey_that_does_not_break_its_answers_down_leaves_that_to_the_bodies(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        con,
        "select collected_by, is_standing from intermediate.int_feedback_answers where not is_total",
    ) == [("own", True)]


def test_a_series_never_joins_the_two_sources(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        con,
        "select count(*) from (select series_id from intermediate.int_feedback_answers"
        " group by series_id having count(distinct collected_by) > 1)",
    ) == [(0,)]
    found = rows(
        con,
        "select distinct series_id from intermediate.int_feedback_answers where pfa_code = 'both' order by 1",
    )
    assert found == [("police|both|q|v1|own|online",), ("police|both|q|v1|survey|mixed",)]


def test_each_area_shows_who_asked(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        row[0]: row[1:]
        for row in rows(
            con,
            "select pfa_code, figure_status, collected_by, good_count, valid_answer_count, not_collected_reason"
            f" from marts.local_area_feedback where period_code = '{QUARTER}'",
        )
    }
    assert found == {
        "both": ("reported", "survey", 80, 200, None),
        "own": ("reported", "own", 12, 20, None),
        "survey": ("reported", "survey", 9, 10, None),  # its own sheet is nil
        "silent": ("reported", "survey", 1, 100, None),
        "peer": ("reported", "survey", 60, 100, None),
        "london": ("reported", "survey", 50, 100, None),
        "teams": ("reported", "own", 12, 20, None),
        "pair": ("reported", "own", 10, 20, None),
    }


def test_like_areas_and_the_quarter_before_are_of_the_same_source(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select pfa_code, previous_good_count, previous_answer_count, like_areas_good_count, like_areas_answer_count"
        " from marts.local_area_feedback where pfa_code in ('both', 'own') order by 1",
    )
    # both: the survey's own earlier answers, not the body's 25 of 50; own: its like areas are known by survey alone
    assert found == [("both", 44, 100, 60, 100), ("own", None, None, None, None)]


def test_the_nation_adds_up_each_source_by_itself(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select collected_by, survey_mode, areas_reporting, good_count, valid_answer_count"
        " from marts.national_feedback where body_kind = 'police' order by all",
    )
    assert found == [("own", "mixed", 1, 12, 20), ("survey", "mixed", 4, 150, 410)]


def test_a_region_adds_up_each_source_by_itself(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select collected_by, survey_mode, areas_expected, areas_reporting, figure_status, good_count,"
        " valid_answer_count, effective_answer_count from marts.national_group_feedback"
        " where body_kind = 'police' and group_code = 'mixed' order by all",
    )
    # asked alike, by different people: the survey's 200 answers count for 100
    assert found == [
        ("own", "mixed", 3, 1, "incomplete", 12, 20, 20.0),
        ("survey", "mixed", 3, 2, "incomplete", 140, 300, 200.0),
    ]


def words(x1: float, n1: float, x0: float, n0: float) -> str:
    """The two-proportion test, written out independently of the macro."""
    pooled = (x1 + x0) / (n1 + n0)
    z = (x1 / n1 - x0 / n0) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    return "no detectable change" if abs(z) <= 1.96 else "higher" if z > 0 else "lower"


def test_both_sources_beside_each_other_where_there_are_both(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        row[0]: row[1:]
        for row in rows(
            con,
            "select pfa_code, standing_source, bodies_good_count, bodies_answer_count, survey_good_count,"
            " survey_answer_count, survey_against_own from marts.local_area_feedback_sources"
            f" where period_code = '{QUARTER}'",
        )
    }
    assert found == {
        # a design effect of 2 makes 40 of 100 of the survey's 80 of 200
        "both": ("survey", 30, 50, 80, 200, words(40, 100, 30, 50)),
        "peer": ("survey", 90, 100, 60, 100, words(60, 100, 90, 100)),
        "london": ("survey", 3, 6, 50, 100, None),
        "teams": ("own", 12, 20, 70, 100, None),
        "pair": ("own", 10, 20, 1, 10, None),
    }
    assert found["both"][-1] == "lower" and found["peer"][-1] == "lower"
    assert words(80, 200, 30, 50) == "lower" and words(42, 100, 28, 50) == "no detectable change"


def test_bounds_allow_for_the_design(con: duckdb.DuckDBPyConnection) -> None:
    [(lower, upper)] = rows(
        con,
        "select survey_rate_lower, survey_rate_upper from marts.local_area_feedback_sources"
        f" where pfa_code = 'both' and period_code = '{QUARTER}'",
    )
    x, n, z = 40, 100, 1.96
    half = z * sqrt(x * (n - x) / n + z * z / 4) / (n + z * z)
    centre = (x + z * z / 2) / (n + z * z)
    assert (lower, upper) == pytest.approx((centre - half, centre + half), abs=1e-6)

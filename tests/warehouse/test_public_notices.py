"""What the public reads of notices: which release says what, and what may be said of the figures they rest on."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from tests.warehouse.rendering import build, table, typed_seed
from tests.warehouse.shares import rows
from tests.warehouse.yearly import CELL, FIRST_INDEX, PERIODS, QUARTERS, World, warehouse

NOTICE = {
    "notice_id": "varchar", "case_id": "varchar", "notice_case_count": "integer", "recipient_code": "varchar",
    "summary": "varchar", "request": "varchar", "sos_agreed_on": "date", "ag_agreed_on": "date",
    "vc_consulted_on": "date", "published_on": "date", "plan_due_on": "date", "plan_link": "varchar",
    "update_due_on": "date", "closed_on": "date",
}  # fmt: skip
#: Reviews of the quarters are due on 9 September and 9 December 2025, 12 March, 15 June, 9 September and 9 December 2026.
PUBLISHED_ON = date(2026, 5, 20)


def notice(**changes: Any) -> dict[str, Any]:
    agreed = date(2026, 5, 12)
    return dict.fromkeys(NOTICE) | {
        "notice_id": "N1", "case_id": "c1", "notice_case_count": 1, "recipient_code": "E23000007-lpb",
        "summary": "Few were told.", "request": "Publish a plan.", "sos_agreed_on": agreed, "ag_agreed_on": agreed,
        "vc_consulted_on": agreed, "published_on": PUBLISHED_ON, "plan_due_on": date(2026, 7, 15),
        "update_due_on": date(2026, 11, 20),
    } | changes  # fmt: skip


def notices(
    *written: dict[str, Any], plans: tuple[tuple[str, str, date], ...] = ()
) -> duckdb.DuckDBPyConnection:
    """A database with these notices; case c1 is about the police of Northumbria from Q1, c2 from Q2, c3 about BTP."""
    con = warehouse(World(), QUARTERS)
    for name in ("rights", "senders"):
        typed_seed(con, name)
    table(con, "int_notices", NOTICE, [tuple(row.values()) for row in written])
    table(
        con,
        "int_case_keys",
        {
            "case_id": "varchar", "body_kind": "varchar", "pfa_code": "varchar", "right_number": "integer",
            "first_period_code": "varchar", "first_index": "integer",
        },
        [
            ("c1", "police", "E23000007", 4, PERIODS[0], FIRST_INDEX),
            ("c2", "police", "E23000007", 4, PERIODS[1], FIRST_INDEX + 1),
            ("c3", "btp", "NAT", 4, PERIODS[0], FIRST_INDEX),
        ],
    )  # fmt: skip
    table(
        con,
        "int_case_decisions",
        {"case_id": "varchar", "to_state": "varchar", "decided_on": "date"},
        [("c1", "closed", date(2020, 1, 1)), *plans],
    )
    build(con, "open_data_notices")
    return con


def told(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return [
        (row["release_period_code"], row["notice_status"])
        for row in rows(con, "from marts.open_data_notices order by release_period_code, area_code")
    ]


def test_a_notice_stands_in_each_release_as_it_then_was() -> None:
    con = notices(
        notice(plan_link="https://example.org/plan", closed_on=date(2026, 12, 1)),
        plans=(("c1", "plan_published", date(2026, 7, 15)),),
    )
    assert told(con) == [
        ("2025-26-Q4", "plan_due"),
        ("2026-27-Q1", "plan_published"),
        ("2026-27-Q2", "closed"),
    ]
    first, second, third = rows(con, "from marts.open_data_notices order by release_period_code")
    assert (first["plan_link"], second["plan_link"]) == (None, "https://example.org/plan")
    assert (second["closed_on"], third["closed_on"]) == (None, date(2026, 12, 1))


@pytest.mark.parametrize(
    ("published_on", "releases"),
    [
        (date(2026, 6, 15), QUARTERS[3:]),
        (date(2026, 6, 16), QUARTERS[4:]),
        (date(2026, 12, 10), ()),
        # agreed and not published: nothing is told
        (None, ()),
    ],
)
def test_a_notice_starts_with_the_review_that_is_due_after_it(
    published_on: date | None, releases: tuple[str, ...]
) -> None:
    con = notices(notice(published_on=published_on))
    assert [period for period, _ in told(con)] == list(releases)


@pytest.mark.parametrize(
    ("changes", "statuses"),
    [
        ({}, ["plan_due", "plan_overdue", "plan_overdue"]),
        ({"plan_due_on": None}, ["published", "published", "update_due"]),
        ({"plan_due_on": None, "update_due_on": None}, ["published"] * 3),
        # nothing tells when a plan came out: it is shown from the start
        ({"plan_link": "https://example.org/plan"}, ["plan_published", "plan_published", "update_due"]),
    ],
)
def test_the_status_follows_from_the_dates(changes: dict[str, Any], statuses: list[str]) -> None:
    assert [status for _, status in told(notices(notice(**changes)))] == statuses


def test_a_joint_notice_has_one_row_a_body_and_right() -> None:
    con = notices(*(notice(case_id=case, notice_case_count=3) for case in ("c1", "c2", "c3")))
    found = rows(
        con, "from marts.open_data_notices where release_period_code = '2026-27-Q2' order by body_kind"
    )
    assert [(row["area_code"], row["area_name"], row["notice_scope"]) for row in found] == [
        ("BTP", "British Transport Police", "joint"),
        ("E23000007", "Northumbria", "joint"),
    ]


def grounds(
    n: int, x: int, level: int = 0, period: int = 1, published: tuple[int, int] | None = None, **changes: Any
) -> list[dict[str, Any]]:
    """What is said of one result under 50%, in the quarter `period`, of which `published` are the published counts."""
    con = notices(notice(case_id="c2", **changes))
    code = PERIODS[period]
    key = ("police", "E23000007", "m", code, "census", "all_cases")
    cell = "|".join(("statistic", *key))
    base, met = published or (n, x)
    table(
        con,
        "int_public_compliance_cells",
        CELL,
        [(cell, *key, "E23000007", 4, "proportion", "reported", base, met, 0)],
    )
    con.execute("insert into intermediate.int_suppressions values (?, ?)", [cell, level])
    table(
        con,
        "int_indicators",
        {
            "body_kind": "varchar", "pfa_code": "varchar", "right_number": "integer", "period_code": "varchar",
            "indicator": "varchar", "item_id": "varchar", "collection_mode": "varchar", "sampling_frame": "varchar",
            "is_met": "boolean", "threshold": "double",
        },
        [
            ("police", "E23000007", 4, code, "S1", "m", "census", "all_cases", True, 0.5),
            ("police", "E23000007", 4, code, "S2", "m", "census", "all_cases", True, -3.09),
            ("police", "E23000007", 4, PERIODS[2], "S1", "m", "census", "all_cases", False, 0.5),
        ],
    )  # fmt: skip
    build(con, "open_data_notice_grounds")
    return rows(con, "from marts.open_data_notice_grounds order by release_period_code")


def test_a_ground_is_an_inequality_beside_its_notice() -> None:
    found = grounds(40, 10)
    assert [row["release_period_code"] for row in found] == list(QUARTERS[3:])
    assert {(row["limit_percent"], row["statement"], row["period_code"]) for row in found} == {
        (50, "under 50%", "2025-26-Q2")
    }
    assert not {"base_count", "met_count", "rate_percent"} & set(found[0])


@pytest.mark.parametrize(
    ("told_of", "why"),
    [
        ({"n": 19, "x": 3}, "rule 8: fewer than twenty"),
        ({"n": 40, "x": 10, "level": 2}, "the rate is withheld"),
        ({"n": 40, "x": 10, "period": 0}, "before the case began"),
        ({"n": 40, "x": 10, "published_on": None}, "not published"),
        ({"n": 40, "x": 10, "published_on": date(2025, 12, 1)}, "published before the result was there"),
        ({"n": 40, "x": 10, "published": (40, 20)}, "no longer true of what is published"),
    ],
)
def test_nothing_is_said_of_a_figure_that_may_not_be_told(told_of: dict[str, Any], why: str) -> None:
    assert grounds(**told_of) == [], why


@pytest.mark.parametrize("told_of", [{"n": 20, "x": 3}, {"n": 40, "x": 10, "level": 1}])
def test_the_limits_of_what_may_be_told(told_of: dict[str, Any]) -> None:
    assert len(grounds(**told_of)) == 3

"""Two areas merge on 1 April 2026: before it both stand, from it on the new one, and nothing is counted twice.

Norfolk and Suffolk are merged on a copy of the reference data, as the secretariat would write it. What is expected is
added up in plain Python from the list of returns; which body answers for which area in which quarter is written out
here by hand.
"""

from __future__ import annotations

import csv
import math
import random
from collections import defaultdict
from datetime import date
from typing import Any, NamedTuple

import duckdb
import pytest

from tests.warehouse.chain import grow, insert, reference, warehouse
from tests.warehouse.rendering import DBT, render

NORFOLK, SUFFOLK, CAMBRIDGESHIRE = "E23000024", "E23000025", "E23000023"
MET, CITY, NORTH_WALES, NAT = "E23000001", "E23000034", "W15000001", "NAT"
MERGED = "E23000098"
QUARTERS = {
    "2025-26-Q3": (8102, date(2025, 10, 1), date(2025, 12, 31)),
    "2025-26-Q4": (8103, date(2026, 1, 1), date(2026, 3, 31)),
    "2026-27-Q1": (8104, date(2026, 4, 1), date(2026, 6, 30)),
    "2026-27-Q2": (8105, date(2026, 7, 1), date(2026, 9, 30)),
}
METRIC = {
    "police": "r02_s01_recorded_24h",
    "btp": "r02_s01_recorded_24h",
    "cps": "r10_s02_expenses_10wd",
    "yjs": "r11_s04_yot_progress",
}
RIGHT = {"police": 2, "btp": 2, "cps": 10, "yjs": 11}
ITEM = "r02_d01"
LONDON_SENDERS = ["cps-london-north", "cps-london-south"]
CPS_SENDERS = {
    NORFOLK: ["cps-east-of-england"], SUFFOLK: ["cps-east-of-england"], MERGED: ["cps-east-of-england"],
    CAMBRIDGESHIRE: ["cps-east-of-england"], NORTH_WALES: ["cps-cymru-wales"], MET: LONDON_SENDERS, CITY: LONDON_SENDERS,
}  # fmt: skip
TEAMS = {
    NORFOLK: {"yjs-norfolk": 1.0},
    SUFFOLK: {"yjs-suffolk": 1.0},
    MERGED: {"yjs-norfolk": 0.5, "yjs-suffolk": 0.5},
}
# Suffolk's force sends nothing before the merger; half of London's CPS, and later one of two teams, is missing.
ABSENT = {
    ("2025-26-Q3", f"{SUFFOLK}-police"),
    ("2025-26-Q4", f"{SUFFOLK}-police"),
    ("2025-26-Q4", "cps-london-south"),
    ("2026-27-Q1", "yjs-suffolk"),
}
LOW = {NORFOLK, MERGED}
DATED = ("body_areas", "body_kind_areas", "sender_bodies", "area_bridges", "local_policing_bodies")


class Due(NamedTuple):
    quarter: str
    kind: str
    area: str
    body: str
    sender: str


def areas_of(quarter: str, kind: str) -> list[str]:
    """Who is there, by hand."""
    if kind == "btp":
        return [NAT]
    east = [NORFOLK, SUFFOLK] if quarter.startswith("2025") else [MERGED]
    return east if kind == "yjs" else [*east, CAMBRIDGESHIRE, MET, CITY, NORTH_WALES]


def due_of(quarter: str) -> list[Due]:
    due = [Due(quarter, "btp", NAT, "BTP", "BTP")]
    for area in areas_of(quarter, "police"):
        due.append(Due(quarter, "police", area, f"{area}-police", f"{area}-police"))
        due += [Due(quarter, "cps", area, f"{area}-cps", sender) for sender in CPS_SENDERS[area]]
        due += [Due(quarter, "yjs", area, team, team) for team in TEAMS.get(area, {})]
    return due


DUE = [due for quarter in QUARTERS for due in due_of(quarter)]


def counts() -> dict[Due, tuple[int, int]]:
    """Met and not met of every return that came."""
    rng = random.Random(20260401)
    sent = {}
    for due in DUE:
        total = rng.randint(180, 240)
        met = round(total * (0.3 if due.area in LOW and due.kind == "police" else rng.uniform(0.85, 0.95)))
        if (due.quarter, due.sender) not in ABSENT:
            sent[due] = met, total - met
    return sent


SENT = counts()
# The old force sends once more, for the first quarter in which it is no more.
GHOST = Due("2026-27-Q1", "police", NORFOLK, f"{NORFOLK}-police", f"{NORFOLK}-police")


def is_complete(quarter: str, kind: str, area: str) -> bool:
    expected = [due for due in DUE if due[:3] == (quarter, kind, area)]
    if kind != "yjs":
        return all(due in SENT for due in expected)
    return sum(TEAMS[area][due.body] for due in expected if due in SENT) >= 0.8


def local_sum(quarter: str, kind: str, area: str) -> tuple[int, int] | None:
    """Cases met, and all cases, as far as they came."""
    found = [figures for due, figures in SENT.items() if due[:3] == (quarter, kind, area)]
    return (sum(m for m, _ in found), sum(m + n for m, n in found)) if found else None


def groups_of(area: str) -> dict[str, str]:
    """Kind of larger geography -> code, read off the seed by eye for London and by the list for the rest."""
    if area == NAT:
        return {"nation": "K04000001"}
    origin = NORFOLK if area == MERGED else area
    with (DBT / "seeds" / "area_bridges.csv").open() as stream:
        found = {
            row["bridge"]: row["group_code"] for row in csv.DictReader(stream) if row["pfa_code"] == origin
        }
    if area in (MET, CITY):
        found["cps_area"] = "cps-london-north+cps-london-south"
    found["country"] = "W92000004" if area == NORTH_WALES else "E92000001"
    found["nation"] = "K04000001"
    return found


def merge(con: duckdb.DuckDBPyConnection) -> None:
    """What is written into the reference data for the merger."""
    con.execute("set variable merged = 'E23000098'; set variable day = date '2026-04-01'")
    new_codes = " replace (getvariable('day') as valid_from, getvariable('merged') as pfa_code"
    old = f"('{NORFOLK}', '{SUFFOLK}')"
    con.execute(
        "insert into reference.areas by name select *" + new_codes + ", 'Norfolk and Suffolk' as area_name)"
        f" from reference.areas where pfa_code = '{NORFOLK}'"
    )
    con.execute(
        "update reference.areas set valid_to = date '2026-03-31', successor_pfa_code = getvariable('merged')"
        f" where pfa_code in {old}"
    )
    con.execute(
        "insert into reference.bodies by name select * replace"
        " (getvariable('merged') || '-' || body_kind as body_code, getvariable('day') as valid_from)"
        f" from reference.bodies where body_code like '{NORFOLK}-%'"
    )
    con.execute(
        "update reference.bodies set valid_to = date '2026-03-31', successor_body_code ="
        f" getvariable('merged') || '-' || body_kind where substr(body_code, 1, 9) in {old}"
    )
    # the bodies of the new area are new; its teams are the old ones, with half of the cases each
    rename = f"replace(body_code, '{NORFOLK}', getvariable('merged')) as body_code"
    con.execute(
        "insert into reference.body_areas by name select *"
        + new_codes
        + f", {rename}, case when body_code like"
        f" 'yjs-%' then 0.5 else 1 end as case_share) from reference.body_areas"
        f" where pfa_code = '{NORFOLK}' or body_code = 'yjs-suffolk'"
    )
    con.execute(
        "insert into reference.sender_bodies by name select *" + new_codes + f", {rename},"
        f" replace(sender_code, '{NORFOLK}', getvariable('merged')) as sender_code) from reference.sender_bodies"
        f" where form_kind = 'quarterly' and (pfa_code = '{NORFOLK}' or body_code = 'yjs-suffolk')"
    )
    for table in ("body_kind_areas", "area_bridges"):
        con.execute(
            f"insert into reference.{table} by name select *" + new_codes
            + f") from reference.{table} where pfa_code = '{NORFOLK}'"
        )  # fmt: skip
    con.execute("insert into reference.youth_offending_teams by name select *" + new_codes
                + f") from reference.youth_offending_teams where pfa_code in {old}")  # fmt: skip
    ended = "set valid_to = date '2026-03-31' where (valid_to is null or valid_to > date '2026-03-31')"
    for table in (*DATED, "youth_offending_teams"):
        con.execute(f"update reference.{table} {ended} and pfa_code in {old}")
    con.execute(f"update reference.similar_areas {ended} and (pfa_code in {old} or peer_pfa_code in {old})")


def receive(con: duckdb.DuckDBPyConnection) -> None:
    receipts: dict[tuple[str, str], str] = {}
    lines: dict[str, int] = defaultdict(int)
    for due, (met, not_met) in [*SENT.items(), (GHOST, (1, 1))]:
        key = due.quarter, due.sender
        if key not in receipts:
            receipts[key] = f"R{len(receipts):06}"
            insert(con, "raw.receipts", [
                {"receipt_id": receipts[key], "receipt_sequence": len(receipts), "sender_code": due.sender,
                 "kind": "quarterly", "form_version": 1, "period_code": due.quarter, "outcome": "accepted",
                 "is_erased": False, "arrived_on": QUARTERS[due.quarter][2]}
            ])  # fmt: skip
        lines[receipts[key]] += 1
        insert(con, "raw.quarterly_metrics", [
            {"receipt_id": receipts[key], "row_number": lines[receipts[key]], "body_code": due.body,
             "pfa_code": due.area, "metric_id": METRIC[due.kind], "crime_type": "ALL", "characteristic": "ALL",
             "characteristic_value": "ALL", "collection_mode": "census", "sampling_frame": "all_cases",
             "met": met, "not_met": not_met, "not_suitable": 0, "declined": 0, "unknown": 0}
        ])  # fmt: skip
        if due.kind == "police":
            insert(con, "raw.quarterly_delivery", [
                {"receipt_id": receipts[key], "row_number": 1, "body_code": due.body, "pfa_code": due.area,
                 "item_id": ITEM, "grade": 2}
            ])  # fmt: skip


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = warehouse()
    reference(con, "areas", "bodies", "similar_areas", "metric_bodies", "youth_offending_teams", *DATED)
    kept = f"('{NORFOLK}', '{SUFFOLK}', '{CAMBRIDGESHIRE}', '{MET}', '{CITY}', '{NORTH_WALES}', 'NAT')"
    for table in ("areas", "youth_offending_teams", *DATED):
        con.execute(f"delete from reference.{table} where pfa_code not in {kept}")
    con.execute(
        f"delete from reference.similar_areas where pfa_code not in {kept} or peer_pfa_code not in {kept}"
    )
    con.execute("delete from reference.bodies where body_kind not in ('police', 'cps', 'yjs', 'btp')")
    con.execute(
        "delete from reference.body_kind_areas where body_kind not in ('police', 'cps', 'yjs', 'btp')"
        f" or (body_kind = 'yjs' and pfa_code not in ('{NORFOLK}', '{SUFFOLK}'))"
    )
    for table in ("body_areas", "sender_bodies"):
        con.execute(
            f"delete from reference.{table} where body_code not in (select body_code from reference.bodies)"
            f" or (body_code like 'yjs-%' and pfa_code not in ('{NORFOLK}', '{SUFFOLK}'))"
        )
    asked = [*((metric, kind) for kind, metric in METRIC.items()), (ITEM, "police")]
    pairs = ", ".join(f"('{metric}', '{kind}')" for metric, kind in asked)
    con.execute(f"delete from reference.metric_bodies where (metric_id, body_kind) not in ({pairs})")
    merge(con)
    insert(con, "raw.periods", (
        {"period_code": code, "period_kind": "quarter", "first_day": first, "last_day": last,
         "quarter_index": index, "period_label": code, "returns_due_on": last, "review_due_on": last,
         "is_reporting": True}
        for code, (index, first, last) in QUARTERS.items()
    ))  # fmt: skip
    receive(con)
    grow(
        con, "local_area_compliance", "local_area_delivery", "local_area_feedback", "local_area_rights",
        "national_compliance", "national_feedback", "national_delivery", "national_group_compliance",
        "national_group_feedback", "national_group_delivery", "national_group_rights", "int_area_lineage",
        "int_persistence", "oversight_cases",
    )  # fmt: skip
    return con


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


@pytest.mark.parametrize(
    "name",
    [
        "reference_ends_with_its_area",
        "groups_add_up_to_the_nation",
        "nation_is_the_national_mart",
        "areas_are_the_sums_of_their_teams",
    ],
)
def test_what_holds_of_every_build_holds_through_a_merger(con: duckdb.DuckDBPyConnection, name: str) -> None:
    assert rows(con, render((DBT / "tests" / f"{name}.sql").read_text())) == []


def test_returns_are_expected_of_the_old_until_the_day_and_of_the_new_from_it_on(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        con,
        "select period_code, body_kind, pfa_code, body_code, sender_code, is_received"
        " from intermediate.int_expected_returns",
    )
    assert len(found) == len(DUE)
    assert {Due(*row[:5]): row[5] for row in found} == {due: due in SENT for due in DUE}


def test_coverage_is_of_the_areas_in_force(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con, "select period_code, body_kind, pfa_code, is_submitted from intermediate.int_reporting_coverage"
    )
    assert len(found) == len({row[:3] for row in found})
    assert {row[:3]: row[3] for row in found} == {
        (quarter, kind, area): is_complete(quarter, kind, area)
        for quarter in QUARTERS for kind in METRIC for area in areas_of(quarter, kind)
    }  # fmt: skip


def test_figures_are_the_sums_of_what_was_sent(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select period_code, body_kind, pfa_code, met_count, case_count, is_complete"
        " from intermediate.int_metric_figures",
    )
    expected = {}
    for due in SENT:
        figure = local_sum(*due[:3])
        assert figure is not None
        expected[due[:3]] = (*figure, is_complete(*due[:3]))
    assert len(found) == len(expected)
    assert {row[:3]: row[3:] for row in found} == expected


def test_londons_cps_is_complete_only_with_both_senders(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select period_code, pfa_code, figure_status from marts.local_area_compliance"
        f" where body_kind = 'cps' and pfa_code in ('{MET}', '{CITY}')",
    )
    assert {row[:2]: row[2] for row in found} == {
        (quarter, area): "incomplete" if quarter == "2025-26-Q4" else "reported"
        for quarter in QUARTERS for area in (MET, CITY)
    }  # fmt: skip


def test_a_new_area_is_compared_with_itself_alone(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select period_code, pfa_code, case_count, previous_case_count from marts.local_area_compliance"
        f" where body_kind = 'police' and pfa_code in ('{NORFOLK}', '{MERGED}') order by period_code",
    )
    cases = [(local_sum(quarter, "police", area) or (0, 0))[1] for quarter, area in zip(
        QUARTERS, (NORFOLK, NORFOLK, MERGED, MERGED), strict=True)]  # fmt: skip
    assert [(row[1], row[2], row[3]) for row in found] == [
        (NORFOLK, cases[0], None),
        (NORFOLK, cases[1], cases[0]),
        (MERGED, cases[2], None),
        (MERGED, cases[3], cases[2]),
    ]


def test_groups_and_the_nation_go_on_unbroken(con: duckdb.DuckDBPyConnection) -> None:
    expected: dict[tuple[str, ...], list[int]] = {}
    for quarter in QUARTERS:
        for kind in METRIC:
            for area in areas_of(quarter, kind):
                for group_kind, code in groups_of(area).items():
                    total = expected.setdefault((quarter, kind, group_kind, code), [0, 0, 0, 0])
                    total[0] += 1
                    figure = local_sum(quarter, kind, area)
                    if figure is not None and is_complete(quarter, kind, area):
                        total[1:] = [total[1] + 1, total[2] + figure[0], total[3] + figure[1]]
    found = rows(
        con,
        "select period_code, body_kind, group_kind, group_code, areas_expected, areas_reporting,"
        " coalesce(met_count, 0), coalesce(case_count, 0), is_complete from marts.national_group_compliance",
    )
    assert len(found) == len(expected)
    assert {row[:4]: list(row[4:8]) for row in found} == expected
    assert {row[:4]: row[8] for row in found} == {
        key: total[0] == total[1] for key, total in expected.items()
    }
    # the same ground before and after: two areas of the East of England become one
    east = {row[0]: row[4] for row in found if row[1:3] == ("police", "region") and row[3] == "E12000006"}
    assert list(dict(sorted(east.items())).values()) == [3, 3, 2, 2]


def test_delivery_follows_the_areas(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select period_code, areas_expected, areas_reporting, areas_in_use from marts.national_group_delivery"
        " where group_kind = 'nation' order by period_code",
    )
    assert found == [
        (quarter, len(areas), present, present)
        for quarter in QUARTERS
        for areas in [areas_of(quarter, "police")]
        for present in [sum(is_complete(quarter, "police", area) for area in areas)]
    ]


def test_rights_are_those_of_the_areas_in_force(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "select period_code, body_kind, pfa_code, right_number from marts.local_area_rights")
    assert len(found) == len(set(found))
    assert set(found) == {
        (quarter, kind, area, right)
        for quarter in QUARTERS for kind in METRIC for area in areas_of(quarter, kind) for right in range(1, 13)
    }  # fmt: skip


def test_the_lineage_gives_the_figures_of_the_same_ground(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "select period_code, pfa_code, ancestor_pfa_code from intermediate.int_area_lineage")
    expected = set()
    for quarter in QUARTERS:
        for area in [*areas_of(quarter, "police"), NAT]:
            expected |= {(quarter, area, area)}
            if area == MERGED:
                expected |= {(quarter, area, NORFOLK), (quarter, area, SUFFOLK)}
    assert len(found) == len(expected) and set(found) == expected
    summed = rows(
        con,
        "select figures.period_code, cast(sum(figures.case_count) as integer)"
        " from intermediate.int_area_lineage as lineage inner join intermediate.int_metric_figures as figures"
        " on lineage.ancestor_pfa_code = figures.pfa_code"
        f" where lineage.period_code = '2026-27-Q2' and lineage.pfa_code = '{MERGED}'"
        " and figures.body_kind = 'cps' group by figures.period_code order by figures.period_code",
    )
    assert summed == [
        (quarter, sum(sum(figure) for due, figure in SENT.items()
                      if due.quarter == quarter and due.kind == "cps" and due.area in (NORFOLK, SUFFOLK, MERGED)))
        for quarter in QUARTERS
    ]  # fmt: skip


def test_lineage_over_two_mergers_and_not_before_its_time() -> None:
    con = warehouse()
    reference(con, "areas")
    con.execute("delete from reference.areas")
    # a and b become c in April 2026, c and d become e in July 2026
    for code, start, end, successor in [
        ("a", "2019-04-01", "2026-03-31", "c"), ("b", "2019-04-01", "2026-03-31", "c"),
        ("c", "2026-04-01", "2026-06-30", "e"), ("d", "2019-04-01", "2026-06-30", "e"),
        ("e", "2026-07-01", None, None),
    ]:  # fmt: skip
        insert(con, "reference.areas", [{"pfa_code": code, "area_kind": "police_area", "valid_from": start,
                                         "valid_to": end, "successor_pfa_code": successor}])  # fmt: skip
    insert(con, "raw.periods", (
        {"period_code": code, "last_day": last, "quarter_index": index, "is_reporting": True}
        for code, (index, _, last) in QUARTERS.items()
    ))  # fmt: skip
    grow(con, "int_area_lineage")
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for period, area, ancestor, generations in rows(con, "from intermediate.int_area_lineage"):
        found[period][area][ancestor] = generations
    assert found["2025-26-Q4"] == {"a": {"a": 0}, "b": {"b": 0}, "d": {"d": 0}}
    assert found["2026-27-Q1"] == {"c": {"c": 0, "a": 1, "b": 1}, "d": {"d": 0}}
    assert found["2026-27-Q2"] == {"e": {"e": 0, "c": 1, "d": 1, "a": 2, "b": 2}}


def upper(x: int, n: int, z: float) -> float:
    return (2 * x + z * z + z * math.sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z))


def test_persistence_ends_with_the_old_area_and_starts_afresh_with_the_new(
    con: duckdb.DuckDBPyConnection,
) -> None:
    # the states follow from the figures: Norfolk and the merged force are far below the threshold of S1
    for quarter, area in zip(QUARTERS, (NORFOLK, NORFOLK, MERGED, MERGED), strict=True):
        figure = local_sum(quarter, "police", area)
        assert figure is not None and upper(*figure, 1.644854) < 0.5
    found = rows(
        con,
        "select pfa_code, period_code, state, result, is_open_case from intermediate.int_persistence"
        f" where body_kind = 'police' and right_number = 2 and pfa_code in ('{NORFOLK}', '{SUFFOLK}', '{MERGED}')"
        " order by pfa_code, quarter_index",
    )
    assert found == [
        (NORFOLK, "2025-26-Q3", "MET", "SEVERE", False),
        (NORFOLK, "2025-26-Q4", "MET", "SEVERE_PERSISTENT", True),
        (SUFFOLK, "2025-26-Q3", "NOT_SUBMITTED", "NOT_ASSESSED", False),
        (SUFFOLK, "2025-26-Q4", "NOT_SUBMITTED", "NON_SUBMISSION", True),
        (MERGED, "2026-27-Q1", "MET", "SEVERE", False),
        (MERGED, "2026-27-Q2", "MET", "SEVERE_PERSISTENT", True),
    ]


def test_open_cases_of_the_old_areas_wait_for_a_decision(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select pfa_code, latest_period_code, latest_result, latest_state, latest_indicators_met, successor_pfa_code,"
        " needs_attention from marts.oversight_cases where body_kind = 'police' and right_number = 2 and is_open"
        f" and pfa_code in ('{NORFOLK}', '{SUFFOLK}', '{MERGED}') order by pfa_code",
    )
    ended = f"the area has ended: decide on the case, or for its successor {MERGED}; no decision yet"
    severe = f"S1: {METRIC['police']}; S4: {ITEM}"
    assert found == [
        (NORFOLK, "2025-26-Q4", "SEVERE_PERSISTENT", "MET", severe, MERGED, ended),
        (SUFFOLK, "2025-26-Q4", "NON_SUBMISSION", "NOT_SUBMITTED", None, MERGED, ended),
        (MERGED, "2026-27-Q2", "SEVERE_PERSISTENT", "MET", severe, None, "no decision yet"),
    ]
    outside = rows(
        con,
        "select distinct pfa_code from marts.oversight_cases where needs_attention like '%ended%'"
        f" and pfa_code not in ('{NORFOLK}', '{SUFFOLK}')",
    )
    assert outside == []


def test_no_state_of_any_area_outside_its_days(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select distinct period_code, body_kind, pfa_code, right_number from intermediate.int_persistence",
    )
    assert set(found) == {
        (quarter, kind, area, RIGHT[kind])
        for quarter in QUARTERS for kind in METRIC for area in areas_of(quarter, kind)
    }  # fmt: skip


def test_nobody_is_compared_with_an_area_that_is_no_more(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "select period_code, pfa_code, peer_pfa_code from intermediate.int_like_areas")
    for quarter, *pair in found:
        assert set(pair) <= set(areas_of(quarter, "police")), (quarter, pair)


@pytest.mark.parametrize(
    "forgotten",
    [
        *(f"update reference.{table} set valid_to = null where pfa_code = '{NORFOLK}'" for table in DATED),
        f"update reference.similar_areas set valid_to = null where peer_pfa_code = '{NORFOLK}'",
        f"update reference.bodies set valid_to = date '2025-12-31' where body_code = '{NORFOLK}-police'",
        f"update reference.areas set valid_from = date '2026-04-02' where pfa_code = '{MERGED}'",
        f"update reference.areas set successor_pfa_code = '{CAMBRIDGESHIRE}' where pfa_code = '{NORFOLK}'",
    ],
)
def test_what_was_forgotten_in_the_reference_data_is_found(
    con: duckdb.DuckDBPyConnection, forgotten: str
) -> None:
    con.execute("begin")
    con.execute(forgotten)
    found = rows(con, render((DBT / "tests" / "reference_ends_with_its_area.sql").read_text()))
    con.execute("rollback")
    assert found

"""A right's three kinds of information side by side, and their roll-ups, against a count in plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from typing import Any

import duckdb
import pytest
import yaml

from tests.warehouse.chain import insert
from tests.warehouse.rendering import DBT, build, database, relation, table, typed_seed

QUARTER = "2025-26-Q1"
AREAS = {"E1": "north", "E2": "north", "E3": "london-a", "W1": "wales"}
KINDS = ("police", "prisons")
# right 1 has no statistic, right 2 has all three, right 3 nothing
ITEMS = {
    "r01_f01": (1, "feedback"), "r01_d01": (1, "delivery"),
    "r02_s01": (2, "statistic"), "r02_s02": (2, "statistic"), "r02_s03": (2, "statistic"),
    "r02_f01": (2, "feedback"), "r02_d01": (2, "delivery"), "r02_d02": (2, "delivery"),
}  # fmt: skip
STATUSES = ("reported", "reported", "incomplete", "not_collected", "not_submitted")
KEYS = {"statistic": "metric_id", "feedback": "question_id", "delivery": "item_id"}
MARTS = {
    "statistic": "local_area_compliance",
    "feedback": "local_area_feedback",
    "delivery": "local_area_delivery",
}

# kind, area, item -> status of each way in which it was collected
World = dict[tuple[str, str, str], list[str]]


def declared(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """An empty table with the columns that the model's description declares."""
    for path in (DBT / "models").rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            if model["name"] == name:
                columns = {column["name"]: column["data_type"] for column in model["columns"]}
                table(con, name, columns, [])
                return
    raise KeyError(name)


def is_there(kind: str, area: str) -> bool:
    return (kind, area) != ("prisons", "E3")


def invented(seed: int) -> World:
    """Mixtures of every status; of some bodies all, and of some nothing."""
    rng = random.Random(seed)
    world: World = {}
    for kind in KINDS:
        for area in AREAS:
            mood = rng.choice(["mixed", "mixed", "reported", "not_submitted", "not_collected"])
            for item, (_, information) in ITEMS.items():
                status = rng.choice(STATUSES) if mood == "mixed" else mood
                if not is_there(kind, area):
                    status = "not_applicable"
                # a statistic may come as a census and as a sample, one of them complete
                twice = (
                    information == "statistic" and status in ("reported", "incomplete") and rng.random() < 0.3
                )
                world[kind, area, item] = (
                    [status, rng.choice(["reported", "incomplete"])] if twice else [status]
                )
    return world


def warehouse(world: World) -> duckdb.DuckDBPyConnection:
    con = database()
    typed_seed(con, "areas")
    con.execute("delete from reference.areas")
    typed_seed(con, "rights")
    con.execute("delete from reference.rights where right_number > 3")
    insert(con, "reference.areas", (
        {"pfa_code": area, "area_name": f"Area {area}", "area_kind": "police_area", "country_code": area[0],
         "country_name": area[0]} for area in AREAS
    ))  # fmt: skip
    typed_seed(con, "area_bridges")
    con.execute("delete from reference.area_bridges")
    bridges = [("cps_area", area, group) for area, group in AREAS.items()] + [("cps_area", "E3", "london-b")]
    insert(con, "reference.area_bridges", (
        {"bridge": bridge, "pfa_code": area, "group_code": group, "group_name": group.title()}
        for bridge, area, group in bridges
    ))  # fmt: skip
    table(con, "int_quarters", {"period_code": "varchar", "quarter_index": "integer", "last_day": "date"},
          [(QUARTER, 8100, date(2025, 6, 30))])  # fmt: skip
    table(
        con, "int_rules_by_quarter", {"period_code": "varchar", "interval_z": "double"}, [(QUARTER, 1.959964)]
    )
    table(con, "int_reporting_coverage",
          {"period_code": "varchar", "quarter_index": "integer", "body_kind": "varchar", "pfa_code": "varchar",
           "applicability": "varchar", "senders_expected": "integer", "senders_received": "integer"},
          [(QUARTER, 8100, kind, area, "expected" if is_there(kind, area) else "not_applicable", 1, 1)
           for kind in KINDS for area in AREAS])  # fmt: skip
    table(con, "int_expected_items",
          {"period_code": "varchar", "body_kind": "varchar", "metric_id": "varchar", "metric_version": "integer",
           "definition": "varchar", "unit": "varchar", "response_set": "varchar", "polarity": "varchar"},
          [(QUARTER, kind, item, 1, item.upper(), "proportion", None, "higher") for kind in KINDS for item in ITEMS])  # fmt: skip
    for mart in MARTS.values():
        declared(con, mart)
    for (kind, area, item), statuses in world.items():
        right, information = ITEMS[item]
        for place, status in enumerate(statuses):
            number = 10 * int(item[-1]) + int(area[1]) + place
            figures: dict[str, Any] = {}
            if information == "statistic":
                figures = {"collection_mode": ["census", "random_sample"][place], "sampling_frame": "all_cases",
                           "metric_version": 1, "unit": "proportion"}  # fmt: skip
                if status in ("reported", "incomplete"):
                    figures |= {"met_count": number, "not_met_count": number, "case_count": 2 * number}
            elif information == "feedback":
                figures = {"survey_mode": "online", "collected_by": "own"}
                if status in ("reported", "incomplete"):
                    figures |= {"good_count": number, "valid_answer_count": 3 * number,
                                "effective_answer_count": 1.5 * number}  # fmt: skip
            elif status in ("reported", "incomplete"):
                figures = {"lowest_grade": number % 4, "has_improvement_plan": number % 2 == 0,
                           "next_step_due_on": date(2025, 7, int(area[1]) + int(item[-1]))}  # fmt: skip
            insert(con, relation(MARTS[information]), [
                {"body_kind": kind, "pfa_code": area, KEYS[information]: item, "period_code": QUARTER,
                 "area_name": f"Area {area}", "right_number": right, "quarter_index": 8100, "polarity": "higher",
                 "figure_status": status, **figures}
            ])  # fmt: skip
    # two teams of one area wrote of one item, one of them with the other's plan, in a return that stands
    sent = {"receipt_id": "varchar", "body_code": "varchar", "pfa_code": "varchar"}
    table(con, "int_expected_returns", {**sent, "period_code": "varchar", "body_kind": "varchar"},
          [("R1", body, "E1", QUARTER, "police") for body in ("b1", "b2", "b3")])  # fmt: skip
    table(con, "stg_quarterly_delivery",
          {**sent, "item_id": "varchar", "improvement_plan": "varchar", "next_step": "varchar"},
          [("R1", "b1", "E1", "r02_d01", "Train", "Book"), ("R1", "b2", "E1", "r02_d01", "Recruit", None),
           ("R1", "b3", "E1", "r02_d01", "Train", None), ("R0", "b1", "E1", "r02_d01", "Old plan", "Old step")])  # fmt: skip
    build(con, "int_area_groups", "local_area_groups", "local_area_right_items", "local_area_rights",
          "national_group_compliance", "national_group_feedback", "national_group_delivery",
          "national_group_rights")  # fmt: skip
    return con


def items_of(right: int, information: str) -> list[str]:
    return [item for item, found in ITEMS.items() if found == (right, information)]


def word(statuses: list[list[str]], applies: bool) -> str:
    if not applies:
        return "not_applicable"
    if not statuses:
        return "not_collected_by_design"
    if all("reported" in ways for ways in statuses):
        return "complete"
    for alone in ("not_submitted", "not_collected"):
        if all(ways == [alone] for ways in statuses):
            return alone
    return "partly"


GROUPS = {
    ("cps_area", "north"): ["E1", "E2"],
    ("cps_area", "london-a+london-b"): ["E3"],
    ("cps_area", "wales"): ["W1"],
    ("country", "E"): ["E1", "E2", "E3"],
    ("country", "W"): ["W1"],
    ("nation", "K04000001"): ["E1", "E2", "E3", "W1"],
}


@pytest.fixture(scope="module", params=range(6))
def made(request: pytest.FixtureRequest) -> tuple[World, duckdb.DuckDBPyConnection]:
    world = invented(request.param)
    return world, warehouse(world)


def test_each_kind_of_information_is_counted_and_put_in_a_word(
    made: tuple[World, duckdb.DuckDBPyConnection],
) -> None:
    world, con = made
    found = {
        row[:3]: row[3:]
        for row in con.execute(
            "select body_kind, pfa_code, right_number, "
            + ", ".join(f"{k}_items_expected, {k}_items_reported, {k}_completeness, {k}_status" for k in KEYS)
            + " from marts.local_area_rights"
        ).fetchall()
    }
    expected = {}
    for kind in KINDS:
        for area in AREAS:
            for right in (1, 2, 3):
                cells: list[Any] = []
                for information in KEYS:
                    items = items_of(right, information) if is_there(kind, area) else []
                    statuses = [world[kind, area, item] for item in items]
                    done = sum("reported" in ways for ways in statuses)
                    share = round(done / len(items), 10) if items else None
                    cells += [len(items), done, share, word(statuses, is_there(kind, area))]
                expected[kind, area, right] = tuple(cells)
    assert found == expected


def test_every_item_stands_in_the_text_with_its_own_figure(
    made: tuple[World, duckdb.DuckDBPyConnection],
) -> None:
    world, con = made
    for kind, area, text in con.execute(
        "select body_kind, pfa_code, statistic_summary from marts.local_area_rights where right_number = 2"
    ).fetchall():
        if not is_there(kind, area):
            assert text is None
            continue
        parts = []
        for item in items_of(2, "statistic"):
            for place, status in enumerate(world[kind, area, item]):
                number = 10 * int(item[-1]) + int(area[1]) + place
                said = f"{number} of {2 * number}" if status == "reported" else status.replace("_", " ")
                parts.append(f"{item}: {said}")
        assert text == "; ".join(parts)


def test_items_of_all_kinds_have_one_shape_and_none_is_lost(
    made: tuple[World, duckdb.DuckDBPyConnection],
) -> None:
    world, con = made
    found = con.execute(
        "select body_kind, pfa_code, item_id, information, figure_status, definition, numerator_count, base_count"
        " from marts.local_area_right_items"
    ).fetchall()
    expected = []
    for (kind, area, item), statuses in world.items():
        information = ITEMS[item][1]
        for place, status in enumerate(statuses):
            number = 10 * int(item[-1]) + int(area[1]) + place
            has_figure = status in ("reported", "incomplete") and information != "delivery"
            base = (2 if information == "statistic" else 3) * number
            expected.append((kind, area, item, information, status, item.upper(),
                             number if has_figure else None, base if has_figure else None))  # fmt: skip
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_plans_are_those_of_returns_that_stand_each_once(
    made: tuple[World, duckdb.DuckDBPyConnection],
) -> None:
    _, con = made
    found = con.execute(
        "select pfa_code, body_kind, item_id, improvement_plan, next_step from marts.local_area_right_items"
        " where improvement_plan is not null or next_step is not null"
    ).fetchall()
    assert found == [("E1", "police", "r02_d01", "Recruit; Train", "Book")]


def test_each_area_stands_once_in_each_kind_of_geography(
    made: tuple[World, duckdb.DuckDBPyConnection],
) -> None:
    _, con = made
    found = defaultdict(list)
    for kind, code, area in con.execute(
        "select group_kind, group_code, pfa_code from marts.local_area_groups"
    ).fetchall():
        found[kind, code].append(area)
    assert {key: sorted(areas) for key, areas in found.items()} == GROUPS
    assert con.execute(
        "select distinct group_name from marts.local_area_groups where is_combined"
    ).fetchall() == [("London-A and London-B",)]


def test_groups_sum_the_complete_and_say_what_is_missing(
    made: tuple[World, duckdb.DuckDBPyConnection],
) -> None:
    world, con = made
    found = {
        row[:5]: row[5:]
        for row in con.execute(
            "select group_kind, group_code, body_kind, metric_id, collection_mode, areas_expected, areas_reporting,"
            " is_complete, figure_status, met_count, case_count, compliance_rate from marts.national_group_compliance"
        ).fetchall()
    }
    expected: dict[Any, Any] = {}
    for (group_kind, group), areas in GROUPS.items():
        for kind in KINDS:
            there = [area for area in areas if is_there(kind, area)]
            for item in items_of(2, "statistic"):
                key = group_kind, group, kind, item
                all_ways = {tuple(world[kind, area, item]) for area in there}
                for place, mode in enumerate(("census", "random_sample")):
                    sizes = [10 * int(item[-1]) + int(area[1]) + place for area in there
                             if len(world[kind, area, item]) > place and world[kind, area, item][place] == "reported"]  # fmt: skip
                    if sizes:
                        is_all = len(sizes) == len(there)
                        expected[(*key, mode)] = (len(there), len(sizes), is_all, "reported" if is_all else "incomplete",
                                                  sum(sizes), 2 * sum(sizes), 0.5)  # fmt: skip
                if not any((*key, mode) in expected for mode in ("census", "random_sample")):
                    status = "incomplete"
                    if not there:
                        status = "not_applicable"
                    elif len(all_ways) == 1 and next(iter(all_ways)) in (
                        ("not_submitted",),
                        ("not_collected",),
                    ):
                        status = next(iter(all_ways))[0]
                    expected[(*key, "none")] = (len(there), 0, False, status, None, None, None)
    assert found == expected


def test_answers_are_pooled_and_grades_are_counted(made: tuple[World, duckdb.DuckDBPyConnection]) -> None:
    world, con = made
    answers = con.execute(
        "select group_kind, group_code, body_kind, question_id, areas_expected, areas_reporting, good_count,"
        " valid_answer_count, effective_answer_count, is_complete from marts.national_group_feedback"
    ).fetchall()
    grades = con.execute(
        "select group_kind, group_code, body_kind, item_id, areas_expected, areas_reporting, areas_absent,"
        " areas_drafted, areas_in_use, areas_reviewed, areas_with_plan, is_complete from marts.national_group_delivery"
    ).fetchall()
    assert (len(answers), len(grades)) == (len(GROUPS) * len(KINDS) * 2, len(GROUPS) * len(KINDS) * 3)
    for group_kind, group, kind, item, expected, reporting, *figures, is_complete in [*answers, *grades]:
        there = [area for area in GROUPS[group_kind, group] if is_there(kind, area)]
        sizes = [
            10 * int(item[-1]) + int(area[1]) for area in there if world[kind, area, item] == ["reported"]
        ]
        assert (expected, reporting, is_complete) == (len(there), len(sizes), 0 < len(there) == len(sizes))
        if ITEMS[item][1] == "feedback":
            assert figures == ([sum(sizes), 3 * sum(sizes), 1.5 * sum(sizes)] if sizes else [None] * 3)
        else:
            by_grade = [sum(size % 4 == grade for size in sizes) for grade in range(4)]
            assert figures == [*by_grade, sum(size % 2 == 0 for size in sizes)]


def test_rights_of_a_group_are_the_items_of_its_areas(made: tuple[World, duckdb.DuckDBPyConnection]) -> None:
    world, con = made
    found = con.execute(
        "select group_kind, group_code, body_kind, right_number, areas_expected, "
        + ", ".join(f"{k}_areas_complete, {k}_items_expected, {k}_items_reported, {k}_status" for k in KEYS)
        + " from marts.national_group_rights"
    ).fetchall()
    assert len(found) == len(GROUPS) * len(KINDS) * 3
    for group_kind, group, kind, right, expected, *figures in found:
        there = [area for area in GROUPS[group_kind, group] if is_there(kind, area)]
        assert expected == len(there)
        cells: list[Any] = []
        for information in KEYS:
            items = items_of(right, information)
            by_area = [[world[kind, area, item] for item in items] for area in there]
            done = [sum("reported" in ways for ways in statuses) for statuses in by_area]
            words = {word(statuses, True) for statuses in by_area}
            if words in ({"not_submitted"}, {"not_collected"}):
                status = words.pop()
            else:
                status = word([ways for statuses in by_area for ways in statuses], bool(there))
            cells += [
                sum(len(items) == count > 0 for count in done),
                len(there) * len(items),
                sum(done),
                status,
            ]
        assert figures == cells

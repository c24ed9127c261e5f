"""Feedback and breakdowns of a financial year, against a plain reading of rules 9, 10 and 11."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.warehouse.rendering import build, table
from tests.warehouse.shares import answers, metric_figure, rows
from tests.warehouse.yearly import (
    AREAS,
    FIRST_INDEX,
    GROUPS,
    KINDS,
    OPTIONAL,
    PERIODS,
    QUARTERS,
    SEXES,
    YEAR,
    World,
    random_world,
    totals_as_cells,
    warehouse,
)

WORLDS = range(10)
Key = tuple[str, ...]
Cells = dict[Key, tuple[str, int | None, int | None]]


def feedback_by_hand(world: World) -> Cells:
    """(kind, area, way of asking, who asked) -> status, valid and good answers of the year."""
    cells: Cells = {}
    for kind, areas in KINDS.items():
        for area in areas:
            said = [world.coverage[kind, area, period] for period in PERIODS]
            if all(applicability == "not_applicable" for applicability, *_ in said):
                cells[kind, area, "none", "none"] = ("not_applicable", None, None)
                continue
            found = {
                row["period_code"]: row
                for row in world.answers
                if row["is_total"]
                and row["is_standing"]
                and (row["body_kind"], row["pfa_code"]) == (kind, area)
            }
            whole = [row for row in found.values() if row["is_complete"]]
            ways = {(row["survey_mode"], row["collected_by"]) for row in whole}
            if len(whole) == 4 and len(ways) == 1:
                n, x = (sum(row[c] for row in whole) for c in ("valid_answer_count", "good_answer_count"))
                cells[(kind, area, *ways.pop())] = ("reported", n, x)
                continue
            states = []
            for period, (_, is_submitted, received) in zip(PERIODS, said, strict=True):
                if period in found:
                    states.append("whole" if found[period]["is_complete"] else "incomplete")
                else:
                    states.append(
                        "none" if received == 0 else "asked nothing" if is_submitted else "incomplete"
                    )
            if set(states) == {"none"}:
                status = "not_submitted"
            elif {"none", "incomplete"} & set(states):
                status = "incomplete"
            else:
                status = "not_collected"
            cells[kind, area, "none", "none"] = (status, None, None)
    return cells


def breakdown_of(row: dict[str, Any]) -> tuple[str, str]:
    if row["characteristic"] != "ALL":
        return row["characteristic"], row["characteristic_value"]
    return "crime_type", row["crime_type"]


def statistics_of(world: World) -> Iterator[tuple[dict[str, Any], tuple[str, str, str, str], int, int]]:
    """Complete rows of the returns: row, (item, mode, frame, who), base and met."""
    for row in world.figures:
        if row["is_complete"]:
            how = (row["metric_id"], row["collection_mode"], row["sampling_frame"], "own")
            yield row, how, row["case_count"], row["met_count"]
    for row in world.answers:
        if row["is_complete"] and row["is_standing"]:
            how = (row["question_id"], row["survey_mode"], "respondents", row["collected_by"])
            yield row, how, row["valid_answer_count"], row["good_answer_count"]


def breakdowns_by_hand(world: World) -> Cells:
    """(kind, region, item, breakdown, value, mode, frame, who) -> status, base and met of region and year."""
    parts: dict[Key, dict[tuple[str, str], dict[str, tuple[int, int]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    empty: dict[Key, set[tuple[str, str]]] = defaultdict(set)
    for row, how, n, x in statistics_of(world):
        place = (row["pfa_code"], row["period_code"])
        if row["is_total"]:
            if n == 0:
                empty[(row["body_kind"], *how)].add(place)
        else:
            breakdown, value = breakdown_of(row)
            parts[(row["body_kind"], *how, breakdown)][place][value] = (n, x)
    cells: Cells = {}
    for kind, areas in KINDS.items():
        for region in {AREAS[area] for area in areas}:
            due = {
                (area, period)
                for area in areas
                if AREAS[area] == region
                for period in PERIODS
                if world.coverage[kind, area, period][0] == "expected"
            }
            if not due:
                continue
            is_all_in = all(world.coverage[kind, area, period][1] for area, period in due)
            for item, breakdown in {(key[1], key[5]) for key in parts if key[0] == kind}:
                offered = SEXES if breakdown == "sex" else (*GROUPS, *OPTIONAL, "FRA")
                ways = []
                for key, places in parts.items():
                    if (key[0], key[1], key[5]) == (kind, item, breakdown):
                        there = {place for place in places if place in due} | (empty[key[:5]] & due)
                        if there == due:
                            ways.append(
                                (key[2:5], {place: places[place] for place in due if place in places})
                            )
                for value in offered:
                    for way, places in ways:
                        given = [values[value] for values in places.values() if value in values]
                        cell = (kind, region, item, breakdown, value, *way)
                        if value in OPTIONAL and len(given) < len(due):
                            cells[cell] = ("not_collected", None, None)
                        elif value == "FRA":
                            cells[cell] = ("not_applicable", None, None)
                        else:
                            cells[cell] = ("reported", sum(n for n, _ in given), sum(x for _, x in given))
                    if not ways:
                        status = "not_collected" if is_all_in else "incomplete"
                        cells[kind, region, item, breakdown, value, "none", "none", "none"] = (
                            status,
                            None,
                            None,
                        )
    return cells


def feedback_in_sql(con: duckdb.DuckDBPyConnection) -> Cells:
    return {
        tuple(row[:4]): tuple(row[4:])
        for row in con.execute(
            "select body_kind, pfa_code, survey_mode, collected_by, figure_status, base_count, met_count"
            " from intermediate.int_public_feedback_cells"
        ).fetchall()
    }


def breakdowns_in_sql(con: duckdb.DuckDBPyConnection) -> Cells:
    return {
        tuple(row[:8]): tuple(row[8:])
        for row in con.execute(
            "select body_kind, region_code, item_id, breakdown, breakdown_value, collection_mode, sampling_frame,"
            " collected_by, figure_status, base_count, met_count from intermediate.int_public_breakdown_cells"
        ).fetchall()
    }


@pytest.fixture(scope="module")
def worlds() -> list[tuple[World, duckdb.DuckDBPyConnection]]:
    made = []
    for seed in WORLDS:
        world = random_world(seed)
        con = warehouse(world)
        totals_as_cells(con, world)
        build(
            con, "int_public_feedback_cells", "int_public_breakdown_cells", "int_public_relations_breakdowns"
        )
        made.append((world, con))
    return made


def test_a_year_of_answers_is_pooled_only_where_one_way_of_asking_stood_in_all_of_it(
    worlds: list[tuple[World, duckdb.DuckDBPyConnection]],
) -> None:
    seen: set[str] = set()
    for world, con in worlds:
        expected = feedback_by_hand(world)
        assert feedback_in_sql(con) == expected
        seen |= {status for status, *_ in expected.values()}
    assert {"reported", "incomplete", "not_collected", "not_applicable"} <= seen


def test_a_breakdown_is_summed_only_where_every_area_has_it_in_every_quarter(
    worlds: list[tuple[World, duckdb.DuckDBPyConnection]],
) -> None:
    seen: dict[str, int] = defaultdict(int)
    for world, con in worlds:
        expected = breakdowns_by_hand(world)
        assert breakdowns_in_sql(con) == expected
        for status, *_ in expected.values():
            seen[status] += 1
    assert min(seen[status] for status in ("reported", "incomplete", "not_collected", "not_applicable")) > 10


def test_every_relation_is_true_and_says_no_more_than_the_form(
    worlds: list[tuple[World, duckdb.DuckDBPyConnection]],
) -> None:
    kinds: dict[str, int] = defaultdict(int)
    for _, con in worlds:
        truth = {
            cell: {"base": n, "met": x, "unmet": n - x}
            for table_name in ("breakdown", "compliance", "feedback")
            for cell, n, x in con.execute(
                f"select cell_id, base_count, met_count from intermediate.int_public_{table_name}_cells"
                " where figure_status = 'reported'"
            ).fetchall()
        }
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for relation, cell, measure, coefficient, kind in con.execute(
            "from intermediate.int_public_relations_breakdowns"
        ).fetchall():
            sums[relation, kind] += coefficient * truth[cell][measure]
        assert len({relation for relation, _ in sums}) == len(sums)
        for (relation, kind), value in sums.items():
            assert value == 0 if kind == "zero" else value <= 0, relation
            kinds[kind + (" link" if relation.startswith("link") else "")] += 1
    assert min(kinds[kind] for kind in ("zero", "at_most_zero", "at_most_zero link")) > 5


def whole_year(short: int = 0, optional: bool = True, **changes: Any) -> World:
    """Every area in, all counted in one way: 40 met of 60 in every quarter; `short` stand in no group of crimes."""
    world = World()
    groups = GROUPS + (OPTIONAL if optional else ())
    for kind, areas in KINDS.items():
        for area in areas:
            for index, period in enumerate(PERIODS):
                world.coverage[kind, area, period] = ("expected", True, 1)
                where = {"body_kind": kind, "pfa_code": area} | changes
                at = (period, FIRST_INDEX + index)
                world.figures.append(metric_figure(*at, 40, 60, metric_id="m", **where))
                world.figures.append(
                    metric_figure(*at, 40 - short, 60 - short, metric_id="m", is_total=False, **where)
                    | {"crime_type": "VAP"}
                )
                world.figures += [
                    metric_figure(*at, 0, 0, metric_id="m", is_total=False, crime_type=name, **where)
                    for name in groups[1:]
                ]
                for value, (x, n) in {"F": (25, 30), "M": (10, 20), "NS": (5, 10)}.items():
                    world.figures.append(
                        metric_figure(*at, x, n, metric_id="m", is_total=False, **where)
                        | {"characteristic": "sex", "characteristic_value": value}
                    )
    return world


@pytest.mark.parametrize(
    ("short", "optional", "expected"),
    [
        (0, True, "zero"),
        # the form lets three groups be left out: that they add up all the same is chance, and nobody knows it
        (0, False, "at_most_zero"),
        (3, True, "at_most_zero"),
    ],
)
def test_what_a_breakdown_adds_up_to_follows_from_the_form(short: int, optional: bool, expected: str) -> None:
    world = whole_year(short, optional)
    con = warehouse(world)
    totals_as_cells(con, world)
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "int_public_relations_breakdowns")
    found = rows(con, "select * from intermediate.int_public_relations_breakdowns where measure = 'base'")
    kinds = {
        (row["relation_id"].split("|")[2], row["relation_id"].split("|")[6]): row["kind"]
        for row in found
        if row["relation_id"].startswith("breakdown")
    }
    assert kinds == {(kind, "sex"): "zero" for kind in KINDS} | {
        (kind, "crime_type"): expected for kind in KINDS
    }
    # the North West: three values of sex, and two areas in four quarters
    north_west = [
        r for r in found if "|police|E12000002|" in r["relation_id"] and "|sex|" in r["relation_id"]
    ]
    assert sorted(row["coefficient"] for row in north_west) == [-1] * 8 + [1] * 3


def test_a_relation_needs_every_total_of_the_region_and_year() -> None:
    world = whole_year()
    con = warehouse(world)
    totals_as_cells(con, world)
    con.execute(
        "update intermediate.int_public_compliance_cells set figure_status = 'incomplete'"
        " where area_code = 'E23000003' and period_code = '2025-26-Q3'"
    )
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "int_public_relations_breakdowns")
    regions = {
        row["relation_id"].split("|")[3]
        for row in rows(con, "select distinct relation_id from intermediate.int_public_relations_breakdowns")
    }
    assert regions == {"E12000001", "K04000001"}


def test_totals_that_were_published_otherwise_make_no_relation() -> None:
    """A breakdown above its total breaks the form: the audit would ask what no truth can answer."""
    world = whole_year()
    con = warehouse(world)
    totals_as_cells(con, world)
    con.execute(
        "update intermediate.int_public_compliance_cells set base_count = 58, met_count = 39"
        " where area_code = 'E23000002' and period_code = '2025-26-Q1'"
    )
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "int_public_relations_breakdowns")
    found = rows(con, "select distinct relation_id from intermediate.int_public_relations_breakdowns")
    assert not [row for row in found if "|E12000002|" in row["relation_id"]]
    assert [row for row in found if "|E12000001|" in row["relation_id"]]


def one_year_of(n: int, x: int) -> World:
    """One question of one area: n answers in the year, x of them good; women's answers to the metric likewise."""
    world = World()
    for index, period in enumerate(PERIODS):
        for area in ("E23000007",):
            world.coverage["police", area, period] = ("expected", True, 1)
            last = index == 3
            world.answers.append(
                answers(period, FIRST_INDEX + index, x if last else 0, n if last else 0, pfa_code=area)
            )
            world.figures.append(
                metric_figure(
                    period, FIRST_INDEX + index, x if last else 0, n if last else 0, metric_id="m",
                    pfa_code=area, is_total=False, characteristic="sex", characteristic_value="F",
                )
            )  # fmt: skip
    return world


def public(
    n: int, x: int, level: int = 0, earlier: tuple[int, int] | None = None, was_revised: bool = False
) -> dict[str, dict[str, Any]]:
    """The public rows of `one_year_of`: by table."""
    con = warehouse(one_year_of(n, x))
    cells = (
        f"feedback|police|E23000007|q|{YEAR}|online|own",
        f"breakdown|statistic|police|E12000001|m|{YEAR}|sex|F|census|all_cases|own",
    )
    for cell in cells:
        con.execute("insert into intermediate.int_suppressions values (?, ?), (?, 0)", [cell, level, cell])
        if earlier:
            con.execute(
                "insert into intermediate.int_earlier_cells values (?, ?, ?, ?)",
                [cell, *earlier, was_revised],
            )
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells")
    build(con, "open_data_local_feedback", "open_data_region_breakdowns")
    feedback = rows(con, "from marts.open_data_local_feedback")
    breakdown = rows(con, "from marts.open_data_region_breakdowns where breakdown_value = 'F'")
    assert len(feedback) == len(breakdown) == 1
    assert feedback[0]["release_period_code"] == breakdown[0]["release_period_code"] == "2025-26-Q4"
    return {"feedback": feedback[0], "breakdown": breakdown[0]}


@pytest.mark.parametrize(
    ("n", "feedback", "breakdown"),
    [
        (7, ("suppressed", None), ("suppressed", None)),
        (8, ("base", 10), ("suppressed", None)),
        (9, ("base", 10), ("suppressed", None)),
        # rule 11: from ten respondents on
        (10, ("base", 10), ("base", 10)),
        (12, ("base", 10), ("base", 10)),
    ],
)
def test_a_breakdown_needs_ten_respondents(
    n: int, feedback: tuple[str, Any], breakdown: tuple[str, Any]
) -> None:
    found = public(n, 4)
    row = found["feedback"]
    assert (row["published_as"], row["valid_answer_count"], row["good_count"]) == (*feedback, None)
    row = found["breakdown"]
    assert (row["published_as"], row["base_count"], row["good_count"]) == (*breakdown, None)


@pytest.mark.parametrize(
    ("level", "form", "base", "band"),
    [
        (0, "value", 200, None),
        (1, "band", 200, "50% to 79%"),
        (2, "base", 200, None),
        (3, "suppressed", None, None),
    ],
)
def test_what_a_release_withholds_is_withheld(
    level: int, form: str, base: int | None, band: str | None
) -> None:
    found = public(200, 120, level)
    for name, column in (("feedback", "valid_answer_count"), ("breakdown", "base_count")):
        row = found[name]
        assert (row["published_as"], row[column], row["rate_band"]) == (form, base, band)
        assert row["rate_percent"] == (60 if level == 0 else None)
        assert row["obs_status"] == (None if level == 0 else "c")


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        (None, (200, 120, "p")),
        ((200, 120), (200, 120, "p")),
        # nine cases more or fewer: what was published stands
        ((209, 120), (210, 120, "p")),
        ((191, 111), (190, 110, "p")),
        ((190, 120), (200, 120, "r")),
        ((200, 110), (200, 120, "r")),
    ],
)
def test_a_small_revision_is_never_published(
    earlier: tuple[int, int] | None, expected: tuple[int, int, str]
) -> None:
    found = public(200, 120, earlier=earlier)
    for name, column in (("feedback", "valid_answer_count"), ("breakdown", "base_count")):
        row = found[name]
        assert (row[column], row["good_count"], row["obs_note"]) == expected


def test_what_was_revised_once_stays_marked() -> None:
    found = public(203, 120, earlier=(200, 120), was_revised=True)
    for name, column in (("feedback", "valid_answer_count"), ("breakdown", "base_count")):
        row = found[name]
        assert (row[column], row["good_count"], row["obs_note"]) == (200, 120, "r")


def test_a_linked_metric_is_withheld_value_by_value() -> None:
    """Of women 3 of 120 were met in `m`, so the cases of `k`, which are those three, are not told."""
    world = World()
    for index, period in enumerate(PERIODS):
        world.coverage["police", "E23000007", period] = ("expected", True, 1)
        for item, value, x, n in (
            ("m", "F", 30, 31),
            ("k", "F", 20, 30),
            ("m", "M", 30, 60),
            ("k", "M", 20, 30),
        ):
            world.figures.append(
                metric_figure(
                    period, FIRST_INDEX + index, x, n, metric_id=item, pfa_code="E23000007", is_total=False,
                    characteristic="sex", characteristic_value=value,
                )
            )  # fmt: skip
    con = warehouse(world)
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "open_data_region_breakdowns")
    found = {
        (row["item_id"], row["breakdown_value"]): row["published_as"]
        for row in rows(con, "from marts.open_data_region_breakdowns where breakdown_value <> 'NS'")
    }
    assert found == {("m", "F"): "band", ("k", "F"): "suppressed", ("m", "M"): "value", ("k", "M"): "value"}


@pytest.mark.parametrize(
    ("quarters", "statuses"),
    [
        (PERIODS[:3], None),
        (PERIODS[1:], {"not_collected", "not_applicable"}),
        (QUARTERS, None),
    ],
)
def test_a_year_is_published_with_its_last_quarter_only(
    quarters: tuple[str, ...], statuses: set[str] | None
) -> None:
    con = warehouse(random_world(1, quarters), quarters)
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells")
    for name in ("feedback", "breakdown"):
        found = rows(con, f"from intermediate.int_public_{name}_cells")
        assert {row["year_code"] for row in found} == (set() if PERIODS[3] not in quarters else {YEAR})
        if statuses:
            # of a year that began before the reporting did there is nothing to pool
            assert {row["base_count"] for row in found} == {None}


# --- larger geographies -------------------------------------------------------------------------------------


def test_groups_add_up_published_cells_and_nothing_else() -> None:
    """Three areas: 200 and 100 answers with a rate, 30 with the base only; a share of 300 of 330 is covered."""
    world = World()
    said = {"E23000002": (50, 30), "E23000003": (25, 10), "E23000007": (7, 7)}
    for area, (n, x) in said.items():
        for index, period in enumerate(PERIODS):
            world.coverage["police", area, period] = ("expected", True, 1)
            world.answers.append(answers(period, FIRST_INDEX + index, x, n, pfa_code=area))
    con = warehouse(world)
    build(con, "int_public_feedback_cells", "open_data_local_feedback")
    groups = [("nation", area, "K04000001") for area in said]
    groups += [("region", area, AREAS[area]) for area in said]
    table(
        con,
        "open_data_area_groups",
        {
            "period_code": "varchar", "group_kind": "varchar", "group_code": "varchar", "group_name": "varchar",
            "area_code": "varchar",
        },
        [("2025-26-Q4", kind, code, code, area) for kind, area, code in groups],
    )  # fmt: skip
    build(con, "open_data_group_feedback")
    found = {row["group_code"]: row for row in rows(con, "from marts.open_data_group_feedback")}
    nation = found["K04000001"]
    assert (nation["valid_answer_count"], nation["good_count"], nation["rate_percent"]) == (300, 160, 53)
    assert (nation["areas_expected"], nation["areas_published"], nation["answer_share_covered"]) == (
        3,
        2,
        0.9,
    )
    assert found["E12000002"]["valid_answer_count"] == 300
    # the North East has no published rate to add up
    alone = found["E12000001"]
    assert (alone["published_as"], alone["obs_status"], alone["valid_answer_count"]) == (
        "suppressed",
        "c",
        None,
    )
    # with 40 answers in the North East the two others are under nine tenths of what is known to be there
    con.execute(
        "update marts.open_data_local_feedback set valid_answer_count = 40 where area_code = 'E23000007'"
    )
    con.execute("drop table marts.open_data_group_feedback")
    build(con, "open_data_group_feedback")
    row = rows(con, "from marts.open_data_group_feedback where group_kind = 'nation'")[0]
    assert (row["published_as"], row["answer_share_covered"], row["good_count"]) == ("suppressed", 0.88, None)


@pytest.mark.parametrize("seed", range(4))
def test_the_nation_adds_up_the_published_regions(
    seed: int, worlds: list[tuple[World, duckdb.DuckDBPyConnection]]
) -> None:
    _, con = worlds[seed]
    build(con, "open_data_region_breakdowns", "open_data_national_breakdowns")
    population: dict[str, int] = defaultdict(int)
    for region, people in con.execute(
        "select region_code, population from reference.areas where area_kind = 'police_area' and valid_to is null"
    ).fetchall():
        population[region] += people
    regions = [
        row for row in rows(con, "from marts.open_data_region_breakdowns") if row["body_kind"] == "police"
    ]
    key = ("item_id", "breakdown", "breakdown_value")
    how = ("collection_mode", "sampling_frame", "collected_by")
    national = rows(con, "from marts.open_data_national_breakdowns")
    assert {row["body_kind"] for row in national} <= {"police"}
    assert {tuple(row[c] for c in key) for row in national} == {tuple(row[c] for c in key) for row in regions}
    for row in national:
        alike = [each for each in regions if all(each[c] == row[c] for c in key)]
        cells = [
            each
            for each in alike
            if all(each[c] == row[c] for c in how) and each["obs_status"] in (None, "c")
        ]
        added = [each for each in cells if each["good_count"] is not None]
        known = [each for each in cells if each["base_count"] is not None]
        n, x = (sum(each[c] for each in added) for c in ("base_count", "good_count"))
        share = 0.0
        if known:
            size = sum(each["base_count"] for each in known)
            absent = sum(
                population[each["region_code"]] for each in alike if each["obs_status"] in ("w", "x")
            )
            people = sum(population[each["region_code"]] for each in known)
            share = n / (size + 9 * (len(cells) - len(known)) + size * absent / people)
        if share >= 0.9 and n >= 40:
            assert (row["base_count"], row["good_count"], row["obs_status"]) == (n, x, None)
        else:
            assert (row["base_count"], row["good_count"], row["rate_percent"]) == (None, None, None)
            assert row["obs_status"] is not None


@pytest.mark.parametrize(("women", "share", "base"), [(20, 0.89, None), (25, 0.91, 100)])
def test_a_withheld_region_counts_as_the_most_that_is_withheld(
    women: int, share: float, base: int | None
) -> None:
    """Five women in the North East count as nine: 80 of 89 is too little of the nation, 100 of 109 is enough."""
    world = World()
    for area, n in (("E23000002", women), ("E23000007", 1)):
        for index, period in enumerate(PERIODS):
            world.coverage["police", area, period] = ("expected", True, 1)
            world.figures.append(
                metric_figure(
                    period, FIRST_INDEX + index, n // 2 + index % 2, n + (n == 1 and index == 0), metric_id="m",
                    pfa_code=area, is_total=False, characteristic="sex", characteristic_value="F",
                )
            )  # fmt: skip
    con = warehouse(world)
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "open_data_region_breakdowns")
    build(con, "open_data_national_breakdowns")
    row = rows(con, "from marts.open_data_national_breakdowns where breakdown_value = 'F'")[0]
    assert row["regions_expected"] == 2 and row["regions_published"] == 1
    assert (row["base_share_covered"], row["base_count"]) == (share, base)
    assert row["obs_status"] == ("c" if base is None else None)


def shared_by(*shares: tuple[int, int]) -> dict[str, Any]:
    """The public row of a region of two areas: of each area n cases of women in the year, x of them met."""
    world = World()
    for index, period in enumerate(PERIODS):
        for area, (n, x) in zip(("E23000002", "E23000003"), shares, strict=True):
            world.coverage["police", area, period] = ("expected", True, 1)
            n, x = (n, x) if index == 3 else (0, 0)
            world.figures.append(
                metric_figure(
                    period, FIRST_INDEX + index, x, n, metric_id="m", pfa_code=area, is_total=False,
                    characteristic="sex", characteristic_value="F",
                )
            )  # fmt: skip
    con = warehouse(world)
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "open_data_region_breakdowns")
    (found,) = rows(
        con,
        "from marts.open_data_region_breakdowns where breakdown_value = 'F' and region_code = 'E12000002'",
    )
    return found


@pytest.mark.parametrize(
    ("one", "other", "form", "base"),
    [
        ((100, 60), (100, 60), "value", 200),
        ((992, 500), (8, 8), "base", 1000),
        # who sent 1002 and reads 1000 would know that the other has none
        ((1002, 500), (0, 0), "suppressed", None),
        ((993, 500), (7, 4), "suppressed", None),
        ((7, 4), (993, 500), "suppressed", None),
        # eight cases of the other are no secret; how many of them were told is
        ((100, 60), (20, 13), "base", 120),
        ((100, 60), (20, 7), "base", 120),
        ((100, 60), (20, 12), "value", 120),
        # at most nine were not told: who has four of them knows the rest to be five at most
        ((100, 97), (100, 98), "band", 200),
        ((100, 96), (100, 100), "base", 200),
        ((100, 3), (100, 2), "band", 200),
        ((100, 4), (100, 0), "base", 200),
    ],
)
def test_who_subtracts_an_own_share_finds_nothing_small(
    one: tuple[int, int], other: tuple[int, int], form: str, base: int | None
) -> None:
    found = shared_by(one, other)
    assert (found["published_as"], found["base_count"]) == (form, base)


def test_the_only_area_of_a_region_has_no_others_to_subtract_from() -> None:
    assert public(200, 120)["breakdown"]["published_as"] == "value"
    assert public(200, 195)["breakdown"]["published_as"] == "band"


def test_a_withheld_region_of_two_areas_counts_by_its_population() -> None:
    """There a base may be withheld that is large, so the most that the rules withhold says nothing of it."""
    world = World()
    for area, n in (("E23000002", 300), ("E23000007", 1)):
        for index, period in enumerate(PERIODS):
            world.coverage["police", area, period] = ("expected", True, 1)
            world.figures.append(
                metric_figure(
                    period, FIRST_INDEX + index, n // 2, n, metric_id="m", pfa_code=area, is_total=False,
                    characteristic="sex", characteristic_value="F",
                )
            )  # fmt: skip
    con = warehouse(world)
    con.execute("delete from reference.areas where pfa_code = 'E23000013'")
    build(con, "int_public_feedback_cells", "int_public_breakdown_cells", "open_data_region_breakdowns")
    build(con, "open_data_national_breakdowns")
    people = dict(
        con.execute(
            "select region_code, sum(population) from reference.areas where region_code in ('E12000001', 'E12000002')"
            " and area_kind = 'police_area' group by region_code"
        ).fetchall()
    )
    share = people["E12000002"] / (people["E12000001"] + people["E12000002"])
    row = rows(con, "from marts.open_data_national_breakdowns where breakdown_value = 'F'")[0]
    assert row["regions_expected"] == 2 and row["regions_published"] == 1
    assert row["base_share_covered"] == int(100 * share) / 100 < 0.9 and row["base_count"] is None

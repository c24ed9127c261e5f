"""Rules 1 to 7 and 10 of disclosure control: over every small table, and against the rules as written down."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable

import duckdb
import pytest
import yaml
from statsmodels.stats.proportion import proportion_confint

from orchestration.rendering import parents
from tests.warehouse.rendering import DBT, build, database, seed, table, typed_seed

LARGEST = 240
Cells = list[tuple[int, int, dict[str, object]]]
FIGURES = {
    "body_kind": "varchar", "pfa_code": "varchar", "metric_id": "varchar", "unit": "varchar", "figure_status": "varchar",
    "collection_mode": "varchar", "met_count": "bigint", "case_count": "bigint", "reported_count": "bigint",
}  # fmt: skip
OWN = "r02_s01_recorded_24h"
REFERRED, REFERRALS, IN_TIME = "r04_s02_referral_prop", "r04_s01_referrals_n", "r04_s03_referral_2wd"


def published(
    figures: str | Iterable[tuple[object, ...]],
    levels: Iterable[tuple[str, int]] = (),
    earlier: Iterable[tuple[object, ...]] = (),
) -> duckdb.DuckDBPyConnection:
    """The open data on compliance of one quarter, from local figures: rows in the order of FIGURES, or a query."""
    con = database()
    con.execute(
        "create table intermediate.int_quarters as select 'q' as period_code, 'Quarter' as period_label,"
        " date '2025-06-30' as last_day"
    )
    typed_seed(con, "disclosure_rules")
    seed(con, "body_kinds")
    seed(con, "areas", valid_from="date", valid_to="date")
    seed(con, "metric_links", valid_from="date", valid_to="date")
    if isinstance(figures, str):
        con.execute(f"create table given as {figures}")
    else:
        con.execute(f"create table given ({', '.join(f'{name} {kind}' for name, kind in FIGURES.items())})")
        con.executemany(
            f"insert into given values ({', '.join('?' * len(FIGURES))})", [list(row) for row in figures]
        )
    con.execute(
        "create table intermediate.int_due_figures as select *, 'q' as period_code, 'all_cases' as sampling_frame,"
        " 'Area' as area_name, 4 as right_number from given;"
        " create table intermediate.int_expected_items as select distinct 'q' as period_code, body_kind, metric_id,"
        " 'A metric' as definition from given"
    )
    table(con, "int_suppressions", {"cell_id": "varchar", "level": "integer"}, levels)
    table(
        con,
        "int_earlier_cells",
        {"cell_id": "varchar", "base_count": "bigint", "met_count": "bigint", "is_revised": "boolean"},
        [row if len(row) == 4 else (*row, False) for row in earlier],
    )
    build(con, "int_disclosure_rules", "int_public_compliance_cells", "open_data_local_compliance")
    return con


def cell_id(area: str, metric: str = OWN, body: str = "police") -> str:
    return f"statistic|{body}|{area}|{metric}|q|census|all_cases"


def rate(area: str, met: int, cases: int, metric: str = OWN) -> tuple[object, ...]:
    return ("police", area, metric, "proportion", "reported", "census", met, cases, None)


def count(area: str, reported: int, metric: str = REFERRALS) -> tuple[object, ...]:
    return ("police", area, metric, "count", "reported", "census", None, None, reported)


def records(con: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, object]]:
    result = con.execute(f"select * from {name}")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def every_table(level: int, largest: int) -> Cells:
    """(met, cases, published row) for every table of up to `largest` cases, at a level."""
    con = published(
        "select 'police' as body_kind, x || '/' || n as pfa_code, 'm' as metric_id, 'proportion' as unit,"
        " 'reported' as figure_status, 'census' as collection_mode, x as met_count, n as case_count,"
        " cast(null as bigint) as reported_count"
        f" from range(0, {largest + 1}) as bases(n), range(0, {largest + 1}) as counts(x) where x <= n",
        levels=[(cell_id(f"{x}/{n}", "m"), level) for n in range(largest + 1) for x in range(n + 1)] if level else [],
    )  # fmt: skip
    rows = []
    for row in records(con, "marts.open_data_local_compliance"):
        x, n = (int(part) for part in str(row["area_code"]).split("/"))
        rows.append((x, n, row))
    assert len(rows) == (largest + 1) * (largest + 2) // 2
    return rows


@pytest.fixture(scope="module")
def cells() -> Cells:
    return every_table(level=0, largest=LARGEST)


@pytest.fixture(scope="module")
def banded() -> Cells:
    return every_table(level=1, largest=160)


PUBLIC = (
    "case_count",
    "met_count",
    "rate_percent",
    "rate_lower_percent",
    "rate_upper_percent",
    "rate_band",
    "obs_status",
)


def nearest_five(value: int) -> int:
    return 5 * round(value / 5)


def test_no_small_count_and_no_unrounded_count_is_published(cells: Cells) -> None:
    for x, n, row in cells:
        for count, published in ((n, row["case_count"]), (x, row["met_count"])):
            if published is not None:
                assert count > 7 and published == nearest_five(count), (x, n)


def test_met_cases_are_withheld_where_either_side_is_small(cells: Cells) -> None:
    for x, n, row in cells:
        if x <= 7 or n - x <= 7:
            assert row["met_count"] is None and row["rate_percent"] is None, (x, n)


def test_rates_come_from_rounded_counts(cells: Cells) -> None:
    seen = {True: 0, False: 0}
    for x, n, row in cells:
        base = nearest_five(n)
        if row["rate_percent"] is None:
            continue
        rate = 100 * nearest_five(x) / base
        is_about = base < 100
        assert row["rate_is_about"] is is_about
        assert abs(row["rate_percent"] - rate) <= (5 if is_about else 0.5), (x, n)
        assert row["rate_percent"] % (10 if is_about else 1) == 0
        assert base >= 40, (x, n)
        seen[is_about] += 1
    assert all(seen.values())


def test_every_band_holds_the_true_rate(cells: Cells, banded: Cells) -> None:
    bands = set()
    for x, n, row in cells + banded:
        band = row["rate_band"]
        if band is None:
            continue
        bands.add(band)
        rate, text = 100 * x / n, str(band)
        limits = [int(part) for part in text.replace("%", "").split() if part.isdigit()]
        if text.endswith("and over"):
            assert rate >= limits[0], (x, n, band)
        elif text.startswith(("under", "up to")):
            assert rate <= limits[0], (x, n, band)
        else:
            assert limits[0] <= rate < limits[1] + 1, (x, n, band)
    assert {"under 50%", "50% to 79%", "80% and over", "95% and over", "up to 5%"} <= bands


def test_what_is_published_of_a_cell_leaves_its_counts_open(cells: Cells) -> None:
    """The audit's pass mark, for one cell by itself: all tables with the same public row, by brute force."""
    assert_open(cells, LARGEST, at_least=500)


def test_a_cell_that_is_banded_by_its_level_is_as_open(banded: Cells) -> None:
    """To somebody who guesses that the band is not the rules' own."""
    assert_open(banded, 160, at_least=50)


def assert_open(cells: Cells, largest: int, at_least: int) -> None:
    public: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for x, n, row in cells:
        # near the largest base some of the tables behind a public row are not in the list
        if n <= largest - 5:
            key = tuple(row[name] for name in PUBLIC)
            public.setdefault(key, []).append((x, n))
    complete = {
        key: tables for key, tables in public.items() if key[0] is None or int(str(key[0])) <= largest - 10
    }
    assert len(complete) >= at_least
    for key, tables in complete.items():
        for protected in ({x for x, _ in tables}, {n - x for x, n in tables}, {n for _, n in tables}):
            assert len(protected) >= 3, (key, sorted(protected))
            if min(protected) <= 7:
                assert len(protected) >= 4 and max(protected) >= 3, (key, sorted(protected))


def test_intervals_are_those_of_the_published_counts_rounded_outwards(cells: Cells) -> None:
    seen = 0
    for x, n, row in cells:
        limits = (row["rate_lower_percent"], row["rate_upper_percent"])
        if row["rate_percent"] is None:
            assert limits == (None, None), (x, n)
        elif n % 10 == 0:
            lower, upper = proportion_confint(
                row["met_count"], row["case_count"], alpha=0.05, method="wilson"
            )
            assert limits == (math.floor(100 * lower), math.ceil(100 * upper)), (x, n)
            seen += 1
    assert seen > 500


def test_the_form_of_publication_is_what_the_row_holds(cells: Cells) -> None:
    seen = defaultdict(int)
    for x, n, row in cells:
        if row["rate_percent"] is not None:
            expected = "about" if row["rate_is_about"] else "value"
        elif row["rate_band"] is not None:
            expected = "band"
        else:
            expected = "suppressed" if n <= 7 else "base"
        assert row["published_as"] == expected, (x, n)
        seen[expected] += 1
    assert set(seen) == {"value", "about", "band", "base", "suppressed"}


def test_a_level_takes_away_and_never_adds(cells: Cells, banded: Cells) -> None:
    """Level 1 gives a band or the base alone; where the rules had given no more, it changes nothing."""
    before = {(x, n): row for x, n, row in cells}
    for x, n, row in banded:
        was = before[x, n]
        assert row["met_count"] is None and row["rate_percent"] is None and row["obs_status"] == "c"
        assert row["case_count"] == was["case_count"], (x, n)
        if was["published_as"] in ("value", "about"):
            expected: str | None = (
                "under 50%" if 2 * x < n else "50% to 79%" if 10 * x < 8 * n else "80% and over"
            )
            if nearest_five(n) in (40, 45) and expected != "under 50%":
                expected = None  # only 32 of 40 lies in "80% and over" there
            assert row["rate_band"] == expected, (x, n)
        else:
            assert row == was, (x, n)


def test_levels_two_and_three_withhold_the_rate_and_everything() -> None:
    con = published(
        [
            rate("E23000002", 60, 100),
            rate("E23000003", 98, 100),
            rate("E23000004", 60, 100),
            count("E23000005", 50),
            count("E23000006", 50),
        ],
        levels=[
            (cell_id("E23000002"), 1),
            (cell_id("E23000002"), 2),
            (cell_id("E23000003"), 2),
            (cell_id("E23000004"), 3),
            (cell_id("E23000005", REFERRALS), 2),
            (cell_id("E23000006", REFERRALS), 3),
        ],
    )
    given = {
        row["area_code"]: (row["case_count"], row["reported_count"], row["rate_band"], row["published_as"])
        for row in records(con, "marts.open_data_local_compliance")
    }
    assert given == {
        "E23000002": (100, None, None, "base"),
        "E23000003": (100, None, None, "base"),
        "E23000004": (None, None, None, "suppressed"),
        "E23000005": (None, 50, None, "value"),
        "E23000006": (None, None, None, "suppressed"),
    }


def test_what_repeats_a_withheld_count_is_withheld_whoever_withheld_it() -> None:
    def forms(levels: list[tuple[str, int]]) -> dict[object, object]:
        con = published(
            [rate("E23000002", 70, 96, REFERRED), count("E23000002", 70), rate("E23000002", 50, 69, IN_TIME)],
            levels,
        )
        return {
            row["metric_id"]: row["published_as"] for row in records(con, "marts.open_data_local_compliance")
        }

    assert forms([]) == {REFERRED: "about", REFERRALS: "value", IN_TIME: "about"}
    for level, form in ((1, "band"), (2, "base"), (3, "suppressed")):
        assert forms([(cell_id("E23000002", REFERRED), level)]) == {
            REFERRED: form, REFERRALS: "suppressed", IN_TIME: "suppressed",
        }  # fmt: skip


def test_what_definitions_say_of_two_cells_is_true_of_them() -> None:
    con = published(
        [
            rate("E23000002", 70, 96, REFERRED),
            count("E23000002", 70),
            rate("E23000002", 50, 69, IN_TIME),
            # figures that break the definition: nobody can use it
            rate("E23000003", 70, 96, REFERRED),
            count("E23000003", 71),
            ("police", "E23000004", REFERRED, "proportion", "reported", "random_sample", 20, 30, None),
            count("E23000004", 70),
        ]
    )
    build(con, "int_public_relations_links")
    assert {tuple(row.values()) for row in records(con, "intermediate.int_public_relations_links")} == {
        (f"link|{cell_id('E23000002', metric)}", cell_id("E23000002", of), measure, coefficient, kind)
        for metric, kind in ((REFERRALS, "zero"), (IN_TIME, "at_most_zero"))
        for of, measure, coefficient in ((metric, "base", 1), (REFERRED, "met", -1))
    }


@pytest.mark.parametrize(
    ("earlier", "now", "stands", "note"),
    [
        (None, (60, 100), (60, 100), "p"),
        ((60, 100), (60, 100), (60, 100), "p"),
        ((60, 100), (69, 109), (60, 100), "p"),
        ((60, 100), (51, 91), (60, 100), "p"),
        ((60, 100), (60, 110), (60, 110), "r"),
        ((60, 100), (50, 100), (50, 100), "r"),
        ((60, 100), (70, 105), (70, 105), "r"),
        # small then, and still small by as few: what was withheld stays as it was
        ((3, 6), (7, 15), (3, 6), "p"),
    ],
)  # fmt: skip
def test_a_small_revision_is_not_published(
    earlier: tuple[int, int] | None, now: tuple[int, int], stands: tuple[int, int], note: str
) -> None:
    before = [(cell_id("E23000002"), earlier[1], earlier[0])] if earlier else []
    con = published([rate("E23000002", *now)], earlier=before)
    [exact] = records(con, "intermediate.int_public_compliance_cells")
    [row] = records(con, "marts.open_data_local_compliance")
    assert (exact["met_count"], exact["base_count"]) == stands
    assert row["obs_note"] == note
    [unrevised] = records(published([rate("E23000002", *stands)]), "marts.open_data_local_compliance")
    assert {**row, "obs_note": "p"} == unrevised


def test_what_was_revised_once_stays_marked() -> None:
    """A third version says the same of it as the second, which is not what the first said."""
    [row] = records(
        published([rate("E23000002", 60, 110)], earlier=[(cell_id("E23000002"), 110, 60, True)]),
        "marts.open_data_local_compliance",
    )
    assert (row["case_count"], row["met_count"], row["obs_note"]) == (110, 60, "r")


def test_a_count_is_revised_by_itself_and_a_figure_that_is_gone_is_gone() -> None:
    areas = ("E23000002", "E23000003", "E23000004")
    gone = ("police", "E23000004", REFERRALS, "count", "incomplete", "census", None, None, 77)
    con = published(
        [count("E23000002", 59), count("E23000003", 60), gone],
        earlier=[(cell_id(area, REFERRALS), 50, None) for area in areas],
    )
    rows = {row["area_code"]: row for row in records(con, "marts.open_data_local_compliance")}
    assert [(rows[area]["reported_count"], rows[area]["obs_note"], rows[area]["obs_status"]) for area in areas] == [
        (50, "p", None), (60, "r", None), (None, "r", "w"),
    ]  # fmt: skip


def test_figures_that_repeat_one_another_are_revised_together() -> None:
    """Alone, the referrals would stay at 70 beside 73 referred, and their definition would tell the change."""
    con = published(
        [rate("E23000002", 73, 110, REFERRED), count("E23000002", 73), rate("E23000002", 53, 100, OWN)],
        earlier=[
            (cell_id("E23000002", REFERRED), 96, 70),
            (cell_id("E23000002", REFERRALS), 70, None),
            (cell_id("E23000002", OWN), 96, 50),
        ],
    )
    exact = {row["metric_id"]: row for row in records(con, "intermediate.int_public_compliance_cells")}
    assert [exact[metric]["base_count"] for metric in (REFERRED, REFERRALS, OWN)] == [110, 73, 96]
    assert [exact[metric]["is_revised"] for metric in (REFERRED, REFERRALS, OWN)] == [True, True, False]


def test_every_total_can_be_added_up_again_by_any_reader() -> None:
    """Sums, coverage and like areas worked out anew from the public tables alone."""
    con = published(random_figures(random.Random(5)))
    seed(con, "similar_areas", valid_from="date", valid_to="date")
    con.execute(
        "create table intermediate.int_like_areas as select 'q' as period_code, pfa_code, peer_pfa_code"
        " from reference.similar_areas"
    )
    seed(con, "area_bridges", valid_from="date", valid_to="date")
    build(
        con,
        "int_area_groups",
        "open_data_area_groups",
        "open_data_group_compliance",
        "open_data_local_benchmarks",
    )
    populations = dict(con.execute("select pfa_code, population from reference.areas").fetchall())
    local = {
        (row["area_code"], row["metric_id"]): row for row in records(con, "marts.open_data_local_compliance")
    }
    members = defaultdict(list)
    for row in records(con, "marts.open_data_area_groups"):
        members[row["group_kind"], row["group_code"]].append(row["area_code"])
    seen = defaultdict(int)
    for total in records(con, "marts.open_data_group_compliance"):
        rows = [local[area, total["metric_id"]] for area in members[total["group_kind"], total["group_code"]]]
        summed = [row for row in rows if row["met_count"] is not None]
        bases = [row for row in rows if row["case_count"] is not None]
        absent = sum(populations[row["area_code"]] for row in rows if row["obs_status"] == "w")
        withheld = sum(row["obs_status"] == "c" and row["case_count"] is None for row in rows)
        sizes = sum(row["case_count"] for row in bases)
        known = sum(populations[row["area_code"]] for row in bases)
        cases = sum(row["case_count"] for row in summed)
        covered = cases / (sizes + 7 * withheld + sizes * absent / known) if known else 0
        assert (total["areas_expected"], total["areas_published"]) == (len(rows), len(summed))
        if all(row["obs_status"] == "w" for row in rows):
            assert total["obs_status"] == "w" and total["case_share_covered"] is None
        elif covered >= 0.9:
            met = sum(row["met_count"] for row in summed)
            assert (total["obs_status"], total["case_count"], total["met_count"]) == (None, cases, met)
            assert abs(total["rate_percent"] - 100 * met / cases) <= (0.5 if cases >= 100 else 5)
            lower, upper = proportion_confint(met, cases, alpha=0.05, method="wilson")
            limits = (math.floor(100 * lower), math.ceil(100 * upper))
            assert (total["rate_lower_percent"], total["rate_upper_percent"]) == limits
        else:
            assert (total["obs_status"], total["case_count"], total["met_count"]) == ("c", None, None)
        seen[total["group_kind"], total["obs_status"]] += 1
    assert {kind for kind, _ in seen} == {
        "criminal_justice_board", "cps_area", "hmcts_region", "probation_region", "region", "country", "nation",
    }  # fmt: skip
    assert {status for _, status in seen} == {None, "c", "w"}

    compared = defaultdict(int)
    for row in records(con, "marts.open_data_local_benchmarks"):
        assert local[row["area_code"], row["metric_id"]]["rate_percent"] == row["rate_percent"]
        assert row["area_code"] not in members["like_areas", row["area_code"]]
        peers = [local[area, row["metric_id"]] for area in members["like_areas", row["area_code"]]]
        pooled = [peer for peer in peers if peer["met_count"] is not None]
        assert (row["like_areas_expected"], row["like_areas_published"]) == (len(peers), len(pooled))
        compared[row["obs_status"]] += 1
        if len(pooled) < 3:
            assert row["obs_status"] == "x" and row["like_areas_case_count"] is None
            continue
        cases, met = (sum(peer[name] for peer in pooled) for name in ("case_count", "met_count"))
        assert (row["obs_status"], row["like_areas_case_count"], row["like_areas_met_count"]) == (
            None,
            cases,
            met,
        )
        assert abs(row["like_areas_rate_percent"] - 100 * met / cases) <= 0.5
    assert set(compared) == {None, "x"}


def random_figures(chosen: random.Random) -> list[tuple[object, ...]]:
    """Figures of every area: metrics that are mostly large, mixed, and mostly small; some areas sent nothing."""
    con = database()
    seed(con, "areas")
    areas = [
        code
        for (code,) in con.execute(
            "select pfa_code from reference.areas where area_kind = 'police_area'"
        ).fetchall()
    ]
    figures = []
    for metric, largest in (("large", 2000), ("mixed", 150), ("small", 60)):
        for area in areas:
            if chosen.random() < 0.06:
                figures.append(
                    ("police", area, metric, "proportion", "not_submitted", "none", None, None, None)
                )
                continue
            cases = chosen.randrange(largest // 20, largest)
            figures.append(rate(area, chosen.randrange(cases // 3, cases + 1), cases, metric))
    return figures


def test_shares_count_the_public_rows() -> None:
    con = published(random_figures(random.Random(6)))
    # nothing of a year: the same rows under other names, and none of them
    for name, renamed in (
        ("open_data_local_feedback", "metric_id as question_id, case_count as valid_answer_count"),
        ("open_data_region_breakdowns", "metric_id as item_id, case_count as base_count"),
    ):
        con.execute(
            f"create table marts.{name} as select *, {renamed} from marts.open_data_local_compliance where false"
        )
    build(con, "open_data_publication_shares")
    local = records(con, "marts.open_data_local_compliance")
    shares = {row["item_id"]: row for row in records(con, "marts.open_data_publication_shares")}
    assert set(shares) == {"large", "mixed", "small"}
    for metric, row in shares.items():
        rows = [each for each in local if each["metric_id"] == metric]
        for form in ("value", "about", "band", "base", "suppressed"):
            assert row[f"cells_{form}"] == sum(each["published_as"] == form for each in rows)
        assert row["cells_not_submitted"] == sum(each["obs_status"] == "w" for each in rows)
        assert row["cells_expected"] == len(rows) == 43
        large = [each for each in rows if each["case_count"] is not None and each["case_count"] >= 100]
        close = [
            each for each in large
            if each["rate_percent"] is not None
            or each["rate_band"] in ("80% and over", "90% and over", "95% and over", "up to 5%", "up to 10%", "up to 20%")
        ]  # fmt: skip
        assert (row["large_cells"], row["large_cells_published"]) == (len(large), len(close))
        assert row["large_published_percent"] == (100 * len(close) // len(large) if large else None)


def test_what_is_derived_reads_published_cells_only() -> None:
    """So that it tells nothing new: no exact count is on the way but through a table that applies the rules."""
    kinds = {}
    for path in (DBT / "models" / "marts" / "open_data").glob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            kinds[model["name"]] = model["config"]["meta"]["public_kind"]
    assert set(kinds.values()) <= {"cells", "derived", "plain"}
    assert {"open_data_group_compliance", "open_data_local_benchmarks", "open_data_publication_shares"} <= {
        name for name, kind in kinds.items() if kind == "derived"
    }
    harmless = {"int_disclosure_rules", "int_area_groups", "int_like_areas", "int_quarters", "int_expected_items",
                "areas", "body_kinds", "area_bridges"}  # fmt: skip
    for name in (name for name, kind in kinds.items() if kind == "derived"):
        open_data = {parent for parent in parents(name) if parent in kinds}
        assert parents(name) - open_data <= harmless, name
        assert all(kinds[parent] in ("cells", "plain", "derived") for parent in open_data), name


def test_every_empty_cell_says_why(cells: Cells) -> None:
    for x, n, row in cells:
        assert (row["obs_status"] is None) == (row["rate_percent"] is not None), (x, n)
        assert row["obs_status"] in (None, "c")


def test_the_rules_have_somewhere_to_bite(cells: Cells) -> None:
    given = [row for *_, row in cells if row["rate_percent"] is not None]
    assert 0 < len(given) < len(cells)

"""Official results and shadow: what was recorded at a final build stands, whatever a revision makes of its quarter."""

from __future__ import annotations

import math
import random
from datetime import date

import duckdb
import pytest

from tests.warehouse.persistence_tables import OFFICIAL
from tests.warehouse.rendering import build, database, relation, table
from tests.warehouse.test_persistence import (
    CHANGES,
    History,
    Rule,
    area_of,
    closings_table,
    differences,
    histories_tables,
    in_words,
    machine,
    quarter,
    results_by_area,
    rules_table,
    words,
)

SHADOW = ("int_persistence_shadow",)
KEY = "body_kind, pfa_code, right_number, period_code"
RULES_OF = "s4_counts, persistence_scope, bridge_quarters, close_quarters, reopen_quarters"


def rebuild(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    for name in names:
        con.execute(f"drop table if exists {relation(name)}")
    build(con, *names)


def record(con: duckdb.DuckDBPyConnection, quarters: int) -> None:
    """Record the first quarters as they are now, as a final build does."""
    con.execute(
        "insert into staging.stg_recorded_quarters (period_code, build_id, inputs_id)"
        " select 'q' || i, 'b1', 'i1' from range(0, ?) as recorded(i)",
        [quarters],
    )
    con.execute(
        f"insert into staging.stg_recorded_states ({KEY}, state, result, is_recommended, is_open_case, is_s4_met,"
        f" indicators_met, senders_expected, senders_received, rule_version, {RULES_OF})"
        f" select {KEY}, state, result, is_recommended, is_open_case, is_s4_met, indicators_met, senders_expected,"
        f" senders_received, rule_version, {RULES_OF} from intermediate.int_persistence"
        f" inner join (select {KEY}, {RULES_OF} from intermediate.int_official_states) using ({KEY})"
        " where quarter_index < ?",
        [quarters],
    )
    con.execute(
        "insert into staging.stg_recorded_detections (body_kind, pfa_code, right_number, period_code, indicator,"
        " item_id) select distinct body_kind, pfa_code, right_number, period_code, indicator, item_id"
        " from intermediate.int_official_items where cast(substr(period_code, 2) as integer) < ?",
        [quarters],
    )


def shadow_by_area(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(
        con.execute(
            "select pfa_code, string_agg(result || case when is_open_case then '+' else '' end, ' '"
            " order by quarter_index) from intermediate.int_persistence_shadow group by pfa_code"
        ).fetchall()
    )


def by_machine(letters: str, history: History, rules: list[Rule]) -> str:
    return in_words(machine([quarter(each, i) for i, each in enumerate(letters)], history[1], rules))


def test_recording_a_quarter_changes_no_result() -> None:
    """Why a quarter recorded from a build's own inputs is no reason to build again: not even after closings."""
    con = database()
    draw = random.Random("recording")
    histories: list[History] = [
        (word, draw.choice([(), (1,), (2,), ("1e",), (0, 2)])) for word in words("12NTS", 5)
    ]
    rules_table(con, [Rule()] * 5)
    histories_tables(con, histories)
    build(con, *OFFICIAL)
    before = "create table main.before as select * from intermediate.int_persistence"
    con.execute(before)
    record(con, 4)
    rebuild(con, *OFFICIAL)
    for one, other in (
        ("main.before", "intermediate.int_persistence"),
        ("intermediate.int_persistence", "main.before"),
    ):
        [(wrong,)] = con.execute(
            f"select count(*) from (select * from {one} except select * from {other})"
        ).fetchall()
        assert wrong == 0


@pytest.mark.parametrize("scope", ["same_indicator", "any_indicator"])
@pytest.mark.parametrize("recorded", [1, 3, 5])
def test_after_any_revision_the_record_stands_and_the_shadow_follows(scope: str, recorded: int) -> None:
    """Histories of six quarters, the first of them recorded, then every quarter drawn anew."""
    con = database()
    draw = random.Random(f"revisions, {scope}, {recorded}")
    rules = [Rule(scope)] * 6
    closings: list[tuple[int | str, ...]] = [(), (), (2,), (3,), ("3e",), (1, 4)]
    histories: list[History] = [
        (word, draw.choice(closings)) for word in draw.sample(words("12NTS", 6), 3000)
    ]
    rules_table(con, rules)
    histories_tables(con, histories)
    build(con, *OFFICIAL)
    record(con, recorded)

    revised = {area_of(each): "".join(draw.choice("12NTS") for _ in range(6)) for each in histories}
    for name in (
        "intermediate.int_right_states",
        "intermediate.int_indicators",
        "intermediate.int_case_closures",
    ):
        con.execute(f"drop table {name}")
    for name in ("areas", "letters", "items"):
        con.execute(f"drop table {name}")
    histories_tables(con, histories, revised)
    rebuild(con, *OFFICIAL, *SHADOW)
    official = {
        area_of(each): by_machine(each[0][:recorded] + revised[area_of(each)][recorded:], each, rules)
        for each in histories
    }
    shadow = {area_of(each): by_machine(revised[area_of(each)], each, rules) for each in histories}
    assert not (text := differences(results_by_area(con), official)), text
    assert not (text := differences(shadow_by_area(con), shadow)), text
    assert official != shadow


@pytest.mark.parametrize("change", CHANGES)
def test_rules_agreed_later_do_not_judge_a_recorded_quarter(change: str) -> None:
    """A rule version for quarters that are recorded already: they keep the version of their final build."""
    before, after = CHANGES[change]
    con = database()
    draw = random.Random(change)
    histories: list[History] = [(word, draw.choice([(), (1,), (2,)])) for word in words("12NTS", 5)]
    rules_table(con, [before] * 5)
    histories_tables(con, histories)
    build(con, *OFFICIAL)
    record(con, 3)
    con.execute(
        "update intermediate.int_right_states set rule_version = 1, persistence_scope = ?, bridge_quarters = ?,"
        " close_quarters = ?, reopen_quarters = ?",
        list(after),
    )
    rebuild(con, *OFFICIAL, *SHADOW)
    mixed = [before] * 3 + [after] * 2
    assert not (
        text := differences(
            results_by_area(con), {area_of(each): by_machine(each[0], each, mixed) for each in histories}
        )
    ), text
    assert not (
        text := differences(
            shadow_by_area(con), {area_of(each): by_machine(each[0], each, [after] * 5) for each in histories}
        )
    ), text


# --- flips -------------------------------------------------------------------------------------------------


def flips(con: duckdb.DuckDBPyConnection, *columns: str) -> list[tuple[object, ...]]:
    rebuild(con, *OFFICIAL, *SHADOW, "oversight_revision_flips")
    return con.execute(
        f"select pfa_code, period_code, {', '.join(columns)} from marts.oversight_revision_flips order by 1, 2"
    ).fetchall()


Y_TARGET, TAU_SQUARED, WEIGHTS = math.asin(math.sqrt(0.8)), 0.004, 900.0


def z(good: int, base: int) -> float:
    """z of methods.md, with the like areas and tau squared of then."""
    s_squared = 1 / (4 * base)
    return (math.asin(math.sqrt(good / base)) - Y_TARGET) / math.sqrt(s_squared + TAU_SQUARED + 1 / WEIGHTS)


@pytest.fixture
def recorded() -> duckdb.DuckDBPyConnection:
    """Four areas, severe on S2 in q0 and q1 (open cases) and clear in q2; q0 and q1 are recorded, q2 is not."""
    con = database()
    rules_table(con, [Rule()] * 3)
    histories: list[History] = [("XXN", ()), ("NNN", ()), ("BXN", ()), ("1NN", ())]
    histories_tables(con, histories)
    con.execute("alter table intermediate.int_quarters add column last_day date")
    con.execute("update intermediate.int_quarters set last_day = date '2025-06-30'")
    dated = {"valid_from": "date", "valid_to": "date"}
    table(con, "areas", {"pfa_code": "varchar", "area_name": "varchar", **dated},
          [(area_of(each), each[0], date(2020, 1, 1), None) for each in histories])  # fmt: skip
    table(con, "rights", {"right_number": "integer", "right_title": "varchar", **dated},
          [(4, "four", date(2020, 1, 1), None)])  # fmt: skip
    table(con, "body_kind_areas", {"body_kind": "varchar", "pfa_code": "varchar"},
          [("police", area_of(each)) for each in histories])  # fmt: skip
    build(con, "int_case_keys")
    con.execute(
        "alter table intermediate.int_indicators add column collection_mode varchar default 'census';"
        "alter table intermediate.int_indicators add column sampling_frame varchar default 'all';"
        "alter table intermediate.int_indicators add column good_count bigint default 60;"
        "alter table intermediate.int_indicators add column base_count bigint default 100;"
        "alter table intermediate.int_indicators add column good_rate double default 0.6;"
        "alter table intermediate.int_indicators add column z_score double;"
        "alter table intermediate.int_indicators add column gap_to_peers double"
    )
    con.execute("update intermediate.int_indicators set z_score = ? where indicator = 'S2'", [z(60, 100)])
    con.execute(
        "create table intermediate.int_own_receipts as select body_kind, pfa_code, period_code,"
        " 'R1' as receipts from intermediate.int_right_states"
    )
    build(con, *OFFICIAL)
    record(con, 2)
    con.execute(
        "update staging.stg_recorded_states set receipts = 'R1';"
        "update staging.stg_recorded_detections set collection_mode = 'census', sampling_frame = 'all',"
        " good_count = 60, base_count = 100, rate = 0.6"
    )
    con.execute(
        "update staging.stg_recorded_detections set z_score = ?, tau_squared = ?, peer_target_rate = 0.8,"
        " peer_weight_sum = ? where indicator = 'S2'",
        [z(60, 100), TAU_SQUARED, WEIGHTS],
    )
    return con


def revise(con: duckdb.DuckDBPyConnection, area: str, period: str, state: str) -> None:
    con.execute(
        "update intermediate.int_right_states set state = ? where pfa_code = ? and period_code = ?",
        [state, area, period],
    )


def test_without_a_revision_there_is_no_flip(recorded: duckdb.DuckDBPyConnection) -> None:
    assert flips(recorded) == []


def test_a_revision_that_takes_the_detection_away_leaves_the_case_open(
    recorded: duckdb.DuckDBPyConnection,
) -> None:
    for period in ("q0", "q1"):
        revise(recorded, "XXN/", period, "NOT_MET")
        recorded.execute(
            "update intermediate.int_indicators set is_met = false, good_count = 78, good_rate = 0.78, z_score = -0.3"
            " where pfa_code = 'XXN/' and period_code = ?",
            [period],
        )
        recorded.execute(
            "update intermediate.int_own_receipts set receipts = 'R7' where pfa_code = 'XXN/' and period_code = ?",
            [period],
        )
    found = flips(
        recorded, "direction", "cause", "state_then", "state_now", "result_then", "result_now", "is_open_case_then",
        "is_open_case_now", "indicator", "good_count_then", "good_count_now", "round(z_then, 6)", "z_now",
        "z_on_frozen_peers",
    )  # fmt: skip
    frozen = pytest.approx(z(78, 100), abs=1e-6)
    figures = ("S2", 60, 78, round(z(60, 100), 6), -0.3, frozen)
    assert found == [
        ("XXN/", "q0", "no_longer_severe", "own_return", "MET", "NOT_MET", "SEVERE", "CLEAR", False, False, *figures),
        ("XXN/", "q1", "no_longer_severe", "own_return", "MET", "NOT_MET", "SEVERE_PERSISTENT", "CLEAR", True, False,
         *figures),
    ]  # fmt: skip
    # the next quarter, not recorded yet: the case is open, and stays so until somebody decides
    assert results_by_area(recorded)["XXN/"] == "SEVERE SEVERE_PERSISTENT+ PERSISTENT_IMPROVING+"
    assert shadow_by_area(recorded)["XXN/"] == "CLEAR CLEAR CLEAR"


def test_like_areas_that_moved_are_told_from_a_revised_return(recorded: duckdb.DuckDBPyConnection) -> None:
    """The own figures are those of then: on the frozen like areas z is what it was."""
    revise(recorded, "XXN/", "q1", "NOT_MET")
    recorded.execute(
        "update intermediate.int_indicators set is_met = false, z_score = -2.9"
        " where pfa_code = 'XXN/' and period_code = 'q1'"
    )
    found = flips(
        recorded, "cause", "is_own_return_revised", "z_now", "z_on_frozen_peers", "round(z_then, 6)"
    )
    assert found == [
        ("XXN/", "q1", "like_areas", False, -2.9, pytest.approx(z(60, 100), abs=1e-6), round(z(60, 100), 6))
    ]


def test_a_revision_that_adds_a_detection_opens_nothing(recorded: duckdb.DuckDBPyConnection) -> None:
    for period in ("q0", "q1"):
        revise(recorded, "NNN/", period, "MET")
        recorded.execute(
            "insert into intermediate.int_indicators (body_kind, pfa_code, right_number, period_code, indicator,"
            " item_id, is_met) values ('police', 'NNN/', 4, ?, 'S1', 'm1', true)",
            [period],
        )
    recorded.execute("update intermediate.int_own_receipts set receipts = 'R8' where pfa_code = 'NNN/'")
    found = flips(
        recorded, "direction", "cause", "result_then", "result_now", "indicator", "good_count_then", "good_count_now",
        "case_id_then is null", "case_id_now is null",
    )  # fmt: skip
    assert found == [
        ("NNN/", "q0", "newly_severe", "own_return", "CLEAR", "SEVERE", "S1", None, 60, True, False),
        (
            "NNN/",
            "q1",
            "newly_severe",
            "own_return",
            "CLEAR",
            "SEVERE_PERSISTENT",
            "S1",
            None,
            60,
            True,
            False,
        ),
    ]
    assert results_by_area(recorded)["NNN/"] == "CLEAR CLEAR CLEAR"


def test_an_earlier_quarter_alone_can_flip_a_result(recorded: duckdb.DuckDBPyConnection) -> None:
    """1NN: with q0 revised to clear, q1 is clear as before, but nothing is reset any more."""
    revise(recorded, "1NN/", "q0", "NOT_MET")
    recorded.execute("update intermediate.int_indicators set is_met = false where pfa_code = '1NN/'")
    recorded.execute(
        "update intermediate.int_own_receipts set receipts = 'R9' where pfa_code = '1NN/' and period_code = 'q0'"
    )
    assert flips(recorded, "direction", "cause", "result_then", "result_now", "indicator") == [
        ("1NN/", "q0", "no_longer_severe", "own_return", "SEVERE", "CLEAR", "S1"),
        ("1NN/", "q1", "other", "earlier_quarters", "RESET", "CLEAR", None),
    ]


def test_a_decision_that_came_late_is_told_from_a_revision(recorded: duckdb.DuckDBPyConnection) -> None:
    """Closed after q0, told after q1 was recorded: q1 is no second severe quarter any more, and no figure moved."""
    recorded.execute("drop table intermediate.int_case_closures")
    closings_table(recorded, [("XXN", (0,))])
    recorded.execute("update intermediate.int_case_closures set pfa_code = 'XXN/'")
    recorded.execute(
        "update intermediate.int_own_receipts set receipts = 'R7' where pfa_code = 'XXN/' and period_code = 'q1'"
    )
    columns = ("direction", "cause", "is_own_return_revised", "result_then", "result_now", "indicator")
    assert flips(recorded, *columns) == [
        ("XXN/", "q1", "other", "decision", True, "SEVERE_PERSISTENT", "REOPENED", None)
    ]
    # with a figure before it revised too, it is not the decision alone
    revise(recorded, "XXN/", "q1", "NOT_MET")
    recorded.execute("update intermediate.int_indicators set is_met = false where period_code = 'q1'")
    assert flips(recorded, "cause")[-1] == ("XXN/", "q1", "own_return")


def test_a_figure_is_named_only_where_one_test_changed(recorded: duckdb.DuckDBPyConnection) -> None:
    revise(recorded, "BXN/", "q0", "NOT_MET")
    recorded.execute(
        "update intermediate.int_indicators set is_met = false where pfa_code = 'BXN/' and period_code = 'q0'"
    )
    # severe on two metrics then, on none now
    [first, *_] = flips(recorded, "direction", "cause", "indicator", "good_count_then")
    assert first == ("BXN/", "q0", "no_longer_severe", "other_figures", None, None)


def test_a_case_ended_as_an_error_of_the_data_is_closed_in_both(recorded: duckdb.DuckDBPyConnection) -> None:
    recorded.execute("drop table intermediate.int_case_closures")
    closings_table(recorded, [("XXN", ("1e",))])
    recorded.execute("update intermediate.int_case_closures set pfa_code = 'XXN/'")
    for period in ("q0", "q1"):
        revise(recorded, "XXN/", period, "NOT_MET")
        recorded.execute("update intermediate.int_indicators set is_met = false where pfa_code = 'XXN/'")
    assert [row[2] for row in flips(recorded, "direction")] == ["no_longer_severe"] * 2
    assert results_by_area(recorded)["XXN/"] == "SEVERE SEVERE_PERSISTENT+ CLEAR"

"""A proposed rule table put to a small invented nation: what is flagged, new and dropped is worked out by hand.

The police of a few areas report for three quarters, all others never do. One-sided 95% upper bounds (z = 1.644854)
on x of n, by hand: 35/100 0.431, 45/100 0.532, 14/40 0.480, 20/100 0.274, 70/100 0.769. Fewer than five areas
report, so that S2 cannot be assessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.clock import FixedClock
from ingest.form import load_forms
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw
from ingest.receive import receive
from ingest.reference import Reference
from ingest.rule_table import RuleRow, RuleTable
from orchestration.project import SettingError
from orchestration.rendering import between, parents
from orchestration.simulation import (
    NOW,
    RULE_MODELS,
    THEN,
    recompute,
    recomputed_models,
    results_model,
    simulate,
    version_in_force,
)
from reports.simulation import Simulation, changes, tallies
from tests.warehouse.rendering import DBT, build, database, relation, typed_seed
from tests.warehouse.test_frequency import in_order, sources

QUARTERS = ("2026-27-Q1", "2026-27-Q2", "2026-27-Q3")
TIMELY, REFERRED, WITHIN = "r02_s01_recorded_24h", "r04_s02_referral_prop", "r04_s03_referral_2wd"
#: Area -> metric -> (x, n) of each quarter.
LOW, MIDDLE, SMALL, WORST = "E23000010", "E23000028", "E23000009", "E23000014"
FIGURES = {
    LOW: {TIMELY: [(35, 100)] * 3, REFERRED: [(20, 100), (70, 100), (70, 100)],
          WITHIN: [(70, 100), (20, 100), (70, 100)]},
    MIDDLE: {TIMELY: [(45, 100)] * 3},
    SMALL: {TIMELY: [(14, 40)] * 3},
    WORST: {TIMELY: [(20, 100)] * 3},
}  # fmt: skip
#: Grade 0 for a process of right 2, in the last two quarters; no other grade is given.
NO_PROCESS = MIDDLE
HISTORIES = 2

Flag = tuple[str, int, str]


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """Everything the results rest on, built from no returns at all but the invented rows."""
    folder = tmp_path_factory.mktemp("nation")
    reference, forms = Reference.load(), load_forms()
    root = DataRoot(folder / "data").create()
    receive(root, reference, forms, FixedClock(datetime(2027, 3, 1, 12, tzinfo=UTC)))
    build_raw(root, reference, forms, [Period.parse(QUARTERS[0])], through=Period.parse(QUARTERS[-1]))
    con = database()
    for name in source_tables():
        con.execute(
            f"create view raw.{name.replace('/', '_')} as from read_parquet('{root.raw}/{name}/*.parquet')"
        )
    for name in in_order((results_model(), "rights")):
        if (DBT / "seeds" / f"{name}.csv").exists():
            typed_seed(con, name)
        else:
            build(con, name)
            invent(con, name)
    con.execute(f"delete from {relation('int_quarters')} where period_code < '{QUARTERS[0]}'")
    # what follows the rules is built again, now that the quarters are three
    for name in recomputed_models():
        con.execute(f"create or replace table {relation(name)} as {model(name)}")
    return con


def source_tables() -> list[str]:
    import re

    return re.findall(r"read_parquet\('\{\{.*?\}\}/raw/(.*?)/\*\.parquet'\)", sources())


def model(name: str) -> str:
    from orchestration.rendering import model_sql

    return model_sql(name)


def invent(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Put the invented rows into the staging tables, as soon as they stand."""
    if name == "int_current_receipts":
        for area in FIGURES:
            for number, quarter in enumerate(QUARTERS):
                con.execute(
                    f"insert into {relation(name)} (sender_code, form_kind, period_code, receipt_id,"
                    " receipt_sequence) values (?, 'quarterly', ?, ?, ?)",
                    [f"{area}-police", quarter, f"{area}-{quarter}", number],
                )
    if name == "stg_quarterly_metrics":
        for area, metrics in FIGURES.items():
            for metric, counts in metrics.items():
                for quarter, (x, n) in zip(QUARTERS, counts, strict=True):
                    con.execute(
                        f"insert into {relation(name)} (receipt_id, body_code, pfa_code, metric_id, crime_type,"
                        " characteristic, characteristic_value, is_total, collection_mode, sampling_frame,"
                        " met_count, not_met_count) values (?, ?, ?, ?, 'ALL', 'ALL', 'ALL', true, 'census',"
                        " 'all_cases', ?, ?)",
                        [f"{area}-{quarter}", f"{area}-police", area, metric, x, n - x],
                    )
    if name == "stg_quarterly_delivery":
        for quarter in QUARTERS[1:]:
            con.execute(
                f"insert into {relation(name)} (receipt_id, body_code, pfa_code, item_id, grade, improvement_plan)"
                " values (?, ?, ?, 'r02_d01', 0, 'a plan')",
                [f"{NO_PROCESS}-{quarter}", f"{NO_PROCESS}-police", NO_PROCESS],
            )


@pytest.fixture
def con(nation: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    yield nation
    for catalog in (THEN, NOW):
        nation.execute(f"detach database if exists {catalog}")


Simulated = Callable[..., Simulation]


@pytest.fixture
def simulated(con: duckdb.DuckDBPyConnection) -> Simulated:
    def run(*rows: RuleRow, is_whole: bool = False) -> Simulation:
        proposal = RuleTable(rows, is_whole=is_whole)
        return simulate(
            con, proposal, "proposal.csv", seeds=DBT / "seeds", source="memory", histories=HISTORIES
        )

    return run


def number(parameter: str, value: float, metric: str | None = None) -> RuleRow:
    return RuleRow(parameter, metric, value, None, "proposed")


def word(parameter: str, value: str) -> RuleRow:
    return RuleRow(parameter, None, None, value, "proposed")


def flags(simulation: Simulation, change: str) -> set[Flag]:
    """(area, right, quarter) of the police that report."""
    return {
        (row["pfa_code"], row["right_number"], row["period_code"])
        for row in changes(simulation, change)
        if row["body_kind"] == "police" and row["pfa_code"] in FIGURES
    }


def late(area: str, right: int = 2) -> set[Flag]:
    """Persistent from the second quarter on."""
    return {(area, right, quarter) for quarter in QUARTERS[1:]}


def test_the_models_to_run_again_are_all_that_lie_between_the_rules_and_the_results() -> None:
    models = recomputed_models()
    assert models[-1] == results_model()
    assert {*RULE_MODELS, "int_rules_by_quarter", "int_indicators", "int_right_states"} <= set(models)
    for place, name in enumerate(models):
        assert set(models[place + 1 :]) & parents(name) == set(), f"{name} comes before what it reads"
    recorded = {"severe_rules", "severe_thresholds", "int_agreed_rules"}
    assert set(between(recorded, results_model())) - recorded == set(models), (
        "a model reads recorded rules past those that a proposal takes the place of"
    )


def test_the_rules_in_force_change_nothing(con: duckdb.DuckDBPyConnection, simulated: Simulated) -> None:
    recompute(con, THEN, source="memory")
    in_force = version_in_force(con)
    con.execute(f"detach {THEN}")
    simulation = simulated(*in_force.rows, is_whole=True)
    assert (simulation.changed_rules, changes(simulation, "new"), changes(simulation, "dropped")) == (
        [],
        [],
        [],
    )
    for row in simulation.results:
        for name in ("state", "result", "is_recommended", "indicators_met"):
            assert row[f"{name}_then"] == row[f"{name}_now"], row
    assert simulation.expected_then == simulation.expected_now
    assert all(then == now for then, now in simulation.s2_tests.values())
    assert flags(simulation, "both") == late(LOW) | late(SMALL) | late(WORST)


def test_then_is_what_the_build_holds(con: duckdb.DuckDBPyConnection, simulated: Simulated) -> None:
    simulation = simulated(number("n_min", 50))
    recorded = con.execute(
        f"select body_kind, pfa_code, right_number, period_code, state, result from {relation(results_model())}"
    ).fetchall()
    names = ("body_kind", "pfa_code", "right_number", "period_code", "state_then", "result_then")
    assert {tuple(row[name] for name in names) for row in simulation.results} == set(recorded)
    assert not any("differ" in note for note in simulation.notes)


def test_another_threshold_and_least_number_of_cases(simulated: Simulated) -> None:
    simulation = simulated(number("threshold", 0.6, TIMELY), number("n_min", 50))
    assert flags(simulation, "new") == late(MIDDLE)
    assert flags(simulation, "dropped") == late(SMALL)
    assert flags(simulation, "both") == late(LOW) | late(WORST)
    states = {
        (r["pfa_code"], r["right_number"], r["period_code"]): r["state_now"] for r in simulation.results
    }
    assert [states[SMALL, 2, quarter] for quarter in QUARTERS] == ["TOO_FEW"] * 3


def test_a_lower_threshold_drops(simulated: Simulated) -> None:
    simulation = simulated(number("threshold", 0.4, TIMELY))
    assert flags(simulation, "new") == set()
    assert flags(simulation, "dropped") == late(LOW) | late(SMALL)
    assert flags(simulation, "both") == late(WORST)


def test_any_indicator_carries_over_from_one_metric_to_another(simulated: Simulated) -> None:
    simulation = simulated(word("persistence_scope", "any_indicator"))
    # severe on one metric of right 4 in the first quarter and on another in the second
    assert flags(simulation, "new") == {(LOW, 4, QUARTERS[1])}
    assert flags(simulation, "dropped") == set()


def test_s4_counts(simulated: Simulated) -> None:
    simulation = simulated(word("s4_counts", "counts"))
    # The process is graded 0 in the second and third quarter, and no other indicator is met there. In the first two
    # quarters right 4 is severe elsewhere, on one metric after another, each time without a plan: S4 repeats.
    assert flags(simulation, "new") == {(MIDDLE, 2, QUARTERS[2]), (LOW, 4, QUARTERS[1])}
    assert flags(simulation, "dropped") == set()


def test_a_return_sets_the_thresholds_that_it_names_and_no_others(
    con: duckdb.DuckDBPyConnection, simulated: Simulated
) -> None:
    recompute(con, THEN, source="memory")
    rows = [row for row in version_in_force(con).rows if row.metric_id != TIMELY]
    con.execute(f"detach {THEN}")
    simulation = simulated(*rows, is_whole=True)
    assert flags(simulation, "dropped") == late(LOW) | late(SMALL) | late(WORST)
    [line] = simulation.changed_rules
    assert (line["metric_id"], line["value_now"], line["origin"]) == (TIMELY, None, "left out")


def test_non_submission_is_in_both(simulated: Simulated) -> None:
    simulation = simulated(number("threshold", 0.0, TIMELY))
    results = [row for row in simulation.results if row["result_then"] == "NON_SUBMISSION"]
    assert results and all(row["result_now"] == "NON_SUBMISSION" for row in results)
    [total] = [t for t in tallies(simulation) if (t.measure, t.breakdown) == ("recommended", "all")]
    assert (total.both, total.new, total.dropped) == (len(results), 0, 6)


def test_like_areas_that_there_are_none_of_are_refused(simulated: Simulated) -> None:
    with pytest.raises(SettingError, match="size_and_density_2021"):
        simulated(word("peer_set", "nobody"))


def test_the_output_says_what_was_taken_from_the_version_in_force(simulated: Simulated) -> None:
    simulation = simulated(number("n_min", 50))
    lines: dict[Any, Any] = {(line["parameter"], line["metric_id"]): line for line in simulation.rules}
    assert lines["n_min", None]["origin"] == "proposed"
    assert lines["s1_z", None]["origin"] == lines["threshold", TIMELY]["origin"] == "in force"
    assert any("1 of the values; all others are taken from version 0" in note for note in simulation.notes)


def test_nothing_is_written_into_the_build(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    before = con.execute("select schema_name, table_name, estimated_size from duckdb_tables()"
                         " where database_name = 'memory' order by all").fetchall()  # fmt: skip
    recompute(con, THEN, source="memory")
    after = con.execute("select schema_name, table_name, estimated_size from duckdb_tables()"
                        " where database_name = 'memory' order by all").fetchall()  # fmt: skip
    assert after == before

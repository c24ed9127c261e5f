from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from ingest.paths import DataRoot
from orchestration.warehouse import (
    BUILDS_KEPT,
    Warehouse,
    WarehouseError,
    build_id_for,
    inputs_id_for,
    open_reader,
    table_rows,
    write_bytes,
)


def inputs(folder: Path) -> tuple[DataRoot, Path, Path]:
    raw, dbt, contracts = folder / "raw", folder / "dbt", folder / "contracts"
    for path, text in {
        raw / "quarterly" / "metrics" / "2025-26-Q1.parquet": "rows",
        dbt / "dbt_project.yml": "name: x",
        dbt / "models" / "a.sql": "select 1",
        contracts / "a.yml": "dataset: a",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return DataRoot(folder), dbt, contracts


def finish_attempt(warehouse: Warehouse, build_id: str, value: int = 1, run_id: str = "r") -> None:
    attempt = warehouse.start_attempt(build_id, run_id)
    with duckdb.connect(str(attempt.path)) as con:
        con.execute(f"create schema marts; create table marts.t as select {value} as value")
    attempt.tests_path.write_text(json.dumps({"tests": []}))


def test_a_build_is_named_after_its_inputs_and_not_after_where_they_lie(tmp_path: Path) -> None:
    here = inputs_id_for(*inputs(tmp_path / "here"), versions={"duckdb": "1"})
    there = inputs_id_for(*inputs(tmp_path / "there"), versions={"duckdb": "1"})
    assert here == there


@pytest.mark.parametrize(
    "changed",
    ["raw/quarterly/metrics/2025-26-Q1.parquet", "dbt/models/a.sql", "contracts/a.yml", "dbt/seeds/new.csv"],
)
def test_any_changed_input_names_another_build(tmp_path: Path, changed: str) -> None:
    folders = inputs(tmp_path)
    before = inputs_id_for(*folders, versions={})
    target = tmp_path / changed
    target.parent.mkdir(exist_ok=True)
    target.write_text("other")
    assert inputs_id_for(*folders, versions={}) != before


def test_another_engine_names_another_build(tmp_path: Path) -> None:
    folders = inputs(tmp_path)
    assert inputs_id_for(*folders, versions={"duckdb": "1"}) != inputs_id_for(
        *folders, versions={"duckdb": "2"}
    )


@pytest.mark.parametrize(
    "ignored", ["raw/returns/ab/x/metrics.parquet", "dbt/target/manifest.json", "dbt/logs/dbt.log"]
)
def test_results_and_parsed_pieces_name_no_build(tmp_path: Path, ignored: str) -> None:
    folders = inputs(tmp_path)
    before = inputs_id_for(*folders, versions={})
    target = tmp_path / ignored
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("result")
    assert inputs_id_for(*folders, versions={}) == before


def test_a_published_build_is_served_through_a_relative_link(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    assert warehouse.current() is None
    finish_attempt(warehouse, "b1", 7)
    warehouse.publish(warehouse.build("b1"))
    served = warehouse.current()
    assert served is not None and served.build_id == "b1"
    assert str(warehouse.link.readlink()) == "builds/b1.duckdb"
    with open_reader(warehouse.link) as con:
        assert con.execute("select value from marts.t").fetchall() == [(7,)]
    assert table_rows(served.path) == {"marts": {"t": 1}}


def test_a_reader_of_the_build_before_is_not_disturbed(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    finish_attempt(warehouse, "b1", 1)
    warehouse.publish(warehouse.build("b1"))
    with open_reader(warehouse.build("b1").path) as reader:
        finish_attempt(warehouse, "b2", 2)
        warehouse.publish(warehouse.build("b2"))
        assert reader.execute("select value from marts.t").fetchall() == [(1,)]
    assert warehouse.current() == warehouse.build("b2")


def test_an_attempt_that_did_not_end_is_never_published(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    attempt = warehouse.start_attempt("b1", "killed")
    attempt.path.write_bytes(b"half of a warehouse")
    assert warehouse.finished_attempt("b1") is None
    with pytest.raises(WarehouseError, match="run the whole job again"):
        warehouse.publish(warehouse.build("b1"))
    assert warehouse.current() is None


def test_the_next_attempt_clears_what_a_killed_run_left(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    warehouse.start_attempt("b1", "killed").path.write_bytes(b"half")
    (warehouse.folder / "current.b1").symlink_to("builds/b1.duckdb")
    attempt = warehouse.start_attempt("b1", "next")
    assert [path.name for path in warehouse.builds.iterdir()] == [attempt.folder.name]
    assert not list(warehouse.folder.glob("current.*"))


def test_a_kill_between_the_two_steps_of_publishing_is_mended_by_repeating(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    finish_attempt(warehouse, "b1")
    attempt = warehouse.finished_attempt("b1")
    assert attempt is not None
    attempt.path.rename(warehouse.build("b1").path)
    assert warehouse.current() is None
    warehouse.publish(warehouse.build("b1"))
    assert warehouse.current() == warehouse.build("b1")
    assert sorted(path.name for path in warehouse.builds.iterdir()) == ["b1.duckdb"]


def test_publishing_what_is_served_touches_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    finish_attempt(warehouse, "b1")
    build = warehouse.build("b1")
    warehouse.publish(build)
    before = (build.path.stat().st_mtime_ns, warehouse.link.lstat().st_mtime_ns)
    assert warehouse.publish(build) == []
    assert (build.path.stat().st_mtime_ns, warehouse.link.lstat().st_mtime_ns) == before


def test_old_builds_are_dropped_and_the_served_one_never(tmp_path: Path) -> None:
    warehouse = Warehouse(DataRoot(tmp_path))
    for number in range(BUILDS_KEPT + 2):
        finish_attempt(warehouse, f"b{number}", number)
        warehouse.publish(warehouse.build(f"b{number}"))
    kept = sorted(path.stem for path in warehouse.builds.glob("*.duckdb"))
    assert kept == ["b2", "b3", "b4"]
    warehouse.publish(warehouse.build("b2"))
    finish_attempt(warehouse, "b9", 9)
    warehouse.publish(warehouse.build("b9"))
    assert sorted(path.stem for path in warehouse.builds.glob("*.duckdb")) == ["b2", "b4", "b9"]


def test_a_missing_warehouse_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="vcc run --all"), open_reader(tmp_path / "none.duckdb"):
        pass


def test_a_file_is_written_whole_and_leaves_no_scrap(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "x.json", b"1")
    write_bytes(tmp_path / "a" / "x.json", b"22")
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == {"x.json": b"22"}


def test_a_quarter_recorded_from_the_same_inputs_asks_for_no_other_build() -> None:
    assert build_id_for("i1", {"2025-26-Q1": "i1"}) == build_id_for("i1", {}) == build_id_for("i1")


def test_a_quarter_recorded_from_other_inputs_is_part_of_what_a_build_is_made_from() -> None:
    """Also when inputs come back that were there before: their old build did not know the quarter's record."""
    first = build_id_for("i1", {"2025-26-Q1": "i1"})
    assert build_id_for("i2", {"2025-26-Q1": "i1"}) != build_id_for("i2")
    assert build_id_for("i1", {"2025-26-Q1": "i1", "2025-26-Q2": "i2"}) != first

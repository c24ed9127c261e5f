from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ingest.paths import DataRoot
from orchestration.serving import DATABASE, Serving, ServingCopy, TableWords, table_words
from orchestration.warehouse import BUILDS_KEPT, Build, Warehouse, WarehouseError

WORDS = {
    ("marts", "figures"): TableWords("One row an area. Its figure.", ("area",), {"area": "The area's code."}),
    ("reference", "areas"): TableWords("One row an area."),
}
ROWS = 2000


def build_of(root: DataRoot, build_id: str, value: int = 1) -> Build:
    """A verified build, as dbt would have left it: a mart in disorder, a view of the register, and others."""
    root.builds.mkdir(parents=True, exist_ok=True)
    root.register.mkdir(exist_ok=True)
    if not any(root.register.iterdir()):
        record(root, "_empty", 0)
    build = Warehouse(root).build(build_id)
    with duckdb.connect(str(build.path)) as con:
        for schema in ("marts", "reference", "intermediate"):
            con.execute(f"create schema {schema}")
        con.execute(
            f"create table marts.figures as select {value} as value, (i * 7919) % {ROWS} as area,"
            f" i % 3 = 0 as is_met from range({ROWS}) r(i)"
        )
        con.execute("create table reference.areas as select 'it''s' as name")
        con.execute("create table intermediate.held as select 1 as secret")
        files = str(root.register / "*.parquet").replace("'", "''")
        con.execute(f"create view marts.found as select n from read_parquet('{files}')")
    return build


def record(root: DataRoot, period: str, rows: int) -> None:
    """A quarter's file in the register."""
    duckdb.sql(f"select i as n from range({rows}) r(i)").write_parquet(
        str(root.register / f"{period}.parquet")
    )


def read(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


def digests(copy: ServingCopy) -> dict[str, str]:
    return {
        str(path.relative_to(copy.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(copy.folder.rglob("*.parquet"))
    }


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "it's")


def test_a_copy_holds_marts_and_reference_and_nothing_else(root: DataRoot) -> None:
    serving = Serving(root)
    assert serving.current() is None
    serving.publish(build_of(root, "b1", 7), WORDS)
    copy = serving.current()
    assert copy is not None and copy.build_id == "b1"
    assert str(serving.link.readlink()) == copy.folder.name
    tables = "select schema_name, table_name, estimated_size from duckdb_tables() order by all"
    assert read(serving.link / DATABASE, tables) == [
        ("marts", "figures", ROWS),
        ("marts", "found", 0),
        ("reference", "areas", 1),
    ]
    assert read(copy.database, "select count(*) from duckdb_views() where not internal") == [(0,)]
    assert sorted(digests(copy)) == [
        "marts/figures.parquet",
        "marts/found.parquet",
        "reference/areas.parquet",
    ]
    assert sorted(path.name for path in copy.folder.iterdir()) == ["marts", "reference", DATABASE]
    parquet = [str(copy.parquet("marts", "figures"))]
    assert duckdb.execute("select distinct value from read_parquet(?)", parquet).fetchall() == [(7,)]


def test_a_reader_of_the_file_finds_grain_key_and_meaning(root: DataRoot) -> None:
    serving = Serving(root)
    serving.publish(build_of(root, "b1"), WORDS)
    assert read(serving.link / DATABASE, "select table_name, comment from duckdb_tables() order by 1") == [
        ("areas", "One row an area."),
        ("figures", "One row an area. Its figure. Key: area."),
        ("found", None),
    ]
    said = "select column_name, comment from duckdb_columns() where comment is not null"
    assert read(serving.link / DATABASE, said) == [("area", "The area's code.")]
    kept = duckdb.execute(
        "select decode(key), decode(value) from parquet_kv_metadata(?) order by all",
        [str(serving.link / "marts" / "figures.parquet")],
    ).fetchall()
    assert kept == [
        ("build", "b1"),
        ("columns", '{"area": "The area\'s code."}'),
        ("description", "One row an area. Its figure. Key: area."),
    ]


def test_the_words_are_those_of_the_manifest() -> None:
    table = {"resource_type": "model", "schema": "marts", "name": "m", "description": "One\nrow.\n"}
    column = {"name": "a", "description": "An\narea."}
    test = {"name": "unique_key", "kwargs": {"columns": ["a"]}}
    manifest = {
        "nodes": {
            "model.m": {**table, "columns": {"a": column}},
            "model.i": {**table, "schema": "intermediate", "name": "i", "columns": {}},
            "test.k": {"resource_type": "test", "attached_node": "model.m", "test_metadata": test},
            "test.s": {"resource_type": "test", "attached_node": None},
        }
    }
    words = table_words(manifest, {"a": "Unit: areas."})
    assert words == {("marts", "m"): TableWords("One row.", ("a",), {"a": "An area. Unit: areas."})}
    assert words[("marts", "m")].comment == "One row. Key: a."


def test_rows_stand_in_total_order_and_parquet_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        serving = Serving(root := DataRoot(tmp_path / name))
        build = build_of(root, "b1")
        if name == "other":
            with duckdb.connect(str(build.path)) as con:
                con.execute("create or replace table marts.figures as from marts.figures order by area desc")
        serving.publish(build, WORDS)
        copy = serving.current()
        assert copy is not None
        found.append(digests(copy))
        areas = duckdb.sql(f"select area from read_parquet('{copy.parquet('marts', 'figures')}')").fetchall()
        assert areas == [(area,) for area in range(ROWS)]
        assert read(copy.database, "select area from marts.figures") == areas
    assert found[0] == found[1]


def test_an_unchanged_build_is_not_copied_again(root: DataRoot) -> None:
    serving = Serving(root)
    build = build_of(root, "b1")
    serving.publish(build, WORDS)

    def stamps() -> dict[Path, int]:
        return {path: path.lstat().st_mtime_ns for path in [serving.folder, *serving.folder.rglob("*")]}

    before = stamps()
    assert serving.publish(build, WORDS) == []
    assert stamps() == before


def test_what_the_register_gained_since_is_copied_in_a_copy_of_its_own(root: DataRoot) -> None:
    serving = Serving(root)
    build = build_of(root, "b1")
    serving.publish(build, WORDS)
    first = serving.current()
    record(root, "2025-26-Q1", 5)
    assert first != serving.copy_of(build)
    serving.publish(build, WORDS)
    second = serving.current()
    assert first is not None and second is not None and first != second
    assert second.build_id == first.build_id == "b1"
    assert read(first.database, "select count(*) from marts.found") == [(0,)]
    assert read(second.database, "select count(*) from marts.found") == [(5,)]


def test_old_copies_are_dropped_and_the_served_one_never(root: DataRoot) -> None:
    serving = Serving(root)
    for number in range(BUILDS_KEPT + 2):
        serving.publish(build_of(root, f"b{number}", number), WORDS)
    assert [copy.build_id for copy in serving.copies()] == ["b2", "b3", "b4"]
    serving.publish(Warehouse(root).build("b2"), WORDS)
    serving.publish(build_of(root, "b9"), WORDS)
    assert [copy.build_id for copy in serving.copies()] == ["b2", "b4", "b9"]


def test_owner_and_group_may_read_and_nobody_may_write(root: DataRoot) -> None:
    before = os.umask(0o077)
    try:
        root.create()
        Serving(root).publish(build_of(root, "b1"), WORDS)
    finally:
        os.umask(before)
    [copy] = Serving(root).copies()
    modes = {path: path.stat().st_mode & 0o777 for path in [copy.folder, *copy.folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o750}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o440}
    assert root.serving.stat().st_mode & 0o777 == 0o750


def test_a_build_that_cannot_be_read_leaves_the_copy_in_use(root: DataRoot) -> None:
    serving = Serving(root)
    serving.publish(build_of(root, "b1"), WORDS)
    served = serving.current()
    broken = Warehouse(root).build("b2")
    broken.path.write_bytes(b"half of a warehouse")
    with pytest.raises(WarehouseError, match=r"cannot be copied for analysts"):
        serving.publish(broken, WORDS)
    assert serving.current() == served is not None
    serving.publish(Warehouse(root).build("b1"), WORDS)
    assert sorted(path.name for path in serving.folder.iterdir()) == [served.folder.name, "current"]


# --- killed ------------------------------------------------------------------------------------------------


def test_a_kill_between_any_two_steps_is_mended_by_repeating(root: DataRoot) -> None:
    serving = Serving(root)
    builds = [build_of(root, f"b{number}", number) for number in range(BUILDS_KEPT + 1)]
    for build in builds:
        serving.publish(build, {})
    killed = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed_copy.py")), str(root.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdin is not None and killed.stdout is not None
    deaths, has_ended = 0, False
    while not has_ended:
        # The copy that was dropped the time before is made this time: every time all steps are there.
        build, before = builds[deaths % len(builds)], serving.current()
        assert serving.copy_of(build) not in serving.copies()
        print(build.build_id, deaths + 1, file=killed.stdin, flush=True)
        status = int(killed.stdout.readline())
        # Whatever the moment, analysts read the whole copy from before or the whole new one.
        now = serving.current()
        assert now is not None and before is not None and now in (before, serving.copy_of(build))
        value = int(now.build_id[1:])
        assert read(serving.link / DATABASE, "select distinct value from marts.figures") == [(value,)]
        assert all(copy.database.is_file() and len(digests(copy)) == 3 for copy in serving.copies())
        serving.publish(build, {})
        assert serving.current() == serving.copy_of(build)
        names = {copy.folder.name for copy in serving.copies()} | {"current"}
        assert {path.name for path in serving.folder.iterdir()} == names and len(names) == BUILDS_KEPT + 1
        has_ended = status == 0
        assert has_ended or status == -signal.SIGKILL
        deaths += not has_ended
    killed.stdin.close()
    assert killed.wait() == 0
    # Names, modes and files of one copy of three tables: fewer would mean that steps are not seen.
    assert deaths > 30


# --- read while it is swapped ------------------------------------------------------------------------------

READER = """
import pathlib, sys, duckdb
link, stop, how = sys.argv[1:]
path = f"{link}/victims_code.duckdb"
reads, seen = 0, set()
held = duckdb.connect(path, read_only=True) if how == "held" else None
while True:
    last = pathlib.Path(stop).exists()
    if how == "parquet":
        rows = duckdb.sql(f"select value, count(*) from read_parquet('{link}/marts/figures.parquet') group by 1")
        rows = rows.fetchall()
    else:
        con = held or duckdb.connect(path, read_only=True)
        rows = con.execute("select value, count(*) from marts.figures group by 1").fetchall()
        if not held:
            con.close()
    assert len(rows) == 1 and rows[0][1] == 2000, rows
    reads, seen = reads + 1, seen | {rows[0][0]}
    if reads == 1:
        print("reading", flush=True)
    if last:
        break
print(reads, len(seen), flush=True)
"""


def test_readers_in_other_processes_never_fail_while_copies_are_swapped(tmp_path: Path) -> None:
    root, stop = DataRoot(tmp_path / "data"), tmp_path / "stop"
    serving = Serving(root)
    serving.publish(build_of(root, "b0"), WORDS)
    readers = {
        how: subprocess.Popen(
            [sys.executable, "-c", READER, str(serving.link), str(stop), how],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for how in ("afresh", "held", "parquet")
    }
    for reader in readers.values():
        assert reader.stdout is not None and reader.stdout.readline() == "reading\n"
    swaps = 12
    for number in range(1, swaps + 1):
        serving.publish(build_of(root, f"b{number}", number), WORDS)
        time.sleep(0.05)
    stop.touch()
    seen = {}
    for how, reader in readers.items():
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, f"{how}: {err}"
        seen[how] = int(out.split()[1])
    assert not (serving.folder / "b0").exists()
    # One that is held keeps what it opened, though it is dropped since; the others follow the link.
    assert seen["held"] == 1
    assert seen["afresh"] > 2 and seen["parquet"] > 2


def test_a_view_on_tables_of_its_build_is_copied_as_a_table(root: DataRoot) -> None:
    """dbt writes a view with the name of the file that it was made in."""
    build = build_of(root, "b1")
    with duckdb.connect(str(build.path)) as con:
        con.execute('create view marts.shown as select count(*) as held from "b1".intermediate.held')
    Serving(root).publish(build, WORDS)
    assert read(Serving(root).link / DATABASE, "select held from marts.shown") == [(1,)]

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.register import (
    QUARTER_COLUMNS,
    REGISTER_COLUMNS,
    STATE_COLUMNS,
    Source,
    detections,
    detections_file,
    ensure_empty,
    is_recorded,
    quarter_file,
    record,
    recorded_from,
    register_bytes,
    states,
    states_file,
)

QUARTER = "2025-26-Q2"
SOURCE = Source("b1", "inputs1")


@pytest.fixture
def marts() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        """
        create schema marts;
        create table marts.oversight_persistence (
            body_kind varchar, pfa_code varchar, right_number integer, period_code varchar, state varchar,
            result varchar, is_recommended boolean, rule_version integer, case_id varchar,
            quarters_running integer, reason varchar, is_open_case boolean, first_period_code varchar,
            opened_period_code varchar, indicators_met varchar, is_s4_met boolean, clear_run integer,
            senders_expected integer, senders_received integer
        );
        create schema intermediate;
        create table intermediate.int_own_receipts (
            body_kind varchar, pfa_code varchar, period_code varchar, receipts varchar
        );
        insert into intermediate.int_own_receipts values
            ('police', 'A', '2025-26-Q2', 'R2; R3'), ('police', 'A', '2025-26-Q1', 'R1');
        create table marts.oversight_indicators (
            body_kind varchar, pfa_code varchar, right_number integer, period_code varchar, indicator varchar,
            item_id varchar, collection_mode varchar, sampling_frame varchar, is_met boolean, good_count bigint,
            base_count bigint, rate double, threshold double, upper_bound double, z_score double,
            gap_to_peers double, peer_count integer, peer_target_rate double, peers varchar,
            peer_weight_sum double, phi double, tau_squared double,
            p_value double, p_adjusted double, grade smallint
        );
        insert into marts.oversight_persistence (
            body_kind, pfa_code, right_number, period_code, state, result, is_recommended, rule_version, case_id,
            quarters_running, reason
        ) values
            ('police', 'A', 2, '2025-26-Q2', 'MET', 'SEVERE_PERSISTENT', true, 0, 'c1', 2, 'again'),
            ('police', 'B', 2, '2025-26-Q2', 'MET', 'SEVERE', false, 0, 'c2', 1, 'once'),
            ('police', 'C', 2, '2025-26-Q2', 'NOT_MET', 'CLEAR', false, 0, null, 0, ''),
            ('cps', 'A', 6, '2025-26-Q2', 'NOT_SUBMITTED', 'NON_SUBMISSION', true, 0, 'c3', 2, 'not sent'),
            ('police', 'A', 2, '2025-26-Q1', 'MET', 'SEVERE', false, 0, 'c1', 1, 'first');
        insert into marts.oversight_indicators
            (body_kind, pfa_code, right_number, period_code, indicator, item_id, is_met, good_count, base_count)
        values
            ('police', 'A', 2, '2025-26-Q2', 'S2', 'm1', true, 10, 100),
            ('police', 'A', 2, '2025-26-Q2', 'S1', 'm1', true, 10, 100),
            ('police', 'A', 2, '2025-26-Q2', 'S1', 'm2', false, 90, 100),
            ('police', 'A', 2, '2025-26-Q1', 'S1', 'm1', true, 11, 100),
            ('police', 'B', 2, '2025-26-Q2', 'S1', 'm1', true, 20, 100);
        update marts.oversight_indicators set peers = 'C; D; E; F', peer_weight_sum = 812.5 where indicator = 'S2';
        create table intermediate.int_official_states as
            select body_kind, pfa_code, right_number, period_code, 'aggravates' as s4_counts,
                'same_indicator' as persistence_scope, 1 as bridge_quarters, 2 as close_quarters,
                4 as reopen_quarters
            from marts.oversight_persistence;
        """
    )
    return con


def as_dicts(rows: list[tuple[object, ...]]) -> list[dict[str, object]]:
    return [dict(zip(REGISTER_COLUMNS, row, strict=True)) for row in rows]


def test_a_detection_has_one_row_an_indicator_it_rests_on(marts: duckdb.DuckDBPyConnection) -> None:
    rows = as_dicts(detections(marts, QUARTER))
    found = [
        (row["body_kind"], row["pfa_code"], row["indicator"], row["item_id"], row["good_count"])
        for row in rows
    ]
    assert found == [
        ("cps", "A", None, None, None),
        ("police", "A", "S1", "m1", 10),
        ("police", "A", "S2", "m1", 10),
        ("police", "B", "S1", "m1", 20),
    ]


def test_a_body_that_did_not_send_is_recorded_without_figures(marts: duckdb.DuckDBPyConnection) -> None:
    row = as_dicts(detections(marts, QUARTER))[0]
    assert (row["result"], row["case_id"], row["quarters_running"]) == ("NON_SUBMISSION", "c3", 2)
    assert row["base_count"] is None and row["rate"] is None


def test_the_like_areas_are_frozen_with_the_detection(marts: duckdb.DuckDBPyConnection) -> None:
    found = {
        (row["indicator"], row["peers"], row["peer_weight_sum"])
        for row in as_dicts(detections(marts, QUARTER))
    }
    assert found == {("S2", "C; D; E; F", 812.5), ("S1", None, None), (None, None, None)}


def test_every_state_is_recorded_with_its_rules_and_returns(marts: duckdb.DuckDBPyConnection) -> None:
    rows = [dict(zip(STATE_COLUMNS, row, strict=True)) for row in states(marts, QUARTER)]
    found = [
        (row["body_kind"], row["pfa_code"], row["state"], row["result"], row["receipts"]) for row in rows
    ]
    assert found == [
        ("cps", "A", "NOT_SUBMITTED", "NON_SUBMISSION", None),
        ("police", "A", "MET", "SEVERE_PERSISTENT", "R2; R3"),
        ("police", "B", "MET", "SEVERE", None),
        ("police", "C", "NOT_MET", "CLEAR", None),
    ]
    assert {row["persistence_scope"] for row in rows} == {"same_indicator"}


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_what_was_recorded_is_never_rewritten(tmp_path: Path, marts: duckdb.DuckDBPyConnection) -> None:
    first = record(tmp_path, QUARTER, marts, SOURCE)
    assert first.is_new
    assert first.detections == {"NON_SUBMISSION": 1, "SEVERE": 1, "SEVERE_PERSISTENT": 1}
    before = files_in(tmp_path)
    assert sorted(before) == sorted(
        str(file(tmp_path, QUARTER).relative_to(tmp_path))
        for file in (detections_file, states_file, quarter_file)
    )
    marts.execute("delete from marts.oversight_persistence")
    second = record(tmp_path, QUARTER, marts, Source("b2", "inputs2"))
    assert not second.is_new and second.rows == first.rows == 4
    assert files_in(tmp_path) == before


def test_the_quarter_says_what_it_was_recorded_from(tmp_path: Path, marts: duckdb.DuckDBPyConnection) -> None:
    assert recorded_from(tmp_path) == {}
    record(tmp_path, QUARTER, marts, SOURCE)
    [row] = pq.read_table(quarter_file(tmp_path, QUARTER)).to_pylist()
    assert row == {
        "period_code": QUARTER, "build_id": "b1", "inputs_id": "inputs1", "rule_version": 0, "state_count": 4,
        "detection_count": 4, "recommended_count": 2,
    }  # fmt: skip
    assert recorded_from(tmp_path) == {QUARTER: "inputs1"}


@pytest.mark.parametrize("written", [1, 2])
def test_a_kill_leaves_a_quarter_recorded_or_not(
    tmp_path: Path, marts: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """Killed after the first or the second file; the next run, from another build, writes all of them anew."""
    from orchestration import register

    whole = tmp_path / "whole"
    marts_then = detections(marts, QUARTER)

    class Killed(BaseException):
        pass

    real, count = register.write_bytes, 0

    def dying(path: Path, content: bytes) -> None:
        nonlocal count
        if count == written:
            raise Killed
        count += 1
        real(path, content)

    monkeypatch.setattr(register, "write_bytes", dying)
    with pytest.raises(Killed):
        record(tmp_path / "killed", QUARTER, marts, SOURCE)
    monkeypatch.setattr(register, "write_bytes", real)
    assert not is_recorded(tmp_path / "killed", QUARTER)
    marts.execute("update marts.oversight_persistence set result = 'CLEAR' where pfa_code = 'C'")
    marts.execute("delete from marts.oversight_persistence where pfa_code = 'B'")
    assert detections(marts, QUARTER) != marts_then
    assert record(tmp_path / "killed", QUARTER, marts, SOURCE).is_new
    assert record(whole, QUARTER, marts, SOURCE).is_new
    assert files_in(tmp_path / "killed") == files_in(whole)


def test_the_same_rows_give_the_same_bytes(marts: duckdb.DuckDBPyConnection) -> None:
    assert register_bytes(detections(marts, QUARTER)) == register_bytes(detections(marts, QUARTER))


def test_a_quarter_without_detections_is_recorded_as_such(
    tmp_path: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    summary = record(tmp_path, "2030-31-Q1", marts, SOURCE)
    assert summary.is_new and summary.rows == 0 and summary.detections == {}
    assert is_recorded(tmp_path, "2030-31-Q1")


def test_the_empty_register_has_the_same_columns_and_types(
    tmp_path: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    record(tmp_path, QUARTER, marts, SOURCE)
    ensure_empty(tmp_path)
    for file, columns, rows in (
        (detections_file, REGISTER_COLUMNS, 4),
        (states_file, STATE_COLUMNS, 4),
        (quarter_file, QUARTER_COLUMNS, 1),
    ):
        path = file(tmp_path, QUARTER)
        empty = path.with_name("_empty.parquet")
        written_at = empty.stat().st_mtime_ns
        ensure_empty(tmp_path)
        assert empty.stat().st_mtime_ns == written_at
        assert pq.read_schema(empty) == pq.read_schema(path)
        assert pq.read_schema(empty).names == list(columns)
        read = (
            duckdb.connect()
            .execute(f"select count(*) from read_parquet('{path.parent}/*.parquet')")
            .fetchone()
        )
        assert read == (rows,)


def test_a_file_of_an_older_register_reads_with_the_columns_of_today(tmp_path: Path) -> None:
    ensure_empty(tmp_path)
    older = {
        name: kind for name, kind in REGISTER_COLUMNS.items() if name not in ("peers", "peer_weight_sum")
    }
    row = [None if name != "period_code" else "2025-26-Q1" for name in older]
    (tmp_path / "2025-26-Q1.parquet").write_bytes(register_bytes([row], older))
    read = duckdb.connect().execute(
        f"select period_code, peers from read_parquet('{tmp_path}/*.parquet', union_by_name = true)"
    )
    assert read.fetchall() == [("2025-26-Q1", None)]

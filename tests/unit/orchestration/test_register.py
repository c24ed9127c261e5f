from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.register import REGISTER_COLUMNS, detections, ensure_empty, record, register_bytes

QUARTER = "2025-26-Q2"


@pytest.fixture
def marts() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        """
        create schema marts;
        create table marts.oversight_persistence (
            body_kind varchar, pfa_code varchar, right_number integer, period_code varchar, state varchar,
            result varchar, is_recommended boolean, rule_version integer, case_id varchar,
            quarters_running integer, reason varchar
        );
        create table marts.oversight_indicators (
            body_kind varchar, pfa_code varchar, right_number integer, period_code varchar, indicator varchar,
            item_id varchar, collection_mode varchar, sampling_frame varchar, is_met boolean, good_count bigint,
            base_count bigint, rate double, threshold double, upper_bound double, z_score double,
            gap_to_peers double, peer_count integer, peer_target_rate double, phi double, tau_squared double,
            p_value double, p_adjusted double, grade smallint
        );
        insert into marts.oversight_persistence values
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


def test_what_was_recorded_is_never_rewritten(tmp_path: Path, marts: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / f"{QUARTER}.parquet"
    first = record(path, detections(marts, QUARTER))
    assert first.is_new
    assert first.detections == {"NON_SUBMISSION": 1, "SEVERE": 1, "SEVERE_PERSISTENT": 1}
    before = path.read_bytes()
    marts.execute("delete from marts.oversight_persistence")
    second = record(path, detections(marts, QUARTER))
    assert not second.is_new and second.rows == first.rows == 4
    assert path.read_bytes() == before


def test_the_same_rows_give_the_same_bytes(marts: duckdb.DuckDBPyConnection) -> None:
    assert register_bytes(detections(marts, QUARTER)) == register_bytes(detections(marts, QUARTER))


def test_a_quarter_without_detections_is_recorded_as_such(tmp_path: Path) -> None:
    summary = record(tmp_path / "2030-31-Q1.parquet", [])
    assert summary.is_new and summary.rows == 0 and summary.detections == {}


def test_the_empty_register_has_the_same_columns_and_types(
    tmp_path: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    record(tmp_path / f"{QUARTER}.parquet", detections(marts, QUARTER))
    empty = ensure_empty(tmp_path)
    written_at = empty.stat().st_mtime_ns
    assert ensure_empty(tmp_path).stat().st_mtime_ns == written_at
    assert pq.read_schema(empty) == pq.read_schema(tmp_path / f"{QUARTER}.parquet")
    assert pq.read_schema(empty).names == list(REGISTER_COLUMNS)
    read = duckdb.connect().execute(f"select count(*) from read_parquet('{tmp_path}/*.parquet')").fetchone()
    assert read == (4,)

"""The oversight register: what a final build detected, one file a quarter, written once.

What belongs here: which rows of the marts are a detection, and their file. What does not: statistics (the
marts hold them), decisions (they are returns of the secretariat), Dagster.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.paths import EMPTY
from orchestration.warehouse import write_bytes

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: Column -> Parquet type, in the order of the file. The key comes first; statistics are as the marts store
#: them.
REGISTER_COLUMNS: dict[str, str] = {
    "period_code": "string",
    "body_kind": "string",
    "pfa_code": "string",
    "right_number": "int32",
    "result": "string",
    "state": "string",
    "indicator": "string",
    "item_id": "string",
    "collection_mode": "string",
    "sampling_frame": "string",
    "good_count": "int64",
    "base_count": "int64",
    "rate": "double",
    "threshold": "double",
    "upper_bound": "double",
    "z_score": "double",
    "gap_to_peers": "double",
    "peer_count": "int32",
    "peer_target_rate": "double",
    "phi": "double",
    "tau_squared": "double",
    "p_value": "double",
    "p_adjusted": "double",
    "grade": "int16",
    "rule_version": "int32",
    "case_id": "string",
    "quarters_running": "int32",
    "reason": "string",
}

_KEY = (
    "period_code",
    "body_kind",
    "pfa_code",
    "right_number",
    "indicator",
    "item_id",
    "collection_mode",
    "sampling_frame",
)

_FROM_PERSISTENCE = (
    "period_code",
    "body_kind",
    "pfa_code",
    "right_number",
    "result",
    "state",
    "rule_version",
    "case_id",
    "quarters_running",
    "reason",
)


@dataclass(frozen=True)
class RegisterSummary:
    """What the register holds of a quarter; detections are counted by result."""

    path: Path
    rows: int
    detections: dict[str, int]
    is_new: bool


def detections(con: duckdb.DuckDBPyConnection, period_code: str) -> list[tuple[Any, ...]]:
    """Return one row a detection and severe indicator it rests on, in the register's columns and total order.

    A detection is a right that a body met the test of severity for in this quarter, or a result the Board is
    recommended to look at. One that rests on no indicator (a return that did not come) has one row without.
    """
    columns = ", ".join(
        f"cast({'detection' if name in _FROM_PERSISTENCE else 'indicator'}.{name} as {_sql_type(kind)})"
        f" as {name}"
        for name, kind in REGISTER_COLUMNS.items()
    )
    order = ", ".join(f"{name} nulls first" for name in _KEY)
    return con.execute(
        f"""
        with detection as (
            select * from marts.oversight_persistence
            where period_code = ? and (is_recommended or state = 'MET')
        ), indicator as (
            select * from marts.oversight_indicators where period_code = ? and is_met
        )
        select {columns}
        from detection
        left join indicator
            on detection.body_kind = indicator.body_kind
            and detection.pfa_code = indicator.pfa_code
            and detection.right_number = indicator.right_number
        order by {order}
        """,
        [period_code, period_code],
    ).fetchall()


def record(path: Path, rows: Sequence[Sequence[Any]]) -> RegisterSummary:
    """Write a quarter's file, or leave the one that is there: what was detected then stays so."""
    is_new = not path.exists()
    if is_new:
        write_bytes(path, register_bytes(rows))
    return _summary(path, is_new)


def ensure_empty(folder: Path) -> Path:
    """Write the zero-row file that lets dbt read a register nobody has written to yet, if it is missing."""
    path = folder / EMPTY
    content = register_bytes([])
    if not path.is_file() or path.read_bytes() != content:
        write_bytes(path, content)
    return path


def register_bytes(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return the rows as Parquet; fixed writer settings, so that the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    columns = [pa.array([row[place] for row in rows], type=field.type) for place, field in enumerate(schema)]
    stream = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(columns, schema=schema),
        stream,
        version="2.6",
        compression="zstd",
        compression_level=9,
        row_group_size=max(len(rows), 1),
        store_schema=False,
    )
    return stream.getvalue()


def _summary(path: Path, is_new: bool) -> RegisterSummary:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["body_kind", "pfa_code", "right_number", "result"])
    seen = {tuple(row.values()) for row in table.to_pylist()}
    by_result: dict[str, int] = {}
    for *_, result in sorted(seen, key=str):
        by_result[result] = by_result.get(result, 0) + 1
    return RegisterSummary(path, table.num_rows, by_result, is_new)


def _schema() -> pa.Schema:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int16": pa.int16(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "double": pa.float64(),
    }
    return pa.schema([(name, types[kind]) for name, kind in REGISTER_COLUMNS.items()])


def _sql_type(kind: str) -> str:
    return {
        "string": "varchar",
        "int16": "smallint",
        "int32": "integer",
        "int64": "bigint",
        "double": "double",
    }[kind]

"""The oversight register: what a final build found, three files a quarter, written once.

What belongs here: which rows of a build are recorded, and their files. What does not: statistics (the
build holds them), decisions (they are returns of the secretariat), Dagster.

A quarter is recorded once its file under `quarters/` is there: it is written last, and without it neither
the models nor a later run take the other two for the quarter's record. From then on nothing of the quarter
is written again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
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
    "peers": "string",
    "peer_weight_sum": "double",
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

#: State and result of every right, met or not, with the rules it was judged by and the returns it rests on.
STATE_COLUMNS: dict[str, str] = {
    "period_code": "string",
    "body_kind": "string",
    "pfa_code": "string",
    "right_number": "int32",
    "state": "string",
    "result": "string",
    "is_recommended": "bool",
    "is_open_case": "bool",
    "case_id": "string",
    "first_period_code": "string",
    "opened_period_code": "string",
    "indicators_met": "string",
    "is_s4_met": "bool",
    "clear_run": "int32",
    "quarters_running": "int32",
    "senders_expected": "int32",
    "senders_received": "int32",
    "receipts": "string",
    "rule_version": "int32",
    "s4_counts": "string",
    "persistence_scope": "string",
    "bridge_quarters": "int32",
    "close_quarters": "int32",
    "reopen_quarters": "int32",
}

#: That the quarter is recorded, and from what.
QUARTER_COLUMNS: dict[str, str] = {
    "period_code": "string",
    "build_id": "string",
    "inputs_id": "string",
    "rule_version": "int32",
    "state_count": "int32",
    "detection_count": "int32",
    "recommended_count": "int32",
}

STATES = "states"
QUARTERS = "quarters"

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

_FROM_OFFICIAL_STATES = (
    "s4_counts",
    "persistence_scope",
    "bridge_quarters",
    "close_quarters",
    "reopen_quarters",
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


@dataclass(frozen=True)
class Source:
    """The build that a quarter is recorded from, and the name of its inputs without the register."""

    build_id: str
    inputs_id: str


def detections_file(folder: Path, period_code: str) -> Path:
    """Return the file of a quarter's detections."""
    return folder / f"{period_code}.parquet"


def states_file(folder: Path, period_code: str) -> Path:
    """Return the file of the state and result of every right in a quarter."""
    return folder / STATES / f"{period_code}.parquet"


def quarter_file(folder: Path, period_code: str) -> Path:
    """Return the file that says a quarter is recorded; it is written last."""
    return folder / QUARTERS / f"{period_code}.parquet"


def is_recorded(folder: Path, period_code: str) -> bool:
    """Say whether all of a quarter is in the register."""
    return quarter_file(folder, period_code).is_file()


def recorded_from(folder: Path) -> dict[str, str]:
    """Return the inputs that each recorded quarter was recorded from."""
    files = sorted((folder / QUARTERS).glob("2*.parquet"))
    if not files:
        return {}
    import pyarrow.parquet as pq

    found = [row for file in files for row in pq.read_table(file).to_pylist()]
    return {str(row["period_code"]): str(row["inputs_id"]) for row in found}


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


def states(con: duckdb.DuckDBPyConnection, period_code: str) -> list[tuple[Any, ...]]:
    """Return one row a body kind, area and right: what the quarter was judged to be, in a total order."""
    sources = {name: "official" for name in _FROM_OFFICIAL_STATES} | {"receipts": "returns"}
    columns = ", ".join(
        f"cast({sources.get(name, 'persistence')}.{name} as {_sql_type(kind)}) as {name}"
        for name, kind in STATE_COLUMNS.items()
    )
    return con.execute(
        f"""
        select {columns}
        from marts.oversight_persistence as persistence
        inner join intermediate.int_official_states as official
            on persistence.body_kind = official.body_kind
            and persistence.pfa_code = official.pfa_code
            and persistence.right_number = official.right_number
            and persistence.period_code = official.period_code
        left join intermediate.int_own_receipts as returns
            on persistence.body_kind = returns.body_kind
            and persistence.pfa_code = returns.pfa_code
            and persistence.period_code = returns.period_code
        where persistence.period_code = ?
        order by persistence.body_kind, persistence.pfa_code, persistence.right_number
        """,
        [period_code],
    ).fetchall()


def record(folder: Path, period_code: str, con: duckdb.DuckDBPyConnection, source: Source) -> RegisterSummary:
    """Write a quarter's files, or leave them if it is recorded: what was found then stays so.

    The file that says so comes last, so that a kill leaves the quarter recorded or not, never half: what it
    left of the others is written anew, from the build that is served then.
    """
    if is_recorded(folder, period_code):
        return _summary(detections_file(folder, period_code), False)
    detected, judged = detections(con, period_code), states(con, period_code)
    write_bytes(detections_file(folder, period_code), register_bytes(detected))
    write_bytes(states_file(folder, period_code), register_bytes(judged, STATE_COLUMNS))
    versions = sorted({row[list(STATE_COLUMNS).index("rule_version")] for row in judged})
    recommended = sum(bool(row[list(STATE_COLUMNS).index("is_recommended")]) for row in judged)
    mark = (
        period_code,
        source.build_id,
        source.inputs_id,
        versions[-1] if versions else None,
        len(judged),
        len(detected),
        recommended,
    )
    write_bytes(quarter_file(folder, period_code), register_bytes([mark], QUARTER_COLUMNS))
    return _summary(detections_file(folder, period_code), True)


def ensure_empty(folder: Path) -> None:
    """Write the zero-row files that let dbt read a register nobody has written to yet, where missing."""
    for path, columns in (
        (folder / EMPTY, REGISTER_COLUMNS),
        (folder / STATES / EMPTY, STATE_COLUMNS),
        (folder / QUARTERS / EMPTY, QUARTER_COLUMNS),
    ):
        content = register_bytes([], columns)
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)


def register_bytes(rows: Sequence[Sequence[Any]], columns: Mapping[str, str] = REGISTER_COLUMNS) -> bytes:
    """Return the rows as Parquet; fixed writer settings, so that the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(columns)
    arrays = [pa.array([row[place] for row in rows], type=field.type) for place, field in enumerate(schema)]
    stream = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
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


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int16": pa.int16(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])


def _sql_type(kind: str) -> str:
    return {
        "string": "varchar",
        "int16": "smallint",
        "int32": "integer",
        "int64": "bigint",
        "double": "double",
        "bool": "boolean",
    }[kind]

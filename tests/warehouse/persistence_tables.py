"""What persistence is computed from, for the tests of more than one of its models. Not a test."""

from __future__ import annotations

import duckdb

from orchestration.register import QUARTER_COLUMNS, REGISTER_COLUMNS, STATE_COLUMNS
from tests.warehouse.rendering import table

TYPES = {"string": "varchar", "bool": "boolean", "double": "double", "int16": "smallint", "int32": "integer",
         "int64": "bigint"}  # fmt: skip
#: What a state says of the rule version that it was judged by.
OF_THE_RULES = "s4_counts, persistence_scope, bridge_quarters, close_quarters, reopen_quarters"
OFFICIAL = ("int_official_states", "int_official_items", "int_persistence")
CLOSURES = {"body_kind": "varchar", "pfa_code": "varchar", "right_number": "integer", "closed_period_code": "varchar",
            "closed_index": "integer", "decided_on": "date", "closing_state": "varchar"}  # fmt: skip


def nothing_recorded(con: duckdb.DuckDBPyConnection) -> None:
    """A register that nobody has written to yet, in the columns that its files have."""
    for name, columns in (
        ("stg_recorded_quarters", QUARTER_COLUMNS),
        ("stg_recorded_states", STATE_COLUMNS),
        ("stg_recorded_detections", REGISTER_COLUMNS),
    ):
        table(con, name, {column: TYPES[kind] for column, kind in columns.items()}, [])

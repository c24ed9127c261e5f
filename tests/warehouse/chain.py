"""A warehouse from empty raw tables upward: any model, with all that it stands on.

What belongs here: raw tables as ingest types them, and building what a model needs. What does not: expected values.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingest import raw
from ingest.form import load_forms
from ingest.parquet import sheet_schema
from orchestration import register
from tests.warehouse.rendering import DBT, build, database, seed, typed_seed

SINGLE = {
    "receipts": raw.RECEIPTS_SCHEMA,
    "problems": raw.PROBLEMS_SCHEMA,
    "periods": raw.PERIODS_SCHEMA,
    "forms": raw.FORMS_SCHEMA,
    "working_days": raw.WORKING_DAYS_SCHEMA,
}
REGISTER = {
    "detections": register.REGISTER_COLUMNS,
    "states": register.STATE_COLUMNS,
    "quarters": register.QUARTER_COLUMNS,
}
MISSING = re.compile(r"Table with name (\w+) does not exist")


def warehouse() -> duckdb.DuckDBPyConnection:
    """An empty database with every raw table in it, and a register in which nothing is recorded."""
    con = database()
    for name, columns in REGISTER.items():
        empty = pq.read_table(io.BytesIO(register.register_bytes([], columns)))
        con.register("empty", empty)
        con.execute(f"create table register.{name} as select * from empty")
        con.unregister("empty")
    schemas = dict(SINGLE)
    forms = load_forms()
    for kind in forms.kinds:
        fields: dict[str, dict[str, pa.Field]] = {}
        for version in forms.versions(kind):
            form = forms.get(kind, version)
            assert form is not None
            for sheet in form.sheets:
                known = fields.setdefault(sheet.name, {raw.RECEIPT_ID.name: raw.RECEIPT_ID})
                for column in sheet_schema(sheet):
                    known.setdefault(column.name, column)
        schemas |= {f"{kind}_{name}": pa.schema(list(found.values())) for name, found in fields.items()}
    for name, schema in schemas.items():
        con.register("empty", schema.empty_table())
        con.execute(f"create table raw.{name} as select * from empty")
        con.unregister("empty")
    return con


def insert(con: duckdb.DuckDBPyConnection, target: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows to a table; a column left out is NULL."""
    for row in rows:
        con.execute(
            f"insert into {target} ({', '.join(row)}) values ({', '.join('?' * len(row))})",
            list(row.values()),
        )


def reference(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Create seeds from their files."""
    for name in names:
        try:
            typed_seed(con, name)
        except StopIteration:
            seed(con, name)


def grow(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Build each model, and before it whatever it reads that is not there yet."""
    for name in names:
        while True:
            try:
                build(con, name)
                break
            except duckdb.CatalogException as error:
                found = MISSING.search(str(error))
                if found is None:
                    raise
                if (DBT / "seeds" / f"{found[1]}.csv").exists():
                    reference(con, found[1])
                else:
                    grow(con, found[1])

"""The published tables as CSV and as Parquet: the same rows, the same order, only they decide the bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping

from reports.files import csv_bytes
from reports.release.publication import Publication, PublicTable

# Not larger: a reader fetches one group to see one area of it.
_ROW_GROUP_ROWS = 100_000


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """`<table>.csv` of every table, and `<table>.parquet` of the tables that hold figures."""
    return {
        **{f"{table.name}.csv": table_csv(table) for table in (*publication.tables, *publication.references)},
        **{f"{table.name}.parquet": table_parquet(table) for table in publication.tables},
    }


def table_csv(table: PublicTable) -> bytes:
    """RFC 4180, UTF-8 without a byte order mark; an empty cell is nothing; no text runs."""
    return csv_bytes(table.column_names, table.rows)


def table_parquet(table: PublicTable) -> bytes:
    """The rows as Parquet with fixed writer settings: format 2.6, zstd level 9, no schema of a library."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow_types = {
        "VARCHAR": pa.string(),
        "BOOLEAN": pa.bool_(),
        "TINYINT": pa.int8(),
        "SMALLINT": pa.int16(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "DATE": pa.date32(),
    }
    fields = [
        pa.field(column.name, arrow_types[column.data_type], nullable=column.name not in table.primary_key)
        for column in table.columns
    ]
    columns = [
        pa.array([row[position] for row in table.rows], type=field.type)
        for position, field in enumerate(fields)
    ]
    stream = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(columns, schema=pa.schema(fields)),
        stream,
        version="2.6",
        compression="zstd",
        compression_level=9,
        row_group_size=_ROW_GROUP_ROWS,
        store_schema=False,
    )
    return stream.getvalue()

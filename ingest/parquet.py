"""Typed tables as Parquet, always written in the same way, so that the same rows are the same bytes.

Belongs here: the mapping of column types and the writer's settings. Does not: which rows go where
(ingest/raw.py).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.files import replacing
from ingest.form import Sheet
from ingest.typed import Table

_TYPES = {
    "string": pa.string(),
    "text": pa.string(),
    "code": pa.string(),
    "count": pa.int64(),
    "grade": pa.int16(),
    "date": pa.date32(),
    "decimal": pa.float64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
}
ROW_NUMBER = pa.field("row_number", pa.int32())


def sheet_schema(sheet: Sheet) -> pa.Schema:
    """Return row_number and every column of a sheet, as it is stored, in form order."""
    columns = (pa.field(column.stored_as, _TYPES[column.type]) for column in sheet.columns)
    return pa.schema([ROW_NUMBER, *columns])


def to_arrow(table: Table) -> pa.Table:
    """Return a typed table as Arrow, blanks as NULL."""
    schema = sheet_schema(table.sheet)
    cells = [table.row_numbers, *(table[column.name] for column in table.sheet.columns)]
    arrays = [pa.array(column, type=field.type) for column, field in zip(cells, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table so that it is either there and whole or not there, always with the same settings."""
    with replacing(path) as temporary:
        pq.write_table(
            table,
            temporary,
            version="2.6",
            data_page_version="1.0",
            compression="zstd",
            compression_level=1,
            use_dictionary=True,
            write_statistics=True,
            row_group_size=1 << 20,
        )


def write_piece(table: pa.Table, path: Path) -> None:
    """Write one sheet of one return: small, read once or twice, and checked by the checksums of its pages."""
    pq.write_table(
        table,
        path,
        version="2.6",
        data_page_version="1.0",
        compression="snappy",
        write_statistics=False,
        write_page_checksum=True,
    )


def read_piece(path: Path) -> pa.Table:
    """Read what write_piece wrote.

    Raises OSError or pa.ArrowException if it is missing, cut short or altered.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(use_threads=False)

"""The draft release of open data of one period: what the exposures name, as files anybody can check.

Belongs here: open data marts -> CSV, Parquet, descriptor, dictionary, hashes, under `releases/draft/`.
Does not belong here: deciding what is confidential (the open data marts have done that) and publishing (a
later, separate step with an approval). A draft is embargoed, so its folders are its owner's alone.

Nothing in the files depends on the clock or on which build they came from: the same rows give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reports.files import csv_bytes, publish_folder

OPEN_DATA = "open_data"
LICENCE = {
    "name": "OGL-UK-3.0",
    "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    "title": "Open Government Licence v3.0",
}
DESCRIPTOR = "datapackage.json"
CHECKSUMS = "SHA256SUMS"
README = "README.txt"
DICTIONARY = "data-dictionary.csv"
PROVISIONAL = (
    "Management information. The definitions of the metrics are provisional: the compliance sections of the"
    " Victims and Prisoners Act 2024 are not yet in force and no data set has been prescribed."
)

_FIELD_TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "DATE": "date",
}
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class ExposedColumn:
    """One published column: its name, what it means, and its type as the mart declares it."""

    name: str
    description: str
    data_type: str


@dataclass(frozen=True)
class ExposedTable:
    """One mart that may leave the house. `name` is the stem of its files, `mart` schema and table."""

    name: str
    mart: str
    title: str
    description: str
    columns: tuple[ExposedColumn, ...]
    primary_key: tuple[str, ...]


@dataclass(frozen=True)
class ReleaseSummary:
    """What a draft holds: rows per table, the bytes' hash per file, and whether this run changed anything."""

    period_code: str
    version: str
    build_id: str
    folder: Path
    rows: Mapping[str, int]
    sha256: Mapping[str, str]
    changed: bool


def exposed_tables(manifest: Mapping[str, Any]) -> list[ExposedTable]:
    """The publication list of a dbt manifest: marts behind exposures whose meta says `release: open_data`.

    Sorted by name. Raises ValueError where an exposure would publish a model outside the open data marts, a
    column nobody has described, or a table whose key no test proves: what is not exposed and described is not
    published.
    """
    found: dict[str, ExposedTable] = {}
    for exposure in manifest.get("exposures", {}).values():
        meta = {**exposure.get("meta", {}), **exposure.get("config", {}).get("meta", {})}
        release = meta.get("release")
        if release is None:
            continue
        if release != OPEN_DATA:
            raise ValueError(
                f"Exposure {exposure['name']} has release: {release!r}; write {OPEN_DATA}, or leave it out."
            )
        for node_id in exposure["depends_on"]["nodes"]:
            node = manifest["nodes"].get(node_id)
            if node is None or OPEN_DATA not in node["fqn"]:
                raise ValueError(
                    f"Exposure {exposure['name']} publishes {node_id}, which is not an open data mart;"
                    f" expose only models under marts/{OPEN_DATA}."
                )
            table = _exposed_table(manifest, exposure, node_id)
            found[table.name] = table
    return [found[name] for name in sorted(found)]


def build_draft(
    con: duckdb.DuckDBPyConnection,
    period_code: str,
    releases_root: Path,
    *,
    exposures: Sequence[ExposedTable],
    build_id: str,
    version: str = "1.0.0",
) -> ReleaseSummary:
    """Writes `<releases_root>/draft/<period_code>/v<version>/` from a verified build, whole or not at all.

    `con` is open on the build, read-only. Each exposed table gives a CSV and a Parquet of the period's rows,
    in the order of its key; beside them stand the descriptor, a data dictionary, a README and, written last,
    the hashes. `build_id` is carried into the summary only.

    Raises ValueError when nothing is exposed, the period is unknown or has no row, or a mart has columns
    other than those described.
    """
    if not exposures:
        raise ValueError(
            f"No exposure has meta release: {OPEN_DATA}, so there is nothing to release; add one."
        )
    if not _VERSION.fullmatch(version) or not _SAFE_NAME.fullmatch(period_code):
        raise ValueError(
            f"Release {period_code!r} version {version!r}; write a period code and a version like 1.0.0."
        )
    period_label, created_on = _period(con, period_code)

    files: dict[str, bytes] = {}
    resources: list[dict[str, Any]] = []
    dictionary: list[tuple[object, ...]] = []
    rows_by_table: dict[str, int] = {}
    for table in sorted(exposures, key=lambda exposed: exposed.name):
        types = _column_types(con, table)
        names = [column.name for column in table.columns]
        rows = _rows(con, table, period_code)
        rows_by_table[table.name] = len(rows)
        csv_name, parquet_name = f"{table.name}.csv", f"{table.name}.parquet"
        files[csv_name] = csv_bytes(names, rows)
        files[parquet_name] = _parquet_bytes(names, types, rows)
        schema = _schema(table, types)
        resources.append(_resource(table, csv_name, files[csv_name], "csv", schema))
        resources.append(_resource(table, parquet_name, files[parquet_name], "parquet", schema))
        dictionary.extend(
            (
                csv_name,
                column.name,
                _FIELD_TYPES[types[column.name]],
                column.name in table.primary_key,
                column.description,
            )
            for column in table.columns
        )
    if not any(rows_by_table.values()):
        raise ValueError(
            f"No open data row has the period {period_code}; is the code right and the quarter built?"
        )

    header = ("file", "column", "type", "is_key", "description")
    files[DICTIONARY] = csv_bytes(header, dictionary)
    resources.append(_dictionary_resource(files[DICTIONARY], header))
    files[DESCRIPTOR] = _json_bytes(_descriptor(period_code, period_label, created_on, version, resources))
    files[README] = _readme(period_label, version, exposures).encode("utf-8")
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files[CHECKSUMS] = "".join(f"{digest}  {name}\n" for name, digest in hashes.items()).encode("ascii")

    folder = releases_root / "draft" / period_code / f"v{version}"
    changed = publish_folder(folder, files, last=(CHECKSUMS,))
    return ReleaseSummary(period_code, version, build_id, folder, rows_by_table, hashes, changed)


def _exposed_table(manifest: Mapping[str, Any], exposure: Mapping[str, Any], node_id: str) -> ExposedTable:
    node = manifest["nodes"][node_id]
    columns = tuple(
        ExposedColumn(name, _one_line(column.get("description", "")), str(column.get("data_type") or ""))
        for name, column in node["columns"].items()
    )
    undescribed = [column.name for column in columns if not column.description]
    if undescribed or not columns:
        raise ValueError(
            f"Model {node['name']} is exposed without a description of"
            f" {', '.join(undescribed) or 'any column'}; describe every column that is published."
        )
    key = _primary_key(manifest, node_id)
    if not key:
        raise ValueError(f"Model {node['name']} is exposed without a key; give it a unique_key test.")
    models = [name for name in exposure["depends_on"]["nodes"] if name.startswith("model.")]
    name = str(node["name"]).removeprefix(f"{OPEN_DATA}_")
    meta = {**node.get("meta", {}), **node.get("config", {}).get("meta", {})}
    label = exposure.get("label") if len(models) == 1 else None
    return ExposedTable(
        name=name,
        mart=f"{node['schema']}.{node.get('alias') or node['name']}",
        title=str(meta.get("title") or label or name.replace("_", " ").capitalize()),
        description=_one_line(node.get("description", "")),
        columns=columns,
        primary_key=key,
    )


def _primary_key(manifest: Mapping[str, Any], node_id: str) -> tuple[str, ...]:
    """The key the model's own test proves: the columns of its `unique_key` test."""
    for test in manifest["nodes"].values():
        metadata = test.get("test_metadata") or {}
        if test.get("attached_node") == node_id and metadata.get("name") == "unique_key":
            return tuple(metadata["kwargs"]["columns"])
    return ()


def _period(con: duckdb.DuckDBPyConnection, period_code: str) -> tuple[str, dt.date]:
    """The period's name and the day its local review closes, which dates the release."""
    row = con.execute(
        "select period_label, review_due_on from staging.stg_periods where period_code = ?", [period_code]
    ).fetchone()
    if row is None:
        raise ValueError(f"The warehouse knows no period {period_code}; write it like 2025-26-Q1.")
    return str(row[0]), row[1]


def _column_types(con: duckdb.DuckDBPyConnection, table: ExposedTable) -> dict[str, str]:
    schema, _, name = table.mart.partition(".")
    types = dict(
        con.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = ? and table_name = ? order by ordinal_position",
            [schema, name],
        ).fetchall()
    )
    described = {column.name for column in table.columns}
    if set(types) != described:
        odd = ", ".join(sorted(set(types) ^ described))
        raise ValueError(
            f"Table {table.mart} and its description differ in {odd}; describe exactly what it holds."
        )
    unknown = sorted(name for name, kind in types.items() if kind not in _FIELD_TYPES)
    if unknown:
        raise ValueError(
            f"Table {table.mart} holds types no open data file has: {', '.join(unknown)}; cast them."
        )
    return types


def _rows(con: duckdb.DuckDBPyConnection, table: ExposedTable, period_code: str) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{name}" nulls first' for name in table.primary_key)
    return con.execute(
        f"select {names} from {table.mart} where period_code = ? order by {order}", [period_code]
    ).fetchall()


def _parquet_bytes(names: Sequence[str], types: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows as one Parquet row group with fixed writer settings, so that only they decide the bytes."""
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
    columns = [
        pa.array([row[position] for row in rows], type=arrow_types[types[name]])
        for position, name in enumerate(names)
    ]
    stream = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(columns, names=list(names)),
        stream,
        version="2.6",
        compression="zstd",
        compression_level=9,
        row_group_size=max(len(rows), 1),
        store_schema=False,
    )
    return stream.getvalue()


def _schema(table: ExposedTable, types: Mapping[str, str]) -> dict[str, Any]:
    fields = []
    for column in table.columns:
        field: dict[str, Any] = {
            "name": column.name,
            "type": _FIELD_TYPES[types[column.name]],
            "description": column.description,
        }
        if column.name in table.primary_key:
            field["constraints"] = {"required": True}
        fields.append(field)
    return {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fields": fields,
        "fieldsMatch": "exact",
        "primaryKey": list(table.primary_key),
        "missingValues": [""],
    }


def _resource(
    table: ExposedTable, path: str, content: bytes, kind: str, schema: Mapping[str, Any]
) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": path.lower().replace(".", "-").replace("_", "-"),
        "type": "table",
        "title": table.title if kind == "csv" else f"{table.title} (Parquet)",
        "description": table.description,
        "path": path,
        "format": kind,
        "mediatype": "text/csv" if kind == "csv" else "application/vnd.apache.parquet",
    }
    if kind == "csv":
        resource["encoding"] = "utf-8"
        resource["dialect"] = _CSV_DIALECT
    return {**resource, "bytes": len(content), "hash": _hash(content), "schema": schema}


_CSV_DIALECT = {
    "$schema": "https://datapackage.org/profiles/2.0/tabledialect.json",
    "header": True,
    "delimiter": ",",
    "lineTerminator": "\r\n",
    "quoteChar": '"',
    "doubleQuote": True,
}


def _dictionary_resource(content: bytes, header: Sequence[str]) -> dict[str, Any]:
    fields = [{"name": name, "type": "boolean" if name == "is_key" else "string"} for name in header]
    return {
        "name": "data-dictionary",
        "type": "table",
        "title": "Data dictionary",
        "description": "One row for each column of each file.",
        "path": DICTIONARY,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": _CSV_DIALECT,
        "bytes": len(content),
        "hash": _hash(content),
        "schema": {
            "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
            "fields": fields,
            "fieldsMatch": "exact",
            "primaryKey": ["file", "column"],
            "missingValues": [""],
        },
    }


def _descriptor(
    period_code: str, period_label: str, created_on: dt.date, version: str, resources: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"victims-code-compliance-{period_code.lower()}",
        "title": f"Victims' Code compliance, {period_label}",
        "description": PROVISIONAL,
        "version": version,
        "status": "draft",
        "period_code": period_code,
        "created": f"{created_on.isoformat()}T00:00:00Z",
        "licenses": [LICENCE],
        "keywords": ["victims", "Victims' Code", "criminal justice", "England and Wales"],
        "resources": resources,
    }


def _readme(period_label: str, version: str, exposures: Sequence[ExposedTable]) -> str:
    tables = "\n".join(
        f"  {table.name}.csv, {table.name}.parquet\n      {table.title}. {table.description}"
        for table in sorted(exposures, key=lambda exposed: exposed.name)
    )
    return f"""Victims' Code compliance, {period_label}
Release version {version}. DRAFT: under embargo until it is published.

{PROVISIONAL}

Files
{tables}
  {DICTIONARY}
      What each column means.
  {DESCRIPTOR}
      Names, types, keys and hashes of the files, as a Data Package (version 2).
  {CHECKSUMS}
      Check the files with: sha256sum -c {CHECKSUMS}

Reading the figures
  Each CSV is UTF-8 with one header row. Numeric columns hold numbers or nothing.
  Where a figure is withheld or missing, obs_status says why: c confidential, x not available,
  z not applicable, w not submitted. A missing figure is never a zero and never a pass.
  Small counts are withheld and other counts are rounded, so parts may not add up to totals.
  In a CSV, text that a spreadsheet would run as a formula has an apostrophe before it.
  obs_note: p provisional, r revised.

Licence: {LICENCE["title"]} ({LICENCE["name"]}), {LICENCE["path"]}
"""


def _json_bytes(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")


def _hash(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _one_line(text: str) -> str:
    return " ".join(str(text).split())

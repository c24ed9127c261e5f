"""datapackage.json: the release as a Data Package, version 2 (https://datapackage.org/standard/data-package/)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.release.columns import FIELD_TYPES, foreign_keys, limits
from reports.release.dictionary import described_tables
from reports.release.encoding import json_bytes, sha256
from reports.release.publication import Publication, PublicTable
from reports.release.publisher import publisher

DESCRIPTOR = "datapackage.json"

_PROFILES = "https://datapackage.org/profiles/2.0"
_DIALECT = {
    "$schema": f"{_PROFILES}/tabledialect.json",
    "header": True,
    "delimiter": ",",
    "lineTerminator": "\r\n",
    "quoteChar": '"',
    "doubleQuote": True,
}


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """datapackage.json, every CSV and Parquet a resource. Raises ValueError for a CSV nobody described."""
    tables = described_tables(publication, files)
    resources = [
        resource
        for table in tables
        for resource in (
            _csv_resource(table, tables, files),
            *([_parquet_resource(table, tables, files)] if f"{table.name}.parquet" in files else []),
        )
    ]
    return {DESCRIPTOR: json_bytes(_descriptor(publication, resources))}


def _descriptor(publication: Publication, resources: list[dict[str, Any]]) -> dict[str, Any]:
    facts = publisher()
    descriptor: dict[str, Any] = {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": f"{facts.name}-{publication.period_code.lower()}",
        "id": facts.release_uri(publication.period_code, publication.version),
        "title": facts.full_title(publication),
        "description": facts.description,
        "homepage": facts.landing_page,
        "version": publication.version,
        "status": publication.status,
        "created": f"{publication.issued_on.isoformat()}T00:00:00Z",
        "period_code": publication.period_code,
        "temporal": {
            "start": publication.covered_from.isoformat(),
            "end": publication.last_day.isoformat(),
            "name": _period(publication),
        },
        "spatial": [{"code": place.code, "name": place.name} for place in facts.spatial],
    }
    if publication.previous is not None:
        descriptor["replaces"] = publication.previous
    if publication.reason is not None:
        descriptor["reason"] = publication.reason
    return {
        **descriptor,
        "licenses": [{"name": facts.licence_name, "path": facts.licence_uri, "title": facts.licence_title}],
        "contributors": [
            {
                "title": facts.organisation.name,
                "path": facts.organisation.uri,
                "organization": facts.organisation.name,
                "roles": ["publisher", "creator"],
            },
            {
                "title": facts.contact_name,
                "email": facts.contact_email,
                "organization": facts.organisation.name,
                "roles": ["contact"],
            },
        ],
        "sources": [
            {"title": source.name, **({"path": source.uri} if source.uri else {})} for source in facts.sources
        ],
        "keywords": list(facts.keywords),
        "resources": resources,
    }


def _period(publication: Publication) -> str:
    if publication.year_first_day is None:
        return publication.period_label
    return f"{publication.period_label}, and its financial year"


def _csv_resource(
    table: PublicTable, tables: Sequence[PublicTable], files: Mapping[str, bytes]
) -> dict[str, Any]:
    path = f"{table.name}.csv"
    return {
        "name": _resource_name(table.name),
        "type": "table",
        "title": table.title,
        "description": table.description,
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": _DIALECT,
        **_fixity(files[path]),
        "schema": _schema(table, tables),
    }


def _parquet_resource(
    table: PublicTable, tables: Sequence[PublicTable], files: Mapping[str, bytes]
) -> dict[str, Any]:
    path = f"{table.name}.parquet"
    return {
        "name": f"{_resource_name(table.name)}-parquet",
        "title": f"{table.title} (Parquet)",
        "description": table.description,
        "path": path,
        # Not "parquet", nor type table: frictionless would then read it through pandas, which turns an
        # integer column with a missing value into floats, and reject its own reading. So it checks bytes
        # and hash, and the schema is for readers; the rows are those of the CSV.
        "format": "apache-parquet",
        "mediatype": "application/vnd.apache.parquet",
        **_fixity(files[path]),
        "schema": _schema(table, tables),
    }


def _schema(table: PublicTable, tables: Sequence[PublicTable]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": [_field(table, position) for position in range(len(table.columns))],
    }
    if table.primary_key:
        schema["primaryKey"] = list(table.primary_key)
    keys = foreign_keys(table, tables)
    if keys:
        schema["foreignKeys"] = [
            {
                "fields": list(key.columns),
                "reference": {"resource": _resource_name(key.table), "fields": list(key.referenced)},
            }
            for key in keys
        ]
    return {**schema, "missingValues": list(table.missing_values)}


def _field(table: PublicTable, position: int) -> dict[str, Any]:
    column = table.columns[position]
    field: dict[str, Any] = {
        "name": column.name,
        "type": FIELD_TYPES[column.data_type],
        "description": column.description,
    }
    held = limits(table, column)
    constraints: dict[str, Any] = {}
    if held.required:
        constraints["required"] = True
    if held.minimum is not None:
        constraints["minimum"] = held.minimum
    if held.maximum is not None:
        constraints["maximum"] = held.maximum
    if held.codes:
        constraints["enum"] = list(held.codes)
    return {**field, **({"constraints": constraints} if constraints else {})}


def _fixity(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "hash": f"sha256:{sha256(content)}"}


def _resource_name(table_name: str) -> str:
    """Names of resources are lower case, with hyphens."""
    return table_name.lower().replace("_", "-").replace(".", "-")

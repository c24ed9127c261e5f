"""csvw-metadata.json: the CSVs as CSV on the Web (https://www.w3.org/TR/tabular-metadata/)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reports.release.columns import foreign_keys, limits
from reports.release.dictionary import described_tables
from reports.release.encoding import json_bytes
from reports.release.publication import Publication, PublicColumn, PublicTable
from reports.release.publisher import publisher

METADATA = "csvw-metadata.json"

_DATATYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "DATE": "date",
}


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """csvw-metadata.json, a table group of every CSV. Raises ValueError for a CSV nobody described."""
    tables = described_tables(publication, files)
    facts = publisher()
    return {
        METADATA: json_bytes(
            {
                "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
                "@type": "TableGroup",
                "dc:title": facts.full_title(publication),
                "dc:description": facts.description,
                "dc:identifier": facts.release_uri(publication.period_code, publication.version),
                "dc:issued": {"@value": publication.issued_on.isoformat(), "@type": "xsd:date"},
                "dc:license": {"@id": facts.licence_uri},
                "dc:publisher": facts.organisation.name,
                "dialect": {
                    "encoding": "utf-8",
                    "delimiter": ",",
                    "quoteChar": '"',
                    "doubleQuote": True,
                    "lineTerminators": ["\r\n"],
                    "header": True,
                    "headerRowCount": 1,
                },
                "tables": [_table(table, tables) for table in tables],
            }
        )
    }


def _table(table: PublicTable, tables: Sequence[PublicTable]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "columns": [_column(table, column) for column in table.columns],
    }
    if table.primary_key:
        schema["primaryKey"] = list(table.primary_key)
    keys = foreign_keys(table, tables)
    if keys:
        schema["foreignKeys"] = [
            {
                "columnReference": list(key.columns),
                "reference": {"resource": f"{key.table}.csv", "columnReference": list(key.referenced)},
            }
            for key in keys
        ]
    return {
        "url": f"{table.name}.csv",
        "dc:title": table.title,
        "dc:description": table.description,
        "tableSchema": schema,
    }


def _column(table: PublicTable, column: PublicColumn) -> dict[str, Any]:
    held = limits(table, column)
    datatype: dict[str, Any] = {"base": _DATATYPES[column.data_type]}
    if column.data_type == "BOOLEAN":
        datatype["format"] = "true|false"
    if held.codes:
        datatype["format"] = "|".join(re.escape(code) for code in held.codes)
    if held.minimum is not None:
        datatype["minimum"] = held.minimum
    if held.maximum is not None:
        datatype["maximum"] = held.maximum
    missing = list(table.missing_values)
    return {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.description,
        "datatype": datatype if len(datatype) > 1 else datatype["base"],
        "null": missing[0] if len(missing) == 1 else missing,
        **({"required": True} if held.required else {}),
    }

"""What changed between two versions of one release: rows added, removed and revised, by key.

Belongs here: comparing published tables. Every value that is told was published in one of both versions: a
change says what stood there and what stands there now, never how many cases were added between them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reports.files import csv_bytes
from reports.release.publication import PublicTable

_HEADER = ("table", "change", "key", "column", "old", "new")


def published_rows(folder: Path, tables: Iterable[PublicTable]) -> list[PublicTable]:
    """The tables of a version as its Parquet files hold them; a table without a file is left out.

    Columns are those of the file: a column that a later version added or took away shows as such.
    """
    import pyarrow.parquet as pq

    found = []
    for table in tables:
        path = folder / f"{table.name}.parquet"
        if not path.is_file():
            continue
        read = pq.read_table(path)
        known = {column.name: column for column in table.columns}
        columns = tuple(
            known.get(name) or replace(table.columns[0], name=name, description="")
            for name in read.column_names
        )
        rows = tuple(zip(*(read.column(name).to_pylist() for name in read.column_names), strict=True))
        found.append(replace(table, columns=columns, rows=rows))
    return found


def first_version(reason: str) -> dict[str, Any]:
    """The content of changes.json of a quarter's first version."""
    return {"previous": None, "reason": reason, "is_first_version": True, "tables": []}


def changes_between(
    old: Sequence[PublicTable], new: Sequence[PublicTable], *, previous: str, reason: str
) -> dict[str, Any]:
    """The content of changes.json: for each table rows added, removed and revised, in the order of its key.

    A revised row has its key and, for each column that changed, the value published before and now (null
    where none was given). Tables that did not change are left out.
    """
    before = {table.name: table for table in old}
    after = {table.name: table for table in new}
    told = []
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            table = after.get(name) or before[name]
            rows = [_key(table, row) for row in table.dicts()]
            side = "added" if name in after else "removed"
            told.append(_table(table, **{f"table_{side}": True, side: rows}))
            continue
        changed = _compared(before[name], after[name])
        if changed is not None:
            told.append(changed)
    return {"previous": previous, "reason": reason, "is_first_version": False, "tables": told}


def _table(table: PublicTable, **said: Any) -> dict[str, Any]:
    parts = {"columns_added": [], "columns_removed": [], "added": [], "removed": [], "revised": [], **said}
    return {"table": table.name, "key": list(table.primary_key), **parts}


def _compared(old: PublicTable, new: PublicTable) -> dict[str, Any] | None:
    before = {_identity(new, row): row for row in old.dicts()}
    after = {_identity(new, row): row for row in new.dicts()}
    both = [name for name in new.column_names if name in old.column_names]
    added = [_key(new, row) for identity, row in after.items() if identity not in before]
    removed = [_key(new, row) for identity, row in before.items() if identity not in after]
    revised = []
    for identity, row in after.items():
        earlier = before.get(identity)
        if earlier is None:
            continue
        differing = {
            name: {"old": _plain(earlier[name]), "new": _plain(row[name])}
            for name in both
            if earlier[name] != row[name]
        }
        if differing:
            revised.append({"key": _key(new, row), "values": differing})
    columns_added = [name for name in new.column_names if name not in old.column_names]
    columns_removed = [name for name in old.column_names if name not in new.column_names]
    if not (added or removed or revised or columns_added or columns_removed):
        return None
    return _table(
        new,
        columns_added=columns_added,
        columns_removed=columns_removed,
        added=added,
        removed=removed,
        revised=revised,
    )


def _identity(table: PublicTable, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in table.primary_key)


def _key(table: PublicTable, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(row.get(name)) for name in table.primary_key}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def changes_text(changes: Mapping[str, Any], shown: int = 20) -> str:
    """The changes as people read them in a terminal; of each table the first `shown` rows."""
    if changes["is_first_version"]:
        return f"This is the first version ({changes['reason']}); there is nothing to compare it with."
    if changes.get("is_previous_withdrawn"):
        return f"Version {changes['previous']} was withdrawn, so there is nothing to compare this one with."
    lines = [f"Compared with version {changes['previous']}. Reason: {changes['reason']}"]
    if not changes["tables"]:
        lines.append("No published value changed.")
    for table in changes["tables"]:
        counts = ", ".join(f"{len(table[what]):,} rows {what}" for what in ("added", "removed", "revised"))
        lines.append(f"\n{table['table']}: {counts}")
        lines += [
            f"  column {what}: {', '.join(table[f'columns_{what}'])}"
            for what in ("added", "removed")
            if table[f"columns_{what}"]
        ]
        told = [(what, key, "") for what in ("added", "removed") for key in table[what]]
        told += [
            ("revised", row["key"], "; ".join(_change_text(*change) for change in row["values"].items()))
            for row in table["revised"]
        ]
        lines += [
            f"  {what}: {_key_text(key)}{'  ' + said if said else ''}" for what, key, said in told[:shown]
        ]
        if len(told) > shown:
            lines.append(f"  and {len(told) - shown:,} more; --format csv lists all")
    return "\n".join(lines)


def changes_csv(changes: Mapping[str, Any]) -> bytes:
    """The changes as CSV: one line a row added or removed, and one a value revised."""
    rows: list[tuple[object, ...]] = []
    for table in changes["tables"]:
        for what in ("added", "removed"):
            rows += [
                (table["table"], f"column {what}", "", name, "", "") for name in table[f"columns_{what}"]
            ]
            rows += [(table["table"], what, _key_text(key), "", "", "") for key in table[what]]
        rows += [
            (table["table"], "revised", _key_text(row["key"]), name, _cell(value["old"]), _cell(value["new"]))
            for row in table["revised"]
            for name, value in row["values"].items()
        ]
    return csv_bytes(_HEADER, rows)


def _key_text(key: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_cell(value)}" for name, value in key.items())


def _change_text(name: str, change: Mapping[str, Any]) -> str:
    return f"{name}: {_cell(change['old']) or 'not given'} -> {_cell(change['new']) or 'not given'}"


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)

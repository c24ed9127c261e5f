"""The publication list: which marts leave the house, as the dbt exposures say, and what is said of them.

Belongs here: manifest -> table definitions. Does not belong here: rows (`read`), or files (the writers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.release.publication import PublicColumn, PublicTable

OPEN_DATA = "open_data"


def exposed_tables(manifest: Mapping[str, Any]) -> list[PublicTable]:
    """The publication list of a dbt manifest: marts behind exposures whose meta says `release: open_data`.

    Tables without rows, sorted by name. Raises ValueError where an exposure would publish a model outside the
    open data marts, a column nobody has described, or a table whose key no test proves: what is not exposed
    and described is not published.
    """
    found: dict[str, PublicTable] = {}
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


def _exposed_table(manifest: Mapping[str, Any], exposure: Mapping[str, Any], node_id: str) -> PublicTable:
    node = manifest["nodes"][node_id]
    columns = tuple(
        PublicColumn(
            name, _one_line(column.get("description", "")), str(column.get("data_type") or "").upper()
        )
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
    return PublicTable(
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


def _one_line(text: str) -> str:
    return " ".join(str(text).split())

"""What analysts read: the marts of the served build, copied into files that no run ever writes again.

What belongs here: naming a copy after what it is made of, making it, swapping it in, dropping old ones. What
does not: making or judging a build. Nothing here imports Dagster. A copy is a new file made from a verified
build; it is written under another name, before anybody can read it, and only read from then on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.files import sync
from ingest.paths import OWNER_AND_GROUP, DataRoot
from orchestration.warehouse import BUILDS_KEPT, Build, WarehouseError, digest_files

if TYPE_CHECKING:
    import duckdb

#: Name of the DuckDB file of every copy.
DATABASE = "victims_code.duckdb"

#: Schemas that are copied; they keep their names.
SCHEMAS = ("marts", "reference")

#: Names, beside the copies, of what only a killed run leaves.
MAKING, DROPPED = "making-", "dropped-"
_COPY_NAME = re.compile(r"(?P<build_id>b[0-9a-z]+)-[0-9a-f]{8}\Z")

#: Rows of one row group of a Parquet file. It belongs to the file's bytes, so it is fixed.
ROW_GROUP_ROWS = 100_000

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class TableWords:
    """What is said of one table: its description (the grain first), its key, and its columns."""

    description: str
    key: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def comment(self) -> str:
        """Grain, meaning and key, as one text."""
        return " ".join(filter(None, (self.description, f"Key: {', '.join(self.key)}." if self.key else "")))


def table_words(
    manifest: Mapping[str, Any], measures: Mapping[str, str]
) -> dict[tuple[str, str], TableWords]:
    """Return (schema, table) -> what dbt's manifest says of it; the key is the one that a test proves.

    `measures` says of a mart's numeric column how it may be combined, in a sentence.
    """
    keys: dict[str, tuple[str, ...]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "unique_key":
            keys[node["attached_node"]] = tuple(node["test_metadata"]["kwargs"]["columns"])
    return {
        (node["schema"], node["name"]): TableWords(
            _one_line(node["description"]),
            keys.get(name, ()),
            {
                column["name"]: _one_line(f"{column['description']} {said.get(column['name'], '')}")
                for column in node["columns"].values()
            },
        )
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed") and node["schema"] in SCHEMAS
        for said in ([measures] if node["schema"] == "marts" else [{}])
    }


@dataclass(frozen=True)
class ServingCopy:
    """One folder under `serving/`: a DuckDB file and Parquet, `<schema>/<table>.parquet`."""

    folder: Path

    @property
    def build_id(self) -> str:
        """The build it is a copy of."""
        return self.folder.name.rpartition("-")[0]

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / DATABASE

    def parquet(self, schema: str, table: str) -> Path:
        """The Parquet file of one table."""
        return self.folder / schema / f"{table}.parquet"


class Serving:
    """The folder `warehouse/serving/`: the copies and the link to the one that analysts read."""

    def __init__(self, root: DataRoot) -> None:
        """Take the copies of a data root; there need not be any yet."""
        self.folder = root.serving
        self.link = root.serving_current
        self.register = root.register

    def copy_of(self, build: Build) -> ServingCopy:
        """Return the copy of that build and of the register as it stands, made or not.

        A mart shows the register, which a final run adds to after it has served its build; so the register is
        part of the copy's name, and with it the code that writes copies.
        """
        total = hashlib.sha256(digest_files(sorted(self.register.rglob("*.parquet")), self.register).encode())
        total.update(Path(__file__).read_bytes())
        return ServingCopy(self.folder / f"{build.build_id}-{total.hexdigest()[:8]}")

    def current(self) -> ServingCopy | None:
        """Return the copy that analysts read, or None before the first one. The link is read once."""
        try:
            target = self.link.readlink()
        except FileNotFoundError:
            return None
        copy = ServingCopy(self.folder / target.name)
        return copy if copy.database.is_file() else None

    def copies(self) -> list[ServingCopy]:
        """Return every whole copy, sorted by name."""
        return [
            ServingCopy(path)
            for path in sorted(self.folder.glob("b*-*"))
            if _COPY_NAME.match(path.name) and path.is_dir()
        ]

    def publish(
        self,
        build: Build,
        words: Mapping[tuple[str, str], TableWords],
        told: Told = lambda done, total: None,
    ) -> list[Path]:
        """Let analysts read this build: copy it, swap `current`, drop old copies. Returns those dropped.

        Copies nothing if neither the build nor the register has changed. Safe to repeat after a kill at any
        point. `told` hears how many tables are copied, of how many. Raises WarehouseError if the build cannot
        be read.
        """
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True)
            self.folder.chmod(OWNER_AND_GROUP)
        self.clear_scrap()
        copy = self.copy_of(build)
        if not copy.folder.is_dir():
            self._make(copy, build, words, told)
        if self.current() != copy:
            staged = self.folder / f"{self.link.name}.{copy.folder.name}"
            staged.symlink_to(copy.folder.name)
            # A copy that is served again counts as new, so that it is not the next one dropped.
            os.utime(copy.folder)
            staged.replace(self.link)
            sync(self.folder)
        return self._drop_old(copy)

    def clear_scrap(self) -> list[Path]:
        """Delete what a killed run left: a copy half made or half dropped, a link that was not swapped in."""
        folders = sorted([*self.folder.glob(f"{MAKING}*"), *self.folder.glob(f"{DROPPED}*")])
        for folder in folders:
            shutil.rmtree(folder)
        links = sorted(self.folder.glob(f"{self.link.name}.*"))
        for link in links:
            link.unlink()
        return [*folders, *links]

    def drop(self, copy: ServingCopy) -> Path:
        """Delete a copy. It loses its name first, so that nothing half deleted bears the name of a copy.

        Whoever has its DuckDB file open keeps reading it: the bytes go when the last reader closes it.
        """
        scrap = copy.folder.with_name(f"{DROPPED}{copy.folder.name}")
        copy.folder.rename(scrap)
        shutil.rmtree(scrap)
        return copy.folder

    def _drop_old(self, served: ServingCopy) -> list[Path]:
        """Drop all but the newest copies, as many as builds are kept; the served one always stays."""
        older = sorted(
            (copy for copy in self.copies() if copy != served),
            key=lambda copy: (copy.folder.stat().st_mtime_ns, copy.folder.name),
            reverse=True,
        )
        return [self.drop(copy) for copy in older[BUILDS_KEPT - 1 :]]

    def _make(
        self, copy: ServingCopy, build: Build, words: Mapping[tuple[str, str], TableWords], told: Told
    ) -> None:
        """Write the copy under another name and give it its own once every byte is on the disk."""
        import duckdb

        making = ServingCopy(self.folder / f"{MAKING}{copy.folder.name}")
        making.folder.mkdir()
        spill = making.folder / "spill"
        try:
            # One thread: several write the rows of a Parquet file in groups that differ from run to run.
            with duckdb.connect(config={"threads": 1, "temp_directory": str(spill)}) as connection:
                copy_tables(connection, build, making, words, told)
        except duckdb.Error as error:
            raise WarehouseError(
                f"The marts of {build.path} cannot be copied for analysts: {error} If the data root was"
                " moved, delete that file and run the whole job again to build it anew."
            ) from error
        shutil.rmtree(spill, ignore_errors=True)
        _close_and_sync(making.folder, self.folder.stat().st_mode & 0o777)
        making.folder.rename(copy.folder)
        sync(self.folder)


def copy_tables(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    copy: ServingCopy,
    words: Mapping[tuple[str, str], TableWords],
    told: Told,
) -> None:
    """Copy every mart and reference table, rows in the order of all columns, into DuckDB and Parquet.

    A view becomes a table: the copy shows what the view showed, and depends on no other file. Raises
    WarehouseError if a copied table has not as many rows as the build's.
    """
    # Under its own name: a view names the tables it reads by it.
    source = _name(build.path.stem)
    connection.execute(f"attach {_literal(build.path)} as {source} (read_only)")
    connection.execute(f"attach {_literal(copy.database)} as copy")
    columns = _columns(connection, build.path.stem)
    for schema in dict.fromkeys(schema for schema, _ in columns):
        connection.execute(f"create schema copy.{_name(schema)}")
        (copy.folder / schema).mkdir()
    for done, ((schema, table), names) in enumerate(columns.items()):
        told(done, len(columns))
        said = words.get((schema, table), TableWords(""))
        place = f"{_name(schema)}.{_name(table)}"
        order = ", ".join(f"{_name(name)} nulls last" for name in _key_first(names, said.key))
        connection.execute(f"create table copy.{place} as select * from {source}.{place} order by {order}")
        _comment(connection, f"copy.{place}", names, said)
        counted = connection.execute(
            f"select (select count(*) from {source}.{place}), (select count(*) from copy.{place})"
        ).fetchone()
        if counted is None or counted[0] != counted[1]:
            raise WarehouseError(f"The copy of {schema}.{table} has not the rows of {build.path}: {counted}.")
        about = {"build": build.build_id, "description": said.comment, "columns": _as_json(said, names)}
        metadata = ", ".join(f"{key}: {_literal(text)}" for key, text in about.items())
        connection.execute(
            f"copy (select * from copy.{place} order by {order}) to {_literal(copy.parquet(schema, table))}"
            f" (format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS},"
            f" kv_metadata {{{metadata}}})"
        )
    connection.execute("checkpoint copy")
    connection.execute("detach copy")
    told(len(columns), len(columns))


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> dict[tuple[str, str], list[str]]:
    """Return (schema, table) -> its columns in order, for all tables and views of the build to be copied."""
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns()"
        f" where database_name = {_literal(source)} and schema_name in ({', '.join(map(_literal, SCHEMAS))})"
        " order by schema_name, table_name, column_index"
    ).fetchall():
        found.setdefault((schema, table), []).append(column)
    return found


def _comment(
    connection: duckdb.DuckDBPyConnection, place: str, names: Sequence[str], said: TableWords
) -> None:
    if said.comment:
        connection.execute(f"comment on table {place} is {_literal(said.comment)}")
    for name in names:
        if said.columns.get(name):
            connection.execute(f"comment on column {place}.{_name(name)} is {_literal(said.columns[name])}")


def _key_first(names: Sequence[str], key: Sequence[str]) -> list[str]:
    """Return the columns in the order rows are sorted by: those of the key, then all others."""
    return [*(name for name in key if name in names), *(name for name in names if name not in key)]


def _as_json(said: TableWords, names: Sequence[str]) -> str:
    described = {name: said.columns[name] for name in names if name in said.columns}
    return json.dumps(described, ensure_ascii=False)


def _close_and_sync(folder: Path, mode: int) -> None:
    """Take the right to write from every file, give folders the mode, and wait until all is on the disk.

    Who may read a copy is decided once, on the folder `serving`.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(mode if path.is_dir() else mode & 0o444)
        sync(path)
    folder.chmod(mode)
    sync(folder)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"

"""The warehouse is built whole in a new file, verified, and swapped in.

What belongs here: naming a build after what it is made of, finding the build that is served, publishing a
verified file, clearing what a killed run left. What does not: how a build is made (dbt) and judged (quality).
Nothing here imports Dagster, and nothing here opens a warehouse file for writing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.files import replacing, sync
from ingest.paths import DataRoot

if TYPE_CHECKING:
    import duckdb

#: What turns raw files into tables. Another version may write other rows, so it is part of a build's name.
ENGINE_PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb")

#: Written by dbt itself; they are results, not inputs.
DBT_RESULT_FOLDERS = frozenset({"target", "logs", "dbt_packages", "__pycache__"})

#: Verified builds that are kept, the served one included: a reader of the last but one is not cut off.
BUILDS_KEPT = 3


class WarehouseError(RuntimeError):
    """The warehouse cannot be read or published; the message says how to mend it."""


def raw_files(root: DataRoot) -> list[Path]:
    """Return the compacted Parquet files dbt reads, sorted; not the pieces each return was parsed into."""
    return sorted(path for path in root.raw.rglob("*.parquet") if root.raw_returns not in path.parents)


def dbt_files(dbt_folder: Path) -> list[Path]:
    """Return the files of the dbt project that decide what it builds, sorted."""
    return sorted(
        path
        for path in dbt_folder.rglob("*")
        if path.is_file()
        and not path.name.startswith(".")
        and not DBT_RESULT_FOLDERS.intersection(path.relative_to(dbt_folder).parts)
    )


def engine_versions() -> dict[str, str]:
    """Return the installed versions of what builds the warehouse."""
    return {name: metadata.version(name) for name in ENGINE_PACKAGES}


def digest_files(files: Iterable[Path], relative_to: Path) -> str:
    """Return one sha256 over the names (relative, so that a folder may move) and contents of the files."""
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(relative_to).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def inputs_id_for(
    root: DataRoot, dbt_folder: Path, contracts_folder: Path, versions: Mapping[str, str] | None = None
) -> str:
    """Name what a build is made from, without the register: raw files, this dbt project, these contracts."""
    parts = {
        "raw": digest_files(raw_files(root), root.raw),
        "dbt": digest_files(dbt_files(dbt_folder), dbt_folder),
        "contracts": digest_files(sorted(contracts_folder.rglob("*.yml")), contracts_folder),
        **(versions if versions is not None else engine_versions()),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def build_id_for(inputs_id: str, recorded: Mapping[str, str] | None = None) -> str:
    """Name the build that these inputs make, beside quarters recorded (period -> inputs of its build).

    The same inputs give the same name on every machine. A quarter recorded from these very inputs is left out
    on purpose: its states are those that the inputs give, so recording it changes no row and must not ask for
    another build. One that was recorded from other inputs stands as it was recorded, whatever the inputs now
    give, and so is part of the name.
    """
    others = sorted(f"{code} {inputs}" for code, inputs in (recorded or {}).items() if inputs != inputs_id)
    digest = hashlib.sha256("\n".join([inputs_id, *others]).encode()).hexdigest() if others else inputs_id
    return f"b{digest[:16]}"


@dataclass(frozen=True)
class Build:
    """One verified warehouse file under `builds/`, made or to be made."""

    build_id: str
    folder: Path

    @property
    def path(self) -> Path:
        """Where the verified file stands; it exists only once the build has passed its checks."""
        return self.folder / f"{self.build_id}.duckdb"

    @property
    def is_verified(self) -> bool:
        """True once the build has passed its checks and carries its final name."""
        return self.path.is_file()


@dataclass(frozen=True)
class Attempt:
    """One run's try at a build, in a folder of its own.

    A folder, not a suffix: DuckDB and dbt must read the same database name out of the file's name, and a dbt
    process that outlives a killed run must not write into the next run's file.
    """

    build_id: str
    folder: Path

    @property
    def path(self) -> Path:
        """The file dbt writes."""
        return self.folder / f"{self.build_id}.duckdb"

    @property
    def target_folder(self) -> Path:
        """Where dbt leaves its log and its results."""
        return self.folder / "target"

    @property
    def tests_path(self) -> Path:
        """Results of the dbt tests. Written last: an attempt without it did not end."""
        return self.folder / "dbt_tests.json"

    @property
    def is_complete(self) -> bool:
        """True once dbt has built and tested everything."""
        return self.path.is_file() and self.tests_path.is_file()


class Warehouse:
    """The folder `warehouse/`: the builds and the link to the one that is served."""

    def __init__(self, root: DataRoot) -> None:
        """Take the warehouse of a data root; it need not exist yet."""
        self.folder = root.warehouse
        self.builds = root.builds
        self.link = root.current

    def build(self, build_id: str) -> Build:
        """Return the build of that name, made or not."""
        return Build(build_id, self.builds)

    def current(self) -> Build | None:
        """Return the build that is served, or None before the first one. The link is read once."""
        try:
            target = self.link.readlink()
        except FileNotFoundError:
            return None
        build = self.build(target.stem)
        return build if build.is_verified else None

    def start_attempt(self, build_id: str, run_id: str) -> Attempt:
        """Clear what earlier runs left and make the folder for this run's try."""
        self.clear_scrap()
        attempt = Attempt(build_id, self.builds / f"attempt-{run_id}")
        attempt.folder.mkdir(parents=True)
        return attempt

    def finished_attempt(self, build_id: str) -> Attempt | None:
        """Return the attempt at that build which dbt has ended and nobody has verified, if there is one."""
        for folder in sorted(self.builds.glob("attempt-*")):
            attempt = Attempt(build_id, folder)
            if attempt.is_complete:
                return attempt
        return None

    def clear_scrap(self) -> list[Path]:
        """Delete what a killed or failed run left: attempts, and a link that was not swapped in."""
        attempts = sorted(self.builds.glob("attempt-*"))
        for folder in attempts:
            shutil.rmtree(folder, ignore_errors=True)
        links = sorted(self.folder.glob(f"{self.link.name}.*"))
        for link in links:
            link.unlink()
        return [*attempts, *links]

    def publish(self, build: Build) -> list[Path]:
        """Serve the build: give the verified file its final name, swap `current`, drop old builds.

        Safe to repeat after a kill at any point. Returns the builds that were dropped.
        Raises WarehouseError if there is neither a verified file nor a finished attempt of that name.
        """
        if not build.is_verified:
            attempt = self.finished_attempt(build.build_id)
            if attempt is None:
                raise WarehouseError(
                    f"Build {build.build_id} has no finished file in {self.builds}; run the whole job"
                    " again to make it."
                )
            sync(attempt.path)
            attempt.path.replace(build.path)
            sync(self.builds)
        if self.current() != build:
            staged = self.folder / f"{self.link.name}.{build.build_id}"
            staged.unlink(missing_ok=True)
            staged.symlink_to(build.path.relative_to(self.folder))
            staged.replace(self.link)
            # A build that is served again counts as new, so that it is not the next one dropped.
            os.utime(build.path)
            sync(self.folder)
        self.clear_scrap()
        return self._drop_old_builds(build)

    def _drop_old_builds(self, served: Build) -> list[Path]:
        """Drop all but the newest builds; the served one always stays."""
        older = sorted(
            (path for path in self.builds.glob("*.duckdb") if path != served.path),
            key=lambda path: (path.stat().st_mtime_ns, path.name),
            reverse=True,
        )
        dropped = older[BUILDS_KEPT - 1 :]
        for path in dropped:
            path.unlink()
        return dropped


@contextlib.contextmanager
def open_reader(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse file for reading only; close it at the end."""
    import duckdb

    if not path.is_file():
        raise WarehouseError(f"There is no warehouse at {path}; run `vcc run --all` first.")
    connection = duckdb.connect(str(path), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def table_rows(path: Path) -> dict[str, dict[str, int]]:
    """Return schema -> table -> number of rows of a warehouse file (tables only: a view is not counted)."""
    with open_reader(path) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' order by table_schema, table_name"
        ).fetchall()
        rows: dict[str, dict[str, int]] = {}
        for schema, table in tables:
            found = connection.execute(f'select count(*) from "{schema}"."{table}"').fetchone()
            rows.setdefault(schema, {})[table] = int(found[0]) if found else 0
    return rows


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document whole or not at all, in one byte form for one content."""
    content = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_bytes(path, content.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)

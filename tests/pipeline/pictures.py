"""What a data root holds, in forms that can be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from orchestration.project import Project

#: Locks are touched by every run; they hold nothing between runs.
LOCKS = frozenset({".run.lock", ".receive.lock"})

#: The page of an audit says how long it took; audit.json beside it does not.
TIMED = "audit.html"

#: What must be the same byte for byte, however often a run was killed.
BYTE_IDENTICAL = ("archive", "quarantine", "ledger", "raw", "register", "releases", "restricted", "checks")


def files_of(folder: Path) -> dict[str, str]:
    """Relative name -> hash of the content; a link's content is where it points."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name in LOCKS:
            continue
        if path.is_symlink():
            found[str(path.relative_to(folder))] = f"link to {path.readlink()}"
        elif path.is_file():
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def stamps_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Relative name -> (size, time of the last change): tells even a rewrite with the same content."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.name not in LOCKS and not path.is_dir()
    }


def kept_files(project: Project) -> dict[str, str]:
    """Everything that must be byte-identical between two ways to the same end."""
    return {
        f"{name}/{file}": content
        for name in BYTE_IDENTICAL
        for file, content in files_of(project.data_root / name).items()
        if Path(file).name != TIMED
    }


def served(project: Project) -> Path:
    """The warehouse file that is served."""
    build = project.warehouse.current()
    assert build is not None
    return build.path


def rows(project: Project, sql: str, parameters: list[object] | None = None) -> list[tuple[object, ...]]:
    """Read the served build."""
    with duckdb.connect(str(served(project)), read_only=True) as connection:
        return connection.execute(sql, parameters or []).fetchall()


def differing_tables(one: Project, other: Project) -> dict[str, int]:
    """Table -> rows that only one of two served builds has; tables without a difference are left out."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{served(one)}' as one (read_only)")
        connection.execute(f"attach '{served(other)}' as other (read_only)")
        listing = (
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where database_name = ? and not internal order by 1"
        )
        tables = [name for (name,) in connection.execute(listing, ["one"]).fetchall()]
        assert tables == [name for (name,) in connection.execute(listing, ["other"]).fetchall()]
        counts = {}
        for table in tables:
            found = connection.execute(
                f"select (select count(*) from (select * from one.{table} except all select * from other.{table}))"
                f" + (select count(*) from (select * from other.{table} except all select * from one.{table}))"
            ).fetchone()
            assert found is not None
            counts[table] = int(found[0])
    return {table: count for table, count in counts.items() if count}

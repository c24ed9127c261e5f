"""Run as a process of its own: builds the public site and tells every path that was read meanwhile.

Arguments: the public folder, and what to do: `build`, or one of the forbidden readings that show what the
recording sees. Prints JSON: a digest for each file of the site, and the paths. DuckDB opens its files without
Python's knowledge; what it is asked to open is taken from its connections.
"""

from __future__ import annotations

import re
import sys
from typing import Any

READ: set[str] = set()
_PATH = re.compile(r"'([^']*[/\\.][^']*)'")


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("open", "os.listdir", "os.scandir", "sqlite3.connect", "os.chdir"):
        if isinstance(arguments[0], str | bytes):
            READ.add(arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0])
    elif event in ("socket.connect", "subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"):
        READ.add(f"{event}: {arguments}")


sys.addaudithook(_heard)

import hashlib  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import duckdb  # noqa: E402

PROJECT = Path(__file__).parents[3]
sys.path.insert(0, str(PROJECT))


class Connection:
    """A connection of DuckDB that notes every path in what it is asked."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute(self, statement: Any, parameters: Any = ()) -> Any:
        text = statement if isinstance(statement, str) else statement.query
        if re.search(r"\b(?:attach|copy|read_\w+)\b", text, re.IGNORECASE):
            READ.update(_PATH.findall(text))
            self._note(parameters)
        return self._inner.execute(statement, parameters) if parameters else self._inner.execute(statement)

    def _note(self, value: Any) -> None:
        if isinstance(value, str):
            READ.add(value)
        elif isinstance(value, dict):
            self._note(list(value.values()))
        elif isinstance(value, list | tuple):
            for each in value:
                self._note(each)


_connect = duckdb.connect


def connect(database: Any = ":memory:", *arguments: Any, **named: Any) -> Connection:
    if str(database) != ":memory:":
        READ.add(str(database))
    return Connection(_connect(database, *arguments, **named))


duckdb.connect = connect  # type: ignore[assignment]


def built(public: Path, **options: Any) -> dict[str, str]:
    """A digest for each file of the site that a public folder makes."""
    from reports.published import releases_in
    from reports.site.build import build_site

    releases, versions = releases_in(public)
    files = build_site(
        releases, versions, PROJECT / "dbt_project" / "seeds", PROJECT / "node_modules", workers=1, **options
    )
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def main(public: Path, what: str) -> None:
    restricted = public.parent / "warehouse" / "victims_code.duckdb"
    digests: dict[str, str] = {}
    match what:
        case "build":
            digests = built(public)
        case "file":
            restricted.read_bytes()
        case "folder":
            list(restricted.parent.iterdir())
        case "database":
            duckdb.connect(str(restricted), read_only=True).close()
        case "attach":
            duckdb.connect().execute(f"attach '{restricted}' as other (read_only)")
        case "query":
            duckdb.connect().execute("select * from read_blob(?)", [str(restricted)])
        case "peek":
            import reports.site.feeds as feeds

            own = feeds.robots
            # What a site would be like that looks beside the public folder.
            feeds.robots = lambda of: own(of) + str(restricted.exists()).encode()
            (public.parent / "pages").mkdir()
            (public.parent / "pages" / "index.md").write_text("---\ntitle: x\ndescription: y\n---\n# x\n")
            digests = built(public, pages=public.parent / "pages")
    print(json.dumps({"digests": digests, "read": sorted(READ), "search_path": sys.path}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

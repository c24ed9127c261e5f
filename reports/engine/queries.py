"""Running the queries of a page: one SELECT each, bound parameters, a limit of rows and of time.

`${other}` stands for another query of the page, as a subquery; `$name` for a value that is bound, never
pasted. Text that comes out of a query is data for good: characters that steer how other text is shown
are replaced here, once, so that no page, chart, table or CSV carries them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from reports.components.text import neutral
from reports.engine.errors import PageError, nearest
from reports.engine.pages import Page
from reports.engine.rows import Rows

_PLACES = re.compile(
    r"(?P<skip>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$)|\$\{\s*(?P<name>[^}]*?)\s*\}",
    re.DOTALL,
)
#: What differs from one run to the next; a page made again from the same figures must be the same.
_FICKLE = re.compile(
    r"\b(?:now|today|random|setseed|uuid|uuidv4|uuidv7|gen_random_uuid|get_current_time|get_current_timestamp"
    r"|transaction_timestamp)\s*\(|\b(?:current_date|current_time|current_timestamp|localtime|localtimestamp)\b"
    r"|\b(?:using\s+sample|tablesample)\b",
    re.IGNORECASE,
)
#: The same, as functions, however their names are written; and what waits, or writes.
_FICKLE_FUNCTIONS = frozenset(
    ("now", "today", "random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "get_current_time",
     "get_current_timestamp", "transaction_timestamp", "current_localtime", "current_localtimestamp",
     "txid_current", "pg_sleep", "sleep_ms", "write_log")
)  # fmt: skip
#: What a setting holds differs from machine to machine, and may be a path.
_OF_MACHINE = frozenset(["current_setting", "getenv", "getvariable", "current_query", "version"])
#: Functions that make rows of nothing but their arguments: the only ones a query may read from.
_ROW_FUNCTIONS = frozenset(["range", "generate_series", "unnest", "json_each", "json_tree"])
#: Tables of DuckDB itself: they tell of this machine, as the path of the database, and not of figures.
_OF_DUCKDB = re.compile(r"(?:duckdb|pragma|sqlite|pg)_", re.IGNORECASE)
_SCHEMAS_OF_DUCKDB = frozenset(("information_schema", "pg_catalog", "system"))
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """How much one query may give, and how long it may take."""

    rows: int = 50_000
    seconds: float = 30.0


@dataclass(frozen=True)
class Composed:
    """A query with the ones it refers to put in; `lines` has the line of the file for each of its lines."""

    name: str
    sql: str
    lines: tuple[int, ...]
    refers_to: frozenset[str]


def references(page: Page, name: str) -> set[str]:
    """The names in `${...}` of one query."""
    return {match["name"] for match in _PLACES.finditer(page.queries[name].sql) if match["name"] is not None}


def composed(page: Page, name: str) -> Composed:
    """Put the queries that a query refers to into it. Raises PageError for a missing one, or a circle."""
    pieces: list[tuple[str, int]] = []
    used: set[str] = set()
    _compose(page, name, (name,), pieces, used)
    # A piece holds at most the end of a line; a line belongs to where its first non-blank piece came from.
    text, lines, current = "", [], 0
    for piece, line in pieces:
        if not current and piece.strip():
            current = line
        text += piece
        if piece.endswith("\n"):
            lines.append(current or line)
            current = 0
    lines.append(current or (pieces[-1][1] if pieces else page.queries[name].line))
    return Composed(name, text, tuple(lines), frozenset(used))


def _compose(
    page: Page, name: str, way: tuple[str, ...], pieces: list[tuple[str, int]], used: set[str]
) -> None:
    query = page.queries[name]
    at = 0
    for match in _PLACES.finditer(query.sql):
        other = match["name"]
        if other is None:
            continue
        line = query.line + query.sql.count("\n", 0, match.start())
        if other not in page.queries:
            raise PageError(
                page.file,
                line,
                f"${{{other}}}: the page has no query {other!r}.{nearest(other, page.queries)}",
            )
        if other in way:
            circle = " -> ".join((*way[way.index(other) :], other))
            raise PageError(page.file, line, f"Queries refer to one another in a circle: {circle}.")
        _add(query.sql[at : match.start()], query, at, pieces)
        pieces.append(("(\n", line))
        used.add(other)
        _compose(page, other, (*way, other), pieces, used)
        pieces.append(("\n", pieces[-1][1]))
        pieces.append((")", line))
        at = match.end()
    _add(query.sql[at:], query, at, pieces)


def _add(text: str, query: Any, start: int, pieces: list[tuple[str, int]]) -> None:
    line = query.line + query.sql.count("\n", 0, start)
    for part in text.splitlines(keepends=True):
        pieces.append((part, line))
        line += 1


class QueryRunner:
    """Runs composed queries on one connection; what needs no parameter is asked only once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits | None = None) -> None:
        self._connection = connection
        self._limits = limits or Limits()
        self._judged: set[str] = set()
        self._kept: dict[tuple[str, tuple[Any, ...]], tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {}

    def raw(
        self, page: Page, query: Composed, parameters: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Columns and rows as the database gives them, for values that are bound again.

        Raises PageError with the line for whatever DuckDB refuses.
        """
        statement = self._statement(page, query)
        missing = sorted(set(statement.named_parameters) - set(parameters))
        if missing:
            raise PageError(
                page.file,
                self._line_of(page, query, f"${missing[0]}"),
                f"Query {query.name!r} needs ${missing[0]}, which nothing gives."
                f"{nearest(missing[0], parameters)}",
            )
        bound = {name: parameters[name] for name in sorted(statement.named_parameters)}
        key = (query.sql, tuple(bound.items()))
        if key not in self._kept:
            self._kept[key] = self._fetched(page, query, statement, bound)
        return self._kept[key]

    def rows(self, page: Page, query: Composed, parameters: Mapping[str, Any]) -> Rows:
        """The rows of a query as pages have them. Raises PageError."""
        columns, values = self.raw(page, query, parameters)
        return Rows(query.name, columns, [[neutral(value) for value in row] for row in values])

    def _statement(self, page: Page, query: Composed) -> Any:
        try:
            statements = duckdb.extract_statements(query.sql)
        except duckdb.Error as error:
            raise self._refused(page, query, error) from None
        kinds = {statement.type for statement in statements}
        if len(statements) != 1 or kinds != {duckdb.StatementType.SELECT} or _is_pragma(query.sql):
            raise PageError(
                page.file,
                page.queries[query.name].fence_line,
                f"Query {query.name!r} must be one SELECT, and is"
                f" {'empty' if not statements else 'something else' if len(statements) == 1 else 'several'}.",
            )
        bare = _PLACES.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), query.sql)
        if fickle := _FICKLE.search(bare):
            word = " ".join(fickle[0].split()).rstrip("( ")
            raise PageError(
                page.file,
                query.lines[bare.count("\n", 0, fickle.start())],
                f"Query {query.name!r} asks for {word}, which differs from run to run; a page that is made"
                " again must be the same. Take days from the data, as issued_on.",
            )
        if query.sql not in self._judged:
            self._judge(page, query)
            self._judged.add(query.sql)
        return statements[0]

    def _judge(self, page: Page, query: Composed) -> None:
        """Refuse what reads no figures, by the tree that DuckDB itself makes of the query."""
        told = self._connection.execute("select json_serialize_sql($sql)", {"sql": query.sql}).fetchone()
        tree = json.loads(told[0]) if told else {"error": True}
        if tree["error"]:
            # An error of syntax gets its line from DuckDB when it is run; a PIVOT is more than one statement.
            return
        text = query.sql.encode("utf-8")
        for place, why in _faults(tree["statements"]):
            line = min(text.count(b"\n", 0, place), len(query.lines) - 1) if place < len(text) else 0
            raise PageError(page.file, query.lines[line], f"Query {query.name!r} {why}")

    def _fetched(
        self, page: Page, query: Composed, statement: Any, bound: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        limits = self._limits
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._connection.interrupt()

        timer = threading.Timer(limits.seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            result = self._connection.execute(statement, dict(bound))
            columns = tuple(str(column[0]) for column in result.description or ())
            rows = result.fetchmany(limits.rows + 1)
        except duckdb.Error as error:
            if late.is_set():
                raise PageError(
                    page.file,
                    page.queries[query.name].fence_line,
                    f"Query {query.name!r} took longer than {limits.seconds:g} seconds and was stopped.",
                ) from None
            raise self._refused(page, query, error) from None
        finally:
            timer.cancel()
        if len(rows) > limits.rows:
            raise PageError(
                page.file,
                page.queries[query.name].fence_line,
                f"Query {query.name!r} gives more than {limits.rows:,} rows; ask for fewer.",
            )
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise PageError(
                page.file,
                page.queries[query.name].fence_line,
                f"Query {query.name!r} gives two columns {twice[0]!r}; name one of them otherwise with `as`.",
            )
        return columns, rows

    def _refused(self, page: Page, query: Composed, error: duckdb.Error) -> PageError:
        text = str(error)
        found = _LINE.search(text)
        line = (
            query.lines[min(int(found[1]), len(query.lines)) - 1] if found else page.queries[query.name].line
        )
        said = " ".join(text[: found.start()].split() if found else text.split())
        return PageError(page.file, line, f"Query {query.name!r}: {said}")

    def _line_of(self, page: Page, query: Composed, word: str) -> int:
        pattern = re.compile(re.escape(word) + r"\b", re.IGNORECASE)
        for line, text in zip(query.lines, query.sql.split("\n"), strict=True):
            if pattern.search(text):
                return line
        return page.queries[query.name].line


def _faults(node: Any) -> Iterator[tuple[int, str]]:
    """Where (in bytes) and why a tree of a query asks for something else than figures."""
    if isinstance(node, list):
        for each in node:
            yield from _faults(each)
        return
    if not isinstance(node, dict):
        return
    place = node.get("query_location") or 0
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).casefold()
        if name not in _ROW_FUNCTIONS:
            yield place, f"reads from {name}(); a query reads the tables that docs/pages.md lists."
    elif kind == "BASE_TABLE":
        name, schema = str(node.get("table_name", "")), str(node.get("schema_name", "")).casefold()
        if _OF_DUCKDB.match(name) or schema in _SCHEMAS_OF_DUCKDB:
            yield place, f"reads from {name}; a query reads the tables that docs/pages.md lists."
    elif kind == "SHOW_REF":
        yield 0, "asks what tables look like; docs/pages.md lists them, data_dictionary their columns."
    elif node.get("class") == "FUNCTION":
        name = str(node.get("function_name", "")).casefold()
        if name in _FICKLE_FUNCTIONS or (name == "age" and len(node.get("children") or ()) < 2):
            yield (
                place,
                f"asks for {name}, which differs from run to run; take days from the data, as issued_on.",
            )
        elif name in _OF_MACHINE:
            yield place, f"asks for {name}, which tells of this machine and not of the figures."
    for each in node.values():
        yield from _faults(each)


def _is_pragma(sql: str) -> bool:
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL).split()
    return bool(bare) and bare[0].casefold() in ("pragma", "describe", "show", "desc", "summarize", "call")


def reached(page: Page, names: Iterable[str]) -> set[str]:
    """The queries named, and all that they refer to."""
    found: set[str] = set()
    left = [name for name in names if name in page.queries]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(other for other in references(page, name) if other in page.queries)
    return found

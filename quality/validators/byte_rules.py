"""Our own rules of a release's files, byte by byte: what a stranger's program may rely on without asking.

CSV: UTF-8 without a byte order mark, CRLF, RFC 4180 in its plainest form, one header row, numbers or nothing
in columns of numbers, a status where there is no figure, no cell that a spreadsheet would run, rows in the
order of their key. Parquet: the same rows. JSON: it parses and ends with a line feed. Names and sizes are
sensible.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from quality.validators import Fault

NAME = "byte rules"
DESCRIPTOR = "datapackage.json"

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")
_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?")
# What spreadsheets take for the start of a formula, the full-width forms too.
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# Unicode's category Cc without the ends of lines; a surrogate cannot be decoded in the first place.
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_STATUSES = {"c", "x", "z", "w"}
_SYMBOLS = {"c", "x", "z"}
_MOST_BYTES, _MOST_BYTES_IN_ALL = 100_000_000, 500_000_000
# One file may be wrong in every row; more than this many faults of a file tell nobody more.
_MOST_FAULTS = 20
_FIGURE_ENDINGS = ("_count", "_percent")


def validate(folder: Path) -> list[Fault]:
    """Every fault of every file of a release folder, in the order of their names, at most 20 a file."""
    faults: list[Fault] = []
    paths = sorted(folder.iterdir(), key=lambda path: path.name)
    if not paths:
        return [Fault(NAME, folder.name, f"{folder.name} is empty.")]
    described = _described(folder)
    for path in paths:
        found = (Fault(NAME, path.name, message) for message in _file_faults(path, described))
        faults.extend(islice(found, _MOST_FAULTS))
    faults.extend(Fault(NAME, name, message) for name, message in _folder_faults(paths))
    return faults


@dataclass(frozen=True)
class _Described:
    """What the release's own descriptor says of a CSV: types of its columns and its key."""

    types: Mapping[str, str]
    key: tuple[str, ...]
    missing: frozenset[str]


def _described(folder: Path) -> dict[str, _Described]:
    try:
        resources = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))["resources"]
        return {
            resource["path"]: _Described(
                types={field["name"]: field["type"] for field in resource["schema"]["fields"]},
                key=tuple(resource["schema"].get("primaryKey", ())),
                missing=frozenset(resource["schema"].get("missingValues", [""])),
            )
            for resource in resources
            if "schema" in resource
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # what is wrong with it is a fault of the file itself


def _folder_faults(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    by_folded: dict[str, list[str]] = {}
    for path in paths:
        by_folded.setdefault(path.name.casefold(), []).append(path.name)
    for names in by_folded.values():
        if len(names) > 1:
            yield names[0], f"{' and '.join(names)} are one name on many computers; rename all but one."
    size = sum(path.stat().st_size for path in paths if path.is_file())
    if size > _MOST_BYTES_IN_ALL:
        yield paths[0].name, f"The files have {size:,} bytes in all; the most is {_MOST_BYTES_IN_ALL:,}."


def _file_faults(path: Path, described: Mapping[str, _Described]) -> Iterator[str]:
    name = path.name
    if path.is_symlink() or not path.is_file():
        yield f"{name} is no regular file; a release is one flat folder of files."
        return
    if not _SAFE_NAME.fullmatch(name) or _RESERVED_NAME.fullmatch(name) or name.endswith("."):
        yield (
            f"{name!r} is no safe file name; use up to 100 letters, digits, full stops, hyphens and"
            " underscores."
        )
    size = path.stat().st_size
    if not 0 < size <= _MOST_BYTES:
        yield f"{name} has {size:,} bytes; more than none and at most {_MOST_BYTES:,} are sensible."
        return
    kind = path.suffix or name
    rules = _KINDS.get(kind)
    if rules is None:
        yield f"{name} is of a kind ({kind}) that no release has; leave it out, or write rules for it."
        return
    yield from rules(path, described)


# --- text


def _text(path: Path) -> tuple[str, list[str]]:
    """The text of a file and what is wrong with its bytes; no text where they cannot be read."""
    content = path.read_bytes()
    faults = []
    if content.startswith(b"\xef\xbb\xbf"):
        faults.append(f"{path.name} begins with a byte order mark; write UTF-8 without one.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return "", [*faults, f"{path.name} is not UTF-8: {error.reason} at byte {error.start}."]
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        faults.append(f"{path.name} line {line} holds the control character U+{ord(control[0]):04X}.")
    return text, faults


def _plain_text_faults(path: Path, described: Mapping[str, _Described]) -> Iterator[str]:
    text, faults = _text(path)
    yield from faults
    if text and not text.endswith("\n"):
        yield f"{path.name} does not end with a line feed."


def _json_faults(path: Path, described: Mapping[str, _Described]) -> Iterator[str]:
    text, faults = _text(path)
    yield from faults
    if not text:
        return

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the name {twice[0]!r} stands twice in one object")
        return dict(found)

    def constant(word: str) -> None:
        raise ValueError(f"{word} is no JSON number")

    try:
        json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except ValueError as error:
        yield f"{path.name} is not JSON: {error}."
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield f"{path.name} does not end with one line feed."


# --- CSV


def _csv_faults(path: Path, described: Mapping[str, _Described]) -> Iterator[str]:
    name = path.name
    text, faults = _text(path)
    yield from faults
    if not text:
        return
    odd = re.search(r"(?<!\r)\n|\r(?!\n)", text)
    if odd:
        yield f"{name} line {text.count(chr(10), 0, odd.start()) + 1} ends without CRLF."
    if not text.endswith("\r\n"):
        yield f"{name} does not end with CRLF."
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        yield f"{name} is not RFC 4180: {error}."
        return
    header, body = rows[0], rows[1:]
    yield from _header_faults(name, header)
    ragged = False
    for line, row in enumerate(body, start=2):
        if len(row) != len(header):
            ragged = True
            yield f"{name} row {line} has {len(row)} cells where the header has {len(header)}."
    if body and body[0] == header:
        yield f"{name} has two header rows."
    if ragged or len(set(header)) < len(header):
        return
    if not odd and text.endswith("\r\n") and text != _rewritten(rows):
        yield f"{name} has quotes that RFC 4180 does not need, or lacks some; write it with plain quoting."
    facts = described.get(name) or _Described({}, (), frozenset({""}))
    yield from _cell_faults(name, header, body, facts)
    yield from _status_faults(name, header, body)
    is_figures = path.with_suffix(".parquet").is_file()
    yield from _key_faults(name, header, body, facts, in_order=is_figures)


def _rewritten(rows: Sequence[Sequence[str]]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerows(rows)
    return stream.getvalue()


def _header_faults(name: str, header: Sequence[str]) -> Iterator[str]:
    for position, column in enumerate(header, start=1):
        if not _COLUMN_NAME.fullmatch(column):
            yield f"{name}: column {position} is called {column!r}; use small letters, digits, underscores."
    for column in sorted({column for column in header if header.count(column) > 1}):
        yield f"{name} has more than one column {column}."


def _cell_faults(
    name: str, header: Sequence[str], body: Sequence[Sequence[str]], facts: _Described
) -> Iterator[str]:
    patterns = [_pattern(column, facts.types.get(column)) for column in header]
    # another shape of the figures says why there is none in the cell itself
    instead = facts.missing | (_SYMBOLS if name.startswith("ees-") else set())
    for line, row in enumerate(body, start=2):
        for column, pattern, cell in zip(header, patterns, row, strict=True):
            if not cell:
                continue
            if pattern is not None:
                if not pattern.fullmatch(cell) and cell not in instead:
                    yield f"{name} row {line} column {column}: {cell[:60]!r} is no number."
            elif cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS):
                yield f"{name} row {line} column {column}: a spreadsheet would run {cell[:60]!r}."


def _pattern(column: str, kind: str | None) -> re.Pattern[str] | None:
    """What a cell of a column of numbers looks like; None for other columns."""
    if kind == "integer":
        return _INTEGER
    if kind == "number" or (kind is None and column.endswith(_FIGURE_ENDINGS)):
        return _NUMBER
    return None


def _status_faults(name: str, header: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    """Where there is no figure a status says why, and where there is one none stands."""
    if {"value", "reason_for_missing_data"} <= set(header):
        for line, row in enumerate(body, start=2):
            cells = dict(zip(header, row, strict=True))
            if bool(cells["value"]) == bool(cells["reason_for_missing_data"]):
                yield f"{name} row {line}: give either a value or the reason why there is none."
    if "obs_status" not in header:
        return
    figures = [column for column in header if column.endswith(_FIGURE_ENDINGS)]
    for line, row in enumerate(body, start=2):
        cells = dict(zip(header, row, strict=True))
        status = cells["obs_status"]
        if status and status not in _STATUSES:
            yield f"{name} row {line}: obs_status is {status!r}; write c, x, z, w or nothing."
        if "published_as" not in header or "rate_percent" not in header:
            if not status and figures and not any(cells[column] for column in figures):
                yield f"{name} row {line} has neither a figure nor an obs_status."
            continue
        main = cells.get("reported_count") if cells.get("unit") == "count" else cells["rate_percent"]
        if not status and not main:
            yield f"{name} row {line} has neither a figure nor an obs_status."
        elif status and main:
            yield f"{name} row {line} has a figure and the obs_status {status!r}."


def _key_faults(
    name: str, header: Sequence[str], body: Sequence[Sequence[str]], facts: _Described, *, in_order: bool
) -> Iterator[str]:
    """No key twice, and figures in the order of their key."""
    if not facts.key or not set(facts.key) <= set(header):
        return
    places = [(header.index(column), facts.types.get(column)) for column in facts.key]
    seen: set[tuple[str, ...]] = set()
    before: tuple[tuple[bool, Any], ...] | None = None
    for line, row in enumerate(body, start=2):
        key = tuple(row[place] for place, _ in places)
        if key in seen:
            yield f"{name} row {line} has the key of an earlier row: {', '.join(key)}."
        seen.add(key)
        ordered = tuple((row[place] != "", _comparable(row[place], kind)) for place, kind in places)
        if in_order and before is not None and ordered < before:
            yield f"{name} row {line} stands out of the order of its key ({', '.join(facts.key)})."
        before = ordered


def _comparable(cell: str, kind: str | None) -> Any:
    if kind in ("integer", "number"):
        try:
            return float(cell or 0)
        except ValueError:
            return 0.0
    return cell


# --- Parquet


def _parquet_faults(path: Path, described: Mapping[str, _Described]) -> Iterator[str]:
    import pyarrow.parquet as pq

    beside = path.with_suffix(".csv")
    try:
        table = pq.read_table(path)
    except Exception as error:  # whatever a broken file makes the library raise
        yield f"{path.name} cannot be read as Parquet: {' '.join(str(error).split())[:200]}."
        return
    if not beside.is_file():
        yield f"{path.name} has no {beside.name} beside it."
        return
    try:
        with beside.open(encoding="utf-8", newline="") as stream:
            header, *body = list(csv.reader(stream))
    except (UnicodeDecodeError, ValueError, csv.Error):
        return  # a fault of the CSV
    if table.column_names != header:
        yield f"{path.name} has other columns than {beside.name}."
        return
    if table.num_rows != len(body):
        yield f"{path.name} has {table.num_rows} rows, {beside.name} {len(body)}."
        return
    if any(len(row) != len(header) for row in body):
        return  # a fault of the CSV
    columns = [column.to_pylist() for column in table.columns]
    for line, row in enumerate(body, start=2):
        for column, values, cell in zip(header, columns, row, strict=True):
            if not _is_same(values[line - 2], cell):
                yield (
                    f"{path.name} column {column}: {values[line - 2]!r} where {beside.name} row {line} has"
                    f" {cell[:60]!r}."
                )


def _is_same(value: object, cell: str) -> bool:
    if value is None:
        return cell == ""
    if isinstance(value, bool):
        return cell == ("true" if value else "false")
    if isinstance(value, float):
        try:
            return float(cell) == value
        except ValueError:
            return False
    if isinstance(value, int):
        return cell == str(value)
    if isinstance(value, dt.date):
        return cell == value.isoformat()
    # in a CSV, text that a spreadsheet would run has an apostrophe before it
    return cell in (value, f"'{value}")


def _no_faults(path: Path, described: Mapping[str, _Described]) -> Iterator[str]:
    """Spreadsheets are opened by a validator of their own."""
    yield from ()


_KINDS: Mapping[str, Callable[[Path, Mapping[str, _Described]], Iterator[str]]] = {
    ".csv": _csv_faults,
    ".parquet": _parquet_faults,
    ".json": _json_faults,
    ".jsonld": _json_faults,
    ".txt": _plain_text_faults,
    ".cff": _plain_text_faults,
    ".xlsx": _no_faults,
    ".ods": _no_faults,
    "SHA256SUMS": _plain_text_faults,
}

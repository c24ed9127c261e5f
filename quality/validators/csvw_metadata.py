"""csvw-metadata.json and its CSVs, by the csvw package: the checks of `csvwvalidate`, with line and column.

`csvwvalidate` says only that something is wrong somewhere. So what it rejects is read a second time, row by
row, to say where.
"""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quality.validators import Fault
from quality.validators.local import elsewhere, named, read_json

NAME = "csvw"
METADATA = "csvw-metadata.json"

_CONTEXT = "http://www.w3.org/ns/csvw"
_FAULTS_MAX = 20
_PLACE = re.compile(r"(?:.*/)?(?P<file>[^/:]+):(?P<line>\d+)(?::\d+)? (?P<rest>.*)", re.DOTALL)


def validate(folder: Path) -> list[Fault]:
    """The faults of the metadata, and of every row of every CSV it describes."""
    document, faults = read_json(NAME, folder, METADATA)
    faults = faults or list(_address_faults(folder, document))
    if faults:
        return faults
    # the package tells its findings as warnings, which somebody may have turned off
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return _findings(folder)


def _findings(folder: Path) -> list[Fault]:
    from csvw import CSVW

    faults: list[Fault] = []
    try:
        checked = CSVW(str(folder / METADATA), validate=True)
        # the package compares no header
        faults = list(_header_faults(folder, checked))
        for table in checked.tables:
            _read_once(table)
        if checked.is_valid:
            return faults
        said = [str(warning.message) for warning in checked.warnings]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        said = [str(error)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        faults += _located_faults(folder)
    # where no row is at fault, the metadata itself is
    return faults or [Fault(NAME, METADATA, f"{METADATA}: {message}.") for message in dict.fromkeys(said)]


def _read_once(table: Any) -> None:
    """Keeps what the package would read many times: the same text of a column, and the rows of a table.

    It parses every cell anew, and a whole file again for its key and each foreign key. What it finds stays
    the same.
    """
    for column in table.tableSchema.columns:
        column.read = functools.lru_cache(maxsize=10_000)(column.read)
    read = table.iterdicts
    kept: list[tuple[str, int, dict[str, Any]]] = []

    def iterdicts(log: Any = None, with_metadata: bool = False, **options: Any) -> Iterator[Any]:
        if not kept:
            kept.extend(read(log=log, with_metadata=True, **options))
        for file, line, row in kept:
            yield (file, line, row) if with_metadata else row

    table.iterdicts = iterdicts


def _address_faults(folder: Path, document: dict[str, Any]) -> Iterator[Fault]:
    """Nothing but files of the folder, each described where it is used, every CSV of the folder once."""
    context = document.get("@context")
    contexts = context if isinstance(context, list) else [context]
    if _CONTEXT not in contexts or any(isinstance(one, str) and one != _CONTEXT for one in contexts):
        yield Fault(NAME, METADATA, f"{METADATA} at @context: {context!r}; only {_CONTEXT} may stand there.")
    tables = document.get("tables")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        yield Fault(NAME, METADATA, f"{METADATA} at tables: is no list of tables.")
        return
    urls = [table.get("url") for table in tables]
    for position, url in enumerate(urls):
        yield from elsewhere(NAME, folder, METADATA, f"tables/{position}/url", url)
    for place, value in named(document, {"tableSchema", "dialect", "@base"}):
        if not isinstance(value, dict):
            yield Fault(NAME, METADATA, f"{METADATA} at {place}: {value!r} is not written out.")
    present = {item.name for item in folder.iterdir() if item.suffix == ".csv"}
    for name in sorted(present - {str(url) for url in urls}):
        yield Fault(NAME, name, f"{name} is not described in {METADATA}.")


def _header_faults(folder: Path, checked: Any) -> Iterator[Fault]:
    import csv

    for table in checked.tables:
        name = str(table.url)
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream), [])
        described = [column.header for column in table.tableSchema.columns]
        if header != described:
            odd = ", ".join(sorted(set(header) ^ set(described))) or "their order"
            yield Fault(NAME, name, f"{name} line 1 and {METADATA} differ in {odd}.")


def _located_faults(folder: Path) -> list[Fault]:
    """What is wrong in which line, from the checks that `is_valid` makes, with its log kept."""
    from csvw import CSVW

    said: list[str] = []
    log = _collector(said)
    try:
        checked = CSVW(str(folder / METADATA))
        for table in checked.tables:
            for _ in table.iterdicts(log=log, strict=True):
                if len(said) >= _FAULTS_MAX:
                    break
            table.check_primary_key(log=log)
        if not said:  # a cell that cannot be read would stop this check
            checked.tablegroup.check_referential_integrity(log=log, strict=True)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass  # said once already
    found = (_located(message) for message in dict.fromkeys(said[: 2 * _FAULTS_MAX]))
    return [fault for fault in found if fault is not None]


def _located(message: str) -> Fault | None:
    """The package writes `/folder/file.csv:line:column name: message`; keep what follows the folder."""
    found = _PLACE.fullmatch(message)
    if found is None:
        return None
    return Fault(NAME, found["file"], f"{found['file']} line {found['line']}: {found['rest']}.")


def _collector(said: list[str]) -> logging.Logger:
    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log = logging.Logger("csvw", level=logging.DEBUG)
    log.addHandler(Keep())
    return log

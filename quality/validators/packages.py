"""datapackage.json, by the JSON Schema of Data Package 2.0 (bundled with dplib-py), its rows by frictionless.

Of Parquet, frictionless looks at bytes and hash only; columns and cells are compared with the CSV beside it.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from quality.validators import Fault
from quality.validators.local import elsewhere, read_json

NAME = "data package"
DESCRIPTOR = "datapackage.json"

# One table may be wrong in every row; more than this many faults of a file tell nobody more.
_FAULTS_MAX = 20


def validate(folder: Path) -> list[Fault]:
    """The faults of the descriptor, and of every row of every CSV and Parquet it describes."""
    descriptor, faults = read_json(NAME, folder, DESCRIPTOR)
    faults = faults or list(_profile_faults(descriptor)) or list(_path_faults(folder, descriptor))
    if faults:
        return faults
    return [*_row_faults(folder, descriptor), *_parquet_faults(folder, descriptor)]


@functools.cache
def _profile() -> Any:
    """The validator of the profile, compiled once."""
    from jsonschema import Draft7Validator

    text = resources.files("dplib").joinpath("profiles/2.0/datapackage.json").read_text(encoding="utf-8")
    return Draft7Validator(json.loads(text))


def _profile_faults(descriptor: dict[str, Any]) -> Iterator[Fault]:
    for error in _profile().iter_errors(descriptor):
        place = "/".join(str(step) for step in error.absolute_path) or "the top"
        yield Fault(NAME, DESCRIPTOR, f"{DESCRIPTOR} at {place}: {_short(error.message)}.")


def _path_faults(folder: Path, descriptor: dict[str, Any]) -> Iterator[Fault]:
    """Nothing but files of the folder, each described where it is used, every table of the folder once."""
    paths = []
    for position, resource in enumerate(descriptor["resources"]):
        place = f"resources/{position}"
        paths.append(resource.get("path"))
        yield from elsewhere(NAME, folder, DESCRIPTOR, f"{place}/path", resource.get("path"))
        for key in ("schema", "dialect"):
            if not isinstance(resource.get(key, {}), dict):
                yield Fault(NAME, DESCRIPTOR, f"{DESCRIPTOR} at {place}/{key}: is not written out.")
        for key in ("schema", "bytes", "hash"):
            if key not in resource:
                yield Fault(
                    NAME, DESCRIPTOR, f"{DESCRIPTOR} at {place}: {resource.get('path')} has no {key}."
                )
    tables = {item.name for item in folder.iterdir() if item.suffix in {".csv", ".parquet"}}
    for name in sorted(tables - set(paths)):
        yield Fault(NAME, name, f"{name} is not described in {DESCRIPTOR}.")
    for name in sorted({path for path in paths if paths.count(path) > 1 and path}):
        yield Fault(NAME, DESCRIPTOR, f"{DESCRIPTOR} describes {name} more than once.")


def _row_faults(folder: Path, descriptor: dict[str, Any]) -> Iterator[Fault]:
    from frictionless import Checklist, FrictionlessException, Package

    try:
        package = Package.from_descriptor(descriptor, basepath=str(folder))
        report = package.validate(Checklist(), limit_errors=_FAULTS_MAX)
    except FrictionlessException as refusal:
        yield Fault(NAME, DESCRIPTOR, f"{DESCRIPTOR}: {_short(refusal.error.message)}.")
        return
    for error in report.errors:
        yield Fault(NAME, DESCRIPTOR, f"{DESCRIPTOR}: {_short(error.message)}.")
    for task in report.tasks:
        for found in task.errors:
            row = getattr(found, "row_number", None)
            field = getattr(found, "field_name", None)
            where = f"{task.place}{f' line {row}' if row else ''}{f' column {field}' if field else ''}"
            yield Fault(NAME, str(task.place), f"{where}: {_short(found.message)}.")


def _parquet_faults(folder: Path, descriptor: dict[str, Any]) -> Iterator[Fault]:
    import pyarrow.parquet as pq

    for resource in descriptor["resources"]:
        path = folder / resource["path"]
        if path.suffix != ".parquet":
            continue
        try:
            table = pq.read_table(path)
        except Exception as error:  # whatever a broken file makes the library raise
            yield Fault(NAME, path.name, f"{path.name} cannot be read as Parquet: {_short(str(error))}.")
            continue
        names = [field["name"] for field in resource["schema"]["fields"]]
        if table.column_names != names:
            odd = ", ".join(sorted(set(table.column_names) ^ set(names))) or "their order"
            yield Fault(NAME, path.name, f"{path.name} and {DESCRIPTOR} differ in {odd}.")
            continue
        csv_path = path.with_suffix(".csv")
        if csv_path.is_file():
            yield from _difference(table, csv_path)


def _difference(table: Any, csv_path: Path) -> Iterator[Fault]:
    """The first cell in which a Parquet differs from the CSV of the same name."""
    name = csv_path.with_suffix(".parquet").name
    with csv_path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        next(reader, None)
        lines = list(reader)
    if len(lines) != table.num_rows:
        yield Fault(NAME, name, f"{name} has {table.num_rows} rows, {csv_path.name} {len(lines)}.")
        return
    columns = [column.to_pylist() for column in table.columns]
    for position, (column_name, values) in enumerate(zip(table.column_names, columns, strict=True)):
        for number, (value, line) in enumerate(zip(values, lines, strict=True), start=2):
            # in a CSV, text that a spreadsheet would run has an apostrophe before it
            if line[position] not in {_text(value), f"'{value}"}:
                yield Fault(
                    NAME,
                    name,
                    f"{name} column {column_name}: {value!r} where {csv_path.name} line {number} has"
                    f" {line[position]!r}.",
                )
                return


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _short(message: str) -> str:
    message = " ".join(str(message).split()).rstrip(".")
    return message if len(message) <= 300 else f"{message[:297]}..."

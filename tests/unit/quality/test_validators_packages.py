from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.validators import packages

Spoil = Callable[[Path], object]


def test_a_whole_release_passes_without_a_network(release: Path, no_network: None) -> None:
    assert packages.validate(release) == []


def _package(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Changes the descriptor."""

    def spoil(release: Path) -> None:
        path = release / "datapackage.json"
        descriptor = json.loads(path.read_text(encoding="utf-8"))
        change(descriptor)
        path.write_text(json.dumps(descriptor), encoding="utf-8")

    return spoil


def _resource(package: dict[str, Any], path: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in package["resources"] if one["path"] == path)
    return found


def _rows(name: str, old: str, new: str) -> Spoil:
    """Changes a CSV, and in the descriptor its size and hash, so that only the rows are at fault."""

    def spoil(release: Path) -> None:
        path = release / name
        content = path.read_bytes().decode("utf-8")
        assert old in content
        path.write_bytes(content.replace(old, new, 1).encode("utf-8"))
        _package(lambda package: _forget(_resource(package, name), path))(release)

    def _forget(resource: dict[str, Any], path: Path) -> None:
        import hashlib

        resource["bytes"] = path.stat().st_size
        resource["hash"] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    return spoil


def _drop_column(release: Path) -> None:
    path = release / "local_feedback.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["obs_note"]), path)


def _change_cell(release: Path) -> None:
    path = release / "local_feedback.parquet"
    table = pq.read_table(path)
    position = table.column_names.index("rate_percent")
    values = [66 if value == 75 else value for value in table.column(position).to_pylist()]
    pq.write_table(
        table.set_column(position, table.schema.field(position), pa.array(values, pa.int32())), path
    )


ABOUT = (
    "Cumbria,North West,2,r02_s01_recorded_24h,Crimes recorded within 24 hours,proportion,census,all_cases"
)


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        # the descriptor against the profile
        (_package(lambda package: package.pop("resources")), "datapackage.json", "'resources' is a required"),
        (
            _package(lambda package: package.update(licenses=[])),
            "datapackage.json",
            "at licenses: [] should be non-empty",
        ),
        (
            _package(lambda package: _resource(package, "areas.csv")["schema"].update(fields=[])),
            "datapackage.json",
            "/schema/fields: [] should be non-empty",
        ),
        (
            _package(
                lambda package: _resource(package, "areas.csv")["schema"]["fields"][0].update(type="txt")
            ),
            "datapackage.json",
            "/schema/fields/0",
        ),
        (lambda release: (release / "datapackage.json").write_text("{"), "datapackage.json", "is not JSON"),
        (lambda release: (release / "datapackage.json").unlink(), "datapackage.json", "is missing"),
        # what it points to
        (
            _package(
                lambda package: _resource(package, "areas.csv").update(path="https://a.example/areas.csv")
            ),
            "datapackage.json",
            "'https://a.example/areas.csv' is not the name of a file beside it",
        ),
        (
            _package(
                lambda package: _resource(package, "areas.csv").update(schema="https://a.example/s.json")
            ),
            "datapackage.json",
            "/schema: is not written out",
        ),
        (_package(lambda package: package["resources"].pop()), "data-dictionary.csv", "is not described"),
        (lambda release: (release / "areas.csv").unlink(), "datapackage.json", "there is no file areas.csv"),
        (
            _package(lambda package: _resource(package, "areas.csv").pop("hash")),
            "datapackage.json",
            "areas.csv has no hash",
        ),
        # the bytes
        (
            _package(lambda package: _resource(package, "areas.csv").update(bytes=1)),
            "areas.csv",
            'expected is "1"',
        ),
        (
            _package(
                lambda package: _resource(package, "local_feedback.parquet").update(hash="sha256:" + "0" * 64)
            ),
            "local_feedback.parquet",
            "hash",
        ),
        # the rows
        (
            _rows("local_compliance.csv", ",14595,", ",many,"),
            "local_compliance.csv",
            "line 2 column case_count",
        ),
        (_rows("local_compliance.csv", ",93,false,", ",193,false,"), "local_compliance.csv", "maximum"),
        (_rows("local_compliance.csv", ",14595,", ",-5,"), "local_compliance.csv", "minimum"),
        (
            _rows("local_compliance.csv", ",suppressed,c,", ",suppressed,q,"),
            "local_compliance.csv",
            "obs_status",
        ),
        (
            _rows("local_compliance.csv", ",suppressed,c,", ",hidden,c,"),
            "local_compliance.csv",
            "published_as",
        ),
        (
            _rows("local_compliance.csv", ABOUT, ABOUT.replace("24h", "48h")),
            "local_compliance.csv",
            'violates the foreign key: for "metric_id"',
        ),
        (_rows("local_feedback.csv", "E23000001", "E23000099"), "local_feedback.csv", "E23000099"),
        (
            _rows("local_feedback.csv", "E23000002", "E23000001"),
            "local_feedback.csv",
            "line 3: Row at position",
        ),
        (_rows("local_feedback.csv", "rate_percent", "rate_per_cent"), "local_feedback.csv", "rate_percent"),
        (_rows("areas.csv", "E23000005,", ","), "areas.csv", "column area_code"),
        # Parquet against its CSV
        (_drop_column, "local_feedback.parquet", "differ in obs_note"),
        (
            _change_cell,
            "local_feedback.parquet",
            "column rate_percent: 66 where local_feedback.csv line 3 has '75'",
        ),
        (
            lambda release: (release / "local_feedback.parquet").write_bytes(b"PAR1"),
            "local_feedback.parquet",
            "cannot be read as Parquet",
        ),
    ],
)
def test_a_spoiled_release_is_found_out(
    release: Path, no_network: None, spoil: Spoil, file: str, words: str
) -> None:
    spoil(release)

    faults = packages.validate(release)

    assert any(fault.file == file and words in fault.message for fault in faults), [
        fault.message for fault in faults
    ]

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from reports.release.draft import ExposedColumn, ExposedTable, ReleaseSummary, build_draft, exposed_tables

LOCAL = {
    "period_code": "2025-26-Q2",
    "period_label": "July to September 2025 (2025/26 Q2)",
    "body_kind": "police",
    "area_code": "E23000002",
    "area_name": "Cumbria",
    "region_name": "North West",
    "right_number": 2,
    "metric_id": "r02_s01_recorded_24h",
    "metric_definition": "Crimes recorded within 24 hours",
    "unit": "proportion",
    "collection_mode": "census",
    "sampling_frame": "all_cases",
    "case_count": 100,
    "met_count": 60,
    "rate_percent": 60,
    "rate_is_about": False,
    "obs_note": "p",
    "disclosure_rule_version": 0,
}
WITHHELD = {
    **LOCAL,
    "area_code": "E23000001",
    "area_name": '=HYPERLINK("x","Metropolitan")',
    "case_count": None,
    "met_count": None,
    "rate_percent": None,
    "rate_is_about": None,
    "obs_status": "c",
}
NATIONAL = (
    {key: value for key, value in LOCAL.items() if key not in {"area_code", "area_name", "region_name"}}
    | {"group_kind": "nation", "group_code": "K04000001", "group_name": "England and Wales"}
    | {"areas_expected": 43, "areas_published": 40, "case_share_covered": 0.95}
)
ROWS = {
    "open_data_local_compliance": [LOCAL, WITHHELD, {**LOCAL, "period_code": "2025-26-Q1"}],
    "open_data_group_compliance": [NATIONAL],
}
KEYS = {
    "open_data_local_compliance": (
        "body_kind",
        "area_code",
        "metric_id",
        "period_code",
        "collection_mode",
        "sampling_frame",
    ),
    "open_data_group_compliance": (
        "group_kind",
        "group_code",
        "body_kind",
        "metric_id",
        "period_code",
        "collection_mode",
        "sampling_frame",
    ),
}
FILES = {
    "SHA256SUMS",
    "README.txt",
    "data-dictionary.csv",
    "datapackage.json",
    "local_compliance.csv",
    "local_compliance.parquet",
    "group_compliance.csv",
    "group_compliance.parquet",
}


@pytest.fixture
def exposures(mart_tables: ModuleType) -> list[ExposedTable]:
    return [
        ExposedTable(
            name=mart.removeprefix("open_data_"),
            mart=f"marts.{mart}",
            title=mart.replace("_", " ").capitalize(),
            description="Figures fit to be published.",
            columns=tuple(
                ExposedColumn(name, f"What {name} means.", kind)
                for name, kind in mart_tables.mart_columns()[mart].items()
            ),
            primary_key=key,
        )
        for mart, key in KEYS.items()
    ]


@pytest.fixture
def con(tmp_path: Path, mart_tables: ModuleType) -> Iterator[duckdb.DuckDBPyConnection]:
    path = mart_tables.create_warehouse(tmp_path / "build.duckdb", ROWS)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def draft(con: duckdb.DuckDBPyConnection, root: Path, exposures: list[ExposedTable]) -> ReleaseSummary:
    return build_draft(con, "2025-26-Q2", root, exposures=exposures, build_id="b1")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_draft_holds_the_period_in_a_private_folder(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    summary = draft(con, tmp_path / "releases", exposures)

    assert summary.folder == tmp_path / "releases" / "draft" / "2025-26-Q2" / "v1.0.0"
    assert summary.changed
    assert summary.rows == {"local_compliance": 2, "group_compliance": 1}
    assert set(contents(summary.folder)) == FILES
    assert stat.S_IMODE(summary.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in summary.folder.iterdir()} == {0o600}


def test_csv_rows_stand_in_key_order_with_numbers_as_numbers(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    summary = draft(con, tmp_path, exposures)

    content = (summary.folder / "local_compliance.csv").read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 3
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    assert [row["area_code"] for row in rows] == ["E23000001", "E23000002"]
    assert [(row["case_count"], row["rate_percent"], row["obs_status"]) for row in rows] == [
        ("", "", "c"),
        ("100", "60", ""),
    ]
    assert [row["rate_is_about"] for row in rows] == ["", "false"]
    assert rows[0]["area_name"] == '\'=HYPERLINK("x","Metropolitan")'


def test_parquet_holds_the_same_rows_compressed_with_zstd(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    summary = draft(con, tmp_path, exposures)

    file = pq.ParquetFile(summary.folder / "local_compliance.parquet")
    rows = file.read().to_pylist()
    assert [row["case_count"] for row in rows] == [None, 100]
    assert rows[0]["area_name"] == '=HYPERLINK("x","Metropolitan")'
    assert str(file.schema_arrow.field("case_count").type) == "int64"
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_hashes_and_sizes_are_those_of_the_files(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    summary = draft(con, tmp_path, exposures)
    files = contents(summary.folder)

    listed = dict(reversed(line.split("  ", 1)) for line in files["SHA256SUMS"].decode("ascii").splitlines())
    assert set(listed) == FILES - {"SHA256SUMS"}
    assert listed == summary.sha256
    for name, digest in listed.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    for resource in json.loads(files["datapackage.json"])["resources"]:
        assert resource["bytes"] == len(files[resource["path"]])
        assert resource["hash"] == f"sha256:{listed[resource['path']]}"


def test_descriptor_is_a_data_package_of_version_2(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    folder = draft(con, tmp_path, exposures).folder
    package: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))

    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert re.fullmatch(r"[a-z0-9._-]+", package["name"])
    assert package["title"] == "Victims' Code compliance, July to September 2025 (2025/26 Q2)"
    assert (package["version"], package["status"]) == ("1.0.0", "draft")
    assert package["created"] == "2025-11-11T00:00:00Z"  # the day the local review of the quarter closes
    assert package["licenses"] == [
        {
            "name": "OGL-UK-3.0",
            "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "title": "Open Government Licence v3.0",
        }
    ]
    assert "provisional" in package["description"]
    resources = {resource["path"]: resource for resource in package["resources"]}
    assert set(resources) == FILES - {"SHA256SUMS", "README.txt", "datapackage.json"}
    names = [resource["name"] for resource in package["resources"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)
    for path, resource in resources.items():
        assert resource["type"] == "table"
        assert resource["title"]
        assert resource["schema"]["missingValues"] == [""]
        fields = [field["name"] for field in resource["schema"]["fields"]]
        assert set(resource["schema"]["primaryKey"]) <= set(fields)
        if path.endswith(".csv"):
            assert (resource["format"], resource["mediatype"]) == ("csv", "text/csv")
            assert resource["encoding"] == "utf-8"
            assert resource["dialect"]["lineTerminator"] == "\r\n"
            header = (folder / path).read_text(encoding="utf-8").splitlines()[0]
            assert header.split(",") == fields
        else:
            assert (resource["format"], "encoding" in resource) == ("parquet", False)
    types = {field["name"]: field["type"] for field in resources["group_compliance.csv"]["schema"]["fields"]}
    assert types["case_count"] == types["rate_percent"] == "integer"
    assert types["case_share_covered"] == "number"
    assert types["rate_is_about"] == "boolean"
    assert types["obs_status"] == "string"
    assert resources["local_compliance.csv"]["schema"]["primaryKey"] == list(
        KEYS["open_data_local_compliance"]
    )


def test_readme_and_dictionary_say_what_the_figures_are(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    folder = draft(con, tmp_path, exposures).folder

    readme = (folder / "README.txt").read_text(encoding="utf-8")
    for words in (
        "Management information",
        "provisional",
        "DRAFT",
        "never a zero",
        "Open Government Licence",
    ):
        assert words in readme
    dictionary = list(csv.DictReader((folder / "data-dictionary.csv").open(encoding="utf-8", newline="")))
    described = {(row["file"], row["column"]): row for row in dictionary}
    columns = sum(len(table.columns) for table in exposures)
    assert len(described) == len(dictionary) == columns
    row = described["local_compliance.csv", "area_code"]
    assert (row["type"], row["is_key"], row["description"]) == ("string", "true", "What area_code means.")


def test_the_same_rows_give_the_same_bytes_from_another_build(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, mart_tables: ModuleType, exposures: list[ExposedTable]
) -> None:
    first = draft(con, tmp_path / "one", exposures)
    turned = {name: list(reversed(rows)) for name, rows in ROWS.items()}
    path = mart_tables.create_warehouse(tmp_path / "other.duckdb", turned)
    with duckdb.connect(str(path), read_only=True) as other:
        second = build_draft(
            other, "2025-26-Q2", tmp_path / "two", exposures=list(reversed(exposures)), build_id="b2"
        )

    assert contents(first.folder) == contents(second.folder)


def test_an_unchanged_draft_is_not_touched_and_a_changed_one_is_replaced(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, mart_tables: ModuleType, exposures: list[ExposedTable]
) -> None:
    first = draft(con, tmp_path, exposures)
    inode = first.folder.stat().st_ino

    again = draft(con, tmp_path, exposures)
    assert not again.changed
    assert again.folder.stat().st_ino == inode
    assert again.sha256 == first.sha256

    revised = {**ROWS, "open_data_local_compliance": [{**LOCAL, "met_count": 65, "rate_percent": 65}]}
    path = mart_tables.create_warehouse(tmp_path / "revised.duckdb", revised)
    with duckdb.connect(str(path), read_only=True) as other:
        after = build_draft(other, "2025-26-Q2", tmp_path, exposures=exposures, build_id="b2")
    assert after.changed
    assert b",65," in (after.folder / "local_compliance.csv").read_bytes()
    assert [path.name for path in after.folder.parent.iterdir()] == ["v1.0.0"]


def test_what_cannot_be_released_is_refused_and_leaves_the_old_draft(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, exposures: list[ExposedTable]
) -> None:
    before = contents(draft(con, tmp_path, exposures).folder)
    local, national = exposures
    undescribed = replace(local, columns=local.columns[1:])
    for period, tables, words in (
        ("2025-26-Q2", [], "nothing to release"),
        ("2025-26-Q2", [undescribed, national], "differ in release_period_code"),
        ("2025-26-Q3", exposures, "No open data row"),
        ("2031-32-Q1", exposures, "knows no period"),
        ("../elsewhere", exposures, "write a period code"),
    ):
        with pytest.raises(ValueError, match=words):
            build_draft(con, period, tmp_path, exposures=tables, build_id="b1")
    assert contents(tmp_path / "draft" / "2025-26-Q2" / "v1.0.0") == before


def manifest(**changes: Any) -> dict[str, Any]:
    model = {
        "name": "open_data_local_compliance",
        "schema": "marts",
        "alias": "open_data_local_compliance",
        "fqn": ["victims_code", "marts", "open_data", "open_data_local_compliance"],
        "description": "One row an area.\nFit to be published.",
        "columns": {
            "area_code": {"name": "area_code", "description": "Area code.", "data_type": "varchar"},
            "case_count": {"name": "case_count", "description": "Cases.", "data_type": "bigint"},
        },
        **changes.get("model", {}),
    }
    key_test = {
        "attached_node": "model.victims_code.open_data_local_compliance",
        "test_metadata": {"name": "unique_key", "kwargs": {"columns": ["area_code"]}},
    }
    return {
        "nodes": {
            "model.victims_code.open_data_local_compliance": model,
            "model.victims_code.secret": {
                **model,
                "name": "secret",
                "fqn": ["victims_code", "marts", "secret"],
            },
            "test.victims_code.unique_key": changes.get("key_test", key_test),
        },
        "exposures": {
            "exposure.victims_code.local": {
                "name": "local",
                "label": "Local figures",
                "config": {"meta": {"release": changes.get("release", "open_data")}},
                "depends_on": {
                    "nodes": changes.get("nodes", ["model.victims_code.open_data_local_compliance"])
                },
            },
            "exposure.victims_code.flags": {
                "name": "flags",
                "label": "Flags",
                "config": {"meta": {}},
                "depends_on": {"nodes": ["model.victims_code.secret"]},
            },
        },
    }


def test_only_what_is_exposed_for_open_data_is_published() -> None:
    (table,) = exposed_tables(manifest())

    assert table == ExposedTable(
        name="local_compliance",
        mart="marts.open_data_local_compliance",
        title="Local figures",
        description="One row an area. Fit to be published.",
        columns=(
            ExposedColumn("area_code", "Area code.", "varchar"),
            ExposedColumn("case_count", "Cases.", "bigint"),
        ),
        primary_key=("area_code",),
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nodes": ["model.victims_code.secret"]}, "not an open data mart"),
        ({"nodes": ["source.raw.receipts"]}, "not an open data mart"),
        ({"release": "opendata"}, "write open_data"),
        ({"key_test": {}}, "give it a unique_key test"),
        ({"model": {"columns": {}}}, "without a description"),
        (
            {"model": {"columns": {"area_code": {"description": "", "data_type": "varchar"}}}},
            "without a description of area_code",
        ),
    ],
)
def test_an_exposure_that_would_publish_something_else_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        exposed_tables(manifest(**changes))

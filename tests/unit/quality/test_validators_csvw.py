from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quality.validators import csvw_metadata

Spoil = Callable[[Path], object]


def test_a_whole_release_passes_here_and_with_the_package_s_own_tool(release: Path, no_network: None) -> None:
    from csvw.__main__ import csvwvalidate

    assert csvw_metadata.validate(release) == []

    class Arguments:
        url = str(release / "csvw-metadata.json")
        verbose = False
        lax = False

    assert csvwvalidate(args=Arguments(), test=True) == 0


def _metadata(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Changes the metadata."""

    def spoil(release: Path) -> None:
        path = release / "csvw-metadata.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    return spoil


def _table(document: dict[str, Any], url: str) -> dict[str, Any]:
    found: dict[str, Any] = next(table for table in document["tables"] if table["url"] == url)
    return found


def _rows(name: str, old: str, new: str) -> Spoil:
    def spoil(release: Path) -> None:
        path = release / name
        content = path.read_bytes().decode("utf-8")
        assert old in content
        path.write_bytes(content.replace(old, new, 1).encode("utf-8"))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        # the metadata
        (_metadata(lambda document: document.pop("@context")), "csvw-metadata.json", "at @context"),
        (
            _metadata(lambda document: document.update({"@context": "https://a.example/context"})),
            "csvw-metadata.json",
            "at @context",
        ),
        (_metadata(lambda document: document.update(tables={})), "csvw-metadata.json", "at tables"),
        (
            _metadata(lambda document: document["tables"][0].update(url="https://a.example/a.csv")),
            "csvw-metadata.json",
            "at tables/0/url: 'https://a.example/a.csv' is not the name of a file beside it",
        ),
        (
            _metadata(lambda document: document["tables"][0].update(tableSchema="https://a.example/s.json")),
            "csvw-metadata.json",
            "at tables/0/tableSchema",
        ),
        (_metadata(lambda document: document["tables"].pop()), "data-dictionary.csv", "is not described"),
        (
            _metadata(
                lambda document: _table(document, "areas.csv")["tableSchema"]["columns"][0].update(null=7)
            ),
            "csvw-metadata.json",
            "Invalid null property",
        ),
        (
            _metadata(
                lambda document: _table(document, "areas.csv")["tableSchema"]["columns"][1].update(
                    name="area_code"
                )
            ),
            "csvw-metadata.json",
            "Duplicate column name area_code",
        ),
        (
            lambda release: (release / "csvw-metadata.json").write_text("[]"),
            "csvw-metadata.json",
            "no object",
        ),
        # the rows
        (_rows("local_compliance.csv", ",14595,", ",many,"), "local_compliance.csv", "line 2: case_count"),
        (
            _rows("local_compliance.csv", ",93,false,", ",193,false,"),
            "local_compliance.csv",
            "must be <= 100",
        ),
        (_rows("local_compliance.csv", ",93,false,", ",93,no,"), "local_compliance.csv", "rate_is_about"),
        (
            _rows("local_compliance.csv", ",suppressed,c,", ",suppressed,q,"),
            "local_compliance.csv",
            "obs_status",
        ),
        (_rows("local_feedback.csv", "E23000002", "E23000001"), "local_feedback.csv", "line 3: duplicate"),
        (
            _rows("local_feedback.csv", "E23000001", "E23000099"),
            "local_feedback.csv",
            "not found in table areas.csv",
        ),
        (
            _rows("local_feedback.csv", "r01_f01", "r01_f99"),
            "local_feedback.csv",
            "not found in table metric-",
        ),
        (_rows("area_groups.csv", ",W15000002,", ",W15000099,"), "area_groups.csv", "line 3"),
        (_rows("areas.csv", "E23000005,", ","), "areas.csv", "line 7"),
        (
            _rows("areas.csv", "area_name,area_kind", "area_kind,area_name"),
            "areas.csv",
            "differ in their order",
        ),
        (_rows("areas.csv", "area_name,area_kind", "area_title,area_kind"), "areas.csv", "area_title"),
    ],
)
def test_a_spoiled_release_is_found_out(
    release: Path, no_network: None, spoil: Spoil, file: str, words: str
) -> None:
    spoil(release)

    faults = csvw_metadata.validate(release)

    assert any(fault.file == file and words in fault.message for fault in faults), [
        fault.message for fault in faults
    ]

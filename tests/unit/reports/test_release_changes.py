"""What changed between two versions: both published values by key, and never a number of cases."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.release.changes import (
    changes_between,
    changes_csv,
    changes_text,
    first_version,
    published_rows,
)
from reports.release.publication import PublicColumn, PublicTable
from reports.release.tables import table_parquet

COLUMNS = tuple(
    PublicColumn(name, name, kind)
    for name, kind in (("area_code", "VARCHAR"), ("case_count", "BIGINT"), ("obs_status", "VARCHAR"))
)


def table(*rows: tuple[Any, ...], **changed: Any) -> PublicTable:
    made = PublicTable(
        "local_compliance", "marts.x", "Title", "One row an area.", COLUMNS, ("area_code",), rows
    )
    return replace(made, **changed)


OLD = table(("E1", 100, None), ("E2", 55, None), ("E3", 20, None))


def test_rows_added_removed_and_revised_are_told_by_key_with_both_published_values() -> None:
    new = table(("E1", 120, None), ("E3", None, "c"), ("E4", 15, None))
    [told] = changes_between([OLD], [new], previous="1.0.0", reason="scheduled revision")["tables"]
    assert told["added"] == [{"area_code": "E4"}]
    assert told["removed"] == [{"area_code": "E2"}]
    assert told["revised"] == [
        {"key": {"area_code": "E1"}, "values": {"case_count": {"old": 100, "new": 120}}},
        {
            "key": {"area_code": "E3"},
            "values": {"case_count": {"old": 20, "new": None}, "obs_status": {"old": None, "new": "c"}},
        },
    ]


def test_no_difference_of_counts_is_told_anywhere() -> None:
    changed = changes_between([OLD], [table(("E1", 137, None))], previous="1.0.0", reason="r")
    said = changes_text(changed) + changes_csv(changed).decode() + repr(changed)
    assert "37" not in said.replace("137", "")


def test_versions_that_are_equal_say_so() -> None:
    same = changes_between([OLD], [OLD], previous="1.0.0", reason="scheduled revision")
    assert same["tables"] == []
    assert "No published value changed." in changes_text(same)


def test_a_first_version_says_so() -> None:
    assert first_version("first publication")["is_first_version"] is True
    assert "first version" in changes_text(first_version("first publication"))


def test_new_tables_and_columns_are_named() -> None:
    narrow = table(("E1", 100), ("E2", 55), ("E3", 20), columns=COLUMNS[:2])
    [told] = changes_between([narrow], [OLD], previous="1.0.0", reason="r")["tables"]
    assert (told["columns_added"], told["revised"]) == (["obs_status"], [])
    extra = replace(OLD, name="notices")
    [added] = changes_between([OLD], [OLD, extra], previous="1.0.0", reason="r")["tables"]
    assert (added["table"], added["table_added"], len(added["added"])) == ("notices", True, 3)


def test_published_files_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "local_compliance.parquet").write_bytes(table_parquet(OLD))
    absent = replace(OLD, name="notices")
    [read] = published_rows(tmp_path, [OLD, absent])
    assert (read.rows, read.column_names) == (OLD.rows, OLD.column_names)
    assert changes_between([read], [OLD], previous="1.0.0", reason="r")["tables"] == []


def test_the_csv_has_one_line_a_value(tmp_path: Path) -> None:
    changed = changes_between(
        [OLD], [table(("E1", 120, None), ("E2", 55, None))], previous="1.0.0", reason="r"
    )
    lines = list(csv.DictReader(io.StringIO(changes_csv(changed).decode())))
    assert [(line["change"], line["key"], line["column"], line["old"], line["new"]) for line in lines] == [
        ("removed", "area_code=E3", "", "", ""),
        ("revised", "area_code=E1", "case_count", "100", "120"),
    ]


@pytest.mark.parametrize(("rows", "more"), [(20, False), (21, True)])
def test_long_lists_are_cut_in_the_terminal_only(rows: int, more: bool) -> None:
    new = table(*OLD.rows, *((f"W{number:02}", 10, None) for number in range(rows)))
    changed = changes_between([OLD], [new], previous="1.0.0", reason="r")
    assert ("more; --format csv" in changes_text(changed)) is more
    assert len(changes_csv(changed).splitlines()) == rows + 1

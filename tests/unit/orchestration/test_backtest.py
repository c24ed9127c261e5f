"""What a release is made from again: the receipts of then, and an archive that cannot be harmed by it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.clock import FixedClock
from ingest.heads import read_head
from orchestration.project import Project
from orchestration.releasing import ReleaseError
from orchestration.releasing.backtest import data_root_of_then, differences
from reports.release.encoding import sha256


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "data", FixedClock(datetime(2026, 12, 10, 12, tzinfo=UTC)))
    made.root.create()
    lines = [json.dumps({"hash": f"h{number}"}, separators=(",", ":")) for number in range(1, 6)]
    made.root.receipts.write_text("".join(f"{line}\n" for line in lines))
    kept = made.root.archive / "ab" / "abc.xlsx"
    kept.parent.mkdir()
    kept.write_bytes(b"an original")
    return made


FROM: dict[str, Any] = {
    "made_on": "2025-09-11",
    "receipts": 3,
    "last_receipt_hash": "h3",
    "removals": 0,
    "last_removal_hash": None,
}


def test_the_data_root_of_then_has_the_first_receipts_and_its_day(project: Project, tmp_path: Path) -> None:
    then = data_root_of_then(project, FROM, tmp_path / "then")
    assert then.root.receipts.read_text() == '{"hash":"h1"}\n{"hash":"h2"}\n{"hash":"h3"}\n'
    head = read_head(then.root.receipts)
    assert head is not None
    assert (head.lines, head.last_hash) == (3, "h3")
    assert then.today.isoformat() == "2025-09-11"


def test_what_is_removed_there_stays_in_the_real_archive(project: Project, tmp_path: Path) -> None:
    then = data_root_of_then(project, FROM, tmp_path / "then")
    assert not then.root.archive.is_symlink()
    copy = then.root.archive / "ab" / "abc.xlsx"
    assert copy.read_bytes() == b"an original"
    copy.unlink()
    assert (project.root.archive / "ab" / "abc.xlsx").read_bytes() == b"an original"


@pytest.mark.parametrize("changed", [{"receipts": 9}, {"last_receipt_hash": "h4"}])
def test_another_ledger_is_not_taken_for_the_one_of_then(
    project: Project, tmp_path: Path, changed: dict[str, Any]
) -> None:
    with pytest.raises(ReleaseError, match="`vcc ledger verify`"):
        data_root_of_then(project, {**FROM, **changed}, tmp_path / "then")


def test_an_archive_elsewhere_is_never_touched(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="copy it to this machine"):
        data_root_of_then(replace(project, archive_url="s3://bucket/archive"), FROM, tmp_path / "then")
    assert not (tmp_path / "then").exists()


def test_every_file_that_differs_is_named(tmp_path: Path) -> None:
    sums = "".join(f"{sha256(name.encode())}  {name}\n" for name in ("a.csv", "b.csv", "c.csv")).encode()
    (tmp_path / "SHA256SUMS").write_bytes(sums)
    same = {name: name.encode() for name in ("a.csv", "b.csv", "c.csv")} | {"SHA256SUMS": sums}
    assert differences(same, tmp_path) == []
    other = {"a.csv": b"other", "b.csv": b"b.csv", "d.csv": b"", "SHA256SUMS": sums}
    assert [line.partition(":")[0] for line in differences(other, tmp_path)] == ["a.csv", "c.csv", "d.csv"]

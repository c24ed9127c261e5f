from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from return_files import SENDER

from ingest.acceptance.verdict import Problem
from ingest.receipts import Receipt
from ingest.report import verdict_of, write_reports

REJECTED = Receipt(
    ticket="t", sha256="0a1b2c3d" * 8, bytes=10, extension="zip", sender_code=SENDER, file_name="return.zip",
    arrived_at=datetime(2025, 7, 15, 10, 0, tzinfo=UTC), outcome="rejected", stored_in="archive",
    kind="quarterly", form_version=1, period_code="2025-26-Q1", rows_read={"metrics": 3},
    rows_accepted={"metrics": 0},
    problems=(Problem("FIGURES-002", "error", "metrics", 2, "met", "12.5", "a count", "Mend it.", "No count."),),
    problem_counts={"FIGURES-002": 1},
).sealed(1, "0" * 64)  # fmt: skip


def test_the_reports_of_a_receipt_are_its_owners_alone_and_always_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "restricted" / SENDER / REJECTED.receipt_id
    write_reports(REJECTED, folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(files) == ["report.html", "report.json", "report.txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert json.loads(files["report.json"])["counts"] == {"FIGURES-002": 1}
    for name in ("report.html", "report.txt"):
        assert REJECTED.receipt_id in files[name].decode() and "No count." in files[name].decode()
    write_reports(REJECTED, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_a_receipt_says_all_that_its_verdict_said() -> None:
    verdict = verdict_of(REJECTED)
    assert (verdict.outcome, verdict.exit_code, verdict.count("error")) == ("rejected", 1, 1)
    assert verdict.rows_accepted == {"metrics": 0}


def test_whether_the_file_could_be_read_is_known_from_its_receipt() -> None:
    def exit_code(code: str = "FIGURES-002", **values: object) -> int:
        problem = replace(REJECTED.problems[0], rule_code=code)
        receipt = replace(REJECTED, problems=(problem,), problem_counts={code: 1}, **values)  # type: ignore[arg-type]
        return verdict_of(receipt).exit_code

    unread: dict[str, object] = {"stored_in": "quarantine", "rows_read": {}, "form_version": None}
    assert exit_code() == 1
    assert exit_code("FILE-012", **unread) == 2
    assert exit_code("FILE-009", outcome="quarantined", **unread) == 2
    assert exit_code("PERSON-001", outcome="quarantined", stored_in="quarantine") == 1
    assert exit_code("PERSON-001", outcome="quarantined", **unread) == 1


def test_a_duplicate_has_no_report_of_its_own(tmp_path: Path) -> None:
    duplicate = replace(REJECTED, outcome="duplicate", duplicate_of_receipt_id="R000001-0a1b2c3d")
    with pytest.raises(ValueError, match="see R000001-0a1b2c3d"):
        write_reports(duplicate, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()

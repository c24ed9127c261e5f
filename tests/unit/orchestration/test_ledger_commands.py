"""The commands on receipts: ledger, receipt, archive and status, on a small data root that was received."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from return_files import SENDER, quarterly

from ingest.clock import FixedClock
from ingest.receipts import Ledger, Receipt
from ingest.receive import receive
from orchestration import cli
from orchestration.erased import are_builds_free, drop_builds_of_erased
from orchestration.pending import (
    RAW_IS_BEHIND,
    RAW_NOTE,
    SERVING_IS_BEHIND,
    raw_source,
    reasons_to_run,
)
from orchestration.project import Project, open_project
from orchestration.vocabulary import FINAL

DAY = "2025-09-01"
ERASE = ("archive", "erase", "--role", "data protection officer", "--reason", "free text held personal data")


def vcc(data_root: Path, *arguments: str) -> int:
    return cli.main(["--data-root", str(data_root), "--as-of", DAY, *arguments])


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with an accepted return, one that was rejected, one quarantined, and a late one."""
    data_root = tmp_path_factory.mktemp("received") / "data"
    project = open_project(data_root, DAY)
    root = project.root.create()
    journal = ["sender_code,file_name,arrived_at"]
    for number, (met, note, day) in enumerate(
        [(30, "", "07-15"), (-1, "", "07-16"), (30, "Ring 07700 900123", "07-17"), (31, "", "08-20"), (31, "", "08-21")]
    ):  # fmt: skip
        file = quarterly(project.reference, project.forms, met=met)
        file["metrics"][0]["note"] = note
        file.zip(root.inbox / SENDER / f"{number}.zip")
        journal.append(f"{SENDER},{number}.zip,2025-{day}T10:00:00Z")
    root.arrivals.write_text("\n".join([*journal, ""]))
    clock = FixedClock(datetime(2025, 9, 1, tzinfo=UTC))
    receive(root, project.reference, project.forms, clock, workers=1)
    return data_root


@pytest.fixture
def data_root(received: Path, tmp_path: Path) -> Path:
    """A copy of it, free to be changed."""
    shutil.copytree(received, tmp_path / "data", symlinks=True)
    return tmp_path / "data"


@pytest.fixture
def receipts(data_root: Path) -> list[Receipt]:
    found = Ledger(open_project(data_root).root.receipts).read()
    assert [receipt.outcome for receipt in found] == [
        "accepted", "rejected", "quarantined", "accepted_with_warnings", "duplicate",
    ]  # fmt: skip
    return found


Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def both() -> str:
        shown = capsys.readouterr()
        return shown.out + shown.err

    return both


# --- ledger ------------------------------------------------------------------------------------------------


def test_a_ledger_as_it_was_written_is_sound(data_root: Path, said: Said) -> None:
    assert vcc(data_root, "ledger", "verify") == cli.OK
    assert "5 receipts" in (text := said()) and "none is missing" in text


@pytest.mark.parametrize("kept", [[0, 2, 3, 4], [0, 1, 2], [1, 0, 2, 3, 4]])
def test_a_ledger_that_is_another_is_exit_code_1_and_every_fault_is_named(
    data_root: Path, said: Said, kept: list[int]
) -> None:
    ledger = open_project(data_root).root.receipts
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[number] for number in kept))
    assert vcc(data_root, "ledger", "verify") == cli.FAILED
    text = said()
    assert "is not the one that was written" in text and ("End: " in text or "Line " in text)


def test_before_the_first_receipt_there_is_no_ledger_to_doubt(tmp_path: Path, said: Said) -> None:
    assert vcc(tmp_path, "ledger", "verify") == cli.OK
    assert "no ledger" in said()


# --- receipt -----------------------------------------------------------------------------------------------


def test_a_receipt_is_shown_with_all_that_is_known(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    first, rejected, quarantined, late, duplicate = receipts
    assert vcc(data_root, "receipt", first.receipt_id) == cli.OK
    text = said()
    assert f"superseded by  {late.receipt_id}" in text and "current        no" in text
    assert f"archive/{first.sha256[:2]}/{first.sha256}.zip" in text
    vcc(data_root, "receipt", late.receipt_id[:7])
    assert f"supersedes     {first.receipt_id}" in (text := said()) and "yes: its figures stand" in text
    vcc(data_root, "receipt", rejected.sha256)
    assert "FIGURES-001" in (text := said()) and str(Path("restricted") / "receipts" / SENDER) in text
    vcc(data_root, "receipt", duplicate.receipt_id)
    assert f"duplicate of   {late.receipt_id}" in said()
    vcc(data_root, "receipt", quarantined.receipt_id)
    assert "in the quarantine" in (text := said()) and "900123" not in text


def test_a_receipt_as_json_and_as_a_page(
    data_root: Path, receipts: list[Receipt], said: Said, tmp_path: Path
) -> None:
    vcc(data_root, "receipt", receipts[0].receipt_id, "--format", "json")
    values = json.loads(said())
    assert Receipt.from_line(json.dumps(values["receipt"])) == receipts[0]
    assert values["superseded_by_receipt_id"] == receipts[3].receipt_id and values["removal"] is None
    page = tmp_path / "page.html"
    assert (
        vcc(data_root, "receipt", receipts[1].receipt_id, "--format", "html", "--output", str(page)) == cli.OK
    )
    assert page.read_text().startswith("<!DOCTYPE html>") and receipts[1].receipt_id in page.read_text()


def test_a_name_of_no_receipt_or_of_several_is_refused(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    for name, says in (
        ("R9", "There is no receipt"),
        ("R0000", "stands for 5 receipts"),
        (receipts[3].sha256, "stands for 2"),
    ):
        assert vcc(data_root, "receipt", name) == cli.UNUSABLE
        assert says in said()


def test_a_return_is_annotated_and_one_kept_apart_is_not(
    data_root: Path, receipts: list[Receipt], said: Said, tmp_path: Path
) -> None:
    out = tmp_path / "annotated.xlsx"
    assert vcc(data_root, "receipt", receipts[1].receipt_id, "--annotate", str(out)) == cli.OK
    import openpyxl

    comments = [
        cell.comment.text
        for sheet in openpyxl.load_workbook(out)
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment
    ]
    assert any("FIGURES-001" in comment for comment in comments)
    said()
    for number in (2, 4):
        assert vcc(data_root, "receipt", receipts[number].receipt_id, "--annotate", str(out)) == cli.UNUSABLE
    assert "kept apart" in said()


# --- archive -----------------------------------------------------------------------------------------------


def test_erasing_asks_first_and_refuses_words_with_a_person(
    data_root: Path, receipts: list[Receipt], said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert vcc(data_root, *ERASE, receipts[3].receipt_id) == cli.UNUSABLE
    assert "add --yes" in said()
    words = ("archive", "erase", "--role", "officer", "--reason", "asked by Mrs Bloggs", "--yes")
    assert vcc(data_root, *words, receipts[3].receipt_id) == cli.UNUSABLE
    assert "Bloggs" not in (text := said()) and "personal data" in text
    assert not open_project(data_root).root.removals.exists()


def test_an_erased_receipt_says_so_and_the_earlier_return_stands(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    first, _, _, late, duplicate = receipts
    assert vcc(data_root, *ERASE, late.receipt_id, "--yes") == cli.OK
    text = said()
    assert "The content of 2 receipts" in text and "Nothing has been built yet" in text
    for receipt in (late, duplicate):
        vcc(data_root, "receipt", receipt.receipt_id)
        assert "erased on 1 September 2025, role data protection officer" in said()
    vcc(data_root, "receipt", first.receipt_id)
    assert "yes: its figures stand" in said()
    assert vcc(data_root, "ledger", "verify") == cli.OK
    assert "Removals noted: 1" in said()


def test_the_quarantine_is_purged_when_its_time_is_over(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    def purge(day: str, *more: str) -> str:
        assert cli.main(["--data-root", str(data_root), "--as-of", day, "archive", "purge", *more]) == cli.OK
        return said()

    quarantine = open_project(data_root).root.quarantine
    assert " 0 were deleted" in purge("2025-10-15")
    assert receipts[2].receipt_id in purge("2025-10-16", "--dry-run") and list(quarantine.iterdir())
    assert receipts[2].receipt_id in purge("2025-10-16") and not list(quarantine.iterdir())
    vcc(data_root, "receipt", receipts[2].receipt_id)
    assert "purged on 16 October 2025, role service" in said()


# --- builds ------------------------------------------------------------------------------------------------


def serve(project: Project) -> Path:
    """A served build of the present raw files, as a run leaves it."""
    attempt = project.warehouse.start_attempt(project.build_id(), "0001")
    attempt.path.write_bytes(b"build")
    attempt.tests_path.write_text("{}")
    build = project.warehouse.build(attempt.build_id)
    project.warehouse.publish(build)
    project.output_notes.note(RAW_NOTE, RAW_NOTE, raw_source(project))
    return build.path


def test_builds_made_before_an_erasure_go_once_one_made_after_it_is_served(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    project = open_project(data_root, DAY)
    before = serve(project)
    assert vcc(data_root, *ERASE, receipts[3].receipt_id, "--yes", "--no-run") == cli.OK
    assert "Run `vcc run --all` now" in said()
    assert RAW_IS_BEHIND in reasons_to_run(project, [], FINAL)
    # What is served is still the old one: it stays until another takes its place.
    assert drop_builds_of_erased(project) == [] and before.exists()
    (project.root.raw / "new.parquet").write_bytes(b"rows")
    after = serve(project)
    assert drop_builds_of_erased(project) == [before]
    assert [path for path in project.root.builds.glob("*.duckdb")] == [after]
    assert drop_builds_of_erased(project) == []


def copy_for_analysts(project: Project) -> Path:
    """A copy of the served build, as a run leaves it."""
    build = project.warehouse.current()
    assert build is not None
    copy = project.serving.copy_of(build)
    copy.folder.mkdir(parents=True)
    copy.database.write_bytes(b"copy")
    project.serving.publish(build, {})
    return copy.folder


def test_copies_of_builds_made_before_an_erasure_go_once_a_later_build_is_copied(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    project = open_project(data_root, DAY)
    serve(project)
    older = copy_for_analysts(project)
    (project.root.raw / "more.parquet").write_bytes(b"rows")
    serve(project)
    before = copy_for_analysts(project)
    assert SERVING_IS_BEHIND not in reasons_to_run(project, [], FINAL)
    assert vcc(data_root, *ERASE, receipts[3].receipt_id, "--yes", "--no-run") == cli.OK
    (project.root.raw / "new.parquet").write_bytes(b"rows")
    serve(project)
    scrap = project.root.serving / "making-b0-00000000"
    scrap.mkdir()
    assert SERVING_IS_BEHIND in reasons_to_run(project, [], FINAL)
    # What analysts read stays until another copy takes its place, and so the erasure is not at its end.
    assert older in drop_builds_of_erased(project) and not older.exists() and not scrap.exists()
    assert before.exists() and not are_builds_free(project)
    after = copy_for_analysts(project)
    assert drop_builds_of_erased(project) == [before] and not before.exists()
    assert are_builds_free(project) and [copy.folder for copy in project.serving.copies()] == [after]
    assert drop_builds_of_erased(project) == []


# --- status ------------------------------------------------------------------------------------------------


def test_status_needs_nothing_but_the_ledger(data_root: Path, said: Said) -> None:
    assert vcc(data_root, "status", "--period", "2025-26-Q1") == cli.OK
    text = said()
    assert "5 receipts in the ledger" in text and "0 files wait" in text
    counts = next(line for line in text.splitlines() if "quarterly" in line).split()
    # period, kind, due, expected, on time, late, rejected only, not sent, revised
    assert counts[:3] == ["2025-26-Q1", "quarterly", "2025-08-11"]
    assert int(counts[3]) == 1 + int(counts[7]) and counts[4:7] == ["1", "0", "0"] and counts[8] == "1"
    assert SENDER not in text
    vcc(data_root, "status", "--period", "2025-26-Q1", "--all")
    own = next(line for line in said().splitlines() if line.startswith(SENDER))
    assert "on_time" in own and "accepted_with_warnings" in own


def test_status_counts_days_late_to_the_day_of_the_return_or_to_today(
    data_root: Path, receipts: list[Receipt], said: Said
) -> None:
    vcc(data_root, *ERASE, receipts[0].receipt_id, "--yes")
    said()
    vcc(data_root, "status", "--period", "2025-26-Q1")
    lines = said().splitlines()
    # Without the first return, the one of 20 August is the first: due on 11 August.
    late = next(line for line in lines if line.startswith(SENDER)).split()
    assert late[late.index("late") + 1 : late.index("late") + 3] == ["2025-08-11", "9"]
    missing = next(line for line in lines if "not_submitted" in line and "quarterly" in line).split()
    assert missing[missing.index("not_submitted") + 2] == "21"


def test_status_of_an_empty_data_root(tmp_path: Path, said: Said) -> None:
    assert vcc(tmp_path, "status") == cli.OK
    assert "0 receipts in the ledger" in said()

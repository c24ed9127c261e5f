from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.inbox import waiting
from ingest.paths import DataRoot
from orchestration import delivery as module
from orchestration.delivery import LOCK_NAME, Delivery, deliver, delivered, inbox_lock, submit
from orchestration.project import SettingError

NOON = datetime(2025, 8, 1, 12, tzinfo=UTC)


def delivery(folder: Path, name: str, *, is_moved: bool = False, content: str = "x") -> Delivery:
    source = folder / "made" / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(content)
    return Delivery(source, "E23000028-police", name, NOON, is_moved=is_moved)


def visible(inbox: Path) -> list[str]:
    files = (path for path in inbox.rglob("*") if path.is_file() and path.name != LOCK_NAME)
    return sorted(str(path.relative_to(inbox)) for path in files)


def test_a_file_arrives_with_its_arrival_noted(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    placed = deliver(inbox, [delivery(tmp_path, "a.zip")])
    assert placed == [inbox / "E23000028-police" / "a.zip"]
    assert (inbox / "arrivals.csv").read_text() == (
        "sender_code,file_name,arrived_at\nE23000028-police,a.zip,2025-08-01T12:00:00Z\n"
    )


def test_what_was_delivered_and_taken_in_is_not_delivered_again(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    first = delivery(tmp_path, "a.zip")
    deliver(inbox, [first])[0].unlink()
    journal = (inbox / "arrivals.csv").read_bytes()
    assert deliver(inbox, [first]) == []
    assert visible(inbox) == ["arrivals.csv"] and (inbox / "arrivals.csv").read_bytes() == journal


@pytest.mark.parametrize("is_moved", [True, False])
@pytest.mark.parametrize("dies_at", ["_stage", "write_bytes", "_journal"])
def test_a_delivery_that_was_killed_is_completed_by_repeating_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_moved: bool, dies_at: str
) -> None:
    inbox = tmp_path / "inbox"
    both = [delivery(tmp_path, "a.zip", is_moved=is_moved), delivery(tmp_path, "b.zip", is_moved=is_moved)]
    original = getattr(module, dies_at)
    calls = []

    def dies(*arguments: object) -> object:
        calls.append(1)
        if dies_at != "_stage" or len(calls) == 2:
            if dies_at == "write_bytes":
                original(*arguments)
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, dies_at, dies)
        with pytest.raises(KeyboardInterrupt):
            deliver(inbox, both)
    deliver(inbox, both)
    assert visible(inbox) == ["E23000028-police/a.zip", "E23000028-police/b.zip", "arrivals.csv"]
    assert len(delivered(inbox)) == 2


def test_a_missing_file_is_refused_before_anything_is_noted(tmp_path: Path) -> None:
    missing = Delivery(tmp_path / "none.zip", "E23000028-police", "none.zip", NOON)
    with pytest.raises(FileNotFoundError):
        deliver(tmp_path / "inbox", [missing])
    assert not (tmp_path / "inbox" / "arrivals.csv").exists()


SUBMITTER = """
import pathlib, sys
from datetime import UTC, datetime
from orchestration.delivery import submit
inbox, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for source in sorted(folder.iterdir()):
    submit(inbox, source, "E23000028-police", datetime(2025, 8, 1, 12, tzinfo=UTC))
"""


def test_submitting_twice_at_once_loses_no_arrival_and_leaves_no_scrap(
    tmp_path: Path, project_folder: Path
) -> None:
    inbox = tmp_path / "inbox"
    writers = []
    for who in ("one", "two"):
        for number in range(15):
            source = tmp_path / who / f"{who}{number}.zip"
            source.parent.mkdir(exist_ok=True)
            source.write_text(source.name)
        writer = subprocess.Popen(
            [sys.executable, "-c", SUBMITTER, str(inbox), str(tmp_path / who)],
            cwd=project_folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        writers.append(writer)
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate()[1] or writer.returncode for writer in writers] == [0, 0]
    names = sorted(f"{who}{number}.zip" for who in ("one", "two") for number in range(15))
    assert sorted(name for _, name, _ in delivered(inbox)) == names
    assert visible(inbox) == sorted(["arrivals.csv", *(f"E23000028-police/{name}" for name in names)])
    assert waiting(DataRoot(tmp_path)) == 30


def test_a_submission_waits_for_the_delivery_that_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    locked: list[str] = []
    original = module.inbox_lock

    def watched(folder: Path):  # type: ignore[no-untyped-def]
        locked.append("locked")
        return original(folder)

    monkeypatch.setattr(module, "inbox_lock", watched)
    deliver(inbox, [delivery(tmp_path, "a.zip")])
    source = delivery(tmp_path, "b.zip").source
    submit(inbox, source, "E23000028-police", NOON)
    assert len(locked) == 2
    with inbox_lock(inbox):
        assert visible(inbox) == ["E23000028-police/a.zip", "E23000028-police/b.zip", "arrivals.csv"]


def test_a_file_submitted_again_arrives_later_and_sweeps_up_after_a_killed_one(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    source = delivery(tmp_path, "a.zip").source
    submit(inbox, source, "E23000028-police", NOON).unlink()
    (inbox / "E23000028-police" / ".a.zip.20250801T115900Z.partial").write_text("half")
    submit(inbox, source, "E23000028-police", NOON)
    assert visible(inbox) == ["E23000028-police/a.zip", "arrivals.csv"]
    later = (NOON + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [arrival for _, _, arrival in delivered(inbox)] == ["2025-08-01T12:00:00Z", later]


@pytest.mark.parametrize("name", ["x.tmp", ".h.zip", "return.zip.partial", "a.zip.crdownload"])
def test_a_name_that_receiving_never_takes_is_refused(tmp_path: Path, name: str) -> None:
    source = delivery(tmp_path, name).source
    with pytest.raises(SettingError, match="looks like a hidden or unfinished file"):
        submit(tmp_path / "inbox", source, "E23000028-police", NOON)
    assert not (tmp_path / "inbox").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("line\nbreak.zip", "cannot be shown"),
        (os.fsdecode(b"caf\xe9.zip"), "cannot be shown"),
        ("n" * 197 + ".zip", "longer than 200 bytes"),
    ],
)
def test_a_name_that_cannot_be_noted_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(SettingError, match=says) as refused:
        submit(tmp_path / "inbox", tmp_path / name, "E23000028-police", NOON)
    assert str(refused.value).isprintable()
    assert not (tmp_path / "inbox").exists()

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ingest.paths import DataRoot
from ingest.receipts import Ledger, Receipt
from orchestration import cli
from orchestration.delivery import delivered
from orchestration.project import open_project

SMALL = ("sample", "--quarters", "1", "--areas", "E23000028", "--no-breakdowns")


def vcc(data_root: Path, *arguments: str) -> int:
    return cli.main(["--data-root", str(data_root), "--as-of", "2026-12-10", *arguments])


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small sample in its inbox."""
    data_root = tmp_path_factory.mktemp("sampled") / "data"
    assert vcc(data_root, *SMALL) == cli.OK
    return data_root


@pytest.fixture
def data_root(sampled: Path, tmp_path: Path) -> Path:
    """A copy of it, free to be changed."""
    shutil.copytree(sampled, tmp_path / "data")
    return tmp_path / "data"


def submit(data_root: Path, name: str = "own.zip") -> None:
    file = data_root.parent / name
    file.write_bytes(b"zip")
    assert vcc(data_root, "submit", str(file), "--sender", "E23000028-police") == cli.OK


def settle(data_root: Path) -> None:
    """Give every delivered file a receipt, and take it out of the inbox, as receiving does."""
    root = DataRoot(data_root)
    from ingest.clock import parse_instant

    for sender, name, arrived_at in delivered(root.inbox):
        receipt = Receipt(
            ticket=f"{sender}{name}{arrived_at}",
            sha256="0" * 64,
            bytes=1,
            extension="zip",
            sender_code=sender,
            file_name=name,
            arrived_at=parse_instant(arrived_at),
            outcome="accepted",
            stored_in="archive",
        )
        Ledger(root.receipts).append(receipt)
        (root.inbox / sender / name).unlink()


def test_the_sample_is_not_delivered_among_real_returns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_root = tmp_path / "data"
    submit(data_root)
    assert vcc(data_root, *SMALL) == cli.UNUSABLE
    assert "returns that are not of the sample (E23000028-police/own.zip)" in capsys.readouterr().err
    settle(data_root)
    (data_root / "inbox" / "arrivals.csv").unlink()
    assert vcc(data_root, *SMALL) == cli.UNUSABLE
    assert not (data_root / "sample").exists()
    # Without a sample, today is today.
    assert open_project(data_root).clock != open_project(data_root, "2026-12-10").clock


def test_a_file_that_nobody_noted_is_not_of_the_sample(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "inbox" / "E23000028-police"
    folder.mkdir(parents=True)
    (folder / "by_hand.zip").write_bytes(b"zip")
    assert vcc(tmp_path / "data", *SMALL) == cli.UNUSABLE


def test_a_return_submitted_to_the_sample_does_not_stop_what_is_delivered_already(
    data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(data_root)
    capsys.readouterr()
    assert vcc(data_root, *SMALL) == cli.OK
    assert capsys.readouterr().out == "The sample has been delivered already.\n"


def test_a_delivery_that_was_cut_short_is_completed(data_root: Path) -> None:
    before = sorted(path.name for path in data_root.glob("inbox/*/*"))
    folder = next(path for path in sorted((data_root / "inbox").iterdir()) if path.is_dir())
    shutil.rmtree(folder)
    journal = data_root / "inbox" / "arrivals.csv"
    kept = [line for line in journal.read_text().splitlines() if not line.startswith(f"{folder.name},")]
    journal.write_text("\n".join([*kept, ""]))
    assert vcc(data_root, *SMALL) == cli.OK
    assert sorted(path.name for path in data_root.glob("inbox/*/*")) == before


@pytest.mark.parametrize("arguments", [("--quarters", "0"), ("--areas", "Essex")])
def test_a_sample_that_cannot_be_made_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert vcc(tmp_path, "sample", *arguments) == cli.UNUSABLE
    assert "fault of the program" not in capsys.readouterr().err


def test_what_came_of_the_sample_is_deleted(data_root: Path) -> None:
    settle(data_root)
    (data_root / "archive" / "00").mkdir()
    assert vcc(data_root, "clean") == cli.OK
    assert not data_root.exists()
    assert vcc(data_root, "clean") == cli.OK


def test_what_is_not_of_this_service_is_left(data_root: Path) -> None:
    (data_root / "notes.txt").write_text("mine")
    assert vcc(data_root, "clean") == cli.OK
    assert [path.name for path in data_root.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("is_judged", [True, False])
def test_real_returns_are_never_deleted_unasked(
    data_root: Path, capsys: pytest.CaptureFixture[str], is_judged: bool
) -> None:
    submit(data_root)
    if is_judged:
        settle(data_root)
    before = sorted(data_root.rglob("*"))
    assert vcc(data_root, "clean") == cli.UNUSABLE
    said = capsys.readouterr().err
    assert "not of the sample (E23000028-police/own.zip)" in said and "make clean CONFIRM=yes" in said
    assert {path for path in data_root.rglob("*") if path.name != ".run.lock"} == {
        path for path in before if path.name != ".run.lock"
    }


def test_make_clean_keeps_real_returns_unless_it_is_confirmed(
    data_root: Path, project_folder: Path, tmp_path: Path
) -> None:
    submit(data_root)
    shutil.copy(project_folder / "Makefile", tmp_path)
    vcc_command = tmp_path / ".venv" / "bin" / "vcc"
    vcc_command.parent.mkdir(parents=True)

    def make_clean(*arguments: str) -> int:
        return subprocess.run(["make", "clean", *arguments], cwd=tmp_path, capture_output=True).returncode

    # Nobody there who could say what the data are.
    assert make_clean() != 0 and data_root.is_dir()
    vcc_command.symlink_to("/bin/false")
    (tmp_path / ".dagster").mkdir()
    assert make_clean() != 0 and data_root.is_dir() and (tmp_path / ".dagster").is_dir()
    assert make_clean("CONFIRM=yes") == 0
    assert not data_root.exists() and not (tmp_path / ".dagster").exists()

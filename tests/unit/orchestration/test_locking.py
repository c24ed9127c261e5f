from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.locking import LOCK_NAME, DataRootBusyError, is_busy, run_lock

HOLDER = """
import pathlib, sys, time
from orchestration.locking import run_lock
with run_lock(pathlib.Path(sys.argv[1]), "run of a test"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path, project_folder: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, cwd=project_folder, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_run_is_told_who_holds_the_data_root(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    assert is_busy(tmp_path)
    with (
        pytest.raises(DataRootBusyError, match=rf"run of a test \(process {holder.pid}, since"),
        run_lock(tmp_path, "me"),
    ):
        pass


def test_the_second_run_goes_on_once_the_first_is_killed(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    told: list[str] = []

    def kill(sentence: str) -> None:
        told.append(sentence)
        os.kill(holder.pid, signal.SIGKILL)

    with run_lock(tmp_path, "me", wait_seconds=30, on_wait=kill, poll_seconds=0.02):
        assert len(told) == 1 and "run of a test" in told[0]
        assert is_busy(tmp_path)
    assert not is_busy(tmp_path)


def test_a_free_lock_file_says_nothing_of_the_last_holder(tmp_path: Path) -> None:
    assert not is_busy(tmp_path)
    with run_lock(tmp_path, "first"):
        pass
    assert (tmp_path / LOCK_NAME).read_bytes() == b""

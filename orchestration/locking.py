"""One run at a time on a data root.

The lock is the kernel's, so it ends with the process that holds it, however that process ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LOCK_NAME = ".run.lock"


#: Names of the errors that say another process works on the data root: this module's and the receiver's.
BUSY_ERRORS = frozenset({"DataRootBusyError", "Busy"})


class DataRootBusyError(RuntimeError):
    """Another run works on the data root; the message says which."""


def holder_of(lock_file: Path) -> str:
    """Say who holds the lock, as that run described itself."""
    try:
        note = json.loads(lock_file.read_text())
        return f"{note['run']} (process {note['process']}, since {note['since']})"
    except (OSError, ValueError, KeyError):
        return "another run"


@contextlib.contextmanager
def run_lock(
    data_root: Path,
    run: str,
    *,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] | None = None,
    poll_seconds: float = 0.5,
) -> Iterator[None]:
    """Hold the data root for one run.

    `run` is how this run describes itself to others. `on_wait` is told once, in a sentence, if it must wait.
    Raises DataRootBusyError if the lock is not free within `wait_seconds`.
    """
    data_root.mkdir(parents=True, exist_ok=True)
    lock_file = data_root / LOCK_NAME
    handle = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(handle, lock_file, wait_seconds, on_wait, poll_seconds)
        note = {"run": run, "process": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S %Z")}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def is_busy(data_root: Path) -> bool:
    """Say whether a run holds the data root at this moment; leaves no trace."""
    lock_file = data_root / LOCK_NAME
    if not lock_file.exists():
        return False
    handle = os.open(lock_file, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _acquire(
    handle: int,
    lock_file: Path,
    wait_seconds: float,
    on_wait: Callable[[str], None] | None,
    poll_seconds: float,
) -> None:
    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise DataRootBusyError(
                    f"{holder_of(lock_file)} works on {lock_file.parent}; wait for it to end, then run again."
                ) from None
            if on_wait and not told:
                on_wait(f"Waiting for {holder_of(lock_file)}, which works on {lock_file.parent}.")
                told = True
            time.sleep(poll_seconds)

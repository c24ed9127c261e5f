"""One at a time: whoever writes the archive, the ledger or raw holds the lock of the data root.

Belongs here: that lock, and sweeping up after a holder that was killed. Does not: locks of the warehouse.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.paths import DataRoot

WAIT_SECONDS = 600.0
_PARTIAL = ".*.partial"
_FORGOTTEN_SECONDS = 24 * 3600.0


class Busy(RuntimeError):
    """Another process holds the lock of the data root."""


@contextmanager
def exclusive(root: DataRoot) -> Iterator[None]:
    """Hold the lock of a data root; wait for whoever holds it. Raises Busy if that takes too long.

    A lock file that still names a process was left by one that was killed: what it had begun is removed.
    """
    root.create()
    with root.lock.open("a+") as stream:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Busy(
                        f"Another process is receiving into {root.path}; run again once it has ended."
                    ) from None
                time.sleep(0.1)
        stream.seek(0)
        if stream.read():
            _sweep(root)
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
        # Only reached when all went well or an error was handled above: a kill leaves the mark.
        stream.truncate(0)


def _sweep(root: DataRoot) -> None:
    """Remove what a killed process left half-written.

    What lies under this lock at once; what others write, once it is too old to be still in use. The inbox is
    left alone: its unfinished files belong to whoever delivers.
    """
    until = time.time() - _FORGOTTEN_SECONDS
    theirs = (root.register, root.checks, root.releases, root.restricted)
    under_this_lock = (
        root.archive,
        root.archive_cache,
        root.quarantine,
        root.raw,
        root.heads,
        root.reports,
    )
    for folder in (*under_this_lock, *theirs):
        for scrap in folder.rglob(_PARTIAL):
            if folder in theirs and scrap.lstat().st_mtime > until:
                continue
            if scrap.is_dir():
                shutil.rmtree(scrap, ignore_errors=True)
            else:
                scrap.unlink(missing_ok=True)

"""How a file gets into the inbox: whole, with its arrival noted before it is seen, one delivery at a time.

What belongs here: the delivery journal and the copy. What does not: judging (ingest.receive).
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import glob
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.clock import parse_instant
from ingest.paths import ARRIVALS
from orchestration.project import SettingError
from orchestration.warehouse import write_bytes

#: Hidden, so that receiving never takes it for a delivery.
LOCK_NAME = ".delivery.lock"

JOURNAL_COLUMNS = ("sender_code", "file_name", "arrived_at")

DELIVERING = "Delivering returns"

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Delivery:
    """One file on its way: where it is now, whose it is, what it is called, when it arrives."""

    source: Path
    sender_code: str
    file_name: str
    arrived_at: datetime
    #: Moved instead of copied: the source is only a stopping place.
    is_moved: bool = False


Entry = tuple[str, str, str]


def journal_path(inbox: Path) -> Path:
    """Return the delivery journal of an inbox."""
    return inbox / ARRIVALS


def delivered(inbox: Path) -> list[Entry]:
    """Return (sender, file name, arrival) of everything the journal has noted, in its order."""
    path = journal_path(inbox)
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return [tuple(row[name] for name in JOURNAL_COLUMNS) for row in csv.DictReader(stream)]  # type: ignore[misc]


def entry(delivery: Delivery) -> Entry:
    """Return how the journal notes a delivery."""
    arrived_at = delivery.arrived_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return delivery.sender_code, delivery.file_name, arrived_at


@contextlib.contextmanager
def inbox_lock(inbox: Path) -> Iterator[None]:
    """Hold the inbox against other deliveries, waiting for the one that is on; each takes a moment."""
    inbox.mkdir(parents=True, exist_ok=True)
    handle = os.open(inbox / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def submit(inbox: Path, source: Path, sender_code: str, now: datetime) -> Path:
    """Deliver one file under its own name and return where it lies in the inbox.

    It arrives now, or a second after the last file of that name: no two share an instant. Raises SettingError
    if receiving would never take a file of that name, or if one of that name still waits.
    """
    from ingest.receive import is_delivery_name

    name = source.name
    if not is_delivery_name(name):
        raise SettingError(
            f"{name} looks like a hidden or unfinished file, which receiving leaves alone; give it"
            " another name, as return.zip."
        )
    with inbox_lock(inbox):
        if (inbox / sender_code / name).exists():
            raise SettingError(f"{name} from {sender_code} still waits in the inbox; run `vcc run` first.")
        # Left by a submission that was killed: this one stands for it.
        for scrap in (inbox / sender_code).glob(f".{glob.escape(name)}.*.partial"):
            scrap.unlink()
        earlier = [
            parse_instant(arrived_at)
            for sender, file_name, arrived_at in delivered(inbox)
            if (sender, file_name) == (sender_code, name)
        ]
        arrived_at = max([now, *(instant + timedelta(seconds=1) for instant in earlier)])
        [placed] = _deliver(inbox, [Delivery(source, sender_code, name, arrived_at)], None)
    return placed


def deliver(inbox: Path, deliveries: Sequence[Delivery], progress: Told | None = None) -> list[Path]:
    """Put files into the inbox and return those that this call put there.

    A file is first staged under a hidden name, then its arrival is noted, then it appears: none is ever seen
    without its arrival, and repeating a call that was killed ends as an undisturbed one does. What the
    journal has noted and no call has left staged was delivered before and is left alone. Raises
    FileNotFoundError if a source that is needed is missing.
    """
    with inbox_lock(inbox):
        return _deliver(inbox, deliveries, progress)


def _deliver(inbox: Path, deliveries: Sequence[Delivery], progress: Told | None) -> list[Path]:
    noted = delivered(inbox)
    known = set(noted)
    new = [each for each in deliveries if entry(each) not in known]
    for done, delivery in enumerate(new):
        if progress:
            progress(DELIVERING, done, 2 * len(new))
        _stage(inbox, delivery)
    if new:
        write_bytes(journal_path(inbox), _journal([*noted, *(entry(each) for each in new)]))
    placed = []
    for done, delivery in enumerate(deliveries):
        staged = staged_path(inbox, delivery)
        if staged.is_file():
            placed.append(staged.replace(inbox / delivery.sender_code / delivery.file_name))
        if progress and new:
            progress(DELIVERING, len(new) + (done + 1) * len(new) // len(deliveries), 2 * len(new))
    return placed


def staged_path(inbox: Path, delivery: Delivery) -> Path:
    """Return where a file waits, hidden, until its arrival is noted: one place for each arrival of it."""
    instant = delivery.arrived_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return inbox / delivery.sender_code / f".{delivery.file_name}.{instant}.partial"


def _stage(inbox: Path, delivery: Delivery) -> None:
    staged = staged_path(inbox, delivery)
    staged.parent.mkdir(parents=True, exist_ok=True)
    if delivery.is_moved:
        if delivery.source.is_file() or not staged.is_file():
            delivery.source.replace(staged)
    else:
        shutil.copyfile(delivery.source, staged)


def _journal(entries: Sequence[Entry]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(JOURNAL_COLUMNS)
    writer.writerows(entries)
    return stream.getvalue().encode()

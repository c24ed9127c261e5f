"""How a file gets into the inbox: whole, and with its arrival noted before it is seen.

What belongs here: the delivery journal and the copy. What does not: judging (ingest.receive).
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.warehouse import write_bytes

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
    return inbox / "arrivals.csv"


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


def deliver(inbox: Path, deliveries: Sequence[Delivery], progress: Told | None = None) -> list[Path]:
    """Put files into the inbox and return those that this call put there.

    A file is first staged under a hidden name, then its arrival is noted, then it appears: none is ever seen
    without its arrival, and repeating a call that was killed ends as an undisturbed one does. What the
    journal has noted and no call has left staged was delivered before and is left alone. Raises
    FileNotFoundError if a source that is needed is missing.
    """
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
    """Return where a file waits, hidden, until its arrival is noted."""
    return inbox / delivery.sender_code / f".{delivery.file_name}.partial"


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

"""How a file gets into the inbox: whole, with its arrival noted before it is seen, one delivery at a time.

An inbox is a folder, or a prefix of a bucket, where puts are whole by themselves and the journal is only
replaced by one that was made from it. What belongs here: the delivery journal and the copy. What does not:
taking in (ingest.inbox) and judging (ingest.receive).
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import glob
import io
import os
import shutil
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.clock import parse_instant
from ingest.paths import ARRIVALS, DataRoot
from ingest.storage import Bucket, StorageError
from orchestration.project import SettingError
from orchestration.warehouse import write_bytes

#: Hidden, so that receiving never takes it for a delivery.
LOCK_NAME = ".delivery.lock"

JOURNAL_COLUMNS = ("sender_code", "file_name", "arrived_at")

#: In bytes. While a file is staged, its name is longer, and no name may be longer than 255.
LONGEST_NAME = 200

DELIVERING = "Delivering returns"

Told = Callable[[str, int, int], None]

#: A folder, or a prefix of a bucket.
Inbox = Path | Bucket

#: So many files are put into a bucket at a time; so often a journal is made anew that another has replaced.
AT_ONCE, ATTEMPTS = 8, 20


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


def inbox_of(root: DataRoot) -> Inbox:
    """Return where the files of a data root are delivered."""
    return Bucket(root.inbox_url) if root.inbox_url else root.inbox


def lying(inbox: Inbox) -> list[tuple[str, str]]:
    """Return (sender, file name) of every file in the inbox that is not hidden."""
    if isinstance(inbox, Bucket):
        parts = [each.key.split("/") for each in inbox.objects()]
        found = [(names[0], names[1]) for names in parts if len(names) == 2]
    else:
        found = [(path.parent.name, path.name) for path in inbox.glob("*/*")]
    return [(sender, name) for sender, name in found if name and not name.startswith(".")]


def journal_path(inbox: Path) -> Path:
    """Return the delivery journal of an inbox."""
    return inbox / ARRIVALS


def delivered(inbox: Inbox) -> list[Entry]:
    """Return (sender, file name, arrival) of everything the journal has noted, in its order."""
    if isinstance(inbox, Bucket):
        found = inbox.read(ARRIVALS)
        return _entries(found[0]) if found else []
    path = journal_path(inbox)
    return _entries(path.read_bytes()) if path.is_file() else []


def _entries(journal: bytes) -> list[Entry]:
    lines = csv.DictReader(io.StringIO(journal.decode("utf-8-sig"), newline=""))
    return [tuple(row[name] for name in JOURNAL_COLUMNS) for row in lines]  # type: ignore[misc]


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


def submit(inbox: Inbox, source: Path, sender_code: str, now: datetime) -> Path | str:
    """Deliver one file under its own name and return where it lies in the inbox: a path, or a URL.

    It arrives now, or a second after the last file of that name: no two share an instant. Raises SettingError
    if receiving would never take a file of that name or cannot note it, or if one of that name still waits.
    """
    name = source.name
    _check_name(name)
    if isinstance(inbox, Bucket):
        return _submit_to_bucket(inbox, source, sender_code, now)
    with inbox_lock(inbox):
        if (inbox / sender_code / name).exists():
            raise _still_waits(sender_code, name)
        # Left by a submission that was killed: this one stands for it.
        for scrap in (inbox / sender_code).glob(f".{glob.escape(name)}.*.partial"):
            scrap.unlink()
        arrived_at = _arrival(delivered(inbox), sender_code, name, now)
        [placed] = _deliver(inbox, [Delivery(source, sender_code, name, arrived_at)], None)
    return placed


def _check_name(name: str) -> None:
    """Raise SettingError for a name that a file cannot be delivered under."""
    from ingest.inbox import is_delivery_name, shown

    another = "give the file another name, as return.zip."
    if shown(name) != name:
        raise SettingError(f"The name {shown(name)} holds characters that cannot be shown; {another}")
    if len(name.encode()) > LONGEST_NAME:
        raise SettingError(f"The name {name[:30]}... is longer than {LONGEST_NAME} bytes; {another}")
    if not is_delivery_name(name):
        raise SettingError(
            f"{name} looks like a hidden or unfinished file, which receiving leaves alone; {another}"
        )


def _still_waits(sender_code: str, name: str) -> SettingError:
    return SettingError(f"{name} from {sender_code} still waits in the inbox; run `vcc run` first.")


def _arrival(noted: Sequence[Entry], sender_code: str, name: str, now: datetime) -> datetime:
    """Return now, or a second after the last file of that sender and name."""
    own = (sender_code, name)
    earlier = [parse_instant(at) for sender, file_name, at in noted if (sender, file_name) == own]
    return max([now, *(instant + timedelta(seconds=1) for instant in earlier)])


def undelivered(
    inbox: Inbox, deliveries: Sequence[Delivery], arrived: Callable[[], Container[str]]
) -> list[Delivery]:
    """Return the deliveries that were never made, or were begun and not ended.

    `arrived` gives the tickets of what has been taken in; only a bucket is asked about it, where what was
    noted may never have been put.
    """
    known = set(delivered(inbox))
    if isinstance(inbox, Bucket):
        from ingest.inbox import ticket_name

        # In this order: a file goes from the inbox to its ticket, never back.
        waiting, tickets = set(lying(inbox)), arrived()
        return [
            each
            for each in deliveries
            if entry(each) not in known
            or (
                (each.sender_code, each.file_name) not in waiting
                and ticket_name(each.sender_code, each.file_name, each.arrived_at) not in tickets
            )
        ]
    return [each for each in deliveries if entry(each) not in known or staged_path(inbox, each).is_file()]


def deliver_to_bucket(
    bucket: Bucket, deliveries: Sequence[Delivery], progress: Told | None = None
) -> list[str]:
    """Put files into an inbox that is a bucket, and return their URLs.

    Every arrival is noted, then every file is put, whole or not at all. A call that was killed has noted
    arrivals of files that are not there: `undelivered` finds them. Raises FileNotFoundError if a source is
    missing, before anything is noted.
    """
    for delivery in deliveries:
        if not delivery.source.is_file():
            raise FileNotFoundError(2, "No such file", str(delivery.source))

    def with_ours(noted: Sequence[Entry]) -> list[Entry]:
        known = set(noted)
        return [*noted, *(entry(each) for each in deliveries if entry(each) not in known)]

    if deliveries:
        _change_journal(bucket, with_ours)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        placed = []
        for done, place in enumerate(pool.map(lambda each: _put(bucket, each), deliveries)):
            if progress:
                progress(DELIVERING, done, len(deliveries))
            placed.append(place)
    return placed


def _submit_to_bucket(bucket: Bucket, source: Path, sender_code: str, now: datetime) -> str:
    name = source.name
    if bucket.head(f"{sender_code}/{name}") is not None:
        raise _still_waits(sender_code, name)
    arrived_at = now

    def with_ours(noted: Sequence[Entry]) -> list[Entry]:
        nonlocal arrived_at
        arrived_at = _arrival(noted, sender_code, name, now)
        return [*noted, entry(Delivery(source, sender_code, name, arrived_at))]

    _change_journal(bucket, with_ours)
    return _put(bucket, Delivery(source, sender_code, name, arrived_at))


def _put(bucket: Bucket, delivery: Delivery) -> str:
    """Put a file that is not there yet; another's of that name is never replaced."""
    key = f"{delivery.sender_code}/{delivery.file_name}"
    if not bucket.put(key, delivery.source.read_bytes(), only_if=""):
        raise _still_waits(delivery.sender_code, delivery.file_name)
    return f"{bucket.url}/{key}"


def _change_journal(bucket: Bucket, change: Callable[[Sequence[Entry]], Sequence[Entry]]) -> None:
    """Replace the journal by one made from it; made again if another delivery was quicker."""
    for _ in range(ATTEMPTS):
        found = bucket.read(ARRIVALS)
        content, etag = found if found else (b"", "")
        changed = _journal(change(_entries(content)))
        if changed == content or bucket.put(ARRIVALS, changed, only_if=etag):
            return
    raise StorageError(f"The delivery journal in {bucket.url} is never at rest; deliver again later.")


def deliver(inbox: Path, deliveries: Sequence[Delivery], progress: Told | None = None) -> list[Path]:
    """Put files into an inbox that is a folder, and return those that this call put there.

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

"""The inbox: what is delivered, whether it is whole, when it arrived, and taking it into holding.

An inbox is a folder of the data root, or a prefix of a bucket. From a folder a file leaves by one rename,
into a ticket's folder that is complete before it gets its final name. From a bucket it is downloaded into the
ticket's folder, the ticket gets its name, and then the object is deleted; the ticket keeps a note of the
object until that is done, so that no object is taken twice and none is deleted that was put after it.
A file is taken once it is in the delivery journal, or has been still for some seconds; an object is whole
once it is there. Whoever delivers into a folder without the journal writes under a name that starts with a
dot or ends in .partial, and renames the file once it is whole.
Belongs here: the way into holding. Does not: judging (ingest/receive.py), delivering
(orchestration/delivery.py).
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import logging
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from ingest.archive import safe_extension
from ingest.clock import Clock, as_utc, format_instant, parse_instant
from ingest.files import sync
from ingest.paths import ARRIVALS, OWNER_ONLY, DataRoot
from ingest.storage import Bucket, StoredObject

SETTLE_SECONDS = 10.0
"""A file that the delivery journal does not mention is taken once it has not been written to for so long."""
_UNFINISHED = ".unfinished"
_TICKET = "ticket.json"
_OBJECT = "object.json"
_DOWNLOAD = "download.partial"
_NOT_DELIVERED = (".partial", ".part", ".tmp", ".crdownload")
_AT_ONCE = 8
"""So many objects are fetched at a time."""

_log = logging.getLogger(__name__)

Journal = dict[tuple[str, str], list[datetime]]
"""Arrivals that the delivery journal notes for each sender and file name."""


class ReceiveError(RuntimeError):
    """The inbox cannot be received. The text says what stands in the way and how to mend it."""


@dataclass(frozen=True, order=True)
class Ticket:
    """A file in holding: when and from whom it came. Sorted as files are judged."""

    arrived_at: datetime
    sender_code: str
    file_name: str
    """As delivered, but for bytes that are not UTF-8 and control characters, which are replaced."""
    name: str
    held_as: str
    """Name of the file inside the ticket's folder."""


@dataclass(frozen=True)
class Delivered:
    """A file that lies in an inbox under a name that receiving takes."""

    sender_code: str
    file_name: str
    arrived_at: datetime | None = None
    """When it arrived, where the inbox itself knows."""
    object: StoredObject | None = None


@dataclass
class TakenIn:
    """The tickets that wait, in the order they are judged; and how many files were left in the inbox.

    unsettled may still be written to; unreadable cannot be read or held.
    """

    tickets: list[Ticket] = field(default_factory=list)
    unsettled: int = 0
    unreadable: int = 0


class Inbox(Protocol):
    """Where files are delivered: one folder a sender, and the delivery journal."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    def delivered(self) -> Iterator[Delivered]:
        """Yield every file that may be taken by its name, by sender and name."""
        ...

    def never_taken(self) -> int:
        """Return how much lies there in plain sight that is no file of a sender's folder."""
        ...

    def journal_text(self) -> str | None:
        """Return the delivery journal, or None if there is none."""
        ...

    def is_settled(self, file: Delivered, settle: float) -> bool:
        """Say whether nobody has written to a file for so many seconds."""
        ...

    def is_readable(self, file: Delivered) -> bool:
        """Say whether the file can be read, taken and held."""
        ...

    def stamp(self, file: Delivered) -> str:
        """Return a text that changes when the file is written anew."""
        ...

    def fetch(self, file: Delivered, folder: Path, held_as: str) -> bool:
        """Bring a file into a ticket's folder; say False if it was taken back or replaced before that."""
        ...

    def release(self, folder: Path) -> None:
        """Take away what is left in the inbox of a file whose ticket has its final name."""
        ...


def inbox_of(root: DataRoot) -> Inbox:
    """Return the inbox of a data root: its folder, or the prefix of a bucket that it names."""
    return BucketInbox(root.inbox_url, root.holding) if root.inbox_url else FolderInbox(root.inbox)


def is_delivery_name(name: str) -> bool:
    """Say whether receiving would take a file of this name: hidden and unfinished ones are left alone."""
    return bool(name) and not name.startswith(".") and not name.lower().endswith(_NOT_DELIVERED)


def shown(name: str) -> str:
    """Return a name of the file system as text: other bytes than UTF-8 and control characters replaced."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


# --- a folder ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FolderInbox:
    """An inbox that is a folder on the file system of holding."""

    folder: Path

    @property
    def place(self) -> str:
        """Path of the folder."""
        return str(self.folder)

    def delivered(self) -> Iterator[Delivered]:
        """Yield every regular file one folder down; links are never followed."""
        for folder in _entries(self.folder):
            if not folder.is_dir() or folder.is_symlink() or folder.name.startswith("."):
                continue
            for path in _entries(folder):
                if is_delivery_name(path.name) and _is_file(path):
                    yield Delivered(folder.name, path.name)

    def never_taken(self) -> int:
        """Count files beside the senders' folders, links in place of one, and what is no file within one."""
        count = 0
        for folder in _entries(self.folder):
            if folder.name.startswith(".") or folder.name == ARRIVALS:
                continue
            if folder.is_symlink() or not folder.is_dir():
                count += 1
            else:
                count += sum(is_delivery_name(path.name) and not _is_file(path) for path in _entries(folder))
        return count

    def journal_text(self) -> str | None:
        """Return the delivery journal, or None if there is none."""
        path = self.folder / ARRIVALS
        return path.read_bytes().decode("utf-8-sig") if path.exists() else None

    def is_settled(self, file: Delivered, settle: float) -> bool:
        """Say whether nobody has written to a file for so many seconds, by the file system's own times."""
        try:
            status = self._path(file).lstat()
        except FileNotFoundError:
            return False
        now = time.time()
        # A time in the future was set by whoever copied the file; that of its last change cannot be set.
        written = status.st_mtime if status.st_mtime <= now else status.st_ctime
        return now - written >= settle

    def is_readable(self, file: Delivered) -> bool:
        """Say whether this process may read and take the file; one that has gone is no matter of rights."""
        path = self._path(file)
        may_take = os.access(path, os.R_OK) and os.access(path.parent, os.W_OK | os.X_OK)
        return may_take or not os.path.lexists(path)

    def stamp(self, file: Delivered) -> str:
        """Return the time of the last writing."""
        try:
            return str(self._path(file).lstat().st_mtime_ns)
        except FileNotFoundError:
            return "gone"

    def fetch(self, file: Delivered, folder: Path, held_as: str) -> bool:
        """Move a file by one rename; say False if it is not there, or not a file any more."""
        path, target = self._path(file), folder / held_as
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise ReceiveError(
                    f"{self.folder} and {folder.parent} must lie on one file system."
                ) from error
            raise
        if not _is_file(target):
            # A link was put in its place since it was listed: reading it would read what it points at.
            target.rename(path)
            _log.warning("A file of %s was replaced by what is none; left there.", shown(file.sender_code))
            return False
        return True

    def release(self, folder: Path) -> None:
        """Do nothing: the rename has left nothing behind."""

    def _path(self, file: Delivered) -> Path:
        return self.folder / file.sender_code / file.file_name


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:  # taken back since the folder was listed
        return False


# --- a bucket ----------------------------------------------------------------------------------------------


class BucketInbox:
    """An inbox that is a prefix of a bucket: <prefix>/<sender_code>/<file name>."""

    def __init__(self, url: str, holding: Path) -> None:
        """Take the inbox at a URL, whose files are held in a folder of this machine."""
        self.bucket = Bucket(url)
        self.holding = holding

    @property
    def place(self) -> str:
        """URL of the inbox."""
        return self.bucket.url

    def delivered(self) -> Iterator[Delivered]:
        """Yield every object one level down; it arrived when it was last put."""
        for stored in self.bucket.objects():
            sender_code, _, file_name = stored.key.partition("/")
            is_own = sender_code and not sender_code.startswith(".") and "/" not in file_name
            if is_own and is_delivery_name(file_name):
                yield Delivered(sender_code, file_name, stored.modified_at, stored)

    def never_taken(self) -> int:
        """Count objects that lie higher or deeper than a sender's, the delivery journal apart."""
        keys = [stored.key for stored in self.bucket.objects() if stored.key != ARRIVALS]
        return sum(not key.startswith(".") and key.count("/") != 1 for key in keys)

    def journal_text(self) -> str | None:
        """Return the delivery journal, or None if there is none."""
        found = self.bucket.read(ARRIVALS)
        return found[0].decode("utf-8-sig") if found else None

    def is_settled(self, file: Delivered, settle: float) -> bool:
        """Say yes: an object appears whole or not at all."""
        return True

    def is_readable(self, file: Delivered) -> bool:
        """Say whether the object can be asked for, and held with as much room left again."""
        stored = _object_of(file)
        return "?versionId=" not in stored.key and 2 * stored.size < shutil.disk_usage(self.holding).free

    def stamp(self, file: Delivered) -> str:
        """Return the object's ETag and time."""
        stored = _object_of(file)
        return f"{stored.etag} {format_instant(stored.modified_at)}"

    def fetch(self, file: Delivered, folder: Path, held_as: str) -> bool:
        """Download an object beside a note of which it is; say False if it is gone or was put anew."""
        stored = _object_of(file)
        note = {**asdict(stored), "modified_at": format_instant(stored.modified_at), "url": self.bucket.url}
        _write_note(folder / _OBJECT, note)
        if not self.bucket.download(stored, folder / _DOWNLOAD):
            return False
        (folder / _DOWNLOAD).rename(folder / held_as)
        return True

    def release(self, folder: Path) -> None:
        """Delete the object of a ticket that has its final name, then the note of it.

        An object that was put under its key since then stays: it is another delivery.
        """
        note = folder / _OBJECT
        try:
            values = json.loads(note.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        if values.pop("url") != self.bucket.url:
            _log.warning("Ticket %s was taken from another inbox; its object stays there.", folder.name)
            return
        values["modified_at"] = parse_instant(values["modified_at"])
        self.bucket.delete(StoredObject(**values))
        note.unlink()
        sync(folder)


def _object_of(file: Delivered) -> StoredObject:
    assert file.object is not None
    return file.object


# --- inbox -> holding --------------------------------------------------------------------------------------


def waiting(root: DataRoot, settle_seconds: float | None = None) -> int:
    """Return how many files lie in holding, or in the inbox and may be taken.

    Files that may still be written to are not counted. Raises ReceiveError if the delivery journal cannot be
    read, StorageError if the inbox is a bucket that cannot be reached.
    """
    held = [path for path in _entries(root.holding) if not path.name.startswith(".")]
    inbox = inbox_of(root)
    delivered = list(inbox.delivered())
    if not delivered:
        return len(held)
    settle = SETTLE_SECONDS if settle_seconds is None else settle_seconds
    journal = read_journal(inbox)
    return len(held) + sum(
        (file.sender_code, file.file_name) in journal or inbox.is_settled(file, settle) for file in delivered
    )


def waiting_files(root: DataRoot) -> list[tuple[str, str, str]]:
    """Return (sender, file name, stamp) of everything in the inbox that may be taken by its name.

    The stamp changes when a file is written anew.
    """
    inbox = inbox_of(root)
    return [(file.sender_code, file.file_name, inbox.stamp(file)) for file in inbox.delivered()]


def take_in(root: DataRoot, receipted: set[str], clock: Clock, settle: float) -> TakenIn:
    """Move every delivered file into holding; return all tickets that wait, in the order they are judged.

    receipted are the tickets that have their receipts. Raises ReceiveError if the delivery journal cannot be
    read or holding holds what this service did not put there.
    """
    inbox = inbox_of(root)
    taken = TakenIn(_recover(root, inbox, receipted))
    names = {ticket.name for ticket in taken.tickets} | receipted
    journal = read_journal(inbox)
    now = as_utc(clock.now())

    def planned() -> Iterator[tuple[Ticket, Delivered]]:
        for file in inbox.delivered():
            noted = _arrival(file, journal, names)
            if noted is None and not inbox.is_settled(file, settle):
                taken.unsettled += 1
                continue
            if not inbox.is_readable(file):
                _log.warning(
                    "A file of %s in the inbox cannot be read, taken or held, and is left there.",
                    shown(file.sender_code),
                )
                taken.unreadable += 1
                continue
            ticket = _ticket(file, noted or file.arrived_at or now, names)
            names.add(ticket.name)
            yield ticket, file

    def hold(plan: tuple[Ticket, Delivered]) -> Ticket | None:
        ticket, file = plan
        return ticket if _hold(root, inbox, ticket, file) else None

    if isinstance(inbox, FolderInbox):
        held = [hold(plan) for plan in planned()]
    else:
        # Each waits for the network most of the time.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            held = list(pool.map(hold, list(planned())))
    taken.tickets = sorted([*taken.tickets, *(ticket for ticket in held if ticket is not None)])
    return taken


def held_file(root: DataRoot, ticket: Ticket) -> Path:
    """Return where the file of a ticket lies."""
    return root.holding / ticket.name / ticket.held_as


def clear_away(root: DataRoot, ticket: Ticket) -> None:
    """Remove a ticket that has its receipt, with its file."""
    shutil.rmtree(root.holding / ticket.name)


def _recover(root: DataRoot, inbox: Inbox, receipted: set[str]) -> list[Ticket]:
    """Finish or undo what a killed run left in holding, and return the tickets that wait."""
    held = []
    for folder in _entries(root.holding):
        if folder.name.endswith(_UNFINISHED):
            # Its file either arrived, and only the final name is missing, or still lies in the inbox.
            ticket = _read_ticket(folder)
            if ticket is None or not (folder / ticket.held_as).exists():
                if any(path.name not in (_TICKET, _OBJECT, _DOWNLOAD) for path in _entries(folder)):
                    raise ReceiveError(
                        f"{folder} holds a file whose note cannot be read; move the file back into its "
                        "sender's folder of the inbox, and remove the folder."
                    )
                shutil.rmtree(folder)
                continue
            final = root.holding / ticket.name
            folder.rename(final)
            folder = final
        if folder.name in receipted:
            shutil.rmtree(folder)
            continue
        ticket = _read_ticket(folder)
        if ticket is None or not (folder / ticket.held_as).exists():
            raise ReceiveError(f"{folder} is not a ticket of this service; look into it and move it away.")
        # Before the ticket can get its receipt: an object seen after that is another delivery.
        inbox.release(folder)
        held.append(ticket)
    return held


def read_journal(inbox: Inbox) -> Journal:
    """Return the arrivals that the delivery journal notes for each sender and file name.

    Raises ReceiveError if it cannot be read.
    """
    journal: Journal = {}
    try:
        text = inbox.journal_text()
        if text is None:
            return journal
        for line in csv.DictReader(io.StringIO(text, newline="")):
            key = (line["sender_code"], line["file_name"])
            journal.setdefault(key, []).append(parse_instant(line["arrived_at"]))
    except (KeyError, ValueError, AttributeError, csv.Error) as error:
        raise ReceiveError(
            f"{inbox.place}/{ARRIVALS} cannot be read ({error}); "
            "it needs the columns sender_code, file_name, arrived_at."
        ) from error
    return journal


def _arrival(file: Delivered, journal: Journal, names: set[str]) -> datetime | None:
    """Return the latest arrival noted for a file that no ticket has used yet, or None.

    A ticket's name is made from sender, true file name and arrival, so that a name which may not be kept is
    still known again.
    """
    for instant in sorted(journal.get((file.sender_code, file.file_name), []), reverse=True):
        if ticket_name(file.sender_code, file.file_name, instant) not in names:
            return instant
    return None


def ticket_name(sender_code: str, file_name: str, arrived_at: datetime, attempt: int = 0) -> str:
    """Return the name of the ticket of a file: the same whenever it is told of the same delivery.

    attempt counts the deliveries of one sender and name at one instant, which only an outside hand makes.
    """
    instant = format_instant(arrived_at)
    compact = instant.replace("-", "").replace(":", "").replace(".", "")
    told = os.fsencode(f"{sender_code}\0{file_name}\0{instant}\0{attempt}")
    return f"{compact}-{hashlib.sha256(told).hexdigest()[:12]}"


def _ticket(file: Delivered, arrived_at: datetime, names: set[str]) -> Ticket:
    extension = safe_extension(PurePosixPath(file.file_name).suffix.lower().lstrip("."))
    sender_code, file_name = shown(file.sender_code), shown(file.file_name)
    for attempt in range(10_000):
        name = ticket_name(file.sender_code, file.file_name, arrived_at, attempt)
        if name not in names:
            return Ticket(arrived_at, sender_code, file_name, name, f"file.{extension}")
    raise ReceiveError(
        f"A file of {sender_code} was delivered too often at one instant; correct the delivery journal."
    )


def _hold(root: DataRoot, inbox: Inbox, ticket: Ticket, file: Delivered) -> bool:
    """Move a file under its ticket; say False if it was taken back before that."""
    unfinished = root.holding / f"{ticket.name}{_UNFINISHED}"
    unfinished.mkdir(mode=OWNER_ONLY)
    values = {
        "arrived_at": format_instant(ticket.arrived_at),
        "sender_code": ticket.sender_code,
        "file_name": ticket.file_name,
        "name": ticket.name,
        "held_as": ticket.held_as,
    }
    _write_note(unfinished / _TICKET, values)
    sync(unfinished)  # the note must never be lost while the file is there
    if not inbox.fetch(file, unfinished, ticket.held_as):
        shutil.rmtree(unfinished)
        return False
    sync(unfinished)
    final = root.holding / ticket.name
    unfinished.rename(final)
    sync(root.holding)
    inbox.release(final)
    return True


def _write_note(path: Path, values: Mapping[str, object]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        json.dump(values, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())


def _read_ticket(folder: Path) -> Ticket | None:
    try:
        values = json.loads((folder / _TICKET).read_text(encoding="utf-8"))
        return Ticket(
            arrived_at=parse_instant(values["arrived_at"]),
            sender_code=values["sender_code"],
            file_name=values["file_name"],
            name=values["name"],
            held_as=values["held_as"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None

"""The journal of releases: what was built, audited, approved, published and withdrawn, when, in which role.

Append-only, each line carrying the hash of the one before, and its end kept apart (`head`), so that a line
that was changed, taken out or cut off is noticed: the journal is verified whenever it is read.
Belongs here: what an entry says, appending, reading, and what state follows. Does not: deciding whether
something may be done (orchestration). The ledger of receipts is chained likewise; the packages may not know
of one another, and the chain is short.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from reports.release.versions import Published, Version

BUILT, AUDITED, APPROVED = "built", "audited", "approved"
PUBLISHED, WITHDRAWN, SUPERSEDED = "published", "withdrawn", "superseded"
EVENTS = (BUILT, AUDITED, APPROVED, PUBLISHED, SUPERSEDED, WITHDRAWN)
#: States beside those of the events: a draft that failed its audit.
REFUSED = "audit failed"
_FIRST_PREVIOUS = "0" * 64


class JournalError(RuntimeError):
    """The journal cannot be read, or is not the one that was written; nothing may be published by it."""


@dataclass(frozen=True)
class Entry:
    """One thing done with one version. `details` are texts, numbers and lists of an event's own.

    built: edition, issued_on, previous, reason, sums_sha256. audited: passed, sums_sha256, audit_sha256,
    ledger_sha256. approved: role, reason, sums_sha256, audit_sha256, seen_sha256 (the checksums' hash as the
    approver gave it). published: sums_sha256, ledger_sha256. superseded: by, reason. withdrawn: role, reason.
    """

    event: str
    period_code: str
    version: str
    at: str
    details: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 0
    previous_hash: str = ""
    hash: str = ""

    @property
    def release_id(self) -> str:
        """Period and version, as in 2025-26-Q1/v1.0.0."""
        return f"{self.period_code}/v{self.version}"

    @property
    def on(self) -> dt.date:
        """The day it was done, in UTC."""
        return dt.datetime.fromisoformat(self.at).date()

    def to_line(self) -> str:
        """The entry as one line of JSON, without the line break."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def expected_hash(self) -> str:
        """The hash over everything the entry says, the hash before it included."""
        return hashlib.sha256(replace(self, hash="").to_line().encode()).hexdigest()

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """Read a line. Raises JournalError if it is no entry."""
        try:
            entry = cls(**json.loads(line.decode()))
            dt.datetime.fromisoformat(entry.at)
            Version.parse(entry.version)
        except (ValueError, TypeError, AttributeError) as error:
            raise JournalError(f"it is not an entry ({type(error).__name__})") from error
        if entry.event not in EVENTS:
            raise JournalError("its event is unknown")
        return entry


@dataclass(frozen=True)
class VersionState:
    """How one version stands, as the journal tells it. `state` is one of EVENTS, or REFUSED.

    What each event said is kept under its name; an approval or an audit of other bytes than those built last
    is not kept, for it is not about them.
    """

    period_code: str
    version: Version
    state: str
    events: Mapping[str, Entry]

    @property
    def release_id(self) -> str:
        """Period and version, as in 2025-26-Q1/v1.0.0."""
        return f"{self.period_code}/v{self.version}"

    @property
    def was_published(self) -> bool:
        """True from the moment it was out: what was public once stays known."""
        return PUBLISHED in self.events

    @property
    def is_current(self) -> bool:
        """True if it is out, and neither superseded nor withdrawn."""
        return self.state == PUBLISHED

    def detail(self, event: str, name: str) -> Any:
        """What an event said, or None."""
        entry = self.events.get(event)
        return entry.details.get(name) if entry else None

    @property
    def edition(self) -> int:
        """The edition of the calendar it belongs to."""
        return int(self.detail(BUILT, "edition") or 0)


class Journal:
    """The append-only file. Whoever appends holds the lock of the data root."""

    def __init__(self, path: Path, head: Path) -> None:
        """Open a journal at a path, with the file that notes its end; neither need exist yet."""
        self.path = path
        self.head = head

    def read(self) -> list[Entry]:
        """Every entry in order. Raises JournalError, saying how to mend it, if it is not as it was written.

        A line cut short by a kill was never noted, and is passed over.
        """
        entries: list[Entry] = []
        previous = _FIRST_PREVIOUS
        for number, line in enumerate(self._lines(), 1):
            try:
                entry = Entry.from_line(line)
            except JournalError as error:
                raise self._broken(number, str(error)) from error
            if entry.hash != entry.expected_hash() or entry.to_line().encode() != line:
                raise self._broken(number, "it was changed after it was written")
            if entry.sequence != number or entry.previous_hash != previous:
                raise self._broken(number, "it does not follow the line before it; one was removed or added")
            previous = entry.hash
            entries.append(entry)
        lines, last = self._read_head()
        if lines > len(entries):
            gone = lines - len(entries)
            raise JournalError(
                f"{self.path}: {gone} of {lines} entries are missing at its end; it was cut off, or an older"
                " backup was restored. Restore it from the latest backup; until then nothing is published."
            )
        if lines and entries[lines - 1].hash != last:
            raise self._broken(lines, f"it is not the entry that {self.head} names")
        return entries

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Give entries their place in the chain, write them, and return them once they are on the disk.

        All of them are written at once. Raises JournalError, and writes nothing, if the journal is broken.
        """
        known = self.read()
        previous = known[-1].hash if known else _FIRST_PREVIOUS
        sealed: list[Entry] = []
        for sequence, entry in enumerate(entries, len(known) + 1):
            open_ = replace(entry, sequence=sequence, previous_hash=previous, hash="")
            sealed.append(replace(open_, hash=open_.expected_hash()))
            previous = sealed[-1].hash
        if not sealed:
            return []
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = sum(len(line) + 1 for line in self._lines())
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as stream:
            stream.truncate(whole)
            stream.seek(whole)
            stream.write("".join(f"{entry.to_line()}\n" for entry in sealed).encode())
            stream.flush()
            os.fsync(stream.fileno())
        _sync_folder(self.path.parent)
        self._write_head(len(known) + len(sealed), previous)
        return sealed

    def states(self) -> dict[tuple[str, Version], VersionState]:
        """How every version stands. Raises JournalError if the journal is broken."""
        return states_of(self.read())

    def _broken(self, number: int, fault: str) -> JournalError:
        return JournalError(
            f"{self.path}, line {number}: {fault}. Restore it from a backup; until then nothing is published."
        )

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def _read_head(self) -> tuple[int, str]:
        try:
            values = json.loads(self.head.read_bytes())
            return int(values["lines"]), str(values["last_hash"])
        except FileNotFoundError:
            return 0, _FIRST_PREVIOUS
        except (ValueError, TypeError, KeyError) as error:
            raise JournalError(f"{self.head} cannot be read; restore it from a backup.") from error

    def _write_head(self, lines: int, last_hash: str) -> None:
        # After the line itself: after a kill the head may be behind, never ahead.
        self.head.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.head.with_name(f".{self.head.name}.partial")
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps({"last_hash": last_hash, "lines": lines}) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self.head)
        _sync_folder(self.head.parent)


def states_of(entries: Sequence[Entry]) -> dict[tuple[str, Version], VersionState]:
    """How every version stands after these entries, in the order of periods and versions."""
    events: dict[tuple[str, Version], dict[str, Entry]] = {}
    for entry in entries:
        known = events.setdefault((entry.period_code, Version.parse(entry.version)), {})
        if PUBLISHED in known and entry.event in (BUILT, AUDITED, APPROVED):
            continue  # what was public once is not made a draft again by any later line
        if entry.event == BUILT:
            known.clear()
        elif entry.event == AUDITED:
            known.pop(APPROVED, None)
        known[entry.event] = entry
    return {
        key: VersionState(key[0], key[1], _state(known), known)
        for key, known in sorted(events.items(), key=lambda item: item[0])
    }


def _state(known: Mapping[str, Entry]) -> str:
    for event in (WITHDRAWN, SUPERSEDED, PUBLISHED, APPROVED):
        if event in known:
            return event
    if AUDITED in known:
        return AUDITED if known[AUDITED].details.get("passed") else REFUSED
    return BUILT


def published_of(states: Iterable[VersionState], period_code: str) -> list[Published]:
    """The versions of a quarter that were published once, whatever became of them."""
    return [
        Published(each.version, each.edition)
        for each in states
        if each.period_code == period_code and each.was_published
    ]


def current_of(states: Iterable[VersionState], period_code: str) -> VersionState | None:
    """The version of a quarter that is out and neither superseded nor withdrawn, if there is one."""
    return next((each for each in states if each.period_code == period_code and each.is_current), None)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

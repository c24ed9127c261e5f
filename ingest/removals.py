"""The log of removals, beside the ledger: which content was purged or erased, why, when and in which role.

Append-only, each line carrying the hash of the one before, and its end kept apart (ingest/heads.py); the
content goes, its hash and its receipts stay.
Belongs here: what a removal says, appending, reading and verifying. Does not: removing (ingest/erasure.py).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.clock import format_instant, parse_instant
from ingest.files import sync
from ingest.heads import FIRST_PREVIOUS_HASH, Head, HeadError, missing_end, read_head, write_head

ERASE, PURGE = "erase", "purge"
ACTIONS = (ERASE, PURGE)
_ERASE_AGAIN = "erase again what was erased since (`vcc archive erase`)"


class RemovalsError(RuntimeError):
    """The log of removals cannot be read, or is not the one that was written."""


@dataclass(frozen=True)
class Removal:
    """Content that was removed, noted before it goes.

    action is erase (on request; its returns no longer count) or purge (from the quarantine, its time being
    over). receipt_ids are all receipts of that content up to then, extensions the names it was kept under.
    """

    action: str
    sha256: str
    receipt_ids: tuple[str, ...]
    extensions: tuple[str, ...]
    role: str
    reason: str
    removed_at: datetime
    sequence: int = 0
    previous_hash: str = ""
    hash: str = ""

    def to_line(self) -> str:
        """Return the removal as one line of JSON, without the line break."""
        values = asdict(self)
        values["removed_at"] = format_instant(self.removed_at)
        return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: bytes) -> Removal:
        """Read a line of the log. Raises RemovalsError if it is not a removal."""
        try:
            values: dict[str, Any] = json.loads(line.decode())
            values["removed_at"] = parse_instant(values["removed_at"])
            values["receipt_ids"] = tuple(values["receipt_ids"])
            values["extensions"] = tuple(values["extensions"])
            removal = cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            # The error's own text may quote the line.
            raise RemovalsError(f"it is not a removal ({type(error).__name__})") from error
        if removal.action not in ACTIONS:
            raise RemovalsError("its action is unknown")
        return removal

    def expected_hash(self) -> str:
        """Return the hash over everything the removal says, the hash before it included."""
        return hashlib.sha256(replace(self, hash="").to_line().encode()).hexdigest()


class RemovalLog:
    """The append-only file of removals. Whoever appends holds the lock of the data root."""

    def __init__(self, path: Path) -> None:
        """Open a log at a path; the file need not exist yet."""
        self.path = path

    def read(self) -> list[Removal]:
        """Return every removal in order. Raises RemovalsError if the log is not as it was written.

        A line cut short by a kill was never noted, and is passed over.
        """
        removals: list[Removal] = []
        for number, (removal, fault) in enumerate(self._checked(), 1):
            if removal is None or fault:
                raise RemovalsError(f"{self.path}, line {number}: {fault}; restore it from a backup.")
            removals.append(removal)
        if end := self._fault_of_end(removals):
            # A removal that is not known would let its returns count again.
            raise RemovalsError(f"{self.path}: {end}")
        return removals

    def append(self, removals: Iterable[Removal]) -> list[Removal]:
        """Give removals their place in the chain, write them, and return them once they are on the disk."""
        known = self.read()
        sealed: list[Removal] = []
        sequence, previous = (known[-1].sequence, known[-1].hash) if known else (0, FIRST_PREVIOUS_HASH)
        for removal in removals:
            sequence += 1
            open_ = replace(removal, sequence=sequence, previous_hash=previous, hash="")
            sealed.append(replace(open_, hash=open_.expected_hash()))
            previous = sealed[-1].hash
        if not sealed:
            return []
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = sum(len(line) + 1 for line in self._lines())
        with self.path.open("ab") as stream:
            stream.truncate(whole)
            stream.write("".join(f"{removal.to_line()}\n" for removal in sealed).encode())
            stream.flush()
            os.fsync(stream.fileno())
        sync(self.path.parent)
        write_head(self.path, Head(sequence, previous))
        return sealed

    def faults(self) -> list[str]:
        """Return every fault of the log, a sentence each; empty if nothing was changed, removed or moved."""
        checked = self._checked()
        numbered = enumerate(checked, 1)
        faults = [f"Removals, line {number}: {fault}." for number, (_, fault) in numbered if fault]
        end = self._fault_of_end([removal for removal, _ in checked])
        return [*faults, f"Removals: {end}"] if end else faults

    def _fault_of_end(self, removals: Sequence[Removal | None]) -> str | None:
        """Compare the end of the log with its head, which may be behind."""
        try:
            head = read_head(self.path)
        except HeadError as error:
            return str(error)
        if head is None or not head.lines:
            return None
        if missing := missing_end(self.path, head, len(removals), "removal", _ERASE_AGAIN):
            return missing
        last = removals[head.lines - 1]
        is_other = last is not None and last.hash != head.last_hash
        return f"Line {head.lines} is not the removal that was written last." if is_other else None

    def _checked(self) -> list[tuple[Removal | None, str]]:
        """Return every line as a removal with what is wrong with it, empty if nothing is."""
        checked: list[tuple[Removal | None, str]] = []
        previous, sequence = FIRST_PREVIOUS_HASH, 0
        for line in self._lines():
            try:
                removal = Removal.from_line(line)
            except RemovalsError as error:
                checked.append((None, str(error)))
                sequence += 1
                continue
            fault = ""
            if removal.hash != removal.expected_hash() or removal.to_line().encode() != line:
                fault = "it was changed after it was written"
            elif removal.sequence != sequence + 1 or removal.previous_hash != previous:
                fault = "it does not follow the line before it; one was removed, added or moved"
            checked.append((removal, fault))
            previous, sequence = removal.hash, removal.sequence
        return checked

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

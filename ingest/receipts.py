"""Receipts, and the ledger they are appended to. Each receipt carries the hash of the one before.

Belongs here: what a receipt says, appending, reading and verifying. Does not: when a receipt is given
(ingest/receive.py).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.acceptance.verdict import Problem
from ingest.clock import format_instant, parse_instant
from ingest.files import sync
from ingest.heads import (
    FIRST_PREVIOUS_HASH,
    Head,
    HeadError,
    head_path,
    missing_end,
    read_head,
    write_head,
)

OUTCOMES = ("accepted", "accepted_with_warnings", "rejected", "duplicate", "quarantined")
_CHECKED_BEFORE_APPENDING = 100
_DELIVER_AGAIN = "deliver again what came since (the originals are in the archive)"


class LedgerError(RuntimeError):
    """The ledger cannot be read, or is not the one that was written."""


@dataclass(frozen=True)
class Receipt:
    """What became of one file. Every file that ever arrives gets one.

    rows_read and rows_accepted count rows a sheet; accepted is all of them or none. stored_in is archive or
    quarantine. problems lists what was found, problem_counts how often a rule, those not listed included.
    """

    ticket: str
    sha256: str
    bytes: int
    extension: str
    sender_code: str
    file_name: str
    arrived_at: datetime
    outcome: str
    stored_in: str
    kind: str | None = None
    form_version: int | None = None
    period_code: str | None = None
    rows_read: Mapping[str, int] = field(default_factory=dict)
    rows_accepted: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    problem_counts: Mapping[str, int] = field(default_factory=dict)
    supersedes_receipt_id: str | None = None
    duplicate_of_receipt_id: str | None = None
    receipt_sequence: int = 0
    receipt_id: str = ""
    previous_hash: str = ""
    hash: str = ""

    @property
    def is_accepted(self) -> bool:
        """Say whether the return was accepted, with or without warnings."""
        return self.outcome in ("accepted", "accepted_with_warnings")

    @property
    def key(self) -> tuple[str, str | None, str | None]:
        """What a later return must share to supersede this one: sender, kind and period."""
        return self.sender_code, self.kind, self.period_code

    @property
    def problem_count(self) -> int:
        """Number of problems found."""
        return sum(self.problem_counts.values())

    def to_line(self) -> str:
        """Return the receipt as one line of JSON, without the line break."""
        return json.dumps(self._values(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Receipt:
        """Read a line of the ledger. Raises LedgerError if it is not a receipt."""
        try:
            values = json.loads(line)
            values["arrived_at"] = parse_instant(values["arrived_at"])
            values["problems"] = tuple(Problem(**problem) for problem in values["problems"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise LedgerError(f"A line of the ledger is not a receipt: {error}.") from error

    def sealed(self, sequence: int, previous_hash: str) -> Receipt:
        """Return the receipt with its place in the chain: sequence, id, the hash before and its own."""
        open_ = replace(
            self,
            receipt_sequence=sequence,
            receipt_id=f"R{sequence:06d}-{self.sha256[:8]}",
            previous_hash=previous_hash,
            hash="",
        )
        return replace(open_, hash=open_.expected_hash())

    def expected_hash(self) -> str:
        """Return the hash over everything the receipt says, the hash before it included."""
        return hashlib.sha256(replace(self, hash="").to_line().encode()).hexdigest()

    def _values(self) -> dict[str, Any]:
        values = asdict(self)
        values["arrived_at"] = format_instant(self.arrived_at)
        return values


@dataclass(frozen=True)
class LedgerCheck:
    """Outcome of verifying a ledger: how many receipts it has, its last hash, and every fault found."""

    receipts: int
    last_hash: str
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Say whether nothing was changed, removed or moved."""
        return not self.faults


class Ledger:
    """The append-only file of receipts. One process appends at a time: ingest/receive.py holds a lock.

    The number and hash of the last receipt are kept apart (ingest/heads.py), so that receipts missing at the
    end are missed. The head is written after the receipt: after a kill it may be behind, never ahead.
    """

    def __init__(self, path: Path) -> None:
        """Open a ledger at a path; the file need not exist yet."""
        self.path = path
        self._last: Receipt | None = None
        self._is_ready = False

    def read(self, *, of_sender: str | None = None) -> list[Receipt]:
        """Return every receipt in order, or those of one sender. A line cut short by a kill is not a receipt,
        and is passed over.

        Raises LedgerError for a damaged line; of one sender, only for a line that names it.
        """
        lines = enumerate(self._lines(), 1)
        if of_sender is None:
            return [self._receipt(number, line) for number, line in lines]
        # Whatever else such a line names, the receipt itself says whose it is.
        named = json.dumps(of_sender, ensure_ascii=False).encode()
        receipts = [self._receipt(number, line) for number, line in lines if named in line]
        return [receipt for receipt in receipts if receipt.sender_code == of_sender]

    def append(self, receipt: Receipt) -> Receipt:
        """Give the receipt its place in the chain, write it, and return it once it is on the disk.

        Raises LedgerError, and writes nothing, if the last receipts are not as they were written.
        """
        if not self._is_ready:
            self._make_ready()
        last = self._last
        sealed = receipt.sealed(
            last.receipt_sequence + 1 if last else 1, last.hash if last else FIRST_PREVIOUS_HASH
        )
        with self.path.open("ab") as stream:
            stream.write(sealed.to_line().encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._last = sealed
        write_head(self.path, _head_at(sealed))
        return sealed

    def catch_up(self) -> None:
        """Bring the head up to the last receipt, should a kill have kept it behind.

        Raises LedgerError, and writes nothing, if the last receipts are not as they were written.
        """
        if self.path.exists() or self._head() is not None:
            self._make_ready()

    def verify(self) -> LedgerCheck:
        """Recompute every hash, follow the chain from the first receipt to the last, and look for its end."""
        faults = []
        hashes = []
        previous_hash, sequence = FIRST_PREVIOUS_HASH, 0
        for number, line in enumerate(self._lines(), 1):
            try:
                receipt = Receipt.from_line(_text(line))
            except LedgerError as error:
                faults.append(f"Line {number}: {error}")
                sequence += 1
                hashes.append("")
                continue
            hashes.append(receipt.hash)
            if not _is_as_written(receipt, line):
                faults.append(
                    f"Line {number}, {receipt.receipt_id}: the receipt was changed after it was written."
                )
            if receipt.receipt_sequence != sequence + 1 or receipt.previous_hash != previous_hash:
                faults.append(
                    f"Line {number}, {receipt.receipt_id}: it does not follow the receipt before it; "
                    "one was removed, added or moved."
                )
            previous_hash, sequence = receipt.hash, receipt.receipt_sequence
        faults += self._faults_of_end(len(hashes), lambda number: hashes[number - 1])
        return LedgerCheck(len(hashes), previous_hash, tuple(faults))

    def _faults_of_end(self, count: int, hash_of: Callable[[int], str]) -> list[str]:
        """Compare the end of a ledger of so many receipts with its head, which may be behind."""
        try:
            head = self._head()
        except LedgerError as error:
            return [str(error)]
        if head is None:
            unknown = f"{head_path(self.path)} is missing, which tells how many receipts there are"
            return [f"End: {unknown}; the next run writes it anew."] if count else []
        if missing := missing_end(self.path, head, count, "receipt", _DELIVER_AGAIN):
            return [missing]
        if head.lines and hash_of(head.lines) not in ("", head.last_hash):
            return [f"Line {head.lines}: it is not the receipt that {head_path(self.path)} names."]
        return []

    def _head(self) -> Head | None:
        try:
            return read_head(self.path)
        except HeadError as error:
            raise LedgerError(str(error)) from error

    def _receipt(self, number: int, line: bytes) -> Receipt:
        try:
            return Receipt.from_line(_text(line))
        except LedgerError as error:
            raise LedgerError(f"{self.path}, line {number}: {error} Restore it from a backup.") from error

    def _lines(self) -> list[bytes]:
        """Return the whole lines. They stay bytes, so that one damaged byte is no more than that."""
        try:
            return self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def _make_ready(self) -> None:
        """Drop a line cut short by a kill (its receipt was never given), and find the last receipt."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self._lines()
        self._last = self._checked_last(lines)
        faults = self._faults_of_end(len(lines), lambda number: self._receipt(number, lines[number - 1]).hash)
        if self._head() is None:
            faults = []  # the first receipt is to come, or the operator has accepted a loss
        if faults:
            raise LedgerError(f"{self.path}: {faults[0]} Nothing was appended.")
        if not self.path.exists():
            self.path.touch()
            sync(self.path.parent)
        whole = sum(len(line) + 1 for line in lines)
        if whole < self.path.stat().st_size:
            with self.path.open("r+b") as stream:
                stream.truncate(whole)
                os.fsync(stream.fileno())
        head = _head_at(self._last)
        if self._head() != head:
            write_head(self.path, head)
        self._is_ready = True

    def _checked_last(self, lines: list[bytes]) -> Receipt | None:
        """Return the last receipt, once the end of the chain was found to be sound."""
        before: Receipt | None = None
        start = max(len(lines) - _CHECKED_BEFORE_APPENDING, 0)
        for number, line in enumerate(lines[start:], start + 1):
            receipt = self._receipt(number, line)
            follows = before.hash if before else FIRST_PREVIOUS_HASH if number == 1 else receipt.previous_hash
            if (
                not _is_as_written(receipt, line)
                or receipt.receipt_sequence != number
                or receipt.previous_hash != follows
            ):
                raise LedgerError(
                    f"{self.path}, line {number}: the receipt is not the one that was written there. Nothing "
                    "was appended; restore the ledger from a backup."
                )
            before = receipt
        return before


def _head_at(last: Receipt | None) -> Head:
    return Head(last.receipt_sequence, last.hash) if last else Head()


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise LedgerError(
            f"A line of the ledger is not a receipt: byte {error.start + 1} is damaged."
        ) from error


def _is_as_written(receipt: Receipt, line: bytes) -> bool:
    return line == receipt.to_line().encode() and receipt.hash == receipt.expected_hash()

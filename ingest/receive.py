"""Receiving: inbox -> holding -> judged -> archive or quarantine, and a receipt for every file.

A run may be killed at any moment; the next one ends where an undisturbed run would have ended, byte for byte:
  a file leaves the inbox by one rename, into a ticket's folder that is complete before it gets its final
  name;
  the archive is addressed by hash, so that putting a file there twice changes nothing;
  a receipt names its ticket, so that a ticket that has its receipt is only cleared away.
Belongs here: the order of these steps. Does not: rules (ingest/acceptance), formats (ingest/readers).
"""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.acceptance.judge import judge, judge_fault, shown_file_name
from ingest.acceptance.submission import Context
from ingest.acceptance.verdict import Verdict
from ingest.archive import archive_of, quarantine_of, safe_extension
from ingest.clock import Clock, as_utc, format_instant, parse_instant
from ingest.files import sha256_of, sync
from ingest.form import Forms
from ingest.limits import Limits
from ingest.locking import exclusive
from ingest.paths import OWNER_ONLY, DataRoot
from ingest.readers import Fault, inspect
from ingest.receipts import Ledger, Receipt
from ingest.reference import Reference

Progress = Callable[[str, int, int], None]
_UNFINISHED = ".unfinished"
_TICKET = "ticket.json"
_NOT_DELIVERED = (".partial", ".part", ".tmp", ".crdownload")


class ReceiveError(RuntimeError):
    """The inbox cannot be received. The text says what stands in the way and how to mend it."""


@dataclass(frozen=True, order=True)
class Ticket:
    """A file in holding: when and from whom it came. Sorted as files are judged."""

    arrived_at: datetime
    sender_code: str
    file_name: str
    name: str
    held_as: str
    """Name of the file inside the ticket's folder."""


@dataclass
class ReceiveSummary:
    """What one run did. accepted counts all accepted returns, warned those of them with warnings; rejected
    counts
    all files not accepted, quarantined those of them kept apart. receipts are those of this run, in order.
    """

    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    quarantined: int = 0
    duplicates: int = 0
    receipts: list[Receipt] = field(default_factory=list)

    def add(self, receipt: Receipt) -> None:
        """Count one receipt."""
        self.receipts.append(receipt)
        self.accepted += receipt.is_accepted
        self.warned += receipt.outcome == "accepted_with_warnings"
        self.rejected += receipt.outcome in ("rejected", "quarantined")
        self.quarantined += receipt.outcome == "quarantined"
        self.duplicates += receipt.outcome == "duplicate"


@dataclass(frozen=True)
class Judged:
    """What a judging process found out about one file."""

    sha256: str
    bytes: int
    extension: str
    verdict: Verdict
    may_be_archived: bool


def receive(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    clock: Clock,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> ReceiveSummary:
    """Receive everything that lies in the inbox, and what an earlier run left in holding.

    Files are judged in order of arrival, then sender, then file name, each in a child process under limits
    of time
    and memory. Raises Busy if somebody else is at it for long, and ReceiveError if the delivery journal
    cannot be read.
    """
    root.create()
    limits = limits or Limits()
    with exclusive(root):
        ledger = Ledger(root.receipts)
        receipts = ledger.read()
        tickets = _take_in(root, receipts, clock)
        history = _History(receipts)
        summary = ReceiveSummary()
        if progress:
            progress("receive", 0, len(tickets))
        judging = _judge_all(root, tickets, reference, forms, limits, workers)
        for number, (ticket, judged) in enumerate(judging, 1):
            receipt = _settle(root, ledger, history, ticket, judged)
            summary.add(receipt)
            if progress:
                progress("receive", number, len(tickets))
        return summary


def waiting(root: DataRoot) -> int:
    """Return how many files lie in the inbox or in holding."""
    held = [path for path in _entries(root.holding) if not path.name.startswith(".")]
    return len(held) + sum(1 for _ in _delivered(root))


# --- inbox -> holding --------------------------------------------------------------------------------------


def _take_in(root: DataRoot, receipts: Sequence[Receipt], clock: Clock) -> list[Ticket]:
    """Move every delivered file into holding; return all tickets that wait, in the order they are judged."""
    receipted = {receipt.ticket for receipt in receipts}
    held = _recover(root, receipted)
    known = {(r.sender_code, r.file_name, r.arrived_at) for r in receipts}
    known |= {(t.sender_code, t.file_name, t.arrived_at) for t in held}
    arrivals = _Arrivals(root, known, clock)
    names = {ticket.name for ticket in held} | receipted
    for sender_code, path in _delivered(root):
        ticket = _ticket(sender_code, path, arrivals.arrived_at(sender_code, path.name), names)
        _move_into_holding(root, ticket, path)
        names.add(ticket.name)
        held.append(ticket)
    return sorted(held)


def _recover(root: DataRoot, receipted: set[str]) -> list[Ticket]:
    """Finish or undo what a killed run left in holding, and return the tickets that wait."""
    held = []
    for folder in _entries(root.holding):
        if folder.name.endswith(_UNFINISHED):
            # Its file either arrived, and only the final name is missing, or still lies in the inbox.
            ticket = _read_ticket(folder)
            if ticket is None or not (folder / ticket.held_as).exists():
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
        held.append(ticket)
    return held


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _delivered(root: DataRoot) -> Iterator[tuple[str, Path]]:
    """Yield (sender folder, path) of every complete regular file in the inbox."""
    for folder in _entries(root.inbox):
        if not folder.is_dir() or folder.is_symlink() or folder.name.startswith("."):
            continue
        for path in _entries(folder):
            is_file = stat.S_ISREG(path.lstat().st_mode)
            if is_file and not path.name.startswith(".") and not path.name.endswith(_NOT_DELIVERED):
                yield folder.name, path


class _Arrivals:
    """When files arrived: as the delivery journal says; now, for a file it does not mention."""

    def __init__(self, root: DataRoot, known: set[tuple[str, str, datetime]], clock: Clock) -> None:
        self.known = known
        self.now = as_utc(clock.now())
        self.journal: dict[tuple[str, str], list[datetime]] = {}
        if not root.arrivals.exists():
            return
        with root.arrivals.open(encoding="utf-8-sig", newline="") as stream:
            for line in csv.DictReader(stream):
                try:
                    key = (line["sender_code"], line["file_name"])
                    self.journal.setdefault(key, []).append(parse_instant(line["arrived_at"]))
                except (KeyError, ValueError, AttributeError) as error:
                    raise ReceiveError(
                        f"{root.arrivals} cannot be read ({error}); "
                        "it needs the columns sender_code, file_name, arrived_at."
                    ) from error

    def arrived_at(self, sender_code: str, file_name: str) -> datetime:
        """Return the latest arrival noted for the file that no receipt has used yet."""
        for instant in sorted(self.journal.get((sender_code, file_name), []), reverse=True):
            if (sender_code, file_name, instant) not in self.known:
                return instant
        return self.now


def _ticket(sender_code: str, path: Path, arrived_at: datetime, names: set[str]) -> Ticket:
    instant = format_instant(arrived_at)
    compact = instant.replace("-", "").replace(":", "").replace(".", "")
    extension = safe_extension(path.suffix.lower().lstrip("."))
    for attempt in range(10_000):
        told = f"{sender_code}\0{path.name}\0{instant}\0{attempt}"
        name = f"{compact}-{hashlib.sha256(told.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
        if name not in names:
            return Ticket(arrived_at, sender_code, path.name, name, f"file.{extension}")
    raise ReceiveError(f"{path} was delivered too often at one instant; correct the delivery journal.")


def _move_into_holding(root: DataRoot, ticket: Ticket, path: Path) -> None:
    unfinished = root.holding / f"{ticket.name}{_UNFINISHED}"
    unfinished.mkdir(mode=OWNER_ONLY)
    note = unfinished / _TICKET
    values = {
        "arrived_at": format_instant(ticket.arrived_at),
        "sender_code": ticket.sender_code,
        "file_name": ticket.file_name,
        "name": ticket.name,
        "held_as": ticket.held_as,
    }
    with note.open("w", encoding="utf-8") as stream:
        json.dump(values, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        path.rename(unfinished / ticket.held_as)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise ReceiveError(f"{root.inbox} and {root.holding} must lie on one file system.") from error
        raise
    sync(unfinished)
    unfinished.rename(root.holding / ticket.name)
    sync(root.holding)


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


# --- judging, in child processes ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Setting:
    """What a judging process needs, sent to it once."""

    root: DataRoot
    reference: Reference
    forms: Forms
    limits: Limits


_setting: _Setting | None = None


def _start_worker(setting: _Setting) -> None:
    """Load what judging needs, then bound the memory that judging may take on top of it."""
    global _setting
    import resource

    import pyarrow as pa

    import ingest.parquet  # noqa: F401  (loaded first, so that its own memory is not counted against a return)

    pa.set_cpu_count(1)
    _setting = setting
    present = _address_space()
    if present is not None:
        allowed = present + setting.limits.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _address_space() -> int | None:
    """Return the bytes of address space this process has, where the system tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def judge_one(path: Path, ticket: Ticket) -> Judged:
    """Judge one held file, in a judging process.

    An accepted return is parsed into the raw store on the way.
    """
    assert _setting is not None
    context = Context(
        _setting.reference, _setting.forms, ticket.arrived_at, ticket.sender_code, _setting.limits
    )
    sha256 = sha256_of(path)
    judgement = judge(path, context, ticket.file_name)
    if judgement.verdict.is_accepted:
        from ingest.raw import store_parsed

        store_parsed(_setting.root, sha256, judgement.tables)
    return Judged(
        sha256,
        path.stat().st_size,
        safe_extension(path.suffix.lstrip(".")),
        judgement.verdict,
        judgement.may_be_archived,
    )


def _judge_all(
    root: DataRoot,
    tickets: Sequence[Ticket],
    reference: Reference,
    forms: Forms,
    limits: Limits,
    workers: int,
    judge_in_worker: Callable[[Path, Ticket], Judged] = judge_one,
) -> Iterator[tuple[Ticket, Judged]]:
    """Yield every ticket with what was found, in order, while later ones are being judged."""
    if not tickets:
        return
    from pebble import ProcessPool

    setting = _Setting(root, reference, forms, limits)
    # A fresh interpreter: forking a process that runs threads (the scheduler's, say) can hang the child.
    spawn = multiprocessing.get_context("spawn")
    count = max(1, min(workers, len(tickets)))
    with ProcessPool(count, initializer=_start_worker, initargs=[setting], context=spawn) as pool:
        try:
            futures: list[Future[Judged]] = []
            for ticket in tickets:
                path = root.holding / ticket.name / ticket.held_as
                futures.append(pool.schedule(judge_in_worker, args=[path, ticket], timeout=limits.seconds))
            for ticket, future in zip(tickets, futures, strict=True):
                yield ticket, _answer(root, ticket, future, reference, forms, limits)
        except BaseException:
            pool.stop()
            raise


def _answer(
    root: DataRoot, ticket: Ticket, future: Future[Judged], reference: Reference, forms: Forms, limits: Limits
) -> Judged:
    """Return what the judging process found; if it crashed or was stopped, a rejection that says so."""
    from pebble import ProcessExpired

    try:
        return future.result()
    except TimeoutError:
        fault = Fault("timed_out", found="no answer in time", expected=f"at most {limits.seconds:g} seconds")
    except MemoryError:
        fault = Fault(
            "out_of_memory", found="no memory left", expected=f"at most {limits.memory_bytes >> 20} MiB"
        )
    except ProcessExpired:
        fault = Fault("crashed", found="the reader ended without an answer")
    except OSError as error:
        if error.errno != errno.ENOMEM:  # a full disk, say, is no fault of the file
            raise
        fault = Fault(
            "out_of_memory", found="no memory left", expected=f"at most {limits.memory_bytes >> 20} MiB"
        )
    except Exception as error:
        # A file that makes a rule fail must not keep everybody else's waiting.
        fault = Fault("crashed", found=f"the reader failed ({type(error).__name__})")
    path = root.holding / ticket.name / ticket.held_as
    facts = inspect(path, ticket.file_name, max_bytes=limits.file_bytes)
    context = Context(reference, forms, ticket.arrived_at, ticket.sender_code, limits)
    verdict = judge_fault(facts, context, fault)
    return Judged(
        sha256_of(path), path.stat().st_size, safe_extension(path.suffix.lstrip(".")), verdict, False
    )


# --- holding -> archive or quarantine, and the receipt -----------------------------------------------------


class _History:
    """Which returns were accepted so far: the current one of each key, and all of them by hash."""

    def __init__(self, receipts: Sequence[Receipt]) -> None:
        self.current: dict[tuple[Any, ...], Receipt] = {}
        self.accepted: dict[tuple[str, str], Receipt] = {}
        for receipt in receipts:
            self.add(receipt)

    def add(self, receipt: Receipt) -> None:
        if receipt.is_accepted:
            self.current[receipt.key] = receipt
            self.accepted[receipt.sender_code, receipt.sha256] = receipt


def _settle(root: DataRoot, ledger: Ledger, history: _History, ticket: Ticket, judged: Judged) -> Receipt:
    """Keep the file, append its receipt, clear its ticket away: in this order, so that a kill loses
    nothing.
    """
    receipt = _receipt(history, ticket, judged)
    if receipt.outcome != "duplicate":
        held = root.holding / ticket.name / ticket.held_as
        store = archive_of(root) if receipt.stored_in == "archive" else quarantine_of(root)
        store.put(held, judged.sha256, judged.extension)
    receipt = ledger.append(receipt)
    history.add(receipt)
    shutil.rmtree(root.holding / ticket.name)
    return receipt


def _receipt(history: _History, ticket: Ticket, judged: Judged) -> Receipt:
    verdict = judged.verdict
    earlier = history.accepted.get((ticket.sender_code, judged.sha256))
    receipt = Receipt(
        ticket=ticket.name,
        sha256=judged.sha256,
        bytes=judged.bytes,
        extension=judged.extension,
        sender_code=ticket.sender_code,
        file_name=shown_file_name(ticket.file_name),
        arrived_at=ticket.arrived_at,
        outcome=verdict.outcome,
        stored_in="archive" if judged.may_be_archived else "quarantine",
        kind=verdict.kind,
        form_version=verdict.form_version,
        period_code=verdict.period_code,
        rows_read=dict(verdict.rows_read),
        rows_accepted=dict(verdict.rows_accepted),
        problems=verdict.problems,
        problem_counts=dict(verdict.counts),
    )
    if earlier is not None:
        return replace(
            receipt,
            outcome="duplicate",
            stored_in=earlier.stored_in,
            rows_accepted=dict.fromkeys(earlier.rows_read, 0),
            problems=(),
            problem_counts={},
            duplicate_of_receipt_id=earlier.receipt_id,
        )
    current = history.current.get(receipt.key) if receipt.is_accepted else None
    if current is None:
        return receipt
    return replace(receipt, supersedes_receipt_id=current.receipt_id)

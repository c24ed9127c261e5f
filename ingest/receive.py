"""Receiving: inbox -> holding -> judged -> archive or quarantine, and a receipt for every file.

A run may be killed at any moment; the next one ends where an undisturbed run would have ended, byte for byte:
  a file leaves the inbox by one rename, into a ticket's folder that is complete before it gets its final
  name;
  the archive is addressed by hash, so that putting a file there twice changes nothing;
  a receipt names its ticket, so that a ticket that has its receipt is only cleared away.
A file is taken once it is in the delivery journal, or has been still for some seconds. Whoever delivers
without the journal writes under a name that starts with a dot or ends in .partial, and renames the file once
it is whole.
Belongs here: the order of these steps. Does not: rules (ingest/acceptance), formats (ingest/readers).
"""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
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
from ingest.readers import Fault, FileFacts
from ingest.receipts import Ledger, Receipt
from ingest.reference import Reference

Progress = Callable[[str, int, int], None]
_UNFINISHED = ".unfinished"
_TICKET = "ticket.json"
_NOT_DELIVERED = (".partial", ".part", ".tmp", ".crdownload")

SETTLE_SECONDS = 10.0
"""A file that the delivery journal does not mention is taken once it has not been written to for so long."""
_ALIKE_FAILURES = 5
"""After so many files in a row that fail in the same way, the machine is suspected and not the files."""
_ONE_FILE = (errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT)
"""Errors that keep one file from being read; any other (a full disk, say) concerns them all."""

_log = logging.getLogger(__name__)


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


@dataclass
class ReceiveSummary:
    """What one run did.

    accepted counts all accepted returns, warned those of them with warnings; rejected counts all files not
    accepted, quarantined those of them kept apart. receipts are those of this run, in order. unsettled counts
    files left in the inbox because they may still be written to, unreadable those that wait because the
    system does not let them be read; both get no receipt yet.
    """

    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    quarantined: int = 0
    duplicates: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    unsettled: int = 0
    unreadable: int = 0

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
    failure: str = ""
    """How judging itself failed; empty if it came to an end."""


def receive(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    clock: Clock,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    limits: Limits | None = None,
    settle_seconds: float | None = None,
) -> ReceiveSummary:
    """Receive everything that lies in the inbox, and what an earlier run left in holding.

    Files are judged in order of arrival, then sender, then file name, each in a child process under limits of
    time and memory. A file outside the delivery journal is left for a later run until nobody has written to
    it for settle_seconds (None: SETTLE_SECONDS). Raises Busy if somebody else is at it for long, and
    ReceiveError if the delivery journal cannot be read or judging fails for every file; what was not judged
    then waits.
    """
    root.create()
    limits = limits or Limits()
    with exclusive(root):
        ledger = Ledger(root.receipts)
        receipts = ledger.read()
        summary = ReceiveSummary()
        settle = SETTLE_SECONDS if settle_seconds is None else settle_seconds
        tickets = _take_in(root, receipts, clock, settle, summary)
        history = _History(receipts)
        if progress:
            progress("receive", 0, len(tickets))
        failures: list[str] = []
        # Closed at once when something is raised here: the judging processes end with it.
        with closing(_judge_all(root, tickets, reference, forms, limits, workers)) as judging:
            for number, (ticket, judged) in enumerate(judging, 1):
                if judged is None:
                    summary.unreadable += 1
                else:
                    summary.add(_settle(root, ledger, history, ticket, judged))
                failure = "unreadable" if judged is None else judged.failure
                failures = [*failures, failure] if failure and failure in failures[-1:] else [failure]
                if progress:
                    progress("receive", number, len(tickets))
                if failure and len(failures) >= _ALIKE_FAILURES and number < len(tickets):
                    raise ReceiveError(
                        f"{len(failures)} files in a row failed in the same way ({failure}), which points to "
                        f"this machine; look into its log. The other {len(tickets) - number} files wait, and "
                        "the next run goes on with them."
                    )
        return summary


def is_delivery_name(name: str) -> bool:
    """Say whether receiving would take a file of this name: hidden and unfinished ones are left alone."""
    return bool(name) and not name.startswith(".") and not name.lower().endswith(_NOT_DELIVERED)


def waiting(root: DataRoot, settle_seconds: float | None = None) -> int:
    """Return how many files lie in holding, or in the inbox and may be taken.

    Files that may still be written to are not counted. Raises ReceiveError if the delivery journal cannot be
    read.
    """
    held = [path for path in _entries(root.holding) if not path.name.startswith(".")]
    delivered = list(_delivered(root))
    if not delivered:
        return len(held)
    settle = SETTLE_SECONDS if settle_seconds is None else settle_seconds
    journal = _read_journal(root)
    return len(held) + sum(
        (sender_code, path.name) in journal or _is_settled(path, settle) for sender_code, path in delivered
    )


# --- inbox -> holding --------------------------------------------------------------------------------------


def _take_in(
    root: DataRoot, receipts: Sequence[Receipt], clock: Clock, settle: float, summary: ReceiveSummary
) -> list[Ticket]:
    """Move every delivered file into holding; return all tickets that wait, in the order they are judged."""
    receipted = {receipt.ticket for receipt in receipts}
    held = _recover(root, receipted)
    names = {ticket.name for ticket in held} | receipted
    journal = _read_journal(root)
    now = as_utc(clock.now())
    for sender_code, path in _delivered(root):
        arrived_at = _arrival(sender_code, path.name, journal, names)
        if arrived_at is None and not _is_settled(path, settle):
            summary.unsettled += 1
            continue
        if not os.access(path, os.R_OK):
            _log.warning("A file of %s in the inbox may not be read and is left there.", shown(sender_code))
            summary.unreadable += 1
            continue
        ticket = _ticket(sender_code, path, arrived_at or now, names)
        if _move_into_holding(root, ticket, path):
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
                if any(path.name != _TICKET for path in _entries(folder)):
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
            if is_delivery_name(path.name) and _is_file(path):
                yield folder.name, path


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:  # taken back since the folder was listed
        return False


def _is_settled(path: Path, settle: float) -> bool:
    """Say whether nobody has written to a file for so many seconds, by the file system's own times."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    now = time.time()
    # A time in the future was set by whoever copied the file; the time of its last change cannot be set.
    written = status.st_mtime if status.st_mtime <= now else status.st_ctime
    return now - written >= settle


Journal = dict[tuple[str, str], list[datetime]]


def _read_journal(root: DataRoot) -> Journal:
    """Return the arrivals that the delivery journal notes for each sender and file name."""
    journal: Journal = {}
    if not root.arrivals.exists():
        return journal
    try:
        with root.arrivals.open(encoding="utf-8-sig", newline="") as stream:
            for line in csv.DictReader(stream):
                key = (line["sender_code"], line["file_name"])
                journal.setdefault(key, []).append(parse_instant(line["arrived_at"]))
    except (KeyError, ValueError, AttributeError, csv.Error) as error:
        raise ReceiveError(
            f"{root.arrivals} cannot be read ({error}); "
            "it needs the columns sender_code, file_name, arrived_at."
        ) from error
    return journal


def _arrival(sender_code: str, file_name: str, journal: Journal, names: set[str]) -> datetime | None:
    """Return the latest arrival noted for a file that no ticket has used yet, or None.

    A ticket's name is made from sender, true file name and arrival, so that a name which may not be kept is
    still known again.
    """
    for instant in sorted(journal.get((sender_code, file_name), []), reverse=True):
        if _ticket_name(sender_code, file_name, instant) not in names:
            return instant
    return None


def _ticket_name(sender_code: str, file_name: str, arrived_at: datetime, attempt: int = 0) -> str:
    instant = format_instant(arrived_at)
    compact = instant.replace("-", "").replace(":", "").replace(".", "")
    told = os.fsencode(f"{sender_code}\0{file_name}\0{instant}\0{attempt}")
    return f"{compact}-{hashlib.sha256(told).hexdigest()[:12]}"


def shown(name: str) -> str:
    """Return a name of the file system as text: other bytes than UTF-8 and control characters replaced."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _ticket(sender_code: str, path: Path, arrived_at: datetime, names: set[str]) -> Ticket:
    extension = safe_extension(path.suffix.lower().lstrip("."))
    for attempt in range(10_000):
        name = _ticket_name(sender_code, path.name, arrived_at, attempt)
        if name not in names:
            return Ticket(arrived_at, shown(sender_code), shown(path.name), name, f"file.{extension}")
    raise ReceiveError(
        f"A file of {shown(sender_code)} was delivered too often at one instant; "
        "correct the delivery journal."
    )


def _move_into_holding(root: DataRoot, ticket: Ticket, path: Path) -> bool:
    """Move a file under its ticket; say False if it was taken back before that."""
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
    sync(unfinished)  # the note must never be lost while the file is there
    try:
        path.rename(unfinished / ticket.held_as)
    except FileNotFoundError:
        shutil.rmtree(unfinished)
        return False
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise ReceiveError(f"{root.inbox} and {root.holding} must lie on one file system.") from error
        raise
    sync(unfinished)
    unfinished.rename(root.holding / ticket.name)
    sync(root.holding)
    return True


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
) -> Generator[tuple[Ticket, Judged | None], None, None]:
    """Yield every ticket with what was found, in order, while later ones are being judged.

    None stands for a file that cannot be read; its ticket waits.
    """
    if not tickets:
        return
    from pebble import ProcessPool

    setting = _Setting(root, reference, forms, limits)
    # A fresh interpreter: forking a process that runs threads (the scheduler's, say) can hang the child.
    spawn = multiprocessing.get_context("spawn")
    count = max(1, min(workers, len(tickets)))
    pool = ProcessPool(count, initializer=_start_worker, initargs=[setting], context=spawn)
    try:
        futures: list[Future[Judged]] = []
        for ticket in tickets:
            path = root.holding / ticket.name / ticket.held_as
            try:
                futures.append(pool.schedule(judge_in_worker, args=[path, ticket], timeout=limits.seconds))
            except RuntimeError as error:
                raise ReceiveError(_NO_PROCESSES) from error
        for ticket, future in zip(tickets, futures, strict=True):
            yield ticket, _answer(root, ticket, future, reference, forms, limits)
        pool.close()
    except BaseException:
        # Not close(), as the pool's own context manager would: that waits for what is no longer worked at.
        pool.stop()
        raise
    finally:
        pool.join()


_NO_PROCESSES = (
    "The processes that judge returns do not start or cannot go on; every file waits. Look into the log of "
    "this machine (memory, limits of the account), then run again."
)


def _answer(
    root: DataRoot, ticket: Ticket, future: Future[Judged], reference: Reference, forms: Forms, limits: Limits
) -> Judged | None:
    """Return what the judging process found; if it crashed or was stopped, a rejection that says so.

    None if the system does not let the file be read. Raises OSError or ReceiveError for a fault of the
    machine.
    """
    from pebble import ProcessExpired

    path = root.holding / ticket.name / ticket.held_as
    at_most = f"at most {limits.memory_bytes >> 20} MiB"
    try:
        return future.result()
    except TimeoutError:
        fault = Fault("timed_out", found="no answer in time", expected=f"at most {limits.seconds:g} seconds")
    except MemoryError:
        fault = Fault("out_of_memory", found="no memory left", expected=at_most)
    except ProcessExpired:
        _log.exception("Judging %s ended without an answer.", ticket.name)
        fault = Fault("crashed", found="the reader ended without an answer")
    except BrokenProcessPool as error:
        raise ReceiveError(_NO_PROCESSES) from error
    except OSError as error:
        if error.errno in _ONE_FILE:
            _log.warning("The file of ticket %s cannot be read (%s); it waits.", ticket.name, error.strerror)
            return None
        if error.errno != errno.ENOMEM:  # a full disk, say, is no fault of the file
            raise
        fault = Fault("out_of_memory", found="no memory left", expected=at_most)
    except Exception as error:
        # A file that makes a rule fail must not keep everybody else's waiting. Where it failed is logged, but
        # not the error's text, which may quote the file.
        _log.error("Judging %s failed (%s) at:\n%s", ticket.name, type(error).__name__, _places_of(error))
        fault = Fault("crashed", found=f"the reader failed ({type(error).__name__})")
    # Nothing of such a file is parsed in this process: its name and size are all that is told of it.
    size = path.stat().st_size
    facts = FileFacts(ticket.file_name, Path(ticket.file_name).suffix.lower().lstrip("."), size, "other")
    context = Context(reference, forms, ticket.arrived_at, ticket.sender_code, limits)
    verdict = judge_fault(facts, context, fault)
    extension = safe_extension(path.suffix.lstrip("."))
    return Judged(sha256_of(path), size, extension, verdict, False, f"{fault.reason}: {fault.found}")


def _places_of(error: BaseException) -> str:
    """Return the places of a traceback, here and in the judging process, without any text of an error."""
    import traceback

    told = "".join(traceback.format_tb(error.__traceback__)) + str(error.__cause__ or "")
    return "\n".join(line for line in told.splitlines() if line.lstrip().startswith('File "'))


# --- holding -> archive or quarantine, and the receipt -----------------------------------------------------


class _History:
    """Which returns were accepted so far: the current one of each key, and the latest of each hash."""

    def __init__(self, receipts: Sequence[Receipt]) -> None:
        self.current: dict[tuple[Any, ...], Receipt] = {}
        self.latest: dict[tuple[str, str], Receipt] = {}
        for receipt in receipts:
            self.add(receipt)

    def add(self, receipt: Receipt) -> None:
        if receipt.is_accepted:
            self.current[receipt.key] = receipt
            self.latest[receipt.sender_code, receipt.sha256] = receipt

    def same_as_current(self, sender_code: str, sha256: str) -> Receipt | None:
        """Return the receipt of the same bytes from the same sender, if no other return has superseded it."""
        earlier = self.latest.get((sender_code, sha256))
        return earlier if earlier is not None and self.current[earlier.key] is earlier else None


def _settle(root: DataRoot, ledger: Ledger, history: _History, ticket: Ticket, judged: Judged) -> Receipt:
    """Keep the file, append its receipt, clear its ticket away: in this order, a kill loses nothing."""
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
    earlier = history.same_as_current(ticket.sender_code, judged.sha256)
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

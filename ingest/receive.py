"""Receiving: inbox -> holding -> judged -> archive or quarantine, and a receipt for every file.

A run may be killed at any moment; the next one ends where an undisturbed run would have ended, byte for byte:
  a file is in the inbox, or in holding under a ticket that is complete (ingest/inbox.py);
  the archive is addressed by hash, so that putting a file there twice changes nothing;
  a receipt names its ticket, so that a ticket that has its receipt is only cleared away;
  what should have been removed, or reported to a sender, is made up for at the start.
Belongs here: the order of these steps. Does not: rules (ingest/acceptance), formats (ingest/readers).
"""

from __future__ import annotations

import errno
import logging
import multiprocessing
import shutil
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ingest.acceptance.comparison import ReturnFigures, compared, figures_of_receipt
from ingest.acceptance.judge import judge, judge_fault, shown_file_name
from ingest.acceptance.submission import Context
from ingest.acceptance.transitions import ReturnDecisions, decisions_so_far, logged
from ingest.acceptance.verdict import Verdict
from ingest.archive import archive_of, quarantine_of, safe_extension
from ingest.clock import Clock, local_day
from ingest.confine import ReaderFailed, confine, fault_of, unparsed
from ingest.erasure import erased_receipts, finish_removals, purge, standing
from ingest.files import sha256_of
from ingest.form import Forms
from ingest.inbox import (
    SETTLE_SECONDS,
    ReceiveError,
    Ticket,
    clear_away,
    held_file,
    take_in,
)
from ingest.limits import Limits
from ingest.locking import exclusive
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.receipts import Ledger, Receipt
from ingest.reference import Reference

__all__ = ["Judged", "ReceiveError", "ReceiveSummary", "Ticket", "receive"]

Progress = Callable[[str, int, int], None]
LAST_REPORT = "report.json"
"""Written last of the reports on a receipt: where it is, they all are."""
_ALIKE_FAILURES = 5
"""After so many files in a row that fail in the same way, the machine is suspected and not the files."""
_ONE_FILE = (errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT)
"""Errors that keep one file from being read; any other (a full disk, say) concerns them all."""

_log = logging.getLogger(__name__)


@dataclass
class ReceiveSummary:
    """What one run did.

    accepted counts all accepted returns, warned those of them with warnings; rejected counts all files not
    accepted, quarantined those of them kept apart. receipts are those of this run, in order. unsettled counts
    files left in the inbox because they may still be written to, unreadable those that wait because the
    system does not let them be read; both get no receipt yet. purged counts the contents whose time in the
    quarantine was over.
    """

    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    quarantined: int = 0
    duplicates: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    unsettled: int = 0
    unreadable: int = 0
    purged: int = 0

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
    figures: ReturnFigures | None = None
    """What the return is compared by with the one of the period before."""
    decisions: ReturnDecisions | None = None
    """What the return decides, to be judged against the log of its cases."""


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
        ledger.catch_up()
        summary = ReceiveSummary()
        finish_removals(root, receipts)
        days = reference.cycle_on(local_day(clock.now())).quarantine_days
        summary.purged = len(purge(root, receipts, clock, days))
        erased = erased_receipts(root)
        senders = reference.codes("senders")
        for receipt in standing(receipts, erased):
            _report(root, receipt, senders)
        settle = SETTLE_SECONDS if settle_seconds is None else settle_seconds
        taken = take_in(root, {receipt.ticket for receipt in receipts}, clock, settle)
        tickets, summary.unsettled, summary.unreadable = taken.tickets, taken.unsettled, taken.unreadable
        history = _History(standing(receipts, erased))
        if progress:
            progress("receive", 0, len(tickets))
        failures: list[str] = []
        reports: list[Future[None]] = []
        # Closed at once when something is raised here: the judging processes end with it. Reports wait for
        # the disk most of the time, so they are written aside.
        with (
            ThreadPoolExecutor(1) as aside,
            closing(_judge_all(root, tickets, reference, forms, limits, workers)) as judging,
        ):
            for number, (ticket, judged) in enumerate(judging, 1):
                if judged is None:
                    summary.unreadable += 1
                else:
                    judged = _with_comparison(root, history, ticket, judged, reference, forms, limits)
                    judged = _with_log(root, history, ticket, judged, reference, forms, limits)
                    receipt = _settle(root, ledger, history, ticket, judged, senders)
                    reports.append(aside.submit(_report, root, receipt, senders))
                    summary.add(receipt)
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
        for report in reports:
            report.result()
        return summary


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
    import pyarrow as pa

    import ingest.parquet  # noqa: F401  (loaded first, so that its own memory is not counted against a return)

    pa.set_cpu_count(1)
    _setting = setting
    confine(setting.limits)


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
        figures=judgement.figures,
        decisions=judgement.decisions,
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
            path = held_file(root, ticket)
            try:
                futures.append(pool.schedule(judge_in_worker, args=[path, ticket], timeout=limits.seconds))
            except RuntimeError as error:
                raise ReceiveError(_NO_PROCESSES) from error
        for ticket, future in zip(tickets, futures, strict=True):
            _wait_for(future, lambda: bool(pool.active))
            yield ticket, _answer(root, ticket, future, reference, forms, limits)
        pool.close()
    except BaseException:
        # Not close(), as the pool's own context manager would: that waits for what is no longer worked at.
        pool.stop()
        raise
    finally:
        pool.join()


def _wait_for(future: Future[Judged], is_working: Callable[[], bool], seconds: float = 1.0) -> None:
    """Wait until a file is judged. Raises ReceiveError if nobody is left to judge it.

    A file handed to the processes in the very moment in which they give up is never told about: without
    looking at the processes from time to time, the run would wait for ever.
    """
    while not future.done():
        was_working = is_working()
        wait([future], timeout=seconds)
        if not was_working and not future.done():
            raise ReceiveError(_NO_PROCESSES)


_NO_PROCESSES = (
    "The processes that judge returns do not start or cannot go on; every file waits. Look into the log of "
    "this machine (memory, limits of the account), then run again."
)
_NOT_INSTALLED = (
    "A part of the program that judges returns cannot be loaded; every file not judged yet waits. Install the"
    " program anew with its locked packages (`make setup`), then run again."
)


def _answer(
    root: DataRoot, ticket: Ticket, future: Future[Judged], reference: Reference, forms: Forms, limits: Limits
) -> Judged | None:
    """Return what the judging process found; if it crashed or was stopped, a rejection that says so.

    None if the system does not let the file be read. Raises OSError or ReceiveError for a fault of the
    machine.
    """
    from pebble import ProcessExpired

    path = held_file(root, ticket)
    failure: BaseException
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise ReceiveError(_NO_PROCESSES) from error
    except ImportError as error:
        raise ReceiveError(_NOT_INSTALLED) from error
    except (TimeoutError, MemoryError) as error:
        failure = error
    except ProcessExpired:
        _log.exception("Judging %s ended without an answer.", ticket.name)
        failure = EOFError()
    except OSError as error:
        if error.errno in _ONE_FILE:
            _log.warning("The file of ticket %s cannot be read (%s); it waits.", ticket.name, error.strerror)
            return None
        failure = error
    except Exception as error:
        # A file that makes a rule fail must not keep everybody else's waiting. Where it failed is logged, but
        # not the error's text, which may quote the file.
        _log.error("Judging %s failed (%s) at:\n%s", ticket.name, type(error).__name__, _places_of(error))
        failure = ReaderFailed(type(error).__name__)
    fault = fault_of(failure, limits)  # raises what is no fault of the file: a full disk, say
    size = path.stat().st_size
    context = Context(reference, forms, ticket.arrived_at, ticket.sender_code, limits)
    verdict = judge_fault(unparsed(ticket.file_name, size), context, fault)
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


def _with_comparison(
    root: DataRoot,
    history: _History,
    ticket: Ticket,
    judged: Judged,
    reference: Reference,
    forms: Forms,
    limits: Limits,
) -> Judged:
    """Add what the comparison with the sender's current return of the period before finds.

    That return is looked up only here, for by now every earlier file has its receipt: whether it came in this
    run or in an earlier one, or the run was killed in between, makes no difference.
    """
    verdict, figures = judged.verdict, judged.figures
    if figures is None or history.same_as_current(ticket.sender_code, judged.sha256) is not None:
        return judged
    period = Period.parse(figures.period_code)
    before = history.current.get((ticket.sender_code, verdict.kind, period.previous().code))
    previous = None if before is None else figures_of_receipt(root, before, reference, forms, limits)
    rules = reference.acceptance_on(period.last_day)
    return replace(judged, verdict=compared(verdict, figures, previous, rules))


def _with_log(
    root: DataRoot,
    history: _History,
    ticket: Ticket,
    judged: Judged,
    reference: Reference,
    forms: Forms,
    limits: Limits,
) -> Judged:
    """Add what the log of its cases makes of a return's decisions.

    Like the return before, the log is looked up only here, when every earlier file has its receipt.
    """
    if judged.decisions is None or history.same_as_current(ticket.sender_code, judged.sha256) is not None:
        return judged
    so_far = decisions_so_far(root, history.current.values(), reference=reference, forms=forms, limits=limits)
    verdict = logged(judged.verdict, judged.decisions, so_far, reference)
    is_kept = any(sha256 == judged.sha256 for _, sha256 in history.latest)
    if judged.verdict.is_accepted and not verdict.is_accepted and not is_kept:
        # It was parsed when nothing was against it yet.
        shutil.rmtree(root.raw_return(judged.sha256), ignore_errors=True)
    return replace(judged, verdict=verdict)


def _settle(
    root: DataRoot,
    ledger: Ledger,
    history: _History,
    ticket: Ticket,
    judged: Judged,
    senders: frozenset[str],
) -> Receipt:
    """Keep the file, append its receipt, clear its ticket away: in this order, a kill loses nothing."""
    receipt = _receipt(history, ticket, judged)
    if receipt.sender_code not in senders:
        # A folder may carry any name, a person's too, and the ledger is for good.
        receipt = replace(receipt, sender_code=shown_file_name(receipt.sender_code))
    if receipt.outcome != "duplicate":
        held = held_file(root, ticket)
        store = archive_of(root) if receipt.stored_in == "archive" else quarantine_of(root)
        store.put(held, judged.sha256, judged.extension)
    receipt = ledger.append(receipt)
    history.add(receipt)
    clear_away(root, ticket)
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


# --- the report to the sender ------------------------------------------------------------------------------


def _report(root: DataRoot, receipt: Receipt, senders: frozenset[str]) -> None:
    """Write the report on a receipt that has problems, unless it is there; only for senders there are.

    A folder of the inbox may carry any name; nobody fetches a report for a name that stands for no sender.
    """
    if not receipt.problem_counts or receipt.sender_code not in senders:
        return
    folder = root.report(receipt.sender_code, receipt.receipt_id)
    if (folder / LAST_REPORT).exists():
        return
    from ingest.report import write_reports

    # As the ledger gives it back, so that a report made up for later is the same.
    write_reports(Receipt.from_line(receipt.to_line()), folder)

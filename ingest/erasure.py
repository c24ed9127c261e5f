"""Taking content away again: on request (erase), or from the quarantine once its time is over (purge).

The removal is noted first and the content removed after it, so that a run that was killed in between is
finished by the next one. The receipts and the hash always stay. The same content that comes again is a new
delivery: judged anew, and kept again if it passes.
Belongs here: what is removed and what then no longer counts. Does not: the log itself (ingest/removals.py),
making anew what was derived from it (the pipeline).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta

from ingest.archive import archive_of, quarantine_of
from ingest.clock import Clock, local_day
from ingest.locking import exclusive
from ingest.paths import DataRoot
from ingest.receipts import Ledger, Receipt
from ingest.removals import ERASE, PURGE, Removal, RemovalLog

SERVICE_ROLE = "service"
"""In whose role the quarantine is purged."""
LONGEST_ROLE, LONGEST_REASON = 80, 400


class ErasureError(ValueError):
    """What was asked cannot be erased as asked. The text says why; it quotes nothing of what was given."""


def erasures(root: DataRoot) -> dict[str, datetime]:
    """Return when each erased receipt's content was removed.

    Raises RemovalsError if the log of removals is not as it was written.
    """
    return {
        receipt_id: removal.removed_at
        for removal in reversed(RemovalLog(root.removals).read())
        if removal.action == ERASE
        for receipt_id in removal.receipt_ids
    }


def erased_receipts(root: DataRoot) -> frozenset[str]:
    """Return the ids of the receipts whose return was erased: it is not current, and not in raw any more.

    Raises RemovalsError if the log of removals is not as it was written.
    """
    return frozenset(erasures(root))


def standing(receipts: Sequence[Receipt], erased: frozenset[str]) -> list[Receipt]:
    """Return the receipts whose return was not erased, in order."""
    return [receipt for receipt in receipts if receipt.receipt_id not in erased]


def erase(root: DataRoot, receipt_id: str, *, role: str, reason: str, clock: Clock) -> Removal:
    """Erase the content of a receipt, and of every other receipt of the same content.

    Archive, quarantine, parsed and compacted tables and reports lose it; what was built from them must be
    built anew. Erasing what is erased already only makes sure that it is gone. Raises ErasureError if there
    is no such receipt, or if role or reason are empty, too long, or look like a person; LedgerError or
    RemovalsError if the ledger or the log is not as it was written, and nothing is erased then.
    """
    role, reason = check_words(role, reason)
    with exclusive(root):
        ledger = Ledger(root.receipts)
        receipts = ledger.read()
        ledger.catch_up()
        wanted = next((receipt for receipt in receipts if receipt.receipt_id == receipt_id), None)
        if wanted is None:
            raise ErasureError(f"There is no receipt {receipt_id}; `vcc receipt` shows those there are.")
        log = RemovalLog(root.removals)
        earlier = [each for each in log.read() if each.action == ERASE and each.sha256 == wanted.sha256]
        gone = {known for removal in earlier for known in removal.receipt_ids}
        same = [r for r in receipts if r.sha256 == wanted.sha256 and r.receipt_id not in gone]
        if same:
            [removal] = log.append(
                [
                    Removal(
                        action=ERASE,
                        sha256=wanted.sha256,
                        receipt_ids=tuple(receipt.receipt_id for receipt in same),
                        extensions=tuple(sorted({receipt.extension for receipt in same})),
                        role=role,
                        reason=reason,
                        removed_at=clock.now(),
                    )
                ]
            )
        else:
            removal = next(each for each in earlier if receipt_id in each.receipt_ids)
        finish_removals(root, receipts)
        for receipt in same:
            if receipt.is_accepted and receipt.kind and receipt.period_code:
                for path in (root.raw / receipt.kind).glob(f"*/{receipt.period_code}.parquet"):
                    path.unlink()
    return removal


def purge(
    root: DataRoot, receipts: Sequence[Receipt], clock: Clock, days: int, *, is_trial: bool = False
) -> list[Removal]:
    """Delete the quarantined content that arrived more than so many days ago, and return what was removed.

    Content that came several times stays until the last of its receipts is old enough. A trial removes and
    notes nothing. The caller holds the lock of the data root.
    """
    log = RemovalLog(root.removals)
    gone = {receipt_id for removal in log.read() for receipt_id in removal.receipt_ids}
    last_day = local_day(clock.now()) - timedelta(days=days)
    kept: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        if receipt.stored_in == "quarantine" and receipt.receipt_id not in gone:
            kept.setdefault(receipt.sha256, []).append(receipt)
    due = [
        Removal(
            action=PURGE,
            sha256=sha256,
            receipt_ids=tuple(receipt.receipt_id for receipt in group),
            extensions=tuple(sorted({receipt.extension for receipt in group})),
            role=SERVICE_ROLE,
            reason=f"quarantined for more than {days} days",
            removed_at=clock.now(),
        )
        for sha256, group in kept.items()
        if all(local_day(receipt.arrived_at) < last_day for receipt in group)
    ]
    if not due or is_trial:
        return due
    removals = log.append(due)
    finish_removals(root, receipts)
    return removals


def finish_removals(root: DataRoot, receipts: Sequence[Receipt]) -> None:
    """Make sure that all content noted as removed is gone, should a kill have come in between.

    Content that was delivered again since then is left alone. The caller holds the lock of the data root.
    """
    removals = RemovalLog(root.removals).read()
    if not removals:
        return
    gone = {receipt_id for removal in removals for receipt_id in removal.receipt_ids}
    came_again = {(r.sha256, r.stored_in) for r in receipts if r.receipt_id not in gone}
    erased_again = {sha256 for sha256, _ in came_again}
    senders = {receipt.receipt_id: receipt.sender_code for receipt in receipts}
    archive, quarantine = archive_of(root), quarantine_of(root)
    for removal in removals:
        if removal.action == ERASE:
            for receipt_id in removal.receipt_ids:
                _remove_reports(root, senders.get(receipt_id, ""), receipt_id)
            if removal.sha256 not in erased_again:
                for extension in removal.extensions:
                    archive.remove(removal.sha256, extension)
                if root.raw_return(removal.sha256).is_dir():
                    shutil.rmtree(root.raw_return(removal.sha256))
        if (removal.sha256, "quarantine") not in came_again:
            for extension in removal.extensions:
                quarantine.remove(removal.sha256, extension)


def _remove_reports(root: DataRoot, sender_code: str, receipt_id: str) -> None:
    try:
        folder = root.report(sender_code, receipt_id)
    except ValueError:  # nobody's report is kept under such a name
        return
    if folder.is_dir():
        shutil.rmtree(folder)


def check_words(role: str, reason: str) -> tuple[str, str]:
    """Return role and reason as they are kept, each on one line.

    Raises ErasureError if one is empty, too long, or looks like a person.
    """
    return _checked("role", role, LONGEST_ROLE), _checked("reason", reason, LONGEST_REASON)


def _checked(what: str, text: str, longest: int) -> str:
    """Return a text of the operator on one line. Raises ErasureError if it may not be kept."""
    from ingest.acceptance.person import screen

    told = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not told:
        raise ErasureError(f"The {what} is empty; say it in a few words.")
    if len(told) > longest:
        raise ErasureError(f"The {what} is longer than {longest} characters; say it in fewer words.")
    if screen(told):
        raise ErasureError(
            f"The {what} looks as if it held personal data, and it is kept for good; say it without."
        )
    return told

"""`vcc status`: returns expected against received, from the ledger and the reference data.

Nothing need be built for it: it shows what was judged, to the last receipt.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestration.commands import project_of
from orchestration.expected import LATE, NOT_SUBMITTED, ON_TIME, REJECTED, ExpectedReturn, expected_returns
from orchestration.terminal import table

if TYPE_CHECKING:
    from ingest.period import Period
    from ingest.receipts import Receipt
    from orchestration.project import Project

COUNTS = ("expected", "on time", "late", "rejected only", "not sent", "revised")


def run(options: argparse.Namespace) -> int:
    """Print one row a quarter and kind, or the senders that one quarter is late of (or all, if asked)."""
    from ingest.erasure import erased_receipts
    from ingest.receipts import Ledger

    project = project_of(options)
    periods = [project.quarter(options.period)] if options.period else project.ended_quarters()
    receipts = Ledger(project.root.receipts).read()
    erased = erased_receipts(project.root)
    print(_what_is_known(project, receipts))
    returns = {
        period: expected_returns(project.reference, project.forms, receipts, period, project.today, erased)
        for period in periods
    }
    rows = [row for period in periods for row in _summary(period, returns[period])]
    print(table(("period", "kind", "due", *COUNTS), rows))
    if options.period:
        print()
        print(_listed(periods[0], returns[periods[0]], everybody=options.all))
    return 0


def _what_is_known(project: Project, receipts: Sequence[Receipt]) -> str:
    """Say how far the ledger reaches, and what waits to be judged."""
    from ingest.inbox import ReceiveError, inbox_of, waiting
    from ingest.storage import StorageError

    inbox = inbox_of(project.root)
    never_taken = 0
    try:
        never_taken = inbox.never_taken()
        files = waiting(project.root)
        waits = f"{files:,} file{'' if files == 1 else 's'} wait{'s' if files == 1 else ''} to be judged"
    except PermissionError as error:
        # Whoever may not look into holding/ is still shown the rest.
        waits = f"whether files wait to be judged is not known: {error.filename} is closed to you"
    except (StorageError, ReceiveError) as error:
        waits = f"whether files wait to be judged is not known: {error}"
    known = f"{len(receipts):,} receipt{'' if len(receipts) == 1 else 's'} in the ledger"
    if receipts:
        known += f", the last of a file that arrived on {max(r.arrived_at for r in receipts):%-d %B %Y}"
    told = f"As of {project.today:%-d %B %Y}: {known}; {waits.removesuffix('.')}.\n"
    if never_taken:
        told += (
            f"Never taken, and no file of a sender's folder: {never_taken:,} in {inbox.place} (links, folders"
            " within a sender's, files beside them).\n"
        )
    return told


def _summary(period: Period, returns: Sequence[ExpectedReturn]) -> list[tuple[object, ...]]:
    """Return one row of counts a kind."""
    rows: list[tuple[object, ...]] = []
    for kind in dict.fromkeys(each.kind for each in returns):
        own = [each for each in returns if each.kind == kind]
        states = Counter(each.status for each in own)
        revised = sum(each.is_revised for each in own)
        counts = (len(own), *(states[status] for status in (ON_TIME, LATE, REJECTED, NOT_SUBMITTED)), revised)
        rows.append((period.code, kind, own[0].due_on, *counts))
    return rows


def _listed(period: Period, returns: Sequence[ExpectedReturn], *, everybody: bool) -> str:
    """List the returns that did not come in time, the longest late first; or all of them by sender."""
    chosen = [each for each in returns if everybody or each.status != ON_TIME]
    if not chosen:
        return f"Every expected return for {period.code} came in time."
    if not everybody:
        chosen.sort(key=lambda each: (each.kind, -each.days_late, each.sender_code))
    header = ("sender", "name", "kind", "status", "due", "days late", "latest outcome", "receipt")
    return table(
        header,
        [
            (
                each.sender_code,
                each.sender_name,
                each.kind,
                each.status,
                each.due_on,
                each.days_late,
                each.outcome,
                each.receipt_id,
            )
            for each in chosen
        ],
    )

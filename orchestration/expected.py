"""Who should have sent what for a period, and what came of it, from the ledger and the reference data alone.

What belongs here: comparing expected with received. What does not: showing it (commands/status.py), and the
mart that says the same of what is built (quality_submissions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.clock import local_day

if TYPE_CHECKING:
    from datetime import date

    from ingest.form import Forms
    from ingest.period import Period
    from ingest.receipts import Receipt
    from ingest.reference import Reference

ON_TIME, LATE, REJECTED, NOT_SUBMITTED = "on_time", "late", "rejected", "not_submitted"
STATUSES = (ON_TIME, LATE, REJECTED, NOT_SUBMITTED)


@dataclass(frozen=True)
class ExpectedReturn:
    """A return that a sender should send for a period, and what has come of it.

    status: on_time or late by the first accepted return; rejected if none was accepted, not_submitted if
    none came. days_late counts to the day it was accepted, or to today if none was. outcome and receipt_id
    are those of the latest receipt.
    """

    sender_code: str
    sender_name: str
    kind: str
    due_on: date
    status: str
    days_late: int
    outcome: str | None = None
    receipt_id: str | None = None
    is_revised: bool = False


def expected_kinds(reference: Reference, forms: Forms, period: Period) -> list[tuple[str, date]]:
    """Return every kind of return that is due for a period, with the day it is due."""
    cycle = reference.cycle_on(period.last_day)
    if period.first_day < cycle.reporting_starts_on:
        return []
    kinds = []
    for kind in forms.kinds:
        form = forms.for_date(kind, period.last_day)
        due_on = form.due_on(period, cycle) if form and form.frequency == period.kind else None
        if due_on is not None and reference.for_period(period).expected_senders(kind):
            kinds.append((kind, due_on))
    return kinds


def expected_returns(
    reference: Reference,
    forms: Forms,
    receipts: Sequence[Receipt],
    period: Period,
    today: date,
    erased: frozenset[str] = frozenset(),
) -> list[ExpectedReturn]:
    """Return every return that is expected for a period, by kind and sender. Erased ones never came."""
    came: dict[tuple[str, str | None], list[Receipt]] = {}
    for receipt in receipts:
        is_own = receipt.period_code == period.code and receipt.outcome != "duplicate"
        if is_own and receipt.receipt_id not in erased:
            came.setdefault((receipt.sender_code, receipt.kind), []).append(receipt)
    view = reference.for_period(period)
    return [
        _expected(sender, view.senders[sender].sender_name, kind, due_on, came.get((sender, kind), []), today)
        for kind, due_on in expected_kinds(reference, forms, period)
        for sender in view.expected_senders(kind)
        if sender in view.senders
    ]


def _expected(
    sender: str, name: str, kind: str, due_on: date, receipts: Sequence[Receipt], today: date
) -> ExpectedReturn:
    accepted = sorted(local_day(receipt.arrived_at) for receipt in receipts if receipt.is_accepted)
    if accepted:
        status = LATE if accepted[0] > due_on else ON_TIME
    else:
        status = REJECTED if receipts else NOT_SUBMITTED
    until = accepted[0] if accepted else today
    latest = receipts[-1] if receipts else None
    return ExpectedReturn(
        sender_code=sender,
        sender_name=name,
        kind=kind,
        due_on=due_on,
        status=status,
        days_late=max((until - due_on).days, 0),
        outcome=latest.outcome if latest else None,
        receipt_id=latest.receipt_id if latest else None,
        is_revised=len(accepted) > 1,
    )

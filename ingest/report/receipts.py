"""The report that belongs to a receipt: a receipt holds all that its verdict said.

Belongs here: from receipt to report files. Does not: which receipts get them (ingest/receive.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from ingest.acceptance.verdict import OUTCOMES, Verdict
from ingest.files import replacing
from ingest.paths import OWNER_ONLY
from ingest.receipts import Receipt
from ingest.report.page import to_html

_OWNER_READS = 0o600


def verdict_of(receipt: Receipt) -> Verdict:
    """Return the verdict that a receipt was given on.

    The sender is the folder's. Raises ValueError for a receipt without a verdict of its own, as a duplicate.
    """
    if receipt.outcome not in OUTCOMES:
        raise ValueError(
            f"{receipt.receipt_id} is a {receipt.outcome} and has no report of its own; "
            f"see {receipt.duplicate_of_receipt_id}."
        )
    return Verdict(
        outcome=receipt.outcome,
        problems=receipt.problems,
        counts=dict(receipt.problem_counts),
        is_readable=_was_readable(receipt),
        file_name=receipt.file_name,
        kind=receipt.kind,
        form_version=receipt.form_version,
        sender_code=receipt.sender_code,
        period_code=receipt.period_code,
        rows_read=dict(receipt.rows_read),
    )


def _was_readable(receipt: Receipt) -> bool:
    if receipt.outcome != "quarantined":
        # Of these, whatever could be read to its end went to the archive, and nothing else did.
        return receipt.stored_in == "archive"
    if receipt.rows_read or receipt.form_version is not None:
        return True
    from ingest.acceptance.registry import RULES

    file_errors = {
        problem.rule_code
        for problem in receipt.problems
        if problem.rule_code in RULES
        and RULES[problem.rule_code].group == "file"
        and problem.severity == "error"
    }
    # An error cell is an error of the group file that is met only once the file is read.
    return not file_errors - {"FILE-013"}


def write_reports(receipt: Receipt, folder: Path) -> None:
    """Write report.txt, report.html and report.json of a receipt into a folder, for its owner's eyes only.

    The same receipt gives the same bytes. Each file is whole or not there, and report.json is written last.
    Raises ValueError for a duplicate.
    """
    verdict = verdict_of(receipt)
    contents = {
        "report.txt": f"Receipt {receipt.receipt_id}.\n{verdict.to_text()}",
        "report.html": to_html(verdict, receipt_id=receipt.receipt_id, arrived_at=receipt.arrived_at),
        "report.json": verdict.to_json(),
    }
    folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
    for name, text in contents.items():
        with replacing(folder / name) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_READS)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)

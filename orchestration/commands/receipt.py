"""`vcc receipt`: one receipt with all that is known of it."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.commands import OK, project_of
from orchestration.project import SettingError

if TYPE_CHECKING:
    from ingest.receipts import Receipt
    from ingest.removals import Removal
    from orchestration.project import Project

SHA256 = re.compile(r"[0-9a-f]{64}\Z")
NAMED = 5


@dataclass(frozen=True)
class Known:
    """A receipt with what became of it later."""

    receipt: Receipt
    number_of_receipts: int
    superseded_by: str | None
    is_current: bool
    removal: Removal | None
    place: str
    report: Path | None


def run(options: argparse.Namespace) -> int:
    """Print the receipt as text, JSON or a page, or write it to a file; annotate a copy of the return."""
    from ingest.receipts import Ledger

    project = project_of(options)
    receipts = Ledger(project.root.receipts).read()
    known = known_of(project, receipts, find(receipts, options.receipt))
    told = {"text": _as_text, "json": _as_json, "html": _as_page}[options.format](project, known)
    if options.output:
        from orchestration.warehouse import write_bytes

        write_bytes(options.output, told.encode())
        print(f"Written to {options.output}.")
    elif not options.annotate:
        print(told, end="")
    if options.annotate:
        _annotate(project, known, options.annotate)
        print(f"The return with its problems as comments is in {options.annotate}.")
    return OK


def find(receipts: Sequence[Receipt], text: str) -> Receipt:
    """Return the receipt of an id, the beginning of one, or a sha256.

    Raises SettingError if there is none, or more than one.
    """
    wanted = text.strip()
    if SHA256.match(wanted.lower()):
        found = [receipt for receipt in receipts if receipt.sha256 == wanted.lower()]
    else:
        found = [receipt for receipt in receipts if receipt.receipt_id.lower() == wanted.lower()] or [
            receipt
            for receipt in receipts
            if wanted and receipt.receipt_id.lower().startswith(wanted.lower())
        ]
    if not found:
        raise SettingError(
            f"There is no receipt {wanted!r}; give an id such as R000012-1a2b3c4d, its beginning, or the"
            f" sha256 of the file. The ledger holds {len(receipts):,} receipts."
        )
    if len(found) > 1:
        named = ", ".join(receipt.receipt_id for receipt in found[:NAMED])
        more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
        raise SettingError(f"{wanted} stands for {len(found):,} receipts ({named}{more}); name one of them.")
    return found[0]


def known_of(project: Project, receipts: Sequence[Receipt], receipt: Receipt) -> Known:
    """Return what became of a receipt: superseded, erased, purged, and where its file is."""
    from ingest.archive import archive_of, quarantine_of
    from ingest.removals import ERASE, RemovalLog

    removals = RemovalLog(project.root.removals).read()
    erased = {each for removal in removals if removal.action == ERASE for each in removal.receipt_ids}
    current = {each.key: each for each in receipts if each.is_accepted and each.receipt_id not in erased}
    superseding = [each for each in receipts if each.supersedes_receipt_id == receipt.receipt_id]
    store = archive_of(project.root) if receipt.stored_in == "archive" else quarantine_of(project.root)
    reports = None
    if receipt.sender_code in project.reference.codes("senders"):
        folder = project.root.report(receipt.sender_code, receipt.receipt_id)
        reports = folder if folder.is_dir() else None
    return Known(
        receipt=receipt,
        number_of_receipts=len(receipts),
        superseded_by=superseding[-1].receipt_id if superseding else None,
        is_current=current.get(receipt.key) == receipt,
        removal=next((each for each in reversed(removals) if receipt.receipt_id in each.receipt_ids), None),
        place=store.place(receipt.sha256, receipt.extension),
        report=reports,
    )


def _removed(removal: Removal) -> str:
    word = {"erase": "erased", "purge": "purged"}[removal.action]
    return f"{word} on {removal.removed_at:%-d %B %Y}, role {removal.role}: {removal.reason}"


def _as_text(project: Project, known: Known) -> str:
    receipt = known.receipt
    names = {sender.sender_code: sender.sender_name for sender in project.reference.senders}
    returned = [
        receipt.kind or "kind unknown",
        f"form version {receipt.form_version}" if receipt.form_version else "form version unknown",
        receipt.period_code or "period unknown",
    ]
    rows = [
        f"{sheet} {read:,} ({receipt.rows_accepted.get(sheet, 0):,} accepted)"
        for sheet, read in receipt.rows_read.items()
    ]
    kept = _removed(known.removal) if known.removal else f"in the {receipt.stored_in}: {known.place}"
    facts = [
        ("outcome", receipt.outcome.replace("_", " ")),
        ("sender", f"{receipt.sender_code}, {names.get(receipt.sender_code, 'not a sender that is known')}"),
        ("file", f"{receipt.file_name}, {receipt.bytes:,} bytes"),
        ("sha256", receipt.sha256),
        ("arrived", f"{receipt.arrived_at:%-d %B %Y, %H:%M:%S} UTC"),
        ("return", ", ".join(returned)),
        ("rows read", ", ".join(rows) or "none"),
        ("problems", f"{receipt.problem_count:,}"),
        ("current", "yes: its figures stand" if known.is_current else "no"),
        ("supersedes", receipt.supersedes_receipt_id),
        ("superseded by", known.superseded_by),
        ("duplicate of", receipt.duplicate_of_receipt_id),
        ("file kept", kept),
        ("report", str(known.report) if known.report else None),
        ("ledger", f"receipt {receipt.receipt_sequence:,} of {known.number_of_receipts:,}"),
        ("ledger hash", receipt.hash),
    ]
    lines = [f"Receipt {receipt.receipt_id}"]
    lines += [f"  {name:<14} {value}" for name, value in facts if value is not None]
    if receipt.outcome != "duplicate":
        from ingest.report import verdict_of

        lines += ["", verdict_of(receipt).to_text().rstrip()]
    return "\n".join(lines) + "\n"


def _as_json(project: Project, known: Known) -> str:
    values: dict[str, Any] = {
        "receipt": json.loads(known.receipt.to_line()),
        "is_current": known.is_current,
        "superseded_by_receipt_id": known.superseded_by,
        "place": None if known.removal else known.place,
        "removal": json.loads(known.removal.to_line()) if known.removal else None,
        "report_folder": str(known.report) if known.report else None,
        "receipts_in_ledger": known.number_of_receipts,
    }
    return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _as_page(project: Project, known: Known) -> str:
    from ingest.report import to_html, verdict_of

    receipt = known.receipt
    if receipt.outcome == "duplicate":
        raise SettingError(
            f"{receipt.receipt_id} is a duplicate and has no report of its own; see"
            f" {receipt.duplicate_of_receipt_id}."
        )
    return to_html(verdict_of(receipt), receipt_id=receipt.receipt_id, arrived_at=receipt.arrived_at)


def _annotate(project: Project, known: Known, out: Path) -> None:
    """Write a copy of an archived return with its problems as comments.

    Raises SettingError for one that is kept apart, gone or a duplicate.
    """
    from ingest.archive import archive_of
    from ingest.report import annotate, verdict_of

    receipt = known.receipt
    if known.removal is not None:
        raise SettingError(f"The file of {receipt.receipt_id} was {_removed(known.removal)}.")
    if receipt.outcome == "duplicate":
        raise SettingError(
            f"{receipt.receipt_id} is a duplicate; annotate {receipt.duplicate_of_receipt_id}."
        )
    if receipt.stored_in != "archive":
        raise SettingError(
            f"The file of {receipt.receipt_id} is kept apart: it may hold personal data or do harm, or could"
            " not be read. No copy of it is made; read the report instead."
        )
    path = archive_of(project.root).get(receipt.sha256, receipt.extension)
    try:
        annotate(path, verdict_of(receipt), out, limits=project.limits)
    except ValueError as error:
        raise SettingError(str(error)) from None

"""`vcc archive`: taking content away again. Its hash and its receipts always stay."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from orchestration.commands import OK, project_of
from orchestration.erased import are_builds_free
from orchestration.locking import run_lock
from orchestration.project import SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.receipts import Receipt
    from orchestration.project import Project

WAIT_SECONDS = 30.0


def run(options: argparse.Namespace) -> int:
    """Purge the quarantine, or erase the content of one receipt."""
    project = project_of(options)
    if options.action == "purge":
        return _purge(project, is_trial=options.dry_run)
    return _erase(project, options)


def _purge(project: Project, *, is_trial: bool) -> int:
    from ingest.erasure import finish_removals, purge
    from ingest.locking import exclusive
    from ingest.receipts import Ledger

    days = project.reference.cycle_on(project.today).quarantine_days
    with exclusive(project.root):
        ledger = Ledger(project.root.receipts)
        receipts = ledger.read()
        if not is_trial:
            ledger.catch_up()  # refuses a ledger that is not as it was written
            finish_removals(project.root, receipts)
        removed = purge(project.root, receipts, project.clock, days, is_trial=is_trial)
    word = "would be" if is_trial else "were"
    print(f"Quarantined files are kept for {days} days. {len(removed):,} {word} deleted;", end="")
    print(" hashes and receipts stay.")
    for removal in removed:
        print(f"  {removal.sha256}  {', '.join(removal.receipt_ids)}")
    return OK


def _erase(project: Project, options: argparse.Namespace) -> int:
    from ingest.erasure import ErasureError, check_words, erase
    from ingest.receipts import Ledger
    from orchestration.commands.receipt import find

    try:
        check_words(options.role, options.reason)
    except ErasureError as error:
        raise SettingError(str(error)) from None
    receipts = Ledger(project.root.receipts).read()
    receipt = find(receipts, options.receipt)
    same = [each for each in receipts if each.sha256 == receipt.sha256]
    print(f"The content of {len(same):,} receipt{'' if len(same) == 1 else 's'} is to be erased:")
    for each in same:
        print(f"  {each.receipt_id}  {each.sender_code}  {each.period_code or ''}  {each.outcome}")
    _confirm(receipt, is_given=options.yes)
    with run_lock(
        project.data_root,
        "vcc archive erase",
        wait_seconds=WAIT_SECONDS,
        on_wait=lambda said: print(said, file=sys.stderr),
    ):
        removal = erase(
            project.root, receipt.receipt_id, role=options.role, reason=options.reason, clock=project.clock
        )
        print(
            f"Erased from archive, quarantine, raw and reports; hash and receipts stay. Noted as removal"
            f" {removal.sequence} in {project.root.removals}."
        )
        return _build_anew(project, same, is_wanted=not options.no_run)


def _confirm(receipt: Receipt, *, is_given: bool) -> None:
    if is_given:
        return
    if not sys.stdin.isatty():
        raise SettingError("Nothing was erased: it cannot be undone, so add --yes.")
    if input(f"This cannot be undone. Type {receipt.receipt_id} to erase it: ").strip() != receipt.receipt_id:
        raise SettingError("Nothing was erased.")


def _build_anew(project: Project, erased: Sequence[Receipt], *, is_wanted: bool) -> int:
    """Run the pipeline, so that the served build and its outputs lose the return; then drop older builds."""
    from orchestration.commands.run import chosen_builds, run_builds
    from orchestration.vocabulary import FINAL

    if project.warehouse.current() is None and not any(project.root.builds.glob("*.duckdb")):
        print("Nothing has been built yet, so nothing else holds it.")
        return OK
    if are_builds_free(project):
        print("The builds that are kept were made without it.")
        return OK
    if not is_wanted:
        print(
            "Builds and outputs made before still hold it. Run `vcc run --all` now: it builds them anew"
            " without it, and deletes the builds made before."
        )
        return OK
    code = run_builds(project, chosen_builds(project, None, FINAL), asked_for=FINAL)
    if code != OK:
        print(
            "vcc: the content is erased, but the builds and outputs made before still hold it; mend what"
            " failed, then run `vcc run --all`.",
            file=sys.stderr,
        )
        return code
    print("The builds made before were deleted. Publications that are out already are not changed by this.")
    return OK

"""`vcc ledger verify`: whether the ledger of receipts is the one that was written."""

from __future__ import annotations

import argparse

from orchestration.commands import FAILED, OK, project_of


def run(options: argparse.Namespace) -> int:
    """Print how many receipts there are and the last hash; name every fault, with exit code 1."""
    from ingest.heads import head_path
    from ingest.receipts import Ledger
    from ingest.removals import RemovalLog

    root = project_of(options).root
    if not root.receipts.exists() and not head_path(root.receipts).exists():
        print(f"There is no ledger at {root.receipts} yet; the first file that is judged begins it.")
        return OK
    check = Ledger(root.receipts).verify()
    removals = RemovalLog(root.removals)
    faults = [*check.faults, *removals.faults()]
    print(f"{root.receipts}: {check.receipts:,} receipts, the last hash is {check.last_hash}.")
    if faults:
        number = f"{len(faults):,} fault{'s' if len(faults) > 1 else ''}"
        print(f"The ledger is not the one that was written; {number}:")
        print("".join(f"  {fault}\n" for fault in faults), end="")
        print(f"If no more is said, restore {root.ledger} from a backup; then run `vcc ledger verify` again.")
        return FAILED
    noted = len(removals.read())
    print(f"Every receipt is as it was written, and none is missing. Removals noted: {noted:,}.")
    return OK

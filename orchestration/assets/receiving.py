"""inbox and archive: what has been delivered is judged, and every original is kept.

Not partitioned: which quarter a file belongs to is known only once it has been read.
"""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from ingest.inbox import waiting, waiting_files
from ingest.paths import DataRoot
from orchestration.metadata import link, markdown_table
from orchestration.project import Project
from orchestration.resources import OneRunAtATime, Progress

DELIVERIES = dg.AssetKey(["inbox", "deliveries"])
ORIGINALS = dg.AssetKey(["archive", "originals"])
RECEIPTS = dg.AssetKey(["archive", "receipts"])


@dg.asset(
    key=DELIVERIES,
    group_name="inbox",
    kinds={"file"},
    description="Files as their senders delivered them, one folder a sender. They leave it when they are"
    " taken in.",
)
def deliveries(
    project: dg.ResourceParam[Project], one_run_at_a_time: OneRunAtATime
) -> dg.MaterializeResult[None]:
    """Take stock of the inbox."""
    project.root.create()
    clear_unfinished(project.root)
    senders = Counter(sender for sender, _, _ in waiting_files(project.root))
    return dg.MaterializeResult(
        metadata={
            "files waiting to be judged": waiting(project.root),
            "senders": len(senders),
            "place": link(project.root.inbox_url or project.root.inbox),
            "by sender": markdown_table(("sender", "files"), sorted(senders.items())),
        }
    )


def clear_unfinished(root: DataRoot) -> None:
    """Delete what a run that was killed had only begun to write; the caller holds the data root."""
    for folder in (root.checks, root.register):
        for scrap in folder.rglob(".*.partial"):
            scrap.unlink(missing_ok=True)


@dg.multi_asset(
    name="receive",
    specs=[
        dg.AssetSpec(
            ORIGINALS,
            deps=[DELIVERIES],
            group_name="archive",
            kinds={"file"},
            description="Every file that was judged, as it came, addressed by its sha256 and never changed.",
        ),
        dg.AssetSpec(
            RECEIPTS,
            deps=[DELIVERIES],
            group_name="archive",
            kinds={"json"},
            description="One receipt for every file that ever arrived: outcome, rows, problems, and the"
            " hash of the receipt before it.",
        ),
    ],
)
def receive_returns(
    project: dg.ResourceParam[Project], progress: dg.ResourceParam[Progress], one_run_at_a_time: OneRunAtATime
) -> Iterator[dg.MaterializeResult[None]]:
    """Judge everything that waits: accept or reject whole, write the receipt, keep the original."""
    from ingest.receive import receive

    summary = receive(
        project.root,
        project.reference,
        project.forms,
        project.clock,
        progress=progress,
        limits=project.limits,
    )
    place = link(project.root.archive_url or project.root.archive)
    outcomes = Counter(receipt.outcome for receipt in summary.receipts)
    yield dg.MaterializeResult(
        asset_key=ORIGINALS,
        metadata={"files judged in this run": len(summary.receipts), "place": place},
    )
    yield dg.MaterializeResult(
        asset_key=RECEIPTS,
        metadata={
            "receipts written in this run": len(summary.receipts),
            **{name.replace("_", " "): count for name, count in sorted(outcomes.items())},
            "left, as they may still be written to": summary.unsettled,
            "left, as they cannot be read": summary.unreadable,
            "purged from the quarantine": summary.purged,
            "ledger": link(project.root.receipts),
            "not accepted": markdown_table(
                ("receipt", "sender", "file", "outcome", "problems", "first problem"),
                [
                    (
                        receipt.receipt_id,
                        receipt.sender_code,
                        receipt.file_name,
                        receipt.outcome,
                        receipt.problem_count,
                        receipt.problems[0].message if receipt.problems else "",
                    )
                    for receipt in summary.receipts
                    if receipt.outcome in ("rejected", "quarantined")
                ],
            ),
        },
    )

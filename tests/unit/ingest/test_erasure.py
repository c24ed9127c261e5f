"""Purging the quarantine and erasing on request: what goes, what stays, and what counts afterwards."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from return_files import SENDER, ReturnFile, quarterly
from test_inbox_s3 import archive_bucket, far_root
from test_receive import KillAt, deliver, here, tree

from ingest import erasure
from ingest.archive import archive_of
from ingest.clock import FixedClock
from ingest.erasure import ErasureError, erase, erased_receipts, purge
from ingest.form import Forms
from ingest.heads import Head, head_path, write_head
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw
from ingest.receipts import Ledger, Receipt
from ingest.receive import ReceiveSummary, receive
from ingest.reference import Reference
from ingest.removals import Removal, RemovalLog, RemovalsError
from ingest.storage import Bucket

__all__ = ["here"]

NOW = datetime(2025, 7, 20, 9, 0, tzinfo=UTC)
QUARTER = Period.parse("2025-26-Q1")
WORDS = {"role": "data protection officer", "reason": "free text held personal data"}

Run = Callable[..., ReceiveSummary]


@pytest.fixture
def run(here: None, root: DataRoot, reference: Reference, forms: Forms) -> Run:
    def receive_on(day: datetime = NOW) -> ReceiveSummary:
        return receive(root, reference, forms, FixedClock(day), settle_seconds=0)

    return receive_on


def send(root: DataRoot, reference: Reference, forms: Forms, met: int, hour: int, note: str = "") -> None:
    file = quarterly(reference, forms, met=met)
    file["metrics"][0]["note"] = note
    deliver(root, file, name=f"{hour}.zip", at=f"2025-07-15T{hour}:00:00Z")


def erase_it(root: DataRoot, receipt: Receipt, **changed: str) -> Removal:
    return erase(root, receipt.receipt_id, **(WORDS | changed), clock=FixedClock(NOW))


def current(root: DataRoot, reference: Reference, forms: Forms) -> list[str]:
    """Receipts whose rows are in raw."""
    build_raw(root, reference, forms, [QUARTER], through=QUARTER)
    path = root.raw_sheet("quarterly", "metrics") / "2025-26-Q1.parquet"
    return sorted(set(pq.read_table(path)["receipt_id"].to_pylist())) if path.exists() else []


# --- purge -------------------------------------------------------------------------------------------------


def test_quarantined_files_are_deleted_once_their_time_is_over(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    send(root, reference, forms, 30, 10, note="Ring 07700 900123")
    (receipt,) = run().receipts
    assert (receipt.outcome, len(list(root.quarantine.iterdir()))) == ("quarantined", 1)
    arrived = datetime(2025, 7, 15, 10, tzinfo=UTC)
    assert run(arrived + timedelta(days=90)).purged == 0
    ledger = root.receipts.read_bytes()
    assert run(arrived + timedelta(days=91)).purged == 1
    assert list(root.quarantine.iterdir()) == []
    assert root.receipts.read_bytes() == ledger
    (removal,) = RemovalLog(root.removals).read()
    assert (removal.action, removal.sha256, removal.receipt_ids) == (
        "purge", receipt.sha256, (receipt.receipt_id,),
    )  # fmt: skip
    assert removal.role == "service" and "90 days" in removal.reason
    assert run(arrived + timedelta(days=92)).purged == 0
    assert erased_receipts(root) == frozenset()


def test_content_that_came_again_stays_until_the_last_is_old_enough(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    file = quarterly(reference, forms)
    file["metrics"][0]["note"] = "Ring 07700 900123"
    deliver(root, file, name="a.zip", at="2025-07-15T10:00:00Z")
    deliver(root, file, name="b.zip", at="2025-08-15T10:00:00Z")
    run()
    assert run(datetime(2025, 10, 20, tzinfo=UTC)).purged == 0
    assert run(datetime(2025, 11, 20, tzinfo=UTC)).purged == 1
    (removal,) = RemovalLog(root.removals).read()
    assert len(removal.receipt_ids) == 2


def test_a_trial_deletes_and_notes_nothing(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    send(root, reference, forms, 30, 10, note="Ring 07700 900123")
    receipts = run().receipts
    late = FixedClock(NOW + timedelta(days=200))
    assert len(purge(root, receipts, late, 90, is_trial=True)) == 1
    assert len(list(root.quarantine.iterdir())) == 1 and not root.removals.exists()


# --- erase -------------------------------------------------------------------------------------------------


def test_after_an_erasure_the_earlier_return_is_current_again(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    send(root, reference, forms, 30, 10)
    send(root, reference, forms, 31, 11, note="Mr X was unhappy")
    send(root, reference, forms, 31, 12, note="Mr X was unhappy")
    first, second, again = run().receipts
    assert [r.outcome for r in (first, second, again)] == ["accepted", "accepted", "duplicate"]
    assert current(root, reference, forms) == [first.receipt_id, second.receipt_id]
    ledger = root.receipts.read_bytes()

    removal = erase_it(root, second)
    assert removal.receipt_ids == (second.receipt_id, again.receipt_id)
    assert erased_receipts(root) == {second.receipt_id, again.receipt_id}
    assert not archive_of(root).holds(second.sha256, "zip")
    assert not root.raw_return(second.sha256).exists()
    assert "Mr X was unhappy" not in "".join(
        pq.read_table(path).to_pandas().to_string() for path in root.raw.rglob("*.parquet")
    )
    assert current(root, reference, forms) == [first.receipt_id]
    assert root.receipts.read_bytes() == ledger and Ledger(root.receipts).verify().is_sound

    # What is sent now supersedes the return that stands, and the same bytes are no duplicate.
    send(root, reference, forms, 31, 13, note="Mr X was unhappy")
    (new,) = run().receipts
    assert (new.outcome, new.supersedes_receipt_id) == ("accepted", first.receipt_id)
    assert new.sha256 == second.sha256 and archive_of(root).holds(new.sha256, "zip")
    assert current(root, reference, forms) == [first.receipt_id, new.receipt_id]
    # The next run takes nothing of it away again.
    run()
    assert archive_of(root).holds(new.sha256, "zip")


def test_erasing_the_only_return_leaves_none(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    send(root, reference, forms, 30, 10)
    (receipt,) = run().receipts
    current(root, reference, forms)
    erase_it(root, receipt)
    assert current(root, reference, forms) == []
    rows = pq.read_table(root.raw_receipts).to_pylist()
    assert [(row["receipt_id"], row["is_erased"]) for row in rows] == [(receipt.receipt_id, True)]
    assert [row["erased_at"] for row in rows] == [RemovalLog(root.removals).read()[0].removed_at]


def test_erasing_again_changes_nothing_and_content_that_came_later_is_erased_by_itself(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    send(root, reference, forms, 30, 10)
    (first,) = run().receipts
    noted = erase_it(root, first)
    assert erase_it(root, first) == noted
    send(root, reference, forms, 30, 11)
    (second,) = run().receipts
    assert erase_it(root, second).receipt_ids == (second.receipt_id,)
    assert len(RemovalLog(root.removals).read()) == 2
    assert not archive_of(root).holds(first.sha256, "zip")


def test_reports_and_quarantined_content_go_too(
    root: DataRoot, run: Run, reference: Reference, forms: Forms
) -> None:
    send(root, reference, forms, 30, 10, note="Ring 07700 900123")
    (receipt,) = run().receipts
    folder = root.report(SENDER, receipt.receipt_id)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.txt"]
    erase_it(root, receipt)
    assert not folder.exists() and list(root.quarantine.iterdir()) == []
    run()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"reason": "asked by Mrs Bloggs on 07700 900123"}, "looks as if it held personal data"),
        ({"role": "Mr Jones"}, "looks as if it held personal data"),
        ({"reason": " \n "}, "is empty"),
        ({"role": ""}, "is empty"),
        ({"reason": "x" * 500}, "longer than"),
    ],
)
def test_words_that_may_not_be_kept_are_refused_unquoted(
    root: DataRoot, run: Run, reference: Reference, forms: Forms, words: dict[str, str], says: str
) -> None:
    send(root, reference, forms, 30, 10)
    (receipt,) = run().receipts
    with pytest.raises(ErasureError, match=says) as error:
        erase_it(root, receipt, **words)
    assert "Bloggs" not in str(error.value) and "900123" not in str(error.value)
    assert archive_of(root).holds(receipt.sha256, "zip") and not root.removals.exists()


def test_a_receipt_that_is_not_there_erases_nothing(root: DataRoot, run: Run) -> None:
    with pytest.raises(ErasureError, match="There is no receipt R000009"):
        erase(root, "R000009-00000000", **WORDS, clock=FixedClock(NOW))


def erase_and_be_killed(root: DataRoot, receipt: Receipt, killer: KillAt, owner: object, name: str) -> None:
    child = os.fork()
    if child == 0:
        setattr(owner, name, lambda *args, **kwargs: killer(*args, **kwargs))
        try:
            erase_it(root, receipt)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(RemovalLog, "append"), (erasure, "archive_of"), (erasure, "_remove_reports"), (shutil, "rmtree"), (Path, "unlink")],
)  # fmt: skip
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_erasure_that_was_killed_is_finished_by_the_next_run(
    root: DataRoot, run: Run, reference: Reference, forms: Forms, owner: object, name: str, after: bool
) -> None:
    send(root, reference, forms, 30, 10)
    send(root, reference, forms, -1, 11)
    first, rejected = run().receipts
    current(root, reference, forms)
    for receipt in (first, rejected):
        erase_and_be_killed(root, receipt, KillAt(getattr(owner, name), 1, after=after), owner, name)
    noted = len(RemovalLog(root.removals).read())
    assert noted == (0 if (owner, after) == (RemovalLog, False) else 2)
    run()
    gone = not archive_of(root).holds(first.sha256, "zip") and not archive_of(root).holds(
        rejected.sha256, "zip"
    )
    assert gone is bool(noted)
    assert root.raw_return(first.sha256).exists() is not gone
    assert root.report(SENDER, rejected.receipt_id).exists() is not gone
    assert current(root, reference, forms) == ([] if gone else [first.receipt_id])


def test_content_in_a_bucket_is_erased_with_the_copy_here(
    here: None, tmp_path: Path, bucket: Callable[[str], Bucket], reference: Reference, forms: Forms, good: ReturnFile
) -> None:  # fmt: skip
    root = far_root(tmp_path / "far", bucket)
    inbox = Bucket(root.inbox_url or "")
    inbox.put(f"{SENDER}/r.zip", good.zip(tmp_path / "r.zip").read_bytes())
    inbox.put(
        "arrivals.csv", f"sender_code,file_name,arrived_at\n{SENDER},r.zip,2025-07-15T10:00:00Z\n".encode()
    )
    (receipt,) = receive(root, reference, forms, FixedClock(NOW)).receipts
    archive_of(root).get(receipt.sha256, "zip")
    assert tree(root.archive_cache)
    erase_it(root, receipt)
    assert archive_bucket(root).objects() == [] and not tree(root.archive_cache)


# --- the log -----------------------------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path: Path) -> RemovalLog:
    log = RemovalLog(tmp_path / "ledger" / "removals.jsonl")
    for number in range(3):
        log.append(
            [Removal("erase", f"{number:064x}", (f"R{number}",), ("zip",), "officer", "a reason", NOW)]
        )
    return log


def test_the_log_is_chained_and_read_back(log: RemovalLog) -> None:
    removals = log.read()
    assert [removal.sequence for removal in removals] == [1, 2, 3]
    assert [removal.previous_hash for removal in removals[1:]] == [r.hash for r in removals[:-1]]
    assert log.faults() == []


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        (lambda ls: [ls[0].replace("a reason", "another"), *ls[1:]], 1),
        (lambda ls: [ls[0], ls[2]], 2),
        (lambda ls: [ls[1], ls[0], ls[2]], 1),
        (lambda ls: [ls[0], "{}", ls[2]], 2),
    ],
    ids=["changed", "removed", "reordered", "no removal"],
)
def test_a_log_that_was_tampered_with_is_not_trusted(
    log: RemovalLog, tamper: Callable[[list[str]], list[str]], line: int
) -> None:
    log.path.write_text("".join(f"{each}\n" for each in tamper(log.path.read_text().splitlines())))
    assert log.faults()[0].startswith(f"Removals, line {line}: ")
    for use in (log.read, lambda: log.append([])):
        with pytest.raises(RemovalsError, match=f"line {line}: .*restore it from a backup"):
            use()


@pytest.mark.parametrize("kept", [2, 0])
def test_a_removal_missing_at_the_end_is_missed(log: RemovalLog, kept: int) -> None:
    log.path.write_text("".join(log.path.read_text().splitlines(keepends=True)[:kept]))
    assert f"{3 - kept} of 3 removals" in log.faults()[0]
    log.path.unlink()
    for use in (log.read, lambda: log.append([])):
        with pytest.raises(RemovalsError, match="3 of 3 removals are missing"):
            use()
    head_path(log.path).unlink()  # as the message says, to accept the loss
    assert log.read() == []


def test_a_head_that_a_kill_kept_behind_is_no_fault(log: RemovalLog) -> None:
    first = log.read()[0]
    write_head(log.path, Head(1, first.hash))
    assert log.faults() == []
    write_head(log.path, Head(1, "f" * 64))
    assert "not the removal that was written last" in log.faults()[0]


def test_a_line_cut_short_by_a_kill_was_never_noted(log: RemovalLog) -> None:
    whole = log.path.read_bytes()
    with log.path.open("ab") as stream:
        stream.write(whole.splitlines()[0][:40])
    assert len(log.read()) == 3
    log.append([Removal("purge", "f" * 64, ("R9",), ("zip",), "service", "old", NOW)])
    assert log.path.read_bytes().startswith(whole) and len(log.read()) == 4
    assert all(json.loads(line) for line in log.path.read_text().splitlines())

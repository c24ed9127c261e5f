"""Receiving as a whole: what becomes of files, and what a kill at each step leaves behind.

Most tests judge in this process, so that they run in seconds; the last ones use real child processes.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from return_files import COUNT, SENDER, ReturnFile, quarterly

from ingest import archive, inbox, locking, receipts
from ingest import receive as receiving
from ingest.clock import FixedClock
from ingest.files import sha256_of
from ingest.form import Forms
from ingest.inbox import is_delivery_name, waiting
from ingest.limits import Limits
from ingest.paths import DataRoot
from ingest.receipts import Ledger, Receipt
from ingest.receive import Judged, ReceiveError, ReceiveSummary, Ticket, receive
from ingest.reference import Reference

NOW = datetime(2025, 7, 20, 9, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge in this process instead of in a child."""

    def judge_all(
        root: DataRoot,
        tickets: Sequence[Ticket],
        reference: Reference,
        forms: Forms,
        limits: Limits,
        workers: int,
    ) -> Iterator[tuple[Ticket, Judged]]:
        monkeypatch.setattr(receiving, "_setting", receiving._Setting(root, reference, forms, limits))
        for ticket in tickets:
            yield ticket, receiving.judge_one(root.holding / ticket.name / ticket.held_as, ticket)

    monkeypatch.setattr(receiving, "_judge_all", judge_all)


@pytest.fixture
def run(root: DataRoot, reference: Reference, forms: Forms) -> Callable[[], ReceiveSummary]:
    return partial(receive, root, reference, forms, CLOCK, settle_seconds=0)


def deliver(
    root: DataRoot,
    file: ReturnFile | bytes,
    sender: str = SENDER,
    name: str = "return.zip",
    at: str | None = None,
) -> Path:
    path = root.inbox / sender / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file, bytes):
        path.write_bytes(file)
    else:
        file.zip(path)
    if at:
        is_new = not root.arrivals.exists()
        with root.arrivals.open("a", encoding="utf-8") as stream:
            stream.write(("sender_code,file_name,arrived_at\n" if is_new else "") + f"{sender},{name},{at}\n")
    return path


def tree(*folders: Path) -> dict[str, bytes]:
    """Every file under some folders with its bytes."""
    return {
        f"{folder.name}/{path.relative_to(folder)}": path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kept(root: DataRoot) -> dict[str, bytes]:
    return tree(
        root.archive,
        root.quarantine,
        root.ledger,
        root.heads,
        root.raw,
        root.holding,
        root.inbox,
        root.restricted,
    )


# --- what becomes of files ---------------------------------------------------------------------------------


def test_an_accepted_return_is_archived_parsed_and_receipted(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    path = deliver(root, good, at="2025-07-15T10:00:00Z")
    sha256, size = sha256_of(path), path.stat().st_size
    summary = run()
    assert (summary.accepted, summary.warned, summary.rejected, summary.duplicates) == (1, 0, 0, 0)
    (receipt,) = Ledger(root.receipts).read()
    assert summary.receipts == [receipt]
    assert receipt.receipt_id == f"R000001-{sha256[:8]}"
    assert (receipt.sha256, receipt.bytes, receipt.outcome) == (sha256, size, "accepted")
    assert (receipt.sender_code, receipt.kind, receipt.form_version) == (SENDER, "quarterly", 1)
    assert receipt.period_code == "2025-26-Q1"
    assert receipt.arrived_at == datetime(2025, 7, 15, 10, 0, tzinfo=UTC)
    assert receipt.rows_read == receipt.rows_accepted == {"metrics": 3, "feedback": 6, "delivery": 6}
    assert sha256_of(root.archive / sha256[:2] / f"{sha256}.zip") == sha256
    assert sorted(p.name for p in root.raw_return(sha256).iterdir()) == [
        "cover.parquet", "delivery.parquet", "feedback.parquet", "figures.json", "metrics.parquet",
    ]  # fmt: skip
    assert list(root.holding.iterdir()) == []
    assert not path.exists()


def test_a_rejected_return_is_archived_and_not_parsed(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    good.row("metrics", metric_id=COUNT)["count"] = "-1"
    sha256 = sha256_of(deliver(root, good))
    summary = run()
    assert (summary.accepted, summary.rejected, summary.quarantined) == (0, 1, 0)
    (receipt,) = summary.receipts
    assert receipt.outcome == "rejected"
    assert receipt.stored_in == "archive"
    assert receipt.rows_read == {"metrics": 3, "feedback": 6, "delivery": 6}
    assert set(receipt.rows_accepted.values()) == {0}
    assert [p.rule_code for p in receipt.problems] == ["FIGURES-001"]
    assert (root.archive / sha256[:2] / f"{sha256}.zip").exists()
    assert not root.raw_return(sha256).exists()


def test_personal_data_goes_to_quarantine_and_nowhere_else(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    good["metrics"][0]["note"] = "Ring Mrs Bloggs on 07700 900123"
    sha256 = sha256_of(deliver(root, good, name="Mrs Bloggs.zip"))
    (receipt,) = run().receipts
    assert receipt.outcome == "quarantined"
    assert receipt.file_name == "(name withheld).zip"
    assert [path.name for path in root.quarantine.iterdir()] == [f"{sha256}.zip"]
    assert list(root.archive.rglob("*.zip")) == []
    assert list(root.holding.iterdir()) == []
    ledger = root.receipts.read_text()
    assert "Bloggs" not in ledger and "900123" not in ledger


def test_a_file_that_could_not_be_screened_is_kept_apart(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary]
) -> None:
    deliver(root, b"Mrs Bloggs, 07700 900123", name="return.xlsx")
    (receipt,) = run().receipts
    assert (receipt.outcome, receipt.stored_in) == ("rejected", "quarantine")
    assert list(root.archive.rglob("*.*")) == []


def test_the_same_file_twice_changes_nothing_but_the_ledger(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    deliver(root, good, at="2025-07-15T10:00:00Z")
    run()
    before = tree(root.archive, root.raw)
    deliver(root, good, name="again.zip", at="2025-07-16T10:00:00Z")
    summary = run()
    assert summary.duplicates == 1
    (receipt,) = summary.receipts
    assert receipt.outcome == "duplicate"
    assert receipt.duplicate_of_receipt_id == Ledger(root.receipts).read()[0].receipt_id
    assert receipt.supersedes_receipt_id is None
    assert sum(receipt.rows_accepted.values()) == 0
    assert tree(root.archive, root.raw) == before


def test_the_same_bytes_from_another_sender_are_judged_for_that_sender(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    deliver(root, good, at="2025-07-15T10:00:00Z")
    deliver(root, good, sender="yjs-barnet", at="2025-07-15T11:00:00Z")
    assert [r.outcome for r in run().receipts] == ["accepted", "rejected"]


def test_a_resubmission_supersedes_and_a_rejected_one_does_not(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    def send(met: int, hour: int) -> Receipt:
        file = quarterly(reference, forms, met=met)
        deliver(root, file, name=f"r{hour}.zip", at=f"2025-07-15T{hour}:00:00Z")
        return run().receipts[0]

    first, wrong, second, third = send(30, 10), send(-1, 11), send(31, 12), send(32, 13)
    assert first.supersedes_receipt_id is None
    assert (wrong.outcome, wrong.supersedes_receipt_id) == ("rejected", None)
    assert second.supersedes_receipt_id == first.receipt_id
    assert third.supersedes_receipt_id == second.receipt_id


def test_another_period_supersedes_nothing(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    deliver(root, quarterly(reference, forms), name="q1.zip", at="2025-07-15T10:00:00Z")
    deliver(root, quarterly(reference, forms, period="2025-26-Q2"), name="q2.zip", at="2025-10-15T10:00:00Z")
    assert [(r.period_code, r.supersedes_receipt_id) for r in run().receipts] == [
        ("2025-26-Q1", None),
        ("2025-26-Q2", None),
    ]


def test_files_are_judged_in_order_of_arrival_then_sender_then_name(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary]
) -> None:
    for sender, name, at in (
        ("yjs-barnet", "b.zip", "2025-07-15T10:00:00Z"),
        ("yjs-barnet", "a.zip", "2025-07-15T10:00:00Z"),
        ("BTP", "z.zip", "2025-07-15T10:00:00Z"),
        ("yjs-wirral", "a.zip", "2025-07-14T10:00:00Z"),
    ):
        deliver(root, f"{sender}{name}".encode(), sender, name, at)
    deliver(root, b"unnoted", "BTP", "unnoted.zip")
    receipts = run().receipts
    assert [(r.sender_code, r.file_name) for r in receipts] == [
        ("yjs-wirral", "a.zip"), ("BTP", "z.zip"), ("yjs-barnet", "a.zip"), ("yjs-barnet", "b.zip"),
        ("BTP", "unnoted.zip"),
    ]  # fmt: skip
    assert receipts[-1].arrived_at == NOW


def test_a_file_delivered_again_under_its_name_does_not_borrow_the_old_arrival(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary]
) -> None:
    deliver(root, b"one", at="2025-07-15T10:00:00Z")
    run()
    deliver(root, b"two")
    assert run().receipts[0].arrived_at == NOW
    deliver(root, b"three", at="2025-07-16T10:00:00Z")
    assert run().receipts[0].arrived_at == datetime(2025, 7, 16, 10, 0, tzinfo=UTC)


def test_what_is_still_being_delivered_is_left_alone(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], tmp_path: Path
) -> None:
    for name in ("return.zip.partial", ".return.zip", "x.tmp"):
        deliver(root, b"half", name=name)
    (tmp_path / "secret").write_text("secret")
    (root.inbox / SENDER / "link.zip").symlink_to(tmp_path / "secret")
    (root.inbox / SENDER / "folder.zip").mkdir()
    assert waiting(root) == 0
    assert run().receipts == []
    assert (tmp_path / "secret").exists()


def test_waiting_counts_inbox_and_holding(root: DataRoot) -> None:
    deliver(root, b"one")
    deliver(root, b"two", name="b.zip")
    assert waiting(root, settle_seconds=0) == 2


def test_what_is_never_taken_is_counted(root: DataRoot, tmp_path: Path) -> None:
    deliver(root, b"x", at="2025-07-15T10:00:00Z")
    assert inbox.inbox_of(root).never_taken() == 0
    sender = root.inbox / SENDER
    (sender / "more").mkdir()
    (sender / "link.zip").symlink_to(tmp_path)
    os.mkfifo(sender / "pipe.zip")
    (sender / "x.partial").write_bytes(b"on its way")
    (root.inbox / "linked").symlink_to(tmp_path)
    (root.inbox / "beside.zip").write_bytes(b"x")
    assert inbox.inbox_of(root).never_taken() == 5
    assert waiting(root) == 1


def test_a_broken_journal_is_refused_before_anything_moves(
    root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    path = deliver(root, good)
    root.arrivals.write_text("sender,file\nx,y\n")
    with pytest.raises(ReceiveError, match="sender_code, file_name, arrived_at"):
        run()
    assert path.exists()


def test_two_runs_at_once_are_refused(
    root: DataRoot, run: Callable[[], ReceiveSummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "WAIT_SECONDS", 0.0)
    with locking.exclusive(root), pytest.raises(locking.Busy, match="Another process is receiving"):
        run()


def test_holding_is_private(
    root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def look(root: DataRoot, tickets: Sequence[Ticket], *_: Any) -> Iterator[tuple[Ticket, Judged]]:
        seen.extend(stat.S_IMODE((root.holding / t.name).stat().st_mode) for t in tickets)
        yield from ()

    monkeypatch.setattr(receiving, "_judge_all", look)
    deliver(root, good)
    run()
    assert seen == [0o700]


def test_a_name_that_is_not_utf_8_keeps_nobody_waiting(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    deliver(root, b"damaged", name=os.fsdecode(b"a\xff\n.zip"))
    deliver(root, good, name="z.zip")
    assert [(r.file_name, r.outcome) for r in run().receipts] == [
        ("a\ufffd\ufffd.zip", "rejected"),
        ("z.zip", "accepted"),
    ]
    assert Ledger(root.receipts).verify().is_sound


def test_a_withheld_name_is_told_from_another_by_its_true_name(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary]
) -> None:
    for name, day in (("Mrs Bloggs.zip", 14), ("Mrs Patel.zip", 15)):
        deliver(root, name.encode(), name=name, at=f"2025-07-{day}T10:00:00Z")
    assert [r.arrived_at.day for r in run().receipts] == [14, 15]
    deliver(root, b"again", name="Mrs Bloggs.zip")
    (receipt,) = run().receipts
    assert (receipt.file_name, receipt.arrived_at) == ("(name withheld).zip", NOW)


def test_a_file_is_taken_once_it_is_still_or_in_the_journal(
    here: None, root: DataRoot, reference: Reference, forms: Forms, good: ReturnFile
) -> None:
    path = deliver(root, good, name="growing.zip")
    deliver(root, b"noted", name="noted.zip", at="2025-07-15T10:00:00Z")
    assert waiting(root) == 1
    summary = receive(root, reference, forms, CLOCK)
    assert ([r.file_name for r in summary.receipts], summary.unsettled) == (["noted.zip"], 1)
    assert path.exists()
    written = path.stat().st_mtime - 60
    os.utime(path, (written, written))
    assert waiting(root) == 1
    summary = receive(root, reference, forms, CLOCK)
    assert ([r.file_name for r in summary.receipts], summary.unsettled) == (["growing.zip"], 0)


def test_a_time_of_writing_in_the_future_does_not_keep_a_file_waiting(
    root: DataRoot, good: ReturnFile
) -> None:
    path = deliver(root, good)
    os.utime(path, (4e9, 4e9))
    assert waiting(root, settle_seconds=3600) == 0
    assert waiting(root, settle_seconds=0) == 1


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("return.zip", True), ("r.ods", True), (".return.zip", False), ("r.zip.partial", False),
        ("r.TMP", False), ("r.zip.part", False), ("r.crdownload", False), ("", False),
    ],
)  # fmt: skip
def test_which_names_are_taken(name: str, taken: bool) -> None:
    assert is_delivery_name(name) is taken


def test_a_return_sent_again_after_another_is_current_again(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    receipts = []
    for hour, met in enumerate((30, 31, 30, 30), 10):
        file = quarterly(reference, forms, met=met)
        deliver(root, file, name=f"{hour}.zip", at=f"2025-07-15T{hour}:00:00Z")
        receipts += run().receipts
    assert [r.outcome for r in receipts] == ["accepted", "accepted", "accepted", "duplicate"]
    assert receipts[2].supersedes_receipt_id == receipts[1].receipt_id
    assert receipts[3].duplicate_of_receipt_id == receipts[2].receipt_id


def test_a_file_taken_back_before_its_turn_is_passed_over(
    here: None,
    root: DataRoot,
    run: Callable[[], ReceiveSummary],
    good: ReturnFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deliver(root, b"gone", name="a.zip")
    deliver(root, good, name="b.zip")
    dump = inbox.json.dump

    def take_back(values: dict[str, str], *args: Any, **kwargs: Any) -> None:
        if values["file_name"] == "a.zip":
            (root.inbox / SENDER / "a.zip").unlink()
        dump(values, *args, **kwargs)

    monkeypatch.setattr(inbox.json, "dump", take_back)
    assert [r.file_name for r in run().receipts] == ["b.zip"]
    assert list(root.holding.iterdir()) == []


def test_a_held_file_without_a_readable_note_is_never_removed(
    root: DataRoot, run: Callable[[], ReceiveSummary]
) -> None:
    folder = root.holding / "20250715T100000000000Z-0123456789ab.unfinished"
    folder.mkdir()
    (folder / "ticket.json").write_text("")
    (folder / "file.zip").write_bytes(b"a return")
    with pytest.raises(ReceiveError, match="move the file back"):
        run()
    assert (folder / "file.zip").read_bytes() == b"a return"


# --- situations --------------------------------------------------------------------------------------------


def test_a_late_return_is_accepted_with_a_warning(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    # Returns for April to June 2025 are due 30 working days after 30 June: 11 August. London is an hour ahead.
    for name, at, met in (("a.zip", "2025-08-11T22:59:00Z", 30), ("b.zip", "2025-08-11T23:01:00Z", 31)):
        deliver(root, quarterly(reference, forms, met=met), name=name, at=at)
    in_time, late = run().receipts
    assert in_time.outcome == "accepted"
    assert (late.outcome, list(late.problem_counts)) == ("accepted_with_warnings", ["IDENTITY-011"])
    assert late.supersedes_receipt_id == in_time.receipt_id


def test_a_return_for_a_closed_period_is_accepted_and_told_when_it_will_count(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    # Its local review was due 20 working days after the returns: 9 September, a bank holiday between.
    deliver(root, good, at="2025-09-10T10:00:00Z")
    (receipt,) = run().receipts
    assert receipt.outcome == "accepted_with_warnings" and "IDENTITY-013" in receipt.problem_counts
    assert sum(receipt.rows_accepted.values()) == sum(receipt.rows_read.values())


def test_a_sheet_declared_empty_is_accepted_and_an_empty_one_is_not(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    for hour, reason in ((10, "no survey was held"), (11, "")):
        file = quarterly(reference, forms)
        file.sheets["feedback"] = []
        [field] = [name for name, sheet in file.form.nil_fields.items() if sheet == "feedback"]
        file.cover[field] = reason
        deliver(root, file, name=f"{hour}.zip", at=f"2025-07-15T{hour}:00:00Z")
    declared, empty = run().receipts
    assert (declared.outcome, declared.rows_read["feedback"]) == ("accepted", 0)
    assert empty.outcome == "rejected"


def test_two_returns_of_one_body_at_one_moment_are_judged_by_name_and_the_later_stands(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    for name, met in (("b.zip", 31), ("a.zip", 30)):
        deliver(root, quarterly(reference, forms, met=met), name=name, at="2025-07-15T10:00:00Z")
    first, second = run().receipts
    assert [r.file_name for r in (first, second)] == ["a.zip", "b.zip"]
    assert second.supersedes_receipt_id == first.receipt_id
    assert first.ticket != second.ticket


def test_a_file_that_is_still_being_written_waits_until_it_is_whole(
    here: None, root: DataRoot, reference: Reference, forms: Forms, good: ReturnFile, tmp_path: Path
) -> None:
    whole = good.zip(tmp_path / "whole.zip").read_bytes()
    path = deliver(root, whole[:100])
    for _ in range(2):
        assert waiting(root) == 0
        assert receive(root, reference, forms, CLOCK).receipts == []
        with path.open("ab") as stream:
            stream.write(whole[100:] if path.stat().st_size == 100 else b"")
    written = path.stat().st_mtime - 60
    os.utime(path, (written, written))
    assert waiting(root) == 1
    assert [r.outcome for r in receive(root, reference, forms, CLOCK).receipts] == ["accepted"]


def test_a_link_put_in_a_files_place_is_never_followed(
    root: DataRoot, run: Callable[[], ReceiveSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.zip"
    secret.write_text("secret")
    path = deliver(root, b"harmless")
    dump = inbox.json.dump

    def swap(*args: Any, **kwargs: Any) -> None:
        path.unlink()
        path.symlink_to(secret)
        dump(*args, **kwargs)

    monkeypatch.setattr(inbox.json, "dump", swap)
    assert run().receipts == []
    assert path.is_symlink() and list(root.holding.iterdir()) == []
    assert secret.read_text() == "secret"


@pytest.mark.parametrize(
    "sender", ["..", "~root", "a b;rm -rf", "x" * 200, "E23000028-police\n", "-rf", "$(id)"]
)
def test_no_name_of_a_folder_or_file_leads_out_of_the_data_root(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], sender: str
) -> None:
    folder = root.inbox / "in" if sender == ".." else root.inbox / sender
    folder.mkdir(parents=True)
    name = "..zip" if sender == ".." else "%2e%2e%2fetc $(id)`x`.zip"
    (folder / name).write_bytes(b"x")
    before = {path for path in root.path.parent.rglob("*") if not path.is_relative_to(root.path)}
    receipts = run().receipts
    assert len(receipts) == (0 if sender == ".." else 1)
    assert {path for path in root.path.parent.rglob("*") if not path.is_relative_to(root.path)} == before
    # Nobody fetches a report under a name that stands for no sender.
    assert not root.reports.exists()


def test_a_folder_named_after_a_person_leaves_no_name_in_the_ledger(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    deliver(root, good, sender="Mrs Jane Bloggs")
    deliver(root, b"x", sender="E23000099-police")
    assert [receipt.sender_code for receipt in run().receipts] == ["E23000099-police", "(name withheld)"]
    assert b"Bloggs" not in b"".join(tree(root.ledger, root.raw, root.restricted).values())


def test_a_sender_is_left_a_report_on_what_was_found(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], reference: Reference, forms: Forms
) -> None:
    deliver(root, quarterly(reference, forms, met=-1), name="1.zip", at="2025-07-15T10:00:00Z")
    deliver(root, quarterly(reference, forms), name="2.zip", at="2025-07-15T11:00:00Z")
    wrong, _ = run().receipts
    folder = root.report(SENDER, wrong.receipt_id)
    assert list(root.reports.glob("*/*")) == [folder]
    assert "FIGURES-001" in (folder / "report.txt").read_text()
    assert wrong.receipt_id in (folder / "report.html").read_text()
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder, *folder.iterdir())} == {0}
    before = tree(root.reports)
    shutil.rmtree(root.reports)
    run()
    assert tree(root.reports) == before


# --- kills -------------------------------------------------------------------------------------------------


def prepare(root: DataRoot, reference: Reference, forms: Forms) -> None:
    """Five deliveries: accepted, rejected, quarantined, superseding, duplicate."""
    good = quarterly(reference, forms)
    deliver(root, good, name="1.zip", at="2025-07-15T10:00:00Z")
    deliver(root, quarterly(reference, forms, met=-1), name="2.zip", at="2025-07-15T11:00:00Z")
    person = quarterly(reference, forms)
    person["metrics"][0]["note"] = "07700 900123"
    deliver(root, person, name="3.zip", at="2025-07-15T12:00:00Z")
    deliver(root, quarterly(reference, forms, met=31), name="4.zip", at="2025-07-15T13:00:00Z")
    deliver(root, quarterly(reference, forms, met=31), name="5.zip", at="2025-07-15T14:00:00Z")


class KillAt:
    """Kills this process before (or just after) the n-th call of a function, as an operator or the kernel would."""

    def __init__(self, function: Callable[..., Any], n: int, *, after: bool) -> None:
        self.function, self.n, self.after, self.calls = function, n, after, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        call = self.calls  # of this thread; others may call meanwhile
        if call == self.n and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = self.function(*args, **kwargs)
        if call == self.n:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def receive_and_be_killed(
    root: DataRoot, reference: Reference, forms: Forms, step: tuple[Any, str], n: int, after: bool
) -> bool:
    """Receive in a forked child that is killed at the n-th call of a step; say whether it came to that."""
    child = os.fork()
    if child == 0:
        owner, name = step
        killer = KillAt(getattr(owner, name), n, after=after)
        setattr(owner, name, lambda *args, **kwargs: killer(*args, **kwargs))
        try:
            receive(root, reference, forms, CLOCK)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


STEPS = {
    "the ticket's folder is made": (Path, "mkdir"),
    "the ticket is written": (inbox.json, "dump"),
    "the file leaves the inbox, the ticket gets its name, a piece its folder": (Path, "rename"),
    "the entries are on the disk": (inbox, "sync"),
    "the return is judged": (receiving, "judge_one"),
    "the return is parsed": (receiving, "judge"),
    "a file is put into place": (Path, "replace"),
    "a file is kept": (archive.Store, "put"),
    "a receipt is appended": (receipts.Ledger, "append"),
    "a receipt's bytes are on the disk": (os, "fsync"),
    "the ticket is cleared away": (shutil, "rmtree"),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_ends_as_an_undisturbed_run_does(
    here: None, tmp_path: Path, reference: Reference, forms: Forms, step: str, after: bool
) -> None:
    undisturbed = DataRoot(tmp_path / "undisturbed").create()
    prepare(undisturbed, reference, forms)
    receive(undisturbed, reference, forms, CLOCK)
    expected = kept(undisturbed)
    assert [r.outcome for r in Ledger(undisturbed.receipts).read()] == [
        "accepted", "rejected", "quarantined", "accepted", "duplicate",
    ]  # fmt: skip

    kills = 0
    for n in (1, 2, 3, 5, 8, 13):
        disturbed = DataRoot(tmp_path / f"killed-{n}").create()
        prepare(disturbed, reference, forms)
        kills += receive_and_be_killed(disturbed, reference, forms, STEPS[step], n, after)
        receive(disturbed, reference, forms, CLOCK)
        assert kept(disturbed) == expected, f"killed at call {n}"
        assert Ledger(disturbed.receipts).verify().is_sound
    assert kills >= 2


def test_a_kill_in_the_middle_of_a_receipt_leaves_no_receipt(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile
) -> None:
    deliver(root, good, at="2025-07-15T10:00:00Z")
    root.receipts.write_bytes(b'{"bytes":10,"dupli')
    (receipt,) = run().receipts
    assert receipt.receipt_sequence == 1
    assert Ledger(root.receipts).verify().is_sound


# --- real child processes ----------------------------------------------------------------------------------


def crash_on_two(path: Path, ticket: Ticket) -> Judged:
    if ticket.file_name.startswith("2"):
        os._exit(139)
    return receiving.judge_one(path, ticket)


def hang_on_two(path: Path, ticket: Ticket) -> Judged:
    if ticket.file_name.startswith("2"):
        while True:
            pass
    return receiving.judge_one(path, ticket)


def swallow_memory_on_two(path: Path, ticket: Ticket) -> Judged:
    if ticket.file_name.startswith("2"):
        bytearray(1 << 40)
    return receiving.judge_one(path, ticket)


def fail_on_two(path: Path, ticket: Ticket) -> Judged:
    if ticket.file_name.startswith("2"):
        raise KeyError("a fault of a rule")
    return receiving.judge_one(path, ticket)


@pytest.mark.parametrize(
    ("judge", "rule"),
    [
        (crash_on_two, "FILE-015"),
        (hang_on_two, "FILE-016"),
        (swallow_memory_on_two, "FILE-017"),
        (fail_on_two, "FILE-015"),
    ],
)
def test_a_worker_that_dies_rejects_its_file_and_no_other(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    monkeypatch: pytest.MonkeyPatch,
    judge: Callable[[Path, Ticket], Judged],
    rule: str,
) -> None:
    for number, met in enumerate((30, 31, 32), 1):
        deliver(
            root,
            quarterly(reference, forms, met=met),
            name=f"{number}.zip",
            at=f"2025-07-15T1{number}:00:00Z",
        )
    monkeypatch.setattr(receiving, "_judge_all", partial(receiving._judge_all, judge_in_worker=judge))
    limits = Limits(seconds=1.0) if judge is hang_on_two else Limits()
    summary = receive(root, reference, forms, CLOCK, workers=1, limits=limits)
    assert [r.outcome for r in summary.receipts] == ["accepted", "quarantined", "accepted"]
    assert dict(summary.receipts[1].problem_counts) == {rule: 1}
    assert summary.receipts[1].stored_in == "quarantine"


def test_children_and_this_process_come_to_the_same_bytes(
    tmp_path: Path, reference: Reference, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, int, int]] = []
    by_children, by_one = DataRoot(tmp_path / "two").create(), DataRoot(tmp_path / "one").create()
    for root, workers in ((by_children, 2), (by_one, 1)):
        prepare(root, reference, forms)
        receive(root, reference, forms, CLOCK, workers=workers, progress=lambda *step: said.append(step))
    assert kept(by_children) == kept(by_one)
    assert said[0] == ("receive", 0, 5)
    assert said[5] == ("receive", 5, 5)


def damaged_lzma(path: Path, name: str) -> None:
    """A zip whose one entry is packed by LZMA and damaged at its start."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as container:
        container.writestr(name, "field,value\n" * 500)
    data = bytearray(path.read_bytes())
    start = data.index(name.encode()) + len(name) + 9
    for place in range(start, start + 12):
        data[place] ^= 0x5A
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["[Content_Types].xml", "cover.csv"])
def test_a_damaged_zip_of_another_method_keeps_nobody_waiting(
    here: None, root: DataRoot, run: Callable[[], ReceiveSummary], good: ReturnFile, name: str
) -> None:
    damaged_lzma(deliver(root, b"", name="a.zip"), name)
    deliver(root, good, name="b.zip")
    receipts = run().receipts
    assert [r.outcome for r in receipts] == ["rejected", "accepted"]
    assert "FILE-018" in receipts[0].problem_counts
    assert receipts[0].stored_in == "quarantine"


def deny_two(path: Path, ticket: Ticket) -> Judged:
    if ticket.file_name.startswith("2"):
        raise PermissionError(13, "Permission denied")
    return receiving.judge_one(path, ticket)


def test_a_file_that_may_not_be_read_waits_and_the_others_do_not(
    root: DataRoot, reference: Reference, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, met in enumerate((30, 31, 32), 1):
        file = quarterly(reference, forms, met=met)
        deliver(root, file, name=f"{number}.zip", at=f"2025-07-15T1{number}:00:00Z")
    with monkeypatch.context() as patch:
        patch.setattr(receiving, "_judge_all", partial(receiving._judge_all, judge_in_worker=deny_two))
        summary = receive(root, reference, forms, CLOCK, workers=1)
    assert [r.file_name for r in summary.receipts] == ["1.zip", "3.zip"]
    assert (summary.unreadable, waiting(root)) == (1, 1)
    assert [r.file_name for r in receive(root, reference, forms, CLOCK).receipts] == ["2.zip"]


def test_a_folder_that_files_cannot_be_taken_from_keeps_only_its_own_waiting(
    here: None,
    root: DataRoot,
    run: Callable[[], ReceiveSummary],
    good: ReturnFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = deliver(root, b"x", sender="E23000030-police").parent
    deliver(root, good)
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: may(path, mode) and not (path == closed and mode & os.W_OK)
    )
    summary = run()
    assert ([r.sender_code for r in summary.receipts], summary.unreadable) == ([SENDER], 1)
    assert waiting(root, 0) == 1


def fail_always(path: Path, ticket: Ticket) -> Judged:
    raise KeyError("Mrs Bloggs")


def test_files_that_all_fail_alike_point_to_the_machine(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(8):
        deliver(root, f"file {number}".encode(), name=f"{number}.zip", at="2025-07-15T10:00:00Z")
    monkeypatch.setattr(receiving, "_judge_all", partial(receiving._judge_all, judge_in_worker=fail_always))
    with pytest.raises(ReceiveError, match="5 files in a row failed in the same way"):
        receive(root, reference, forms, CLOCK, workers=1)
    assert len(Ledger(root.receipts).read()) == 5
    assert waiting(root) == 3
    assert "fail_always" in caplog.text and "Bloggs" not in caplog.text


def lack_a_library(path: Path, ticket: Ticket) -> Judged:
    raise ModuleNotFoundError("No module named 'openpyxl'")


def test_a_program_that_is_not_whole_leaves_every_file_waiting(
    root: DataRoot, reference: Reference, forms: Forms, good: ReturnFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(root, good, at="2025-07-15T10:00:00Z")
    monkeypatch.setattr(
        receiving, "_judge_all", partial(receiving._judge_all, judge_in_worker=lack_a_library)
    )
    with pytest.raises(ReceiveError, match=r"cannot be loaded; every file .* waits"):
        receive(root, reference, forms, CLOCK, workers=1)
    assert (Ledger(root.receipts).read(), waiting(root)) == ([], 1)


def fail_to_start(setting: object) -> None:
    raise RuntimeError("no memory for a process")


def test_judging_processes_that_do_not_start_leave_every_file_waiting(
    root: DataRoot, reference: Reference, forms: Forms, good: ReturnFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(root, good, at="2025-07-15T10:00:00Z")
    monkeypatch.setattr(receiving, "_start_worker", fail_to_start)
    with pytest.raises(ReceiveError, match="every file waits"):
        receive(root, reference, forms, CLOCK, workers=1)
    assert (Ledger(root.receipts).read(), waiting(root)) == ([], 1)


def test_a_file_that_nobody_is_left_to_judge_is_not_waited_for() -> None:
    """Handed over in the moment in which the processes gave up, it would never be told about."""
    forgotten: Future[Judged] = Future()
    with pytest.raises(ReceiveError, match="every file waits"):
        receiving._wait_for(forgotten, lambda: False, seconds=0.01)
    looks = iter([True, True])
    late: Future[str] = Future()
    threading.Timer(0.05, late.set_result, ["judged"]).start()
    receiving._wait_for(late, lambda: next(looks, True), seconds=0.02)  # type: ignore[arg-type]
    assert late.result() == "judged"


def test_a_full_disk_is_not_the_files_fault(root: DataRoot, reference: Reference, forms: Forms) -> None:
    class Failing:
        def result(self) -> Judged:
            raise OSError(28, "No space left on device")

    ticket = Ticket(NOW, SENDER, "r.zip", "t", "file.zip")
    with pytest.raises(OSError, match="No space left"):
        receiving._answer(root, ticket, Failing(), reference, forms, Limits())  # type: ignore[arg-type]

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.acceptance import Problem
from ingest.archive import ArchiveError, archive_of, quarantine_of
from ingest.files import sha256_of
from ingest.heads import Head, head_path, write_head
from ingest.paths import DataRoot
from ingest.receipts import Ledger, LedgerError, Receipt

PROBLEM = Problem(
    "FIGURES-001", "error", "metrics", 2, "met", "-1", "a number from 0", "Mend it.", "It is negative."
)


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    path = tmp_path / "return.zip"
    path.write_bytes(b"content")
    return path


def test_the_archive_is_addressed_by_hash_and_read_only(root: DataRoot, delivered: Path) -> None:
    sha256 = sha256_of(delivered)
    path = archive_of(root).put(delivered, sha256, "zip")
    assert path == root.archive / sha256[:2] / f"{sha256}.zip"
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o444
    assert archive_of(root).get(sha256, "zip") == path


def test_putting_a_file_twice_changes_nothing(root: DataRoot, delivered: Path) -> None:
    store, sha256 = archive_of(root), sha256_of(delivered)
    first = store.put(delivered, sha256, "zip").stat()
    again = store.put(delivered, sha256, "zip").stat()
    assert (first.st_ino, first.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)


def test_other_bytes_never_take_the_place_of_an_archived_file(root: DataRoot, delivered: Path) -> None:
    store, sha256 = archive_of(root), sha256_of(delivered)
    path = store.put(delivered, sha256, "zip")
    path.chmod(0o644)
    path.write_bytes(b"altered")
    with pytest.raises(ArchiveError, match="restore it"):
        store.put(delivered, sha256, "zip")
    with pytest.raises(ArchiveError, match="restore it"):
        store.get(sha256, "zip")
    assert path.read_bytes() == b"altered"


def test_a_file_that_changed_after_it_was_judged_is_not_archived(root: DataRoot, delivered: Path) -> None:
    sha256 = sha256_of(delivered)
    delivered.write_bytes(b"swapped")
    with pytest.raises(ArchiveError, match="deliver it again"):
        archive_of(root).put(delivered, sha256, "zip")
    assert list(root.archive.rglob("*.*")) == []


def test_names_that_are_no_hash_or_odd_extensions_lead_nowhere(root: DataRoot, delivered: Path) -> None:
    with pytest.raises(ValueError, match="sha256"):
        archive_of(root).path("../../etc/passwd", "zip")
    assert archive_of(root).path("0" * 64, "../x").name == f"{'0' * 64}.bin"


def test_the_quarantine_is_private(root: DataRoot, delivered: Path) -> None:
    path = quarantine_of(root).put(delivered, sha256_of(delivered), "zip")
    assert path.parent == root.quarantine
    assert path.stat().st_mode & 0o777 == 0o400
    assert root.quarantine.stat().st_mode & 0o777 == 0o700


# --- receipts ----------------------------------------------------------------------------------------------


def receipt(number: int, **values: object) -> Receipt:
    given: dict[str, object] = {
        "ticket": f"t{number}",
        "sha256": f"{number:064x}",
        "bytes": 10 + number,
        "extension": "zip",
        "sender_code": "BTP",
        "file_name": "r.zip",
        "arrived_at": datetime(2025, 7, 1, 12, 0, number, tzinfo=UTC),
        "outcome": "accepted",
        "stored_in": "archive",
        "kind": "quarterly",
        "form_version": 1,
        "period_code": "2025-26-Q1",
        "rows_read": {"metrics": 3},
        "rows_accepted": {"metrics": 3},
        "problems": (PROBLEM,),
        "problem_counts": {"FIGURES-001": 1},
    }
    return Receipt(**(given | values))  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger" / "receipts.jsonl")
    for number in range(1, 5):
        ledger.append(receipt(number))
    return ledger


def test_receipts_are_numbered_chained_and_read_back(ledger: Ledger) -> None:
    receipts = ledger.read()
    assert [r.receipt_id for r in receipts] == [f"R{n:06d}-00000000" for n in range(1, 5)]
    assert [r.receipt_sequence for r in receipts] == [1, 2, 3, 4]
    assert receipts[0].previous_hash == "0" * 64
    assert [r.previous_hash for r in receipts[1:]] == [r.hash for r in receipts[:-1]]
    assert receipts[1].arrived_at == datetime(2025, 7, 1, 12, 0, 2, tzinfo=UTC)
    assert receipts[1].problems == (PROBLEM,)
    assert ledger.verify().is_sound
    assert ledger.verify().last_hash == receipts[-1].hash


def test_appending_goes_on_where_another_process_left_off(ledger: Ledger) -> None:
    again = Ledger(ledger.path)
    assert again.append(receipt(5)).receipt_sequence == 5
    assert again.verify().is_sound


def lines_of(ledger: Ledger) -> list[str]:
    return ledger.path.read_text().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda ls: [ls[0], ls[1].replace('"bytes":12', '"bytes":13'), *ls[2:]], "Line 2, R000002-00000000: the receipt was changed"),
        (lambda ls: [ls[0], *ls[2:]], "Line 2, R000003-00000000: it does not follow"),
        (lambda ls: ls[1:], "Line 1, R000002-00000000: it does not follow"),
        (lambda ls: [ls[0], ls[2], ls[1], ls[3]], "Line 2, R000003-00000000: it does not follow"),
        (lambda ls: [*ls[:2], ls[1], *ls[2:]], "Line 3, R000002-00000000: it does not follow"),
        (lambda ls: [ls[0], "{}\n", *ls[2:]], "Line 2: A line of the ledger is not a receipt"),
        (lambda ls: [ls[0], ls[1].replace('":', '": ', 1), *ls[2:]], "Line 2, R000002-00000000: the receipt was changed"),
    ],
    ids=["changed", "removed", "first removed", "reordered", "doubled", "no receipt", "respelt"],
)  # fmt: skip
def test_tampering_is_found(ledger: Ledger, tamper: Callable[[list[str]], list[str]], says: str) -> None:
    ledger.path.write_text("".join(tamper(lines_of(ledger))))
    check = Ledger(ledger.path).verify()
    assert not check.is_sound
    assert any(fault.startswith(says) for fault in check.faults), check.faults


def test_a_rehashed_change_breaks_the_chain_after_it(ledger: Ledger) -> None:
    lines = lines_of(ledger)
    second = Receipt.from_line(lines[1])
    forged = receipt(2, outcome="rejected").sealed(2, second.previous_hash)
    ledger.path.write_text("".join([lines[0], forged.to_line() + "\n", *lines[2:]]))
    assert any(fault.startswith("Line 3") for fault in Ledger(ledger.path).verify().faults)


def test_a_line_cut_short_by_a_kill_was_never_a_receipt(ledger: Ledger) -> None:
    whole = ledger.path.read_bytes()
    with ledger.path.open("ab") as stream:
        stream.write(receipt(5).sealed(5, "x").to_line().encode()[:40])
    again = Ledger(ledger.path)
    assert len(again.read()) == 4
    assert again.verify().is_sound
    again.append(receipt(5))
    assert ledger.path.read_bytes().startswith(whole)
    assert len(again.read()) == 5
    assert again.verify().is_sound


def test_a_damaged_byte_is_named_and_does_not_spread(ledger: Ledger) -> None:
    damaged = ledger.path.read_bytes().replace(b'"r.zip"', b'"r\xffzip"', 1)
    ledger.path.write_bytes(damaged)
    again = Ledger(ledger.path)
    assert again.verify().faults[0].startswith("Line 1: ")
    for use in (again.read, lambda: again.append(receipt(5))):
        with pytest.raises(LedgerError, match=r"line 1: .*damaged.*Restore it from a backup"):
            use()
    assert ledger.path.read_bytes() == damaged


@pytest.mark.parametrize(
    "tamper",
    [lambda ls: [ls[0], ls[2], ls[3]], lambda ls: [*ls[:3], ls[3].replace('"bytes":14', '"bytes":15')], lambda ls: ls[1:]],
    ids=["removed", "changed", "first removed"],
)  # fmt: skip
def test_nothing_is_appended_to_a_broken_chain(
    ledger: Ledger, tamper: Callable[[list[str]], list[str]]
) -> None:
    ledger.path.write_text("".join(tamper(lines_of(ledger))))
    before = ledger.path.read_bytes()
    with pytest.raises(LedgerError, match="Nothing was appended"):
        Ledger(ledger.path).append(receipt(5))
    assert ledger.path.read_bytes() == before


def test_a_ledger_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "none.jsonl")
    assert ledger.read() == []
    assert ledger.verify().is_sound


def test_a_damaged_line_is_named(ledger: Ledger) -> None:
    ledger.path.write_text("no receipt\n")
    with pytest.raises(LedgerError, match="not a receipt"):
        ledger.read()


# --- the head of the ledger --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kept", "says"), [(3, "End: 1 of 4 receipts is"), (0, "End: 4 of 4 receipts are")])
def test_receipts_removed_from_the_end_are_missed(ledger: Ledger, kept: int, says: str) -> None:
    ledger.path.write_text("".join(lines_of(ledger)[:kept]))
    again = Ledger(ledger.path)
    assert again.verify().faults[0].startswith(says)
    for use in (lambda: again.append(receipt(5)), again.catch_up):
        with pytest.raises(LedgerError, match=r"Restore .* Nothing was appended"):
            use()
    ledger.path.unlink()
    assert not Ledger(ledger.path).verify().is_sound


def test_an_older_ledger_is_missed_and_its_loss_can_be_accepted(ledger: Ledger, tmp_path: Path) -> None:
    shutil.copytree(ledger.path.parent, tmp_path / "backup")
    ledger.append(receipt(5))
    shutil.rmtree(ledger.path.parent)
    (tmp_path / "backup").rename(ledger.path.parent)
    restored = Ledger(ledger.path)
    with pytest.raises(LedgerError, match=r"1 of 5 receipts is missing.* older backup"):
        restored.catch_up()
    head_path(ledger.path).unlink()
    restored.catch_up()
    assert restored.append(receipt(5)).receipt_sequence == 5
    assert restored.verify().is_sound


def test_an_end_that_was_written_anew_is_found(ledger: Ledger) -> None:
    lines = lines_of(ledger)
    third = Receipt.from_line(lines[2])
    forged = receipt(4, outcome="rejected").sealed(4, third.hash)
    ledger.path.write_text("".join([*lines[:3], forged.to_line() + "\n"]))
    (fault,) = Ledger(ledger.path).verify().faults
    assert fault == f"Line 4: it is not the receipt that {head_path(ledger.path)} names."


@pytest.mark.parametrize("behind", [1, 4])
def test_a_head_that_a_kill_kept_behind_is_no_fault_and_catches_up(ledger: Ledger, behind: int) -> None:
    head = head_path(ledger.path).read_bytes()
    lines = lines_of(ledger)
    earlier = Head(4 - behind, Receipt.from_line(lines[3 - behind]).hash) if behind < 4 else Head()
    write_head(ledger.path, earlier)
    again = Ledger(ledger.path)
    assert again.verify().is_sound
    again.catch_up()
    assert head_path(ledger.path).read_bytes() == head


def test_a_head_that_is_gone_or_damaged_is_said(ledger: Ledger) -> None:
    head = head_path(ledger.path)
    head.write_text("{")
    assert Ledger(ledger.path).verify().faults == (f"{head} cannot be read; restore it from a backup.",)
    head.unlink()
    assert f"{head} is missing" in Ledger(ledger.path).verify().faults[0]
    ledger.append(receipt(5))
    assert Ledger(ledger.path).verify().is_sound

"""Receiving from a bucket and keeping in one: as from a folder, byte for byte, whatever comes in between."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from return_files import SENDER, ReturnFile
from test_receive import CLOCK, here, prepare, receive_and_be_killed, tree

from ingest import inbox, receipts
from ingest.archive import ArchiveError, BucketStore, archive_of
from ingest.files import sha256_of
from ingest.form import Forms
from ingest.inbox import BucketInbox, ReceiveError, inbox_of, waiting, waiting_files
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw
from ingest.receipts import Ledger
from ingest.receive import receive
from ingest.reference import Reference
from ingest.storage import Bucket, StorageError, checked_url

__all__ = ["here"]

Buckets = Callable[[str], Bucket]
KEY = f"{SENDER}/return.zip"


@pytest.fixture
def far(tmp_path: Path, bucket: Buckets) -> DataRoot:
    """A data root whose inbox and archive are prefixes of a bucket."""
    return far_root(tmp_path / "far", bucket)


def far_root(path: Path, bucket: Buckets, name: str = "a") -> DataRoot:
    return DataRoot(path, bucket(f"{name}/inbox").url, bucket(f"{name}/archive").url).create()


def send_up(near: DataRoot, far: DataRoot) -> None:
    """Put everything of a folder inbox into a bucket inbox under the same names."""
    for path in near.inbox.rglob("*"):
        if path.is_file():
            assert inbox_bucket(far).put(str(path.relative_to(near.inbox)), path.read_bytes())


def inbox_bucket(root: DataRoot) -> Bucket:
    return Bucket(root.inbox_url or "")


def archive_bucket(root: DataRoot) -> Bucket:
    return Bucket(root.archive_url or "")


def contents(of: Bucket) -> dict[str, bytes]:
    found = {each.key: of.read(each.key) for each in of.objects()}
    return {key: value[0] for key, value in found.items() if value}


def here_kept(root: DataRoot) -> dict[str, bytes]:
    """Everything on this machine; the copies of archived files do not count."""
    return tree(root.quarantine, root.ledger, root.heads, root.raw, root.holding, root.restricted)


# --- the same as from a folder -----------------------------------------------------------------------------


def test_a_bucket_gives_the_receipts_that_a_folder_gives(
    here: None, tmp_path: Path, far: DataRoot, reference: Reference, forms: Forms
) -> None:
    near = DataRoot(tmp_path / "near").create()
    prepare(near, reference, forms)
    send_up(near, far)
    assert waiting(far) == waiting(near) == 5
    by_folder, by_bucket = (receive(root, reference, forms, CLOCK) for root in (near, far))
    assert [r.outcome for r in by_bucket.receipts] == [
        "accepted", "rejected", "quarantined", "accepted", "duplicate",
    ]  # fmt: skip
    assert by_bucket.receipts == by_folder.receipts
    assert here_kept(far) == here_kept(near)
    assert contents(archive_bucket(far)) == {
        name.removeprefix("archive/"): content for name, content in tree(near.archive).items()
    }
    assert list(contents(inbox_bucket(far))) == ["arrivals.csv"]
    assert not list(far.inbox.rglob("*")) and not list(far.archive.rglob("*"))

    again = receive(far, reference, forms, CLOCK)
    assert (again.receipts, waiting(far)) == ([], 0)
    assert here_kept(far) == here_kept(near)


def test_an_object_arrived_when_it_was_put(
    here: None, far: DataRoot, reference: Reference, forms: Forms
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    inbox_bucket(far).put(KEY, b"one")
    (receipt,) = receive(far, reference, forms, CLOCK).receipts
    assert before <= receipt.arrived_at <= datetime.now(UTC)
    assert receipt.arrived_at.microsecond == 0


def test_real_judging_processes_take_from_a_bucket(
    far: DataRoot, reference: Reference, forms: Forms, good: ReturnFile, tmp_path: Path
) -> None:
    inbox_bucket(far).put(KEY, good.zip(tmp_path / "r.zip").read_bytes())
    inbox_bucket(far).put(
        "arrivals.csv",
        f"sender_code,file_name,arrived_at\n{SENDER},return.zip,2025-07-15T10:00:00Z\n".encode(),
    )
    assert [r.outcome for r in receive(far, reference, forms, CLOCK, workers=1).receipts] == ["accepted"]


def test_what_is_no_delivery_is_left_alone(far: DataRoot, reference: Reference, forms: Forms) -> None:
    keys = ("loose.zip", f"{SENDER}/.hidden.zip", f"{SENDER}/r.zip.partial", f"{SENDER}/a/b.zip",
            ".x/r.zip", f"{SENDER}/../r.zip", f"{SENDER}//r.zip")  # fmt: skip
    for key in keys:
        inbox_bucket(far).put(key, b"x")
    assert (waiting(far), inbox_of(far).never_taken()) == (0, 4)
    assert receive(far, reference, forms, CLOCK).receipts == []
    assert len(inbox_bucket(far).objects()) == len(keys)
    assert not list(far.path.parent.rglob("r.zip"))


def test_odd_names_stay_names(here: None, far: DataRoot, reference: Reference, forms: Forms) -> None:
    names = ["a b+c%20é.zip", "tab\there.zip", "~$ return.xlsx", "-rf.zip", "=1+1.zip"]
    for name in names:
        inbox_bucket(far).put(f"{SENDER}/{name}", name.encode())
    taken = receive(far, reference, forms, CLOCK)
    assert sorted(r.file_name for r in taken.receipts) == sorted(
        name.replace("\t", "\ufffd") for name in names
    )
    assert inbox_bucket(far).objects() == []


# --- kills, and others at work -----------------------------------------------------------------------------

STEPS = {
    "the ticket's folder is made": (Path, "mkdir"),
    "a note is written": (inbox, "_write_note"),
    "an object is downloaded": (Bucket, "download"),
    "a download or a ticket gets its name": (Path, "rename"),
    "an object is deleted": (Bucket, "delete"),
    "the note of an object goes": (Path, "unlink"),
    "a ticket's object is let go": (BucketInbox, "release"),
    "an object is kept": (Bucket, "put"),
    "what was kept is read back": (BucketStore, "_read"),
    "a receipt is appended": (receipts.Ledger, "append"),
    "the ticket is cleared away": (shutil, "rmtree"),
}


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory, reference: Reference, forms: Forms) -> DataRoot:
    """A data root of folders after an undisturbed run; what was delivered to it lies in `delivered`."""
    root = DataRoot(tmp_path_factory.mktemp("near") / "data").create()
    prepare(root, reference, forms)
    shutil.copytree(root.inbox, root.path / "delivered" / "inbox")
    receive(root, reference, forms, CLOCK, workers=1)
    return root


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_ends_as_an_undisturbed_run_does(
    here: None,
    near: DataRoot,
    tmp_path: Path,
    bucket: Buckets,
    reference: Reference,
    forms: Forms,
    step: str,
    after: bool,
) -> None:
    delivered = DataRoot(near.path / "delivered")
    send_up(delivered, far := far_root(tmp_path / "far", bucket))
    assert receive_and_be_killed(far, reference, forms, STEPS[step], 2, after)
    receive(far, reference, forms, CLOCK)
    assert here_kept(far) == here_kept(near)
    assert len(archive_bucket(far).objects()) == 3
    assert list(contents(inbox_bucket(far))) == ["arrivals.csv"]
    assert receive(far, reference, forms, CLOCK).receipts == []


def test_an_object_that_goes_before_its_turn_is_passed_over(
    here: None, far: DataRoot, reference: Reference, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming = inbox_bucket(far)
    for name in ("a.zip", "b.zip"):
        incoming.put(f"{SENDER}/{name}", name.encode())
    download = Bucket.download

    def take_back(self: Bucket, stored, target):  # type: ignore[no-untyped-def]
        if stored.key.endswith("a.zip"):
            incoming.delete_for_good(stored.key)
        return download(self, stored, target)

    monkeypatch.setattr(Bucket, "download", take_back)
    assert [r.file_name for r in receive(far, reference, forms, CLOCK).receipts] == ["b.zip"]
    assert list(far.holding.iterdir()) == []


@pytest.mark.parametrize("moment", ["download", "delete"])
def test_an_object_put_anew_while_it_is_taken_is_another_delivery(
    here: None,
    far: DataRoot,
    reference: Reference,
    forms: Forms,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    incoming = inbox_bucket(far)
    incoming.put(KEY, b"first")
    original = getattr(Bucket, moment)

    def put_anew(self: Bucket, stored, *rest):  # type: ignore[no-untyped-def]
        with monkeypatch.context() as patch:
            patch.setattr(Bucket, moment, original)
            incoming.put(KEY, b"second")
        monkeypatch.setattr(Bucket, moment, original)
        return original(self, stored, *rest)

    monkeypatch.setattr(Bucket, moment, put_anew)
    sizes = [r.bytes for _ in range(3) for r in receive(far, reference, forms, CLOCK).receipts]
    # Replaced before it could be downloaded, the first was never there; else both are judged.
    assert sizes == ([6] if moment == "download" else [5, 6])
    assert incoming.objects() == []


def test_the_same_object_again_is_taken_again(
    here: None, far: DataRoot, reference: Reference, forms: Forms
) -> None:
    for _ in range(2):  # within one second, so that name, arrival and ETag are the same
        inbox_bucket(far).put(KEY, b"bytes")
        assert len(receive(far, reference, forms, CLOCK).receipts) == 1
    tickets = [r.ticket for r in Ledger(far.receipts).read()]
    assert len(set(tickets)) == 2


def test_a_stamp_tells_when_an_object_is_written_anew(far: DataRoot) -> None:
    inbox_bucket(far).put(KEY, b"first")
    first = waiting_files(far)
    assert waiting_files(far) == first
    inbox_bucket(far).put(KEY, b"second")
    assert [file[:2] for file in waiting_files(far)] == [(SENDER, "return.zip")] and waiting_files(
        far
    ) != first


def test_a_broken_journal_is_refused_before_anything_moves(
    far: DataRoot, reference: Reference, forms: Forms
) -> None:
    inbox_bucket(far).put(KEY, b"x")
    inbox_bucket(far).put("arrivals.csv", b"sender,file\nx,y\n")
    with pytest.raises(ReceiveError, match=r"s3://.*arrivals\.csv cannot be read"):
        receive(far, reference, forms, CLOCK)
    assert waiting_files(far)


# --- the archive -------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "return.zip"
    path.write_bytes(b"content")
    return path


def test_the_archive_of_a_bucket_is_written_once_and_checked(far: DataRoot, file: Path) -> None:
    store, sha256 = archive_of(far), sha256_of(file)
    key = f"{sha256[:2]}/{sha256}.zip"
    assert store.put(file, sha256, "zip") == f"{far.archive_url}/{key}"
    put_at = archive_bucket(far).head(key)
    assert store.put(file, sha256, "zip") and archive_bucket(far).head(key) == put_at
    copy = store.get(sha256, "zip")
    assert copy.read_bytes() == b"content" and copy.parent == far.archive_cache
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o400, 0o700)

    archive_bucket(far).put(key, b"altered")
    assert store.get(sha256, "zip").read_bytes() == b"content"
    copy.unlink()
    for use in (lambda: store.get(sha256, "zip"), lambda: store.put(file, sha256, "zip")):
        with pytest.raises(ArchiveError, match="does not hold the bytes its name says"):
            use()
    assert contents(archive_bucket(far)) == {key: b"altered"}
    assert store.remove(sha256, "zip") and not store.holds(sha256, "zip")
    with pytest.raises(ArchiveError, match="is missing"):
        store.get(sha256, "zip")


def test_a_damaged_copy_is_fetched_again(far: DataRoot, file: Path) -> None:
    store, sha256 = archive_of(far), sha256_of(file)
    store.put(file, sha256, "zip")
    copy = store.get(sha256, "zip")
    copy.chmod(0o600)
    copy.write_bytes(b"damaged")
    assert store.get(sha256, "zip").read_bytes() == b"content"


def test_another_writer_is_never_overwritten(
    far: DataRoot, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, sha256 = archive_of(far), sha256_of(file)
    key = f"{sha256[:2]}/{sha256}.zip"
    archive_bucket(far).put(key, b"theirs")
    # As if theirs came between the question and the put.
    answers = iter([None])
    head = Bucket.head
    monkeypatch.setattr(Bucket, "head", lambda self, key: next(answers, head(self, key)))
    with pytest.raises(ArchiveError, match="does not hold the bytes"):
        store.put(file, sha256, "zip")
    assert contents(archive_bucket(far)) == {key: b"theirs"}


def test_a_file_that_changed_after_it_was_judged_is_not_archived(far: DataRoot, file: Path) -> None:
    sha256 = sha256_of(file)
    file.write_bytes(b"swapped")
    with pytest.raises(ArchiveError, match="deliver it again"):
        archive_of(far).put(file, sha256, "zip")
    assert archive_bucket(far).objects() == []


def test_copies_stay_within_their_bound(far: DataRoot, tmp_path: Path) -> None:
    store = BucketStore(archive_bucket(far), far.archive_cache, cache_bytes=250)
    hashes = []
    for number in range(4):
        path = tmp_path / str(number)
        path.write_bytes(bytes([number]) * 100)
        hashes.append(sha256_of(path))
        store.put(path, hashes[-1], "zip")
        store.get(hashes[-1], "zip")
    assert sorted(path.stem for path in far.archive_cache.iterdir()) == sorted(hashes[2:])


def test_a_kept_version_goes_too_when_content_is_removed(far: DataRoot, file: Path) -> None:
    bucket, sha256 = archive_bucket(far), sha256_of(file)
    bucket._system.call_s3(
        "put_bucket_versioning", Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    archive_of(far).put(file, sha256, "zip")
    bucket.put(f"{sha256[:2]}/{sha256}.zip", b"content")
    assert archive_of(far).remove(sha256, "zip")
    left = bucket._system.call_s3("list_object_versions", Bucket=bucket.name)
    assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_a_lost_table_is_parsed_again_from_a_bucket(
    here: None, far: DataRoot, reference: Reference, forms: Forms, good: ReturnFile, tmp_path: Path
) -> None:
    inbox_bucket(far).put(KEY, good.zip(tmp_path / "r.zip").read_bytes())
    inbox_bucket(far).put(
        "arrivals.csv",
        f"sender_code,file_name,arrived_at\n{SENDER},return.zip,2025-07-15T10:00:00Z\n".encode(),
    )
    receive(far, reference, forms, CLOCK)
    quarter = Period.parse("2025-26-Q1")
    build_raw(far, reference, forms, [quarter], through=quarter)
    before = tree(far.raw)
    shutil.rmtree(far.raw)
    build_raw(far, reference, forms, [quarter], through=quarter)
    assert tree(far.raw) == before


def test_a_put_or_a_deletion_whose_condition_fails_changes_nothing(
    far: DataRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = archive_bucket(far)
    assert bucket.put("a", b"one", only_if="")
    listed = bucket.head("a")
    assert listed is not None
    assert not bucket.put("a", b"two", only_if="") and not bucket.put("a", b"two", only_if='"0"')
    assert not bucket.put("b", b"two", only_if=listed.etag)
    assert bucket.put("a", b"two", only_if=listed.etag)
    # As if it was put anew between the question and the deletion.
    monkeypatch.setattr(Bucket, "head", lambda self, key: listed)
    assert not bucket.delete(listed)
    assert contents(bucket) == {"a": b"two"}


# --- settings and errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("s3://vcc-inbox", "s3://vcc-inbox"),
        ("s3://vcc-inbox/returns/", "s3://vcc-inbox/returns"),
        ("s3://vcc/a/b", "s3://vcc/a/b"),
    ],
)
def test_urls(text: str, url: str) -> None:
    assert checked_url("VCC_INBOX", text) == url


@pytest.mark.parametrize(
    "text",
    [
        "s3://KEY:secret@bucket/x",
        "/data/inbox",
        "https://host/bucket",
        "s3://b",
        "s3://b/../x",
        "s3://bkt/a?x=1",
    ],
)
def test_what_is_no_place_in_storage_is_refused_unseen(text: str) -> None:
    with pytest.raises(ValueError, match="VCC_INBOX is not a place in object storage") as error:
        checked_url("VCC_INBOX", text)
    assert text not in str(error.value).replace("s3://bucket/prefix", "") and "secret" not in str(error.value)


def test_storage_that_is_not_there_is_said_without_secrets(
    storage: str, tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    root = DataRoot(tmp_path, "s3://no-such-bucket/inbox").create()
    for use in (lambda: waiting(root), lambda: receive(root, reference, forms, CLOCK)):
        with pytest.raises(StorageError, match="no bucket for s3://no-such-bucket/inbox") as error:
            use()
        assert "test-secret" not in str(error.value) and "test-key" not in str(error.value)


def test_nothing_of_storage_is_loaded_for_a_folder(project_folder: Path) -> None:
    told = (
        "import sys, ingest.receive, ingest.erasure, orchestration.delivery, orchestration.pending;"
        "print([name for name in sys.modules if name.split('.')[0] in"
        " ('s3fs', 'fsspec', 'boto3', 'botocore', 'aiobotocore', 'aiohttp')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=project_folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

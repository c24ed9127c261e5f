"""Delivering into a bucket: whole, with the arrival noted first, and by several at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.inbox import BucketInbox, read_journal, take_in
from ingest.paths import DataRoot
from ingest.storage import Bucket
from orchestration import cli
from orchestration import delivery as module
from orchestration.delivery import Delivery, deliver_to_bucket, delivered, lying, submit, undelivered
from orchestration.pending import staleness
from orchestration.project import SettingError, open_project
from orchestration.warehouse import Build

NOON = datetime(2025, 8, 1, 12, tzinfo=UTC)
SENDER = "E23000028-police"

Buckets = Callable[[str], Bucket]


@pytest.fixture
def inbox(bucket: Buckets) -> Bucket:
    return bucket("inbox")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    path.write_bytes(b"content")
    return path


def several(tmp_path: Path, count: int = 3) -> list[Delivery]:
    deliveries = []
    for number in range(count):
        source = tmp_path / f"{number}.zip"
        source.write_bytes(source.name.encode())
        deliveries.append(Delivery(source, SENDER, source.name, NOON))
    return deliveries


def test_a_file_arrives_with_its_arrival_noted(inbox: Bucket, file: Path) -> None:
    assert submit(inbox, file, SENDER, NOON) == f"{inbox.url}/{SENDER}/a.zip"
    assert delivered(inbox) == [(SENDER, "a.zip", "2025-08-01T12:00:00Z")]
    assert read_journal(BucketInbox(inbox.url, file.parent)) == {(SENDER, "a.zip"): [NOON]}
    with pytest.raises(SettingError, match="still waits in the inbox"):
        submit(inbox, file, SENDER, NOON)
    inbox.delete_for_good(f"{SENDER}/a.zip")
    submit(inbox, file, SENDER, NOON)
    assert delivered(inbox)[1][2] == "2025-08-01T12:00:01Z"
    assert inbox.read(f"{SENDER}/a.zip") == (b"content", inbox.head(f"{SENDER}/a.zip").etag)  # type: ignore[union-attr]


def test_submitting_at_once_loses_no_arrival(inbox: Bucket, tmp_path: Path) -> None:
    sources = [each.source for each in several(tmp_path, 8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda source: submit(Bucket(inbox.url), source, SENDER, NOON), sources))
    assert sorted(name for _, name, _ in delivered(inbox)) == sorted(source.name for source in sources)
    assert len(lying(inbox)) == 8


def test_a_delivery_that_was_killed_is_completed_and_none_is_made_twice(
    inbox: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = DataRoot(tmp_path / "data", inbox.url).create()
    deliveries = several(tmp_path)
    tickets: list[str] = []
    put = module._put

    def dies(bucket: Bucket, delivery: Delivery) -> str:
        if delivery.file_name == "2.zip":
            raise KeyboardInterrupt
        return put(bucket, delivery)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_put", dies)
        with pytest.raises(KeyboardInterrupt):
            deliver_to_bucket(inbox, undelivered(inbox, deliveries, lambda: tickets))
    assert len(delivered(inbox)) == 3
    # What has been taken in meanwhile is not there any more, and not to be delivered again.
    clock = open_project(tmp_path / "data", "2025-08-02").clock
    tickets += [ticket.name for ticket in take_in(root, set(), clock, 0).tickets]
    left = undelivered(inbox, deliveries, lambda: tickets)
    assert [each.file_name for each in left] == ["2.zip"]
    deliver_to_bucket(inbox, left)
    assert lying(inbox) == [(SENDER, "2.zip")] and len(delivered(inbox)) == 3
    assert undelivered(inbox, deliveries, lambda: tickets) == []


def test_a_missing_file_is_refused_before_anything_is_noted(inbox: Bucket, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        deliver_to_bucket(inbox, [Delivery(tmp_path / "none.zip", SENDER, "none.zip", NOON)])
    assert inbox.objects() == []


def test_the_commands_deliver_to_the_bucket_that_the_environment_names(
    inbox: Bucket,
    bucket: Buckets,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VCC_INBOX", f"{inbox.url}/")
    monkeypatch.setenv("VCC_ARCHIVE", bucket("archive").url)
    data_root = tmp_path / "data"
    root = open_project(data_root).root
    assert (root.inbox_url, root.archive_url) == (inbox.url, bucket("archive").url)
    small = ("sample", "--quarters", "1", "--areas", "E23000028", "--no-breakdowns")
    assert cli.main(["--data-root", str(data_root), *small]) == cli.OK
    assert inbox.url in capsys.readouterr().out
    sampled = lying(inbox)
    assert len(sampled) > 5 and not list((data_root / "inbox").iterdir())
    assert cli.main(["--data-root", str(data_root), *small]) == cli.OK
    assert "already" in capsys.readouterr().out
    assert cli.main(["--data-root", str(data_root), "submit", str(file), "--sender", SENDER]) == cli.OK
    assert set(lying(inbox)) == {*sampled, (SENDER, "a.zip")}
    assert cli.main(["--data-root", str(data_root), "clean"]) == cli.UNUSABLE
    assert inbox.url in capsys.readouterr().err
    assert cli.main(["--data-root", str(data_root), "status"]) == cli.OK
    assert f"{len(sampled) + 1} files wait" in capsys.readouterr().out


def test_a_setting_that_is_no_url_is_one_line_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VCC_INBOX", "s3://AKIA:topsecret@bucket/x")
    assert cli.main(["--data-root", str(tmp_path), "status"]) == cli.UNUSABLE
    said = capsys.readouterr().err
    assert (
        said.startswith("vcc: VCC_INBOX is not a place") and "topsecret" not in said and said.count("\n") == 1
    )


def test_whoever_reads_the_marts_is_told_that_the_inbox_cannot_be_reached(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCC_INBOX", "s3://no-such-bucket")
    project = open_project(tmp_path, "2025-08-01")
    reasons = staleness(project, Build("b0", tmp_path))
    assert "not known: There is no bucket for s3://no-such-bucket;" in reasons[0]


def test_limits_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCC_LIMIT_ROWS", "7")
    assert open_project(tmp_path).limits.rows == 7
    monkeypatch.setenv("VCC_LIMIT_ROWS", "many")
    with pytest.raises(SettingError, match="VCC_LIMIT_ROWS"):
        _ = open_project(tmp_path).limits

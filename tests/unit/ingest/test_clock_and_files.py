from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ingest.clock import FixedClock, SystemClock, format_instant, local_day, parse_instant
from ingest.files import replacing, sha256_of
from ingest.locking import exclusive
from ingest.paths import DataRoot


def test_a_fixed_clock_stands_still_in_utc() -> None:
    clock = FixedClock(datetime(2025, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == clock.now() == datetime(2025, 7, 1, 10, 0, tzinfo=UTC)
    assert SystemClock().now().tzinfo is UTC


def test_an_instant_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="no timezone"):
        FixedClock(datetime(2025, 7, 1))
    with pytest.raises(ValueError, match="2025-08-01T09:30:00Z"):
        parse_instant("1 August 2025")


def test_instants_survive_writing_and_sort_as_text() -> None:
    early, late = parse_instant("2025-08-01T09:30:00Z"), parse_instant("2025-08-01T11:00:00.5+01:00")
    assert parse_instant(format_instant(late)) == late
    assert format_instant(early) < format_instant(late)


def test_a_day_is_the_day_in_london() -> None:
    assert local_day(parse_instant("2025-08-11T23:30:00Z")) == date(2025, 8, 12)  # summer time
    assert local_day(parse_instant("2025-12-11T23:30:00Z")) == date(2025, 12, 11)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("killed")
    assert path.read_text() == "first"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_sha256_of_known_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_private_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    root = DataRoot(tmp_path / "data").create()
    for folder in (root.holding, root.quarantine, root.drafts, root.restricted):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_folders_with_exact_figures_are_closed_to_others(tmp_path: Path) -> None:
    root = DataRoot(tmp_path / "data")
    before = os.umask(0)
    try:
        root.create()
    finally:
        os.umask(before)
    for folder in (root.path, root.inbox, root.archive, root.raw, root.register, root.warehouse, root.ledger):
        assert folder.stat().st_mode & 0o777 == 0o750
    root.inbox.chmod(0o770)
    assert root.create().inbox.stat().st_mode & 0o777 == 0o770


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    root = DataRoot(tmp_path / "data").create()
    scraps = [folder / ".x.1.partial" for folder in (root.archive, root.raw, root.register, root.checks)]
    delivered = root.inbox / "BTP" / ".r.zip.partial"
    delivered.parent.mkdir()
    for scrap in (*scraps, delivered):
        scrap.write_bytes(b"half")
    os.utime(scraps[3], (0, 0))
    root.lock.write_text("12345")
    with exclusive(root):
        assert [scrap.exists() for scrap in scraps] == [False, False, True, False]
    assert delivered.exists()

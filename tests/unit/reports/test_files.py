from __future__ import annotations

import csv
import datetime as dt
import io
import os
import signal
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from reports.files import cell_text, csv_bytes, neutralised, publish_folder

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "  =", "\u00a0@"])
def test_text_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert neutralised(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "Cumbria", "90% and over", "a=b", "'quoted'", " blank before"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert neutralised(text) == text


def test_a_negative_number_stays_a_number_and_a_negative_text_does_not() -> None:
    assert cell_text(-5) == "-5"
    assert cell_text("-5") == "'-5"


def test_cells() -> None:
    assert [cell_text(value) for value in (None, True, False, 0, 0.5, Decimal("1.20"))] == [
        "",
        "true",
        "false",
        "0",
        "0.5",
        "1.20",
    ]
    assert cell_text(dt.date(2025, 6, 30)) == "2025-06-30"
    with pytest.raises(ValueError, match="correct the mart"):
        cell_text(float("nan"))
    with pytest.raises(TypeError, match="cast the column"):
        cell_text([1])


def test_csv_is_utf8_without_mark_crlf_and_quoted_only_where_needed() -> None:
    content = csv_bytes(["name", "count"], [("Dyfed-Powys, Ŵ", 10), ('say "no"', None), ("two\nlines", 5)])

    assert content == ('name,count\r\n"Dyfed-Powys, Ŵ",10\r\n"say ""no""",\r\n"two\nlines",5\r\n'.encode())
    assert list(csv.reader(io.StringIO(content.decode(), newline=""))) == [
        ["name", "count"],
        ["Dyfed-Powys, Ŵ", "10"],
        ['say "no"', ""],
        ["two\nlines", "5"],
    ]


def test_a_folder_is_private_and_holds_exactly_the_files(tmp_path: Path) -> None:
    target = tmp_path / "releases" / "draft" / "v1"

    assert publish_folder(target, {"a.txt": b"1", "b.txt": b"2"})
    assert publish_folder(target, {"b.txt": b"3"})

    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"b.txt": b"3"}
    assert [path.name for path in target.parent.iterdir()] == ["v1"]
    for folder in (target, target.parent, target.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((target / "b.txt").stat().st_mode) == 0o600


def test_the_same_content_touches_nothing(tmp_path: Path) -> None:
    target = tmp_path / "v1"
    publish_folder(target, {"a.txt": b"1"})
    before = (target.stat(), (target / "a.txt").stat())

    assert publish_folder(target, {"a.txt": b"1"}) is False

    after = (target.stat(), (target / "a.txt").stat())
    assert [(each.st_ino, each.st_mtime_ns) for each in after] == [
        (each.st_ino, each.st_mtime_ns) for each in before
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
import reports.files as files

step = int(sys.argv[2])
calls = 0

def dying(function):
    def wrapped(*arguments):
        global calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return wrapped

for name in ("_write_flushed", "_flush_folder", "_put_in_place"):
    setattr(files, name, dying(getattr(files, name)))
files.shutil.rmtree = dying(files.shutil.rmtree)
if len(sys.argv) > 3:
    files._exchanged = lambda one, other: False
    Path.rename = dying(Path.rename)
files.publish_folder(Path(sys.argv[1]), {"a.txt": b"new", "b.txt": b"new", "sums": b"new"}, last=("sums",))
"""
OLD = {"a.txt": b"old", "sums": b"old"}
NEW = {"a.txt": b"new", "b.txt": b"new", "sums": b"new"}


def run_killed(target: Path, step: int, *extra: str) -> int:
    command = [sys.executable, "-c", KILLED, str(target), str(step), *extra]
    return subprocess.run(command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": "."}, check=False).returncode


def content(target: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in target.iterdir()} if target.exists() else {}


def test_killed_at_any_step_leaves_the_old_folder_or_the_new_one(tmp_path: Path) -> None:
    seen = []
    for step in range(1, 20):
        target = tmp_path / str(step) / "v1"
        publish_folder(target, OLD)
        code = run_killed(target, step)
        assert content(target) in (OLD, NEW)
        seen.append(content(target))

        assert publish_folder(target, NEW) == (seen[-1] == OLD)
        assert content(target) == NEW
        assert [path.name for path in target.parent.iterdir()] == ["v1"]
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert seen.count(OLD) >= 5  # three files, the folder, the exchange
    assert code == 0


def test_where_folders_cannot_be_exchanged_the_next_run_completes(tmp_path: Path) -> None:
    for step in range(1, 20):
        target = tmp_path / str(step) / "v1"
        publish_folder(target, OLD)
        code = run_killed(target, step, "no-exchange")

        publish_folder(target, OLD)
        assert content(target) == OLD
        publish_folder(target, NEW)
        assert content(target) == NEW
        assert [path.name for path in target.parent.iterdir()] == ["v1"]
        if code == 0:
            break
    assert code == 0

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from quality.validators import checksums


def test_a_whole_release_passes_here_and_with_the_common_tool(release: Path) -> None:
    assert checksums.validate(release) == []

    run = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=release, capture_output=True)
    assert run.returncode == 0, run.stderr


def _alter(release: Path) -> None:
    path = release / "areas.csv"
    path.write_bytes(path.read_bytes().replace(b"Cumbria", b"Cumbrla"))


def _list_twice(release: Path) -> None:
    sums = release / "SHA256SUMS"
    sums.write_text(sums.read_text() + sums.read_text().splitlines()[0] + "\n")


def _spoil_line(release: Path) -> None:
    sums = release / "SHA256SUMS"
    sums.write_text("not a hash  areas.csv\n" + "".join(sums.read_text().splitlines(keepends=True)[1:]))


def _point_elsewhere(release: Path) -> None:
    sums = release / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  areas.csv", "  ../areas.csv"))


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        (_alter, "areas.csv", "areas.csv has SHA-256"),
        (lambda release: (release / "codes.csv").unlink(), "codes.csv", "but not in the folder"),
        (lambda release: (release / "extra.csv").write_text("x"), "extra.csv", "but not in SHA256SUMS"),
        (lambda release: (release / "more").mkdir(), "more", "but not in SHA256SUMS"),
        (_list_twice, "SHA256SUMS", "a second time"),
        (_spoil_line, "SHA256SUMS", "SHA256SUMS line 1 is not"),
        (_point_elsewhere, "SHA256SUMS", "is not 64 hexadecimal digits, two blanks, a file name"),
        (lambda release: (release / "SHA256SUMS").unlink(), "SHA256SUMS", "SHA256SUMS is missing"),
    ],
)
def test_a_spoiled_release_is_found_out(
    release: Path, spoil: Callable[[Path], object], file: str, words: str
) -> None:
    spoil(release)

    faults = checksums.validate(release)

    assert any(fault.file == file and words in fault.message for fault in faults), faults

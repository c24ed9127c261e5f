"""How a finished document reaches the disk: bytes first, then a whole folder at once.

Every report builds its files in memory as bytes (the same rows give the same bytes) and hands them over to
`publish_folder`, which leaves either the folder as it was or the new one, never a mixture.
"""

from __future__ import annotations

import csv
import ctypes
import datetime as dt
import errno
import io
import math
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600

# What spreadsheets take for the start of a formula, the full-width forms too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def neutralised(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would run it as a formula."""
    # Leading blanks do not protect: some programs trim them before they look.
    return (
        f"'{text}" if text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS) else text
    )


def cell_text(value: object) -> str:
    """One value as the text of a CSV cell: numbers plain, truth values `true`/`false`, nothing for None.

    Raises ValueError for a number that is not finite and TypeError for a kind of value no table should hold.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"A figure is {value}, which no file may hold; correct the mart it comes from.")
        return repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, str):
        return neutralised(value)
    raise TypeError(f"A CSV cell cannot hold {type(value).__name__}; cast the column in its mart.")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180: UTF-8 without a byte order mark, CRLF, one header row, quotes only where needed."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell_text(value) for value in row])
    return stream.getvalue().encode("utf-8")


def publish_folder(target: Path, files: Mapping[str, bytes], *, last: Sequence[str] = ()) -> bool:
    """Makes `target` hold exactly `files` (path below it -> content) and tells whether anything changed.

    The folder is written beside the target under a temporary name, `last` files last, flushed to disk, and
    exchanged with it in one step: a process killed at any moment leaves the old folder or the new one. When
    the content is already there, no file is touched. Folders are 0700 and files 0600.
    """
    parent = target.parent
    _make_private_folder(parent)
    scrap = parent / f".{target.name}.partial"
    previous = parent / f".{target.name}.previous"
    if previous.is_dir() and not target.exists():
        previous.rename(target)  # killed between the two renames of a file system that cannot exchange
    for leftover in (scrap, previous):
        if leftover.exists():
            shutil.rmtree(leftover)
    if _holds(target, files):
        return False
    scrap.mkdir(mode=PRIVATE_FOLDER)
    ordered = [name for name in sorted(files) if name not in last] + [name for name in last if name in files]
    folders = {scrap / folder for name in files for folder in Path(name).parents if folder != Path()}
    for folder in sorted(folders):
        folder.mkdir(mode=PRIVATE_FOLDER)
    for name in ordered:
        _write_flushed(scrap / name, files[name])
    for folder in (*sorted(folders, reverse=True), scrap):
        _flush_folder(folder)
    _put_in_place(scrap, target, previous)
    _flush_folder(parent)
    for leftover in (scrap, previous):
        if leftover.exists():
            shutil.rmtree(leftover)
    return True


def _make_private_folder(folder: Path) -> None:
    missing = [step for step in (folder, *folder.parents) if not step.exists()]
    for step in reversed(missing):
        step.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def _holds(target: Path, files: Mapping[str, bytes]) -> bool:
    if not target.is_dir():
        return False
    present = {
        path.relative_to(target).as_posix(): path
        for path in target.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    return set(present) == set(files) and all(
        present[name].is_file() and present[name].read_bytes() == content for name, content in files.items()
    )


def _write_flushed(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(scrap: Path, target: Path, previous: Path) -> None:
    if not target.exists():
        scrap.rename(target)
    elif not _exchanged(scrap, target):
        target.rename(previous)
        scrap.rename(target)


def _exchanged(one: Path, other: Path) -> bool:
    """Swaps two folders in one step of the file system; False where it cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}:
        return False
    raise OSError(number, os.strerror(number), str(other))

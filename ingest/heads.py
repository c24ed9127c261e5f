"""Heads: how far each append-only file of the ledger's folder reaches, kept outside that folder.

A chain of hashes cannot tell that its end is missing. Its head can: an end that was cut off, or a folder that
was restored from an older backup, is found. The head is written after the line it tells of, so that after a
kill it may be behind, never ahead.
Belongs here: reading and writing heads. Does not: the files themselves (ingest/receipts.py,
ingest/removals.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ingest.files import replacing
from ingest.paths import HEADS

FIRST_PREVIOUS_HASH = "0" * 64
"""What the first line of a chain carries as the hash of the line before it."""


class HeadError(RuntimeError):
    """A head cannot be read. The text says which and how to mend it."""


@dataclass(frozen=True)
class Head:
    """Number of lines of an append-only file, and the hash of the last one."""

    lines: int = 0
    last_hash: str = FIRST_PREVIOUS_HASH


def head_path(path: Path) -> Path:
    """Return where the head of a file of the ledger's folder lies."""
    return path.parent.parent / HEADS / f"{path.stem}.json"


def read_head(path: Path) -> Head | None:
    """Return the head of an append-only file, or None if it has none. Raises HeadError for a damaged one."""
    place = head_path(path)
    try:
        values = json.loads(place.read_bytes())
        return Head(int(values["lines"]), str(values["last_hash"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise HeadError(f"{place} cannot be read; restore it from a backup.") from error


def write_head(path: Path, head: Head) -> None:
    """Replace the head of an append-only file."""
    content = json.dumps({"last_hash": head.last_hash, "lines": head.lines})
    with replacing(head_path(path)) as temporary:
        temporary.write_text(f"{content}\n", encoding="utf-8")


def missing_end(path: Path, head: Head, present: int, what: str, again: str) -> str | None:
    """Say how many lines of a file are missing at its end, and what to do; None if none are.

    present is how many there are, what is the word for one, again says how to make up for a loss.
    """
    gone = head.lines - present
    if gone <= 0:
        return None
    return (
        f"End: {gone:,} of {head.lines:,} {what}s {'are' if gone > 1 else 'is'} missing; the end was cut off,"
        f" or an older backup was restored. Restore {path} from the latest backup. If no copy is whole,"
        f" delete {head_path(path)} to accept the loss, and {again}."
    )

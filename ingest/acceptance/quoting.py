"""How a cell is shown in a report: enough to find the slip, never enough to name a person."""

from __future__ import annotations

import re
from datetime import date, datetime

from ingest.acceptance.person import screen
from ingest.readers import Cell

_NUMBER_LIKE = re.compile(r"[-\u2212+]?[\d.,%/: -]{1,24}\Z", re.ASCII)
_CODE_LIKE = re.compile(r"[A-Za-z0-9_+.-]{1,40}\Z", re.ASCII)
_MARK_OF_A_CODE = re.compile(r"[0-9_]|\A[A-Z]{2,4}\Z")


def quote(cell: Cell | None) -> str:
    """Return a cell for a report.

    Only numbers, dates and what is plainly a code are quoted; words are described.
    """
    if cell is None or cell == "":
        return "nothing"
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int):
        text = f"{cell:.12g}"
    elif isinstance(cell, datetime | date):
        return cell.isoformat()
    elif isinstance(cell, str):
        text = cell
    else:
        return "a time"
    plain = bool(_NUMBER_LIKE.match(text)) or bool(_CODE_LIKE.match(text) and _MARK_OF_A_CODE.search(text))
    if plain and not screen(text):
        return text
    return f"text of {len(text)} characters"

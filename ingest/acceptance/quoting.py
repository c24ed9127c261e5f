"""How a cell is shown in a report: enough to find the slip, never enough to name a person."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from ingest.acceptance.person import screen
from ingest.readers import Cell

_SHORT_NUMBER = re.compile(r"[-\u2212+]?\d{1,3}(?:,?\d{3})?(?:\.\d{1,4})?%?\Z", re.ASCII)
_CODE = re.compile(
    r"[EWNSK]\d{8}(?:-[a-z]{2,9})?"  # area; body or sender of an area
    r"|(?:cps|hmcts|prob|yjs)-[a-z]+(?:-[a-z]+){0,6}|BTP|MDP|NAT|ALL"
    r"|[rl]\d{1,2}_[a-z]\d{1,2}(?:_[a-z0-9]+){0,6}"  # metric, question, item
    r"|[A-Z]{3}\d{1,2}"  # close to a crime type
    r"|\d{4}-\d{2}-(?:Q\d|H\d|FY)",  # period
    re.ASCII,
)
_NUMBER = re.compile(r"[-\u2212+]?\d[\d., ]*%?\Z", re.ASCII)
_DATE = re.compile(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}(?:[ T][\d:.]*Z?)?\Z", re.ASCII)
_LONGEST_CODE = 50
_WHOLE_UP_TO = 10**18
_WORDS = frozenset(
    (
        "-", ".", "?", "n", "n/a", "na", "nil", "no", "none", "not applicable", "not available",
        "not collected", "not known", "tba", "tbc", "tbd", "unknown", "x", "y", "yes", "zero",
    )
)  # fmt: skip
"""What people write where they have nothing to write. It is quoted, for it says nothing about anybody."""


def quote(cell: Cell | None) -> str:
    """Return a cell for a report.

    Only short numbers, what has the shape of a code of the form's lists, and a few words for nothing are
    quoted. Dates, longer numbers and all other text are described: any of them may be about a person.
    """
    if cell is None or cell == "":
        return "nothing"
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float | int):
        text = f"{cell:.0f}" if abs(cell) < _WHOLE_UP_TO and cell == int(cell) else f"{cell:.12g}"
    elif isinstance(cell, datetime) and cell.time() != time.min:
        return "a date with a time of day"
    elif isinstance(cell, date):
        return "a date"
    elif isinstance(cell, str):
        text = cell
    else:
        return "a time"
    is_code = len(text) <= _LONGEST_CODE and _CODE.fullmatch(text) is not None
    if (is_code or _SHORT_NUMBER.match(text)) and not screen(text):
        return text
    if _DATE.match(text):
        return "a date written as text"
    if text.strip().lower() in _WORDS:
        return text.strip()
    if _NUMBER.match(text):
        return f"a number of {sum(letter.isdigit() for letter in text)} digits"
    return f"text of {len(text)} characters"

"""Text on its way into a spreadsheet: nothing that we write may be run as a formula when somebody opens it.

Belongs here: what a spreadsheet takes for the start of a formula, and how it is made inert. Does not: which
file is written where.
"""

from __future__ import annotations

import re

_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The full-width forms too: some programs take them for the plain ones."""
_BREAKS = ("\t", "\r", "\n")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
LONGEST_CELL = 32_767
LONGEST_TITLE = 31


def looks_like_formula(text: str) -> bool:
    """Say whether a spreadsheet may take a text for a formula: by its first character, or behind blanks."""
    return text.startswith(_BREAKS) or text.lstrip().startswith(_STARTS)


def writable(text: str) -> str:
    """Return a text without the characters that no workbook may hold, cut to what one cell takes."""
    return _NOT_IN_XML.sub("\ufffd", text)[:LONGEST_CELL]


def inert(text: str) -> str:
    """Return a text as it may stand in a cell, a comment or a CSV file: an apostrophe before a formula."""
    text = writable(text)
    return f"'{text[: LONGEST_CELL - 1]}" if looks_like_formula(text) else text


def inert_title(text: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """Return the title of a sheet: without the marks that titles may not have, and unlike those taken."""
    base = _NOT_IN_TITLES.sub("_", writable(text)).strip().strip("'")
    if not base or looks_like_formula(base):
        base = f"_{base}"
    base = base[:LONGEST_TITLE]
    title, number = base, 1
    lowered = {other.lower() for other in taken}
    while title.lower() in lowered:
        number += 1
        title = f"{base[: LONGEST_TITLE - len(str(number)) - 1]}_{number}"
    return title

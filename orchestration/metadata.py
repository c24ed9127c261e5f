"""What a person reads beside an asset: links, tables and counts, in Dagster's own types.

What belongs here: formatting. What does not: deciding what is worth showing (each step does).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import dagster as dg

#: Longer tables are cut: the page is for finding out, the files are for all of it.
ROWS_SHOWN = 50


def link(path: Path | str) -> dg.MetadataValue:
    """Return a path, or a URL that is no web page, that the page shows as one to copy."""
    return dg.MetadataValue.path(str(path))


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], shown: int = ROWS_SHOWN
) -> dg.MetadataValue:
    """Return rows as a table; the word "none" if there are none, and how many were cut if there are many."""
    listed = [[_cell(value) for value in row] for row in rows]
    if not listed:
        return dg.MetadataValue.text("none")
    lines = [list(header), ["---"] * len(header), *listed[:shown]]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    if len(listed) > shown:
        text += f"\n\n{len(listed) - shown} more"
    return dg.MetadataValue.md(text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(str(value).replace("|", "\\|").split())

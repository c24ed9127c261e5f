"""What a chart is, wherever it is put: one picture at two widths, its words, its table, its CSV.

Belongs here: the finished parts of a chart. Does not: how they are drawn (charts.py), nor
how they are laid on a page (html.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Widths in CSS pixels that a picture is drawn for: a phone of 320 px, and a column of text.
NARROW, WIDE = 280, 720


@dataclass(frozen=True)
class FigureTable:
    """The rows of a chart as text, as they stand in the table beside it and in its CSV.

    `numeric` tells for each column whether it holds figures (right-aligned); `notes` are the sentences that
    explain the shorthands that occur.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A chart, finished. `svg_wide`/`svg_narrow` are whole documents with `<title>` and `<desc>`.

    `title` is what the page author wrote, `sentence` what the chart shows, generated from the same rows.
    `spec` is the Vega-Lite specification that both pictures were made of; `csv_header` and `csv_rows` hold
    values, not text, so that numbers stay numbers.
    """

    kind: str
    title: str
    sentence: str
    table: FigureTable
    csv_header: tuple[str, ...]
    csv_rows: tuple[tuple[object, ...], ...]
    svg_wide: str
    svg_narrow: str
    spec: dict[str, object]

    def png(self, scale: float = 2.0) -> bytes:
        """The wide picture as PNG, for documents that take no SVG."""
        import vl_convert

        return bytes(vl_convert.svg_to_png(self.svg_wide, scale=scale))


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""

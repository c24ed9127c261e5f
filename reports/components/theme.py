"""One look for all charts: colours, dashes, point shapes, text sizes, the Vega-Lite configuration.

Colours are those of GOV.UK and of the Government Analysis Function's guidance on charts. No series is told
by its colour alone: each has a dash and a point shape of its own as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from reports.components.figure import NARROW
from reports.components.reading import ComponentError

FONT = "Arial, Liberation Sans, sans-serif"
INK = "#0b0c0c"
GREY_INK = "#505a5f"
PAPER = "#ffffff"
GRID = "#cecece"
#: A mark that stands for one series, one area, one figure.
MAIN = "#1d70b8"
#: A mark that a page points out among others; it also has another shape and a label.
HIGHLIGHT = "#801650"
#: The other marks where one is pointed out.
MUTED = "#6f777b"

SERIES_COLOURS = ("#1d70b8", "#f46a25", "#0b0c0c", "#28a197", "#801650", "#54319f")
SERIES_DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (8, 3), (2, 3), (10, 3, 2, 3), (5, 5), (14, 4))
SERIES_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")

#: Fills of a tile map from low to high, with the colour of the text that stands in each.
CLASS_FILLS = (
    ("#eef5fb", INK),
    ("#bcd8ee", INK),
    ("#7fb2dc", INK),
    ("#1d70b8", PAPER),
    ("#0f385c", PAPER),
)
NO_FIGURE_FILL = PAPER


def series_styles(kind: str, names: tuple[str, ...]) -> Mapping[str, int]:
    """The place of each series among colours, dashes and shapes. Raises ComponentError for more than six."""
    if len(names) > len(SERIES_COLOURS):
        raise ComponentError(
            f"{kind}: {len(names)} series are more than the {len(SERIES_COLOURS)} that can be told apart;"
            " use small_multiples, which draws each by itself."
        )
    return {name: place for place, name in enumerate(names)}


def text_size(width: int) -> int:
    """Size of the text in a picture in CSS pixels: never below 12 where it is shown at its own width."""
    return 13 if width <= NARROW else 14


def config(width: int) -> dict[str, object]:
    """The Vega-Lite configuration for a picture of a width."""
    size = text_size(width)
    text = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": size, "titleFontSize": size}
    return {
        "aria": False,
        "background": PAPER,
        "font": FONT,
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelColor": INK,
            "titleColor": INK,
            "titleFontWeight": "normal",
            "domainColor": GREY_INK,
            "tickColor": GREY_INK,
            "gridColor": GRID,
            "labelLineHeight": size + 3,
            "labelLimit": 0,
            "titleLimit": 0,
            "labelFlush": False,
        },
        "header": {**text, "labelColor": INK, "labelLimit": 0},
        "text": {"font": FONT, "fontSize": size, "color": INK, "lineHeight": size + 3},
    }

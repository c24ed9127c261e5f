"""Tile map: one square for each area at about its place in the country, with its figure in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reports.components import theme, words
from reports.components.drawing import Data, Margins, figure, framed, layer
from reports.components.figure import NARROW, Figure, joined
from reports.components.reading import (
    ComponentError,
    Point,
    checked_format,
    checked_rows,
    csv_part,
    heading,
    number,
    point,
    required_text,
    shown,
)
from reports.components.scales import PERCENT, nice_step
from reports.components.tables import Column, figure_table
from reports.components.text import text_width, wrapped
from reports.engine.rows import Row

#: A square of a wide map is no larger than this.
LARGEST = 56
#: Signs that save room in a square, and what they mean.
SIGNS = {
    "~": "~ about: to the nearest 10%",
    "+": "+ and over",
    "\u2264": "\u2264 up to",
    "<": "< under",
    "k": "k thousand",
}
_AND_OVER = re.compile(r"^([\d.]+)% and over$")
_UP_TO = re.compile(r"^up to ([\d.]+)%$")
_UNDER = re.compile(r"^under ([\d.]+)%$")
_FROM_TO = re.compile(r"^([\d.]+)% to ([\d.]+)%$")


def tile_map(
    rows: Sequence[Row],
    value: str,
    *,
    title: str,
    format: str = "percent",
    row: str = "tile_row",
    column: str = "tile_col",
    label: str = "abbreviation",
    name: str = "area_name",
) -> Figure:
    """One square an area, shaded by class, with the area's short name and its figure printed in it.

    A square without a figure is white with a dashed edge and holds what the table prints: `[c]`, or the range
    that is given instead. Rows without a place on the map stand in the table and are counted in the sentence.
    Raises ComponentError where two areas have one place.
    """
    kind = "tile_map"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    listed = checked_rows(kind, rows, [value, row, column, label, name])
    points = [point(kind, item, name, value, format) for item in listed]
    places = [_place(kind, item, row, column) for item in listed]
    seen: dict[tuple[int, int], str] = {}
    for item, at in zip(points, places, strict=True):
        if at is not None and at in seen:
            raise ComponentError(
                f"{kind}: {item.label[:60]!r} and {seen[at][:60]!r} have the same place"
                f" (row {at[0]}, column {at[1]});"
                " give one row for each area."
            )
        if at is not None:
            seen[at] = item.label
    if not seen:
        raise ComponentError(f"{kind}: no row has a place in {row} and {column}.")
    edges = class_edges([item.value for item in points if item.value is not None], format)
    classes = [None if item.value is None else class_of(item.value, edges) for item in points]
    sentence = tile_words(points, classes, edges, format, [at is not None for at in places])
    columns: list[Column] = [
        (name, heading(name), None),
        (label, "On the map", None),
        (value, heading(value), format),
    ]
    header, lines = csv_part(listed, [name, label, value])
    short = [shown(item[label]) for item in listed]

    def drawn(width: int) -> dict[str, Any]:
        return _spec(points, places, short, classes, edges, format, width)

    return figure(kind, title, sentence, figure_table(listed, columns), (header, lines), drawn)


def _place(kind: str, item: Row, row: str, column: str) -> tuple[int, int] | None:
    down, across = number(kind, item[row], None), number(kind, item[column], None)
    if down is None or across is None:
        return None
    if not (0 <= down < 40 and 0 <= across < 20):
        raise ComponentError(
            f"{kind}: there is no place in row {down:g}, column {across:g}; a map has 40 by 20."
        )
    return int(down), int(across)


def class_edges(values: Sequence[float], format: str) -> list[float]:
    """Where classes begin and end: at most as many as there are fills, all of the same round width."""
    if not values:
        return []
    low, high = min(values), max(values)
    span = max(high - low, 5.0 if format in PERCENT else 1.0)
    parts = len(theme.CLASS_FILLS)
    while True:
        step = nice_step(span, parts)
        start = step * int(low // step)
        count = int((high - start) // step) + 1
        # 100% closes the last class instead of opening one of its own.
        if format in PERCENT and high == 100 and count > 1 and start + (count - 1) * step >= 100:
            count -= 1
        if count <= len(theme.CLASS_FILLS):
            return [round(start + at * step, 10) for at in range(count + 1)]
        parts -= 1
        if parts == 0:
            span, parts = span * 2, len(theme.CLASS_FILLS)


def class_of(value: float, edges: Sequence[float]) -> int:
    """The class of a value: from its lower edge to below its upper one; the last holds its upper edge too."""
    return min(sum(value >= edge for edge in edges) - 1, len(edges) - 2)


def class_text(place: int, edges: Sequence[float], format: str) -> str:
    """A class in words, `60% to under 70%`."""
    unit = "%" if format in PERCENT else ""
    low, high = edges[place], edges[place + 1]
    is_last_percent = format in PERCENT and high == 100
    return f"{low:,g}{unit} to {'' if is_last_percent else 'under '}{high:,g}{unit}"


def tile_words(
    points: Sequence[Point],
    classes: Sequence[int | None],
    edges: Sequence[float],
    format: str,
    is_on_map: Sequence[bool],
) -> str:
    """How many areas are in each class, highest and lowest, what is not shown, who is not on the map."""
    said = []
    parts: list[str] = []
    for place in range(len(edges) - 1):
        count = sum(found == place for found in classes)
        if count:
            many = words.spelt(count) if parts else words.counted(count, "area")
            verb = "" if parts else " is" if count == 1 else " are"
            parts.append(f"{many}{verb} at {class_text(place, edges, format)}")
    if parts:
        said.append(f"{words.started(joined(parts))}.")
    given = [item for item in points if item.value is not None]
    if len(given) > 1:
        said.append(words.extremes(given))
    said.append(words.not_shown(points))
    away = [item.label for item, here in zip(points, is_on_map, strict=True) if not here]
    if away:
        verbs = (
            "has no place on the map and stands" if len(away) == 1 else "have no place on the map and stand"
        )
        said.append(f"{joined(away)} {verbs} in the table only.")
    return " ".join(part for part in said if part)


def tile_text(item: Point, room: float, size: int) -> str:
    """The figure as short as a square needs it; a band as its range, or its shorthand."""
    text = item.shown
    if item.band is not None:
        for pattern, form in (
            (_AND_OVER, "{0}+"),
            (_UP_TO, "\u2264{0}"),
            (_UNDER, "<{0}"),
            (_FROM_TO, "{0}\u2013{1}"),
        ):
            found = pattern.match(item.band)
            if found:
                text = form.format(*found.groups())
                break
    text = text.replace("about ", "~")
    if text_width(text, size) <= room:
        return text
    shorter = [text.removesuffix("%")]
    if item.value is not None and abs(item.value) >= 1000:
        shorter.append(f"{item.value / 1000:,.0f}k")
    for form in shorter:
        if text_width(form, size) <= room:
            return form
    return f"[{item.status}]" if item.value is None and item.status else "\u2026"


def _spec(
    points: Sequence[Point],
    places: Sequence[tuple[int, int] | None],
    short: Sequence[str],
    classes: Sequence[int | None],
    edges: Sequence[float],
    format: str,
    width: int,
) -> dict[str, Any]:
    size = theme.text_size(width)
    there = [at for at in places if at is not None]
    down, across = max(at[0] for at in there) + 1, max(at[1] for at in there) + 1
    is_wide = width > NARROW
    used = sorted({found for found in classes if found is not None}) and range(len(edges) - 1)
    texts = [class_text(place, edges, format) for place in used]
    if any(found is None for found in classes):
        texts.append("no figure, or a range")
    room = max((text_width(text, size) for text in texts), default=0.0) + 50
    side = min(LARGEST, (width - 8 - (room if is_wide else 0)) / across)
    small = 12 if side < 44 else 13
    tiles: Data = []
    empty: Data = []
    names: Data = []
    figures: Data = []
    for item, at, label, found in zip(points, places, short, classes, strict=True):
        if at is None:
            continue
        x, y = at[1] * side, at[0] * side
        fill, ink = _fill(found, len(edges) - 1)
        (empty if found is None else tiles).append(_tile(x, y, side - 3, fill))
        middle = x + (side - 3) / 2
        line = wrapped(label, side - 5, small, lines=1)[0]
        names.append({"px": round(middle, 1), "py": round(y + side * 0.3, 1), "text": line, "ink": ink})
        figures.append(
            {
                "px": round(middle, 1),
                "py": round(y + side * 0.66, 1),
                "text": tile_text(item, side - 4, small),
                "ink": ink,
            }
        )
    keys: Data = []
    line_height = size + 10
    start = down * side + 8 if not is_wide else 0.0
    left = 0.0 if not is_wide else across * side + 24
    for place, text in enumerate(texts):
        is_none = place >= len(used)
        fill, ink = _fill(None if is_none else place, len(edges) - 1)
        (empty if is_none else tiles).append(_tile(left, start + place * line_height, 18, fill))
        keys.append({"px": left + 26, "py": start + place * line_height + 10, "text": text, "ink": theme.INK})
    notes = [
        note
        for sign, note in SIGNS.items()
        if any(sign in row["text"] and not row["text"].startswith("[") for row in figures)
    ]
    at_line = start + len(texts) * line_height + 10
    for note in notes:
        keys.append({"px": left, "py": at_line, "text": note, "ink": theme.INK})
        at_line += line_height
    height = max(down * side, at_line - 6)
    place_of = {"x": "=px", "x2": "px2", "y": "=py", "y2": "py2", "fill": "=fill"}
    text_of = {"align": "center", "baseline": "middle", "fontSize": small}
    layers = [
        layer("rect", "tiles", place_of, stroke=theme.GREY_INK, strokeWidth=1),
        layer("rect", "empty", place_of, stroke=theme.GREY_INK, strokeWidth=1, strokeDash=(3, 3)),
    ]
    for data, options in (
        ("names", text_of),
        ("figures", {**text_of, "fontWeight": "bold"}),
        ("keys", {"align": "left", "baseline": "middle"}),
    ):
        layers.append(
            layer("text", data, {"x": "=px", "y": "=py", "text": "text", "color": "=ink"}, **options)
        )
    return framed(
        layers,
        {"tiles": tiles, "empty": empty, "names": names, "figures": figures, "keys": keys},
        width=width,
        height=height,
        margins=Margins(4, 4, 4, 4),
    )


def _fill(found: int | None, classes: int) -> tuple[str, str]:
    if found is None:
        return theme.NO_FIGURE_FILL, theme.INK
    # Few classes take fills from all of the range, so that neighbours differ as much as they can.
    last = len(theme.CLASS_FILLS) - 1
    return theme.CLASS_FILLS[round(found * last / (classes - 1)) if classes > 1 else last // 2]


def _tile(x: float, y: float, side: float, fill: str) -> dict[str, Any]:
    return {
        "px": round(x, 1),
        "px2": round(x + side, 1),
        "py": round(y, 1),
        "py2": round(y + side, 1),
        "fill": fill,
    }

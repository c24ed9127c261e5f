"""Charts of one figure a row: horizontal bars, and dots with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.components import theme, words
from reports.components.drawing import Data, Key, Margins, figure, framed, layer, legend, text_layer
from reports.components.figure import NARROW, Figure
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
from reports.components.scales import EVERY_TICK, axis, tick_format, tick_text
from reports.components.tables import Column, figure_table
from reports.components.text import plain, text_width, wrapped
from reports.engine.rows import Row

#: The column of labels of a wide chart takes no more than this share of it.
LABEL_SHARE = 0.36
#: The axis is printed once more above charts of more rows than this.
TALL = 20


@dataclass(frozen=True)
class _Line:
    """One line of the chart: a figure with its label, or a heading (no figure) above several."""

    label: str
    at: int | None
    is_bold: bool = False
    colour: str = theme.MAIN


@dataclass(frozen=True)
class _Placed:
    """Where a line stands: the middle of its mark, in pixels from the top."""

    line: _Line
    middle: float
    label_middle: float


def bar_chart(
    rows: Sequence[Row],
    x: str,
    y: str,
    series: str | None = None,
    *,
    title: str,
    format: str = "percent",
    y_title: str | None = None,
) -> Figure:
    """Horizontal bars in the order of the rows: `x` is the column of labels, `y` the one of figures.

    Every bar carries its figure; bars start at 0. With `series` the bars of one label stand together, each
    with the name of its series. Raises ComponentError.
    """
    kind = "bar_chart"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    listed = checked_rows(kind, rows, [x, y, series])
    points = [point(kind, row, x, y, format, series=series) for row in listed]
    _no_repeats(kind, points, x)
    names = tuple(dict.fromkeys(item.series or "" for item in points)) if series else ("",)
    theme.series_styles(kind, names)
    lines: list[_Line] = []
    if series:
        for label in dict.fromkeys(item.label for item in points):
            lines.append(_Line(label, None, is_bold=True))
            lines += [
                _Line(item.series or "", at, colour=theme.SERIES_COLOURS[names.index(item.series or "")])
                for at, item in enumerate(points)
                if item.label == label
            ]
    else:
        lines = [_Line(item.label, at) for at, item in enumerate(points)]
    told = [_with_series(item) for item in points] if series else points
    sentence = words.bar_words(told)
    columns: list[Column] = [(x, heading(x), None)]
    if series:
        columns.append((series, heading(series), None))
    columns.append((y, plain(y_title) if y_title else heading(y), format))
    header, csv_rows = csv_part(listed, [name for name in (x, series, y) if name])

    def drawn(width: int) -> dict[str, Any]:
        return _bar_spec(points, lines, format, width)

    return figure(kind, title, sentence, figure_table(listed, columns), (header, csv_rows), drawn)


def dot_chart(
    rows: Sequence[Row],
    label: str,
    value: str,
    lower: str | None = None,
    upper: str | None = None,
    compare: str | None = None,
    compare_label: str | None = None,
    highlight: str | Sequence[str] | None = None,
    *,
    title: str,
    format: str = "percent",
) -> Figure:
    """One dot a row in the order of the rows, with its 95% interval as a bar and its figure at the right.

    `compare` is a column with a second figure, drawn as a hollow diamond (`compare_label` says what it is);
    `highlight` names the labels to point out, by colour, shape and bold text. Raises ComponentError.
    """
    kind = "dot_chart"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    listed = checked_rows(kind, rows, [label, value, lower, upper, compare])
    points = [point(kind, row, label, value, format, lower=lower, upper=upper) for row in listed]
    _no_repeats(kind, points, label)
    others = [number(kind, row[compare], format) if compare else None for row in listed]
    other = required_text(kind, "compare_label", compare_label) if compare else ""
    marked = highlighted(kind, highlight, [item.label for item in points])
    lines = [_Line(item.label, at, is_bold=item.label in marked) for at, item in enumerate(points)]
    sentence = words.bar_words(points, highlight=marked)
    if compare:
        texts = [shown(row[compare], format) for row in listed]
        sentence = f"{sentence} {compare_words(points, others, texts, other)}".strip()
    columns: list[Column] = [(label, heading(label), None), (value, heading(value), format)]
    if compare:
        columns.append((compare, other, format))
    header, csv_rows = csv_part(listed, [name for name in (label, value, lower, upper, compare) if name])

    def drawn(width: int) -> dict[str, Any]:
        return _dot_spec(points, lines, others, other, marked, format, width)

    return figure(
        kind,
        title,
        sentence.strip(),
        figure_table(listed, columns, {value: (lower, upper)} if lower and upper else None),
        (header, csv_rows),
        drawn,
    )


def compare_words(
    points: Sequence[Point], others: Sequence[float | None], texts: Sequence[str], other: str
) -> str:
    """How many figures lie above and below what they are compared with; or with what, if it is one figure."""
    both = [
        (item.value, to)
        for item, to in zip(points, others, strict=True)
        if item.value is not None and to is not None
    ]
    if not both:
        return ""
    if len(points) == 1:
        return f"{other}: {texts[0]}."
    above = sum(value > to for value, to in both)
    below = sum(value < to for value, to in both)
    of = words.counted(len(both), "figure")
    same = f", {words.spelt(len(both) - above - below)} equal to it" if len(both) > above + below else ""
    return (
        f"Compared with “{other}”, of {of} {words.spelt(above)} "
        f"{'is' if above == 1 else 'are'} above it, {words.spelt(below)} below{same}."
    )


def highlighted(kind: str, highlight: object, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels to point out that occur, in the order given. Raises ComponentError for what is no text."""
    if highlight is None:
        return ()
    given = [highlight] if isinstance(highlight, str) or not isinstance(highlight, Sequence) else highlight
    wanted = [plain(item) for item in given]
    return tuple(item for item in wanted if item in labels)


def _no_repeats(kind: str, points: Sequence[Point], column: str) -> None:
    keys = [(item.label, item.series) for item in points]
    twice = next((label for label, part in keys if keys.count((label, part)) > 1), None)
    if twice is not None:
        raise ComponentError(
            f"{kind}: {twice[:60]!r} stands in {column} more than once; add what tells the rows apart."
        )


def _with_series(item: Point) -> Point:
    return Point(f"{item.label}, {item.series}", item.value, item.shown, item.status, item.band)


def _placed(
    lines: Sequence[_Line], width: int, left: float, *, band: float, aside: float = 0.0
) -> tuple[list[_Placed], Data, float]:
    """The lines from top to bottom: where each mark stands, the labels as data, and the height of all.

    In a wide picture the label is left of the mark, in a narrow one above it and leaves `aside` pixels free.
    """
    size = theme.text_size(width)
    line_height = size + 3
    done: list[_Placed] = []
    labels: Data = []
    down = 4.0
    for line in lines:
        weight = {"text_bold": line.is_bold}
        if width > NARROW and line.at is not None:
            parts = wrapped(line.label, left - 16, size, lines=3)
            high = max(band, len(parts) * line_height) + 6
            middle = down + high / 2
            labels.append(
                {
                    "px": -10,
                    "py": round(middle - (len(parts) - 1) * line_height / 2, 1),
                    "text": "\n".join(parts),
                    **weight,
                    "is_left": False,
                }
            )
            done.append(_Placed(line, round(middle, 1), round(middle, 1)))
            down += high
            continue
        parts = wrapped(line.label, width - 16 - aside, size, lines=3)
        labels.append(
            {
                "px": 4 - left if width > NARROW else 3,
                "py": round(down + line_height / 2 + 2, 1),
                "text": "\n".join(parts),
                **weight,
                "is_left": True,
            }
        )
        first = round(down + line_height / 2 + 2, 1)
        down += len(parts) * line_height + 4
        if line.at is not None:
            done.append(_Placed(line, round(down + band / 2, 1), first))
            down += band + 6
    return done, labels, down + 2


def _label_layers() -> list[dict[str, Any]]:
    layers = []
    for is_left in (False, True):
        for is_bold in (False, True):
            part = text_layer(
                "labels",
                "=px",
                "=py",
                align="left" if is_left else "right",
                fontWeight="bold" if is_bold else "normal",
            )
            wanted = f"datum.is_left === {str(is_left).lower()} && datum.text_bold === {str(is_bold).lower()}"
            part["transform"] = [{"filter": wanted}]
            layers.append(part)
    return layers


def _label_room(lines: Sequence[_Line], width: int) -> float:
    """The margin left of the plot: for labels in a wide picture, none in a narrow one."""
    if width <= NARROW:
        return 12.0
    size = theme.text_size(width)
    longest = max((text_width(line.label, size) for line in lines if line.at is not None), default=0.0)
    return min(longest * 1.08, LABEL_SHARE * width) + 18


def _value_axis(ticks: Sequence[float], domain: tuple[float, float], format: str) -> dict[str, Any]:
    return {
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {
            "title": None,
            "values": list(ticks),
            **EVERY_TICK,
            "labelExpr": tick_format(format),
            "domain": False,
            "ticks": False,
            "labelPadding": 4,
        },
    }


def _bar_spec(points: Sequence[Point], lines: Sequence[_Line], format: str, width: int) -> dict[str, Any]:
    size = theme.text_size(width)
    left = _label_room(lines, width)
    values = [item.value for item in points if item.value is not None]
    (start, end), ticks = axis(values, format, parts=5 if width > NARROW else 4)
    inside = width - left - 10
    ends = max((text_width(item.shown, size) for item in points), default=0.0) + 10
    # The axis ends so far beyond its last tick that the figure fits behind the longest bar.
    spare = (end - start) / (inside - ends) * ends if inside > 2 * ends else end - start
    domain = (start - (spare if start < 0 else 0), end + spare)
    placed, labels, height = _placed(lines, width, left, band=18.0)
    bars: Data = []
    texts: Data = []
    for item in placed:
        assert item.line.at is not None
        figure = points[item.line.at]
        value = figure.value
        if value is not None:
            bars.append(
                {
                    "value": value,
                    "zero": 0,
                    "py": round(item.middle - 9, 1),
                    "py2": round(item.middle + 9, 1),
                    "colour": item.line.colour,
                }
            )
        if figure.shown:
            is_below = value is not None and value < 0
            texts.append({"value": value or 0, "py": item.middle, "text": figure.shown, "is_below": is_below})
    rect = layer("rect", "bars", {"x": "value", "x2": "zero", "y": "=py", "y2": "py2", "color": "=colour"})
    after = text_layer("texts", "value", "=py", dx=6)
    after["transform"] = [{"filter": "!datum.is_below"}]
    before = text_layer("texts", "value", "=py", dx=-6, align="right")
    before["transform"] = [{"filter": "datum.is_below"}]
    zero = layer("rule", "zero", {"x": "value"}, color=theme.GREY_INK, strokeWidth=1)
    zero["encoding"]["x"].update(_value_axis(ticks, domain, format))
    return framed(
        [zero, rect, after, before, *_label_layers()],
        {"bars": bars, "texts": texts, "labels": labels, "zero": [{"value": 0}]},
        width=width,
        height=height,
        margins=Margins(left, 4, 10, size + 12),
    )


def _dot_spec(
    points: Sequence[Point],
    lines: Sequence[_Line],
    others: Sequence[float | None],
    other: str,
    marked: Sequence[str],
    format: str,
    width: int,
) -> dict[str, Any]:
    size = theme.text_size(width)
    left = _label_room(lines, width)
    values = [
        value
        for item, to in zip(points, others, strict=True)
        for value in (item.value, item.lower, item.upper, to)
        if value is not None
    ]
    domain, ticks = axis(values, format, parts=5 if width > NARROW else 4)
    half = text_width(tick_text(domain[0], format), size) / 2
    left = max(left, half + 4)
    column = max((text_width(item.shown, size) for item in points), default=0.0)
    is_narrow = width <= NARROW
    right = max(0.0 if is_narrow else column + 22, text_width(tick_text(domain[1], format), size) / 2 + 4)
    placed, labels, height = _placed(lines, width, left, band=16.0, aside=column + 8 if is_narrow else 0.0)
    dots: Data = []
    rules: Data = []
    hollow: Data = []
    texts: Data = []
    for item in placed:
        assert item.line.at is not None
        figure, to = points[item.line.at], others[item.line.at]
        is_marked = figure.label in marked
        colour = theme.HIGHLIGHT if is_marked else theme.MAIN
        if figure.value is not None:
            shape = "square" if is_marked else "circle"
            dots.append({"value": figure.value, "py": item.middle, "colour": colour, "shape": shape})
        if figure.lower is not None:
            rules.append({"value": figure.lower, "end": figure.upper, "py": item.middle, "colour": colour})
        if to is not None:
            hollow.append({"value": to, "py": item.middle})
        # In a narrow picture the figure ends the line of the label, so that the plot has the whole width.
        texts.append({"px": round(width - left - 8), "py": item.label_middle, "text": figure.shown})
    keys = []
    if rules:
        keys.append(Key("figure and 95% interval", theme.MAIN, dash=(1, 0)))
    elif hollow:
        keys.append(Key("figure", theme.MAIN))
    if hollow:
        keys.append(Key(other, theme.INK, "diamond", is_hollow=True))
    top, key_layers, key_data = legend(keys, width, left)
    at_axis = _value_axis(ticks, domain, format)
    base = layer("rule", "zero", {"x": "value"}, color=theme.GREY_INK, strokeWidth=1)
    base["encoding"]["x"].update(at_axis)
    return framed(
        [
            base,
            layer(
                "rule", "rules", {"x": "value", "x2": "end", "y": "=py", "color": "=colour"}, strokeWidth=2.5
            ),
            layer(
                "point",
                "hollow",
                {"x": "value", "y": "=py"},
                shape="diamond",
                size=110,
                fill=theme.PAPER,
                stroke=theme.INK,
                strokeWidth=2,
                opacity=1,
            ),
            layer(
                "point",
                "dots",
                {"x": "value", "y": "=py", "color": "=colour", "shape": "=shape"},
                filled=True,
                size=80,
                opacity=1,
            ),
            text_layer("texts", "=px", "=py", align="right"),
            *_label_layers(),
            *key_layers,
        ],
        {
            "zero": [{"value": domain[0]}],
            "rules": rules,
            "dots": dots,
            "hollow": hollow,
            "texts": texts,
            "labels": labels,
            **key_data,
        },
        width=width,
        height=height,
        margins=Margins(left, top + 4, right, size + 12),
    )

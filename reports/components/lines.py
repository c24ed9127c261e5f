"""Charts over time: one picture of up to six series, or one small picture for each area or body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.components import theme, words
from reports.components.drawing import Key, Margins, figure, framed, layer, legend, text_layer
from reports.components.figure import WIDE, Figure
from reports.components.reading import (
    ComponentError,
    Point,
    checked_format,
    checked_rows,
    csv_part,
    heading,
    level,
    point,
    required_text,
)
from reports.components.scales import EVERY_TICK, axis, tick_format, tick_text
from reports.components.tables import Column, figure_table
from reports.components.text import plain, text_width, wrapped
from reports.engine.rows import Cell, Row

#: Fewer figures than this are points and no line: two points are no trend.
LINE_FROM = 3


def line_chart(
    rows: Sequence[Row],
    x: str,
    y: str,
    series: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    *,
    title: str,
    x_title: str | None = None,
    y_title: str | None = None,
    format: str = "percent",
    target: float | Cell | None = None,
    target_label: str | None = None,
) -> Figure:
    """Figures in the order of the rows: points, a line from three figures on, gaps where one is withheld.

    `lower` and `upper` are the ends of the 95% interval, drawn as a band (as bars with more than one series).
    `target` is a level drawn as a dashed line in units of `y`. Raises ComponentError.
    """
    kind = "line_chart"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    listed = checked_rows(kind, rows, [x, y, series, lower, upper])
    points = [point(kind, row, x, y, format, series=series, lower=lower, upper=upper) for row in listed]
    names = tuple(dict.fromkeys(item.series or "" for item in points)) if series else ("",)
    theme.series_styles(kind, names)
    labels = list(dict.fromkeys(item.label for item in points))
    if len({(item.label, item.series) for item in points}) < len(points):
        raise ComponentError(
            f"{kind}: a {x} occurs more than once"
            + (" in a series" if series else "; name the column that tells the rows apart as series")
            + "."
        )
    values = [value for item in points for value in (item.value, item.lower, item.upper) if value is not None]
    goal = level(kind, target, format)
    if goal is not None:
        values.append(goal)
    domain, ticks = axis(values, format, may_start_high=True)
    target_text = plain(target_label or "Target") if goal is not None else ""
    sentence = words.line_words(points, series=names if series else ())
    if domain[0] > 0:
        sentence += f" The axis starts at {domain[0]:g}%, not at 0."
    columns: list[Column] = [(x, plain(x_title) if x_title else heading(x), None)]
    if series:
        columns.append((series, heading(series), None))
    columns.append((y, plain(y_title) if y_title else heading(y), format))
    intervals = {y: (lower, upper)} if lower and upper else None
    header, lines = csv_part(listed, [name for name in (x, series, y, lower, upper) if name])

    def drawn(width: int) -> dict[str, Any]:
        return _line_spec(points, labels, names, (domain, ticks), format, goal, target_text, width)

    return figure(kind, title, sentence, figure_table(listed, columns, intervals), (header, lines), drawn)


def point_data(points: Sequence[Point], labels: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a chart over time: place along the axis, value, interval, look, and the run without a gap."""
    place = {label: at for at, label in enumerate(labels)}
    data: list[dict[str, Any]] = []
    for which, name in enumerate(names):
        own = sorted(
            (item for item in points if (item.series or "") == name), key=lambda item: place[item.label]
        )
        given = sum(item.value is not None for item in own)
        shift = 0.06 * (which - (len(names) - 1) / 2)
        run, last = 0, None
        for item in own:
            at = place[item.label]
            if item.value is None or (last is not None and at != last + 1):
                run += 1
            last = at
            if item.value is not None:
                data.append(
                    {
                        "at": round(at + shift, 4),
                        "value": item.value,
                        "lower": item.lower,
                        "upper": item.upper,
                        "run": f"{which}-{run}",
                        "is_line": given >= LINE_FROM,
                        "colour": theme.SERIES_COLOURS[which],
                        "dash": list(theme.SERIES_DASHES[which]),
                        "shape": theme.SERIES_SHAPES[which],
                    }
                )
    return data


def tick_labels(labels: Sequence[str], width: float, size: int) -> dict[int, list[str]]:
    """Which labels of an axis of a width are printed, and in which lines: all, or every second, third ...

    The last is always printed: it is the newest.
    """
    count = len(labels)
    for every in range(1, count + 1):
        room = width / count * every - 6
        kept = [at for at in range(count) if (count - 1 - at) % every == 0]
        lines = {at: wrapped(labels[at], room, size, lines=5) for at in kept}
        longest = max(text_width(word, size) for at in kept for word in labels[at].split() or [""])
        if longest <= room and not any(line[-1].endswith("\u2026") for line in lines.values()):
            return lines
    return {count - 1: wrapped(labels[-1], max(60.0, width / 2), size, lines=5)}


def _line_spec(
    points: Sequence[Point],
    labels: Sequence[str],
    names: Sequence[str],
    scale: tuple[tuple[float, float], tuple[float, ...]],
    format: str,
    aim: float | None,
    target_text: str,
    width: int,
) -> dict[str, Any]:
    size = theme.text_size(width)
    domain, ticks = scale
    data = point_data(points, labels, names)
    bounded = [row for row in data if row["lower"] is not None]
    is_single = len(names) == 1
    left = max(text_width(tick_text(tick, format), size) for tick in ticks) + 12
    printed = tick_labels(labels, width - left - 12, size)
    slot = (width - left - 12) / len(labels)
    last = max(text_width(line, size) for line in printed[len(labels) - 1])
    right = max(8.0, (last - slot) / 2 + 6)
    keys = [
        Key(name, theme.SERIES_COLOURS[at], theme.SERIES_SHAPES[at], dash=theme.SERIES_DASHES[at])
        for at, name in enumerate(names)
        if not is_single or name
    ]
    if bounded:
        keys.append(
            Key("95% interval", theme.MAIN if is_single else theme.INK, is_spot=False, is_band=is_single)
            if is_single and any(row["is_line"] for row in bounded)
            else Key("bar: 95% interval", theme.MAIN if is_single else theme.INK, is_spot=False, dash=(1, 0))
        )
    if aim is not None:
        keys.append(Key(target_text, theme.GREY_INK, is_spot=False, dash=(6, 4)))
    top, key_layers, key_data = legend(keys, width, left)
    plot = 260 if width == WIDE else 200
    step = (width - left - right) / len(labels)
    gaps: list[dict[str, Any]] = []
    if is_single:
        gaps = [
            {
                "at": labels.index(item.label),
                "py": plot - 4 - (len(lines) - 1) * (size + 3),
                "text": "\n".join(lines),
            }
            for item in points
            if item.value is None and item.shown and (lines := _gap_lines(item, step, size))
        ]
    x = {"scale": {"domain": [-0.5, len(labels) - 0.5], "nice": False, "zero": False}}
    y = {
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {
            "title": None,
            "values": list(ticks),
            **EVERY_TICK,
            "labelExpr": tick_format(format),
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
    }
    at_axis = {
        "title": None,
        "grid": False,
        **EVERY_TICK,
        "values": list(range(len(labels))),
        "labelExpr": "labels[datum.value]",
        "labelFlush": False,
    }
    shown = layer(
        "point",
        "points",
        {"x": "at", "y": "value", "color": "=colour", "shape": "=shape"},
        filled=True,
        size=70,
        opacity=1,
    )
    shown["encoding"]["x"].update(x, axis=at_axis)
    shown["encoding"]["y"].update(y)
    if not data:
        # Axes need one row to stand on; it is not drawn.
        data = [{"at": 0, "value": domain[0], "colour": theme.PAPER, "shape": "circle", "dash": [1, 0]}]
        shown["mark"]["opacity"] = 0
    band = layer("area", "bounded", {"x": "at", "y": "lower", "y2": "upper", "detail": "run"}, opacity=0.18)
    band["mark"].update(color=theme.MAIN)
    band["transform"] = [{"filter": "datum.is_line"}]
    bars = layer(
        "rule",
        "bounded",
        {"x": "at", "y": "lower", "y2": "upper", "color": "=colour"},
        strokeWidth=1.5,
    )
    path = layer(
        "line",
        "points",
        {"x": "at", "y": "value", "color": "=colour", "strokeDash": "=dash", "detail": "run"},
        strokeWidth=2.5,
    )
    path["transform"] = [{"filter": "datum.is_line"}]
    goal = layer("rule", "goal", {"y": "value"}, strokeDash=(6, 4), strokeWidth=2, color=theme.GREY_INK)
    return framed(
        [
            *([band] if is_single else []),
            goal,
            bars,
            path,
            shown,
            text_layer("gaps", "at", "=py", align="center", baseline="bottom"),
            *key_layers,
        ],
        {
            "points": data,
            "bounded": bounded,
            "goal": [] if aim is None else [{"value": aim}],
            "gaps": gaps,
            **key_data,
        },
        width=width,
        height=plot,
        margins=Margins(left, top + 10, right, max(map(len, printed.values())) * (size + 3) + 14),
        params=[
            {"name": "labels", "value": [printed.get(at, "") for at in range(len(labels))]},
        ],
    )


def _gap_lines(item: Point, step: float, size: int) -> list[str]:
    lines = wrapped(item.shown, step - 2, size, lines=4)
    return lines if not lines[-1].endswith("\u2026") else [f"[{item.status}]"]

"""Small multiples: one small chart over time for each area or body, all on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.components import theme, words
from reports.components.drawing import Data, Margins, figure, framed, layer, text_layer
from reports.components.figure import NARROW, Figure, joined
from reports.components.lines import LINE_FROM
from reports.components.reading import (
    ComponentError,
    Point,
    checked_format,
    checked_rows,
    csv_part,
    heading,
    point,
    required_text,
)
from reports.components.scales import axis, tick_text
from reports.components.tables import Column, figure_table
from reports.components.text import text_width, wrapped
from reports.engine.rows import Row

COLUMNS_WIDE, COLUMNS_NARROW = 4, 2
PANEL = 84
#: Bold text is about so much wider.
BOLD = 1.1


def small_multiples(
    rows: Sequence[Row],
    facet: str,
    x: str,
    y: str,
    lower: str | None = None,
    upper: str | None = None,
    *,
    title: str,
    format: str = "percent",
) -> Figure:
    """One panel for each value of `facet` in the order of the rows, headed by its name and its newest figure.

    All panels have the same axes. Points, lines, gaps and 95% bands are those of line_chart.
    Raises ComponentError.
    """
    kind = "small_multiples"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    listed = checked_rows(kind, rows, [facet, x, y, lower, upper])
    points = [point(kind, row, x, y, format, series=facet, lower=lower, upper=upper) for row in listed]
    names = list(dict.fromkeys(item.series or "" for item in points))
    labels = list(dict.fromkeys(item.label for item in points))
    if len({(item.label, item.series) for item in points}) < len(points):
        raise ComponentError(
            f"{kind}: a {x} occurs more than once in a {facet}; add what tells the rows apart."
        )
    values = [value for item in points for value in (item.value, item.lower, item.upper) if value is not None]
    scale = axis(values, format, parts=2, may_start_high=True)
    sentence = panel_words(points, names, labels)
    if scale[0][0] > 0:
        sentence += f" The axes start at {scale[0][0]:g}%, not at 0."
    columns: list[Column] = [(facet, heading(facet), None), (x, heading(x), None), (y, heading(y), format)]
    header, lines = csv_part(listed, [name for name in (facet, x, y, lower, upper) if name])

    def drawn(width: int) -> dict[str, Any]:
        return _spec(points, names, labels, scale, format, width)

    return figure(
        kind,
        title,
        sentence,
        figure_table(listed, columns, {y: (lower, upper)} if lower and upper else None),
        (header, lines),
        drawn,
    )


def panel_words(points: Sequence[Point], names: Sequence[str], labels: Sequence[str]) -> str:
    """How many panels; how many rise, fall or show no change; newest extremes; what is not shown."""
    first, last = labels[0], labels[-1]
    said = [
        f"{words.started(words.counted(len(names), 'chart'))}, "
        + (f"from {first} to {last}." if first != last else f"for {last}.")
    ]
    rises, falls, same, unknown = [], [], 0, 0
    newest = []
    for name in names:
        own = [item for item in points if item.series == name and item.value is not None]
        newest += [Point(name, item.value, item.shown) for item in own if item.label == last]
        change = words.change(own[0], own[-1]) if len(own) > 1 else ""
        if "rise" in change:
            rises.append(name)
        elif "fall" in change:
            falls.append(name)
        elif change:
            same += 1
        else:
            unknown += 1
    if rises or falls or same:
        parts = []
        for some, word in ((rises, "rise"), (falls, "fall")):
            if some:
                names_of = f" ({', '.join(some)})" if len(some) <= 3 else ""
                parts.append(f"{words.spelt(len(some))} {word + ('s' if len(some) == 1 else '')}{names_of}")
        if same:
            parts.append(f"{words.spelt(same)} {'shows' if same == 1 else 'show'} no detectable change")
        if unknown:
            parts.append(f"{words.spelt(unknown)} cannot be compared")
        said.append(
            f"Between the first and the last figure of each, {joined(parts)}"
            " (a change is one where the two 95% intervals do not overlap)."
        )
    if len(newest) > 1:
        said.append(f"In {last}: {words.extremes(newest)[:1].lower()}{words.extremes(newest)[1:]}")
    said.append(words.not_shown(points))
    return " ".join(part for part in said if part)


def _spec(
    points: Sequence[Point],
    names: Sequence[str],
    labels: Sequence[str],
    scale: tuple[tuple[float, float], tuple[float, ...]],
    format: str,
    width: int,
) -> dict[str, Any]:
    size = theme.text_size(width) - 1
    line_height = size + 3
    (low, high), ticks = scale
    columns = min(COLUMNS_WIDE if width > NARROW else COLUMNS_NARROW, max(1, len(names)))
    left = max(text_width(tick_text(tick, format), size) for tick in ticks) + 8
    gap = 16.0
    panel = (width - left - 10 - gap * (columns - 1)) / columns
    heads = [wrapped(name, panel / BOLD, size, lines=3) for name in names]
    of = {(item.series or "", item.label): item for item in points}
    grid: Data = []
    tick_texts: Data = []
    titles: Data = []
    figures: Data = []
    bands: Data = []
    dots: Data = []
    bars: Data = []
    step = panel / len(labels)
    note = _note(labels, scale, format)
    note_lines = wrapped(note, width - 8, size, lines=6)
    down = len(note_lines) * line_height + 8
    notes: Data = [{"px": 4 - left, "py": line_height / 2, "text": "\n".join(note_lines)}]
    for start in range(0, len(names), columns):
        high_head = max(len(lines) for lines in heads[start : start + columns]) * line_height
        top = down + high_head + line_height + 8

        def level(value: float, top: float = top) -> float:
            return round(top + (high - value) / (high - low) * PANEL, 1)

        for place, name in enumerate(names[start : start + columns]):
            x = place * (panel + gap)
            titles.append({"px": x, "py": down + line_height / 2, "text": "\n".join(heads[start + place])})
            last = of.get((name, labels[-1]))
            text = (last.shown if last else "") or "no figure"
            figures.append({"px": x, "py": down + high_head + line_height / 2, "text": text})
            for tick in ticks:
                grid.append({"px": x, "px2": x + panel, "py": level(tick), "is_base": tick == low})
                if place == 0:
                    tick_texts.append({"px": -6, "py": level(tick), "text": tick_text(tick, format)})
            own = [of.get((name, label)) for label in labels]
            given = sum(item is not None and item.value is not None for item in own)
            run = 0
            for at, item in enumerate(own):
                if item is None or item.value is None:
                    run += 1
                    continue
                where = {"px": round(x + (at + 0.5) * step, 1), "py": level(item.value)}
                line = {**where, "run": f"{start + place}-{run}", "is_line": given >= LINE_FROM}
                dots.append(line)
                if item.lower is not None and item.upper is not None:
                    ends = {"low": level(item.lower), "high": level(item.upper)}
                    (bands if given >= LINE_FROM else bars).append({**line, **ends})
                    if given >= LINE_FROM and _is_alone(own, at):
                        bars.append({**line, **ends})
        down = top + PANEL + 16
    rule = layer("rule", "grid", {"x": "=px", "x2": "px2", "y": "=py"}, color=theme.GRID, strokeWidth=1)
    base = layer("rule", "grid", {"x": "=px", "x2": "px2", "y": "=py"}, color=theme.GREY_INK, strokeWidth=1)
    base["transform"] = [{"filter": "datum.is_base"}]
    path = layer("line", "dots", {"x": "=px", "y": "=py", "detail": "run"}, color=theme.MAIN, strokeWidth=2)
    path["transform"] = [{"filter": "datum.is_line"}]
    return framed(
        [
            rule,
            base,
            layer(
                "area",
                "bands",
                {"x": "=px", "y": "=low", "y2": "high", "detail": "run"},
                color=theme.MAIN,
                opacity=0.18,
            ),
            layer("rule", "bars", {"x": "=px", "y": "=low", "y2": "high"}, color=theme.MAIN, strokeWidth=1.5),
            path,
            layer(
                "point", "dots", {"x": "=px", "y": "=py"}, filled=True, size=26, opacity=1, color=theme.MAIN
            ),
            text_layer("titles", "=px", "=py", fontWeight="bold", fontSize=size, lineHeight=line_height),
            text_layer("figures", "=px", "=py", fontSize=size),
            text_layer("tick_texts", "=px", "=py", align="right", fontSize=size),
            text_layer("notes", "=px", "=py", fontSize=size, lineHeight=line_height),
        ],
        {
            "grid": grid,
            "bands": bands,
            "bars": bars,
            "dots": dots,
            "titles": titles,
            "figures": figures,
            "tick_texts": tick_texts,
            "notes": notes,
        },
        width=width,
        height=down,
        margins=Margins(left, 4, 10, 0),
    )


def _is_alone(own: Sequence[Point | None], at: int) -> bool:
    """Whether neither neighbour has a figure: a band over one point would not be seen."""
    beside = [own[place] for place in (at - 1, at + 1) if 0 <= place < len(own)]
    return all(item is None or item.value is None for item in beside)


def _note(labels: Sequence[str], scale: tuple[tuple[float, float], tuple[float, ...]], format: str) -> str:
    low, high = (tick_text(end, format) for end in scale[0])
    across = f"from {labels[0]} to {labels[-1]}" if len(labels) > 1 else f"for {labels[0]}"
    newest = f"Under each name: the figure for {labels[-1]}."
    return f"Each chart is {across}, on a scale from {low} to {high}. {newest}"

"""Single figures in running text and in large type, and charts no higher than a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from reports.components import theme
from reports.components.html import svg_data_uri
from reports.components.reading import (
    Point,
    checked_format,
    checked_rows,
    notes,
    point,
    required_text,
    shown,
)
from reports.components.words import ends
from reports.engine.rows import Cell, Row

SPARK_WIDTH, SPARK_HEIGHT = 96, 24


def _cell(kind: str, row_or_rows: Any, column: str) -> Cell:
    if isinstance(row_or_rows, Row):
        rows: Sequence[Row] = [row_or_rows]
    else:
        rows = row_or_rows
    return checked_rows(kind, rows, [column])[0][column]


def value(row_or_rows: Row | Sequence[Row], column: str, format: str | None = None) -> Markup:
    """One figure in running text: of the row, or of the first row. A withheld one is its shorthand."""
    checked_format("value", format)
    cell = _cell("value", row_or_rows, column)
    text = shown(cell, format)
    if cell.is_given or not cell.status:
        return Markup('<span class="vcc-value">{}</span>').format(text)
    meaning = " ".join(notes([], [cell]))
    if not meaning:
        return Markup('<span class="vcc-value">{}</span>').format(text)
    return Markup(
        '<span class="vcc-value vcc-value--none">{}<span class="govuk-visually-hidden"> ({})</span></span>'
    ).format(text, meaning.rstrip("."))


def big_value(
    row_or_rows: Row | Sequence[Row],
    column: str,
    *,
    title: str,
    format: str | None = None,
    compare: str | None = None,
    compare_title: str | None = None,
) -> Markup:
    """One figure in large type with its title, and below it another one to compare it with.

    `compare` is a column of the same row, `compare_title` what it is. Raises ComponentError.
    """
    kind = "big_value"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    cell = _cell(kind, row_or_rows, column)
    said = list(notes([], [cell]))
    below = Markup("")
    if compare is not None:
        other = _cell(kind, row_or_rows, compare)
        below = Markup('<p class="govuk-body-s vcc-big-value__compare">{}: {}</p>\n').format(
            required_text(kind, "compare_title", compare_title), shown(other, format) or "no figure"
        )
        said += [note for note in notes([], [other]) if note not in said]
    note = Markup('<p class="govuk-body-s vcc-note">{}</p>\n').format(" ".join(said)) if said else Markup("")
    return Markup(
        '<div class="vcc-big-value">\n<p class="govuk-body vcc-big-value__title">{}</p>\n'
        '<p class="govuk-heading-l vcc-big-value__figure">{}</p>\n{}{}</div>\n'
    ).format(title, shown(cell, format) or "no figure", below, note)


def sparkline(rows: Sequence[Row], x: str, y: str, *, title: str, format: str | None = "percent") -> Markup:
    """A chart no higher than a line of text; its alternative text says its first and last figure.

    Percentages stand on a scale from 0 to 100. A withheld figure is a gap; two figures are two points.
    Drawn here and not through Vega: a page may hold hundreds of them.
    """
    kind = "sparkline"
    title = required_text(kind, "title", title)
    checked_format(kind, format)
    listed = checked_rows(kind, rows, [x, y])
    points = [point(kind, row, x, y, format) for row in listed]
    return Markup('<img class="vcc-sparkline" src="{}" alt="{}" width="{}" height="{}">').format(
        svg_data_uri(_spark_svg(points, format)), f"{title}: {ends(points)}", SPARK_WIDTH, SPARK_HEIGHT
    )


def _spark_svg(points: Sequence[Point], format: str | None) -> str:
    given = [item.value for item in points if item.value is not None]
    low, high = (
        (0.0, 100.0) if format in {"percent", "percent1"} else (min([0.0, *given]), max([0.0, *given]))
    )
    high = high if high > low else low + 1
    step = (SPARK_WIDTH - 8) / max(1, len(points) - 1)

    def place(at: int, figure: float) -> str:
        share = (min(max(figure, low), high) - low) / (high - low)
        return f"{4 + at * step:.1f} {SPARK_HEIGHT - 4 - share * (SPARK_HEIGHT - 8):.1f}"

    parts = [
        f'<path d="M0 {SPARK_HEIGHT - 1.5:g}H{SPARK_WIDTH}" stroke="{theme.GREY_INK}" stroke-width="1"/>'
    ]
    runs: list[list[str]] = [[]]
    for at, item in enumerate(points):
        if item.value is None:
            runs.append([])
        else:
            runs[-1].append(place(at, item.value))
    if len(given) > 2:
        lines = "".join(f"M{'L'.join(run)}" for run in runs if len(run) > 1)
        parts.append(f'<path d="{lines}" fill="none" stroke="{theme.MAIN}" stroke-width="2"/>')
    spots = (
        [run[0] for run in runs if len(run) == 1]
        if len(given) > 2
        else [spot for run in runs for spot in run]
    )
    last = [run[-1] for run in runs if run][-1:]
    for spot in dict.fromkeys([*spots, *last]):
        across, down = spot.split()
        parts.append(f'<circle cx="{across}" cy="{down}" r="3" fill="{theme.MAIN}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SPARK_WIDTH}" height="{SPARK_HEIGHT}"'
        f' viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}">{"".join(parts)}</svg>'
    )

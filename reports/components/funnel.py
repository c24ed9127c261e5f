"""Funnel plot: rates against their base, with the limits within which chance alone leaves nearly all."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.components import theme, words
from reports.components.bars import highlighted
from reports.components.drawing import Data, Key, Margins, figure, framed, layer, legend, text_layer
from reports.components.figure import NARROW, Figure, joined
from reports.components.reading import (
    ComponentError,
    Point,
    checked_rows,
    csv_part,
    heading,
    level,
    number,
    point,
    required_text,
)
from reports.components.scales import EVERY_TICK, axis, tick_format, tick_text
from reports.components.tables import figure_table
from reports.components.text import text_width
from reports.engine.rows import Cell, Row

#: Shares of areas that chance alone would leave within the inner and the outer limits.
INNER, OUTER = 0.95, 0.998
#: How far from the exact rate a printed one may be, in points: whole percent, or "about" the nearest ten.
ROUNDING, ROUNDING_ABOUT = 0.5, 5.0
#: Bases further apart than this are drawn on a scale where equal steps are equal factors.
FACTOR = 20
#: Points are named in the picture up to this many; the table names all.
NAMED = 10
CURVE = 60
LOG_NOTE = " (each step is several times the one before)"


@dataclass(frozen=True)
class Limits:
    """Limits of a rate in percent at one base."""

    inner_low: float
    inner_high: float
    outer_low: float
    outer_high: float


@functools.lru_cache(maxsize=8192)
def limits(base: int, target: float) -> Limits:
    """Limits about a target (a share between 0 and 1) for a base of that many cases.

    Exact binomial limits with interpolation between whole cases, as in Spiegelhalter (2005), "Funnel plots
    for comparing institutional performance", Statistics in Medicine 24, appendix A.1.1: with r the least
    number for which P(X <= r) reaches p, the limit is (r - a) / n where a is how far P(X <= r) passes p as
    a part of P(X = r). Kept within 0 and 100.
    """
    shares = ((1 - INNER) / 2, (1 + INNER) / 2, (1 - OUTER) / 2, (1 + OUTER) / 2)
    low, high, outer_low, outer_high = (
        100 * min(max(found / base, 0.0), 1.0) for found in _quantiles(base, target, shares)
    )
    return Limits(low, high, outer_low, outer_high)


def _quantiles(base: int, target: float, shares: Sequence[float]) -> list[float]:
    """For each share the interpolated number of cases that a binomial count reaches with that probability."""
    if not 0 < target < 1:
        return [base * target for _ in shares]
    ratio = target / (1 - target)
    spread = math.sqrt(base * target * (1 - target))
    # What lies 8 standard deviations below the mean (or more) is too little to count.
    start = max(0, math.floor(base * target - 8 * spread - 8))
    mass = math.exp(
        math.lgamma(base + 1)
        - math.lgamma(start + 1)
        - math.lgamma(base - start + 1)
        + start * math.log(target)
        + (base - start) * math.log1p(-target)
    )
    found: dict[float, float] = {}
    total, count = mass, start
    wanted = sorted(shares)
    while wanted:
        while wanted and (total >= wanted[0] or count == base):
            share = wanted.pop(0)
            over = (total - share) / mass if mass else 0.0
            found[share] = count - min(max(over, 0.0), 1.0)
        count += 1
        mass *= ratio * (base - count + 1) / count
        total += mass
    return [found[share] for share in shares]


def pooled(pairs: Sequence[tuple[float, float]]) -> float:
    """The rate of all cases together, of (base, rate) pairs; in the unit of the rates."""
    return math.fsum(base * rate for base, rate in pairs) / math.fsum(base for base, _ in pairs)


def funnel_plot(
    rows: Sequence[Row],
    label: str,
    base: str,
    rate: str,
    *,
    title: str,
    highlight: str | Sequence[str] | None = None,
    target: float | Cell | None = None,
) -> Figure:
    """Rates in percent (`rate`) against their number of cases (`base`), one point a row.

    Limits of 95% and 99.8% (see `limits`) stand about `target` in percent, or about the rate of all shown
    together. A point counts as outside only where it is so however its printed rate was rounded. Points
    outside the outer limits and those of `highlight` are named. Raises ComponentError.
    """
    kind = "funnel_plot"
    title = required_text(kind, "title", title)
    listed = checked_rows(kind, rows, [label, base, rate])
    points = [point(kind, row, label, rate, "percent") for row in listed]
    bases = [number(kind, row[base], "count") for row in listed]
    if any(size is not None and size < 1 for size in bases):
        raise ComponentError(f"{kind}: {base} holds a base below 1, which has no rate; leave such rows out.")
    target = level(kind, target, "percent")
    if target is not None and not 1 < target < 100:
        raise ComponentError(f"{kind}: the target is {target}; give it in percent, as 80 and not as 0.8.")
    placed = [
        (item, size, row)
        for item, size, row in zip(points, bases, listed, strict=True)
        if item.value is not None and size is not None
    ]
    pairs = [(size, item.value) for item, size, _ in placed if item.value is not None]
    centre = float(target) if target is not None else (pooled(pairs) if pairs else 50.0)
    found = [_position(item, size, row[rate].is_about, centre) for item, size, row in placed]
    marked = highlighted(kind, highlight, [item.label for item in points])
    sentence = funnel_words(points, [item for item, _, _ in placed], found, marked, target)
    least = min([limits(max(1, round(size)), centre / 100).outer_low for size, _ in pairs], default=0.0)
    rates = [value for _, value in pairs]
    scale = y_axis(rates, centre, least)
    if scale[0][0] > 0:
        sentence += f" The axis of rates starts at {scale[0][0]:g}%, not at 0."
    header, lines = csv_part(listed, [label, base, rate])
    columns = [
        (label, heading(label), None),
        (base, heading(base), "count"),
        (rate, heading(rate), "percent"),
    ]

    def drawn(width: int) -> dict[str, Any]:
        return _spec(
            [(item, size) for item, size, _ in placed],
            found,
            marked,
            centre,
            target,
            heading(base),
            scale,
            width,
        )

    return figure(kind, title, sentence, figure_table(listed, columns), (header, lines), drawn)


def _position(item: Point, base: float, is_about: bool, centre: float) -> int:
    """-2 and 2 outside the outer limits, -1 and 1 between the two, 0 within."""
    assert item.value is not None
    found = limits(round(base), centre / 100)
    slack = ROUNDING_ABOUT if is_about else ROUNDING
    for low, high, size in ((found.outer_low, found.outer_high, 2), (found.inner_low, found.inner_high, 1)):
        if item.value + slack < low:
            return -size
        if item.value - slack > high:
            return size
    return 0


def funnel_words(
    points: Sequence[Point],
    given: Sequence[Point],
    found: Sequence[int],
    marked: Sequence[str],
    target: float | None,
) -> str:
    """How many points lie outside which limits, and which; where those pointed out lie; what is not shown."""
    said = []
    about = f"the target of {target:g}%" if target is not None else "the rate of all together"
    if given:
        count = words.counted(len(given), "point")
        said.append(
            f"{words.started(count)} {'is' if len(given) == 1 else 'are'} drawn, with limits about {about}."
        )
    for sign, side in ((2, "above"), (-2, "below")):
        names = [item.label for item, where in zip(given, found, strict=True) if where == sign]
        if names:
            said.append(f"{words.started(_listed(names))} {_lie(names)} {side} the 99.8% limits.")
    if given and not any(abs(where) == 2 for where in found):
        said.append("None lies outside the 99.8% limits.")
    between = sum(abs(where) == 1 for where in found)
    if between:
        said.append(
            f"{words.started(words.spelt(between))} {'lies' if between == 1 else 'lie'}"
            " outside the 95% limits only."
        )
    if sum(abs(where) == 2 for where in found) * 4 > len(found):
        said.append(
            "So many lie outside that more than chance sets them apart; lying outside says little by itself."
        )
    where_words = {2: "above the 99.8% limits", 1: "above the 95% limits", 0: "within the 95% limits"}
    where_words |= {-1: "below the 95% limits", -2: "below the 99.8% limits"}
    for name in marked:
        at = next((place for place, item in enumerate(given) if item.label == name), None)
        if at is not None:
            said.append(f"{name}, {given[at].shown}, is {where_words[found[at]]}.")
        else:
            own = next(item for item in points if item.label == name)
            said.append(f"{name}: {own.shown or 'no figure'}.")
    # A rate without its base cannot be drawn either.
    hidden = [item for item in points if item.value is None]
    unbased = len(points) - len(given) - len(hidden)
    said.append(words.not_shown(points))
    if unbased:
        said.append(
            f"{words.started(words.counted(unbased, 'rate'))} cannot be drawn, because the base is not given."
        )
    return " ".join(part for part in said if part)


def _listed(names: Sequence[str]) -> str:
    if len(names) <= 5:
        return joined(names)
    return f"{joined([*names[:4], f'{words.spelt(len(names) - 4)} others'])}"


def _lie(names: Sequence[str]) -> str:
    return "lies" if len(names) == 1 else "lie"


def _spec(
    placed: Sequence[tuple[Point, float]],
    found: Sequence[int],
    marked: Sequence[str],
    centre: float,
    target: float | None,
    base_title: str,
    scale: tuple[tuple[float, float], tuple[float, ...]],
    width: int,
) -> dict[str, Any]:
    size = theme.text_size(width)
    sizes = [base for _, base in placed] or [10.0, 100.0]
    is_log = max(sizes) > FACTOR * min(sizes)
    if is_log:
        across = (min(sizes) / 1.25, max(sizes) * 1.25)
        tens = [10**power for power in range(10)]
        fine = [
            float(factor * ten) for ten in tens for factor in (1, 3) if across[0] <= factor * ten <= across[1]
        ]
        whole = [tick for tick in fine if tick in tens]
        ticks = fine if len(whole) < 2 or (width > NARROW and len(fine) < 7) else whole
        curve = [across[0] * (across[1] / across[0]) ** (at / (CURVE - 1)) for at in range(CURVE)]
    else:
        across, ticks_ = axis(sizes, "count", parts=6 if width > NARROW else 3)
        ticks = list(ticks_)
        first = max(1.0, min(sizes) / 2)
        curve = [first + (across[1] - first) * at / (CURVE - 1) for at in range(CURVE)]
    bounds = [(base, limits(max(1, round(base)), centre / 100)) for base in curve]
    lines: Data = []
    for name in ("inner_low", "inner_high", "outer_low", "outer_high"):
        dash = [5, 4] if name.startswith("inner") else [1, 0]
        lines += [
            {"base": round(max(1, base), 3), "value": round(getattr(at, name), 4), "line": name, "dash": dash}
            for base, at in bounds
        ]
    domain, y_ticks = scale
    lines = [{**row, "value": min(max(row["value"], domain[0]), domain[1])} for row in lines]
    left = max(text_width(tick_text(tick, "percent"), size) for tick in y_ticks) + 12
    ends = text_width(tick_text(ticks[-1], "count"), size) / 2 if ticks else 0
    right = max(10.0, ends + 4)
    dots: Data = []
    named: list[tuple[float, float, str]] = []
    for (item, base), where in zip(placed, found, strict=True):
        is_marked = item.label in marked
        is_out = abs(where) == 2
        assert item.value is not None
        dots.append(
            {
                "base": base,
                "value": item.value,
                "colour": theme.HIGHLIGHT if is_marked else theme.INK if is_out else theme.MAIN,
                "shape": "square" if is_marked else "diamond" if is_out else "circle",
                "size": 100 if is_marked or is_out else 45,
            }
        )
        if is_marked or is_out:
            named.append((base, item.value, item.label))
    # Those pointed out first, then those furthest away.
    named.sort(key=lambda entry: (entry[2] not in marked, -abs(entry[1] - centre), entry[2]))
    named = named[: NAMED if width > NARROW else NAMED // 2]
    keys = [
        Key("within the 99.8% limits", theme.MAIN),
        Key("outside the 99.8% limits", theme.INK, "diamond"),
        *(
            [Key(" and ".join(marked) if len(marked) < 3 else "pointed out", theme.HIGHLIGHT, "square")]
            if marked
            else []
        ),
        Key("target" if target is not None else "all together", theme.GREY_INK, dash=(2, 3), is_spot=False),
        Key("95% limits", theme.GREY_INK, dash=(5, 4), is_spot=False),
        Key("99.8% limits", theme.GREY_INK, dash=(1, 0), is_spot=False),
    ]
    top, key_layers, key_data = legend(keys, width, left)
    plot = 340 if width > NARROW else 260
    inside = round(width - left - right)

    def pixels(base: float, value: float) -> tuple[float, float]:
        share = (
            math.log(base / across[0]) / math.log(across[1] / across[0])
            if is_log
            else (base - across[0]) / (across[1] - across[0])
        )
        return share * inside, (domain[1] - value) / (domain[1] - domain[0]) * plot

    spots = [pixels(row["base"], row["value"]) for row in dots]
    texts = place_names(
        [(*pixels(base, value), name) for base, value, name in named], spots, inside, plot, size
    )
    x_axis: dict[str, Any] = {
        "title": base_title + (LOG_NOTE if is_log and width > NARROW else ""),
        "values": ticks,
        **EVERY_TICK,
        "labelExpr": tick_format("count"),
        "grid": False,
    }
    x_scale: dict[str, Any] = {"domain": list(across), "nice": False}
    if is_log:
        x_scale["type"] = "log"
    else:
        x_scale["zero"] = False
    curves = layer(
        "line",
        "lines",
        {"x": "base", "y": "value", "strokeDash": "=dash", "detail": "line"},
        strokeWidth=1.5,
        color=theme.GREY_INK,
    )
    curves["encoding"]["x"].update(scale=x_scale, axis=x_axis)
    curves["encoding"]["y"].update(
        scale={"domain": list(domain), "nice": False, "zero": False},
        axis={
            "title": None,
            "values": list(y_ticks),
            **EVERY_TICK,
            "labelExpr": tick_format("percent"),
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
    )
    middle = layer("rule", "middle", {"y": "value"}, strokeDash=(2, 3), strokeWidth=2, color=theme.GREY_INK)
    marks = layer(
        "point",
        "dots",
        {"x": "base", "y": "value", "color": "=colour", "shape": "=shape"},
        filled=True,
        opacity=1,
    )
    marks["encoding"]["size"] = {"field": "size", "type": "quantitative", "scale": None, "legend": None}
    left_texts = text_layer("names", "=px", "=py")
    return framed(
        [curves, middle, marks, left_texts, *key_layers],
        {
            "lines": lines,
            "middle": [{"value": round(centre, 4)}],
            "dots": dots,
            "names": texts,
            **key_data,
        },
        width=width,
        height=plot,
        margins=Margins(left, top + 8, right, 2 * size + 24),
    )


def y_axis(
    values: Sequence[float], centre: float, least: float
) -> tuple[tuple[float, float], tuple[float, ...]]:
    """From the multiple of ten below all rates and limits to the one above: no bars start at 0 here."""
    low = min([*values, centre - 5, max(least, centre - 20)])
    high = max([*values, centre + 5, min(2 * centre - least, centre + 20)])
    start, end = max(0, 10 * math.floor(low / 10)), min(100, 10 * math.ceil(high / 10))
    step = 10 if end - start <= 60 else 20
    start -= start % step
    return (float(start), float(end)), tuple(float(at) for at in range(start, end + 1, step))


def place_names(
    wanted: Sequence[tuple[float, float, str]],
    spots: Sequence[tuple[float, float]],
    width: float,
    height: float,
    size: int,
) -> Data:
    """Where names stand beside their points so that none is cut and none covers another name or a point.

    A name for which there is no such place is left out: the sentence and the table have it.
    """
    boxes: list[tuple[float, float, float, float]] = []
    texts: Data = []
    for x, y, name in wanted:
        long = text_width(name, size)
        tries = [(x + 9, y), (x - 9 - long, y)]
        tries += [(x - long / 2, y + shift) for shift in (-size - 1, size + 1)]
        tries += [(x + 7, y + shift) for shift in (-size, size, -2 * size, 2 * size)]
        tries += [(x - 7 - long, y + shift) for shift in (-size, size, -2 * size, 2 * size)]
        for left, middle in tries:
            box = (left - 1, middle - size * 0.55, left + long + 1, middle + size * 0.55)
            if box[0] < 0 or box[2] > width or box[1] < -4 or box[3] > height:
                continue
            if any(_meet(box, other) for other in boxes):
                continue
            near = [spot for spot in spots if spot != (x, y)]
            if any(box[0] - 3 < px < box[2] + 3 and box[1] - 3 < py < box[3] + 3 for px, py in near):
                continue
            boxes.append(box)
            texts.append({"px": round(left, 1), "py": round(middle, 1), "text": name})
            break
    return texts


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

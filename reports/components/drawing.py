"""From a specification to a picture: Vega-Lite in, one SVG document out that names and describes itself.

Belongs here: what all pictures have in common (layers, frame, legend). Does not: one kind of chart.

A picture is laid out to the pixel, because text must neither be cut nor shrink: margins are as wide as the
text in them, measured with the widths of Arial. Layers are made with Altair, once for each shape of layer.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from reports.components import theme
from reports.components.figure import NARROW, WIDE, Figure, FigureTable
from reports.components.text import text_width, wrapped

_ROOT = re.compile(r"^<svg[^>]*?viewBox=\"0 0 ([\d.]+) ([\d.]+)\"[^>]*>")
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
VEGA_LITE = "6.4"

Data = list[dict[str, Any]]


@functools.cache
def _layer(
    mark: str, data: str, encoding: tuple[tuple[str, str], ...], options: tuple[tuple[str, Any], ...]
) -> str:
    import altair as alt

    kinds = {
        "x": alt.X,
        "y": alt.Y,
        "x2": alt.X2,
        "y2": alt.Y2,
        "color": alt.Color,
        "fill": alt.Fill,
        "stroke": alt.Stroke,
        "shape": alt.Shape,
        "strokeDash": alt.StrokeDash,
        "text": alt.Text,
        "detail": alt.Detail,
    }
    channels = {}
    for channel, field in encoding:
        name, how = field.removeprefix("="), field.startswith("=")
        if channel in {"x2", "y2"}:
            channels[channel] = kinds[channel](name)
        elif channel in {"x", "y"}:
            made_of = kinds[channel](name, type="quantitative")
            channels[channel] = made_of.scale(None).axis(None) if how else made_of
        elif channel in {"text", "detail"}:
            channels[channel] = kinds[channel](name, type="nominal")
        else:
            channels[channel] = kinds[channel](name, type="nominal").scale(None).legend(None)
    chart = alt.Chart(alt.NamedData(data))
    drawn = getattr(chart, f"mark_{mark}")(**{name: _listed(value) for name, value in options}).encode(
        **channels
    )
    spec = drawn.to_dict(context={"pre_transform": False})
    return json.dumps({name: spec[name] for name in ("data", "mark", "encoding")})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def layer(mark: str, data: str, encoding: Mapping[str, str], **options: Any) -> dict[str, Any]:
    """One layer on a named dataset, made by Altair.

    A place is a field on the scale of the chart (`value`) or in pixels (`=px`); colours, shapes and
    dashes are fields that hold them.
    """
    spec: dict[str, Any] = json.loads(_layer(mark, data, tuple(encoding.items()), tuple(options.items())))
    return spec


def text_layer(data: str, x: str, y: str, **options: Any) -> dict[str, Any]:
    """A layer of texts; a line break in a text starts a new line."""
    settings = {"align": "left", "baseline": "middle", "lineBreak": "\n", "tooltip": False, **options}
    return layer("text", data, {"x": x, "y": y, "text": "text"}, **settings)


@dataclass(frozen=True)
class Margins:
    """Room in pixels round the plot, for the text that stands there."""

    left: float
    top: float
    right: float
    bottom: float


def framed(
    layers: Sequence[Mapping[str, Any]],
    datasets: Mapping[str, Data],
    *,
    width: int,
    height: float,
    margins: Margins,
    params: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A specification whose picture is `width` wide; `height` is that of the plot alone."""
    spec: dict[str, Any] = {
        "$schema": SCHEMA,
        "width": round(width - margins.left - margins.right),
        "height": round(height),
        "padding": {
            "left": round(margins.left),
            "top": round(margins.top),
            "right": width - round(margins.left) - round(width - margins.left - margins.right),
            "bottom": round(margins.bottom),
        },
        "autosize": {"type": "none"},
        "datasets": dict(datasets),
        # A layer without rows would still ask for its scale.
        "layer": [part for part in layers if datasets[part["data"]["name"]]],
        "config": theme.config(width),
    }
    if params:
        spec["params"] = list(params)
    return spec


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a text, and the mark that it explains."""

    text: str
    colour: str
    shape: str = "circle"
    is_hollow: bool = False
    dash: tuple[int, ...] | None = None
    is_spot: bool = True
    is_band: bool = False


def legend(
    keys: Sequence[Key], width: int, left: float
) -> tuple[float, list[dict[str, Any]], dict[str, Data]]:
    """A legend above the plot: its height, its layers, its data. `left` is the margin left of the plot."""
    size = theme.text_size(width)
    line_height = size + 5
    across, line = 0.0, 0
    texts: Data = []
    spots: Data = []
    rules: Data = []
    bands: Data = []
    for key in keys:
        lines = wrapped(key.text, width - 44, size)
        wide = 36 + max(text_width(part, size) for part in lines) + 16
        if across and across + wide - 16 > width - 4:
            across, line = 0.0, line + 1
        x, y = across - left + 4, line * line_height + line_height / 2
        middle = x + 14
        if key.is_band:
            bands.append({"px": x, "px2": x + 28, "py": y - 7, "py2": y + 7, "colour": key.colour})
        if key.dash is not None:
            rules.append({"px": x, "px2": x + 28, "py": y, "colour": key.colour, "dash": list(key.dash)})
        if key.is_spot:
            spots.append(
                {
                    "px": middle,
                    "py": y,
                    "colour": key.colour,
                    "fill": theme.PAPER if key.is_hollow else key.colour,
                    "shape": key.shape,
                }
            )
        texts.append({"px": x + 34, "py": y, "text": "\n".join(lines)})
        across += wide
        if len(lines) > 1:
            across, line = 0.0, line + len(lines)
    height = (line + (1 if across else 0)) * line_height + 8 if keys else 0.0
    for part in (texts, spots, rules, bands):
        for row in part:
            for name in ("py", "py2"):
                if name in row:
                    row[name] -= height
    layers = [
        layer(
            "rect",
            "key_bands",
            {"x": "=px", "x2": "px2", "y": "=py", "y2": "py2", "color": "=colour"},
            opacity=0.2,
        ),
        layer(
            "rule",
            "key_rules",
            {"x": "=px", "x2": "px2", "y": "=py", "color": "=colour", "strokeDash": "=dash"},
            strokeWidth=2.5,
        ),
        layer(
            "point",
            "key_spots",
            {"x": "=px", "y": "=py", "stroke": "=colour", "fill": "=fill", "shape": "=shape"},
            size=70,
            opacity=1,
            strokeWidth=2,
        ),
        text_layer("key_texts", "=px", "=py"),
    ]
    return height, layers, {"key_bands": bands, "key_rules": rules, "key_spots": spots, "key_texts": texts}


def svg(spec: Mapping[str, Any], *, title: str, description: str) -> str:
    """Draw a specification. The same one gives the same bytes, whatever was drawn before it.

    The document has `<title>` and `<desc>`, one role (img) and ids that no other picture has.
    """
    import vl_convert

    drawn = str(vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=VEGA_LITE, allowed_base_urls=[]))
    root = _ROOT.match(drawn)
    if root is None:
        raise RuntimeError("vl_convert gave no SVG with a viewBox; check its version.")
    body = drawn[root.end() :]
    # Vega counts the names of clips and gradients through the life of a process; no chart of ours has any.
    if ' id="' in body:
        raise RuntimeError("A picture refers to a part of itself by name; draw it without clip and gradient.")
    name = "f" + hashlib.sha256(f"{title}\n{description}\n{body}".encode()).hexdigest()[:12]
    width, height = root[1], root[2]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>{body}\n'
    )


class DrawnFigure(Figure):
    """A figure whose pictures are drawn when they are first asked for: a document needs only the wide one."""

    def __getattr__(self, name: str) -> Any:
        # Called only for what is not there yet; the fields of Figure have no defaults.
        spec = {"svg_wide": "spec", "svg_narrow": "_narrow_spec"}.get(name)
        if spec is None or spec not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        drawn = svg(self.__dict__[spec], title=self.title, description=self.sentence)
        self.__dict__[name] = drawn
        return drawn


def figure(
    kind: str,
    title: str,
    sentence: str,
    table: FigureTable,
    csv: tuple[tuple[str, ...], tuple[tuple[object, ...], ...]],
    spec_of: Callable[[int], dict[str, Any]],
) -> Figure:
    """The finished figure; `spec_of` gives the specification for a width, `csv` is header and rows."""
    made = DrawnFigure.__new__(DrawnFigure)
    made.__dict__.update(
        kind=kind,
        title=title,
        sentence=sentence,
        table=table,
        csv_header=csv[0],
        csv_rows=csv[1],
        spec=spec_of(WIDE),
        _narrow_spec=spec_of(NARROW),
    )
    return made

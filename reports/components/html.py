"""How a chart is laid on a page: title, sentence, picture, table, CSV. Classes only, no style, no script."""

from __future__ import annotations

import base64
from typing import Literal

from markupsafe import Markup

from reports.components.figure import NARROW, WIDE, Figure
from reports.components.tables import csv_link, table_html
from reports.files import csv_bytes

#: In a document a table of so many rows stands open beside its picture.
SHORT_TABLE = 12
#: Up to this width of the window the narrow picture is shown.
NARROW_UP_TO = 640
KINDS = {
    "line_chart": "Line chart",
    "bar_chart": "Bar chart",
    "dot_chart": "Dot chart",
    "funnel_plot": "Funnel plot",
    "small_multiples": "Small charts",
    "tile_map": "Tile map",
}


def figure_csv(figure: Figure) -> bytes:
    """The figures of a chart as CSV, by the rules of all our CSV files."""
    return csv_bytes(figure.csv_header, figure.csv_rows)


def svg_data_uri(svg: str) -> str:
    """A picture as an address that holds it."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")


def figure_html(
    figure: Figure,
    *,
    wide: str | None,
    narrow: str | None,
    csv: str | None,
    output: Literal["site", "document"] = "site",
    heading: int = 3,
) -> Markup:
    """The chart as `<figure>`.

    `wide` and `narrow` are addresses of its two pictures, `csv` that of its CSV; None for `wide` puts the
    picture itself into the page. `heading` is the level of its title. In a document there is one picture and
    the table is open; on the site the table is in `<details>`.
    """
    level = min(max(heading, 2), 6)
    source = wide or svg_data_uri(figure.svg_wide)
    alt = f"{KINDS.get(figure.kind, 'Chart')}: {figure.title}. The text before it says what it shows."
    width, height = _size(figure.svg_wide)
    picture = Markup('<img class="vcc-figure__img" src="{}" alt="{}" width="{}" height="{}">').format(
        source, alt, width, height
    )
    if output == "site" and (narrow or wide is None):
        slim_width, slim_height = _size(figure.svg_narrow)
        picture = Markup(
            '<picture><source media="(max-width: {}px)" srcset="{}" width="{}" height="{}">{}</picture>'
        ).format(NARROW_UP_TO, narrow or svg_data_uri(figure.svg_narrow), slim_width, slim_height, picture)
    table = table_html(figure.table, figure.title, is_caption_shown=output == "document")
    if output == "site":
        table = Markup(
            '<details class="govuk-details vcc-figure__data"><summary class="govuk-details__summary">'
            '<span class="govuk-details__summary-text">Table<span class="govuk-visually-hidden"> of {}</span>'
            '</span></summary>\n<div class="govuk-details__text">\n{}</div></details>\n'
        ).format(figure.title, table)
    else:
        length = "short" if len(figure.table.rows) <= SHORT_TABLE else "long"
        table = Markup('<div class="vcc-figure__data vcc-figure__data--{}">\n{}</div>\n').format(
            length, table
        )
    link = csv_link(csv, figure.title, len(figure_csv(figure))) if csv else Markup("")
    return Markup(
        '<figure class="vcc-figure vcc-figure--{}">\n<figcaption class="vcc-figure__caption">'
        '<h{} class="govuk-heading-s vcc-figure__title">{}</h{}>\n'
        '<p class="govuk-body vcc-figure__sentence">{}</p></figcaption>\n'
        '<div class="vcc-figure__picture">{}</div>\n{}{}</figure>\n'
    ).format(figure.kind.replace("_", "-"), level, figure.title, level, figure.sentence, picture, table, link)


def _size(svg: str) -> tuple[int, int]:
    """Width and height of a picture from its first tag."""
    import re

    found = re.search(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"', svg)
    return (round(float(found[1])), round(float(found[2]))) if found else (WIDE, NARROW)

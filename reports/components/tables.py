"""Tables: the rows as text with what explains them, and the table as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from reports.components.figure import FigureTable
from reports.components.reading import (
    ComponentError,
    checked_format,
    checked_rows,
    csv_part,
    heading,
    notes,
    required_text,
    shown,
)
from reports.components.text import plain
from reports.engine.rows import STATUS_COLUMNS, Row
from reports.files import csv_bytes

NUMERIC_FORMATS = frozenset({"count", "percent", "percent1", "points", "number"})
_SAFE_LINKS = ("https://", "http://", "mailto:")

Column = tuple[str, str, str | None]


class DataTable(Markup):
    """The HTML of a table that also knows its rows as CSV: `csv` (None without one) and its `caption`.

    Whoever puts the file somewhere calls `with_csv` with its address.
    """

    csv: bytes | None
    caption: str

    def with_csv(self, href: str) -> Markup:
        """The table, and under it the link to its CSV."""
        return self if self.csv is None else Markup(self) + csv_link(href, self.caption, len(self.csv))


def size_text(size: int) -> str:
    """A file's size for readers: `1 KB`, never 0."""
    return f"{max(1, round(size / 1024)):,} KB"


def csv_link(href: str, title: str, size: int) -> Markup:
    """A paragraph with the link to a CSV, its name and its size."""
    return Markup(
        '<p class="govuk-body-s vcc-download"><a class="govuk-link" href="{}" download>'
        'Download the figures<span class="govuk-visually-hidden"> of {}</span> (CSV, {})</a></p>\n'
    ).format(href, title, size_text(size))


def figure_table(
    rows: Sequence[Row], columns: Sequence[Column], intervals: Mapping[str, tuple[str, str]] | None = None
) -> FigureTable:
    """Rows as text. `intervals` puts after a column another one with its 95% interval from two columns."""
    header: list[str] = []
    numeric: list[bool] = []
    for column, title, format in columns:
        header.append(title)
        numeric.append(format in NUMERIC_FORMATS)
        if intervals and column in intervals:
            header.append("95% interval")
            numeric.append(True)
    lines = []
    for row in rows:
        line = []
        for column, _, format in columns:
            line.append(shown(row[column], format))
            if intervals and column in intervals:
                low, high = (row[name] for name in intervals[column])
                both = low.is_given and high.is_given and row[column].is_given
                line.append(
                    f"{shown(low, format)} to {shown(high, format)}" if both else _no_interval(row[column])
                )
        lines.append(tuple(line))
    cells = [row[column] for row in rows for column, _, format in columns if format in NUMERIC_FORMATS]
    return FigureTable(tuple(header), tuple(lines), tuple(numeric), notes(rows, cells))


def _no_interval(cell: Any) -> str:
    return f"[{cell.status}]" if cell.status and not cell.is_given else ""


def table_html(
    table: FigureTable,
    caption: str,
    *,
    row_header: int | None = 0,
    links: Mapping[tuple[int, int], str] | None = None,
    is_caption_shown: bool = True,
) -> Markup:
    """The table as HTML. `row_header` is the column that heads each row; `links` (row, column) -> href."""
    hidden = "" if is_caption_shown else " govuk-visually-hidden"
    out = [
        Markup(
            '<div class="vcc-table-wrapper" role="region" aria-label="{}" tabindex="0">\n'
            '<table class="govuk-table vcc-table">\n'
            '<caption class="govuk-table__caption govuk-table__caption--s{}">{}</caption>\n'
            '<thead class="govuk-table__head"><tr class="govuk-table__row">'
        ).format(f"Table: {caption}", hidden, caption)
    ]
    for title, is_numeric in zip(table.header, table.numeric, strict=True):
        kind = " govuk-table__header--numeric" if is_numeric else ""
        out.append(Markup('<th scope="col" class="govuk-table__header{}">{}</th>').format(kind, title))
    out.append(Markup('</tr></thead>\n<tbody class="govuk-table__body">\n'))
    for at, line in enumerate(table.rows):
        out.append(Markup('<tr class="govuk-table__row">'))
        for place, (text, is_numeric) in enumerate(zip(line, table.numeric, strict=True)):
            href = links.get((at, place)) if links else None
            content = (
                Markup('<a class="govuk-link" href="{}">{}</a>').format(href, text) if href else escape(text)
            )
            if place == row_header:
                out.append(Markup('<th scope="row" class="govuk-table__header">{}</th>').format(content))
            else:
                kind = " govuk-table__cell--numeric" if is_numeric else ""
                out.append(Markup('<td class="govuk-table__cell{}">{}</td>').format(kind, content))
        out.append(Markup("</tr>\n"))
    out.append(Markup("</tbody>\n</table>\n</div>\n"))
    if table.notes:
        out.append(Markup('<p class="govuk-body-s vcc-note">{}</p>\n').format(" ".join(table.notes)))
    return Markup("").join(out)


def safe_href(value: object) -> str | None:
    """A link that leads to a page: relative, http(s) or mailto; None for any other (`javascript:` ...)."""
    href = plain(value) if value is not None else ""
    before = href.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    if (
        not href
        or href.startswith(("/", "\\"))
        or (":" in before and not href.lower().startswith(_SAFE_LINKS))
    ):
        return None
    return href


def data_table(
    rows: Sequence[Row],
    columns: Sequence[Sequence[Any]] | None = None,
    *,
    caption: str,
    csv: bool = True,
    row_header: int | None = 0,
) -> Markup:
    """A table of a query's rows.

    `columns` lists ("column", "Heading", "format"), or with a fourth part {"link": "href_column"};
    heading and format may be left out; without `columns` all are shown, but those that describe others.
    `row_header` is the place of the column that names the row, None for none. Raises ComponentError.
    """
    kind = "data_table"
    caption = required_text(kind, "caption", caption)
    if columns is None:
        first = checked_rows(kind, rows, [])[0]
        columns = [(name,) for name in first if name not in STATUS_COLUMNS]
    chosen: list[Column] = []
    links: dict[int, str] = {}
    for place, entry in enumerate(columns):
        parts = (entry,) if isinstance(entry, str) else tuple(entry)
        if not parts or len(parts) > 4 or not isinstance(parts[0], str):
            raise ComponentError(f'{kind}: column {place + 1} must be ("column", "Heading", "format").')
        options = parts[3] if len(parts) == 4 else {}
        if not isinstance(options, Mapping) or set(options) - {"link"}:
            raise ComponentError(f'{kind}: options of column {place + 1} must be {{"link": "column"}}.')
        format = parts[2] if len(parts) > 2 else None
        checked_format(kind, format)
        chosen.append((parts[0], plain(parts[1]) if len(parts) > 1 else heading(parts[0]), format))
        if "link" in options:
            links[place] = options["link"]
    listed = checked_rows(kind, rows, [*(column for column, _, _ in chosen), *links.values()])
    if not chosen:
        raise ComponentError(f"{kind}: no column is named; leave `columns` out to show all.")
    if row_header is not None and not 0 <= row_header < len(chosen):
        raise ComponentError(f"{kind}: row_header is {row_header}, but there are {len(chosen)} columns.")
    table = figure_table(listed, _with_formats(listed, chosen))
    hrefs = {
        (at, place): href
        for at, row in enumerate(listed)
        for place, column in links.items()
        if (href := safe_href(row[column].value))
    }
    made = DataTable(table_html(table, caption, row_header=row_header, links=hrefs))
    made.caption = caption
    made.csv = csv_bytes(*csv_part(listed, [column for column, _, _ in chosen])) if csv else None
    return made


def _with_formats(rows: Sequence[Row], columns: Sequence[Column]) -> list[Column]:
    """Columns that hold numbers without a format are numbers all the same: aligned, explained."""
    done = []
    for column, title, format in columns:
        values = [row[column] for row in rows]
        is_number = format is None and any(
            isinstance(cell.value, int | float) and not isinstance(cell.value, bool) for cell in values
        )
        done.append((column, title, "number" if is_number else format))
    return done

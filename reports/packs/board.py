"""The Programme Board pack: what the Board is asked to decide this quarter, and the evidence for it.

Belongs here: making the files of the pack from its page. Does not belong here: what the pack says
(`reports/pages/packs/board.md`), and the pack for ministers (`taskforce.py`).
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reports import labels
from reports.chance import chance_of_quarter
from reports.documents.ods import OdsTable, ods_of
from reports.documents.pdf import pdf_of
from reports.engine.build import Progress, build_pages
from reports.engine.pages import Page, load_pages
from reports.engine.queries import QueryRunner, composed
from reports.engine.rows import Rows
from reports.files import publish_folder
from reports.packs.local_facts import open_warehouse
from reports.packs.provenance import Provenance

PAGES = Path(__file__).parents[1] / "pages" / "packs"
BOARD = "programme-board"
#: On a phone a wide table scrolls in its own frame; its rows stay short.
SCREEN_STYLE = """
@media screen and (max-width: 48rem) {
  .vcc-table-wrapper table { min-width: 46rem; }
}
"""
#: Evidence begins on a page of its own: what is to be decided stands before it.
BOARD_STYLE = """
@media print {
  #high-and-low-compliance { break-before: page; border-top: 0; }
  table { width: 100%; }
  .vcc-figure__data--long { display: none; }
  .provenance { break-inside: avoid; }
}
"""
#: Stands in the properties of a workbook whose release has no announced day.
UNDATED = dt.date(2000, 1, 1)
_CALL = re.compile(r"\{\{\s*((?:data_table|line_chart|funnel_plot)\(.*?\))\s*\}\}", re.DOTALL)
#: Who a table is about, put before its columns where the page shows it in parts under a heading each.
_ABOUT = (("body_name", "Body", "text"), ("rights", "Right", "text"))


class PackError(ValueError):
    """A pack cannot be made as asked; the message says why and what to do."""


@dataclass(frozen=True)
class PackSummary:
    """What was written: the folder, its files, how many decisions it asks for, whether anything changed."""

    period_code: str
    folder: Path
    files: tuple[str, ...]
    decisions: int
    changed: bool


def build_board_pack(
    warehouse: Path,
    period_code: str,
    provenance: Provenance,
    out: Path,
    *,
    right_in_depth: int | None = None,
    progress: Progress | None = None,
) -> PackSummary:
    """Write `programme-board.html`, `.pdf` and `.ods` of a quarter into `out`, and nothing else.

    `warehouse` is a build or the analysts' copy of it. `right_in_depth` chooses the right of that section;
    without it the rights that have statistics take turns, quarter by quarter. Raises PackError when the pack
    is asked for before the final stage, for another period than its provenance, or for a quarter that was
    not assessed.
    """
    check_stage(period_code, provenance)
    with open_warehouse(warehouse) as connection:
        page = page_named("board.md")
        right = right_in_depth if right_in_depth is not None else turn_of(connection, period_code)
        parameters = parameters_of(period_code, right_number=right)
        context = {
            **context_of(provenance, "Programme Board pack"),
            "chance": _chance(connection, period_code),
        }
        runner = QueryRunner(connection)
        files = pack_files(page, runner, connection, parameters, context, provenance, BOARD_STYLE, progress)
        counts = runner.rows(page, composed(page, "counts"), parameters)
    changed = publish_folder(out, files)
    return PackSummary(period_code, out, tuple(sorted(files)), int(counts[0]["ask_count"].value), changed)


def check_stage(period_code: str, provenance: Provenance) -> None:
    """Refuse a pack that is asked for too early, or whose provenance is another quarter's."""
    if provenance.stage != "final":
        raise PackError(
            f"The national packs of {period_code} are made at the final stage, after the joint local review;"
            f" this build is {provenance.stage}."
        )
    if provenance.period_code != period_code:
        raise PackError(f"The pack is for {period_code}, its provenance for {provenance.period_code}.")


def page_named(name: str) -> Page:
    """The page of a pack."""
    return load_pages(PAGES / name)[0]


def turn_of(connection: duckdb.DuckDBPyConnection, period_code: str) -> int:
    """The right whose turn it is: those with scored statistics in the quarter, in order, one a quarter."""
    rows = connection.execute(
        """
        select distinct right_number, quarter_index from marts.local_area_benchmarks
        where period_code = ? and information = 'statistic'
        order by right_number
        """,
        [period_code],
    ).fetchall()
    return int(rows[rows[0][1] % len(rows)][0]) if rows else 1


def parameters_of(period_code: str, **others: Any) -> dict[str, Any]:
    """What the queries of a pack are given: the quarter, and the words for codes as JSON."""
    return {
        "period_code": period_code,
        "result_names": json.dumps({code: label.name for code, label in labels.RESULTS.items()}),
        "state_names": json.dumps(dict(labels.STATES)),
        "submission_names": json.dumps(dict(labels.SUBMISSIONS)),
        "short_names": json.dumps(dict(labels.STATES_SHORT)),
        **others,
    }


def context_of(provenance: Provenance, name: str) -> dict[str, Any]:
    """What the page and its layout are given beside rows."""
    return {
        "pack": {
            "name": name,
            "period_label": provenance.period_label,
            "stage_label": provenance.stage_label,
            "facts": provenance.facts,
        },
        "marking": labels.MARKING,
        "provenance": provenance,
        "dated": dated(provenance),
        "footer": f"{name}, {provenance.period_code}, {provenance.stage}",
    }


def dated(provenance: Provenance) -> str | None:
    """The day that goes into the properties of the files: that of publication, if it is announced."""
    return provenance.publish_on.isoformat() if provenance.publish_on is not None else None


def pack_files(
    page: Page,
    runner: QueryRunner,
    connection: duckdb.DuckDBPyConnection,
    parameters: Mapping[str, Any],
    context: Mapping[str, Any],
    provenance: Provenance,
    style: str,
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """A page of a pack as HTML, PDF and ODS, named by its path. `style` is put after that of the layout.

    `runner` gives the rows of the ODS and runs on the same connection.
    """
    built = build_pages(
        [page],
        connection,
        audience="restricted",
        parameters=parameters,
        context=context,
        output="document",
        progress=progress,
    )
    html = built[page.path].decode("utf-8").replace("</style>", f"{SCREEN_STYLE}{style}</style>", 1)
    name = page.path.removesuffix(".html")
    tables = page_tables(page, runner, parameters)
    return {
        page.path: html.encode("utf-8"),
        f"{name}.pdf": pdf_of(html),
        f"{name}.ods": ods_of(
            f"{labels.MARKING}: {context['pack']['name']}, {provenance.period_label}",
            tables,
            lines=(labels.MARKING, *(f"{title}: {value}" for title, value in provenance.facts)),
            dated=provenance.publish_on or UNDATED,
        ),
    }


def page_tables(page: Page, runner: QueryRunner, parameters: Mapping[str, Any]) -> list[OdsTable]:
    """Every table and chart that a page shows, in order, with all rows of its query.

    A heading that is no plain text is the period that the column stands for (`quarter_names`).
    """
    found: list[OdsTable] = []
    for match in _CALL.finditer(page.body):
        call = ast.parse(match[1], mode="eval").body
        assert isinstance(call, ast.Call)
        first, is_whole = call.args[0], isinstance(call.args[0], ast.Name)
        while isinstance(first, ast.BinOp):  # filters: a part of the query's rows
            first = first.left
        if not isinstance(first, ast.Name):
            raise PackError(
                f"{page.file}: a table or chart of a pack names its query first, so that its ODS has it."
            )
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        rows = runner.rows(page, composed(page, first.id), parameters)
        if "columns" in keywords:
            columns = _columns(keywords["columns"], page, runner, parameters)
        else:
            columns = _plain_columns(rows)
        if not is_whole:
            columns = [*(each for each in _ABOUT if each[0] in rows.columns), *columns]
        title = _literal(keywords.get("caption")) or _literal(keywords.get("title")) or first.id
        found.append(
            OdsTable(
                name=first.id,
                title=title,
                rows=rows,
                columns=columns,
                note=f"{labels.MARKING}. {labels.RECOMMENDATION_RULE}",
            )
        )
    return found


def _plain_columns(rows: Rows) -> list[tuple[str, str, str]]:
    """The columns of a chart's query, as they are named there."""
    return [
        (
            column,
            column.replace("_", " "),
            "number" if any(isinstance(row[column].value, int | float) for row in rows) else "text",
        )
        for column in rows.columns
    ]


def _columns(
    node: ast.expr, page: Page, runner: QueryRunner, parameters: Mapping[str, Any]
) -> Sequence[tuple[str, str, str]]:
    if not isinstance(node, ast.List):
        raise PackError(
            f"{page.file}: the columns of a pack's table stand as a list, so that its ODS has them."
        )
    columns = []
    names: Rows | None = None
    for each in node.elts:
        assert isinstance(each, ast.Tuple)
        column, heading, format = (_literal(part) for part in each.elts[:3])
        if not heading:
            names = names or runner.rows(page, composed(page, "quarter_names"), parameters)
            heading = names[0][column].shown() or f"{column[1:]} quarters before"
        columns.append((column, heading, format))
    return columns


def _literal(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _chance(connection: duckdb.DuckDBPyConnection, period_code: str) -> dict[str, Any] | None:
    """How many comparisons with like areas chance alone explains, as the method card says it."""
    chance = chance_of_quarter(connection, period_code)
    if chance is None:
        return None
    at_most = chance.false_at_most
    return {
        "tests": f"{chance.tests:,}",
        "flagged": chance.flagged,
        "by_chance": f"{chance.by_chance:.1f}",
        "false_at_most": None if at_most is None else f"{at_most:.2f}",
    }

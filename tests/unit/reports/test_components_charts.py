from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reports.components import theme
from reports.components.charts import (
    bar_chart,
    dot_chart,
    funnel_plot,
    line_chart,
    small_multiples,
    tile_map,
)
from reports.components.figure import NARROW, WIDE, Figure
from reports.components.html import figure_csv
from reports.components.reading import ComponentError
from reports.components.scales import axis
from reports.components.text import text_width
from reports.engine.rows import Rows

SVG = "{http://www.w3.org/2000/svg}"
PERIODS = (
    "April to June 2025 (2025/26 Q1)",
    "July to September 2025 (2025/26 Q2)",
    "October to December 2025 (2025/26 Q3)",
    "January to March 2026 (2025/26 Q4)",
    "April to June 2026 (2026/27 Q1)",
)
COLUMNS = (
    "area_name",
    "period_label",
    "case_count",
    "rate_percent",
    "low",
    "high",
    "like",
    "tile_row",
    "tile_col",
    "abbreviation",
    "rate_band",
    "obs_status",
)
AREAS = (
    "Avon and Somerset",
    "Metropolitan Police",
    "British Transport Police",
    "Essex",
    "Llanfairpwllgwyngyllgogerychwyrndrobwll",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {% raw %}",
    '=HYPERLINK("http://x")',
    "**bold** [a](javascript:b) \\ ` ]]>",
    '\u202eright to left\u2066 & "quotes" \'\x07',
)


def row(area: str, period: str, rate: int | None, at: int, **more: Any) -> tuple[Any, ...]:
    given = rate is not None
    values = {
        "area_name": area,
        "period_label": period,
        "case_count": 10 ** (at % 4 + 2),
        "rate_percent": rate,
        "low": max(0, rate - 6) if rate is not None else None,
        "high": min(100, rate + 6) if rate is not None else None,
        "like": 65,
        "tile_row": at // 7,
        "tile_col": at % 7,
        "abbreviation": area[:3].upper(),
        "rate_band": None,
        "obs_status": None if given else "c",
        **more,
    }
    return tuple(values[name] for name in COLUMNS)


def by_period(rates: tuple[int | None, ...], area: str = "Essex") -> Rows:
    return Rows("figures", COLUMNS, [row(area, PERIODS[at], rate, at) for at, rate in enumerate(rates)])


def with_bands() -> Rows:
    rates = (None, 88, 91, 90, None)
    rows = [row("Essex", PERIODS[at], rate, at, rate_band="90% and over") for at, rate in enumerate(rates)]
    return Rows("figures", COLUMNS, rows)


def by_area(names: tuple[str, ...] = AREAS) -> Rows:
    rows = [row(name, PERIODS[0], 100 - 17 * at, at) for at, name in enumerate(names)]
    rows.append(row("Withheld", PERIODS[0], None, len(names)))
    rows.append(row("Banded", PERIODS[0], None, len(names) + 1, rate_band="60% and over"))
    return Rows("figures", COLUMNS, rows)


def every_area() -> Rows:
    return Rows(
        "figures",
        COLUMNS,
        [
            row(area, period, (37 * one + 11 * two) % 101 if one + two != 3 else None, one * 5 + two)
            for one, area in enumerate(AREAS)
            for two, period in enumerate(PERIODS)
        ],
    )


LINE = {"x": "period_label", "y": "rate_percent", "lower": "low", "upper": "high"}
CHARTS: dict[str, Callable[[str], Figure]] = {
    "line": lambda title: line_chart(by_period((60, 70, None, 65, 80)), **LINE, title=title, target=75),
    "bands": lambda title: line_chart(with_bands(), **LINE, title=title),
    "lines": lambda title: line_chart(every_area(), **LINE, series="area_name", title=title),
    "bar": lambda title: bar_chart(by_area(), "area_name", "rate_percent", title=title),
    "bars": lambda title: bar_chart(
        every_area(), "area_name", "rate_percent", series="period_label", title=title
    ),
    "counts": lambda title: bar_chart(by_area(), "area_name", "case_count", title=title, format="count"),
    "dots": lambda title: dot_chart(
        by_area(), "area_name", "rate_percent", "low", "high", "like", "Areas like it", "Essex", title=title
    ),
    "funnel": lambda title: funnel_plot(
        by_area(), "area_name", "case_count", "rate_percent", title=title, highlight="Essex"
    ),
    "small": lambda title: small_multiples(every_area(), "area_name", **LINE, title=title),
    "tiles": lambda title: tile_map(by_area(), "rate_percent", title=title),
}


@functools.cache
def drawn(name: str, title: str = "Rates") -> Figure:
    return CHARTS[name](title)


def pictures(figure: Figure) -> list[tuple[int, str]]:
    return [(WIDE, figure.svg_wide), (NARROW, figure.svg_narrow)]


def texts(svg: str) -> Iterator[tuple[str, float, float, float, float]]:
    """Each line of text with its left, right, baseline and size, wherever its groups are moved to."""

    def walk(node: ET.Element, x: float, y: float) -> Iterator[tuple[str, float, float, float, float]]:
        for across, down in re.findall(r"translate\(([-\d.e]+),([-\d.e]+)\)", node.get("transform", "")):
            x, y = x + float(across), y + float(down)
        if node.tag == f"{SVG}text":
            size = float(node.get("font-size", "0").removesuffix("px"))
            lines = [(node.text or "", 0.0)]
            if len(node):
                lines, down = [], 0.0
                for span in node:
                    down += float(span.get("dy", 0))
                    lines.append((span.text or "", down))
            for text, down in lines:
                wide = text_width(text, size)
                shift = {"middle": wide / 2, "end": wide}.get(node.get("text-anchor", "start"), 0.0)
                yield text, x - shift, x - shift + wide, y + down, size
        for child in node:
            yield from walk(child, x, y)

    yield from walk(ET.fromstring(svg), 0.0, 0.0)


@pytest.mark.parametrize("name", CHARTS)
def test_every_text_is_large_enough_and_inside_the_picture(name: str) -> None:
    for width, svg in pictures(drawn(name)):
        root = ET.fromstring(svg)
        assert float(root.get("width", 0)) == width
        height = float(root.get("height", 0))
        found = list(texts(svg))
        assert len(found) > 5
        small = [text for text, *_, size in found if size < 12]
        # Bold text is wider than what text_width says; two pixels of paper are left at the edge for it.
        cut = [
            text
            for text, left, right, base, size in found
            if left < -1 or right > width + 1 or base - size > height or base > height or base < size * 0.5
        ]
        assert (small, cut) == ([], [])


@pytest.mark.parametrize("name", CHARTS)
def test_no_text_of_a_picture_covers_another(name: str) -> None:
    for width, svg in pictures(drawn(name)):
        boxes = [
            (text, left + 1, right - 1, base - 0.6 * size, base)
            for text, left, right, base, size in texts(svg)
            if text
        ]
        covered = [
            (one[0], other[0])
            for at, one in enumerate(boxes)
            for other in boxes[at + 1 :]
            if one[1] < other[2] and other[1] < one[2] and one[3] < other[4] and other[3] < one[4]
        ]
        assert covered == [], width


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_names_itself_and_asks_for_nothing_else(name: str) -> None:
    for _, svg in pictures(drawn(name, "Rates & more")):
        root = ET.fromstring(svg)
        assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
        ids = [node.get("id") for node in root.iter() if node.get("id")]
        assert len(ids) == len(set(ids))
        title, description = (root.find(f"{SVG}{tag}") for tag in ("title", "desc"))
        assert title is not None and description is not None
        assert title.text == "Rates & more" and description.text
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert {node.tag for node in root.iter()} <= {
            f"{SVG}{tag}"
            for tag in (
                "svg",
                "title",
                "desc",
                "g",
                "path",
                "line",
                "rect",
                "text",
                "tspan",
                "defs",
                "clipPath",
            )
        }
        attributes = {name for node in root.iter() for name in node.attrib}
        assert not {name for name in attributes if name.startswith("on") or "href" in name or name == "style"}
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_pictures_of_one_page_share_no_id() -> None:
    ids: list[str] = []
    for name in CHARTS:
        for _, svg in pictures(drawn(name)):
            ids += re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", CHARTS)
def test_a_specification_is_one_that_altair_accepts(name: str) -> None:
    import altair as alt

    spec = json.loads(json.dumps(drawn(name).spec))
    alt.LayerChart.from_dict(spec)
    spec["layer"][0]["mark"] = {"type": "no such mark"}
    with pytest.raises(Exception, match="no such mark"):
        alt.LayerChart.from_dict(spec)


def test_same_rows_same_bytes_whatever_was_drawn_before() -> None:
    code = (
        "from reports.components.charts import bar_chart\n"
        "from reports.engine.rows import Rows\n"
        "rows = Rows('r', ('a', 'b'), [('Essex', 4), ('Kent', 9)])\n"
        "print(bar_chart(rows, 'a', 'b', title='T', format='count').svg_wide)"
    )
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    rows = Rows("r", ("a", "b"), [("Essex", 4), ("Kent", 9)])
    here = [bar_chart(rows, "a", "b", title="T", format="count").svg_wide for _ in range(2)]
    assert alone.strip() == here[0].strip() == here[1].strip()


@pytest.mark.parametrize("name", ["bar", "dots", "funnel", "tiles", "small", "lines"])
def test_hostile_names_come_out_as_text(name: str) -> None:
    rows = by_area(HOSTILE)
    charts: dict[str, Callable[[], Figure]] = {
        "bar": lambda: bar_chart(rows, "area_name", "rate_percent", title=HOSTILE[0]),
        "dots": lambda: dot_chart(rows, "area_name", "rate_percent", title=HOSTILE[1], highlight=HOSTILE[0]),
        "funnel": lambda: funnel_plot(
            rows, "area_name", "case_count", "rate_percent", title=HOSTILE[2], highlight=HOSTILE
        ),
        "tiles": lambda: tile_map(rows, "rate_percent", title=HOSTILE[3], label="area_name"),
        "small": lambda: small_multiples(rows, "area_name", "period_label", "rate_percent", title=HOSTILE[4]),
        "lines": lambda: line_chart(rows[:5], "period_label", "rate_percent", "area_name", title=HOSTILE[0]),
    }
    figure = charts[name]()
    for _, svg in pictures(figure):
        root = ET.fromstring(svg)
        assert f"{SVG}script" not in {node.tag for node in root.iter()}
        said = "".join(root.itertext())
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x07]", said)
        if name in {"bar", "dots", "lines"}:
            assert "<script>alert(1)</script>" in said
            assert "{{ 7 * 7 }}" in said
            assert 'right to left & "quotes" \'\ufffd' in said
    csv = figure_csv(figure).decode()
    assert "'=HYPERLINK" in csv
    assert not re.search(r"(^|,|\r\n)\"?[=@+]", csv)
    assert "\u202e" not in csv


def path_count(svg: str, colour: str) -> int:
    return len(re.findall(rf'<path[^>]*d="M[^"]*L[^"]*"[^>]*stroke="{colour}"[^>]*stroke-width="2.5"', svg))


def test_two_figures_are_points_and_no_line() -> None:
    two = line_chart(by_period((60, 70)), **LINE, title="T")
    three = line_chart(by_period((60, 70, 80)), **LINE, title="T")
    assert [path_count(figure.svg_wide, theme.MAIN) for figure in (two, three)] == [0, 1]


def test_a_withheld_figure_is_a_gap_with_its_shorthand() -> None:
    figure = line_chart(by_period((60, 70, None, 80, 75)), **LINE, title="T")
    assert path_count(figure.svg_wide, theme.MAIN) == 2
    for _, svg in pictures(figure):
        assert "[c]" in [text for text, *_ in texts(svg)]
    assert figure.table.rows[2] == (PERIODS[2], "[c]", "[c]")
    assert figure.table.notes == ("[c] means withheld so that nobody can be identified.",)
    assert figure.csv_rows[2][1] is None
    assert figure.csv_header[-2:] == ("obs_status", "rate_band")


def test_a_chart_of_nothing_but_withheld_figures_is_drawn() -> None:
    rows = by_period((None, None, None))
    for figure in (
        line_chart(rows, **LINE, title="T"),
        bar_chart(rows, "period_label", "rate_percent", title="T"),
        dot_chart(rows, "period_label", "rate_percent", "low", "high", title="T"),
        funnel_plot(rows, "period_label", "case_count", "rate_percent", title="T"),
        small_multiples(rows, "area_name", "period_label", "rate_percent", title="T"),
        tile_map(rows, "rate_percent", title="T"),
    ):
        assert "All three figures are withheld so that nobody can be identified." in figure.sentence
        for _, svg in pictures(figure):
            ET.fromstring(svg)


@pytest.mark.parametrize(
    ("values", "format", "may_start_high", "expected"),
    [
        ([3, 40], "percent", True, (0, 100)),
        ([91, 97], "percent", True, (80, 100)),
        ([91, 97], "percent", False, (0, 100)),
        ([79, 97], "percent", True, (0, 100)),
        ([100], "percent", True, (90, 100)),
        ([3, 17], "count", False, (0, 20)),
        ([0], "count", False, (0, 1)),
        ([-12, 7], "points", False, (-15, 10)),
        ([0.2, 0.9], "number", False, (0, 1)),
    ],
)
def test_axes_start_at_nought_unless_all_is_high_up(
    values: list[float], format: str, may_start_high: bool, expected: tuple[float, float]
) -> None:
    (low, high), ticks = axis(values, format, may_start_high=may_start_high)
    assert (low, high) == expected == (ticks[0], ticks[-1])


@pytest.mark.parametrize("name", ["lines", "bars", "dots"])
def test_every_tick_of_an_axis_is_printed(name: str) -> None:
    for width, svg in pictures(drawn(name)):
        step = 25 if width == NARROW and name != "lines" else 20
        printed = {text for text, *_ in texts(svg)}
        assert {f"{tick}%" for tick in range(0, 101, step)} <= printed


def test_an_axis_that_does_not_start_at_nought_is_said() -> None:
    assert "The axis starts at 80%, not at 0." in line_chart(by_period((90, 99)), **LINE, title="T").sentence
    assert "starts at" not in line_chart(by_period((48, 99)), **LINE, title="T").sentence


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: line_chart(by_period((1,)), "quarter", "rate_percent", title="T"),
            "no column 'quarter'; it has",
        ),
        (lambda: bar_chart(by_period((1,)), "area_name", "rate_percent", title=" "), "title is empty"),
        (lambda: bar_chart(Rows("f", COLUMNS, []), "area_name", "rate_percent", title="T"), "no rows"),
        (lambda: bar_chart(by_period((1,)), "area_name", "period_label", title="T"), "which is no number"),
        (lambda: bar_chart(by_period((1,)), "area_name", "like", title="T", format="pct"), "no format 'pct'"),
        (lambda: bar_chart(by_period((1, 2)), "area_name", "like", title="T"), "more than once"),
        (lambda: line_chart(every_area(), "period_label", "like", title="T"), "name the column"),
        (
            lambda: funnel_plot(by_area(), "area_name", "case_count", "like", title="T", target=0.8),
            "in percent",
        ),
        (lambda: funnel_plot(by_area(), "area_name", "case_count", "like", title="T", target=180), "target"),
        (lambda: tile_map(Rows("f", COLUMNS, [row("A", "Q", 1, 1)] * 2), "like", title="T"), "same place"),
        (lambda: line_chart("figures", "a", "b", title="T"), "rows of a query"),  # type: ignore[arg-type]
    ],
)
def test_a_fault_of_the_page_is_told_with_what_to_change(call: Callable[[], Figure], message: str) -> None:
    with pytest.raises(ComponentError, match=re.escape(message)):
        call()


def test_a_target_may_be_a_number_or_a_figure_of_a_row() -> None:
    rows = by_period((60, 70, 80))
    by_number, by_cell = (
        line_chart(rows, **LINE, title="T", target=target, target_label="Goal")
        for target in (65, rows[0]["like"])
    )
    assert by_number.svg_wide == by_cell.svg_wide
    assert "Goal" in [text for text, *_ in texts(by_cell.svg_wide)]


def test_a_document_takes_the_picture_as_png() -> None:
    assert drawn("tiles").png().startswith(b"\x89PNG")

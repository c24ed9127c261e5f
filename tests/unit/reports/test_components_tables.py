from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import pytest

from reports.components import COMPONENTS, ComponentError, figure_html
from reports.components.charts import bar_chart
from reports.components.tables import DataTable, data_table, safe_href
from reports.components.values import big_value, sparkline, value
from reports.engine.rows import Rows

COLUMNS = ("area_name", "case_count", "rate_percent", "rate_is_about", "rate_band", "obs_status", "href")
ROWS = Rows(
    "figures",
    COLUMNS,
    [
        ("Essex", 12345, 65, False, None, None, "essex.html"),
        ("Kent", 45, 70, True, None, None, "javascript:alert(1)"),
        ("Surrey", None, None, None, None, "c", "https://example.org/a"),
        ("Sussex", 25, None, None, "60% and over", "c", None),
        ("<b>=1+1</b>", None, None, None, None, "w", "//evil.example"),
    ],
)
CHOSEN = [
    ("area_name", "Area", "text", {"link": "href"}),
    ("case_count", "Cases", "count"),
    ("rate_percent", "Rate", "percent"),
]


class Reader(HTMLParser):
    """Tags with their attributes, and the texts of each cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.text = ""
        self.feed(str(html))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.cells:
            self.cells[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_table_prints_figures_and_shorthands_and_explains_those_that_occur() -> None:
    html = data_table(ROWS, CHOSEN, caption="Rates by area")
    read = Reader(html)
    assert [cell.strip() for cell in read.cells[:15]] == (
        [
            "Area",
            "Cases",
            "Rate",
            "Essex",
            "12,345",
            "65%",
            "Kent",
            "45",
            "about 70%",
            "Surrey",
            "[c]",
            "[c]",
            "Sussex",
            "25",
            "60% and over",
        ]
    )
    note = html.split('vcc-note">')[1]
    assert "[c] means withheld" in note and "[w] means not submitted" in note
    assert "[x]" not in note and "[z]" not in note
    assert "nearest 10" in note and "a range is given" in note


def test_a_table_is_marked_up_as_one() -> None:
    read = Reader(data_table(ROWS, CHOSEN, caption="Rates by area"))
    scopes = [attributes.get("scope") for attributes in read.all("th")]
    assert scopes == ["col"] * 3 + ["row"] * 5
    region = read.all("div")[0]
    assert (region["role"], region["tabindex"]) == ("region", "0")
    assert region["aria-label"] == "Table: Rates by area"
    assert len(read.all("caption")) == 1
    numeric = [attributes for attributes in read.all("td") if "--numeric" in (attributes["class"] or "")]
    assert len(numeric) == len(read.all("td")) == 10


def test_links_lead_to_pages_and_nowhere_else() -> None:
    read = Reader(data_table(ROWS, CHOSEN, caption="Rates"))
    assert [attributes["href"] for attributes in read.all("a")] == ["essex.html", "https://example.org/a"]
    for bad in (
        "javascript:a",
        "/\\evil.example",
        "/from/the/root.html",
        " JavaScript:a",
        "java\nscript:a",
        "data:text/html,a",
        "//x",
        "\\\\x",
        "",
        None,
    ):
        assert safe_href(bad) is None
    assert safe_href("areas/a:b.html") == "areas/a:b.html"


def test_nothing_in_a_table_is_markup_or_a_formula() -> None:
    made = data_table(ROWS, CHOSEN, caption="<i>Rates</i>")
    assert isinstance(made, DataTable) and made.csv is not None
    read = Reader(made)
    assert not read.all("b") and not read.all("i")
    assert "<b>=1+1</b>" in read.text
    formula = Rows("f", ("a",), [("=1+1",), ("\u202e@x",)])
    table = data_table(formula, caption="F")
    assert isinstance(table, DataTable) and table.csv == b"a\r\n'=1+1\r\n'@x\r\n"


def test_the_csv_of_a_table_says_why_a_cell_is_empty() -> None:
    made = data_table(ROWS, CHOSEN, caption="Rates")
    assert isinstance(made, DataTable) and made.csv is not None
    lines = made.csv.decode().split("\r\n")
    assert lines[0] == "area_name,case_count,rate_percent,obs_status,rate_is_about,rate_band"
    assert lines[3] == "Surrey,,,c,,"
    assert "download" in made.with_csv("a.csv") and "(CSV, 1 KB)" in made.with_csv("a.csv")
    assert data_table(ROWS, CHOSEN, caption="Rates", csv=False).csv is None  # type: ignore[attr-defined]


def test_without_columns_all_are_shown_but_those_that_describe_others() -> None:
    read = Reader(data_table(ROWS, caption="Rates"))
    assert [cell.strip() for cell in read.cells[:4]] == ["Area", "Cases", "Rate", "Href"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("no", "No")], "no column 'no'"),
        ([("area_name", "A", "words")], "no format 'words'"),
        ([("area_name", "A", None, {"href": "x"})], "must be"),
        ([("area_name", "A", None, {"link": "nowhere"})], "no column 'nowhere'"),
        ([], "leave `columns` out"),
    ],
)
def test_a_fault_in_columns_is_told(columns: list[Any], message: str) -> None:
    with pytest.raises(ComponentError, match=re.escape(message)):
        data_table(ROWS, columns, caption="Rates")
    with pytest.raises(ComponentError, match="caption is empty"):
        data_table(ROWS, caption="")


def test_a_value_is_the_figure_or_its_shorthand_with_its_meaning() -> None:
    assert Reader(value(ROWS, "rate_percent", "percent")).text == "65%"
    assert Reader(value(ROWS[1], "rate_percent", "percent")).text == "about 70%"
    assert Reader(value(ROWS[2], "rate_percent", "percent")).text == (
        "[c] ([c] means withheld so that nobody can be identified)"
    )
    assert Reader(value(ROWS[3], "rate_percent", "percent")).text.startswith("60% and over")


def test_a_big_value_has_a_title_and_what_it_is_compared_with() -> None:
    html = big_value(
        ROWS[2], "rate_percent", title="<Rate>", format="percent", compare="case_count", compare_title="Cases"
    )
    assert "&lt;Rate&gt;" in html and "[c]" in html and "[c] means" in html and "Cases: [c]" in html
    with pytest.raises(ComponentError, match="compare_title is empty"):
        big_value(ROWS, "rate_percent", title="T", compare="case_count")


def test_a_sparkline_has_its_words_and_no_line_through_two_points() -> None:
    def drawn(*rates: int | None) -> tuple[str, ET.Element]:
        rows = Rows(
            "f",
            ("q", "r", "obs_status"),
            [(f"Q{at}", rate, None if rate is not None else "c") for at, rate in enumerate(rates)],
        )
        image = Reader(sparkline(rows, "q", "r", title="Rate")).all("img")[0]
        source = (image["src"] or "").removeprefix("data:image/svg+xml;base64,")
        return image["alt"] or "", ET.fromstring(base64.b64decode(source))

    alt, svg = drawn(10, None, 30, 40, 50)
    assert (
        alt
        == "Rate: 10% in Q0, 50% in Q4. Of five figures, one is withheld so that nobody can be identified."
    )
    lines = [node.get("d", "") for node in svg.iter() if node.tag.endswith("path")]
    assert [line.count("L") for line in lines] == [0, 2]
    _, svg = drawn(10, 50)
    assert [node.get("d", "").count("L") for node in svg.iter() if node.tag.endswith("path")] == [0]
    assert sum(node.tag.endswith("circle") for node in svg.iter()) == 2
    assert drawn(None)[0] == "Rate: The figure is withheld so that nobody can be identified."


def test_a_figure_is_laid_out_with_classes_only() -> None:
    figure = bar_chart(ROWS, "area_name", "rate_percent", title="<Rates>")
    html = figure_html(figure, wide="a.svg", narrow="b.svg", csv="a.csv", heading=4)
    read = Reader(html)
    assert not read.all("style") and not read.all("script") and not read.all("b")
    assert not [
        name for _, attributes in read.tags for name in attributes if name == "style" or name.startswith("on")
    ]
    assert read.all("img")[0]["src"] == "a.svg" and read.all("source")[0]["srcset"] == "b.svg"
    assert read.all("img")[0]["alt"] == "Bar chart: <Rates>. The text before it says what it shows."
    assert read.all("h4") and figure.sentence in read.text
    assert len(read.all("details")) == len(read.all("table")) == 1
    assert "a.csv" in [attributes.get("href") for attributes in read.all("a")]


def test_a_document_holds_picture_and_open_table() -> None:
    figure = bar_chart(ROWS, "area_name", "rate_percent", title="Rates")
    read = Reader(figure_html(figure, wide=None, narrow=None, csv=None, output="document"))
    assert not read.all("details") and not read.all("source")
    assert (read.all("img")[0]["src"] or "").startswith("data:image/svg+xml;base64,")
    assert len(read.all("table")) == 1


def test_every_component_has_its_name() -> None:
    assert {name: component.__name__ for name, component in COMPONENTS.items()} == {
        name: name for name in COMPONENTS
    }
    assert len(COMPONENTS) == 10

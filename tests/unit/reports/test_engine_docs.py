"""The documentation of the page language is a page itself, and what it tells to write is right at once."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from reports.components import COMPONENTS
from reports.engine.build import build_pages
from reports.engine.pages import KEYS, load_pages, read_page
from reports.engine.rows import FORMATS, SHORTHANDS
from reports.published import open_published
from reports.site.frame import frame

DOCS = Path(__file__).parents[3] / "docs" / "pages.md"
TEXT = DOCS.read_text(encoding="utf-8")
#: What the documentation tells to put into a file.
FILES = [
    textwrap.dedent(found[2]) for found in re.finditer(r"^( *)````markdown\n(.*?)^ *````$", TEXT, re.M | re.S)
]
SOUTH_EAST = ("E23000032", "E23000031", "E23000033", "E23000030", "E23000029")


@pytest.fixture(scope="module")
def published(
    small_release: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Three quarters of five areas; in the newest the figure of one is withheld."""
    folder = tmp_path_factory.mktemp("releases")
    metric = "r04_s03_referral_2wd"
    releases = []
    for number, period in enumerate(("2025-26-Q3", "2025-26-Q4", "2026-27-Q1")):
        rows = [
            small_release.proportion(area, "police", metric, 400 + 50 * place, 320 + 30 * place + 5 * number)
            for place, area in enumerate(SOUTH_EAST)
        ]
        if number == 2:
            rows[3] = small_release.without(SOUTH_EAST[3], "police", metric, "c")
        releases.append(small_release.make_release(folder, period, local_compliance=rows))
    with open_published(releases, small_release.SEEDS) as connection:
        yield connection


def built(page: object, connection: duckdb.DuckDBPyConnection) -> dict[str, bytes]:
    return build_pages(
        [page],
        connection,
        audience="public",
        parameters={},
        context=frame(),
        output="site",  # type: ignore[list-item]
    )


def test_the_documentation_is_a_page_with_an_example_of_every_component(
    published: duckdb.DuckDBPyConnection,
) -> None:
    files = built(load_pages(DOCS)[0], published)
    html = files["docs/pages.html"].decode()
    for name in COMPONENTS:
        assert "### " in TEXT and f": {name}\n" in TEXT, f"{name} has no section"
        # Once to read, in code, and once to be run.
        assert len(re.findall(rf"^.*{{{{ {name}\(", TEXT, re.M)) >= 2
    for kind in ("line-chart", "bar-chart", "dot-chart", "funnel-plot", "small-multiples", "tile-map"):
        assert f'class="vcc-figure vcc-figure--{kind}"' in html
    assert "vcc-big-value" in html and "vcc-sparkline" in html and "<td" in html
    assert "[c]" in html
    assert sum(path.endswith(".csv") for path in files) >= 7


@pytest.mark.parametrize("text", FILES)
def test_what_it_tells_to_write_works_at_the_first_try(
    text: str, published: duckdb.DuckDBPyConnection
) -> None:
    files = built(read_page(text, "my_page.md", "my_page.html"), published)
    pages = [content.decode() for path, content in files.items() if path.endswith(".html")]
    assert len(pages) == (45 if "foreach" in text else 1)
    assert any("Kent</h1>" in page for page in pages)


def test_there_are_pages_to_try() -> None:
    assert len(FILES) == 2


def test_it_names_every_key_format_and_mark() -> None:
    for key in KEYS:
        assert f"| `{key}` |" in TEXT
    for word in (*FORMATS, *(f"[{mark}]" for mark in SHORTHANDS)):
        assert f"`{word}`" in TEXT


def test_it_names_every_table_that_a_page_can_read(published: duckdb.DuckDBPyConnection) -> None:
    found = published.execute(
        "select table_name from information_schema.tables where table_schema = 'published'"
    ).fetchall()
    assert {name for (name,) in found if f"`{name}`" not in TEXT} == set()

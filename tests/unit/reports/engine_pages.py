"""Pages from text, built on a database made by hand: what the tests of the page language share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import duckdb

from reports.engine.build import build_pages
from reports.engine.errors import PageError, PageErrors
from reports.engine.pages import Page, read_page
from reports.site.frame import frame

HEAD = "---\ntitle: A page\ndescription: What it is.\n---\n"


def database(*statements: str) -> duckdb.DuckDBPyConnection:
    """A database with a table of figures, one of them withheld, and what else the statements make."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(
        "create table figures as select * from (values"
        " ('Essex', '2026-27-Q1', 200, 75, null), ('Kent', '2026-27-Q1', null, null, 'c'))"
        " as t (area_name, period_code, case_count, rate_percent, obs_status)"
    )
    for statement in statements:
        connection.execute(statement)
    return connection


def page_of(text: str, file: str = "page.md", path: str = "page.html") -> Page:
    return read_page(text, file, path)


def built(
    *texts: str | Page,
    connection: duckdb.DuckDBPyConnection | None = None,
    parameters: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, bytes]:
    """Build pages from their texts, named page.md, page2.md ..."""
    pages = [
        text
        if isinstance(text, Page)
        else page_of(text, f"page{number or ''}.md", f"page{number or ''}.html")
        for number, text in enumerate(texts)
    ]
    arguments: dict[str, Any] = {
        "audience": "public",
        "output": "site",
        "context": frame(),
        "parameters": parameters or {},
        **options,
    }
    return build_pages(pages, connection or database(), **arguments)


def content(files: Mapping[str, bytes], path: str = "page.html") -> str:
    """What a page itself holds, without its frame."""
    found = re.search(r"<main[^>]*>\n(.*)\n*</main>", files[path].decode(), re.DOTALL)
    assert found is not None
    return found[1].strip()


def faults(*texts: str | Page, **options: Any) -> list[tuple[int, str]]:
    """Line and message of everything that is wrong with pages; nothing is an empty list."""
    try:
        built(*texts, **options)
    except PageErrors as errors:
        return [(error.line, error.message) for error in errors.errors]
    except PageError as error:
        raise AssertionError("one fault must come with all others") from error
    return []


class Seen(HTMLParser):
    """What a browser would make of HTML: its elements with attributes, in order, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.values: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

"""Every kind of page of the site in a real Chromium: axe, keyboard, console, requests, width, with and without scripts.

What is found here is what the accessibility statement says: the last test compares the two. To write the results
anew: `VCC_WRITE_ACCESSIBILITY=1 .venv/bin/python -m pytest tests/browser/test_site_pages.py`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from playwright.sync_api import BrowserContext

from reports.site.accessibility import PAGE_TYPES, Results, Violation, page_types, read_results, write_results
from tests.browser.harness import (
    WCAG,
    WIDTHS,
    Pages,
    Scheme,
    axe_violations,
    document_without_scripts,
    overflow,
    tab_through,
)

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
#: With scripts first: a document that they do not change is the same without them.
JAVASCRIPT = (True, False)
WRITE = "VCC_WRITE_ACCESSIBILITY"
#: What the Tab key must reach: everything one can follow, press, fill in or open, if it can be seen.
FOCUSABLE = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter(e => !e.disabled && e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true})
    && !(e.type === 'radio' && e.name && e !== (document.querySelector(`input[name="${e.name}"]:checked`) || e)))
  .length"""
#: Captions of tables of which a part is outside the window, before anybody scrolls.
CUT = """() => [...document.querySelectorAll('caption')]
  .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > window.innerWidth)
  .map(e => e.textContent)"""


class Survey:
    """One page of each kind, opened at every width, with and without scripts, from the folder and over http.

    axe is asked once for each document that there is: the scheme changes no document, and where scripts change
    nothing either, what axe finds in it holds with and without them.
    """

    def __init__(self, pages: Pages, windows: Mapping[tuple[int, bool], BrowserContext]) -> None:
        self.pages = pages
        self.windows = windows
        self.paths = page_types(
            [path.relative_to(pages.folder).as_posix() for path in pages.folder.rglob("*.html")]
        )
        self.axe_version = ""
        self._violations: dict[str, list[tuple[Violation, str]]] = {}

    def violations(self, kind: str) -> list[tuple[Violation, str]]:
        """What axe holds against the kind of page, with the elements; the page must be quiet and fit, too."""
        if kind not in self._violations:
            self._violations[kind] = [
                (Violation(kind, width, scheme, javascript, line.partition(":")[0]), line)
                for width in WIDTHS
                for javascript, lines in self._surveyed(kind, width)
                for scheme in SCHEMES
                for line in lines
            ]
        return self._violations[kind]

    def _surveyed(self, kind: str, width: int) -> Iterator[tuple[bool, list[str]]]:
        seen: dict[str, list[str]] = {}
        for javascript in JAVASCRIPT:
            window = self.windows[width, javascript]
            for scheme in SCHEMES:
                with self.pages.visit(
                    window, self.paths[kind], width=width, javascript=javascript, scheme=scheme
                ) as visit:
                    where = f"{kind}, {width}, {scheme}, JavaScript {javascript}"
                    assert (where, overflow(visit), visit.page.evaluate(CUT)) == (where, 0, [])
                    document = document_without_scripts(visit)
                    if document not in seen:
                        seen[document] = axe_violations(visit)
                        if javascript:
                            self.axe_version = visit.page.evaluate("axe.version")
                    visit.assert_quiet()
            yield javascript, seen[document]


@pytest.fixture(scope="module")
def survey(pages: Pages) -> Iterator[Survey]:
    with ExitStack() as stack:
        windows = {
            (width, javascript): stack.enter_context(pages.window(width=width, javascript=javascript))
            for width in WIDTHS
            for javascript in JAVASCRIPT
        }
        yield Survey(pages, windows)


def test_every_kind_of_page_is_there_and_no_other(survey: Survey) -> None:
    assert list(survey.paths) == list(PAGE_TYPES)


@pytest.mark.parametrize("kind", PAGE_TYPES)
def test_axe_finds_nothing_the_page_fits_and_asks_for_nothing_else(survey: Survey, kind: str) -> None:
    assert survey.violations(kind) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", PAGE_TYPES)
def test_the_keyboard_alone_reaches_everything(survey: Survey, kind: str, width: int) -> None:
    with survey.pages.visit(
        survey.windows[width, True], survey.paths[kind], width=width, javascript=True, scheme="http"
    ) as visit:
        visit.page.wait_for_load_state("networkidle")
        expected = visit.page.evaluate(FOCUSABLE)
        stops = tab_through(visit, limit=expected + 50)
        assert stops[0].text == "Skip to main content"
        assert [stop for stop in stops if not stop.shows_focus] == []
        assert len(stops) == expected


def test_the_skip_link_leads_to_the_content(survey: Survey) -> None:
    with survey.pages.open("index.html", width=320) as visit:
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_area_is_found_as_one_types_and_opened_by_keyboard(survey: Survey, scheme: Scheme) -> None:
    with survey.pages.open("search.html", width=320, scheme=scheme) as visit:
        page = visit.page
        page.get_by_label("Find your area, a right or a metric").press_sequentially("colchster")
        link = page.locator(".search__results a").first
        link.wait_for()
        assert link.inner_text() == "Essex"
        assert not page.locator("#everything").is_visible()
        page.get_by_text("1 result", exact=True).wait_for()
        assert page.get_by_role("status").inner_text() == "1 result"
        assert axe_violations(visit) == []
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.wait_for_url("**/areas/essex.html")
        visit.assert_quiet()


def test_nothing_found_is_said_and_the_list_stays(survey: Survey) -> None:
    with survey.pages.open("search.html") as visit:
        field = visit.page.get_by_role("searchbox")
        field.press_sequentially("qqqqzzzz")
        visit.page.get_by_text("Nothing found.").wait_for()
        assert visit.page.locator("#everything").is_visible()
        field.fill("<img src=x onerror=alert(1)>")
        field.fill("")
        assert visit.page.locator(".search__results li").count() == 0
        visit.assert_quiet()


@pytest.mark.parametrize("path", ["index.html", "areas/index.html"])
def test_an_area_is_found_from_where_people_begin(survey: Survey, path: str) -> None:
    with survey.pages.open(path, width=320) as visit:
        visit.page.get_by_role("searchbox").press_sequentially("the met")
        visit.page.locator(".search__results a").first.click()
        visit.page.wait_for_url("**/areas/metropolitan-police.html")


def test_without_scripts_the_list_is_the_search(survey: Survey) -> None:
    with survey.pages.open("search.html", javascript=False) as visit:
        assert not visit.page.locator(".search").is_visible()
        assert visit.page.get_by_role("link", name="Essex", exact=True).is_visible()
        assert visit.page.locator("#everything").get_by_text("Colchester").first.is_visible()


def test_the_statement_says_what_was_found_here(survey: Survey) -> None:
    violations = tuple(found for kind in PAGE_TYPES for found, _ in survey.violations(kind))
    results = Results(
        tested_on=dt.date.today().isoformat(),
        browser=f"Chromium {survey.pages.browser.version.partition('.')[0]}",
        axe_version=survey.axe_version,
        rules=WCAG,
        page_types=tuple(PAGE_TYPES),
        widths=WIDTHS,
        schemes=SCHEMES,
        javascript=JAVASCRIPT,
        visits=len(PAGE_TYPES) * len(WIDTHS) * len(SCHEMES) * len(JAVASCRIPT),
        violations=violations,
    )
    if os.environ.get(WRITE):
        write_results(results)
    told = read_results()
    assert told is not None, f"Run this file with {WRITE}=1."
    # The machine's browser may be newer than the one that was written down.
    assert replace(told, tested_on="", browser="") == replace(results, tested_on="", browser=""), (
        f"reports/site/accessibility.json says something else: run this file with {WRITE}=1."
    )


def test_the_statement_on_the_site_is_of_these_results(site_folder: Path) -> None:
    text = (site_folder / "accessibility.html").read_text(encoding="utf-8")
    told = read_results()
    assert told is not None
    assert "Not tested yet" not in text
    assert told.axe_version in text

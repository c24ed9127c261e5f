"""The whole site from small releases: the same bytes however it is built, and every link leads somewhere."""

from __future__ import annotations

import html.parser
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

from reports.annual_report import AnnualReportError
from reports.published import PublishedError, PublishedRelease
from reports.site.accessibility import (
    Results,
    Violation,
    page_types,
    read_results,
    untested,
    write_results,
)
from reports.site.build import build_site, moved, statement_page
from reports.site.frame import frame

PROJECT = Path(__file__).parents[3]
SEEDS = PROJECT / "dbt_project" / "seeds"
NODE_MODULES = PROJECT / "node_modules"
HOSTILE = "<script>alert(1)</script> & {{ 7*7 }} *x* \u202eevil"

#: A stand-in for the pages of the site: a small one, and one for each area.
PAGES = {
    "index.md": """---
title: Victims' Code compliance
description: How far the Code is kept.
section: home
---
# Victims' Code compliance

[Search](search.html), [areas](areas/index.html), [releases](releases/index.html), [tool](data-tool/index.html)
""",
    "areas/index.md": """---
title: Areas
description: All areas.
section: areas
---
```sql every
select area_name, slug || '.html' as href from places order by area_name
```
# Areas

{{ data_table(every, columns=[("area_name", "Area", "text", {"link": "href"})], caption="Areas") }}
""",
    "areas/area.md": """---
title: Victims' Code in {{ row.area_name }}
description: Figures of {{ row.area_name }}.
path: areas/{{ row.slug }}.html
section: areas
foreach: every
---
```sql every
select area_name, slug from places
```
# {{ page.title }}

[All areas](index.html)
""",
}
#: Pages that the frame leads to and this small site has not.
ELSEWHERE = (
    "rights/", "metrics/", "notices/", "releases/", "downloads.html", "methods.html", "data-quality.html",
    "about.html",
)  # fmt: skip
RESULTS = Results(
    tested_on="2026-09-01",
    browser="Chromium 140",
    axe_version="4.11.0",
    rules=("wcag2a", "wcag2aa"),
    page_types=("home", "list of areas", "area", "data tool", "search", "accessibility statement",
                "text to reuse", "list of annual reports", "release history", "releases of a quarter", "release"),
    widths=(320, 1280),
    schemes=("file", "http"),
    javascript=(True, False),
    visits=72,
    violations=(),
)  # fmt: skip


class Site:
    """A folder with pages and releases, and the site built of them."""

    def __init__(self, folder: Path, releases: list[PublishedRelease]) -> None:
        self.folder = folder
        self.releases = releases
        self.pages = folder / "pages"
        for name, text in PAGES.items():
            path = self.pages / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def build(self, **changes: Any) -> dict[str, bytes]:
        versions = [
            {
                **asdict(release),
                "status": "current",
                "published_on": release.issued_on,
                "reason": HOSTILE,
                "superseded_on": None,
                "withdrawn_on": None,
                "path": f"releases/{release.release_id}",
            }
            for release in self.releases
        ]
        settings = {"pages": self.pages, "results": self.folder / "none.json", **changes}
        return build_site(self.releases, versions, SEEDS, NODE_MODULES, **settings)


@pytest.fixture(scope="module")
def site(small_release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    proportion, essex, kent = small_release.proportion, small_release.ESSEX, small_release.KENT
    rows = [
        proportion(code, "police", small_release.REFERRED, 200, met)
        for code, met in ((essex, 150), (kent, 120))
    ]
    names = {kent: HOSTILE}
    return Site(
        folder,
        [
            small_release.make_release(folder, period, local_compliance=rows, area_names=names)
            for period in ("2025-26-Q4", "2026-27-Q1")
        ],
    )


@pytest.fixture(scope="module")
def built(site: Site) -> dict[str, bytes]:
    return site.build()


class Reading(html.parser.HTMLParser):
    """What a page links to, its headings, and whatever the policy would not run."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.headings: list[str] = []
        self.ids: set[str] = set()
        self.inline: list[str] = []
        self.is_script = False
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links += [str(values[name]) for name in ("href", "src", "srcset") if values.get(name)]
        self.ids |= {str(values["id"])} if "id" in values else set()
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag == "style" or (tag == "script" and "src" not in values):
            self.inline.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]


def pages_of_site(files: Mapping[str, bytes]) -> dict[str, Reading]:
    return {path: Reading(content) for path, content in files.items() if path.endswith(".html")}


def dead_links(files: Mapping[str, bytes]) -> list[str]:
    found = []
    pages = pages_of_site(files)
    for path, page in pages.items():
        for link in page.links:
            if re.match("[a-z]+:", link):
                continue
            to, _, fragment = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(to))) if to else path
            main = target.removeprefix("cy/")
            if main.startswith(ELSEWHERE):
                continue
            if target not in files or (fragment and target in pages and fragment not in pages[target].ids):
                found.append(f"{path}: {link}")
    return found


LAID_PAGE = b"""<!DOCTYPE html>
<html lang="en-GB">
<head><title>Annual report &amp; more</title><style>body { color: red }</style></head>
<body class="report">
<main>
<h1 id="top">Annual report &amp; more</h1>
<p>Words as laid.</p>
</main>
</body>
</html>
"""


def test_a_laid_report_stands_in_the_frame_of_the_site_with_its_files_beside(site: Site) -> None:
    kept = {"2025-26.html": LAID_PAGE, "2025-26.odt": b"odt", "2025-26.pdf": b"pdf"}
    files = site.build(annual_reports=kept)
    assert (files["annual-report/2025-26.odt"], files["annual-report/2025-26.pdf"]) == (b"odt", b"pdf")
    page = files["annual-report/2025-26.html"].decode()
    assert '<h1 id="top">Annual report &amp; more</h1>\n<p>Words as laid.</p>' in page
    assert "<title>Annual report &amp; more - " in page and 'http-equiv="Content-Security-Policy"' in page
    reading = Reading(page.encode())
    assert reading.inline == []
    assert {"2025-26.odt", "2025-26.pdf", "index.html"} <= set(reading.links)
    assert dead_links(files) == []
    assert "2025-26.html" in Reading(files["annual-report/index.html"]).links
    assert b"annual-report/2025-26.html" in files["sitemap.xml"]
    assert page_types(["annual-report/2025-26.html"]) == {"annual report": "annual-report/2025-26.html"}


def test_a_kept_file_that_is_no_page_of_a_report_is_refused(site: Site) -> None:
    with pytest.raises(AnnualReportError, match="is not a page as it was laid"):
        site.build(annual_reports={"2025-26.html": b"<p>changed</p>"})


def test_nothing_published_makes_no_site() -> None:
    with pytest.raises(PublishedError):
        build_site([], [], SEEDS, NODE_MODULES)


def test_what_the_site_is_made_of_is_there(built: dict[str, bytes]) -> None:
    assert {
        "index.html", "areas/index.html", "areas/essex.html", "search.html", "accessibility.html", "feed.xml",
        "sitemap.xml", "robots.txt", "site.json", "data-tool/index.html", "assets/site.css", "assets/search.js",
        "assets/search-index.js", "assets/govuk-frontend.css", "assets/icon.svg",
    } <= set(built)  # fmt: skip
    assert not [path for path in built if path.startswith(("releases/", "/", ".."))]
    record = json.loads(built["site.json"])
    assert set(record["files"]) == set(built) - {"site.json"}


def test_worker_processes_make_the_same_bytes(site: Site, built: dict[str, bytes]) -> None:
    assert site.build(workers=2) == built


def test_every_link_leads_somewhere(built: dict[str, bytes]) -> None:
    assert dead_links(built) == []
    # The check is not blind.
    spoilt = {**built, "x.html": b'<a href="nowhere.html">x</a><a href="index.html#nowhere">y</a>'}
    assert dead_links(spoilt) == ["x.html: nowhere.html", "x.html: index.html#nowhere"]


def test_every_page_has_one_heading_of_its_own_and_nothing_that_the_policy_forbids(
    built: dict[str, bytes],
) -> None:
    for path, page in pages_of_site(built).items():
        assert page.headings.count("h1") == 1, path
        assert page.headings[0] == "h1", path
        assert page.inline == [], path
        assert b"Content-Security-Policy" in built[path].partition(b"<title>")[0], path
        assert b"Definitions are provisional" in built[path], path
        assert b"2026-27-Q1/v1.0.0" in built[path], path


def test_hostile_text_stays_text(built: dict[str, bytes]) -> None:
    for path, content in built.items():
        if path.endswith((".html", ".xml")) or path.endswith("search-index.js"):
            assert b"<script>alert" not in content, path
            assert b"} 49 *" not in content and b"& 49 *" not in content, path
    assert b"&lt;script&gt;alert(1)" in built["search.html"]
    assert b"*x*" in built["search.html"]


def test_the_boxes_for_finding_are_where_people_begin(built: dict[str, bytes]) -> None:
    for path in ("index.html", "areas/index.html", "search.html"):
        assert built[path].count(b'role="search" hidden') == 1, path
        assert b"assets/search-index.js" in built[path], path
    assert b"search-index.js" not in built["areas/essex.html"]
    # Without scripts the page itself is the list.
    assert b"Colchester" in built["search.html"]


def test_in_welsh_pages_stand_below_cy_and_share_what_is_no_page(site: Site) -> None:
    files = site.build(languages=("en", "cy"))
    assert dead_links(files) == []
    page = files["cy/areas/essex.html"].decode()
    assert '<html lang="cy"' in page and "Ardaloedd" in page and 'lang="en">' in page
    assert 'href="../../assets/site.css"' in page
    assert 'href="../../areas/essex.html" hreflang="en"' in page
    assert {path.removeprefix("cy/") for path in files if path.startswith("cy/")} == {
        path for path in files if path.endswith(".html") and not path.startswith("cy/")
    }
    assert b"/cy/areas/essex.html</loc>" in files["sitemap.xml"]


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="'fr' has no labels"):
        moved({}, "fr")


# --- the accessibility statement


PATHS = ("index.html", "areas/index.html", "areas/essex.html", "data-tool/index.html", "releases/index.html",
         "releases/2026-27-Q1/index.html", "releases/2026-27-Q1/v1.0.0/index.html")  # fmt: skip


def statement(results: Results | None, tmp_path: Path) -> str:
    path = tmp_path / "results.json"
    if results:
        write_results(results, path)
    return statement_page(frame(), PATHS, path).decode()


def test_without_results_the_statement_says_so(tmp_path: Path) -> None:
    text = statement(None, tmp_path)
    assert "Not tested yet." in text
    assert "no failure" not in text


def test_results_of_other_kinds_of_page_say_nothing_of_these(tmp_path: Path) -> None:
    text = statement(replace(RESULTS, page_types=RESULTS.page_types[:-2]), tmp_path)
    assert "Not tested yet." in text
    assert "These kinds of page have not been tested: releases of a quarter, release." in text


def test_a_run_without_violations_is_told_with_its_day_and_rules(tmp_path: Path) -> None:
    text = statement(RESULTS, tmp_path)
    assert "Not tested yet" not in text
    for said in (
        "1 September 2026",
        "Chromium 140",
        "4.11.0",
        "wcag2a, wcag2aa",
        "320, 1280",
        "found no failure",
    ):
        assert said in text, said


def test_violations_are_listed(tmp_path: Path) -> None:
    broken = Violation("area", 320, "http", True, "color-contrast")
    text = statement(replace(RESULTS, violations=(broken,)), tmp_path)
    assert "color-contrast" in text and "found no failure" not in text


def test_the_same_results_leave_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert write_results(RESULTS, path)
    before = path.read_bytes()
    assert not write_results(replace(RESULTS, tested_on="2026-10-01"), path)
    assert path.read_bytes() == before
    assert write_results(replace(RESULTS, tested_on="2026-10-01", visits=80), path)
    assert read_results(path) == replace(RESULTS, tested_on="2026-10-01", visits=80)


def test_a_file_that_holds_no_results_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"violations": []}')
    with pytest.raises(ValueError, match="run the browser tests again"):
        read_results(tmp_path / "results.json")


def test_a_kind_of_page_nobody_thought_of_is_not_tested() -> None:
    types = page_types(["areas/essex.html", "areas/index.html", "areas/kent.html", "new/page.html"])
    assert types == {
        "list of areas": "areas/index.html",
        "area": "areas/essex.html",
        "new/page.html": "new/page.html",
    }
    assert untested(RESULTS, types) == ["new/page.html"]


def test_the_data_tool_leads_to_the_pages_of_areas_whatever_their_names(
    small_release: ModuleType, tmp_path: Path
) -> None:
    names = {small_release.ESSEX: "King's Essex", small_release.KENT: "Ynys M\u00f4n"}
    rows = [small_release.proportion(code, "police", small_release.REFERRED, 200, 150) for code in names]
    release = small_release.make_release(tmp_path, "2026-27-Q1", local_compliance=rows, area_names=names)
    files = Site(tmp_path / "site", [release]).build()
    assert {"areas/kings-essex.html", "areas/ynys-mon.html"} <= set(files)
    tool = Reading(files["data-tool/index.html"]).links
    assert {"../areas/kings-essex.html", "../areas/ynys-mon.html"} <= set(tool)

"""The whole public site in memory: pages, pictures, index, feed, sitemap, assets.

Belongs here: putting together what others make. Does not: the pages (`reports/pages/site`), the tool
(`reports/tool`), writing to the disk.

Pages are built by worker processes, each with a database of its own; what comes out depends on neither their
number nor their order.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from markupsafe import Markup

from reports.engine.build import build_pages
from reports.engine.pages import load_pages
from reports.narrative import narratives
from reports.notices import notice_files
from reports.page import rendered
from reports.published import PublishedError, PublishedRelease, open_published
from reports.release.publisher import publisher
from reports.site import accessibility, feeds
from reports.site.annual_reports import listed, report_files, report_pages
from reports.site.assets import site_assets
from reports.site.frame import SEARCHED, frame, root_of
from reports.site.labels import MAIN_LANGUAGE, all_labels, labels
from reports.site.search import Findable, findable, index_script
from reports.tool.build import build_tool

PAGES = Path(__file__).parents[1] / "pages" / "site"
#: What pages may link to that is not made of page files: `releases/` is the public folder's own.
BESIDE = (
    "releases/",
    "assets/",
    "data-tool/",
    "notices/",
    "narratives/",
    "annual-report/",
    "search.html",
    "accessibility.html",
    "feed.xml",
    "site.json",
)

#: Told what is being done: name of the step, steps done, steps in all.
Progress = Callable[[str, int, int], None]


def build_site(
    releases: Sequence[PublishedRelease],
    versions: Sequence[Mapping[str, Any]],
    seeds: Path,
    node_modules: Path,
    *,
    workers: int = 1,
    languages: Sequence[str] = (MAIN_LANGUAGE,),
    pages: Path = PAGES,
    results: Path = accessibility.RESULTS,
    annual_reports: Mapping[str, bytes] | None = None,
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """Path below the public folder -> content of every file of the site but those under `releases/`.

    `versions` are the entries of releases.json, all statuses. `annual_reports` are the files of the reports
    that were laid before Parliament, name -> content as kept; pages come in the frame of the site.
    `languages` other than English get the pages once more below their code, with the words of the frame
    translated. Raises PublishedError if nothing is published, AssetsError without GOV.UK Frontend,
    AnnualReportError for a kept page that is none, PageErrors with every fault.
    """
    if not releases:
        raise PublishedError("Nothing is published yet, so there is no site to build.")
    of, tell, kept = publisher(), progress or _quiet, annual_reports or {}
    tell("assets", 0, 1)
    files = site_assets(node_modules)
    with open_published(releases, seeds) as connection:
        found = findable(connection)
        entries = [*feeds.version_entries(versions), *feeds.notice_entries(connection)]
        files["assets/search-index.js"] = index_script(found.entries)
        files["feed.xml"] = feeds.atom_feed(
            entries, title=labels(MAIN_LANGUAGE)["feed_title"], path="feed.xml", of=of
        )
        files["robots.txt"] = feeds.robots(of)
        for language in (MAIN_LANGUAGE, *(code for code in languages if code != MAIN_LANGUAGE)):
            context = frame(releases, language=language, languages=languages)
            with _pages(connection, releases, seeds, pages, context, workers, tell) as finished:
                made = build_tool(connection, node_modules=node_modules, context=context)
                if language == MAIN_LANGUAGE:
                    files |= notice_files(connection)
                made |= finished()
            made["search.html"] = search_page(context, found)
            made |= narrative_pages(connection, context)
            made |= report_pages(kept, context)
            made["annual-report/index.html"] = _own_page(
                "annual-report/index.html", context, reports=listed(kept)
            )
            paths = [*made, *feeds.release_days(versions)]
            made["accessibility.html"] = statement_page(context, paths, results)
            for path, kinds in SEARCHED.items():
                if path in made and path not in _OWN:
                    made[path] = _with_search_box(path, made[path], kinds, language)
            files |= made if language == MAIN_LANGUAGE else moved(made, language)
    files |= report_files(kept)
    newest = max(releases, key=lambda release: release.period_code)
    day = dt.date.fromisoformat(newest.issued_on)
    days = {path: day for path in files if path.endswith(".html")} | feeds.release_days(versions)
    files["sitemap.xml"] = feeds.sitemap(days, of)
    files["site.json"] = feeds.site_record(releases, files)
    return dict(sorted(files.items()))


def _quiet(step: str, done: int, of: int) -> None:
    """Tell nobody."""


@contextmanager
def _pages(
    connection: duckdb.DuckDBPyConnection,
    releases: Sequence[PublishedRelease],
    seeds: Path,
    folder: Path,
    context: Mapping[str, object],
    workers: int,
    tell: Progress,
) -> Iterator[Callable[[], dict[str, bytes]]]:
    """All pages of the folder, a share to each process: begun at once, waited for when asked."""
    if workers == 1:
        yield lambda: _built(connection, folder, context, (0, 1))
        return
    tell("pages", 0, workers)
    jobs = [(tuple(releases), seeds, folder, dict(context), (part, workers)) for part in range(workers)]
    # Not forked: DuckDB and the drawing of charts have threads of their own.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = pool.map(_share, jobs)

        def finished() -> dict[str, bytes]:
            files: dict[str, bytes] = {}
            for done, part in enumerate(parts):
                tell("pages", done + 1, workers)
                files |= part
            return files

        yield finished


def _share(
    job: tuple[Sequence[PublishedRelease], Path, Path, dict[str, object], tuple[int, int]],
) -> dict[str, bytes]:
    releases, seeds, folder, context, share = job
    with open_published(releases, seeds) as connection:
        return _built(connection, folder, context, share)


def _built(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    context: Mapping[str, object],
    share: tuple[int, int],
) -> dict[str, bytes]:
    return build_pages(
        load_pages(folder),
        connection,
        audience="public",
        parameters={},
        context=context,
        output="site",
        others=BESIDE,
        share=share,
    )


def search_page(context: Mapping[str, object], found: Findable) -> bytes:
    """The page that lists all that can be found, and finds it as one types."""
    return _own_page("search.html", context, areas=found.areas, rights=found.rights)


def narrative_pages(connection: duckdb.DuckDBPyConnection, context: Mapping[str, object]) -> dict[str, bytes]:
    """A page an area with the text about it that others may reuse, and its HTML to copy."""
    slugs = dict(connection.execute("select area_code, slug from places").fetchall())
    made: dict[str, bytes] = {}
    for code, narrative in narratives(connection).items():
        path = f"narratives/{slugs[code]}.html"
        page = {
            "path": path,
            "title": f"Text about {narrative.area_name} to reuse",
            "description": f"What the newest release says of {narrative.area_name}, to copy.",
            "section": "areas",
        }
        made[path] = rendered(
            "site_narrative.html.j2",
            page=page,
            root=root_of(path),
            narrative=narrative,
            fragment=Markup(narrative.html),
            area_path=f"areas/{slugs[code]}.html",
            **context,
        ).encode("utf-8")
    return made


def statement_page(context: Mapping[str, object], paths: Iterable[str], results_file: Path) -> bytes:
    """The accessibility statement of a site that has pages at these paths."""
    results = accessibility.read_results(results_file)
    types = accessibility.page_types({path for path in paths if path.endswith(".html")} | set(_OWN))
    return _own_page(
        "accessibility.html",
        context,
        results=results,
        missing=accessibility.untested(results, types),
        tested_on=f"{dt.date.fromisoformat(results.tested_on):%-d %B %Y}" if results else "",
        failures=sorted({(each.page_type, each.rule) for each in results.violations}) if results else [],
    )


def _own_page(path: str, context: Mapping[str, object], **values: object) -> bytes:
    template, title, description, section = _OWN[path]
    page = {"path": path, "title": title, "description": description, "section": section}
    return rendered(template, page=page, root=root_of(path), **context, **values).encode("utf-8")


_OWN = {
    "annual-report/index.html": (
        "site_annual_report.html.j2",
        "Annual reports",
        "Reports on compliance with the Victims' Code that were laid before Parliament.",
        "",
    ),
    "search.html": (
        "site_search.html.j2",
        "Search",
        "Find an area by name, force, council or board, and a right or metric by plain words.",
        "search",
    ),
    "accessibility.html": (
        "site_accessibility.html.j2",
        "Accessibility statement",
        "How accessible this site is, how it was tested, and how to report a problem.",
        "",
    ),
}


def _with_search_box(path: str, content: bytes, kinds: Sequence[str], language: str) -> bytes:
    """The page with a box for finding things under its heading; without JavaScript it is hidden."""
    box = rendered("site_search_box.html.j2", labels=labels(language), lang=language, kinds=kinds)
    before, heading, after = content.decode("utf-8").partition("</h1>")
    if not heading:
        raise ValueError(f"{path} has no h1, under which its search box belongs; give the page a heading.")
    return f"{before}{heading}\n{box}{after}".encode()


_ADDRESS = re.compile(r'(?P<name>\s(?:href|src|srcset))="(?P<to>[^"#:]*)(?P<rest>#[^"]*)?"')


def moved(pages: Mapping[str, bytes], language: str) -> dict[str, bytes]:
    """The pages below the folder of their language; what is not a page they share with English.

    Raises ValueError for a language without labels.
    """
    if language not in all_labels():
        raise ValueError(f"{language!r} has no labels; write them in labels.yml.")
    own = {path for path in pages if path.endswith(".html")}
    made: dict[str, bytes] = {}
    for path in sorted(own):
        folder = posixpath.dirname(path)

        def turned(match: re.Match[str], path: str = path, folder: str = folder) -> str:
            to = match["to"]
            target = posixpath.normpath(posixpath.join(folder, to)) if to else ""
            # A link to the same page in another language leaves the root already.
            if not to or target in own or target.startswith(".."):
                return match[0]
            return f'{match["name"]}="{root_of(f"{language}/{path}")}{target}{match["rest"] or ""}"'

        made[f"{language}/{path}"] = _ADDRESS.sub(turned, pages[path].decode("utf-8")).encode("utf-8")
    return made

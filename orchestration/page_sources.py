"""What `vcc pages` works on: page files as they were named, and the database that they read.

What belongs here: finding releases and files, opening, making. What does not: what is printed, and serving.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.project import PROJECT_FOLDER, SettingError

if TYPE_CHECKING:
    import duckdb

    from orchestration.project import Project
    from reports.engine.errors import PageError
    from reports.engine.pages import Page
    from reports.published import PublishedRelease

PUBLISHED, WAREHOUSE = "published", "warehouse"
SITE_PAGES = PROJECT_FOLDER / "reports" / "pages" / "site"
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Source:
    """An open database and what goes with it: the values of the layouts, and in words what it holds."""

    connection: duckdb.DuckDBPyConnection
    name: str
    context: Mapping[str, Any]
    made_of: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """What came of the pages: their files if all is well, else what is wrong."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    errors: tuple[PageError, ...] = ()
    count: int = 0


def drafts(project: Project) -> list[PublishedRelease]:
    """The newest draft of each quarter that has one, oldest first."""
    from ingest.period import Period
    from orchestration.releasing.promoting import Releases, sums_of
    from reports.published import PublishedRelease
    from reports.release.journal import BUILT

    releases = Releases(project)
    found: dict[str, PublishedRelease] = {}
    for state in sorted(releases.journal.states().values(), key=lambda state: state.version):
        folder = releases.draft(state.period_code, state.version)
        if not state.was_published and folder.is_dir():
            found[state.period_code] = PublishedRelease(
                state.period_code,
                Period.parse(state.period_code).label,
                str(state.version),
                state.detail(BUILT, "issued_on"),
                sums_of(folder),
                folder,
            )
    return [found[code] for code in sorted(found)]


@contextmanager
def open_source(project: Project, name: str, with_drafts: bool = False) -> Iterator[Source]:
    """Open what pages read, read-only and closed to all else. Raises PublishedError or WarehouseError."""
    if name == WAREHOUSE:
        if with_drafts:
            raise SettingError(
                "--drafts adds releases to what is published; with the warehouse, leave it out."
            )
        with _open_warehouse(project) as source:
            yield source
        return
    from reports.published import open_published, releases_in
    from reports.site.frame import frame

    embargoed = drafts(project) if with_drafts else []
    shown = {release.period_code: release for release in (*releases_in(project.root.public)[0], *embargoed)}
    releases = [shown[code] for code in sorted(shown)]
    context = dict(frame(releases))
    if embargoed:
        named = ", ".join(release.release_id for release in embargoed)
        context["embargo"] = f"UNDER EMBARGO: not to be shown. This page holds {named}, not published yet."
    with open_published(releases, project.seeds_folder) as connection:
        yield Source(connection, name, context, tuple(release.release_id for release in releases))


@contextmanager
def _open_warehouse(project: Project) -> Iterator[Source]:
    import duckdb

    from orchestration.warehouse import WarehouseError
    from reports.labels import MARKING
    from reports.published import LOCKED

    copy = project.serving.current()
    if copy is None:
        raise WarehouseError("Nothing has been built yet; run `vcc run --all` first.")
    with duckdb.connect(str(copy.database), read_only=True, config=LOCKED) as connection:
        connection.execute("set search_path = 'marts,reference'")
        connection.execute("set lock_configuration = true")
        yield Source(connection, WAREHOUSE, {"marking": MARKING}, (f"build {copy.build_id}",))


def make(
    source: Source,
    named: Sequence[Path],
    parameters: Mapping[str, Any],
    told: Told | None = None,
    *,
    draws: bool = True,
) -> Made:
    """Read, check and render the pages that were named, the public site's if none was.

    Without `draws` no chart is drawn, which is most of the work; what is wrong is found all the same.
    A file of the public site is checked among all its pages, so that links between them are known.
    """
    from reports.engine.build import Builder
    from reports.engine.errors import PageErrors
    from reports.engine.pages import read_pages

    errors: list[PageError] = []
    pages: list[Page] = []
    only: set[str] = set()
    for path in named or (SITE_PAGES,):
        if not path.exists():
            raise FileNotFoundError(2, "No such file or folder", str(path))
        is_of_site = path.is_file() and SITE_PAGES in path.resolve().parents
        read, faults = read_pages(SITE_PAGES if is_of_site else path)
        wanted = {str(path.resolve())} if is_of_site else {page.file for page in read}
        pages += [page for page in read if page.file not in {each.file for each in pages}]
        errors += [fault for fault in faults if not is_of_site or fault.file in wanted]
        only |= wanted
    if not pages and not errors:
        raise SettingError(
            f"There is no page (.md) in {', '.join(str(path) for path in named) or SITE_PAGES}."
        )
    errors += _of_other_source(pages, only, source.name)
    files: dict[str, bytes] = {}
    count = 0
    others: Collection[str] = _SitePaths(source) if source.name == PUBLISHED else ()
    for layout in ("site", "document"):
        builder = Builder(
            [page for page in pages if page.layout == layout and page.source == source.name],
            source.connection,
            audience="public" if source.name == PUBLISHED else "restricted",
            parameters=parameters,
            context=source.context,
            output="site" if layout == "site" else "document",
            others=others,
            draws=draws,
        )
        errors += builder.check(progress=told, only=only)
        twice = set(files) & set(builder.files)
        if twice:
            raise SettingError(f"Two pages have the path {sorted(twice)[0]}; give one of them another.")
        files.update(builder.files)
        count += sum(1 for path in builder.files if path in builder.paths)
    return Made(files, PageErrors(errors).errors, count)


def _of_other_source(pages: Sequence[Page], only: set[str], name: str) -> list[PageError]:
    from reports.engine.errors import PageError

    return [
        PageError(
            page.file,
            page.line_of("source"),
            f"source: this page reads what is {page.source}; run again with `--source {page.source}`."
            if page.source == PUBLISHED
            else "source: this page reads the warehouse; run again with `--source warehouse`.",
        )
        for page in pages
        if page.source != name and page.file in only
    ]


class _SitePaths(Collection[str]):
    """What a page may link to beside the pages named: the site's own pages, and what is made elsewhere.

    Only a page that links outside its own folder costs the reading of the site's.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @cached_property
    def _paths(self) -> frozenset[str]:
        from reports.engine.build import Builder
        from reports.engine.pages import read_pages
        from reports.site.build import BESIDE

        builder = Builder(
            read_pages(SITE_PAGES)[0],
            self._source.connection,
            audience="public",
            parameters={},
            context=self._source.context,
            output="site",
            others=BESIDE,
        )
        builder.check(only=())
        return frozenset((*BESIDE, *builder.paths))

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

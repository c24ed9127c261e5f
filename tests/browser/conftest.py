"""The public site as the sample's releases make it, once for all tests, and a Chromium that opens it.

What is under embargo as a draft in the sample stands here as published: the files are the same, byte for byte.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

import tests.pipeline.conftest as pipeline
from orchestration.project import Project
from reports.published import PublishedRelease, open_published
from reports.release.public_folder import PublicFile, PublicVersion, pages_of, read_sums
from reports.site.accessibility import page_type
from tests.browser.harness import Pages, opened_chromium, serving
from tests.pipeline.scenario import open_data_root

PROJECT = Path(__file__).resolve().parents[2]
#: For trials: a public folder whose releases to show, not those of the sample, which take minutes to
#: make. It lies in its data root, beside the warehouse.
PUBLIC_FOLDER = "VCC_TEST_PUBLIC"

sample = pipeline.sample
finished = pipeline.finished


def releases_of(drafts: Path) -> list[PublishedRelease]:
    """The releases whose files lie below `drafts`, by quarter."""
    found = []
    for sums in sorted(drafts.glob("*/v*/SHA256SUMS")):
        package = json.loads((sums.parent / "datapackage.json").read_bytes())
        found.append(
            PublishedRelease(
                package["period_code"],
                package["temporal"]["name"],
                package["version"],
                package["created"][:10],
                hashlib.sha256(sums.read_bytes()).hexdigest(),
                sums.parent,
            )
        )
    return found


def entry(release: PublishedRelease) -> dict[str, Any]:
    """What releases.json says of a release that was published on its day and is in force."""
    return {
        "period_code": release.period_code,
        "period_label": release.period_label,
        "version": release.version,
        "status": "current",
        "issued_on": release.issued_on,
        "published_on": release.issued_on,
        "reason": "first publication",
        "sums_sha256": release.sums_sha256,
        "superseded_by": None,
        "superseded_on": None,
        "withdrawn_on": None,
        "withdrawn_reason": None,
        "path": f"releases/{release.release_id}",
    }


def release_pages(releases: list[PublishedRelease]) -> dict[str, bytes]:
    """The pages of these releases as publishing puts them in the public folder."""
    versions, files = [], {}
    for release in releases:
        told = {name: value for name, value in entry(release).items() if name != "path"}
        for name in ("issued_on", "published_on"):
            told[name] = dt.date.fromisoformat(told[name])
        versions.append(PublicVersion(**told))
        files[release.release_id] = [
            PublicFile(name, (release.folder / name).stat().st_size, digest)
            for name, digest in read_sums(release.folder).items()
        ]
    return pages_of(versions, files)


@pytest.fixture(scope="session")
def releases(project: Project) -> list[PublishedRelease]:
    """The releases that the pages show, by quarter."""
    trial = os.environ.get(PUBLIC_FOLDER)
    return releases_of(Path(trial) / "releases" if trial else project.root.drafts)


def laid_report(project: Project, releases: list[PublishedRelease]) -> dict[str, bytes]:
    """An annual report of these releases as if it had been laid: name -> content."""
    from orchestration.publishing.annual_report import meetings_recorded_from
    from reports.annual_report import annual_report_of, public_files

    copy = project.serving.current()
    assert copy is not None, f"No copy of the marts is served in {project.data_root}; run `vcc run --all`."
    laid_on = dt.date(2026, 11, 20)
    configuration = annual_report_of(
        {
            "from_quarter": "2025-26-Q2", "languages": ["en"], "title": {"en": "Annual report on compliance"},
            "foreword": {"en": "Words of the ministers."}, "laid_on": laid_on, "paper_number": "HC 1",
            "areas_of_focus": [{"title": "Letters that are read", "text": "Look at how letters read."}],
        }
    )  # fmt: skip
    with open_published(releases, project.seeds_folder) as published:
        files = public_files(
            published,
            copy.database,
            configuration,
            build_id=copy.build_id,
            today=laid_on,
            meetings_recorded_from=meetings_recorded_from(project),
        )
    return {path.rpartition("/")[2]: content for path, content in files.items()}


def small_release() -> ModuleType:
    """What makes small releases by hand; loaded by path, because test folders are not packages."""
    spec = importlib.util.spec_from_file_location(
        "small_release", PROJECT / "tests" / "unit" / "reports" / "small_release.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notice_page(folder: Path) -> dict[str, bytes]:
    """The page of a notice, made of a small release that holds one: path -> content."""
    from reports.engine.build import build_pages
    from reports.engine.pages import load_pages
    from reports.published import open_published
    from reports.site.build import BESIDE, PAGES
    from reports.site.frame import frame

    small = small_release()
    wiltshire = "E23000038"
    notice = {
        "notice_id": "N2026-01", "body_kind": "police", "area_code": wiltshire, "right_number": 7,
        "right_title": "To make a Victim Personal Statement", "notice_scope": "single",
        "notice_status": "plan_due", "recipient_code": f"{wiltshire}-lpb",
        "recipient_name": "Commissioner for Wiltshire", "summary": "Victims were seldom offered a statement.",
        "request": "Publish a plan.", "sos_agreed_on": dt.date(2026, 9, 2), "ag_agreed_on": dt.date(2026, 9, 3),
        "vc_consulted_on": dt.date(2026, 9, 1), "published_on": dt.date(2026, 9, 10),
        "plan_due_on": dt.date(2026, 12, 1),
    }  # fmt: skip
    ground = {
        "notice_id": "N2026-01", "body_kind": "police", "area_code": wiltshire, "right_number": 7,
        "metric_id": small.OFFERED, "period_code": "2026-27-Q1", "limit_percent": 60,
        "statement": "Under 60% in two quarters running.",
    }  # fmt: skip
    release = small.make_release(folder, "2026-27-Q1", notices=[notice], notice_grounds=[ground])
    with open_published([release], PROJECT / "dbt_project" / "seeds") as connection:
        made = build_pages(
            [page for page in load_pages(PAGES) if "notices" in Path(page.file).parts],
            connection,
            audience="public",
            parameters={},
            context=frame([release]),
            output="site",
            others={*BESIDE, "areas/", "rights/", *(page.path for page in load_pages(PAGES))},
        )
    return {path: content for path, content in made.items() if path == "notices/N2026-01.html"}


@pytest.fixture(scope="session")
def project(request: pytest.FixtureRequest) -> Project:
    """The data root that the releases are of."""
    trial = os.environ.get(PUBLIC_FOLDER)
    if trial:
        return open_data_root(Path(trial).absolute().parent)
    finished: Project = request.getfixturevalue("finished")
    return finished


@pytest.fixture(scope="session")
def site_folder(
    project: Project, releases: list[PublishedRelease], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The public folder: the site's pages, and the releases they link to."""

    def make(folder: Path) -> None:
        from reports.site.build import build_site

        files = build_site(
            releases,
            [entry(release) for release in reversed(releases)],
            PROJECT / "dbt_project" / "seeds",
            PROJECT / "node_modules",
            workers=1,
            annual_reports=laid_report(project, releases),
        )
        if not any(page_type(path) == "notice" for path in files):
            # Notices come of decisions that people recorded; the sample holds none.
            files |= notice_page(folder / "noticed")
        for name, content in files.items():
            path = folder / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for release in releases:
            shutil.copytree(release.folder, folder / "site" / "releases" / release.release_id)
        for name, content in release_pages(releases).items():
            (folder / "site" / name).write_bytes(content)

    return pipeline.made_once(tmp_path_factory, "site", make) / "site"


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process; without one they fail."""
    with sync_playwright() as playwright, opened_chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def pages(chromium_browser: Browser, site_folder: Path) -> Iterator[Pages]:
    """The public site, to be opened from its folder or over http."""
    with serving(site_folder) as address:
        yield Pages(chromium_browser, site_folder, address)

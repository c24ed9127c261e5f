"""The public site: made of the public folder alone, and of nothing that a run or the warehouse knows.

Belongs here: which releases it shows, when it is made anew, and its preview. Does not: its pages (reports).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.releasing.promoting import Releases, settle, site_faults
from reports.files import publish_folder
from reports.published import PublishedRelease, releases_in
from reports.release.journal import AUDITED, BUILT
from reports.release.public_folder import SITE

if TYPE_CHECKING:
    from orchestration.project import Project
    from reports.release.journal import VersionState

#: Told (what, done, total) as work goes on.
Progress = Callable[[str, int, int], None]
MAKING = "Making the site"
NOTE = "site"
OUTPUT = "pages/site"
PREVIEW = "pages/preview"


@dataclass(frozen=True)
class SiteMade:
    """What came of making the site: where it lies, how many files it has, whether anything changed."""

    folder: Path
    files: int
    changed: bool
    releases: tuple[str, ...]


def laid_reports(project: Project) -> dict[str, bytes]:
    """Every file of every annual report that was laid: name -> content."""
    return {
        path.name: path.read_bytes()
        for path in sorted(project.root.annual_reports.glob("*/*"))
        if path.is_file()
    }


def workers() -> int:
    """Processes that draw pages at the same time: as many as there are cores for this one, four at most."""
    return max(1, min(4, len(os.sched_getaffinity(0))))


def no_progress(what: str, done: int, total: int) -> None:
    """Say nothing."""


def site_files(
    project: Project,
    releases: Sequence[PublishedRelease],
    versions: Sequence[Mapping[str, Any]],
    progress: Progress = no_progress,
) -> dict[str, bytes]:
    """Every file of the site, path -> content, of these releases and nothing else."""
    from reports.site.build import build_site

    return build_site(
        releases,
        versions,
        project.seeds_folder,
        project.folder / "node_modules",
        workers=workers(),
        annual_reports=laid_reports(project),
        progress=progress,
    )


def source_of_site(project: Project, versions: Sequence[Mapping[str, Any]]) -> str:
    """Name what the site is made from: the versions as the public is told of them, and the code."""
    laid = {name: hashlib.sha256(content).hexdigest() for name, content in laid_reports(project).items()}
    told = json.dumps([list(versions), laid], sort_keys=True)
    return f"{hashlib.sha256(told.encode()).hexdigest()[:16]} {project.reading_code}"


def refresh_site(releases: Releases, progress: Progress = no_progress) -> SiteMade | None:
    """Make the public site of what is public now, unless it is; None while no release is in force.

    A site that somebody has changed by hand is made anew, too. The caller holds the data root. Raises
    PublicFolderError with the public folder as it was.
    """
    project = releases.project
    settle(releases)
    shown, versions = releases_in(project.root.public)
    if not shown:
        return None
    changed = False
    if not site_is_made(releases) or site_faults(releases):
        files = site_files(project, shown, versions, progress)
        changed = settle(releases, site=files)
        project.output_notes.note(NOTE, OUTPUT, source_of_site(project, versions))
    return _made(project.root.public, shown, changed)


def site_is_made(releases: Releases) -> bool:
    """Whether the public site is the one that what is public makes now; True while no release is in force."""
    project = releases.project
    shown, versions = releases_in(project.root.public)
    return not shown or (
        (project.root.public / SITE).is_file()
        and project.output_notes.made_from(NOTE, OUTPUT) == source_of_site(project, versions)
    )


def preview_folder(project: Project) -> Path:
    """Where the preview of the site lies."""
    return project.root.pages / "preview"


def preview_is_made(releases: Releases) -> bool:
    """Whether the preview is the one that drafts and releases make now; True while there are none."""
    project = releases.project
    shown, versions = to_be_public(releases)
    return not shown or (
        (preview_folder(project) / SITE).is_file()
        and project.output_notes.made_from(NOTE, PREVIEW) == source_of_site(project, versions)
    )


def _made(folder: Path, shown: Sequence[PublishedRelease], changed: bool) -> SiteMade:
    files = len(json.loads((folder / SITE).read_bytes())["files"])
    return SiteMade(folder, files, changed, tuple(release.release_id for release in shown))


def preview_site(releases: Releases, progress: Progress = no_progress) -> SiteMade | None:
    """Make the site as it will be once every audited draft is published; None if there is nothing to show.

    It lies where restricted things lie: what a draft holds is under embargo.
    """
    project = releases.project
    shown, versions = to_be_public(releases)
    if not shown:
        return None
    changed = False
    if not preview_is_made(releases):
        files = site_files(project, shown, versions, progress)
        changed = publish_folder(preview_folder(project), files)
        project.output_notes.note(NOTE, PREVIEW, source_of_site(project, versions))
    return _made(preview_folder(project), shown, changed)


def to_be_public(releases: Releases) -> tuple[list[PublishedRelease], list[Mapping[str, Any]]]:
    """What will be public once every audited draft is published: the current releases, and all versions."""
    shown, versions = releases_in(releases.project.root.public)
    drafts = _audited_drafts(releases)
    replaced = {state.period_code for state in drafts}
    shown = [release for release in shown if release.period_code not in replaced]
    versions = [
        {**version, "status": "superseded"}
        if version["period_code"] in replaced and version["status"] == "current"
        else version
        for version in versions
    ]
    for state in drafts:
        version = _as_published(releases, state)
        versions.append(version)
        shown.append(_drafted(releases, state, version))
    return shown, versions


def _audited_drafts(releases: Releases) -> list[VersionState]:
    """The newest draft of each quarter that may still be published, in the order of quarters."""
    found = {
        state.period_code: state
        for state in releases.journal.states().values()
        if not state.was_published
        and state.detail(AUDITED, "passed")
        and releases.draft(state.period_code, state.version).is_dir()
    }
    return [found[code] for code in sorted(found)]


def _as_published(releases: Releases, state: VersionState) -> dict[str, Any]:
    from ingest.period import Period

    return {
        "period_code": state.period_code,
        "period_label": Period.parse(state.period_code).label,
        "version": str(state.version),
        "status": "current",
        "issued_on": state.detail(BUILT, "issued_on"),
        "published_on": state.detail(BUILT, "issued_on"),
        "reason": state.detail(BUILT, "reason"),
        "sums_sha256": state.detail(BUILT, "sums_sha256"),
        "superseded_by": None,
        "superseded_on": None,
        "withdrawn_on": None,
        "withdrawn_reason": None,
        "path": f"releases/{state.release_id}",
    }


def _drafted(releases: Releases, state: VersionState, version: Mapping[str, Any]) -> PublishedRelease:
    return PublishedRelease(
        period_code=state.period_code,
        period_label=version["period_label"],
        version=str(state.version),
        issued_on=version["issued_on"],
        sums_sha256=version["sums_sha256"],
        folder=releases.draft(state.period_code, state.version),
    )

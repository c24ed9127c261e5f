"""The annual report: a draft inside until it is laid before Parliament, then part of the public site.

Belongs here: what it is made from, and that a laid one never changes. Does not: what it says (reports).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.publishing.site import to_be_public
from orchestration.releasing import ReleaseError
from reports.files import publish_folder
from reports.published import open_published, releases_in

if TYPE_CHECKING:
    from orchestration.project import Project
    from orchestration.releasing.promoting import Releases
    from orchestration.serving import ServingCopy
    from reports.published import PublishedRelease

NOTE = "annual_report"
OUTPUT = "pages/annual_report"
#: Kind of return, and its sheet, that tells of the forums' meetings.
DECISIONS, MEETINGS = "decisions", "meetings"


@dataclass(frozen=True)
class ReportMade:
    """The report on the disk: where, whether a draft, quarters without a release, whether it changed."""

    folder: Path
    is_draft: bool
    missing_quarters: tuple[str, ...]
    changed: bool
    is_kept: bool = False
    """True for one that was published: it is never made again."""


def meetings_recorded_from(project: Project) -> date:
    """The first day for which the form asks which meetings were held."""
    return min(
        form.valid_from
        for form in project.forms.forms
        if form.kind == DECISIONS and any(sheet.name == MEETINGS for sheet in form.sheets)
    )


def source_of_report(releases: Releases, copy: ServingCopy) -> str:
    """Name what the report is made from: the copy of the marts, releases, configuration and code."""
    project = releases.project
    shown = _quoted(releases)
    told = "\n".join(f"{release.release_id} {release.sums_sha256}" for release in shown)
    day = f"{project.today}" if _is_to_be_laid(project.today) else "draft"
    return f"{copy.build_id} {hashlib.sha256(told.encode()).hexdigest()[:16]} {day} {project.reading_code}"


def _is_to_be_laid(today: date) -> bool:
    from reports.annual_report import read_annual_report

    return read_annual_report().is_laid(today)


def report_is_made(releases: Releases, copy: ServingCopy) -> bool:
    """Whether the report is the one that would be made now; True while there is no release to quote."""
    project = releases.project
    if kept_report(project) is not None or not _quoted(releases):
        return True
    noted = project.output_notes.made_from(NOTE, OUTPUT)
    return noted == source_of_report(releases, copy) and report_folder(project).is_dir()


def _quoted(releases: Releases) -> list[PublishedRelease]:
    """The releases that the report is made of, none unless one is of its months.

    Until its day a report quotes drafts of releases too: it is for those who prepare it. One that is to be
    laid quotes what is public.
    """
    from reports.annual_report import read_annual_report

    configuration = read_annual_report()
    is_laid = configuration.is_laid(releases.project.today)
    shown, _ = releases_in(releases.project.root.public) if is_laid else to_be_public(releases)
    covered = {quarter.period_code for quarter in configuration.quarters}
    return shown if any(release.period_code in covered for release in shown) else []


def kept_report(project: Project) -> Path | None:
    """The folder of the report of the configured months as it was laid and published, or None before."""
    from reports.annual_report import read_annual_report

    folder = project.root.annual_reports / read_annual_report().years
    return folder if folder.is_dir() else None


def report_folder(project: Project) -> Path:
    """Where reports lie until they are laid, a folder for each twelve months."""
    return project.root.pages / "annual_report"


def make_annual_report(releases: Releases, copy: ServingCopy) -> ReportMade | None:
    """Make the report of the configured months, a draft until it is laid; None without a release to quote.

    One that was published is left as it is. Raises AnnualReportError.
    """
    from reports.annual_report import build_annual_report, read_annual_report

    project = releases.project
    kept = kept_report(project)
    if kept is not None:
        return ReportMade(kept, is_draft=False, missing_quarters=(), changed=False, is_kept=True)
    shown = _quoted(releases)
    if not shown:
        return None
    configuration = read_annual_report()
    folder = report_folder(project) / configuration.folder
    if report_is_made(releases, copy) and folder.is_dir():
        covered = {release.period_code for release in shown}
        missing = [each.period_code for each in configuration.quarters if each.period_code not in covered]
        is_draft = not configuration.is_laid(project.today)
        return ReportMade(folder, is_draft, tuple(missing), changed=False)
    with open_published(shown, project.seeds_folder) as published:
        summary = build_annual_report(
            published,
            copy.database,
            configuration,
            build_id=copy.build_id,
            today=project.today,
            meetings_recorded_from=meetings_recorded_from(project),
            out=report_folder(project),
        )
    project.output_notes.note(NOTE, OUTPUT, source_of_report(releases, copy))
    return ReportMade(summary.folder, summary.is_draft, summary.missing_quarters, changed=True)


def lay_annual_report(releases: Releases, copy: ServingCopy) -> Path:
    """Keep the laid report as it will be public: made of published releases only, once and for all.

    Returns its folder; the site shows what lies there. Raises AnnualReportError before its day, ReleaseError
    if one for these months was laid with other content.
    """
    from reports.annual_report import (
        NOTHING_TO_REPORT,
        AnnualReportError,
        public_files,
        read_annual_report,
        require_laid,
    )

    project = releases.project
    configuration = read_annual_report()
    require_laid(configuration, project.today)
    shown = _quoted(releases)
    if not shown:
        raise AnnualReportError(NOTHING_TO_REPORT.format(configuration.months))
    with open_published(shown, project.seeds_folder) as published:
        files = public_files(
            published,
            copy.database,
            configuration,
            build_id=copy.build_id,
            today=project.today,
            meetings_recorded_from=meetings_recorded_from(project),
        )
    folder = project.root.annual_reports / configuration.years
    named = {path.rpartition("/")[2]: content for path, content in files.items()}
    if folder.is_dir():
        kept = {path.name: path.read_bytes() for path in folder.iterdir()}
        if kept != named:
            raise ReleaseError(
                f"The report for {configuration.months} was laid, and a laid report is not changed: {folder}"
                " stays as it is. Publish a correction as a paper of its own."
            )
        return folder
    publish_folder(folder, named)
    return folder

"""Whether there is anything to make for readers: asked before anything heavy is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.publishing.annual_report import report_is_made
from orchestration.publishing.packs import BOARD, LOCAL, TASKFORCE, is_made
from orchestration.publishing.site import preview_is_made, site_is_made
from orchestration.releasing.promoting import Releases
from orchestration.vocabulary import FINAL

if TYPE_CHECKING:
    from ingest.period import Period
    from orchestration.project import Project


def reading_is_due(project: Project, quarter: Period, stage: str) -> bool:
    """Whether a pack of the quarter, the site or its preview is not what it would be if it were made now."""
    copy = project.serving.current()
    if copy is None:
        return False
    kinds = (LOCAL, BOARD, TASKFORCE) if stage == FINAL else (LOCAL,)
    releases = Releases(project)
    return not (
        all(is_made(project, quarter, stage, kind, copy) for kind in kinds)
        and site_is_made(releases)
        and report_is_made(releases, copy)
        and preview_is_made(releases)
    )

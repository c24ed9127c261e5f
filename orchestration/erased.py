"""What was built from a return that was erased: it goes once a build without it is served.

What belongs here: finding and deleting those builds, and their copies for analysts. What does not: the
erasure (ingest.erasure), making the new build and its copy (the job).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.project import Project

#: Under this name the notes say up to which erasure builds were deleted.
ERASURE_NOTE = "erasure"
BUILDS = "builds"


def are_builds_free(project: Project) -> bool:
    """Say whether every build that is kept, and every copy of one, was made after the last erasure."""
    return project.output_notes.made_from(ERASURE_NOTE, BUILDS) == _told(project)


def _told(project: Project) -> str:
    from ingest.erasure import erased_receipts

    return hashlib.sha256("\n".join(sorted(erased_receipts(project.root))).encode()).hexdigest()


def drop_builds_of_erased(project: Project) -> list[Path]:
    """Delete every build made before the last erasure, and every copy of one, if one made after it is served.

    Does nothing where nothing was erased, or where the served build is not made from the present receipts
    yet. The copy that analysts read stays until the served build is copied: asked again then, this deletes
    it. Safe to repeat after a kill. Returns the builds and copies that were deleted.
    """
    from ingest.erasure import erased_receipts
    from orchestration.pending import RAW_NOTE, raw_source

    if not erased_receipts(project.root) or are_builds_free(project):
        return []
    served = project.warehouse.current()
    is_new = (
        served is not None
        and project.output_notes.made_from(RAW_NOTE, RAW_NOTE) == raw_source(project)
        and served.build_id == project.build_id()
    )
    if not is_new or served is None:
        return []
    dropped_drafts = drop_drafts_of_other_builds(project, served.build_id)
    dropped_drafts += drop_packs_of_other_builds(project, served.build_id)
    older = sorted(path for path in project.root.builds.glob("*.duckdb*") if path.stem != served.path.stem)
    for path in older:
        path.unlink()
    project.serving.clear_scrap()
    in_use = project.serving.current()
    outdated = [copy for copy in project.serving.copies() if copy.build_id != served.build_id]
    dropped = [project.serving.drop(copy) for copy in outdated if copy != in_use]
    if in_use not in outdated:
        project.output_notes.note(ERASURE_NOTE, BUILDS, _told(project))
    return [*older, *dropped, *dropped_drafts]


def drop_packs_of_other_builds(project: Project, build_id: str) -> list[Path]:
    """Delete packs made from another build, which quote what was returned, and a preview of drafts that went.

    Returns the folders that were deleted; `vcc packs` makes one again.
    """
    import shutil

    from orchestration.publishing.packs import made_from_build, pack_folders
    from orchestration.publishing.site import preview_folder, preview_is_made
    from orchestration.releasing.promoting import Releases

    dropped = [
        folder
        for period_code, output, folder in pack_folders(project)
        if made_from_build(project, period_code, output) != build_id
    ]
    preview = preview_folder(project)
    if preview.is_dir() and not preview_is_made(Releases(project)):
        dropped.append(preview)
    for folder in dropped:
        shutil.rmtree(folder)
    return dropped


def drop_drafts_of_other_builds(project: Project, build_id: str) -> list[Path]:
    """Delete every draft release that was made from another build, with what stands behind it.

    What was published is a fact and stays, with its record: the audit of every later release needs it. A
    draft without a record that says what it was made from goes too. Returns the folders that were deleted.
    """
    import json
    import shutil

    from orchestration.releasing.promoting import SOURCES, Releases

    releases = Releases(project)
    published = {state.release_id for state in releases.journal.states().values() if state.was_published}
    dropped = []
    for folder in sorted({*project.root.drafts.glob("*/v*"), *project.root.records.glob("*/v*")}):
        code, version = folder.parent.name, folder.name.removeprefix("v")
        if f"{code}/v{version}" in published:
            continue
        sources = releases.record(code, version) / SOURCES
        is_of_it = sources.is_file() and json.loads(sources.read_bytes())["build_id"] == build_id
        if not is_of_it:
            dropped.append(folder)
    for folder in dropped:
        shutil.rmtree(folder)
    return dropped

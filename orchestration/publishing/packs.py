"""Packs of a quarter: what they are made from, and where they lie.

Belongs here: provenance, folders, when a pack is out of date. Does not: what a pack says (reports.packs).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from orchestration.publishing.site import Progress, no_progress, workers
from orchestration.releasing.promoting import Releases
from orchestration.vocabulary import FINAL, PROVISIONAL
from orchestration.warehouse import WarehouseError
from reports.packs.provenance import Provenance
from reports.published import releases_in
from reports.release.journal import AUDITED, BUILT

if TYPE_CHECKING:
    from ingest.period import Period
    from orchestration.project import Project
    from orchestration.serving import ServingCopy

LOCAL, BOARD, TASKFORCE = "local", "board", "taskforce"
KINDS = (LOCAL, BOARD, TASKFORCE)
MAKING = {
    LOCAL: "Making local packs",
    BOARD: "Making the Board's pack",
    TASKFORCE: "Making the Taskforce's pack",
}


def pack_folder(project: Project, period_code: str, kind: str, stage: str) -> Path:
    """Where packs lie: local ones apart by stage, for both are read; those of the forums are final."""
    return project.root.packs / period_code / (stage if kind == LOCAL else kind)


def pack_folders(project: Project) -> list[tuple[str, str, Path]]:
    """Every folder of packs there is: quarter, output as it is noted, folder."""
    return [
        (quarter.name, output_of(kind, stage), folder)
        for quarter in sorted(project.root.packs.glob("*"))
        for kind, stage in ((LOCAL, PROVISIONAL), (LOCAL, FINAL), (BOARD, FINAL), (TASKFORCE, FINAL))
        if (folder := pack_folder(project, quarter.name, kind, stage)).is_dir()
    ]


def output_of(kind: str, stage: str) -> str:
    """The name under which it is noted what packs of that kind and stage were made from."""
    return f"packs/{kind}_{stage}"


def made_from_build(project: Project, period_code: str, output: str) -> str | None:
    """The build that packs were made from, or None if that was not noted."""
    source = project.output_notes.made_from(period_code, output)
    return source.partition(" ")[0] if source else None


def provenance_of(project: Project, quarter: Period, stage: str, copy: ServingCopy) -> Provenance:
    """What a pack is made of: the build, and the newest version of its release that passed the audit."""
    releases = Releases(project)
    states = [
        state
        for state in releases.journal.states().values()
        if state.period_code == quarter.code
        and (
            state.is_current
            or (state.detail(AUDITED, "passed") and releases.draft(quarter.code, state.version).is_dir())
        )
    ]
    state = max(states, key=lambda each: each.version) if states else None
    is_draft = state is not None and not state.was_published
    return Provenance(
        period_code=quarter.code,
        period_label=quarter.label,
        stage=cast("Literal['provisional', 'final']", stage),
        build_id=copy.build_id,
        release_id=state.release_id if state else None,
        sums_sha256=state.detail(BUILT, "sums_sha256") if state else None,
        draft=releases.draft(quarter.code, state.version) if state and is_draft else None,
        publish_on=date.fromisoformat(state.detail(BUILT, "issued_on")) if state else None,
    )


def source_of_pack(project: Project, provenance: Provenance) -> str:
    """Name what a pack is made from: build, release, stage and code."""
    return " ".join(
        (
            provenance.build_id,
            provenance.stage,
            provenance.release_id or "no release",
            (provenance.sums_sha256 or "")[:16],
            "draft" if provenance.is_embargoed else "out",
            project.reading_code,
        )
    )


def is_made(project: Project, quarter: Period, stage: str, kind: str, copy: ServingCopy) -> bool:
    """Whether the packs of that kind are there and up to date."""
    source = source_of_pack(project, provenance_of(project, quarter, stage, copy))
    noted = project.output_notes.made_from(quarter.code, output_of(kind, stage))
    return noted == source and pack_folder(project, quarter.code, kind, stage).is_dir()


def served_copy(project: Project) -> ServingCopy:
    """The analysts' copy, which packs are made from. Raises WarehouseError if there is none."""
    copy = project.serving.current()
    if copy is None:
        raise WarehouseError("No copy of the marts is served yet; run `vcc run --all` first.")
    return copy


def make_packs(
    project: Project,
    quarter: Period,
    stage: str,
    kind: str,
    copy: ServingCopy,
    progress: Progress = no_progress,
    *,
    say: Callable[[str], None] = lambda sentence: None,
) -> tuple[Path, bool]:
    """Make the packs of one kind, unless they are up to date: their folder, and whether they were made."""
    folder = pack_folder(project, quarter.code, kind, stage)
    if is_made(project, quarter, stage, kind, copy):
        return folder, False
    say(f"{MAKING[kind]} of {quarter.code}")
    provenance = provenance_of(project, quarter, stage, copy)
    if kind == LOCAL:
        from reports.packs.local import build_local_packs

        build_local_packs(
            copy.database,
            quarter.code,
            stage,
            provenance,
            folder,
            workers=workers(),
            progress=progress,
            published=releases_in(project.root.public)[0],
            seeds=project.seeds_folder,
        )
    elif kind == BOARD:
        from reports.packs.board import build_board_pack

        build_board_pack(copy.database, quarter.code, provenance, folder)
    else:
        from reports.packs.taskforce import build_taskforce_pack

        build_taskforce_pack(copy.database, quarter.code, provenance, folder)
    project.output_notes.note(quarter.code, output_of(kind, stage), source_of_pack(project, provenance))
    return folder, True

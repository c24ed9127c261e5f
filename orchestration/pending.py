"""Whether a run would have anything to do: asked before anything heavy is started.

What belongs here: comparing what is there with what would be made. What does not: making it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.inbox import waiting
from ingest.storage import StorageError
from orchestration.project import Project
from orchestration.register import is_recorded
from orchestration.vocabulary import FINAL
from orchestration.warehouse import digest_files

if TYPE_CHECKING:
    from ingest.period import Period
    from orchestration.warehouse import Build

#: Outputs that follow the build, by stage of the cycle; the register is written once and is looked up itself.
OUTPUTS = ("packs/local_figures",)
RELEASE_OUTPUT = "releases/open_data"
FINAL_OUTPUTS = ("register/flags", RELEASE_OUTPUT)

RAW_NOTE = "raw"

FILES_WAIT = "Files wait to be judged: {:,}."
RAW_IS_BEHIND = "The raw files do not follow the receipts yet."
BUILD_IS_BEHIND = "The raw files, models or contracts differ from those of the served build."
SERVING_IS_BEHIND = "The copy for analysts does not show the served build and the register."


def output_source(project: Project, build_id: str) -> str:
    """Name what an output is made from: the build and the code that writes it."""
    return f"{build_id} {project.output_code}"


def release_source(project: Project, build_id: str, period_code: str) -> str:
    """Name what a quarter's draft is made from, and as which version; or that no version is due.

    A journal that is broken is no reason here: the step that drafts says so.
    """
    from orchestration.releasing.promoting import Releases
    from reports.release.journal import JournalError

    try:
        planned = Releases(project).planned(period_code)
    except JournalError:
        return f"{output_source(project, build_id)} unknown"
    if planned is None:
        return "published"
    return f"{output_source(project, build_id)} v{planned.version}"


def source_of(project: Project, build_id: str, output: str, period_code: str) -> str:
    """Name what that output of a quarter is made from."""
    if output == RELEASE_OUTPUT:
        return release_source(project, build_id, period_code)
    return output_source(project, build_id)


def raw_source(project: Project) -> str:
    """Name what the raw files are made from: the receipts, less the erased ones, the forms, and how far the
    calendar reaches.
    """
    from ingest.erasure import erased_receipts
    from ingest.form import FORMS_DIR

    due = project.due_quarters()
    ledger = project.root.receipts
    receipts = hashlib.sha256(ledger.read_bytes()).hexdigest() if ledger.is_file() else "none"
    forms = digest_files(sorted(Path(FORMS_DIR).glob("*.yml")), Path(FORMS_DIR))
    erased = hashlib.sha256("\n".join(sorted(erased_receipts(project.root))).encode()).hexdigest()
    return f"{receipts[:16]} {erased[:16]} {forms[:16]} {due[-1].code if due else 'none'}"


def staleness(project: Project, build: Build) -> list[str]:
    """Return why the served build does not show all that has arrived, a sentence each; empty if it does."""
    reasons = []
    try:
        files = waiting(project.root)
    except PermissionError as error:
        # Whoever may only read the marts may still ask how things stand.
        reasons.append(f"Whether files wait to be judged is not known: {error.filename} is closed to you.")
    except StorageError as error:
        reasons.append(f"Whether files wait to be judged is not known: {error}")
    else:
        if files:
            reasons.append(FILES_WAIT.format(files))
    if project.output_notes.made_from(RAW_NOTE, RAW_NOTE) != raw_source(project):
        reasons.append(RAW_IS_BEHIND)
    if build.build_id != project.build_id():
        reasons.append(BUILD_IS_BEHIND)
    return reasons


def reasons_to_run(project: Project, periods: Sequence[Period], stage: str) -> list[str]:
    """Return why a run over these quarters would do something, a sentence each; empty if it would not."""
    reasons = []
    files = waiting(project.root)
    if files:
        reasons.append(FILES_WAIT.format(files))
    if project.output_notes.made_from(RAW_NOTE, RAW_NOTE) != raw_source(project):
        reasons.append(RAW_IS_BEHIND)
    build = project.warehouse.current()
    if build is None:
        return [*reasons, "No build is served yet."]
    if build.build_id != project.build_id():
        reasons.append(BUILD_IS_BEHIND)
    elif project.serving.current() != project.serving.copy_of(build):
        reasons.append(SERVING_IS_BEHIND)
    if not project.checks_path(build.build_id).is_file():
        reasons.append("The outcome of the served build's checks is not kept.")
    outputs = (*OUTPUTS, *FINAL_OUTPUTS) if stage == FINAL else OUTPUTS
    for period in periods:
        stale = [
            output
            for output in outputs
            if project.output_notes.made_from(period.code, output)
            != source_of(project, build.build_id, output, period.code)
        ]
        if stage == FINAL and not is_recorded(project.root.register, period.code):
            stale.append("register/detections")
        if stale:
            reasons.append(f"{period.code} lacks {', '.join(sorted(stale))} of the served build.")
    return reasons

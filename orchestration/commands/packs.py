"""`vcc packs`: the packs of one quarter, at one stage of its cycle."""

from __future__ import annotations

import argparse
import sys

from orchestration.commands import OK, project_of, served_build
from orchestration.locking import run_lock
from orchestration.project import SettingError
from orchestration.terminal import ProgressLine
from orchestration.vocabulary import FINAL, PROVISIONAL

WAIT_SECONDS = 30.0


def run(options: argparse.Namespace) -> int:
    """Make what is not up to date, and say where it lies."""
    from orchestration.publishing.packs import BOARD, LOCAL, TASKFORCE, make_packs, served_copy

    project = project_of(options)
    quarter = project.quarter(options.period)
    if options.stage == FINAL and not project.is_reviewed(quarter):
        raise SettingError(
            f"The joint local review of {quarter.code} may last through"
            f" {project.review_due_on(quarter):%-d %B %Y}; until then its packs are for that review:"
            f" --stage {PROVISIONAL}."
        )
    served_build(project)
    copy = served_copy(project)
    progress = ProgressLine(sys.stderr)
    kinds = (LOCAL, BOARD, TASKFORCE) if options.stage == FINAL else (LOCAL,)
    project.root.create()
    with run_lock(project.data_root, "vcc packs", wait_seconds=WAIT_SECONDS, on_wait=_say_aside):
        try:
            found = [make_packs(project, quarter, options.stage, kind, copy, progress) for kind in kinds]
        finally:
            progress.close()
    for folder, made in found:
        print(f"{folder}: {'made' if made else 'up to date'}, {sum(1 for _ in folder.rglob('*.pdf'))} PDF")
    return OK


def _say_aside(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)

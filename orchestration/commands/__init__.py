"""The commands of `vcc`, one module each: `run(options)` does the work and returns the exit code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

OK, FAILED, UNUSABLE, BUSY = 0, 1, 2, 3

#: In Dagster's home: what the last run said.
LOG_NAME = "last_run.log"
#: In Dagster's home: where the last fault of the program arose.
ERROR_LOG_NAME = "last_error.log"

if TYPE_CHECKING:
    from ingest.period import Period
    from orchestration.project import Project
    from orchestration.warehouse import Build, WarehouseError


def project_of(options: argparse.Namespace) -> Project:
    """Open the data root that the command line names."""
    from orchestration.project import open_project

    return open_project(options.data_root, options.as_of)


def served_build(project: Project) -> Build:
    """Return the build that is served, after saying what it does not show yet.

    Raises WarehouseError before the first build.
    """
    from orchestration.pending import staleness
    from orchestration.warehouse import WarehouseError

    build = project.warehouse.current()
    if build is None:
        raise WarehouseError("Nothing has been built yet; run `vcc run --all` first.")
    behind = staleness(project, build)
    if behind:
        print("The build that is served may lack something, and so may this; `vcc run` mends it:")
        print("".join(f"  {reason}\n" for reason in behind))
    return build


def not_served(project: Project, quarter: Period) -> WarehouseError:
    """Return the error that a quarter is not in the served build, with the command that mends it."""
    from orchestration.vocabulary import PROVISIONAL
    from orchestration.warehouse import WarehouseError

    stage = "" if project.is_reviewed(quarter) else f" --stage {PROVISIONAL}"
    due_on = project.returns_due_on(quarter)
    is_due = due_on < project.today
    return WarehouseError(
        f"{quarter.code} is not in the build that is served, so nothing is known of it; its returns"
        f" {'were' if is_due else 'are'} due on {due_on:%-d %B %Y}."
        f" `vcc run --period {quarter.code}{stage}` builds it."
    )

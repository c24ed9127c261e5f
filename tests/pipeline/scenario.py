"""A data root to test on: the sample's returns, the day it is, and a run in this process."""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.clock import FixedClock, parse_instant
from orchestration.delivery import Delivery
from orchestration.project import Project
from orchestration.resources import Progress, no_progress
from orchestration.runs import RunReport
from orchestration.vocabulary import FINAL

#: The day after the last quarter's local review was due: everything is final.
TODAY = datetime(2026, 12, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """Returns as their senders made them, with what was planted in them."""

    returns: Path
    truth: dict[str, Any]

    def deliveries(self) -> list[Delivery]:
        """Every return with its arrival."""
        with (self.returns / "arrivals.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        return [
            Delivery(
                source=self.returns / row["sender_code"] / row["file_name"],
                sender_code=row["sender_code"],
                file_name=row["file_name"],
                arrived_at=parse_instant(row["arrived_at"]),
            )
            for row in rows
        ]


def open_data_root(path: Path) -> Project:
    """A data root on the day on which the sample is complete."""
    return Project(data_root=path, clock=FixedClock(TODAY))


def run_all(project: Project, stage: str = FINAL, progress: Progress = no_progress) -> RunReport:
    """Run every quarter that is due, in this process, with a Dagster instance that leaves nothing behind."""
    import dagster as dg

    from orchestration.runs import run_quarters

    with dg.DagsterInstance.ephemeral() as instance:
        return run_quarters(project, instance, project.due_quarters(), stage, progress)


def copy_of(project: Project, target: Path) -> Project:
    """The same data root at another place, free to be changed."""
    shutil.copytree(project.data_root, target, symlinks=True)
    return open_data_root(target)

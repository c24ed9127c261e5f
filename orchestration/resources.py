"""What every step is given besides its inputs: the data root to itself, and the stage of the cycle.

What belongs here: Dagster resources. What does not: paths and settings (project.py), the lock itself
(locking.py).
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Generator
from pathlib import Path

import dagster as dg

from orchestration.locking import run_lock
from orchestration.vocabulary import FINAL, PROVISIONAL

#: Told (what, done, total) as work goes on; total 0 means that the amount is not known.
Progress = Callable[[str, int, int], None]


def no_progress(what: str, done: int, total: int) -> None:
    """Say nothing."""


class StageName(enum.StrEnum):
    """The two builds of a quarter."""

    provisional = PROVISIONAL
    final = FINAL


class CycleStage(dg.ConfigurableResource):
    """Which build of the quarter this is.

    `provisional`: local figures go back to bodies and reviewers; nothing is recorded.
    `final`: detections enter the register for good, and the draft release is written.
    """

    name: StageName = StageName.final

    @property
    def is_final(self) -> bool:
        """True at the build that records detections and writes the draft release."""
        return self.name is StageName.final


class OneRunAtATime(dg.ConfigurableResource):
    """Holds the data root for the whole run, so that runs from the page, the schedule and `vcc` never mix."""

    data_root: str
    #: How long a run waits for the one before it, in seconds.
    wait_seconds: float = 3600.0
    #: The process that runs the job took the lock before Dagster started, and keeps it.
    is_held: bool = False

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[OneRunAtATime]:
        """Take the lock when the run starts and give it back when the run ends."""
        if self.is_held:
            yield self
            return
        log = context.log
        run = f"run {context.run.run_id[:8]}" if context.run else "a run"
        with run_lock(
            Path(self.data_root), run, wait_seconds=self.wait_seconds, on_wait=log.info if log else None
        ):
            yield self

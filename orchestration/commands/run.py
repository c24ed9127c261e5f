"""`vcc run`: the job, once, with progress while it works and a short summary at the end."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ingest.inbox import waiting
from orchestration.commands import BUSY, FAILED, LOG_NAME, OK, project_of
from orchestration.erased import drop_builds_of_erased
from orchestration.locking import run_lock
from orchestration.pending import reasons_to_run
from orchestration.project import SettingError, codes, dagster_home
from orchestration.terminal import ProgressLine
from orchestration.vocabulary import FINAL, PROVISIONAL

if TYPE_CHECKING:
    import dagster as dg

    from ingest.period import Period
    from orchestration.project import Project
    from orchestration.resources import Progress
    from orchestration.runs import RunReport
    from orchestration.warehouse import Build

#: How long a run waits for another one before it gives up, unless it must not wait at all.
WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class PlannedBuild:
    """One run of the job: consecutive quarters and the stage of the cycle they are built at."""

    stage: str
    periods: list[Period]

    def __str__(self) -> str:
        """Name the quarters and the stage."""
        first, last = self.periods[0].code, self.periods[-1].code
        return f"{first if first == last else f'{first} through {last}'}, {self.stage} build"


def run(options: argparse.Namespace) -> int:
    """Run the quarters asked for, unless nothing is new; print what there is now.

    The data root is held from before the first question is asked of it until the last run has ended. Raises
    DataRootBusyError, after a short wait, if another run holds it.
    """
    project = project_of(options)
    plans = chosen_builds(project, options.period, options.stage)
    project.root.create()
    wait = 0.0 if options.no_wait else WAIT_SECONDS
    with run_lock(project.data_root, "vcc run", wait_seconds=wait, on_wait=_say_aside):
        return run_builds(project, plans, asked_for=options.stage)


def run_builds(project: Project, plans: list[PlannedBuild], asked_for: str) -> int:
    """Run what has something to do and print what there is now; the caller holds the data root."""
    began = time.monotonic()
    held_back = [plan for plan in plans if plan.stage != asked_for]
    for plan in held_back:
        print(
            f"{', '.join(codes(plan.periods))}: the joint local review is not over, so the build is"
            f" {plan.stage} and nothing is recorded."
        )
    ran = []
    for plan in plans:
        reasons = reasons_to_run(project, plan.periods, plan.stage)
        if not reasons:
            continue
        report = _run_build(project, plan, reasons)
        if not report.success:
            return BUSY if report.is_busy else FAILED
        ran.append((plan, report))
    drop_builds_of_erased(project)  # should a kill have kept the run that built anew from it
    reading = _run_reading(project, plans)
    if reading is not None and not reading.success:
        return BUSY if reading.is_busy else FAILED
    if not ran and reading is None:
        print("Nothing new.")
    elif files := waiting(project.root):
        print(
            f"Files that still wait to be judged: {files:,}. They came while this ran, or this account may"
            f" not read or take them; see {dagster_home() / LOG_NAME}."
        )
    _print_summary(project, plans)
    done = [(str(plan), report) for plan, report in ran]
    if reading is not None:
        done.append(("packs and pages", reading))
    if done:
        print("\nTime")
        for what, report in done:
            if len(done) > 1:
                print(f"  {what}")
            for step, seconds in report.seconds.items():
                print(f"  {seconds:6.1f} s  {step}")
        print(f"  {time.monotonic() - began:6.1f} s  in all, with start and summary")
    return OK


def _run_build(project: Project, plan: PlannedBuild, reasons: list[str]) -> RunReport:
    print(f"Running {plan}", flush=True)
    for reason in reasons[:3]:
        print(f"  because {reason[0].lower()}{reason[1:]}", flush=True)
    served_before = project.warehouse.current()

    def run(instance: dg.DagsterInstance, progress: Progress) -> RunReport:
        from orchestration.runs import run_quarters

        return run_quarters(project, instance, plan.periods, plan.stage, progress, is_lock_held=True)

    return _in_process(run, lambda: what_is_served(served_before, project.warehouse.current()))


def _in_process(
    run: Callable[[dg.DagsterInstance, Progress], RunReport], what_stands: Callable[[], str]
) -> RunReport:
    """Run a job of Dagster in this process, with progress on the terminal and its words in the log."""
    home = dagster_home()
    log = home / LOG_NAME
    with apart(log) as terminal:
        progress = ProgressLine(terminal)
        progress("Starting", 0, 0)
        from orchestration.instance import open_instance

        try:
            with open_instance(home) as instance:
                report = run(instance, progress)
        finally:
            progress.close()
    if not report.success:
        for failure in report.failures:
            print(f"vcc: {failure}", file=sys.stderr)
        print(
            f"{what_stands()} Everything that was said is in"
            f" {log}; see the run on the page with `make ui`: {report.run_id}",
            file=sys.stderr,
        )
    return report


def _run_reading(project: Project, plans: list[PlannedBuild]) -> RunReport | None:
    """Make packs and pages of the newest quarter, if anything has to be: others had their meetings."""
    from orchestration.publishing.pending import reading_is_due

    plan = plans[-1]
    quarter = plan.periods[-1]
    if not reading_is_due(project, quarter, plan.stage):
        return None
    print(f"Making packs and pages, {quarter.code}, {plan.stage}", flush=True)

    def run(instance: dg.DagsterInstance, progress: Progress) -> RunReport:
        from orchestration.runs import run_reading

        return run_reading(project, instance, quarter, plan.stage, progress, is_lock_held=True)

    return _in_process(run, lambda: "The figures of the run stand; what could not be made is as it was.")


def what_is_served(before: Build | None, now: Build | None) -> str:
    """Say what a failed run has left for people to read."""
    if now is None:
        return "No build is served yet."
    if now == before:
        return "The build that was served before is still served."
    return "The new build is served; what failed comes after it."


def chosen_builds(project: Project, period_code: str | None, stage: str) -> list[PlannedBuild]:
    """Return what to run: the quarter named, else all that are due, final ones before provisional ones.

    Detections are recorded for good, so no build is final before the quarter's joint local review is over; of
    all quarters that are due, those whose review is not over are built as provisional.
    Raises SettingError if the quarter named cannot be run.
    """
    if period_code is not None:
        quarter = project.quarter(period_code)
        if stage == FINAL and not project.is_reviewed(quarter):
            raise SettingError(
                f"The joint local review of {quarter.code} may last through"
                f" {project.review_due_on(quarter):%-d %B %Y}, and a final build records detections for good;"
                f" use --stage {PROVISIONAL} until it is over."
            )
        return [PlannedBuild(stage, [quarter])]
    due = project.due_quarters()
    if not due:
        raise SettingError(
            f"No quarter's returns are due yet; name one with --period and --stage {PROVISIONAL}."
        )
    if stage == PROVISIONAL:
        return [PlannedBuild(stage, due)]
    reviewed = [quarter for quarter in due if project.is_reviewed(quarter)]
    in_review = [quarter for quarter in due if not project.is_reviewed(quarter)]
    plans = [PlannedBuild(FINAL, reviewed), PlannedBuild(PROVISIONAL, in_review)]
    return [plan for plan in plans if plan.periods]


def _print_summary(project: Project, plans: list[PlannedBuild]) -> None:
    from orchestration.summary import summary

    periods = [quarter for plan in plans for quarter in plan.periods]
    final = [quarter for plan in plans if plan.stage == FINAL for quarter in plan.periods]
    print(summary(project, codes(periods), codes(final)))


def _say_aside(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


@contextlib.contextmanager
def apart(log: Path) -> Iterator[TextIO]:
    """Send what Dagster and dbt say to a log file, and give back the real terminal for progress."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept_out, kept_err = os.dup(1), os.dup(2)
    with log.open("wb") as sink, os.fdopen(os.dup(kept_err), "w") as terminal:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept_out, 1)
            os.dup2(kept_err, 2)
            os.close(kept_out)
            os.close(kept_err)

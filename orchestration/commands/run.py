"""`vcc run`: the job, once, with progress while it works and a short summary at the end."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from orchestration.commands import project_of
from orchestration.locking import LOCK_NAME, DataRootBusyError, holder_of, is_busy
from orchestration.pending import reasons_to_run
from orchestration.project import SettingError, codes, dagster_home
from orchestration.terminal import ProgressLine

if TYPE_CHECKING:
    from ingest.period import Period
    from orchestration.project import Project


def run(options: argparse.Namespace) -> int:
    """Run the quarters asked for, unless nothing is new; print what there is now."""
    began = time.monotonic()
    project = project_of(options)
    periods = chosen_periods(project, options.period, options.stage)
    if options.no_wait and is_busy(project.data_root):
        raise DataRootBusyError(f"{holder_of(project.data_root / LOCK_NAME)} works on {project.data_root}.")
    reasons = reasons_to_run(project, periods, options.stage)
    if not reasons:
        print("Nothing new.")
        _print_summary(project, periods, options.stage)
        return 0
    span = periods[0].code if len(periods) == 1 else f"{periods[0].code} through {periods[-1].code}"
    print(f"Running {span}, {options.stage} build", flush=True)
    for reason in reasons[:3]:
        print(f"  because {reason[0].lower()}{reason[1:]}", flush=True)
    home = dagster_home()
    log = home / "last_run.log"
    with _apart(log) as terminal:
        progress = ProgressLine(terminal)
        progress("Starting", 0, 0)
        from orchestration.instance import open_instance
        from orchestration.runs import run_quarters

        with open_instance(home) as instance:
            report = run_quarters(project, instance, periods, options.stage, progress)
        progress.close()
    if not report.success:
        for failure in report.failures:
            print(f"vcc: {failure}", file=sys.stderr)
        print(
            "The build that was served before is still served. Everything that was said is in"
            f" {log}; see the run on the page with `make ui`: {report.run_id}",
            file=sys.stderr,
        )
        return 1
    _print_summary(project, periods, options.stage)
    print("\nTime")
    for step, seconds in report.seconds.items():
        print(f"  {seconds:6.1f} s  {step}")
    print(f"  {time.monotonic() - began:6.1f} s  in all, with start and summary")
    return 0


def chosen_periods(project: Project, period_code: str | None, stage: str) -> list[Period]:
    """Return the quarters to run: the one named, else all that are due.

    Raises SettingError if it cannot be run.
    """
    if period_code is None:
        due = project.due_quarters()
        if not due:
            raise SettingError(
                "No quarter's returns are due yet; name one with --period and --stage provisional."
            )
        return due
    quarter = project.quarter(period_code)
    if stage == "final" and quarter not in project.due_quarters():
        raise SettingError(
            f"Returns for {quarter.code} are due on {project.returns_due_on(quarter):%d %B %Y}, so nobody"
            " can be called missing yet; use --stage provisional."
        )
    return [quarter]


def _print_summary(project: Project, periods: list[Period], stage: str) -> None:
    from orchestration.summary import summary

    print(summary(project, codes(periods), stage))


@contextlib.contextmanager
def _apart(log: Path) -> Iterator[TextIO]:
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

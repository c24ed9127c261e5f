"""`vcc annual-report`: the report of the configured months, as a draft, and laid."""

from __future__ import annotations

import argparse
import sys

from orchestration.commands import OK, project_of
from orchestration.commands.release import require_real_day
from orchestration.commands.site import renew_site
from orchestration.locking import run_lock

WAIT_SECONDS = 30.0


def run(options: argparse.Namespace) -> int:
    """Make the report anew, or publish it on the day it is laid."""
    from orchestration.publishing.annual_report import lay_annual_report, make_annual_report
    from orchestration.publishing.packs import served_copy
    from orchestration.releasing.promoting import Releases

    project = project_of(options)
    if options.action == "publish":
        require_real_day(project)
    project.root.create()
    releases = Releases(project)
    with run_lock(project.data_root, "vcc annual-report", wait_seconds=WAIT_SECONDS, on_wait=_say_aside):
        copy = served_copy(project)
        if options.action == "publish":
            folder = lay_annual_report(releases, copy)
            print(
                f"The report as laid is kept in {folder} and stands on the site:"
                f" {project.root.public / 'annual-report' / 'index.html'}"
            )
            return renew_site(releases)
        made = make_annual_report(releases, copy)
    if made is None:
        print("No release covers any of its months yet, so there is nothing that the report could quote.")
        return OK
    state = "a draft" if made.is_draft else "kept as it was laid" if made.is_kept else "as it is to be laid"
    print(f"{made.folder}: {state}")
    if made.missing_quarters:
        print(f"No release covers {', '.join(made.missing_quarters)}; the report says so.")
    return OK


def _say_aside(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)

"""`vcc site`: the public site of what is published, and the preview of what will be."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from orchestration.commands import FAILED, OK, project_of
from orchestration.locking import run_lock
from orchestration.terminal import ProgressLine

if TYPE_CHECKING:
    from orchestration.releasing.promoting import Releases

WAIT_SECONDS = 30.0


def run(options: argparse.Namespace) -> int:
    """Make the site or its preview, unless it is up to date, and say where it lies."""
    from orchestration.publishing.site import preview_site, refresh_site
    from orchestration.releasing.promoting import Releases

    project = project_of(options)
    project.root.create()
    progress = ProgressLine(sys.stderr)
    with run_lock(project.data_root, "vcc site", wait_seconds=WAIT_SECONDS, on_wait=_say_aside):
        try:
            make = refresh_site if options.action == "build" else preview_site
            made = make(Releases(project), progress)
        finally:
            progress.close()
    if made is None:
        print(
            "No release is in force, so there is no site. `vcc release list` shows what waits."
            if options.action == "build"
            else "There is no release and no draft to show. `vcc run --all` drafts what is due."
        )
        return OK
    state = "made anew" if made.changed else "up to date"
    print(f"{made.folder / 'index.html'}: {state}, {made.files:,} files of {len(made.releases)} releases")
    if options.action == "preview":
        print("It shows drafts under embargo: pass it on to nobody who may not read them.")
    return OK


def renew_site(releases: Releases) -> int:
    """Make the site of what is public now, after a step that stands whether or not this succeeds."""
    from orchestration.cli import said
    from orchestration.publishing.site import refresh_site

    progress = ProgressLine(sys.stderr)
    try:
        made = refresh_site(releases, progress)
    except Exception as error:
        print(
            f"vcc: the site could not be made anew, and what it was it still is: {said(error)} Mend that;"
            " then `vcc site build`.",
            file=sys.stderr,
        )
        return FAILED
    finally:
        progress.close()
    if made is not None:
        print(f"The site shows {len(made.releases)} releases: {made.folder / 'index.html'}")
    else:
        print("No release is in force now; a site is made when the next is published.")
    return OK


def _say_aside(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)

"""`vcc pages`: what an analyst needs to write a page: check it, look at it, build it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.commands import FAILED, OK, project_of
from orchestration.project import PROJECT_FOLDER, SettingError
from orchestration.terminal import ProgressLine

if TYPE_CHECKING:
    from orchestration.page_sources import Made, Source
    from orchestration.project import Project
    from reports.engine.errors import PageError

#: Written with every build, so that a folder of something else is never replaced.
RECORD = "pages.json"


def run(options: argparse.Namespace) -> int:
    """Check, build or serve pages; 1 if a page is wrong."""
    from orchestration.page_sources import open_source

    project = project_of(options)
    parameters = _parameters(options.parameter)
    if options.action == "build":
        _refuse_output(project, options.output)
    with open_source(project, options.source, options.drafts) as source:
        if options.action == "serve":
            from orchestration.page_server import serve

            return serve(source, options.pages, parameters, options.port, told=_print_outcome)
        made = made_with_progress(source, options.pages, parameters, draws=options.action != "check")
        _print_outcome(made)
        if made.errors:
            return FAILED
        if options.action == "build":
            _write(source, made, options.output)
        return OK


def made_with_progress(
    source: Source, named: Sequence[Path], parameters: Mapping[str, object], *, draws: bool = True
) -> Made:
    """Make the pages and say in the terminal how far that is."""
    from orchestration.page_sources import make

    progress = ProgressLine(sys.stderr)
    try:
        return make(source, named, parameters, progress, draws=draws)
    finally:
        progress.close()


def _print_outcome(made: Made) -> None:
    """Every fault on a line of its own, as editors know it: file, line, what."""
    for error in made.errors:
        print(_line(error))
    if made.errors:
        count = len(made.errors)
        print(f"{count} {'fault' if count == 1 else 'faults'}.", flush=True)
    else:
        print(f"{made.count:,} {'page is' if made.count == 1 else 'pages are'} good.", flush=True)


def _line(error: PageError) -> str:
    file = Path(error.file)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return f"{shown}:{error.line}: {error.message}"


def _write(source: Source, made: Made, output: Path) -> None:
    from reports.files import publish_folder
    from reports.site.assets import site_assets

    record = {"made_by": "vcc pages build", "source": source.name, "made_of": list(source.made_of)}
    files = {
        **site_assets(PROJECT_FOLDER / "node_modules"),
        **made.files,
        RECORD: (json.dumps(record, indent=2) + "\n").encode("utf-8"),
    }
    changed = publish_folder(output.resolve(), files)
    print(f"{'Written to' if changed else 'Unchanged in'} {output}.")


def _refuse_output(project: Project, output: Path) -> None:
    """Nothing that is not ours is replaced, and what is public changes only by publishing."""
    target = output.resolve()
    if not target.exists():
        pass
    elif not target.is_dir():
        raise SettingError(f"{output} is a file; give a folder.")
    elif any(target.iterdir()) and not (target / RECORD).is_file():
        raise SettingError(f"{output} holds something else; give a new or an empty folder.")
    for folder in (project.root.public.resolve(), project.root.publications.resolve()):
        if target == folder or folder in target.parents:
            raise SettingError(
                f"{output} is in the public folder, which changes only when a release is published."
            )


def _parameters(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.isidentifier():
            raise SettingError(f"--parameter {each}: write NAME=VALUE, as period_code=2026-27-Q2.")
        found[name] = value
    return found

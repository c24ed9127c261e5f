"""`vcc trace`: from a figure of the served build back to the rows, returns and files it was made from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orchestration.commands import FAILED, OK, project_of
from orchestration.project import Project


def run(options: argparse.Namespace) -> int:
    """Print each figure with its rows, returns and rules; exit code 1 if the rows do not give a figure."""
    from orchestration.tracing import Asked, ask, to_csv, to_json, to_text, trace
    from orchestration.warehouse import WarehouseError, open_reader

    project = project_of(options)
    build = project.warehouse.current()
    if build is None:
        raise WarehouseError("Nothing has been built yet; run `vcc run --all` first.")
    asked = Asked(
        body=options.body,
        metric=options.metric,
        period=options.period,
        area=options.area,
        group=options.group,
        is_national=options.nation,
        mode=options.mode,
        frame=options.frame,
        crime_type=options.crime_type,
        characteristic=options.characteristic,
        value=options.value,
    )
    with open_reader(build.path) as connection:
        connection.execute("set timezone = 'UTC'")
        found = trace(connection, ask(connection, asked), build.build_id)
    if options.format == "json":
        sys.stdout.write(to_json(found))
    elif options.format == "csv":
        sys.stdout.write(to_csv(found))
    else:
        sys.stdout.write(_behind(project) + to_text(found, lambda *file: _place(project, *file)))
    return OK if all(each.is_reproduced for each in found) else FAILED


def _behind(project: Project) -> str:
    """Say what the served build does not show yet; nothing if it shows all."""
    from orchestration.pending import staleness

    build = project.warehouse.current()
    behind = staleness(project, build) if build else []
    told = "".join(f"  {reason}\n" for reason in behind)
    return f"The build that is served may lack something; `vcc run` mends it:\n{told}\n" if behind else ""


def _place(project: Project, sha256: str, file_name: str) -> str:
    """Say where the file as delivered is kept."""
    from ingest.archive import archive_of

    return f"at {archive_of(project.root).place(sha256, Path(file_name).suffix.lstrip('.'))}"

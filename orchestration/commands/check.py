"""`vcc check`: what acceptance would say of a file, before it is sent. Nothing is stored."""

from __future__ import annotations

import argparse

from orchestration.commands import project_of


def run(options: argparse.Namespace) -> int:
    """Print every problem at once; 0 accepted, 1 rejected, 2 cannot be read."""
    from ingest.acceptance import check_file

    project = project_of(options)
    if not options.file.is_file():
        raise FileNotFoundError(2, "No such file", str(options.file))
    verdict = check_file(options.file, options.sender, project.reference, project.forms, project.clock)
    print(verdict.to_json() if options.format == "json" else verdict.to_text(), end="")
    return verdict.exit_code

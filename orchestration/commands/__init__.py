"""The commands of `vcc`, one module each: `run(options)` does the work and returns the exit code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.project import Project


def project_of(options: argparse.Namespace) -> Project:
    """Open the data root that the command line names."""
    from orchestration.project import open_project

    return open_project(options.data_root, options.as_of)

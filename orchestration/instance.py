"""Dagster's own instance: where it is and how it is set up.

What belongs here: the home folder. What does not: anything of a data root; deleting the home loses only
history.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.warehouse import write_bytes

if TYPE_CHECKING:
    import dagster as dg

SETTINGS = Path(__file__).with_name("dagster.yaml")


def prepare_home(home: Path) -> Path:
    """Make the home folder with this project's settings and return it.

    Changes nothing that is right already.
    """
    home.mkdir(parents=True, exist_ok=True)
    target = home / SETTINGS.name
    content = SETTINGS.read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        write_bytes(target, content)
    return home


def open_instance(home: Path) -> dg.DagsterInstance:
    """Open the instance of that home, so that a run from the command line shows on the page as any other."""
    import dagster as dg

    # Dagster's child processes find the instance through the environment.
    os.environ["DAGSTER_HOME"] = str(prepare_home(home))
    return dg.DagsterInstance.from_config(str(home))

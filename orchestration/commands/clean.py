"""`vcc clean`: deletes what runs made, if all of it came of the sample, which can be made again."""

from __future__ import annotations

import argparse
import contextlib
import shutil
from pathlib import Path

from ingest.paths import DataRoot
from orchestration.commands import project_of
from orchestration.commands.sample import amount, listed_files, not_of_the_sample
from orchestration.locking import LOCK_NAME, run_lock
from orchestration.project import SettingError, sample_list


def run(options: argparse.Namespace) -> int:
    """Delete the data root's own folders, and the data root if nothing else is in it.

    Raises SettingError, and deletes nothing, if anything was delivered that is not of the sample.
    """
    project = project_of(options)
    elsewhere = [url for url in (project.root.inbox_url, project.root.archive_url) if url]
    if elsewhere:
        raise SettingError(
            f"{' and '.join(elsewhere)} lie not on this machine and are not emptied from here; empty them"
            " yourself, unset VCC_INBOX and VCC_ARCHIVE, then run `vcc clean` again."
        )
    if not project.data_root.is_dir():
        print(f"There is nothing at {project.data_root}.")
        return 0
    with run_lock(project.data_root, "vcc clean"):
        others = not_of_the_sample(project, listed_files(project))
        if others:
            raise SettingError(
                f"{project.data_root} is kept: it holds returns that are not of the sample ({amount(others)})"
                " and their originals lie nowhere else. Delete the folder yourself, or, if it"
                " is the one beside the code: make clean CONFIRM=yes."
            )
        for path in own_paths(project.root):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (project.data_root / LOCK_NAME).unlink()
    with contextlib.suppress(OSError):
        project.data_root.rmdir()
    print(f"Deleted what runs made of the sample in {project.data_root}.")
    return 0


def own_paths(root: DataRoot) -> list[Path]:
    """Return what this service keeps directly under a data root; the sample's list last, for a second try."""
    return [
        root.inbox,
        root.holding,
        root.archive,
        root.archive_cache.parent,
        root.quarantine,
        root.ledger,
        root.heads,
        root.raw,
        root.register,
        root.warehouse,
        root.checks,
        root.releases,
        root.public,
        root.publications,
        root.restricted,
        root.lock,
        sample_list(root.path).parent,
    ]

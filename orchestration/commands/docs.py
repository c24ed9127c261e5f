"""`vcc docs`: dbt's own documentation of the served build, as one page that opens without a server."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ingest.files import replacing
from orchestration.commands import OK, project_of
from orchestration.project import SettingError

PAGE_NAME = "dbt-docs.html"


def run(options: argparse.Namespace) -> int:
    """Write the page: every table with its grain, key, owner, columns, tests, SQL and what it is made of.

    Raises SettingError if nothing has been built yet, DbtError if dbt cannot write the page.
    """
    from orchestration.dbt import DbtError, build_environment, dbt_executable

    project = project_of(options)
    build = project.warehouse.current()
    if build is None:
        raise SettingError(f"Nothing is built at {project.data_root} yet; run `vcc run --all` first.")
    output: Path = options.output or project.root.warehouse / PAGE_NAME
    print("Asking dbt for its documentation (half a minute)", flush=True)
    with tempfile.TemporaryDirectory(prefix="vcc-docs-") as folder:
        # dbt opens a file for writing: a copy, never the one that is served
        copy = Path(folder) / build.path.name
        shutil.copyfile(build.path, copy)
        result = subprocess.run(
            [dbt_executable(), "--no-partial-parse", "--no-use-colors", "docs", "generate", "--static",
             "--target-path", folder, "--log-path", folder],
            cwd=project.dbt_folder,
            env={**os.environ, **build_environment(project.data_root, copy),
                 "DBT_PROFILES_DIR": str(project.dbt_folder)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        page = Path(folder) / "static_index.html"
        if result.returncode != 0 or not page.is_file():
            raise DbtError(f"dbt could not write its documentation:\n{result.stdout.strip()}")
        with replacing(output) as temporary:
            shutil.copyfile(page, temporary)
    print(f"Written: {output}. Open it in a browser; look under marts.")
    return OK

"""`vcc ui`: Dagster's web page on this data root, with its own instance; ends with everything it started."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from orchestration.commands import project_of
from orchestration.project import (
    AS_OF_VARIABLE,
    DATA_ROOT_VARIABLE,
    PROJECT_FOLDER,
    SettingError,
    dagster_home,
)

HOST = "127.0.0.1"
WORKSPACE = PROJECT_FOLDER / "orchestration" / "workspace.yaml"
SECONDS_TO_END = 15.0


def run(options: argparse.Namespace) -> int:
    """Make the quarters known to the page, then serve it until it is stopped."""
    if is_taken(options.port):
        raise SettingError(f"Port {options.port} is in use; choose another with --port, or stop its user.")
    project = project_of(options)
    from orchestration.dbt import ensure_manifest
    from orchestration.instance import open_instance
    from orchestration.periods import ensure_periods

    home = dagster_home()
    ensure_manifest(project.dbt_folder)
    project.root.create()
    with open_instance(home) as instance:
        ensure_periods(instance, project)
    environment = {**os.environ, "DAGSTER_HOME": str(home), DATA_ROOT_VARIABLE: str(project.data_root)}
    if options.as_of:
        environment[AS_OF_VARIABLE] = options.as_of
    print(f"The page: http://{HOST}:{options.port} (stop it with Ctrl-C)", flush=True)
    return serve(options.port, environment)


def is_taken(port: int) -> bool:
    """Say whether something listens on the port already."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def serve(port: int, environment: dict[str, str]) -> int:
    """Run `dagster dev` in a process group of its own, and end the whole group with this process."""
    command = [
        *(str(Path(sys.executable).with_name("dagster")), "dev", "-w", str(WORKSPACE)),
        *("--host", HOST, "--port", str(port)),
        *("--log-level", "warning", "--code-server-log-level", "warning"),
    ]
    asked: list[int] = []
    # Before the child starts: a signal that this process ignores, the child would ignore too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: asked.append(received))
    process = subprocess.Popen(command, cwd=PROJECT_FOLDER, env=environment, start_new_session=True)
    while not asked and process.poll() is None:
        time.sleep(0.2)
    end_group(process)
    return 0 if asked else 1


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started: Dagster's children outlive it otherwise."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=SECONDS_TO_END)

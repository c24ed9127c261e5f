"""`vcc submit`: one file into the inbox, as its sender would deliver it."""

from __future__ import annotations

import argparse

from orchestration.commands import project_of
from orchestration.delivery import inbox_of, submit
from orchestration.project import SettingError


def run(options: argparse.Namespace) -> int:
    """Copy the file into the sender's folder and note when it arrived."""
    project = project_of(options)
    if options.sender not in {sender.sender_code for sender in project.reference.senders}:
        raise SettingError(
            f"There is no sender {options.sender}; senders are listed in senders.csv of the seeds."
        )
    if options.file.exists() and not options.file.is_file():
        raise SettingError(f"{options.file} is not a file that can be delivered.")
    if not options.file.is_file():
        raise FileNotFoundError(2, "No such file", str(options.file))
    project.root.create()
    submit(inbox_of(project.root), options.file, options.sender, project.clock.now())
    print(f"Delivered {options.file.name} for {options.sender}. `vcc run` will judge it.")
    return 0

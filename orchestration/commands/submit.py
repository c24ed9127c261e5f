"""`vcc submit`: one file into the inbox, as its sender would deliver it."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path

from ingest.clock import parse_instant
from orchestration.commands import project_of
from orchestration.delivery import Delivery, deliver, delivered


def run(options: argparse.Namespace) -> int:
    """Copy the file into the sender's folder and note when it arrived."""
    project = project_of(options)
    if options.sender not in {sender.sender_code for sender in project.reference.senders}:
        raise ValueError(
            f"There is no sender {options.sender}; senders are listed in senders.csv of the seeds."
        )
    if not options.file.is_file():
        raise FileNotFoundError(2, "No such file", str(options.file))
    target = project.root.inbox / options.sender / options.file.name
    if target.exists():
        raise ValueError(
            f"{options.file.name} from {options.sender} still waits in the inbox; run `vcc run` first."
        )
    project.root.create()
    arrival = arrival_after(project.root.inbox, options.sender, options.file.name, project.clock.now())
    deliver(project.root.inbox, [Delivery(options.file, options.sender, options.file.name, arrival)])
    print(f"Delivered {options.file.name} for {options.sender}. `vcc run` will judge it.")
    return 0


def arrival_after(inbox: Path, sender_code: str, file_name: str, now: datetime) -> datetime:
    """Return now, or the second after the last arrival under that name: no two share an instant."""
    earlier = [
        parse_instant(arrived_at)
        for sender, name, arrived_at in delivered(inbox)
        if (sender, name) == (sender_code, file_name)
    ]
    return max([now, *(instant + timedelta(seconds=1) for instant in earlier)])

"""`vcc sample`: the sample returns into the inbox, once.

Made under `<data root>/sample`, then moved into the inbox; what has been delivered is not made or delivered
again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.commands import project_of
from orchestration.delivery import Delivery, deliver, delivered, entry, staged_path
from orchestration.project import sample_day, sample_list
from orchestration.terminal import ProgressLine
from orchestration.warehouse import write_json

if TYPE_CHECKING:
    from orchestration.project import Project

TRUTH_NAME = "truth.json"
RETURNS_NAME = "returns"


def run(options: argparse.Namespace) -> int:
    """Make the sample if need be and deliver what has not been delivered."""
    project = project_of(options)
    progress = ProgressLine(sys.stderr)
    parameters = {
        "quarters": options.quarters,
        "seed": options.seed,
        "areas": sorted(options.areas) if options.areas else None,
        "breakdowns": not options.no_breakdowns,
    }
    try:
        placed = deliver_sample(project, parameters, progress)
    finally:
        progress.close()
    folder = project.data_root / "sample"
    if not placed:
        print("The sample has been delivered already.")
        return 0
    print(f"{placed:,} sample returns delivered to {project.root.inbox}")
    print(
        f"Here, today is {sample_day(project.data_root)}, when the sample is complete (another day: --as-of)"
    )
    print(f"What was planted in them, and what should come of it: {folder / TRUTH_NAME}")
    return 0


def deliver_sample(
    project: Project, parameters: Mapping[str, Any], progress: ProgressLine | None = None
) -> int:
    """Deliver the sample of these parameters and return how many files were new.

    Raises ValueError if the data root holds another sample: two truths in one place would contradict each
    other.
    """
    folder = project.data_root / "sample"
    listed = _listed(sample_list(project.data_root))
    if listed is not None and listed["parameters"] != dict(parameters):
        raise ValueError(
            f"{project.data_root} holds a sample with other settings ({_words(listed['parameters'])});"
            " choose another data root, or delete this one."
        )
    if listed is None:
        listed = _make(project, folder, parameters, progress)
    inbox = project.root.inbox
    known = set(delivered(inbox))
    deliveries = [
        delivery
        for delivery in _deliveries(folder, listed)
        if entry(delivery) not in known or staged_path(inbox, delivery).is_file()
    ]
    if not deliveries:
        return 0
    project.root.create()
    if any(not each.source.is_file() and not staged_path(inbox, each).is_file() for each in deliveries):
        _make(project, folder, parameters, progress)
    placed = deliver(inbox, deliveries, progress)
    shutil.rmtree(folder / RETURNS_NAME, ignore_errors=True)
    return len(placed)


def _make(
    project: Project, folder: Path, parameters: Mapping[str, Any], progress: ProgressLine | None
) -> dict[str, Any]:
    """Generate the synthetic returns beside the real one; the list is written last."""
    from ingest.synthetic import deliver_essex, generate

    unfinished = folder / f"{RETURNS_NAME}.partial"
    shutil.rmtree(unfinished, ignore_errors=True)
    generate(
        unfinished,
        project.reference,
        project.forms,
        seed=parameters["seed"],
        quarters=parameters["quarters"],
        areas=parameters["areas"],
        breakdowns=parameters["breakdowns"],
        truth_path=folder / TRUTH_NAME,
        progress=progress,
    )
    deliver_essex(unfinished)
    returns = folder / RETURNS_NAME
    shutil.rmtree(returns, ignore_errors=True)
    unfinished.rename(returns)
    files = [
        {"sender_code": sender, "file_name": name, "arrived_at": arrived}
        for sender, name, arrived in delivered(returns)
    ]
    document = {"parameters": dict(parameters), "as_of": complete_on(project, parameters), "files": files}
    write_json(sample_list(project.data_root), document)
    return document


def complete_on(project: Project, parameters: Mapping[str, Any]) -> str:
    """Return the day after the local review of the sample's last quarter was due, as a date."""
    from ingest.period import Period
    from ingest.synthetic.generate import DEFAULT_FIRST_PERIOD

    last = Period.parse(DEFAULT_FIRST_PERIOD)
    for _ in range(parameters["quarters"] - 1):
        last = last.next()
    return (project.review_due_on(last) + timedelta(days=1)).isoformat()


def _deliveries(folder: Path, listed: Mapping[str, Any]) -> list[Delivery]:
    from ingest.clock import parse_instant

    return [
        Delivery(
            source=folder / RETURNS_NAME / file["sender_code"] / file["file_name"],
            sender_code=file["sender_code"],
            file_name=file["file_name"],
            arrived_at=parse_instant(file["arrived_at"]),
            is_moved=True,
        )
        for file in listed["files"]
    ]


def _listed(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _words(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value if value is not None else 'all'}" for name, value in parameters.items())

"""`vcc sample`: the sample returns into the inbox, once.

Made under `<data root>/sample`, then moved into the inbox; what has been delivered is not made or delivered
again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.commands import project_of
from orchestration.delivery import (
    Delivery,
    deliver,
    deliver_to_bucket,
    delivered,
    inbox_of,
    lying,
    staged_path,
    undelivered,
)
from orchestration.project import SettingError, sample_day, sample_list
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
    if options.quarters < 1:
        raise SettingError(f"{options.quarters} quarters cannot be made; ask for one or more.")
    unknown = sorted(set(options.areas or ()) - {area.pfa_code for area in project.reference.areas})
    if unknown:
        raise SettingError(f"There is no area {', '.join(unknown)}; use codes such as E23000028, or NAT.")
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
    print(f"{placed:,} sample returns delivered to {project.root.inbox_url or project.root.inbox}")
    print(
        f"Here, today is {sample_day(project.data_root)}, when the sample is complete (another day: --as-of)"
    )
    print(f"What was planted in them, and what should come of it: {folder / TRUTH_NAME}")
    return 0


def deliver_sample(
    project: Project, parameters: Mapping[str, Any], progress: ProgressLine | None = None
) -> int:
    """Deliver the sample of these parameters and return how many files were new.

    Raises SettingError if the data root holds another sample, whose truth would contradict this one's, or
    real returns, among which made-up ones must never come.
    """
    folder = project.data_root / "sample"
    listed = listed_files(project)
    if listed is not None and listed["parameters"] != dict(parameters):
        raise SettingError(
            f"{project.data_root} holds a sample with other settings ({_words(listed['parameters'])});"
            " choose another data root, or delete this one."
        )
    if listed is None:
        refuse_others(project, None)
        # Before anything is written: it decides who may look into the data root.
        project.root.create()
        listed = _make(project, folder, parameters, progress)
    inbox = inbox_of(project.root)
    deliveries = undelivered(inbox, _deliveries(folder, listed), lambda: _tickets(project))
    if not deliveries:
        return 0
    refuse_others(project, listed)
    project.root.create()
    is_missing = [
        not each.source.is_file() and not (isinstance(inbox, Path) and staged_path(inbox, each).is_file())
        for each in deliveries
    ]
    if any(is_missing):
        _make(project, folder, parameters, progress)
    placed: Sequence[object]
    if isinstance(inbox, Path):
        placed = deliver(inbox, deliveries, progress)
    else:
        placed = deliver_to_bucket(inbox, deliveries, progress)
    shutil.rmtree(folder / RETURNS_NAME, ignore_errors=True)
    return len(placed)


def _tickets(project: Project) -> set[str]:
    """Return the tickets of everything that was taken in: first those in holding, then those of receipts."""
    from ingest.receipts import Ledger

    held = {path.name for path in project.root.holding.glob("*")}
    return held | {receipt.ticket for receipt in Ledger(project.root.receipts).read()}


def not_of_the_sample(project: Project, listed: Mapping[str, Any] | None) -> list[str]:
    """Return what has been delivered to the data root and is not of the sample, as <sender>/<file name>.

    Receipts, files that wait in the inbox or are being judged, and the delivery journal are asked.
    """
    from ingest.clock import parse_instant
    from ingest.receipts import Ledger

    files = listed["files"] if listed else []
    own = {(file["sender_code"], file["file_name"]) for file in files}
    own_arrivals = {
        (file["sender_code"], file["file_name"], parse_instant(file["arrived_at"])) for file in files
    }
    inbox = inbox_of(project.root)
    arrivals = {(sender, name, parse_instant(arrived)) for sender, name, arrived in delivered(inbox)}
    arrivals |= {
        (receipt.sender_code, receipt.file_name, receipt.arrived_at)
        for receipt in Ledger(project.root.receipts).read()
    }
    others = {f"{sender}/{name}" for sender, name, _ in arrivals - own_arrivals}
    others |= {f"{sender}/{name}" for sender, name in lying(inbox) if (sender, name) not in own}
    held = [json.loads(path.read_bytes()) for path in project.root.holding.glob("*/ticket.json")]
    others |= {
        f"{ticket['sender_code']}/{ticket['file_name']}"
        for ticket in held
        if (ticket["sender_code"], ticket["file_name"]) not in own
    }
    return sorted(others)


def refuse_others(project: Project, listed: Mapping[str, Any] | None) -> None:
    """Raise SettingError if the data root holds anything that is not of the sample."""
    others = not_of_the_sample(project, listed)
    if others:
        raise SettingError(
            f"{project.data_root} holds returns that are not of the sample ({amount(others)}), and made-up"
            " ones must not come among them; choose another data root for the sample, with --data-root or"
            " VCC_DATA_ROOT."
        )


def amount(others: Sequence[str]) -> str:
    """Say how many files there are, with the first as an example."""
    return f"{len(others):,}, such as {others[0]}" if len(others) > 1 else others[0]


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


def listed_files(project: Project) -> dict[str, Any] | None:
    """Return the list of the sample's files with its settings, or None if the data root holds no sample."""
    path = sample_list(project.data_root)
    if not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _words(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value if value is not None else 'all'}" for name, value in parameters.items())

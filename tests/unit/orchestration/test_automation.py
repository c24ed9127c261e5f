from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ingest.clock import FixedClock
from orchestration.automation import build_automation
from orchestration.project import Project


@dg.op
def nothing() -> None:
    """Stands in for the job's steps."""


@dg.job(name="quarter")
def quarter_job() -> None:
    """Stands in for the job."""
    nothing()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as on_disk:
        yield on_disk


def project_on(day: str, data_root: Path) -> Project:
    return Project(data_root, FixedClock(datetime.fromisoformat(f"{day}T06:00:00").replace(tzinfo=UTC)))


def deliver(project: Project, name: str) -> None:
    folder = project.root.inbox / "E23000028-police"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"zip")


def test_files_in_the_inbox_ask_for_one_provisional_run_over_what_is_due(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    project = project_on("2026-12-10", tmp_path)
    [[sensor], _] = build_automation(quarter_job, project)
    with dg.build_sensor_context(instance=instance) as context:
        assert "inbox is empty" in str(sensor(context))
        deliver(project, "a.zip")
        request = sensor(context)
        assert isinstance(request, dg.RunRequest)
        assert request.run_config == {"resources": {"cycle_stage": {"config": {"name": "provisional"}}}}
        assert request.tags["dagster/asset_partition_range_start"] == "2025-26-Q1"
        assert request.tags["dagster/asset_partition_range_end"] == "2026-27-Q2"
        again = sensor(context)
        assert isinstance(again, dg.RunRequest) and again.run_key == request.run_key
        deliver(project, "b.zip")
        other = sensor(context)
        assert isinstance(other, dg.RunRequest) and other.run_key != request.run_key
    assert instance.get_dynamic_partitions("period_code")[-1] == "2026-27-Q2"


def test_nothing_runs_before_the_first_returns_are_due(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = project_on("2025-07-15", tmp_path)
    [[sensor], [schedule]] = build_automation(quarter_job, project)
    deliver(project, "a.zip")
    with dg.build_sensor_context(instance=instance) as context:
        assert "due yet" in str(sensor(context))
    with dg.build_schedule_context(instance=instance) as schedule_context:
        assert "due yet" in str(schedule(schedule_context))


@pytest.mark.parametrize(
    ("day", "stage"), [("2026-11-12", "provisional"), ("2026-12-09", "provisional"), ("2026-12-10", "final")]
)
def test_the_schedule_follows_the_cycle_and_asks_once_for_each_build(
    tmp_path: Path, instance: dg.DagsterInstance, day: str, stage: str
) -> None:
    [_, [schedule]] = build_automation(quarter_job, project_on(day, tmp_path))
    with dg.build_schedule_context(instance=instance) as context:
        request = schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == ("2026-27-Q2", f"2026-27-Q2 {stage}")
    assert request.run_config == {"resources": {"cycle_stage": {"config": {"name": stage}}}}

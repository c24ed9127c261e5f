from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from ingest.clock import FixedClock
from ingest.storage import Bucket
from orchestration import automation
from orchestration.automation import RETRY_SECONDS, build_automation, build_reading_sensor, run_config
from orchestration.locking import run_lock
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
    # A file that has not changed for a while is taken to be whole.
    os.utime(folder / name, (1_700_000_000, 1_700_000_000))


def test_files_in_the_inbox_ask_for_one_provisional_run_over_what_is_due(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_on("2026-12-10", tmp_path)
    monkeypatch.setattr(automation, "time", lambda: 3600.0)
    [[sensor], _] = build_automation(quarter_job, project)
    with dg.build_sensor_context(instance=instance) as context:
        assert "Nothing has been delivered" in str(sensor(context))
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


def test_objects_in_a_bucket_ask_for_a_run_as_files_do(
    tmp_path: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    bucket: Callable[[str], Bucket],
) -> None:
    inbox = bucket("inbox")
    project = replace(project_on("2026-12-10", tmp_path), inbox_url=inbox.url)
    monkeypatch.setattr(automation, "time", lambda: 3600.0)
    [[sensor], _] = build_automation(quarter_job, project)
    keys = set()
    with dg.build_sensor_context(instance=instance) as context:
        assert "Nothing has been delivered" in str(sensor(context))
        for content in (b"one", b"another"):
            inbox.put("E23000028-police/a.zip", content)
            for _ in range(2):
                request = sensor(context)
                assert isinstance(request, dg.RunRequest)
                keys.add(request.run_key)
    # Asked for once, and once more when the object was put anew.
    assert len(keys) == 2


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


def test_what_a_failed_run_left_undone_is_asked_for_again_once_an_hour(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_on("2026-12-10", tmp_path)
    [[sensor], _] = build_automation(quarter_job, project)
    project.root.create()
    # Everything has been judged, nothing has been built.
    project.root.receipts.write_text("")
    keys = []
    with dg.build_sensor_context(instance=instance) as context:
        for seconds in (0, 60, RETRY_SECONDS):
            monkeypatch.setattr(automation, "time", lambda now=seconds: float(now))
            request = sensor(context)
            assert isinstance(request, dg.RunRequest)
            keys.append(request.run_key)
        assert keys[0] == keys[1] != keys[2]
        monkeypatch.setattr(automation, "reasons_to_run", lambda *arguments: [])
        assert "everything that was delivered is built" in str(sensor(context))


def test_no_run_is_asked_for_while_one_is_on(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = project_on("2026-12-10", tmp_path)
    [[sensor], _] = build_automation(quarter_job, project)
    deliver(project, "a.zip")
    with dg.build_sensor_context(instance=instance) as context:
        with run_lock(tmp_path, "vcc run"):
            assert "under way" in str(sensor(context))
        instance.create_run_for_job(quarter_job, status=dg.DagsterRunStatus.NOT_STARTED)
        assert "under way" in str(sensor(context))


def test_the_schedule_asks_again_until_the_build_is_done(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    [_, [schedule]] = build_automation(quarter_job, project_on("2026-12-10", tmp_path))
    asked: list[object] = []
    left = [["No build is served yet."], ["No build is served yet."], []]

    def reasons(project: Project, periods: list[object], stage: str) -> list[str]:
        asked.append(([str(period) for period in periods], stage))
        return left.pop(0)

    monkeypatch.setattr(automation, "reasons_to_run", reasons)
    with dg.build_schedule_context(instance=instance) as context:
        assert isinstance(schedule(context), dg.RunRequest)
        assert isinstance(schedule(context), dg.RunRequest)
        assert "final build of 2026-27-Q2 is done" in str(schedule(context))
    assert asked == [(["2026-27-Q2"], "final")] * 3


@pytest.mark.parametrize(
    ("tags", "config", "asked_for"),
    [
        ({"dagster/partition": "2026-27-Q1"}, run_config("provisional"), ("2026-27-Q1", "provisional")),
        (
            {
                "dagster/asset_partition_range_start": "2025-26-Q1",
                "dagster/asset_partition_range_end": "2026-27-Q2",
            },
            run_config("final"),
            ("2026-27-Q2", "final"),
        ),
        ({"dagster/partition": "2026-27-Q1"}, {}, ("2026-27-Q1", "final")),
        ({}, {}, None),
    ],
)
def test_a_run_that_succeeded_asks_for_packs_and_pages_of_its_newest_quarter_at_its_stage(
    instance: dg.DagsterInstance,
    tags: dict[str, str],
    config: dict[str, Any],
    asked_for: tuple[str, str] | None,
) -> None:
    @dg.job(name="reading")
    def reading_job() -> None:
        nothing()

    sensor = build_reading_sensor(quarter_job, reading_job)
    run = dg.DagsterRun(job_name="quarter", run_id=str(uuid4()), tags=tags, run_config=config)
    result = quarter_job.execute_in_process(instance=instance)
    with dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_instance=instance,
        dagster_run=run,
        dagster_event=result.get_run_success_event(),
    ) as context:
        request = sensor(context)
    if asked_for is None:
        assert isinstance(request, dg.SkipReason)
    else:
        assert isinstance(request, dg.RunRequest)
        assert (request.partition_key, request.run_config) == (asked_for[0], run_config(asked_for[1]))

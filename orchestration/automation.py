"""When a run starts by itself: when returns arrive, and on the days of the quarterly cycle.

Both are off until somebody switches them on. What belongs here: reasons to run. What does not: what a run
does.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

import dagster as dg

from ingest.inbox import waiting, waiting_files
from orchestration.locking import is_busy
from orchestration.pending import reasons_to_run
from orchestration.periods import PARTITION_TAG, RANGE_END_TAG, ensure_periods, range_tags
from orchestration.project import Project
from orchestration.vocabulary import FINAL, PROVISIONAL, QUARTER_JOB

#: A run that failed is asked for again after this long, though nothing else has changed.
RETRY_SECONDS = 3600

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def run_config(stage: str) -> dict[str, Any]:
    """Return the configuration of the job for one stage of the cycle."""
    return {"resources": {"cycle_stage": {"config": {"name": stage}}}}


def state_of(project: Project, reasons: Sequence[str]) -> str:
    """Name what there is to do, after the reasons to run and the files that wait."""
    held = (path for path in project.root.holding.glob("*") if not path.name.startswith("."))
    seen = [
        *reasons,
        *sorted(f"{sender}/{name} {stamp}" for sender, name, stamp in waiting_files(project.root)),
        *sorted(f"{path.name} {path.lstat().st_mtime_ns}" for path in held),
    ]
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def is_under_way(instance: dg.DagsterInstance, project: Project) -> bool:
    """Say whether a run works on the data root, from wherever it was started, or is about to.

    A run that was killed counts as unfinished for good, so only those of late are asked for.
    """
    of_late = datetime.now(UTC) - timedelta(seconds=RETRY_SECONDS)
    begun = dg.RunsFilter(job_name=QUARTER_JOB, statuses=UNFINISHED, created_after=of_late)
    return is_busy(project.data_root) or instance.get_runs_count(begun) > 0


def newest_quarter(tags: Mapping[str, str]) -> str | None:
    """Return the last quarter that a run with these tags was of, or None."""
    return tags.get(RANGE_END_TAG) or tags.get(PARTITION_TAG)


def stage_of_run(config: Mapping[str, Any]) -> str:
    """Return the stage of the cycle that a run was configured for."""
    resource = config.get("resources", {}).get("cycle_stage", {})
    return str(resource.get("config", {}).get("name", FINAL))


def due_step(project: Project) -> tuple[str, str] | None:
    """Return (period_code, stage) of the latest build that the calendar calls for, or None before the first.

    A provisional build once returns were due; the final one once the local review was.
    """
    due = project.due_quarters()
    if not due:
        return None
    latest = due[-1]
    return latest.code, FINAL if project.is_reviewed(latest) else PROVISIONAL


def build_automation(
    job: Any, project: Project
) -> tuple[list[dg.SensorDefinition], list[dg.ScheduleDefinition]]:
    """Return the inbox sensor and the quarterly schedule of a data root."""

    @dg.sensor(
        name="inbox_sensor",
        job=job,
        minimum_interval_seconds=60,
        description="Starts a provisional run over every quarter that is due when files wait in the inbox, or"
        " when a run that failed or was killed has left what was delivered unbuilt (once an hour).",
    )
    def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        ensure_periods(context.instance, project)
        due = project.due_quarters()
        if not due:
            return dg.SkipReason("No quarter's returns are due yet.")
        if not waiting(project.root) and not project.root.receipts.is_file():
            return dg.SkipReason("Nothing has been delivered yet.")
        if is_under_way(context.instance, project):
            return dg.SkipReason("A run is under way.")
        reasons = reasons_to_run(project, due, PROVISIONAL)
        if not reasons:
            return dg.SkipReason("The inbox is empty and everything that was delivered is built.")
        key = f"{state_of(project, reasons)} {int(time() // RETRY_SECONDS)}"
        return dg.RunRequest(run_key=key, run_config=run_config(PROVISIONAL), tags=range_tags(due))

    @dg.schedule(
        name="quarterly_schedule",
        job=job,
        cron_schedule="0 6 * * 1-5",
        execution_timezone="Europe/London",
        description="Looks every working morning whether the cycle calls for a build: provisional on the"
        " day after returns were due, final on the day after the local review was. One that is done is not"
        " started again.",
    )
    def quarterly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        ensure_periods(context.instance, project)
        step = due_step(project)
        if step is None:
            return dg.SkipReason("No quarter's returns are due yet.")
        period_code, stage = step
        if not reasons_to_run(project, [project.quarter(period_code)], stage):
            return dg.SkipReason(f"The {stage} build of {period_code} is done.")
        return dg.RunRequest(
            run_key=f"{period_code} {stage}", partition_key=period_code, run_config=run_config(stage)
        )

    return [inbox_sensor], [quarterly_schedule]


def build_reading_sensor(job: Any, reading: Any) -> dg.SensorDefinition:
    """Return the sensor that starts the job `reading` when a run of the job `job` has succeeded."""

    @dg.run_status_sensor(
        name="reading_sensor",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[job],
        request_job=reading,
        description="Makes packs and pages of the newest quarter of a run that succeeded.",
    )
    def reading_sensor(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        period_code = newest_quarter(context.dagster_run.tags)
        if period_code is None:
            return dg.SkipReason("The run was of no quarter.")
        return dg.RunRequest(
            run_key=context.dagster_run.run_id,
            partition_key=period_code,
            run_config=run_config(stage_of_run(context.dagster_run.run_config)),
        )

    return reading_sensor

"""When a run starts by itself: when returns arrive, and on the days of the quarterly cycle.

Both are off until somebody switches them on. What belongs here: reasons to run. What does not: what a run
does.
"""

import hashlib
from typing import Any

import dagster as dg

from ingest.receive import waiting
from orchestration.periods import ensure_periods, range_tags
from orchestration.project import Project
from orchestration.vocabulary import FINAL, PROVISIONAL


def run_config(stage: str) -> dict[str, Any]:
    """Return the configuration of the job for one stage of the cycle."""
    return {"resources": {"cycle_stage": {"config": {"name": stage}}}}


def inbox_state(project: Project) -> str | None:
    """Name what waits to be judged, or None if nothing does: the same files never ask for a second run."""
    if not waiting(project.root):
        return None
    seen = sorted(
        f"{path.parent.name}/{path.name} {path.lstat().st_mtime_ns}"
        for path in (*project.root.inbox.glob("*/*"), *project.root.holding.glob("*"))
    )
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def due_step(project: Project) -> tuple[str, str] | None:
    """Return (period_code, stage) of the latest build that the calendar calls for, or None before the first.

    A provisional build once returns were due; the final one once the local review was.
    """
    due = project.due_quarters()
    if not due:
        return None
    latest = due[-1]
    return latest.code, FINAL if project.review_due_on(latest) < project.today else PROVISIONAL


def build_automation(
    job: Any, project: Project
) -> tuple[list[dg.SensorDefinition], list[dg.ScheduleDefinition]]:
    """Return the inbox sensor and the quarterly schedule of a data root."""

    @dg.sensor(
        name="inbox_sensor",
        job=job,
        minimum_interval_seconds=60,
        description="Starts a provisional run over every quarter that is due when files wait in the inbox.",
    )
    def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        ensure_periods(context.instance, project)
        state = inbox_state(project)
        due = project.due_quarters()
        if state is None:
            return dg.SkipReason("The inbox is empty.")
        if not due:
            return dg.SkipReason("No quarter's returns are due yet.")
        return dg.RunRequest(run_key=state, run_config=run_config(PROVISIONAL), tags=range_tags(due))

    @dg.schedule(
        name="quarterly_schedule",
        job=job,
        cron_schedule="0 6 * * 1-5",
        execution_timezone="Europe/London",
        description="Looks every working morning whether the cycle calls for a build: provisional on the"
        " day after returns were due, final on the day after the local review was. Each starts once.",
    )
    def quarterly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        ensure_periods(context.instance, project)
        step = due_step(project)
        if step is None:
            return dg.SkipReason("No quarter's returns are due yet.")
        period_code, stage = step
        return dg.RunRequest(
            run_key=f"{period_code} {stage}", partition_key=period_code, run_config=run_config(stage)
        )

    return [inbox_sensor], [quarterly_schedule]

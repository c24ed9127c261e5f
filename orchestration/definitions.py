"""The one assembly: every asset, check, job, sensor and schedule of one data root.

What belongs here: putting the parts together. What does not: any part.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.assets.models import HISTORY, build_model_assets
from orchestration.assets.outputs import OUTPUT_ASSETS
from orchestration.assets.raw import build_raw_assets
from orchestration.assets.reading import READING_ASSETS
from orchestration.assets.receiving import deliveries, receive_returns
from orchestration.assets.serving import build_serving_assets, serving_marts
from orchestration.automation import build_automation, build_reading_sensor
from orchestration.checks import RECEIPT_CHECKS, RELEASE_CHECKS, build_contract_checks
from orchestration.dbt import DbtCommand, dbt_executable, ensure_manifest
from orchestration.project import Project, open_project
from orchestration.resources import CycleStage, OneRunAtATime, Progress, no_progress
from orchestration.vocabulary import QUARTER_JOB, READING_JOB

if TYPE_CHECKING:
    from ingest.clock import Clock


def build_definitions(
    data_root: Path,
    *,
    clock: Clock | None = None,
    progress: Progress = no_progress,
    project: Project | None = None,
    is_lock_held: bool = False,
) -> dg.Definitions:
    """Assemble everything for one data root.

    `clock` dates what arrives (default: VCC_AS_OF, else the system's); `progress` is told as work goes on;
    `is_lock_held` says that this process holds the data root already.
    Parses the dbt project if it has changed. Nothing is read from or written to the data root.
    """
    if project is None:
        project = open_project(data_root)
        if clock is not None:
            project = replace(project, clock=clock)
    models = build_model_assets(ensure_manifest(project.dbt_folder))
    marts = sorted(key for key in models.keys if key.path[0] == "marts")
    job = dg.define_asset_job(
        QUARTER_JOB,
        selection=dg.AssetSelection.all() - dg.AssetSelection.assets(HISTORY.key, *READING_ASSETS),
        executor_def=dg.in_process_executor,
        description="Everything for a quarter: receive, build, check, serve, and write what the stage of"
        " the cycle asks for. Pick a quarter; set cycle_stage to 'provisional' for local figures only."
        " Repeating it changes nothing that is done already.",
    )
    reading = dg.define_asset_job(
        READING_JOB,
        selection=dg.AssetSelection.assets(*READING_ASSETS),
        executor_def=dg.in_process_executor,
        description="What people read of a quarter that was run: packs for its areas and, at the final stage,"
        " for the Board and the Taskforce; the public site and its preview.",
    )
    sensors, schedules = build_automation(job, project)
    return dg.Definitions(
        assets=[
            deliveries,
            receive_returns,
            build_raw_assets(project),
            HISTORY,
            models,
            build_serving_assets(marts),
            serving_marts,
            *OUTPUT_ASSETS,
            *READING_ASSETS,
        ],
        asset_checks=[*RECEIPT_CHECKS, *RELEASE_CHECKS, *build_contract_checks(project)],
        jobs=[job, reading],
        sensors=[*sensors, build_reading_sensor(job, reading)],
        schedules=schedules,
        # One process for all steps: DuckDB lets one process write and shuts all others out.
        executor=dg.in_process_executor,
        resources={
            "project": project,
            "progress": progress,
            "cycle_stage": CycleStage(),
            "one_run_at_a_time": OneRunAtATime(data_root=str(project.data_root), is_held=is_lock_held),
            "dbt": DbtCommand(
                project_dir=str(project.dbt_folder),
                profiles_dir=str(project.dbt_folder),
                dbt_executable=dbt_executable(),
            ),
        },
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the data root that VCC_DATA_ROOT names: what `dagster dev` loads."""
    return build_definitions(open_project().data_root)

"""reference, staging, intermediate, marts: dbt builds them all, in one call, in a new file.

Not partitioned: the warehouse is rebuilt whole, so that a revision or a change of rule is right everywhere.
"""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from orchestration.dbt import (
    StageTranslator,
    build_arguments,
    build_environment,
    environment,
    read_tests,
)
from orchestration.metadata import link
from orchestration.project import Project
from orchestration.register import ensure_empty
from orchestration.resources import OneRunAtATime, Progress
from orchestration.warehouse import Attempt, Build, table_rows, write_json

BUILDING = "Building the warehouse"

HISTORY = dg.AssetSpec(
    ["register", "history"],
    group_name="register",
    kinds={"parquet"},
    description="The register as the models read it: what earlier final builds detected. Written by"
    " register/detections.",
)


def build_model_assets(manifest: Path) -> dg.AssetsDefinition:
    """Return the step that builds every table dbt knows."""

    # The tables of the register are one asset: what earlier final builds recorded.
    translator = StageTranslator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="build")
    def build(
        context: dg.AssetExecutionContext,
        project: dg.ResourceParam[Project],
        dbt: DbtCliResource,
        progress: dg.ResourceParam[Progress],
        one_run_at_a_time: OneRunAtATime,
    ) -> Iterator[dg.MaterializeResult[None] | dg.Output[None] | dg.AssetCheckResult]:
        """Build the candidate that the raw files and models call for, unless it has been built already."""
        if context.is_subset:
            raise dg.Failure(
                "The warehouse is built whole, never a table of it: launch the job 'quarter' instead."
            )
        ensure_empty(project.root.register)
        candidate = project.warehouse.build(project.build_id())
        if candidate.is_verified:
            progress(BUILDING, 0, 0)
            context.log.info(
                f"Build {candidate.build_id} is there already: no input has changed, dbt is not called."
            )
            yield from _unchanged(context, candidate)
            return
        attempt = project.warehouse.start_attempt(candidate.build_id, context.run.run_id)
        context.log.info(f"Building {attempt.path}")
        yield from _call_dbt(context, project, dbt, attempt, progress)

    return build


def _unchanged(context: dg.AssetExecutionContext, build: Build) -> Iterator[dg.MaterializeResult[None]]:
    rows = table_rows(build.path)
    depends_on = context.assets_def.asset_deps
    # Dagster asks for a table's parents before the table.
    for key in TopologicalSorter({key: depends_on[key] for key in sorted(depends_on)}).static_order():
        if key not in context.selected_asset_keys:
            continue
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={"status": "unchanged", "build": build.build_id, **_row_count(rows, key)},
        )


def _call_dbt(
    context: dg.AssetExecutionContext,
    project: Project,
    dbt: DbtCliResource,
    attempt: Attempt,
    progress: Progress,
) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    """Pass every test's outcome on as it comes; hold the tables back until all of them stand."""
    total = len(context.selected_asset_keys) + len(context.selected_asset_check_keys)
    done = 0
    progress(BUILDING, done, total)
    tables: list[dg.Output[None]] = []
    with environment(build_environment(project.data_root, attempt.path)):
        invocation = dbt.cli(build_arguments(), context=context, target_path=attempt.target_folder)
        for event in invocation.stream():
            done += 1
            progress(BUILDING, min(done, total), total)
            if isinstance(event, dg.Output):
                tables.append(event)
            elif isinstance(event, dg.AssetCheckResult):
                yield event
    tests = read_tests(invocation.get_artifact("run_results.json"), invocation.manifest)
    rows = table_rows(attempt.path)
    write_json(attempt.tests_path, {"build_id": attempt.build_id, "tests": tests})
    progress(BUILDING, total, total)
    for output in tables:
        key = context.asset_key_for_output(output.output_name)
        yield dg.Output(
            value=None,
            output_name=output.output_name,
            metadata={
                **output.metadata,
                "status": "built",
                "build": attempt.build_id,
                "file": link(project.warehouse.build(attempt.build_id).path),
                **_row_count(rows, key),
            },
        )


def _row_count(rows: dict[str, dict[str, int]], key: dg.AssetKey) -> dict[str, int]:
    stage, table = key.path
    found = rows.get(stage, {}).get(table)
    return {} if found is None else {"dagster/row_count": found}

"""checks: the verified build is put in the place of the one that is served."""

from collections.abc import Sequence

import dagster as dg

from orchestration.dbt import read_json
from orchestration.erased import drop_builds_of_erased
from orchestration.metadata import link, markdown_table
from orchestration.project import Project
from orchestration.resources import OneRunAtATime, Progress
from orchestration.warehouse import WarehouseError, table_rows, write_json

VERIFIED_BUILD = dg.AssetKey(["checks", "verified_build"])
SERVING = "Serving the verified build"


def build_serving_assets(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the step that serves a build; it waits for every mart and every check that blocks."""

    @dg.asset(
        key=VERIFIED_BUILD,
        deps=list(marts),
        group_name="checks",
        kinds={"duckdb"},
        description="The build that analysts and everything after this read: `warehouse/current`. It is"
        " replaced only by a build that kept every promise, so a failed check leaves the earlier one in"
        " place.",
    )
    def verified_build(
        project: dg.ResourceParam[Project],
        progress: dg.ResourceParam[Progress],
        one_run_at_a_time: OneRunAtATime,
    ) -> dg.MaterializeResult[None]:
        """Give the checked file its name and swap the link."""
        progress(SERVING, 0, 1)
        warehouse = project.warehouse
        build = warehouse.build(project.build_id())
        before = warehouse.current()
        require_kept_promises(project, build.build_id)
        attempt = warehouse.finished_attempt(build.build_id)
        if attempt is not None:
            write_json(project.dbt_tests_path(build.build_id), read_json(attempt.tests_path))
        dropped = [*warehouse.publish(build), *drop_builds_of_erased(project)]
        progress(SERVING, 1, 1)
        rows = table_rows(build.path)
        return dg.MaterializeResult(
            metadata={
                "status": "unchanged" if before == build else "new",
                "build": build.build_id,
                "file": link(build.path),
                "link": link(warehouse.link),
                "megabytes": round(build.path.stat().st_size / 1e6, 1),
                "rows by stage": markdown_table(
                    ("stage", "tables", "rows"),
                    [(stage, len(tables), sum(tables.values())) for stage, tables in rows.items()],
                ),
                "older builds dropped": len(dropped),
            }
        )

    return verified_build


def require_kept_promises(project: Project, build_id: str) -> None:
    """Refuse a build that was not measured or broke a promise that blocks.

    Within one run Dagster does not start this step after a failed check; in a run of its own it would.
    """
    outcomes = project.checks_path(build_id)
    if not outcomes.is_file():
        raise WarehouseError(f"Build {build_id} has not been checked; launch the whole job 'quarter'.")
    failed = int(read_json(outcomes)["failed"])
    if failed:
        raise WarehouseError(f"Build {build_id} broke {failed} promises that block; see {outcomes}.")

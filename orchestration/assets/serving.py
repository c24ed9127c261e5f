"""checks and serving: the verified build takes the place of the one before it, and is copied for analysts."""

from collections.abc import Sequence

import dagster as dg

from orchestration.assets.models import HISTORY
from orchestration.dbt import read_json
from orchestration.dictionary import load_measures
from orchestration.erased import drop_builds_of_erased
from orchestration.metadata import link, markdown_table
from orchestration.project import Project
from orchestration.resources import OneRunAtATime, Progress
from orchestration.serving import SCHEMAS, table_words
from orchestration.warehouse import WarehouseError, table_rows, write_json

VERIFIED_BUILD = dg.AssetKey(["checks", "verified_build"])
MARTS = dg.AssetKey(["serving", "marts"])
SERVING = "Serving the verified build"
COPYING = "Copying the marts for analysts"

#: The copy shows the register, which a final run adds to. A provisional run adds nothing, and a step that
#: waited for the register would not start then; so the copy is the last of the steps that can start, instead.
LAST = {"dagster/priority": "-1"}


def build_serving_assets(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the step that serves a build; it waits for every mart and every check that blocks."""

    @dg.asset(
        key=VERIFIED_BUILD,
        deps=list(marts),
        group_name="checks",
        kinds={"duckdb"},
        description="The build that everything after this reads: `warehouse/current`. It is"
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


@dg.asset(
    key=MARTS,
    deps=[VERIFIED_BUILD, HISTORY.key],
    group_name="serving",
    kinds={"duckdb", "parquet"},
    op_tags=LAST,
    description="The marts and the reference tables of the verified build, and the register as it stands,"
    " as one DuckDB file and as Parquet, with what every table and column means: `warehouse/serving/current`."
    " Analysts read here. No run writes into a copy that can be read, so no query meets a lock and no run"
    " waits for a reader.",
)
def serving_marts(
    project: dg.ResourceParam[Project],
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> dg.MaterializeResult[None]:
    """Copy the served build, unless it has been copied already, and swap the link."""
    build = project.warehouse.current()
    if build is None or build.build_id != project.build_id():
        # The manifest describes the present models; of another build it might say what is not so.
        raise WarehouseError(
            "The served build is not made from the present files and models; launch the whole job 'quarter'."
        )
    before = project.serving.current()

    def told(done: int, total: int) -> None:
        progress(COPYING, done, total)

    measures = {name: measure.sentence for name, measure in load_measures().items()}
    words = table_words(read_json(project.manifest_path), measures)
    dropped = [*project.serving.publish(build, words, told), *drop_builds_of_erased(project)]
    copy = project.serving.copy_of(build)
    rows = table_rows(copy.database)
    return dg.MaterializeResult(
        metadata={
            "status": "unchanged" if before == copy else "new",
            "build": build.build_id,
            "file": link(copy.database),
            "link": link(project.serving.link),
            "megabytes": round(copy.database.stat().st_size / 1e6, 1),
            "rows": markdown_table(
                ("table", "rows"),
                [(f"{schema}.{table}", rows[schema][table]) for schema in SCHEMAS for table in rows[schema]],
            ),
            "older copies dropped": len(dropped),
        }
    )


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

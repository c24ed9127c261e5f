"""register, releases and packs: what a verified build becomes for a quarter.

Each output notes the build it was made from; the same build and the same code make nothing again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration import register
from orchestration.assets.serving import VERIFIED_BUILD
from orchestration.metadata import link, markdown_table
from orchestration.pending import output_source, release_source
from orchestration.periods import ONE_RUN, QUARTERS
from orchestration.project import Project
from orchestration.resources import CycleStage, OneRunAtATime, Progress
from orchestration.warehouse import WarehouseError, open_reader

if TYPE_CHECKING:
    import duckdb

    from ingest.period import Period

FIGURES = "Writing local figures"
RECORDING = "Recording detections"
RELEASING = "Writing draft releases"
FLAGGING = "Writing flag registers"

DETECTIONS = dg.AssetKey(["register", "detections"])
FLAGS = dg.AssetKey(["register", "flags"])
OPEN_DATA = dg.AssetKey(["releases", "open_data"])
LOCAL_FIGURES = dg.AssetKey(["packs", "local_figures"])

Make = Callable[["duckdb.DuckDBPyConnection", "Period", str], Mapping[str, Any]]


def quarters_of(context: dg.AssetExecutionContext, project: Project) -> "list[Period]":
    """Return the quarters this step is asked for, in order of time."""
    return sorted(project.quarter(code) for code in context.partition_keys)


def require_reviewed(project: Project, quarters: "Sequence[Period]") -> None:
    """Refuse a final build of a quarter whose joint local review is not over: bodies may still correct it."""
    for quarter in quarters:
        if not project.is_reviewed(quarter):
            raise dg.Failure(
                f"The joint local review of {quarter.code} may last through"
                f" {project.review_due_on(quarter):%-d %B %Y}, and a final build records detections for good."
                " Run the stage 'provisional' until it is over."
            )


def make_for_each(
    context: dg.AssetExecutionContext,
    project: Project,
    progress: Progress,
    key: dg.AssetKey,
    label: str,
    folder: Path,
    make: Make,
) -> None:
    """Make the output of each quarter that is not up to date, and say of each what was done."""
    build = project.warehouse.current()
    if build is None:
        raise WarehouseError("There is no verified build to read; launch the job 'quarter'.")
    source = output_source(project, build.build_id)
    quarters = quarters_of(context, project)
    with open_reader(build.path) as connection:
        for done, quarter in enumerate(quarters):
            progress(label, done, len(quarters))
            metadata: dict[str, Any] = {"status": "unchanged"}
            if project.output_notes.made_from(quarter.code, "/".join(key.path)) != source:
                metadata = {
                    "status": "made",
                    **make(connection, quarter, build.build_id),
                    "build": build.build_id,
                }
                project.output_notes.note(quarter.code, "/".join(key.path), source)
            metadata |= {"folder": link(folder / quarter.code), "build": build.build_id}
            context.add_asset_metadata(metadata, partition_key=quarter.code)
    progress(label, len(quarters), len(quarters))


@dg.asset(
    key=DETECTIONS,
    deps=[VERIFIED_BUILD],
    group_name="register",
    kinds={"parquet"},
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    output_required=False,
    description="What the final build of the quarter found: detections with the figures, like areas and rule"
    " they rest on, and the state of every right. Written once and never changed: a later revision is seen"
    " beside it, not instead of it. A detection decides nothing; it asks for a data check with the body.",
)
def detections(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    cycle_stage: CycleStage,
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.MaterializeResult[None]]:
    """Record the quarter's detections, at the final build only."""
    if not cycle_stage.is_final:
        context.log.info("Provisional build: nothing enters the register.")
        return
    quarters = quarters_of(context, project)
    require_reviewed(project, quarters)
    build = project.warehouse.current()
    if build is None:
        raise WarehouseError("There is no verified build to read; launch the job 'quarter'.")
    # What inputs an older build was made from is not known any more; then the next run builds anew.
    inputs_id = project.inputs_id() if build.build_id == project.build_id() else ""
    source = register.Source(build.build_id, inputs_id)
    with open_reader(build.path) as connection:
        for done, quarter in enumerate(quarters):
            progress(RECORDING, done, len(quarters))
            summary = register.record(project.root.register, quarter.code, connection, source)
            if not summary.is_new:
                context.log.info(f"{quarter.code} is in the register already; what was detected then stays.")
            context.add_asset_metadata(
                {
                    "status": "recorded" if summary.is_new else "recorded earlier, left as it is",
                    "file": link(summary.path),
                    "dagster/row_count": summary.rows,
                    "detections": markdown_table(
                        ("result", "body, area and right"), summary.detections.items()
                    ),
                },
                partition_key=quarter.code,
            )
    progress(RECORDING, len(quarters), len(quarters))
    yield dg.MaterializeResult()


@dg.asset(
    key=FLAGS,
    deps=[VERIFIED_BUILD, DETECTIONS],
    group_name="register",
    kinds={"csv", "html"},
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    output_required=False,
    description="The flag register for the Programme Board: each flagged body, area and right with the"
    " indicators met, figures, like areas and quarters running. A recommendation, not a decision and never"
    " a notice.",
)
def flags(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    cycle_stage: CycleStage,
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.MaterializeResult[None]]:
    """Write the quarter's flag register, at the final build only."""
    from reports.flags import write_flags

    if not cycle_stage.is_final:
        return
    require_reviewed(project, quarters_of(context, project))

    def make(con: "duckdb.DuckDBPyConnection", quarter: "Period", build_id: str) -> Mapping[str, Any]:
        folder = project.root.flags / quarter.code
        write_flags(con, quarter.code, folder)
        return {"page": link(folder / "flags.html")}

    make_for_each(context, project, progress, FLAGS, FLAGGING, project.root.flags, make)
    yield dg.MaterializeResult()


@dg.asset(
    key=OPEN_DATA,
    deps=[VERIFIED_BUILD],
    group_name="releases",
    kinds={"csv", "parquet"},
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    output_required=False,
    description="The quarter's draft release: open data files with descriptors, dictionary and hashes,"
    " suppressed, rounded, and audited with everything published before. Under embargo until it is published."
    " A quarter that is published is drafted anew only when the release calendar has a revision of it; a"
    " correction is asked for with `vcc release build`.",
)
def open_data(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    cycle_stage: CycleStage,
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.MaterializeResult[None]]:
    """Draft the quarter's next version, at the final build only."""
    from orchestration.releasing.drafting import build_draft
    from orchestration.releasing.promoting import Releases, settle
    from orchestration.releasing.tables import public_tables

    if not cycle_stage.is_final:
        return
    quarters = quarters_of(context, project)
    require_reviewed(project, quarters)
    build = project.warehouse.current()
    if build is None:
        raise WarehouseError("There is no verified build to read; launch the job 'quarter'.")
    releases, output = Releases(project), "/".join(OPEN_DATA.path)
    settle(releases)
    plans = {quarter.code: releases.planned(quarter.code) for quarter in quarters}
    # In the order in which they will be published: an audit knows what is out before.
    ordered = sorted(
        plans, key=lambda code: (plan.issued_on if (plan := plans[code]) else project.today, code)
    )
    with public_tables(build.path) as tables:
        for done, code in enumerate(ordered):
            progress(RELEASING, done, len(ordered))
            planned = plans[code]
            source = release_source(project, build.build_id, code)
            metadata: dict[str, Any] = {"status": "published; the calendar has no revision of it yet"}
            if planned is not None:
                metadata = {"status": "unchanged", "version": str(planned.version)}
                folder = releases.draft(code, planned.version)
                if project.output_notes.made_from(code, output) != source or not folder.is_dir():
                    drafted = build_draft(releases, planned, tables, build.build_id, context.log.info)
                    metadata |= {
                        "status": "made" if drafted.changed else "made again, the same",
                        "withheld by the audit": drafted.withheld,
                        "dagster/row_count": sum(drafted.rows.values()),
                        "rows": markdown_table(("table", "rows"), sorted(drafted.rows.items())),
                    }
                metadata |= {"folder": link(folder), "record": link(releases.record(code, planned.version))}
            project.output_notes.note(code, output, source)
            context.add_asset_metadata({**metadata, "build": build.build_id}, partition_key=code)
    progress(RELEASING, len(ordered), len(ordered))
    yield dg.MaterializeResult()


@dg.asset(
    key=LOCAL_FIGURES,
    deps=[VERIFIED_BUILD],
    group_name="packs",
    kinds={"csv"},
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    description="The quarter's figures of each area, with like areas, last quarter and last year, for its"
    " bodies and reviewers. Goes back to them at the provisional build, before anything is recorded.",
)
def local_figures(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> dg.MaterializeResult[None]:
    """Write the quarter's local figures, at both builds."""
    from reports.local_figures import write_local_figures

    def make(con: "duckdb.DuckDBPyConnection", quarter: "Period", build_id: str) -> Mapping[str, Any]:
        folder = project.root.packs / quarter.code / "figures"
        write_local_figures(con, quarter.code, folder)
        return {"files": len(list(folder.glob("*.csv")))}

    make_for_each(context, project, progress, LOCAL_FIGURES, FIGURES, project.root.packs, make)
    return dg.MaterializeResult()


OUTPUT_ASSETS = [detections, flags, open_data, local_figures]

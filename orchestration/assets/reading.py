"""packs and pages: what people read of a verified build and of releases.

A job of its own makes them, after the quarter's: they can be made again without a run.
Each is made again only when what it is made from has changed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.assets.outputs import DETECTIONS, OPEN_DATA, quarters_of, require_reviewed
from orchestration.assets.serving import MARTS
from orchestration.metadata import link, markdown_table
from orchestration.periods import ONE_RUN, QUARTERS
from orchestration.project import Project
from orchestration.publishing.packs import BOARD, LOCAL, TASKFORCE, make_packs, served_copy
from orchestration.publishing.previews import page_preview, pdf_preview
from orchestration.publishing.site import SiteMade, preview_site, refresh_site
from orchestration.resources import CycleStage, OneRunAtATime, Progress

LOCAL_PACKS = dg.AssetKey(["packs", "local"])
BOARD_PACK = dg.AssetKey(["packs", "programme_board"])
TASKFORCE_PACK = dg.AssetKey(["packs", "taskforce"])
SITE = dg.AssetKey(["pages", "site"])
ANNUAL_REPORT = dg.AssetKey(["pages", "annual_report"])
PREVIEW = dg.AssetKey(["pages", "preview"])

#: The area whose pack is shown beside the asset, where there is one.
SHOWN_AREA = "E23000028"


def make_for_quarters(
    context: dg.AssetExecutionContext,
    project: Project,
    stage: str,
    kind: str,
    progress: Progress,
) -> None:
    """Make the packs of each quarter that are not up to date, and show of each what it looks like."""
    copy = served_copy(project)
    for quarter in quarters_of(context, project):
        folder, made = make_packs(project, quarter, stage, kind, copy, progress, say=context.log.info)
        context.add_asset_metadata(
            {"status": "made" if made else "unchanged", "build": copy.build_id, **_shown(folder)},
            partition_key=quarter.code,
        )


def _shown(folder: Path) -> Mapping[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    documents = [path for path in files if path.suffix == ".pdf"]
    chosen = next(
        (path for path in documents if path.stem == SHOWN_AREA), documents[0] if documents else None
    )
    found: dict[str, Any] = {
        "folder": link(folder),
        "files": markdown_table(
            ("file", "kB"), [(path.relative_to(folder), path.stat().st_size // 1000) for path in files]
        ),
    }
    if chosen is not None:
        found["preview"] = dg.MetadataValue.md(pdf_preview(chosen))
    return found


@dg.asset(
    key=LOCAL_PACKS,
    deps=[MARTS, DETECTIONS, OPEN_DATA],
    group_name="packs",
    kinds={"html", "pdf", "ods"},
    partitions_def=QUARTERS,
    backfill_policy=ONE_RUN,
    description="A pack for each area and national force: how it compares, what good looks like, the gap in"
    " victims, what others do well, questions for the joint review. Made at the provisional stage for that"
    " review, and again at the final one. Restricted.",
)
def local_packs(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    cycle_stage: CycleStage,
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> dg.MaterializeResult[None]:
    """Make the quarter's local packs, at both stages."""
    if cycle_stage.is_final:
        require_reviewed(project, quarters_of(context, project))
    make_for_quarters(context, project, cycle_stage.name.value, LOCAL, progress)
    return dg.MaterializeResult()


def forum_pack(key: dg.AssetKey, kind: str, description: str) -> dg.AssetsDefinition:
    """Return the asset of a national forum's pack, which is made at the final stage only."""

    @dg.asset(
        key=key,
        deps=[MARTS, DETECTIONS, OPEN_DATA],
        group_name="packs",
        kinds={"html", "pdf", "ods"},
        partitions_def=QUARTERS,
        backfill_policy=ONE_RUN,
        output_required=False,
        description=description,
    )
    def pack(
        context: dg.AssetExecutionContext,
        project: dg.ResourceParam[Project],
        cycle_stage: CycleStage,
        progress: dg.ResourceParam[Progress],
        one_run_at_a_time: OneRunAtATime,
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Make the quarter's pack, at the final stage only."""
        if not cycle_stage.is_final:
            return
        require_reviewed(project, quarters_of(context, project))
        make_for_quarters(context, project, cycle_stage.name.value, kind, progress)
        yield dg.MaterializeResult()

    return pack


board_pack = forum_pack(
    BOARD_PACK,
    BOARD,
    "The Programme Board's pack: decisions asked for, what changed, high and low compliance, severe"
    " indicators, persistent cases, data gaps, how many flags are expected to be false. Restricted.",
)
taskforce_pack = forum_pack(
    TASKFORCE_PACK,
    TASKFORCE,
    "The Ministerial Taskforce's pack, two pages: decisions sought, notices in draft, closures. Restricted.",
)


@dg.asset(
    key=PREVIEW,
    deps=[OPEN_DATA],
    group_name="pages",
    kinds={"html"},
    output_required=False,
    description="The site as it will be once every audited draft is published: for those who approve it."
    " Under embargo, and therefore restricted.",
)
def site_preview(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.MaterializeResult[None]]:
    """Make the preview of the site, if there is anything to show."""
    from orchestration.releasing.promoting import Releases

    yield from _told(preview_site(Releases(project), progress))


@dg.asset(
    key=SITE,
    deps=[OPEN_DATA],
    group_name="pages",
    kinds={"html", "javascript"},
    output_required=False,
    description="The public site, made of the published releases and of nothing else. Publishing a release"
    " makes it anew as well.",
)
def site(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    progress: dg.ResourceParam[Progress],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.MaterializeResult[None]]:
    """Make the public site of what is public, unless it is."""
    from orchestration.releasing.promoting import Releases

    yield from _told(refresh_site(Releases(project), progress))


def _told(made: SiteMade | None) -> Iterator[dg.MaterializeResult[None]]:
    if made is None:
        return
    yield dg.MaterializeResult(
        metadata={
            "status": "made" if made.changed else "unchanged",
            "page": link(made.folder / "index.html"),
            "files": made.files,
            "releases": markdown_table(("release",), [(release,) for release in made.releases]),
            "preview": dg.MetadataValue.md(page_preview(made.folder / "index.html")),
        }
    )


@dg.asset(
    key=ANNUAL_REPORT,
    deps=[MARTS, OPEN_DATA],
    group_name="pages",
    kinds={"html", "pdf"},
    output_required=False,
    description="The annual report of the configured twelve months: a draft, restricted, until the day it is"
    " laid before Parliament. Its figures are of releases; of the forums' work it has counts.",
)
def annual_report(
    context: dg.AssetExecutionContext,
    project: dg.ResourceParam[Project],
    one_run_at_a_time: OneRunAtATime,
) -> Iterator[dg.MaterializeResult[None]]:
    """Make the annual report, if there is a release to quote."""
    from orchestration.publishing.annual_report import make_annual_report
    from orchestration.releasing.promoting import Releases

    made = make_annual_report(Releases(project), served_copy(project))
    if made is not None:
        state = "a draft" if made.is_draft else "laid"
        yield dg.MaterializeResult(
            metadata={
                "status": f"{state}, {'made' if made.changed else 'unchanged'}",
                "quarters without a release": ", ".join(made.missing_quarters) or "none",
                **_shown(made.folder),
            }
        )


READING_ASSETS = [local_packs, board_pack, taskforce_pack, annual_report, site_preview, site]

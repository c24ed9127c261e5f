"""The asset graph as it was agreed, so that a change of it is seen in review."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.vocabulary import QUARTER_JOB, READING_JOB

UPDATE_VARIABLE = "VCC_UPDATE_GRAPH"
HOW_TO_UPDATE = (
    f"The asset graph has changed. If that is meant, run `{UPDATE_VARIABLE}=1 .venv/bin/python -m pytest"
    " tests/architecture/test_graph.py` and commit tests/architecture/asset_graph.json with the change."
)


def picture(graph: dg.AssetGraph) -> dict[str, Any]:
    """Key -> group, what it depends on, and whether it has a part for each quarter."""
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    return {
        name: {
            "group": node.group_name,
            "depends_on": sorted(parent.to_user_string() for parent in node.parent_keys),
            "by_quarter": node.is_partitioned,
        }
        for name, node in sorted(nodes.items())
    }


def test_the_graph_is_the_one_that_was_agreed(asset_graph: dg.AssetGraph, snapshot_path: Path) -> None:
    found = picture(asset_graph)
    if os.environ.get(UPDATE_VARIABLE):
        snapshot_path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    agreed = json.loads(snapshot_path.read_text())
    assert sorted(found) == sorted(agreed), HOW_TO_UPDATE
    assert found == agreed, HOW_TO_UPDATE


def test_two_jobs_hold_every_asset_that_is_made_and_the_first_every_check(
    definitions: dg.Definitions, asset_graph: dg.AssetGraph
) -> None:
    quarter = definitions.resolve_job_def(QUARTER_JOB).asset_layer
    reading = definitions.resolve_job_def(READING_JOB).asset_layer
    assert quarter.executable_asset_keys | reading.executable_asset_keys == asset_graph.executable_asset_keys
    assert quarter.executable_asset_keys & reading.executable_asset_keys == set()
    assert {key.to_user_string() for key in reading.executable_asset_keys} == {
        "packs/local",
        "packs/programme_board",
        "packs/taskforce",
        "pages/annual_report",
        "pages/preview",
        "pages/site",
    }
    assert quarter.asset_graph.asset_check_keys == asset_graph.asset_check_keys
    assert {key.to_user_string() for key in asset_graph.external_asset_keys} == {"register/history"}


def test_the_copy_for_analysts_is_the_last_of_the_steps_that_can_start(definitions: dg.Definitions) -> None:
    tags = {node.name: node.tags for node in definitions.resolve_job_def(QUARTER_JOB).nodes}
    priorities = {name: int(found.get("dagster/priority", 0)) for name, found in tags.items()}
    assert [name for name, priority in priorities.items() if priority] == ["serving__marts"]
    assert priorities["serving__marts"] < 0


def test_what_is_by_quarter(asset_graph: dg.AssetGraph) -> None:
    by_quarter = {
        key.to_user_string()
        for key in asset_graph.get_all_asset_keys()
        if asset_graph.get(key).is_partitioned
    }
    assert by_quarter == {
        "raw/quarterly_cover",
        "raw/quarterly_metrics",
        "raw/quarterly_feedback",
        "raw/quarterly_delivery",
        "raw/feedback_cover",
        "raw/feedback_feedback",
        "raw/insight_cover",
        "raw/insight_review",
        "raw/insight_insight",
        "register/detections",
        "register/flags",
        "releases/open_data",
        "packs/local_figures",
        "packs/local",
        "packs/programme_board",
        "packs/taskforce",
    }


def test_every_contract_blocks_what_follows_its_mart(
    definitions: dg.Definitions, asset_graph: dg.AssetGraph
) -> None:
    contracts = [node for node in asset_graph.asset_check_nodes if node.key.name == "contract"]
    assert contracts and all(node.blocking for node in contracts)
    marts = {key for key in asset_graph.get_all_asset_keys() if key.path[0] == "marts"}
    assert {node.key.asset_key for node in contracts} <= marts
    assert asset_graph.get(dg.AssetKey(["checks", "verified_build"])).parent_keys == marts

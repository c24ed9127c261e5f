"""One vocabulary: the stage's word is the folder, the dbt folder and schema, the group, the first part of the key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from ingest.paths import DataRoot
from orchestration.dbt import ensure_manifest, read_json, stage_of
from orchestration.vocabulary import DBT_STAGES, STAGE_NAMES, STAGES


@pytest.fixture(scope="module")
def manifest(project_folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = read_json(ensure_manifest(project_folder / "dbt_project"))
    return document


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage.folder], ids=lambda stage: stage.name)
def test_a_stages_word_is_its_folder_under_the_data_root(tmp_path: Path, stage: Any) -> None:
    assert getattr(DataRoot(tmp_path), stage.name) == tmp_path / stage.folder
    assert Path(stage.folder).name == stage.name


def test_the_dbt_folders_are_stages(project_folder: Path) -> None:
    folders = {path.name for path in (project_folder / "dbt_project" / "models").iterdir() if path.is_dir()}
    assert folders - {"sources"} == {
        stage.name for stage in STAGES if (stage.dbt_folder or "").startswith("models/")
    }


def test_the_schema_of_every_table_is_its_stage(manifest: dict[str, Any]) -> None:
    tables = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    assert {(node["name"], node["schema"]) for node in tables if node["schema"] != stage_of(node)} == set()
    assert {node["schema"] for node in tables} == set(DBT_STAGES)


def test_groups_and_the_first_parts_of_keys_are_the_stages(asset_graph: dg.AssetGraph) -> None:
    nodes = [asset_graph.get(key) for key in asset_graph.get_all_asset_keys()]
    assert {node.key.to_user_string() for node in nodes if node.key.path[0] != node.group_name} == set()
    assert {node.group_name for node in nodes} == set(STAGE_NAMES)


def test_every_key_has_two_parts_and_every_asset_a_description(asset_graph: dg.AssetGraph) -> None:
    nodes = [asset_graph.get(key) for key in asset_graph.get_all_asset_keys()]
    assert {
        node.key.to_user_string() for node in nodes if len(node.key.path) != 2 or not node.description
    } == set()


def test_the_graph_runs_forward_through_the_stages(asset_graph: dg.AssetGraph) -> None:
    order = {name: place for place, name in enumerate(STAGE_NAMES)}
    backward = {
        (parent.to_user_string(), key.to_user_string())
        for key in asset_graph.get_all_asset_keys()
        for parent in asset_graph.get(key).parent_keys
        if order[parent.path[0]] > order[key.path[0]]
    }
    # What earlier final builds recorded is read by the mart that shows it, and by what keeps to it.
    assert backward == {
        ("register/history", reader)
        for reader in (
            "marts/oversight_register",
            "staging/stg_recorded_detections",
            "staging/stg_recorded_quarters",
            "staging/stg_recorded_states",
        )
    }


def test_every_stage_but_the_first_follows_another(asset_graph: dg.AssetGraph) -> None:
    alone = {
        key.to_user_string()
        for key in asset_graph.get_all_asset_keys()
        if not asset_graph.get(key).parent_keys and key.path[0] not in ("inbox", "reference")
    }
    assert alone == {"register/history"}


def test_dbt_reads_only_raw_tables_that_are_written(
    manifest: dict[str, Any], asset_graph: dg.AssetGraph
) -> None:
    sources = {source["name"] for source in manifest["sources"].values() if source["source_name"] == "raw"}
    written = {key.path[1] for key in asset_graph.get_all_asset_keys() if key.path[0] == "raw"}
    assert sources <= written
    assert written - sources <= {"legacy_audit_cover", "feedback_cover", "rules_cover", "context_cover"}


def test_the_readme_has_a_heading_for_every_stage(project_folder: Path) -> None:
    headings = re.findall(
        r"^#+ (.+)$", (project_folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    words = {word.lower() for heading in headings for word in re.findall(r"[A-Za-z]+", heading)}
    assert set(STAGE_NAMES) - words == set()


def test_the_schema_of_a_stage_is_set_by_its_folder(project_folder: Path) -> None:
    settings = yaml.safe_load((project_folder / "dbt_project" / "dbt_project.yml").read_text())
    models = settings["models"][settings["name"]]
    assert {name: models[name]["+schema"] for name in models if not name.startswith("+")} == {
        name: name for name in DBT_STAGES if name != "reference"
    }
    assert settings["seeds"][settings["name"]]["+schema"] == "reference"

"""A reader of the graph, of dbt's page or of the dictionary finds what every mart is without opening its SQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.dbt import ensure_manifest, read_json
from orchestration.dictionary import (
    NUMERIC,
    OWNERS,
    PAGE,
    DictionaryError,
    dictionary_page,
    grain_and_purpose,
    key_of,
    load_measures,
    marts_of,
)


@pytest.fixture(scope="module")
def manifest(project_folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = read_json(ensure_manifest(project_folder / "dbt_project"))
    return document


def proven_keys(manifest: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Table -> the columns that a test proves to be its key."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    return {
        manifest["nodes"][test["attached_node"]]["name"]: tuple(test["test_metadata"]["kwargs"]["columns"])
        for test in tests
        if (test.get("test_metadata") or {}).get("name") == "unique_key"
    }


def test_every_mart_says_its_grain_and_what_it_is_for(manifest: dict[str, Any]) -> None:
    marts = {node["name"]: grain_and_purpose(node["description"]) for node in marts_of(manifest)}
    assert len(marts) >= 15
    assert {name for name, (grain, _) in marts.items() if not grain.startswith("One row a ")} == set()
    assert {name for name, (_, purpose) in marts.items() if len(purpose) < 20} == set()


def test_the_key_a_mart_names_is_the_key_a_test_proves(manifest: dict[str, Any]) -> None:
    proven = proven_keys(manifest)
    marts = {node["name"]: key_of(node) for node in marts_of(manifest)}
    # The register is a view of files; their writer sorts them by this key and nothing tests it twice.
    assert {name: key for name, key in marts.items() if proven.get(name) != key} == {
        "oversight_register": marts["oversight_register"]
    }


def test_the_graph_shows_grain_key_owner_and_purpose(
    manifest: dict[str, Any], asset_graph: dg.AssetGraph
) -> None:
    for node in marts_of(manifest):
        asset = asset_graph.get(dg.AssetKey(["marts", node["name"]]))
        assert [owner.removeprefix("team:") for owner in asset.owners] == [node["config"]["meta"]["owner"]]
        grain, purpose = grain_and_purpose(node["description"])
        assert {name: asset.metadata[name] for name in ("grain", "key", "purpose")} == {
            "grain": grain,
            "key": ", ".join(key_of(node)),
            "purpose": purpose,
        }


def test_every_number_of_a_mart_has_its_unit_polarity_and_additivity(manifest: dict[str, Any]) -> None:
    kinds: dict[str, set[str]] = {}
    for node in marts_of(manifest):
        for column in node["columns"].values():
            if column["data_type"] in NUMERIC:
                kinds.setdefault(column["name"], set()).add(column["data_type"])
    measures = load_measures()
    assert set(measures) == set(kinds)
    unsaid = {name for name, said in measures.items() if not said.is_identifier and not said.how_to_combine}
    assert unsaid == set()
    # what adds up is counted, never measured; answers weighted by a design effect are the one exception
    added = {name for name, said in measures.items() if said.additive_over and "double" in kinds[name]}
    assert added <= {"effective_answer_count"}
    shares = {name for name, said in measures.items() if said.unit == "share"}
    assert {name for name in shares if kinds[name] != {"double"}} == set()


def test_the_page_is_what_the_models_say(manifest: dict[str, Any]) -> None:
    page = dictionary_page(manifest, load_measures())
    assert PAGE.read_text(encoding="utf-8") == page
    assert {node["name"] for node in marts_of(manifest) if f"### {node['name']}\n" not in page} == set()
    assert set(OWNERS) == {node["config"]["meta"]["owner"] for node in marts_of(manifest)}


def test_a_mart_without_owner_or_with_an_unknown_number_is_refused(manifest: dict[str, Any]) -> None:
    document = json.loads(json.dumps(manifest))
    marts_of(document)[0]["config"]["meta"]["owner"] = "nobody"  # type: ignore[index]
    with pytest.raises(DictionaryError, match=r"name its owner in config\.meta"):
        dictionary_page(document, load_measures())
    measures = load_measures()
    del measures["met_count"]
    with pytest.raises(DictionaryError, match=r"local_area_compliance\.met_count is not in measures\.csv"):
        dictionary_page(manifest, measures)

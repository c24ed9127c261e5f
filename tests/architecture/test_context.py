"""Context and insight stand beside compliance: nothing that flags a body may read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt import ensure_manifest, read_json

BESIDE = ("stg_context_", "stg_insight_", "context_", "insight_")
#: What states or tests compliance, by the beginning of its name.
FLAGS = (
    "oversight_",
    "int_indicators",
    "int_persistence",
    "int_right_states",
    "int_s2_",
    "int_case_",
    "int_cases",
)
FIGURES = ("int_metric_figures", "int_feedback_answers", "int_delivery_assessments", "local_area_", "national_",
           "open_data_")  # fmt: skip


@pytest.fixture(scope="module")
def parents(project_folder: Path) -> dict[str, set[str]]:
    """Model -> what it reads, by name."""
    manifest: dict[str, Any] = read_json(ensure_manifest(project_folder / "dbt_project"))
    return {
        node["name"]: {name.split(".")[-1] for name in node["depends_on"]["nodes"]}
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def ancestors(parents: dict[str, set[str]], name: str) -> set[str]:
    """Everything a model rests on, however far back."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = parents.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def test_no_flag_and_no_figure_rests_on_context_or_insight(parents: dict[str, set[str]]) -> None:
    judged = [name for name in parents if name.startswith((*FLAGS, *FIGURES))]
    assert {
        "oversight_persistence",
        "oversight_indicators",
        "int_indicators",
        "local_area_compliance",
    } <= set(judged)
    touched = {
        (name, other)
        for name in judged
        for other in ancestors(parents, name)
        if other.startswith(BESIDE)
    }  # fmt: skip
    assert touched == set()


def test_the_check_can_fail(parents: dict[str, set[str]]) -> None:
    changed = {**parents, "int_indicators": parents["int_indicators"] | {"stg_context_entries"}}
    assert "stg_context_entries" in ancestors(changed, "oversight_persistence")


def test_context_and_insight_are_read_by_their_own_marts(parents: dict[str, set[str]]) -> None:
    readers = {name for name, read in parents.items() if any(other.startswith(BESIDE) for other in read)}
    assert {name for name in readers if not name.startswith((*BESIDE, "stg_"))} == set()

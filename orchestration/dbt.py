"""How dbt is called, and what dbt's tables are called in Dagster.

What belongs here: the manifest and its freshness, the command line, the translation of names.
What does not: the step that builds (assets/models.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource
from packaging.version import Version

from orchestration.dictionary import OWNERS, grain_and_purpose, key_of, owner_of
from orchestration.project import DATA_ROOT_VARIABLE
from orchestration.vocabulary import DBT_STAGES
from orchestration.warehouse import dbt_files, digest_files, write_bytes

#: The dbt source that reads the register is earlier final builds' record. Under the key of this run's
#: record the graph would run in a circle: marts -> checks -> register -> marts.
#: All three of its tables are that one record.
SOURCE_KEYS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("register", table): ("register", "history") for table in ("detections", "states", "quarters")
}


class DbtError(RuntimeError):
    """dbt could not read the project; the message carries what dbt said."""


def dbt_executable() -> str:
    """Return dbt as installed beside the running interpreter, so that no PATH is needed."""
    return str(Path(sys.executable).with_name("dbt"))


def build_arguments() -> list[str]:
    """Return the arguments of the one dbt call of a run: seeds, models and data tests in one go.

    Unit tests check the code, not the data: `make test` runs them. Partial parsing is off, here and for the
    manifest: it trusts files' times, and a file put back with its old time would be built as it was before.
    """
    return [
        "--no-use-colors",
        "--no-partial-parse",
        "build",
        "--exclude-resource-type",
        "unit_test",
        "--log-level",
        "info",
    ]


def build_environment(data_root: Path, warehouse_file: Path) -> dict[str, str]:
    """Return the variables dbt's profile and sources read."""
    return {DATA_ROOT_VARIABLE: str(data_root), "VCC_BUILD_PATH": str(warehouse_file), **quiet_environment()}


def quiet_environment() -> dict[str, str]:
    """Return the variables that keep dbt from calling home."""
    return {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the time of a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def ensure_manifest(dbt_folder: Path) -> Path:
    """Return dbt's manifest, parsing the project only if one of its files has changed since.

    Raises DbtError if dbt cannot parse the project.
    """
    target = dbt_folder / "target"
    manifest = target / "manifest.json"
    stamp = target / "manifest.inputs"
    inputs = digest_files(dbt_files(dbt_folder), dbt_folder)
    if _is_fresh(manifest, stamp, inputs):
        return manifest
    target.mkdir(exist_ok=True)
    with (target / ".parse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_fresh(manifest, stamp, inputs):
            _parse(dbt_folder, target)
            write_bytes(stamp, inputs.encode())
    return manifest


def _is_fresh(manifest: Path, stamp: Path, inputs: str) -> bool:
    return manifest.is_file() and stamp.is_file() and stamp.read_text() == inputs


def _parse(dbt_folder: Path, target: Path) -> None:
    result = subprocess.run(
        [
            dbt_executable(),
            "--no-partial-parse",
            "parse",
            "--quiet",
            "--target-path",
            str(target),
            "--log-path",
            str(target),
        ],
        cwd=dbt_folder,
        env={**os.environ, "DBT_PROFILES_DIR": str(dbt_folder), **quiet_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise DbtError(f"dbt cannot read the project in {dbt_folder.name}:\n{result.stdout.strip()}")


def stage_of(node: Mapping[str, Any]) -> str:
    """Return the stage's word for a dbt seed, model or source: where its file lies says it."""
    if node["resource_type"] == "seed":
        return "reference"
    if node["resource_type"] == "source":
        return str(node["source_name"])
    stage = str(node["fqn"][1])
    if stage not in DBT_STAGES:
        raise ValueError(
            f"{node['original_file_path']} lies in no stage's folder; move it under one of {DBT_STAGES}."
        )
    return stage


class DbtCommand(DbtCliResource):
    """dbt as Dagster calls it, without two questions that cost seconds a run and are answered already.

    The version is the installed one; a second connection to the warehouse, which Dagster opens to count
    rows, is not needed (orchestration.warehouse counts them). Both names belong to the pinned dagster-dbt.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


class StageTranslator(DagsterDbtTranslator):
    """Names dbt's tables by stage and table, as everything else in this project is named."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return [stage, table]."""
        stage, name = stage_of(dbt_resource_props), str(dbt_resource_props["name"])
        return dg.AssetKey(list(SOURCE_KEYS.get((stage, name), (stage, name))))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the stage's word."""
        return stage_of(dbt_resource_props)

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return dbt's metadata, with the table named as an analyst does (the file's name changes).

        A mart's grain, key, owner and purpose stand beside it, so that nobody has to open its SQL.
        """
        said = {"dagster/table_name": f"{stage_of(dbt_resource_props)}.{dbt_resource_props['name']}"}
        if stage_of(dbt_resource_props) == "marts":
            grain, purpose = grain_and_purpose(dbt_resource_props["description"])
            said |= {
                "grain": grain,
                "key": ", ".join(key_of(dbt_resource_props)),
                "owner": OWNERS[owner_of(dbt_resource_props)],
                "purpose": purpose,
            }
        return {**super().get_metadata(dbt_resource_props), **said}

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """Return a mart's owner as a team of Dagster's."""
        if stage_of(dbt_resource_props) != "marts":
            return None
        return [f"team:{owner_of(dbt_resource_props)}"]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """Carry none of dbt's tags over: they steer dbt only."""
        return {}


def read_tests(run_results: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every data test of a run, sorted: name, table, severity, status, failing rows, message."""
    tests = []
    for result in run_results["results"]:
        node = manifest["nodes"].get(result["unique_id"])
        if node is None or node["resource_type"] != "test":
            continue
        attached = manifest["nodes"].get(node.get("attached_node") or "")
        tests.append(
            {
                "name": node["name"],
                "dataset": f"{stage_of(attached)}.{attached['name']}" if attached else "",
                "severity": str(node["config"]["severity"]).lower(),
                "status": str(result["status"]),
                "failures": result.get("failures"),
                "message": result.get("message"),
            }
        )
    return sorted(tests, key=lambda test: str(test["name"]))


def read_json(path: Path) -> Any:
    """Return a JSON document."""
    return json.loads(path.read_bytes())


if __name__ == "__main__":
    # For tools that read the manifest: makes it fresh.
    ensure_manifest(Path(__file__).resolve().parents[1] / "dbt_project")

"""dbt's own unit tests, which stand beside the models that calculate; they need the tables of a build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from orchestration.dbt import build_environment, dbt_executable, read_json
from orchestration.project import Project


def test_every_dbt_unit_test_passes(finished: Project, tmp_path: Path) -> None:
    served = finished.warehouse.current()
    assert served is not None
    # dbt writes scratch tables for a unit test: it gets a copy, under the same name
    copy = tmp_path / served.path.name
    shutil.copy(served.path, copy)
    folder = finished.dbt_folder
    result = subprocess.run(
        [dbt_executable(), "--no-use-colors", "test", "--select", "test_type:unit", "--project-dir", str(folder),
         "--profiles-dir", str(folder), "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path)],
        env={**os.environ, **build_environment(finished.data_root, copy)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    manifest = read_json(tmp_path / "target" / "manifest.json")
    assert re.search(rf"PASS={len(manifest['unit_tests'])} WARN=0 ERROR=0 SKIP=0", result.stdout)
    # the models that calculate have one
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    assert {"int_persistence", "int_right_states", "int_indicators", "int_legacy_cases", "int_metric_figures",
            "open_data_local_compliance", "open_data_group_compliance", "quality_submissions"} <= tested  # fmt: skip
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert tested <= models

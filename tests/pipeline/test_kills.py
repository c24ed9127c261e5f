"""A run killed at any stage and run again ends as an undisturbed run does."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.assets.models import BUILDING
from orchestration.assets.outputs import FIGURES, FLAGGING, RECORDING, RELEASING
from orchestration.assets.serving import COPYING, SERVING
from orchestration.checks import CHECKING
from orchestration.delivery import deliver
from orchestration.pending import reasons_to_run
from orchestration.project import Project
from tests.pipeline.pictures import differing_tables, kept_files, stamps_of
from tests.pipeline.scenario import Sample, open_data_root, run_all

#: Where the process dies, in the order of the stages: what was going on, and how far it had come.
DEATHS = [
    ("receive", 400),
    ("raw", 9),
    (BUILDING, 40),
    (CHECKING, 0),
    (SERVING, 0),
    (SERVING, 1),
    (FIGURES, 2),
    (RECORDING, 3),
    (RELEASING, 4),
    (FLAGGING, 1),
    (COPYING, 5),
]


@pytest.fixture(scope="module")
def killed(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A data root whose runs were killed once at every stage, one after the other."""
    project = open_data_root(tmp_path_factory.mktemp("killed") / "data")
    deliver(project.root.inbox, sample.deliveries())
    script = Path(__file__).with_name("killed_run.py")
    for what, done in DEATHS:
        result = subprocess.run(
            [sys.executable, str(script), str(project.data_root), what, str(done)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == -signal.SIGKILL, (
            f"{what}: {result.stdout[-2000:]} {result.stderr[-2000:]}"
        )
    report = run_all(project)
    assert report.success, report.failures
    return project


def test_every_kept_file_is_the_same_byte_for_byte(finished: Project, killed: Project) -> None:
    one, other = kept_files(finished), kept_files(killed)
    assert sorted(set(one) ^ set(other)) == []
    assert [name for name in one if one[name] != other[name]] == []


def test_every_table_is_the_same_row_for_row(finished: Project, killed: Project) -> None:
    assert differing_tables(finished, killed) == {}


def test_no_scrap_is_left(killed: Project) -> None:
    assert list(killed.root.holding.iterdir()) == []
    assert [path.suffix for path in killed.root.builds.iterdir()] == [".duckdb"]
    copies = {copy.folder.name for copy in killed.serving.copies()}
    assert {path.name for path in killed.root.serving.iterdir()} == {*copies, "current"}
    assert [name for name in stamps_of(killed.data_root) if "partial" in name or "unfinished" in name] == []
    assert reasons_to_run(killed, killed.due_quarters(), "final") == []

"""One sample and one undisturbed run of it, shared by all tests of the pipeline; nobody may change either.

Where tests run in several processes, the first that asks makes them and the others wait for it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.form import load_forms
from ingest.reference import Reference
from ingest.synthetic import deliver_essex, generate
from orchestration.delivery import deliver
from orchestration.project import Project
from tests.pipeline.scenario import Sample, open_data_root, run_all


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder of that name for all processes of this test run, filled by the first; a failure is not kept."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Six quarters of every body, totals only: small, but with all the areas that like areas need."""

    def make(folder: Path) -> None:
        generate(
            folder / "returns",
            Reference.load(),
            load_forms(),
            breakdowns=False,
            xlsx_share=0.02,
            truth_path=folder / "truth.json",
        )
        deliver_essex(folder / "returns")

    folder = made_once(tmp_path_factory, "sample", make)
    return Sample(folder / "returns", json.loads((folder / "truth.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def finished(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The data root after one undisturbed final run over all quarters."""

    def make(folder: Path) -> None:
        project = open_data_root(folder / "data")
        deliver(project.root.inbox, sample.deliveries())
        report = run_all(project)
        assert report.success, report.failures

    return open_data_root(made_once(tmp_path_factory, "finished", make) / "data")

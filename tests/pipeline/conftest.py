"""One sample and one undisturbed run of it, shared by all tests of the pipeline; nobody may change either."""

from __future__ import annotations

import json

import pytest

from ingest.form import load_forms
from ingest.reference import Reference
from ingest.synthetic import deliver_essex, generate
from orchestration.delivery import deliver
from orchestration.project import Project
from tests.pipeline.scenario import Sample, open_data_root, run_all


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Six quarters of every body, totals only: small, but with all the areas that like areas need."""
    folder = tmp_path_factory.mktemp("sample")
    generate(
        folder / "returns",
        Reference.load(),
        load_forms(),
        breakdowns=False,
        xlsx_share=0.02,
        truth_path=folder / "truth.json",
    )
    deliver_essex(folder / "returns")
    return Sample(folder / "returns", json.loads((folder / "truth.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def finished(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The data root after one undisturbed final run over all quarters."""
    project = open_data_root(tmp_path_factory.mktemp("finished") / "data")
    deliver(project.root.inbox, sample.deliveries())
    report = run_all(project)
    assert report.success, report.failures
    return project

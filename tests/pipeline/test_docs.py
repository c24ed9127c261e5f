"""dbt's documentation of what is served: one page that needs no server, and names every mart."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.cli import main
from orchestration.dbt import read_json
from orchestration.dictionary import marts_of
from orchestration.project import Project
from tests.pipeline.pictures import stamps_of


def test_the_page_describes_every_mart_and_leaves_the_served_build_alone(
    finished: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stamps_of(finished.data_root)
    page = tmp_path / "folder" / "docs.html"
    assert main(["--data-root", str(finished.data_root), "docs", "--output", str(page)]) == 0
    assert str(page) in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    marts = marts_of(read_json(finished.manifest_path))
    assert {node["name"] for node in marts if f"model.victims_code.{node['name']}" not in text} == set()
    assert {node["name"] for node in marts if " ".join(node["description"].split()[:12]) not in text} == set()
    # types are those of the served build
    assert '"type": "BIGINT"' in text or '"type":"BIGINT"' in text
    assert stamps_of(finished.data_root) == before


def test_without_a_build_there_is_nothing_to_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data-root", str(tmp_path / "data"), "docs"]) == 2
    assert "run `vcc run --all` first" in capsys.readouterr().err

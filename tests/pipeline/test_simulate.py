"""`vcc simulate` on a finished data root: the rules in force change nothing, stricter ones drop, nothing is recorded."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from orchestration.cli import main
from orchestration.project import Project
from orchestration.simulation import results_model
from tests.pipeline.pictures import files_of, rows, stamps_of

AS_OF = "2026-12-10"
HEADER = "parameter,metric_id,number_value,text_value\n"
#: No area lies so far below its like areas, and no share below so low a threshold.
NEVER_S2 = "s2_gap_min,,1,\n"


def simulate(project: Project, rules: Path, *options: str) -> int:
    return main(
        ["--data-root", str(project.data_root), "--as-of", AS_OF, "simulate", "--rules", str(rules), *options]
    )


def table(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / name).read_text(encoding="utf-8"), newline="")))


@pytest.fixture(scope="module")
def in_force(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules in force, put to every quarter."""
    folder = tmp_path_factory.mktemp("in_force")
    (folder / "rules.csv").write_text(HEADER + "s2_z_flag,,-3.09,\n")
    before = stamps_of(finished.data_root)
    assert simulate(finished, folder / "rules.csv", "--output", str(folder / "out")) == 0
    assert stamps_of(finished.data_root) == before
    return folder / "out"


def test_the_rules_in_force_give_the_results_of_the_build(finished: Project, in_force: Path) -> None:
    names = ("body_kind", "pfa_code", "right_number", "period_code", "state", "result", "is_recommended")
    built = {
        tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in row)
        for row in rows(finished, f"select {', '.join(names)} from intermediate.{results_model()}")
    }
    simulated = table(in_force, "flags.csv")
    key, outcome = names[:4], names[4:]
    for when in ("then", "now"):
        found = {
            (*(row[name] for name in key), *(row[f"{name}_{when}"] for name in outcome)) for row in simulated
        }
        assert found == built
    assert {row["change"] for row in simulated} == {"both", "none"}
    assert {row["is_changed"] for row in table(in_force, "rules.csv")} == {"false"}


def test_a_stricter_limit_drops_some_and_adds_none(finished: Project, in_force: Path, tmp_path: Path) -> None:
    (tmp_path / "stricter.csv").write_text(HEADER + NEVER_S2)
    assert simulate(finished, tmp_path / "stricter.csv", "--output", str(tmp_path / "out")) == 0
    before = {row["period_code"]: row for row in table(in_force, "flags.csv") if row["change"] == "both"}
    changes = [row["change"] for row in table(tmp_path / "out", "flags.csv")]
    assert before and "dropped" in changes and "new" not in changes
    s2 = next(row for row in table(tmp_path / "out", "summary.csv") if row["code"] == "S2")
    assert (s2["now_count"], s2["dropped_count"]) == ("0", s2["then_count"])


def test_the_same_again_is_the_same_bytes_under_the_data_root_and_json_is_for_programs(
    finished: Project, in_force: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.pipeline.scenario import copy_of

    project = copy_of(finished, tmp_path / "data")
    assert simulate(project, in_force.parent / "rules.csv", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    [folder] = project.root.simulations.iterdir()
    assert folder.name == f"rules-{document['table_hash']}"
    assert files_of(folder) == files_of(in_force)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_return_of_the_sample_can_be_simulated(finished: Project, tmp_path: Path) -> None:
    from ingest.receipts import Ledger

    receipt = next(r for r in Ledger(finished.root.receipts).read() if r.kind == "rules" and r.is_accepted)
    original = next(finished.root.archive.rglob(f"{receipt.sha256}*"))
    file = tmp_path / receipt.file_name
    file.write_bytes(original.read_bytes())
    assert simulate(finished, file, "--output", str(tmp_path / "out")) == 0
    assert {row["origin"] for row in table(tmp_path / "out", "rules.csv")} == {"proposed"}


def test_a_file_with_errors_is_refused_and_nothing_is_written(
    finished: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.csv").write_text(HEADER + "s2_z_flag,,3.09,\n")
    assert simulate(finished, tmp_path / "wrong.csv", "--output", str(tmp_path / "out")) == 1
    assert "rules, row 2, number_value" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()

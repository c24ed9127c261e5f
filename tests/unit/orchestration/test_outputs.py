from __future__ import annotations

from pathlib import Path

from ingest.paths import DataRoot
from orchestration.assets.receiving import clear_unfinished
from orchestration.outputs import OutputNotes


def test_an_output_is_noted_by_quarter_and_name(tmp_path: Path) -> None:
    notes = OutputNotes(tmp_path)
    assert notes.made_from("2025-26-Q1", "releases/open_data") is None
    notes.note("2025-26-Q1", "releases/open_data", "b1 c1")
    notes.note("2025-26-Q1", "packs/local_figures", "b2 c1")
    assert notes.made_from("2025-26-Q1", "releases/open_data") == "b1 c1"
    assert notes.made_from("2025-26-Q2", "releases/open_data") is None


def test_noting_the_same_again_touches_no_file(tmp_path: Path) -> None:
    notes = OutputNotes(tmp_path)
    notes.note("2025-26-Q1", "releases/open_data", "b1 c1")
    before = (tmp_path / "2025-26-Q1.json").stat().st_mtime_ns
    notes.note("2025-26-Q1", "releases/open_data", "b1 c1")
    assert (tmp_path / "2025-26-Q1.json").stat().st_mtime_ns == before


def test_what_a_killed_run_had_begun_to_note_is_cleared(tmp_path: Path) -> None:
    root = DataRoot(tmp_path).create()
    OutputNotes(root.checks / "outputs").note("2025-26-Q1", "releases/open_data", "b1 c1")
    (root.checks / "outputs" / ".2025-26-Q1.json.123.partial").write_text("half")
    (root.register / ".2025-26-Q1.parquet.123.partial").write_text("half")
    clear_unfinished(root)
    assert [path.name for path in (root.checks / "outputs").iterdir()] == ["2025-26-Q1.json"]
    assert list(root.register.iterdir()) == []

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from reports.release import draft as draft_module
from reports.release.draft import build_draft, draft_files
from reports.release.publication import Publication

ROOT = Path(__file__).parents[3]
_HASHES = """
import importlib.util, hashlib, sys
spec = importlib.util.spec_from_file_location("small_publication", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from reports.release.draft import draft_files
for name, content in draft_files(module.small_publication()).items():
    print(hashlib.sha256(content).hexdigest(), name)
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_draft_is_a_private_folder_with_every_file(publication: Publication, tmp_path: Path) -> None:
    summary = build_draft(publication, tmp_path / "drafts")

    assert summary.folder == tmp_path / "drafts" / "2025-26-Q4" / "v1.0.0"
    assert (summary.release_id, summary.changed) == ("2025-26-Q4/v1.0.0", True)
    assert summary.rows == {
        "area_groups": 4,
        "group_compliance": 2,
        "local_compliance": 12,
        "local_feedback": 2,
    }
    files = contents(summary.folder)
    assert files == draft_files(publication)
    assert summary.sha256 == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert summary.sizes == {name: len(content) for name, content in files.items()}
    assert stat.S_IMODE(summary.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in summary.folder.iterdir()} == {0o600}


def test_hashes_are_written_last_over_all_other_files(publication: Publication) -> None:
    files = draft_files(publication)

    assert list(files)[-1] == "SHA256SUMS"
    lines = files["SHA256SUMS"].decode("ascii").splitlines()
    assert [line.split("  ")[1] for line in lines] == sorted(set(files) - {"SHA256SUMS"})


def test_an_unchanged_draft_is_not_touched_and_a_changed_one_is_replaced(
    publication: Publication, publications: ModuleType, tmp_path: Path
) -> None:
    first = build_draft(publication, tmp_path)
    inode = first.folder.stat().st_ino

    again = build_draft(publication, tmp_path)
    assert not again.changed
    assert again.folder.stat().st_ino == inode

    local = publication.table("local_compliance")
    fewer = replace(local, rows=local.rows[1:])
    tables = tuple(fewer if table is local else table for table in publication.tables)
    after = build_draft(publications.small_publication(tables=tables), tmp_path)
    assert after.changed
    assert after.rows["local_compliance"] == 11
    assert [path.name for path in after.folder.parent.iterdir()] == ["v1.0.0"]


def test_a_draft_that_cannot_be_written_leaves_the_old_one(
    publication: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(build_draft(publication, tmp_path).folder)

    def twice(_: Publication, __: object) -> dict[str, bytes]:
        return {"areas.csv": b""}

    monkeypatch.setattr(draft_module, "WRITERS", (*draft_module.WRITERS, ("another", twice)))
    with pytest.raises(ValueError, match=r"another makes areas\.csv"):
        build_draft(publication, tmp_path)

    assert contents(tmp_path / "2025-26-Q4" / "v1.0.0") == before


@pytest.mark.parametrize(("seed", "zone"), [("1", "Pacific/Auckland"), ("77", "America/Anchorage")])
def test_another_process_elsewhere_makes_the_same_bytes(
    publication: Publication, seed: str, zone: str
) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
    helper = Path(__file__).with_name("small_publication.py")

    run = subprocess.run(
        [sys.executable, "-c", _HASHES, str(helper)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    here = [
        f"{hashlib.sha256(content).hexdigest()} {name}" for name, content in draft_files(publication).items()
    ]
    assert run.stdout.splitlines() == here


def test_no_file_holds_a_date_but_those_of_release_period_and_data(
    publication: Publication, publications: ModuleType
) -> None:
    files = draft_files(publication)

    dates = {publication.issued_on, publication.first_day, publication.last_day}
    known = {day.isoformat() for day in dates}
    for name, content in files.items():
        if name.endswith((".json", ".jsonld", ".cff", ".txt")):
            found = set(re.findall(r"\b(?:19|20)\d\d-[01]\d-[0-3]\d\b", content.decode("utf-8")))
            assert found <= known, name
    # the day of the release is the only thing of it that dates a file
    later = draft_files(publications.small_publication(issued_on=dt.date(2031, 3, 4)))
    for name in ("CITATION.cff", "csvw-metadata.json", "datapackage.json", "dcat.jsonld"):
        assert b"2026-06-18" in files[name]
        assert b"2026-06-18" not in later[name]
        assert b"2031-03-04" in later[name]
    tables = {name for name in files if name.endswith((".csv", ".parquet"))}
    assert {name: later[name] for name in tables} == {name: files[name] for name in tables}

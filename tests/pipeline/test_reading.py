"""What the job of packs and pages makes of a finished run, shows on its page, and leaves alone the second time.

Three areas' packs stand for all, and one page for the site: whole ones are read in tests/unit/reports and
tests/browser.
"""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from PIL import Image

from orchestration.assets.reading import (
    ANNUAL_REPORT,
    BOARD_PACK,
    LOCAL_PACKS,
    PREVIEW,
    SITE,
    TASKFORCE_PACK,
)
from orchestration.project import Project
from orchestration.publishing.pending import reading_is_due
from orchestration.resources import no_progress
from orchestration.runs import RunReport, run_reading
from reports.packs import local
from reports.published import PublishedRelease
from reports.site.feeds import site_record
from tests.pipeline.pictures import files_of, stamps_of
from tests.pipeline.scenario import copy_of

PERIOD = "2026-27-Q2"
#: The share of the areas whose packs are made: the first of so many.
SHARES = 15
FINAL_KEYS = (LOCAL_PACKS, BOARD_PACK, TASKFORCE_PACK, ANNUAL_REPORT, PREVIEW)


def one_page(
    project: Project,
    releases: Sequence[PublishedRelease],
    versions: Sequence[Mapping[str, Any]],
    progress: object = None,
) -> dict[str, bytes]:
    """Stands in for the site: a page that names the releases."""
    named = " ".join(release.release_id for release in releases)
    pages = {"index.html": f"<body><nav>Menu</nav><main><h1>Site</h1> of {named}</main></body>".encode()}
    return {**pages, "site.json": site_record(releases, pages)}


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """A few areas and one page, in this process."""
    make = local._part

    def few(job: tuple[Any, ...], *progress: Any) -> dict[str, bytes]:
        return make((*job[:3], (0, SHARES)), *progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "_part", few)
        patch.setattr("orchestration.publishing.packs.workers", lambda: 1)
        patch.setattr("orchestration.publishing.site.site_files", one_page)
        yield


class Reading:
    """A copy of the finished data root, and the instance that its runs are kept in."""

    def __init__(self, project: Project, instance: dg.DagsterInstance) -> None:
        self.project = project
        self.instance = instance

    def run(self, stage: str) -> RunReport:
        """Run the job for the quarter."""
        return run_reading(self.project, self.instance, self.project.quarter(PERIOD), stage, no_progress)

    def shown(self, key: dg.AssetKey) -> dict[str, Any]:
        """What the page of the asset shows of its last materialization; empty if there is none."""
        records = self.instance.fetch_materializations(key, limit=1).records
        if not records:
            return {}
        materialization = records[0].asset_materialization
        assert materialization is not None
        return {name: entry.value for name, entry in materialization.metadata.items()}

    def count(self, key: dg.AssetKey) -> int:
        """How often the asset was materialized."""
        return len(self.instance.fetch_materializations(key, limit=100).records)


@pytest.fixture(scope="module")
def read(finished: Project, small: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """After the job has run at the final stage."""
    with dg.DagsterInstance.ephemeral() as instance:
        reading = Reading(copy_of(finished, tmp_path_factory.mktemp("reading") / "data"), instance)
        assert reading_is_due(reading.project, reading.project.quarter(PERIOD), "final")
        report = reading.run("final")
        assert report.success, report.failures
        yield reading


def test_every_product_is_there_for_its_owner_only_and_says_what_it_was_made_of(read: Reading) -> None:
    assert {key: read.shown(key).get("status") for key in FINAL_KEYS} == {
        LOCAL_PACKS: "made",
        BOARD_PACK: "made",
        TASKFORCE_PACK: "made",
        ANNUAL_REPORT: "a draft, made",
        PREVIEW: "made",
    }
    packs = read.project.root.packs / PERIOD
    assert sorted(path.name for path in packs.iterdir()) == ["board", "figures", "final", "taskforce"]
    for folder in ("board", "final", "taskforce"):
        assert {".html", ".pdf", ".ods"} <= {path.suffix for path in (packs / folder).rglob("*")}
    made = [*packs.rglob("*"), *read.project.root.pages.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in made} == {0}
    build = read.project.warehouse.current()
    assert build is not None
    assert read.shown(LOCAL_PACKS)["build"] == build.build_id


def test_nothing_is_published_so_there_is_no_site(read: Reading) -> None:
    assert read.count(SITE) == 0
    assert not read.project.root.public.exists()
    preview = (read.project.root.pages / "preview" / "index.html").read_text(encoding="utf-8")
    assert f"{PERIOD}/v1.0.0" in preview


@pytest.mark.parametrize("key", [LOCAL_PACKS, BOARD_PACK, TASKFORCE_PACK, ANNUAL_REPORT], ids=str)
def test_the_page_of_the_run_shows_the_first_page_of_a_document(read: Reading, key: dg.AssetKey) -> None:
    found = re.fullmatch(
        r"!\[First page of .*\.pdf\]\(data:image/png;base64,(.*)\)", read.shown(key)["preview"]
    )
    assert found is not None
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert picture.size[0] == 480 and 1.3 < picture.size[1] / picture.size[0] < 1.5
    # something is drawn on it
    assert len(picture.convert("L").getcolors() or ()) > 5


def test_the_preview_of_the_site_is_told_in_its_words_without_the_menu(read: Reading) -> None:
    assert read.shown(PREVIEW)["preview"].startswith("Site of 20")


def test_the_second_run_makes_nothing_and_says_so(read: Reading) -> None:
    before = stamps_of(read.project.data_root)
    report = read.run("final")
    assert report.success, report.failures
    assert stamps_of(read.project.data_root) == before
    assert {read.shown(key)["status"] for key in FINAL_KEYS} == {"unchanged", "a draft, unchanged"}
    assert not reading_is_due(read.project, read.project.quarter(PERIOD), "final")


def test_the_command_says_nothing_new_without_starting_dagster(read: Reading, project_folder: Path) -> None:
    before = stamps_of(read.project.data_root)
    program = (
        "import sys; from orchestration.cli import main; code = main(sys.argv[1:]);"
        " print('dagster' in sys.modules, 'dbt' in sys.modules, code)"
    )
    arguments = ["--data-root", str(read.project.data_root), "--as-of", "2026-12-10", "run", "--all"]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=project_folder,
    )
    lines = result.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("Nothing new.", "False False 0")
    assert stamps_of(read.project.data_root) == before


def test_at_the_provisional_stage_only_local_packs_are_made_and_final_ones_stay(read: Reading) -> None:
    packs = read.project.root.packs / PERIOD
    before = files_of(packs)
    counts = {key: read.count(key) for key in (BOARD_PACK, TASKFORCE_PACK)}
    report = read.run("provisional")
    assert report.success, report.failures
    after = files_of(packs)
    new = set(after) - set(before)
    assert new and {name.partition("/")[0] for name in new} == {"provisional"}
    assert {name: after[name] for name in before} == before
    assert {key: read.count(key) for key in counts} == counts

"""The wall between what is public and what is restricted: the site is made of the public folder alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from reports.engine.build import build_pages
from reports.engine.errors import PageErrors
from reports.engine.pages import read_page
from reports.published import open_published, releases_in

PROJECT = Path(__file__).parents[3]
SEEDS = PROJECT / "dbt_project" / "seeds"
#: What belongs to the code and to the machine, and holds no figure. The data root may lie in the repository,
#: so that not all of it is allowed.
ALLOWED = tuple(
    os.path.realpath(path)
    for path in (
        PROJECT / "reports", SEEDS, PROJECT / "node_modules", PROJECT / ".venv", sys.prefix, sys.base_prefix,
        *sysconfig.get_paths().values(), Path(__file__).parent, "/usr/share/fonts", "/usr/share/zoneinfo",
        "/etc/fonts", "/etc/localtime", "/etc/mime.types", "/proc", "/sys", "/dev", "/usr/lib",
    )
)  # fmt: skip
SCRATCH = f"{os.path.realpath(tempfile.gettempdir())}/vcc-published-"


def run(public: Path, what: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-B", str(Path(__file__).with_name("recorded_reading.py")), str(public), what],
        capture_output=True,
        check=False,
        cwd=PROJECT,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def strange(found: dict[str, Any], public: Path) -> list[str]:
    """Paths that the site has no business with."""
    allowed = (*ALLOWED, os.path.realpath(public))
    # Python lists the folders that it looks for modules in, and tries out the folder of temporary files.
    listed = {os.path.realpath(PROJECT / path) for path in found["search_path"]}
    trial = re.compile(re.escape(os.path.realpath(tempfile.gettempdir())) + r"/[a-z0-9_]{8}\Z")
    real = {path: os.path.realpath(PROJECT / path) for path in found["read"]}
    return [
        path
        for path, at in real.items()
        if not any(f"{at}/".startswith(f"{folder}/") for folder in allowed)
        and not at.startswith(SCRATCH)
        and at not in listed
        and not trial.match(at)
    ]


@pytest.fixture(scope="module")
def public(small_release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public folder of a data root, with the marts beside it."""
    root = tmp_path_factory.mktemp("root")
    rows = [
        small_release.proportion(code, "police", small_release.REFERRED, 200, 150)
        for code in (small_release.ESSEX, small_release.KENT)
    ]
    entries = []
    for period in ("2025-26-Q4", "2026-27-Q1"):
        release = small_release.make_release(root / "public", period, local_compliance=rows)
        entry = {key: value for key, value in asdict(release).items() if key != "folder"}
        entries.append({
            **entry, "status": "current", "published_on": release.issued_on, "reason": "New figures",
            "superseded_by": None, "superseded_on": None, "withdrawn_on": None, "withdrawn_reason": None,
            "path": f"releases/{release.release_id}",
        })  # fmt: skip
    (root / "public" / "releases" / "releases.json").write_text(json.dumps({"releases": entries}))
    (root / "warehouse").mkdir()
    with duckdb.connect(str(root / "warehouse" / "victims_code.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.local_area_compliance as select 1 as case_count")
    return root / "public"


@pytest.fixture(scope="module")
def built(public: Path) -> dict[str, Any]:
    return run(public, "build")


def test_nothing_outside_the_public_folder_is_read(built: dict[str, Any], public: Path) -> None:
    assert strange(built, public) == []
    # The recording saw the release itself, and the database that is made of it.
    assert any(path.endswith("local_compliance.parquet") for path in built["read"])
    assert any(path.startswith(SCRATCH) for path in built["read"])


def test_a_public_folder_alone_makes_the_same_site(
    built: dict[str, Any], public: Path, tmp_path: Path
) -> None:
    shutil.copytree(public, tmp_path / "public")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["public"]
    assert len(built["digests"]) > 50
    assert run(tmp_path / "public", "build")["digests"] == built["digests"]


def test_a_site_that_looks_beside_the_public_folder_would_differ(built: dict[str, Any], public: Path) -> None:
    found = run(public, "peek")["digests"]
    assert found["feed.xml"] == built["digests"]["feed.xml"]
    assert found["robots.txt"] != built["digests"]["robots.txt"]


@pytest.mark.parametrize("what", ["file", "folder", "database", "attach", "query"])
def test_the_recording_sees_every_way_of_reading(public: Path, what: str) -> None:
    assert any("warehouse" in path for path in strange(run(public, what), public))


@pytest.mark.parametrize(
    "query",
    [
        "select * from marts.local_area_compliance",
        "select * from reference.areas",
        "select * from intermediate.int_metric_figures",
        "select * from '{marts}'",
        "select * from read_text('{marts}')",
        "select * from glob('{folder}/*')",
    ],
)
def test_a_page_cannot_ask_for_what_is_restricted(public: Path, query: str) -> None:
    marts = public.parent / "warehouse" / "victims_code.duckdb"
    sql = query.format(marts=marts, folder=marts.parent)
    text = "---\ntitle: x\ndescription: y\n---\n```sql a\n{}\n```\n{{{{ a[0].case_count }}}}\n"
    releases, _ = releases_in(public)
    with open_published(releases, SEEDS) as connection:

        def build(sql: str) -> dict[str, bytes]:
            page = read_page(text.format(sql), "a.md", "a.html")
            return build_pages(
                [page], connection, audience="public", parameters={}, context={}, output="document"
            )

        with pytest.raises(PageErrors) as found:
            build(sql)
        assert [(error.file, error.line) for error in found.value.errors] == [("a.md", 6)]
        with pytest.raises(PageErrors) as found:
            build("select case_count from local_compliance limit 1")
        # The layout asks for what a frame gives: the query itself was answered.
        assert all("Query" not in error.message for error in found.value.errors)

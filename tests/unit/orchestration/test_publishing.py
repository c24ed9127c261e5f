"""The site follows what is public, shows nothing that was withdrawn, and its preview stays inside."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli import main
from orchestration.erased import drop_packs_of_other_builds
from orchestration.publishing import site
from orchestration.publishing.annual_report import lay_annual_report, make_annual_report, report_is_made
from orchestration.publishing.packs import BOARD, LOCAL, pack_folder
from orchestration.publishing.site import preview_folder, preview_site, refresh_site, site_is_made
from orchestration.releasing.promoting import Releases, approve, publish, settle, site_faults, withdraw
from reports.annual_report import AnnualReportError, annual_report_of
from reports.published import PublishedRelease
from reports.site.feeds import site_record
from tests.unit.orchestration.test_releasing import Q1, Q2, ROLE, VALID, put_draft, releases_at

AFTERWARDS = "2026-01-08T12:00:00"


class Builder:
    """Stands in for the site: one page that names its releases, with the text of their figures."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_broken = False

    def __call__(
        self,
        project: object,
        releases: Sequence[PublishedRelease],
        versions: Sequence[Mapping[str, Any]],
        progress: object = None,
    ) -> dict[str, bytes]:
        self.calls += 1
        if self.is_broken:
            raise ValueError("A page is broken.")
        figures = b"".join((release.folder / "figures.csv").read_bytes() for release in releases)
        pages = {"index.html": b"figures: " + figures, "assets/site.css": b"body {}"}
        return {**pages, "site.json": site_record(releases, pages)}


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    made = Builder()
    monkeypatch.setattr(site, "site_files", made)
    return made


@pytest.fixture
def two(tmp_path: Path, builder: Builder) -> Releases:
    """Two quarters out, with a site that shows both."""
    releases = releases_at(tmp_path / "data", AFTERWARDS)
    known: dict[str, str] = {}
    for code, text in ((Q1, "area,count\r\nE1,15\r\n"), (Q2, "area,count\r\nE1,25\r\n")):
        put_draft(releases, code, text=text, knew=dict(known))
        approve(releases, code, None, **ROLE, outcomes=VALID)
        state = publish(releases, code)
        known[state.release_id] = str(state.detail("published", "ledger_sha256"))
    refresh_site(releases)
    return releases


def front(releases: Releases) -> bytes:
    return (releases.project.root.public / "index.html").read_bytes()


def test_there_is_no_site_while_nothing_is_published(tmp_path: Path, builder: Builder) -> None:
    releases = releases_at(tmp_path / "data", AFTERWARDS)
    put_draft(releases)
    assert refresh_site(releases) is None
    assert builder.calls == 0


def test_the_site_shows_every_current_release_and_is_made_once(two: Releases, builder: Builder) -> None:
    assert b"E1,15" in front(two) and b"E1,25" in front(two)
    calls = builder.calls
    made = refresh_site(two)
    assert made is not None and not made.changed
    assert made.releases == (f"{Q2}/v1.0.0", f"{Q1}/v1.0.0")
    assert builder.calls == calls


def test_other_pages_or_other_code_make_it_anew(two: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site_is_made(two)
    two.project.__dict__["reading_code"] = "other code"
    assert not site_is_made(two)


def test_a_withdrawn_release_leaves_the_site_at_once_and_not_when_it_is_made_anew(
    two: Releases, builder: Builder
) -> None:
    builder.is_broken = True
    withdraw(two, Q1, None, **ROLE)
    trees = list(two.project.root.publications.rglob("index.html"))
    assert trees and not [path for path in trees if b"E1,15" in path.read_bytes()]
    assert b"being made anew" in front(two)
    assert (two.project.root.public / "assets" / "site.css").is_file()
    with pytest.raises(ValueError, match="broken"):
        refresh_site(two)
    assert b"being made anew" in front(two)
    builder.is_broken = False
    refresh_site(two)
    assert b"E1,25" in front(two) and b"E1,15" not in front(two)
    settle(two)
    assert b"E1,25" in front(two)


def test_when_no_release_is_left_there_is_no_site_to_make(two: Releases, builder: Builder) -> None:
    withdraw(two, Q1, None, **ROLE)
    withdraw(two, Q2, None, **ROLE)
    calls = builder.calls
    assert refresh_site(two) is None and site_is_made(two)
    assert b"being made anew" in front(two)
    assert (builder.calls, site_faults(two)) == (calls, [])


def test_what_was_changed_in_the_site_by_hand_is_told_and_made_anew(two: Releases) -> None:
    tree = two.project.root.public.resolve()
    assert site_faults(two) == []
    (tree / "index.html").chmod(0o644)
    (tree / "index.html").write_bytes(b"figures: mine")
    (tree / "assets" / "site.css").unlink()
    (tree / "more.html").write_bytes(b"")
    assert site_faults(two) == [
        "assets/site.css is not there.",
        "more.html is no part of the site.",
        "index.html is not the file that site.json names.",
        "index.html may be written to.",
    ]
    assert main(["--data-root", str(two.project.data_root), "release", "list"]) == 1
    made = refresh_site(two)
    assert made is not None and made.changed
    assert site_faults(two) == []
    assert b"E1,15" in front(two)
    assert main(["--data-root", str(two.project.data_root), "release", "list"]) == 0
    (two.project.root.public.resolve() / "site.json").chmod(0o644)
    (two.project.root.public.resolve() / "site.json").write_text("[]")
    assert site_faults(two) == ["site.json is not a record of a site."]


@dataclass(frozen=True)
class Copy:
    """Stands in for a copy of the marts that nobody reads here."""

    build_id: str
    database: Path


@pytest.fixture
def months(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the months of the annual report and the day on which it is laid."""

    def configure(from_quarter: str, laid_on: date | None = None) -> None:
        found = annual_report_of(
            {
                "from_quarter": from_quarter, "languages": ["en"], "title": {"en": "Annual report"},
                "foreword": {"en": "Words."}, "laid_on": laid_on, "paper_number": "HC 1",
            }
        )  # fmt: skip
        monkeypatch.setattr("reports.annual_report.read_annual_report", lambda: found)

    return configure


def test_without_a_release_of_its_months_no_annual_report_is_made_or_due(
    two: Releases, months: Callable[..., None], tmp_path: Path
) -> None:
    copy = Copy("b1", tmp_path / "none.duckdb")
    months("2026-27-Q1")
    assert make_annual_report(two, copy) is None  # type: ignore[arg-type]
    assert report_is_made(two, copy)  # type: ignore[arg-type]
    months("2025-26-Q1")
    assert not report_is_made(two, copy)  # type: ignore[arg-type]


def test_a_report_that_was_laid_and_kept_is_not_made_again(
    two: Releases, months: Callable[..., None], tmp_path: Path
) -> None:
    copy = Copy("b2", tmp_path / "none.duckdb")
    months("2024-25-Q3", date(2025, 11, 1))
    kept = two.project.root.annual_reports / "2024-25-Q3-to-2025-26-Q2"
    kept.mkdir(parents=True)
    (kept / "2024-25-Q3-to-2025-26-Q2.pdf").write_bytes(b"as laid")
    made = make_annual_report(two, copy)  # type: ignore[arg-type]
    assert made is not None and (made.folder, made.is_kept, made.is_draft) == (kept, True, False)
    assert report_is_made(two, copy)  # type: ignore[arg-type]


def test_a_report_is_not_laid_before_its_day_nor_without_a_release(
    two: Releases, months: Callable[..., None], tmp_path: Path
) -> None:
    copy = Copy("b1", tmp_path / "none.duckdb")
    months("2023-24-Q1")
    with pytest.raises(AnnualReportError, match="has no day yet"):
        lay_annual_report(two, copy)  # type: ignore[arg-type]
    months("2023-24-Q1", date(2026, 1, 9))
    with pytest.raises(AnnualReportError, match="is to be laid on 9 January 2026; a draft is not published"):
        lay_annual_report(two, copy)  # type: ignore[arg-type]
    months("2023-24-Q1", date(2026, 1, 8))
    with pytest.raises(AnnualReportError, match="No quarter of April 2023 to March 2024 is published"):
        lay_annual_report(two, copy)  # type: ignore[arg-type]
    assert not two.project.root.annual_reports.exists()


def test_a_site_that_does_not_say_what_it_shows_is_taken_away(two: Releases) -> None:
    listed = two.project.root.public.resolve() / "site.json"
    listed.chmod(0o644)
    listed.write_text("{}")
    withdraw(two, Q1, None, **ROLE)
    assert b"being made anew" in front(two)


def test_the_preview_shows_drafts_and_only_its_owner_may_read_it(two: Releases) -> None:
    put_draft(two, "2025-26-Q3", issued_on="2026-03-19", text="area,count\r\nE1,35\r\n")
    made = preview_site(two)
    assert made is not None and made.changed
    page = preview_folder(two.project) / "index.html"
    assert b"E1,35" in page.read_bytes()
    assert b"E1,35" not in front(two)
    assert two.project.root.restricted in page.parents
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    again = preview_site(two)
    assert again is not None and not again.changed


def test_a_draft_that_failed_its_audit_is_in_no_preview(two: Releases) -> None:
    put_draft(two, "2025-26-Q3", issued_on="2026-03-19", text="area,count\r\nE1,35\r\n", passed=False)
    preview_site(two)
    assert b"E1,35" not in (preview_folder(two.project) / "index.html").read_bytes()


def test_a_draft_takes_the_place_of_the_version_it_will_supersede(two: Releases) -> None:
    put_draft(two, Q2, "1.1.0", edition=2, issued_on="2026-09-17", text="area,count\r\nE1,45\r\n")
    made = preview_site(two)
    assert made is not None
    assert set(made.releases) == {f"{Q1}/v1.0.0", f"{Q2}/v1.1.0"}


def test_packs_of_a_build_that_holds_what_was_erased_are_deleted(two: Releases) -> None:
    project = two.project
    old, new = pack_folder(project, Q1, LOCAL, "final"), pack_folder(project, Q2, BOARD, "final")
    figures = project.root.packs / Q1 / "figures"
    for folder in (old, new, figures):
        folder.mkdir(parents=True)
    project.output_notes.note(Q1, "packs/local_final", "b1 final no release")
    project.output_notes.note(Q2, "packs/board_final", "b2 final no release")
    assert drop_packs_of_other_builds(project, "b2") == [old]
    assert not old.exists() and new.is_dir() and figures.is_dir()

"""Feed, sitemap and record of the site are valid, stable and true."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from reports.published import open_published
from reports.release.publisher import publisher
from reports.site.feeds import (
    ATOM,
    SITEMAP,
    Entry,
    atom_feed,
    notice_entries,
    release_days,
    robots,
    site_record,
    sitemap,
    version_entries,
)

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
BASE = "https://victims-code.example/"


def version(**changes: Any) -> dict[str, Any]:
    return {
        "period_code": "2026-27-Q1",
        "period_label": "April to June 2026 (2026/27 Q1)",
        "version": "1.0.0",
        "status": "current",
        "issued_on": "2026-09-17",
        "published_on": "2026-09-17",
        "reason": "first publication",
        "sums_sha256": "0" * 64,
        "superseded_by": None,
        "superseded_on": None,
        "withdrawn_on": None,
        "withdrawn_reason": None,
        "path": "releases/2026-27-Q1/v1.0.0",
        **changes,
    }


def read(feed: bytes) -> ElementTree.Element:
    """The feed, with what RFC 4287 asks of every feed (4.1.1) and entry (4.1.2) there and once."""
    root = ElementTree.fromstring(feed)
    assert root.tag == f"{{{ATOM}}}feed"
    entries = root.findall(f"{{{ATOM}}}entry")
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            (found,) = element.findall(f"{{{ATOM}}}{name}")
            assert found.text
        updated = dt.datetime.fromisoformat(text(element, "updated"))
        assert updated.tzinfo is not None
    # Every entry needs an author, of its own or of the feed.
    assert root.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None
    assert [link.get("rel") for link in root.findall(f"{{{ATOM}}}link")].count("self") == 1
    ids = [text(entry, "id") for entry in entries]
    assert len(ids) == len(set(ids))
    for entry in entries:
        assert [link.get("rel") for link in entry.findall(f"{{{ATOM}}}link")] == ["alternate"]
    return root


def text(element: ElementTree.Element, name: str) -> str:
    return str(element.findtext(f"{{{ATOM}}}{name}"))


def feed_of(entries: list[Entry]) -> ElementTree.Element:
    return read(atom_feed(entries, title="Releases", path="feed.xml", of=publisher()))


def test_every_version_is_an_entry_that_keeps_its_address() -> None:
    before = feed_of(version_entries([version()]))
    after = feed_of(
        version_entries(
            [
                version(version="1.0.1", path="releases/2026-27-Q1/v1.0.1", published_on="2026-12-10"),
                version(status="superseded", superseded_by="1.0.1", superseded_on="2026-12-10"),
            ]
        )
    )
    (entry,) = before.findall(f"{{{ATOM}}}entry")
    new, old = after.findall(f"{{{ATOM}}}entry")
    assert text(entry, "id") == text(old, "id") == f"{BASE}releases/2026-27-Q1/v1.0.0/index.html"
    assert text(old, "published") == text(entry, "published")
    # 9:30 by the clocks of England: in summer time in September, not in December.
    assert text(entry, "updated") == "2026-09-17T09:30:00+01:00"
    assert text(old, "updated") == "2026-12-10T09:30:00+00:00" == text(after, "updated")
    assert "Superseded by version 1.0.1." in text(old, "summary")
    assert text(new, "id").endswith("v1.0.1/index.html")


def test_what_was_withdrawn_says_why() -> None:
    withdrawn = version(status="withdrawn", withdrawn_on="2026-10-01", withdrawn_reason="A wrong <column>.")
    (entry,) = feed_of(version_entries([withdrawn])).findall(f"{{{ATOM}}}entry")
    assert "do not use it. A wrong <column>." in text(entry, "summary")
    assert text(entry, "updated").startswith("2026-10-01")


def test_whatever_a_text_holds_the_feed_can_be_read() -> None:
    hostile = "]]></summary><b>&amp; \x00\x0b\ud800\u202e {{ 1 }}"
    day = dt.date(2026, 9, 17)
    (entry,) = feed_of([Entry("x.html", hostile, hostile, day, day, "notice")]).findall(f"{{{ATOM}}}entry")
    assert text(entry, "summary") == "]]></summary><b>&amp; \ufffd\ufffd\ufffd\ufffd {{ 1 }}"


def test_an_empty_feed_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is published"):
        atom_feed([], title="Releases", path="feed.xml", of=publisher())


def test_a_notice_is_updated_when_a_release_first_said_what_is_said_now(
    small_release: ModuleType, tmp_path: Path
) -> None:
    def notice(**changes: Any) -> dict[str, Any]:
        return {
            "notice_id": "N2026-01",
            "body_kind": "police",
            "area_code": small_release.ESSEX,
            "right_number": 7,
            "notice_status": "plan_due",
            "notice_scope": "single",
            "recipient_code": "E23000028-lpb",
            "summary": "Seldom offered.",
            "sos_agreed_on": dt.date(2026, 5, 12),
            "ag_agreed_on": dt.date(2026, 5, 12),
            "published_on": dt.date(2026, 5, 20),
            **changes,
        }

    closed = notice(notice_status="closed", closed_on=dt.date(2026, 9, 1))
    days = {"2025-26-Q4": "2026-06-25", "2026-27-Q1": "2026-09-17", "2026-27-Q2": "2026-12-17"}
    said = {"2025-26-Q4": notice(), "2026-27-Q1": closed, "2026-27-Q2": closed}
    releases = [
        small_release.make_release(tmp_path, period, issued_on=day, notices=[said[period]])
        for period, day in days.items()
    ]
    updated = []
    for count in (1, 2, 3):
        with open_published(releases[:count], SEEDS) as connection:
            (entry,) = notice_entries(connection)
        assert (entry.path, entry.published_on) == ("notices/N2026-01.html", dt.date(2026, 5, 20))
        updated.append(entry.updated_on)
    assert updated == [dt.date(2026, 5, 20), dt.date(2026, 9, 17), dt.date(2026, 9, 17)]


def test_the_sitemap_gives_every_page_its_absolute_address_and_day() -> None:
    versions = [
        version(status="superseded", superseded_by="1.0.1", superseded_on="2026-10-01"),
        version(version="1.0.1", path="releases/2026-27-Q1/v1.0.1", published_on="2026-10-01"),
        version(period_code="2025-26-Q4", path="releases/2025-26-Q4/v1.0.0", published_on="2026-06-25"),
    ]
    root = ElementTree.fromstring(
        sitemap({"index.html": dt.date(2026, 9, 17), **release_days(versions)}, publisher())
    )
    names = ("loc", "lastmod")
    found = dict(tuple(str(url.findtext(f"{{{SITEMAP}}}{name}")) for name in names) for url in root)
    assert found == {
        f"{BASE}index.html": "2026-09-17",
        f"{BASE}releases/index.html": "2026-10-01",
        f"{BASE}releases/2026-27-Q1/index.html": "2026-10-01",
        f"{BASE}releases/2026-27-Q1/v1.0.0/index.html": "2026-10-01",
        f"{BASE}releases/2026-27-Q1/v1.0.1/index.html": "2026-10-01",
        f"{BASE}releases/2025-26-Q4/index.html": "2026-06-25",
        f"{BASE}releases/2025-26-Q4/v1.0.0/index.html": "2026-06-25",
    }
    assert f"Sitemap: {BASE}sitemap.xml".encode() in robots(publisher())


def test_the_record_names_releases_and_the_sum_of_every_file(
    small_release: ModuleType, tmp_path: Path
) -> None:
    release = small_release.make_release(tmp_path, "2026-27-Q1")
    record = json.loads(site_record([release], {"index.html": b"one"}))
    assert record["files"] == {"index.html": hashlib.sha256(b"one").hexdigest()}
    assert record["releases"] == [
        {
            "release_id": "2026-27-Q1/v1.0.0",
            "period_code": "2026-27-Q1",
            "version": "1.0.0",
            "issued_on": "2026-09-17",
            "sums_sha256": hashlib.sha256((release.folder / "SHA256SUMS").read_bytes()).hexdigest(),
        }
    ]

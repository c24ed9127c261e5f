"""What machines read of the site: feed, sitemap, robots.txt, and what the site was made of.

The feed is Atom (RFC 4287): an entry for each version of a release and each notice, under the address of its
page, which never changes. Times are those of publication, 9:30 in England and Wales; no clock is read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import duckdb

from reports.components.figure import joined
from reports.components.text import neutral
from reports.notices import file_name, public_notices
from reports.published import PublishedRelease
from reports.release.publisher import Publisher

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_PUBLISHED_AT = dt.time(9, 30)
_ZONE = ZoneInfo("Europe/London")
#: Characters that XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Entry:
    """One entry of the feed; `path` is its page below the site's root."""

    path: str
    title: str
    summary: str
    published_on: dt.date
    updated_on: dt.date
    category: str


def version_entries(versions: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """An entry for every version in releases.json, what became of it included."""
    entries = []
    for version in versions:
        status = version["status"]
        published = _day(version["published_on"])
        updated, became = published, "This is the current version."
        if status == "superseded":
            updated = _day(version["superseded_on"])
            became = f"Superseded by version {version['superseded_by']}."
        elif status == "withdrawn":
            updated = _day(version["withdrawn_on"])
            became = f"Withdrawn; do not use it. {version['withdrawn_reason']}"
        reason = str(version["reason"])
        entries.append(
            Entry(
                f"{version['path']}/index.html",
                f"{version['period_label']}, version {version['version']}: {status}",
                f"{reason[:1].upper()}{reason[1:].rstrip('.')}. {became}",
                published,
                max(published, updated),
                "release",
            )
        )
    return entries


def notice_entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """An entry for every public notice, updated when a release first told its present status."""
    entries = []
    for record in public_notices(connection):
        history = record["history"]
        changes = [now for before, now in pairwise(history) if before["status"] != now["status"]]
        published = _day(record["published_on"])
        about = joined([subject["body_name"] for subject in record["subjects"]])
        entries.append(
            Entry(
                f"notices/{file_name(record['notice_id'])}.html",
                f"Notice {record['notice_id']}: {about}",
                str(record["summary"] or ""),
                published,
                max(published, _day(changes[-1]["released_on"])) if changes else published,
                "notice",
            )
        )
    return entries


def atom_feed(entries: Sequence[Entry], *, title: str, path: str, of: Publisher) -> bytes:
    """The feed, the newest entry first. Raises ValueError without an entry: it must say when it changed."""
    if not entries:
        raise ValueError("A feed needs an entry; nothing is published yet.")
    ordered = sorted(entries, key=lambda entry: (entry.updated_on, entry.path), reverse=True)
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {"xml:lang": "en-GB"})
    _text(feed, "id", of.base_uri + path)
    _text(feed, "title", title)
    _text(feed, "updated", _instant(ordered[0].updated_on))
    _link(feed, "self", of.base_uri + path, "application/atom+xml")
    _link(feed, "alternate", of.base_uri, "text/html")
    author = ElementTree.SubElement(feed, f"{{{ATOM}}}author")
    _text(author, "name", of.organisation.name)
    _text(author, "uri", str(of.organisation.uri))
    _text(feed, "rights", f"{of.licence_title} {of.licence_uri}")
    for entry in ordered:
        element = ElementTree.SubElement(feed, f"{{{ATOM}}}entry")
        _text(element, "id", of.base_uri + entry.path)
        _text(element, "title", entry.title)
        _text(element, "published", _instant(entry.published_on))
        _text(element, "updated", _instant(entry.updated_on))
        _link(element, "alternate", of.base_uri + entry.path, "text/html")
        ElementTree.SubElement(element, f"{{{ATOM}}}category", {"term": entry.category})
        _text(element, "summary", entry.summary)
    return _document(feed)


def sitemap(days: Mapping[str, dt.date], of: Publisher) -> bytes:
    """Every page (path -> the day on which it last changed) under its absolute address."""
    ElementTree.register_namespace("", SITEMAP)
    urls = ElementTree.Element(f"{{{SITEMAP}}}urlset")
    for path, day in sorted(days.items()):
        url = ElementTree.SubElement(urls, f"{{{SITEMAP}}}url")
        ElementTree.SubElement(url, f"{{{SITEMAP}}}loc").text = of.base_uri + path
        ElementTree.SubElement(url, f"{{{SITEMAP}}}lastmod").text = day.isoformat()
    return _document(urls)


def release_days(versions: Iterable[Mapping[str, Any]]) -> dict[str, dt.date]:
    """Pages below `releases/` -> the day on which each last changed."""
    days: dict[str, dt.date] = {}
    for version in versions:
        told = [version[name] for name in ("published_on", "superseded_on", "withdrawn_on") if version[name]]
        last = max(_day(value) for value in told)
        for path in (
            f"{version['path']}/index.html",
            f"releases/{version['period_code']}/index.html",
            "releases/index.html",
        ):
            days[path] = max(last, days.get(path, last))
    return days


def robots(of: Publisher) -> bytes:
    """Everything may be read."""
    return f"User-agent: *\nAllow: /\n\nSitemap: {of.base_uri}sitemap.xml\n".encode()


def site_record(releases: Sequence[PublishedRelease], files: Mapping[str, bytes]) -> bytes:
    """The releases that the site was made of, each with its sum, and the SHA-256 of every file."""
    record = {
        "releases": [
            {
                "release_id": release.release_id,
                "period_code": release.period_code,
                "version": release.version,
                "issued_on": release.issued_on,
                "sums_sha256": release.sums_sha256,
            }
            for release in sorted(releases, key=lambda release: release.period_code)
        ],
        "files": {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())},
    }
    return (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _day(value: object) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def _instant(day: dt.date) -> str:
    return dt.datetime.combine(day, _PUBLISHED_AT, _ZONE).isoformat()


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = _NOT_XML.sub("\ufffd", neutral(text))


def _link(parent: ElementTree.Element, rel: str, href: str, kind: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": rel, "type": kind, "href": href})


def _document(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root, " ")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + bytes(ElementTree.tostring(root, "utf-8")) + b"\n"

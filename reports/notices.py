"""Files of the published notices: a letter (PDF), a record (JSON) with its schema, and their feed (Atom).

Belongs here: what is made of `published.notices` and `published.notice_grounds`, and how a letter is put.
Does not: drafts (`reports.packs.taskforce` puts them with `letter_html`), nor flags: none is a notice.

A notice is here because the secretariat recorded it, both ministers agreed and its day of publication is
set; no statistic makes one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import duckdb

from reports import labels
from reports.components.figure import joined
from reports.components.text import neutral
from reports.components.text import plain as one_line
from reports.page import rendered
from reports.release.publisher import publisher

FOLDER = "notices"
FEED = "feed.xml"
SCHEMA = "notice.schema.json"
TITLE = "Notice of unsatisfactory compliance with the Victims' Code"
STATUS = "management information, definitions provisional"
NO_GROUNDS = (
    "No figure can be given here: it would rest on too few cases, or the finding does not rest on a rate."
)
ATOM = "http://www.w3.org/2005/Atom"

#: Ids as the secretariat numbers notices; anything else becomes a hash, so that no id is ever a path.
SAFE_ID = re.compile(r"[A-Z]{1,4}[0-9]{4}-[0-9]{1,6}")
#: Every id of an entry is made of this and of words that do not change; never change it.
_NAMESPACE = uuid.UUID("6f1c2c86-4f1d-5c52-9a51-2f3d2f6f0b11")
#: Releases are published at 9:30 in London.
_PUBLISHED_AT = dt.time(9, 30, tzinfo=ZoneInfo("Europe/London"))
_POLICE = frozenset({"police", *labels.NATIONAL_FORCES})

STATUSES: Mapping[str, str] = {
    "published": "Published",
    "plan_due": "Plan due",
    "plan_overdue": "Plan overdue",
    "plan_published": "Plan published",
    "update_due": "Update due",
    "closed": "Closed",
}


def file_name(notice_id: str) -> str:
    """The name of a notice's files without ending: its id where that is plain, else a hash of it."""
    if SAFE_ID.fullmatch(notice_id):
        return notice_id
    return f"notice-{hashlib.sha256(notice_id.encode('utf-8')).hexdigest()[:16]}"


def https_link(link: str | None) -> str | None:
    """The link if a page may make it one: https, with a host, of printable ASCII; else None."""
    if link is None or not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[!-~]*)?", link):
        return None
    return link if not any(sign in link for sign in "\"'<>\\^`{|}") else None


def plain(text: str | None) -> str:
    """Free text as it may stand in a letter or feed: one line, without signs that steer its direction."""
    return one_line(text or "")


@dataclass(frozen=True)
class Letter:
    """What a letter says, all of it text. `marking` and `is_draft` stand on every page of a draft."""

    notice_id: str
    addressee: str
    copied_to: str
    subjects: tuple[str, ...]
    summary: str
    findings: tuple[str, ...]
    request: str
    facts: tuple[tuple[str, str], ...]
    dated: dt.date | None = None
    marking: str | None = None
    is_draft: bool = False


def letter_html(letter: Letter) -> str:
    """The letter as one page of HTML that holds everything it needs."""
    return rendered(
        "notice_letter.html.j2",
        letter=letter,
        number=plain(letter.notice_id),
        title=TITLE,
        day=day,
        publisher=publisher(),
        no_grounds=NO_GROUNDS,
    )


def day(value: dt.date | None) -> str:
    """A day as readers see it (20 May 2026); `not recorded` where there is none."""
    return "not recorded" if value is None else f"{value:%-d %B %Y}"


def copied_to(body_kind: str, force_name: str, recipient_code: str) -> str:
    """Who gets a copy: the chief officer, where a force's notice goes to its policing body; else nobody."""
    is_own = recipient_code.lower().endswith(f"-{body_kind}") or recipient_code.lower() == body_kind
    return f"The chief officer of {force_name}" if body_kind in _POLICE and not is_own else ""


def public_notices(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The record of each public notice as the newest release that has it tells it, by id.

    `con` sees the schema `published`. A row without the agreement of both ministers, or without its day of
    publication, is no public notice and is left out. Keys: see `notice_schema`.
    """
    there = {
        name
        for (name,) in con.execute(
            "select table_name from information_schema.tables where table_schema = 'published'"
        ).fetchall()
    }
    if "notices" not in there:
        return []
    rows = _dicts(
        con,
        """
        select
            notices.*,
            releases.period_label, releases.version, releases.issued_on, releases.sums_sha256,
            places.force_name
        from published.notices as notices
        inner join published.releases as releases on notices.release_period_code = releases.period_code
        left join published.places as places on notices.area_code = places.area_code
        where
            notices.sos_agreed_on is not null
            and notices.ag_agreed_on is not null
            and notices.published_on is not null
        order by notices.notice_id, releases.period_code, notices.body_kind, notices.area_code,
            notices.right_number
        """,
    )
    grounds = _grounds(con) if "notice_grounds" in there else []
    by_id: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_id.setdefault(row["notice_id"], []).append(row)
    return [
        _record(notice_id, found, [row for row in grounds if row["notice_id"] == notice_id])
        for notice_id, found in by_id.items()
    ]


def _grounds(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return _dicts(
        con,
        """
        select
            grounds.*, coalesce(metrics.definition, grounds.metric_id) as definition,
            coalesce(releases.period_label, grounds.period_code) as period_label
        from published.notice_grounds as grounds
        left join (
            select metric_id, arg_max(definition, metric_version) as definition
            from published.metric_catalogue
            group by metric_id
        ) as metrics on grounds.metric_id = metrics.metric_id
        left join published.releases as releases on grounds.period_code = releases.period_code
        order by grounds.metric_id, grounds.period_code, grounds.body_kind, grounds.area_code,
            grounds.collection_mode, grounds.sampling_frame
        """,
    )


def _record(
    notice_id: str, rows: Sequence[Mapping[str, Any]], grounds: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """One notice: what the newest release says, and its status in each release."""
    newest = rows[-1]
    period = newest["release_period_code"]
    current = [row for row in rows if row["release_period_code"] == period]
    history: list[dict[str, Any]] = []
    for row in rows:
        if not history or history[-1]["period_code"] != row["release_period_code"]:
            history.append(
                {
                    "period_code": row["release_period_code"],
                    "period_label": row["period_label"],
                    "release_id": f"{row['release_period_code']}/v{row['version']}",
                    "released_on": _iso(row["issued_on"]),
                    "status": row["notice_status"],
                }
            )
    name = file_name(notice_id)
    copies = sorted(
        {
            copied
            for row in current
            if (
                copied := copied_to(
                    row["body_kind"],
                    row["force_name"] or f"the force of {row['area_name']}",
                    row["recipient_code"] or "",
                )
            )
        }
    )
    link = newest["plan_link"]
    return {
        "notice_id": notice_id,
        "title": TITLE,
        "page": f"{name}.html",
        "letter": f"{name}.pdf",
        "notice_scope": newest["notice_scope"],
        "notice_status": newest["notice_status"],
        "subjects": [
            {
                "body_kind": row["body_kind"],
                "body_name": labels.body_name(row["body_kind"], row["area_name"] or row["area_code"]),
                "area_code": row["area_code"],
                "area_name": row["area_name"],
                "right_number": row["right_number"],
                "right_title": row["right_title"],
            }
            for row in current
        ],
        "recipient_code": newest["recipient_code"],
        "recipient_name": newest["recipient_name"],
        "copied_to": copies,
        "summary": newest["summary"],
        "grounds": [
            {
                "body_kind": row["body_kind"],
                "area_code": row["area_code"],
                "right_number": row["right_number"],
                "metric_id": row["metric_id"],
                "definition": row["definition"],
                "period_code": row["period_code"],
                "period_label": row["period_label"],
                "collection_mode": row["collection_mode"],
                "sampling_frame": row["sampling_frame"],
                "limit_percent": row["limit_percent"],
                "statement": row["statement"],
            }
            for row in grounds
            if row["release_period_code"] == period
        ],
        "request": newest["request"],
        "sos_agreed_on": _iso(newest["sos_agreed_on"]),
        "ag_agreed_on": _iso(newest["ag_agreed_on"]),
        "vc_consulted_on": _iso(newest["vc_consulted_on"]),
        "published_on": _iso(newest["published_on"]),
        "plan_due_on": _iso(newest["plan_due_on"]),
        "plan_link": link,
        "is_plan_link_https": https_link(link) is not None,
        "update_due_on": _iso(newest["update_due_on"]),
        "closed_on": _iso(newest["closed_on"]),
        "history": history,
        "release_id": history[-1]["release_id"],
        "release_sums_sha256": newest["sums_sha256"],
        "licence": publisher().licence_name,
        "information_status": STATUS,
    }


def notice_files(con: duckdb.DuckDBPyConnection) -> dict[str, bytes]:
    """Every file of the public notices, path below the site -> content: `notices/<name>.pdf` and `.json`,
    `notices/notice.schema.json` and `notices/feed.xml` (there without any notice too).

    `con` sees the schema `published` and nothing else is read. The same releases give the same bytes.
    """
    from reports.documents.pdf import pdf_of

    records = public_notices(con)
    newest = con.execute(
        "select issued_on from published.releases order by is_newest desc, period_code desc limit 1"
    ).fetchone()
    files = {
        f"{FOLDER}/{SCHEMA}": _json(notice_schema()),
        f"{FOLDER}/{FEED}": feed(records, newest[0] if newest else dt.date(2025, 4, 1)),
    }
    for record in records:
        name = file_name(record["notice_id"])
        files[f"{FOLDER}/{name}.json"] = _json(neutral(record))
        files[f"{FOLDER}/{name}.pdf"] = pdf_of(letter_html(public_letter(record)))
    return files


def public_letter(record: Mapping[str, Any]) -> Letter:
    """The letter of a published notice, without what came after it (the plan, the closing)."""
    return Letter(
        notice_id=record["notice_id"],
        addressee=plain(record["recipient_name"] or record["recipient_code"]),
        copied_to=plain(joined(record["copied_to"])),
        subjects=tuple(
            plain(
                f"{subject['body_name']}: right {subject['right_number']},"
                f" {_lower_first(subject['right_title'] or '')}"
            )
            for subject in record["subjects"]
        ),
        summary=plain(record["summary"]),
        findings=tuple(finding(row) for row in record["grounds"]),
        request=plain(record["request"]),
        facts=(
            ("Victims' Commissioner consulted", day(_date(record["vc_consulted_on"]))),
            ("Agreed by the Secretary of State", day(_date(record["sos_agreed_on"]))),
            ("Agreed by the Attorney General", day(_date(record["ag_agreed_on"]))),
            ("Published", day(_date(record["published_on"]))),
            ("Plan due", _or_none_asked(record["plan_due_on"])),
            ("Update due", _or_none_asked(record["update_due_on"])),
        ),
        dated=_date(record["published_on"]),
    )


def finding(ground: Mapping[str, Any]) -> str:
    """One ground in words: what was counted, when, and the limit that the rate lay under."""
    cases = labels.COLLECTION_MODES.get(ground["collection_mode"], ground["collection_mode"])
    return plain(
        f"{ground['definition']}: {ground['statement']} in {ground['period_label']} ({cases.lower()})."
    )


def feed(records: Sequence[Mapping[str, Any]], newest_on: dt.date) -> bytes:
    """The Atom feed (RFC 4287): an entry for each notice, and one for each later change of its status.

    An entry's id never changes; its time is that of the notice's publication, or of the release that first
    told of the change. Links are relative to the feed.
    """
    ElementTree.register_namespace("", ATOM)
    entries: list[tuple[str, str, ElementTree.Element]] = []
    for record in records:
        about = plain(joined([subject["body_name"] for subject in record["subjects"]]))
        title = f"{plain(record['notice_id'])}: {about}"
        entries.append(
            _entry(
                record,
                "published",
                f"Notice {title}",
                _instant(_date(record["published_on"])),
                record["summary"],
            )
        )
        before = record["history"][0]["status"]
        for step in record["history"][1:]:
            if step["status"] != before:
                words = STATUSES.get(step["status"], step["status"])
                # a status may come back: the release makes the id its own
                entries.append(
                    _entry(
                        record,
                        f"{step['status']}:{step['period_code']}",
                        f"{words}: notice {title}",
                        _instant(_date(step["released_on"])),
                        f"{words}, in the release for {step['period_label']}.",
                    )
                )
            before = step["status"]
    entries.sort(key=lambda entry: (entry[0], entry[1]), reverse=True)
    facts = publisher()
    root = ElementTree.Element(f"{{{ATOM}}}feed")
    _add(root, "id", _urn("feed"))
    _add(root, "title", "Notices of unsatisfactory compliance with the Victims' Code")
    _add(root, "subtitle", f"{STATUS[0].upper()}{STATUS[1:]}.")
    _add(root, "updated", max([_instant(newest_on), *(entry[0] for entry in entries)]))
    author = ElementTree.SubElement(root, f"{{{ATOM}}}author")
    _add(author, "name", facts.organisation.name)
    _link(root, "self", FEED, "application/atom+xml")
    _link(root, "alternate", "index.html", "text/html")
    _add(root, "rights", facts.licence_name)
    root.extend(entry for _, _, entry in entries)
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _entry(
    record: Mapping[str, Any], kind: str, title: str, updated: str, summary: str
) -> tuple[str, str, ElementTree.Element]:
    element = ElementTree.Element(f"{{{ATOM}}}entry")
    identifier = _urn(f"{record['notice_id']}:{kind}")
    _add(element, "id", identifier)
    _add(element, "title", title)
    _add(element, "updated", updated)
    _add(element, "published", updated)
    _link(element, "alternate", record["page"], "text/html")
    _link(element, "related", record["letter"], "application/pdf")
    _add(element, "summary", plain(summary) or title)
    return updated, identifier, element


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}{name}").text = text


def _link(parent: ElementTree.Element, relation: str, address: str, kind: str) -> None:
    ElementTree.SubElement(parent, f"{{{ATOM}}}link", {"rel": relation, "href": address, "type": kind})


def _urn(words: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, words)}"


def _instant(on: dt.date | None) -> str:
    """Half past nine of that day in London, in UTC."""
    at = dt.datetime.combine(on or dt.date(2025, 4, 1), _PUBLISHED_AT)
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def notice_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a notice's record, with what each field means."""
    text = {"type": "string"}
    maybe = {"type": ["string", "null"]}
    on = {"type": "string", "format": "date"}
    maybe_on = {"type": ["string", "null"], "format": "date"}

    def said(kind: Mapping[str, Any], meaning: str) -> dict[str, Any]:
        return {**kind, "description": meaning}

    def record(fields: Mapping[str, Any], meaning: str) -> dict[str, Any]:
        return {
            "type": "object",
            "description": meaning,
            "properties": dict(fields),
            "required": list(fields),
            "additionalProperties": False,
        }

    subject = {
        "body_kind": said({"enum": list(labels.BODY_KINDS)}, "Kind of body, as in codes.csv"),
        "body_name": said(text, "The body in plain words"),
        "area_code": said(text, "Police area (ONS code), or BTP or MDP"),
        "area_name": said(maybe, "Name of the area"),
        "right_number": said({"type": "integer", "minimum": 1}, "Right of the Victims' Code"),
        "right_title": said(maybe, "Title of the right"),
    }
    ground = {
        "body_kind": subject["body_kind"],
        "area_code": subject["area_code"],
        "right_number": subject["right_number"],
        "metric_id": said(text, "Metric, as in metric-catalogue.csv"),
        "definition": said(text, "What the metric counts"),
        "period_code": said(text, "Quarter, such as 2025-26-Q1"),
        "period_label": said(text, "The quarter in words"),
        "collection_mode": said(text, "How the cases were chosen, as in codes.csv"),
        "sampling_frame": said(text, "Among which cases, as in codes.csv"),
        "limit_percent": said({"type": "integer", "minimum": 0, "maximum": 100}, "The rate lay under this"),
        "statement": said(text, "All that may be said of the rate"),
    }
    step = {
        "period_code": said(text, "The release that tells of it: its quarter"),
        "period_label": said(text, "That quarter in words"),
        "release_id": said(text, "Quarter and version of the release"),
        "released_on": said(on, "Day of that release"),
        "status": said({"enum": list(STATUSES)}, "Where the notice stood"),
    }
    fields = {
        "notice_id": said(text, "Number of the notice"),
        "title": said(text, "What kind of document it is"),
        "page": said(text, "Its page, beside this file; the address does not change"),
        "letter": said(text, "Its letter, beside this file"),
        "notice_scope": said({"enum": ["single", "joint"]}, "About one case or several"),
        "notice_status": said({"enum": list(STATUSES)}, "Where it stands in the newest release"),
        "subjects": said(
            {"type": "array", "minItems": 1, "items": record(subject, "One body and right")},
            "Whose compliance was found unsatisfactory, on which right",
        ),
        "recipient_code": said(maybe, "Whom it was sent to: for a police force its local policing body"),
        "recipient_name": said(maybe, "The recipient's name"),
        "copied_to": said({"type": "array", "items": text}, "Who had a copy: a force's chief officer"),
        "summary": said(maybe, "What was found, in the words of the notice"),
        "grounds": said(
            {"type": "array", "items": record(ground, "One figure it rests on")},
            "The figures it rests on, as far as they may be told; may be empty",
        ),
        "request": said(maybe, "What was asked of the recipient"),
        "sos_agreed_on": said(on, "Day on which the Secretary of State agreed"),
        "ag_agreed_on": said(on, "Day on which the Attorney General agreed"),
        "vc_consulted_on": said(maybe_on, "Day on which the Victims' Commissioner was consulted"),
        "published_on": said(on, "Day of publication"),
        "plan_due_on": said(maybe_on, "Day by which a plan was asked for"),
        "plan_link": said(maybe, "Where the plan is, as the recipient gave it: text, never to be run"),
        "is_plan_link_https": said({"type": "boolean"}, "Whether that is a plain https address"),
        "update_due_on": said(maybe_on, "Day by which an update on the plan was asked for"),
        "closed_on": said(maybe_on, "Day on which both ministers closed it"),
        "history": said(
            {"type": "array", "minItems": 1, "items": record(step, "Its status in one release")},
            "Its status in each release that has it, oldest first",
        ),
        "release_id": said(text, "The release this record was made of"),
        "release_sums_sha256": said(
            {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "SHA-256 of that release's SHA256SUMS"
        ),
        "licence": said(text, "Licence, as SPDX names it"),
        "information_status": said(text, "What kind of information this is"),
    }
    schema = record(fields, "One published notice of unsatisfactory compliance with the Victims' Code.")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Notice of unsatisfactory compliance",
        **schema,
    }


def _json(value: object) -> bytes:
    # ASCII only: signs that steer the direction of text stand as \\u escapes
    return (json.dumps(value, indent=2, ensure_ascii=True) + "\n").encode("ascii")


def _iso(value: Any) -> str | None:
    return None if value is None else _day_of(value).isoformat()


def _date(value: str | None) -> dt.date | None:
    return None if value is None else dt.date.fromisoformat(value)


def _day_of(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _or_none_asked(value: str | None) -> str:
    return "none asked for" if value is None else day(_date(value))


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _dicts(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = con.execute(sql)
    names = [item[0] for item in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

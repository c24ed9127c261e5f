from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import duckdb
import jsonschema
import pytest

from reports.engine.build import build_pages
from reports.engine.pages import load_pages
from reports.notices import ATOM, feed, file_name, https_link, notice_files, public_notices
from reports.published import PublishedRelease, open_published

PAGE = Path(__file__).parents[3] / "reports" / "pages" / "site" / "notices" / "notice.md"
ESSEX, KENT = "E23000028", "E23000032"
#: HTML, markdown, jinja, a formula, and a sign that turns round what follows.
HOSTILE = "=1+1 <script>alert(1)</script> **bold** {{ 7 * 7 }} \u202eabc"

Opened = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture
def opened(tmp_path: Path, small_release: ModuleType) -> Iterator[Opened]:
    """The published tables of small releases: period -> rows of notices (and grounds)."""
    with ExitStack() as stack:

        def make(
            periods: Mapping[str, Sequence[Mapping[str, Any]]], grounds: Sequence[Mapping[str, Any]] = ()
        ) -> duckdb.DuckDBPyConnection:
            releases: list[PublishedRelease] = []
            for number, (period, rows) in enumerate(periods.items()):
                releases.append(
                    small_release.make_release(
                        tmp_path,
                        period,
                        issued_on=f"2026-0{3 + 3 * number}-19",
                        notices=rows,
                        notice_grounds=grounds,
                    )
                )
            return stack.enter_context(open_published(releases, small_release.SEEDS))

        yield make


def notice(**changes: Any) -> dict[str, Any]:
    return {
        "notice_id": "N2026-01",
        "body_kind": "police",
        "area_code": ESSEX,
        "right_number": 7,
        "right_title": "To make a Victim Personal Statement",
        "notice_scope": "single",
        "notice_status": "plan_due",
        "recipient_code": f"{ESSEX}-lpb",
        "recipient_name": "Commissioner for Essex",
        "summary": "Victims were seldom offered a statement.",
        "request": "Publish a plan.",
        "sos_agreed_on": dt.date(2026, 1, 12),
        "ag_agreed_on": dt.date(2026, 1, 13),
        "vc_consulted_on": dt.date(2026, 1, 2),
        "published_on": dt.date(2026, 1, 20),
        "plan_due_on": dt.date(2026, 4, 1),
        **changes,
    }


GROUND = {
    "notice_id": "N2026-01",
    "body_kind": "police",
    "area_code": ESSEX,
    "right_number": 7,
    "metric_id": "r07_s01_vps_offered",
    "period_code": "2025-26-Q2",
    "limit_percent": 30,
    "statement": "under 30%",
}


def pages_of(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The pages of notices, in the plain layout of a document."""
    pages = [dataclasses.replace(page, layout="document") for page in load_pages(PAGE)]
    built = build_pages(
        pages, con, audience="public", parameters={}, context={}, output="document", others=("notices/",)
    )
    return {path: content.decode("utf-8") for path, content in built.items()}


def pdf_text(content: bytes) -> str:
    from pypdf import PdfReader

    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def entries(content: bytes) -> list[tuple[str, str, str]]:
    """Id, title and time of each entry."""
    root = ElementTree.fromstring(content)
    return [
        tuple(entry.findtext(f"{{{ATOM}}}{name}") or "" for name in ("id", "title", "updated"))  # type: ignore[misc]
        for entry in root.findall(f"{{{ATOM}}}entry")
    ]


def test_a_severe_flag_makes_no_notice_anywhere(opened: Opened) -> None:
    """Grounds are what a flag looks like when it is public; without a recorded notice nothing comes of them."""
    con = opened({"2025-26-Q3": []}, [GROUND])
    assert pages_of(con) == {}
    files = notice_files(con)
    assert sorted(files) == ["notices/feed.xml", "notices/notice.schema.json"]
    assert entries(files["notices/feed.xml"]) == []


@pytest.mark.parametrize("missing", ["sos_agreed_on", "ag_agreed_on", "published_on"])
def test_a_notice_that_lacks_an_agreement_or_its_day_is_not_public(opened: Opened, missing: str) -> None:
    con = opened({"2025-26-Q3": [notice(**{missing: None}), notice(notice_id="N2026-02")]}, [GROUND])
    assert list(pages_of(con)) == ["notices/N2026-02.html"]
    files = notice_files(con)
    assert "notices/N2026-02.pdf" in files
    assert not any("N2026-01" in name or b"N2026-01" in content for name, content in files.items())


def test_page_letter_record_and_feed_say_the_same(opened: Opened) -> None:
    later = notice(notice_status="plan_published", plan_link="https://example.org/plan")
    con = opened({"2025-26-Q3": [notice()], "2025-26-Q4": [later]}, [GROUND])
    files = notice_files(con)
    page, letter = pages_of(con)["notices/N2026-01.html"], pdf_text(files["notices/N2026-01.pdf"])
    record = json.loads(files["notices/N2026-01.json"])
    jsonschema.validate(
        record, json.loads(files["notices/notice.schema.json"]), format_checker=jsonschema.FormatChecker()
    )
    for text in (page, letter):
        for said in (
            "under 30%",
            "12 January 2026",
            "13 January 2026",
            "2 January 2026",
            "Commissioner for Essex",
        ):
            assert said in text
        assert "hief officer of Essex Police" in text
    assert record["copied_to"] == ["The chief officer of Essex Police"]
    assert [step["status"] for step in record["history"]] == ["plan_due", "plan_published"]
    assert [ground["statement"] for ground in record["grounds"]] == ["under 30%"]
    assert 'href="https://example.org/plan"' in page
    found = entries(files["notices/feed.xml"])
    assert [title.partition(":")[0] for _, title, _ in found] == ["Plan published", "Notice N2026-01"]
    # 9:30 in London: winter time on 20 January, summer time on 19 June
    assert [time for _, _, time in found] == ["2026-06-19T08:30:00Z", "2026-01-20T09:30:00Z"]


def test_the_schema_refuses_a_record_with_less_or_more(opened: Opened) -> None:
    files = notice_files(opened({"2025-26-Q3": [notice()]}))
    schema = json.loads(files["notices/notice.schema.json"])
    record = json.loads(files["notices/N2026-01.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    for wrong in (
        {**record, "score": 1},
        {**record, "notice_status": "severe"},
        {**record, "ag_agreed_on": None},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_ids_of_the_feed_stay_as_releases_come(opened: Opened) -> None:
    first = entries(notice_files(opened({"2025-26-Q3": [notice()]}))["notices/feed.xml"])
    changed = notice(notice_status="closed", closed_on=dt.date(2026, 5, 1))
    records = public_notices(opened({"2025-26-Q4": [notice()], "2026-27-Q1": [changed]}))
    later = feed(records, dt.date(2026, 6, 19))
    assert {identifier for identifier, _, _ in first} < {identifier for identifier, _, _ in entries(later)}
    root = ElementTree.fromstring(later)
    # RFC 4287: a feed and each entry have exactly one id, title and updated; an entry without content a link
    for element in (root, *root.findall(f"{{{ATOM}}}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{{{ATOM}}}{name}")) == 1
        relations = [link.get("rel") for link in element.findall(f"{{{ATOM}}}link")]
        assert relations.count("alternate") == 1
    assert root.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None


def test_free_text_stays_text(opened: Opened) -> None:
    row = notice(summary=HOSTILE, request=HOSTILE, recipient_name=HOSTILE, plan_link="javascript:alert(1)")
    con = opened({"2025-26-Q3": [row]})
    files = notice_files(con)
    page = pages_of(con)["notices/N2026-01.html"]
    assert "<script" not in page and page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
    assert "**bold**" in page and "{{ 7 * 7 }}" in page and "\u202e" not in page
    assert "javascript:alert(1)" in page and 'href="javascript' not in page
    letter = pdf_text(files["notices/N2026-01.pdf"])
    assert letter.count("<script>alert(1)</script> **bold** {{ 7 * 7 }}") == 3 and "\u202e" not in letter
    record = json.loads(files["notices/N2026-01.json"])
    assert record["summary"] == HOSTILE.replace("\u202e", "\ufffd") and not record["is_plan_link_https"]
    assert b"\xe2\x80\xae" not in files["notices/N2026-01.json"]
    atom = files["notices/feed.xml"].decode("utf-8")
    assert "<script" not in atom and "&lt;script&gt;" in atom and "\u202e" not in atom


def test_a_hostile_id_is_never_a_path(opened: Opened) -> None:
    ids = ["../../index", "index", "notice.schema", "n2026-01", "N2026-01\n"]
    con = opened({"2025-26-Q3": [notice(notice_id=each) for each in [*ids, "N2026-01"]]})
    files = notice_files(con)
    names = {file_name(each) for each in ids}
    assert len(names) == len(ids) and all(re.fullmatch(r"notice-[0-9a-f]{16}", name) for name in names)
    assert set(files) == {
        "notices/feed.xml",
        "notices/notice.schema.json",
        *(f"notices/{name}.{kind}" for name in (*names, "N2026-01") for kind in ("pdf", "json")),
    }
    # the page's SQL and the files' Python name alike
    assert set(pages_of(con)) == {f"notices/{name}.html" for name in (*names, "N2026-01")}


@pytest.mark.parametrize(
    ("link", "is_link"),
    [
        ("https://example.org/plan?a=1&b=2#c", True),
        ("http://example.org/plan", False),
        ("javascript:alert(1)", False),
        ('https://example.org/"onclick=', False),
        ("https://user@example.org/", False),
        ("https:///nowhere", False),
        ("https://example.org/a b", False),
        (None, False),
    ],
)
def test_only_plain_https_is_a_link(opened: Opened, link: str | None, is_link: bool) -> None:
    assert (https_link(link) is not None) is is_link
    page = pages_of(opened({"2025-26-Q3": [notice(plan_link=link)]}))["notices/N2026-01.html"]
    assert ('href="http' in page) is is_link


def test_a_joint_notice_is_one_page_about_all_it_concerns(opened: Opened) -> None:
    rows = [notice(notice_scope="joint"), notice(notice_scope="joint", area_code=KENT, right_number=8)]
    con = opened({"2025-26-Q3": rows})
    assert list(pages_of(con)) == ["notices/N2026-01.html"]
    record = json.loads(notice_files(con)["notices/N2026-01.json"])
    assert [(subject["area_name"], subject["right_number"]) for subject in record["subjects"]] == [
        ("Essex", 7),
        ("Kent", 8),
    ]
    assert record["copied_to"] == ["The chief officer of Essex Police", "The chief officer of Kent Police"]


def test_a_body_that_has_its_notice_directly_has_no_copy(opened: Opened) -> None:
    row = notice(body_kind="cps", recipient_code=f"{ESSEX}-cps", recipient_name="CPS Eastern")
    assert public_notices(opened({"2025-26-Q3": [row]}))[0]["copied_to"] == []


def test_the_same_releases_give_the_same_bytes(opened: Opened) -> None:
    con = opened({"2025-26-Q3": [notice()], "2025-26-Q4": [notice(notice_status="closed")]}, [GROUND])
    assert notice_files(con) == notice_files(con)

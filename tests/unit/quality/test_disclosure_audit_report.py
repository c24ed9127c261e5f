"""The report of an audit: what it says, what it must not say, and that two audits say the same."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from disclosure_tables import audited, cell, exact, rounded, suppressed, total, true

from quality.disclosure.mend import Suppression
from quality.disclosure.report import audit_document, html_bytes, json_bytes

A, B = cell("A"), cell("B")
LEAK = ([rounded(A, "base", 10), suppressed(B), total([A, B], 20)], [true(A, 12), true(B, 6)])
SAFE = ([rounded(A, "base", 4180), rounded(A, "met", 3915)], [true(A, 4181, 3917)])


class Page(HTMLParser):
    """Collects what a reader with a screen reader depends on."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.lang = ""
        self.unscoped: list[str] = []
        self.captions = self.tables = 0
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.lang = given.get("lang") or ""
        if tag == "th" and given.get("scope") not in ("row", "col"):
            self.unscoped.append(str(given))
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.links += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_a_failure_is_named_with_what_is_possible() -> None:
    found = audited(*LEAK)
    document = audit_document(found)
    assert document["passes"] is False and document["exposed"] == [A, B]
    worst = next(
        item
        for item in document["failures"]
        if item["name"].startswith(f"{B}#base") and item["attacker"] == "outsider"
    )
    assert (worst["low"], worst["high"], worst["values"]) == (6, 7, 2)
    page = Page(html_bytes(document))
    assert "Stopped. 2 cells are known too closely" in page.text
    assert B in page.text


def test_no_true_count_is_in_the_report() -> None:
    """4181 and 3917 stand nowhere, although the solver's witnesses and the findings hold them."""
    document = audit_document(audited(*SAFE))
    for content in (json_bytes(document), html_bytes(document)):
        assert b"4181" not in content and b"4,181" not in content
        assert b"3917" not in content and b"3,917" not in content
        assert b"true_value" not in content and b"witness_low" not in content


def test_only_the_time_differs_between_two_audits() -> None:
    one, two = audit_document(audited(*LEAK)), audit_document(audited(LEAK[0][::-1], LEAK[1][::-1]))
    one.pop("seconds"), two.pop("seconds")
    assert json_bytes(one) == json_bytes(two)
    assert json.loads(json_bytes(one))["release"] == "2025-26-Q1/v1.0.0"


def test_the_page_can_be_read_by_anybody_and_needs_nothing_else() -> None:
    page = Page(html_bytes(audit_document(audited(*LEAK), [Suppression(A, 3, "exposed")], [], 2)))
    assert page.lang == "en-GB"
    assert page.unscoped == []
    assert page.tables == page.captions > 5
    assert page.links == ["#main"]


def test_what_was_withheld_says_when() -> None:
    old, new = Suppression(A, 2, "exposed"), Suppression(B, 3, "linking number")
    document = audit_document(audited(*SAFE), [old, new], [new], 3)
    assert [item["is_new"] for item in document["withheld"]] == [False, True]
    page = Page(html_bytes(document))
    assert "Rounds of withholding and auditing again: 3" in page.text
    assert "Passed." in page.text


def test_names_are_escaped() -> None:
    odd = cell("<b>A&B</b>")
    content = html_bytes(audit_document(audited([exact(odd, "base", 3)], [true(odd, 3)])))
    assert b"<b>A" not in content
    assert b"&lt;b&gt;A&amp;B" in content

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from return_files import SENDER, ReturnFile, breakdown

from ingest.acceptance import Problem, Verdict
from ingest.report import to_html

HOSTILE = "<script>alert(1)</script>\" onload='x' & {{ 7*7 }}"


class Page(HTMLParser):
    """What the tests look at: tags in order with their attributes, texts, and the nesting of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def problem(code: str, row: int = 2, severity: str = "error", **values: Any) -> Problem:
    told = {
        "found": "12.5",
        "expected": "a whole number from 0",
        "remedy": "Correct it.",
        "message": "Wrong.",
    }
    return Problem(code, severity, "metrics", row, "met", **(told | values))


def verdict(*problems: Problem, counts: dict[str, int] | None = None, outcome: str = "rejected") -> Verdict:
    if counts is None:
        counts = {}
        for each in problems:
            counts[each.rule_code] = counts.get(each.rule_code, 0) + 1
    return Verdict(
        outcome, problems, counts, file_name="return.xlsx", sender_code=SENDER, rows_read={"metrics": 5000}
    )


MANY = verdict(
    *(
        problem(f"SHAPE-{rule:03}", row, message=f"Rule {rule}.", found=str(row))
        for rule in range(10)
        for row in range(2, 1002)
    ),
    problem("FILE-014", severity="warning"),
    counts={**{f"SHAPE-{rule:03}": 1100 for rule in range(10)}, "FILE-014": 1},
)


def test_counts_come_first_and_ten_thousand_problems_stay_readable() -> None:
    html = to_html(MANY)
    told = " ".join(Page(html).texts)
    assert told.index("Rejected: 11,000 errors, 1 warning.") < told.index("Rule 0.")
    assert told.index("Errors: these must be mended") < told.index("Warnings: these do not block")
    # 20 places and a header for each of ten rules, and one list of the rules.
    assert len(Page(html).all("tr")) == 10 * 21 + 2 + 12
    assert told.count("And 1,080 more.") == 10
    assert "of the first 1,000, metrics, met: 1,000" in told
    assert len(html) < 60_000


def test_places_that_differ_in_their_row_alone_are_one_line() -> None:
    rows = (2, 3, 4, 9, 11, 12)
    page = Page(
        to_html(verdict(*(problem("SHAPE-003", row) for row in rows), problem("SHAPE-003", 5, found="x")))
    )
    assert "2 to 4, 9, 11, 12" in page.texts and "7 places" in page.texts
    assert len(page.all("tr")) == 2 + 3


def test_the_page_stands_alone_and_can_be_read_by_everybody() -> None:
    html = to_html(MANY)
    page = Page(html)
    assert page.all("html") == [{"lang": "en-GB"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert not page.all("script") and not page.all("link") and not page.all("img") and not page.all("form")
    assert not re.search(r"url\(|@import|https?:", html)
    links = [attributes["href"] or "" for attributes in page.all("a")]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) and {f"#{name}" for name in ids}.issuperset(links)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption")) == 12
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    scrolled = [attributes for attributes in page.all("div") if attributes.get("class") == "scroll"]
    assert len(scrolled) == 12 and all(each["tabindex"] == "0" and each["aria-label"] for each in scrolled)


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 7 else "#" + "".join(letter * 2 for letter in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_text_has_enough_contrast_on_every_ground() -> None:
    style = to_html(MANY).partition("<style>")[2].partition("</style>")[0]
    texts = set(re.findall(r"[{;\s]color: (#\w+)", style))
    grounds = set(re.findall(r"background: (#\w+)", style)) - {"#ffdd00"} | {"#fff"}
    assert len(texts) >= 3 and len(grounds) >= 3
    for text in texts:
        for ground in grounds:
            lighter, darker = sorted((luminance(text), luminance(ground)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)


@pytest.mark.parametrize("name", ["found", "expected", "remedy", "message"])
def test_whatever_a_problem_says_is_text(name: str) -> None:
    html = to_html(verdict(problem("SHAPE-003", **{name: HOSTILE})))
    assert "<script" not in html and "&lt;script&gt;alert(1)" in html
    assert "onload='x'" not in html and "{{ 7*7 }}" in html
    assert not any("onload" in attributes for _, attributes in Page(html).tags)


def test_a_file_name_is_text() -> None:
    html = to_html(Verdict("accepted", file_name="<b>.xlsx"))
    assert "&lt;b&gt;.xlsx" in html and "<b>" not in html


@pytest.mark.parametrize(
    ("outcome", "readable", "said"),
    [
        ("accepted", True, "Nothing needs mending."),
        ("accepted_with_warnings", True, "The return counts as it stands."),
        ("rejected", True, "Mend every error and send the whole return again."),
        ("rejected", False, "The file could not be read"),
        ("quarantined", True, "it is kept apart until it is deleted"),
    ],
)
def test_every_outcome_says_what_to_do(outcome: str, readable: bool, said: str) -> None:
    found = Verdict(outcome, is_readable=readable, file_name="return.xlsx")
    html = to_html(found, receipt_id="R000001-0a1b2c3d")
    assert said in html and "What was found" not in html
    assert "was accepted" not in to_html(found), "before it is sent, nothing was accepted or rejected"


def test_a_page_of_a_receipt_names_it() -> None:
    html = to_html(
        verdict(problem("SHAPE-003")),
        receipt_id="R000001-0a1b2c3d",
        arrived_at=datetime(2025, 7, 31, 23, 30, tzinfo=UTC),
    )
    assert "R000001-0a1b2c3d" in html and "1 August 2025" in html, "the day it was in London"
    assert "before sending" not in html
    assert "before sending" in to_html(verdict(problem("SHAPE-003")))


def test_personal_data_of_a_return_is_not_on_its_page(
    good: ReturnFile, judged: Callable[..., Verdict]
) -> None:
    good["metrics"][0]["note"] = "ring Mrs Okonkwo on 020 7946 0123"
    good["metrics"].append(breakdown(good["metrics"][0], "crime_type", "Okonkwo"))
    html = to_html(judged(good, SENDER))
    assert "PERSON-002" in html and "Okonkwo" not in html and "7946" not in html

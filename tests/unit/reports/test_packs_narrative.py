from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reports.narrative import narratives
from reports.packs.provenance import Provenance
from reports.published import open_published

HOSTILE = "<img src=x onerror=alert(1)> {{ 7*7 }} =1+1 \u202eevil"


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.open.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def beside(area: str, metric: str, rate: int, lower: int, upper: int) -> dict[str, Any]:
    return {
        "area_code": area,
        "body_kind": "police",
        "metric_id": metric,
        "rate_percent": rate,
        "like_areas_expected": 7,
        "like_areas_published": 7,
        "like_areas_case_count": 5000,
        "like_areas_rate_percent": (lower + upper) // 2,
        "like_areas_lower_percent": lower,
        "like_areas_upper_percent": upper,
    }


@pytest.fixture(scope="module")
def told(small_release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    r = small_release
    folder = tmp_path_factory.mktemp("public")
    # Wilson at 95%: 150 of 200 is 69 to 81%, 100 of 200 is 43 to 57%, 180 of 200 is 85 to 94%
    earlier = r.make_release(
        folder,
        "2026-27-Q1",
        local_compliance=[
            r.proportion(r.ESSEX, "police", r.REFERRED, 200, 100),
            r.proportion(r.ESSEX, "police", r.RECORDED, 200, 180),
        ],
    )
    newest = r.make_release(
        folder,
        "2026-27-Q2",
        area_names={r.KENT: HOSTILE},
        local_compliance=[
            r.proportion(r.ESSEX, "police", r.REFERRED, 200, 150),
            r.proportion(r.ESSEX, "police", r.RECORDED, 200, 180),
            r.without(r.ESSEX, "police", r.OFFERED, "c"),
            r.proportion(r.KENT, "police", r.REFERRED, 200, 150),
            r.proportion(r.BTP, "btp", r.REFERRED, 200, 150),
        ],
        local_benchmarks=[
            beside(r.ESSEX, r.REFERRED, 75, 82, 86),
            beside(r.ESSEX, r.RECORDED, 90, 88, 92),
        ],
    )
    with open_published([earlier, newest], r.SEEDS) as connection:
        return narratives(connection)


def test_only_intervals_that_do_not_meet_are_a_difference(told: dict[str, Any]) -> None:
    text = told["E23000028"].text

    # 69 to 81% lies below 82 to 86%; 85 to 94% meets 88 to 92%
    assert (
        "2 published rates can be compared with areas like this one: 0 are clearly higher, 1 clearly lower, and 1"
        in text
    )
    # and above the 43 to 57% of the quarter before; the other did not move
    assert "Clearly different from the quarter before:\n- " in text
    assert ": higher, 75% of about 200 cases, was 50% of about 200 cases" in text
    assert text.count("was ") == 2  # how far it was followed, and the one change
    assert "2 of 3 rates are published. 1 is not" in text
    # in plain words, not by the definition
    assert "- Victims referred to a support service of those who agreed to it (the police): 75% of" in text


def test_the_fragment_is_html_that_closes_itself_and_brings_nothing_along(told: dict[str, Any]) -> None:
    for narrative in told.values():
        found = Elements(narrative.html)
        assert not found.open
        assert set(found.names) <= {"article", "h2", "p", "ul", "li", "strong"}
        assert set(found.attributes) == {"lang"}


def test_hostile_names_are_text(told: dict[str, Any]) -> None:
    narrative = told["E23000032"]
    assert "&lt;img src=x onerror=alert(1)&gt; {{ 7*7 }} =1+1 evil" in narrative.html
    assert "\u202e" not in narrative.text


def test_a_national_force_is_not_compared(told: dict[str, Any]) -> None:
    text = told["BTP"].text
    assert "A national force is not compared with police areas." in text
    assert "like areas" not in text


def test_an_embargo_stands_before_everything(small_release: ModuleType, tmp_path: Path) -> None:
    r = small_release
    release = r.make_release(
        tmp_path, "2026-27-Q2", local_compliance=[r.proportion(r.ESSEX, "police", r.REFERRED, 200, 150)]
    )
    with open_published([release], r.SEEDS) as connection:
        narrative = narratives(connection, embargo="Under embargo until 17 December 2026.")[r.ESSEX]
    assert narrative.paragraphs[0] == "Under embargo until 17 December 2026."
    assert "<p><strong>Under embargo until 17 December 2026.</strong></p>" in narrative.html


def test_provenance_names_a_release_with_its_hash_or_not_at_all(tmp_path: Path) -> None:
    facts = dict(
        Provenance("2026-27-Q2", "July", "final", "b1", "2026-27-Q2/v1.0.0", "ab" * 32, draft=tmp_path).facts
    )
    assert facts["Release"] == "2026-27-Q2/v1.0.0 (draft, under embargo)"
    assert facts["SHA-256 of its SHA256SUMS"] == "ab" * 32
    with pytest.raises(ValueError, match="give both"):
        Provenance("2026-27-Q2", "July", "final", "b1", "2026-27-Q2/v1.0.0")
    with pytest.raises(ValueError, match="provisional or final"):
        Provenance("2026-27-Q2", "July", "early", "b1")  # type: ignore[arg-type]

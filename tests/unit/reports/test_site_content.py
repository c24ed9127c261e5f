"""What the public reads on the pages of the site, built from small releases made by hand."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from reports.engine.build import build_pages
from reports.engine.pages import load_pages
from reports.published import PublishedRelease, open_published
from reports.site.build import BESIDE, PAGES
from reports.site.frame import frame

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} | **Kent** \u202egnp"

Site = Mapping[str, str]


def built(releases: list[PublishedRelease], *parts: str) -> dict[str, str]:
    """Pages whose file has one of the parts in its path (all without): path -> content."""
    pages = [
        page
        for page in load_pages(PAGES)
        if not parts or any(part in Path(page.file).as_posix() for part in parts)
    ]
    others = {
        *BESIDE,
        *(page.path for page in load_pages(PAGES) if "{{" not in page.path),
        "areas/",
        "rights/",
    }
    with open_published(releases, ROOT / "dbt_project" / "seeds") as connection:
        files = build_pages(
            pages,
            connection,
            audience="public",
            parameters={},
            context=frame(releases),
            output="site",
            others=others,
        )
    return {path: content.decode() for path, content in files.items() if path.endswith(".html")}


def words(page: str, start: str = '<main class="site-content"', end: str = "</main>") -> str:
    """The text of a part of a page, as it is read."""
    inner = page.split(start, 1)[1].split(end, 1)[0]
    inner = re.sub(r"<(?:td|th|li|p|h\d|caption)[ >]", r" | \g<0>", inner)
    return " ".join(
        html.unescape(re.sub(r"<[^>]+>", "", "<" + inner if start.startswith("<") else inner)).split()
    )


def row_of(page: str, header: str, body: str = "Police force") -> list[str]:
    """The cells of the table row that begins with these words and is about this body."""
    for line in re.findall(r"<tr.*?</tr>", page, re.DOTALL):
        cells = [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.split(r"</t[hd]>", line)]
        if cells[0] == header and cells[1] == body:
            return cells
    raise AssertionError(f"no row {header!r}, {body!r}")


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory, small_release: ModuleType) -> list[PublishedRelease]:
    """Two quarters: Essex told much, Kent (with a hostile name) told nothing, Wiltshire has a notice."""
    make, proportion, without = small_release.make_release, small_release.proportion, small_release.without
    folder = tmp_path_factory.mktemp("releases")
    essex, kent = small_release.ESSEX, small_release.KENT
    referred, recorded, offered = small_release.REFERRED, small_release.RECORDED, small_release.OFFERED
    areas = {"only_areas": (essex, kent, "E23000038", "BTP"), "area_names": {kent: HOSTILE}}
    like = {
        "area_code": essex, "body_kind": "police", "metric_id": referred, "rate_percent": 75,
        "like_areas_expected": 7, "like_areas_published": 7, "like_areas_case_count": 2000,
        "like_areas_met_count": 1780, "like_areas_rate_percent": 89,
        "like_areas_lower_percent": 87, "like_areas_upper_percent": 91,
    }  # fmt: skip
    nation = {
        "group_kind": "nation", "group_code": "K04000001", "group_name": "England and Wales",
        "body_kind": "police", "metric_id": referred, "areas_expected": 43, "areas_published": 42,
        "case_count": 327065, "met_count": 291305, "rate_percent": 89, "rate_is_about": False,
        "rate_lower_percent": 88, "rate_upper_percent": 90, "published_as": "value",
    }  # fmt: skip
    first = make(
        folder, "2026-27-Q1", issued_on="2026-09-17",
        local_compliance=[
            proportion(essex, "police", referred, 200, 180),
            proportion(essex, "police", recorded, 1000, 900),
            without(kent, "police", referred, "w"),
        ],
        group_compliance=[nation],
        **areas,
    )  # fmt: skip
    second = make(
        folder, "2026-27-Q2", issued_on="2026-12-17",
        local_compliance=[
            proportion(essex, "police", referred, 200, 150),
            proportion(essex, "police", recorded, 1000, 907),
            without(essex, "police", offered, "c", case_count=30, rate_band="60% and over", published_as="band"),
            without(essex, "police", "r03_s01_crn_5wd", "x"),
            without(essex, "prisons", "r11_s03_vcs_updates", "z"),
            proportion(essex, "courts", "r08_s05_court_to_wcu_5wd", 50, 45, rate_percent=90, rate_is_about=True,
                       published_as="about"),
            without(kent, "police", referred, "w"),
            without(kent, "police", recorded, "w"),
        ],
        local_benchmarks=[like],
        group_compliance=[nation, {**nation, "metric_id": recorded, "published_as": "suppressed", "obs_status": "c",
                                   "rate_percent": None, "case_count": None, "met_count": None,
                                   "rate_lower_percent": None, "rate_upper_percent": None}],
        local_delivery=[
            {"area_code": essex, "body_kind": "police", "item_id": "r04_d01", "lowest_grade": 1},
            {"area_code": kent, "body_kind": "police", "item_id": "r04_d01", "obs_status": "w"},
        ],
        group_feedback=[{
            "group_kind": "nation", "group_code": "K04000001", "body_kind": "police", "question_id": "r05_f01",
            "valid_answer_count": 400, "good_count": 236, "rate_percent": 59, "rate_is_about": False,
            "rate_lower_percent": 54, "rate_upper_percent": 64, "published_as": "value",
        }, *({
            "group_kind": "nation", "group_code": "K04000001", "body_kind": body, "question_id": "r01_f01",
            "valid_answer_count": 400, "good_count": 236, "rate_percent": 59, "rate_is_about": False,
            "rate_lower_percent": 54, "rate_upper_percent": 64, "published_as": "value",
        } for body in ("cps", "courts"))],
        notices=[{
            "notice_id": "N2026-01", "body_kind": "police", "area_code": "E23000038", "right_number": 7,
            "notice_status": "plan_due", "recipient_name": "Police and Crime Commissioner for Wiltshire",
            "summary": HOSTILE, "published_on": "2026-05-20", "sos_agreed_on": "2026-05-12",
            "ag_agreed_on": "2026-05-12",
        }],
        **areas,
    )  # fmt: skip
    return [first, second]


@pytest.fixture(scope="module")
def site(quarters: list[PublishedRelease]) -> Site:
    """Every page but those of notices."""
    return built(quarters, "index.md", "area.md", "right.md", "methods", "data-quality", "about", "downloads")


def test_an_area_is_told_its_figures_its_like_areas_and_what_changed(site: Site) -> None:
    page = site["areas/essex.html"]
    text = words(page)
    assert "July to September 2026 (2026/27 Q2)" in text
    # 150 of 200: Wilson 68.6% to 80.5%, rounded outwards; 180 of 200 was 85.1% to 93.4%; like areas 87% to 91%
    assert "Victims referred to a support service of those who agreed to it: 75% (68% to 81%)." in text
    assert "Lower than in areas like this (89%). Lower than in the quarter before." in text
    assert "Against areas like this: lower for Victims referred to a support service of those who" in text
    # 90.0% and 90.7% of 1,000: the intervals overlap
    assert (
        "Crimes recorded within 24 hours: 91% (88% to 93%). Police force. No detectable change since the"
        in text
    )
    cells = row_of(page, "Victims referred to a support service of those who agreed to it")
    assert cells[2:8] == ["75%", "68% to 81%", "200", "89%", "lower", "lower"]
    assert "Right 4: Be referred to support" in text and "1, drafted but not in use" in text


def test_what_is_not_given_says_why_and_is_never_a_number(site: Site) -> None:
    page = site["areas/essex.html"]
    assert row_of(page, "Victims offered a Victim Personal Statement")[2:5] == ["60% and over", "", "30"]
    assert row_of(page, "Written confirmation of the report sent within 5 working days")[2:5] == [
        "[x]",
        "",
        "[x]",
    ]
    assert (
        row_of(page, "Court results passed to the Witness Care Unit in time", "Courts (HMCTS)")[2]
        == "about 90%"
    )
    text = words(page)
    assert "Prisons: not applicable here." in text
    assert "[z]" not in text
    missing = (
        "figures due, 4; given, 2; withheld because few cases are behind them, 1 (a range is given for 1 of"
    )
    assert missing in text
    assert (
        "Not collected: Written confirmation of the report sent within 5 working days (police force)." in text
    )


def test_an_area_that_sent_nothing_says_so_once(site: Site) -> None:
    [path] = [path for path in site if path.startswith("areas/") and "kent" in path]
    text = words(site[path])
    assert "No rate can be given for this quarter." in text
    assert "Police force: no figures. No return was received and accepted" in text
    assert "That is not a pass." in text
    assert not re.search(r"\d+%", text.replace("95%", ""))


def test_a_hostile_name_is_text_on_every_page(site: Site) -> None:
    seen = 0
    for path, page in site.items():
        body = page.split("<body", 1)[1]
        assert "<script>alert" not in body, path
        assert "49 |" not in body and "<strong>Kent" not in body, path
        assert "\u202e" not in page, path
        seen += "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }}" in html.unescape(
            body.replace("&lt;", "&amp;lt;").replace("&gt;", "&amp;gt;")
        )
    assert seen >= 4


def test_a_right_without_statistics_shows_feedback_and_says_why(site: Site) -> None:
    text = words(site["rights/right-05.html"])
    assert "No rates are collected, by design" in text
    assert "What the records say" not in text
    assert "59%" in text and "54% to 64%" in text
    assert "another period than the rates" in text
    assert "Information about compensation: 59% (54% to 64%)" in words(site["index.html"])


def test_names_keep_their_capitals_inside_a_sentence(site: Site) -> None:
    text = words(site["rights/right-01.html"])
    assert "criminal justice process, Crown Prosecution Service" in text
    assert "criminal justice process, courts (HMCTS)" in text


def test_a_right_compares_over_the_areas_published_in_both_quarters(site: Site) -> None:
    text = words(site["rights/right-04.html"])
    assert "89% (88% to 90%): Victims referred to a support service of those who agreed to it" in text
    assert "from 42 of 43 areas" in text
    # Essex alone is in both quarters: 180 of 200, then 150 of 200
    assert (
        row_of(
            site["rights/right-04.html"], "Victims referred to a support service of those who agreed to it"
        )[6]
        == "lower"
    )


def test_the_front_page_shows_one_measure_a_right_and_what_is_withheld(site: Site) -> None:
    text = words(site["index.html"])
    assert "2. Have the crime recorded: [c] (no national figure: too much is missing)." in text
    assert "4. Be referred to support: 89% (88% to 90%)." in text
    assert "1 national rates can be compared" not in text
    assert "(Police force, 1 areas)" not in text
    assert "from 90% to 75%" in text
    assert "1 notice has been published." in text
    assert "published on 17 December 2026" in text


def test_every_page_names_its_period_and_that_definitions_are_provisional(site: Site) -> None:
    for path, page in site.items():
        assert "July to September 2026" in words(page), path
        assert "Definitions are provisional" in page, path


def test_no_page_ranks_or_speaks_of_marts(site: Site) -> None:
    for path, page in site.items():
        text = words(page).casefold()
        for word in (
            "best performing",
            "worst",
            "ranked 1",
            " mart ",
            "flagged",
            "duckdb",
            "| none |",
            "undefined",
        ):
            # The catalogue prints definitions as they are: "victims flagged enhanced".
            assert word not in text or (word, path) == ("flagged", "metrics/index.html"), (path, word)


def test_notices_are_listed_with_status_and_what_they_are_not(site: Site) -> None:
    text = words(site["notices/index.html"])
    assert "N2026-01" in text and "Police force, Wiltshire" in text and "Plan due" in text
    assert "No figure makes a notice" in text
    assert 'href="N2026-01.html"' in site["notices/index.html"]
    assert "../notices/N2026-01.html" in site["areas/wiltshire.html"]


def test_rules_on_the_methods_page_are_those_of_the_release(site: Site, tmp_path: Path) -> None:
    text = words(site["methods.html"])
    assert "A number from 0 to 7 is withheld. Every other is rounded to the nearest 5." in text
    assert "From 40 to 99 cases" in text
    # Wilson of 9 of 18, 6 of 18, 7 of 20, rounded outwards
    for interval in ("29% to 71%", "16% to 57%", "18% to 57%"):
        assert interval in text


def test_downloads_list_the_files_that_are_there(site: Site, quarters: list[PublishedRelease]) -> None:
    page = site["downloads.html"]
    folder = quarters[-1].folder
    for name in ("local_compliance.csv", "local_compliance.parquet", "codes.csv", "SHA256SUMS"):
        assert f'href="releases/2026-27-Q2/v1.0.0/{name}"' in page
        assert (folder / name).is_file()
    assert quarters[-1].sums_sha256 in page


def test_every_metric_of_the_catalogue_has_plain_words_and_an_anchor(
    site: Site, publications: ModuleType
) -> None:
    catalogue = {table.name: table for table in publications.references()}["metric-catalogue"]
    named = {
        line.split(",")[0] for line in (PAGES.parent / "words" / "measures.csv").read_text().splitlines()
    }
    for metric in catalogue.dicts():
        anchor = metric["metric_id"].replace("_", "-")
        assert f'id="{anchor}"' in site["metrics/index.html"], anchor
        assert metric["tier"] == "legacy_2019_20" or metric["metric_id"] in named


def test_definitions_of_the_catalogue_are_spelled_out(site: Site) -> None:
    text = words(site["metrics/index.html"])
    assert "Counted: crimes recorded within 24 hours of report, of crimes recorded in quarter" in text
    assert "Counted: notices within 1 working day of receipt by the Witness Care Unit" in text
    assert re.findall(r"[<>]=|(?<![_0-9])\d+wd\b|\b(?:CJS|CRN|VPS|VRR|WCU|excl|incl)\b", text) == []


def test_one_quarter_alone_makes_all_pages(tmp_path: Path, small_release: ModuleType) -> None:
    release = small_release.make_release(tmp_path, "2025-26-Q1", only_areas=(small_release.ESSEX,))
    made = built([release])
    assert "There is no quarter before to compare with." in words(made["index.html"])
    assert "No notice has been published" in words(made["notices/index.html"])

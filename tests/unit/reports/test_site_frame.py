"""The frame of the site: words in all languages, styles that load nothing, and one layout around every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from markupsafe import Markup

from reports.page import rendered
from reports.site.assets import GOVUK, AssetsError, govuk_styles, site_assets
from reports.site.frame import NAVIGATION, frame, root_of
from reports.site.labels import all_labels, labels

PROJECT = Path(__file__).parents[3]
NODE_MODULES = PROJECT / "node_modules"
LABELS = PROJECT / "reports" / "site" / "labels.yml"


def test_every_label_stands_in_every_language() -> None:
    english, welsh = labels("en"), labels("cy")
    assert english.keys() == welsh.keys()
    assert all(text.strip() for words in (english, welsh) for text in words.values())
    # Languages name themselves; what else is the same in both was forgotten.
    same = {key for key in english if english[key] == welsh[key]}
    assert same == {"language_en", "language_cy"}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda words: words["cy"].pop("skip"), "cy lacks skip"),
        (lambda words: words["cy"].update(other="x"), "cy alone has other"),
        (lambda words: words["cy"].update(skip=" "), "cy leaves empty skip"),
    ],
)
def test_a_label_that_is_missing_anywhere_is_refused(tmp_path: Path, spoil: object, said: str) -> None:
    words = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    spoil(words)  # type: ignore[operator]
    (tmp_path / "labels.yml").write_text(yaml.safe_dump(words), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        all_labels(tmp_path / "labels.yml")


def test_a_language_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="no language 'fr'"):
        labels("fr")


def test_styles_ask_for_no_other_file() -> None:
    for name, content in site_assets(NODE_MODULES).items():
        if name.endswith(".css"):
            text = content.decode()
            assert not re.search(r"url\(|@import|@font-face|sourceMappingURL|GDS Transport", text), name
    # The crest, the fonts and the map are really in what is installed.
    assert len(re.findall(r"url\(|sourceMappingURL", (NODE_MODULES / GOVUK).read_text())) > 5


def test_styles_that_would_load_something_new_are_refused(tmp_path: Path) -> None:
    path = tmp_path / GOVUK
    path.parent.mkdir(parents=True)
    path.write_text(".a{background:url(/assets/images/new.svg)}")
    with pytest.raises(AssetsError, match=r"new\.svg"):
        govuk_styles(tmp_path)


def test_without_node_modules_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match="make setup"):
        site_assets(tmp_path)


def page(path: str, section: str = "", languages: tuple[str, ...] = ("en",), language: str = "en") -> str:
    return rendered(
        "layouts/site.html.j2",
        page={"path": path, "title": "<Title>", "description": 'A "description"', "section": section},
        root=root_of(path),
        content=Markup("<h1>One</h1>"),
        **frame(language=language, languages=languages),
    )


def test_the_layout_says_what_the_page_is_and_where_it_stands() -> None:
    html = page("areas/essex.html", "areas")
    assert "<title>&lt;Title&gt; - Victims&#39; Code compliance</title>" in html
    assert '<link rel="canonical" href="https://victims-code.example/areas/essex.html">' in html
    assert '<link rel="stylesheet" href="../assets/site.css">' in html
    assert re.findall(r'<a href="([^"]*)" aria-current="([^"]*)"', html) == [("../areas/index.html", "true")]
    assert "Management information. Definitions are provisional." in html
    assert 'content="no-referrer"' in html
    assert html.count("<h1") == html.count("<main") == 1
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", html)
    for path in NAVIGATION.values():
        assert f'href="../{path}"' in html


def test_the_page_of_an_entry_is_the_current_page() -> None:
    html = page("methods.html", "methods")
    assert re.findall(r'<a href="([^"]*)" aria-current="([^"]*)"', html) == [("methods.html", "page")]


def test_languages_are_offered_only_where_there_are_others() -> None:
    assert "hreflang" not in page("areas/index.html", "areas")
    english = page("areas/index.html", "areas", ("en", "cy"))
    assert '<a href="../cy/areas/index.html" hreflang="cy" lang="cy"' in english
    welsh = page("areas/index.html", "areas", ("en", "cy"), "cy")
    assert '<html lang="cy"' in welsh
    assert '<a href="../../areas/index.html" hreflang="en" lang="en"' in welsh
    # What is not of the frame is in English, and says so.
    assert re.search(r'<main [^>]*lang="en"', welsh)
    assert 'href="https://victims-code.example/cy/areas/index.html"' in welsh

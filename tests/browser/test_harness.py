"""The harness finds what it looks for: each check is shown a page that fails it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import harness
from tests.browser.harness import Pages, axe_violations, outside_requests, overflow, serving, tab_through

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<link rel="stylesheet" href="good.css"></head><body><main><h1>Good</h1>
<p><a href="good.html">One</a> <button type="button" id="two">Two</button></p>
<noscript><p>Without scripts</p></noscript></main></body></html>"""
BAD = """<!doctype html><html><head><meta charset="utf-8"><title>Bad</title>
<link rel="stylesheet" href="bad.css"><script src="bad.js"></script></head><body>
<p>Text <a href="good.html" id="blind">One</a></p><input id="nameless"><div id="wide">.</div>
<noscript><img src="good.css"></noscript><script>document.title = "inline";</script></body></html>"""
FILES = {
    "good.html": GOOD,
    "good.css": "a:focus, button:focus { outline: 3px solid #000; }",
    "bad.html": BAD,
    "bad.css": "a:focus { outline: none; } #wide { width: 2000px; }",
    "bad.js": "console.log('told'); new Image().src = 'https://example.org/pixel.png';",
}
CASES = [(scheme, javascript) for scheme in ("file", "http") for javascript in (True, False)]


@pytest.fixture(scope="module")
def trial(chromium_browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("trial")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with serving(folder) as address:
        yield Pages(chromium_browser, folder, address)


@pytest.mark.parametrize(("scheme", "javascript"), CASES)
def test_a_good_page_passes(trial: Pages, scheme: harness.Scheme, javascript: bool) -> None:
    with trial.open("good.html", scheme=scheme, javascript=javascript, width=320) as visit:
        visit.assert_quiet()
        assert overflow(visit) == 0
        assert [(stop.text, stop.is_visible, stop.shows_focus) for stop in tab_through(visit)] == [
            ("One", True, True),
            ("Two", True, True),
        ]
        assert axe_violations(visit) == []
        assert len(visit.requests) == 2


@pytest.mark.parametrize(("scheme", "javascript"), CASES)
def test_a_bad_page_is_found_out(trial: Pages, scheme: harness.Scheme, javascript: bool) -> None:
    with trial.open("bad.html", scheme=scheme, javascript=javascript, width=320) as visit:
        assert overflow(visit) > 1000
        blind, *_ = tab_through(visit)
        assert (blind.id, blind.shows_focus) == ("blind", False)
        rules = {violation.partition(":")[0] for violation in axe_violations(visit)}
        assert {"html-has-lang", "label"} <= rules
        assert ("image-alt" in rules) is not javascript
        if javascript:
            assert any("told" in line for line in visit.console)
            assert outside_requests(visit) == ["https://example.org/pixel.png"]
            with pytest.raises(AssertionError):
                visit.assert_quiet()


def test_without_a_chromium_tests_fail_and_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="apt-get install chromium"):
        harness.chromium()

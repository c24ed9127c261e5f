"""From the press of a button to a drawn graph in Chromium, as ratios of the first load of the page.

Reads the releases of a public folder (`--public`), builds the data tool in a temporary folder, draws in one
page: an area whose figures are not there yet, the same again, four areas, a breakdown.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from reports.published import PublishedRelease
from tests.browser.conftest import releases_of
from tests.browser.harness import Pages, opened_chromium, serving, weight
from tests.browser.test_data_tool import TOOL, make_tool

ROUNDS = 15
#: Milliseconds from the press to the first frame that shows the picture.
TIMED = """() => new Promise(resolve => {
  const picture = document.getElementById('picture');
  const start = performance.now();
  picture.addEventListener('load', () => requestAnimationFrame(() => resolve(performance.now() - start)),
                           {once: true});
  document.getElementById('draw').click();
})"""


def measured(pages: Pages) -> dict[str, float]:
    """Median milliseconds of each step, and of the page's own load."""
    loads, found = (
        [],
        {"first view of an area": [], "the same again": [], "four areas": [], "a breakdown": []},
    )
    for number in range(ROUNDS):
        with pages.open(TOOL) as visit:
            page = visit.page
            loads.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
            if number == 0:
                files = weight(visit, pages.folder)
                print(f"first load: {len(files)} files, {sum(files.values()):,} bytes gzipped")
            areas = page.eval_on_selector_all("#place optgroup option", "list => list.map(o => o.value)")
            start = number * 4 % 32
            page.select_option("#right", "2")
            page.select_option("#measure", "police.r02_s01_recorded_24h")
            page.select_option("#place", areas[start])
            found["first view of an area"].append(page.evaluate(TIMED))
            found["the same again"].append(page.evaluate(TIMED))
            add(page, areas[start + 1 : start + 4])
            found["four areas"].append(page.evaluate(TIMED))
            if page.locator("#breakdown option").count() > 1:
                page.select_option("#breakdown", index=1)
                found["a breakdown"].append(page.evaluate(TIMED))
    return {
        "load": statistics.median(loads),
        **{name: statistics.median(times) for name, times in found.items() if times},
    }


def add(page: Page, areas: list[str]) -> None:
    for area in areas:
        page.select_option("#place", area)
        page.click("#add")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, required=True, help="the public folder, with releases/")
    releases: list[PublishedRelease] = releases_of(parser.parse_args().public / "releases")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        make_tool(releases, folder)
        with opened_chromium(playwright) as browser, serving(folder) as address:
            times = measured(Pages(browser, folder, address))
    load = times.pop("load")
    print(f"load of the page: 1 ({load:.0f} ms here)")
    for step, time in times.items():
        print(f"{step}: {time / load:.2f} ({time:.0f} ms here)")


if __name__ == "__main__":
    main()

"""The data tool in Chromium shows the figures of the release's files, to everybody, and keeps a view in its link."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from reports.published import PublishedRelease, open_published
from reports.site.assets import site_assets
from reports.site.frame import frame
from reports.tool.build import build_tool
from tests.browser.harness import (
    WIDTHS,
    Pages,
    axe_violations,
    outside_requests,
    overflow,
    serving,
    tab_through,
    weight,
)

PROJECT = Path(__file__).resolve().parents[2]
TOOL = "data-tool/index.html"
SELECTIONS = 50
FIRST_LOAD = 400_000
SCHEMES = ("file", "http")
KINDS = {
    "nation": "all areas",
    "country": "country",
    "region": "region",
    "criminal_justice_board": "criminal justice board",
}
NATION = "K04000001"

Row = dict[str, str]


def make_tool(releases: Sequence[PublishedRelease], folder: Path) -> None:
    """The tool's files, with the styles of the site, below a folder."""
    with open_published(releases, PROJECT / "dbt_project" / "seeds") as connection:
        files = build_tool(connection, node_modules=PROJECT / "node_modules", context=frame(releases))
    for name, content in {**files, **site_assets(PROJECT / "node_modules")}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture(scope="module")
def tool(
    releases: list[PublishedRelease], chromium_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("tool")
    make_tool(releases, folder)
    with serving(folder) as address:
        yield Pages(chromium_browser, folder, address)


# --- what the release's files say, read without any code of the tool ---


@dataclass
class Book:
    """The releases' CSV files: rows of figures by measure and place, and names of places."""

    figures: dict[tuple[str, str, str], list[Row]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    rights: dict[str, str] = field(default_factory=dict)
    counts: set[str] = field(default_factory=set)
    labels: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, place: str, measure: str, breakdown: str, row: Row) -> None:
        self.figures.setdefault((place, measure, breakdown), []).append(row)


def rows_of(release: PublishedRelease, name: str) -> list[Row]:
    with (release.folder / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def read_book(releases: Sequence[PublishedRelease]) -> Book:
    book = Book()
    newest = releases[-1]
    for area in rows_of(newest, "areas"):
        book.names[area["area_code"]] = area["area_name"]
        region = area["region_code"]
        book.regions[area["area_code"]] = (
            f"region-{region}" if region and region != NATION else f"nation-{NATION}"
        )
    for value in rows_of(newest, "breakdowns"):
        book.labels[value["breakdown"], value["breakdown_value"]] = value["breakdown_label"]
    for release in releases:
        for table, item in (("local_compliance", "metric_id"), ("local_feedback", "question_id")):
            for row in rows_of(release, table):
                measure = f"{row['body_kind']}.{row[item]}"
                book.rights[measure] = row["right_number"]
                if row.get("unit") == "count":
                    book.counts.add(measure)
                book.add(row["area_code"], measure, "", row)
        for table, item in (("group_compliance", "metric_id"), ("group_feedback", "question_id")):
            for row in rows_of(release, table):
                place = f"{row['group_kind']}-{row['group_code']}"
                if row["group_kind"] in KINDS:
                    book.names.setdefault(place, f"{row['group_name']} ({KINDS[row['group_kind']]})")
                book.add(place, f"{row['body_kind']}.{row[item]}", "", row)
        for row in rows_of(release, "region_breakdowns"):
            code = row["region_code"]
            place = f"nation-{NATION}" if code == NATION else f"region-{code}"
            book.add(place, f"{row['body_kind']}.{row['item_id']}", row["breakdown"], row)
        for row in rows_of(release, "national_breakdowns"):
            book.add(f"nation-{NATION}", f"{row['body_kind']}.{row['item_id']}", row["breakdown"], row)
    return book


@pytest.fixture(scope="module")
def book(releases: list[PublishedRelease]) -> Book:
    return read_book(releases)


def first(row: Row, *names: str) -> str:
    return next((row[name] for name in names if name in row), "")


def printed(row: Row, is_count: bool) -> list[str]:
    """The cells of a row of figures as a reader should find them."""
    empty = f"[{row['obs_status']}]" if row["obs_status"] else ""

    def number(text: str) -> str:
        return f"{int(text):,}" if text else empty

    if is_count:
        return [number(row["reported_count"])]
    rate = ("about " if row["rate_is_about"] == "true" else "") + row["rate_percent"] + "%"
    return [
        rate if row["rate_percent"] else row.get("rate_band") or empty,
        f"{row['rate_lower_percent']}% to {row['rate_upper_percent']}%"
        if row["rate_lower_percent"]
        else empty,
        number(first(row, "case_count", "valid_answer_count", "base_count")),
        number(first(row, "met_count", "good_count")),
    ]


@dataclass(frozen=True)
class Selection:
    places: tuple[str, ...]
    measure: str
    breakdown: str
    start: str
    end: str

    def rows(self, book: Book) -> list[tuple[str, Row]]:
        places = [book.regions.get(place, place) if self.breakdown else place for place in self.places]
        return [
            (place, row)
            for place in dict.fromkeys(places)
            for row in book.figures.get((place, self.measure, self.breakdown), [])
            if self.start <= first(row, "period_code", "year_code") <= self.end
        ]

    def table(self, book: Book) -> list[list[str]]:
        """What is the same in all rows stands in the caption: the only area, and the only year of a breakdown."""
        found = self.rows(book)
        places = {book.regions.get(place, place) if self.breakdown else place for place in self.places}
        periods = {first(row, "period_label", "year_label") for _, row in found}
        return sorted(
            [
                *([book.names[place]] if len(places) > 1 else []),
                *(
                    [first(row, "period_label", "year_label")]
                    if not self.breakdown or len(periods) > 1
                    else []
                ),
                *([book.labels[self.breakdown, row["breakdown_value"]]] if self.breakdown else []),
                *printed(row, self.measure in book.counts),
            ]
            for place, row in found
        )

    def file(self, book: Book) -> list[list[str]]:
        return sorted(
            [
                place.split("-", 1)[1] if place.split("-", 1)[0] in KINDS else place,
                first(row, "period_code", "year_code"),
                row.get("breakdown_value", ""),
                first(row, "case_count", "valid_answer_count", "base_count"),
                first(row, "met_count", "good_count"),
                row.get("reported_count", ""),
                row["rate_percent"],
                row["rate_lower_percent"],
                row["rate_upper_percent"],
                row.get("rate_band", ""),
                row["published_as"],
                row["obs_status"],
                row["obs_note"],
            ]
            for place, row in self.rows(book)
        )


DOWNLOADED = (
    "place_code", "period_code", "breakdown_value", "base_count", "met_count", "reported_count", "rate_percent",
    "rate_lower_percent", "rate_upper_percent", "rate_band", "published_as", "obs_status", "obs_note",
)  # fmt: skip


# --- what a reader does ---


def values(page: Page, control: str) -> list[str]:
    return page.eval_on_selector_all(f"#{control} option", "list => list.map(o => o.value).filter(Boolean)")


def clear_places(page: Page) -> None:
    while page.locator("#chosen button").count():
        page.locator("#chosen button").first.click()


def choose(page: Page, selection: Selection, right: str) -> None:
    """Fill the form as a reader would, and draw."""
    clear_places(page)
    for place in selection.places:
        page.select_option("#place", place)
        page.click("#add")
    page.select_option("#right", right)
    page.select_option("#measure", selection.measure)
    page.select_option("#breakdown", selection.breakdown)
    page.select_option("#from", selection.start)
    page.select_option("#to", selection.end)
    draw(page)


def draw(page: Page) -> None:
    page.evaluate("delete document.getElementById('graph').dataset.drawn")
    page.click("#draw")
    drawn(page)


def drawn(page: Page) -> None:
    page.wait_for_selector("#graph[data-drawn]", state="attached")


def table_of(page: Page) -> list[list[str]]:
    """The cells of the table but for the notes, in the order of the alphabet."""
    return sorted(
        page.eval_on_selector_all(
            "#table-body tr",
            "rows => rows.map(row => [...row.children].filter(cell => cell.tagName === 'TH'"
            " || cell.className === 'numeric').map(cell => cell.textContent))",
        )
    )


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as waiting:
        page.click(f"#{button}")
    return Path(waiting.value.path()).read_bytes()


def rows_of_download(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def address(**parts: str) -> str:
    return TOOL + "#" + "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items())


def some_measure(book: Book) -> tuple[str, list[str]]:
    """A police metric with a rate in many areas, and areas that have it, by name."""
    found: dict[str, list[str]] = {}
    for (place, measure, breakdown), rows in book.figures.items():
        is_police_metric = measure.startswith("police.") and "period_code" in rows[0] and not breakdown
        if is_police_metric and place in book.regions and all(row["rate_percent"] for row in rows):
            found.setdefault(measure, []).append(place)
    measure = max(sorted(found), key=lambda name: len(found[name]))
    return measure, sorted(found[measure], key=lambda place: book.names[place])


def random_selection(page: Page, book: Book, chance: random.Random) -> tuple[Selection, str]:
    """Any measure of the files, and places, breakdown and times that the form offers for it."""
    measure = chance.choice(sorted(book.rights))
    having = sorted({place for place, item, _ in book.figures if item == measure and place in book.names})
    offered = set(values(page, "place"))
    known = [place for place in having if place in offered]
    places = tuple(chance.sample(known, min(len(known), chance.randint(1, 4))))
    right = book.rights[measure]
    page.select_option("#right", right)
    page.select_option("#measure", measure)
    breakdown = chance.choice([*values(page, "breakdown"), ""]) if chance.random() < 0.5 else ""
    page.select_option("#breakdown", breakdown)
    start, end = sorted(chance.choices(values(page, "from"), k=2))
    return Selection(places, measure, breakdown, start, end), right


def compare(page: Page, book: Book, selection: Selection) -> None:
    assert table_of(page) == selection.table(book), selection
    if len(selection.places) == 1 and not selection.breakdown:
        assert page.inner_text("#table-caption").endswith(", " + book.names[selection.places[0]].strip())
    found = rows_of_download(downloaded(page, "csv"))
    assert sorted([row[name] for name in DOWNLOADED] for row in found) == selection.file(book), selection


@pytest.mark.parametrize("scheme", SCHEMES)
def test_random_selections_show_and_save_what_the_release_says(tool: Pages, book: Book, scheme: str) -> None:
    chance = random.Random(f"selections {scheme}")
    statuses = set()
    with tool.open(TOOL, scheme=scheme, width=320 if scheme == "file" else 1280) as visit:
        for _ in range(SELECTIONS // 2):
            selection, right = random_selection(visit.page, book, chance)
            choose(visit.page, selection, right)
            compare(visit.page, book, selection)
            statuses.update(row["obs_status"] for _, row in selection.rows(book))
        visit.assert_quiet()
    assert {"", "c"} <= statuses


def test_a_changed_figure_is_found_out(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    with tool.open(TOOL) as visit:
        visit.page.select_option("#right", book.rights[measure])
        visit.page.select_option("#measure", measure)
        start, *_, end = values(visit.page, "from")
        selection = Selection((areas[0],), measure, "", start, end)
        choose(visit.page, selection, book.rights[measure])
        compare(visit.page, book, selection)
        visit.page.evaluate("document.querySelector('#table-body td').textContent = '1%'")
        with pytest.raises(AssertionError):
            compare(visit.page, book, selection)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_is_accessible_and_keeps_to_itself_before_and_after_drawing(
    tool: Pages, book: Book, scheme: str, width: int
) -> None:
    measure, areas = some_measure(book)
    with tool.open(TOOL, scheme=scheme, width=width) as visit:
        first_load = weight(visit, tool.folder)
        assert {f"data-tool/{name}" for name in ("vega.js", "tool.js", "data/index.js")} <= set(first_load)
        assert sum(first_load.values()) < FIRST_LOAD
        assert axe_violations(visit) == []
        assert overflow(visit) == 0
        visit.go(address(areas=",".join(areas[:4]), measure=measure))
        drawn(visit.page)
        assert axe_violations(visit) == []
        assert overflow(visit) == 0
        size = visit.page.evaluate(
            "() => { const i = document.getElementById('picture'); return [i.naturalWidth, i.clientWidth]; }"
        )
        assert size[0] == size[1] > 200
        assert re.search(r"\d+% \(95% interval \d+% to \d+%\)", visit.page.inner_text("#said"))
        visit.assert_quiet()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_scripts_it_leads_to_the_areas(tool: Pages, book: Book, scheme: str, width: int) -> None:
    with tool.open(TOOL, scheme=scheme, width=width, javascript=False) as visit:
        assert visit.page.locator("#tool").is_hidden()
        links = visit.page.locator("#tool-links ul a")
        assert sorted(links.all_inner_texts()) == sorted(book.names[place] for place in book.regions)
        assert links.first.get_attribute("href").startswith("../areas/")
        assert axe_violations(visit) == []
        assert overflow(visit) == 0
        visit.assert_quiet()


def test_a_link_brings_the_view_back_and_so_does_the_back_button(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    with tool.open(TOOL) as visit:
        page = visit.page
        page.select_option("#right", book.rights[measure])
        page.select_option("#measure", measure)
        start, *_, end = values(page, "from")
        one = Selection((areas[0], areas[1]), measure, "", start, end)
        choose(page, one, book.rights[measure])
        link = page.url
        assert page.evaluate("document.activeElement.id") == "draw"
        two = Selection((areas[2],), measure, "", end, end)
        choose(page, two, book.rights[measure])
        assert table_of(page) == two.table(book)
        page.go_back()
        page.wait_for_function("() => document.querySelectorAll('#chosen li').length === 2")
        page.wait_for_function(
            "n => document.querySelectorAll('#table-body tr').length === n", arg=len(one.table(book))
        )
        assert (page.url, table_of(page)) == (link, one.table(book))
        visit.assert_quiet()
    with tool.open(link.removeprefix(tool.address + "/")) as visit:
        drawn(visit.page)
        assert table_of(visit.page) == one.table(book)
        assert (visit.page.input_value("#measure"), visit.page.input_value("#from")) == (measure, start)
        assert visit.page.locator("#other-release").is_hidden()
        assert visit.page.url == link


def test_a_link_of_another_release_says_so_and_keeps_saying_what_it_was(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    old = address(areas=areas[0], measure=measure, release="2019-20-Q1/v1.0.0~0123456789ab<b>")
    with tool.open(old) as visit:
        drawn(visit.page)
        told = visit.page.inner_text("#other-release-text")
        assert "2019-20-Q1/v1.0.0, state 0123456789ab<b>" in told
        assert visit.page.url.endswith(old)
        assert "2019" not in (visit.page.get_attribute("#link", "href") or "2019")
        draw(visit.page)
        assert visit.page.locator("#other-release").is_hidden()
        assert "release=2019" not in visit.page.url
        visit.assert_quiet()


def test_a_fifth_area_is_refused_where_it_was_chosen(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    with tool.open(TOOL, width=320) as visit:
        page = visit.page
        for place in areas[:5]:
            page.select_option("#place", place)
            page.click("#add")
        assert page.locator("#chosen li").count() == 4
        assert page.evaluate("document.activeElement.id") == "errors"
        assert "Choose up to four areas" in page.inner_text("#errors")
        assert page.get_attribute("#place", "aria-describedby") == "place-hint place-error"
        assert axe_violations(visit) == []
        page.click("#errors a")
        assert page.evaluate("document.activeElement.id") == "place"
        visit.go(address(areas=",".join(areas[:5]), measure=measure))
        page.wait_for_function("() => document.querySelectorAll('#chosen li').length === 5")
        assert page.locator("#result").is_hidden()
        visit.go(address(areas="<i>nowhere</i>", measure=measure))
        page.wait_for_function("() => document.getElementById('errors').innerText.includes('<i>nowhere</i>')")
        visit.assert_quiet()


def test_areas_like_this_one_fill_what_is_left(
    tool: Pages, releases: list[PublishedRelease], book: Book
) -> None:
    groups = [row for row in rows_of(releases[-1], "area_groups") if row["group_kind"] == "like_areas"]
    area = groups[-1]["group_code"]
    like = {row["area_name"] for row in groups if row["group_code"] == area}
    with tool.open(TOOL) as visit:
        page = visit.page
        page.select_option("#place", area)
        page.click("#add")
        page.click("#like")
        chosen = page.locator("#chosen .tool-chosen__item > span").all_inner_texts()
        assert chosen[0] == book.names[area]
        assert len(set(chosen)) == 4
        assert set(chosen[1:]) <= like
        assert "4 of up to 4 chosen" in page.inner_text("#told")


def test_the_keyboard_alone_draws_a_graph(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    with tool.open(TOOL) as visit:
        stops = tab_through(visit)
        assert all(stop.is_visible and stop.shows_focus for stop in stops), stops
        reached = [stop.id for stop in stops]
        wanted = ["place", "add", "right", "measure", "breakdown", "from", "to", "draw"]
        assert [stop for stop in reached if stop in wanted] == wanted
        page, keyboard = visit.page, visit.page.keyboard

        def tab_to(control: str) -> None:
            for _ in range(60):
                if page.evaluate("document.activeElement.id") == control:
                    return
                keyboard.press("Tab")
            raise AssertionError(f"The Tab key does not reach {control}.")

        tab_to("place")
        keyboard.type(book.names[areas[0]])
        tab_to("add")
        keyboard.press("Enter")
        tab_to("right")
        keyboard.type(book.rights[measure] + ".")
        tab_to("measure")
        keyboard.press("ArrowDown")
        tab_to("draw")
        keyboard.press("Enter")
        drawn(page)
        assert page.locator("#table-body tr").count() > 0
        after = tab_through(visit)
        assert all(stop.is_visible and stop.shows_focus for stop in after), after
        assert {"csv", "svg", "png", "link"} <= {stop.id for stop in after}
        visit.assert_quiet()


def test_pictures_are_saved_without_scripts_and_fit_the_window(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    with tool.open(address(areas=",".join(areas[:2]), measure=measure)) as visit:
        page = visit.page
        drawn(page)
        svg = downloaded(page, "svg").decode("utf-8")
        elements = list(ElementTree.fromstring(svg).iter())
        tags = {element.tag.rpartition("}")[2] for element in elements}
        assert {"title", "desc", "path", "text"} <= tags
        assert not tags & {"script", "foreignObject", "style", "image", "use"}
        assert not [name for element in elements for name in element.attrib if name.startswith("on")]
        assert all(book.names[area] in svg for area in areas[:2])
        png = downloaded(page, "png")
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", png[16:24]) > (1000, 500)
        page.set_viewport_size({"width": 320, "height": 800})
        page.wait_for_function("() => Number(document.getElementById('graph').dataset.drawn) < 300")
        narrow = page.evaluate("decodeURIComponent(document.getElementById('picture').src)")
        sizes = [float(size) for size in re.findall(r"font-size=\"([\d.]+)px", narrow)]
        assert sizes and min(sizes) >= 12
        assert page.evaluate("document.getElementById('picture').naturalWidth") <= 290
        visit.assert_quiet()


def test_figures_that_do_not_come_are_an_error_that_can_be_mended(tool: Pages, book: Book) -> None:
    measure, areas = some_measure(book)
    with tool.open(TOOL) as visit:
        page = visit.page
        page.route("**/data/E*.js", lambda route: route.abort())
        page.route("**/data/W*.js", lambda route: route.abort())
        visit.go(address(areas=areas[0], measure=measure))
        page.wait_for_selector("#errors:not([hidden])")
        assert "could not be loaded" in page.inner_text("#errors")
        page.unroute_all()
        draw(page)
        assert page.locator("#errors").is_hidden()
        assert page.locator("#table-body tr").count() > 0


# --- figures of a breakdown, and names that mean harm ---

HOSTILE = "=1+1 <script>document.title='x'</script> \"'{{ 7*7 }} \u202egnol <img src=x onerror=alert(1)>"
SHOWN = HOSTILE.replace("\u202e", "\ufffd")


@pytest.fixture(scope="module")
def harmed(
    releases: list[PublishedRelease], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[PublishedRelease], str, str]:
    """The newest release with a hostile name for one area, and figures of areas as those of their regions' men."""
    newest = releases[-1]
    folder = tmp_path_factory.mktemp("harmed") / "release"
    shutil.copytree(newest.folder, folder, copy_function=shutil.copyfile)
    with duckdb.connect() as con:
        area = con.execute(
            "select area_code from read_csv(?) where area_code like 'E%' order by 1",
            [str(folder / "areas.csv")],
        ).fetchall()[3][0]
        name = f"case when area_code = '{area}' then '{HOSTILE.replace(chr(39), chr(39) * 2)}' else area_name end"

        def rewrite(table: str, query: str) -> None:
            made = f"{folder / table}.new"
            for ending, how in (("parquet", "format parquet"), ("csv", "header, delimiter ','")):
                if (folder / f"{table}.{ending}").exists():
                    con.execute(f"copy ({query}) to '{made}' ({how})")
                    Path(made).replace(folder / f"{table}.{ending}")

        for table in ("local_compliance", "area_groups"):
            con.execute(f"create table {table} as from '{folder / table}.parquet'")
            rewrite(table, f"select * replace ({name} as area_name) from {table}")
        con.execute(f"create table areas as from read_csv('{folder / 'areas.csv'}')")
        rewrite("areas", f"select * replace ({name} as area_name) from areas")
        con.execute(
            f"create table region_breakdowns as select * from '{folder / 'region_breakdowns.parquet'}' limit 0"
        )
        con.execute(
            """
            insert into region_breakdowns by name
            select release_period_code, '2025-26-FY' as year_code, 'April 2025 to March 2026' as year_label,
                'statistic' as information, body_kind, region_code, any_value(region_name) as region_name,
                any_value(right_number) as right_number, metric_id as item_id,
                any_value(metric_definition) as item_definition, 'sex' as breakdown, value as breakdown_value,
                value as breakdown_label, 'census' as collection_mode, 'all_cases' as sampling_frame,
                'own' as collected_by, sum(case_count) as base_count,
                case when value = 'M' then sum(met_count) end as good_count,
                case when value = 'M' then max(rate_percent) end as rate_percent, false as rate_is_about,
                case when value = 'M' then min(rate_lower_percent) end as rate_lower_percent,
                case when value = 'M' then max(rate_upper_percent) end as rate_upper_percent,
                null as rate_band, case when value = 'M' then 'value' else 'base' end as published_as,
                case when value = 'F' then 'c' end as obs_status, 'p' as obs_note,
                0 as disclosure_rule_version
            from local_compliance, (values ('M'), ('F')) as kinds (value)
            where published_as = 'value' and rate_percent is not null and region_code <> 'K04000001'
            group by all
            """.replace(
                "group by all", "group by release_period_code, body_kind, region_code, metric_id, value"
            )
        )
        rewrite("region_breakdowns", "from region_breakdowns order by all")
    changed = PublishedRelease(
        newest.period_code, newest.period_label, newest.version, newest.issued_on, newest.sums_sha256, folder
    )
    measure = next(row for row in rows_of(changed, "region_breakdowns"))
    return [changed], area, f"{measure['body_kind']}.{measure['item_id']}"


def test_breakdowns_stand_by_region_and_hostile_names_stay_text(
    harmed: tuple[list[PublishedRelease], str, str],
    chromium_browser: Browser,
    tmp_path: Path,
) -> None:
    changed, area, measure = harmed
    make_tool(changed, tmp_path)
    book = read_book(changed)
    assert book.names[area] == HOSTILE
    # signs that steer text are shown, and steer nothing
    book.names[area] = SHOWN
    breakdown = Selection((area, f"nation-{NATION}"), measure, "sex", "2025-26-FY", "2025-26-FY")
    with serving(tmp_path) as server:
        tool = Pages(chromium_browser, tmp_path, server)
        for scheme in SCHEMES:
            with tool.open(TOOL, scheme=scheme, width=320) as visit:
                page = visit.page
                title = page.title()
                page.select_option("#right", book.rights[measure])
                page.select_option("#measure", measure)
                period = values(page, "from")[0]
                total = Selection((area,), measure, "", period, period)
                choose(page, total, book.rights[measure])
                compare(page, book, total)
                assert SHOWN in page.text_content("#said")
                assert SHOWN in page.text_content("#chosen")
                assert {SHOWN, "'" + SHOWN} & {
                    row["place_name"] for row in rows_of_download(downloaded(page, "csv"))
                } == {"'" + SHOWN}
                svg = ElementTree.fromstring(downloaded(page, "svg").decode("utf-8"))
                assert SHOWN in next(element.text for element in svg.iter() if element.tag.endswith("desc"))
                choose(page, breakdown, book.rights[measure])
                compare(page, book, breakdown)
                assert len(page.locator("#table-body tr").all()) == len(breakdown.rows(book)) >= 2
                assert "[c]" in page.inner_text("#statuses")
                assert axe_violations(visit) == []
                assert overflow(visit) == 0
                assert page.title() == title
                visit.assert_quiet()
            with tool.open(TOOL, scheme=scheme, javascript=False) as visit:
                assert SHOWN in visit.page.text_content("#tool-links")
                visit.assert_quiet()


def test_outside_requests_would_be_told(tool: Pages) -> None:
    with tool.open(TOOL) as visit:
        visit.requests.append("https://example.org/")
        assert outside_requests(visit) == ["https://example.org/"]


def test_the_site_has_the_tool(site_folder: Path, tool: Pages) -> None:
    files = sorted(path for path in tool.folder.rglob("*") if path.is_file() and "data-tool" in path.parts)
    assert len(files) > 60
    for path in files:
        assert (site_folder / path.relative_to(tool.folder)).read_bytes() == path.read_bytes(), path


def test_the_index_names_the_releases_it_was_made_of(tool: Pages, releases: list[PublishedRelease]) -> None:
    text = (tool.folder / "data-tool" / "data" / "index.js").read_text(encoding="ascii")
    index = json.loads(text.removeprefix("vccIndex(").removesuffix(");\n"))
    assert index["releases"] == [release.release_id for release in releases]
    assert index["release"]["sums"] == releases[-1].sums_sha256
    assert index["pin"].startswith(releases[-1].release_id + "~")

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pypdf
import pytest

from reports.packs.local import build_local_packs
from reports.packs.local_facts import local_facts, open_warehouse
from reports.packs.local_words import LocalPack, local_pack
from reports.packs.provenance import Provenance

_spec = importlib.util.spec_from_file_location(
    "local_pack_facts", Path(__file__).with_name("local_pack_facts.py")
)
assert _spec is not None and _spec.loader is not None
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)

LABEL = "July to September 2025 (2025/26 Q2)"
PROVISIONAL = Provenance(
    made.PERIOD, LABEL, "provisional", "b0123456789abcdef", publish_on=dt.date(2025, 12, 18)
)
FINAL = Provenance(made.PERIOD, LABEL, "final", "b0123456789abcdef")


@pytest.fixture(scope="module")
def warehouse(mart_tables: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "build.duckdb"
    return Path(mart_tables.create_warehouse(path, made.MARTS, more_seeds=made.SEEDS))


@pytest.fixture(scope="module")
def folder(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packs of the provisional stage, built once."""
    out = tmp_path_factory.mktemp("restricted") / "packs"
    summary = build_local_packs(warehouse, made.PERIOD, "provisional", PROVISIONAL, out)
    assert summary.area_codes == ("BTP", "E23000002", "E23000028")
    assert summary.changed
    return out


@pytest.fixture(scope="module")
def packs(warehouse: Path) -> Callable[..., LocalPack]:
    with open_warehouse(warehouse) as connection:
        facts = local_facts(connection, made.PERIOD)

    def of(code: str, provenance: Provenance = PROVISIONAL) -> LocalPack:
        return local_pack(facts, code, provenance)

    return of


class Reading(HTMLParser):
    """The words of a page, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._words: list[str] = []
        self._is_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        self._is_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self._words.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self._words).split())


def page(folder: Path, code: str) -> Reading:
    return Reading((folder / f"{code}.html").read_text(encoding="utf-8"))


def pdf(folder: Path, code: str) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO((folder / f"{code}.pdf").read_bytes()))


def sheets(folder: Path, code: str) -> dict[str, list[list[str]]]:
    """Sheet -> rows of cells as text, by another library than the one that wrote them."""
    from odf import teletype
    from odf.opendocument import load
    from odf.table import Table, TableCell, TableRow

    book = load(str(folder / f"{code}.ods"))
    assert not [
        cell for cell in book.spreadsheet.getElementsByType(TableCell) if cell.getAttribute("formula")
    ]
    return {
        table.getAttribute("name"): [
            [teletype.extractText(cell) for cell in row.getElementsByType(TableCell)]
            for row in table.getElementsByType(TableRow)
        ]
        for table in book.spreadsheet.getElementsByType(Table)
    }


def test_the_first_page_says_how_far_it_is_in_victims(packs: Callable[..., LocalPack]) -> None:
    pack = packs("E23000002")

    # 0.9 x 4,000 - 1,236 = 2,364, of them 0.7 x 4,000 - 1,236 = 1,564
    assert pack.good == (
        "Police, crimes recorded within 24 hours: 1,236 of 4,000 (30.9%). The best areas reach 90.0%:"
        " 2,364 more victims, 1,564 of them to reach like areas.",
    )
    assert pack.changed == (
        "Police, crimes recorded within 24 hours: lower than the quarter before, 1,236 of 4,000 (30.9%), was"
        " 1,600 of 4,000 (40.0%).",
    )
    assert "Recommended to the Programme Board, not decided: Police, right 2" in pack.compare[1]


def test_each_question_rests_on_a_figure(packs: Callable[..., LocalPack]) -> None:
    questions = packs("E23000002").questions

    assert all(question.basis and question.whom for question in questions)
    assert [question.basis for question in questions if "Action A1" in question.text] == [
        "Due 30 September 2025, open, overdue: Change the control room's script."
    ]
    assert "like areas point to 70.0%" in questions[0].basis


def test_figures_on_the_page_and_in_the_workbook_are_the_same(folder: Path) -> None:
    words = page(folder, "E23000002").words
    assert (
        "Crimes recorded within 24 hours Police 1,236 4,000 30.9% 29.5 to 32.4% 70.0% 1,564 90.0% 2,364"
        in words
    )

    header, *rows = [row for row in sheets(folder, "E23000002")["statistics"] if len(row) > 1]
    row = dict(zip(header, rows[0], strict=True))
    assert row["Met or answered well"] == "1,236"
    assert row["Rate, %"] == "30.9"
    assert row["More victims, to achievable"] == "2,364"


def test_a_sum_over_fewer_than_three_areas_is_withheld(folder: Path, packs: Callable[..., LocalPack]) -> None:
    statistics = packs("E23000002").tables["statistics"]
    row = next(row for row in statistics if row.item_id == made.CONFIRMED)
    assert row.like_areas_rate == row.achievable_rate == "withheld"
    assert row.like_areas_gap == row.achievable_gap == "withheld"

    everything = page(folder, "E23000002").words + str(sheets(folder, "E23000002"))
    for given_away in ("76.5", "87.7", "87.6", "177"):
        assert given_away not in everything


def test_another_areas_figures_are_in_no_pack(folder: Path) -> None:
    own = page(folder, "E23000028").words
    assert f"{made.ESSEX_GOOD:,}" in own
    for code in ("E23000002", "BTP"):
        everything = page(folder, code).words + str(sheets(folder, code))
        assert f"{made.ESSEX_GOOD:,}" not in everything
        assert str(made.ESSEX_GOOD) not in everything
    assert f"{made.CUMBRIA_GOOD:,} of" not in own


def test_no_mark_of_markdown_is_printed(folder: Path) -> None:
    for code in ("E23000028", "BTP"):
        own = page(folder, code).words.replace(made.HOSTILE_WORDS, "")
        assert not re.search(r"\*\w|\w\*|`|\]\(", own)


def test_a_small_group_is_not_printed(packs: Callable[..., LocalPack]) -> None:
    pack = packs("E23000002")

    # 30 are the fewest that the rules compare: the group of 29 is neither shown nor counted
    assert [row.group_figures.value for row in pack.tables["all_disparities"]] == ["12 of 30 (40.0%)"]
    assert pack.chance_note.startswith("2 comparisons were made; 1 came out worse.")


def test_hostile_text_is_text_in_every_file(folder: Path) -> None:
    for code in ("E23000002", "E23000028"):
        reading = page(folder, code)
        assert made.HOSTILE_WORDS in reading.words
        assert not {"script", "iframe", "object", "form"} & set(reading.elements)
        assert not [name for name, _ in reading.attributes if name.startswith("on") or name == "style"]
        assert not [
            value
            for name, value in reading.attributes
            if name in ("href", "src") and "javascript" in str(value)
        ]
        assert "\u202e" not in (folder / f"{code}.html").read_text(encoding="utf-8")

        text = " ".join(" ".join(one.extract_text() for one in pdf(folder, code).pages).split())
        assert "<script>alert(1)</script> {{ 7*7 }}" in text
        assert "49" not in text.split("{{ 7*7 }}")[1][:20]

        cells = [cell for rows in sheets(folder, code).values() for row in rows for cell in row]
        # an apostrophe keeps a spreadsheet from running it
        assert f"'{made.HOSTILE_WORDS}" in cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_every_page_of_paper_is_marked_and_everybody_can_follow_it(folder: Path) -> None:
    for code in ("BTP", "E23000002"):
        document = pdf(folder, code)
        for one in document.pages:
            assert one.extract_text().count("OFFICIAL-SENSITIVE") >= 2
        root: Any = document.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/StructTreeRoot"]
        assert root["/Lang"] == "en-GB"
        assert "local pack" in str(document.metadata.title if document.metadata else "")
        titles = [str(entry.title) for entry in document.outline[0:] if not isinstance(entry, list)]
        assert titles
    reading = page(folder, "E23000002")
    assert reading.words.count("OFFICIAL-SENSITIVE") >= 2
    assert "b0123456789abcdef" in reading.words
    assert "link" not in reading.elements


def test_a_national_force_has_no_like_areas_and_says_so(folder: Path) -> None:
    words = page(folder, "BTP").words
    assert "National forces have no like areas" in words
    # the Code's standard is all of them: 4,000 - 1,236 = 2,764
    assert "The Code's standard is 100.0%: 2,764 victims short of it." in words
    assert "achievable rate is" not in words


def test_what_the_statistics_recommend_is_recorded_at_the_final_stage_only(
    packs: Callable[..., LocalPack],
) -> None:
    [before] = packs("E23000002", PROVISIONAL).tables["results"]
    [after] = packs("E23000002", FINAL).tables["results"]

    assert before.recorded.value.startswith("not yet")
    assert after.recorded == "yes, in the register"


def test_what_the_review_said_is_in_the_final_pack_only(packs: Callable[..., LocalPack]) -> None:
    def told(provenance: Provenance) -> list[str]:
        return [row.text.value for row in packs("E23000002", provenance).tables["review"]]

    assert told(PROVISIONAL) == []
    assert told(FINAL) == ["Recording is late at weekends."]


def test_good_practice_is_that_of_others(packs: Callable[..., LocalPack]) -> None:
    [practice] = packs("E23000002", FINAL).tables["practice"]
    assert practice.text == made.HOSTILE_WORDS
    assert not len(packs("E23000028", FINAL).tables["practice"])


def test_the_narrative_comes_with_the_release(folder: Path) -> None:
    assert "which is announced for 18 December 2025" in page(folder, "E23000002").words
    assert not list(folder.glob("*-narrative.html"))


def test_the_same_warehouse_gives_the_same_bytes(warehouse: Path, folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    summary = build_local_packs(warehouse, made.PERIOD, "provisional", PROVISIONAL, folder)

    assert not summary.changed
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_pack_of_another_stage_than_its_provenance_is_refused(warehouse: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give both the same"):
        build_local_packs(warehouse, made.PERIOD, "final", PROVISIONAL, tmp_path / "packs")
    with pytest.raises(ValueError, match="No local figure for 2025-26-Q3"):
        other = Provenance("2025-26-Q3", LABEL, "final", "b0123456789abcdef")
        build_local_packs(warehouse, "2025-26-Q3", "final", other, tmp_path / "packs")
    assert not (tmp_path / "packs").exists()


def test_high_compliance_is_named_and_does_not_need_a_flag(packs: Callable[..., LocalPack]) -> None:
    pack = packs("E23000028")
    assert pack.compare[0].startswith("1 statistic could be tested against like areas: 1 stands out as high")
    assert [row.item_id.value for row in pack.tables["high"]] == [made.RECORDED]


def test_a_measure_of_which_less_is_better_is_read_that_way(mart_tables: ModuleType, tmp_path: Path) -> None:
    """Concerns met by 80 of 100 where like areas have 50%: worse by its whole interval, and nobody "answered well"."""

    def concerns(good: int, **changes: Any) -> dict[str, Any]:
        return dict(
            made.benchmark(made.CUMBRIA), information="feedback", item_id="r11_f02", polarity="lower",
            right_number=11, good_count=good, base_count=100, good_rate=good / 100, rate_lower=good / 100 - 0.09,
            rate_upper=good / 100 + 0.09, like_areas_rate=0.5, change_from_previous="no detectable change", **changes,
        )  # fmt: skip

    def group(value: str, good: int, disparity: str) -> dict[str, Any]:
        return made.breakdown(
            made.CUMBRIA, value, good, 60, item_id="r11_f02", information="feedback", polarity="lower",
            disparity=disparity, rest_good_count=50, rest_rate=0.5, rate_difference=good / 60 - 0.5,
            difference_lower=good / 60 - 0.6, difference_upper=good / 60 - 0.4,
        )  # fmt: skip

    marts = {
        **made.MARTS,
        "local_area_breakdowns": [group("B", 54, "higher"), group("W", 12, "lower")],
    }
    for name, good, is_asked in (("worse", 80, True), ("better", 20, False)):
        marts["local_area_benchmarks"] = [concerns(good)]
        path = mart_tables.create_warehouse(tmp_path / f"{name}.duckdb", marts, more_seeds=made.SEEDS)
        with open_warehouse(path) as connection:
            pack = local_pack(local_facts(connection, made.PERIOD), "E23000002", FINAL)
        asked = [question for question in pack.questions if "what do victims say is missing" in question.text]
        assert bool(asked) is is_asked
        assert all("lower is better" in one.basis and "answered well" not in one.basis for one in asked)
        (said,) = [row["measure"].value for row in pack.tables["feedback"]]
        assert said == "Concerns or difficulties met (lower is better)"
        (worse,) = pack.tables["all_disparities"]
        assert worse["group_figures"].value == "54 of 60 (90.0%)"


def test_one_measure_counted_in_two_ways_is_drawn_twice(mart_tables: ModuleType, tmp_path: Path) -> None:
    marts = {
        **made.MARTS,
        "local_area_benchmarks": [
            made.benchmark(made.CUMBRIA, sampling_frame=frame, collection_mode=mode)
            for frame, mode in (("all_cases", "census"), ("finalised_cases", "census"), ("all_cases", "random_sample"))
        ],
    }  # fmt: skip
    path = mart_tables.create_warehouse(tmp_path / "two.duckdb", marts, more_seeds=made.SEEDS)
    with open_warehouse(path) as connection:
        pack = local_pack(local_facts(connection, made.PERIOD), "E23000002", FINAL)
    names = [row["measure"].value for row in pack.tables["chart_police"]]
    assert len(set(names)) == 3 and "Crimes recorded within 24 hours (random sample)" in names

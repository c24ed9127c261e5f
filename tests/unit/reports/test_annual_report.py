"""The annual report: its figures by hand, the forums' activity by brute force, and what a draft may not look like."""

from __future__ import annotations

import datetime as dt
import io
import random
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any
from xml.dom import minidom

import duckdb
import pypdf
import pytest
import tinyhtml5
from annual_sources import LABELS, QUARTERS, STATES, Event, published, warehouse
from scipy.stats import binomtest

from reports.annual_report import (
    DRAFT,
    AnnualReport,
    AnnualReportError,
    Quarter,
    annual_report_of,
    build_annual_report,
    public_files,
    read_annual_report,
    report_pages,
)
from reports.engine.rows import Rows
from reports.forum_activity import ForumActivity, forum_activity
from reports.published import LOCKED

DAY = dt.date
RECORDED_FROM = DAY(2026, 1, 1)
LAID = DAY(2026, 11, 20)
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}{% raw %} =1+1 **b** ![x](http://e.example/x.png) \u202egnp"
SHOWN = HOSTILE.replace("\u202e", "\ufffd")

EVENTS: list[Event] = [
    ("a", 1, DAY(2025, 12, 1), "detected"),
    ("a", 2, DAY(2026, 1, 10), "local_action"),
    ("a", 3, DAY(2026, 2, 12), "escalated_to_board"),
    ("a", 4, DAY(2026, 3, 17), "escalated_to_taskforce"),
    ("a", 5, DAY(2026, 4, 21), "commissioner_consulted"),
    ("a", 6, DAY(2026, 5, 20), "notice_published"),
    ("b", 1, DAY(2025, 5, 1), "detected"),
    ("b", 2, DAY(2026, 6, 24), "closed"),
    ("c", 1, DAY(2026, 3, 2), "detected"),
    ("c", 2, DAY(2026, 3, 12), "data_error"),
    ("d", 1, DAY(2026, 3, 2), "detected"),
    ("d", 2, DAY(2026, 6, 30), "escalated_to_board"),
    ("d", 3, DAY(2026, 6, 30), "commissioner_consulted"),
    ("e", 1, DAY(2026, 7, 1), "detected"),
]
MEETINGS = [
    ("programme_board", DAY(2026, 2, 12), "2025-26-Q2", 3, 2),
    ("programme_board", DAY(2026, 3, 17), "2025-26-Q2", 4, 1),
    ("taskforce", DAY(2026, 6, 16), "2025-26-Q3", 5, 0),
    ("taskforce", DAY(2026, 7, 16), "2025-26-Q4", 5, 0),
]
NOTICES = [("N2026-01", "a", DAY(2026, 5, 20), None), ("N2026-02", "d", None, None)]


def configured(**changes: Any) -> AnnualReport:
    values: dict[str, Any] = {
        "from_quarter": "2025-26-Q2", "languages": ["en"], "title": {"en": "Annual report"},
        "foreword": {"en": "First part.\n\nSecond part."},
    }  # fmt: skip
    return annual_report_of(values | changes)


def laid(**changes: Any) -> AnnualReport:
    return configured(laid_on=LAID, paper_number="HC 123", **changes)


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("annual") / "build.duckdb"
    return warehouse(path, events=EVENTS, meetings=MEETINGS, notices=NOTICES)


Page = Callable[..., Any]


@pytest.fixture(scope="module")
def page_of(register: Path) -> Page:
    def make(
        configuration: AnnualReport | None = None, *, is_draft: bool = True, build: Path = register, **of: Any
    ) -> Any:
        pages = report_pages(
            published(**of), build, configuration or configured(), build_id="b1",
            meetings_recorded_from=RECORDED_FROM, is_draft=is_draft,
        )  # fmt: skip
        return tinyhtml5.parse(pages["en"], namespace_html_elements=False)

    return make


@pytest.fixture(scope="module")
def page(page_of: Page) -> Any:
    return page_of()


def text_of(element: Any) -> str:
    """What a reader reads: nothing of style sheets."""
    for style in [*element.iter("style")]:
        style.text = ""
    return " ".join("".join(element.itertext()).split())


def table(page: Any, caption: str) -> list[dict[str, str]]:
    """The rows of a table as heading -> text."""
    (found,) = [
        each
        for each in page.iter("table")
        if (said := each.find("caption")) is not None and caption in "".join(said.itertext())
    ]
    header, *rows = (["".join(cell.itertext()).strip() for cell in row] for row in found.iter("tr"))
    return [dict(zip(header, row, strict=True)) for row in rows]


# --- figures -----------------------------------------------------------------------------------------------


def test_the_year_adds_up_the_four_quarters_and_its_interval_is_wilsons(page: Any) -> None:
    (first, second) = table(page, "Right 2: rates")
    assert first["Measure"] == "Crimes recorded in time" and first["Body"] == "Police force"
    assert [first[each] for each in ("1st", "2nd", "3rd", "4th")] == ["60%", "65%", "70%", "75%"]
    # 60 + 65 + 70 + 75 = 270 of 400, 67.5%
    assert (first["Cases"], first["Year"]) == ("400", "68%")
    bounds = binomtest(270, 400).proportion_ci(method="wilson")
    assert (
        first["95% interval"] == f"{int(100 * bounds.low)}% to {int(100 * bounds.high) + 1}%" == "62% to 72%"
    )
    assert second["Year"] == "51%" and second["Areas shown"] == "40 of 43"  # 202 of 400, 50.5%


def test_where_a_quarter_is_withheld_the_year_is_not_given(page: Any) -> None:
    (row,) = table(page, "Right 3: rates")
    assert [row[each] for each in ("1st", "2nd", "3rd", "4th")] == ["80%", "[c]", "80%", "40%"]
    assert row["Year"] == row["Cases"] == row["95% interval"] == "[c]"
    # of the four series that say how often a right was met: two whole, one in part, one not at all
    assert "whole twelve months can be given for 2 of 4 series" in text_of(page)
    assert "1 more series of this right had no national figure" in text_of(page)


def test_changes_within_the_year_are_those_that_chance_does_not_explain(page: Any) -> None:
    # 60 to 75 of 100: z = 0.15 / sqrt(0.675 * 0.325 * 2 / 100) = 2.26. 80 to 40: z = 5.77. 50 to 52: 0.28.
    # What is context is not tested, though it went from 10% to 90%.
    assert [
        (row["Measure"], row["Change"], row["In words"]) for row in table(page, "Changes from the first")
    ] == [
        ("Crimes recorded in time", "+15 points", "higher"),
        ("Confirmed in writing", "-40 points", "lower"),
    ]
    assert (
        "Of 3 series with a figure at both ends of the year, 1 ended higher, 1 lower, and 1 show"
        in text_of(page)
    )
    assert "about 0.2 of them" in text_of(page)  # 3 tests at 5%


def test_feedback_delivery_quality_and_notices_are_as_published(page: Any) -> None:
    (said,) = table(page, "Victims' feedback")
    assert (said["Good"], said["95% interval"], said["Answers"]) == ("61%", "58% to 64%", "1,000")
    assert "April 2025 to March 2026" in text_of(page)
    (right,) = table(page, "Delivery items by grade")
    # of the last quarter: what does not apply there is no item
    assert right == {"Right": "Right 2", "Items": "5", "In use and reviewed": "2", "In use": "1", "Drafted": "0",
                     "Absent": "1", "Not submitted": "1"}  # fmt: skip
    quality = table(page, "Local figures on compliance")
    assert [row["Quarter"] for row in quality] == [LABELS[quarter] for quarter in QUARTERS]
    assert all(row["Expected"] == "100" and row["Shown"] == "86" for row in quality)  # 80 + 3 + 2 + 1
    text = text_of(page)
    assert "Notice N2026-01: Commissioner" in text and "Closed on 1 June 2026" in text
    assert "N2025-01" not in text  # published the day before these months begin


def test_a_quarter_without_a_release_is_said_and_not_averaged_over(page_of: Page, page: Any) -> None:
    assert "Not all four quarters are published" not in text_of(page)
    short = page_of(without=["2025-26-Q4"])
    assert "Not all four quarters are published. No release covers January to March 2026" in text_of(short)
    (first, _) = table(short, "Right 2: rates")
    assert [first[each] for each in ("1st", "2nd", "3rd", "4th")] == ["60%", "65%", "[x]", "75%"]
    assert first["Year"] == first["Cases"] == first["95% interval"] == "[x]"
    releases = {row["Quarter"]: row["Release"] for row in table(short, "Releases of the four quarters")}
    assert releases[LABELS["2025-26-Q4"]] == "not published" and len(releases) == 4
    assert "No release of these quarters holds victims' feedback." in text_of(short)
    with pytest.raises(AnnualReportError, match="No quarter of July 2025 to June 2026 is published"):
        page_of(without=QUARTERS)


# --- what the forums did -----------------------------------------------------------------------------------


def activity_of(path: Path, recorded_from: dt.date = RECORDED_FROM) -> ForumActivity:
    with duckdb.connect(str(path), read_only=True, config=LOCKED) as con:
        return forum_activity(
            con, DAY(2025, 7, 1), DAY(2026, 6, 30), recorded_from=recorded_from,
            period_labels={"2025-26-Q2": "July to September 2025"},
        )  # fmt: skip


def listed(rows: Rows) -> list[tuple[Any, ...]]:
    return [tuple(cell.value for cell in row.values()) for row in rows]


def test_the_forums_activity_by_hand(register: Path) -> None:
    found = activity_of(register)
    (counts,) = found.counts
    assert {name: cell.value for name, cell in counts.items()} == {
        "open_at_start": 1, "opened": 3, "opened_again": 0, "data_errors": 1, "closed": 1, "open_at_end": 2,
        "to_local_action": 1, "to_board": 2, "to_taskforce": 1, "notices_published": 1, "notices_closed": 0,
    }  # fmt: skip
    assert listed(found.forums) == [("Programme Board", 2, 3, None), ("Ministerial Taskforce", 1, 0, None)]
    # 1 December to 12 February is 73 days, to 17 March 106; 2 March to 30 June 120
    assert listed(found.times) == [
        ("Escalated to board", 2, 73, 96.5, 120), ("Escalated to taskforce", 1, 106, 106.0, 106)
    ]  # fmt: skip
    assert listed(found.timeline) == [
        (DAY(2026, 2, 12), "Programme Board", "Meeting; reviewed July to September 2025", 3),
        (DAY(2026, 2, 12), "Case register", "Escalated to board", 1),
        (DAY(2026, 3, 17), "Programme Board", "Meeting; reviewed July to September 2025", 4),
        (DAY(2026, 3, 17), "Case register", "Escalated to taskforce", 1),
        (DAY(2026, 4, 21), "Case register", "Commissioner consulted", 1),
        (DAY(2026, 5, 20), "Case register", "Notice published", 1),
        (DAY(2026, 6, 16), "Ministerial Taskforce", "Meeting; reviewed 2025-26-Q3", 5),
        (DAY(2026, 6, 24), "Case register", "Closed", 1),
        # case d has no public notice: that the Commissioner was consulted about it is not told
        (DAY(2026, 6, 30), "Case register", "Escalated to board", 1),
    ]


def test_meetings_of_months_without_a_record_are_not_counted_as_none(register: Path, page_of: Page) -> None:
    later = activity_of(register, recorded_from=DAY(2026, 7, 1))
    assert [(row.meeting_count.value, row.meeting_count.shown("count")) for row in later.forums] == [
        (None, "[x]"), (None, "[x]")
    ]  # fmt: skip
    text = text_of(page_of())
    assert (
        "Meetings have been recorded since 1 January 2026. Meetings before that day are not counted." in text
    )
    assert (
        "The Programme Board met 2 times, the Ministerial Taskforce met 1 time from 1 January 2026 on" in text
    )


def test_what_no_final_build_has_recorded_does_not_count(tmp_path: Path) -> None:
    path = warehouse(tmp_path / "b.duckdb", events=EVENTS, unrecorded=[("c", 1)])
    counts = activity_of(path).counts[0]
    # the decision on case c found nothing open before it
    assert (counts.opened.value, counts.data_errors.value) == (2, 0)


def histories(seed: int) -> Iterator[Event]:
    """Cases that wander from state to state, some of them through their end and back."""
    draw = random.Random(seed)
    for number in range(60):
        day, state = DAY(2025, 3, 1) + dt.timedelta(days=draw.randrange(400)), "detected"
        for place in range(1, draw.randrange(2, 9)):
            yield f"case {number:02d}", place, day, state
            day += dt.timedelta(days=draw.randrange(90))
            choices = [each for each in STATES if each != state]
            state = draw.choice(choices) if STATES[state] else draw.choice(["detected", "reopened"])


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_are_those_of_walking_through_every_case(tmp_path: Path, seed: int) -> None:
    events = list(histories(seed))
    first, last = DAY(2025, 7, 1), DAY(2026, 6, 30)
    expected = dict.fromkeys(
        ("open_at_start", "opened", "opened_again", "data_errors", "closed", "open_at_end"), 0
    )
    days: dict[str, list[int]] = {"escalated_to_board": [], "escalated_to_taskforce": []}
    for case in sorted({event[0] for event in events}):
        is_open, at_start, at_end, detected = False, False, False, None
        for _, place, day, state in (event for event in events if event[0] == case):
            was_open, is_open = is_open, STATES[state]
            detected = day if state == "detected" else detected
            at_start = is_open if day < first else at_start
            at_end = is_open if day <= last else at_end
            if first <= day <= last:
                expected["opened"] += is_open and not was_open
                expected["opened_again"] += is_open and not was_open and place > 1
                if was_open and not is_open:
                    expected["data_errors" if state == "data_error" else "closed"] += 1
                if state in days and detected is not None:
                    days[state].append((day - detected).days)
        expected["open_at_start"] += at_start
        expected["open_at_end"] += at_end
    found = activity_of(warehouse(tmp_path / "b.duckdb", events=events))
    counts = {name: cell.value for name, cell in found.counts[0].items()}
    assert {name: counts[name] for name in expected} == expected
    assert min(expected.values()) > 0 and days["escalated_to_board"]  # the draw shows every kind
    assert (
        counts["open_at_end"]
        == counts["open_at_start"] + counts["opened"] - counts["data_errors"] - counts["closed"]
    )
    assert listed(found.times) == [
        (state.replace("_", " ").capitalize(), len(each), min(each), median(each), max(each))
        for state, each in sorted(days.items()) if each
    ]  # fmt: skip


# --- draft and laid, three formats -------------------------------------------------------------------------


def pdf_pages(content: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def odt_parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def xml_text(content: bytes) -> str:
    def walk(node: Any) -> str:
        own = node.data if node.nodeType == node.TEXT_NODE else ""
        gap = " " if getattr(node, "tagName", "") in ("text:s", "text:p", "text:line-break") else ""
        return own + gap + "".join(map(walk, node.childNodes))

    return " ".join(walk(minidom.parseString(content)).split())


def built(
    register: Path, out: Path, configuration: AnnualReport, today: dt.date, **of: Any
) -> dict[str, bytes]:
    made = build_annual_report(
        published(**of), register, configuration, build_id="b1", today=today,
        meetings_recorded_from=RECORDED_FROM, out=out,
    )  # fmt: skip
    assert made.folder == out / "2025-26-Q2_2026-27-Q1"
    return {path.suffix: path.read_bytes() for path in made.folder.iterdir()}


def test_a_draft_is_marked_on_every_page_and_what_is_laid_is_not(register: Path, tmp_path: Path) -> None:
    # laid, but not yet on the day before
    files = built(register, tmp_path, laid(), LAID - dt.timedelta(days=1))
    assert sorted(files) == [".html", ".odt", ".pdf"]
    assert text_of(tinyhtml5.parse(files[".html"].decode())).count(DRAFT) >= 3
    assert all(DRAFT in page for page in pdf_pages(files[".pdf"]))
    parts = odt_parts(files[".odt"])
    (header,) = minidom.parseString(parts["styles.xml"]).getElementsByTagName("style:header")
    assert header.firstChild.firstChild.data == DRAFT and DRAFT in xml_text(parts["meta.xml"])
    said = text_of(tinyhtml5.parse(files[".html"].decode()))
    for text in (said, " ".join(pdf_pages(files[".pdf"])), xml_text(parts["content.xml"])):
        assert "This is a draft. It has not been laid before Parliament" in text
        assert "Laid before Parliament on" not in text and "HC 123" not in text
    with pytest.raises(
        AnnualReportError, match="is to be laid on 20 November 2026; a draft is not published"
    ):
        public_files(published(), register, laid(), build_id="b1", today=LAID - dt.timedelta(days=1),
                     meetings_recorded_from=RECORDED_FROM)  # fmt: skip

    public = public_files(
        published(), register, laid(), build_id="b1", today=LAID, meetings_recorded_from=RECORDED_FROM
    )
    stem = "annual-report/2025-26-Q2-to-2026-27-Q1"
    assert sorted(public) == [f"{stem}.html", f"{stem}.odt", f"{stem}.pdf"]
    parts = odt_parts(public[f"{stem}.odt"])
    everything = [
        public[f"{stem}.html"].decode(),
        " ".join(pdf_pages(public[f"{stem}.pdf"])),
        *(part.decode() for name, part in parts.items() if name.endswith(".xml")),
    ]
    for text in everything:
        assert "OFFICIAL" not in text and "draft" not in text.lower().replace("drafted", "")
    assert "Laid before Parliament on 20 November 2026. Paper number HC 123." in everything[1]


def test_libreoffice_reads_the_odt_as_it_is_meant(register: Path, tmp_path: Path) -> None:
    files = built(register, tmp_path / "out", laid(), LAID)
    path = tmp_path / "report.odt"
    path.write_bytes(files[".odt"])
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "pdf:writer_pdf_Export:"
         '{"ExportBookmarks":{"type":"boolean","value":"true"}}', "--outdir", str(tmp_path), str(path)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    pdf = pypdf.PdfReader(tmp_path / "report.pdf")
    page = tinyhtml5.parse(files[".html"].decode(), namespace_html_elements=False)
    main = next(page.iter("main"))
    headings = [
        text_of(element)
        for element in main.iter()
        if element.tag in ("h1", "h2", "h3") and not text_of(element).startswith("What this document")
    ]
    assert headings and [title for title in titles_of(pdf.outline) if title in headings] == headings
    # cells of a row that break into lines come out of the PDF line by line, so words are compared
    said = set(" ".join(sheet.extract_text() for sheet in pdf.pages).split())
    for element in main.iter("table"):
        cells = [text_of(cell) for cell in element.iter() if cell.tag in ("th", "td")]
        words = {word for cell in cells for word in cell.split()}
        assert len(words) > 10 and words - said == set()


def titles_of(outline: Any) -> list[str]:
    """Titles of a PDF's bookmarks, in the order of the document."""
    found: list[str] = []
    for entry in outline:
        found += titles_of(entry) if isinstance(entry, list) else [" ".join(entry.title.split())]
    return found


def test_hostile_text_is_text_in_all_three_formats_and_the_bytes_are_the_same_twice(tmp_path: Path) -> None:
    register = warehouse(
        tmp_path / "b.duckdb", events=EVENTS, meetings=MEETINGS, notices=NOTICES,
        practice=[("R1", "B1", "best_practice", HOSTILE)],
    )  # fmt: skip
    chosen = [{"receipt_id": "R1", "insight_id": "B1", "agreed_on": DAY(2026, 8, 1)}]
    configuration = configured(
        title={"en": f"Report {HOSTILE}"}, foreword={"en": HOSTILE}, good_practice=chosen,
        areas_of_focus=[{"title": HOSTILE, "text": HOSTILE}],
    )  # fmt: skip
    files = built(register, tmp_path / "one", configuration, LAID, hostile=HOSTILE)
    assert built(register, tmp_path / "two", configuration, LAID, hostile=HOSTILE) == files
    root = tinyhtml5.parse(files[".html"].decode(), namespace_html_elements=False)
    assert not [*root.iter("script")]
    assert all(str(each.get("src")).startswith("data:") for each in root.iter("img"))
    parts = odt_parts(files[".odt"])
    content = minidom.parseString(parts["content.xml"])
    assert not content.getElementsByTagName("draw:object") and not content.getElementsByTagName("text:script")
    texts = {
        ".html": text_of(root),
        ".odt": xml_text(parts["content.xml"]),
        ".pdf": "".join("".join(pdf_pages(files[".pdf"])).split()),
    }
    for kind, text in texts.items():
        wanted = SHOWN if kind != ".pdf" else "".join(SHOWN.replace("\ufffd", "").split())
        found = text if kind != ".pdf" else text.replace("\ufffd", "")
        # title, foreword, focus twice, practice, measure, notice twice
        assert found.count(wanted) >= 8, (kind, found.count(wanted))
        assert "\u202e" not in text
    # nothing of the file tells when it was made: the newest release is of 15 April 2026
    with zipfile.ZipFile(io.BytesIO(files[".odt"])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 4, 15, 0, 0, 0)}
    assert "/2026/" not in str(pypdf.PdfReader(io.BytesIO(files[".pdf"])).metadata)
    assert "20260415" in str(pypdf.PdfReader(io.BytesIO(files[".pdf"])).metadata)


def test_no_word_of_a_case_or_a_meeting_reaches_the_report(page: Any) -> None:
    assert "Names a body that is not public" not in text_of(page)


# --- what people decide ------------------------------------------------------------------------------------


def test_good_practice_and_focus_come_from_people_alone(tmp_path: Path, page_of: Page) -> None:
    build = warehouse(
        tmp_path / "b.duckdb",
        practice=[
            ("R1", "B1", "best_practice", "Letters are read aloud."),
            ("R1", "B2", "action", "Not this."),
        ],
    )
    text = text_of(page_of(build=build))
    assert "None has been chosen." in text and "have not been decided yet" in text
    assert "Letters are read aloud" not in text
    chosen = {"receipt_id": "R1", "insight_id": "B1", "agreed_on": DAY(2026, 8, 1)}
    text = text_of(page_of(configured(good_practice=[chosen]), build=build))
    assert "Letters are read aloud. (Commissioner for Kent, about Kent, right 4)" in text
    for wrong in ({"insight_id": "B2"}, {"receipt_id": "R2"}):
        with pytest.raises(AnnualReportError, match="is no good practice of a return that stands"):
            page_of(configured(good_practice=[chosen | wrong]), build=build)


def test_the_configuration_of_the_project_is_a_draft() -> None:
    configuration = read_annual_report()
    assert configuration.laid_on is None and not configuration.is_laid(DAY(2999, 1, 1))
    assert configuration.good_practice == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"from_quarter": "2025-26-Q5"}, "'2025-26-Q5' is no quarter"),
        ({"from_quarter": "2025-27-Q1"}, "is no quarter"),
        ({"laid_on": DAY(2026, 6, 30), "paper_number": "HC 1"}, "laid_on: 30 June 2026 is before the end"),
        ({"laid_on": "2026-11-20"}, "laid_on: expected a day"),
        ({"laid_on": LAID}, "paper_number: a report that is laid has one"),
        ({"laid_on": LAID, "paper_number": "HC 1", "foreword": {"en": None}}, "foreword: .* write it in en"),
        ({"languages": ["en", "cy"]}, "write annual_report.cy.md"),
        ({"languages": ["fr"]}, "'fr' is none of en, cy"),
        ({"title": {}}, "title: en: is missing"),
        ({"titel": {}}, "no key 'titel'"),
        ({"areas_of_focus": [{"title": "Letters"}]}, "areas_of_focus, entry 1, text: is missing"),
        ({"good_practice": [{"receipt_id": "R1", "insight_id": "B1"}]}, "entry 1, agreed_on: is missing"),
    ],
)
def test_a_configuration_that_does_not_hold_together_is_refused(changes: dict[str, Any], said: str) -> None:
    configured()
    with pytest.raises(AnnualReportError, match=said):
        configured(**changes)


@pytest.mark.parametrize(
    ("first", "last", "days", "years"),
    [
        ("2025-26-Q1", "2025-26-Q4", ("2025-04-01", "2026-03-31"), "2025-26"),
        ("2025-26-Q2", "2026-27-Q1", ("2025-07-01", "2026-06-30"), "2025-26-Q2-to-2026-27-Q1"),
        ("2025-26-Q3", "2026-27-Q2", ("2025-10-01", "2026-09-30"), "2025-26-Q3-to-2026-27-Q2"),
        ("2099-00-Q4", "2100-01-Q3", None, ""),
        ("2027-28-Q4", "2028-29-Q3", ("2028-01-01", "2028-12-31"), "2027-28-Q4-to-2028-29-Q3"),
    ],
)
def test_any_four_quarters_make_twelve_months(
    first: str, last: str, days: tuple[str, str] | None, years: str
) -> None:
    if days is None:
        with pytest.raises(AnnualReportError):
            configured(from_quarter=first)
        return
    configuration = configured(from_quarter=first)
    assert configuration.quarters[-1].period_code == last and configuration.years == years
    assert (configuration.first_day.isoformat(), configuration.last_day.isoformat()) == days
    for before, after in zip(configuration.quarters, configuration.quarters[1:], strict=False):
        assert after.first_day - before.last_day == dt.timedelta(days=1)
    assert Quarter.of("2025-26-Q4").label == LABELS["2025-26-Q4"]

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reports.packs.board import PAGES, PackError, build_board_pack
from reports.packs.provenance import Provenance
from reports.packs.taskforce import PAGE_ROWS, build_taskforce_pack

PERIOD, BEFORE = "2025-26-Q2", "2025-26-Q1"
PROVENANCE = Provenance(PERIOD, "July to September 2025 (2025/26 Q2)", "final", "b0123456789abcdef")
ESSEX, KENT, CUMBRIA = ("E23000028", "Essex"), ("E23000032", "Kent"), ("E23000002", "Cumbria")
SEEDS = (
    "areas",
    "benchmark_rules",
    "case_states",
    "case_transitions",
    "characteristics",
    "crime_types",
    "senders",
)
#: HTML, markdown, jinja, a formula, and a sign that turns round what follows.
HOSTILE = "=1+1 <script>alert(1)</script> **bold** {{ 7 * 7 }} \u202eabc"

Make = Callable[..., Path]


@pytest.fixture
def without_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what a page says: no PDF is drawn."""
    monkeypatch.setattr("reports.packs.board.pdf_of", lambda html: b"")


def marts_of_pages() -> set[str]:
    """Every mart that the pages of the packs read."""
    return {
        mart
        for page in ("board.md", "taskforce.md")
        for mart in re.findall(r"\bmarts\.([a-z_]+)", (PAGES / page).read_text(encoding="utf-8"))
    }


@pytest.fixture
def make(tmp_path: Path, mart_tables: ModuleType) -> Make:
    """A warehouse with the marts of the packs, empty but for what is given, and the reference data."""

    def made(**marts: list[dict[str, Any]]) -> Path:
        tables = {name: marts.get(name, []) for name in marts_of_pages()}
        if not tables["oversight_persistence"]:
            tables["oversight_persistence"] = [state(ESSEX, 1, "CLEAR", "NOT_MET")]
        path: Path = mart_tables.create_warehouse(tmp_path / "build.duckdb", tables, more_seeds=SEEDS)
        return path

    return made


def state(area: tuple[str, str], right: int, result: str, condition: str, **changes: Any) -> dict[str, Any]:
    return {
        "body_kind": "police",
        "pfa_code": area[0],
        "area_name": area[1],
        "right_number": right,
        "right_title": f"Title {right}",
        "period_code": PERIOD,
        "quarter_index": 8101,
        "result": result,
        "state": condition,
        "rule_version": 0,
        **changes,
    }


def case(number: int, area: tuple[str, str], right: int, case_state: str, **changes: Any) -> dict[str, Any]:
    names = {
        "detected": "Detected",
        "data_check": "Data check with the body",
        "confirmed": "Confirmed",
        "local_action": "Local action",
        "escalated_to_board": "Escalated to the Programme Board",
        "escalated_to_taskforce": "Escalated to the Ministerial Taskforce",
        "commissioner_consulted": "Victims' Commissioner consulted",
        "notice_agreed": "Notice agreed by both ministers",
        "plan_due": "Plan due",
        "plan_published": "Plan published",
        "reopened": "Reopened",
        "closed": "Closed",
    }
    return {
        "case_id": f"{number:016x}",
        "body_kind": "police",
        "pfa_code": area[0],
        "area_name": area[1],
        "right_number": right,
        "right_title": f"Title {right}",
        "first_period_code": BEFORE,
        "opened_period_code": PERIOD,
        "case_state": case_state,
        "state_name": names[case_state],
        "state_since_on": dt.date(2025, 11, 12),
        "is_open": case_state != "closed",
        "is_eligible_to_close": False,
        "reopened_count": 0,
        "latest_result": "SEVERE_PERSISTENT",
        **changes,
    }


def event(number: int, area: tuple[str, str], right: int, to_state: str, **changes: Any) -> dict[str, Any]:
    return {
        "case_id": f"{number:016x}",
        "event_number": 1,
        "body_kind": "police",
        "pfa_code": area[0],
        "right_number": right,
        "set_by": "decision",
        "occurred_on": dt.date(2025, 11, 20),
        "to_state": to_state,
        "state_name": to_state,
        "decided_by_role": "programme_board",
        "event_reason": "Why",
        **changes,
    }


def figure(
    area: tuple[str, str], good: int, base: int, like_good: int, like_base: int, **changes: Any
) -> dict[str, Any]:
    rate, like = good / base, like_good / like_base
    return {
        "body_kind": "police",
        "pfa_code": area[0],
        "area_name": area[1],
        "information": "statistic",
        "item_id": "r02_s01_recorded_24h",
        "period_code": PERIOD,
        "quarter_index": 8101,
        "right_number": 2,
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "polarity": "higher",
        "good_count": good,
        "base_count": base,
        "good_rate": rate,
        "rate_lower": max(rate - 0.02, 0),
        "rate_upper": min(rate + 0.02, 1),
        "like_areas_good_count": like_good,
        "like_areas_base_count": like_base,
        "like_areas_rate": like,
        "like_areas_gap": max(-((good * like_base - base * like_good) // like_base), 0),
        "gap_to_peers": like - rate,
        "z_score": -4.0 if rate < like else 4.0,
        "is_high_compliance": rate > like,
        **changes,
    }


def s2(area: tuple[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "body_kind": "police",
        "pfa_code": area[0],
        "right_number": 2,
        "period_code": PERIOD,
        "indicator": "S2",
        "item_id": "r02_s01_recorded_24h",
        "item_definition": "Crimes recorded within 24 hours",
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "is_assessable": True,
        "is_met": True,
        "is_watch": False,
        "good_count": 1,
        "base_count": 2,
        "rate": 0.5,
        **changes,
    }


def tables(html: str) -> dict[str, list[list[str]]]:
    """Caption of each table -> its rows of text."""
    found = {}
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        caption = re.search(r"<caption[^>]*>(.*?)</caption>", table, re.DOTALL)
        assert caption
        body = table.partition("<tbody")[2]
        found[re.sub(r"<[^>]+>", "", caption[1]).strip()] = [
            [
                " ".join(re.sub(r"<[^>]+>", "", cell).split())
                for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
            ]
            for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        ]
    return found


def read(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def pdf_pages(path: Path) -> list[str]:
    from pypdf import PdfReader

    return [page.extract_text() for page in PdfReader(io.BytesIO(path.read_bytes())).pages]


BOARD_TABLES = {
    "decide": "Cases whose next step is the Board's, by due date",
    "reopened": "Cases severe again after they were closed",
    "close": "Cases with enough quarters without a severe indicator; closing is a decision",
    "new": "Detected by statistics; the next step opens the check of the data with the body",
    "note": "Open cases that wait for another decision",
}


@pytest.mark.usefixtures("without_pdf")
def test_what_the_board_is_asked_is_what_only_it_may_decide(make: Make, tmp_path: Path) -> None:
    """By case_transitions: data_check, confirmed, local_action and escalated_to_board are the Board's alone."""
    due = dt.date(2025, 12, 1)
    cases = [
        case(1, ESSEX, 1, "detected"),
        case(2, ESSEX, 2, "data_check", next_due_on=dt.date(2025, 12, 9)),
        case(3, ESSEX, 3, "confirmed"),
        case(4, KENT, 4, "local_action", next_due_on=due, is_overdue=True),
        case(5, KENT, 5, "escalated_to_board"),
        case(6, KENT, 6, "escalated_to_taskforce"),
        case(7, KENT, 7, "notice_agreed"),
        case(8, CUMBRIA, 8, "plan_due"),
        case(9, CUMBRIA, 9, "local_action", is_eligible_to_close=True),
        case(10, CUMBRIA, 10, "plan_published", is_eligible_to_close=True),
        case(11, CUMBRIA, 11, "reopened", reopened_count=1),
        case(12, ESSEX, 12, "data_check", reopened_count=1),
        case(13, ESSEX, 11, "closed"),
    ]
    places = {(row["pfa_code"], row["area_name"]) for row in cases}
    warehouse = make(
        oversight_cases=cases,
        oversight_case_events=[event(1, ESSEX, 1, "detected", set_by="statistics", decided_by_role=None)],
        oversight_persistence=[state(place, 1, "CLEAR", "NOT_MET") for place in sorted(places)],
    )
    summary = build_board_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "out")
    found = tables(read(tmp_path / "out", "programme-board.html").replace("&#39;", "'"))

    def listed(group: str) -> list[tuple[str, str]]:
        return [(row[0].split(",")[0], row[1]) for row in found[BOARD_TABLES[group]]]

    # by due date: 1 December, 9 December, then those without one
    assert listed("decide") == [("Kent", "4"), ("Essex", "2"), ("Essex", "3"), ("Kent", "5")]
    assert set(listed("reopened")) == {("Cumbria", "11"), ("Essex", "12")}
    assert listed("close") == [("Cumbria", "9")]
    assert listed("new") == [("Essex", "1")]
    assert set(listed("note")) == {("Kent", "6"), ("Kent", "7"), ("Cumbria", "8"), ("Cumbria", "10")}
    assert summary.decisions == 7
    assert "(overdue)" in " ".join(found[BOARD_TABLES["decide"]][0])
    # an eligible case after a notice is closed by both ministers, not by the Board
    assert next(row for row in found[BOARD_TABLES["note"]] if row[1] == "10")[2] == "both ministers"


@pytest.mark.usefixtures("without_pdf")
def test_the_five_largest_gaps_in_victims_by_hand(make: Make, tmp_path: Path) -> None:
    # like areas 8,000 of 10,000: 80%. Gap ceil(0.8 n - x), surplus floor(x - 0.8 n).
    areas = [(f"E230000{n:02}", f"Place {n}") for n in (2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)]
    low = {
        0: (50, 100, 30),
        1: (100, 1000, 700),
        2: (700, 1000, 100),
        3: (6, 11, 3),
        4: (1, 10, 7),
        5: (10, 100, 70),
    }
    high = {6: (99, 100, 19), 7: (951, 1001, 150), 8: (10, 10, 2)}
    figures = [figure(areas[place], x, n, 8000, 10000) for place, (x, n, _) in (low | high).items()]
    # a larger gap that is no more than ordinary: neither met nor on watch
    figures.append(figure(areas[9], 70_000, 100_000, 8000, 10000, z_score=-1.0))
    figures.append(figure(areas[10], 89_000, 100_000, 8000, 10000, z_score=1.0, is_high_compliance=False))
    # answers of victims are not tested against like areas
    figures.append(figure(areas[11], 1, 10_000, 8000, 10000, information="feedback", item_id="r02_f01"))
    tests = [s2(areas[place], is_met=place % 2 == 0, is_watch=place % 2 == 1) for place in low]
    tests.append(s2(areas[9], is_met=False))
    warehouse = make(
        local_area_benchmarks=figures,
        oversight_indicators=tests,
        oversight_persistence=[state(area, 2, "CLEAR", "NOT_MET") for area in areas],
    )
    build_board_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "out")
    found = tables(read(tmp_path / "out", "programme-board.html"))
    lowest = found["Low: victims who would have had their right at the rate of the like areas"]
    highest = found["High: victims who had their right beyond the rate of the like areas"]
    expected = sorted((gap for _, _, gap in low.values()), reverse=True)[:5]
    assert [int(row[7]) for row in lowest] == expected == [700, 100, 70, 30, 7]
    assert [row[0].split(",")[0] for row in lowest] == ["Place 3", "Place 5", "Place 8", "Place 2", "Place 7"]
    assert [int(row[7]) for row in highest] == [150, 19, 2]
    assert [row[3] for row in highest] == ["951 of 1,001", "99 of 100", "10 of 10"]


def test_too_early_or_for_another_quarter_is_refused(make: Make, tmp_path: Path) -> None:
    provisional = Provenance(PERIOD, "July to September 2025", "provisional", "b0123456789abcdef")
    other = Provenance(BEFORE, "April to June 2025", "final", "b0123456789abcdef")
    for build in (build_board_pack, build_taskforce_pack):
        with pytest.raises(PackError, match="final stage"):
            build(tmp_path / "none.duckdb", PERIOD, provisional, tmp_path / "out")
        with pytest.raises(PackError, match=BEFORE):
            build(tmp_path / "none.duckdb", PERIOD, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def taskforce_marts(count: int, text: str = "A plan without dates.") -> Mapping[str, list[dict[str, Any]]]:
    """`count` cases at each stage that ministers see, and as many open notices."""
    from itertools import count as numbers

    number, areas = numbers(1), [ESSEX, KENT, CUMBRIA]
    cases, events, notices = [], [], []
    for place in range(count):
        area = areas[place % 3]
        for right, stage in enumerate(
            ("escalated_to_taskforce", "commissioner_consulted", "notice_agreed"), 1
        ):
            key = next(number)
            cases.append(case(key, area, right, stage))
            events.append(event(key, area, right, stage, event_reason=text))
            if stage == "notice_agreed":
                notices.append(notice(f"N2025-{place + 10}", key, area, right, text))
        key = next(number)
        cases.append(
            case(key, area, 4, "plan_published", is_eligible_to_close=True, notice_ids=f"N2025-{place + 50}")
        )
        published = {
            "published_on": dt.date(2025, 10, 1),
            "notice_status": "plan_due",
            "plan_due_on": dt.date(2025, 12, 1),
        }
        notices.append(notice(f"N2025-{place + 50}", key, area, 4, text, **published))
        key = next(number)
        cases.append(case(key, area, 5, "closed"))
        events.append(event(key, area, 5, "closed", event_reason=text))
    return {
        "oversight_cases": cases,
        "oversight_case_events": events,
        "oversight_notices": notices,
        "oversight_persistence": [state(area, 1, "CLEAR", "NOT_MET") for area in areas],
    }


def notice(
    notice_id: str, key: int, area: tuple[str, str], right: int, text: str, **changes: Any
) -> dict[str, Any]:
    return {
        "notice_id": notice_id,
        "case_id": f"{key:016x}",
        "body_kind": "police",
        "pfa_code": area[0],
        "area_name": area[1],
        "right_number": right,
        "right_title": f"Title {right}",
        "notice_scope": "single",
        "recipient_code": f"{area[0]}-lpb",
        "recipient_name": f"Commissioner for {area[1]}",
        "copied_to": f"{area[0]}-police",
        "summary": text,
        "request": text,
        "sos_agreed_on": dt.date(2025, 11, 3),
        "ag_agreed_on": dt.date(2025, 11, 4),
        "vc_consulted_on": dt.date(2025, 10, 2),
        **changes,
    }


def test_ministers_read_two_pages(make: Make, tmp_path: Path) -> None:
    build_taskforce_pack(make(**taskforce_marts(1)), PERIOD, PROVENANCE, tmp_path / "out")
    pages = pdf_pages(tmp_path / "out" / "ministerial-taskforce.pdf")
    assert len(pages) == 2
    assert "Decisions sought" in pages[0] and "Draft notices" in pages[0]
    assert "Closures" in pages[1] and "Plans due" in pages[1]
    assert all("OFFICIAL-SENSITIVE" in page for page in pages)


def test_many_cases_go_on_in_an_annex(make: Make, tmp_path: Path) -> None:
    long = "The plan says nothing of who does what by when, nor how anybody would know. " * 12
    build_taskforce_pack(make(**taskforce_marts(5, long)), PERIOD, PROVENANCE, tmp_path / "out")
    pages = pdf_pages(tmp_path / "out" / "ministerial-taskforce.pdf")
    assert len(pages) > 2
    assert [number for number, page in enumerate(pages, 1) if "\nAnnex\n" in f"\n{page}\n"] == [3]
    assert "Closures" in pages[1] and "Plans due" in pages[1]
    # 5 escalated and 5 consulted wait for ministers; 5 agreed wait to be published
    assert f"{10 - PAGE_ROWS} more stand in the annex" in " ".join(pages[0].split())
    found = tables(read(tmp_path / "out", "ministerial-taskforce.html"))
    assert len(found["Annex: decisions sought"]) == 10
    assert len(found["Annex: DRAFT, cases on the way to a notice. None of them is a notice"]) == 15


@pytest.mark.usefixtures("without_pdf")
def test_a_draft_letter_comes_from_a_recorded_notice_alone(make: Make, tmp_path: Path) -> None:
    marts = dict(taskforce_marts(1))
    marts["oversight_persistence"] = [
        state(ESSEX, right, "SEVERE_PERSISTENT", "MET", is_recommended=True) for right in range(1, 13)
    ]
    build_taskforce_pack(make(**marts), PERIOD, PROVENANCE, tmp_path / "out")
    drafts = sorted(path.name for path in (tmp_path / "out" / "drafts").iterdir())
    assert drafts == ["N2025-10-draft.pdf"]
    text = " ".join(pdf_pages(tmp_path / "out" / "drafts" / drafts[0]))
    assert "DRAFT" in text and "OFFICIAL-SENSITIVE" in text
    assert "Commissioner for Essex" in text and "chief officer of Essex Police" in text


@pytest.mark.usefixtures("without_pdf")
def test_a_flag_without_a_decision_makes_no_draft(make: Make, tmp_path: Path) -> None:
    flags = [state(ESSEX, right, "SEVERE_PERSISTENT", "MET", is_recommended=True) for right in range(1, 13)]
    cases = [case(right, ESSEX, right, "detected") for right in range(1, 13)]
    warehouse = make(oversight_persistence=flags, oversight_cases=cases)
    build_taskforce_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "out")
    assert not (tmp_path / "out" / "drafts").exists()
    assert "Essex" not in read(tmp_path / "out", "ministerial-taskforce.html")


def test_free_text_stays_text_and_every_page_is_marked(make: Make, tmp_path: Path) -> None:
    marts = dict(taskforce_marts(1, HOSTILE))
    marts["context_entries"] = [
        {
            "period_code": PERIOD,
            "context_source": "inspectorate",
            "context_id": "1",
            "title": HOSTILE,
            "summary": HOSTILE,
            "area_name": "England and Wales",
        }
    ]
    warehouse = make(**marts)
    build_board_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "board")
    build_taskforce_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "taskforce")
    for folder, name in (("board", "programme-board"), ("taskforce", "ministerial-taskforce")):
        html = read(tmp_path / folder, f"{name}.html")
        assert "<script" not in html and "&lt;script&gt;" in html
        assert "**bold**" in html and "{{ 7 * 7 }}" in html and "\u202e" not in html
        pages = pdf_pages(tmp_path / folder / f"{name}.pdf")
        assert all(page.count("OFFICIAL-SENSITIVE") >= 2 for page in pages)
        assert "**bold**" in " ".join(" ".join(pages).split())
        sheets = spreadsheet_texts(tmp_path / folder / f"{name}.ods")
        hostile = [text for text in sheets if "<script>" in text]
        assert hostile and not any(text.startswith("=") for text in sheets)
    # the same build gives the same bytes
    assert not build_board_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "board").changed
    assert not build_taskforce_pack(warehouse, PERIOD, PROVENANCE, tmp_path / "taskforce").changed
    draft = " ".join(pdf_pages(tmp_path / "taskforce" / "drafts" / "N2025-10-draft.pdf"))
    assert "<script>alert(1)</script>" in draft and "\u202e" not in draft


def spreadsheet_texts(path: Path) -> list[str]:
    from odf import teletype
    from odf.opendocument import load
    from odf.table import TableCell

    document = load(str(path))
    cells = document.getElementsByType(TableCell)
    assert not any(cell.getAttribute("formula") for cell in cells)
    return [teletype.extractText(cell) for cell in cells]


def test_the_expected_false_flags_are_those_of_the_study() -> None:
    """The numbers of the method card stand in the tables that quality/false_flags.py writes into the methods."""
    card = (PAGES / "board.md").read_text(encoding="utf-8").partition("**Expected false recommendations**")[2]
    said = re.findall(
        r"about ([\d.]+) recommendations|(\d+)% of areas|ordinary areas: ([\d.]+), and (\d+)%", card
    )
    numbers = [number for found in said for number in found if number]
    assert numbers == ["7", "15", "16.5", "32"]
    methods = (PAGES.parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
    assert "| every case | same indicator, one limit | 15% | 26% | 7.0 | 13.0 |" in methods
    assert "| every case, heavy tails | same indicator, one limit | 32% | 45% | 16.5 | 25.2 |" in methods

"""A hundred figures, drawn at random from the marts of areas, larger geographies and the nation, lead back to files."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.archive import archive_of
from ingest.limits import Limits
from ingest.readers import Workbook, inspect, read_workbook
from orchestration import cli
from orchestration.project import Project
from orchestration.tracing import Asked, Found, ask, trace
from orchestration.tracing.found import Return, Row
from tests.pipeline.pictures import served

#: How a place is asked for; of the nation as a group the answer is the nation's own mart.
NATION, GROUP = "null", "group_kind || ':' || group_code"
#: mart, column of the item, how the place is written, figures drawn
DRAWN = [
    ("local_area_compliance", "metric_id", "pfa_code", 22),
    ("local_area_feedback", "question_id", "pfa_code", 22),
    ("local_area_delivery", "item_id", "pfa_code", 20),
    ("national_compliance", "metric_id", NATION, 6),
    ("national_feedback", "question_id", NATION, 6),
    ("national_delivery", "item_id", NATION, 6),
    ("national_group_compliance", "metric_id", GROUP, 6),
    ("national_group_feedback", "question_id", GROUP, 6),
    ("national_group_delivery", "item_id", GROUP, 6),
]
#: What a file's column is called where the build's own word is another; of `count` two forms have two words.
HEADINGS = {
    "metric_id": ("metric_id",),
    "item_id": ("item_id",),
    "question_id": ("question_id",),
    "reported_count": ("events", "count"),
    "cases_from_on": ("cases_from",),
    "cases_to_on": ("cases_to",),
    "next_step_due_on": ("next_step_due",),
    "stated_case_count": ("cases_stated",),
    "stated_base_count": ("base_stated",),
    "printed_in": ("source",),
}
BODY_HEADINGS = ("body_code", "about_body_code")


@pytest.fixture(scope="module")
def connection(finished: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(served(finished)), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        yield con


@pytest.fixture(scope="module")
def traced(connection: duckdb.DuckDBPyConnection) -> list[Found]:
    chance = random.Random(20260401)
    found = []
    for mart, item, place, wanted in DRAWN:
        larger = "where group_kind <> 'nation'" if place == GROUP else ""
        keys = connection.execute(
            f"select distinct body_kind, {item}, period_code, {place} from marts.{mart} {larger} order by all"
        ).fetchall()
        for body, item_id, period, code in chance.sample(keys, wanted):
            asked = Asked(
                body,
                item_id,
                period,
                area=code if place == "pfa_code" else None,
                group=code if place == GROUP else None,
                is_national=place == NATION,
            )
            figures = trace(connection, ask(connection, asked), "build")
            assert figures and all(each.mart == f"marts.{mart}" for each in figures)
            found.append(chance.choice(figures))
    return found


def test_the_rows_give_the_figure(traced: list[Found]) -> None:
    assert len(traced) == 100
    assert [(each.question, each.comparisons) for each in traced if not each.is_reproduced] == []
    # what was reported stands on rows, and only what came has any
    for each in traced:
        status = each.figure.get("figure_status", "reported")
        is_there = status in ("reported", "incomplete")
        if each.question.information == "delivery" and not each.question.is_local:
            is_there = each.figure["areas_reporting"] > 0
        assert bool(each.rows) == is_there, each.question
        assert each.rules
        if not each.rows:
            assert each.missing or status == "not_applicable"
    # what the national survey asked is among them
    assert sum(each.figure.get("collected_by") == "survey" for each in traced) >= 20
    statuses = Counter(each.figure.get("figure_status") for each in traced)
    assert statuses["reported"] >= 50
    assert sum(len(each.rows) for each in traced) > 500


def test_every_figure_but_rates_is_compared(traced: list[Found]) -> None:
    for each in traced:
        compared = {comparison.column for comparison in each.comparisons}
        if each.question.information == "statistic":
            assert {
                "met_count",
                "not_met_count",
                "case_count",
                "reported_count",
                "long_delay_count",
            } <= compared
        elif each.question.information == "feedback":
            assert compared == {"invited_count", "good_count", "valid_answer_count"}
        elif each.question.is_local:
            assert {"lowest_grade", "body_count", "has_improvement_plan", "next_step_due_on"} == compared
        else:
            grades = {"areas_absent", "areas_drafted", "areas_in_use", "areas_reviewed"}
            assert compared - {"areas_with_plan"} == grades
            assert ("areas_with_plan" in compared) == each.mart.startswith("marts.national_group")


def test_the_archived_file_holds_that_very_row(finished: Project, traced: list[Found]) -> None:
    archive = archive_of(finished.root)

    @cache
    def workbook(sha256: str, extension: str) -> Workbook:
        # the archive compares the content with its hash
        path = archive.get(sha256, extension)
        return read_workbook(path, inspect(path), Limits())

    chance = random.Random(7)
    checked: Counter[str] = Counter()
    for each in traced:
        returns = {one.receipt_id: one for one in each.returns}
        assert {row.receipt_id for row in each.rows} == set(returns)
        # of a national figure a few of its many files
        for row in each.rows if len(each.rows) <= 3 else chance.sample(each.rows, 3):
            came: Return = returns[row.receipt_id]
            cells = cells_of(workbook(came.sha256, Path(came.file_name).suffix.lstrip(".")), row)
            assert row.body_code in [cells.get(name) for name in BODY_HEADINGS]
            assert cells["pfa_code"] == row.pfa_code
            for name, value in row.values.items():
                assert said(name, cells) == told(value), (row, name)
            checked[each.question.information] += 1
    assert min(checked.values()) >= 20 and len(checked) == 3


def test_every_figure_of_the_audit_is_in_the_archived_file_as_printed(
    finished: Project, connection: duckdb.DuckDBPyConnection
) -> None:
    figures = connection.execute(
        "select body_kind, pfa_code, question_id, metric_id, period_code, sampling_frame, receipt_id,"
        " [printed_met, printed_not_met, printed_other], outcome_status"
        " from marts.local_area_legacy_audit order by all"
    ).fetchall()
    assert len(figures) == 32
    books: dict[str, Workbook] = {}
    rows: set[tuple[str, int]] = set()
    for body, area, question_id, metric_id, period, frame, receipt_id, printed, status in figures:
        asked = Asked(body, metric_id or question_id, period, area=area, frame=frame)
        [each] = trace(connection, ask(connection, asked), "build")
        assert each.is_reproduced, (asked, each.comparisons)
        assert {"printed_met", "printed_not_met", "printed_other", "case_count"} <= {
            comparison.column for comparison in each.comparisons
        }
        [came] = each.returns
        assert came.receipt_id == receipt_id == each.figure["receipt_id"]
        if came.sha256 not in books:
            # the archive compares the content with its hash
            path = archive_of(finished.root).get(came.sha256, Path(came.file_name).suffix.lstrip("."))
            books[came.sha256] = read_workbook(path, inspect(path), Limits())
        own = [row for row in each.rows if row.values["question_id"] == question_id]
        cells = [cells_of(books[came.sha256], row) for row in own]
        for row, line in zip(own, cells, strict=True):
            assert (line["body_code"], line["pfa_code"]) == (row.body_code, area)
            for name, value in row.values.items():
                assert said(name, line) == told(value), (row, name)
            # an empty cell is text without characters
            assert told(line["printed_value"]) == told(row.counts["printed_value"] or ""), row
        # nothing is printed that the figure lacks, and nothing is in the figure that is not printed
        assert Counter(told(value) for value in printed if value is not None) == Counter(
            told(line["printed_value"]) for line in cells if line["printed_value"] != ""
        )
        assert (each.figure["case_count"] is not None) == (status in ("derived", "stated"))
        rows |= {(row.receipt_id, row.sheet_row) for row in own}
    # each answer of the file belongs to a figure
    answers = connection.execute("select count(*) from staging.stg_legacy_audit_answers").fetchone()
    assert answers == (len(rows),)


def cells_of(workbook: Workbook, row: Row) -> dict[str, Any]:
    """The row as the file has it: heading -> cell."""
    sheet = workbook.sheet(row.sheet)
    assert sheet is not None
    place = sheet.row_numbers.index(row.sheet_row)
    return {name: column[place] for name, column in zip(sheet.header, sheet.columns, strict=True)}


def said(name: str, cells: dict[str, Any]) -> object:
    """What the file says under any of the headings of a column."""
    for heading in HEADINGS.get(name, (name.removesuffix("_count"), name)):
        if heading in cells:
            return told(cells[heading])
    raise AssertionError(f"the file has no column for {name}: {sorted(cells)}")


def told(value: object) -> object:
    """A cell and a value in one form: whole numbers, days, or text."""
    if isinstance(value, bool) or value is None:
        return value
    try:
        number = float(str(value))
    except ValueError:
        return str(value)[:10] if hasattr(value, "year") else str(value).strip()
    return number


def test_the_command_prints_the_trace(finished: Project, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--data-root", str(finished.data_root), "--as-of", "2026-12-10", "trace", "--area", "Essex",
        "--body", "police", "--metric", "r04_s03_referral_2wd", "--period", "2026-27-Q2",
    ]  # fmt: skip
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    assert "The rows below give this figure." in text and f"kept at {finished.root.archive}" in text
    assert "NOT EQUAL" not in text
    assert "sheet metrics, row" in text and "rule_version" in text and "Open data say" in text
    assert cli.main([*arguments, "--format", "json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    [came] = found["returns"]
    assert archive_of(finished.root).holds(came["sha256"], Path(came["file_name"]).suffix.lstrip("."))
    assert found["is_reproduced"] and came["sha256"] in text and came["sender_code"] == "E23000028-police"
    assert cli.main([*arguments, "--format", "csv"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    record = dict(zip(header.split(","), line.split(","), strict=True))
    assert record["sha256"] == came["sha256"] and int(record["met_count"]) == found["figure"]["met_count"]


def test_an_error_names_what_is_near(finished: Project, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--area",
        "Esex",
        "--body",
        "police",
        "--metric",
        "r04_s03_referral_2wd",
        "--period",
        "2026-27-Q2",
    ]
    assert cli.main(["--data-root", str(finished.data_root), "trace", *arguments]) == 2
    assert capsys.readouterr().err == "vcc: There is no police area 'Esex'; did you mean Essex or Sussex?\n"
    arguments[1:2] = ["Essex", "--mode", "random_sample"]
    assert cli.main(["--data-root", str(finished.data_root), "trace", *arguments]) == 2
    assert "The build has no figure for r04_s03_referral_2wd of police, Essex" in capsys.readouterr().err
    # the sample of the tests has totals only
    arguments[2:4] = ["--characteristic", "sex", "--value", "Female"]
    assert cli.main(["--data-root", str(finished.data_root), "trace", *arguments]) == 2
    assert ", 2026-27-Q2, sex F.\n" in capsys.readouterr().err


def test_what_stands_in_the_mart_of_reported_figures_is_what_the_rows_say(
    connection: duckdb.DuckDBPyConnection, traced: list[Found]
) -> None:
    for each in traced:
        if not each.question.is_local or each.question.information == "delivery":
            continue
        known = connection.execute(
            "select receipt_id, sheet, sheet_row from marts.revisions_reported_figures where known_to is null"
            " and body_kind = ? and pfa_code = ? and item_id = ? and period_code = ? and collection_mode = ?"
            " and sampling_frame = ? and collected_by = ? order by all",
            [
                each.question.body_kind, each.question.place_code, each.question.item_id,
                each.question.period_code,
                each.figure.get("collection_mode", each.figure.get("survey_mode")),
                each.figure.get("sampling_frame", "none"), each.figure.get("collected_by", "own"),
            ],
        ).fetchall()  # fmt: skip
        assert known == sorted((row.receipt_id, row.sheet, row.sheet_row) for row in each.rows)


def test_every_query_of_the_page_runs_and_the_first_gives_the_figure(
    connection: duckdb.DuckDBPyConnection, project_folder: Path
) -> None:
    text = (project_folder / "docs" / "tracing.md").read_text(encoding="utf-8")
    rows, breakdowns, known, changed = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    figure = connection.execute(
        "select met_count, case_count from marts.local_area_compliance where body_kind = 'police'"
        " and pfa_code = 'E23000028' and metric_id = 'r04_s03_referral_2wd' and period_code = '2026-27-Q2'"
    ).fetchall()
    assert connection.execute(f"select sum(met_count), sum(case_count) from ({rows})").fetchall() == figure
    # the sample of the tests has totals only
    assert connection.execute(breakdowns).fetchall() == []
    areas = connection.execute(f"select count(*) from ({known})").fetchone()
    assert areas is not None and areas[0] > 1000
    assert len(connection.execute(changed).fetchall()) > 0

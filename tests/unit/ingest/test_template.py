from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from filled_templates import fill_in
from return_files import quarterly

from ingest.acceptance import Verdict, check_file, judge
from ingest.acceptance.comparison import ReturnFigures
from ingest.acceptance.judge import context_of
from ingest.clock import FixedClock
from ingest.form import Forms
from ingest.period import Period
from ingest.reference import Reference
from ingest.template import TemplateError, plan_of, write_template

Q1 = Period.parse("2025-26-Q1")
IN_TIME = FixedClock(datetime(2025, 7, 15, 10, 0, tzinfo=UTC))


@pytest.fixture
def template(tmp_path: Path, reference: Reference, forms: Forms) -> Any:
    def write(sender: str, period: Period = Q1, **options: Any) -> Path:
        path = tmp_path / f"{sender}_{options.get('kind', 'quarterly')}.xlsx"
        write_template(path, sender, period, reference, forms, **options)
        return path

    return write


@pytest.fixture
def checked(reference: Reference, forms: Forms) -> Any:
    def check(path: Path, sender: str, clock: FixedClock = IN_TIME) -> Verdict:
        return check_file(path, sender, reference, forms, clock)

    return check


def unlocked(sheet: Any, row: int) -> list[str]:
    return [sheet.cell(1, cell.column).value for cell in sheet[row] if not cell.protection.locked]


def validations(sheet: Any, cell: str) -> list[Any]:
    return [rule for rule in sheet.data_validations.dataValidation if cell in rule.sqref]


# --- through LibreOffice ------------------------------------------------------------------------------------

SENDERS = ("E23000028-police", "cps-east-midlands")


@pytest.fixture(scope="module")
def saved(
    tmp_path_factory: pytest.TempPathFactory, reference: Reference, forms: Forms
) -> Iterator[dict[tuple[str, str], Path]]:
    """Templates of a force and of a sender of several bodies, filled in, saved by LibreOffice both ways."""
    folder = tmp_path_factory.mktemp("saved")
    filled = []
    for sender in SENDERS:
        path = folder / f"{sender}.xlsx"
        write_template(path, sender, Q1, reference, forms)
        filled.append(fill_in(path))
    for suffix in ("xlsx", "ods"):
        command = [
            "soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
            "--convert-to", suffix, "--outdir", str(folder / suffix), *map(str, filled),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=180)
    yield {
        (sender, suffix): folder / suffix / f"{sender}.{suffix}"
        for sender in SENDERS
        for suffix in ("xlsx", "ods")
    }


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
@pytest.mark.parametrize("sender", SENDERS)
def test_a_template_filled_in_and_saved_by_libreoffice_is_accepted(
    saved: dict[tuple[str, str], Path], checked: Any, sender: str, suffix: str
) -> None:
    verdict = checked(saved[sender, suffix], sender)
    assert verdict.to_text().splitlines()[0] == "ACCEPTED: 0 errors, 0 warnings."
    # A force is asked 30 metrics; the region serves five areas, in each 11 metrics.
    assert verdict.rows_read["metrics"] == {"E23000028-police": 30, "cps-east-midlands": 55}[sender]


def test_protection_and_drop_downs_survive_libreoffice(saved: dict[tuple[str, str], Path]) -> None:
    book = openpyxl.load_workbook(saved["E23000028-police", "xlsx"])
    metrics = book["metrics"]
    assert metrics.protection.sheet and book["cover"].protection.sheet and book["lists"].protection.sheet
    assert metrics["B2"].protection.locked and not metrics["K2"].protection.locked
    [drop_down] = validations(metrics, "G2")
    assert (drop_down.type, drop_down.formula1.replace("$", "")) == ("list", "lists!S2:S4")
    assert [book["lists"][f"S{row}"].value for row in (1, 2, 3, 4)] == [
        "collection_mode", "census", "random_sample", "purposive_sample",
    ]  # fmt: skip
    [count] = validations(metrics, "K2")
    assert (count.type, count.operator, count.formula1) == ("whole", "greaterThanOrEqual", "0")
    with zipfile.ZipFile(saved["E23000028-police", "ods"]) as archive:
        content = archive.read("content.xml").decode()
    assert 'table:protected="true"' in content and "$lists.$" in content


# --- what is filled in and what is left ---------------------------------------------------------------------


def test_only_the_columns_of_a_metrics_unit_may_be_filled(template: Any) -> None:
    metrics = openpyxl.load_workbook(template("E23000028-police"))["metrics"]
    rows = {metrics.cell(row, 2).value: row for row in range(2, 32)}
    always = ["collection_mode", "sampling_frame", "cases_from", "cases_to"]
    told = ["not_collected_reason", "note"]
    # Units read off the seed metrics by hand.
    assert unlocked(metrics, rows["r02_s01_recorded_24h"]) == [
        *always, "met", "not_met", "not_suitable", "declined", "unknown", *told,
    ]  # fmt: skip
    assert unlocked(metrics, rows["r04_s01_referrals_n"]) == [*always, "count", *told]
    assert unlocked(metrics, rows["r04_s04_referral_delay"]) == [
        *always, "within_limit", "short_delay", "long_delay", *told,
    ]  # fmt: skip


def test_rows_beneath_are_open_and_checked(template: Any) -> None:
    book = openpyxl.load_workbook(template("E23000028-police"))
    metrics = book["metrics"]
    assert len(unlocked(metrics, 33)) == 21
    [crime_types] = validations(metrics, "D33")
    assert crime_types.formula1.startswith("lists!")
    start, end = crime_types.formula1.replace("$", "").removeprefix("lists!").split(":")
    codes = [row[0].value for row in book["lists"][start:end]]
    assert codes[0] == "ALL" and "VAP" in codes and "UNK" in codes
    assert "FRA" not in codes, "fraud is recorded for the City of London alone"


def test_a_second_version_of_the_form_is_chosen_by_the_period(template: Any) -> None:
    book = openpyxl.load_workbook(template("E23000028-police", Period.parse("2026-27-Q2")))
    assert book["cover"]["B3"].value == 2
    assert "events" in [cell.value for cell in book["metrics"][1]]


def test_breakdowns_are_written_beside_their_total_and_may_be_cleared(
    template: Any, checked: Any, reference: Reference, forms: Forms
) -> None:
    path = template("yjs-barnsley", breakdowns=True)
    metrics = openpyxl.load_workbook(path)["metrics"]
    view = reference.for_period(Q1)
    groups = [c for c in view.crime_types.values() if c.level == "group" and c.reporting != "not_accepted"]
    crime_types = {c.crime_type for c in groups} - {"FRA"} | {"UNK"}
    categories = sum(map(len, view.characteristics.values()))
    keys = [tuple(cell.value for cell in row[1:6]) for row in metrics.iter_rows(min_row=2, max_row=1000)]
    first = [key for key in keys if key[0] == keys[0][0]]
    assert first[0][2:] == ("ALL", "ALL", "ALL")
    assert {key[2] for key in first} == crime_types | {"ALL"}
    assert len(first) == 1 + len(crime_types) + categories
    assert all(cell.protection.locked for cell in metrics[2][:6])
    assert not any(cell.protection.locked for cell in metrics[3])

    # Cleared again, and the totals filled in, it is a complete return.
    book = openpyxl.load_workbook(path)
    for name in ("metrics", "feedback"):
        sheet = book[name]
        places = [cell.column for cell in sheet[1] if cell.value in ("crime_type", "characteristic")]
        for row in sheet.iter_rows(min_row=2):
            if any(row[place - 1].value not in ("ALL", None) for place in places):
                for cell in row:
                    cell.value = None
    book.save(path)
    assert checked(fill_in(path), "yjs-barnsley").outcome == "accepted"


def test_an_untouched_template_is_rejected_in_few_groups(template: Any, checked: Any) -> None:
    verdict = checked(template("E23000028-police"), "E23000028-police")
    assert verdict.outcome == "rejected"
    assert set(verdict.counts) == {"SHAPE-006", "FIGURES-011"}
    assert len(verdict.to_text().splitlines()) < 60


def test_what_stands_in_the_way_of_a_template_is_said(reference: Reference, forms: Forms) -> None:
    def refusal(*arguments: Any, **options: Any) -> str:
        with pytest.raises(TemplateError) as refused:
            plan_of(*arguments, reference, forms, **options)
        return str(refused.value)

    assert "perhaps E23000028-police is meant" in refusal("E23000028-polize", Q1)
    assert "sends quarterly" in refusal("E23000028-police", Q1, kind="insight")
    assert "the kinds are" in refusal("E23000028-police", Q1, kind="monthly")
    assert "is for a quarter" in refusal("E23000028-police", Period.parse("2025-26-FY"))
    assert "is in force" in refusal("E23000028-police", Period.parse("2019-20-Q1"))
    assert "only metrics, feedback, delivery may" in refusal("E23000028-police", Q1, nil=["cover"])


def test_the_same_template_is_the_same_bytes(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    paths = [tmp_path / "one.xlsx", tmp_path / "two.xlsx"]
    for path in paths:
        write_template(path, "yjs-barnsley", Q1, reference, forms)
    assert paths[0].read_bytes() == paths[1].read_bytes()


# --- a sheet with nothing to report -------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", [False, True], ids=["rows left as they are", "written without rows"])
def test_a_sheet_without_anything_to_report_needs_only_a_reason(
    template: Any, checked: Any, left_out: bool
) -> None:
    path = fill_in(template("E23000028-police", nil=["feedback"] if left_out else []))
    book = openpyxl.load_workbook(path)
    for row in book["feedback"].iter_rows(min_row=2):
        for cell in row:
            if not cell.protection.locked:
                cell.value = None
    cover = {row[0].value: row[1] for row in book["cover"].iter_rows(min_row=2)}
    assert not cover["nil_feedback_reason"].protection.locked
    assert cover["period_code"].protection.locked
    cover["nil_feedback_reason"].value = "no survey was held"
    book.save(path)
    verdict = checked(path, "E23000028-police")
    assert (verdict.outcome, verdict.rows_read["feedback"]) == ("accepted", 0)


# --- the period before --------------------------------------------------------------------------------------


@pytest.fixture
def before(tmp_path: Path, reference: Reference, forms: Forms) -> ReturnFigures:
    file = quarterly(reference, forms, "E23000028-police", "2025-26-Q1", met=120)
    context = context_of("E23000028-police", reference, forms, IN_TIME)
    figures = judge(file.zip(tmp_path / "before.zip"), context).figures
    assert figures is not None
    return figures


def test_figures_of_the_period_before_are_shown_beside(
    template: Any, checked: Any, before: ReturnFigures
) -> None:
    path = template("E23000028-police", Period.parse("2025-26-Q2"), previous=before)
    book = openpyxl.load_workbook(path)
    metrics, previous = book["metrics"], book["previous"]
    columns = {cell.value: cell.column_letter for cell in metrics[1]}
    [rule] = validations(metrics, f"{columns['met']}2")
    assert rule.type == "whole" and rule.promptTitle == "met" and rule.prompt.endswith("In 2025-26-Q1: 120.")
    [rule] = validations(metrics, f"{columns['declined']}2")
    assert "2025-26-Q1" not in rule.prompt, "it was not given"
    heads = {cell.value: cell.column for cell in previous[1]}
    assert previous.cell(2, heads["met"]).value == 120
    assert previous.protection.sheet and all(cell.protection.locked for cell in previous[2])
    # It is only to be read: the return is judged as if it were not there.
    clock = FixedClock(datetime(2025, 10, 15, 10, 0, tzinfo=UTC))
    assert checked(fill_in(path), "E23000028-police", clock).outcome == "accepted"


# --- every kind of sender -----------------------------------------------------------------------------------


def test_what_is_asked_stands_under_its_right_and_reads_alone(template: Any) -> None:
    book = openpyxl.load_workbook(template("E23000028-police"))
    guidance = [[cell.value for cell in row if cell.value] for row in book["guidance"].iter_rows()]
    [place] = [n for n, row in enumerate(guidance) if row[:1] == ["r06_s08_police_updates_ontime_enh"]]
    rights = [row[0] for row in guidance[:place] if row and row[0].startswith("Right ")]
    assert rights[-1] == "Right 6: To be provided with information about the investigation and prosecution"
    # Numerator and denominator of the seed metrics, with "<=1wd" in words.
    counted = "updates within 1 working day, of key events with update due, enhanced"
    assert counted in guidance[place]
    [question] = [row for row in guidance if row[:1] == ["r05_f01"]]
    assert "answers yes and no" in question
    metrics = book["metrics"]
    [row] = [cell.row for cell in metrics["B"] if cell.value == "r06_s08_police_updates_ontime_enh"]
    [message] = validations(metrics, f"B{row}")
    assert counted in message.prompt
    meanings = [cell.value for line in book["lists"].iter_rows() for cell in line if cell.value]
    assert any(counted in meaning for meaning in meanings)


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("W15000001-police", "quarterly"),
        ("BTP", "quarterly"),
        ("MDP", "quarterly"),
        ("cps-london-north", "quarterly"),
        ("hmcts-wales", "quarterly"),
        ("prob-wales", "quarterly"),
        ("yjs-barnsley", "quarterly"),
        ("survey", "feedback"),
        ("E23000028-lpb", "insight"),
        ("BTPA", "insight"),
        ("E23000028-lpb", "context"),
        ("moj", "context"),
        ("programme-board", "decisions"),
        ("programme-board", "rules"),
    ],
)
def test_every_kind_of_sender_has_a_template_that_is_accepted_once_filled_in(
    template: Any, checked: Any, sender: str, kind: str
) -> None:
    period = Period.parse("2026-27-Q2")
    path = fill_in(template(sender, period, kind=kind))
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[0] == "guidance" and book.sheetnames[-1] == "lists"
    verdict = checked(path, sender, FixedClock(datetime(2026, 10, 15, 10, 0, tzinfo=UTC)))
    assert not verdict.count("error"), verdict.to_text()
    assert not {"SHAPE-007", "SHAPE-012", "SHAPE-014"}.intersection(verdict.counts)


def test_a_blank_row_of_the_audit_form_can_be_filled_from_its_lists(template: Any) -> None:
    book = openpyxl.load_workbook(template("E23000028-lpb", Period.parse("2019-20-FY"), kind="legacy_audit"))
    answers = book["answers"]
    columns = {cell.value: cell.column_letter for cell in answers[1]}
    assert validations(answers, f"{columns['question_id']}2")[0].type == "list"
    assert not answers[f"{columns['printed_value']}2"].protection.locked
    # Printed values such as 30% must stay as written.
    assert answers[f"{columns['printed_value']}2"].number_format == "@"

"""The sample of returns: same seed, same bytes; parts add up; every body answers its whole catalogue."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from ingest.acceptance import check_file
from ingest.clock import FixedClock, parse_instant
from ingest.form import Form, Forms, load_forms
from ingest.period import Period
from ingest.reference import Reference
from ingest.synthetic import generate
from ingest.synthetic.catalogue import Catalogue, breakdown_shares, catalogue_for, feedback_profiles, profiles
from ingest.synthetic.returns import (
    Return,
    draw_return,
    with_bad_codes,
    with_bad_figures,
    with_swapped_outcomes,
)

SEED = 20260401
PERIOD = Period.parse("2025-26-Q3")
OUTCOMES = (
    "met",
    "not_met",
    "not_suitable",
    "declined",
    "unknown",
    "count",
    "within_limit",
    "short_delay",
    "long_delay",
)


@pytest.fixture(scope="module")
def reference() -> Reference:
    """The project's reference data."""
    return Reference.load()


@pytest.fixture(scope="module")
def forms() -> Forms:
    """The project's forms."""
    return load_forms()


@pytest.fixture(scope="module")
def form(forms: Forms) -> Form:
    """The quarterly form of the planted quarters."""
    found = forms.for_date("quarterly", PERIOD.last_day)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def catalogue(reference: Reference) -> Catalogue:
    """What is expected in the third planted quarter."""
    return catalogue_for(reference, PERIOD)


def rows_of(drawn: Return, sheet_name: str) -> list[dict[str, object]]:
    sheet = drawn.sheets[sheet_name]
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]


def is_total(row: dict[str, object]) -> bool:
    return row["crime_type"] == row["characteristic"] == row["characteristic_value"] == "ALL"


def files_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- same bytes ----------------------------------------------------------------------------------------


def test_same_seed_same_bytes(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    for name in ("one", "two"):
        generate(
            tmp_path / name / "inbox",
            reference,
            forms,
            quarters=1,
            areas=["E23000002"],
            xlsx_share=0.5,
            workers=1,
        )
    assert files_under(tmp_path / "one") == files_under(tmp_path / "two")
    assert {path.suffix for path in (tmp_path / "one").rglob("*.*")} == {".xlsx", ".zip", ".csv", ".json"}


def test_another_seed_gives_other_figures(catalogue: Catalogue, form: Form) -> None:
    one, other = (draw_return(seed, "MDP", PERIOD, catalogue, form, breakdowns=False) for seed in (1, 2))
    assert one.sheets["metrics"].rows != other.sheets["metrics"].rows


def test_a_subset_of_areas_and_quarters_is_the_same_as_in_the_whole(
    tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    generate(
        tmp_path / "wide" / "inbox",
        reference,
        forms,
        quarters=2,
        areas=["E23000002", "NAT"],
        breakdowns=False,
        workers=1,
    )
    generate(
        tmp_path / "narrow" / "inbox",
        reference,
        forms,
        first_period="2025-26-Q2",
        quarters=1,
        areas=["NAT"],
        breakdowns=False,
        workers=1,
    )
    wide, narrow = (files_under(tmp_path / name / "inbox") for name in ("wide", "narrow"))
    assert {Path(name).parts[0] for name in narrow} == {"BTP", "MDP", "BTPA", "SSD", "arrivals.csv"}
    for name, content in narrow.items():
        if name != "arrivals.csv":
            assert wide[name] == content
    assert set(narrow["arrivals.csv"].splitlines()) <= set(wide["arrivals.csv"].splitlines())


def test_workers_change_nothing(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    seen: list[tuple[str, int, int]] = []
    for workers in (1, 2):
        generate(
            tmp_path / str(workers) / "inbox",
            reference,
            forms,
            quarters=1,
            areas=["NAT"],
            breakdowns=False,
            workers=workers,
            progress=lambda *step: seen.append(step),
        )
    assert files_under(tmp_path / "1") == files_under(tmp_path / "2")
    assert seen == [("returns written", done, 4) for done in (1, 2, 3, 4)] * 2


def test_totals_do_not_depend_on_breakdowns(catalogue: Catalogue, form: Form) -> None:
    wide, narrow = (
        draw_return(SEED, "E23000034-police", PERIOD, catalogue, form, breakdowns=breakdowns)
        for breakdowns in (True, False)
    )
    for sheet in ("metrics", "feedback"):
        assert [row for row in rows_of(wide, sheet) if is_total(row)] == rows_of(narrow, sheet)
    assert wide.sheets["delivery"] == narrow.sheets["delivery"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"areas": ["E99999999"]}, "Unknown area E99999999"),
        ({"first_period": "2025-26-H1"}, "is not a quarter"),
        ({"first_period": "2019-20-Q1"}, "No quarterly form is in force"),
        ({"quarters": 0}, "0 quarters"),
    ],
)
def test_a_sample_that_cannot_be_made_is_refused(
    tmp_path: Path, reference: Reference, forms: Forms, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        generate(tmp_path / "inbox", reference, forms, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "inbox").exists()


# --- figures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender", ["E23000034-police", "cps-london-north", "hmcts-south-east", "yjs-essex", "BTP"]
)
def test_parts_add_up_to_their_totals(catalogue: Catalogue, form: Form, sender: str) -> None:
    drawn = draw_return(SEED, sender, PERIOD, catalogue, form)
    totals: dict[tuple[object, ...], dict[str, object]] = {}
    parts: dict[tuple[object, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows_of(drawn, "metrics"):
        figure = (row["body_code"], row["pfa_code"], row["metric_id"])
        if is_total(row):
            totals[figure] = row
            continue
        breakdown = row["characteristic"] if row["crime_type"] == "ALL" else "crime_type"
        for name in OUTCOMES:
            parts[(*figure, breakdown)][name] += int(str(row[name] or 0))
    assert len({key[-1] for key in parts}) == 1 + len(catalogue.characteristics)
    for key, summed in parts.items():
        assert {name: int(str(totals[key[:-1]][name] or 0)) for name in OUTCOMES} == summed


def test_child_and_adult_agree_with_the_age_bands(catalogue: Catalogue, form: Form) -> None:
    rows = rows_of(draw_return(SEED, "E23000028-police", PERIOD, catalogue, form), "metrics")
    met = {
        (row["characteristic"], row["characteristic_value"]): int(str(row["met"]))
        for row in rows
        if row["metric_id"] == "r02_s01_recorded_24h"
    }
    assert met["age_child_adult", "C"] == met["age", "00-09"] + met["age", "10-15"] + met["age", "16-17"]
    assert met["age_child_adult", "NS"] == met["age", "NS"]


def test_linked_metrics_agree(catalogue: Catalogue, form: Form) -> None:
    rows = rows_of(
        draw_return(SEED, "E23000028-police", PERIOD, catalogue, form, breakdowns=False), "metrics"
    )
    by_id = {str(row["metric_id"]): {name: int(str(row[name] or 0)) for name in OUTCOMES} for row in rows}
    referred = by_id["r04_s02_referral_prop"]["met"]
    in_time = by_id["r04_s03_referral_2wd"]
    assert by_id["r04_s01_referrals_n"]["count"] == referred
    assert in_time["met"] + in_time["not_met"] + in_time["unknown"] == referred
    assert by_id["r04_s04_referral_delay"]["within_limit"] == in_time["met"]


def test_every_sender_answers_the_whole_catalogue_of_its_bodies(
    reference: Reference, catalogue: Catalogue, form: Form
) -> None:
    today = reference.for_period(PERIOD)
    answers = {"metrics": ("statistic", "metric_id"), "delivery": ("delivery", "item_id")}
    assert catalogue.senders == today.expected_senders("quarterly")
    without_survey = 0
    for sender in catalogue.senders:
        drawn = draw_return(SEED, sender, PERIOD, catalogue, form, breakdowns=False)
        for sheet, (information, column) in answers.items():
            expected = {
                (body, area, entry)
                for body, area in today.served(sender, "quarterly")
                for entry in today.metrics_of(today.bodies[body].body_kind, information)
            }
            assert {
                (row["body_code"], row["pfa_code"], row[column]) for row in rows_of(drawn, sheet)
            } == expected
        if "nil_feedback_reason" in {row[0] for row in drawn.sheets["cover"].rows}:
            without_survey += 1
            assert not drawn.sheets["feedback"].rows
            continue
        asked = {(row["about_body_code"], row["question_id"]) for row in rows_of(drawn, "feedback")}
        assert asked == {
            (body, question)
            for body, _ in today.served(sender, "quarterly")
            for question in today.metrics_of(today.bodies[body].body_kind, "feedback")
        }
    assert 0 < without_survey < 20


def test_every_entry_and_category_has_a_profile(catalogue: Catalogue) -> None:
    for kind in catalogue.statistics:
        like = "police" if kind in ("btp", "mdp") else kind
        assert {(entry.item_id, like) for entry in catalogue.statistics[kind]} <= set(profiles())
        assert {(entry.item_id, like) for entry in catalogue.questions[kind]} <= set(feedback_profiles())
    wanted = {("crime_type", code) for code in catalogue.fraud_crime_types}
    wanted |= {(name, value) for name, values in catalogue.characteristics.items() for value in values}
    assert wanted == set(breakdown_shares())


def test_fraud_is_broken_down_for_the_city_alone(catalogue: Catalogue, form: Form) -> None:
    rows = rows_of(draw_return(SEED, "cps-london-south", PERIOD, catalogue, form), "metrics")
    assert {row["pfa_code"] for row in rows if row["crime_type"] == "FRA"} == {"E23000034"}


def test_two_senders_of_one_body_share_its_cases(catalogue: Catalogue, form: Form) -> None:
    cases = []
    for sender in ("cps-london-north", "cps-london-south"):
        rows = rows_of(draw_return(SEED, sender, PERIOD, catalogue, form, breakdowns=False), "metrics")
        cases.append(
            sum(
                int(str(row["met"])) + int(str(row["not_met"]))
                for row in rows
                if (row["body_code"], row["metric_id"]) == ("E23000001-cps", "r08_s03_evidence_informed")
            )
        )
    assert 0.50 < cases[0] / sum(cases) < 0.60


def test_a_metric_that_is_not_collected_gives_a_reason_and_no_figure(
    catalogue: Catalogue, form: Form
) -> None:
    found = 0
    for sender in catalogue.senders:
        if not sender.endswith("-police"):
            continue
        for row in rows_of(draw_return(SEED, sender, PERIOD, catalogue, form, breakdowns=False), "metrics"):
            has_figure = any(row[name] is not None for name in OUTCOMES)
            assert has_figure is (row["not_collected_reason"] is None)
            assert has_figure is (row["collection_mode"] is not None)
            found += not has_figure
    assert found > 0


# --- files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, reference: Reference, forms: Forms) -> Path:
    """Three quarters of a few areas; Hampshire, South Wales and Dorset hold planted faults."""
    folder = tmp_path_factory.mktemp("sample")
    areas = ["E23000030", "W15000003", "E23000039"]
    generate(folder / "inbox", reference, forms, quarters=3, areas=areas, breakdowns=False, workers=1)
    return folder


def csv_rows(content: bytes) -> list[list[object]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    delimiter = next(mark for mark in ",;\t" if mark in text.splitlines()[0])
    return [list(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter)]


def tables_of(path: Path) -> dict[str, list[list[object]]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            texts = {name.removesuffix(".csv"): archive.read(name) for name in archive.namelist()}
        return {name: csv_rows(content) for name, content in texts.items()}
    book = CalamineWorkbook.from_path(str(path))
    return {
        name: [list(row) for row in book.get_sheet_by_name(name).to_python()] for name in book.sheet_names
    }


def test_files_have_the_sheets_and_columns_of_their_form(sample: Path, forms: Forms) -> None:
    suffixes = set()
    for path in sorted((sample / "inbox").rglob("*.*")):
        if path.name == "arrivals.csv":
            continue
        suffixes.add(path.suffix)
        tables = tables_of(path)
        cover = {str(row[0]): str(row[1]) for row in tables["cover"][1:]}
        form = forms.get(cover["kind"], int(float(cover["form_version"])))
        assert form is not None and list(tables) == [sheet.name for sheet in form.sheets]
        for sheet in form.tables:
            assert tables[sheet.name][0] == list(sheet.column_names)
        assert cover["sender_code"] == path.parent.name
    assert suffixes == {".xlsx", ".zip", ".ods"}


def test_acceptance_takes_all_but_the_planted_bad_returns(
    sample: Path, reference: Reference, forms: Forms
) -> None:
    truth = json.loads((sample / "truth.json").read_text(encoding="utf-8"))
    groups = {("W15000003-prisons", "2025-26-Q3"): "FIGURES", ("E23000030-police", "2025-26-Q2"): "SHAPE"}
    bad = {
        (entry["sender_code"], entry["file_name"]): groups[entry["sender_code"], entry["period_code"]]
        for entry in truth["deliveries"]
        if entry["outcome"] == "rejected"
    }
    assert len(bad) == 2
    with (sample / "inbox" / "arrivals.csv").open(encoding="utf-8") as handle:
        arrivals = list(csv.DictReader(handle))
    for arrival in arrivals:
        sender, name = arrival["sender_code"], arrival["file_name"]
        clock = FixedClock(parse_instant(arrival["arrived_at"]))
        verdict = check_file(sample / "inbox" / sender / name, sender, reference, forms, clock)
        group = bad.get((sender, name))
        assert (verdict.outcome == "rejected") is (group is not None), verdict.problems
        if verdict.kind != "quarterly":
            assert verdict.problems == ()
        if group:
            errors = {p.rule_code.split("-")[0] for p in verdict.problems if p.severity == "error"}
            assert group in errors


def test_the_journal_names_every_file_once(sample: Path) -> None:
    with (sample / "inbox" / "arrivals.csv").open(encoding="utf-8") as handle:
        named = [(row["sender_code"], row["file_name"]) for row in csv.DictReader(handle)]
    there = {(p.parent.name, p.name) for p in (sample / "inbox").rglob("*.*") if p.name != "arrivals.csv"}
    assert len(named) == len(set(named))
    assert set(named) == there


# --- planted faults ------------------------------------------------------------------------------------


def test_faults_touch_only_what_they_name(catalogue: Catalogue, form: Form) -> None:
    drawn = draw_return(SEED, "E23000019-police", PERIOD, catalogue, form)
    swapped = rows_of(with_swapped_outcomes(drawn, "r08_s01_hearing_informed"), "metrics")
    for before, after in zip(rows_of(drawn, "metrics"), swapped, strict=True):
        if before["metric_id"] == "r08_s01_hearing_informed":
            before = {**before, "met": before["not_met"], "not_met": before["met"]}
        assert after == before
    for spoil, changed in ((with_bad_figures, 2), (with_bad_codes, 3)):
        pairs = zip(rows_of(drawn, "metrics"), rows_of(spoil(drawn), "metrics"), strict=True)
        assert sum(before != after for before, after in pairs) == changed

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from return_files import with_half_years

from ingest.form import FORMS_DIR, FormError, Forms, load_forms
from ingest.period import Period
from ingest.reference import Reference


def test_the_forms_of_the_project(forms: Forms) -> None:
    assert forms.kinds == (
        "context",
        "decisions",
        "feedback",
        "insight",
        "legacy_audit",
        "quarterly",
        "rules",
    )
    assert {(f.kind, f.frequency, f.cycle, f.timing) for f in forms} == {
        ("context", "quarter", "none", "during"),
        ("decisions", "quarter", "none", "during"),
        ("feedback", "quarter", "none", "after"),
        ("insight", "quarter", "review", "after"),
        ("legacy_audit", "year", "none", "after"),
        ("quarterly", "quarter", "reporting", "after"),
        ("rules", "quarter", "none", "during"),
    }
    quarterly = forms.get("quarterly", 1)
    assert quarterly is not None
    assert [sheet.name for sheet in quarterly.sheets] == ["cover", "metrics", "feedback", "delivery"]
    assert quarterly.nil_fields == {
        "nil_metrics_reason": "metrics",
        "nil_feedback_reason": "feedback",
        "nil_delivery_reason": "delivery",
    }
    metrics = quarterly.sheet("metrics")
    assert len(metrics.columns) == 21
    assert metrics.figure_sets["proportion"].needs == ("met", "not_met")
    assert metrics.body_column == "body_code"
    assert quarterly.sheet("feedback").body_column == "about_body_code"
    assert quarterly.sheet("feedback").column("yes").type == "count"


def test_a_form_is_chosen_by_kind_and_version_or_by_date(forms: Forms) -> None:
    assert forms.get("quarterly", 99) is None
    last_of_the_first = forms.for_date("quarterly", date(2026, 6, 30))
    first_of_the_second = forms.for_date("quarterly", date(2026, 7, 1))
    assert last_of_the_first is not None and last_of_the_first.version == 1
    assert first_of_the_second is not None and first_of_the_second.version == 2
    assert forms.get("unheard_of", 1) is None
    chosen = forms.for_date("quarterly", date(2025, 6, 30))
    assert chosen is not None and chosen.version == 1
    assert forms.for_date("quarterly", date(2023, 6, 30)) is None
    assert forms.for_date("legacy_audit", date(2020, 4, 1)) is None


def test_every_list_of_codes_that_a_form_names_exists(forms: Forms, reference: Reference) -> None:
    for form in forms:
        for sheet in form.sheets:
            for column in sheet.columns:
                if column.codes_from not in (None, "periods"):
                    assert reference.codes(str(column.codes_from)), column.name


def test_every_figure_set_is_one_of_the_catalogue(forms: Forms, reference: Reference) -> None:
    quarterly = forms.get("quarterly", 1)
    assert quarterly is not None
    core = [m for m in reference.metrics if m.tier == "core"]
    units = {m.unit for m in core if m.information == "statistic"}
    answers = {m.response_set for m in core if m.information == "feedback"}
    assert units == set(quarterly.sheet("metrics").figure_sets)
    assert answers == set(quarterly.sheet("feedback").figure_sets)


def _spoil(tmp_path: Path, old: str, new: str) -> Path:
    text = (FORMS_DIR / "quarterly_v1.yml").read_text()
    assert old in text
    (tmp_path / "quarterly_v1.yml").write_text(text.replace(old, new, 1))
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("frequency: quarter", "frequency: month", "frequency: 'month' is not one of"),
        ("version: 1", "version: one", "version: expected a whole number"),
        ("version: 1", "version: 2", "name it quarterly_v2.yml"),
        ("valid_from: 2024-04-01", "valid_from: soon", "valid_from: expected a date"),
        ("{name: met, type: count", "{name: met, type: amount", "column met, type: 'amount' is not one of"),
        ("{name: met, type: count", "{name: met, type: count, colour: red", "the key 'colour' is not known"),
        ("{name: met, type: count", "{name: not_met, type: count", "two columns have the same name"),
        ('{name: "yes", type', "{name: yes, type", "put it in quotes"),
        ("codes_from: bodies", "codes_from: people", "'people' is not one of"),
        ("type: code, codes_from: bodies", "type: code", "a code needs codes or codes_from"),
        ("key: [body_code, item_id", "key: [body, item_id", "'body' is not a column"),
        ("required_when: {filled: next_step}", "required_when: {filled: step}", "'step' is not a column"),
        ("  - {name: period_code, type", "  - {name: quarter, type", "the field period_code is missing"),
        ("nil_reason: nil_metrics_reason", "nil_reason: why", "the field why is missing"),
        ("needs: [count]", "needs: [counts]", "'counts' is not a column"),
        ("kind: quarterly", "kind: [quarterly", "is not valid YAML"),
        ("valid_from: 2024-04-01", "valid_from: 2024-05-01", "not the first day of a quarter"),
        ("valid_to: 2026-06-30", "valid_to: 2026-06-29", "not the last day of a quarter"),
        ("{name: not_met, type", "{name: not_met, stored_as: met, type", "stored under the same name"),
        ("{name: note, type", "{name: note, stored_as: row_number, type", "row_number is added to every row"),
        ("prefilled: [body_code, item_id", "prefilled: [body, item_id", "'body' is not a column"),
        ("cycle: reporting ", "cycle: sometimes ", "'sometimes' is not one of"),
        ("- name: delivery", "- name: guidance", "a template adds a sheet of that name"),
    ],
)
def test_a_faulty_form_is_refused_with_the_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(FormError) as error:
        load_forms(_spoil(tmp_path, old, new))
    assert says in str(error.value)
    assert "quarterly_v1.yml" in str(error.value)


def test_a_folder_without_forms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="no form"):
        load_forms(tmp_path)


def test_a_new_version_is_a_new_file_and_the_old_stays(tmp_path: Path) -> None:
    forms = with_half_years(tmp_path)
    assert forms.versions("quarterly") == (1, 2, 3)
    days = (date(2026, 4, 1), date(2026, 7, 1), date(2027, 4, 1))
    chosen = [forms.for_date("quarterly", day) for day in days]
    assert [form.version for form in chosen if form] == [1, 2, 3]


def test_how_often_is_reported_is_said_by_the_form_in_force(tmp_path: Path, forms: Forms) -> None:
    start = date(2026, 4, 1)
    with_halves = with_half_years(tmp_path).reporting_periods("quarterly", start, date(2028, 3, 31))
    assert [period.code for period in with_halves] == [
        "2026-27-Q1", "2026-27-Q2", "2026-27-Q3", "2026-27-Q4", "2027-28-H1", "2027-28-H2",
    ]  # fmt: skip
    assert [p.code for p in forms.reporting_periods("quarterly", start, date(2027, 3, 30))] == [
        "2026-27-Q1", "2026-27-Q2", "2026-27-Q3",
    ]  # fmt: skip
    # Nothing is reported before there is a form, after the last one, or of a kind that has none.
    assert forms.reporting_periods("quarterly", date(2024, 1, 1), date(2024, 6, 30))[0].code == "2024-25-Q1"
    assert [p.code for p in forms.reporting_periods("legacy_audit", date(2019, 4, 1), start)] == [
        "2019-20-FY"
    ]
    assert forms.reporting_periods("unheard_of", start, date(2028, 3, 31)) == []


def test_a_return_is_due_as_its_form_says(forms: Forms, reference: Reference) -> None:
    quarter = Period.parse("2025-26-Q1")
    cycle = reference.cycle_on(quarter.last_day)
    due = {form.kind: form.due_on(quarter, cycle) for form in forms}
    # 30 working days after 30 June 2025, and 20 more; 25 August is a bank holiday.
    assert due["quarterly"] == date(2025, 8, 11)
    assert due["insight"] == date(2025, 9, 9)
    assert {kind for kind, day in due.items() if day is None} == set(due) - {"quarterly", "insight"}


def test_a_renamed_column_is_stored_under_its_first_name(forms: Forms) -> None:
    first, second = forms.get("quarterly", 1), forms.get("quarterly", 2)
    assert first is not None and second is not None
    assert "count" in first.sheet("metrics").column_names
    assert "count" not in second.sheet("metrics").column_names
    assert second.sheet("metrics").column("events").stored_as == "count"
    stored = [[c.stored_as for c in form.sheet("metrics").columns] for form in (first, second)]
    assert stored[0] == stored[1]

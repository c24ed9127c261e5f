from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from ingest.form import FORMS_DIR, FormError, Forms, load_forms
from ingest.reference import Reference


def test_the_forms_of_the_project(forms: Forms) -> None:
    assert forms.kinds == ("legacy_audit", "quarterly")
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
    assert forms.get("quarterly", 2) is None
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
        ("{name: met, type: count", "{name: met, type: number", "column met, type: 'number' is not one of"),
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
    text = (FORMS_DIR / "quarterly_v1.yml").read_text()
    (tmp_path / "quarterly_v1.yml").write_text(text)
    later = text.replace("version: 1", "version: 2", 1).replace(
        "valid_from: 2024-04-01", "valid_from: 2027-04-01", 1
    )
    assert yaml.safe_load(later)["version"] == 2
    (tmp_path / "quarterly_v2.yml").write_text(later)
    forms = load_forms(tmp_path)
    assert forms.versions("quarterly") == (1, 2)
    chosen = {day.year: forms.for_date("quarterly", day) for day in (date(2026, 4, 1), date(2027, 4, 1))}
    assert [form.version for form in chosen.values() if form] == [1, 2]

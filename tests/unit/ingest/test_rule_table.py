"""A proposed rule table is read as a return is judged, or as a CSV of changes, and is refused with the place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from test_rules_of_entries import rules

from ingest.clock import FixedClock
from ingest.form import Forms
from ingest.reference import Reference
from ingest.rule_table import RuleRow, RuleTable, RuleTableRefused, completed, read_rule_table

CLOCK = FixedClock(datetime(2026, 7, 15, 10, tzinfo=UTC))
METRIC = "r02_s01_recorded_24h"


def read(path: Path, reference: Reference, forms: Forms) -> RuleTable:
    return read_rule_table(path, reference, forms, CLOCK)


def read_text(folder: Path, reference: Reference, forms: Forms, *lines: str) -> RuleTable:
    path = folder / "proposal.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read(path, reference, forms)


def refused(folder: Path, reference: Reference, forms: Forms, *lines: str) -> str:
    with pytest.raises(RuleTableRefused) as caught:
        read_text(folder, reference, forms, *lines)
    assert caught.value.verdict.exit_code == 1
    return caught.value.verdict.to_text()


def test_a_csv_needs_only_what_changes(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    found = read_text(
        tmp_path, reference, forms,
        "parameter,metric_id,number_value,text_value",
        "s2_z_flag,,-3.5,",
        "s2_divide_tail,,,TRUE",
        f"threshold,{METRIC},0.6,",
    )  # fmt: skip
    assert [(row.key, row.value, row.basis) for row in found.rows] == [
        (("s2_divide_tail", ""), "true", "proposed"),
        (("s2_z_flag", ""), -3.5, "proposed"),
        (("threshold", METRIC), 0.6, "proposed"),
    ]
    assert (found.is_whole, found.rule_version, found.effective_from) == (False, None, None)


def test_a_csv_may_say_version_dates_and_basis_with_semicolons_between(
    tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    found = read_text(
        tmp_path, reference, forms,
        "rule_version;effective_from;parameter;number_value;basis",
        "2;2027-04-01;n_min;20;policy_paper",
        "1;2027-01-01;n_min;15;",
    )  # fmt: skip
    assert found.rows == (RuleRow("n_min", None, 20.0, None, "policy_paper"),)
    assert (found.rule_version, found.effective_from) == (2, date(2027, 4, 1))
    assert found.other_versions == (1,)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("s2_z_flg,,-4,", "rules, row 2, parameter"),
        ("s2_z_flg,,-4,", "expected one of the 26 codes; perhaps s2_z_flag"),
        ("s2_gap_min,,5%,", "rules, row 2, number_value"),
        ("s2_gap_min,,5,", "s2_gap_min 5; expected a number from 0 to 1"),
        ("n_min,,7.5,", "n_min 7.5; expected a whole number from 1 to 1,000"),
        ("persistence_scope,,,either", "expected same_indicator or any_indicator"),
        ("n_min,,,", "rules, row 2, number_value: found nothing; expected the value of n_min"),
        ("threshold,,0.6,", "expected the metric or question of the threshold"),
        ("threshold,r99_s01,0.6,", "rules, row 2, metric_id"),
        (f"n_min,{METRIC},7,", "rules, row 2, metric_id"),
    ],
)
def test_a_csv_with_errors_is_refused_with_row_and_remedy(
    tmp_path: Path, reference: Reference, forms: Forms, line: str, said: str
) -> None:
    text = refused(tmp_path, reference, forms, "parameter,metric_id,number_value,text_value", line)
    assert said in text and "To mend:" in text


def test_a_csv_names_a_row_that_is_there_twice(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    text = refused(tmp_path, reference, forms, "parameter,number_value", "n_min,7", "", "n_min,8")
    assert "rules, row 4: found the same as row 2" in text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("name,value", "n_min,7"), "lacks the column parameter"),
        (("parameter,number_value",), "lacks rows"),
        (('parameter,number_value\n"n_min,7',), "row 2"),
    ],
)
def test_what_is_no_table_of_rules_is_told_so(
    tmp_path: Path, reference: Reference, forms: Forms, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        read_text(tmp_path, reference, forms, *lines)


@pytest.mark.parametrize("form", ["zip", "xlsx", "ods"])
def test_a_return_is_read_in_any_format(
    tmp_path: Path, reference: Reference, forms: Forms, form: str
) -> None:
    path = getattr(rules(forms), form)(tmp_path / f"rules.{form}")
    found = read(path, reference, forms)
    parameters = {row.parameter for row in found.rows}
    assert found.is_whole and found.rule_version == 1
    assert {"n_min", "persistence_scope", "threshold"} <= parameters
    assert found == read(rules(forms).zip(tmp_path / "again.zip"), reference, forms)


def test_a_return_that_would_be_rejected_is_refused_with_its_report(
    tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    file = rules(forms)
    file.sheets["rules"] = file["rules"][1:]
    with pytest.raises(RuleTableRefused) as caught:
        read(file.zip(tmp_path / "rules.zip"), reference, forms)
    assert "FIGURES-030" in caught.value.verdict.to_text()


def test_what_a_proposal_does_not_name_stays(tmp_path: Path, reference: Reference, forms: Forms) -> None:
    in_force = (
        RuleRow("n_min", None, 10.0, None, "code"),
        RuleRow("s2_z_flag", None, -3.09, None, "code"),
        RuleRow("s2_z_watch", None, -1.96, None, "code"),
        RuleRow("threshold", METRIC, 0.5, None, "code"),
    )
    header = "parameter,metric_id,number_value"
    proposed = read_text(tmp_path, reference, forms, header, "n_min,,20")
    assert [row.value for row in completed(proposed, in_force)] == [20.0, -3.09, -1.96, 0.5]
    contradicting = read_text(tmp_path, reference, forms, header, "s2_z_flag,,-1.5")
    with pytest.raises(
        ValueError, match=r"s2_z_flag -1.5 \(proposed\) and s2_z_watch -1.96 \(from the version"
    ):
        completed(contradicting, in_force)
    whole = RuleTable(in_force[:1], is_whole=True)
    assert completed(whole, in_force) == in_force[:1]

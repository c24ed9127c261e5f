"""The verifier on contracts written here: what passes, what fails, and that nothing fails quietly."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import duckdb
import pytest

from quality.verify import Outcome, contract_datasets, outcomes_to_json, verify, write_outcomes

CONTRACT = """
dataset: warehouse/marts/figures
columns:
  - name: area
    checks:
      - missing:
      - invalid:
          valid_values: [North, South]
  - name: rate
    checks:
      - invalid: {valid_min: 0, valid_max: 1}
checks:
  - row_count:
  - duplicate:
      qualifier: key
      columns: [area, quarter]
  - failed_rows:
      qualifier: met_within_cases
      name: No more cases are met than there are
      expression: met > cases
  - failed_rows:
      qualifier: share_empty
      name: Share of rows without a rate
      expression: rate is null
      threshold: {metric: percent, must_be_less_than_or_equal: 25, level: warn}
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "build.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts")
        con.execute(
            "create table marts.figures as select * from (values"
            " ('North', 'Q1', 5, 10, 0.5), ('South', 'Q1', 9, 10, 0.9), ('North', 'Q2', 4, 10, 0.4),"
            " ('South', 'Q2', 0, 0, null)) as rows(area, quarter, met, cases, rate)"
        )
    return path


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "figures.yml").write_text(CONTRACT, encoding="utf-8")
    return folder


def change(database: Path, sql: str) -> None:
    with duckdb.connect(str(database)) as con:
        con.execute(sql)


def by_check(outcomes: list[Outcome]) -> dict[str, Outcome]:
    assert len({outcome.check for outcome in outcomes}) == len(outcomes)
    return {outcome.check: outcome for outcome in outcomes}


def test_good_data_passes_every_check_with_its_measured_value(database: Path, contracts: Path) -> None:
    outcomes = by_check(verify(database, contracts))

    assert list(outcomes) == [
        "area.missing",
        "area.invalid",
        "rate.invalid",
        "row_count",
        "duplicate.key",
        "failed_rows.met_within_cases",
        "failed_rows.share_empty",
    ]
    assert all(outcome.passed and outcome.detail == "" for outcome in outcomes.values())
    assert {outcome.dataset for outcome in outcomes.values()} == {"marts.figures"}
    assert outcomes["row_count"].measured == 4
    assert outcomes["failed_rows.share_empty"].measured == 25
    assert outcomes["failed_rows.share_empty"].severity == "warn"
    assert outcomes["failed_rows.share_empty"].threshold == "must be less than or equal to 25 percent (warn)"
    assert outcomes["area.missing"].severity == "error"
    assert outcomes["area.missing"].threshold == "must be 0"
    assert outcomes["failed_rows.met_within_cases"].title == "No more cases are met than there are"


@pytest.mark.parametrize(
    ("fault", "check", "measured", "severity", "shown"),
    [
        ("update marts.figures set area = null where met = 5", "area.missing", 1, "error", "area=(empty)"),
        (
            "update marts.figures set area = 'East' where area = 'South'",
            "area.invalid",
            2,
            "error",
            "area=East",
        ),
        ("update marts.figures set rate = 1.5 where met = 9", "rate.invalid", 1, "error", "rate=1.5"),
        ("update marts.figures set quarter = 'Q1'", "duplicate.key", 2, "error", "quarter=Q1; row_count=2"),
        (
            "update marts.figures set met = 11 where met = 9",
            "failed_rows.met_within_cases",
            1,
            "error",
            "area=South; quarter=Q1; met=11; cases=10",
        ),
        (
            "update marts.figures set rate = null where met = 9",
            "failed_rows.share_empty",
            50,
            "warn",
            "area=South; quarter=Q1; rate=(empty) | area=South; quarter=Q2; rate=(empty)",
        ),
    ],
)
def test_a_fault_fails_its_check_and_shows_the_rows(
    database: Path, contracts: Path, fault: str, check: str, measured: float, severity: str, shown: str
) -> None:
    change(database, fault)

    failed = [outcome for outcome in verify(database, contracts) if not outcome.passed]

    assert [outcome.check for outcome in failed] == [check]
    assert failed[0].measured == measured
    assert failed[0].severity == severity
    assert shown in failed[0].detail


def test_at_most_five_failing_rows_are_shown(database: Path, contracts: Path) -> None:
    change(
        database, "insert into marts.figures select 'East', 'Q' || i, 1, 2, 0.5 from range(10, 30) as r(i)"
    )

    invalid = by_check(verify(database, contracts))["area.invalid"]

    assert invalid.measured == 20
    assert invalid.detail.count("area=East") == 5


def test_an_empty_table_fails_its_row_count(database: Path, contracts: Path) -> None:
    change(database, "delete from marts.figures")

    outcome = by_check(verify(database, contracts))["row_count"]

    assert (outcome.passed, outcome.measured, outcome.threshold) == (False, 0, "must be greater than 0")


def test_two_thresholds_warn_first_and_fail_later(database: Path, contracts: Path) -> None:
    path = contracts / "figures.yml"
    text = path.read_text(encoding="utf-8").replace(
        "threshold: {metric: percent, must_be_less_than_or_equal: 25, level: warn}",
        "threshold:\n        metric: percent\n        must_be_less_than: 60\n"
        "        additional: {must_be_less_than: 25, level: warn}",
    )
    path.write_text(text, encoding="utf-8")

    share = by_check(verify(database, contracts))["failed_rows.share_empty"]
    assert (share.passed, share.severity, share.measured) == (False, "warn", 25)

    change(database, "update marts.figures set rate = null")
    share = by_check(verify(database, contracts))["failed_rows.share_empty"]
    assert (share.passed, share.severity, share.measured) == (False, "error", 100)


def test_a_missing_table_is_a_failure(database: Path, contracts: Path) -> None:
    change(database, "drop table marts.figures")

    (outcome,) = verify(database, contracts)

    assert (outcome.check, outcome.passed, outcome.severity) == ("contract", False, "error")
    assert "marts.figures is not in this build" in outcome.detail


def test_a_missing_column_is_a_failure_that_names_it(database: Path, contracts: Path) -> None:
    change(database, "alter table marts.figures drop column quarter")

    (outcome,) = verify(database, contracts)

    assert not outcome.passed
    assert "lacks quarter" in outcome.detail


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("valid_values: [North, South]", "valid_valeus: [North, South]", "valid_valeus"),
        ("  - name: rate\n", "  - name: rate\n    chekcs: []\n", "unknown key chekcs"),
        ("  - row_count:", "  - rowcount:", "rowcount"),
        ("level: warn", "level: warning", "warning"),
        ("must_be_less_than_or_equal: 25", "must_be_at_most: 25", "must_be_at_most"),
        ("dataset: warehouse/marts/figures", "dataset: warehouse/marts/figure", "warehouse/<schema>/figures"),
        ("dataset: warehouse/marts/figures", "dataset: other/marts/figures", "warehouse/<schema>/figures"),
        ("      qualifier: met_within_cases\n", "", "needs a qualifier"),
        ("qualifier: share_empty", "qualifier: met_within_cases", "appears twice"),
        ("  - row_count:", "  - row_count: [", "not readable as YAML"),
        (
            "checks:\n  - row_count:",
            "checks:\n  - row_count:\nchecks:\n  - row_count:",
            "not readable as YAML",
        ),
    ],
)
def test_an_invalid_contract_is_an_error(
    database: Path, contracts: Path, old: str, new: str, words: str
) -> None:
    path = contracts / "figures.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    (outcome,) = verify(database, contracts)

    assert (outcome.check, outcome.passed, outcome.severity) == ("contract", False, "error")
    assert words in outcome.detail


def test_a_check_that_cannot_be_evaluated_fails(database: Path, contracts: Path) -> None:
    path = contracts / "figures.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("expression: met > cases", "expression: met > caess"),
        encoding="utf-8",
    )

    outcome = by_check(verify(database, contracts))["failed_rows.met_within_cases"]

    assert (outcome.passed, outcome.severity, outcome.measured) == (False, "error", None)
    assert "caess" in outcome.detail


def test_a_silenced_log_does_not_turn_failure_into_success(database: Path, contracts: Path) -> None:
    path = contracts / "figures.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("expression: met > cases", "expression: met > caess"),
        encoding="utf-8",
    )
    soda = logging.getLogger("soda")
    soda.setLevel(logging.CRITICAL)
    logging.disable(logging.CRITICAL)
    try:
        outcomes = by_check(verify(database, contracts))
        assert soda.level == logging.CRITICAL
        assert logging.root.manager.disable == logging.CRITICAL
    finally:
        logging.disable(logging.NOTSET)
        soda.setLevel(logging.NOTSET)

    assert not outcomes["failed_rows.met_within_cases"].passed


def test_one_broken_contract_leaves_the_others_their_verdicts(database: Path, contracts: Path) -> None:
    (contracts / "absent.yml").write_text(
        "dataset: warehouse/marts/absent\ncolumns: []\nchecks:\n  - row_count:\n", encoding="utf-8"
    )

    outcomes = verify(database, contracts)

    assert [outcome.contract for outcome in outcomes] == ["absent"] + ["figures"] * 7
    assert [outcome.passed for outcome in outcomes] == [False] + [True] * 7


def test_no_contract_and_no_database_are_errors(database: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="No contract"):
        verify(database, empty)
    with pytest.raises(FileNotFoundError, match="build the warehouse first"):
        verify(tmp_path / "nothing.duckdb", empty)


def test_datasets_are_known_without_a_database(contracts: Path) -> None:
    assert contract_datasets(contracts) == {"figures": "marts.figures"}


def test_outcomes_are_written_the_same_way_twice(database: Path, contracts: Path, tmp_path: Path) -> None:
    change(database, "update marts.figures set area = 'East' where met = 5")
    first = write_outcomes(verify(database, contracts), tmp_path / "checks", "b1")
    content, written = first.read_bytes(), first.stat().st_mtime_ns

    second = write_outcomes(verify(database, contracts), tmp_path / "checks", "b1")

    assert second == first == tmp_path / "checks" / "b1.json"
    assert second.read_bytes() == content
    assert second.stat().st_mtime_ns == written
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    document = json.loads(content)
    assert (document["build_id"], document["checks"], document["passed"]) == ("b1", 7, 6)
    assert (document["failed"], document["warned"]) == (1, 0)
    assert [outcome["check"] for outcome in document["outcomes"] if not outcome["passed"]] == ["area.invalid"]
    assert json.loads(outcomes_to_json([], "b2"))["checks"] == 0

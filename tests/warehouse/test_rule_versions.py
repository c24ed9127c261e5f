"""What the Taskforce agrees arrives as a return, and judges the quarters it is for, and no earlier one."""

from __future__ import annotations

import csv
from datetime import date

import duckdb
import pytest

from tests.warehouse.rendering import DBT, build, database, table, typed_seed

WORDS = {"s2_divide_tail", "s4_counts", "persistence_scope", "peer_set"}
NO_PARAMETER = {"rule_version", "effective_from", "effective_to", "basis"}
RECEIPTS = {"receipt_id": "varchar", "receipt_sequence": "integer", "form_kind": "varchar"}
ROWS = {
    "receipt_id": "varchar", "rule_version": "integer", "effective_from": "date", "effective_to": "date",
    "parameter": "varchar", "metric_id": "varchar", "number_value": "double", "text_value": "varchar",
    "basis": "varchar",
}  # fmt: skip
METRIC = "r02_s01_recorded_24h"

Row = tuple[str, int, date, date | None, str, str | None, float | None, str | None, str]


def version(receipt: str, number: int, start: date, **changes: str) -> list[Row]:
    """The seed's rules, one row a parameter, with changes; and one threshold."""
    with (DBT / "seeds" / "severe_rules.csv").open() as stream:
        values = {**next(csv.DictReader(stream)), **changes}
    rows: list[Row] = []
    for name, value in values.items():
        if name in NO_PARAMETER or name == "threshold":
            continue
        is_word = name in WORDS
        rows.append((receipt, number, start, None, name, None, None if is_word else float(value),
                     value if is_word else None, "prescribed"))  # fmt: skip
    threshold = float(changes.get("threshold", "0.6"))
    return [*rows, (receipt, number, start, None, "threshold", METRIC, threshold, None, "prescribed")]


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    con = database()
    for name in ("severe_rules", "severe_thresholds"):
        typed_seed(con, name)
    # Version 1 was sent twice, for two quarters; a superseded return (r0) is no current one.
    table(con, "int_current_receipts", RECEIPTS, [("r1", 1, "rules"), ("r2", 2, "rules"), ("r3", 3, "rules")])
    rows = [
        *version("r0", 1, date(2026, 10, 1), n_min="99"),
        *version("r1", 1, date(2026, 10, 1), n_min="12"),
        *version("r2", 1, date(2026, 10, 1), n_min="15", s2_divide_tail="TRUE"),
        *version("r3", 2, date(2027, 1, 1), persistence_scope="any_indicator", threshold="0.7"),
    ]
    table(con, "stg_rules", ROWS, rows)
    quarters = [("2026-27-Q2", 8105, date(2026, 9, 30)), ("2026-27-Q3", 8106, date(2026, 12, 31)),
                ("2026-27-Q4", 8107, date(2027, 3, 31))]  # fmt: skip
    columns = {"period_code": "varchar", "quarter_index": "integer", "last_day": "date"}
    table(con, "int_quarters", columns, quarters)
    build(con, "int_agreed_rules", "int_severe_rules", "int_severe_thresholds", "int_rules_by_quarter")
    return con


def test_each_quarter_is_judged_by_the_latest_version_in_force(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select period_code, rule_version, n_min, s2_divide_tail, persistence_scope"
        " from intermediate.int_rules_by_quarter order by period_code"
    ).fetchall()
    assert found == [
        ("2026-27-Q2", 0, 10, False, "same_indicator"),
        ("2026-27-Q3", 1, 15, True, "same_indicator"),
        ("2026-27-Q4", 2, 10, False, "any_indicator"),
    ]


def test_every_parameter_arrives(warehouse: duckdb.DuckDBPyConnection) -> None:
    cursor = warehouse.execute("select * from intermediate.int_severe_rules order by rule_version")
    assert cursor.description is not None
    names = [column[0] for column in cursor.description]
    first, _, second = (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    changed = {name for name in names if first[name] != second[name]}
    assert changed == {"rule_version", "effective_from", "basis", "persistence_scope"}


def test_a_threshold_is_that_of_its_version(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select rule_version, threshold from intermediate.int_severe_thresholds where metric_id = ? order by all",
        [METRIC],
    ).fetchall()
    assert found == [(0, 0.5), (1, 0.6), (2, 0.7)]
    # A version sets the thresholds that it names, and no others.
    assert warehouse.execute(
        "select count(*) from intermediate.int_severe_thresholds where rule_version > 0"
    ).fetchone() == (2,)

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from orchestration.checks import contract_result

KEY = dg.AssetKey(["marts", "local_area_compliance"])


def outcome(*, passed: bool, severity: str = "error", check: str = "row_count") -> dict[str, Any]:
    return {
        "contract": "local_area_compliance",
        "dataset": "marts.local_area_compliance",
        "check": check,
        "column": None,
        "passed": passed,
        "severity": severity,
        "measured": 3,
        "threshold": "must be 0",
        "detail": "3 rows",
        "title": "No row without a body",
    }


@pytest.mark.parametrize(
    ("outcomes", "passed", "severity"),
    [
        ([outcome(passed=True), outcome(passed=True, severity="warn")], True, dg.AssetCheckSeverity.WARN),
        ([outcome(passed=True), outcome(passed=False, severity="warn")], False, dg.AssetCheckSeverity.WARN),
        ([outcome(passed=False), outcome(passed=False, severity="warn")], False, dg.AssetCheckSeverity.ERROR),
        ([], False, dg.AssetCheckSeverity.ERROR),
    ],
    ids=["kept", "warned", "broken", "not measured"],
)
def test_a_contract_blocks_only_if_a_promise_that_blocks_is_broken(
    outcomes: list[dict[str, Any]], passed: bool, severity: dg.AssetCheckSeverity
) -> None:
    result = contract_result("local_area_compliance", KEY, outcomes)
    assert (result.passed, result.severity) == (passed, severity)


def test_a_broken_promise_is_named_with_its_measured_value_and_limit() -> None:
    result = contract_result("local_area_compliance", KEY, [outcome(passed=True), outcome(passed=False)])
    assert result.description == (
        "1 of 2 promises broken. No row without a body (measured 3, must be 0). 3 rows"
    )
    table = result.metadata["what is broken"]
    assert isinstance(table, dg.MarkdownMetadataValue)
    assert "| No row without a body | NO | blocks | 3 | must be 0 | 3 rows |" in str(table.value)

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ingest.clock import SystemClock
from ingest.receipts import Ledger, Receipt
from orchestration.checks import contract_result, refused_returns
from orchestration.project import Project

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


def receipt(sender: str, outcome: str, period: str | None) -> Receipt:
    return Receipt(
        ticket=f"{sender} {outcome} {period}",
        sha256="0" * 64,
        bytes=1,
        extension="zip",
        sender_code=sender,
        file_name=f"{period}.zip",
        arrived_at=datetime(2026, 11, 2, tzinfo=UTC),
        outcome=outcome,
        stored_in="archive",
        kind="quarterly" if period else None,
        period_code=period,
    )


def test_a_refusal_stands_until_its_sender_has_a_return_accepted_that_replaces_it(tmp_path: Path) -> None:
    project = Project(tmp_path, SystemClock())
    ledger = Ledger(project.root.receipts)
    for sender, outcome, period in (
        ("a", "rejected", None),
        ("b", "quarantined", None),
        ("a", "rejected", "2026-27-Q1"),
        ("c", "rejected", "2026-27-Q1"),
        ("a", "accepted", "2026-27-Q2"),
        ("c", "accepted_with_warnings", "2026-27-Q1"),
    ):
        ledger.append(receipt(sender, outcome, period))
    left = [(each.sender_code, each.period_code) for each in refused_returns(project)]
    # What could not be read names no period: the return that a got accepted afterwards stands for it.
    assert left == [("b", None), ("a", "2026-27-Q1")]
    ledger.append(receipt("b", "rejected", "2026-27-Q2"))
    ledger.append(receipt("a", "accepted", "2026-27-Q1"))
    left = [(each.sender_code, each.period_code) for each in refused_returns(project)]
    assert left == [("b", None), ("b", "2026-27-Q2")]

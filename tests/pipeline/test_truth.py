"""Everything that was planted in the sample comes out, and nothing that is missing passes for good."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ingest.period import working_days_between
from ingest.receipts import Ledger
from orchestration.expected import expected_returns
from orchestration.project import Project
from tests.pipeline.pictures import rows
from tests.pipeline.scenario import Sample

Found = dict[tuple[object, ...], tuple[object, ...]]


@pytest.fixture(scope="module")
def persistence(finished: Project) -> Found:
    """(body kind, area, right, quarter) -> (state, result, is_recommended)."""
    found = rows(
        finished,
        "select body_kind, pfa_code, right_number, period_code, state, result, is_recommended"
        " from marts.oversight_persistence",
    )
    return {row[:4]: row[4:] for row in found}


def rights_of(persistence: Found, plant: dict[str, Any]) -> list[object]:
    if not plant["holds_for_all_rights"]:
        return [plant["right_number"]]
    about = (plant["body_kind"], plant["pfa_code"])
    return sorted({key[2] for key in persistence if key[:2] == about}, key=str)


def test_every_planted_truth_comes_out(sample: Sample, persistence: Found) -> None:
    assert len(sample.truth["plants"]) >= 25
    wrong = []
    for plant in sample.truth["plants"]:
        about = (plant["body_kind"], plant["pfa_code"])
        rights = rights_of(persistence, plant)
        assert rights, plant["plant_id"]
        for right in rights:
            for period, state in plant["expected_state"].items():
                expected = (state, plant["expected_result"][period], plant["is_recommended"][period])
                found = persistence.get((*about, right, period))
                if found != expected:
                    wrong.append((plant["plant_id"], right, period, expected, found))
    assert wrong == []


def test_kinds_that_the_sample_must_hold_are_in_it(sample: Sample) -> None:
    kinds = {plant["kind"] for plant in sample.truth["plants"]}
    assert kinds >= {
        "severe_persistent",
        "severe_once",
        "unlucky_small_sample",
        "non_submission",
        "late",
        "revised",
        "rejected",
    }


def test_a_body_that_does_not_send_never_counts_as_a_pass(sample: Sample, persistence: Found) -> None:
    silent = {
        (plant["body_kind"], plant["pfa_code"], period)
        for plant in sample.truth["plants"]
        for period in plant["not_submitted"]
    }
    assert silent
    passing = [
        (key, found)
        for key, found in persistence.items()
        if (key[0], key[1], key[3]) in silent
        and (found[0] != "NOT_SUBMITTED" or found[1] in ("CLEAR", "RESET"))
    ]
    assert passing == []


def test_only_what_was_planted_is_recommended(sample: Sample, persistence: Found) -> None:
    planted = {(plant["body_kind"], plant["pfa_code"]) for plant in sample.truth["plants"]}
    chance = {key for key, found in persistence.items() if found[2] and key[:2] not in planted}
    # One in a thousand tests is expected to be extreme by chance; twice running, on one metric, next to never.
    assert chance == set()


def test_expected_against_received(sample: Sample, finished: Project) -> None:
    found = rows(
        finished,
        """
        select
            period_code,
            count(*) filter (where is_expected),
            list(sender_code order by sender_code) filter (where submission_status = 'not_submitted'),
            list(sender_code order by sender_code) filter (where submission_status = 'rejected'),
            list(sender_code order by sender_code) filter (where submission_status = 'late'),
            list(sender_code order by sender_code) filter (where is_revised)
        from marts.quality_submissions
        where form_kind = 'quarterly'
        group by period_code
        order by period_code
        """,
    )
    expected = [
        (
            entry["period_code"],
            entry["expected"],
            entry["missing"],
            sorted(set(entry["without_current"]) - set(entry["missing"])),
            entry["late"],
            entry["revised"],
        )
        for entry in sample.truth["returns"]
    ]
    assert [(row[0], row[1], *(value or [] for value in row[2:])) for row in found] == expected


def test_what_is_late_missing_or_revised_is_so_by_sender(sample: Sample, finished: Project) -> None:
    found = {
        (sender, period): (
            status,
            working_days_between(due, accepted) if status == "late" else 0,
            receipts,
            revised,
        )
        for sender, period, status, due, accepted, receipts, revised in rows(
            finished,
            "select sender_code, period_code, submission_status, due_on, first_accepted_on, receipt_count, is_revised"
            " from marts.quality_submissions where form_kind = 'quarterly'",
        )
    }
    columns = ("submission_status", "working_days_late", "receipt_count", "is_revised")
    expected = {
        (entry["sender_code"], entry["period_code"]): tuple(entry[column] for column in columns)
        for entry in sample.truth["submissions"]
    }
    assert expected
    assert {key: found[key] for key in expected} == expected


def wilson(met: int, cases: int, z: float = 1.959964) -> tuple[float, float]:
    """The score interval, written out independently of the models."""
    centre = (met + z * z / 2) / (cases + z * z)
    half = z * math.sqrt(met * (cases - met) / cases + z * z / 4) / (cases + z * z)
    return centre - half, centre + half


def test_the_essex_audit_shows_a_fall_on_one_base_and_warns_that_the_base_changed(finished: Project) -> None:
    found = rows(
        finished,
        "select period_code, met_count, met_count + not_met_count, rate_lower, rate_upper, outcome_status, is_base_changed"
        " from marts.local_area_legacy_audit"
        " where question_id = 'q1_acknowledgement' and sampling_frame = 'finalised_cases' order by period_code",
    )
    assert [row[:3] for row in found] == [("2019-20-H1", 9, 18), ("2019-20-Q3", 6, 18), ("2019-20-Q4", 7, 20)]
    assert {row[5] for row in found} == {"derived"}
    for _, met, cases, lower, upper, _, _ in found:
        assert (lower, upper) == pytest.approx(wilson(met, cases), abs=1e-6)  # type: ignore[arg-type]
    assert any(row[6] for row in found)


def test_nothing_that_was_blank_in_the_essex_audit_is_a_zero(finished: Project) -> None:
    found = rows(
        finished,
        "select question_id, period_code, met_count, not_met_count from marts.local_area_legacy_audit"
        " where outcome_status in ('unknown', 'not_collected', 'as_printed')"
        " and (met_count is not null or not_met_count is not null)",
    )
    assert found == []


def test_what_the_ledger_tells_is_what_the_mart_tells(finished: Project) -> None:
    receipts = Ledger(finished.root.receipts).read()
    told = {
        (each.sender_code, each.kind, quarter.code): (each.status, each.due_on, each.is_revised)
        for quarter in finished.due_quarters()
        for each in expected_returns(finished.reference, finished.forms, receipts, quarter, finished.today)
    }
    found = rows(
        finished,
        "select sender_code, form_kind, period_code, submission_status, due_on, is_revised"
        " from marts.quality_submissions where is_expected",
    )
    assert {row[:3]: row[3:] for row in found} == told
    assert {kind for _, kind, _ in told} == {"quarterly", "insight"}
    assert {status for status, _, _ in told.values()} == {"on_time", "late", "rejected", "not_submitted"}


def test_every_kind_of_return_reaches_staging(sample: Sample, finished: Project) -> None:
    staged = {
        "feedback": "stg_feedback_answers",
        "insight": "stg_insight_entries",
        "decisions": "stg_decisions",
        "rules": "stg_rules",
        "context": "stg_context_entries",
        "legacy_audit": "stg_legacy_audit_answers",
    }
    accepted = dict(
        rows(
            finished,
            "select form_kind, count(*) from staging.stg_receipts where is_accepted group by form_kind",
        )
    )
    for kind, model in staged.items():
        [(returns, lines)] = rows(
            finished, f"select count(distinct receipt_id), count(*) from staging.{model}"
        )
        assert returns == accepted.pop(kind), kind
        assert lines >= returns
    assert set(accepted) == {"quarterly"}
    # The two versions of the quarterly form lie in the same columns, each in its own quarters.
    versions = rows(
        finished,
        """
        select receipts.form_version, min(receipts.period_code), max(receipts.period_code),
            count(metrics.reported_count)
        from staging.stg_quarterly_metrics as metrics
        inner join staging.stg_receipts as receipts on metrics.receipt_id = receipts.receipt_id
        group by receipts.form_version order by receipts.form_version
        """,
    )
    assert [row[:3] for row in versions] == [(1, "2025-26-Q1", "2026-27-Q1"), (2, "2026-27-Q2", "2026-27-Q2")]
    assert all(row[3] > 0 for row in versions)

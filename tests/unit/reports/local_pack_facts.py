"""A small warehouse for local packs: Cumbria with plain figures, Essex with hostile text, and BTP."""

from __future__ import annotations

import datetime as dt
from typing import Any

PERIOD = "2025-26-Q2"
SEEDS = (
    "areas",
    "benchmark_rules",
    "body_areas",
    "characteristics",
    "crime_types",
    "senders",
    "similar_areas",
)
HOSTILE = "=1+1 <script>alert(1)</script> {{ 7*7 }} {% if x %} **bold** [x](javascript:alert(1)) \u202eevil"
#: What a reader must find of it, whatever the kind of file: all the words, and no direction control.
HOSTILE_WORDS = (
    "=1+1 <script>alert(1)</script> {{ 7*7 }} {% if x %} **bold** [x](javascript:alert(1)) \ufffdevil"
)
RECORDED, CONFIRMED = "r02_s01_recorded_24h", "r03_s01_crn_5wd"
#: Counts that stand in one area's figures only.
CUMBRIA_GOOD, ESSEX_GOOD = 1236, 31347

CUMBRIA = {"body_kind": "police", "pfa_code": "E23000002", "period_code": PERIOD, "area_name": "Cumbria"}
ESSEX = {"body_kind": "police", "pfa_code": "E23000028", "period_code": PERIOD, "area_name": HOSTILE}
BTP = {
    "body_kind": "btp",
    "pfa_code": "NAT",
    "period_code": PERIOD,
    "area_name": "England and Wales (national)",
}


def benchmark(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Cumbria's recording in 24 hours: 1,236 of 4,000 is 30.9%; like areas 14,000 of 20,000 is 70%.

    To 70% of 4,000 it is 2,800 - 1,236 = 1,564 victims more, to the achievable 90% 3,600 - 1,236 = 2,364.
    """
    return {
        **body,
        "information": "statistic",
        "item_id": RECORDED,
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "right_number": 2,
        "metric_version": 1,
        "polarity": "higher",
        "quarter_index": 8101,
        "good_count": CUMBRIA_GOOD,
        "base_count": 4000,
        "good_rate": 0.309,
        "rate_lower": 0.2948,
        "rate_upper": 0.3235,
        "standard_wording": "the Code sets none",
        "achievable_rate": 0.9,
        "achievable_good_count": 8100,
        "achievable_base_count": 9000,
        "achievable_area_count": 5,
        "achievable_gap": 2364,
        "like_area_count": 7,
        "like_areas_good_count": 14000,
        "like_areas_base_count": 20000,
        "like_areas_rate": 0.7,
        "like_areas_gap": 1564,
        "own_period_count": 2,
        "own_rate": 0.35,
        "own_gap": 164,
        "previous_good_count": 1600,
        "previous_base_count": 4000,
        "previous_rate": 0.4,
        "change_from_previous": "lower",
        "change_from_year_ago": "no detectable change",
        "z_score": -5.0,
        "gap_to_peers": 0.391,
        "is_high_compliance": False,
        "high_compliance": "not significantly better than like areas",
        **changes,
    }


NO_PEERS = {
    "achievable_rate": None,
    "achievable_area_count": None,
    "achievable_gap": None,
    "like_area_count": None,
    "like_areas_good_count": None,
    "like_areas_base_count": None,
    "like_areas_rate": None,
    "like_areas_gap": None,
    "z_score": None,
    "gap_to_peers": None,
}


def right(body: dict[str, Any], number: int, title: str, **changes: Any) -> dict[str, Any]:
    return {
        **body,
        "right_number": number,
        "right_title": title,
        "quarter_index": 8101,
        "statistic_status": "complete",
        "feedback_status": "not_collected_by_design",
        "delivery_status": "complete",
        **changes,
    }


def item(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        **body,
        "right_number": 2,
        "information": "statistic",
        "item_id": RECORDED,
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "metric_version": 1,
        "definition": "Crimes recorded within 24 hours",
        "unit": "proportion",
        "polarity": "higher",
        "figure_status": "reported",
        "numerator_count": CUMBRIA_GOOD,
        "base_count": 4000,
        "item_rate": 0.309,
        **changes,
    }


def breakdown(body: dict[str, Any], value: str, good: int, base: int, **changes: Any) -> dict[str, Any]:
    """A group beside a rest of 90 of 100: lower, whatever the group is."""
    return {
        **body,
        "information": "statistic",
        "item_id": RECORDED,
        "breakdown": "ethnicity",
        "breakdown_value": value,
        "collection_mode": "census",
        "sampling_frame": "all_cases",
        "right_number": 2,
        "metric_version": 1,
        "is_unknown_value": False,
        "unknown_share": 0.1,
        "compared_over": "quarter",
        "compared_period_count": 1,
        "group_good_count": good,
        "group_base_count": base,
        "group_rate": good / base,
        "rest_good_count": 90,
        "rest_base_count": 100,
        "rest_rate": 0.9,
        "rate_difference": good / base - 0.9,
        "difference_lower": good / base - 1,
        "difference_upper": good / base - 0.8,
        "disparity": "lower",
        **changes,
    }


def entry(body: dict[str, Any], insight_id: str, kind: str, text: str, **changes: Any) -> dict[str, Any]:
    return {
        "receipt_id": "R000007-0a1b2c3d",
        "sheet_row": 2,
        "sender_code": f"{body['pfa_code']}-lpb",
        "period_code": PERIOD,
        "insight_id": insight_id,
        "insight_kind": kind,
        "quarter_index": 8101,
        "pfa_code": body["pfa_code"],
        "area_name": body["area_name"],
        "body_code": f"{body['pfa_code']}-police",
        "body_kind": "police",
        "right_number": 2,
        "insight_text": text,
        **changes,
    }


TITLE_2 = "To have the details of the crime recorded without unjustified delay"
TITLE_3 = "To be provided with information when reporting the crime"

MARTS: dict[str, list[dict[str, Any]]] = {
    "local_area_rights": [
        right(CUMBRIA, 2, TITLE_2),
        right(CUMBRIA, 3, TITLE_3),
        right(ESSEX, 2, TITLE_2),
        right(BTP, 2, TITLE_2),
    ],
    "local_area_right_items": [
        item(CUMBRIA),
        item(
            CUMBRIA,
            information="delivery",
            item_id="r02_d01",
            definition="Procedures to monitor recording",
            unit="grade_0_3",
            numerator_count=None,
            base_count=None,
            item_rate=None,
            lowest_grade=1,
            has_improvement_plan=True,
            next_step="Train the control room",
            next_step_due_on=dt.date(2025, 12, 1),
        ),
        item(ESSEX, numerator_count=ESSEX_GOOD, base_count=40000, item_rate=ESSEX_GOOD / 40000),
        item(BTP),
    ],
    "local_area_benchmarks": [
        benchmark(CUMBRIA),
        benchmark(
            CUMBRIA,
            item_id=CONFIRMED,
            right_number=3,
            good_count=700,
            base_count=1000,
            good_rate=0.7,
            like_area_count=2,
            like_areas_rate=0.7654,
            like_areas_gap=66,
            achievable_area_count=1,
            achievable_rate=0.8765,
            achievable_gap=177,
            change_from_previous=None,
        ),
        benchmark(
            ESSEX,
            good_count=ESSEX_GOOD,
            base_count=40000,
            good_rate=ESSEX_GOOD / 40000,
            is_high_compliance=True,
            z_score=4.0,
        ),
        benchmark(BTP, **NO_PEERS, standard_rate=1.0, standard_basis="code", standard_gap=2764),
    ],
    "local_area_breakdowns": [
        breakdown(CUMBRIA, "B", 12, 30),
        breakdown(CUMBRIA, "W", 7, 29),
        breakdown(CUMBRIA, "A", 40, 60, disparity="no detectable difference"),
    ],
    "oversight_indicators": [
        {
            **CUMBRIA,
            "right_number": 2,
            "indicator": "S2",
            "item_id": RECORDED,
            "item_definition": "Crimes recorded within 24 hours",
            "collection_mode": "census",
            "sampling_frame": "all_cases",
            "is_assessable": True,
            "is_met": True,
            "is_watch": False,
            "good_count": CUMBRIA_GOOD,
            "base_count": 4000,
            "rate": 0.309,
            "threshold": -3.09,
            "z_score": -5.0,
            "gap_to_peers": 0.391,
            "peer_count": 7,
            "peer_target_rate": 0.7,
            "rule_version": 0,
        }
    ],
    "oversight_exclusion_warnings": [],
    "oversight_persistence": [
        {
            **CUMBRIA,
            "right_number": 2,
            "right_title": TITLE_2,
            "quarter_index": 8101,
            "state": "MET",
            "result": "SEVERE_PERSISTENT",
            "is_recommended": True,
            "reason": "Severe in two or more consecutive quarters",
            "rule_version": 0,
        }
    ],
    "oversight_register": [
        {
            "period_code": PERIOD,
            "body_kind": "police",
            "pfa_code": "E23000002",
            "right_number": 2,
            "result": "SEVERE_PERSISTENT",
            "case_id": "0123456789abcdef",
        }
    ],
    "oversight_cases": [],
    "oversight_notices": [],
    "quality_submissions": [
        {
            "sender_code": f"{body['pfa_code']}-police" if body is not BTP else "BTP",
            "form_kind": "quarterly",
            "period_code": PERIOD,
            "sender_name": name,
            "is_expected": True,
            "due_on": dt.date(2025, 11, 11),
            "submission_status": "on_time",
            "current_receipt_id": receipt,
            "is_revised": False,
        }
        for body, name, receipt in (
            (CUMBRIA, "Cumbria Constabulary", "R000101-0a1b2c3d"),
            (ESSEX, HOSTILE, "R000102-0a1b2c3d"),
            (BTP, "British Transport Police", "R000103-0a1b2c3d"),
        )
    ],
    "quality_problems": [],
    "insight_actions": [
        {
            "sender_code": "E23000002-lpb",
            "insight_id": "A1",
            "pfa_code": "E23000002",
            "area_name": "Cumbria",
            "body_code": "E23000002-police",
            "body_kind": "police",
            "right_number": 2,
            "insight_text": "Change the control room's script.",
            "owner_role": "Head of contact",
            "action_due_on": dt.date(2025, 9, 30),
            "action_status": "open",
            "first_reported_period_code": "2025-26-Q1",
            "last_reported_period_code": PERIOD,
            "is_unfinished": True,
            "is_lost": False,
            "is_overdue": True,
        }
    ],
    "insight_entries": [
        entry(ESSEX, "B1", "best_practice", HOSTILE, period_code="2025-26-Q1", quarter_index=8100),
        entry(CUMBRIA, "L1", "low", "Recording is late at weekends."),
    ],
    "insight_returns": [],
    "context_entries": [
        {
            "receipt_id": "R000009-0a1b2c3d",
            "sheet_row": 2,
            "sender_code": "HMICFRS",
            "period_code": PERIOD,
            "context_id": "C1",
            "context_source": "inspectorate",
            "publisher": "Joint inspectorates",
            "title": "Meeting the needs of victims",
            "summary": HOSTILE,
        }
    ],
}

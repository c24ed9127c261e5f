"""The project's contracts: good rows of every mart pass, and every single check can fail."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
import yaml

from quality.verify import Outcome, verify

CONTRACTS = Path(__file__).parents[3] / "quality" / "contracts"

POLICE = {"body_kind": "police", "pfa_code": "E23000002", "period_code": "2025-26-Q2"}
AREA = {**POLICE, "area_name": "Cumbria"}
CENSUS = {"collection_mode": "census", "sampling_frame": "all_cases"}
NO_FIGURE = {"collection_mode": "none", "sampling_frame": "none"}

COMPLIANCE = {
    **AREA,
    "metric_id": "r02_s01_recorded_24h",
    **CENSUS,
    "right_number": 2,
    "metric_version": 1,
    "unit": "proportion",
    "polarity": "higher",
    "quarter_index": 8101,
    "figure_status": "reported",
    "senders_expected": 1,
    "senders_received": 1,
    "met_count": 60,
    "not_met_count": 40,
    "not_suitable_count": 5,
    "declined_count": 5,
    "unknown_count": 0,
    "case_count": 100,
    "compliance_rate": 0.6,
    "rate_lower": 0.502,
    "rate_upper": 0.691,
    "exclusion_rate": 0.0909090909,
    "previous_met_count": 50,
    "previous_case_count": 100,
    "previous_rate": 0.5,
    "change_from_previous": "no detectable change",
    "like_area_count": 7,
    "like_areas_met_count": 400,
    "like_areas_case_count": 700,
    "like_areas_rate": 0.5714285714,
}
FEEDBACK = {
    **AREA,
    "question_id": "r02_f01",
    "survey_mode": "online",
    "collected_by": "own",
    "right_number": 2,
    "response_set": "five_point",
    "polarity": "higher",
    "quarter_index": 8101,
    "figure_status": "reported",
    "invited_count": 200,
    "good_count": 30,
    "valid_answer_count": 50,
    "effective_answer_count": 50.0,
    "good_rate": 0.6,
    "rate_lower": 0.46,
    "rate_upper": 0.72,
    "like_area_count": 7,
    "like_areas_rate": 0.55,
}
BENCHMARK = {
    **AREA,
    "information": "statistic",
    "item_id": "r02_s01_recorded_24h",
    **CENSUS,
    "right_number": 2,
    "metric_version": 1,
    "polarity": "higher",
    "quarter_index": 8101,
    "series_id": "police|E23000002|r02_s01_recorded_24h|v1|census|all_cases",
    "good_count": 60,
    "base_count": 100,
    "good_rate": 0.6,
    "rate_lower": 0.502,
    "rate_upper": 0.691,
    "standard_rate": 1.0,
    "standard_basis": "proposed",
    "standard_wording": "Every victim is told",
    "standard_gap": 40,
    "achievable_rate": 0.8,
    "achievable_good_count": 160,
    "achievable_base_count": 200,
    "achievable_area_count": 2,
    "achievable_gap": 20,
    "like_area_count": 7,
    "like_areas_median_rate": 0.58,
    "like_areas_lowest_rate": 0.5,
    "like_areas_highest_rate": 0.7,
    "like_areas_good_count": 400,
    "like_areas_base_count": 700,
    "like_areas_rate": 0.5714285714,
    "own_period_count": 2,
    "own_good_count": 110,
    "own_base_count": 200,
    "own_rate": 0.55,
    "previous_rate": 0.5,
    "change_from_previous": "no detectable change",
    "z_score": 0.4,
    "gap_to_peers": -0.02,
    "is_high_compliance": False,
    "high_compliance": "not significantly better than like areas",
}
SERIES = {
    **AREA,
    "information": "statistic",
    "item_id": "r02_s01_recorded_24h",
    **CENSUS,
    "series_id": "police|E23000002|r02_s01_recorded_24h|v1|census|all_cases",
    "time_window": "quarter",
    "window_starts_on": "2025-07-01",
    "window_ends_on": "2025-09-30",
    "period_count": 1,
    "good_count": 60,
    "base_count": 100,
    "good_rate": 0.6,
    "rate_lower": 0.502,
    "rate_upper": 0.691,
    "previous_rate": 0.5,
    "change_from_previous": "no detectable change",
}
BREAKDOWN = {
    **AREA,
    "information": "statistic",
    "item_id": "r02_s01_recorded_24h",
    **CENSUS,
    "breakdown": "sex",
    "breakdown_value": "F",
    "collected_by": "own",
    "is_unknown_value": False,
    "good_count": 56,
    "base_count": 70,
    "good_rate": 0.8,
    "rate_lower": 0.6918,
    "rate_upper": 0.8769,
    "unknown_share": 0.1,
    "compared_over": "quarter",
    "compared_period_count": 1,
    "group_good_count": 56,
    "group_base_count": 70,
    "group_rate": 0.8,
    "rest_good_count": 48,
    "rest_base_count": 80,
    "rest_rate": 0.6,
    "rate_difference": 0.2,
    "difference_lower": 0.0524,
    "difference_upper": 0.3339,
    "disparity": "higher",
}
NOT_STATED = {
    key: value
    for key, value in BREAKDOWN.items()
    if key.split("_")[0] not in ("compared", "group", "rest", "difference", "disparity")
} | {"breakdown_value": "NS", "is_unknown_value": True, "rate_difference": None}
DELIVERY = {
    **AREA,
    "item_id": "r02_d01",
    "right_number": 2,
    "polarity": "higher",
    "quarter_index": 8101,
    "figure_status": "reported",
    "body_count": 1,
    "lowest_grade": 2,
    "low_grade_share": 0.0,
    "has_improvement_plan": True,
}
TEAM = {
    **AREA,
    "body_kind": "yjs",
    "body_code": "yjs-cumbria",
    "body_name": "Cumbria",
    "item_id": "r11_s01",
    **CENSUS,
    "right_number": 11,
    "information": "statistic",
    "polarity": "higher",
    "quarter_index": 8101,
    "figure_status": "reported",
    "case_share": 1.0,
    "numerator_count": 12,
    "base_count": 20,
    "item_rate": 0.6,
}
LEGACY = {
    "body_kind": "police",
    "pfa_code": "E23000028",
    "area_name": "Essex",
    "question_id": "q1_acknowledgement",
    "period_code": "2019-20-H1",
    "sampling_frame": "finalised_cases",
    "collection_mode": "purposive_sample",
    "outcome_status": "derived",
    "is_base_changed": False,
    "met_count": 9,
    "not_met_count": 9,
    "not_suitable_count": 12,
    "case_count": 18,
    "compliance_rate": 0.5,
    "rate_lower": 0.29,
    "rate_upper": 0.71,
}
INDICATOR = {
    **AREA,
    "right_number": 2,
    "indicator": "S1",
    "item_id": "r02_s01_recorded_24h",
    **CENSUS,
    "item_definition": "Crimes recorded within 24 hours",
    "is_assessable": True,
    "is_met": True,
    "is_watch": False,
    "good_count": 30,
    "base_count": 100,
    "rate": 0.3,
    "threshold": 0.5,
    "upper_bound": 0.38,
    "rule_version": 0,
}
WORSE = {
    **INDICATOR,
    "indicator": "S2",
    "threshold": -3.09,
    "upper_bound": None,
    "z_score": -4.0,
    "gap_to_peers": 0.3,
    "peer_count": 7,
    "peer_target_rate": 0.6,
    "p_value": 0.00003,
    "p_adjusted": 0.001,
}
PERSISTENCE = {
    **AREA,
    "right_number": 2,
    "right_title": "To have the details of the crime recorded without unjustified delay",
    "quarter_index": 8101,
    "state": "MET",
    "previous_state": "MET",
    "result": "SEVERE_PERSISTENT",
    "is_recommended": True,
    "is_open_case": True,
    "clear_run": 0,
    "quarters_running": 2,
    "indicators_met": "S1: r02_s01_recorded_24h",
    "is_s4_met": False,
    "reason": "Severe in two or more consecutive quarters",
    "rule_version": 0,
    "case_id": "0123456789abcdef",
}
UNASSESSED = {
    **PERSISTENCE,
    "pfa_code": "E23000003",
    "state": "NOT_SUBMITTED",
    "result": "NOT_ASSESSED",
    "is_recommended": False,
    "is_open_case": False,
    "quarters_running": 1,
    "indicators_met": None,
    "case_id": None,
}
CASE = {
    "case_id": "31b4e1dc1149394e",
    "body_kind": "police",
    "pfa_code": "E23000002",
    "right_number": 2,
    "first_period_code": "2025-26-Q1",
}
DETECTED = {
    **CASE,
    "event_number": 1,
    "set_by": "statistics",
    "occurred_on": "2025-12-09",
    "to_state": "detected",
    "event_reason": "Severe in two or more consecutive quarters",
    "period_code": "2025-26-Q2",
    "result": "SEVERE_PERSISTENT",
    "is_recorded": True,
}
DECIDED = {
    **CASE,
    "event_number": 2,
    "set_by": "decision",
    "occurred_on": "2025-12-11",
    "from_state": "detected",
    "to_state": "data_check",
    "decided_by_role": "secretariat",
    "event_reason": "The body is asked to check its figures.",
    "receipt_id": "R000001-abcdef01",
    "is_recorded": True,
}
OPEN_CASE = {
    **CASE,
    "detected_on": "2025-12-09",
    "case_state": "data_check",
    "state_since_on": "2025-12-11",
    "decided_by_role": "secretariat",
    "is_open": True,
    "is_overdue": False,
    "latest_period_code": "2025-26-Q2",
    "latest_result": "SEVERE_PERSISTENT",
    "latest_state": "MET",
    "latest_indicators_met": "S1: r04_s01_needs_2wd",
    "decision_count": 1,
    "reopened_count": 0,
}
NOTICE = {
    **CASE,
    "notice_id": "N2026-01",
    "notice_scope": "single",
    "notice_case_count": 1,
    "notice_status": "published",
    "recipient_code": "E23000002-lpb",
    "summary": "Seldom offered.",
    "request": "Publish a plan.",
    "sos_agreed_on": "2026-05-12",
    "ag_agreed_on": "2026-05-12",
    "vc_consulted_on": "2026-04-21",
    "published_on": "2026-05-20",
    "is_case_known": True,
}
MEETING = {
    "forum": "programme_board",
    "meeting_on": "2026-03-17",
    "period_code": "2025-26-Q4",
    "reviewed_period_code": "2025-26-Q2",
    "considered_case_count": 5,
    "meeting_decision_count": 2,
    "summary": "Five cases were considered.",
    "receipt_id": "R000001-0a1b2c3d",
    "sheet_row": 2,
}
FLIP = {
    **POLICE,
    "right_number": 2,
    "event_kind": "REVISION_FLIP",
    "direction": "no_longer_severe",
    "cause": "own_return",
    "state_then": "MET",
    "state_now": "NOT_MET",
    "result_then": "SEVERE",
    "result_now": "CLEAR",
    "recorded_build_id": "b1",
}
SUBMISSION = {
    "sender_code": "E23000002-police",
    "form_kind": "quarterly",
    "period_code": "2025-26-Q2",
    "sender_name": "Cumbria Constabulary",
    "is_expected": True,
    "due_on": "2025-11-11",
    "first_arrived_on": "2025-11-01",
    "first_accepted_on": "2025-11-01",
    "submission_status": "on_time",
    "receipt_count": 1,
    "current_receipt_id": "R000001-abcdef01",
    "is_revised": False,
}
OPEN_LOCAL = {
    "release_period_code": "2025-26-Q2",
    "period_code": "2025-26-Q2",
    "period_label": "July to September 2025 (2025/26 Q2)",
    "body_kind": "police",
    "area_code": "E23000002",
    "area_name": "Cumbria",
    "region_code": "E12000002",
    "region_name": "North West",
    "right_number": 2,
    "metric_id": "r02_s01_recorded_24h",
    "metric_definition": "Crimes recorded within 24 hours",
    "unit": "proportion",
    **CENSUS,
    "case_count": 100,
    "met_count": 60,
    "rate_percent": 60,
    "rate_is_about": False,
    "rate_lower_percent": 50,
    "rate_upper_percent": 70,
    "published_as": "value",
    "obs_note": "p",
    "disclosure_rule_version": 0,
}
NO_RATE = {"met_count": None, "rate_percent": None, "rate_is_about": None} | {
    "rate_lower_percent": None,
    "rate_upper_percent": None,
}
OPEN_ABOUT = {**OPEN_LOCAL, "case_count": 60, "met_count": 40, "rate_percent": 70} | {
    "rate_is_about": True,
    "rate_lower_percent": 54,
    "rate_upper_percent": 78,
    "published_as": "about",
}
# the sum of the four published cells below
OPEN_GROUP = {
    key: value
    for key, value in OPEN_LOCAL.items()
    if key not in {"area_code", "area_name", "region_code", "region_name"}
} | {
    "group_kind": "nation",
    "group_code": "K04000001",
    "group_name": "England and Wales",
    "areas_expected": 5,
    "areas_published": 4,
    "case_share_covered": 0.95,
    "case_count": 280,
    "met_count": 180,
    "rate_percent": 64,
    "rate_lower_percent": 58,
    "rate_upper_percent": 70,
}
GROUP_OF_AREAS = {
    "release_period_code": "2025-26-Q2",
    "period_code": "2025-26-Q2",
    "group_kind": "nation",
    "group_code": "K04000001",
    "group_name": "England and Wales",
    "area_name": "An area",
    "is_combined": False,
}
LIKE_CUMBRIA = {
    **GROUP_OF_AREAS,
    "group_kind": "like_areas",
    "group_code": "E23000002",
    "group_name": "Areas like Cumbria",
}
OPEN_BENCHMARK = {
    "release_period_code": "2025-26-Q2",
    "period_code": "2025-26-Q2",
    "body_kind": "police",
    "area_code": "E23000002",
    "metric_id": "r02_s01_recorded_24h",
    **CENSUS,
    "area_name": "Cumbria",
    "right_number": 2,
    "rate_percent": 60,
    "like_areas_expected": 4,
    "like_areas_published": 3,
    "like_areas_case_count": 180,
    "like_areas_met_count": 120,
    "like_areas_rate_percent": 67,
    "like_areas_lower_percent": 59,
    "like_areas_upper_percent": 74,
    "obs_note": "p",
    "disclosure_rule_version": 0,
}
NATIONAL = {
    "body_kind": "police",
    "metric_id": "r02_s01_recorded_24h",
    "period_code": "2025-26-Q2",
    **CENSUS,
    "right_number": 2,
    "metric_version": 1,
    "unit": "proportion",
    "polarity": "higher",
    "quarter_index": 8101,
    "areas_expected": 43,
    "areas_reporting": 40,
    "met_count": 600,
    "not_met_count": 400,
    "case_count": 1000,
    "compliance_rate": 0.6,
    "rate_lower": 0.57,
    "rate_upper": 0.63,
    "median_area_rate": 0.61,
}

OPEN_FEEDBACK = {
    "release_period_code": "2025-26-Q4",
    "year_code": "2025-26-FY",
    "year_label": "April 2025 to March 2026",
    "body_kind": "police",
    "area_code": "E23000002",
    "area_name": "Cumbria",
    "region_code": "E12000002",
    "region_name": "North West",
    "right_number": 2,
    "question_id": "r02_f01",
    "item_definition": "Were details recorded?",
    "survey_mode": "mixed",
    "collected_by": "survey",
    "valid_answer_count": 100,
    "good_count": 60,
    "rate_percent": 60,
    "rate_is_about": False,
    "rate_lower_percent": 50,
    "rate_upper_percent": 70,
    "published_as": "value",
    "obs_note": "p",
    "disclosure_rule_version": 0,
}
NO_GOOD = {"good_count": None, "rate_percent": None, "rate_is_about": None} | {
    "rate_lower_percent": None,
    "rate_upper_percent": None,
}
OPEN_FEEDBACK_BAND = {**OPEN_FEEDBACK, "area_code": "E23000003", **NO_GOOD} | {
    "rate_band": "90% and over",
    "published_as": "band",
    "obs_status": "c",
}
NO_FEEDBACK = {**OPEN_FEEDBACK, "area_code": "BTP", "body_kind": "btp", **NO_GOOD} | {
    "survey_mode": "none",
    "collected_by": "none",
    "valid_answer_count": None,
    "published_as": None,
    "obs_status": "w",
}
GROUP_OF_YEAR = {**GROUP_OF_AREAS, "release_period_code": "2025-26-Q4", "period_code": "2025-26-Q4"}
# the sum of the two published cells with a rate
NATION_FEEDBACK = {
    key: value
    for key, value in OPEN_FEEDBACK.items()
    if key not in {"area_code", "area_name", "region_code", "region_name"}
} | {
    "group_kind": "nation",
    "group_code": "K04000001",
    "group_name": "England and Wales",
    "areas_expected": 3,
    "areas_published": 2,
    "answer_share_covered": 0.95,
    "valid_answer_count": 160,
    "good_count": 100,
    "rate_percent": 63,
    "rate_lower_percent": 54,
    "rate_upper_percent": 70,
}
OPEN_BREAKDOWN = {
    key: value
    for key, value in OPEN_FEEDBACK.items()
    if key not in {"area_code", "area_name", "question_id", "survey_mode", "valid_answer_count"}
} | {
    "information": "statistic",
    "item_id": "r02_s01_recorded_24h",
    "breakdown": "sex",
    "breakdown_value": "F",
    "breakdown_label": "Female",
    **CENSUS,
    "collected_by": "own",
    "base_count": 100,
}
OPEN_BREAKDOWN_ABOUT = {**OPEN_BREAKDOWN, "region_code": "E12000001", "base_count": 60, "good_count": 40} | {
    "rate_percent": 70,
    "rate_is_about": True,
    "rate_lower_percent": 54,
    "rate_upper_percent": 78,
    "published_as": "about",
}
NATION_BREAKDOWN = {
    key: value for key, value in OPEN_BREAKDOWN.items() if key not in {"region_code", "region_name"}
} | {
    "regions_expected": 3,
    "regions_published": 2,
    "base_share_covered": 0.95,
    "base_count": 160,
    "good_count": 100,
    "rate_percent": 63,
    "rate_lower_percent": 54,
    "rate_upper_percent": 70,
}
OPEN_DELIVERY = {
    "release_period_code": "2025-26-Q2",
    "period_code": "2025-26-Q2",
    "period_label": "July to September 2025 (2025/26 Q2)",
    "body_kind": "police",
    "area_code": "E23000002",
    "area_name": "Cumbria",
    "region_code": "E12000002",
    "region_name": "North West",
    "right_number": 2,
    "item_id": "r02_d01",
    "item_definition": "A process",
    "lowest_grade": 2,
    "obs_note": "p",
}
OPEN_NOTICE = {
    "release_period_code": "2025-26-Q4",
    "notice_id": "N2026-01",
    "body_kind": "police",
    "area_code": "E23000002",
    "area_name": "Cumbria",
    "right_number": 2,
    "right_title": "To have the details of the crime recorded",
    "notice_scope": "single",
    "notice_status": "plan_due",
    "recipient_code": "E23000002-lpb",
    "recipient_name": "Police and Crime Commissioner",
    "summary": "Crimes were recorded late.",
    "request": "Publish a plan.",
    "sos_agreed_on": "2026-05-12",
    "ag_agreed_on": "2026-05-12",
    "vc_consulted_on": "2026-04-21",
    "published_on": "2026-05-20",
    "plan_due_on": "2026-07-15",
    "update_due_on": "2026-11-20",
}
GROUND = {
    "release_period_code": "2025-26-Q4",
    "notice_id": "N2026-01",
    "body_kind": "police",
    "area_code": "E23000002",
    "right_number": 2,
    "metric_id": "r02_s01_recorded_24h",
    "period_code": "2025-26-Q2",
    **CENSUS,
    "limit_percent": 50,
    "statement": "under 50%",
    "disclosure_rule_version": 0,
}
RIGHT = {
    **AREA,
    "right_number": 2,
    "right_title": "To have the details of the crime recorded without unjustified delay",
    "quarter_index": 8101,
    "senders_expected": 1,
    "senders_received": 1,
    "statistic_items_expected": 1,
    "statistic_items_reported": 1,
    "statistic_completeness": 1.0,
    "statistic_status": "complete",
    "statistic_summary": "r02_s01_recorded_24h: 60 of 100",
    "feedback_items_expected": 2,
    "feedback_items_reported": 1,
    "feedback_completeness": 0.5,
    "feedback_status": "partly",
    "feedback_summary": "r02_f01: 30 of 50; r02_f02: incomplete",
    "delivery_items_expected": 0,
    "delivery_items_reported": 0,
    "delivery_status": "not_collected_by_design",
}
RIGHT_ITEM = {
    **AREA,
    "right_number": 2,
    "information": "statistic",
    "item_id": "r02_s01_recorded_24h",
    **CENSUS,
    "quarter_index": 8101,
    "metric_version": 1,
    "definition": "Crimes recorded within 24 hours",
    "unit": "proportion",
    "polarity": "higher",
    "figure_status": "reported",
    "numerator_count": 60,
    "base_count": 100,
    "item_rate": 0.6,
    "rate_lower": 0.502,
    "rate_upper": 0.691,
}
REGION = {"group_kind": "region", "group_code": "E12000002", "group_name": "North West"}
REGION_RIGHT = {
    key: value
    for key, value in RIGHT.items()
    if key not in {*AREA, "senders_expected", "senders_received"} and not key.endswith("summary")
} | {
    **REGION,
    "body_kind": "police",
    "period_code": "2025-26-Q2",
    "areas_expected": 1,
    "statistic_areas_complete": 1,
    "feedback_areas_complete": 0,
    "delivery_areas_complete": 0,
}
KNOWN = {"receipt_id": "R000001-abcdef01", "known_from": "2025-10-20 10:00:00+00"}
STOOD = {
    **KNOWN,
    "sender_code": "E23000002-police",
    "form_kind": "quarterly",
    "period_code": "2025-26-Q2",
    "sender_name": "Cumbria Constabulary",
    "is_current": True,
    "is_erased": False,
    "sha256": "0" * 64,
    "file_name": "return.xlsx",
    "outcome": "accepted",
    "arrived_at": "2025-10-20 10:00:00+00",
}
REPORTED = {
    **KNOWN,
    **POLICE,
    **CENSUS,
    "sheet": "metrics",
    "sheet_row": 2,
    "information": "statistic",
    "collected_by": "own",
    "item_id": "r02_s01_recorded_24h",
    "body_code": "E23000002-police",
    "sender_code": "E23000002-police",
    "met_count": 60,
    "case_count": 100,
}
REVISED = {
    "receipt_id": "R000002-abcdef02",
    "changed_at": "2025-11-20 10:00:00+00",
    **POLICE,
    **CENSUS,
    "body_code": "E23000002-police",
    "item_id": "r02_s01_recorded_24h",
    "sender_code": "E23000002-police",
    "change_reason": "revised",
    "previous_receipt_id": "R000001-abcdef01",
    "figures_before": "met 50; not met 50",
    "figures_after": "met 60; not met 40",
}
REVIEWER = {
    "receipt_id": "R000003-abcdef03",
    "sender_code": "E23000002-reviewer",
    "period_code": "2025-26-Q2",
    "pfa_code": "E23000002",
}
ACTION = {
    **REVIEWER,
    "insight_id": "A1",
    "insight_text": "Letters are sent again.",
    "action_status": "open",
    "first_reported_period_code": "2025-26-Q1",
    "last_reported_period_code": "2025-26-Q2",
    "known_on": "2026-01-10",
    "is_unfinished": True,
    "is_lost": False,
    "is_overdue": False,
}
del ACTION["period_code"]

GOOD: Mapping[str, list[Mapping[str, Any]]] = {
    "local_area_compliance": [
        COMPLIANCE,
        *(
            {**COMPLIANCE, "metric_id": f"r03_s{number}"} for number in range(4)
        ),  # enough reported ones for a share not collected of one in six
        {**AREA, "metric_id": "r04_s01_referrals_n", **NO_FIGURE, "right_number": 4, "unit": "count"}
        | {"polarity": "contextual", "figure_status": "not_collected", "quarter_index": 8101}
        | {"senders_expected": 1, "senders_received": 1},
        {**AREA, "pfa_code": "E23000003", "metric_id": "r06_s01_nfa_letters_n", **NO_FIGURE}
        | {"right_number": 6, "unit": "count", "polarity": "contextual", "figure_status": "not_submitted"}
        | {"senders_expected": 1, "senders_received": 0, "quarter_index": 8101},
    ],
    "local_area_feedback": [FEEDBACK],
    "local_area_feedback_sources": [
        {**AREA, "question_id": "r02_f01", "bodies_survey_mode": "online", "national_survey_mode": "mixed"}
        | {
            "right_number": 2,
            "standing_source": "survey",
            "is_bodies_complete": True,
            "is_survey_complete": True,
        }
        | {"bodies_good_count": 30, "bodies_answer_count": 50, "bodies_rate": 0.6, "survey_good_count": 40}
        | {"survey_answer_count": 50, "survey_rate": 0.8, "survey_against_own": "higher"}
    ],
    "local_area_delivery": [DELIVERY],
    "local_area_team_figures": [
        TEAM,
        {**TEAM, **NO_FIGURE, "information": "delivery", "item_id": "r11_d01", "grade": 2}
        | {"numerator_count": None, "base_count": None, "item_rate": None},
    ],
    "local_area_benchmarks": [
        BENCHMARK,
        {**BENCHMARK, "item_id": "none", "standard_rate": None, "standard_gap": None}
        | {"standard_wording": "the Code sets none"},
    ],
    "local_area_series": [SERIES],
    "local_area_breakdowns": [BREAKDOWN, NOT_STATED],
    "national_breakdowns": [
        {key: value for key, value in row.items() if key not in ("pfa_code", "area_name")}
        | {"areas_in_group": 40}
        for row in (BREAKDOWN, NOT_STATED)
    ],
    "local_area_legacy_audit": [
        LEGACY,
        {**LEGACY, "question_id": "q2", "outcome_status": "not_collected", "met_count": None}
        | {"not_met_count": None, "not_suitable_count": None, "case_count": None, "compliance_rate": None}
        | {"rate_lower": None, "rate_upper": None},
    ],
    "local_area_groups": [
        {"period_code": "2025-26-Q2", "pfa_code": "E23000002", **REGION, "is_combined": False},
    ],
    "local_area_rights": [RIGHT],
    "local_area_right_items": [
        RIGHT_ITEM,
        {**AREA, "right_number": 2, "information": "delivery", "item_id": "r02_d01", **NO_FIGURE}
        | {"definition": "A process", "figure_status": "reported", "lowest_grade": 2}
        | {"has_improvement_plan": True, "improvement_plan": "Train", "next_step": "Book"},
    ],
    "national_compliance": [NATIONAL],
    "national_group_compliance": [
        {key: value for key, value in NATIONAL.items() if key != "median_area_rate"}
        | {**REGION, "areas_expected": 41, "is_complete": False, "figure_status": "incomplete"},
        {**REGION, "body_kind": "police", "metric_id": "r03_s01_crn_5wd", "period_code": "2025-26-Q2"}
        | {**NO_FIGURE, "right_number": 3, "areas_expected": 5, "areas_reporting": 0, "is_complete": False}
        | {"figure_status": "not_submitted"},
    ],
    "national_group_feedback": [
        {**REGION, "body_kind": "police", "question_id": "r02_f01", "period_code": "2025-26-Q2"}
        | {"collected_by": "own", "survey_mode": "online", "right_number": 2, "areas_expected": 41}
        | {"areas_reporting": 40}
        | {"is_complete": False, "figure_status": "incomplete", "good_count": 600}
        | {"valid_answer_count": 1000, "good_rate": 0.6, "rate_lower": 0.57, "rate_upper": 0.63},
        {**REGION, "body_kind": "police", "question_id": "r02_f02", "period_code": "2025-26-Q2"}
        | {"collected_by": "none", "survey_mode": "none", "right_number": 2, "areas_expected": 5}
        | {"areas_reporting": 0}
        | {"is_complete": False, "figure_status": "not_submitted"},
    ],
    "national_group_delivery": [
        {**REGION, "body_kind": "police", "item_id": "r02_d01", "period_code": "2025-26-Q2"}
        | {"right_number": 2, "areas_expected": 11, "areas_reporting": 10, "is_complete": False}
        | {"figure_status": "incomplete", "areas_absent": 1, "areas_drafted": 2, "areas_in_use": 3}
        | {"areas_reviewed": 4, "areas_with_plan": 5}
    ],
    "national_group_rights": [REGION_RIGHT],
    "national_feedback": [
        {
            "body_kind": "police",
            "question_id": "r02_f01",
            "period_code": "2025-26-Q2",
            "survey_mode": "online",
            "collected_by": "own",
        }
        | {"right_number": 2, "areas_expected": 43, "areas_reporting": 40, "good_count": 600}
        | {"valid_answer_count": 1000, "good_rate": 0.6, "rate_lower": 0.57, "rate_upper": 0.63}
    ],
    "national_delivery": [
        {"body_kind": "police", "item_id": "r02_d01", "period_code": "2025-26-Q2", "right_number": 2}
        | {"areas_expected": 43, "areas_reporting": 10, "areas_absent": 1, "areas_drafted": 2}
        | {"areas_in_use": 3, "areas_reviewed": 4}
    ],
    "oversight_indicators": [
        INDICATOR,
        WORSE,
        {**INDICATOR, "indicator": "S4", "item_id": "r02_d01", **NO_FIGURE, "grade": 1}
        | {"good_count": None, "base_count": None, "rate": 1.0, "upper_bound": None, "threshold": 1.0},
    ],
    "oversight_persistence": [PERSISTENCE, UNASSESSED],
    "oversight_case_events": [DETECTED, DECIDED],
    "oversight_cases": [OPEN_CASE],
    "oversight_forum_meetings": [MEETING, {**MEETING, "forum": "taskforce", "meeting_decision_count": 0}],
    "oversight_notices": [NOTICE],
    "oversight_revision_flips": [FLIP],
    "oversight_exclusion_warnings": [
        {**AREA, "metric_id": "r02_s01_recorded_24h", **CENSUS, "right_number": 2, "excluded_count": 40}
        | {"base_count": 100, "exclusion_rate": 0.4, "peer_exclusion_rate": 0.1, "is_severe": True}
        | {"is_watch": False}
    ],
    "quality_submissions": [
        *({**SUBMISSION, "sender_code": f"sender-{number}"} for number in range(9)),
        {**SUBMISSION, "sender_code": "late", "submission_status": "late", "first_accepted_on": "2025-11-20"},
        {**SUBMISSION, "sender_code": "absent", "submission_status": "not_submitted", "receipt_count": 0}
        | {"current_receipt_id": None, "first_accepted_on": None, "first_arrived_on": None},
    ],
    "quality_problems": [
        {"receipt_id": "R000001-abcdef01", "problem_number": 1, "outcome": "accepted_with_warnings"}
        | {"severity": "warning", "rule_code": "FIG-001", "message": "Odd.", "remedy": "Look again."}
    ],
    "revisions_receipts": [
        STOOD,
        {**STOOD, "receipt_id": "R000004-abcdef04", "sender_code": "E23000003-police", "is_current": False}
        | {"is_erased": True, "erased_at": "2025-11-01 10:00:00+00", "known_to": "2025-11-01 10:00:00+00"},
    ],
    "revisions_reported_figures": [
        REPORTED,
        # the areas' figures above
        *({**REPORTED, "sheet_row": 3 + number, "item_id": f"r03_s{number}"} for number in range(4)),
    ],
    "revisions": [
        REVISED,
        {**REVISED, "item_id": "r04_s03_referral_2wd", "change_reason": "new", "figures_before": None},
        {**REVISED, "item_id": "r06_s01_nfa_letters_n", "change_reason": "withdrawn", "figures_after": None},
    ],
    "open_data_local_feedback": [
        OPEN_FEEDBACK,
        {**OPEN_FEEDBACK, "area_code": "E23000004", "valid_answer_count": 60, "good_count": 40}
        | {"rate_percent": 70, "rate_is_about": True, "rate_lower_percent": 54, "rate_upper_percent": 78}
        | {"published_as": "about"},
        OPEN_FEEDBACK_BAND,
        NO_FEEDBACK,
    ],
    "open_data_group_feedback": [
        NATION_FEEDBACK,
        {**NATION_FEEDBACK, "question_id": "r02_f02", "valid_answer_count": None, **NO_GOOD}
        | {"published_as": "suppressed", "obs_status": "c", "answer_share_covered": 0.4},
    ],
    "open_data_region_breakdowns": [
        OPEN_BREAKDOWN,
        OPEN_BREAKDOWN_ABOUT,
        {**OPEN_BREAKDOWN, "region_code": "E12000003", **NO_GOOD, "rate_band": "90% and over"}
        | {"published_as": "band", "obs_status": "c"},
        {**OPEN_BREAKDOWN, "region_code": "E12000004", **NO_GOOD, "base_count": None, **NO_FIGURE}
        | {"collected_by": "none", "published_as": None, "obs_status": "w"},
    ],
    "open_data_national_breakdowns": [
        NATION_BREAKDOWN,
        {**NATION_BREAKDOWN, "breakdown_value": "M", "breakdown_label": "Male", "base_count": None, **NO_GOOD}
        | {"published_as": "suppressed", "obs_status": "c", "base_share_covered": 0.4},
    ],
    "open_data_local_delivery": [
        OPEN_DELIVERY,
        {**OPEN_DELIVERY, "area_code": "MDP", "body_kind": "mdp", "lowest_grade": None, "obs_status": "w"},
    ],
    "open_data_notices": [
        OPEN_NOTICE,
        {**OPEN_NOTICE, "release_period_code": "2026-27-Q1", "notice_status": "plan_published"}
        | {"plan_link": "https://example.org/plan"},
    ],
    "open_data_notice_grounds": [GROUND],
    "insight_returns": [
        {name: REVIEWER[name] for name in ("receipt_id", "sender_code", "period_code")}
        | {"sender_name": "Cumbria Commissioner", "is_review_held": True, "meeting_count": 1}
        | {"bodies_expected_count": 5, "bodies_represented_count": 4}
    ],
    "insight_reviews": [
        {**REVIEWER, "sheet_row": 2, "meeting_on": "2025-11-28", "body_code": "E23000002-police"}
        | {"is_represented": True, "reviewed_receipt_id": "R000001-abcdef01", "reviewed_state": "stands"}
        | {"standing_receipt_id": "R000001-abcdef01"}
    ],
    "insight_entries": [
        {**REVIEWER, "sheet_row": 2, "insight_id": "B1", "insight_kind": "best_practice"}
        | {"insight_text": "A single point of contact."},
        {**REVIEWER, "sheet_row": 3, "insight_id": "A1", "insight_kind": "action", "was_overdue": False}
        | {"insight_text": "Letters are sent again.", "action_status": "open"},
    ],
    "insight_actions": [
        *({**ACTION, "insight_id": f"A{number}"} for number in range(9)),
        {**ACTION, "insight_id": "late", "is_overdue": True, "days_overdue": 3},
    ],
    "context_entries": [
        {"receipt_id": "R000005-abcdef05", "sheet_row": 2, "sender_code": "moj", "period_code": "2025-26-Q2"}
        | {
            "context_id": "C1",
            "context_source": "ombudsman",
            "publisher": "The Ombudsman",
            "title": "Complaints",
        }
        | {
            "area_name": "England and Wales",
            "summary": "Fewer than before.",
            "measure": "Complaints received",
        }
        | {"measure_value": 12.0, "measure_unit": "complaints"}
    ],
    "open_data_local_compliance": [
        OPEN_LOCAL,
        {**OPEN_LOCAL, "area_code": "E23000003", **NO_RATE, "rate_band": "90% and over"}
        | {"published_as": "band", "obs_status": "c"},
        *({**OPEN_ABOUT, "area_code": f"E2300000{number}"} for number in (4, 5, 6)),
        {**OPEN_LOCAL, "area_code": "BTP", "body_kind": "btp", "case_count": None, **NO_RATE}
        | {"published_as": None, "obs_status": "w", **NO_FIGURE},
    ],
    "open_data_group_compliance": [
        OPEN_GROUP,
        {**OPEN_GROUP, "metric_id": "r03_s01_crn_5wd", "case_count": None, **NO_RATE}
        | {"published_as": "suppressed", "obs_status": "c", "case_share_covered": 0.4},
        {**OPEN_GROUP, "metric_id": "r03_s02", "case_count": None, **NO_RATE, **NO_FIGURE}
        | {"published_as": None, "obs_status": "w", "case_share_covered": None, "areas_published": 0},
    ],
    "open_data_area_groups": [
        *({**GROUP_OF_AREAS, "area_code": f"E2300000{number}"} for number in (2, 3, 4, 5, 6)),
        *({**LIKE_CUMBRIA, "area_code": f"E2300000{number}"} for number in (3, 4, 5, 6)),
        *({**GROUP_OF_YEAR, "area_code": f"E2300000{number}"} for number in (2, 3, 4)),
    ],
    "open_data_local_benchmarks": [
        OPEN_BENCHMARK,
        {key: value for key, value in OPEN_BENCHMARK.items() if not key.startswith("like_areas_")}
        | {"metric_id": "r03_s01_crn_5wd", "like_areas_expected": 4, "like_areas_published": 2}
        | {"obs_status": "x"},
    ],
    "open_data_publication_shares": [
        {"release_period_code": "2025-26-Q2", "table_name": "local_compliance", "body_kind": "police"}
        | {"item_id": "r02_s01_recorded_24h", "cells_expected": 43, "cells_value": 20, "cells_about": 10}
        | {"cells_band": 5, "cells_base": 3, "cells_suppressed": 2, "cells_not_submitted": 2}
        | {"cells_not_available": 1, "large_cells": 24, "large_cells_published": 23}
        | {"large_published_percent": 95, "disclosure_rule_version": 0},
    ],
}

BREAKDOWN_FAULTS = {
    "failed_rows.base_holds_good": "update {t} set rest_good_count = 81 where breakdown_value = 'F'",
    "failed_rows.rate_within_bounds": "update {t} set rate_upper = 0.79 where breakdown_value = 'F'",
    "failed_rows.the_group_is_compared": "update {t} set group_base_count = 71 where breakdown_value = 'F'",
    "failed_rows.difference_within_bounds": "update {t} set difference_upper = 0.1 where breakdown_value = 'F'",
    "failed_rows.words_follow_the_interval": (
        "update {t} set disparity = 'no detectable difference' where breakdown_value = 'F'"
    ),
    "failed_rows.unknown_is_not_compared": "update {t} set compared_over = 'quarter' where breakdown_value = 'NS'",
}
# One statement for each check that is about more than a single column; `{t}` is the mart.
FAULTS: Mapping[str, Mapping[str, str]] = {
    "local_area_compliance": {
        "failed_rows.counts_not_negative": "update {t} set unknown_count = -1 where metric_id like 'r02%'",
        "failed_rows.cases_add_up": "update {t} set not_met_count = 41 where metric_id like 'r02%'",
        "failed_rows.rate_only_with_cases": (
            "update {t} set compliance_rate = null where metric_id like 'r02%'"
        ),
        "failed_rows.rate_is_quotient": "update {t} set compliance_rate = 0.61 where metric_id like 'r02%'",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = 0.65 where metric_id like 'r02%'",
        "failed_rows.nothing_where_nothing_came": (
            "update {t} set reported_count = 0 where figure_status = 'not_submitted'"
        ),
        "failed_rows.reported_was_received": (
            "update {t} set senders_received = 0 where metric_id like 'r02%'"
        ),
        "failed_rows.counts_have_no_rate": "update {t} set reported_count = 4 where metric_id like 'r02%'",
        "failed_rows.change_needs_two_rates": (
            "update {t} set previous_rate = null where metric_id like 'r02%'"
        ),
        "failed_rows.national_forces_have_no_like_areas": (
            "update {t} set body_kind = 'btp' where metric_id like 'r02%'"
        ),
        "failed_rows.share_not_collected": "delete from {t} where metric_id like 'r03%'",
    },
    "local_area_feedback": {
        "failed_rows.counts_not_negative": "update {t} set good_count = 51",
        "failed_rows.rate_only_with_answers": "update {t} set valid_answer_count = 0, good_count = 0",
        "failed_rows.rate_within_bounds": "update {t} set rate_upper = 0.5",
        "failed_rows.nothing_where_nothing_came": "update {t} set figure_status = 'not_submitted'",
        "failed_rows.national_forces_have_no_like_areas": "update {t} set body_kind = 'mdp'",
        "failed_rows.answers_have_a_source": "update {t} set collected_by = null",
    },
    "local_area_feedback_sources": {
        "failed_rows.counts_not_negative": "update {t} set bodies_good_count = 51",
        "failed_rows.survey_stands_if_complete": "update {t} set standing_source = 'own'",
        "failed_rows.difference_needs_both": "update {t} set is_bodies_complete = false",
    },
    "local_area_team_figures": {
        "failed_rows.reported_has_a_figure": "update {t} set base_count = null",
        "failed_rows.nothing_where_nothing_came": "update {t} set figure_status = 'not_submitted'",
    },
    "local_area_benchmarks": {
        "failed_rows.base_holds_good": "update {t} set own_good_count = 201 where item_id like 'r02%'",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = 0.61 where item_id like 'r02%'",
        "failed_rows.gap_closes_and_no_more": "update {t} set achievable_gap = 21 where item_id like 'r02%'",
        "failed_rows.no_standard_is_said": "update {t} set standard_gap = 0 where item_id = 'none'",
        "failed_rows.median_within_range": (
            "update {t} set like_areas_median_rate = 0.71 where item_id like 'r02%'"
        ),
        "failed_rows.own_window_holds_the_period": (
            "update {t} set own_good_count = 50, own_base_count = 99 where item_id like 'r02%'"
        ),
        "failed_rows.change_needs_two_rates": (
            "update {t} set change_from_year_ago = 'higher' where item_id like 'r02%'"
        ),
        "failed_rows.high_is_better_than_like_areas": (
            "update {t} set is_high_compliance = true where item_id like 'r02%'"
        ),
        "failed_rows.national_forces_have_no_like_areas": (
            "update {t} set body_kind = 'btp' where item_id like 'r02%'"
        ),
    },
    "local_area_series": {
        "failed_rows.base_holds_good": "update {t} set good_count = 101",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = null",
        "failed_rows.pooled_is_of_several": "update {t} set time_window = 'four_quarters'",
        "failed_rows.window_runs_forward": "update {t} set window_ends_on = date '2025-06-30'",
        "failed_rows.change_needs_two_rates": "update {t} set previous_rate = null",
    },
    "local_area_breakdowns": BREAKDOWN_FAULTS,
    "national_breakdowns": BREAKDOWN_FAULTS
    | {
        "failed_rows.an_area_stands_behind_it": "update {t} set areas_in_group = 0 where breakdown_value = 'F'"
    },
    "local_area_delivery": {
        "failed_rows.reported_has_grade": "update {t} set lowest_grade = null",
        "failed_rows.nothing_where_nothing_came": "update {t} set figure_status = 'not_collected'",
    },
    "local_area_legacy_audit": {
        "failed_rows.cases_only_where_known": (
            "update {t} set met_count = 0, not_met_count = 0, case_count = 0 where question_id = 'q2'"
        ),
        "failed_rows.no_rate_without_cases": "update {t} set compliance_rate = 0.3 where question_id = 'q2'",
        "failed_rows.cases_add_up": "update {t} set case_count = 30 where outcome_status = 'derived'",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = null where outcome_status = 'derived'",
        "failed_rows.base_change_is_said": "update {t} set is_base_changed = true where question_id = 'q2'",
    },
    "local_area_groups": {
        "failed_rows.national_forces_stand_apart": "update {t} set pfa_code = 'NAT'",
    },
    "local_area_rights": {
        "failed_rows.reported_within_expected": "update {t} set feedback_items_reported = 3",
        "failed_rows.complete_means_all": "update {t} set feedback_status = 'complete'",
        "failed_rows.nothing_asked_nothing_said": "update {t} set feedback_summary = null",
        "failed_rows.by_design_is_not_missing": "update {t} set delivery_status = 'not_collected'",
    },
    "local_area_right_items": {
        "failed_rows.figures_of_its_kind": "update {t} set next_step = 'Book' where information = 'statistic'",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = 0.65 where information = 'statistic'",
        "failed_rows.rate_only_with_base": "update {t} set base_count = 0 where information = 'statistic'",
        "failed_rows.nothing_where_nothing_came": (
            "update {t} set figure_status = 'not_submitted' where information = 'delivery'"
        ),
    },
    "national_group_compliance": {
        "failed_rows.areas_within_expected": "update {t} set areas_reporting = 42 where right_number = 2",
        "failed_rows.complete_means_all": "update {t} set is_complete = true where right_number = 2",
        "failed_rows.national_forces_stand_apart": "update {t} set body_kind = 'btp' where right_number = 2",
        "failed_rows.cases_add_up": "update {t} set case_count = 999 where right_number = 2",
        "failed_rows.rate_only_with_cases": "update {t} set compliance_rate = null where right_number = 2",
        "failed_rows.rate_within_bounds": "update {t} set rate_upper = 0.59 where right_number = 2",
        "failed_rows.nothing_where_nothing_came": (
            "update {t} set reported_count = 0 where figure_status = 'not_submitted'"
        ),
    },
    "national_group_feedback": {
        "failed_rows.areas_within_expected": (
            "update {t} set areas_reporting = 42 where question_id = 'r02_f01'"
        ),
        "failed_rows.complete_means_all": (
            "update {t} set figure_status = 'reported' where question_id = 'r02_f01'"
        ),
        "failed_rows.national_forces_stand_apart": (
            "update {t} set body_kind = 'mdp' where question_id = 'r02_f01'"
        ),
        "failed_rows.good_within_answers": "update {t} set good_count = 1001 where question_id = 'r02_f01'",
        "failed_rows.rate_only_with_answers": "update {t} set good_rate = null where question_id = 'r02_f01'",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = 0.61 where question_id = 'r02_f01'",
        "failed_rows.nothing_where_nothing_came": (
            "update {t} set survey_mode = 'online' where question_id = 'r02_f02'"
        ),
    },
    "national_group_delivery": {
        "failed_rows.areas_within_expected": "update {t} set areas_expected = 9",
        "failed_rows.complete_means_all": "update {t} set is_complete = true",
        "failed_rows.national_forces_stand_apart": "update {t} set body_kind = 'btp'",
        "failed_rows.grades_add_up": "update {t} set areas_in_use = 4",
    },
    "national_group_rights": {
        "failed_rows.national_forces_stand_apart": "update {t} set body_kind = 'btp'",
        "failed_rows.reported_within_expected": "update {t} set statistic_areas_complete = 2",
        "failed_rows.complete_means_all": "update {t} set feedback_status = 'complete'",
    },
    "national_compliance": {
        "failed_rows.areas_within_expected": "update {t} set areas_reporting = 44",
        "failed_rows.cases_add_up": "update {t} set case_count = 999",
        "failed_rows.rate_only_with_cases": "update {t} set compliance_rate = null",
        "failed_rows.rate_within_bounds": "update {t} set rate_upper = 0.59",
    },
    "national_feedback": {
        "failed_rows.areas_within_expected": "update {t} set areas_reporting = 0",
        "failed_rows.counts_not_negative": "update {t} set good_count = 1001",
        "failed_rows.rate_only_with_answers": "update {t} set good_rate = null",
        "failed_rows.rate_within_bounds": "update {t} set rate_lower = 0.61",
    },
    "national_delivery": {
        "failed_rows.areas_within_expected": "update {t} set areas_expected = 9",
        "failed_rows.grades_add_up": "update {t} set areas_in_use = 4",
    },
    "oversight_indicators": {
        "failed_rows.met_only_if_assessable": "update {t} set is_watch = true where indicator = 'S2'",
        "failed_rows.reason_exactly_if_not_assessable": (
            "update {t} set not_assessable_reason = 'too few' where indicator = 'S2'"
        ),
        "failed_rows.base_holds_good": "update {t} set good_count = 101 where indicator = 'S2'",
        "failed_rows.enough_cases": "update {t} set base_count = 9, good_count = 3 where indicator = 'S2'",
        "failed_rows.low_rate_is_below_threshold": "update {t} set upper_bound = 0.5 where indicator = 'S1'",
        "failed_rows.worse_is_worse": "update {t} set z_score = -3.0 where indicator = 'S2'",
        "failed_rows.chosen_samples_not_tested": (
            "update {t} set collection_mode = 'purposive_sample' where indicator = 'S2'"
        ),
        "failed_rows.adjusted_p_not_smaller": "update {t} set p_adjusted = 0.00001 where indicator = 'S2'",
    },
    "oversight_persistence": {
        "failed_rows.missing_is_never_a_pass": (
            "update {t} set result = 'CLEAR' where state = 'NOT_SUBMITTED'"
        ),
        "failed_rows.not_submitted_meets_nothing": (
            "update {t} set indicators_met = 'S4: r02_d01' where state = 'NOT_SUBMITTED'"
        ),
        "failed_rows.met_names_its_indicators": "update {t} set indicators_met = null where state = 'MET'",
        "failed_rows.severe_needs_met": (
            "update {t} set result = 'RESET', is_recommended = false where state = 'MET'"
        ),
        "failed_rows.recommended_are_the_four": "update {t} set result = 'SEVERE' where state = 'MET'",
        "failed_rows.recommended_is_open": "update {t} set case_id = null where state = 'MET'",
        "failed_rows.closing_needs_open_case": (
            "update {t} set result = 'PERSISTENT_UNASSESSED' where state = 'NOT_SUBMITTED'"
        ),
    },
    "oversight_case_events": {
        "failed_rows.statistics_set_two": ("update {t} set to_state = 'closed' where set_by = 'statistics'"),
        "failed_rows.decision_has_role": "update {t} set decided_by_role = null",
        "failed_rows.statistics_name_quarter": "update {t} set result = null",
    },
    "oversight_cases": {
        "failed_rows.undecided_is_detected": "update {t} set decision_count = 0",
        "failed_rows.severe_names_indicators": "update {t} set latest_indicators_met = null",
        "failed_rows.ended_area_is_said": "update {t} set successor_pfa_code = 'E23000098'",
        "failed_rows.no_decision_without_a_case": "update {t} set detected_on = null",
        "failed_rows.nothing_is_overdue": "update {t} set is_overdue = true",
    },
    "oversight_forum_meetings": {
        "failed_rows.reviewed_was_over": "update {t} set reviewed_period_code = period_code",
        "failed_rows.decided_was_considered": "update {t} set considered_case_count = 0",
    },
    "oversight_notices": {
        "failed_rows.published_is_agreed": "update {t} set ag_agreed_on = null",
        "failed_rows.joint_has_cases": "update {t} set notice_scope = 'joint'",
        "failed_rows.case_is_known": "update {t} set is_case_known = false",
        "failed_rows.no_plan_is_overdue": "update {t} set notice_status = 'plan_overdue'",
    },
    "oversight_revision_flips": {
        "failed_rows.differs": "update {t} set state_now = state_then, result_now = result_then",
    },
    "oversight_exclusion_warnings": {
        "failed_rows.unusual_means_more": "update {t} set peer_exclusion_rate = 0.5",
        "failed_rows.excluded_within_base": "update {t} set excluded_count = 101",
    },
    "quality_submissions": {
        "failed_rows.accepted_has_receipt": (
            "update {t} set current_receipt_id = null where sender_code = 'late'"
        ),
        "failed_rows.late_is_after_due": (
            "update {t} set first_accepted_on = due_on where sender_code = 'late'"
        ),
        "failed_rows.expected_is_due": "update {t} set due_on = null where sender_code = 'absent'",
        "failed_rows.nothing_came": "update {t} set receipt_count = 1 where sender_code = 'absent'",
        "failed_rows.revision_needs_two": "update {t} set is_revised = true where sender_code = 'late'",
        "failed_rows.share_missing": "delete from {t} where sender_code like 'sender%'",
    },
    "quality_problems": {"failed_rows.accepted_has_no_error": "update {t} set severity = 'error'"},
    "revisions_receipts": {
        "failed_rows.one_stands": (
            "insert into {t} by name select * replace ('R000009-abcdef09' as receipt_id,"
            " known_from + interval 1 day as known_from) from {t} where is_current"
        ),
        "failed_rows.span_has_length": "update {t} set known_to = known_from where is_erased",
        "failed_rows.current_is_open": "update {t} set is_current = true where is_erased",
    },
    "revisions_reported_figures": {
        "failed_rows.adds_up_to_the_area": "update {t} set met_count = 61",
        "failed_rows.known_return": "update {t} set known_from = known_from - interval 1 day",
    },
    "revisions": {
        "failed_rows.something_changed": "update {t} set figures_after = figures_before",
        "failed_rows.reason_fits": "update {t} set change_reason = 'revised'",
        "failed_rows.replaced_something": "update {t} set previous_receipt_id = null",
    },
    "open_data_local_feedback": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.no_small_count": "update {t} set valid_answer_count = 5 where obs_status = 'c'",
        "failed_rows.counts_are_rounded": "update {t} set valid_answer_count = 101 where area_code = 'E23000002'",
        "failed_rows.confidential_is_empty": "update {t} set good_count = 95 where obs_status = 'c'",
        "failed_rows.absent_is_empty": "update {t} set valid_answer_count = 50 where obs_status = 'w'",
        "failed_rows.rate_or_band": "update {t} set rate_band = '50% to 79%' where area_code = 'E23000002'",
        "failed_rows.status_says_why": "update {t} set obs_status = null where obs_status is not null",
        "failed_rows.good_within_base": "update {t} set good_count = 500 where area_code = 'E23000002'",
        "failed_rows.rate_from_published_counts": "update {t} set rate_percent = 67 where area_code = 'E23000002'",
        "failed_rows.interval_holds_the_rate": "update {t} set rate_upper_percent = 55 where area_code = 'E23000002'",
        "failed_rows.form_is_what_is_given": "update {t} set published_as = 'about' where area_code = 'E23000002'",
    },
    "open_data_group_feedback": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.no_small_count": (
            "update {t} set good_count = 5, rate_percent = 5 where obs_status is null"
        ),
        "failed_rows.counts_are_rounded": "update {t} set valid_answer_count = 101 where question_id = 'r02_f01'",
        "failed_rows.withheld_is_empty": "update {t} set valid_answer_count = 50 where obs_status = 'c'",
        "failed_rows.status_says_why": "update {t} set obs_status = null where obs_status is not null",
        "failed_rows.good_within_base": "update {t} set good_count = 500 where question_id = 'r02_f01'",
        "failed_rows.rate_from_published_counts": "update {t} set rate_percent = 67 where question_id = 'r02_f01'",
        "failed_rows.interval_holds_the_rate": "update {t} set rate_upper_percent = 55 where question_id = 'r02_f01'",
        "failed_rows.form_is_what_is_given": "update {t} set published_as = 'about' where question_id = 'r02_f01'",
        "failed_rows.coverage_is_enough": "update {t} set answer_share_covered = 0.89 where obs_status is null",
        "failed_rows.areas_within_expected": "update {t} set areas_published = 44 where obs_status is null",
        "failed_rows.sums_of_published_cells": "update {t} set valid_answer_count = 165 where obs_status is null",
    },
    "open_data_region_breakdowns": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.no_small_count": "update {t} set base_count = 5 where obs_status = 'c'",
        "failed_rows.counts_are_rounded": "update {t} set base_count = 101 where region_code = 'E12000002'",
        "failed_rows.confidential_is_empty": "update {t} set good_count = 95 where obs_status = 'c'",
        "failed_rows.absent_is_empty": "update {t} set base_count = 50 where obs_status = 'w'",
        "failed_rows.rate_or_band": "update {t} set rate_band = '50% to 79%' where region_code = 'E12000002'",
        "failed_rows.status_says_why": "update {t} set obs_status = null where obs_status is not null",
        "failed_rows.good_within_base": "update {t} set good_count = 500 where region_code = 'E12000002'",
        "failed_rows.rate_from_published_counts": "update {t} set rate_percent = 67 where region_code = 'E12000002'",
        "failed_rows.interval_holds_the_rate": "update {t} set rate_upper_percent = 55 where region_code = 'E12000002'",
        "failed_rows.form_is_what_is_given": "update {t} set published_as = 'about' where region_code = 'E12000002'",
        "failed_rows.enough_respondents": "update {t} set base_count = 5 where region_code = 'E12000003'",
        "failed_rows.linked_figure_withheld": (
            "insert into {t} by name select * replace ('r04_s02_referral_prop' as item_id) from {t}"
            " where obs_status = 'c'; insert into {t} by name select * replace"
            " ('r04_s03_referral_2wd' as item_id) from {t} where item_id = 'r04_s02_referral_prop'"
        ),
    },
    "open_data_national_breakdowns": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.no_small_count": (
            "update {t} set good_count = 5, rate_percent = 5 where obs_status is null"
        ),
        "failed_rows.counts_are_rounded": "update {t} set base_count = 101 where breakdown_value = 'F'",
        "failed_rows.withheld_is_empty": "update {t} set base_count = 50 where obs_status = 'c'",
        "failed_rows.status_says_why": "update {t} set obs_status = null where obs_status is not null",
        "failed_rows.good_within_base": "update {t} set good_count = 500 where breakdown_value = 'F'",
        "failed_rows.rate_from_published_counts": "update {t} set rate_percent = 67 where breakdown_value = 'F'",
        "failed_rows.interval_holds_the_rate": "update {t} set rate_upper_percent = 55 where breakdown_value = 'F'",
        "failed_rows.form_is_what_is_given": "update {t} set published_as = 'about' where breakdown_value = 'F'",
        "failed_rows.coverage_is_enough": "update {t} set base_share_covered = 0.89 where obs_status is null",
        "failed_rows.regions_within_expected": "update {t} set regions_published = 11 where obs_status is null",
        "failed_rows.sums_of_published_cells": "update {t} set base_count = 165 where obs_status is null",
    },
    "open_data_local_delivery": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.status_says_why": "update {t} set lowest_grade = 1 where obs_status = 'w'",
    },
    "open_data_notices": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.published_is_agreed": "update {t} set ag_agreed_on = '2026-05-21'",
        "failed_rows.closed_says_when": "update {t} set notice_status = 'closed'",
        "failed_rows.plan_is_out": "update {t} set plan_link = null",
    },
    "open_data_notice_grounds": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.stands_beside_its_notice": "update {t} set notice_id = 'N2026-02'",
        "failed_rows.says_its_limit": "update {t} set statement = 'under 60%'",
        "failed_rows.base_is_large_enough": "update {t} set disclosure_rule_version = 9",
    },
    "insight_returns": {
        "failed_rows.no_review_has_reason": "update {t} set nil_review_reason = 'No case was heard.'",
        "failed_rows.represented_were_expected": "update {t} set bodies_represented_count = 6",
    },
    "insight_reviews": {
        "failed_rows.standing_is_the_reviewed": "update {t} set standing_receipt_id = 'R000008-abcdef08'",
    },
    "insight_entries": {
        "duplicate.entry": "update {t} set insight_id = 'A1'",
        "failed_rows.only_actions_are_late": "update {t} set was_overdue = true",
    },
    "insight_actions": {
        "failed_rows.overdue_is_unfinished": "update {t} set is_unfinished = false where is_overdue",
        "failed_rows.share_overdue": "update {t} set is_overdue = true, days_overdue = 3",
    },
    "context_entries": {
        "failed_rows.figure_has_unit": "update {t} set measure_unit = null",
    },
    "open_data_local_compliance": {
        "schema": "alter table {t} add column exact_count integer",
        "failed_rows.no_small_count": (
            "update {t} set case_count = 5, met_count = null, rate_percent = null, rate_is_about = null,"
            " obs_status = 'c' where area_code = 'E23000002'"
        ),
        "failed_rows.counts_are_rounded": "update {t} set case_count = 101 where area_code = 'E23000003'",
        "failed_rows.confidential_is_empty": (
            "update {t} set met_count = 95, rate_band = null where obs_status = 'c'"
        ),
        "failed_rows.linked_figure_withheld": (
            "insert into {t} by name select * replace ('r04_s02_referral_prop' as metric_id) from {t}"
            " where obs_status = 'c'; insert into {t} by name select * replace"
            " ('r04_s03_referral_2wd' as metric_id) from {t} where metric_id = 'r04_s02_referral_prop'"
        ),
        "failed_rows.absent_is_empty": "update {t} set case_count = 50 where obs_status = 'w'",
        "failed_rows.status_says_why": "update {t} set obs_status = null where obs_status = 'w'",
        "failed_rows.met_within_cases": (
            "update {t} set met_count = 105, rate_percent = 100 where area_code = 'E23000002'"
        ),
        "failed_rows.rate_from_published_counts": (
            "update {t} set rate_percent = 67 where area_code = 'E23000004'"
        ),
        "failed_rows.rate_or_band": "update {t} set rate_band = '50% to 79%' where area_code = 'E23000002'",
        "failed_rows.interval_holds_the_rate": (
            "update {t} set rate_upper_percent = 59 where area_code = 'E23000002'"
        ),
        "failed_rows.form_is_what_is_given": "update {t} set published_as = 'base' where rate_band is not null",
    },
    "open_data_group_compliance": {
        "schema": "alter table {t} rename column obs_note to note",
        "failed_rows.no_small_count": (
            "update {t} set met_count = 5, rate_percent = 5 where obs_status is null"
        ),
        "failed_rows.counts_are_rounded": (
            "update {t} set met_count = 61, rate_percent = 61 where obs_status is null"
        ),
        "failed_rows.coverage_is_enough": "update {t} set case_share_covered = 0.89 where obs_status is null",
        "failed_rows.withheld_is_empty": "update {t} set reported_count = 50 where obs_status = 'c'",
        "failed_rows.status_says_why": "update {t} set obs_status = null where obs_status = 'c'",
        "failed_rows.areas_within_expected": "update {t} set areas_published = 44 where obs_status is null",
        "failed_rows.met_within_cases": "update {t} set met_count = 285 where obs_status is null",
        "failed_rows.rate_from_published_counts": "update {t} set rate_percent = 61 where obs_status is null",
        "failed_rows.interval_holds_the_rate": "update {t} set rate_lower_percent = 65 where obs_status is null",
        "failed_rows.form_is_what_is_given": "update {t} set published_as = 'about' where obs_status is null",
        "failed_rows.sums_of_published_cells": (
            "update {t} set case_count = 285, met_count = 185, rate_percent = 65 where obs_status is null"
        ),
    },
    "open_data_area_groups": {
        "schema": "alter table {t} add column population integer",
        "failed_rows.one_group_of_a_kind": (
            "insert into {t} by name select * replace ('other' as group_code) from {t}"
            " where group_kind = 'nation' and area_code = 'E23000002'"
        ),
        "failed_rows.area_left_out": (
            "update {t} set area_code = 'E23000002' where group_kind = 'like_areas' and area_code = 'E23000003'"
        ),
    },
    "open_data_local_benchmarks": {
        "schema": "alter table {t} add column median_rate double",
        "failed_rows.counts_are_rounded": (
            "update {t} set like_areas_case_count = 181 where obs_status is null"
        ),
        "failed_rows.enough_like_areas": "update {t} set like_areas_published = 2 where obs_status is null",
        "failed_rows.areas_within_expected": "update {t} set like_areas_published = 5 where obs_status is null",
        "failed_rows.interval_holds_the_rate": (
            "update {t} set like_areas_lower_percent = 68 where obs_status is null"
        ),
        "failed_rows.sums_of_published_cells": (
            "update {t} set like_areas_case_count = 185 where obs_status is null"
        ),
    },
    "open_data_publication_shares": {
        "schema": "alter table {t} add column exact_share double",
        "failed_rows.forms_add_up": "update {t} set cells_band = 6",
        "failed_rows.large_cells_within_expected": (
            "update {t} set large_cells_published = 25, large_published_percent = 104"
        ),
        "failed_rows.share_is_quotient": "update {t} set large_published_percent = 96",
    },
}
WARNINGS = {
    "insight_actions/failed_rows.share_overdue",
    "local_area_compliance/failed_rows.share_not_collected",
    "quality_submissions/failed_rows.share_missing",
    "local_area_feedback_sources/row_count",
    "national_compliance/row_count",
    "national_feedback/row_count",
    "local_area_benchmarks/row_count",
    "local_area_series/row_count",
    "local_area_breakdowns/row_count",
    "national_breakdowns/row_count",
    "oversight_indicators/row_count",
    "oversight_cases/failed_rows.no_decision_without_a_case",
    "oversight_cases/failed_rows.nothing_is_overdue",
    "oversight_forum_meetings/failed_rows.decided_was_considered",
    "oversight_notices/failed_rows.case_is_known",
    "oversight_notices/failed_rows.no_plan_is_overdue",
    "open_data_group_compliance/row_count",
    "open_data_local_benchmarks/row_count",
}


@pytest.fixture(scope="module")
def good_build(tmp_path_factory: pytest.TempPathFactory, mart_tables: ModuleType) -> Path:
    path: Path = mart_tables.create_warehouse(tmp_path_factory.mktemp("good") / "build.duckdb", GOOD)
    return path


def contract_of(mart: str) -> dict[str, Any]:
    contract: dict[str, Any] = yaml.safe_load((CONTRACTS / f"{mart}.yml").read_text(encoding="utf-8"))
    return contract


def identity(kind: str, settings: Mapping[str, Any] | None) -> str:
    return ".".join(part for part in (kind, (settings or {}).get("qualifier")) if part)


def table_checks(mart: str) -> dict[str, dict[str, Any]]:
    return {
        identity(kind, settings): check
        for check in contract_of(mart)["checks"]
        for kind, settings in check.items()
    }


def write_contract(tmp_path: Path, name: str, text: str) -> Path:
    folder = tmp_path / "contracts"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


def broken(good_build: Path, tmp_path: Path, sql: str, mart: str) -> Path:
    path = tmp_path / "broken.duckdb"
    shutil.copy(good_build, path)
    with duckdb.connect(str(path)) as con:
        con.execute(sql.format(t=f"marts.{mart}"))
    return path


def column_types(build: Path, mart: str) -> list[tuple[str, str]]:
    with duckdb.connect(str(build), read_only=True) as con:
        return con.execute(
            "select column_name, data_type from information_schema.columns where table_name = ?", [mart]
        ).fetchall()


def failures(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in outcomes if not outcome.passed}


def test_every_mart_that_is_promised_has_its_contract() -> None:
    assert {path.stem for path in CONTRACTS.glob("*.yml")} == set(GOOD)


def test_good_rows_keep_every_promise(good_build: Path) -> None:
    outcomes = verify(good_build, CONTRACTS)

    assert {outcome.contract for outcome in outcomes} == set(GOOD)
    assert [
        (outcome.contract, outcome.check, outcome.detail) for outcome in outcomes if not outcome.passed
    ] == []
    warn = {f"{outcome.contract}/{outcome.check}" for outcome in outcomes if outcome.severity == "warn"}
    assert warn == WARNINGS


@pytest.mark.parametrize("mart", sorted(FAULTS))
def test_each_broken_promise_is_found_by_its_check_alone(good_build: Path, tmp_path: Path, mart: str) -> None:
    """Each fault has a copy of the mart, and a contract that holds the key and the check that must see it."""
    checks = table_checks(mart)
    copies = {f"{mart}__{number}": check for number, check in enumerate(FAULTS[mart])}
    path = tmp_path / "broken.duckdb"
    shutil.copy(good_build, path)
    with duckdb.connect(str(path)) as con:
        for table, check in copies.items():
            con.execute(f"create table marts.{table} as from marts.{mart}")
            con.execute(FAULTS[mart][check].format(t=f"marts.{table}"))
            contract = contract_of(mart) if check == "schema" else {"columns": []}
            contract |= {
                "dataset": f"warehouse/marts/{table}",
                "checks": [checks["duplicate.key"], checks[check]],
            }
            text = yaml.safe_dump(contract, width=10_000).replace(
                f"from marts.{mart} ", f"from marts.{table} "
            )
            write_contract(tmp_path, table, text)

    outcomes = verify(path, tmp_path / "contracts")

    for table, check in copies.items():
        failed = failures([outcome for outcome in outcomes if outcome.contract == table])
        if check == "schema" and "contract" in failed:
            assert "lacks obs_note" in failed["contract"].detail
            continue
        assert set(failed) == {check}
        assert failed[check].severity == ("warn" if f"{mart}/{check}" in WARNINGS else "error")
        assert failed[check].measured
        assert failed[check].detail.startswith("For example: ") or check == "schema"


@pytest.mark.parametrize("mart", sorted(GOOD))
def test_empty_wrong_and_doubled_cells_are_found(good_build: Path, tmp_path: Path, mart: str) -> None:
    """Every check of one column, the key and the row count: a row of nothing, one of nonsense, a copy."""
    contract = contract_of(mart)
    on_columns = [
        (column["name"], kind)
        for column in contract["columns"]
        for check in column.get("checks", [])
        for kind in check
    ]
    types = {column: str(kind) for column, kind in column_types(good_build, mart)}
    nonsense = {
        name: "'?'" if types[name] == "VARCHAR" else "-7" for name, kind in on_columns if kind == "invalid"
    }
    path = broken(good_build, tmp_path, "insert into {t} select * from {t} limit 1", mart)
    with duckdb.connect(str(path)) as con:
        con.execute(f"insert into marts.{mart} default values")
        names, values = ", ".join(nonsense), ", ".join(nonsense.values())
        con.execute(f"insert into marts.{mart} ({names}) values ({values})")

    failed = failures(verify(path, write_contract(tmp_path, mart, yaml.safe_dump(contract))))

    for name, kind in on_columns:
        assert failed[f"{name}.{kind}"].measured == 1 if kind == "invalid" else f"{name}.{kind}" in failed
    assert failed["duplicate.key"].measured

    with duckdb.connect(str(path)) as con:
        con.execute(f"delete from marts.{mart}")
    contract["columns"] = []
    emptied = failures(verify(path, write_contract(tmp_path, mart, yaml.safe_dump(contract))))
    assert ("row_count" in emptied) == ("row_count" in table_checks(mart))


def test_no_check_is_left_untried() -> None:
    for mart in GOOD:
        assert set(table_checks(mart)) - {"row_count", "duplicate.key"} == set(FAULTS[mart])

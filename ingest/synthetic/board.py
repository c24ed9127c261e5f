"""What the secretariat sends in the sample: decisions on planted cases, a notice, meetings, rules. Data.

Days fit the cycle: a case is decided on once the quarter that opened it has passed its joint local review.
Which case is whose rests on the plants (ingest/synthetic/plants.py).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from ingest.form import Form
from ingest.period import Period
from ingest.synthetic.files import Cell

Rows = list[dict[str, Cell]]
SENDER = "programme-board"


@dataclass(frozen=True)
class Case:
    """A planted case and the decisions on it: day, state entered, who decided, why."""

    body_kind: str
    pfa_code: str
    right_number: int
    first_period: str
    decisions: tuple[tuple[str, str, str, str], ...]
    closed_period: str | None = None
    """Latest quarter whose review was over on the day the case was closed, worked out by hand."""

    @property
    def case_id(self) -> str:
        """The number of the case in the register: body kind, area, right and first quarter, hashed."""
        words = f"{self.body_kind}|{self.pfa_code}|{self.right_number}|{self.first_period}"
        return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()[:16]


_CHECK = "Severe in two quarters on the same metric; the body is asked to check its figures within ten days."
_CHECK_AGAIN = "The body is asked to check the figures of the severe quarter within ten days."
_CONFIRMED = "The body checked its figures and found no error."
_LOCAL = "The local review has agreed an action plan with the body; progress is read each quarter."
_CLOSED = "Above the threshold for two quarters, and the plan has been carried out."
_REOPENED = "Severe again in the quarter after the last one that was looked at when the case was closed."

CASES: tuple[Case, ...] = (
    Case(
        "btp",
        "NAT",
        4,
        "2025-26-Q1",
        (
            ("2025-12-11", "data_check", "secretariat", _CHECK),
            ("2025-12-23", "confirmed", "programme_board", _CONFIRMED),
            ("2026-01-15", "local_action", "programme_board", _LOCAL),
            ("2026-06-24", "closed", "programme_board", _CLOSED),
        ),
        closed_period="2025-26-Q4",
    ),
    Case(
        "police",
        "E23000038",
        7,
        "2025-26-Q1",
        (
            ("2025-12-11", "data_check", "secretariat", _CHECK),
            ("2025-12-23", "confirmed", "programme_board", _CONFIRMED),
            ("2026-01-15", "local_action", "programme_board", _LOCAL),
            (
                "2026-02-12",
                "escalated_to_board",
                "programme_board",
                "No plan was received by the day agreed.",
            ),
            ("2026-03-17", "escalated_to_taskforce", "programme_board", "The plan has no dates or measures."),
            (
                "2026-04-21",
                "commissioner_consulted",
                "both_ministers",
                "The draft notice was sent for comment.",
            ),
            (
                "2026-05-12",
                "notice_agreed",
                "both_ministers",
                "No return for the quarter, and no sound plan.",
            ),
            ("2026-05-20", "notice_published", "secretariat", "Published as agreed by both ministers."),
            ("2026-05-21", "plan_due", "secretariat", "The recipient has eight weeks to publish its plan."),
            ("2026-07-15", "plan_published", "secretariat", "The plan is on the recipient's web page."),
        ),
    ),
    Case(
        "police",
        "E23000020",
        4,
        "2025-26-Q2",
        (
            ("2026-03-17", "data_check", "secretariat", _CHECK),
            ("2026-03-30", "confirmed", "programme_board", _CONFIRMED),
            ("2026-04-22", "local_action", "programme_board", _LOCAL),
            ("2026-09-22", "closed", "programme_board", _CLOSED),
        ),
        closed_period="2026-27-Q1",
    ),
    Case(
        "police",
        "E23000009",
        3,
        "2025-26-Q1",
        (
            ("2025-12-11", "data_check", "secretariat", _CHECK),
            ("2025-12-23", "confirmed", "programme_board", _CONFIRMED),
            ("2026-01-15", "local_action", "programme_board", _LOCAL),
            ("2026-06-24", "closed", "programme_board", _CLOSED),
            ("2026-09-15", "reopened", "secretariat", _REOPENED),
            ("2026-09-16", "data_check", "secretariat", _CHECK_AGAIN),
        ),
        closed_period="2025-26-Q4",
    ),
    Case(
        "police",
        "E23000012",
        3,
        "2025-26-Q3",
        (
            ("2026-06-17", "data_check", "secretariat", _CHECK),
            ("2026-06-30", "confirmed", "programme_board", _CONFIRMED),
            ("2026-07-22", "local_action", "programme_board", _LOCAL),
        ),
    ),
    Case(
        "police",
        "E23000022",
        8,
        "2025-26-Q2",
        (
            ("2026-06-17", "data_check", "secretariat", _CHECK),
            ("2026-06-30", "confirmed", "programme_board", _CONFIRMED),
            ("2026-07-22", "local_action", "programme_board", _LOCAL),
            (
                "2026-08-19",
                "escalated_to_board",
                "programme_board",
                "A quarter was missed, the next no better.",
            ),
        ),
    ),
    Case(
        "cps",
        "E23000010",
        10,
        "2025-26-Q4",
        (
            ("2026-09-11", "data_check", "secretariat", _CHECK),
            ("2026-09-24", "confirmed", "programme_board", _CONFIRMED),
        ),
    ),
    Case("yjs", "E23000004", 11, "2025-26-Q4", (("2026-09-11", "data_check", "secretariat", _CHECK),)),
)

_REVIEW = "The national picture of the quarter was reviewed, and the cases that are open."
_ON_CASES = "A short meeting on cases that could not wait for the review of the quarter."
# Forum, day, quarter reviewed, what was discussed. The review of a quarter alternates between the two forums.
MEETINGS: tuple[tuple[str, str, str, str], ...] = (
    ("programme_board", "2026-01-15", "2025-26-Q1", _ON_CASES),
    ("programme_board", "2026-02-12", "2025-26-Q1", _ON_CASES),
    ("programme_board", "2026-03-17", "2025-26-Q2", _REVIEW),
    ("programme_board", "2026-03-30", "2025-26-Q2", _ON_CASES),
    ("taskforce", "2026-04-21", "2025-26-Q2", "The draft of a notice was discussed with both ministers."),
    ("programme_board", "2026-04-22", "2025-26-Q2", _ON_CASES),
    ("taskforce", "2026-06-16", "2025-26-Q3", _REVIEW),
    ("programme_board", "2026-06-24", "2025-26-Q3", _ON_CASES),
    ("programme_board", "2026-06-30", "2025-26-Q3", _ON_CASES),
    ("programme_board", "2026-07-22", "2025-26-Q3", _ON_CASES),
    ("programme_board", "2026-08-19", "2025-26-Q3", _ON_CASES),
    ("programme_board", "2026-09-22", "2025-26-Q4", _REVIEW),
    ("programme_board", "2026-09-24", "2025-26-Q4", _ON_CASES),
)

_NOTICE_CASE = CASES[1]
_PLAN_LINK = "https://example.org/victims-code/notice-plan"
# Agreed after the last planted quarter began, for quarters after it: no result of the sample rests on them.
RULES_AGREED_ON, RULES_EFFECTIVE_FROM = date(2026, 9, 15), date(2026, 10, 1)
RAISED_THRESHOLD = "r02_s01_recorded_24h"


def decisions_of(period: Period) -> Rows:
    """Return the decisions taken in a quarter, in order of day and case."""
    found: list[tuple[str, str, dict[str, Cell]]] = []
    for case in CASES:
        for day, state, role, reason in case.decisions:
            if period.first_day.isoformat() <= day <= period.last_day.isoformat():
                row: dict[str, Cell] = {
                    "case_id": case.case_id,
                    "to_state": state,
                    "decided_by_role": role,
                    "decided_on": day,
                    "reason": reason,
                    "evidence_reference": f"Board paper {day[2:4]}-{day[5:7]}, annex {case.body_kind}",
                }
                found.append((day, case.case_id, row))
    return [row for *_, row in sorted(found, key=lambda entry: entry[:2])]


def meetings_of(period: Period) -> Rows:
    """Return the meetings of both forums in a quarter, with the cases under way on the day of each."""
    rows: Rows = []
    for forum, day, reviewed, summary in MEETINGS:
        if period.first_day.isoformat() <= day <= period.last_day.isoformat():
            if summary == _REVIEW:  # every case that is open
                considered = sum(_is_open(case, day) for case in CASES)
            else:
                considered = len({case.case_id for case in CASES for on, *_ in case.decisions if on == day})
            rows.append(
                {
                    "forum": forum,
                    "meeting_on": day,
                    "reviewed_period_code": reviewed,
                    "cases_considered": considered,
                    "summary": summary,
                }
            )
    return rows


def _is_open(case: Case, day: str) -> bool:
    """Say whether a case was decided on by a day and not closed before it."""
    states = [state for on, state, *_ in case.decisions if on < day or (on == day and state != "closed")]
    return bool(states) and states[-1] != "closed"


def closings_until(day: date) -> list[dict[str, object]]:
    """Return the closings decided by a day, and the quarter from whose end on each case counts as closed."""
    return [
        {
            "case_id": case.case_id,
            "body_kind": case.body_kind,
            "pfa_code": case.pfa_code,
            "right_number": case.right_number,
            "decided_on": decided_on,
            "closed_period_code": case.closed_period,
        }
        for case in CASES
        for decided_on, state, _, _ in case.decisions
        if state == "closed" and decided_on <= day.isoformat()
    ]


def notices_of(period: Period) -> Rows:
    """Return the one notice, in the quarters from its publication on; its plan once that is published."""
    known = {state: day for day, state, _, _ in _NOTICE_CASE.decisions if day <= period.last_day.isoformat()}
    if "notice_published" not in known:
        return []
    area = _NOTICE_CASE.pfa_code
    return [
        {
            "notice_id": "N2026-01",
            "case_ids": _NOTICE_CASE.case_id,
            "recipient_code": f"{area}-lpb",
            "copied_to": f"{area}-police",
            "summary": "Victims were seldom offered a personal statement, in two quarters running.",
            "request": "Publish a plan with dates and measures, and report on it each quarter.",
            "update_due": "2026-11-20",
            "plan_due": "2026-07-15",
            "plan_link": _PLAN_LINK if "plan_published" in known else None,
            "sos_agreed_on": known["notice_agreed"],
            "ag_agreed_on": known["notice_agreed"],
            "vc_consulted_on": known["commissioner_consulted"],
            "published_on": known["notice_published"],
        }
    ]


@cache
def _agreed() -> tuple[Mapping[str, str], ...]:
    with (Path(__file__).parent / "agreed_rules.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


def rules_of(period: Period) -> Rows:
    """Return the rules agreed in a quarter: those the service started with, one threshold raised."""
    if not period.first_day <= RULES_AGREED_ON <= period.last_day:
        return []
    return [
        {
            "rule_version": 1,
            "effective_from": RULES_EFFECTIVE_FROM.isoformat(),
            "parameter": row["parameter"],
            "metric_id": row["metric_id"] or None,
            "number_value": float(row["number_value"]) if row["number_value"] else None,
            "text_value": row["text_value"] or None,
            "basis": row["basis"],
            "agreed_on": RULES_AGREED_ON.isoformat(),
            "note": "Raised from 0.5." if row["metric_id"] == RAISED_THRESHOLD else None,
        }
        for row in _agreed()
    ]


def sheets_of(form: Form, period: Period) -> tuple[dict[str, Rows], dict[str, Cell]]:
    """Return the rows of each table of a decisions or rules return, and further cover fields."""
    if form.kind == "rules":
        return {"rules": rules_of(period)}, {}
    decisions, notices = decisions_of(period), notices_of(period)
    nil = {} if notices else {"nil_notices_reason": "No notice has been agreed so far."}
    tables = {"decisions": decisions, "notices": notices, "meetings": meetings_of(period)}
    # A version of the form that asks for no meetings has no sheet of that name.
    return {sheet.name: tables[sheet.name] for sheet in form.tables}, dict(nil)


def arrives_on(period: Period) -> date:
    """Return the day that the secretariat sends the return of a quarter: once the quarter is over."""
    return period.last_day + timedelta(days=1)

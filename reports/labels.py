"""The words readers see for the codes of the marts: one place, so that a page and a file never differ.

Names of areas, rights, metrics, questions and items are not here: they come with their dates from the
reference tables and the marts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BODY_KINDS: Mapping[str, str] = {
    "police": "Police force",
    "cps": "Crown Prosecution Service",
    "courts": "Courts (HMCTS)",
    "prisons": "Prisons",
    "probation": "Probation",
    "yjs": "Youth offending teams",
    "btp": "British Transport Police",
    "mdp": "Ministry of Defence Police",
}
NATIONAL_FORCES = frozenset({"btp", "mdp"})

MARKING = "OFFICIAL-SENSITIVE"
RECOMMENDATION_RULE = "A recommendation to the Board. It decides nothing and is not a notice."

Section = Literal["recommended", "watch", "pending", "improving", "closing", "none"]


@dataclass(frozen=True)
class ResultLabel:
    """How a persistence result is put to readers: its name, what it means, and the section it stands in."""

    name: str
    meaning: str
    section: Section


RESULTS: Mapping[str, ResultLabel] = {
    "SEVERE_PERSISTENT": ResultLabel(
        "Severe and persistent",
        "A severe indicator is met in this quarter and was in the quarter before, or the case is still open.",
        "recommended",
    ),
    "SEVERE_PERSISTENT_BRIDGED": ResultLabel(
        "Severe and persistent, across one gap",
        "A severe indicator is met in this quarter and in the last quarter that could be assessed; exactly"
        " one quarter between them could not be.",
        "recommended",
    ),
    "NON_SUBMISSION": ResultLabel(
        "No complete return in two consecutive quarters",
        "No complete return was accepted for this quarter or the one before. Missing figures are not a pass.",
        "recommended",
    ),
    "REOPENED": ResultLabel(
        "Reopened",
        "A severe indicator is met again within the time the rules set after the case was closed.",
        "recommended",
    ),
    "SEVERE": ResultLabel(
        "Severe in one quarter",
        "A severe indicator is met in this quarter and does not repeat an earlier one. To be watched.",
        "watch",
    ),
    "SEVERE_PENDING": ResultLabel(
        "Severe before, not assessable now",
        "A severe indicator was met in the last quarter that could be assessed. This quarter cannot be; the"
        " clock is not reset.",
        "pending",
    ),
    "PERSISTENT_UNASSESSED": ResultLabel(
        "Open case, not assessable now",
        "The case stays open: this quarter cannot be assessed.",
        "pending",
    ),
    "PERSISTENT_IMPROVING": ResultLabel(
        "Open case, improving",
        "No severe indicator is met in this quarter; that is not yet enough to consider closing.",
        "improving",
    ),
    "ELIGIBLE_TO_CLOSE": ResultLabel(
        "Eligible to close",
        "No severe indicator is met in enough assessable quarters running. Closing is a recorded decision.",
        "closing",
    ),
    "RESET": ResultLabel(
        "No longer severe",
        "Severe in the last quarter that could be assessed, and not in this one.",
        "none",
    ),
    "CLEAR": ResultLabel("Not severe", "Assessed in this quarter; no severe indicator is met.", "none"),
    "NOT_ASSESSED": ResultLabel(
        "Not assessed",
        "This quarter could not be assessed. That is not a pass.",
        "none",
    ),
}

STATES: Mapping[str, str] = {
    "MET": "Severe indicator met",
    "NOT_MET": "Assessed, no severe indicator met",
    "TOO_FEW": "Too few cases to assess",
    "NO_CASES": "No figures to assess",
    "NOT_SUBMITTED": "No complete return",
}
STATES_SHORT: Mapping[str, str] = {
    "MET": "severe",
    "NOT_MET": "not severe",
    "TOO_FEW": "too few cases",
    "NO_CASES": "no figures",
    "NOT_SUBMITTED": "no complete return",
}

INDICATORS: Mapping[str, str] = {
    "S1": "Compliant in a particularly low number of cases",
    "S2": "Significantly worse than like areas",
    "S3": "A particularly low number of victims report delivery as good",
    "S4": "Lack of clear processes in place to improve",
}

FIGURE_STATUSES: Mapping[str, str] = {
    "reported": "Reported",
    "not_collected": "Not collected",
    "incomplete": "Incomplete: not every sender's return is in",
    "not_submitted": "No accepted return",
    "not_applicable": "Not applicable: no such service there",
}

COLLECTION_MODES: Mapping[str, str] = {
    "census": "All cases",
    "random_sample": "Random sample",
    "purposive_sample": "Chosen sample",
    "none": "",
}

SAMPLING_FRAMES: Mapping[str, str] = {
    "all_cases": "All cases",
    "recent_cases": "Recent cases",
    "finalised_cases": "Finalised cases",
    "none": "",
}

CHANGES: Mapping[str, str] = {
    "higher": "Higher than",
    "lower": "Lower than",
    "no detectable change": "No detectable change from",
}

GRADES: Mapping[int, str] = {
    0: "0, absent",
    1: "1, drafted and not in use",
    2: "2, in use",
    3: "3, in use and reviewed",
}

SUBMISSIONS: Mapping[str, str] = {
    "on_time": "on time",
    "late": "late",
    "rejected": "rejected",
    "not_submitted": "not submitted",
}


def body_name(body_kind: str, area_name: str) -> str:
    """The body in plain words: `Police force, Essex`; a national force has no area."""
    kind = BODY_KINDS.get(body_kind, body_kind)
    return kind if body_kind in NATIONAL_FORCES else f"{kind}, {area_name}"


def percent(rate: float | None) -> str:
    """A rate between 0 and 1 as a percentage with one decimal; nothing for None."""
    return "" if rate is None else f"{100 * rate:.1f}%"

"""The written truth of a sample: what was planted, and what should become of every expected return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingest.period import Period
from ingest.synthetic import board, plants
from ingest.synthetic.catalogue import Catalogue

VERSION = 3


@dataclass(frozen=True)
class Delivery:
    """One file of a sample: who sent it for which quarter, when it arrived, and what should become of it.

    `role` is plain, late, first (superseded later), revision, rejected or correction.
    """

    sender_code: str
    period_code: str
    file_name: str
    arrived_at: str
    role: str
    kind: str = "quarterly"

    @property
    def is_rejected(self) -> bool:
        """Whether acceptance has to reject the file."""
        return self.role == "rejected"


def truth_of(
    *,
    seed: int,
    periods: Sequence[Period],
    due: dict[str, date],
    catalogue: Catalogue,
    senders: Sequence[str],
    deliveries: Iterable[Delivery],
    revised_figures: dict[str, dict[str, int]],
) -> dict[str, Any]:
    """Return everything a test may ask about a sample, as plain data ready for JSON.

    Plants are stated only for a sample that starts with the first planted quarter (their results rest on what
    came before), for the bodies that are in it, and, where like areas matter, only if all areas are.
    """
    everything = sorted(deliveries, key=lambda d: (d.period_code, d.sender_code, d.arrived_at))
    delivered = [d for d in everything if d.kind == "quarterly"]
    others = [d for d in everything if d.kind != "quarterly"]
    is_whole = len(senders) == len(catalogue.senders)
    held = {(duty.body_kind, duty.pfa_code) for code in senders for duty in catalogue.duties[code]}
    codes = [period.code for period in periods]
    starts_with_plants = codes[0] == plants.QUARTERS[0]
    stated = [
        _statement(plant, codes, revised_figures)
        for plant in plants.PLANTS
        if starts_with_plants
        and (plant.body_kind, plant.pfa_code) in held
        and (is_whole or not plant.needs_all_areas)
    ]
    returns = [
        _returns_of(code, due[code], senders, [d for d in delivered if d.period_code == code])
        for code in codes
    ]
    return {
        "truth_version": VERSION,
        "seed": seed,
        "periods": codes,
        "areas": "all" if is_whole else sorted({pfa_code for _, pfa_code in held}),
        "plants": stated,
        "closings": board.closings_until(periods[-1].last_day) if starts_with_plants else [],
        "returns": returns,
        "other_returns": _other_returns(codes, others),
        "submissions": _submissions(codes, senders, delivered),
        "deliveries": [
            {
                "sender_code": d.sender_code,
                "period_code": d.period_code,
                "file_name": d.file_name,
                "arrived_at": d.arrived_at,
                "role": d.role,
                "outcome": "rejected" if d.is_rejected else "accepted",
            }
            for d in delivered
            if d.role != "plain"
        ],
        "totals": {
            "senders": len(senders),
            "files": len(everything),
            "other_files": len(others),
            "accepted": sum(not d.is_rejected for d in everything),
            "rejected": sum(d.is_rejected for d in delivered),
            "missing": sum(len(entry["missing"]) for entry in returns),
            "late": sum(d.role == "late" for d in delivered),
        },
    }


def _returns_of(code: str, due_on: date, senders: Sequence[str], here: Sequence[Delivery]) -> dict[str, Any]:
    """Count one quarter: `missing` sent nothing, `without_current` have no accepted return."""
    current = {d.sender_code for d in here if not d.is_rejected}
    return {
        "period_code": code,
        "due_on": due_on.isoformat(),
        "expected": len(senders),
        "files": len(here),
        "accepted": sum(not d.is_rejected for d in here),
        "rejected": sorted(d.sender_code for d in here if d.is_rejected),
        "missing": sorted(set(senders) - {d.sender_code for d in here}),
        "without_current": sorted(set(senders) - current),
        "late": sorted(d.sender_code for d in here if d.role == "late"),
        "revised": sorted(d.sender_code for d in here if d.role == "revision"),
        "current": len(current),
    }


def _other_returns(codes: Sequence[str], others: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Tell who sent which other kind of return for a quarter; every one of them is accepted."""
    return [
        {"kind": kind, "period_code": code, "senders": senders}
        for code in codes
        for kind in sorted({d.kind for d in others})
        if (senders := sorted(d.sender_code for d in others if (d.kind, d.period_code) == (kind, code)))
    ]


def _submissions(
    codes: Sequence[str], senders: Sequence[str], delivered: Sequence[Delivery]
) -> list[dict[str, Any]]:
    """Every submission that is not simply one accepted file in time."""
    status = {plants.MISSING: "not_submitted", plants.LATE: "late", plants.REJECTED: "rejected"}
    return [
        {
            "sender_code": sender_code,
            "period_code": code,
            "submission_status": status.get(fate, "on_time"),
            "working_days_late": plants.LATE_WORKING_DAYS if fate == plants.LATE else 0,
            "receipt_count": sum((d.sender_code, d.period_code) == (sender_code, code) for d in delivered),
            "is_revised": fate == plants.REVISED,
        }
        for (sender_code, code), fate in plants.FATES.items()
        if code in codes and sender_code in senders
    ]


def _statement(
    plant: plants.Plant, codes: Sequence[str], revised_figures: dict[str, dict[str, int]]
) -> dict[str, Any]:
    story = {
        code: plants.STORY[letter]
        for code, letter in zip(plants.QUARTERS, plant.story, strict=True)
        if code in codes
    }
    all_rights = plant.right_number is None
    missing = [code for code, (state, _) in story.items() if state == "NOT_SUBMITTED"]
    # of all rights of a body nothing but this can be said without looking at each
    expected = {code: told for code, told in story.items() if not all_rights or code in missing}
    planted = {plants.QUARTERS[index] for figure in plant.figures for index in figure.quarters}
    fates = {code for (sender, code) in plants.FATES if sender == f"{plant.pfa_code}-{plant.body_kind}"}
    information = plant.item_id.split("_")[1][0] if plant.item_id else ""
    detail = dict(plant.detail)
    if plant.kind == "revised":
        detail["figures"] = revised_figures
    return {
        "plant_id": plant.plant_id,
        "kind": plant.kind,
        "says": plant.says,
        "body_kind": plant.body_kind,
        "pfa_code": plant.pfa_code,
        "right_number": plant.right_number,
        "holds_for_all_rights": all_rights,
        "metric_id": plant.item_id if information == "s" else None,
        "question_id": plant.item_id if information == "f" else None,
        "item_id": plant.item_id if information == "d" else None,
        "indicators": list(plant.indicators),
        "is_s4_met": plant.is_s4_met,
        "quarters": [code for code in codes if code in (planted or fates | set(missing) or set(story))],
        "expected_state": {code: state for code, (state, _) in expected.items()},
        "expected_result": {code: result for code, (_, result) in expected.items()},
        "is_recommended": {code: result in plants.RECOMMENDED for code, (_, result) in expected.items()},
        "submitted": [code for code in story if code not in missing],
        "not_submitted": missing,
        "detail": detail,
    }

"""Who sends what: the reference tables read as the generator needs them. No numbers are drawn here."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ingest.period import Period
from ingest.reference import Reference, ReferenceOnDay
from ingest.synthetic import plants

HERE = Path(__file__).parent
# The quarter that the planted history starts from.
ORIGIN = Period.parse(plants.QUARTERS[0])
# Two senders that answer for one body split its cases unevenly, as the two London CPS Areas do.
SPLITS: dict[int, tuple[float, ...]] = {1: (1.0,), 2: (0.55, 0.45)}
# Residents are a poor measure of the City of London, where people work and travel.
POPULATION_INSTEAD = {"E23000034": 150_000}
TYPICAL_POPULATION, LIKE_AREAS_UP_TO = 1_100_000, 5_000_000
# The one police area whose senders break figures down by fraud.
FRAUD_AREA = "E23000034"
# National forces have no residents: the population whose recorded crime is about as large as theirs.
NATIONAL_POPULATION = {"btp": 500_000, "mdp": 20_000}


@dataclass(frozen=True)
class Duty:
    """One body and area that a sender answers for.

    `weight` is its cases in millions of residents' worth; `likeness` (-1 to 1) is low for the smallest areas
    and high for the largest ones: areas alike in size are served alike, whether well or badly.
    """

    body_code: str
    pfa_code: str
    body_kind: str
    weight: float
    likeness: float


@dataclass(frozen=True)
class Entry:
    """One metric, question or item of the catalogue; `shape` is its unit or set of answers."""

    item_id: str
    shape: str
    right_number: int


@dataclass(frozen=True)
class Catalogue:
    """What is expected of every sender on one day. Tuples keep the order of the reference tables.

    `duties` are of the quarterly return; `others` holds, by kind of return and sender, the bodies and areas
    (whole, even if several senders share them) that any other return speaks of. `since_origin` are the
    statistics asked at the origin of the planted history, whether they still are or not.
    """

    duties: dict[str, tuple[Duty, ...]]
    others: dict[str, dict[str, tuple[Duty, ...]]]
    since_origin: dict[str, tuple[Entry, ...]]
    statistics: dict[str, tuple[Entry, ...]]
    questions: dict[str, tuple[Entry, ...]]
    items: dict[str, tuple[Entry, ...]]
    crime_types: tuple[str, ...]
    fraud_crime_types: tuple[str, ...]
    characteristics: dict[str, tuple[str, ...]]

    @property
    def senders(self) -> tuple[str, ...]:
        """Codes of every sender of whom a quarterly return is expected."""
        return tuple(self.duties)

    def senders_for(self, areas: set[str]) -> tuple[str, ...]:
        """Senders that answer for at least one of the areas; their files cover all their areas."""
        return tuple(
            code for code, held in self.duties.items() if any(duty.pfa_code in areas for duty in held)
        )


@dataclass(frozen=True)
class Profile:
    """How large and how good the figures of one metric are for one kind of body.

    `per_million` is cases a quarter per million residents; `spread` the standard deviation between areas
    on the logit scale; the shares are of cases (exclusions) or of bodies (sampled, not collected). If
    `denominator_of` names another metric, the cases are those which that one counts as met.
    """

    per_million: float
    rate: float
    spread: float
    not_suitable: float
    declined: float
    unknown: float
    mix: str
    sampled_share: float
    not_collected_share: float
    denominator_of: str


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@cache
def profiles() -> dict[tuple[str, str], Profile]:
    """Profiles by (metric_id, body_kind); national forces use the police's."""

    def number(text: str) -> float:
        return float(text) if text else 0.0

    return {
        (row["item_id"], row["body_kind"]): Profile(
            per_million=float(row["per_million"]),
            rate=number(row["rate"]),
            spread=number(row["spread"]),
            not_suitable=number(row["not_suitable"]),
            declined=number(row["declined"]),
            unknown=number(row["unknown"]),
            mix=row["mix"],
            sampled_share=number(row["sampled_share"]),
            not_collected_share=number(row["not_collected_share"]),
            denominator_of=row["denominator_of"],
        )
        for row in _read(HERE / "profiles.csv")
    }


@cache
def feedback_profiles() -> dict[tuple[str, str], tuple[float, float]]:
    """(answers a quarter per million residents, share of positive answers) by (question_id, body_kind)."""
    kinds = ("police", "cps", "courts", "prisons", "probation", "yjs")
    return {
        (row["item_id"], kind): (float(row[kind]), float(row["good_share"]))
        for row in _read(HERE / "feedback_profiles.csv")
        for kind in kinds
        if row[kind]
    }


@cache
def breakdown_shares() -> dict[tuple[str, str], dict[str, float]]:
    """Shares of cases per mix, and the tilt towards not met, by (breakdown, value)."""
    return {
        (row["breakdown"], row["value"]): {
            name: float(row[name]) for name in ("recorded", "charged", "serious", "tilt")
        }
        for row in _read(HERE / "breakdown_shares.csv")
    }


def _likeness(residents: float, pfa_code: str) -> float:
    # compared with all other areas, not with like ones: nothing shared
    if pfa_code in POPULATION_INSTEAD or residents > LIKE_AREAS_UP_TO:
        return 0.0
    return max(-1.0, min(1.0, math.log(residents / TYPICAL_POPULATION) / 0.6))


def profile_kind(body_kind: str) -> str:
    """The kind whose profile a body uses: national forces do what police forces do."""
    return "police" if body_kind in NATIONAL_POPULATION else body_kind


def _others(
    today: ReferenceOnDay, duties: Mapping[str, Sequence[Duty]]
) -> dict[str, dict[str, tuple[Duty, ...]]]:
    whole: dict[tuple[str, str], Duty] = {}
    for held in duties.values():
        for duty in held:
            key = duty.body_code, duty.pfa_code
            known = whole.get(key)
            whole[key] = replace(duty, weight=duty.weight + known.weight) if known else duty
    found: dict[str, dict[str, tuple[Duty, ...]]] = {}
    for row in today.sender_bodies:
        if row.form_kind not in ("quarterly", "legacy_audit"):
            served = today.served(row.sender_code, row.form_kind)
            held = tuple(whole[key] for key in served if key in whole)
            found.setdefault(row.form_kind, {})[row.sender_code] = held
    return found


def catalogue_for(reference: Reference, period: Period) -> Catalogue:
    """What is expected for a period, from the reference data in force on its last day."""
    today = reference.for_period(period)
    population = {code: float(area.population) for code, area in today.areas.items() if area.population}
    population.update(POPULATION_INSTEAD)
    share = {(row.body_code, row.pfa_code): row.case_share for row in today.body_areas}

    expected = [row for row in today.sender_bodies if row.form_kind == "quarterly" and row.is_expected]
    answering: dict[tuple[str, str], list[str]] = {}
    for row in expected:
        answering.setdefault((row.body_code, row.pfa_code), []).append(row.sender_code)
    duties: dict[str, list[Duty]] = {}
    for row in expected:
        key = (row.body_code, row.pfa_code)
        kind = today.bodies[row.body_code].body_kind
        together = sorted(answering[key])
        parts = SPLITS.get(len(together), (1 / len(together),) * len(together))
        part = parts[together.index(row.sender_code)]
        residents = NATIONAL_POPULATION.get(kind) or population[row.pfa_code]
        duties.setdefault(row.sender_code, []).append(
            Duty(
                *key,
                body_kind=kind,
                weight=residents / 1e6 * share.get(key, 1.0) * part,
                likeness=_likeness(residents, row.pfa_code),
            )
        )

    kinds = sorted({duty.body_kind for held in duties.values() for duty in held})

    def entries(information: str, view: ReferenceOnDay = today) -> dict[str, tuple[Entry, ...]]:
        found: dict[str, tuple[Entry, ...]] = {}
        for kind in kinds:
            metrics = [view.metrics[metric_id] for metric_id in view.metrics_of(kind, information)]
            found[kind] = tuple(
                Entry(m.metric_id, m.response_set if information == "feedback" else m.unit, m.right_number)
                for m in metrics
                if m.tier == "core"
            )
        return found

    groups = [row for row in today.crime_types.values() if row.level == "group"]
    return Catalogue(
        duties={code: tuple(held) for code, held in sorted(duties.items())},
        others=_others(today, duties),
        since_origin=entries("statistic", reference.for_period(ORIGIN)),
        statistics=entries("statistic"),
        questions=entries("feedback"),
        items=entries("delivery"),
        crime_types=tuple(row.crime_type for row in groups if row.reporting == "required"),
        fraud_crime_types=tuple(
            row.crime_type for row in groups if row.reporting in ("required", "fraud_senders_only")
        ),
        characteristics=today.characteristics,
    )

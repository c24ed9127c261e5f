"""Reference data: who exists, who sends for whom, what is asked. The dbt seeds are its single source.

Belongs here: typed, dated look-ups over the seed files. Does not: facts of its own, or figures.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ingest.period import Cycle, Period

SEEDS_DIR = Path(__file__).resolve().parent.parent / "dbt_project" / "seeds"
TOTAL = "ALL"


class ReferenceDataError(ValueError):
    """A seed file is missing, or a row of it cannot be read. The text says which and what is wrong."""


@dataclass(frozen=True)
class Dated:
    """In force from valid_from to valid_to, both included. No valid_from: not in force yet."""

    valid_from: date | None
    valid_to: date | None

    def in_force(self, day: date) -> bool:
        """Say whether the row is in force on a day."""
        return (
            self.valid_from is not None
            and self.valid_from <= day
            and (self.valid_to is None or day <= self.valid_to)
        )


@dataclass(frozen=True)
class Area(Dated):
    """A police area, or NAT for national forces."""

    pfa_code: str
    area_kind: str
    area_name: str
    force_name: str
    abbreviation: str
    region_code: str
    region_name: str
    population: int | None
    successor_pfa_code: str


@dataclass(frozen=True)
class Body(Dated):
    """A body that is assessed."""

    body_code: str
    body_name: str
    body_kind: str
    successor_body_code: str


@dataclass(frozen=True)
class BodyArea(Dated):
    """A body's share (0 to 1) of the cases of its kind in one police area."""

    body_code: str
    pfa_code: str
    case_share: float


@dataclass(frozen=True)
class BodyKind:
    """A kind of body."""

    body_kind: str
    body_kind_name: str
    is_national_force: bool


@dataclass(frozen=True)
class BodyKindArea(Dated):
    """Whether a kind of body is expected in an area: expected or not_applicable, with the reason."""

    body_kind: str
    pfa_code: str
    applicability: str
    reason: str


@dataclass(frozen=True)
class Sender(Dated):
    """Who may send returns."""

    sender_code: str
    sender_name: str
    sender_kind: str


@dataclass(frozen=True)
class SenderBody(Dated):
    """A sender answers for a body in an area, in one kind of return.

    ALL stands for every body (of the area named), or every area.
    """

    sender_code: str
    form_kind: str
    body_code: str
    pfa_code: str
    is_expected: bool


@dataclass(frozen=True)
class Metric(Dated):
    """An entry of the metric catalogue: a statistic, a feedback question or a delivery item."""

    metric_id: str
    metric_version: int
    right_number: int
    information: str
    definition: str
    numerator: str
    denominator: str
    unit: str
    response_set: str
    time_limit: str
    polarity: str
    tier: str
    basis: str


@dataclass(frozen=True)
class MetricBody(Dated):
    """A kind of body answers an entry of the catalogue."""

    metric_id: str
    body_kind: str


@dataclass(frozen=True)
class CrimeType(Dated):
    """An offence group (level group) or subgroup."""

    crime_type: str
    level: str
    crime_type_name: str
    group_code: str
    reporting: str


@dataclass(frozen=True)
class Characteristic(Dated):
    """One category of a protected characteristic."""

    characteristic: str
    characteristic_value: str
    label: str


@dataclass(frozen=True)
class LegacyResponse(Dated):
    """One response line of a question of the 2019/20 audit, and the outcome it stands for."""

    question_id: str
    response_id: str
    entitlement_number: int
    question: str
    response: str
    metric_id: str
    outcome: str


@dataclass(frozen=True)
class LocalPolicingBody(Dated):
    """The local policing body (reviewer) of an area."""

    lpb_code: str
    pfa_code: str
    lpb_type: str
    lpb_name: str


@dataclass(frozen=True)
class Right(Dated):
    """One of the rights of the Code."""

    right_number: int
    right_title: str


@dataclass(frozen=True)
class CaseTransition(Dated):
    """A step that a decision may take from one state of a case to another.

    decided_by_roles: the roles that may decide it, with ; between them. needs: `notice`, or nothing.
    """

    from_state: str
    to_state: str
    decided_by_roles: str
    needs: str
    basis: str

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that may decide it."""
        return tuple(self.decided_by_roles.split(";"))


@dataclass(frozen=True)
class AcceptanceRules:
    """When a figure is told to differ from the period before. One row of the seed acceptance_rules.

    Shares are 0 to 1, *_n_min numbers of cases or answers. chance_z is the normal deviate that a change must
    reach as well, so that small numbers are not told for what chance does to them.
    """

    rule_version: int
    effective_from: date
    effective_to: date | None
    basis: str
    chance_z: float
    n_change_share: float
    n_change_n_min: int
    rate_change_min: float
    rate_change_n_min: int
    exclusions_rise_min: float
    exclusions_n_min: int
    whole_n_min: int
    identical_figures_min: int


@dataclass(frozen=True)
class ReferenceOnDay:
    """The reference data in force on one day, keyed for look-up."""

    day: date
    areas: dict[str, Area]
    bodies: dict[str, Body]
    body_areas: tuple[BodyArea, ...]
    body_kind_areas: dict[tuple[str, str], BodyKindArea]
    senders: dict[str, Sender]
    sender_bodies: tuple[SenderBody, ...]
    metrics: dict[str, Metric]
    metric_bodies: tuple[MetricBody, ...]
    crime_types: dict[str, CrimeType]
    characteristics: dict[str, tuple[str, ...]]
    legacy_responses: dict[tuple[str, str], LegacyResponse]
    local_policing_bodies: dict[str, LocalPolicingBody]
    cycle: Cycle

    def served(self, sender_code: str, form_kind: str) -> tuple[tuple[str, str], ...]:
        """Return the (body_code, pfa_code) pairs a sender answers for in one kind of return, sorted."""
        return self._served.get((sender_code, form_kind), ())

    @cached_property
    def _served(self) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
        pairs: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for row in self.sender_bodies:
            served = pairs.setdefault((row.sender_code, row.form_kind), set())
            if TOTAL in (row.body_code, row.pfa_code):
                served.update(
                    (body.body_code, body.pfa_code)
                    for body in self.body_areas
                    if row.body_code in (TOTAL, body.body_code) and row.pfa_code in (TOTAL, body.pfa_code)
                )
            else:
                served.add((row.body_code, row.pfa_code))
        return {key: tuple(sorted(value)) for key, value in pairs.items()}

    def expected_senders(self, form_kind: str) -> tuple[str, ...]:
        """Return the senders from whom a return of this kind is expected, sorted."""
        return tuple(
            sorted({r.sender_code for r in self.sender_bodies if r.form_kind == form_kind and r.is_expected})
        )

    def metrics_of(self, body_kind: str, information: str) -> tuple[str, ...]:
        """Return what a kind of body answers: ids of statistics, feedback questions or delivery items, in
        order.
        """
        return self._metrics_of.get((body_kind, information), ())

    @cached_property
    def _metrics_of(self) -> dict[tuple[str, str], tuple[str, ...]]:
        answered: dict[tuple[str, str], list[str]] = {}
        for row in self.metric_bodies:
            metric = self.metrics.get(row.metric_id)
            if metric is not None:
                answered.setdefault((row.body_kind, metric.information), []).append(row.metric_id)
        order = {metric_id: place for place, metric_id in enumerate(self.metrics)}
        return {key: tuple(sorted(set(ids), key=order.__getitem__)) for key, ids in answered.items()}

    @cached_property
    def legacy_questions(self) -> dict[str, tuple[LegacyResponse, ...]]:
        """Questions of the 2019/20 audit with their response lines."""
        lines: dict[str, list[LegacyResponse]] = {}
        for response in self.legacy_responses.values():
            lines.setdefault(response.question_id, []).append(response)
        return {question: tuple(responses) for question, responses in lines.items()}


_T = TypeVar("_T")
_D = TypeVar("_D", bound=Dated)


@dataclass(frozen=True)
class Reference:
    """All reference data, whatever its dates. `on(day)` gives what is in force on a day."""

    areas: tuple[Area, ...]
    bodies: tuple[Body, ...]
    body_areas: tuple[BodyArea, ...]
    body_kinds: tuple[BodyKind, ...]
    body_kind_areas: tuple[BodyKindArea, ...]
    senders: tuple[Sender, ...]
    sender_bodies: tuple[SenderBody, ...]
    metrics: tuple[Metric, ...]
    metric_bodies: tuple[MetricBody, ...]
    crime_types: tuple[CrimeType, ...]
    characteristics: tuple[Characteristic, ...]
    legacy_responses: tuple[LegacyResponse, ...]
    local_policing_bodies: tuple[LocalPolicingBody, ...]
    rights: tuple[Right, ...]
    cycles: tuple[Cycle, ...]
    case_transitions: tuple[CaseTransition, ...]
    acceptance_rules: tuple[AcceptanceRules, ...]
    _days: dict[date, ReferenceOnDay] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, seeds_dir: Path | str = SEEDS_DIR) -> Reference:
        """Read the seed files of a folder. Raises ReferenceDataError, naming file, row and column."""
        seeds = _Seeds(Path(seeds_dir))
        return cls(
            areas=seeds.rows("areas", Area),
            bodies=seeds.rows("bodies", Body),
            body_areas=seeds.rows("body_areas", BodyArea),
            body_kinds=seeds.rows("body_kinds", BodyKind),
            body_kind_areas=seeds.rows("body_kind_areas", BodyKindArea),
            senders=seeds.rows("senders", Sender),
            sender_bodies=seeds.rows("sender_bodies", SenderBody),
            metrics=seeds.rows("metrics", Metric),
            metric_bodies=seeds.rows("metric_bodies", MetricBody),
            crime_types=seeds.rows("crime_types", CrimeType),
            characteristics=seeds.rows("characteristics", Characteristic),
            legacy_responses=seeds.rows("legacy_questions", LegacyResponse),
            local_policing_bodies=seeds.rows("local_policing_bodies", LocalPolicingBody),
            rights=seeds.rows("rights", Right),
            cycles=seeds.rows("cycle_rules", Cycle),
            case_transitions=seeds.rows("case_transitions", CaseTransition),
            acceptance_rules=seeds.rows("acceptance_rules", AcceptanceRules),
        )

    def on(self, day: date) -> ReferenceOnDay:
        """Return the reference data in force on a day. Worked out once a day asked for."""
        if day not in self._days:
            self._days[day] = self._on(day)
        return self._days[day]

    def for_period(self, period: Period) -> ReferenceOnDay:
        """Return the reference data a period is judged by: what is in force on its last day."""
        return self.on(period.last_day)

    def cycle_on(self, day: date) -> Cycle:
        """Return the cycle rules in force on a day; the latest version wins.

        Raises ReferenceDataError if none is.
        """
        for cycle in sorted(self.cycles, key=lambda c: c.rule_version, reverse=True):
            if cycle.effective_from <= day and (cycle.effective_to is None or day <= cycle.effective_to):
                return cycle
        raise ReferenceDataError(f"No row of cycle_rules.csv is in force on {day.isoformat()}; add one.")

    def acceptance_on(self, day: date) -> AcceptanceRules:
        """Return the thresholds of the comparison rules in force on a day; the latest version wins.

        Raises ReferenceDataError if none is.
        """
        for rules in sorted(self.acceptance_rules, key=lambda r: r.rule_version, reverse=True):
            if rules.effective_from <= day and (rules.effective_to is None or day <= rules.effective_to):
                return rules
        raise ReferenceDataError(f"No row of acceptance_rules.csv is in force on {day.isoformat()}; add one.")

    def transitions_from(self, state: str, day: date) -> dict[str, CaseTransition]:
        """Return what a decision may do on a day with a case in this state: state entered -> the step."""
        return {
            step.to_state: step
            for step in self.case_transitions
            if step.from_state == state and step.in_force(day)
        }

    def covers(self, day: date) -> bool:
        """Say whether there are cycle rules for a day, without which nothing can be judged by it."""
        return any(
            c.effective_from <= day and (c.effective_to is None or day <= c.effective_to) for c in self.cycles
        )

    def codes(self, name: str) -> frozenset[str]:
        """Return every code of a list, in force or not (a code that is unknown at any date is a mistyped
        one).

        The lists are those a form may name in codes_from, periods excepted.
        """
        if name not in self._codes:
            raise KeyError(f"{name!r} is not a list of codes.")
        return self._codes[name]

    @cached_property
    def _codes(self) -> dict[str, frozenset[str]]:
        def ids(information: str) -> frozenset[str]:
            return frozenset(
                m.metric_id
                for m in self.metrics
                if m.information == information and not m.tier.startswith("legacy")
            )

        return {
            "areas": frozenset(a.pfa_code for a in self.areas),
            "bodies": frozenset(b.body_code for b in self.bodies),
            "senders": frozenset(s.sender_code for s in self.senders),
            "statistics": ids("statistic"),
            "questions": ids("feedback"),
            "delivery_items": ids("delivery"),
            "crime_types": frozenset(c.crime_type for c in self.crime_types if c.reporting != "not_accepted"),
            "characteristics": frozenset(c.characteristic for c in self.characteristics),
            "characteristic_values": frozenset(c.characteristic_value for c in self.characteristics),
            "legacy_questions": frozenset(r.question_id for r in self.legacy_responses),
            "legacy_responses": frozenset(r.response_id for r in self.legacy_responses),
            "recipients": frozenset(s.sender_code for s in self.senders)
            | frozenset(b.body_code for b in self.bodies),
            "rights": frozenset(str(r.right_number) for r in self.rights),
            "scored_items": ids("statistic") | ids("feedback"),
        }

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is worked out on demand, so that a copy sent to another process stays small."""
        state = {key: value for key, value in self.__dict__.items() if key != "_codes"}
        state["_days"] = {}
        return state

    def _on(self, day: date) -> ReferenceOnDay:
        def current(rows: Iterable[_D]) -> tuple[_D, ...]:
            return tuple(row for row in rows if row.in_force(day))

        def keyed(rows: Iterable[_D], key: Callable[[_D], _T]) -> dict[_T, _D]:
            return {key(row): row for row in current(rows)}

        characteristics: dict[str, list[str]] = {}
        for row in current(self.characteristics):
            characteristics.setdefault(row.characteristic, []).append(row.characteristic_value)
        return ReferenceOnDay(
            day=day,
            areas=keyed(self.areas, lambda row: row.pfa_code),
            bodies=keyed(self.bodies, lambda row: row.body_code),
            body_areas=current(self.body_areas),
            body_kind_areas=keyed(self.body_kind_areas, lambda row: (row.body_kind, row.pfa_code)),
            senders=keyed(self.senders, lambda row: row.sender_code),
            sender_bodies=current(self.sender_bodies),
            # Rows stand by version within a metric, so the latest version in force is the one kept.
            metrics=keyed(sorted(self.metrics, key=lambda m: m.metric_version), lambda row: row.metric_id),
            metric_bodies=current(self.metric_bodies),
            crime_types=keyed(self.crime_types, lambda row: row.crime_type),
            characteristics={name: tuple(values) for name, values in characteristics.items()},
            legacy_responses=keyed(self.legacy_responses, lambda row: (row.question_id, row.response_id)),
            local_policing_bodies=keyed(self.local_policing_bodies, lambda row: row.lpb_code),
            cycle=self.cycle_on(day),
        )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _due_day(text: str) -> date:
    return date.fromisoformat(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "int | None": lambda text: int(text) if text else None,
    "float": float,
    "bool": _truth,
    "date": _due_day,
    "date | None": _day,
}


@dataclass(frozen=True)
class _Seeds:
    folder: Path

    def rows(self, name: str, row_type: type[_T]) -> tuple[_T, ...]:
        """Read one seed file into dataclasses, whose annotations say how each column is read."""
        path = self.folder / f"{name}.csv"
        columns = [(f.name, _READERS[str(f.type)]) for f in row_type.__dataclass_fields__.values()]  # type: ignore[attr-defined]
        try:
            stream = path.open(encoding="utf-8", newline="")
        except OSError as error:
            raise ReferenceDataError(f"The seed {path} cannot be read: {error.strerror}.") from error
        with stream:
            lines = csv.reader(stream)
            header = next(lines, [])
            missing = [column for column, _ in columns if column not in header]
            if missing:
                raise ReferenceDataError(f"The seed {path.name} has no column {', '.join(missing)}.")
            places = [(column, header.index(column), read) for column, read in columns]
            rows = []
            for number, line in enumerate(lines, 2):
                try:
                    rows.append(row_type(**{column: read(line[place]) for column, place, read in places}))
                except (ValueError, IndexError) as error:
                    raise ReferenceDataError(f"The seed {path.name}, row {number}: {error}.") from error
        return tuple(rows)

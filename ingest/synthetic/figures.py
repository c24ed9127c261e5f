"""The numbers of a return: totals drawn per body and metric, and their breakdowns that add up to them.

Everything random about a body and metric that lasts (its level, trend, size, way of counting) is drawn once
from a stream named after the body and the metric; everything of one quarter from a stream named after the
sender and the period. So a subset of areas or quarters gives the same figures as the whole.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ingest.period import Period
from ingest.synthetic import plants
from ingest.synthetic.catalogue import (
    ORIGIN,
    Duty,
    Entry,
    Profile,
    breakdown_shares,
    feedback_profiles,
    profile_kind,
    profiles,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

OUTCOMES = (
    "met",
    "not_met",
    "not_suitable",
    "declined",
    "unknown",
    "count",
    "within_limit",
    "short_delay",
    "long_delay",
)
ANSWERS = (
    "invited",
    "very_good",
    "good",
    "neither",
    "poor",
    "very_poor",
    "yes",
    "no",
    "not_applicable",
    "dont_know",
)
USED = {
    "proportion": (0, 1, 2, 3, 4),
    "count": (5,),
    "counts_by_delay": (6, 7, 8),
    "five_point": (0, 1, 2, 3, 4, 5, 8, 9),
    "yes_no": (0, 6, 7, 8, 9),
    "difficulty": (0, 6, 7, 8, 9),
}
# Outcomes whose mix leans towards the groups that are served less well.
TILTED = np.array([0, 1, 0.3, 0.3, 1, 0, 0, 1, 1])
MIXES = ("recorded", "charged", "serious")
SEASON = {"Q1": 1.02, "Q2": 1.04, "Q3": 0.99, "Q4": 0.95}
SAMPLE_SIZE = 30
# Draws are cut off here: an ordinary area is never outlying by construction, only by chance.
LIMIT = 1.6
# How much of an area's level is its own, and how much it shares with areas of its size.
OWN_PART, SHARED_PART = 0.75, 0.7


def stream(seed: int, *words: object) -> np.random.Generator:
    """A generator of its own for the seed and the words that name what it is for."""
    digest = hashlib.blake2b("|".join(map(str, words)).encode(), digest_size=16).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype=np.uint32).tolist()])


def quarters_on(period: Period) -> int:
    """Return how many quarters a quarter lies after the origin, through which every trend goes."""
    if period.quarter_index is None or ORIGIN.quarter_index is None:
        raise ValueError(f"{period.code} is not a quarter; give one such as 2025-26-Q1.")
    return period.quarter_index - ORIGIN.quarter_index


def _bounded_normal(rng: np.random.Generator) -> float:
    while True:
        value = float(rng.standard_normal())
        if abs(value) <= LIMIT:
            return value


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@dataclass(frozen=True)
class Series:
    """What lasts about one body and metric: level and trend on the logit scale, size, way of counting."""

    effect: float
    slope: float
    size: float
    exclusions: float
    collection_mode: str
    sampling_frame: str
    is_collected: bool
    choice: float

    @property
    def is_census(self) -> bool:
        """Whether every case is counted."""
        return self.is_collected and self.collection_mode == "census"

    def rate(self, base: float, spread: float, period: Period, wobble: float) -> float:
        """Return the underlying rate of one quarter."""
        trend = self.slope * quarters_on(period)
        return _expit(math.log(base / (1 - base)) + spread * self.effect + trend + 0.04 * wobble)


@cache
def series_of(seed: int, duty: Duty, item_id: str, profile: Profile | None) -> Series:
    """The lasting part of one body's metric or question; a planted one is always collected."""
    rng = stream(seed, "series", duty.body_code, duty.pfa_code, item_id)
    leaning = float(stream(seed, "leaning", duty.body_kind, item_id).choice([-1.0, 1.0]))
    effect = OWN_PART * float(rng.uniform(-1, 1)) + SHARED_PART * leaning * duty.likeness
    slope = float(rng.uniform(-0.015, 0.015))
    size, exclusions = math.exp(0.12 * _bounded_normal(rng)), math.exp(0.2 * _bounded_normal(rng))
    draw_collected, draw_sampled, draw_frame, choice = rng.uniform(size=4).tolist()
    planted = plants.is_touched(duty.body_kind, duty.pfa_code, item_id)
    if planted:
        effect *= 0.3  # ordinary in every quarter that the plant leaves alone
    is_collected = profile is None or planted or draw_collected >= profile.not_collected_share
    mode, frame = "census", "all_cases"
    if plants.is_sampled(duty.body_kind, duty.pfa_code, item_id):
        mode, frame = "random_sample", "finalised_cases"
    elif profile is not None and not planted and draw_sampled < profile.sampled_share:
        mode, frame = "random_sample", "finalised_cases" if draw_frame < 0.8 else "recent_cases"
    return Series(effect, slope, size, exclusions, mode, frame, is_collected, choice)


def _body_size(seed: int, duty: Duty) -> float:
    return math.exp(0.10 * _bounded_normal(stream(seed, "size", duty.body_code, duty.pfa_code)))


@dataclass(frozen=True)
class Totals:
    """Totals of one duty and quarter: a row per entry, a column per outcome (or answer)."""

    entries: tuple[Entry, ...]
    series: tuple[Series, ...]
    counts: Ints
    used: npt.NDArray[np.bool_]


def metric_totals(
    seed: int, duty: Duty, entries: Sequence[Entry], period: Period, rng: np.random.Generator
) -> Totals:
    """Draw the totals of every metric of one duty for one quarter."""
    held = [profiles()[entry.item_id, profile_kind(duty.body_kind)] for entry in entries]
    kept = [series_of(seed, duty, e.item_id, profile) for e, profile in zip(entries, held, strict=True)]
    row_of = {entry.item_id: row for row, entry in enumerate(entries)}
    counts = np.zeros((len(entries), len(OUTCOMES)), dtype=np.int64)
    scale = duty.weight * _body_size(seed, duty) * SEASON[period.part]

    def order(row: int) -> tuple[int, int]:
        # cases that another metric has counted can only be taken from it afterwards
        return (2 if entries[row].shape == "counts_by_delay" else int(bool(held[row].denominator_of)), row)

    for row in sorted(range(len(entries)), key=order):
        entry, profile, series = entries[row], held[row], kept[row]
        noise, wobble = math.exp(0.04 * float(rng.standard_normal())), _bounded_normal(rng)
        volume = int(rng.poisson(profile.per_million * scale * series.size * noise))
        if not series.is_census:
            volume = SAMPLE_SIZE
        linked = row_of.get(profile.denominator_of)
        if linked is not None and not (series.is_census and kept[linked].is_census):
            linked = None
        planted = plants.figure_for(duty.body_kind, duty.pfa_code, entry.item_id, period.code)
        rate = series.rate(profile.rate, profile.spread, period, wobble) if profile.rate else 0.0
        if planted is not None and planted.rate is not None:
            rate = planted.rate
        if entry.shape == "count":
            counts[row, 5] = volume if linked is None else counts[linked, 0]
        elif entry.shape == "counts_by_delay":
            # the same cases as the metric of the time limit: what it counts as met is within it
            within = int(rng.binomial(volume, rate)) if linked is None else int(counts[linked, 0])
            beyond = volume - within if linked is None else int(counts[linked, 1])
            short = int(rng.binomial(beyond, 0.65))
            counts[row, 6:9] = within, short, beyond - short
        elif planted is not None and planted.cases is not None and planted.met is not None:
            counts[row, :2] = planted.met, planted.cases - planted.met
        else:
            volume = volume if linked is None else int(counts[linked, 0])
            counts[row, :5] = _outcomes(profile, series, planted, volume, rate, rng)
    return _totals(entries, kept, counts)


def _outcomes(
    profile: Profile,
    series: Series,
    planted: plants.Figure | None,
    volume: int,
    rate: float,
    rng: np.random.Generator,
) -> tuple[int, ...]:
    """Share `volume` cases out: met, not met, not suitable, declined, unknown."""
    shares = np.array([profile.not_suitable, profile.declined, profile.unknown]) * series.exclusions
    if planted is not None and planted.excluded is not None:
        shares[:2] = planted.excluded * np.array([0.8, 0.2])
    *excluded, rest = rng.multinomial(volume, [*shares, 1 - shares.sum()]).tolist()
    met = int(rng.binomial(rest, rate))
    return (met, rest - met, *excluded)


def feedback_totals(
    seed: int, duty: Duty, entries: Sequence[Entry], period: Period, rng: np.random.Generator
) -> Totals:
    """Draw the answers to every feedback question of one duty for one quarter."""
    body_size = _body_size(seed, duty)
    counts = np.zeros((len(entries), len(ANSWERS)), dtype=np.int64)
    kept: list[Series] = []
    for row, entry in enumerate(entries):
        per_million, good_share = feedback_profiles()[entry.item_id, profile_kind(duty.body_kind)]
        series = series_of(seed, duty, entry.item_id, None)
        kept.append(series)
        wobble = _bounded_normal(rng)
        answers = int(rng.poisson(per_million * duty.weight * body_size * series.size))
        positive = int(rng.binomial(answers, series.rate(good_share, 0.16, period, wobble)))
        planted = plants.figure_for(duty.body_kind, duty.pfa_code, entry.item_id, period.code)
        if planted is not None:
            if planted.cases is not None and planted.met is not None:
                answers, positive = planted.cases, planted.met
            elif planted.rate is not None:
                positive = int(rng.binomial(answers, planted.rate))
            if entry.shape == "difficulty":
                positive = answers - positive
        negative = answers - positive
        not_applicable, dont_know = rng.poisson(answers * 0.09), rng.poisson(answers * 0.04)
        counts[row, 0] = round((answers + not_applicable + dont_know) / rng.uniform(0.12, 0.28))
        if entry.shape == "five_point":
            counts[row, 1] = rng.binomial(positive, 0.42)
            counts[row, 2] = positive - counts[row, 1]
            counts[row, 3:6] = rng.multinomial(negative, [0.42, 0.35, 0.23])
        else:
            counts[row, 6:8] = positive, negative
        counts[row, 8:10] = not_applicable, dont_know
    return _totals(entries, kept, counts)


def _totals(entries: Sequence[Entry], kept: Sequence[Series], counts: Ints) -> Totals:
    used = np.zeros(counts.shape, dtype=np.bool_)
    for row, (entry, series) in enumerate(zip(entries, kept, strict=True)):
        if series.is_collected:
            used[row, USED[entry.shape]] = True
    counts[~used] = 0
    return Totals(tuple(entries), tuple(kept), counts, used)


@cache
def _shares(
    seed: int, body_code: str, breakdown: str, values: tuple[str, ...], tilts: tuple[float, ...]
) -> Floats:
    """Shares of the categories of one breakdown for one body: (mix, outcome, category), adding to one."""
    rng = stream(seed, "shares", body_code, breakdown)
    noise = np.exp(0.15 * rng.standard_normal(len(values)))
    table = [breakdown_shares().get((breakdown, value), {}) for value in values]
    base = np.array([[row.get(mix, 0.01) for row in table] for mix in MIXES]) * noise
    lean = np.exp(np.outer(tilts, [row.get("tilt", 0.0) for row in table]))
    shares = base[:, None, :] * lean[None, :, :]
    return np.asarray(shares / shares.sum(axis=2, keepdims=True))


def _child_adult(values: Sequence[str], ages: Sequence[str], drawn: Ints) -> Ints:
    """Return the child and adult counts that agree with the age bands already drawn."""
    group = np.array(["NS" if age == "NS" else "C" if int(age[:2]) < 18 else "A" for age in ages])
    return np.stack([drawn[:, :, group == value].sum(axis=2) for value in values], axis=2)


def split(
    seed: int,
    duty: Duty,
    totals: Totals,
    breakdowns: Sequence[tuple[str, tuple[str, ...]]],
    rng: np.random.Generator,
    mixes: Sequence[str] | None = None,
) -> Ints:
    """Break every total down by every breakdown: (entry, total and categories in order, outcome).

    The first position is the total itself; the categories of one breakdown always add up to it.
    """
    counts = totals.counts
    tilts = tuple(TILTED.tolist()) if counts.shape[1] == len(OUTCOMES) else (0.0,) * counts.shape[1]
    if mixes is None:
        mixes = [profiles()[entry.item_id, profile_kind(duty.body_kind)].mix for entry in totals.entries]
    mix_rows = np.array([MIXES.index(mix) for mix in mixes], dtype=np.intp)
    parts: list[Ints] = [counts[:, :, None]]
    drawn: dict[str, tuple[tuple[str, ...], Ints]] = {}
    for name, values in breakdowns:
        if name == "age_child_adult" and "age" in drawn and set(values) == {"C", "A", "NS"}:
            parts.append(_child_adult(values, *drawn["age"]))
            continue
        shares = _shares(seed, duty.body_code, name, values, tilts)[mix_rows]
        drawn[name] = (values, rng.multinomial(counts, shares))
        parts.append(drawn[name][1])
    return np.concatenate(parts, axis=2).transpose(0, 2, 1)

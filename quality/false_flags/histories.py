"""Invented national histories: counts of six quarters of areas that differ as areas ordinarily do."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from quality.false_flags.inputs import Country, Counts, Flags, Floats

QUARTERS = 6
#: National level of a metric, drawn evenly between these shares.
LEVELS = (0.65, 0.95)
#: Cases per 1,000 residents and quarter, drawn evenly on the log scale between these, by metric.
VOLUMES = (0.1, 20.0)
#: Standard deviation of an area's own change from quarter to quarter, arcsine scale.
QUARTER_NOISE = 0.015


@dataclass(frozen=True)
class Setting:
    """What is supposed of the country."""

    #: Standard deviation between areas of what lasts, on the arcsine scale: at a level of 80%, 0.05, 0.075
    #: and 0.10 are 4, 6 and 8 points.
    spread: float = 0.075
    #: Cases of each area, metric and quarter; None: every case, in proportion to population.
    sample: int | None = None
    #: Correlation of what lasts between the metrics of one body.
    shared: float = 0.0
    #: Degrees of freedom of what lasts; None: normal.
    tails: int | None = None
    #: Points below the national level at which one area, drawn at random for each metric, is planted.
    planted_points: int | None = None
    quarter_noise: float = QUARTER_NOISE


@dataclass(frozen=True)
class Histories:
    """H national histories of Q quarters; arrays are (H, Q, M, A)."""

    x: Counts
    n: Counts
    #: (H, M, A), none at all where nothing is planted.
    is_planted: Flags


def draw(country: Country, setting: Setting, histories: int, seed: int) -> Histories:
    """Draw histories; the same seed gives the same counts.

    No area is truly bad but those planted: what lasts is never below the metric's S1 threshold.
    """
    rng = np.random.default_rng(seed)
    areas, metrics = len(country.area_codes), len(country.metrics)
    shape = (histories, 1, metrics, areas)
    level = rng.uniform(*LEVELS, (histories, 1, metrics, 1))
    volume = np.exp(rng.uniform(log(VOLUMES[0]), log(VOLUMES[1]), (histories, 1, metrics, 1)))

    kinds = sorted({metric.body_kind for metric in country.metrics})
    kind_of = [kinds.index(metric.body_kind) for metric in country.metrics]
    of_body = _standard(rng, (histories, 1, len(kinds), areas), setting.tails)[:, :, kind_of]
    of_metric = _standard(rng, shape, setting.tails)
    deviation = np.sqrt(setting.shared) * of_body + np.sqrt(1 - setting.shared) * of_metric
    floor = np.arcsin(np.sqrt(np.nan_to_num(country.thresholds(), nan=0.0)))[None, None, :, None]
    lasting = np.clip(np.arcsin(np.sqrt(level)) + setting.spread * deviation, floor, np.pi / 2)

    is_planted = np.zeros((histories, metrics, areas), dtype=bool)
    if setting.planted_points is not None:
        order = np.where(country.is_expected[None], rng.random((histories, metrics, areas)), -1.0)
        np.put_along_axis(is_planted, order.argmax(axis=2)[..., None], True, axis=2)
        bad = np.arcsin(np.sqrt(level - setting.planted_points / 100))
        lasting = np.where(is_planted[:, None], bad, lasting)

    noise = setting.quarter_noise * rng.standard_normal((histories, QUARTERS, metrics, areas))
    rate = np.sin(np.clip(lasting + noise, 0.0, np.pi / 2)) ** 2
    if setting.sample is None:
        n = rng.poisson(np.broadcast_to(volume * country.populations / 1000, rate.shape))
    else:
        n = np.full(rate.shape, setting.sample)
    n = np.where(country.is_expected, n, 0)
    return Histories(rng.binomial(n, rate), n, is_planted)


def _standard(rng: np.random.Generator, shape: tuple[int, ...], tails: int | None) -> Floats:
    """Draws with standard deviation 1, normal or with the tails of Student's t."""
    if tails is None:
        return rng.standard_normal(shape)
    return np.asarray(rng.standard_t(tails, shape) / np.sqrt(tails / (tails - 2)))

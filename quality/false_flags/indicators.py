"""S1, S2 and persistence of docs/methods.md in numpy, for many histories at once.

Areas are the last axis everywhere. The SQL models are the rule; these are tested against them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from quality.false_flags.inputs import Counts, Flags, Floats, Rules, Scope


def wilson(x: Counts, n: Counts, z: float, side: Literal["lower", "upper"]) -> Floats:
    """Wilson score bound of x of n, one side; NaN where there are no cases."""
    with np.errstate(invalid="ignore", divide="ignore"):
        root = z * np.sqrt(z * z + 4 * x * (1 - x / n))
        bound = (2 * x + z * z + (root if side == "upper" else -root)) / (2 * (n + z * z))
    return np.where(n > 0, np.clip(bound, 0.0, 1.0), np.nan)


def s1_met(x: Counts, n: Counts, thresholds: Floats, rules: Rules) -> Flags:
    """Is the one-sided upper bound below T? `thresholds` must broadcast against x."""
    with np.errstate(invalid="ignore"):
        return (n >= rules.n_min) & (wilson(x, n, rules.s1_z, "upper") < thresholds)


def winsorised(values: Floats, low: float, high: float) -> Floats:
    """Each row clipped at two of its percentiles (type 7), NaN left out and kept."""
    count = np.sum(~np.isnan(values), axis=-1, keepdims=True)
    ordered = np.sort(values, axis=-1)  # NaN last
    limits = []
    for share in (low, high):
        position = np.maximum(count - 1, 0) * share
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        left = np.take_along_axis(ordered, below, axis=-1)
        right = np.take_along_axis(ordered, above, axis=-1)
        limits.append(left + (right - left) * (position - below))
    clipped: Floats = np.clip(values, limits[0], limits[1])
    return clipped


def s2_scores(
    x: Counts, n: Counts, like_areas: Flags, rules: Rules, *, additive: bool = True
) -> tuple[Floats, Floats]:
    """Return (z, gap) of each area against its like areas, NaN where it cannot be assessed.

    Each row is one set of like figures. Without `additive` it is the plain funnel: no variance between areas,
    and the pooled like areas taken as known.
    """
    is_in = n >= rules.n_min
    size = np.where(is_in, n, 1)
    share = np.where(is_in, x, 0) / size
    y = np.arcsin(np.sqrt(share))
    variance = 1 / (4 * size)
    weight = np.where(is_in, 1 / variance, 0.0)
    count = is_in.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        tau2 = _tau_squared(y, variance, weight, is_in, count, rules) if additive else 0.0
        v = np.where(is_in, 1 / (variance + tau2), 0.0)
        peers = like_areas.T.astype(float)
        weight_sum = v @ peers
        target = (v * y) @ peers / weight_sum
        spread = variance + tau2 + 1 / weight_sum if additive else variance
        z = (y - target) / np.sqrt(spread)
        gap = np.sin(target) ** 2 - share
    assessable = is_in & (count >= rules.areas_min) & (is_in.astype(float) @ peers >= rules.peers_min)
    return np.where(assessable, z, np.nan), np.where(assessable, gap, np.nan)


def _tau_squared(
    y: Floats, variance: Floats, weight: Floats, is_in: Flags, count: Counts, rules: Rules
) -> Floats:
    """Between-area variance of each row, by the method of moments on winsorised scores."""
    s1 = weight.sum(axis=-1, keepdims=True)
    s2 = (weight**2).sum(axis=-1, keepdims=True)
    centre = (weight * y).sum(axis=-1, keepdims=True) / s1
    zeta = np.where(is_in, (y - centre) / np.sqrt(variance), np.nan)
    w = np.where(is_in, winsorised(zeta, rules.winsor_low, rules.winsor_high), 0.0)
    total = (w**2).sum(axis=-1, keepdims=True)  # I phi
    return np.where(total < count - 1, 0.0, (total - (count - 1)) / (s1 - s2 / s1))


def s2_met(z: Floats, gap: Floats, z_flag: Floats | float, rules: Rules) -> Flags:
    """Is the area worse by the limit and by the smallest gap that counts? The limit must fit z."""
    with np.errstate(invalid="ignore"):
        return (z <= z_flag) & (gap >= rules.gap_min)


def intervals_apart(x: Counts, n: Counts, like_areas: Flags, rules: Rules) -> Flags:
    """The plain comparison: does the area's 95% interval lie below that of its like areas added up?"""
    kept = n >= rules.n_min
    peers = like_areas.T.astype(np.int64)
    with np.errstate(invalid="ignore"):
        theirs = wilson(np.where(kept, x, 0) @ peers, np.where(kept, n, 0) @ peers, 1.959964, "lower")
        return kept & (wilson(x, n, 1.959964, "upper") < theirs)


def recommended(met: Flags, assessable: Flags, scope: Scope, bridge_quarters: int) -> Flags:
    """Is a right recommended to the Board: severe and persistent, or severe while the case is open?

    `met` is (H, Q, items, A), an item being one indicator on one metric; `assessable` and the result are
    (H, Q, A). No case is closed and every return is in.
    """
    quarters = met.shape[1]
    severe: Flags = np.any(met, axis=2)
    result = np.zeros_like(severe)
    is_open = np.zeros_like(severe[:, 0])
    last_items = np.zeros_like(met[:, 0])
    last_quarter = np.full(is_open.shape, -quarters - bridge_quarters - 2)
    for quarter in range(quarters):
        is_near = quarter - last_quarter - 1 <= bridge_quarters
        if scope == "same_indicator":
            is_repeat = (met[:, quarter] & last_items).any(axis=1)
        else:
            is_repeat = severe[:, quarter] & last_items.any(axis=1)
        result[:, quarter] = severe[:, quarter] & (is_open | (is_repeat & is_near))
        is_open = is_open | result[:, quarter]
        now = assessable[:, quarter]
        last_items = np.where(now[:, None], met[:, quarter], last_items)
        last_quarter = np.where(now, quarter, last_quarter)
    return result

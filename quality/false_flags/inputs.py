"""What the study takes from the seeds: rules, areas and their like areas, scored metrics."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Scope = Literal["same_indicator", "any_indicator"]


def read_seed(name: str, seeds: Path = SEEDS) -> list[dict[str, str]]:
    """Read a seed; rows that are no longer in force are left out."""
    with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row for row in rows if not row.get("valid_to") and not row.get("effective_to")]


@dataclass(frozen=True)
class Rules:
    """The limits of S1, S2 and persistence, as the newest row of `severe_rules` has them."""

    rule_version: int
    n_min: int
    s1_z: float
    z_flag: float
    gap_min: float
    peers_min: int
    areas_min: int
    winsor_low: float
    winsor_high: float
    tail: float
    bridge_quarters: int
    peer_set: str
    divide_tail: bool
    scope: Scope
    met_min: int

    @classmethod
    def load(cls, seeds: Path = SEEDS) -> Rules:
        """Read the newest row."""
        return cls.of(max(read_seed("severe_rules", seeds), key=lambda each: int(each["rule_version"])))

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Rules:
        """Take the limits from a row with the columns of `severe_rules`, its cells typed or as text."""
        scope: Scope = "any_indicator" if row["persistence_scope"] == "any_indicator" else "same_indicator"
        return cls(
            rule_version=int(row["rule_version"]),
            n_min=int(row["n_min"]),
            s1_z=float(row["s1_z"]),
            z_flag=float(row["s2_z_flag"]),
            gap_min=float(row["s2_gap_min"]),
            peers_min=int(row["s2_peers_min"]),
            areas_min=int(row["s2_areas_min"]),
            winsor_low=float(row["s2_winsor_low"]),
            winsor_high=float(row["s2_winsor_high"]),
            tail=float(row["s2_tail"]),
            bridge_quarters=int(row["bridge_quarters"]),
            peer_set=str(row["peer_set"]),
            divide_tail=str(row["s2_divide_tail"]).lower() == "true",
            scope=scope,
            met_min=int(row["met_min"]),
        )

    def divided_z_flag(self, metrics: int) -> float:
        """The limit where the scored metrics of a right share one tail."""
        return NormalDist().inv_cdf(self.tail / metrics)


@dataclass(frozen=True)
class Metric:
    """A scored metric of one kind of body."""

    body_kind: str
    right_number: int
    metric_id: str
    #: S1's T; NaN where there is none.
    threshold: float


@dataclass(frozen=True)
class Country:
    """Areas i = 1..A and scored metrics m = 1..M."""

    area_codes: tuple[str, ...]
    area_names: tuple[str, ...]
    #: (A,)
    populations: Floats
    #: (A, A): is column j one of the areas that row i is compared with?
    like_areas: Flags
    metrics: tuple[Metric, ...]
    #: (M, A): does a body of this kind report for the area?
    is_expected: Flags

    @classmethod
    def load(
        cls, rules: Rules, seeds: Path = SEEDS, thresholds: Mapping[str, float] | None = None
    ) -> Country:
        """Read areas, like areas and the catalogue; `thresholds` (metric -> T) stand in for the seed's."""
        areas = [row for row in read_seed("areas", seeds) if row["area_kind"] == "police_area"]
        codes = tuple(row["pfa_code"] for row in areas)
        metrics = tuple(_scored_metrics(rules, seeds, thresholds))
        expected = {
            (row["body_kind"], row["pfa_code"])
            for row in read_seed("body_kind_areas", seeds)
            if row["applicability"] == "expected"
        }
        return cls(
            area_codes=codes,
            area_names=tuple(row["area_name"] for row in areas),
            populations=np.array([float(row["population"]) for row in areas]),
            like_areas=_like_areas(codes, rules.peer_set, seeds),
            metrics=metrics,
            is_expected=np.array(
                [[(metric.body_kind, code) in expected for code in codes] for metric in metrics]
            ),
        )

    def rights(self) -> dict[tuple[str, int], list[int]]:
        """(body kind, right) -> positions of its metrics."""
        found: dict[tuple[str, int], list[int]] = {}
        for position, metric in enumerate(self.metrics):
            found.setdefault((metric.body_kind, metric.right_number), []).append(position)
        return found

    def thresholds(self) -> Floats:
        """(M,): T of each metric."""
        return np.array([metric.threshold for metric in self.metrics])

    def divided_limits(self, rules: Rules) -> Floats:
        """(M,): the divided limit of each metric's right."""
        limits = np.empty(len(self.metrics))
        for positions in self.rights().values():
            limits[positions] = rules.divided_z_flag(len(positions))
        return limits


def _like_areas(codes: tuple[str, ...], peer_set: str, seeds: Path) -> Flags:
    position = {code: i for i, code in enumerate(codes)}
    peers = np.zeros((len(codes), len(codes)), dtype=bool)
    for row in read_seed("similar_areas", seeds):
        if row["peer_set"] == peer_set:
            peers[position[row["pfa_code"]], position[row["peer_pfa_code"]]] = True
    # an area without a list is compared with all others
    peers[~peers.any(axis=1)] = True
    np.fill_diagonal(peers, False)
    return peers


def _scored_metrics(rules: Rules, seeds: Path, thresholds: Mapping[str, float] | None) -> Iterator[Metric]:
    kinds = {
        row["body_kind"]: int(row["sort_order"])
        for row in read_seed("body_kinds", seeds)
        if row["is_national_force"] == "false"
    }
    if thresholds is None:
        thresholds = {
            row["metric_id"]: float(row["threshold"])
            for row in read_seed("severe_thresholds", seeds)
            if int(row["rule_version"]) == rules.rule_version
        }
    scored = {
        row["metric_id"]: int(row["right_number"])
        for row in read_seed("metrics", seeds)
        if row["tier"] == "core"
        and row["information"] == "statistic"
        and row["unit"] == "proportion"
        and row["polarity"] in ("higher", "lower")
    }
    answered = [
        (kinds[row["body_kind"]], scored[row["metric_id"]], row["metric_id"], row["body_kind"])
        for row in read_seed("metric_bodies", seeds)
        if row["body_kind"] in kinds and row["metric_id"] in scored
    ]
    for _, right_number, metric_id, body_kind in sorted(answered):
        yield Metric(body_kind, right_number, metric_id, thresholds.get(metric_id, float("nan")))

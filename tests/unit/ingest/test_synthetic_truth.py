"""Do the planted truths hold in the figures? Wilson bounds and like-area scores are worked out here anew.

Only totals are drawn, in memory; nothing of the marts is used.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.form import load_forms
from ingest.period import Period
from ingest.reference import SEEDS_DIR, Reference
from ingest.synthetic import generate
from ingest.synthetic.catalogue import Catalogue, catalogue_for
from ingest.synthetic.others import draw_other
from ingest.synthetic.plants import FATES, PLANTS, QUARTERS, REVISED, Plant
from ingest.synthetic.returns import draw_return
from ingest.synthetic.truth import truth_of

SEED = 20260401
UNASSESSED = {"NOT_SUBMITTED", "TOO_FEW", "NO_CASES"}
Key = tuple[str, str, str, str]  # body kind, area, metric or question, period
Figures = dict[Key, dict[tuple[str, str], tuple[int, int]]]


def seed_rows(name: str) -> list[dict[str, str]]:
    with (SEEDS_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """What is expected in the planted quarters."""
    return catalogue_for(Reference.load(), Period.parse(QUARTERS[0]))


@pytest.fixture(scope="module")
def figures(catalogue: Catalogue) -> Figures:
    """(good, cases) of every figure by way of collection, summed over the senders whose returns are accepted."""
    form = load_forms().for_date("quarterly", date(2025, 6, 30))
    assert form is not None
    summed: dict[Key, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    lower = {row["metric_id"] for row in seed_rows("metrics") if row["polarity"] == "lower"}
    for code in QUARTERS:
        period = Period.parse(code)
        for sender in catalogue.senders:
            if FATES.get((sender, code)) in ("missing", "rejected"):
                continue
            kinds = {duty.body_code: duty.body_kind for duty in catalogue.duties[sender]}
            drawn = draw_return(SEED, sender, period, catalogue, form, breakdowns=False)
            for row in _dicts(drawn.sheets["metrics"]):
                if row["met"] is None:
                    continue
                key = (kinds[str(row["body_code"])], str(row["pfa_code"]), str(row["metric_id"]), code)
                cell = summed[key][str(row["collection_mode"]), str(row["sampling_frame"])]
                cell[0] += _int(row["met"])
                cell[1] += _int(row["met"]) + _int(row["not_met"])
            for row in _dicts(drawn.sheets["feedback"]):
                positive = _int(row["very_good"]) + _int(row["good"]) + _int(row["yes"])
                answers = positive + sum(_int(row[name]) for name in ("neither", "poor", "very_poor", "no"))
                question = str(row["question_id"])
                key = (kinds[str(row["about_body_code"])], str(row["pfa_code"]), question, code)
                cell = summed[key][str(row["survey_mode"]), ""]
                cell[0] += answers - positive if question in lower else positive
                cell[1] += answers
    return {key: {way: (x, n) for way, (x, n) in cells.items()} for key, cells in summed.items()}


@pytest.fixture(scope="module")
def survey(catalogue: Catalogue) -> Figures:
    """(good, answers) of every question as the survey contractor collected them, summed over the bodies."""
    reference = Reference.load()
    form = load_forms().for_date("feedback", date(2025, 6, 30))
    assert form is not None
    lower = {row["metric_id"] for row in seed_rows("metrics") if row["polarity"] == "lower"}
    kinds = {body.body_code: body.body_kind for body in reference.bodies}
    summed: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for code in QUARTERS:
        period = Period.parse(code)
        cycle = reference.cycle_on(period.last_day)
        drawn = draw_other("feedback", SEED, "survey", period, catalogue, form, cycle)
        assert drawn is not None
        for row in _dicts(drawn[0].sheets["feedback"]):
            positive = _int(row["very_good"]) + _int(row["good"]) + _int(row["yes"])
            answers = positive + sum(_int(row[name]) for name in ("neither", "poor", "very_poor", "no"))
            question = str(row["question_id"])
            cell = summed[kinds[str(row["about_body_code"])], str(row["pfa_code"]), question, code]
            cell[0] += answers - positive if question in lower else positive
            cell[1] += answers
    return {key: {("mixed", ""): (x, n)} for key, (x, n) in summed.items()}


def _dicts(sheet: object) -> list[dict[str, object]]:
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]  # type: ignore[attr-defined]


def _int(value: object) -> int:
    return int(str(value)) if value is not None else 0


def only(cells: dict[tuple[str, str], tuple[int, int]]) -> tuple[int, int]:
    assert len(cells) == 1
    return next(iter(cells.values()))


def upper_bound(x: int, n: int, z: float = 1.644854) -> float:
    return min(1.0, (2 * x + z * z + z * math.sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z)))


LIKE_AREAS: dict[str, list[str]] = defaultdict(list)
for peer in seed_rows("similar_areas"):
    LIKE_AREAS[peer["pfa_code"]].append(peer["peer_pfa_code"])


def like_area_scores(found: dict[str, tuple[int, int]]) -> dict[str, tuple[float, float]]:
    """(z, gap to peers) of S2 by area, for the (met, cases) of all areas that can be assessed together."""
    found = {area: pair for area, pair in found.items() if pair[1] >= 10}
    if len(found) < 5:
        return {}
    x, n = (np.array([pair[i] for pair in found.values()], dtype=float) for i in (0, 1))
    y, s = np.arcsin(np.sqrt(x / n)), 1 / (2 * np.sqrt(n))
    zeta = (y - np.average(y, weights=s**-2)) / s
    w = np.clip(zeta, *np.quantile(zeta, [0.1, 0.9]))
    count, phi = len(found), float(np.mean(w**2))
    s1, s2 = (s**-2).sum(), (s**-4).sum()
    tau2 = max(0.0, (count * phi - (count - 1)) / (s1 - s2 / s1))
    place = {code: index for index, code in enumerate(found)}
    scores = {}
    for area, own in place.items():
        near = [place[peer] for peer in LIKE_AREAS.get(area) or set(found) - {area} if peer in found]
        if len(near) < 4:
            continue
        v = 1 / (s[near] ** 2 + tau2)
        target = float((v * y[near]).sum() / v.sum())
        z = (y[own] - target) / math.sqrt(s[own] ** 2 + tau2 + 1 / v.sum())
        scores[area] = (float(z), math.sin(target) ** 2 - float(x[own] / n[own]))
    return scores


def like_area_score(figures: Figures, key: Key) -> tuple[float, float]:
    """(z, gap to peers) of S2 for one figure; NaN where it cannot be assessed."""
    kind, area, item, period = key
    way = next(iter(figures[key]))
    together = {
        other: cells[way]
        for (k, other, i, p), cells in figures.items()
        if (k, i, p) == (kind, item, period) and way in cells
    }
    return like_area_scores(together).get(area, (math.nan, math.nan))


THRESHOLD = {row["metric_id"]: float(row["threshold"]) for row in seed_rows("severe_thresholds")}


def is_s1(x: int, n: int, item: str) -> bool:
    return n >= 10 and upper_bound(x, n) < THRESHOLD[item]


def items_of(plant: Plant) -> list[tuple[str, str]]:
    return [(figure.item_id, QUARTERS[index]) for figure in plant.figures for index in figure.quarters]


@pytest.mark.parametrize(
    "plant", [p for p in PLANTS if {"S1", "S3"} & set(p.indicators)], ids=lambda plant: plant.plant_id
)
def test_severe_by_the_threshold(figures: Figures, plant: Plant) -> None:
    for item, period in items_of(plant):
        assert is_s1(*only(figures[plant.body_kind, plant.pfa_code, item, period]), item)
    quiet = [
        (item, period)
        for item in {item for item, _ in items_of(plant)}
        for period in QUARTERS
        if (item, period) not in items_of(plant)
    ]
    for item, period in quiet:
        cells = figures.get((plant.body_kind, plant.pfa_code, item, period))
        assert cells is None or not is_s1(*only(cells), item)


@pytest.mark.parametrize(
    "plant", [p for p in PLANTS if "S3" in p.indicators], ids=lambda plant: plant.plant_id
)
def test_the_survey_is_severe_where_the_bodys_own_answers_are(survey: Figures, plant: Plant) -> None:
    # The survey stands before the body's own answers, so that the planted result rests on it.
    planted = items_of(plant)
    for item in {item for item, _ in planted}:
        for period in QUARTERS:
            severe = is_s1(*only(survey[plant.body_kind, plant.pfa_code, item, period]), item)
            assert severe is ((item, period) in planted)


def test_the_survey_makes_nothing_else_severe_twice_and_leaves_small_numbers_small(survey: Figures) -> None:
    planted = {(p.body_kind, p.pfa_code, item, period) for p in PLANTS for item, period in items_of(p)}
    severe = {key for key, cells in survey.items() if key[2] in THRESHOLD and is_s1(*only(cells), key[2])}
    assert len(severe - planted) < 0.001 * len(survey)
    order = {code: place for place, code in enumerate(QUARTERS)}
    again = {(*key[:3], QUARTERS[order[key[3]] - 1]) for key in severe - planted if order[key[3]]}
    assert not again & severe
    few = next(p for p in PLANTS if p.kind == "too_few")
    for key, cells in survey.items():
        if key[:2] == (few.body_kind, few.pfa_code) and key[2].startswith("r11_") and key[2] in THRESHOLD:
            assert 1 <= only(cells)[1] <= 9
    unlucky = next(p for p in PLANTS if p.plant_id == "unlucky-answers")
    for item, period in items_of(unlucky):
        assert only(survey[unlucky.body_kind, unlucky.pfa_code, item, period]) == (4, 14)


@pytest.mark.parametrize(
    "plant", [p for p in PLANTS if "S2" in p.indicators], ids=lambda plant: plant.plant_id
)
def test_severe_against_like_areas_but_above_the_threshold(figures: Figures, plant: Plant) -> None:
    for item, period in items_of(plant):
        key = (plant.body_kind, plant.pfa_code, item, period)
        z, gap = like_area_score(figures, key)
        x, n = only(figures[key])
        assert z < -4 and gap > 0.1
        assert x / n > THRESHOLD[item] + 0.05


@pytest.mark.parametrize(
    "plant", [p for p in PLANTS if p.kind == "unlucky_small_sample"], ids=lambda plant: plant.plant_id
)
def test_unlucky_samples_are_low_but_not_severe(figures: Figures, plant: Plant) -> None:
    for item, period in items_of(plant):
        key = (plant.body_kind, plant.pfa_code, item, period)
        x, n = only(figures[key])
        assert 10 <= n <= 30 and x / n < THRESHOLD[item] < upper_bound(x, n)
        if item.split("_")[1].startswith("s"):
            z, _ = like_area_score(figures, key)
            assert math.isnan(z) or z > -1.96


def test_too_few_holds_for_everything_scored_of_that_right(
    figures: Figures,
) -> None:
    (plant,) = (p for p in PLANTS if p.kind == "too_few")
    scored = {
        row["metric_id"]
        for row in seed_rows("metrics")
        if row["right_number"] == str(plant.right_number)
        and row["polarity"] != "contextual"
        and row["information"] != "delivery"
    }
    answered = {row["metric_id"] for row in seed_rows("metric_bodies") if row["body_kind"] == plant.body_kind}
    for item in scored & answered & set(THRESHOLD):
        for period in QUARTERS:
            _, n = only(figures[plant.body_kind, plant.pfa_code, item, period])
            assert 1 <= n <= 9


def test_ordinary_figures_are_seldom_severe_and_never_twice_running(figures: Figures) -> None:
    planted = {(p.body_kind, p.pfa_code, item, period) for p in PLANTS for item, period in items_of(p)}
    severe: set[Key] = set()
    together: dict[tuple[str, str, str, tuple[str, str]], dict[str, tuple[int, int]]] = defaultdict(dict)
    for (kind, area, item, period), cells in figures.items():
        if item not in THRESHOLD:
            continue
        for way, (x, n) in cells.items():
            if is_s1(x, n, item):
                severe.add((kind, area, item, period))
            if item.split("_")[1].startswith("s") and area != "NAT":
                together[kind, item, period, way][area] = (x, n)
    for (kind, item, period, _), found in together.items():
        for area, (z, gap) in like_area_scores(found).items():
            if z <= -3.09 and gap >= 0.05:
                severe.add((kind, area, item, period))
    by_chance = severe - planted
    assert len(by_chance) < 0.001 * len(figures)
    twice = {
        key
        for key in by_chance
        for before, now in pairwise(QUARTERS)
        if key[3] == now and (*key[:3], before) in severe
    }
    assert not twice


# --- what is written down ------------------------------------------------------------------------------


def test_plants_do_not_share_a_body() -> None:
    held = [(plant.body_kind, plant.pfa_code) for plant in PLANTS]
    assert len(held) == len(set(held))


def test_stories_follow_the_order_of_results() -> None:
    follows = {"SEVERE_PERSISTENT": {"SEVERE", "SEVERE_PERSISTENT"}, "NON_SUBMISSION": {"NOT_ASSESSED"}}
    for plant in PLANTS:
        entry = next(e for e in _truth()["plants"] if e["plant_id"] == plant.plant_id)
        results = list(entry["expected_result"].items())
        for (_, before), (_, now) in pairwise(results):
            assert before in follows.get(now, {before})
        for code, state in entry["expected_state"].items():
            if state in UNASSESSED:
                assert entry["expected_result"][code] not in ("CLEAR", "RESET")


def _truth(quarters: int = 6) -> dict[str, Any]:
    periods = [Period.parse(code) for code in QUARTERS[:quarters]]
    catalogue = catalogue_for(Reference.load(), periods[0])
    return truth_of(
        seed=SEED,
        periods=periods,
        due={period.code: period.last_day for period in periods},
        catalogue=catalogue,
        senders=catalogue.senders,
        deliveries=[],
        revised_figures={},
    )


def test_a_shorter_sample_states_only_its_own_quarters() -> None:
    for entry in _truth(quarters=2)["plants"]:
        for name in ("expected_state", "expected_result", "is_recommended"):
            assert set(entry[name]) <= set(QUARTERS[:2])


def test_written_truth_counts_every_return(tmp_path: Path) -> None:
    generate(
        tmp_path / "inbox",
        Reference.load(),
        load_forms(),
        quarters=4,
        areas=["E23000019", "E23000024", "W15000003"],
        breakdowns=False,
        workers=1,
    )
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    with (tmp_path / "inbox" / "arrivals.csv").open(encoding="utf-8") as handle:
        arrived = list(csv.DictReader(handle))
    quarterly = sum(entry["files"] for entry in truth["returns"])
    others = sum(len(entry["senders"]) for entry in truth["other_returns"])
    assert truth["totals"]["files"] == len(arrived) == quarterly + others
    assert truth["totals"]["other_files"] == others
    insight = [entry for entry in truth["other_returns"] if entry["kind"] == "insight"]
    assert [entry["period_code"] for entry in insight] == list(QUARTERS[:4])
    assert insight[0]["senders"] == ["E23000019-lpb", "E23000024-lpb", "W15000003-lpb"]
    third, fourth = truth["returns"][2:]
    assert third["rejected"] == third["without_current"] == ["W15000003-prisons"]
    assert fourth["missing"] == ["E23000024-police"] and fourth["revised"] == ["E23000019-police"]
    assert fourth["files"] == fourth["expected"]  # one missing, one sent twice
    stated = {entry["plant_id"]: entry for entry in truth["plants"]}
    assert stated["missing-once"]["expected_state"] == {"2025-26-Q4": "NOT_SUBMITTED"}
    assert "s2-middle" not in stated  # like areas are not in this sample
    before, after = (stated["revised"]["detail"]["figures"][name] for name in ("before", "after"))
    assert (before["met"], before["not_met"]) == (after["not_met"], after["met"])
    assert is_s1(before["met"], before["met"] + before["not_met"], "r08_s01_hearing_informed")
    revised = next(
        entry
        for entry in truth["submissions"]
        if FATES[entry["sender_code"], entry["period_code"]] == REVISED
    )
    assert (revised["receipt_count"], revised["is_revised"], revised["submission_status"]) == (
        2,
        True,
        "on_time",
    )

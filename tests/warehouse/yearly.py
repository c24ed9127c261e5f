"""An invented year of returns, as the models of the yearly open data read it.

What belongs here: the relations that several tests fill in the same way, and random returns. What does not: expected
values.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from tests.warehouse.rendering import build, database, table, typed_seed
from tests.warehouse.shares import ANSWER_COLUMNS, METRIC_COLUMNS, answers, metric_figure

PERIODS = ("2025-26-Q1", "2025-26-Q2", "2025-26-Q3", "2025-26-Q4")
YEAR = "2025-26-FY"
DAYS = (
    (date(2025, 4, 1), date(2025, 6, 30), date(2025, 9, 9)),
    (date(2025, 7, 1), date(2025, 9, 30), date(2025, 12, 9)),
    (date(2025, 10, 1), date(2025, 12, 31), date(2026, 3, 12)),
    (date(2026, 1, 1), date(2026, 3, 31), date(2026, 6, 15)),
    (date(2026, 4, 1), date(2026, 6, 30), date(2026, 9, 9)),
    (date(2026, 7, 1), date(2026, 9, 30), date(2026, 12, 9)),
)
QUARTERS = (*PERIODS, "2026-27-Q1", "2026-27-Q2")
FIRST_INDEX = 8100
# two areas of the North West, one of the North East, and the national force
AREAS = {"E23000002": "E12000002", "E23000003": "E12000002", "E23000007": "E12000001", "NAT": "K04000001"}
KINDS = {"police": ("E23000002", "E23000003", "E23000007"), "btp": ("NAT",)}
SEXES = ("F", "M", "NS")
GROUPS = ("VAP", "SEX", "ROB", "THE", "CDA", "PUB", "UNK")
OPTIONAL = ("DRU", "WEA", "MIS")
CELL = {
    "cell_id": "varchar", "body_kind": "varchar", "area_code": "varchar", "metric_id": "varchar",
    "period_code": "varchar", "collection_mode": "varchar", "sampling_frame": "varchar", "pfa_code": "varchar",
    "right_number": "integer", "unit": "varchar", "figure_status": "varchar", "base_count": "bigint",
    "met_count": "bigint", "disclosure_rule_version": "integer",
}  # fmt: skip


@dataclass
class World:
    """What was sent for a year: (kind, area, item, quarter) -> what the return says of it."""

    coverage: dict[tuple[str, str, str], tuple[str, bool, int]] = field(default_factory=dict)
    figures: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)


def random_world(seed: int, quarters: Sequence[str] = PERIODS) -> World:
    """A year in which most is sent, and some is late, counted otherwise, or not broken down."""
    rng = random.Random(seed)
    world = World()
    for kind, areas in KINDS.items():
        for area in areas:
            is_applicable = rng.random() > 0.1
            for index, period in enumerate(quarters):
                is_in = rng.random() > 0.08
                world.coverage[kind, area, period] = (
                    "expected" if is_applicable else "not_applicable",
                    is_in and is_applicable,
                    1 if is_in else rng.choice((0, 1)),
                )
                if not is_applicable:
                    continue
                where = {"body_kind": kind, "pfa_code": area, "is_complete": is_in}
                if rng.random() > 0.1:
                    world.figures += _figures(rng, period, index, where)
                if rng.random() > 0.1:
                    world.answers += _answers(rng, period, index, where)
    return world


def _split(rng: random.Random, total: int, parts: int, rest: int = 0) -> list[int]:
    """The total in so many parts, but for a rest that stands in none."""
    counts = [0] * parts
    for _ in range(total - min(rest, total)):
        counts[rng.randrange(parts)] += 1
    return counts


def _figures(
    rng: random.Random, period: str, index: int, where: Mapping[str, Any]
) -> Iterable[dict[str, Any]]:
    how = {"collection_mode": "random_sample" if rng.random() < 0.06 else "census", **where}
    for item in ("m", "k"):
        n = rng.choice((0, 3, 20, 60))
        x = rng.randint(0, n)
        yield metric_figure(period, FIRST_INDEX + index, x, n, metric_id=item, **how)
        values = {"sex": SEXES, "crime_type": GROUPS if rng.random() < 0.4 else GROUPS + OPTIONAL}
        for breakdown, names in values.items():
            if rng.random() < 0.03:
                continue
            short = rng.choice((0, 0, 0, 2))
            met, unmet = (_split(rng, part, len(names), short) for part in (x, n - x))
            for name, a, b in zip(names, met, unmet, strict=True):
                if a + b == 0 and rng.random() < 0.5:
                    continue
                said = (
                    {"crime_type": name}
                    if breakdown == "crime_type"
                    else {"characteristic": breakdown, "characteristic_value": name}
                )
                yield metric_figure(
                    period, FIRST_INDEX + index, a, a + b, metric_id=item, is_total=False, **how, **said
                )


def _answers(
    rng: random.Random, period: str, index: int, where: Mapping[str, Any]
) -> Iterable[dict[str, Any]]:
    how = {
        "survey_mode": "postal" if rng.random() < 0.06 else "online",
        "collected_by": "survey" if rng.random() < 0.06 else "own",
        **where,
    }
    n = rng.choice((0, 4, 30))
    x = rng.randint(0, n)
    yield answers(period, FIRST_INDEX + index, x, n, **how)
    # what does not stand, and must not be counted
    yield answers(
        period, FIRST_INDEX + index, n, n + 7, **(how | {"survey_mode": "mixed", "is_standing": False})
    )
    if rng.random() < 0.9:
        for name, a, b in zip(
            GROUPS, _split(rng, x, len(GROUPS)), _split(rng, n - x, len(GROUPS)), strict=True
        ):
            yield answers(period, FIRST_INDEX + index, a, a + b, is_total=False, crime_type=name, **how)


def warehouse(world: World, quarters: Sequence[str] = PERIODS) -> duckdb.DuckDBPyConnection:
    """A database with the seeds and what was sent, before any public model."""
    con = database()
    for name in ("areas", "body_kinds", "crime_types", "characteristics", "disclosure_rules"):
        typed_seed(con, name)
    table(
        con,
        "metric_links",
        {"metric_id": "varchar", "equals_metric_id": "varchar", "valid_from": "date", "valid_to": "date"},
        [("k", "m", None, None)],
    )
    table(
        con,
        "int_quarters",
        {
            "period_code": "varchar", "period_label": "varchar", "quarter_index": "integer", "first_day": "date",
            "last_day": "date", "review_due_on": "date",
        },
        [(code, code, FIRST_INDEX + n, *DAYS[n]) for n, code in enumerate(QUARTERS) if code in quarters],
    )  # fmt: skip
    table(
        con,
        "int_expected_items",
        {
            "period_code": "varchar", "body_kind": "varchar", "right_number": "integer", "metric_id": "varchar",
            "information": "varchar", "definition": "varchar", "unit": "varchar", "polarity": "varchar",
        },
        [
            (period, kind, 4, item, information, "An item", "proportion", "higher")
            for period in quarters
            for kind in KINDS
            for item, information in (("m", "statistic"), ("k", "statistic"), ("q", "feedback"))
        ],
    )  # fmt: skip
    table(
        con,
        "int_reporting_coverage",
        {
            "period_code": "varchar", "body_kind": "varchar", "pfa_code": "varchar", "applicability": "varchar",
            "is_submitted": "boolean", "senders_received": "integer",
        },
        [(period, kind, area, *said) for (kind, area, period), said in world.coverage.items()],
    )  # fmt: skip
    table(con, "int_metric_figures", METRIC_COLUMNS, [tuple(row.values()) for row in world.figures])
    table(con, "int_feedback_answers", ANSWER_COLUMNS, [tuple(row.values()) for row in world.answers])
    build(con, "int_disclosure_rules", "int_public_years", "int_suppressions", "int_earlier_cells")
    return con


def totals_as_cells(con: duckdb.DuckDBPyConnection, world: World) -> None:
    """The cells of local compliance that go with the figures."""
    cells = []
    for row in world.figures:
        if row["is_total"] and row["is_complete"]:
            area = row["body_kind"].upper() if row["pfa_code"] == "NAT" else row["pfa_code"]
            key = (
                row["body_kind"], area, row["metric_id"], row["period_code"], row["collection_mode"],
                row["sampling_frame"],
            )  # fmt: skip
            cells.append(
                (
                    "|".join(("statistic", *key)),
                    *key,
                    row["pfa_code"],
                    4,
                    "proportion",
                    "reported",
                    row["case_count"],
                    row["met_count"],
                    0,
                )
            )
    table(con, "int_public_compliance_cells", CELL, cells)

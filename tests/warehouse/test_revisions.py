"""What was known when, and what changed, against a replay of the same receipts in plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import pytest

from tests.warehouse.rendering import build, database, table

PERIOD, METRIC, OTHER = "2026-27-Q1", "r06_s01_told_5wd", "r06_s02_told_1wd"
DUE, LAST_DAY = date(2026, 8, 11), date(2026, 6, 30)
#: sender -> (body, area): one body reports through two senders, an area of three bodies, a body of one sender
SENDERS = {
    "north": [("cps-met", "E23000001")],
    "south": [("cps-met", "E23000001")],
    "essex": [("police-essex", "E23000028")],
    "yjs-a": [("yjs-a", "E23000028")],
    "yjs-b": [("yjs-b", "E23000028")],
}
KIND = {"cps-met": "cps", "police-essex": "police", "yjs-a": "yjs", "yjs-b": "yjs"}
ACCEPTED = ("accepted", "accepted_with_warnings")

Key = tuple[str, str, str]
Counts = tuple[int, int, int]


@dataclass(frozen=True)
class Return:
    """One receipt, and the figures it brought: (body, area, metric) -> met, not met, declined."""

    number: int
    sender: str
    arrived_at: datetime
    outcome: str
    figures: dict[Key, Counts]
    erased_at: datetime | None = None

    @property
    def receipt_id(self) -> str:
        return f"R{self.number:06d}"

    @property
    def is_accepted(self) -> bool:
        return self.outcome in ACCEPTED


def at(day: int, hour: int = 10) -> datetime:
    """An instant so many days after the quarter."""
    return datetime(2026, 6, 30, hour, tzinfo=UTC) + timedelta(days=day)


def figures(sender: str, met: int, *metrics: str, declined: int = 0) -> dict[Key, Counts]:
    asked = metrics or (METRIC, OTHER)
    return {(body, area, metric): (met, 5, declined) for body, area in SENDERS[sender] for metric in asked}


def story() -> list[Return]:
    """Told so that every sort of change occurs."""
    return [
        Return(1, "essex", at(10), "accepted", figures("essex", 10)),
        Return(2, "essex", at(12), "rejected", figures("essex", 99)),
        Return(3, "north", at(13), "accepted", figures("north", 20)),
        Return(4, "essex", at(20), "accepted_with_warnings", {**figures("essex", 11, METRIC),
                                                              **figures("essex", 10, OTHER)}),
        Return(5, "south", at(60), "accepted", figures("south", 7)),
        Return(6, "essex", at(30), "accepted", figures("essex", 12, METRIC)),
        Return(7, "north", at(31), "accepted", figures("north", 21, declined=3)),
        Return(8, "yjs-a", at(32), "accepted", figures("yjs-a", 4), erased_at=at(70)),
        Return(9, "yjs-b", at(33), "accepted", figures("yjs-b", 5)),
        Return(10, "yjs-b", at(34), "accepted", figures("yjs-b", 6), erased_at=at(71)),
        # arrived before the one that was judged before it
        Return(11, "essex", at(29), "accepted", figures("essex", 13)),
    ]  # fmt: skip


def warehouse(returns: Iterable[Return], content_of_erased: bool = False) -> duckdb.DuckDBPyConnection:
    """The receipts and what the models read beside them; the rows of erased returns are gone."""
    con = database()
    returns = list(returns)
    table(
        con, "stg_receipts",
        {"receipt_id": "varchar", "receipt_sequence": "bigint", "sender_code": "varchar", "form_kind": "varchar",
         "period_code": "varchar", "form_version": "integer", "arrived_at": "timestamptz", "arrived_on": "date",
         "outcome": "varchar", "is_accepted": "boolean", "is_erased": "boolean", "erased_at": "timestamptz",
         "sha256": "varchar", "file_name": "varchar", "file_bytes": "bigint", "problem_count": "bigint"},
        [(r.receipt_id, r.number, r.sender, "quarterly", PERIOD, 1, r.arrived_at, r.arrived_at.date(), r.outcome,
          r.is_accepted and r.erased_at is None, r.erased_at is not None, r.erased_at, "0" * 64, "return.xlsx", 1, 0)
         for r in returns],
    )  # fmt: skip
    counts = ("met", "not_met", "not_suitable", "declined", "unknown", "reported", "within_limit", "short_delay",
              "long_delay")  # fmt: skip
    table(
        con, "stg_quarterly_metrics",
        {"receipt_id": "varchar", "sheet_row": "integer", "body_code": "varchar", "pfa_code": "varchar",
         "metric_id": "varchar", "crime_type": "varchar", "characteristic": "varchar",
         "characteristic_value": "varchar", "is_total": "boolean", "collection_mode": "varchar",
         "sampling_frame": "varchar", "cases_from_on": "date", "cases_to_on": "date",
         **{f"{name}_count": "integer" for name in counts}, "not_collected_reason": "varchar", "note": "varchar"},
        [(r.receipt_id, row, body, area, metric, "ALL", "ALL", "ALL", True, "census", "all_cases", None, None,
          met, not_met, None, declined, None, None, None, None, None, None, f"note of {r.receipt_id}")
         for r in returns if r.is_accepted and (content_of_erased or r.erased_at is None)
         for row, ((body, area, metric), (met, not_met, declined)) in enumerate(r.figures.items(), 2)],
    )  # fmt: skip
    answers = {name: "integer" for name in (
        "invited_count", "very_good_count", "good_count", "neither_count", "poor_count", "very_poor_count",
        "yes_count", "no_count", "not_applicable_count", "dont_know_count")}  # fmt: skip
    for name in ("stg_quarterly_feedback", "stg_feedback_answers"):
        table(
            con, name,
            {"receipt_id": "varchar", "sheet_row": "integer", "body_code": "varchar", "pfa_code": "varchar",
             "question_id": "varchar", "crime_type": "varchar", "characteristic": "varchar",
             "characteristic_value": "varchar", "is_total": "boolean", "survey_mode": "varchar",
             "response_set": "varchar", **answers, "note": "varchar"}, [],
        )  # fmt: skip
    table(
        con, "stg_quarterly_delivery",
        {"receipt_id": "varchar", "sheet_row": "integer", "body_code": "varchar", "pfa_code": "varchar",
         "item_id": "varchar", "grade": "integer", "improvement_plan": "varchar", "next_step_due_on": "date"}, [],
    )  # fmt: skip
    table(con, "int_quarters",
          {"period_code": "varchar", "quarter_index": "integer", "last_day": "date", "returns_due_on": "date"},
          [(PERIOD, 8104, LAST_DAY, DUE)])  # fmt: skip
    answerable = [(sender, body, area) for sender, own in SENDERS.items() for body, area in own]
    table(con, "sender_bodies",
          {"sender_code": "varchar", "form_kind": "varchar", "body_code": "varchar", "pfa_code": "varchar",
           "is_expected": "boolean", "valid_from": "date", "valid_to": "date"},
          [(sender, "quarterly", body, area, True, None, None) for sender, body, area in answerable])  # fmt: skip
    table(con, "bodies", {"body_code": "varchar", "body_kind": "varchar", "valid_from": "date", "valid_to": "date"},
          [(body, kind, None, None) for body, kind in KIND.items()])  # fmt: skip
    table(con, "body_areas",
          {"body_code": "varchar", "pfa_code": "varchar", "case_share": "double", "valid_from": "date",
           "valid_to": "date"},
          [(body, area, {"yjs-a": 0.7, "yjs-b": 0.3}.get(body, 1.0), None, None)
           for body, area in sorted({(b, a) for _, b, a in answerable})])  # fmt: skip
    table(con, "senders", {"sender_code": "varchar", "sender_name": "varchar"}, [(s, s) for s in SENDERS])
    table(con, "metrics",
          {"metric_id": "varchar", "right_number": "integer", "metric_version": "integer", "unit": "varchar",
           "polarity": "varchar", "valid_from": "date", "valid_to": "date"},
          [(metric, 6, 1, "proportion", "higher", None, None) for metric in (METRIC, OTHER)])  # fmt: skip
    table(con, "int_reporting_coverage",
          {"period_code": "varchar", "body_kind": "varchar", "pfa_code": "varchar", "expected_share": "double",
           "share_needed": "double"},
          [(PERIOD, kind, area, 1.0, 0.8) for kind in set(KIND.values()) for area in ("E23000001", "E23000028")],
          )  # fmt: skip
    build(con, "int_current_receipts", "int_expected_returns", "int_receipt_spans", "int_reported_rows",
          "int_metric_figures", "revisions_receipts", "revisions_reported_figures", "revisions")  # fmt: skip
    return con


def standing(returns: Iterable[Return], moment: datetime) -> dict[str, Return]:
    """Sender -> the return that stands at a moment: of what had arrived and was not erased, the one given last."""
    found: dict[str, Return] = {}
    for each in sorted(returns, key=lambda r: r.number):
        is_there = each.arrived_at <= moment and (each.erased_at is None or moment < each.erased_at)
        if each.is_accepted and is_there:
            found[each.sender] = each
    return found


def area_figures(found: Iterable[Return]) -> dict[Key, Counts]:
    """(body kind, area, metric) -> the sums over all senders; of an erased return nothing is left."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in found:
        for (body, area, metric), counts in each.figures.items() if each.erased_at is None else ():
            for place, count in enumerate(counts):
                sums[KIND[body], area, metric][place] += count
    return {key: (c[0], c[1], c[2]) for key, c in sums.items()}


def random_story(seed: int) -> list[Return]:
    """Any order of arrivals, resubmissions, rejections and erasures."""
    chosen = random.Random(seed)
    returns = []
    for number in range(1, 26):
        sender = chosen.choice(sorted(SENDERS))
        day = number * 3 + chosen.randint(-8, 8)
        brought = {key: (chosen.randint(0, 3), 5, 0) for key in figures(sender, 0) if chosen.random() < 0.8}
        erased_at = at(day + chosen.randint(1, 60), 11) if chosen.random() < 0.2 else None
        outcome = chosen.choice(["accepted", "accepted", "accepted_with_warnings", "rejected"])
        returns.append(Return(number, sender, at(day, chosen.randint(0, 23)), outcome, brought, erased_at))
    return returns


STORIES = [story(), *(random_story(seed) for seed in range(12))]


@pytest.mark.parametrize("returns", STORIES)
def test_what_was_known_is_what_stood_at_that_moment(returns: list[Return]) -> None:
    con = warehouse(returns)
    for moment in moments_of(returns):
        found = con.execute(
            "select body_kind, pfa_code, item_id, sum(met_count), sum(not_met_count), sum(declined_count)"
            " from marts.revisions_reported_figures"
            " where known_from <= $moment and (known_to is null or known_to > $moment) group by all",
            {"moment": moment},
        ).fetchall()
        assert {row[:3]: row[3:] for row in found} == area_figures(standing(returns, moment).values()), moment


def test_as_of_a_date_is_what_the_warehouse_would_have_shown_with_only_the_receipts_known_then() -> None:
    returns = [each for each in story() if each.erased_at is None]
    con = warehouse(returns)
    dates = [at(day) for day in (9, 10, 12, 20, 29, 30, 31, 33, 59, 60, 100)]
    seen = set()
    for moment in dates:
        then = warehouse([each for each in returns if each.arrived_at <= moment])
        shown = then.execute(
            "select body_kind, pfa_code, metric_id, met_count, not_met_count, declined_count, case_count"
            " from intermediate.int_metric_figures order by all"
        ).fetchall()
        known = con.execute(
            "select body_kind, pfa_code, item_id, sum(met_count)::bigint, sum(not_met_count)::bigint,"
            " sum(declined_count)::bigint, sum(case_count)::bigint from marts.revisions_reported_figures"
            " where known_from <= $moment and (known_to is null or known_to > $moment)"
            " group by all order by all",
            {"moment": moment},
        ).fetchall()
        assert known == shown, moment
        seen.add(tuple(shown))
    assert len(seen) > 5


@pytest.mark.parametrize("returns", STORIES)
def test_every_change_is_listed_with_its_receipts_and_its_reason(returns: list[Return]) -> None:
    con = warehouse(returns)
    found = con.execute(
        "select receipt_id, changed_at, body_code, pfa_code, item_id, change_reason, previous_receipt_id,"
        " met_count_before, case_count_before, met_count_after, case_count_after from marts.revisions"
    ).fetchall()
    assert sorted(found, key=str) == sorted(changes_of(returns), key=str)


def changes_of(returns: list[Return]) -> list[tuple[Any, ...]]:
    """Walk from moment to moment, and compare what each sender's standing return says."""
    listed = []
    moments = moments_of(returns)
    for before_at, moment in zip([datetime(2000, 1, 1, tzinfo=UTC), *moments], moments, strict=False):
        before, after = standing(returns, before_at), standing(returns, moment)
        for sender, now in after.items():
            then = before.get(sender)
            if then == now or (then is None and now.arrived_at.date() <= DUE):
                continue
            is_erased = now.erased_at is not None or (then is not None and then.erased_at is not None)
            old = then.figures if then is not None and then.erased_at is None else {}
            new = now.figures if now.erased_at is None else {}
            for key in sorted(set(old) | set(new)):
                if old.get(key) == new.get(key):
                    continue
                reason = (
                    "erased" if is_erased else "new" if key not in old
                    else "withdrawn" if key not in new else "revised"
                )  # fmt: skip
                listed.append(
                    (now.receipt_id, moment, *key, reason, then.receipt_id if then else None,
                     *summary(old.get(key)), *summary(new.get(key)))
                )  # fmt: skip
    return listed


def summary(counts: Counts | None) -> tuple[int | None, int | None]:
    return (counts[0], counts[0] + counts[1]) if counts else (None, None)


def moments_of(returns: list[Return]) -> list[datetime]:
    return sorted({m for each in returns for m in (each.arrived_at, each.erased_at) if m is not None})


@pytest.mark.parametrize("returns", STORIES)
def test_the_areas_figure_is_shown_before_and_after(returns: list[Return]) -> None:
    con = warehouse(returns)
    found = con.execute(
        "select receipt_id, changed_at, body_kind, pfa_code, item_id, previous_receipt_id,"
        " area_met_count_before, area_case_count_before, area_met_count_after, area_case_count_after"
        " from marts.revisions"
    ).fetchall()
    returns_by_id = {each.receipt_id: each for each in returns}
    for receipt, changed_at, kind, area, metric, previous, *counts in found:
        before = area_figures(standing(returns, changed_at - timedelta(seconds=1)).values())
        after = area_figures(standing(returns, changed_at).values())
        is_before_erased = previous is not None and returns_by_id[previous].erased_at is not None
        is_after_erased = returns_by_id[receipt].erased_at is not None
        expected = [
            *(summary(None) if is_before_erased else summary(before.get((kind, area, metric)))),
            *(summary(None) if is_after_erased else summary(after.get((kind, area, metric)))),
        ]
        assert counts == expected, (receipt, metric)


def test_the_story_in_words() -> None:
    con = warehouse(story())
    found = con.execute(
        "select sender_code, item_id, change_reason, figures_before, figures_after, note, source_count"
        " from marts.revisions where item_id = ? order by changed_at, sender_code", [METRIC],
    ).fetchall()  # fmt: skip
    assert found == [
        ("essex", METRIC, "revised", "met 10; not met 5; declined 0", "met 11; not met 5; declined 0",
         "note of R000004", 1),
        ("essex", METRIC, "revised", "met 11; not met 5; declined 0", "met 13; not met 5; declined 0",
         "note of R000011", 1),
        ("north", METRIC, "revised", "met 20; not met 5; declined 0", "met 21; not met 5; declined 3",
         "note of R000007", 1),
        # its successor's content was erased: it cannot be said what changed, then or when it stood again
        ("yjs-b", METRIC, "erased", "met 5; not met 5; declined 0", None, None, 1),
        ("south", METRIC, "new", None, "met 7; not met 5; declined 0", "note of R000005", 2),
        ("yjs-b", METRIC, "erased", None, "met 5; not met 5; declined 0", "note of R000009", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("returns", STORIES)
def test_spans_never_overlap_and_the_open_ones_are_the_current_receipts(returns: list[Return]) -> None:
    con = warehouse(returns)
    spans = con.execute(
        "select sender_code, known_from, known_to, receipt_id from intermediate.int_receipt_spans order by all"
    ).fetchall()
    for (sender, _, known_to, _), (next_sender, known_from, _, _) in pairwise(spans):
        assert sender != next_sender or (known_to is not None and known_to <= known_from)
    assert {receipt for *_, known_to, receipt in spans if known_to is None} == {
        row[0] for row in con.execute("select receipt_id from intermediate.int_current_receipts").fetchall()
    }
    assert con.execute("select count(*) from marts.revisions_receipts").fetchone() == (len(spans),)

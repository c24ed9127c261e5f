"""Thousands of malformed variants of real returns through the whole of receive: none half-loaded, each receipted.

`pytest tests/malformed` prints what became of them, by the way they were spoilt.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hostile_files import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import ODD_CELLS, SEED, WRITERS, Base, Variant, bases, earlier_decisions, variants
from return_files import write_zip

from ingest.acceptance import Context, judge
from ingest.clock import FixedClock, parse_instant
from ingest.form import Forms, load_forms
from ingest.limits import Limits
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw
from ingest.receipts import Ledger, Receipt
from ingest.receive import receive
from ingest.reference import Reference
from ingest.synthetic.files import record_arrivals

COUNTS = {"bytes": 1000, "container": 700, "xml": 1100, "csv": 600, "cells": 2300}
BATCHES = 4
NOW = FixedClock(datetime(2026, 12, 20, 9, 0, tzinfo=UTC))
# Generous for these small files: reaching them is told as a hang.
LIMITS = Limits(seconds=20)
# Of the hostile files those that take no seconds by their size; all are judged one by one elsewhere.
_SLOW = ("million", "all_columns", "bomb", "long")
QUICK_HOSTILE = [name for name in HOSTILE if not any(word in name for word in _SLOW)]


@dataclass
class Arrived:
    """One delivered file and what it is."""

    level: str
    what: str
    sender_code: str
    arrived_at: str


@dataclass
class Outcome:
    """Everything the tests below ask about: what was sent, and the data root after it was received."""

    root: DataRoot
    sent: dict[tuple[str, str], Arrived]
    receipts: list[Receipt]
    seconds: float
    seconds_to_make: float


def _all(all_bases: list[Base], folder: Path) -> Iterator[tuple[str, str, str, str, str, bytes]]:
    """Yield level, what, sender, extension, arrival and bytes: unspoilt ones, hostile ones, variants."""
    for base in all_bases:
        for extension, write in WRITERS.items():
            yield "unspoilt", base.name, base.sender_code, extension, base.arrived_at, write(base.sheets)
    for name in QUICK_HOSTILE:
        path = HOSTILE[name].write(folder / name)
        arrived = all_bases[0].arrived_at
        yield "hostile", name, all_bases[0].sender_code, path.suffix[1:], arrived, path.read_bytes()
    for v in variants(all_bases, COUNTS):
        yield v.level, v.what, v.sender_code, v.extension, v.arrived_at, v.content


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.load()


@pytest.fixture(scope="module")
def forms() -> Forms:
    return load_forms()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, reference: Reference, forms: Forms) -> Outcome:
    """All variants, received in batches by two worker processes."""
    folder = tmp_path_factory.mktemp("malformed")
    root = DataRoot(folder / "data").create()
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # zipfile warns of the doubled names that are wanted here
        made = list(_all(bases(reference, forms), folder / "hostile"))
    seconds_to_make = time.perf_counter() - start
    sent: dict[tuple[str, str], Arrived] = {}
    seconds = 0.0
    before = []
    for base in earlier_decisions(reference, forms):
        name = f"{base.name}.zip".replace(" ", "-")
        path = root.inbox / base.sender_code / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(WRITERS["zip"](base.sheets))
        sent[base.sender_code, name] = Arrived("unspoilt", base.name, base.sender_code, base.arrived_at)
        before.append((base.sender_code, name, base.arrived_at))
    for batch in range(BATCHES):
        arrivals = before if batch == 0 else []
        for number, (level, what, sender, extension, arrived_at, content) in enumerate(made):
            if number % BATCHES == batch:
                name = f"{number:05}.{extension}"
                path = root.inbox / sender / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
                sent[sender, name] = Arrived(level, what, sender, arrived_at)
                arrivals.append((sender, name, arrived_at))
        record_arrivals(root.inbox, arrivals)
        start = time.perf_counter()
        receive(root, reference, forms, NOW, workers=2, limits=LIMITS, settle_seconds=0)
        seconds += time.perf_counter() - start
    return Outcome(root, sent, Ledger(root.receipts).read(), seconds, seconds_to_make)


def _told(outcome: Outcome, receipt: Receipt) -> str:
    arrived = outcome.sent[receipt.sender_code, receipt.file_name]
    return f"{arrived.level}: {arrived.what} ({receipt.file_name}, {receipt.sender_code})"


def test_what_became_of_them(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    codes: Counter[str] = Counter()
    for receipt in outcome.receipts:
        level = outcome.sent[receipt.sender_code, receipt.file_name].level
        table[level][receipt.outcome.replace("_with_warnings", " with warnings")] += 1
        codes.update(set(receipt.problem_counts))
    columns = ("accepted", "accepted with warnings", "rejected", "quarantined", "duplicate")
    with capsys.disabled():
        print(
            f"\n{len(outcome.sent):,} files, seed {SEED}: made in {outcome.seconds_to_make:.0f} s, received in "
            f"{outcome.seconds:.0f} s ({1000 * outcome.seconds / len(outcome.sent):.1f} ms each)"
        )
        print(f"{'':<12}" + "".join(f"{name:>24}" for name in columns))
        for level, counts in table.items():
            print(f"{level:<12}" + "".join(f"{counts[name]:>24,}" for name in columns))
        print(f"{len(codes)} rules fired")
    assert len(outcome.sent) - sum(table["unspoilt"].values()) >= 5000


def test_every_file_gets_exactly_one_receipt(outcome: Outcome) -> None:
    assert sorted((r.sender_code, r.file_name) for r in outcome.receipts) == sorted(outcome.sent)
    assert Ledger(outcome.root.receipts).verify().is_sound


def test_unspoilt_returns_are_accepted_and_hostile_ones_are_not(outcome: Outcome) -> None:
    for receipt in outcome.receipts:
        arrived = outcome.sent[receipt.sender_code, receipt.file_name]
        if arrived.level == "unspoilt":
            assert receipt.is_accepted, (arrived.what, receipt.problems)
        if arrived.level == "hostile":
            assert not receipt.is_accepted, arrived.what


def test_judging_never_crashes_or_hangs(outcome: Outcome) -> None:
    """A reader that ends without an answer, or too late, is a fault to be looked into, whatever the file."""
    ended = [
        (_told(outcome, receipt), receipt.problem_counts, [p.found for p in receipt.problems])
        for receipt in outcome.receipts
        if {"FILE-015", "FILE-016", "FILE-017"} & set(receipt.problem_counts)
    ]
    assert ended == []


def test_rows_in_are_rows_accepted_or_the_file_is_rejected(outcome: Outcome) -> None:
    loaded = {path.parent.name for path in outcome.root.raw_returns.rglob("*.parquet")}
    accepted = {receipt.sha256 for receipt in outcome.receipts if receipt.is_accepted}
    assert loaded == accepted
    for receipt in outcome.receipts:
        if not receipt.is_accepted:
            assert not any(receipt.rows_accepted.values()), _told(outcome, receipt)
            continue
        assert receipt.rows_read == receipt.rows_accepted, _told(outcome, receipt)
        pieces = outcome.root.raw_return(receipt.sha256)
        stored = {path.stem: pq.read_metadata(path).num_rows for path in pieces.glob("*.parquet")}
        assert {name: stored[name] for name in receipt.rows_read} == receipt.rows_read, _told(
            outcome, receipt
        )


def test_damaged_bytes_and_containers_change_no_figure(outcome: Outcome) -> None:
    """What is still accepted after such damage (to a comment, say) holds every cell as it was sent."""

    def cells(receipt: Receipt) -> dict[str, Any]:
        pieces = outcome.root.raw_return(receipt.sha256).glob("*.parquet")
        return {path.stem: pq.read_table(path).to_pydict() for path in pieces}

    unspoilt: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    damaged = []
    for receipt in outcome.receipts:
        arrived = outcome.sent[receipt.sender_code, receipt.file_name]
        key = arrived.sender_code, arrived.arrived_at
        if arrived.level == "unspoilt":
            unspoilt[key].append(cells(receipt))
        elif arrived.level in ("bytes", "container") and receipt.is_accepted:
            damaged.append((key, receipt))
    assert damaged
    for key, receipt in damaged:
        assert cells(receipt) in unspoilt[key], _told(outcome, receipt)


def test_nothing_is_left_lying_about(outcome: Outcome) -> None:
    left = [p for p in (*outcome.root.holding.rglob("*"), *outcome.root.inbox.rglob("*")) if p.is_file()]
    assert [path.name for path in left if path.name != "arrivals.csv"] == []
    assert not list(outcome.root.raw_returns.rglob(".*"))


def test_what_is_not_accepted_is_not_current(outcome: Outcome, reference: Reference, forms: Forms) -> None:
    """The compacted raw tables hold the rows of the accepted returns, and of no others."""
    periods = [Period.parse(code) for code in ("2026-27-Q1", "2026-27-Q2")]
    build_raw(outcome.root, reference, forms, periods, through=periods[-1], limits=LIMITS)
    expected: Counter[tuple[str, str]] = Counter()
    for receipt in outcome.receipts:
        if receipt.is_accepted and receipt.kind == "quarterly":
            assert receipt.period_code in ("2026-27-Q1", "2026-27-Q2")
            for sheet in ("metrics", "feedback", "delivery"):
                expected[receipt.receipt_id, sheet] = receipt.rows_accepted[sheet]
    found: Counter[tuple[str, str]] = Counter()
    for sheet in ("metrics", "feedback", "delivery"):
        for path in outcome.root.raw_sheet("quarterly", sheet).glob("2*.parquet"):
            for receipt_id in pq.read_table(path, columns=["receipt_id"])["receipt_id"].to_pylist():
                found[receipt_id, sheet] += 1
    assert found == +expected


# --- any cell, any bytes -------------------------------------------------------------------------------

_CELLS = st.one_of(
    st.sampled_from([cell for cell in ODD_CELLS if cell is not None]).map(str),
    st.text(max_size=12),
    st.integers(-(10**15), 10**15).map(str),
    st.floats().map(str),
    st.dates().map(str),
)


@settings(
    max_examples=250,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_judging_answers_whatever_stands_in_the_cells(
    tmp_path: Path, reference: Reference, forms: Forms, small: list[Base], data: st.DataObject
) -> None:
    base = data.draw(st.sampled_from(small))
    tables: dict[str, list[list[Any]]] = {
        name: [list(sheet.columns), *[["" if cell is None else cell for cell in row] for row in sheet.rows]]
        for name, sheet in base.sheets.items()
    }
    for _ in range(data.draw(st.integers(1, 6))):
        rows = tables[data.draw(st.sampled_from(sorted(tables)))]
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        if row:
            row[data.draw(st.integers(0, len(row) - 1))] = data.draw(_CELLS)
    path = write_zip(tmp_path / "r.zip", tables, encoding="utf-8")
    judgement = judge(
        path, Context(reference, forms, parse_instant(base.arrived_at), base.sender_code, LIMITS)
    )
    verdict = judgement.verdict
    if verdict.is_accepted:
        held = {name: table.row_count for name, table in judgement.tables.items()}
        assert {name: held[name] for name in verdict.rows_read} == verdict.rows_read
        assert verdict.rows_read == {
            name: sum(any(str(cell).strip() for cell in row) for row in rows[1:])
            for name, rows in tables.items()
            if name in verdict.rows_read
        }
    else:
        assert verdict.problems


@pytest.fixture(scope="module")
def small(reference: Reference, forms: Forms) -> list[Base]:
    """The bases of few rows."""
    return [base for base in bases(reference, forms) if sum(len(s.rows) for s in base.sheets.values()) < 30]


@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=400), extension=st.sampled_from(["zip", "xlsx", "ods", "csv", "xls", ""]))
def test_judging_answers_whatever_the_bytes(
    tmp_path: Path, reference: Reference, forms: Forms, content: bytes, extension: str
) -> None:
    path = tmp_path / f"r.{extension}"
    path.write_bytes(content)
    verdict = judge(path, Context(reference, forms, NOW.now(), "yjs-barnsley", LIMITS)).verdict
    assert not verdict.is_accepted and verdict.problems


def test_the_same_seed_makes_the_same_files(reference: Reference, forms: Forms) -> None:
    few = dict.fromkeys(COUNTS, 20)

    def made() -> list[Variant]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return list(variants(bases(reference, forms), few))

    assert made() == made()

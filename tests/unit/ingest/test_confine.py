from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from return_files import IN_TIME, SENDER, ReturnFile

import ingest.confine as confine_module
from ingest.acceptance import Context, Verdict, judge
from ingest.clock import FixedClock
from ingest.confine import judge_confined
from ingest.form import Forms
from ingest.limits import Limits
from ingest.paths import DataRoot
from ingest.receive import receive
from ingest.reference import Reference

MIB = 1 << 20


@pytest.fixture
def context(reference: Reference, forms: Forms) -> Context:
    return Context(reference, forms, IN_TIME, SENDER)


def instead_of_judging(monkeypatch: pytest.MonkeyPatch, doing: Callable[[], Any]) -> None:
    """Let the child do something else; being forked, it has what is patched here."""
    monkeypatch.setattr(confine_module, "judge", lambda *_: doing())


def test_the_verdict_is_the_one_given_without_a_child(
    tmp_path: Path, good: ReturnFile, context: Context
) -> None:
    good["metrics"][0]["met"] = "-1"
    path = good.xlsx(tmp_path / "r.xlsx")
    judgement = judge_confined(path, context, "return.xlsx")
    assert judgement.verdict == judge(path, context, "return.xlsx").verdict
    assert judgement.verdict.outcome == "rejected"
    assert judgement.verdict.file_name == "return.xlsx"


def verdict_on(path: Path, context: Context) -> Verdict:
    return judge_confined(path, context).verdict


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"seconds": 0.001}, "FILE-016"), ({"memory_bytes": 8 * MIB}, "FILE-017")],
)
def test_a_file_beyond_the_limits_is_judged_as_receiving_it_judges_it(
    tmp_path: Path,
    reference: Reference,
    forms: Forms,
    root: DataRoot,
    context: Context,
    limit: dict[str, Any],
    code: str,
) -> None:
    limits = replace(Limits(), **limit)
    delivered = root.inbox / SENDER / "r.zip"
    delivered.parent.mkdir(parents=True)
    with zipfile.ZipFile(delivered, "w") as archive:
        for number in range(15):
            archive.writestr(f"s{number}.csv", "a,b\r\n" + "x,y\r\n" * 90_000)
    # In a fresh process, as `vcc check` is: one that has run many tests has memory to spare that no limit sees.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        verdict = fresh.submit(verdict_on, delivered, replace(context, limits=limits)).result()
    assert list(verdict.counts) == [code]
    receipt = receive(root, reference, forms, FixedClock(IN_TIME), limits=limits, settle_seconds=0).receipts[
        0
    ]
    assert (receipt.outcome, receipt.problems) == (verdict.outcome, verdict.problems)


def test_a_child_that_takes_too_much_memory_is_stopped_and_this_process_keeps_its_own(
    tmp_path: Path, good: ReturnFile, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_judging(monkeypatch, lambda: bytearray(300 * MIB))
    limits = replace(Limits(), memory_bytes=200 * MIB)
    path = good.zip(tmp_path / "r.zip")
    assert list(judge_confined(path, replace(context, limits=limits)).verdict.counts) == ["FILE-017"]
    assert len(bytearray(300 * MIB)) == 300 * MIB


def test_a_child_that_does_not_answer_is_ended_in_time(
    tmp_path: Path, good: ReturnFile, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_judging(monkeypatch, lambda: time.sleep(60))
    began = time.monotonic()
    limits = replace(Limits(), seconds=0.3)
    verdict = judge_confined(good.zip(tmp_path / "r.zip"), replace(context, limits=limits)).verdict
    assert list(verdict.counts) == ["FILE-016"]
    assert verdict.outcome == "quarantined"
    assert not verdict.is_readable
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_a_child_that_crashes_is_a_rejection(
    tmp_path: Path,
    good: ReturnFile,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    ending: signal.Signals,
) -> None:
    def end() -> None:
        faulthandler.disable()
        os.kill(os.getpid(), ending)

    monkeypatch.chdir(tmp_path)
    instead_of_judging(monkeypatch, end)
    path = good.zip(tmp_path / "r.zip")
    assert list(judge_confined(path, context).verdict.counts) == ["FILE-015"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.zip"]  # and no core file beside it


def test_an_error_of_our_own_is_told_by_its_type_and_not_by_its_text(
    tmp_path: Path, good: ReturnFile, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("call 07700 900123")

    instead_of_judging(monkeypatch, fail)
    verdict = judge_confined(good.zip(tmp_path / "r.zip"), context).verdict
    assert [problem.found for problem in verdict.problems] == ["the reader failed (KeyError)"]


def test_a_file_that_is_not_there_is_no_verdict(tmp_path: Path, context: Context) -> None:
    with pytest.raises(FileNotFoundError):
        judge_confined(tmp_path / "none.xlsx", context)

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from ingest.locking import Busy
from ingest.storage import StorageError
from orchestration import runs
from orchestration.locking import run_lock
from orchestration.periods import QUARTERS
from orchestration.project import open_project
from orchestration.resources import CycleStage, OneRunAtATime, no_progress
from orchestration.runs import RunReport, run_quarters


def run_instead(
    step: Any, data_root: Path, monkeypatch: pytest.MonkeyPatch, *, is_lock_held: bool
) -> RunReport:
    """Run a job of this one step in the place of the real job."""

    @dg.op(name="step")
    def do(cycle_stage: CycleStage, one_run_at_a_time: OneRunAtATime) -> None:
        step()

    def assemble(folder: Path, *, is_lock_held: bool, **settings: object) -> SimpleNamespace:
        @dg.job(
            name="quarter",
            partitions_def=QUARTERS,
            executor_def=dg.in_process_executor,
            resource_defs={
                "cycle_stage": CycleStage(),
                "one_run_at_a_time": OneRunAtATime(
                    data_root=str(folder), wait_seconds=0, is_held=is_lock_held
                ),
            },
        )
        def job() -> None:
            do()

        return SimpleNamespace(resolve_job_def=lambda name: job)

    monkeypatch.setattr(runs, "build_definitions", assemble)
    project = open_project(data_root, "2026-12-10")
    with dg.DagsterInstance.ephemeral() as instance:
        return run_quarters(
            project, instance, project.due_quarters()[:1], "final", no_progress, is_lock_held=is_lock_held
        )


def test_a_run_works_under_the_lock_that_its_caller_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_lock(tmp_path, "vcc run"):
        report = run_instead(lambda: None, tmp_path, monkeypatch, is_lock_held=True)
    assert report.success and not report.is_busy


def test_a_run_that_meets_another_one_is_told_from_one_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise Busy("Another process is receiving.")

    def broken() -> None:
        raise RuntimeError("broken")

    met = run_instead(busy, tmp_path, monkeypatch, is_lock_held=True)
    assert (met.success, met.is_busy) == (False, True)
    failed = run_instead(broken, tmp_path, monkeypatch, is_lock_held=True)
    assert (failed.success, failed.is_busy) == (False, False)
    with run_lock(tmp_path, "run of the page"):
        kept_out = run_instead(lambda: None, tmp_path, monkeypatch, is_lock_held=False)
    assert (kept_out.success, kept_out.is_busy) == (False, True)
    assert "run of the page" in kept_out.failures[0]


def test_a_run_that_is_interrupted_ends_as_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        run_instead(interrupted, tmp_path, monkeypatch, is_lock_held=True)


def test_a_failed_step_is_told_in_the_projects_own_words_and_not_in_those_of_a_library() -> None:
    def fail() -> None:
        try:
            try:
                raise ConnectionError("http://127.0.0.1/bucket/key")
            except ConnectionError as error:
                raise StorageError("s3://bucket cannot be used: look at the network.") from error
        except StorageError as error:
            raise RuntimeError("Error occurred while executing op") from error

    try:
        fail()
    except RuntimeError:
        told = serializable_error_info_from_exc_info(sys.exc_info())
    assert runs._words(told) == "s3://bucket cannot be used: look at the network."
    try:
        raise RuntimeError("outer") from ZeroDivisionError("inner")
    except RuntimeError:
        other = serializable_error_info_from_exc_info(sys.exc_info())
    assert runs._words(other) == "ZeroDivisionError: inner"

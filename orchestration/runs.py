"""One run of the job from this process, and what came of it.

What belongs here: calling Dagster and reading the result. What does not: the terminal (commands), the steps
(assets).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.automation import run_config
from orchestration.definitions import build_definitions
from orchestration.errors import FAILURES, UNUSABLE_ERRORS
from orchestration.locking import BUSY_ERRORS
from orchestration.periods import ensure_periods, range_tags
from orchestration.project import Project
from orchestration.resources import Progress
from orchestration.vocabulary import QUARTER_JOB, READING_JOB

if TYPE_CHECKING:
    from dagster_shared.error import SerializableErrorInfo

    from ingest.period import Period

OWN_WORDS = (FAILURES | UNUSABLE_ERRORS) - {"OSError", "DbtError"}

#: Where dagster-dbt begins to quote dbt.
DBT_ERRORS = "Errors parsed from dbt logs:"
DBT_NOT_BUILT = re.compile(r"Error in (model|seed|unit_test)|^(Compilation|Parsing|Database) Error")

#: Steps as a person would name them, in order.
STEP_WORDS = {
    "inbox__deliveries": "inbox",
    "receive": "archive: receive and judge",
    "compact": "raw: write Parquet",
    "build": "reference to marts: build and test (dbt)",
    "contracts": "checks: contracts",
    "checks__verified_build": "checks: serve the build",
    "register__detections": "register: detections",
    "serving__marts": "serving: copy the marts for analysts",
    "register__flags": "register: flags",
    "releases__open_data": "releases: open data, audited",
    "release_checks": "releases: validators and public contracts",
    "packs__local_figures": "packs: local figures",
    "packs__local": "packs: of the areas",
    "packs__programme_board": "packs: of the Programme Board",
    "packs__taskforce": "packs: of the Taskforce",
    "pages__annual_report": "pages: annual report",
    "pages__preview": "pages: preview of the site",
    "pages__site": "pages: the public site",
}


@dataclass(frozen=True)
class RunReport:
    """How a run ended: seconds by step in the order of the stages, and one sentence for each failure."""

    run_id: str
    success: bool
    seconds: dict[str, float]
    failures: tuple[str, ...]
    is_busy: bool = False
    """True if it failed because another process works on the data root."""


def run_quarters(
    project: Project,
    instance: dg.DagsterInstance,
    periods: Sequence[Period],
    stage: str,
    progress: Progress,
    *,
    is_lock_held: bool = False,
) -> RunReport:
    """Run the job once for consecutive quarters, in this process. Does not raise when a step fails.

    `is_lock_held` says that the caller holds the data root. Raises KeyboardInterrupt if the run is stopped.
    """
    return _run_job(QUARTER_JOB, project, instance, periods, stage, progress, is_lock_held)


def run_reading(
    project: Project,
    instance: dg.DagsterInstance,
    period: Period,
    stage: str,
    progress: Progress,
    *,
    is_lock_held: bool = False,
) -> RunReport:
    """Make packs and pages of a quarter that was run, in this process. Does not raise when a step fails."""
    return _run_job(READING_JOB, project, instance, [period], stage, progress, is_lock_held)


def _run_job(
    job: str,
    project: Project,
    instance: dg.DagsterInstance,
    periods: Sequence[Period],
    stage: str,
    progress: Progress,
    is_lock_held: bool,
) -> RunReport:
    definitions = build_definitions(
        project.data_root, progress=progress, project=project, is_lock_held=is_lock_held
    )
    ensure_periods(instance, project)
    config: dict[str, Any] = {
        **run_config(stage),
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    several = len(periods) > 1
    try:
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            run_config=config,
            partition_key=None if several else periods[0].code,
            tags=range_tags(periods) if several else None,
            raise_on_error=False,
        )
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    errors = _error_names(result)
    if dg.DagsterExecutionInterruptedError.__name__ in errors:
        # Within a step, Dagster counts it as a failure of the step.
        raise KeyboardInterrupt
    return RunReport(
        result.run_id,
        result.success,
        _seconds(result),
        tuple(_failures(result)),
        not errors.isdisjoint(BUSY_ERRORS),
    )


def _seconds(result: dg.ExecuteInProcessResult) -> dict[str, float]:
    taken = {
        event.step_key: event.step_success_data.duration_ms / 1000
        for event in result.all_events
        if event.is_step_success and event.step_key
    }
    return {words: taken[step] for step, words in STEP_WORDS.items() if step in taken}


def _error_names(result: dg.ExecuteInProcessResult) -> set[str]:
    """Return the names of all errors of a run, of a step or before the first one, with what caused them."""
    names = set()
    for event in result.all_events:
        error = getattr(event.event_specific_data, "error", None)
        while error is not None:
            names.add(error.cls_name)
            error = error.cause
    return names


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """Say what blocked the run: failed checks that block, then steps that broke for another reason."""
    sentences = []
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR:
            table = ".".join(check.asset_key.path)
            said = check.description or _failing_rows(check)
            sentences.append(f"Check '{check.check_name}' on {table}: {said}")
    for event in result.all_events:
        # A resource that cannot be had, as the data root, fails the run before its first step.
        has_failed = event.is_step_failure or event.event_type is dg.DagsterEventType.RESOURCE_INIT_FAILURE
        error = getattr(event.event_specific_data, "error", None) if has_failed else None
        if error is None or error.cls_name == "DagsterAssetCheckFailedError":
            continue
        step = STEP_WORDS.get(event.step_key or "", event.step_key or "start")
        said = _words(error)
        if DBT_ERRORS in said:
            # dbt's own words on what it could not build; failed tests are checks and have been said
            parts = [" ".join(part.split()) for part in said.rpartition(DBT_ERRORS)[2].split("\n\n")]
            sentences.extend(f"Step '{step}': {part}" for part in parts if DBT_NOT_BUILT.search(part))
        else:
            sentences.append(f"Step '{step}': {' '.join(said.split())}")
    if not sentences and not result.success:
        failed = [event.step_key or "start" for event in result.all_events if event.is_step_failure]
        steps = ", ".join(f"'{STEP_WORDS.get(step, step)}'" for step in failed or ["start"])
        sentences.append(f"The run failed in {steps} without words of its own; its log tells more.")
    return sentences


def _words(error: SerializableErrorInfo) -> str:
    """Return what an error says: the project's own words, if it has any, else those of its first cause."""
    while error.cause is not None and error.cls_name not in OWN_WORDS:
        error = error.cause
    # Dagster puts the name of the error's class before its words.
    own = error.message.partition(": ")[2] if error.cls_name in OWN_WORDS else error.message
    return own.strip()


def _failing_rows(check: dg.AssetCheckEvaluation) -> str:
    rows = check.metadata.get("dagster_dbt/failed_row_count")
    return f"{rows.value} failing rows" if rows is not None else "failed"

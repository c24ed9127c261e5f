"""The stages a return passes through, in order.

A stage's word is the folder under the data root, the dbt folder and schema, the Dagster group and the
first part of every asset key. What belongs here: the words. What does not: what a stage does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage of the flow: its word, and the sentence that says what it holds."""

    name: str
    holds: str
    #: Folder under the data root that carries the stage's word; None where the stage has no files of its own.
    folder: str | None
    #: Folder under dbt_project/models (or seeds) whose tables carry the stage's word as their schema.
    dbt_folder: str | None = None


STAGES: tuple[Stage, ...] = (
    Stage("inbox", "files as their senders delivered them, not yet judged", "inbox"),
    Stage("archive", "the originals of every judged return, write-once, and the receipts", "archive"),
    Stage("raw", "accepted returns as typed Parquet, one row for one row", "raw"),
    Stage("reference", "areas, bodies, metrics, rules and thresholds, each with its dates", None, "seeds"),
    Stage("staging", "raw rows renamed and cast, nothing else", None, "models/staging"),
    Stage(
        "intermediate",
        "the current return of every sender, figures per area, tests",
        None,
        "models/intermediate",
    ),
    Stage("marts", "the tables that people and publications read", None, "models/marts"),
    Stage("checks", "what is promised about the marts, measured on every build", "checks"),
    Stage("register", "what was detected at each final build; never rewritten", "register"),
    Stage("serving", "the marts as analysts read them, apart from any run", "warehouse/serving"),
    Stage("releases", "open data files, suppressed and rounded", "releases"),
    Stage("pages", "the site for the public, and what is to be on it once it may be", "restricted/pages"),
    Stage("packs", "local figures that go back to bodies and their reviewers", "restricted/packs"),
)

STAGE_NAMES: tuple[str, ...] = tuple(stage.name for stage in STAGES)
DBT_STAGES: tuple[str, ...] = tuple(stage.name for stage in STAGES if stage.dbt_folder)

#: Stages of the quarterly cycle: figures go back to bodies at both, detections and releases only at the last.
PROVISIONAL = "provisional"
FINAL = "final"
CYCLE_STAGES: tuple[str, ...] = (PROVISIONAL, FINAL)

#: Name of the set of quarters that Dagster's partitions are drawn from; also the column's name everywhere.
PERIOD_PARTITIONS = "period_code"

QUARTER_JOB = "quarter"
#: What people read is made by a job of its own, after the quarter's: it may be made again without a run.
READING_JOB = "reading"

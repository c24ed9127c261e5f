"""The quarters as Dagster's partitions: one set, filled from the calendar.

What belongs here: the partition set and how it is kept. What does not: date arithmetic (ingest.period).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.project import Project, codes
from orchestration.vocabulary import PERIOD_PARTITIONS

if TYPE_CHECKING:
    from ingest.period import Period

# Backfill policies are marked beta in this version; the version is pinned and the behaviour tested.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy.*")

#: Dagster's tags for a partition and a range of them; it documents the words but exports no names for them.
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

QUARTERS = dg.DynamicPartitionsDefinition(name=PERIOD_PARTITIONS)

#: Several quarters are one run, not one run each: the warehouse is built once for all of them.
ONE_RUN = dg.BackfillPolicy.single_run()


def ensure_periods(instance: dg.DagsterInstance, project: Project) -> list[str]:
    """Add every quarter that has ended to the partition set, in order; return the codes that were new."""
    known = set(instance.get_dynamic_partitions(PERIOD_PARTITIONS))
    new = [code for code in codes(project.ended_quarters()) if code not in known]
    if new:
        instance.add_dynamic_partitions(PERIOD_PARTITIONS, new)
    return new


def range_tags(periods: Sequence[Period]) -> dict[str, str]:
    """Return the tags that make one run cover the quarters from the first through the last of those given."""
    return {
        RANGE_START_TAG: periods[0].code,
        RANGE_END_TAG: periods[-1].code,
    }

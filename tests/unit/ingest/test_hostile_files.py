from __future__ import annotations

from pathlib import Path

import pytest
from hostile_files import HOSTILE, MIB
from return_files import IN_TIME, SENDER

from ingest.acceptance import Context
from ingest.acceptance.registry import RULES
from ingest.confine import judge_confined
from ingest.form import Forms
from ingest.limits import Limits
from ingest.reference import Reference

STOPPED = {"FILE-015", "FILE-016", "FILE-017"}
"""A judging process that crashed, or was stopped for its time or memory."""
LIMITS = Limits(seconds=30, memory_bytes=1024 * MIB)
"""Less than a file is allowed in earnest: none of these files comes near it."""


@pytest.fixture
def context(reference: Reference, forms: Forms) -> Context:
    return Context(reference, forms, IN_TIME, SENDER, LIMITS)


@pytest.mark.parametrize("name", [name for name, file in HOSTILE.items() if file.code is not None])
def test_it_is_rejected_by_the_rule_that_is_meant_for_it(name: str, tmp_path: Path, context: Context) -> None:
    hostile = HOSTILE[name]
    path = hostile.write(tmp_path)
    assert path.stat().st_size < 20 * MIB
    judgement = judge_confined(path, context)
    assert hostile.code in judgement.verdict.counts
    # Only the group "file" has anything to say: nothing in it was taken for a return.
    assert {RULES[code].group for code in judgement.verdict.counts} == {"file"} or hostile.code == "FILE-020"
    assert not STOPPED & set(judgement.verdict.counts)
    assert not judgement.verdict.is_accepted
    assert not any(judgement.verdict.rows_accepted.values())


@pytest.mark.parametrize("name", [name for name, file in HOSTILE.items() if file.code is None])
def test_what_only_looks_large_is_read(name: str, tmp_path: Path, context: Context) -> None:
    verdict = judge_confined(HOSTILE[name].write(tmp_path), context).verdict
    assert verdict.is_readable
    assert not [code for code in verdict.counts if RULES[code].group == "file"]

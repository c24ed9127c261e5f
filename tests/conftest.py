"""Shared by all tests: the repository's root on the path, and nothing that phones home."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

os.environ.update(
    SODA_CORE_TELEMETRY_ENABLED="false",
    DO_NOT_TRACK="1",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
)
# A developer's own settings must not reach a test.
OWN_SETTINGS = ("DATA_ROOT", "AS_OF", "INBOX", "ARCHIVE", "DAGSTER_HOME", "BUILD_PATH")
LIMITS = [name for name in os.environ if name.startswith("VCC_LIMIT_")]
for name in (*(f"VCC_{name}" for name in OWN_SETTINGS), *LIMITS, "DAGSTER_HOME"):
    os.environ.pop(name, None)

if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files in an order that suits two processes, each of which takes the next file when it is free.

    First the longest, which also makes the sample run that the rest of the pipeline and the browser read; then what needs none
    of it; by the time the others come it is there.
    """
    pipeline = PROJECT / "tests" / "pipeline"
    browser = PROJECT / "tests" / "browser"
    place = {pipeline / "test_runs.py": 0, pipeline / "test_kills.py": 2}
    items.sort(key=lambda item: place.get(item.path, 3 if item.path.parent in (pipeline, browser) else 1))


@pytest.fixture(scope="session")
def project_folder() -> Path:
    """The repository's root."""
    return PROJECT

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
    """Keep together, where tests run in several processes, those that share costly fixtures: a file's tests, and
    all of the pipeline, whose one sample run takes minutes. The longest start first."""

    def first(item: pytest.Item) -> bool:
        return item.path.parent == PROJECT / "tests" / "pipeline"

    items.sort(key=lambda item: not first(item))
    for item in items:
        name = "pipeline" if first(item) else str(item.path.relative_to(PROJECT))
        item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def project_folder() -> Path:
    """The repository's root."""
    return PROJECT

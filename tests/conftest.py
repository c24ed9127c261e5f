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


# before xdist reads the groups
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, where tests run in several processes, those that share costly fixtures.

    They are the tests of a file, and those on the pipeline's one sample run, which start first as they take
    longest. The runs that are killed come last: by then what they are compared with is there.
    """
    pipeline = PROJECT / "tests" / "pipeline"

    def rank(item: pytest.Item) -> int:
        return 2 if item.path.name == "test_kills.py" else 0 if item.path.parent == pipeline else 1

    items.sort(key=rank)
    for item in items:
        name = "pipeline" if rank(item) == 0 else str(item.path.relative_to(PROJECT))
        item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def project_folder() -> Path:
    """The repository's root."""
    return PROJECT

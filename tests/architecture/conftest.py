from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ingest.clock import FixedClock
from orchestration.definitions import build_definitions


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The whole assembly on an empty data root."""
    clock = FixedClock(datetime(2026, 12, 10, 12, tzinfo=UTC))
    return build_definitions(tmp_path_factory.mktemp("empty") / "data", clock=clock)


@pytest.fixture(scope="session")
def asset_graph(definitions: dg.Definitions) -> dg.AssetGraph:
    """Every asset and what it depends on."""
    return definitions.resolve_asset_graph()


@pytest.fixture(scope="session")
def snapshot_path() -> Path:
    """The committed picture of the asset graph."""
    return Path(__file__).with_name("asset_graph.json")

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HELPER = Path(__file__).parents[1] / "reports" / "mart_tables.py"


@pytest.fixture(scope="session")
def mart_tables() -> ModuleType:
    """Loaded by path, because test folders are not packages."""
    spec = importlib.util.spec_from_file_location("mart_tables", HELPER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def mart_tables() -> ModuleType:
    """Loaded by path, because test folders are not packages."""
    spec = importlib.util.spec_from_file_location("mart_tables", Path(__file__).with_name("mart_tables.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from reports.release.publication import Publication


def _helper(name: str) -> ModuleType:
    """Loaded by path, because test folders are not packages."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def mart_tables() -> ModuleType:
    return _helper("mart_tables")


@pytest.fixture(scope="session")
def publications() -> ModuleType:
    """Makes small publications; `publications.small_publication(version="1.0.1")` changes a field."""
    return _helper("small_publication")


@pytest.fixture(scope="session")
def publication(publications: ModuleType) -> Publication:
    """A small publication with one row of every kind a release can hold."""
    made: Publication = publications.small_publication()
    return made


@pytest.fixture(scope="session")
def small_release() -> ModuleType:
    """Makes small release folders with the real columns: `small_release.make_release(folder, period, ...)`."""
    return _helper("small_release")


@pytest.fixture(scope="session")
def engine() -> ModuleType:
    """Builds pages from text on a database made by hand: `engine.built(text)`, `engine.faults(text)`."""
    return _helper("engine_pages")

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

HELPERS = Path(__file__).parents[1] / "reports"


def _helper(name: str) -> ModuleType:
    """Loaded by path, because test folders are not packages."""
    spec = importlib.util.spec_from_file_location(name, HELPERS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def mart_tables() -> ModuleType:
    return _helper("mart_tables")


@pytest.fixture(scope="session")
def _release_files() -> dict[str, bytes]:
    from reports.release.draft import draft_files

    return draft_files(_helper("small_publication").small_publication())


@pytest.fixture
def release(tmp_path: Path, _release_files: dict[str, bytes]) -> Path:
    """A folder with every file of a small release, to be spoiled."""
    folder = tmp_path / "v1.0.0"
    folder.mkdir()
    for name, content in _release_files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test at the first name looked up or connection tried."""

    def refuse(*arguments: object, **_: object) -> NoReturn:
        raise AssertionError(f"something reached for the network: {arguments[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)

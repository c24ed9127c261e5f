from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from return_files import IN_TIME, ReturnFile, quarterly

from ingest.acceptance import Context, Verdict, judge
from ingest.form import Forms, load_forms
from ingest.paths import DataRoot
from ingest.reference import Reference


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference.load()


@pytest.fixture(scope="session")
def forms() -> Forms:
    return load_forms()


@pytest.fixture
def good(reference: Reference, forms: Forms) -> ReturnFile:
    return quarterly(reference, forms)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path / "data").create()


@pytest.fixture
def judged(tmp_path: Path, reference: Reference, forms: Forms) -> Callable[..., Verdict]:
    """Write a return (or take a path) and judge it as if it arrived in the sender's folder."""

    def judge_it(
        file: ReturnFile | Path,
        sender: str | None = None,
        arrived_at: datetime = IN_TIME,
        name: str = "return",
        xlsx: bool = False,
    ) -> Verdict:
        if isinstance(file, ReturnFile):
            path = file.xlsx(tmp_path / f"{name}.xlsx") if xlsx else file.zip(tmp_path / f"{name}.zip")
        else:
            path = file
        return judge(path, Context(reference, forms, arrived_at, sender)).verdict

    return judge_it

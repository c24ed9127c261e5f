from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.clock import FixedClock, SystemClock
from orchestration.automation import due_step, state_of
from orchestration.project import Project, SettingError, codes, open_project, sample_list


def project_on(day: str, data_root: Path) -> Project:
    return Project(
        data_root=data_root, clock=FixedClock(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC))
    )


# The second quarter of 2026/27 ends on 30 September; 30 working days later is 11 November, 20 more 9 December.
@pytest.mark.parametrize(
    ("day", "last_ended", "last_due", "step"),
    [
        ("2026-09-30", "2026-27-Q1", "2026-27-Q1", ("2026-27-Q1", "final")),
        ("2026-10-01", "2026-27-Q2", "2026-27-Q1", ("2026-27-Q1", "final")),
        ("2026-11-11", "2026-27-Q2", "2026-27-Q1", ("2026-27-Q1", "final")),
        ("2026-11-12", "2026-27-Q2", "2026-27-Q2", ("2026-27-Q2", "provisional")),
        ("2026-12-09", "2026-27-Q2", "2026-27-Q2", ("2026-27-Q2", "provisional")),
        ("2026-12-10", "2026-27-Q2", "2026-27-Q2", ("2026-27-Q2", "final")),
    ],
)
def test_the_calendar_decides_what_can_be_run_and_what_is_due(
    tmp_path: Path, day: str, last_ended: str, last_due: str, step: tuple[str, str]
) -> None:
    project = project_on(day, tmp_path)
    assert codes(project.ended_quarters())[-1] == last_ended
    assert codes(project.due_quarters())[-1] == last_due
    assert due_step(project) == step


def test_reporting_starts_with_its_first_quarter(tmp_path: Path) -> None:
    assert codes(project_on("2026-12-10", tmp_path).ended_quarters())[0] == "2025-26-Q1"
    assert project_on("2025-06-30", tmp_path).ended_quarters() == []
    assert due_step(project_on("2025-07-01", tmp_path)) is None


def test_midnight_is_told_in_england(tmp_path: Path) -> None:
    summer_evening = FixedClock(datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    assert codes(Project(data_root=tmp_path, clock=summer_evening).ended_quarters())[-1] == "2026-27-Q1"


def test_what_there_is_to_do_is_named_by_the_files_that_wait_and_the_reasons(tmp_path: Path) -> None:
    project = project_on("2026-12-10", tmp_path)
    nothing = state_of(project, [])
    assert state_of(project, ["No build is served yet."]) != nothing
    folder = project.root.inbox / "E23000028-police"
    folder.mkdir(parents=True)
    (project.root.inbox / "arrivals.csv").write_text("journal")
    (folder / ".late.zip.partial").write_text("half")
    assert state_of(project, []) == nothing
    (folder / "late.zip").write_text("whole")
    first = state_of(project, [])
    assert first != nothing and state_of(project, []) == first
    (folder / "second.zip").write_text("whole")
    assert state_of(project, []) != first


def test_settings_come_from_the_argument_then_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCC_DATA_ROOT", str(tmp_path / "environment"))
    monkeypatch.setenv("VCC_AS_OF", "2026-05-01")
    project = open_project()
    assert project.data_root == tmp_path / "environment"
    assert project.today.isoformat() == "2026-05-01"
    assert open_project(tmp_path / "argument", "2026-06-01").today.isoformat() == "2026-06-01"
    with pytest.raises(SettingError, match="write it as 2026-12-10"):
        open_project(tmp_path, "01/05/2026")


def test_a_data_root_with_the_sample_is_read_as_of_the_samples_day(tmp_path: Path) -> None:
    sample = sample_list(tmp_path)
    sample.parent.mkdir()
    sample.write_text('{"as_of": "2026-12-10", "files": [], "parameters": {}}')
    assert open_project(tmp_path).today.isoformat() == "2026-12-10"
    assert open_project(tmp_path, "2027-01-05").today.isoformat() == "2027-01-05"
    assert isinstance(open_project(tmp_path, "today").clock, SystemClock)
    assert isinstance(open_project(tmp_path / "other").clock, SystemClock)

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ingest.form import FormError
from ingest.locking import Busy
from ingest.period import Period
from orchestration import cli
from orchestration.assets.outputs import require_reviewed
from orchestration.commands import run as run_command
from orchestration.commands.run import chosen_builds, what_is_served
from orchestration.locking import DataRootBusyError, is_busy, run_lock
from orchestration.pending import RAW_NOTE, raw_source
from orchestration.project import Project, SettingError, open_project
from orchestration.runs import RunReport
from orchestration.warehouse import WarehouseError

HEAVY = (
    "dagster",
    "dagster_dbt",
    "dbt",
    "pandas",
    "numpy",
    "duckdb",
    "pyarrow",
    "soda_core",
    "sqlalchemy",
    "jinja2",
)

IMPORTED = """
import json, sys
from orchestration.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported_by(project_folder: Path, *arguments: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=project_folder,
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["--as-of", "2026-12-10", "periods", "list"]], ids=" ".join
)
def test_a_command_imports_nothing_heavy_that_it_does_not_need(
    project_folder: Path, arguments: list[str]
) -> None:
    assert imported_by(project_folder, *arguments).isdisjoint(HEAVY)


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for word in (
        "sample",
        "submit",
        "check",
        "template",
        "run",
        "status",
        "flags",
        "periods",
        "ui",
        "exit codes:",
    ):
        assert word in shown


def test_an_error_is_one_line_on_the_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["--data-root", str(tmp_path), "--as-of", "2026-12-10", "run", "--period", "2019-20-Q1"])
    shown = capsys.readouterr()
    assert code == cli.UNUSABLE
    assert shown.out == ""
    assert shown.err == (
        "vcc: 2019-20-Q1 is not a quarter that can be run; choose one from 2025-26-Q1 through 2026-27-Q2.\n"
    )


@pytest.mark.parametrize("day", ["2026-10-05", "2026-12-01", "2026-12-09"])
def test_a_final_build_before_the_local_review_is_over_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str
) -> None:
    code = cli.main(["--data-root", str(tmp_path), "--as-of", day, "run", "--period", "2026-27-Q2"])
    assert code == cli.UNUSABLE
    said = capsys.readouterr().err
    assert "local review of 2026-27-Q2 may last through 9 December 2026" in said
    assert "--stage provisional" in said
    with pytest.raises(dg.Failure, match="may last through 9 December 2026"):
        require_reviewed(open_project(tmp_path, day), [Period.parse("2026-27-Q2")])


def test_of_all_quarters_only_those_whose_review_is_over_are_final(tmp_path: Path) -> None:
    def chosen(day: str, stage: str) -> list[str]:
        return [str(plan) for plan in chosen_builds(open_project(tmp_path, day), None, stage)]

    assert chosen("2026-12-10", "final") == ["2025-26-Q1 through 2026-27-Q2, final build"]
    assert chosen("2026-12-09", "final") == [
        "2025-26-Q1 through 2026-27-Q1, final build",
        "2026-27-Q2, provisional build",
    ]
    assert chosen("2026-12-09", "provisional") == ["2025-26-Q1 through 2026-27-Q2, provisional build"]
    assert chosen("2025-08-20", "final") == ["2025-26-Q1, provisional build"]
    require_reviewed(open_project(tmp_path, "2026-12-10"), [Period.parse("2026-27-Q2")])


def test_a_date_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--data-root", str(tmp_path), "--as-of", "yesterday", "status"]) == cli.UNUSABLE
    assert "'yesterday' is not a date" in capsys.readouterr().err


def test_asking_before_anything_is_built_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--data-root", str(tmp_path), "--as-of", "2026-12-10", "flags"]) == cli.FAILED
    assert "run `vcc run --all` first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataRootBusyError("held"), cli.BUSY),
        (SettingError("no"), cli.UNUSABLE),
        (FileNotFoundError(2, "No such file", "a.xlsx"), cli.UNUSABLE),
        (Busy("held"), cli.BUSY),
        (FormError("no"), cli.UNUSABLE),
        (WarehouseError("none"), cli.FAILED),
        (RuntimeError("broken"), cli.FAILED),
        (ValueError("internal"), cli.FAILED),
        (KeyError("internal"), cli.FAILED),
    ],
    ids=lambda value: getattr(type(value), "__name__", ""),
)
def test_exit_codes(error: Exception, code: int) -> None:
    assert cli.exit_code(error) == code


def test_submitting_puts_the_file_into_its_senders_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "return.zip"
    file.write_bytes(b"zip")
    arguments = ["--data-root", str(tmp_path / "data"), "--as-of", "2026-12-10", "submit", str(file)]
    assert cli.main([*arguments, "--sender", "E23000028-police"]) == cli.OK
    assert (tmp_path / "data" / "inbox" / "E23000028-police" / "return.zip").read_bytes() == b"zip"
    assert cli.main([*arguments, "--sender", "E23000028-police"]) == cli.UNUSABLE
    assert "still waits in the inbox" in capsys.readouterr().err
    assert cli.main([*arguments, "--sender", "nobody"]) == cli.UNUSABLE
    assert "There is no sender nobody" in capsys.readouterr().err


def test_a_busy_data_root_is_told_from_a_broken_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_lock(tmp_path, "run of somebody"):
        code = cli.main(["--data-root", str(tmp_path), "--as-of", "2026-12-10", "run", "--all", "--no-wait"])
    assert code == cli.BUSY
    assert "run of somebody" in capsys.readouterr().err


def test_a_run_that_waits_says_for_whom_and_gives_up_as_busy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_command, "WAIT_SECONDS", 0.1)
    with run_lock(tmp_path, "run of somebody"):
        code = cli.main(["--data-root", str(tmp_path), "--as-of", "2026-12-10", "run", "--all"])
    assert code == cli.BUSY
    waiting, gave_up = capsys.readouterr().err.splitlines()
    assert waiting.startswith("Waiting for run of somebody (process ")
    assert gave_up.startswith("vcc: run of somebody (process ")


@pytest.fixture
def without_dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root whose runs do not reach Dagster."""
    monkeypatch.setenv("VCC_DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("orchestration.instance.open_instance", lambda home: contextlib.nullcontext())
    return tmp_path / "data"


def run_all(data_root: Path) -> int:
    return cli.main(["--data-root", str(data_root), "--as-of", "2026-12-10", "run", "--all"])


@pytest.mark.parametrize(("busy", "expected"), [(True, cli.BUSY), (False, cli.FAILED)])
def test_a_run_holds_the_data_root_and_says_what_is_left_when_it_fails(
    without_dagster: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    busy: bool,
    expected: int,
) -> None:
    held: list[bool] = []

    def failing(*arguments: object, is_lock_held: bool) -> RunReport:
        held.append(is_lock_held and is_busy(without_dagster))
        return RunReport("id", False, {}, ("Step 'archive: receive and judge': no.",), busy)

    monkeypatch.setattr("orchestration.runs.run_quarters", failing)
    assert run_all(without_dagster) == expected
    assert held == [True]
    assert not is_busy(without_dagster)
    said = capsys.readouterr().err
    assert "vcc: Step 'archive: receive and judge': no." in said
    assert "No build is served yet." in said and "still served" not in said


def test_in_one_command_reviewed_quarters_are_final_and_the_others_provisional(
    without_dagster: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[list[str], str, bool]] = []

    def succeed(
        project: Project,
        instance: object,
        periods: list[Period],
        stage: str,
        progress: object,
        **settings: object,
    ) -> RunReport:
        ran.append(([period.code for period in periods], stage, is_busy(without_dagster)))
        return RunReport("id", True, {}, ())

    monkeypatch.setattr("orchestration.runs.run_quarters", succeed)
    arguments = ["--data-root", str(without_dagster), "--as-of", "2026-12-01", "run", "--all"]
    assert cli.main(arguments) == cli.OK
    final = ["2025-26-Q1", "2025-26-Q2", "2025-26-Q3", "2025-26-Q4", "2026-27-Q1"]
    assert ran == [(final, "final", True), (["2026-27-Q2"], "provisional", True)]
    assert "2026-27-Q2: the joint local review is not over" in capsys.readouterr().out


def test_a_failed_run_says_which_build_people_read(tmp_path: Path) -> None:
    warehouse = Project(tmp_path, open_project(tmp_path, "2026-12-10").clock).warehouse
    before, after = warehouse.build("b1"), warehouse.build("b2")
    assert what_is_served(None, None) == "No build is served yet."
    assert what_is_served(before, before) == "The build that was served before is still served."
    assert what_is_served(before, after) == "The new build is served; what failed comes after it."


def test_a_run_that_is_stopped_says_so(
    without_dagster: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object, **settings: object) -> RunReport:
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration.runs.run_quarters", stopped)
    assert run_all(without_dagster) == 130
    assert "stopped. What was done is kept; run the command again" in capsys.readouterr().err
    assert not is_busy(without_dagster)


@pytest.mark.parametrize("error", [KeyError("no such key"), ValueError("no such value"), TypeError("none")])
def test_a_fault_of_the_program_is_not_put_on_the_user(
    without_dagster: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    def broken(*arguments: object, **settings: object) -> RunReport:
        raise error

    monkeypatch.setattr("orchestration.runs.run_quarters", broken)
    assert run_all(without_dagster) == cli.FAILED
    log = without_dagster.parent / "home" / "last_error.log"
    assert (
        f"fault of the program, not of what was asked ({type(error).__name__}: {error})"
        in capsys.readouterr().err
    )
    assert "in broken" in log.read_text() and str(error) in log.read_text()


@pytest.fixture
def served(tmp_path: Path) -> Project:
    """A served build that knows one quarter, in which every return came in time and nothing was severe."""
    project = open_project(tmp_path, "2026-12-10")
    attempt = project.warehouse.start_attempt(project.build_id(), "r")
    with duckdb.connect(str(attempt.path)) as con:
        con.execute(
            """
            create schema marts;
            create table marts.oversight_persistence as select
                '2026-27-Q1' as period_code, 'police' as body_kind, 'Essex' as area_name, 2 as right_number,
                'CLEAR' as result, false as is_recommended, 0 as quarters_running, '' as indicators_met;
            """
        )
    attempt.tests_path.write_text("{}")
    project.warehouse.publish(project.warehouse.build(attempt.build_id))
    project.output_notes.note(RAW_NOTE, RAW_NOTE, raw_source(project))
    return project


def asked(project: Project, *arguments: str, as_of: str = "2026-12-10") -> int:
    return cli.main(["--data-root", str(project.data_root), "--as-of", as_of, *arguments])


def test_a_quarter_that_is_not_served_is_not_said_to_be_in_order(
    served: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(served, "flags", "--period", "2026-27-Q2") == cli.FAILED
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "2026-27-Q2 is not in the build that is served" in shown.err
    assert "`vcc run --period 2026-27-Q2` builds it" in shown.err
    assert asked(served, "flags", "--period", "2026-27-Q2", as_of="2026-12-01") == cli.FAILED
    assert "`vcc run --period 2026-27-Q2 --stage provisional` builds it" in capsys.readouterr().err
    assert asked(served, "flags", "--period", "2026-27-Q1") == cli.OK
    assert capsys.readouterr().out.endswith("None.\n")


def test_flags_shows_the_latest_quarter_that_is_due(
    served: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(served, "flags") == cli.FAILED
    assert "2026-27-Q2 is not in the build" in capsys.readouterr().err
    assert asked(served, "flags", as_of="2026-11-01") == cli.OK
    assert "(2026/27 Q1): severe indicators" in capsys.readouterr().out


def test_what_the_served_build_does_not_show_is_said(
    served: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "return.zip"
    file.write_bytes(b"zip")
    assert asked(served, "submit", str(file), "--sender", "E23000028-police") == cli.OK
    new = served.root.raw / "quarterly" / "metrics" / "2026-27-Q2.parquet"
    new.parent.mkdir(parents=True)
    new.write_bytes(b"rows")
    capsys.readouterr()
    asked(served, "flags", "--period", "2026-27-Q1")
    shown = capsys.readouterr().out
    assert "Files wait to be judged: 1." in shown
    assert "differ from those of the served build" in shown
    asked(served, "status", "--period", "2026-27-Q1")
    assert "1 file waits to be judged" in capsys.readouterr().out

    # Not everybody may look into holding/; whoever may not is still shown the rest.
    def closed(root: object) -> int:
        raise PermissionError(13, "Permission denied", "holding")

    monkeypatch.setattr("orchestration.pending.waiting", closed)
    monkeypatch.setattr("ingest.inbox.waiting", closed)
    for arguments in (("status",), ("flags", "--period", "2026-27-Q1")):
        assert asked(served, *arguments) == cli.OK
        shown = capsys.readouterr().out
        assert "hether files wait to be judged is not known: holding is closed to you." in shown
        assert "2026-27-Q1" in shown or "2026/27 Q1" in shown

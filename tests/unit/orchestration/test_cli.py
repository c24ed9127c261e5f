from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration import cli
from orchestration.locking import DataRootBusyError, run_lock
from orchestration.project import SettingError
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
    for word in ("sample", "submit", "check", "run", "status", "flags", "periods", "ui", "exit codes:"):
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


def test_a_final_build_before_returns_are_due_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["--data-root", str(tmp_path), "--as-of", "2026-10-05", "run", "--period", "2026-27-Q2"])
    assert code == cli.UNUSABLE
    assert "due on 11 November 2026" in capsys.readouterr().err


def test_a_date_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--data-root", str(tmp_path), "--as-of", "yesterday", "status"]) == cli.UNUSABLE
    assert "'yesterday' is not a date" in capsys.readouterr().err


def test_asking_before_anything_is_built_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("status", "flags"):
        assert cli.main(["--data-root", str(tmp_path), "--as-of", "2026-12-10", command]) == cli.FAILED
        assert "run `vcc run --all` first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataRootBusyError("held"), cli.BUSY),
        (SettingError("no"), cli.UNUSABLE),
        (FileNotFoundError(2, "No such file", "a.xlsx"), cli.UNUSABLE),
        (WarehouseError("none"), cli.FAILED),
        (RuntimeError("broken"), cli.FAILED),
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

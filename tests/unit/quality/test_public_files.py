"""The contracts on public files: good files keep every promise, and every single promise can be broken."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
import yaml

from quality.public_files import CONTRACTS, verify_public
from quality.verify import Outcome, verify_connection

TABLES = sorted(path.stem for path in CONTRACTS.glob("*.yml"))
EMPTY_IS_A_WARNING = {
    "group_compliance", "group_feedback", "local_benchmarks", "local_delivery", "local_feedback",
    "national_breakdowns", "notice_grounds", "notices", "region_breakdowns",
}  # fmt: skip

_CELLS = {
    "failed_rows.counts_are_rounded": "update {t} set {base} = {base} + 1, {met} = {met} + 1",
    "failed_rows.no_small_count": "update {t} set {met} = 5, rate_percent = floor(500.0 / {base} + 0.5) where rate_percent is not null",
    "failed_rows.suppressed_is_empty": "update {t} set published_as = 'suppressed'",
    "failed_rows.empty_says_why": "update {t} set obs_status = null, published_as = 'value', rate_percent = null",
    "failed_rows.form_agrees_with_status": "update {t} set published_as = null where obs_status is null",
    "failed_rows.rate_from_published_counts": "update {t} set rate_percent = rate_percent + 1",
    "failed_rows.limits_from_published_counts": "update {t} set rate_lower_percent = rate_lower_percent - 1",
    "failed_rows.met_within_base": "update {t} set {met} = {base} + 5, rate_percent = floor(100.0 * ({base} + 5) / {base} + 0.5)",
}
_BANDS = {
    "failed_rows.confidential_holds_the_base_only": "update {t} set obs_status = 'c', published_as = 'base', rate_band = null where {met} is not null",
    "failed_rows.band_without_counts": "update {t} set rate_band = '90% and over', published_as = 'value'",
}
_SUMS = {
    "failed_rows.sum_of_the_parts": "update {t} set {base} = {base} + 5, rate_percent = floor(100.0 * {met} / ({base} + 5) + 0.5)",
}
#: Table -> base count, met count, faults by check.
FAULTS: dict[str, tuple[str, str, Mapping[str, str]]] = {
    "local_compliance": ("case_count", "met_count", _CELLS | _BANDS),
    "group_compliance": (
        "case_count", "met_count",
        _CELLS | _SUMS | {"failed_rows.coverage_is_enough": "update {t} set case_share_covered = 0.89"},
    ),
    "local_feedback": ("valid_answer_count", "good_count", _CELLS | _BANDS),
    "group_feedback": (
        "valid_answer_count", "good_count",
        _CELLS | _SUMS | {"failed_rows.coverage_is_enough": "update {t} set answer_share_covered = 0.89"},
    ),
    "region_breakdowns": ("base_count", "good_count", _CELLS | _BANDS),
    "national_breakdowns": (
        "base_count", "good_count",
        _CELLS | _SUMS | {"failed_rows.coverage_is_enough": "update {t} set base_share_covered = 0.89"},
    ),
    "area_groups": ("", "", {}),
    "local_benchmarks": (
        "like_areas_case_count", "like_areas_met_count",
        {
            "failed_rows.counts_are_rounded": "update {t} set {base} = {base} + 1",
            "failed_rows.status_says_why": "update {t} set like_areas_rate_percent = null",
            "failed_rows.met_within_base": "update {t} set {met} = {base} + 5",
            "failed_rows.sum_of_the_parts": "update {t} set {base} = {base} + 5",
        },
    ),
    "local_delivery": ("", "", {"failed_rows.status_says_why": "update {t} set lowest_grade = null"}),
    "publication_shares": ("", "", {"failed_rows.forms_add_up": "update {t} set cells_expected = cells_expected + 1"}),
    "notices": (
        "", "",
        {"failed_rows.agreed_before_published": "update {t} set published_on = date '2020-01-01'"},
    ),
    "notice_grounds": (
        "", "",
        {"failed_rows.stands_beside_its_notice": "update {t} set notice_id = 'N-unknown'"},
    ),
}  # fmt: skip


def _good_rows() -> Mapping[str, Any]:
    spec = importlib.util.spec_from_file_location("contracts", Path(__file__).with_name("test_contracts.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: rows for name, rows in module.GOOD.items() if name.startswith("open_data_")}


@pytest.fixture(scope="module")
def good_files(tmp_path_factory: pytest.TempPathFactory, mart_tables: ModuleType) -> Path:
    """A folder with CSV and Parquet of the good rows of every open data mart."""
    build = mart_tables.create_warehouse(tmp_path_factory.mktemp("build") / "build.duckdb", _good_rows())
    folder = tmp_path_factory.mktemp("files")
    with duckdb.connect(str(build), read_only=True) as con:
        for table in TABLES:
            for kind in ("parquet", "csv"):
                con.execute(f"copy marts.open_data_{table} to '{folder / table}.{kind}' (format {kind})")
    return folder


@pytest.fixture
def files(good_files: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_files, tmp_path / "files"))


@pytest.fixture(scope="module")
def con(good_files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The good files as tables, to be spoiled within a transaction."""
    with duckdb.connect() as opened:
        opened.execute("create schema public")
        for table in TABLES:
            opened.execute(f"create table public.{table} as from '{good_files / table}.parquet'")
        yield opened


def spoiled(con: duckdb.DuckDBPyConnection, table: str, sql: str) -> dict[str, Outcome]:
    """What fails of a table's contract after a change; the change is taken back."""
    con.execute("begin")
    try:
        con.execute(sql.replace("{t}", f"public.{table}"))
        outcomes = verify_connection(con, CONTRACTS, only={table})
        return {outcome.check: outcome for outcome in outcomes if not outcome.passed}
    finally:
        con.execute("rollback")


def failed(outcomes: list[Outcome]) -> dict[tuple[str, str], Outcome]:
    return {(outcome.contract, outcome.check): outcome for outcome in outcomes if not outcome.passed}


def test_good_files_keep_every_promise(good_files: Path) -> None:
    outcomes = verify_public(good_files)
    assert failed(outcomes) == {}
    assert {outcome.contract for outcome in outcomes} == {"publication_list", *TABLES}
    warnings = {outcome.contract for outcome in outcomes if outcome.severity == "warn"}
    assert warnings == EMPTY_IS_A_WARNING


@pytest.mark.parametrize("table", TABLES)
def test_each_broken_promise_is_found(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Every check of a table fails on its fault; a fault may break more than one promise."""
    base, met, faults = FAULTS[table]
    for check, sql in faults.items():
        found = spoiled(con, table, sql.replace("{base}", base).replace("{met}", met))
        assert check in found, (check, sorted(found))
        assert found[check].severity == "error"
        assert found[check].detail.startswith("For example: ")


@pytest.mark.parametrize("table", TABLES)
def test_empty_wrong_and_doubled_cells_are_found(con: duckdb.DuckDBPyConnection, table: str) -> None:
    contract: dict[str, Any] = yaml.safe_load((CONTRACTS / f"{table}.yml").read_text(encoding="utf-8"))
    on_columns = [
        (column["name"], kind)
        for column in contract["columns"]
        for check in column.get("checks", [])
        for kind in check
    ]
    types = {name: str(kind) for name, kind, *_ in con.execute(f"describe public.{table}").fetchall()}
    nonsense = {
        name: "'?'" if types[name] == "VARCHAR" else "-7" for name, kind in on_columns if kind == "invalid"
    }
    sql = "insert into {t} select * from {t} limit 1; insert into {t} default values"
    if nonsense:
        sql += f"; insert into {{t}} ({', '.join(nonsense)}) values ({', '.join(nonsense.values())})"
    found = spoiled(con, table, sql)
    assert {f"{name}.{kind}" for name, kind in on_columns} <= set(found)
    assert found["duplicate.key"].measured

    empty = spoiled(con, table, "delete from {t}")
    assert empty["row_count"].severity == ("warn" if table in EMPTY_IS_A_WARNING else "error")


def test_no_check_is_left_untried() -> None:
    for table in TABLES:
        contract = yaml.safe_load((CONTRACTS / f"{table}.yml").read_text(encoding="utf-8"))
        checks = {
            ".".join(part for part in (kind, (settings or {}).get("qualifier")) if part)
            for check in contract["checks"]
            for kind, settings in check.items()
        }
        assert checks - {"row_count", "duplicate.key"} == set(FAULTS[table][2]), table


def test_every_exposed_table_has_a_contract_on_its_files() -> None:
    exposures = yaml.safe_load(
        (Path(__file__).parents[3] / "dbt_project" / "models" / "exposures.yml").read_text(encoding="utf-8")
    )
    exposed = {
        name.removeprefix("ref('open_data_").removesuffix("')")
        for exposure in exposures["exposures"]
        if exposure.get("config", {}).get("meta", {}).get("release") == "open_data"
        for name in exposure["depends_on"]
    }
    assert exposed == set(TABLES)


def test_the_folder_holds_the_publication_list_and_nothing_else(files: Path) -> None:
    (files / "notices.parquet").unlink()
    (files / "local_feedback.csv").unlink()
    (files / "local_area_compliance.csv").write_text("met_count\r\n3\r\n", encoding="utf-8")
    shutil.copy(files / "local_delivery.parquet", files / "oversight_cases.parquet")
    (files / "ees-local-compliance.csv").touch()
    (files / "codes.csv").touch()
    (files / "group_feedback.parquet").write_bytes(b"PAR1")
    details = {
        outcome.dataset: outcome.detail
        for outcome in verify_public(files)
        if not outcome.passed and outcome.contract == "publication_list"
    }
    assert set(details) == {
        "public.notices", "public.local_feedback", "public.local_area_compliance", "public.oversight_cases",
        "public.group_feedback",
    }  # fmt: skip
    assert "not in the folder" in details["public.notices"]
    assert "local_feedback.csv is missing" in details["public.local_feedback"]
    assert "not on the publication list" in details["public.local_area_compliance"]
    assert "not on the publication list" in details["public.oversight_cases"]
    assert "cannot be read" in details["public.group_feedback"]


def test_a_table_exposed_without_a_contract_is_said(files: Path) -> None:
    shutil.copy(files / "local_delivery.parquet", files / "local_grades.parquet")
    shutil.copy(files / "local_delivery.csv", files / "local_grades.csv")
    found = failed(verify_public(files, [*TABLES, "local_grades"]))
    assert "has no contract" in found["publication_list", "exposed"].detail


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="build the release first"):
        verify_public(tmp_path / "nothing")

"""How often bodies report is data of the form: from a half-yearly version on, everything follows half-years."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from return_files import quarterly, with_half_years

from ingest.clock import FixedClock
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import build_raw
from ingest.receive import receive
from ingest.reference import Reference
from tests.warehouse.rendering import DBT, build, database, relation, typed_seed

SENDER = "E23000028-police"
METRIC = "r02_s01_recorded_24h"
ARRIVALS = {
    "2026-27-Q4": "2027-05-04T10:00:00Z",
    "2027-28-H1": "2027-10-20T10:00:00Z",
    "2027-28-H2": "2028-04-20T10:00:00Z",
    "2028-29-H1": "2028-12-20T10:00:00Z",
}
MET = {"2026-27-Q4": 30, "2027-28-H1": 31, "2027-28-H2": 32, "2028-29-H1": 33}
MODELS = ("local_area_compliance", "quality_submissions")


def in_order(names: tuple[str, ...]) -> list[str]:
    """The models behind these, parents first; and the seeds among them."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        path = next((DBT / "models").rglob(f"{name}.sql"), None)
        for parent in re.findall(r"ref\('(\w+)'\)", path.read_text()) if path else []:
            visit(parent)
        found[name] = None

    for name in names:
        visit(name)
    return list(found)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    folder = tmp_path_factory.mktemp("half_years")
    reference, forms = Reference.load(), with_half_years(folder)
    root = DataRoot(folder / "data").create()
    lines = ["sender_code,file_name,arrived_at"]
    for code, met in MET.items():
        quarterly(reference, forms, SENDER, code, met).zip(root.inbox / SENDER / f"{code}.zip")
        lines.append(f"{SENDER},{code}.zip,{ARRIVALS[code]}")
    # A quarter is no period of the half-yearly form.
    wrong = quarterly(reference, forms, SENDER, "2027-28-H1")
    wrong.cover["period_code"] = "2027-28-Q1"
    wrong.zip(root.inbox / SENDER / "quarter.zip")
    lines.append(f"{SENDER},quarter.zip,2027-10-21T10:00:00Z")
    root.arrivals.write_text("\n".join(lines) + "\n")
    received = receive(root, reference, forms, FixedClock(datetime(2029, 1, 15, 12, tzinfo=UTC)))
    told = [(r.period_code, r.outcome, dict(r.problem_counts)) for r in received.receipts]
    assert [r.is_accepted for r in received.receipts] == [True, True, False, True, True], told
    refused = next(r for r in received.receipts if not r.is_accepted)
    assert "IDENTITY-006" in refused.problem_counts
    build_raw(root, reference, forms, [Period.parse("2026-27-Q4")], through=Period.parse("2028-29-H1"))

    con = database()
    for source in re.findall(r"read_parquet\('\{\{.*?\}\}/raw/(.*?)/\*\.parquet'\)", sources()):
        con.execute(
            f"create view raw.{source.replace('/', '_')} as from read_parquet('{root.raw}/{source}/*.parquet')"
        )
    names = in_order(MODELS)
    for name in names:
        if next((DBT / "models").rglob(f"{name}.sql"), None) is None:
            typed_seed(con, name)
    build(con, *(name for name in names if (next((DBT / "models").rglob(f"{name}.sql"), None))))
    return con


def sources() -> str:
    return Path(DBT / "models" / "sources" / "sources.yml").read_text()


def test_the_spine_goes_on_in_half_years(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        f"select period_code, quarter_index from {relation('int_quarters')} order by quarter_index"
    ).fetchall()
    assert [code for code, _ in rows][-5:] == [
        "2026-27-Q3", "2026-27-Q4", "2027-28-H1", "2027-28-H2", "2028-29-H1",
    ]  # fmt: skip
    numbers = [number for _, number in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_figures_are_compared_with_the_period_before_and_the_same_part_of_last_year(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    rows = warehouse.execute(
        f"""
        select period_code, met_count, previous_met_count, year_ago_met_count
        from {relation("local_area_compliance")}
        where metric_id = '{METRIC}' and met_count is not null
        order by quarter_index
        """
    ).fetchall()
    assert rows == [
        ("2026-27-Q4", 30, None, None),
        ("2027-28-H1", 31, 30, None),
        ("2027-28-H2", 32, 31, None),
        ("2028-29-H1", 33, 32, 31),
    ]


def test_returns_are_due_after_each_half_year(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        f"""
        select period_code, due_on, submission_status
        from {relation("quality_submissions")}
        where sender_code = '{SENDER}' and is_expected and period_code >= '2026-27-Q4'
        order by due_on
        """
    ).fetchall()
    # 30 working days after the end of each period, counted by hand over the bank holidays of 2027 and 2028.
    assert rows == [
        ("2026-27-Q4", date(2027, 5, 13), "on_time"),
        ("2027-28-H1", date(2027, 11, 11), "on_time"),
        ("2027-28-H2", date(2028, 5, 17), "on_time"),
        ("2028-29-H1", date(2028, 11, 10), "late"),
    ]

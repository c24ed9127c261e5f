from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import duckdb
import pytest

from reports.release.publication import Publication, PublicTable
from reports.release.read import read_publication

ISSUED = dt.date(2026, 6, 18)


@pytest.fixture
def con(publications: ModuleType, publication: Publication) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        publications.fill_references(connection)
        publications.fill_marts(connection, publication.tables)
        yield connection


@pytest.fixture
def exposures(publication: Publication) -> list[PublicTable]:
    return [replace(table, rows=()) for table in reversed(publication.tables)]


def read(con: duckdb.DuckDBPyConnection, exposures: list[PublicTable], **options: Any) -> Publication:
    facts = {"version": "1.0.0", "issued_on": ISSUED, **options}
    return read_publication(con, facts.pop("period_code", "2025-26-Q4"), exposures, **facts)


def test_a_publication_holds_the_rows_of_its_release_by_key(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable], publication: Publication
) -> None:
    # a row of the same quarter that a later release carries
    con.execute(
        "insert into marts.open_data_local_compliance by name select * replace ('2026-27-Q1' as"
        " release_period_code) from marts.open_data_local_compliance limit 1"
    )

    made = read(con, exposures)

    assert made == replace(publication, changes={})


def test_a_table_that_does_not_say_its_release_is_refused(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable]
) -> None:
    con.execute("alter table marts.open_data_local_compliance drop column release_period_code")
    local = next(table for table in exposures if table.name == "local_compliance")

    with pytest.raises(ValueError, match="has no column release_period_code"):
        read(con, [replace(local, columns=local.columns[1:])])


def test_the_tables_of_reference_come_with_every_publication(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable]
) -> None:
    assert [table.name for table in read(con, exposures).references] == [
        "areas", "breakdowns", "codes", "metric-catalogue",
    ]  # fmt: skip


def test_a_correction_says_what_it_replaces_and_why(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable]
) -> None:
    made = read(con, exposures, version="1.0.1", previous="1.0.0", reason="Corrected.", status="final")

    assert (made.release_id, made.previous, made.reason, made.status) == (
        "2025-26-Q4/v1.0.1", "1.0.0", "Corrected.", "final",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"period_code": "2026-27-Q1"}, "No open data row has the period 2026-27-Q1"),
        ({"period_code": "2031-32-Q1"}, "knows no period 2031-32-Q1"),
        ({"period_code": "../elsewhere"}, "write a period code"),
        ({"version": "1.0"}, "write a version like 1.0.0"),
        ({"version": "1.0.01"}, "write a version like 1.0.0"),
        ({"previous": "one"}, "write a version like 1.0.0"),
        ({"status": "draft"}, "write provisional or final"),
    ],
)
def test_what_cannot_be_released_is_refused(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        read(con, exposures, **options)


def test_nothing_exposed_is_nothing_to_release(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="nothing to release"):
        read(con, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("add column secret varchar", "differ in secret"),
        ("drop column obs_note", "differ in obs_note"),
        ("alter column case_count type double", "case_count is DOUBLE, described as BIGINT"),
    ],
)
def test_a_table_that_is_not_what_it_is_described_as_is_refused(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable], change: str, words: str
) -> None:
    con.execute(f"alter table marts.open_data_local_compliance {change}")

    with pytest.raises(ValueError, match=words):
        read(con, exposures)


def test_a_type_no_file_has_is_refused(con: duckdb.DuckDBPyConnection, exposures: list[PublicTable]) -> None:
    con.execute("alter table marts.open_data_local_feedback alter column good_count type hugeint")
    feedback = next(table for table in exposures if table.name == "local_feedback")
    columns = tuple(
        replace(column, data_type="HUGEINT") if column.name == "good_count" else column
        for column in feedback.columns
    )

    with pytest.raises(ValueError, match="types no open data file has: good_count"):
        read(con, [replace(feedback, columns=columns)])


def test_a_release_that_carries_a_financial_year_covers_it_from_its_first_day(
    con: duckdb.DuckDBPyConnection, exposures: list[PublicTable]
) -> None:
    feedback = next(table for table in exposures if table.name == "local_feedback")
    columns = tuple(
        replace(column, name="year_code") if column.name == "financial_year" else column
        for column in feedback.columns
    )
    key = tuple("year_code" if name == "financial_year" else name for name in feedback.primary_key)
    con.execute("alter table marts.open_data_local_feedback rename financial_year to year_code")
    con.execute("update marts.open_data_local_feedback set year_code = '2025-26-FY'")

    made = read(con, [replace(feedback, columns=columns, primary_key=key)])

    assert (made.first_day, made.covered_from) == (dt.date(2026, 1, 1), dt.date(2025, 4, 1))
    con.execute("delete from marts.open_data_local_feedback")
    others = [table for table in exposures if table.name != "local_feedback"]
    made = read(con, [*others, replace(feedback, columns=columns, primary_key=key)])
    assert made.covered_from == dt.date(2026, 1, 1)

"""Queries of a page: one SELECT each, put together, bound, limited, and blamed on the right line."""

from __future__ import annotations

import duckdb
import pytest

from reports.engine.errors import PageError
from reports.engine.pages import Page, read_page
from reports.engine.queries import Limits, QueryRunner, composed
from reports.published import LOCKED

HEAD = "---\ntitle: x\ndescription: y\n---\n"


def page_with(**queries: str) -> Page:
    blocks = "".join(f"```sql {name}\n{sql}\n```\n" for name, sql in queries.items())
    return read_page(HEAD + blocks, "a.md", "a.html")


def rows(
    page: Page, name: str, parameters: dict[str, object] | None = None, **limits: float
) -> list[list[object]]:
    runner = QueryRunner(duckdb.connect(config=LOCKED), Limits(**limits) if limits else None)  # type: ignore[arg-type]
    return [
        [cell.value for cell in row.values()]
        for row in runner.rows(page, composed(page, name), parameters or {})
    ]


def refused(page: Page, name: str, parameters: dict[str, object] | None = None, **limits: float) -> PageError:
    with pytest.raises(PageError) as found:
        rows(page, name, parameters, **limits)
    return found.value


def test_a_query_stands_for_itself_in_another_even_after_a_comment_at_its_end() -> None:
    page = page_with(
        base="select 2 as a -- two",
        twice="select a * 2 as b from ${base} as x",
        more="select b from ${ twice }",
    )
    assert rows(page, "more") == [[4]]


def test_what_only_looks_like_a_reference_is_left_alone() -> None:
    page = page_with(a="select '${b}' as c, 1 as \"${d}\" -- ${e}\n/* ${f} */")
    assert rows(page, "a") == [["${b}", 1]]


def test_a_circle_and_a_missing_query_are_named_with_their_line() -> None:
    page = page_with(a="select *\nfrom ${b}", b="select * from ${a}", c="select *\n\nfrom ${aa}")
    with pytest.raises(PageError) as found:
        composed(page, "a")
    assert (
        found.value.line,
        "b -> a -> b" in found.value.message or "a -> b -> a" in found.value.message,
    ) == (10, True)
    with pytest.raises(PageError) as found:
        composed(page, "c")
    assert found.value.line == 15
    assert "Did you mean 'a'?" in found.value.message


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("selec 1", 6),
        ("select 1 as a,\n  2 as b,\n  c\nfrom (select 3 as d)", 8),
        ("select 1 as a\nfrom nothing", 7),
        ("select\n\n 'x'::int", 8),
    ],
)
def test_what_duckdb_refuses_is_blamed_on_the_line_of_the_file(sql: str, line: int) -> None:
    # The block opens on line 5, so its text begins on line 6.
    error = refused(page_with(a=sql), "a")
    assert (error.file, error.line) == ("a.md", line)
    assert "Query 'a'" in error.message


def test_an_error_inside_a_query_that_was_put_in_is_blamed_on_its_own_line() -> None:
    page = page_with(inner="select 1 as a,\n  b", outer="select *\nfrom ${inner} as x\nwhere a = 1")
    assert refused(page, "outer").line == 7
    page = page_with(inner="select 1 as a", outer="select *\nfrom ${inner} as x\nwhere b = 1")
    assert refused(page, "outer").line == 11


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select 1; select 2", "several"),
        ("", "empty"),
        ("-- nothing", "empty"),
        ("create table t as select 1", "something else"),
        ("copy (select 1) to 'x.csv'", "something else"),
        ("attach 'x.duckdb' as x", "something else"),
        ("set threads = 4", "something else"),
        ("install httpfs", "something else"),
        ("pragma version", "something else"),
        ("explain select 1", "something else"),
        ("call pragma_version()", "something else"),
        ("/* x */ describe select 1", "something else"),
    ],
)
def test_nothing_but_one_select(sql: str, said: str) -> None:
    error = refused(page_with(a=sql), "a")
    assert (error.line, error.message) == (5, f"Query 'a' must be one SELECT, and is {said}.")


def test_values_are_bound_and_never_pasted() -> None:
    page = page_with(a="select $name as name, $number + 1 as number")
    assert rows(page, "a", {"name": "x'; drop table y; --", "number": 41, "other": 1}) == [
        ["x'; drop table y; --", 42]
    ]
    error = refused(page_with(a="select 1 as a,\n  $nmae as b"), "a", {"name": 1})
    assert (error.line, error.message) == (
        7,
        "Query 'a' needs $nmae, which nothing gives. Did you mean 'name'?",
    )


def test_too_many_rows_are_refused_and_just_enough_are_not() -> None:
    page = page_with(a="select range as a from range(10)")
    assert len(rows(page, "a", rows=10)) == 10
    assert "more than 9 rows" in refused(page, "a", rows=9).message


def test_a_query_that_does_not_end_is_stopped_and_the_next_one_runs() -> None:
    page = page_with(
        slow="select count(*) as a from range(10000000) as x, range(10000000) as y, range(1000000) as z",
        quick="select 1 as a",
    )
    runner = QueryRunner(duckdb.connect(config=LOCKED), Limits(seconds=0.2))
    with pytest.raises(PageError, match=r"longer than 0\.2 seconds"):
        runner.rows(page, composed(page, "slow"), {})
    assert len(runner.rows(page, composed(page, "quick"), {})) == 1


def test_two_columns_of_one_name_are_refused() -> None:
    assert "two columns 'a'" in refused(page_with(a="select 1 as a, 2 as a"), "a").message


def test_the_rows_come_in_the_order_of_the_query() -> None:
    page = page_with(a="select range as a from range(5000) order by (range * 7919) % 5000")
    expected = sorted(range(5000), key=lambda number: number * 7919 % 5000)
    assert [row[0] for row in rows(page, "a")] == expected


def test_values_are_plain_and_steering_marks_are_gone() -> None:
    page = page_with(
        a="select 1.50::decimal(4, 2) as a, 'x' || chr(8238) || 'y' as b, [chr(8294) || 'z'] as c,"
        " chr(1594) as d, 'l' || chr(10) as e"
    )
    # A letter of a script that runs from right to left is a letter, and stays.
    assert rows(page, "a") == [[1.5, "x\ufffdy", ["\ufffdz"], "\u063a", "l\n"]]


def test_what_differs_from_run_to_run_is_refused() -> None:
    for sql in (
        "select 1 as a,\n  now() as b",
        "select 1 as a,\n  Current_Date as b",
        "select 1 as a,\n  random () as b",
    ):
        error = refused(page_with(a=sql), "a")
        assert (error.line, "differs from run to run" in error.message) == (7, True)
    assert (
        "using sample" in refused(page_with(a="select range as a from range(5) using sample 2"), "a").message
    )
    assert rows(page_with(a="select 'now()' as \"today()\", 1 as today -- random()"), "a") == [["now()", 1]]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from duckdb_databases()", "reads from duckdb_databases()"),
        ("select path\nfrom\n  Duckdb_Settings()", "reads from duckdb_settings()"),
        ("select * from pragma_database_list", "reads from pragma_database_list"),
        ("select 1 as a where exists (select 1 from information_schema.tables)", "reads from tables"),
        ("with a as (select * from glob('*')) select * from a", "reads from glob()"),
        ("select * from query('select 1 as a')", "reads from query()"),
        ("select * from read_text('/etc/hosts')", "reads from read_text()"),
        ("select * from (show tables)", "asks what tables look like"),
        ("select current_setting('temp_directory') as a", "asks for current_setting"),
        ('select "random"() as a', "asks for random"),
        ('select system.main."NOW" () as a', "asks for now"),
        ("select age(timestamp '2020-01-01') as a", "asks for age"),
    ],
)
def test_a_query_reads_figures_and_nothing_of_the_machine(sql: str, said: str) -> None:
    error = refused(page_with(a=sql), "a")
    assert f"Query 'a' {said}" in error.message


def test_what_is_refused_is_blamed_on_its_line_and_harmless_functions_are_not() -> None:
    assert refused(page_with(a="select 'é' as a,\n  1 as b\nfrom duckdb_databases()"), "a").line == 8
    page = page_with(
        inner="select unnest([1, 2]) as a",
        a="select a, age(date '2026-01-02', date '2026-01-01') as b from ${inner} as x, range(1)",
    )
    assert len(rows(page, "a")) == 2


def test_a_query_may_not_take_all_memory() -> None:
    assert duckdb.connect(config=LOCKED).execute("select current_setting('memory_limit')").fetchone() == (
        "3.7 GiB",
    )

"""Every question of the analyst guide is run on the copy that analysts read, and says nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.project import Project

#: Questions in the guide.
QUESTIONS = 25
#: The sample of the tests has totals only: what asks these marts must run and have its columns, but finds nothing.
WITHOUT_ROWS = ("marts.local_area_breakdowns", "marts.national_breakdowns")
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "analyst-guide.md"
#: Words in backticks that have the form of a column's name.
_NAME = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")
_TABLE_ROW = re.compile(r"^\| (.*) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    number: int
    words: str
    advice: str
    sql: str
    answer: str

    @property
    def shown(self) -> list[list[str]]:
        """The rows of the answer's table, the header first; none where it is told in words."""
        lines = [[cell.strip() for cell in line.split("|")] for line in _TABLE_ROW.findall(self.answer)]
        return [line for line in lines if set("".join(line)) != {"-"}]


def sections() -> Iterator[str]:
    yield from re.split(r"^## ", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def questions() -> list[Question]:
    found = []
    for section in sections():
        heading, _, rest = section.partition("\n")
        number, _, words = heading.partition(". ")
        advice, sql, answer = re.split(r"```(?:sql)?\n", rest)
        found.append(Question(int(number), words, advice.strip(), sql, answer.strip()))
    return found


ALL = questions()


@pytest.fixture(scope="module")
def analysts(finished: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    copy = finished.serving.current()
    assert copy is not None
    with duckdb.connect(str(copy.database), read_only=True) as connection:
        yield connection


def names_of(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Every table and column of the copy."""
    found = connection.execute(
        "select column_name from duckdb_columns() union select table_name from duckdb_tables()"
    ).fetchall()
    return {name for (name,) in found}


def test_the_guide_has_its_questions_in_order() -> None:
    assert [question.number for question in ALL] == list(range(1, QUESTIONS + 1))
    assert all(question.words.endswith("?") and question.advice for question in ALL)
    assert len({question.words for question in ALL}) == QUESTIONS


@pytest.mark.parametrize("question", ALL, ids=lambda question: f"{question.number}")
def test_a_question_runs_and_has_an_answer(analysts: duckdb.DuckDBPyConnection, question: Question) -> None:
    cursor = analysts.execute(question.sql)
    assert cursor.description is not None
    columns = [column[0] for column in cursor.description]
    rows = [["" if value is None else str(value) for value in row] for row in cursor.fetchall()]
    # a question of breakdowns has no answer where there are none
    assert bool(rows) != any(mart in question.sql for mart in WITHOUT_ROWS)
    assert len({tuple(row) for row in rows}) == len(rows), "a row is there twice"
    said = set(_NAME.findall(f"{question.advice} {question.answer}"))
    assert said - names_of(analysts) - set(columns) == set()
    if question.shown:
        assert question.shown[0] == columns
        assert [row for row in question.shown[1:] if row not in rows] == []


def test_what_is_said_to_all_names_columns_that_there_are(analysts: duckdb.DuckDBPyConnection) -> None:
    start = GUIDE.read_text(encoding="utf-8").partition("\n## ")[0]
    assert set(_NAME.findall(start)) - names_of(analysts) - {"duckdb_tables", "duckdb_columns"} == set()


def test_every_question_asks_the_marts_by_their_full_names(analysts: duckdb.DuckDBPyConnection) -> None:
    tables = {
        f"{schema}.{table}"
        for schema, table in analysts.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
    }
    for question in ALL:
        asked = set(re.findall(r"\b((?:marts|reference)\.\w+)", question.sql))
        assert asked and asked <= tables, question.words


def test_the_guide_asks_every_kind_of_mart(analysts: duckdb.DuckDBPyConnection) -> None:
    asked = "".join(question.sql for question in ALL)
    unasked = {
        table
        for (table,) in analysts.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
        ).fetchall()
        if f"marts.{table}\n" not in asked and f"marts.{table} as" not in asked
    }
    kinds = ("local_area", "national", "oversight", "insight", "context", "revisions", "quality", "open_data")
    assert all(re.search(rf"marts\.{kind}", asked) for kind in kinds)
    # of these another question has the same figures in another form, or they are what a question sums up
    assert unasked <= {
        "insight_entries",
        "insight_returns",
        "insight_reviews",
        "local_area_feedback",
        "national_breakdowns",
        "national_compliance",
        "national_delivery",
        "national_feedback",
        "national_group_delivery",
        "national_group_feedback",
        "national_group_rights",
        "open_data_area_groups",
        "open_data_group_compliance",
        "open_data_group_feedback",
        "open_data_local_benchmarks",
        "open_data_local_delivery",
        "open_data_local_feedback",
        "open_data_national_breakdowns",
        "open_data_notice_grounds",
        "open_data_notices",
        "open_data_publication_shares",
        "open_data_region_breakdowns",
        "quality_problems",
    }

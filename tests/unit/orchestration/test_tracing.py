"""What is meant by a question, what is near if nothing is, and how a trace that does not add up is told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import cli
from orchestration.tracing import Asked, Found, Question, TraceError, ask, to_csv, to_json, to_text
from orchestration.tracing.find import SOURCES, _adding, _compared, _summed, _total
from orchestration.tracing.found import Comparison, Missing, Return, Row, Warned

PERIOD, METRIC = "2026-27-Q2", "r04_s03_referral_2wd"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    con.execute("""
        create schema reference; create schema intermediate; create schema marts; create schema staging;
        create table reference.body_kinds as from (values
            ('police', 'Police force', 1), ('courts', 'Courts', 2)) t(body_kind, body_kind_name, sort_order);
        create table intermediate.int_quarters as from (values
            ('2026-27-Q1', 'April to June 2026', 1, date '2026-06-30'),
            ('2026-27-Q2', 'July to September 2026', 2, date '2026-09-30'))
            t(period_code, period_label, quarter_index, last_day);
        create table reference.areas as from (values
            ('E23000028', 'Essex', date '2019-04-01', cast(null as date)),
            ('E23000033', 'Sussex', date '2019-04-01', null),
            ('E23000099', 'Merged', date '2027-04-01', null)) t(pfa_code, area_name, valid_from, valid_to);
        create table reference.metrics as from (values
            ('r04_s03_referral_2wd', 'Referred in time'), ('r04_d01', 'Process'), ('r10_s01', 'Expenses'))
            t(metric_id, definition);
        create table intermediate.int_expected_items as from (values
            ('police', '2026-27-Q2', 'r04_s03_referral_2wd', 'statistic', 'Referred in time', 'higher'),
            ('police', '2026-27-Q2', 'r04_d01', 'delivery', 'Process', null),
            ('police', '2026-27-Q2', 'r04_f01', 'feedback', 'Asked', 'lower'))
            t(body_kind, period_code, metric_id, information, definition, polarity);
        create table reference.crime_types as from (values ('VAP', 'Violence'), ('SEX', 'Sexual offences'))
            t(crime_type, crime_type_name);
        create table reference.characteristics as from (values ('sex', 'F', 'Female'), ('sex', 'M', 'Male'))
            t(characteristic, characteristic_value, label);
    """)  # fmt: skip
    yield con
    con.close()


def asked(**changed: Any) -> Asked:
    return Asked(**{"body": "police", "metric": METRIC, "period": PERIOD, "area": "Essex", **changed})


def test_names_and_codes_mean_the_same(connection: duckdb.DuckDBPyConnection) -> None:
    by_name = ask(connection, asked(body="police force", area="essex"))
    assert by_name == ask(connection, asked(area="E23000028"))
    assert (by_name.body_kind, by_name.place_code, by_name.pfa_codes) == (
        "police",
        "E23000028",
        ("E23000028",),
    )
    assert by_name.information == "statistic" and by_name.is_total and by_name.is_local


def test_a_sum_of_the_survey_is_not_traced_to_what_bodies_asked_in_the_same_way(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    question = ask(connection, asked(area=None, is_national=True, metric="r04_f01"))
    local: list[dict[str, Any]] = [
        {"pfa_code": area, "survey_mode": "mixed", "collected_by": source, "figure_status": "reported"}
        | {"invited_count": None, "good_count": good, "valid_answer_count": 10}
        for area, source, good in (("E23000028", "own", 4), ("E23000033", "survey", 7))
    ]
    sums = _summed(SOURCES["feedback"], local)
    assert [(each["collected_by"], each["good_count"]) for each in sums] == [("own", 4), ("survey", 7)]
    assert [_adding(SOURCES["feedback"], question, local, each) for each in sums] == [[local[0]], [local[1]]]


def test_the_nation_is_the_areas_of_that_quarter(connection: duckdb.DuckDBPyConnection) -> None:
    question = ask(connection, asked(area=None, is_national=True))
    assert question.pfa_codes == ("E23000028", "E23000033") and not question.is_local


def test_a_breakdown_is_of_one_sort(connection: duckdb.DuckDBPyConnection) -> None:
    assert ask(connection, asked(crime_type="violence")).crime_type == "VAP"
    question = ask(connection, asked(characteristic="sex", value="Female"))
    assert (question.characteristic, question.characteristic_value, question.is_total) == ("sex", "F", False)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"area": "Esex"}, "There is no police area 'Esex'; did you mean Essex"),
        ({"area": "Merged"}, "There is no police area 'Merged'; there are Essex, Sussex, E23000028"),
        ({"area": None}, "Say where: one of --area, --group and --nation."),
        ({"area": None, "group": "London"}, "The served build knows no groups of areas"),
        ({"body": "polis"}, "There is no kind of body 'polis'; did you mean police"),
        ({"body": "zzz"}, "There is no kind of body 'zzz'; there are Police force, Courts, police, courts"),
        ({"period": "2026-27-Q7"}, "There is no period '2026-27-Q7'; did you mean 2026-27-Q"),
        (
            {"metric": "r04_s03"},
            "There is no metric, question or item 'r04_s03'; did you mean r04_s03_referral_2wd",
        ),
        ({"metric": "r10_s01"}, "r10_s01 was not asked of police for 2026-27-Q2; near it are: "),
        ({"body": "courts"}, "was not asked of courts for 2026-27-Q2; near it are: none at all."),
        ({"crime_type": "VAPP"}, "There is no offence group 'VAPP'; did you mean VAP"),
        ({"crime_type": "VAP", "characteristic": "sex"}, "never by both"),
        ({"characteristic": "sex"}, "A characteristic goes with a value"),
        (
            {"characteristic": "sex", "value": "Q"},
            "There is no value of sex 'Q'; there are Female, Male, F, M",
        ),
        ({"metric": "r04_d01", "crime_type": "VAP"}, "it has no breakdown"),
        ({"metric": "r04_d01", "mode": "census"}, "--mode is for statistics and feedback"),
        ({"metric": "r04_f01", "frame": "all_cases"}, "--frame is for statistics"),
    ],
)
def test_what_does_not_exist_is_said_with_what_is_near(
    connection: duckdb.DuckDBPyConnection, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(TraceError) as caught:
        ask(connection, asked(**changed))
    assert said in str(caught.value)


def test_a_group_is_named_by_code_or_name_and_kind(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("""
        create or replace table intermediate.int_area_groups as from (values
            ('2026-27-Q2', 'cps_area', 'A1', 'South East', 'E23000033'),
            ('2026-27-Q2', 'region', 'A1', 'The South', 'E23000028'),
            ('2026-27-Q2', 'region', 'A1', 'The South', 'E23000033'))
            t(period_code, group_kind, group_code, group_name, pfa_code)
    """)
    try:
        south = ask(connection, asked(area=None, group="the south"))
        assert (south.place_kind, south.place_code, south.pfa_codes) == (
            "region",
            "A1",
            ("E23000028", "E23000033"),
        )
        assert ask(connection, asked(area=None, group="cps_area:A1")).pfa_codes == ("E23000033",)
        with pytest.raises(TraceError, match="several groups 'A1'; say which: cps_area:A1, region:A1"):
            ask(connection, asked(area=None, group="A1"))
        with pytest.raises(
            TraceError, match="no group of areas 'The Suth' in 2026-27-Q2; did you mean The South"
        ):
            ask(connection, asked(area=None, group="The Suth"))
    finally:
        connection.execute("drop table intermediate.int_area_groups")


def test_nothing_built_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["trace", "--area", "Essex", "--body", "police", "--metric", METRIC, "--period", PERIOD]
    assert cli.main(["--data-root", str(tmp_path), *arguments]) == 1
    assert "Nothing has been built yet" in capsys.readouterr().err


# --- adding up and telling ---------------------------------------------------------------------------------

QUESTION = Question(
    "police", METRIC, PERIOD, "statistic", "Referred in time", "area", "E23000028", "Essex", ("E23000028",)
)


def row(number: int, **counts: Any) -> Row:
    values = {name: value for name, value in counts.items() if value is not None}
    return Row(
        "R000001-abcdef01",
        "metrics",
        number,
        "essex",
        "Essex Police",
        "E23000028",
        "Essex",
        "own",
        counts,
        values,
    )


def statistic(**counts: int) -> dict[str, int | None]:
    return dict.fromkeys(SOURCES["statistic"].counts) | counts


def test_blank_adds_nothing_and_nothing_but_blanks_is_blank() -> None:
    assert (_total([None, 3, 4]), _total([None]), _total([]), _total([0, None])) == (7, None, None, 0)


def test_rows_are_laid_beside_the_figure() -> None:
    rows = [row(2, **statistic(met_count=3, case_count=5)), row(3, **statistic(met_count=4, case_count=5))]
    figure = {"met_count": 7, "case_count": 11, "reported_count": None, "compliance_rate": 0.6}
    found = {each.column: each for each in _compared(SOURCES["statistic"], QUESTION, figure, rows)}
    assert set(found) == {"met_count", "case_count", "reported_count"}
    assert found["met_count"].is_equal and found["reported_count"].is_equal
    assert not found["case_count"].is_equal and found["case_count"].from_rows == 10


def test_a_delivery_item_is_as_good_as_its_worst_body_and_planned_if_every_body_has_a_plan() -> None:
    question = Question("yjs", "r04_d01", PERIOD, "delivery", "Process", "area", "E1", "Essex", ("E1",))

    def assessed(number: int, body: str, grade: int, plan: bool, due: date | None) -> Row:
        counts = {"grade": grade, "has_improvement_plan": plan, "next_step_due_on": due}
        return Row("R1", "delivery", number, body, body, "E1", "Essex", "own", counts, counts)

    rows = [
        assessed(2, "a", 3, True, date(2027, 1, 5)),
        assessed(3, "b", 1, False, None),
        assessed(4, "b", 2, True, date(2027, 1, 2)),
    ]
    figure = {
        "body_count": 2,
        "lowest_grade": 1,
        "has_improvement_plan": True,
        "next_step_due_on": date(2027, 1, 2),
    }
    assert all(each.is_equal for each in _compared(SOURCES["delivery"], question, figure, rows))
    without = _compared(SOURCES["delivery"], question, figure, rows[:2])
    assert [each.column for each in without if not each.is_equal] == [
        "has_improvement_plan",
        "next_step_due_on",
    ]


@pytest.fixture
def found() -> Found:
    rows = tuple(row(number, **statistic(met_count=1, case_count=2)) for number in range(2, 42))
    came = Return(
        "R000001-abcdef01", "ab" * 32, "return, final.xlsx", "E23000028-police", "Essex Police",
        datetime(2026, 11, 5, 8, 44, tzinfo=UTC), "quarterly", 2, "accepted_with_warnings", ("R000000-abcdef00",),
    )  # fmt: skip
    return Found(
        question=QUESTION,
        build_id="b1",
        mart="marts.local_area_compliance",
        figure={
            "collection_mode": "census",
            "sampling_frame": "all_cases",
            "met_count": 41,
            "compliance_rate": 0.5125,
        },
        comparisons=(Comparison("met_count", 41, 40), Comparison("case_count", 80, 80)),
        rows=rows,
        returns=(came,),
        warnings=(Warned("R000001-abcdef01", "metrics", 2, "warning", "CMP-001", "Far from last quarter."),),
        missing=(Missing("moj", "essex", "E23000028", "no return was accepted"),),
        rules={"rule_version": 0, "threshold": 0.5},
        tests=({"indicator": "S1", "is_met": False},),
        published={"mart": "marts.open_data_local_compliance", "obs_status": "c"},
    )


def test_a_sum_that_is_not_the_figure_is_said_aloud(found: Found) -> None:
    text = to_text([found], lambda sha256, name: f"in the archive as {sha256[:4]}, {name}")
    assert not found.is_reproduced
    assert "The rows below do NOT give this figure" in text and "NOT EQUAL" in text
    assert "and 10 more; --format csv lists them all" in text
    assert "replaces R000000-abcdef00" in text and "arrived 5 November 2026, 08:44:00 UTC" in text
    assert "kept in the archive as abab, return, final.xlsx" in text
    assert "CMP-001 (warning): Far from last quarter." in text
    assert "moj, essex, E23000028: no return was accepted" in text
    assert "obs_status" in text and "threshold" in text


def test_csv_has_every_row_with_its_file(found: Found) -> None:
    records = list(csv.DictReader(io.StringIO(to_csv([found]))))
    assert len(records) == 40
    assert records[0]["file_name"] == "return, final.xlsx" and records[0]["sheet_row"] == "2"
    assert sum(int(each["met_count"]) for each in records) == 40
    assert records[0]["collection_mode"] == "census" and records[0]["not_met_count"] == ""


def test_json_says_whether_it_is_reproduced(found: Found) -> None:
    [told] = json.loads(to_json([found]))
    assert told["is_reproduced"] is False and [each["is_equal"] for each in told["comparisons"]] == [
        False,
        True,
    ]
    assert told["returns"][0]["arrived_at"] == "2026-11-05T08:44:00+00:00"
    assert to_json([found]) == to_json([found])


def test_own_answers_are_no_part_of_a_national_figure_of_the_survey(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    nation = ask(connection, asked(metric="r04_f01", area=None, is_national=True))
    own, survey = (
        {"figure_status": "reported", "survey_mode": "mixed", "collected_by": source}
        for source in ("own", "survey")
    )
    source = SOURCES["feedback"]
    assert _adding(source, nation, [own, survey], {"survey_mode": "mixed", "collected_by": "survey"}) == [
        survey
    ]

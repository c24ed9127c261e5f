from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.period import (
    Period,
    add_working_days,
    is_working_day,
    quarters_between,
    working_days_between,
)
from ingest.reference import Reference


@pytest.mark.parametrize(
    ("code", "first", "last", "kind", "label"),
    [
        ("2025-26-Q1", date(2025, 4, 1), date(2025, 6, 30), "quarter", "April to June 2025 (2025/26 Q1)"),
        ("2025-26-Q4", date(2026, 1, 1), date(2026, 3, 31), "quarter", "January to March 2026 (2025/26 Q4)"),
        ("2019-20-H1", date(2019, 4, 1), date(2019, 9, 30), "half", "April to September 2019 (2019/20 H1)"),
        (
            "2019-20-H2",
            date(2019, 10, 1),
            date(2020, 3, 31),
            "half",
            "October 2019 to March 2020 (2019/20 H2)",
        ),
        ("2023-24-FY", date(2023, 4, 1), date(2024, 3, 31), "year", "April 2023 to March 2024 (2023/24)"),
        ("1999-00-Q4", date(2000, 1, 1), date(2000, 3, 31), "quarter", "January to March 2000 (1999/00 Q4)"),
    ],
)
def test_a_period_knows_its_days_and_its_label(
    code: str, first: date, last: date, kind: str, label: str
) -> None:
    period = Period.parse(code)
    assert (period.first_day, period.last_day, period.kind, period.label) == (first, last, kind, label)
    assert str(period) == period.code == code


@pytest.mark.parametrize(
    "code", ["", "2025-Q1", "2025-27-Q1", "2025-26-Q5", "2025-26-q1", "2025-26-Q1 ", "0000-01-FY"]
)
def test_a_wrong_period_is_refused_with_how_to_mend_it(code: str) -> None:
    with pytest.raises(ValueError, match="write it like 2025-26-Q1"):
        Period.parse(code)


def test_neighbours_and_the_year_before() -> None:
    quarter = Period.parse("2025-26-Q4")
    assert quarter.next().code == "2026-27-Q1"
    assert quarter.previous().code == "2025-26-Q3"
    assert quarter.year_ago().code == "2024-25-Q4"
    assert Period.parse("2019-20-H2").next().code == "2020-21-H1"
    assert Period.parse("2019-20-FY").previous().code == "2018-19-FY"


def test_quarter_index_counts_quarters_and_only_quarters() -> None:
    assert Period.parse("2025-26-Q1").quarter_index == 2025 * 4
    assert Period.parse("2026-27-Q1").quarter_index == Period.parse("2025-26-Q4").quarter_index + 1  # type: ignore[operator]
    assert Period.parse("2025-26-H1").quarter_index is None


def test_periods_are_ordered_by_first_then_last_day() -> None:
    codes = ["2025-26-FY", "2025-26-Q2", "2025-26-H1", "2025-26-Q1"]
    assert [p.code for p in sorted(map(Period.parse, codes))] == [
        "2025-26-Q1",
        "2025-26-H1",
        "2025-26-FY",
        "2025-26-Q2",
    ]


@given(st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.sampled_from(["quarter", "half", "year"]))
def test_every_day_lies_in_exactly_the_period_given_for_it(day: date, kind: str) -> None:
    period = Period.of(day, kind)
    assert period.first_day <= day <= period.last_day
    assert Period.parse(period.code) == period
    assert period.next().first_day == period.last_day + timedelta(days=1)
    assert period.next().previous() == period


def test_quarters_between_includes_both_ends() -> None:
    codes = [p.code for p in quarters_between(Period.parse("2024-25-Q4"), Period.parse("2025-26-Q2"))]
    assert codes == ["2024-25-Q4", "2025-26-Q1", "2025-26-Q2"]
    assert quarters_between(Period.parse("2025-26-Q2"), Period.parse("2025-26-Q1")) == []
    with pytest.raises(ValueError, match="not a quarter"):
        quarters_between(Period.parse("2025-26-FY"), Period.parse("2025-26-Q1"))


# Counted by hand on a calendar of the bank holidays of England and Wales.
@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2025, 6, 30), 30, date(2025, 8, 11)),  # 23 working days in July, 7 more
        (date(2025, 8, 11), 20, date(2025, 9, 9)),  # 25 August is a bank holiday
        (date(2025, 12, 31), 30, date(2026, 2, 12)),  # 1 January is one
        (date(2025, 4, 17), 1, date(2025, 4, 22)),  # Good Friday, week-end, Easter Monday
        (date(2025, 12, 24), 1, date(2025, 12, 29)),  # Christmas, Boxing Day, week-end
        (date(2022, 9, 16), 1, date(2022, 9, 20)),  # the State Funeral, a holiday of that year only
        (date(2025, 4, 22), -1, date(2025, 4, 17)),
        (date(2025, 5, 3), 0, date(2025, 5, 3)),
    ],
)
def test_working_days_against_dates_counted_by_hand(day: date, n: int, expected: date) -> None:
    assert add_working_days(day, n) == expected


def test_working_days_agree_with_the_official_calendar_day_by_day() -> None:
    england = holidays.country_holidays("GB", subdiv="ENG", years=range(2019, 2031))
    wales = holidays.country_holidays("GB", subdiv="WLS", years=range(2019, 2031))
    day = date(2019, 1, 1)
    while day <= date(2030, 12, 31):
        assert is_working_day(day) == (day.weekday() < 5 and day not in england)
        assert (day in england) == (day in wales)
        day += timedelta(days=1)


@given(st.dates(date(2019, 1, 1), date(2030, 12, 31)), st.integers(1, 60))
def test_counting_working_days_undoes_adding_them(day: date, n: int) -> None:
    later = add_working_days(day, n)
    assert is_working_day(later)
    assert working_days_between(day, later) == n
    assert working_days_between(later, day) == -n


def test_an_unknown_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="england_wales"):
        add_working_days(date(2025, 1, 1), 1, "scotland")


def test_the_cycle_gives_the_due_dates_of_a_quarter(reference: Reference) -> None:
    period = Period.parse("2025-26-Q1")
    cycle = reference.cycle_on(period.last_day)
    assert cycle.returns_due_on(period) == date(2025, 8, 11)
    assert cycle.review_due_on(period) == date(2025, 9, 9)
    assert cycle.data_check_due_on(date(2025, 9, 9)) == date(2025, 9, 23)

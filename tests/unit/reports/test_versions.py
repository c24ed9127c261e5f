"""Versions and the release calendar. The days are checked against the calendar of working days and reviews."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from ingest.period import Period, add_working_days, is_working_day, quarters_between
from ingest.reference import Reference
from reports.release.versions import (
    MAJOR,
    MINOR,
    PATCH,
    Edition,
    Published,
    Version,
    VersionError,
    next_version,
    read_calendar,
)

SEED = Path(__file__).parents[3] / "dbt_project" / "seeds" / "release_calendar.csv"
V100 = Published(Version(1, 0, 0), 1)


def test_versions_are_ordered_as_numbers() -> None:
    assert Version.parse("1.10.0") > Version.parse("v1.9.9")
    assert str(Version.parse("v1.10.0")) == "1.10.0"


@pytest.mark.parametrize("text", ["1.0", "1.0.0.0", "01.0.0", "1.0.0-rc1", "", "../1.0.0", "1.0.0\n.."])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(VersionError, match=r"write it like 1\.0\.0"):
        Version.parse(text)


@pytest.mark.parametrize(("change", "next_"), [(MAJOR, "3.0.0"), (MINOR, "2.4.0"), (PATCH, "2.3.5")])
def test_the_kind_of_change_decides_the_number(change: str, next_: str) -> None:
    assert str(Version(2, 3, 4).after(change)) == next_


def test_a_first_version_takes_the_first_day_of_the_calendar() -> None:
    planned = next_version("2026-27-Q2", [], read_calendar(SEED), date(2026, 12, 10))
    assert planned is not None
    assert (str(planned.version), planned.previous, planned.edition) == ("1.0.0", None, 1)
    assert planned.issued_on == date(2026, 12, 17)


@pytest.mark.parametrize(("today", "is_due"), [("2026-09-02", False), ("2026-09-03", True)])
def test_a_scheduled_revision_is_drafted_a_fortnight_before_its_day(today: str, is_due: bool) -> None:
    planned = next_version("2025-26-Q1", [V100], read_calendar(SEED), date.fromisoformat(today))
    assert (planned is not None) is is_due
    if planned:
        assert (str(planned.version), str(planned.previous), planned.edition) == ("1.1.0", "1.0.0", 2)
        assert planned.issued_on == date(2026, 9, 17)
        assert planned.reason.startswith("scheduled revision of all quarters of 2025-26")


def test_nothing_follows_the_last_edition() -> None:
    both = [V100, Published(Version(1, 1, 0), 2)]
    assert next_version("2025-26-Q1", both, read_calendar(SEED), date(2030, 1, 1)) is None


def test_a_correction_is_of_today_and_says_why() -> None:
    today = date(2026, 1, 20)
    calendar = read_calendar(SEED)
    planned = next_version(
        "2025-26-Q1", [V100], calendar, today, change=PATCH, reason="A column had two names."
    )
    assert planned is not None
    assert (str(planned.version), planned.issued_on, planned.edition) == ("1.0.1", today, 1)
    assert not planned.is_scheduled
    corrected = [V100, Published(planned.version, planned.edition)]
    revision = next_version("2025-26-Q1", corrected, calendar, date(2026, 9, 17))
    assert revision is not None
    assert str(revision.version) == "1.1.0"


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_what_is_not_scheduled_needs_a_reason(reason: str | None) -> None:
    with pytest.raises(VersionError, match="needs a reason"):
        next_version(
            "2025-26-Q1", [V100], read_calendar(SEED), date(2026, 1, 20), change=MAJOR, reason=reason
        )


def test_nothing_published_cannot_be_corrected_and_a_quarter_without_a_day_is_not_published() -> None:
    with pytest.raises(VersionError, match="never published"):
        next_version("2025-26-Q1", [], read_calendar(SEED), date(2026, 1, 20), change=PATCH, reason="Why.")
    with pytest.raises(VersionError, match="no day for 2040-41-Q1"):
        next_version("2040-41-Q1", [], read_calendar(SEED), date(2041, 1, 20))


def test_the_number_of_a_withdrawn_version_is_not_given_again() -> None:
    withdrawn_too = [Published(Version(1, 0, 0), 1), Published(Version(1, 0, 1), 1)]
    planned = next_version(
        "2025-26-Q1", withdrawn_too, read_calendar(SEED), date(2026, 1, 20), change=PATCH, reason="Why."
    )
    assert planned is not None
    assert str(planned.version) == "1.0.2"


# --- the calendar itself


def faults_of(calendar: tuple[Edition, ...]) -> list[str]:
    """What is wrong with a calendar: days off, reviews not over, days not announced four weeks ahead."""
    reference = Reference.load()
    faults = []
    for each in calendar:
        quarter = Period.parse(each.period_code)
        review = reference.cycle_on(quarter.last_day).review_due_on(quarter)
        if each.publish_on < add_working_days(review, 5):
            faults.append(f"{each.period_code} {each.edition}: before the review is over and approved")
        faults += [
            f"{each.period_code} {each.edition}: {day} is no working day"
            for day in (each.publish_on, each.announced_on)
            if not is_working_day(day)
        ]
        if each.announced_on + timedelta(days=28) > each.publish_on:
            faults.append(f"{each.period_code} {each.edition}: announced too late")
        earlier = [e for e in calendar if e.period_code == each.period_code and e.edition == each.edition - 1]
        if each.edition > 1 and (not earlier or earlier[0].publish_on >= each.publish_on):
            faults.append(f"{each.period_code} {each.edition}: no earlier edition before it")
    return faults


def test_the_calendar_keeps_its_promises_for_three_years() -> None:
    calendar = read_calendar(SEED)
    assert faults_of(calendar) == []
    quarters = quarters_between(Period.parse("2025-26-Q1"), Period.parse("2027-28-Q4"))
    assert {(each.period_code, each.edition) for each in calendar} == {
        (quarter.code, edition) for quarter in quarters for edition in (1, 2)
    }


def test_all_quarters_of_a_year_are_revised_on_the_day_of_the_next_years_first() -> None:
    by_key = {(each.period_code, each.edition): each.publish_on for each in read_calendar(SEED)}
    for (code, edition), day in by_key.items():
        next_year = Period.parse(code.rpartition("-")[0] + "-Q4").next().code
        if edition == 2 and (next_year, 1) in by_key:
            assert day == by_key[next_year, 1]


@pytest.mark.parametrize(
    ("day", "announced", "fault"),
    [
        ("2025-09-20", "2025-04-01", "no working day"),  # a Saturday
        ("2025-12-26", "2025-04-01", "no working day"),  # Boxing Day
        ("2025-09-09", "2025-04-01", "before the review"),
        ("2025-09-18", "2025-09-01", "too late"),
    ],
)
def test_a_bad_day_of_the_calendar_is_found(day: str, announced: str, fault: str) -> None:
    planted = Edition(
        "2025-26-Q1", 1, date.fromisoformat(day), date.fromisoformat(announced), "first publication"
    )
    assert any(fault in found for found in faults_of((planted,)))


def test_a_calendar_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    path = tmp_path / "release_calendar.csv"
    path.write_text(SEED.read_text(encoding="utf-8").replace("2025-12-18", "18 December"), encoding="utf-8")
    with pytest.raises(VersionError, match="row 4"):
        read_calendar(path)

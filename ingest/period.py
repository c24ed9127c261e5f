"""Periods, quarters, financial years, working days and deadlines: the only date logic of the project.

Belongs here: what a period is and when things fall due. Does not: the present time (see ingest/clock.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

_CODE = re.compile(r"(\d{4})-(\d{2})-(Q[1-4]|H[12]|FY)\Z")
# First month (financial year starts in April; 13 is January of the next year) and length in months of
# each part.
_PARTS: dict[str, tuple[int, int]] = {
    "Q1": (4, 3),
    "Q2": (7, 3),
    "Q3": (10, 3),
    "Q4": (13, 3),
    "H1": (4, 6),
    "H2": (10, 6),
    "FY": (4, 12),
}
_KINDS = {"Q": "quarter", "H": "half", "F": "year"}
_CYCLE_OF_KIND = {"quarter": ("Q1", "Q2", "Q3", "Q4"), "half": ("H1", "H2"), "year": ("FY",)}
_MEND = "write it like 2025-26-Q1, 2025-26-H1 or 2025-26-FY"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, order=True)
class Period:
    """A part of a financial year, or the whole of it. Ordered by first day, then last day."""

    first_day: date
    last_day: date
    code: str = field(compare=False)
    financial_year: str = field(compare=False)
    part: str = field(compare=False)

    @classmethod
    def parse(cls, code: str) -> Period:
        """Read a period_code such as 2025-26-Q1. Raises ValueError, saying how to mend it."""
        return _parse(code)

    @classmethod
    def of(cls, day: date, kind: str = "quarter") -> Period:
        """Return the quarter, half or year (kind) that a day falls in."""
        if kind not in _CYCLE_OF_KIND:
            raise ValueError(f"{kind!r} is not a kind of period; use quarter, half or year.")
        start_year = day.year if day.month >= 4 else day.year - 1
        month = (day.month - 4) % 12  # months since April
        parts = _CYCLE_OF_KIND[kind]
        return _build(start_year, parts[month * len(parts) // 12])

    @property
    def start_year(self) -> int:
        """Calendar year in which the financial year starts."""
        return int(self.financial_year[:4])

    @property
    def kind(self) -> str:
        """One of quarter, half, year."""
        return _KINDS[self.part[0]]

    @property
    def quarter_index(self) -> int | None:
        """Number of the quarter, one apart for neighbours; None for halves and years."""
        return self.start_year * 4 + int(self.part[1]) - 1 if self.kind == "quarter" else None

    @property
    def label(self) -> str:
        """How a period is shown, such as "April to June 2025 (2025/26 Q1)"."""
        first, last = self.first_day, self.last_day
        year = f" {first.year}" if first.year != last.year else ""
        short = self.financial_year.replace("-", "/")
        part = "" if self.part == "FY" else f" {self.part}"
        return f"{_MONTHS[first.month - 1]}{year} to {_MONTHS[last.month - 1]} {last.year} ({short}{part})"

    def next(self) -> Period:
        """Return the next period of the same kind."""
        return self._step(1)

    def previous(self) -> Period:
        """Return the period of the same kind before this one."""
        return self._step(-1)

    def year_ago(self) -> Period:
        """Return the same part of the financial year before."""
        return _build(self.start_year - 1, self.part)

    def contains(self, other: Period) -> bool:
        """Say whether the other period lies wholly inside this one."""
        return self.first_day <= other.first_day and other.last_day <= self.last_day

    def _step(self, step: int) -> Period:
        parts = _CYCLE_OF_KIND[self.kind]
        years, place = divmod(parts.index(self.part) + step, len(parts))
        return _build(self.start_year + years, parts[place])

    def __str__(self) -> str:
        """Return the period_code."""
        return self.code


@cache
def _parse(code: str) -> Period:
    match = _CODE.match(code) if isinstance(code, str) else None
    if match is None:
        raise ValueError(f"{code!r} is not a period; {_MEND}.")
    start_year, end_year, part = int(match[1]), int(match[2]), match[3]
    if not 1900 <= start_year <= 9000:
        raise ValueError(f"{code!r} is not a period of this service; {_MEND}.")
    if (start_year + 1) % 100 != end_year:
        raise ValueError(
            f"{code!r} is not a financial year: {start_year} is followed by "
            f"{(start_year + 1) % 100:02d}; {_MEND}."
        )
    return _build(start_year, part)


@cache
def _build(start_year: int, part: str) -> Period:
    month, length = _PARTS[part]
    year = f"{start_year}-{(start_year + 1) % 100:02d}"
    return Period(
        first_day=_first_of_month(start_year, month),
        last_day=_first_of_month(start_year, month + length) - timedelta(days=1),
        code=f"{year}-{part}",
        financial_year=year,
        part=part,
    )


def _first_of_month(year: int, month: int) -> date:
    """Return the first day of a month; month 13 is January of the next year."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def quarters_between(first: Period, last: Period) -> list[Period]:
    """Return every quarter from the first to the last, both included; empty if last comes before first."""
    for period in (first, last):
        if period.kind != "quarter":
            raise ValueError(f"{period.code} is not a quarter; give quarters, such as 2025-26-Q1.")
    quarters = []
    quarter = first
    while quarter <= last:
        quarters.append(quarter)
        quarter = quarter.next()
    return quarters


# --- working days ------------------------------------------------------------------------------------------

_SUBDIVISION = {"england_wales": "ENG"}  # England and Wales share their bank holidays


@cache
def _bank_holidays(year: int, calendar: str) -> frozenset[date]:
    if calendar not in _SUBDIVISION:
        raise ValueError(f"{calendar!r} is not a calendar of working days; use england_wales.")
    import holidays  # imported here because most commands never ask for a deadline

    return frozenset(holidays.country_holidays("GB", subdiv=_SUBDIVISION[calendar], years=year))


def is_working_day(day: date, calendar: str = "england_wales") -> bool:
    """Say whether a day is neither a Saturday, a Sunday nor a bank holiday."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year, calendar)


def add_working_days(day: date, n: int, calendar: str = "england_wales") -> date:
    """Return the n-th working day after a day (before it, if n is negative). n = 0 gives the day itself."""
    step = timedelta(days=1 if n >= 0 else -1)
    left = abs(n)
    while left:
        day += step
        if is_working_day(day, calendar):
            left -= 1
    return day


def working_days_between(start: date, end: date, calendar: str = "england_wales") -> int:
    """Count the working days after start up to and including end; negative if end comes before start."""
    if end < start:
        return -working_days_between(end, start, calendar)
    return sum(
        is_working_day(start + timedelta(days=offset), calendar)
        for offset in range(1, (end - start).days + 1)
    )


def working_day_numbers(
    first: date, last: date, calendar: str = "england_wales"
) -> list[tuple[date, bool, int]]:
    """Return each day, whether it is a working day, and how many there are from the first through it.

    The n-th working day after a day is the one whose number is n higher.
    """
    days, number = [], 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        is_working = is_working_day(day, calendar)
        number += is_working
        days.append((day, is_working, number))
    return days


@dataclass(frozen=True)
class Cycle:
    """When a quarter's steps fall due. One row of the seed cycle_rules, in force between its dates."""

    rule_version: int
    effective_from: date
    effective_to: date | None
    basis: str
    reporting_starts_on: date
    returns_due_working_days: int
    review_due_working_days: int
    data_check_working_days: int
    publish_at: str
    quarantine_days: int

    def returns_due_on(self, period: Period) -> date:
        """Return the last day on which a return for the period is in time."""
        return add_working_days(period.last_day, self.returns_due_working_days)

    def review_due_on(self, period: Period) -> date:
        """Return the day by which the joint local review of the period is due."""
        return add_working_days(self.returns_due_on(period), self.review_due_working_days)

    def data_check_due_on(self, detected_on: date) -> date:
        """Return the day by which a body has checked the figures behind a detection."""
        return add_working_days(detected_on, self.data_check_working_days)

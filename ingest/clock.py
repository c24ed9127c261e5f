"""Where "now" comes from. A clock is passed in, so that a run can be repeated exactly.

Belongs here: clocks. Does not: anything about periods or deadlines (see ingest/period.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

LONDON = "Europe/London"


class Clock(Protocol):
    """Anything that tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, timezone aware, in UTC."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still, for tests and for repeatable runs."""

    instant: datetime

    def __post_init__(self) -> None:
        """Refuse an instant without a timezone, and hold it in UTC."""
        object.__setattr__(self, "instant", as_utc(self.instant))

    def now(self) -> datetime:
        """Return the fixed instant in UTC."""
        return self.instant


def as_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC. Raises ValueError if it has no timezone."""
    if instant.tzinfo is None:
        raise ValueError(f"The time {instant.isoformat()} has no timezone; add one, such as Z for UTC.")
    return instant.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant such as 2025-08-01T09:30:00Z. Raises ValueError, saying how to mend it."""
    try:
        return as_utc(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an instant in UTC; write it like 2025-08-01T09:30:00Z.") from error


def format_instant(instant: datetime) -> str:
    """Write an instant as ISO 8601 in UTC, always with microseconds, so that text sorts as time does."""
    return as_utc(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@cache
def _london() -> ZoneInfo:
    return ZoneInfo(LONDON)


def local_day(instant: datetime) -> date:
    """Return the calendar day in England and Wales on which an instant falls. Deadlines are counted in it."""
    return instant.astimezone(_london()).date()

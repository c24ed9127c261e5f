"""Which version of a release comes next: from what was published and from the release calendar.

Belongs here: version numbers and the calendar of publications. Does not: whether a version may be published
(orchestration), what time it is.

Major: the meaning or the columns change. Minor: new figures, on a day of the calendar. Patch: a correction.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FIRST, MINOR, PATCH, MAJOR = "first", "minor", "patch", "major"
#: A scheduled revision is drafted this long before its day, so that it can be audited and approved.
DRAFTED_DAYS_BEFORE = 14
_TEXT = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)\Z")
_COLUMNS = ("period_code", "edition", "publish_on", "announced_on", "reason")


class VersionError(ValueError):
    """There is no such version, or none may come next; the message says why and what to do."""


@dataclass(frozen=True, order=True)
class Version:
    """The number of a version: major.minor.patch. Ordered as versions are, not as text."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read 1.0.0 or v1.0.0. Raises VersionError, saying how to write it."""
        match = _TEXT.match(text.strip())
        if match is None:
            raise VersionError(f"{text!r} is not a version; write it like 1.0.0.")
        return cls(*(int(part) for part in match.groups()))

    def after(self, change: str) -> Version:
        """The version that follows this one after a change of that kind (MAJOR, MINOR or PATCH)."""
        if change == MAJOR:
            return Version(self.major + 1, 0, 0)
        if change == MINOR:
            return Version(self.major, self.minor + 1, 0)
        if change == PATCH:
            return Version(self.major, self.minor, self.patch + 1)
        raise VersionError(f"{change!r} is no kind of change; it is {MAJOR}, {MINOR} or {PATCH}.")

    def __str__(self) -> str:
        """As it is written: 1.0.0."""
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST_VERSION = Version(1, 0, 0)


@dataclass(frozen=True)
class Edition:
    """One row of the release calendar: a quarter is published on a day that was announced before."""

    period_code: str
    edition: int
    publish_on: dt.date
    announced_on: dt.date
    reason: str


@dataclass(frozen=True)
class Published:
    """A version that was published once, superseded and withdrawn ones included, and its edition."""

    version: Version
    edition: int


@dataclass(frozen=True)
class Planned:
    """A version that may be drafted. `issued_on` dates its files, and it is not published before that day.

    `previous` is the highest version published before, if any.
    """

    period_code: str
    version: Version
    previous: Version | None
    edition: int
    change: str
    issued_on: dt.date
    reason: str

    @property
    def is_scheduled(self) -> bool:
        """True for a day of the calendar, false for a correction or a change of meaning."""
        return self.change in (FIRST, MINOR)


def read_calendar(path: Path) -> tuple[Edition, ...]:
    """Read the seed release_calendar. Raises VersionError, naming file and row, for what cannot be read."""
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise VersionError(f"{path} has the columns {reader.fieldnames}; write {', '.join(_COLUMNS)}.")
        found = []
        for number, row in enumerate(reader, 2):
            try:
                found.append(
                    Edition(
                        row["period_code"],
                        int(row["edition"]),
                        dt.date.fromisoformat(row["publish_on"]),
                        dt.date.fromisoformat(row["announced_on"]),
                        row["reason"],
                    )
                )
            except ValueError as error:
                raise VersionError(f"{path}, row {number}: {error}; write days like 2025-09-18.") from error
    return tuple(sorted(found, key=lambda each: (each.period_code, each.edition)))


def editions_of(period_code: str, calendar: Iterable[Edition]) -> list[Edition]:
    """The editions of a quarter, in order."""
    return sorted(
        (each for each in calendar if each.period_code == period_code), key=lambda each: each.edition
    )


def next_version(
    period_code: str,
    published: Sequence[Published],
    calendar: Iterable[Edition],
    today: dt.date,
    *,
    change: str | None = None,
    reason: str | None = None,
) -> Planned | None:
    """The version to draft now, or None if the calendar has no day for one yet.

    Without `change` it is the next edition of the calendar: the first publication at any time, a revision
    from a fortnight before its day. With PATCH or MAJOR it is an unscheduled version of today, which needs a
    reason. Raises VersionError if that version cannot be.
    """
    last = max(published, key=lambda each: each.version, default=None)
    if change is not None:
        if change not in (PATCH, MAJOR):
            raise VersionError(f"Only a {PATCH} or a {MAJOR} version is asked for; others are scheduled.")
        if last is None:
            raise VersionError(
                f"{period_code} was never published, so there is nothing to correct; build its first version."
            )
        if not (reason or "").strip():
            raise VersionError(f"A {change} version is not scheduled, so it needs a reason; add one.")
        return Planned(
            period_code,
            last.version.after(change),
            last.version,
            last.edition,
            change,
            today,
            str(reason).strip(),
        )
    done = max((each.edition for each in published), default=0)
    following = next((each for each in editions_of(period_code, calendar) if each.edition > done), None)
    if following is None:
        if last is None:
            raise VersionError(f"The release calendar has no day for {period_code}; add one and announce it.")
        return None
    if last is not None and following.publish_on > today + dt.timedelta(days=DRAFTED_DAYS_BEFORE):
        return None
    return Planned(
        period_code,
        FIRST_VERSION if last is None else last.version.after(MINOR),
        last.version if last else None,
        following.edition,
        FIRST if last is None else MINOR,
        following.publish_on,
        (reason or "").strip() or following.reason,
    )

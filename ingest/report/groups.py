"""A verdict as a person takes it in: counts first, then one group a rule, with its first places.

Belongs here: grouping and wording that every form of the report shares. Does not: markup or workbooks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ingest.acceptance.verdict import SHOWN_PER_RULE, Problem, Verdict, alike_problems, rows_in_words

HEADLINES = {
    "accepted": "Accepted",
    "accepted_with_warnings": "Accepted, with warnings",
    "rejected": "Rejected",
    "quarantined": "Rejected and kept apart",
}
_LISTED_COLUMNS = 6


@dataclass(frozen=True)
class Group:
    """All that one rule found. `problems` are those listed in the verdict, `total` counts them all."""

    code: str
    severity: str
    message: str
    remedy: str
    total: int
    problems: tuple[Problem, ...]

    @property
    def shown(self) -> tuple[Problem, ...]:
        """The first places, as many as a report shows."""
        return self.problems[:SHOWN_PER_RULE]

    @property
    def more(self) -> int:
        """How many places are not shown."""
        return self.total - len(self.shown)

    @cached_property
    def _alike(self) -> list[list[Problem]]:
        return alike_problems(self.problems)[:SHOWN_PER_RULE]

    @property
    def lines(self) -> list[tuple[str, Problem]]:
        """The first places with their rows in words: those that differ in their row alone are one."""
        return [(rows_in_words(alike), alike[0]) for alike in self._alike]

    @property
    def unlisted(self) -> int:
        """How many places are in none of the lines."""
        return self.total - sum(len(alike) for alike in self._alike)

    @property
    def spread(self) -> str:
        """Where the places are, sheet and column by how often."""
        counts: dict[tuple[str | None, str | None], int] = {}
        for problem in self.problems:
            place = (problem.sheet, problem.column_name)
            counts[place] = counts.get(place, 0) + 1
        often = sorted(counts.items(), key=lambda item: -item[1])
        told = [
            f"{', '.join(part for part in place if part) or 'the file'}: {number:,}"
            for place, number in often[:_LISTED_COLUMNS]
        ]
        if len(often) > _LISTED_COLUMNS:
            told.append("and elsewhere")
        text = "; ".join(told)
        if self.total > len(self.problems):
            text = f"of the first {len(self.problems):,}, {text}"
        return text


def groups_of(verdict: Verdict, severity: str | None = None) -> tuple[Group, ...]:
    """Return the groups of a verdict, errors before warnings, each in the order of the rules."""
    by_rule: dict[str, list[Problem]] = {}
    for problem in verdict.problems:
        by_rule.setdefault(problem.rule_code, []).append(problem)
    groups = [
        Group(
            code=code,
            severity=problems[0].severity,
            message=problems[0].message,
            remedy=problems[0].remedy,
            total=verdict.counts.get(code, len(problems)),
            problems=tuple(problems),
        )
        for code, problems in by_rule.items()
    ]
    wanted = ("error", "warning") if severity is None else (severity,)
    return tuple(group for level in wanted for group in groups if group.severity == level)


def next_step(verdict: Verdict, *, is_check: bool) -> str:
    """Return what the sender does now, in a sentence or two: before sending (is_check), or after."""
    return (_before_sending if is_check else _after_sending)(verdict)


def _before_sending(verdict: Verdict) -> str:
    if verdict.outcome == "accepted":
        return "Nothing needs mending: the file can be sent."
    if verdict.outcome == "accepted_with_warnings":
        return "The file can be sent as it is. Look at the warnings first; if a figure is wrong, correct it."
    if verdict.outcome == "quarantined":
        return (
            "Sent as it is, the file would be rejected as a whole and kept apart. Take out what is named "
            "below, and check it again."
        )
    if not verdict.is_readable:
        return "The file could not be read, so its figures were not looked at."
    return "Sent as it is, no row of the file would be accepted. Mend every error, and check it again."


def _after_sending(verdict: Verdict) -> str:
    if verdict.outcome == "accepted":
        return "Nothing needs mending."
    if verdict.outcome == "accepted_with_warnings":
        return (
            "The return counts as it stands. Look at the warnings; if a figure is wrong, correct it and send "
            "the whole return again: the new one then takes the place of this one."
        )
    if verdict.outcome == "quarantined":
        return (
            "No row of this file was accepted, and it is kept apart until it is deleted. Take out what is "
            "named below and send the whole return again."
        )
    earlier = "A return that was accepted earlier for the same period stays in force until then."
    if not verdict.is_readable:
        return f"The file could not be read, so its figures were not looked at. {earlier}"
    return f"No row of this file was accepted. Mend every error and send the whole return again. {earlier}"


def facts_of(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """Return what is known of the return, as (name, value)."""
    read, accepted = sum(verdict.rows_read.values()), sum(verdict.rows_accepted.values())
    facts = [
        ("File", verdict.file_name),
        ("Kind of return", verdict.kind),
        ("Form version", verdict.form_version),
        ("Sender", verdict.sender_code),
        ("Period", verdict.period_code),
        ("Rows read", ", ".join(f"{sheet} {number:,}" for sheet, number in verdict.rows_read.items())),
        ("Rows accepted", f"{accepted:,} of {read:,}" if verdict.rows_read else None),
    ]
    return tuple((name, str(value)) for name, value in facts if value not in (None, ""))


def plural(number: int, word: str) -> str:
    """Return a number with its word: 1 error, 2 errors, 1,000 errors."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"

"""The verdict on a return: every problem at once, as text for a person and as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN_PER_RULE = 20
_RULES_WITHOUT_LIST = 3
"""With more rules than these, the text lists them with their counts before it goes into each."""
_RUNS_SHOWN = 10
OUTCOMES = ("accepted", "accepted_with_warnings", "rejected", "quarantined")
_HEADLINES = {
    "accepted": "ACCEPTED",
    "accepted_with_warnings": "ACCEPTED, WITH WARNINGS",
    "rejected": "REJECTED",
    "quarantined": "REJECTED AND KEPT APART",
}


@dataclass(frozen=True)
class Problem:
    """One broken rule at one place. Nothing in it is personal data."""

    rule_code: str
    severity: str
    sheet: str | None
    row_number: int | None
    column_name: str | None
    found: str
    expected: str
    remedy: str
    message: str

    @property
    def place(self) -> str:
        """Where it is, in words."""
        parts = [self.sheet, f"row {self.row_number}" if self.row_number else None, self.column_name]
        return ", ".join(part for part in parts if part) or "the file"


@dataclass(frozen=True)
class Verdict:
    """What a return was judged to be.

    `problems` holds every problem, but of one rule no more than a fixed number; `counts` has the true
    numbers. `is_readable` is False where the file could not be read, so that its content was never judged.
    """

    outcome: str
    problems: tuple[Problem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    is_readable: bool = True
    file_name: str = ""
    kind: str | None = None
    form_version: int | None = None
    sender_code: str | None = None
    period_code: str | None = None
    rows_read: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_accepted(self) -> bool:
        """Say whether the return is accepted, with or without warnings."""
        return self.outcome in ("accepted", "accepted_with_warnings")

    @property
    def rows_accepted(self) -> Mapping[str, int]:
        """Rows accepted a sheet: all of them or none."""
        return self.rows_read if self.is_accepted else dict.fromkeys(self.rows_read, 0)

    @property
    def problem_count(self) -> int:
        """Number of problems found, those not listed included."""
        return sum(self.counts.values())

    def count(self, severity: str) -> int:
        """Return the number of errors, or of warnings, those not listed included."""
        severities = {problem.rule_code: problem.severity for problem in self.problems}
        return sum(number for code, number in self.counts.items() if severities.get(code) == severity)

    @property
    def exit_code(self) -> int:
        """0 accepted, 1 rejected, 2 could not be read."""
        return 2 if not self.is_readable else 0 if self.is_accepted else 1

    def to_text(self) -> str:
        """Return the report a sender reads: counts first, then rule by rule with the first places of each."""
        errors, warnings = self.count("error"), self.count("warning")
        lines = [f"{_HEADLINES[self.outcome]}: {_plural(errors, 'error')}, {_plural(warnings, 'warning')}."]
        known = [
            f"{name} {value}"
            for name, value in (
                ("kind", self.kind),
                ("form version", self.form_version),
                ("sender", self.sender_code),
                ("period", self.period_code),
            )
            if value is not None
        ]
        if known:
            lines.append(f"Return: {', '.join(known)}.")
        if self.rows_read:
            rows = ", ".join(f"{sheet} {count:,}" for sheet, count in self.rows_read.items())
            lines.append(f"Rows read: {rows}.")
        by_rule = self._by_rule()
        if len(by_rule) > _RULES_WITHOUT_LIST:
            width = max(len(f"{count:,}") for count in self.counts.values())
            lines += ["", "How many, by rule:"]
            lines += [
                f"  {self.counts[code]:>{width},}  {code} {problems[0].severity}: {problems[0].message}"
                for code, problems in by_rule.items()
            ]
        for code, problems in by_rule.items():
            lines += ["", *self._rule_lines(code, problems)]
        return "\n".join(lines) + "\n"

    def _by_rule(self) -> dict[str, list[Problem]]:
        """Return the problems of every rule, errors before warnings."""
        by_rule: dict[str, list[Problem]] = {}
        for severity in ("error", "warning"):
            for problem in self.problems:
                if problem.severity == severity:
                    by_rule.setdefault(problem.rule_code, []).append(problem)
        return by_rule

    def _rule_lines(self, code: str, problems: list[Problem]) -> list[str]:
        total = self.counts[code]
        first = problems[0]
        lines = [
            f"{code} {first.severity}, {_plural(total, 'place')}: {first.message}",
            f"  To mend: {first.remedy}",
        ]
        alike = alike_problems(problems)
        for shown in alike[:SHOWN_PER_RULE]:
            said = [f"found {shown[0].found}"] if shown[0].found else []
            said += [f"expected {shown[0].expected}"] if shown[0].expected else []
            lines.append(f"  - {_places(shown)}: {'; '.join(said)}")
        left = total - sum(len(shown) for shown in alike[:SHOWN_PER_RULE])
        if left:
            lines.append(f"  - and {left:,} more")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        return {
            "outcome": self.outcome,
            "is_readable": self.is_readable,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "kind": self.kind,
            "form_version": self.form_version,
            "sender_code": self.sender_code,
            "period_code": self.period_code,
            "rows_read": dict(self.rows_read),
            "rows_accepted": dict(self.rows_accepted),
            "counts": dict(self.counts),
            "problems": [asdict(problem) for problem in self.problems],
        }

    def to_json(self) -> str:
        """Return the verdict as JSON, indented, ending in a line break."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def alike_problems(problems: Iterable[Problem]) -> list[list[Problem]]:
    """Return the problems of a rule in order, those together that differ in their row alone."""
    groups: dict[tuple[str | None, ...], list[Problem]] = {}
    for problem in problems:
        told = (problem.sheet, problem.column_name, problem.found, problem.expected)
        groups.setdefault(told, []).append(problem)
    return list(groups.values())


def _places(problems: list[Problem]) -> str:
    """Return where problems are that differ in their row alone, such as "metrics, rows 2, 5 to 9, met"."""
    if len({problem.row_number for problem in problems}) < 2:
        return problems[0].place
    where = f"rows {rows_in_words(problems)}"
    return ", ".join(part for part in (problems[0].sheet, where, problems[0].column_name) if part)


def rows_in_words(problems: Iterable[Problem]) -> str:
    """Return the rows of problems, such as "2, 5 to 9"; of very many runs the first ones."""
    rows = sorted({problem.row_number for problem in problems if problem.row_number})
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1][1:] = [row]
        else:
            runs.append([row])
    shown = [(" to " if run[-1] > run[0] + 1 else ", ").join(map(str, run)) for run in runs[:_RUNS_SHOWN]]
    more = len(rows) - sum(run[-1] - run[0] + 1 for run in runs[:_RUNS_SHOWN])
    return ", ".join(shown) + (f" and {more:,} more" if more else "")

"""What the rules have found in one return, counted in full and listed up to a limit.

Belongs here: collecting and ordering problems. Does not: the rules, or how a report is laid out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ingest.acceptance.registry import GROUPS, RULES, Finding, rules_of
from ingest.acceptance.verdict import Problem, Verdict

MAX_PROBLEMS_PER_RULE = 1_000


class Found:
    """Collects the problems, at most so many a rule, and counts them all."""

    def __init__(self, problems: Iterable[Problem] = (), counts: Mapping[str, int] | None = None) -> None:
        """Start with what was found before, if anything was."""
        self.problems = list(problems)
        self.counts = dict(counts or {})

    def add(self, code: str, finding: Finding, sheet: str | None) -> None:
        """Note one finding of a rule, under the name its sheet may be shown by."""
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MAX_PROBLEMS_PER_RULE:
            rule = RULES[code]
            self.problems.append(
                Problem(
                    rule_code=code,
                    severity=rule.severity,
                    sheet=sheet,
                    row_number=finding.row,
                    column_name=finding.column,
                    found=finding.found,
                    expected=finding.expected,
                    remedy=rule.remedy,
                    message=rule.message,
                )
            )

    @property
    def has_errors(self) -> bool:
        """Say whether anything found rejects the return."""
        return any(RULES[code].severity == "error" for code in self.counts)

    def outcome(self) -> str:
        """Return what becomes of the return: one of verdict.OUTCOMES."""
        if any(RULES[code].quarantines for code in self.counts):
            return "quarantined"
        if self.has_errors:
            return "rejected"
        return "accepted_with_warnings" if self.counts else "accepted"

    def ordered_counts(self) -> dict[str, int]:
        """Return how often each rule was broken, by group and code."""
        return {code: self.counts[code] for code in sorted(self.counts, key=rule_order)}


def rule_order(code: str) -> tuple[int, str]:
    """Return where a rule stands among all: by group, then code."""
    return GROUPS.index(RULES[code].group), code


def judged_further(verdict: Verdict, stage: str, subject: Any) -> Verdict:
    """Return a verdict with what the rules of a later stage find in their subject added to it."""
    found = Found(verdict.problems, verdict.counts)
    for rule in rules_of(stage):
        for finding in rule.check(subject):
            found.add(rule.code, finding, finding.sheet)
    problems = sorted(found.problems, key=lambda problem: rule_order(problem.rule_code))
    return replace(verdict, outcome=found.outcome(), problems=tuple(problems), counts=found.ordered_counts())

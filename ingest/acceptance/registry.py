"""The register of acceptance rules.

A rule is a function that yields what it finds; its code never changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

GROUPS = ("file", "identity", "shape", "figures", "person")
STAGES = ("facts", "content", "cover", "tables", "person", "comparison", "log")
"""What a rule needs: facts of the unopened file; its sheets (or why they cannot be read); the cover's fields;
tables typed by the form; every text of the file; the return of the period before; the decisions
accepted so far. Stages run in this order, and stop where the next cannot begin."""
_STAGE_OF_GROUP = {
    "file": "facts",
    "identity": "tables",
    "shape": "tables",
    "figures": "tables",
    "person": "person",
}
_CODE = re.compile(r"[A-Z]+-\d{3}\Z")


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken.

    Without a row it is about the whole column, without a column about the whole row, without either about the
    sheet. `found` never holds personal data: see ingest/acceptance/quoting.py.
    """

    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    found: str = ""
    expected: str = ""


Check = Callable[[Any], Iterable[Finding]]
"""What a rule does: with a Submission; with a Comparison or a CaseLog in the last two stages."""


@dataclass(frozen=True)
class Rule:
    """One acceptance rule. An error rejects the return; a warning is shown and does not block.

    `quarantines`: the file is kept apart, for it may hold personal data or do harm.
    """

    code: str
    group: str
    severity: str
    message: str
    remedy: str
    stage: str
    quarantines: bool
    check: Check

    @property
    def name(self) -> str:
        """Name of the rule's function."""
        return self.check.__name__


RULES: dict[str, Rule] = {}


def rule(
    *,
    code: str,
    group: str,
    message: str,
    remedy: str,
    severity: str = "error",
    stage: str | None = None,
    quarantines: bool = False,
) -> Callable[[Check], Check]:
    """Register a function as an acceptance rule.

    Raises ValueError for a code used twice or an unknown group.
    """

    def register(check: Check) -> Check:
        if not _CODE.match(code) or code in RULES:
            raise ValueError(f"The rule code {code} is malformed or used twice.")
        at = stage or _STAGE_OF_GROUP.get(group, "")
        if group not in GROUPS or severity not in ("error", "warning") or at not in STAGES:
            raise ValueError(f"The rule {code} has an unknown group, severity or stage.")
        RULES[code] = Rule(code, group, severity, message, remedy, at, quarantines, check)
        return check

    return register


def rules_of(stage: str) -> list[Rule]:
    """Return the rules of a stage, by group and code."""
    return sorted(
        (rule for rule in RULES.values() if rule.stage == stage),
        key=lambda rule: (GROUPS.index(rule.group), rule.code),
    )

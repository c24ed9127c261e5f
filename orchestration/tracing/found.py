"""What a trace finds: the figure, the rows it is the sum of, and what is known of each.

What belongs here: the shape. What does not: finding and telling it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestration.tracing.question import Question

Value = object


@dataclass(frozen=True)
class Row:
    """One row of a return: its place in the file, what it says, and the counts it brings into the figure."""

    receipt_id: str
    sheet: str
    sheet_row: int
    body_code: str
    body_name: str
    pfa_code: str
    area_name: str
    collected_by: str
    counts: Mapping[str, Value]
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Return:
    """One return that brought rows: the file as delivered, and the returns of the same sender it replaced."""

    receipt_id: str
    sha256: str
    file_name: str
    sender_code: str
    sender_name: str
    arrived_at: datetime
    form_kind: str
    form_version: int
    outcome: str
    replaced_receipt_ids: tuple[str, ...]


@dataclass(frozen=True)
class Warned:
    """What acceptance remarked on one of the rows, or on the return as a whole."""

    receipt_id: str
    sheet: str | None
    sheet_row: int | None
    severity: str
    rule_code: str
    message: str


@dataclass(frozen=True)
class Missing:
    """A figure that is not in the sum, and why."""

    sender_code: str
    body_code: str
    pfa_code: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """One quantity of the figure beside what the rows give."""

    column: str
    figure: Value
    from_rows: Value

    @property
    def is_equal(self) -> bool:
        """Whether the rows give the figure; nothing and nothing are equal."""
        return self.figure == self.from_rows


@dataclass(frozen=True)
class Found:
    """One figure with all that it was made from."""

    question: Question
    build_id: str
    mart: str
    figure: Mapping[str, Value]
    comparisons: tuple[Comparison, ...]
    rows: tuple[Row, ...]
    returns: tuple[Return, ...]
    warnings: tuple[Warned, ...]
    missing: tuple[Missing, ...]
    rules: Mapping[str, Value]
    tests: tuple[Mapping[str, Value], ...]
    published: Mapping[str, Value] | None

    @property
    def is_reproduced(self) -> bool:
        """Whether the rows give every quantity of the figure."""
        return all(each.is_equal for each in self.comparisons)

"""Small published tables, row by row, for the tests of the audit. The arithmetic is the rules', done by hand here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quality.disclosure.audit import Audit, audit
from quality.disclosure.ledger import LedgerRow
from quality.disclosure.model import Criteria
from quality.disclosure.rules import Rules

RULES = {
    0: Rules(
        version=0,
        suppress_max=7,
        rounding_base=5,
        whole_percent_n_min=100,
        interval_z=1.959964,
        respondents_min=10,
    )
}
CRITERIA = Criteria(
    small_max=7, small_values=4, small_reach=3, other_values=3, rate_base=20, rate_points=10.0
)
RELEASE = "2025-26-Q1/v1.0.0"
REVISION = "2025-26-Q1/v1.1.0"


def cell(area: str, metric: str = "m", period: str = "2025-26-Q1", body: str = "police") -> str:
    return f"statistic|{body}|{area}|{metric}|{period}|census|all_cases"


def row(cell_id: str | None, column: str, form: str, release: str = RELEASE, **said: Any) -> LedgerRow:
    said = {"measure": None, "rule_version": 0, **said}
    return LedgerRow(
        release, "local_compliance", cell_id or said.pop("key", "total"), column, cell_id, form=form, **said
    )


def rounded(cell_id: str, measure: str, value: int, release: str = RELEASE) -> LedgerRow:
    """A multiple of 5: two below to two above, and never a count that would have been withheld."""
    return row(cell_id, f"{measure}_count", "rounded", release, measure=measure, value=float(value),
               lower=max(value - 2, 8), upper=value + 2)  # fmt: skip


def exact(cell_id: str, measure: str, value: int, release: str = RELEASE) -> LedgerRow:
    return row(
        cell_id,
        f"{measure}_count",
        "rounded",
        release,
        measure=measure,
        value=float(value),
        lower=value,
        upper=value,
    )


def suppressed(cell_id: str, release: str = RELEASE) -> LedgerRow:
    return row(cell_id, "base_count", "suppressed", release, measure="base", text="c", lower=0, upper=7)


def open_high(cell_id: str, limit: int, release: str = RELEASE) -> LedgerRow:
    return row(
        cell_id,
        "rate_band",
        "open_band_high",
        release,
        measure="rate",
        text=f"{limit}% and over",
        lower=limit,
    )


def closed(
    cell_id: str, text: str, lower: int | None, upper: int | None, release: str = RELEASE
) -> LedgerRow:
    return row(
        cell_id, "rate_band", "closed_band", release, measure="rate", text=text, lower=lower, upper=upper
    )


def flag(cell_id: str, form: str, limit: float, release: str = RELEASE) -> LedgerRow:
    side = {"lower": limit} if form == "at_least" else {"upper": limit}
    return row(cell_id, "ground", form, release, measure="rate", value=limit, **side)


def percent(cell_id: str, value: float, decimals: int, release: str = RELEASE) -> LedgerRow:
    """A percentage of the true counts."""
    half = 0.5 * 10**-decimals
    return row(cell_id, "rate_percent", "percent_of_counts", release, measure="rate", value=value, text=f":{decimals}",
               lower=value - half, upper=value + half)  # fmt: skip


def limit_of(cell_id: str, side: str, value: float, decimals: int, release: str = RELEASE) -> LedgerRow:
    """A limit of an interval around the rate of the true counts."""
    return row(cell_id, f"rate_{side}_percent", "interval_of_counts", release, measure="rate", value=value,
               text=f"{side}:{decimals}")  # fmt: skip


def total(members: Iterable[str], value: int, *, measure: str = "base", form: str = "rounded_sum", key: str = "total",
          release: str = RELEASE) -> LedgerRow:  # fmt: skip
    """A sum that was rounded by itself."""
    return row(None, f"{measure}_count", form, release, value=float(value), lower=value - 2, upper=value + 2, key=key,
               members=tuple(f"{member}#{measure}" for member in members))  # fmt: skip


def sum_of_published(members: Iterable[str], value: int, *, measure: str = "base") -> LedgerRow:
    return row(None, f"{measure}_count", "sum_of_published", value=float(value),
               members=tuple(f"{member}#{measure}" for member in members))  # fmt: skip


def true(cell_id: str, base: int, met: int | None = None, release: str = RELEASE) -> dict[str, Any]:
    return {"cell_id": cell_id, "release_id": release, "base_count": base, "met_count": met}


def relation(name: str, kind: str, *terms: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [
        {"relation_id": name, "cell_id": cell_id, "measure": measure, "coefficient": number, "kind": kind}
        for cell_id, measure, number in terms
    ]


def audited(ledger: Iterable[LedgerRow], truth: Iterable[Mapping[str, Any]], relations: Iterable[Mapping[str, Any]] = (),
            *, candidate: str | None = None, **settings: Any) -> Audit:  # fmt: skip
    rows = list(ledger)
    newest = max(row.release_id for row in rows)
    return audit(rows, truth, relations, CRITERIA, rules=RULES, candidate=candidate or newest, **settings)

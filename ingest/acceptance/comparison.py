"""A return beside the sender's return of the period before: sudden changes are told, and block nothing.

Belongs here: the figures of a return that the next one is compared with, and the rules of the stage
comparison. Does not: which return stands before (ingest/receive.py decides that in the order of arrival).
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.acceptance.found import judged_further
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.verdict import Verdict
from ingest.form import FigureSet, Form, Forms, Sheet
from ingest.limits import Limits
from ingest.period import Period
from ingest.reference import TOTAL, AcceptanceRules, Reference
from ingest.typed import Table, type_workbook

if TYPE_CHECKING:
    from ingest.paths import DataRoot
    from ingest.receipts import Receipt

WAY = ("collection_mode", "sampling_frame", "survey_mode")
"""Columns that say how cases were counted or victims asked. Only like is compared with like."""
_GOOD = ("met", "within_limit", "very_good", "good", "yes")
"""Columns of x: the cases or answers that the rate is the share of."""
_EXCLUDED = ("not_suitable", "declined")
_BREAKDOWN = ("crime_type", "characteristic", "characteristic_value")
_ROUNDING = 1e-9
"""What a change may lack of its threshold because fractions are not exact in a computer: 0.7 - 0.4 < 0.3."""
_FILE = "figures.json"
_FORMAT = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TotalFigures:
    """The figures of one total row: of one body, area, metric or question, and way of counting.

    Columns are named as they are stored, whatever the form's version calls them. way holds the row's values
    of WAY, where the sheet has such a column; figures the counts of the row that are given.
    """

    sheet: str
    body_code: str
    pfa_code: str
    item: str
    way: Mapping[str, str | None]
    row_number: int
    needed: tuple[str, ...]
    """Columns that the metric's unit, or the question's set of answers, fills."""
    figures: Mapping[str, int]

    @property
    def series(self) -> tuple[str, str, str, str]:
        """What the row is about, however it was counted."""
        return self.sheet, self.body_code, self.pfa_code, self.item

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What the row is about and how it was counted."""
        return *self.series, *sorted(self.way.items())

    @cached_property
    def n(self) -> int:
        """Cases (or answers, or events) that the figure rests on."""
        return sum(self.figures[name] for name in self.needed)

    @cached_property
    def x(self) -> int | None:
        """Cases in which the right was met, or good answers; None where there is no rate."""
        good = [name for name in self.needed if name in _GOOD]
        return sum(self.figures[name] for name in good) if good else None

    @cached_property
    def excluded(self) -> int:
        """Cases left out of n as not suitable or declined."""
        return sum(self.figures.get(name, 0) for name in _EXCLUDED)


@dataclass(frozen=True)
class ReturnFigures:
    """What the next return of a sender is compared with: its total rows, and a digest of every item.

    digests: (sheet, metric or question) -> digest of all its rows, breakdowns included.
    headers: stored name -> header on the sheet, for the columns that the form calls otherwise.
    """

    period_code: str
    totals: tuple[TotalFigures, ...]
    digests: Mapping[tuple[str, str], str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> dict[tuple[Any, ...], TotalFigures]:
        """Every total row by what it is about and how it was counted; the first of repeated ones."""
        return {total.key: total for total in reversed(self.totals)}

    @cached_property
    def by_series(self) -> dict[tuple[str, str, str, str], list[TotalFigures]]:
        """Every total row by what it is about, however it was counted."""
        series: dict[tuple[str, str, str, str], list[TotalFigures]] = {}
        for total in self.totals:
            series.setdefault(total.series, []).append(total)
        return series

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is worked out on demand, so that a copy sent to another process stays small."""
        return {key: value for key, value in self.__dict__.items() if not key.startswith("by_")}

    def header(self, column: str) -> str:
        """Return what the form calls a column."""
        return self.headers.get(column, column)

    def to_json(self) -> str:
        """Return the figures as JSON, to be read by from_json."""
        values = {
            "format": _FORMAT,
            "period_code": self.period_code,
            "totals": [asdict(total) for total in self.totals],
            "digests": [[*key, digest] for key, digest in self.digests.items()],
            "headers": dict(self.headers),
        }
        return json.dumps(values, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ReturnFigures:
        """Read what to_json wrote. Raises ValueError for anything else."""
        try:
            values = json.loads(text)
            if values["format"] != _FORMAT:
                raise ValueError("written in another format")
            return cls(
                values["period_code"],
                tuple(
                    TotalFigures(**{**total, "needed": tuple(total["needed"])}) for total in values["totals"]
                ),
                {(sheet, item): digest for sheet, item, digest in values["digests"]},
                values["headers"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"Not the figures of a return: {error}.") from error


# --- extraction --------------------------------------------------------------------------------------------


def figures_of(tables: Mapping[str, Table]) -> ReturnFigures | None:
    """Return the figures of a return's typed tables; None if its form has none, or its cover no period.

    Rows whose key or figures cannot be read are left out: other rules tell them.
    """
    with_figures = [table for table in tables.values() if table.sheet.figure_sets and table.sheet.answers]
    period_code = tables["cover"]["period_code"][0] if "cover" in tables else None
    if period_code is None or not with_figures:
        return None
    totals: list[TotalFigures] = []
    digests: dict[tuple[str, str], str] = {}
    headers: dict[str, str] = {}
    for table in with_figures:
        totals += _totals(table)
        digests |= _digests(table)
        headers |= {c.stored_as: c.name for c in table.sheet.columns if c.stored_as != c.name}
    return ReturnFigures(period_code, tuple(totals), digests, headers)


def _stored(sheet: Sheet, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sheet.column(name).stored_as for name in names)


def _totals(table: Table) -> Iterator[TotalFigures]:
    sheet = table.sheet
    names = [sheet.body_column or "", "pfa_code", sheet.answers or ""]
    if not all(sheet.has(name) for name in names):
        return
    columns = [table[name] for name in names]
    breakdown = [table[name] for name in _BREAKDOWN if sheet.has(name)]
    ways = {name: table[name] for name in WAY if sheet.has(name)}
    figures = {sheet.column(name).stored_as: table[name] for name in sheet.figure_columns}
    sets = [(chosen, _stored(sheet, chosen.needs)) for chosen in sheet.figure_sets.values()]
    for index, row_number in enumerate(table.row_numbers):
        if any(cells[index] != TOTAL for cells in breakdown):
            continue
        body, area, item = (cells[index] for cells in columns)
        if body is None or area is None or item is None:
            continue
        given = {name: cells[index] for name, cells in figures.items() if cells[index] is not None}
        needed = _needed(sets, given)
        if needed is None:
            continue
        way = {name: cells[index] for name, cells in ways.items()}
        yield TotalFigures(sheet.name, body, area, item, way, row_number, needed, given)


def _needed(
    sets: Sequence[tuple[FigureSet, tuple[str, ...]]], given: Mapping[str, int]
) -> tuple[str, ...] | None:
    """Return the columns of the set that a row fills whole, or None."""
    return next((needs for _, needs in sets if given.keys() >= set(needs)), None)


def _digests(table: Table) -> dict[tuple[str, str], str]:
    """Return (sheet, metric or question) -> digest of its rows in any order; a row is its key and figures."""
    sheet = table.sheet
    figures = sorted((sheet.column(name).stored_as, name) for name in sheet.figure_columns)
    keys = sorted((sheet.column(name).stored_as, name) for name in sheet.key if name != sheet.answers)
    # Columns that are blank throughout are left out, so that a form that has more of them compares.
    used = [(name, table[header]) for name, header in figures if any(c is not None for c in table[header])]
    keyed = [(name, table[header]) for name, header in keys]
    rows: dict[str, list[str]] = {}
    for index, item in enumerate(table[sheet.answers or ""]):
        if item is not None and any(cells[index] is not None for _, cells in used):
            cells_of_row = [(name, cells[index]) for name, cells in (*keyed, *used)]
            told = repr([(name, cell) for name, cell in cells_of_row if cell is not None])
            rows.setdefault(item, []).append(told)
    return {
        (sheet.name, item): hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()[:32]
        for item, told in sorted(rows.items())
    }


# --- comparing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A return's figures, those of the period before (None: there is no such return), and the thresholds."""

    figures: ReturnFigures
    previous: ReturnFigures | None
    rules: AcceptanceRules

    def pairs(self) -> Iterator[tuple[TotalFigures, TotalFigures]]:
        """Yield every total row that has its like in the period before, and that one."""
        if self.previous is not None:
            for total in self.figures.totals:
                before = self.previous.by_key.get(total.key)
                if before is not None:
                    yield total, before

    def finding(self, total: TotalFigures, column: str, found: str, expected: str) -> Finding:
        """Return a finding at one column of a total row."""
        return Finding(
            total.sheet,
            total.row_number,
            self.figures.header(column),
            f"{total.item}: {found}",
            expected,
        )

    @property
    def before(self) -> str:
        """The period before, as it is told."""
        return f"in {self.previous.period_code}" if self.previous else "before"


def compared(
    verdict: Verdict, figures: ReturnFigures | None, previous: ReturnFigures | None, rules: AcceptanceRules
) -> Verdict:
    """Return a verdict with what the comparison rules find added to it.

    A return that is quarantined, or whose figures could not be read, stays as it is. Comparing never rejects.
    """
    if figures is None or verdict.outcome == "quarantined":
        return verdict
    return judged_further(verdict, "comparison", Comparison(figures, previous, rules))


def _two_shares_z(x1: int, n1: int, x2: int, n2: int) -> float:
    """Return the normal deviate of the difference of two shares, the variance pooled."""
    pooled = (x1 + x2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    return abs(x1 / n1 - x2 / n2) / math.sqrt(variance) if variance else 0.0


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%"


_SAY_WHY = "Check the figures of both periods. If they are right, leave them and say in the note why."


@rule(
    code="FIGURES-018",
    group="figures",
    severity="warning",
    stage="comparison",
    message="The number of cases or answers fell to half or less, or rose by half or more, in one period.",
    remedy=_SAY_WHY,
)
def numbers_are_like_those_before(comparison: Comparison) -> Iterator[Finding]:
    """Tell of n that changed by half or more, beyond what chance does to counts."""
    rules = comparison.rules
    for total, before in comparison.pairs():
        change = abs(total.n - before.n)
        if (
            max(total.n, before.n) >= rules.n_change_n_min
            and change >= rules.n_change_share * before.n - _ROUNDING
            and change >= rules.chance_z * math.sqrt(total.n + before.n)
        ):
            yield comparison.finding(
                total,
                total.needed[0],
                f"{total.n} in all, {before.n} {comparison.before}",
                f"a change of less than {rules.n_change_share:.0%}",
            )


@rule(
    code="FIGURES-019",
    group="figures",
    severity="warning",
    stage="comparison",
    message="The rate changed sharply in one period.",
    remedy=_SAY_WHY,
)
def rates_are_like_those_before(comparison: Comparison) -> Iterator[Finding]:
    """Tell of rates that changed by so many points, beyond what chance does to them."""
    rules = comparison.rules
    for total, before in comparison.pairs():
        if total.x is None or before.x is None or min(total.n, before.n) < max(rules.rate_change_n_min, 1):
            continue
        change = abs(total.x / total.n - before.x / before.n)
        if (
            change >= rules.rate_change_min - _ROUNDING
            and _two_shares_z(total.x, total.n, before.x, before.n) >= rules.chance_z
        ):
            yield comparison.finding(
                total,
                total.needed[0],
                f"{_percent(total.x, total.n)} of {total.n}, "
                f"{_percent(before.x, before.n)} of {before.n} {comparison.before}",
                f"a change of less than {100 * rules.rate_change_min:.0f} points",
            )


def _new_ways(
    comparison: Comparison, columns: Sequence[str]
) -> Iterator[tuple[TotalFigures, str, list[str]]]:
    """Yield total rows that have a value of one of these columns which the period before has not, and the
    values it has.
    """
    if comparison.previous is None:
        return
    for total in comparison.figures.totals:
        earlier = comparison.previous.by_series.get(total.series, [])
        for column in columns:
            values = sorted({value for before in earlier if (value := before.way.get(column)) is not None})
            now = total.way.get(column)
            if values and now is not None and now not in values:
                yield total, column, values


@rule(
    code="FIGURES-020",
    group="figures",
    severity="warning",
    stage="comparison",
    message="Cases are counted, or victims asked, in another way than in the period before.",
    remedy="Check the column. If the way did change, leave it: the two periods are then not one series.",
)
def the_way_of_counting_stays(comparison: Comparison) -> Iterator[Finding]:
    """Tell of changes of collection mode and survey mode."""
    for total, column, values in _new_ways(comparison, ("collection_mode", "survey_mode")):
        yield comparison.finding(
            total, column, f"{total.way[column]}", f"{' or '.join(values)}, as {comparison.before}"
        )


@rule(
    code="FIGURES-021",
    group="figures",
    severity="warning",
    stage="comparison",
    message="Cases are drawn from another frame than in the period before.",
    remedy="Check sampling_frame. If it did change, leave it: the two periods are then not one series.",
)
def the_sampling_frame_stays(comparison: Comparison) -> Iterator[Finding]:
    """Tell of changes of sampling frame."""
    for total, column, values in _new_ways(comparison, ("sampling_frame",)):
        yield comparison.finding(
            total, column, f"{total.way[column]}", f"{' or '.join(values)}, as {comparison.before}"
        )


@rule(
    code="FIGURES-022",
    group="figures",
    severity="warning",
    stage="comparison",
    message="The share of cases left out as not suitable or declined rose sharply in one period.",
    remedy=(
        "Check that every case left out has a lawful good reason, or was the victim's choice. If so, leave "
        "the figures and say in the note what changed."
    ),
)
def exclusions_stay(comparison: Comparison) -> Iterator[Finding]:
    """Tell of exclusions that rose by so many points, beyond what chance does to them."""
    rules = comparison.rules
    for total, before in comparison.pairs():
        if total.x is None:
            continue
        whole, whole_before = total.n + total.excluded, before.n + before.excluded
        if min(whole, whole_before) < max(rules.exclusions_n_min, 1):
            continue
        rise = total.excluded / whole - before.excluded / whole_before
        if (
            rise >= rules.exclusions_rise_min - _ROUNDING
            and _two_shares_z(total.excluded, whole, before.excluded, whole_before) >= rules.chance_z
        ):
            column = next((name for name in _EXCLUDED if total.figures.get(name)), _EXCLUDED[0])
            yield comparison.finding(
                total,
                column,
                f"{_percent(total.excluded, whole)} of {whole} left out, "
                f"{_percent(before.excluded, whole_before)} of {whole_before} {comparison.before}",
                f"a rise of less than {100 * rules.exclusions_rise_min:.0f} points",
            )


@rule(
    code="FIGURES-023",
    group="figures",
    severity="warning",
    stage="comparison",
    message="A rate is exactly 100% of many cases or answers.",
    remedy=(
        "Check that cases in which it was not so are counted too, and not left out of the record. If the "
        "figure is right, leave it and say in the note how it was checked."
    ),
)
def not_everything_is_perfect(comparison: Comparison) -> Iterator[Finding]:
    """Tell of 100% exactly on a large n. Needs no period before."""
    for total in comparison.figures.totals:
        if total.x is not None and total.x == total.n >= max(comparison.rules.whole_n_min, 1):
            yield comparison.finding(
                total, total.needed[0], f"{total.x} of {total.n}", "some case in which it was not so"
            )


@rule(
    code="FIGURES-024",
    group="figures",
    severity="warning",
    stage="comparison",
    message="Every figure of the return is the same as in the period before.",
    remedy=(
        "Check that the return of the period before was not sent again under a new period. If the figures "
        "are right, say so in a note."
    ),
)
def figures_are_not_those_before(comparison: Comparison) -> Iterator[Finding]:
    """Tell of a return whose metrics and questions all repeat those of the period before, breakdowns too.

    Items that only one of the returns has say nothing; too few figures above 0 may agree by chance.
    """
    now, before = comparison.figures, comparison.previous
    if before is None:
        return
    both = [item for item in now.digests if item in before.digests]
    if not both or any(now.digests[item] != before.digests[item] for item in both):
        return
    agreeing = set(both)
    above_0 = sum(
        value > 0
        for total in now.totals
        if (total.sheet, total.item) in agreeing
        for value in total.figures.values()
    )
    if above_0 >= max(comparison.rules.identical_figures_min, 1):
        yield Finding(
            None,
            None,
            None,
            f"{above_0} figures above 0 in total rows, all as {comparison.before}",
            "figures of the period itself",
        )


# --- the return before -------------------------------------------------------------------------------------


def write_figures(tables: Mapping[str, Table], folder: Path) -> None:
    """Write the figures of a return into the folder of its parsed sheets, for the next one to compare with.

    They are a short cut, as much derived as the sheets: figures_of_receipt works them out from the archive
    where they are missing.
    """
    figures = figures_of(tables)
    if figures is not None:
        (folder / _FILE).write_text(figures.to_json(), encoding="utf-8")


def figures_of_receipt(
    root: DataRoot, receipt: Receipt, reference: Reference, forms: Forms, limits: Limits | None = None
) -> ReturnFigures | None:
    """Return the figures of an accepted return, kept when it was judged or parsed again from the archive.

    None where its content was erased or can no longer be read, or its form has no figures. Writes nothing.
    """
    kept = root.raw_return(receipt.sha256) / _FILE
    try:
        return ReturnFigures.from_json(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pass
    form = forms.get(receipt.kind or "", receipt.form_version or 0)
    if form is None or not any(sheet.figure_sets for sheet in form.tables):
        return None
    tables = tables_of_receipt(root, receipt, form, reference, limits)
    return None if tables is None else figures_of(tables)


def tables_of_receipt(
    root: DataRoot, receipt: Receipt, form: Form, reference: Reference, limits: Limits | None = None
) -> dict[str, Table] | None:
    """Return the typed tables of an accepted return, parsed again from the archive; None if that fails."""
    from ingest.archive import ArchiveError, archive_of
    from ingest.readers import Unreadable, inspect, read_workbook

    try:
        path = archive_of(root).get(receipt.sha256, receipt.extension)
        workbook = read_workbook(path, inspect(path), limits or Limits())
    except (ArchiveError, Unreadable) as error:
        # Other steps tell of a damaged archive; what arrives now is not kept waiting for it.
        _log.warning("Receipt %s is not compared with: %s", receipt.receipt_id, type(error).__name__)
        return None
    return type_workbook(form, workbook, reference)


def previous_figures(
    root: DataRoot,
    sender_code: str,
    kind: str,
    period: Period,
    *,
    reference: Reference,
    forms: Forms,
    limits: Limits | None = None,
) -> ReturnFigures | None:
    """Return the figures of the sender's current accepted return of the period before, or None.

    The period before is of the same length as the one given. What was erased is not current. Raises
    LedgerError or RemovalsError if the ledger of the root, or its log of removals, cannot be read.
    """
    from ingest.erasure import erased_receipts, standing
    from ingest.receipts import Ledger

    key = (sender_code, kind, period.previous().code)
    # Of a ledger of years only the sender's own lines are read.
    own = Ledger(root.receipts).read(of_sender=sender_code)
    accepted = [receipt for receipt in own if receipt.is_accepted and receipt.key == key]
    current = standing(accepted, erased_receipts(root))[-1:] if accepted else []
    return figures_of_receipt(root, current[0], reference, forms, limits) if current else None

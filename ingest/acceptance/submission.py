"""What the rules look at: one delivered file, read and typed as far as it could be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from ingest.form import FigureSet, Form, Forms, Sheet
from ingest.limits import Limits
from ingest.period import Period
from ingest.readers import Fault, FileFacts, Workbook
from ingest.reference import TOTAL, Metric, Reference, ReferenceOnDay
from ingest.typed import Table

UNKNOWN_SHEET = "a sheet the form does not know"
PLACES = (
    UNKNOWN_SHEET,
    "a comment",
    "a drawing",
    "a formula or a defined name",
    "a header or footer",
    "a link",
    "a message of a cell",
    "a setting of a sheet",
    "a table or slicer",
    "text left over from former cells",
    "text shown instead of a value",
    "the comment of the zip",
    "the document's properties",
)
"""Where something stands that is in no cell."""


@dataclass(frozen=True)
class Context:
    """What a file is judged against.

    sender_code: the inbox folder's; None when a file is checked outside one.
    """

    reference: Reference
    forms: Forms
    arrived_at: datetime
    sender_code: str | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass
class FigureGroup:
    """Rows that stand for one metric (or question) of one body, area and way of counting."""

    totals: list[int] = field(default_factory=list)
    parts: dict[str, list[int]] = field(default_factory=dict)
    """Breakdown (crime_type or a characteristic) -> row indexes."""


@dataclass(frozen=True)
class UnlikeTotal:
    """A breakdown of one column that does not add up to its total."""

    table: Table
    total_row: int
    breakdown: str
    rows: list[int]
    column: str
    added: int
    total: int


@dataclass
class Submission:
    """One file on its way through the rules."""

    facts: FileFacts
    context: Context
    fault: Fault | None = None
    workbook: Workbook | None = None
    titles: tuple[str, ...] = ()
    """The file's own titles of its sheets, in order. They may name a person: see shown_sheet."""
    cover: dict[str, str] = field(default_factory=dict)
    """Fields of the cover as text, as far as they can be read before the form is known."""
    cover_rows: dict[str, int] = field(default_factory=dict)
    """Row numbers of the cover's fields."""
    form: Form | None = None
    period: Period | None = None
    tables: dict[str, Table] = field(default_factory=dict)
    screened: dict[str, list[tuple[int, str, list[str]]]] = field(default_factory=dict, repr=False)
    """Working store of the person rules: per sheet, the columns whose texts are screened."""
    unlike_totals: list[UnlikeTotal] | None = field(default=None, repr=False)
    """Working store of the figure rules: the breakdowns that do not add up."""

    @property
    def sender_code(self) -> str | None:
        """The sender the cover names, if it is known; else the folder's."""
        named = self.cover.get("sender_code")
        if named in self.context.reference.codes("senders"):
            return named
        return self.context.sender_code

    def shown_sheet(self, name: str | None) -> str | None:
        """Return a sheet as it may be named in a report: the form's names as they are, others by number."""
        if name is None or name in PLACES or name in self._form_sheets:
            return name
        return f"sheet number {self.titles.index(name) + 1}" if name in self.titles else UNKNOWN_SHEET

    @cached_property
    def _form_sheets(self) -> set[str]:
        return {sheet.name for form in self.context.forms for sheet in form.sheets}

    @property
    def view(self) -> ReferenceOnDay | None:
        """Reference data in force for the period, once the period is known."""
        return None if self.period is None else self.context.reference.for_period(self.period)

    @property
    def is_of_the_forms_frequency(self) -> bool:
        """Say whether the cover names a period as long as those that the form is for."""
        return self.form is not None and self.period is not None and self.period.kind == self.form.frequency

    @cached_property
    def served(self) -> tuple[tuple[str, str], ...]:
        """The (body_code, pfa_code) pairs that the sender answers for in this kind of return."""
        if self.view is None or self.form is None or self.sender_code is None:
            return ()
        return self.view.served(self.sender_code, self.form.kind)

    @property
    def form_tables(self) -> list[Table]:
        """The typed tables, in form order, the cover left out."""
        return [table for table in self.tables.values() if table.sheet.layout == "table"]

    @property
    def tables_of_figures(self) -> list[Table]:
        """The typed tables that hold counts for the metrics or questions of the catalogue."""
        return [table for table in self.form_tables if table.sheet.figure_sets and table.sheet.answers]

    def nil_reason(self, sheet: Sheet) -> str | None:
        """Return the cover's reason why a sheet is empty, or None."""
        cover = self.tables.get("cover")
        if cover is None or sheet.nil_reason is None:
            return None
        reason: str | None = cover[sheet.nil_reason][0]
        return reason

    @cached_property
    def _catalogue(self) -> dict[str, Metric]:
        """Every entry of the metric catalogue, in force for the period where there are several versions."""
        metrics = {metric.metric_id: metric for metric in self.context.reference.metrics}
        if self.view is not None:
            metrics.update(self.view.metrics)
        return metrics

    def metric(self, metric_id: str | None) -> Metric | None:
        """Return an entry of the metric catalogue, or None."""
        return None if metric_id is None else self._catalogue.get(metric_id)

    @cached_property
    def figure_sets(self) -> dict[str, dict[str, FigureSet]]:
        """Per sheet with figures: metric or question -> columns that it fills, for those that are known."""
        return {table.sheet.name: self._figure_sets_of(table) for table in self.tables_of_figures}

    def _figure_sets_of(self, table: Table) -> dict[str, FigureSet]:
        sheet = table.sheet
        sets: dict[str, FigureSet] = {}
        for answered in set(table[sheet.answers or ""]):
            metric = self.metric(answered)
            if metric is not None and sheet.figures_chosen_by is not None:
                figures = sheet.figure_sets.get(getattr(metric, sheet.figures_chosen_by))
                if figures is not None:
                    sets[answered] = figures
        return sets

    @cached_property
    def rows_without_figures(self) -> dict[str, frozenset[int]]:
        """Per sheet with figures: indexes of rows that hold none at all, and do not say why.

        Only rows whose metric or question is known, and of whose columns the sheet has some.
        """
        return {table.sheet.name: self._rows_without_figures(table) for table in self.tables_of_figures}

    def _rows_without_figures(self, table: Table) -> frozenset[int]:
        sheet = table.sheet
        rows = list(range(table.row_count))
        for name in filter(None, (*sheet.figure_columns, sheet.not_collected)):
            cells = table[name]
            rows = [index for index in rows if cells[index] is None]
        sets, answered = self.figure_sets[sheet.name], table[sheet.answers or ""]
        unfit = {index for index, name in table.unfit_places if name in sheet.figure_columns}
        absent = set(table.missing_columns)
        return frozenset(
            index
            for index in rows
            if index not in unfit
            and (figures := sets.get(answered[index])) is not None
            and not absent.issuperset(figures.needs)
        )

    @cached_property
    def figure_groups(self) -> dict[str, dict[tuple[Any, ...], FigureGroup]]:
        """Per sheet: key without the breakdown -> its total rows and its parts."""
        return {
            table.sheet.name: _figure_groups(table)
            for table in self.form_tables
            if table.sheet.is_broken_down
        }


BREAKDOWN = ("crime_type", "characteristic", "characteristic_value")


def group_key(sheet: Sheet) -> tuple[str, ...]:
    """Return the key columns of a sheet without its breakdown."""
    return tuple(name for name in sheet.key if name not in BREAKDOWN)


def _figure_groups(table: Table) -> dict[tuple[Any, ...], FigureGroup]:
    groups: dict[tuple[Any, ...], FigureGroup] = {}
    keys = zip(*(table[name] for name in group_key(table.sheet)), strict=True)
    rows = zip(keys, table["crime_type"], table["characteristic"], strict=True)
    for index, (key, crime_type, characteristic) in enumerate(rows):
        group = groups.get(key)
        if group is None:
            group = groups[key] = FigureGroup()
        if crime_type == TOTAL:
            if characteristic == TOTAL:
                group.totals.append(index)
            elif characteristic is not None:
                group.parts.setdefault(characteristic, []).append(index)
        elif crime_type is not None and characteristic == TOTAL:
            group.parts.setdefault("crime_type", []).append(index)
    return groups

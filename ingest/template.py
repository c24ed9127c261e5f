"""The template of a sender: which rows it has for a period, for what it is asked.

Belongs here: what is filled in and what is left to the sender, as data. Does not: what is asked (the form and
the reference data), how it is laid out (ingest/template_workbook.py), or whether a filled-in return is right
(ingest/acceptance).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.files import replacing
from ingest.form import Column, Form, Forms, Sheet
from ingest.period import Period
from ingest.reference import TOTAL, Metric, Reference, ReferenceOnDay
from ingest.template_guidance import meaning_of
from ingest.typed import allowed_codes

if TYPE_CHECKING:
    from ingest.acceptance.comparison import ReturnFigures

BREAKDOWN = ("crime_type", "characteristic", "characteristic_value")


class TemplateError(ValueError):
    """No template can be made for what was asked. The text says why, and what can be asked for."""


@dataclass(frozen=True)
class Row:
    """One row that the template writes: values of the columns filled in, and the columns that stay blank.

    is_optional: it may be cleared or deleted, for it need not be reported.
    """

    values: Mapping[str, str]
    closed: frozenset[str] = frozenset()
    metric: Metric | None = None
    is_optional: bool = False


@dataclass(frozen=True)
class Plan:
    """What a sender's template for a period holds, before it is laid out."""

    form: Form
    sender_code: str
    period: Period
    reference: Reference
    breakdowns: bool = False
    nil: tuple[str, ...] = ()

    @cached_property
    def view(self) -> ReferenceOnDay:
        """The reference data that the period is judged by."""
        return self.reference.for_period(self.period)

    @cached_property
    def served(self) -> tuple[tuple[str, str], ...]:
        """The (body_code, pfa_code) pairs that the sender answers for."""
        return self.view.served(self.sender_code, self.form.kind)

    @property
    def must_be_whole(self) -> bool:
        """Say whether everything that is asked must be answered."""
        return self.form.cycle == "reporting"

    def asked(self, sheet: Sheet) -> tuple[Metric, ...]:
        """Return what the sender's bodies are asked on a sheet, each once, in the catalogue's order."""
        kinds = {self.view.bodies[body].body_kind for body, _ in self.served if body in self.view.bodies}
        ids = {
            metric_id for kind in kinds for metric_id in self.view.metrics_of(kind, sheet.information or "")
        }
        return tuple(metric for metric_id, metric in self.view.metrics.items() if metric_id in ids)

    def rows(self, sheet: Sheet) -> list[Row]:
        """Return the rows of a table, filled in as far as `prefilled` says: totals first for each metric."""
        body_column = sheet.body_column
        if sheet.name in self.nil or not sheet.prefilled or body_column is None:
            return []
        rows = []
        for body, area in self.served:
            known = self.view.bodies.get(body)
            if known is None:
                continue
            place = {body_column: body, "pfa_code": area}
            if sheet.answers is None or not sheet.information:
                rows.append(self._row(sheet, place, None))
                continue
            for metric_id in self.view.metrics_of(known.body_kind, sheet.information):
                metric = self.view.metrics[metric_id]
                rows += self._rows_of(sheet, {**place, sheet.answers: metric_id}, metric)
        return rows

    def _rows_of(self, sheet: Sheet, values: dict[str, str], metric: Metric) -> Iterator[Row]:
        if not sheet.is_broken_down:
            yield self._row(sheet, values, metric)
            return
        total = dict.fromkeys(BREAKDOWN, TOTAL)
        yield self._row(sheet, values | total, metric)
        if self.breakdowns:
            for crime_type in self.crime_types(sheet, values["pfa_code"]):
                part = values | total | {"crime_type": crime_type}
                yield self._row(sheet, part, metric, is_part=True)
            for characteristic, categories in self.view.characteristics.items():
                for category in categories:
                    chosen = {"characteristic": characteristic, "characteristic_value": category}
                    yield self._row(sheet, values | total | chosen, metric, is_part=True)

    def _row(
        self, sheet: Sheet, values: Mapping[str, str], metric: Metric | None, *, is_part: bool = False
    ) -> Row:
        filled = dict(values)
        closed: frozenset[str] = frozenset()
        if metric is not None and sheet.figures_chosen_by is not None:
            chosen = str(getattr(metric, sheet.figures_chosen_by))
            if sheet.has(sheet.figures_chosen_by):
                filled[sheet.figures_chosen_by] = chosen
            figures = sheet.figure_sets.get(chosen)
            if figures is not None:
                closed = frozenset(sheet.figure_columns) - frozenset(figures.columns)
        if is_part and sheet.not_collected is not None:
            closed |= {sheet.not_collected}
        prefilled = {name: filled[name] for name in sheet.prefilled if name in filled}
        return Row(prefilled, closed, metric, is_optional=is_part or not self.must_be_whole)

    def crime_types(self, sheet: Sheet, pfa_code: str | None = None) -> list[str]:
        """Return the crime types accepted for an area (None: for any that is served), ALL left out."""
        column = sheet.column("crime_type")
        accepted = allowed_codes(column, self.reference)
        areas = {pfa_code} if pfa_code else {area for _, area in self.served}
        types = []
        for code in self.view.crime_types:
            restricted = column.restricted.get(code, {}).get("pfa_code")
            if code in accepted and (restricted is None or areas.intersection(restricted)):
                types.append(code)
        return types

    def codes(self, sheet: Sheet, column: Column) -> list[tuple[str, str]]:
        """Return (code, meaning) of what a column may hold in this template. Empty for periods."""
        view, source = self.view, column.codes_from
        if source is None:
            return [(code, "") for code in (*column.also, *column.codes)]
        meanings: dict[str, str]
        if source == "bodies":
            served = sorted({body for body, _ in self.served})
            meanings = {body: view.bodies[body].body_name for body in served if body in view.bodies}
        elif source == "areas":
            served = sorted({area for _, area in self.served})
            meanings = {area: view.areas[area].area_name for area in served if area in view.areas}
        elif source in ("statistics", "questions", "delivery_items"):
            meanings = {metric.metric_id: meaning_of(metric) for metric in self.asked(sheet)}
        elif source == "crime_types":
            meanings = {code: view.crime_types[code].crime_type_name for code in self.crime_types(sheet)}
        elif source == "characteristics":
            meanings = dict.fromkeys(view.characteristics, "")
        elif source == "characteristic_values":
            labels: dict[str, list[str]] = {}
            for each in self.reference.characteristics:
                if each.in_force(view.day):
                    labels.setdefault(each.characteristic_value, []).append(
                        f"{each.characteristic}: {each.label}"
                    )
            meanings = {code: "; ".join(told) for code, told in labels.items()}
        else:
            meanings = self._meanings(source, column)
        also = {code: "the total" if code == TOTAL else "" for code in column.also}
        return list({**also, **meanings}.items())

    def _meanings(self, source: str, column: Column) -> dict[str, str]:
        view = self.view
        if source == "periods":
            return {}
        if source == "legacy_questions":
            return {question: lines[0].question for question, lines in view.legacy_questions.items()}
        if source == "legacy_responses":
            return {line.response_id: line.response for line in view.legacy_responses.values()}
        codes = sorted(allowed_codes(column, self.reference), key=lambda code: (len(code), code))
        if source == "rights":
            titles = {str(right.right_number): right.right_title for right in self.reference.rights}
            return {code: titles.get(code, "") for code in codes}
        names: dict[str, str] = {code: meaning_of(metric) for code, metric in view.metrics.items()}
        names |= {code: sender.sender_name for code, sender in view.senders.items()}
        names |= {code: body.body_name for code, body in view.bodies.items()}
        in_force = [code for code in codes if code in names]
        return {code: names[code] for code in sorted(in_force)}


def plan_of(
    sender_code: str,
    period: Period,
    reference: Reference,
    forms: Forms,
    *,
    kind: str = "quarterly",
    breakdowns: bool = False,
    nil: Sequence[str] = (),
) -> Plan:
    """Return what a template would hold.

    Raises TemplateError for a sender, kind, period or sheet that there is no template for.
    """
    known = reference.codes("senders")
    if sender_code not in known:
        close = get_close_matches(sender_code, sorted(known), n=1)
        hint = f"; perhaps {close[0]} is meant" if close else ""
        raise TemplateError(
            f"{sender_code!r} is no sender's code{hint}. "
            "The codes are listed in dbt_project/seeds/senders.csv."
        )
    if kind not in forms.kinds:
        raise TemplateError(f"{kind!r} is no kind of return; the kinds are {', '.join(forms.kinds)}.")
    form = forms.for_date(kind, period.last_day)
    if form is None or not form.in_force(period.first_day) or not reference.covers(period.last_day):
        raise TemplateError(f"No form of the kind {kind} is in force for the whole of {period.code}.")
    if period.kind != form.frequency:
        raise TemplateError(f"A return of the kind {kind} is for a {form.frequency}; {period.code} is none.")
    view = reference.for_period(period)
    if not view.served(sender_code, kind):
        sent = [other for other in forms.kinds if view.served(sender_code, other)]
        told = f"it sends {', '.join(sent)}" if sent else "it sends nothing"
        raise TemplateError(f"{sender_code} sends no return of the kind {kind} for {period.code}; {told}.")
    may_be_nil = [sheet.name for sheet in form.tables if sheet.nil_reason]
    for name in nil:
        if name not in may_be_nil:
            told = f"only {', '.join(may_be_nil)} may" if may_be_nil else "no sheet of this form may"
            raise TemplateError(f"The sheet {name!r} may not be declared empty; {told}.")
    return Plan(form, sender_code, period, reference, breakdowns, tuple(nil))


def write_template(
    out: Path,
    sender_code: str,
    period: Period,
    reference: Reference,
    forms: Forms,
    *,
    kind: str = "quarterly",
    previous: ReturnFigures | None = None,
    breakdowns: bool = False,
    nil: Sequence[str] = (),
) -> Plan:
    """Write the workbook of one sender, kind and period to an .xlsx, and return what it holds.

    previous: figures of the period before, shown beside the entry cells and on a sheet of their own.
    breakdowns: rows for every accepted breakdown too. nil: sheets that will be declared empty, left without
    rows. The same arguments give the same bytes. Raises TemplateError; OSError if it cannot be written.
    """
    if out.suffix.lower() != ".xlsx":
        raise TemplateError(f"A template is a workbook; give it a name that ends in .xlsx, not {out.name}.")
    plan = plan_of(sender_code, period, reference, forms, kind=kind, breakdowns=breakdowns, nil=nil)
    from ingest.template_workbook import write_workbook

    with replacing(out) as temporary:
        write_workbook(temporary, plan, previous)
    return plan

"""The template as a workbook: locked where it is filled in, with drop-downs, limits and messages where not.

The sheets of HELPER_SHEETS are only for the reader. Belongs here: xlsxwriter and the looks. Does not: which
rows there are (ingest/template.py), or what the guidance says (ingest/template_guidance.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import xlsxwriter

from ingest.form import GUIDANCE_SHEET, LISTS_SHEET, PREVIOUS_SHEET, Column, Sheet
from ingest.readers import column_letter
from ingest.reference import TOTAL
from ingest.spreadsheet_text import inert
from ingest.template import BREAKDOWN, Plan, Row
from ingest.template_guidance import asked_in_words, due_in_words, guidance_of, meaning_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from ingest.acceptance.comparison import ReturnFigures, TotalFigures

EXTRA_ROWS = 30
"""Blank rows beneath that are drawn; as many more as REACH are unlocked and checked."""
REACH = 5_000
_WRITTEN_AT = dt.datetime(2025, 1, 1)
_RANGES_PER_RULE = 100
_LONGEST_MESSAGE, _LONGEST_HEADING = 255, 32
_FIRST_DAY, _LAST_DAY = dt.date(1990, 1, 1), dt.date(2100, 12, 31)
_WIDE = 190
"""Widths of columns that are still read with ease when they are printed on one page."""
_WIDTHS = {
    "text": 36, "string": 24, "date": 12, "count": 11, "decimal": 12, "number": 12, "grade": 8, "flag": 15,
}  # fmt: skip
_CODE_WIDTHS = {
    "bodies": 26, "statistics": 28, "questions": 28, "delivery_items": 28, "scored_items": 28, "areas": 12,
    "crime_types": 12, "characteristics": 18, "characteristic_values": 19, "legacy_questions": 26,
    "legacy_responses": 20, "recipients": 26, "periods": 14, "rights": 13,
}  # fmt: skip

_UNLOCKED = {
    "select_locked_cells": True, "select_unlocked_cells": True, "format_columns": True, "format_rows": True,
    "autofilter": True, "delete_rows": True,
}  # fmt: skip
_LINE = {"border": 1, "border_color": "#B1B4B6", "valign": "top"}
_ROLES: Mapping[str, Mapping[str, Any]] = {
    "header": {"bold": True, "bg_color": "#1D4F91", "font_color": "#FFFFFF", "valign": "top", "border": 1},
    "prefilled": {**_LINE, "bg_color": "#FFFFFF"},
    "known": {**_LINE, "align": "left"},
    "optional": {**_LINE, "bg_color": "#FFFFFF", "locked": False},
    "entry": {**_LINE, "bg_color": "#FFF9DB", "locked": False},
    "closed": {**_LINE, "bg_color": "#D5D8DC"},
    "closed_optional": {**_LINE, "bg_color": "#D5D8DC", "locked": False},
    "beneath": {"locked": False, "valign": "top"},
    "title": {"bold": True, "font_size": 16, "valign": "top", "text_wrap": True},
    "heading": {"bold": True, "font_size": 13, "valign": "top"},
    "told": {"text_wrap": True, "valign": "top"},
    "cell": {**_LINE, "text_wrap": True},
    "above": {**_LINE, "bold": True, "bg_color": "#EEF2F7"},
    "asked_for": {**_LINE, "bg_color": "#FFE08A", "locked": False, "bold": True},
}
_NUMBER_FORMATS = {"date": "yyyy-mm-dd", "text": "@", "string": "@", "code": "@", "count": "0", "grade": "0"}


def write_workbook(out: Path, plan: Plan, previous: ReturnFigures | None) -> None:
    """Write the workbook of a plan. The same plan gives the same bytes."""
    as_written = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = xlsxwriter.Workbook(str(out), as_written)
    _Writer(book, plan, previous).write()
    book.close()


@dataclass
class _Writer:
    book: xlsxwriter.Workbook
    plan: Plan
    previous: ReturnFigures | None
    formats: dict[tuple[str, str | None], Format] = field(default_factory=dict)
    lists: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)
    """Codes with meanings -> the range on the lists sheet that holds them."""

    def write(self) -> None:
        plan, book = self.plan, self.book
        book.set_properties({"title": f"{plan.form.title}, {plan.period.code}", "created": _WRITTEN_AT})
        pages = {name: book.add_worksheet(name) for name in (GUIDANCE_SHEET, *self._form_sheets)}
        if self.previous is not None:
            pages[PREVIOUS_SHEET] = book.add_worksheet(PREVIOUS_SHEET)
        pages[LISTS_SHEET] = book.add_worksheet(LISTS_SHEET)
        self.lists_page = pages[LISTS_SHEET]
        self._cover(pages["cover"])
        for sheet in plan.form.tables:
            self._table(pages[sheet.name], sheet, plan.rows(sheet))
        if self.previous is not None:
            self._previous(pages[PREVIOUS_SHEET], self.previous)
        self._guidance(pages[GUIDANCE_SHEET])
        self._finish_lists()
        pages[GUIDANCE_SHEET].activate()
        for name in (GUIDANCE_SHEET, LISTS_SHEET, PREVIOUS_SHEET):
            if name in pages:
                pages[name].set_tab_color("#1D4F91")

    @property
    def _form_sheets(self) -> tuple[str, ...]:
        return tuple(sheet.name for sheet in self.plan.form.sheets)

    def format(self, role: str, type_: str | None = None) -> Format:
        """Return the format of a role, for a column of a type; each is made once."""
        key = (role, type_)
        if key not in self.formats:
            values = dict(_ROLES[role])
            if type_ in _NUMBER_FORMATS:
                values["num_format"] = _NUMBER_FORMATS[type_]
            if type_ in ("text", "string") and role in ("entry", "asked_for", "beneath", "closed"):
                values["text_wrap"] = True
            self.formats[key] = self.book.add_format(values)
        return self.formats[key]

    # --- cover

    def _cover(self, page: Worksheet) -> None:
        plan, cover = self.plan, self.plan.form.cover
        known: dict[str, str | int] = {
            "kind": plan.form.kind,
            "form_version": plan.form.version,
            "sender_code": plan.sender_code,
            "period_code": plan.period.code,
        }
        asked_for = {sheet.nil_reason for sheet in plan.form.tables if sheet.name in plan.nil}
        for place, (header, width) in enumerate((("field", 26), ("value", 48), ("meaning", 70))):
            page.set_column(place, place, width)
            page.write_string(0, place, header, self.format("header"))
        for number, column in enumerate(cover.columns, 1):
            page.write_string(number, 0, column.name, self.format("prefilled"))
            role = "asked_for" if column.name in asked_for else "entry"
            if column.name in known:
                value = known[column.name]
                written = page.write_number if isinstance(value, int) else page.write_string
                written(number, 1, value, self.format("known"))
            else:
                page.write_blank(number, 1, None, self.format(role, column.type))
                self._validate(page, column, [(number, number)], 1, cover, None)
            meaning = column.description + (" (to be filled in)" if column.name in asked_for else "")
            page.write_string(number, 2, inert(meaning), self.format("cell"))
        page.freeze_panes(1, 0)
        self._protect_and_print(page, width=3)

    # --- tables

    def _table(self, page: Worksheet, sheet: Sheet, rows: Sequence[Row]) -> None:
        first_extra = len(rows) + 1
        last_extra = first_extra + EXTRA_ROWS - 1
        widths: list[float] = []
        for place, column in enumerate(sheet.columns):
            type_ = column.type
            codes = {row.values[column.name] for row in rows if column.name in row.values}
            width = max(_width(column), *(len(code) + 2 for code in codes), 0)
            page.set_column(place, place, width, self.format("beneath", type_))
            widths.append(width)
            page.write_string(0, place, column.name, self.format("header"))
            self._message(page, 0, place, column.name, column.description)
            for number, row in enumerate(rows, 1):
                if column.name in row.values:
                    role = "optional" if row.is_optional else "prefilled"
                    page.write_string(number, place, row.values[column.name], self.format(role, type_))
                elif column.name in row.closed:
                    role = "closed_optional" if row.is_optional else "closed"
                    page.write_blank(number, place, None, self.format(role, type_))
                else:
                    page.write_blank(number, place, None, self.format("entry", type_))
            for number in range(first_extra, last_extra + 1):
                page.write_blank(number, place, None, self.format("entry", type_))
            self._check_column(page, sheet, column, place, rows)
        self._describe_items(page, sheet, rows)
        # What a row is about stays in sight: the columns up to the metric, or the area.
        kept = len([name for name in sheet.column_names[:3] if name in sheet.prefilled])
        page.freeze_panes(1, kept)
        if kept:
            page.repeat_columns(0, kept - 1)
        if rows:
            page.autofilter(0, 0, len(rows), len(sheet.columns) - 1)
        across = max(1, round(sum(widths) / _WIDE))
        self._protect_and_print(
            page, width=len(sheet.columns), rows=last_extra, is_wide=True, pages_across=across
        )

    def _check_column(
        self, page: Worksheet, sheet: Sheet, column: Column, place: int, rows: Sequence[Row]
    ) -> None:
        """Bound what the unlocked cells of a column take, and tell the figure of the period before."""
        source = None
        if column.type == "code":
            source = self._list(column.name, self.plan.codes(sheet, column))
        plain: list[int] = []
        for number, row in enumerate(rows, 1):
            if column.name in row.closed or (column.name in row.values and not row.is_optional):
                continue
            before = self._before(sheet, column, row)
            if before is None:
                plain.append(number)
            else:
                self._validate(page, column, [(number, number)], place, sheet, source, before)
        first_extra = len(rows) + 1
        ranges = [*_ranges(plain), (first_extra, first_extra + REACH - 1)]
        for start in range(0, len(ranges), _RANGES_PER_RULE):
            self._validate(page, column, ranges[start : start + _RANGES_PER_RULE], place, sheet, source)

    def _before(self, sheet: Sheet, column: Column, row: Row) -> str | None:
        """Return what an entry cell of a total row held in the period before, as a sentence."""
        if self.previous is None or row.metric is None or column.name not in sheet.figure_columns:
            return None
        if any(row.values.get(name, TOTAL) != TOTAL for name in BREAKDOWN):
            return None
        key = (
            sheet.name,
            row.values.get(sheet.body_column or "", ""),
            row.values.get("pfa_code", ""),
            row.metric.metric_id,
        )
        told = [
            f"{before.figures[column.stored_as]:,}{_way(before) if len(found) > 1 else ''}"
            for found in [self.previous.by_series.get(key, [])]
            for before in found
            if column.stored_as in before.figures
        ]
        return f"In {self.previous.period_code}: {'; '.join(told)}." if told else None

    def _validate(
        self,
        page: Worksheet,
        column: Column,
        ranges: Sequence[tuple[int, int]],
        place: int,
        sheet: Sheet,
        source: str | None,
        before: str | None = None,
    ) -> None:
        rule = _rule_of(column, source)
        said = " ".join(part for part in (column.description.rstrip(".") + ".", before) if part)
        if before and len(said) > _LONGEST_MESSAGE:
            said = before
        rule |= {"input_title": column.name[:_LONGEST_HEADING], "input_message": _cut(inert(said))}
        first, *others = ranges
        if others:
            rule["other_cells"] = [[start, place, end, place] for start, end in others]
        page.data_validation(first[0], place, first[1], place, rule)

    def _message(self, page: Worksheet, row: int, place: int, heading: str, said: str) -> None:
        """Say something about a locked cell when it is chosen."""
        page.data_validation(
            row,
            place,
            row,
            place,
            {
                "validate": "any",
                "input_title": inert(heading)[:_LONGEST_HEADING],
                "input_message": _cut(inert(said)),
            },
        )

    def _describe_items(self, page: Worksheet, sheet: Sheet, rows: Sequence[Row]) -> None:
        if sheet.answers is None:
            return
        place = sheet.column_names.index(sheet.answers)
        for number, row in enumerate(rows, 1):
            if row.metric is not None and not row.is_optional:
                limit = f" Time limit: {row.metric.time_limit}." if row.metric.time_limit else ""
                said = f"{meaning_of(row.metric).rstrip('.')}.{limit}"
                self._message(page, number, place, row.metric.metric_id, said)

    # --- sheets for the reader

    def _list(self, title: str, codes: Sequence[tuple[str, str]]) -> str | None:
        """Write a list of codes once, and return the range that a drop-down refers to."""
        if not codes:
            return None
        key = tuple(codes)
        if key not in self.lists:
            place = 3 * len(self.lists)
            page = self.lists_page
            page.write_string(0, place, title, self.format("header"))
            page.write_string(0, place + 1, "meaning", self.format("header"))
            for number, (code, meaning) in enumerate(codes, 1):
                page.write_string(number, place, code, self.format("prefilled"))
                page.write_string(number, place + 1, inert(meaning), self.format("cell"))
            page.set_column(place, place, max(len(title) + 2, 14, *(len(code) + 2 for code, _ in codes)))
            page.set_column(place + 1, place + 1, min(60, max(12, *(len(said) for _, said in codes))))
            page.set_column(place + 2, place + 2, 3)
            letters = column_letter(place)
            self.lists[key] = f"={LISTS_SHEET}!${letters}$2:${letters}${len(codes) + 1}"
        return self.lists[key]

    def _finish_lists(self) -> None:
        self.lists_page.freeze_panes(1, 0)
        width = max(3 * len(self.lists) - 1, 1)
        self._protect_and_print(self.lists_page, width=width, is_wide=True, pages_across=max(1, width // 9))

    def _previous(self, page: Worksheet, previous: ReturnFigures) -> None:
        tables = [sheet for sheet in self.plan.form.tables if sheet.figure_sets]
        names = [sheet.column(name).stored_as for sheet in tables for name in sheet.figure_columns]
        figures = list(dict.fromkeys(names))
        heads = [previous.header(name) for name in figures]
        header = ["sheet", "body_code", "pfa_code", "asked", "counted", *heads]
        widths = [11, 26, 12, 28, 26, *(max(9, len(name) + 2) for name in figures)]
        for place, (name, width) in enumerate(zip(header, widths, strict=True)):
            page.set_column(place, place, width)
            page.write_string(0, place, name, self.format("header"))
        for number, total in enumerate(previous.totals, 1):
            said = (total.sheet, total.body_code, total.pfa_code, total.item, _way(total).strip(" ()"))
            for place, text in enumerate(said):
                page.write_string(number, place, text, self.format("prefilled"))
            for place, name in enumerate(figures, len(said)):
                if name in total.figures:
                    page.write_number(number, place, total.figures[name], self.format("prefilled", "count"))
                else:
                    page.write_blank(number, place, None, self.format("prefilled"))
        page.freeze_panes(1, 4)
        if previous.totals:
            page.autofilter(0, 0, len(previous.totals), len(header) - 1)
        self._protect_and_print(page, width=len(header), rows=len(previous.totals), is_wide=True)

    def _guidance(self, page: Worksheet) -> None:
        widths = (30, 46, 46, 30, 28, 16)
        text_columns = 4
        for place, width in enumerate(widths):
            page.set_column(place, place, width)
        line = 0

        def say(text: str, role: str = "told") -> None:
            nonlocal line
            page.merge_range(line, 0, line, text_columns - 1, inert(text), self.format(role))
            per_line = sum(widths[:text_columns]) * (0.6 if role == "title" else 1.08)
            height = 22 if role == "title" else 18 if role == "heading" else 15.5
            page.set_row(line, height * max(1, len(wrap(text, int(per_line)))))
            line += 1

        def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
            nonlocal line
            for row_role, cells in [("header", header), *(("cell", row) for row in rows)]:
                if len(cells) < len(header):
                    page.merge_range(line, 0, line, len(header) - 1, inert(cells[0]), self.format("above"))
                else:
                    for place, text in enumerate(cells):
                        page.write_string(line, place, inert(text), self.format(row_role))
                    lines = (len(wrap(text, int(widths[place] * 1.1))) for place, text in enumerate(cells))
                    page.set_row(line, 15.5 * max(1, *lines))
                line += 1
            line += 1

        plan = self.plan
        name = plan.view.senders[plan.sender_code].sender_name if self._is_known_sender else plan.sender_code
        say(f"{plan.form.title}: {name}, {plan.period.label}", "title")
        say(plan.form.description)
        line += 1
        for heading, sentences in guidance_of(plan, has_previous=self.previous is not None):
            say(heading, "heading")
            for sentence in sentences:
                say(f"\u2022 {sentence}")
            line += 1
        for sheet in plan.form.tables:
            if sheet.information and plan.asked(sheet):
                say(f"What is asked on the sheet {sheet.name}", "heading")
                table(*asked_in_words(plan, sheet))
        for sheet in plan.form.tables:
            say(f"Columns of the sheet {sheet.name}", "heading")
            table(
                ("column", "what it holds", "must be filled"),
                [(column.name, column.description, due_in_words(column)) for column in sheet.columns],
            )
        if len(plan.served) <= 60:
            say("Bodies and areas of this return", "heading")
            table(
                ("body", "name", "area", "name of the area"),
                [
                    (
                        body,
                        plan.view.bodies[body].body_name if body in plan.view.bodies else "",
                        area,
                        plan.view.areas[area].area_name if area in plan.view.areas else "",
                    )
                    for body, area in plan.served
                ],
            )
        page.hide_gridlines(2)
        self._protect_and_print(page, width=len(widths), rows=line, is_wide=True)

    @property
    def _is_known_sender(self) -> bool:
        return self.plan.sender_code in self.plan.view.senders

    def _protect_and_print(
        self, page: Worksheet, *, width: int, rows: int = 0, is_wide: bool = False, pages_across: int = 1
    ) -> None:
        page.protect("", _UNLOCKED)
        page.set_paper(9)
        if is_wide:
            page.set_landscape()
        page.fit_to_pages(pages_across, 0)
        page.repeat_rows(0)
        page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        page.set_footer("&L&A&RPage &P of &N")
        if rows:
            page.print_area(0, 0, rows, width - 1)


def _rule_of(column: Column, source: str | None) -> dict[str, Any]:
    """Return what an entry cell of a column takes, as xlsxwriter is told it."""
    stop = {"ignore_blank": True, "error_type": "stop", "error_title": column.name[:_LONGEST_HEADING]}
    if column.type == "count":
        return {
            **stop, "validate": "integer", "criteria": ">=", "value": 0,
            "error_message": "Write a whole number from 0, or leave the cell blank.",
        }  # fmt: skip
    if column.type == "date":
        return {
            **stop, "validate": "date", "criteria": "between", "minimum": _FIRST_DAY, "maximum": _LAST_DAY,
            "error_message": "Write a date such as 2025-06-30, or leave the cell blank.",
        }  # fmt: skip
    if column.type == "decimal":
        return {
            **stop, "validate": "decimal", "criteria": ">", "value": 0,
            "error_message": "Write a number above 0, or leave the cell blank.",
        }  # fmt: skip
    if column.type == "number":
        return {
            **stop, "validate": "decimal", "criteria": "between", "minimum": -(10**12), "maximum": 10**12,
            "error_message": "Write a number, or leave the cell blank.",
        }  # fmt: skip
    choices = {"grade": ["0", "1", "2", "3"], "flag": ["yes", "no"]}.get(column.type)
    if choices or source:
        return {
            **stop, "validate": "list", "source": choices or source,
            "error_message": "Choose an entry of the list, or leave the cell blank.",
        }  # fmt: skip
    return {"validate": "any"}


def _way(total: TotalFigures) -> str:
    said = ", ".join(value for value in total.way.values() if value)
    return f" ({said})" if said else ""


def _width(column: Column) -> float:
    width = _CODE_WIDTHS.get(column.codes_from or "", 16) if column.type == "code" else _WIDTHS[column.type]
    return max(width, len(column.name) + 3)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 3]}..."


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of neighbours as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs

"""What the first sheet of a template says, in plain English.

Belongs here: wording. Does not: rows or layout (ingest/template.py, ingest/template_workbook.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.form import PREVIOUS_SHEET, Column, Sheet
from ingest.reference import Metric

if TYPE_CHECKING:
    from ingest.template import Plan

_UNITS = {
    "proportion": "cases met and not met",
    "count": "number of events",
    "counts_by_delay": "cases by delay",
}
_ANSWER_SETS = {
    "five_point": "answers from very good to very poor",
    "yes_no": "answers yes and no",
    "difficulty": "answers yes and no (a difficulty was met)",
}
_GRADE = "a grade from 0 to 3"
_POLARITIES = {"higher": "more is better", "lower": "less is better", "contextual": "context only"}
_WITHIN = re.compile(r"<=(\d+)(wd|h)\b")
_TIMES = {"wd": "working day", "h": "hour"}


def guidance_of(plan: Plan, *, has_previous: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield (heading, sentences) of what a sender must know, in plain English."""
    form = plan.form
    with_rows = [sheet for sheet in form.tables if sheet.prefilled]
    steps = ["Light yellow cells are for you to fill in. Choose a cell to read what belongs there."]
    if with_rows:
        steps.append(
            "White cells with a code are filled in for you. Grey cells do not apply to their row; they stay "
            "blank."
        )
    if not plan.must_be_whole and any(plan.rows(sheet) for sheet in with_rows):
        steps.append("Rows that you have nothing for: clear or delete them.")
    steps += [f"Sheet {sheet.name}: {sheet.description}" for sheet in form.tables]
    steps.append("Do not rename sheets or columns. A column of your own is not read.")
    steps.append("Save the workbook as .xlsx or .ods.")
    yield "How to fill it in", steps

    meaning = []
    if any(sheet.figure_sets for sheet in form.tables):
        meaning.append("Give counts in whole numbers, never percentages.")
        meaning.append("0 means: counted, and there were none. Never write 0 for what was not counted.")
    meaning.append("Blank means: not given. A cell that must be filled may not stay blank.")
    for sheet in form.tables:
        if sheet.not_collected:
            meaning.append(
                f"Not collected: leave the figures of that row blank, and say why in {sheet.not_collected}. "
                "The other cells of the row may then stay blank too."
            )
    nil = [sheet for sheet in form.tables if sheet.nil_reason]
    if nil:
        told = ", ".join(f"{sheet.nil_reason} for {sheet.name}" for sheet in nil)
        filled_in = " Rows that were filled in for you then count as blank." if with_rows else ""
        meaning.append(
            "Nothing to report on a whole sheet: leave the sheet as it is and give the reason on the cover "
            f"({told}).{filled_in}"
        )
    elif not form.has_due_date:
        meaning.append("Nothing to report at all: the return need not be sent.")
    yield "Blank, 0 and not collected", meaning

    if any(sheet.is_broken_down for sheet in form.tables):
        yield (
            "Breakdowns",
            [
                "Rows with ALL three times are totals; they are always needed."
                + (" Rows of breakdowns beside them may be cleared or deleted." if plan.breakdowns else ""),
                "Use the blank rows beneath for breakdowns: write the codes of the total row, then either a "
                "crime_type, or a characteristic with its characteristic_value. The other stays ALL.",
                "The parts of one breakdown add up to the total. Use UNK for a crime type not recorded, and "
                "NS for a characteristic not stated.",
            ],
        )
    if has_previous:
        yield (
            "Figures of the period before",
            [
                "The message of an entry cell tells the figure of the period before.",
                f"All of them are on the sheet {PREVIOUS_SHEET}, which is only for you to read.",
            ],
        )
    yield (
        "Nothing about a person",
        [
            "No cell of this file may be about one person: no names, no contact details, no home addresses, "
            "no numbers that stand for a person, a crime or a trial. Write roles, never names.",
            "A file that holds such data is rejected as a whole and kept apart.",
        ],
    )
    due = form.due_on(plan.period, plan.view.cycle)
    yield (
        "Before you send it",
        [
            f"Check the file first: vcc check FILE --sender {plan.sender_code}. The answer is the one that "
            "sending it would get.",
            "A return is accepted whole or rejected whole; a rejection lists everything that is wrong.",
            *([f"The return is due on {due.day} {due:%B %Y}."] if due else []),
        ],
    )


def asked_in_words(plan: Plan, sheet: Sheet) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and the rows of a table of what is asked on a sheet, in the catalogue's order.

    A right stands above what is asked for it, as a row of one cell. Columns that would be blank are left out.
    """
    asked = plan.asked(sheet)
    cells = [
        (
            metric.metric_id,
            metric.definition,
            counted_in_words(metric),
            _ANSWER_SETS.get(metric.response_set) or _UNITS.get(metric.unit, _GRADE),
            metric.time_limit,
            _POLARITIES.get(metric.polarity, metric.polarity),
        )
        for metric in asked
    ]
    header = ("id", "what it is", "what is counted", "what is given", "time limit", "reading")
    used = [place for place in range(len(header)) if any(row[place] for row in cells)]
    titles = {right.right_number: right.right_title for right in plan.reference.rights}
    rows: list[tuple[str, ...]] = []
    above = None
    for metric, row in zip(asked, cells, strict=True):
        if metric.right_number != above:
            above = metric.right_number
            rows.append((f"Right {above}: {titles[above]}",))
        rows.append(tuple(row[place] for place in used))
    return tuple(header[place] for place in used), rows


def counted_in_words(metric: Metric) -> str:
    """Say which cases a statistic counts, and of which: a definition may lean on the one before it."""
    if metric.information != "statistic":
        return ""
    parts = [part for part in (metric.numerator, metric.denominator) if part]
    return _WITHIN.sub(_within, ", of ".join(parts))


def meaning_of(metric: Metric) -> str:
    """Say in one line what is asked."""
    counted = counted_in_words(metric)
    return f"{metric.definition}. Counted: {counted}." if counted else metric.definition


def _within(found: re.Match[str]) -> str:
    number, unit = found.groups()
    return f"within {number} {_TIMES[unit]}{'' if number == '1' else 's'}"


def due_in_words(column: Column) -> str:
    """Say whether a column must be filled."""
    if column.required:
        return "yes"
    when = column.required_when
    if when is None:
        return "no"
    return f"if {when.column} is {'blank' if when.is_blank else 'filled'}"

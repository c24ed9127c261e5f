"""Rules of the group figures: counts are counts, parts fit their totals, and nothing asked is left unsaid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from ingest.acceptance.quoting import quote
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.shape import row_of
from ingest.acceptance.submission import Submission, UnlikeTotal, group_key
from ingest.form import FigureSet
from ingest.readers import Cell
from ingest.reference import TOTAL, LegacyResponse
from ingest.typed import Table

_PRINTED_NUMBER = re.compile(r"(\d{1,3}(?:\.\d+)?)\s?%?\Z", re.ASCII)
_OUTSIDE_THE_BASE = "not_suitable"


def _unfit_numbers(submission: Submission, reason: str) -> Iterator[tuple[Table, int, str, Cell]]:
    for table in submission.tables.values():
        for cell in table.unfit:
            if cell.reason == reason:
                yield table, cell.index, cell.column.name, cell.raw


@rule(
    code="FIGURES-001",
    group="figures",
    message="A figure is negative.",
    remedy="Write the number of cases, from 0 up; leave the cell blank if it is not known.",
)
def no_negative_figures(submission: Submission) -> Iterator[Finding]:
    """Find numbers below 0."""
    for table, index, column, raw in _unfit_numbers(submission, "negative"):
        yield Finding(table.sheet.name, row_of(table, index, column), column, quote(raw), "a number from 0")


@rule(
    code="FIGURES-002",
    group="figures",
    message="A count is not a whole number.",
    remedy=(
        "Write the number of cases. If the cell holds a percentage (85% is kept as 0.85), give the "
        "counts behind it."
    ),
)
def counts_are_whole(submission: Submission) -> Iterator[Finding]:
    """Find fractions where a count is due."""
    for table, index, column, raw in _unfit_numbers(submission, "fraction"):
        yield Finding(table.sheet.name, row_of(table, index, column), column, quote(raw), "a whole number")


@rule(
    code="FIGURES-003",
    group="figures",
    message="A percentage stands where a count is due.",
    remedy="Give the counts behind the percentage; rates are worked out from them.",
)
def no_percentages_for_counts(submission: Submission) -> Iterator[Finding]:
    """Find percent signs where a count is due."""
    for table, index, column, raw in _unfit_numbers(submission, "percentage"):
        yield Finding(table.sheet.name, row_of(table, index, column), column, quote(raw), "a count of cases")


def _unlike_totals(submission: Submission) -> list[UnlikeTotal]:
    """Return every breakdown whose parts do not add up to their total, column by column. Worked out once."""
    if submission.unlike_totals is None:
        submission.unlike_totals = [
            unlike
            for table in submission.tables_of_figures
            for unlike in _unlike_totals_of(submission, table)
        ]
    return submission.unlike_totals


def _unlike_totals_of(submission: Submission, table: Table) -> Iterator[UnlikeTotal]:
    answered_at = group_key(table.sheet).index(table.sheet.answers or "")
    columns = {
        answered: [(name, table[name]) for name in figures.columns]
        for answered, figures in submission.figure_sets[table.sheet.name].items()
    }
    for key, group in submission.figure_groups.get(table.sheet.name, {}).items():
        if len(group.totals) != 1 or not group.parts:
            continue
        total_row = group.totals[0]
        for column, cells in columns.get(key[answered_at], ()):
            total = cells[total_row]
            if total is None:
                continue
            for breakdown, rows in group.parts.items():
                parts = [part for row in rows if (part := cells[row]) is not None]
                if parts and (added := sum(parts)) != total:
                    yield UnlikeTotal(table, total_row, breakdown, rows, column, added, total)


@rule(
    code="FIGURES-004",
    group="figures",
    message="The parts of a breakdown add up to more than their total.",
    remedy="Correct the total row (ALL) or the parts; each case belongs to one part only.",
)
def parts_are_within_their_total(submission: Submission) -> Iterator[Finding]:
    """Find breakdowns above their total."""
    for unlike in _unlike_totals(submission):
        if unlike.added > unlike.total:
            yield Finding(
                unlike.table.sheet.name,
                unlike.table.row_numbers[unlike.total_row],
                unlike.column,
                f"{unlike.added} over the parts by {unlike.breakdown}",
                f"at most the total of {unlike.total}",
            )


@rule(
    code="FIGURES-005",
    group="figures",
    severity="warning",
    message="The parts of a breakdown add up to less than their total.",
    remedy="Check that no part is left out; cases whose part is not recorded go to UNK or NS.",
)
def parts_add_up_to_their_total(submission: Submission) -> Iterator[Finding]:
    """Tell of breakdowns below their total, once a breakdown.

    By crime type only where every offence group that may be left out is given; otherwise the rest is no gap.
    """
    may_be_left_out = {
        c.crime_type for c in submission.context.reference.crime_types if c.reporting == "optional"
    }
    told: set[tuple[str, int, str]] = set()
    for unlike in _unlike_totals(submission):
        told_as = (unlike.table.sheet.name, unlike.total_row, unlike.breakdown)
        if unlike.added > unlike.total or told_as in told:
            continue
        if unlike.breakdown == "crime_type":
            given = {unlike.table["crime_type"][row] for row in unlike.rows}
            if not may_be_left_out <= given:
                continue
        told.add(told_as)
        yield Finding(
            unlike.table.sheet.name,
            unlike.table.row_numbers[unlike.total_row],
            unlike.column,
            f"{unlike.added} over the parts by {unlike.breakdown}",
            f"the total of {unlike.total}",
        )


def _figures_outside_their_set(submission: Submission, chosen_by: str) -> Iterator[Finding]:
    for table in submission.tables_of_figures:
        sheet = table.sheet
        if sheet.figures_chosen_by != chosen_by:
            continue
        sets = submission.figure_sets[table.sheet.name]
        answered = table[sheet.answers or ""]
        for column in sheet.figure_columns:
            cells = table[column]
            outside = {key for key, figures in sets.items() if column not in figures.columns}
            if not outside or cells.count(None) == len(cells):
                continue
            for index, cell in enumerate(cells):
                if cell is not None and answered[index] in outside:
                    yield Finding(
                        sheet.name,
                        table.row_numbers[index],
                        column,
                        f"a figure under {answered[index]}",
                        f"figures in {', '.join(sets[answered[index]].columns)} only",
                    )


@rule(
    code="FIGURES-006",
    group="figures",
    message="A figure stands in a column that its metric does not use.",
    remedy="Move the figure to the columns of the metric's unit, and leave the others blank.",
)
def figures_are_of_the_metrics_unit(submission: Submission) -> Iterator[Finding]:
    """Find figures under a metric of another unit."""
    return _figures_outside_their_set(submission, "unit")


@rule(
    code="FIGURES-007",
    group="figures",
    message="Answers stand in a column that the question does not offer, or name another set of answers.",
    remedy=(
        "Use the set of answers that the catalogue has for the question, and leave the other columns blank."
    ),
)
def answers_are_of_the_questions_set(submission: Submission) -> Iterator[Finding]:
    """Find answers outside the question's set, and rows that name another set."""
    yield from _figures_outside_their_set(submission, "response_set")
    for table in submission.tables_of_figures:
        sheet = table.sheet
        if sheet.figures_chosen_by != "response_set" or not sheet.has("response_set"):
            continue
        sets = submission.figure_sets[table.sheet.name]
        pairs = zip(table.row_numbers, table[sheet.answers or ""], table["response_set"], strict=True)
        for number, question, named in pairs:
            if question in sets and named is not None and named != sets[question].name:
                yield Finding(
                    sheet.name, number, "response_set", f"{named} for {question}", sets[question].name
                )


@rule(
    code="FIGURES-008",
    group="figures",
    message="Something that the body is asked is neither answered nor declared as not collected.",
    remedy=(
        "Add the total row (ALL). A metric that was not collected gets one such row with blank figures and "
        "not_collected_reason; if a whole sheet is empty, give the reason on the cover."
    ),
)
def everything_asked_is_answered(submission: Submission) -> Iterator[Finding]:
    """Find metrics, questions and items of the sender's bodies without a row, unless the cover declares the
    sheet nil.
    """
    form, view = submission.form, submission.view
    # Only a report of a period is complete or not. Who asks victims, say, asks those that it can reach.
    if form is None or view is None or form.cycle != "reporting":
        return
    for table in submission.form_tables:
        sheet = table.sheet
        if sheet.answers is None or sheet.body_column is None or sheet.information is None:
            continue
        if not table.row_count and submission.nil_reason(sheet):
            continue
        given = set(zip(table[sheet.body_column], table["pfa_code"], table[sheet.answers], strict=True))
        for body, area in submission.served:
            known = view.bodies.get(body)
            asked = view.metrics_of(known.body_kind, sheet.information) if known else ()
            for answered in asked:
                if (body, area, answered) not in given:
                    yield Finding(
                        sheet.name, None, sheet.answers, "no row", f"{answered} for {body} in {area}"
                    )


@rule(
    code="FIGURES-009",
    group="figures",
    message="A metric is declared as not collected and has figures all the same.",
    remedy=(
        "Take out the figures, or take out the reason. A metric that was not collected has one row, the "
        "total (ALL)."
    ),
)
def not_collected_means_no_figures(submission: Submission) -> Iterator[Finding]:
    """Find figures on, or beside, a row that says why there are none."""
    for table in submission.tables_of_figures:
        sheet = table.sheet
        if sheet.not_collected is None or sheet.body_column is None:
            continue
        reasons = table[sheet.not_collected]
        if reasons.count(None) == len(reasons):
            continue
        whats = list(
            zip(table[sheet.body_column], table["pfa_code"], table[sheet.answers or ""], strict=True)
        )
        declared = {whats[index] for index, reason in enumerate(reasons) if reason is not None}
        columns = [(name, table[name]) for name in sheet.figure_columns]
        for index, what in enumerate(whats):
            if what not in declared:
                continue
            filled = next((name for name, cells in columns if cells[index] is not None), None)
            is_total = table["crime_type"][index] == TOTAL and table["characteristic"][index] == TOTAL
            if filled is not None:
                yield Finding(
                    sheet.name,
                    table.row_numbers[index],
                    filled,
                    "a figure of a metric declared as not collected",
                    "nothing",
                )
            elif reasons[index] is not None and not is_total:
                yield Finding(
                    sheet.name,
                    table.row_numbers[index],
                    sheet.not_collected,
                    "a reason on a row of a breakdown",
                    "the reason on the total row (ALL) alone",
                )


@rule(
    code="FIGURES-010",
    group="figures",
    message="The last day of the cases is before their first day.",
    remedy="Correct cases_from and cases_to.",
)
def case_dates_are_in_order(submission: Submission) -> Iterator[Finding]:
    """Find cases_to before cases_from."""
    for table in submission.form_tables:
        if not (table.sheet.has("cases_from") and table.sheet.has("cases_to")):
            continue
        first_days, last_days = table["cases_from"], table["cases_to"]
        if None in set(first_days) and len(set(first_days)) == 1:
            continue
        for index, (first, last) in enumerate(zip(first_days, last_days, strict=True)):
            if first is not None and last is not None and last < first:
                yield Finding(
                    table.sheet.name,
                    table.row_numbers[index],
                    "cases_to",
                    last.isoformat(),
                    f"{first.isoformat()} or later",
                )


@rule(
    code="FIGURES-011",
    group="figures",
    message="A row lacks figures that its metric or question needs.",
    remedy=(
        "Fill every column of the unit or set of answers, with 0 where there were none. A metric that was "
        "not collected gets blank figures and not_collected_reason."
    ),
)
def needed_figures_are_given(submission: Submission) -> Iterator[Finding]:
    """Find rows with blank figures that are not declared as not collected; one without any is told once.

    Figures in columns of another unit are told by FIGURES-006 alone.
    """
    for table in submission.tables_of_figures:
        sheet = table.sheet
        sets, empty = submission.figure_sets[sheet.name], submission.rows_without_figures[sheet.name]
        answered = table[sheet.answers or ""]
        reasons = table[sheet.not_collected] if sheet.not_collected else None
        for index in empty:
            needs = [name for name in sets[answered[index]].needs if name not in table.missing_columns]
            instead = f", or {sheet.not_collected}" if sheet.not_collected else ""
            expected = f"figures in {', '.join(needs)}{instead}"
            yield Finding(sheet.name, table.row_numbers[index], needs[0], "no figure on the row", expected)
        for column in sheet.figure_columns:
            needing = {key for key, figures in sets.items() if column in figures.needs}
            if not needing or column in table.missing_columns:
                continue
            for index, cell in enumerate(table[column]):
                if cell is not None or answered[index] not in needing or index in empty:
                    continue
                if reasons is not None and reasons[index] is not None:
                    continue
                figures = sets[answered[index]]
                if (index, column) in table.unfit_places or _is_misplaced(table, index, figures):
                    continue
                expected = f"a count: the row needs {', '.join(figures.needs)}"
                yield Finding(sheet.name, table.row_numbers[index], column, "nothing", expected)


def _is_misplaced(table: Table, index: int, figures: FigureSet) -> bool:
    """Say whether all figures of a row stand in columns that its metric or question does not use."""
    given = {
        name
        for name in table.sheet.figure_columns
        if table[name][index] is not None or (index, name) in table.unfit_places
    }
    return bool(given) and given.isdisjoint(figures.columns)


@rule(
    code="FIGURES-012",
    group="figures",
    message="A breakdown has no total row.",
    remedy=(
        "Add the row with ALL in crime_type, characteristic and characteristic_value, counted in the "
        "same way."
    ),
)
def breakdowns_have_a_total(submission: Submission) -> Iterator[Finding]:
    """Find parts without the total they are parts of. Of a row with a spoilt key, only that is told."""
    for table in submission.tables_of_figures:
        names = group_key(table.sheet)
        what = [
            names.index(name)
            for name in (table.sheet.body_column or "", "pfa_code", table.sheet.answers or "")
        ]
        groups = submission.figure_groups.get(table.sheet.name, {})
        spoilt = {tuple(key[place] for place in what) for key in groups if None in key}
        for key, group in groups.items():
            if not group.parts or group.totals or tuple(key[place] for place in what) in spoilt:
                continue
            row = min(row for rows in group.parts.values() for row in rows)
            answered = key[what[2]]
            yield Finding(
                table.sheet.name,
                table.row_numbers[row],
                "crime_type",
                f"parts of {answered} alone",
                "a total row",
            )


# --- the 2019/20 audit ------------------------------------------------------------------------------------


@cache
def printed_share(printed: str | None) -> Decimal | None:
    """Return a printed percentage as a number (30% is 30, a bare 0 is 0); None for words and blanks."""
    match = _PRINTED_NUMBER.match(printed.strip()) if printed else None
    if match is None or (printed is not None and "%" not in printed and Decimal(match[1]) != 0):
        return None
    return Decimal(match[1])


def _is_about_100(shares: list[Decimal]) -> bool:
    """Say whether shares rounded to whole percents may stand for a whole: half a point off for each."""
    return abs(sum(shares, Decimal(0)) - 100) <= Decimal("0.5") * len(shares)


class _Printed:
    """The printed shares of one question in one column of the printed table."""

    def __init__(self, row: int) -> None:
        self.row = row
        self.shares: list[tuple[LegacyResponse, Decimal]] = []

    @property
    def all(self) -> list[Decimal]:
        return [share for _, share in self.shares]

    @property
    def inside(self) -> list[Decimal]:
        return [share for response, share in self.shares if response.outcome != _OUTSIDE_THE_BASE]

    @property
    def as_sum(self) -> str:
        return f"{' + '.join(map(str, self.all))} = {sum(self.all)}"

    @property
    def bases(self) -> set[str]:
        """What the shares may be shares of: all cases, suitable cases, both (nothing outside), or neither."""
        bases = set()
        if _is_about_100(self.all):
            bases.add("all cases")
        if _is_about_100(self.inside):
            bases.add("suitable cases")
        return bases


def _printed_questions(
    submission: Submission,
) -> Iterator[tuple[Table, dict[tuple[str, ...], dict[str, _Printed]]]]:
    """Yield, per table of the audit: (body, area, question, frame, source) -> period -> printed shares.

    Only questions whose response lines are parts of one whole; at least two of them printed as numbers.
    """
    responses = {(r.question_id, r.response_id): r for r in submission.context.reference.legacy_responses}
    for table in submission.form_tables:
        if table.sheet.information != "legacy":
            continue
        questions: dict[tuple[str, ...], dict[str, _Printed]] = {}
        names = ("body_code", "pfa_code", "question_id", "sampling_frame", "source")
        keys = zip(*(table[name] for name in names), strict=True)
        cells = zip(keys, table["period_code"], table["response_id"], table["printed_value"], strict=True)
        for index, (key, period, response_id, printed) in enumerate(cells):
            response = responses.get((key[2], response_id))
            share = printed_share(printed)
            if response is None or response.outcome == "percentage" or share is None or period is None:
                continue
            by_period = questions.setdefault(key, {})
            by_period.setdefault(period, _Printed(table.row_numbers[index])).shares.append((response, share))
        yield (
            table,
            {
                key: {period: printed for period, printed in periods.items() if len(printed.shares) > 1}
                for key, periods in questions.items()
            },
        )


@rule(
    code="FIGURES-013",
    group="figures",
    severity="warning",
    message=(
        "The printed shares of a question do not add up to 100%: their base is not the same for all of them."
    ),
    remedy=(
        "State the base of each share (base_stated), or the cases themselves (cases_stated). Until then "
        "no rate is made of them."
    ),
)
def printed_shares_add_up(submission: Submission) -> Iterator[Finding]:
    """Tell of base errors such as 33 + 67 + 40 = 140."""
    for table, questions in _printed_questions(submission):
        for key, periods in questions.items():
            for period, printed in periods.items():
                if not any(printed.all) or "all cases" in printed.bases or not printed.shares:
                    continue
                hint = "; without the not suitable part they do" if "suitable cases" in printed.bases else ""
                yield Finding(
                    table.sheet.name,
                    printed.row,
                    "printed_value",
                    f"{key[2]}, {period}: {printed.as_sum}",
                    f"shares that add up to about 100{hint}",
                )


@rule(
    code="FIGURES-014",
    group="figures",
    severity="warning",
    message=(
        "The base of a question changes between the periods of the return; the printed shares are not "
        "comparable."
    ),
    remedy="State the base of each period; compare only shares of the same base.",
)
def base_stays_the_same(submission: Submission) -> Iterator[Finding]:
    """Tell of questions whose shares are of all cases in one period and of suitable cases in another."""
    for table, questions in _printed_questions(submission):
        for key, periods in questions.items():
            certain = {
                period: printed for period, printed in sorted(periods.items()) if len(printed.bases) == 1
            }
            bases = {period: next(iter(printed.bases)) for period, printed in certain.items()}
            if len(set(bases.values())) > 1:
                first = min(certain.values(), key=lambda printed: printed.row)
                yield Finding(
                    table.sheet.name,
                    first.row,
                    "printed_value",
                    f"{key[2]}: " + ", ".join(f"{period} of {base}" for period, base in bases.items()),
                    "one base throughout",
                )


@rule(
    code="FIGURES-015",
    group="figures",
    severity="warning",
    message="Every printed share of a question is 0; it is read as unknown, not as zero.",
    remedy="Say in the note why nothing could be told, or leave the cells blank.",
)
def shares_of_nothing_are_unknown(submission: Submission) -> Iterator[Finding]:
    """Tell of questions answered 0% yes and 0% no."""
    for table, questions in _printed_questions(submission):
        for key, periods in questions.items():
            for period, printed in periods.items():
                if printed.shares and not any(printed.all):
                    yield Finding(
                        table.sheet.name,
                        printed.row,
                        "printed_value",
                        f"{key[2]}, {period}: {printed.as_sum}",
                        "shares that add up to about 100, or blanks",
                    )


@rule(
    code="FIGURES-016",
    group="figures",
    message="More cases are stated than were looked at.",
    remedy="Correct cases_stated or base_stated.",
)
def stated_cases_are_within_their_base(submission: Submission) -> Iterator[Finding]:
    """Find stated cases above their stated base."""
    for table in submission.form_tables:
        if table.sheet.cases_stated is None or table.sheet.base_stated is None:
            continue
        stated = zip(
            table.row_numbers, table[table.sheet.cases_stated], table[table.sheet.base_stated], strict=True
        )
        for number, cases, base in stated:
            if cases is not None and base is not None and cases > base:
                yield Finding(
                    table.sheet.name, number, table.sheet.cases_stated, str(cases), f"at most {base}"
                )


@rule(
    code="FIGURES-017",
    group="figures",
    message="The cover declares a sheet empty, and the sheet has rows.",
    remedy="Take the reason off the cover, or take out the rows.",
)
def nil_sheets_are_empty(submission: Submission) -> Iterator[Finding]:
    """Find rows in sheets that are declared nil."""
    for table in submission.form_tables:
        if table.row_count and submission.nil_reason(table.sheet):
            yield Finding(table.sheet.name, table.row_numbers[0], None, f"{table.row_count} rows", "no row")

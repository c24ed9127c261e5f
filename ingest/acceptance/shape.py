"""Rules of the group shape: sheets, columns, types, codes and keys are those of the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from ingest.acceptance.quoting import quote
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.form import HELPER_SHEETS, Column
from ingest.readers import Cell
from ingest.reference import TOTAL
from ingest.typed import Table, UnfitCell, allowed_codes

_TYPES_IN_WORDS = {
    "string": "text, in a cell that is formatted as text before it is filled",
    "text": "text",
    "code": "a code",
    "count": "a whole number from 0, digits only",
    "date": "a date such as 2025-06-30",
    "decimal": "a number above 0",
    "number": "a number such as 0.5, without a percent sign",
    "flag": "yes or no",
    "grade": "0, 1, 2 or 3",
}
_LISTED = 14
_LONGEST_SLIP = 60
"""Longer texts are no code or name that somebody mistyped, and would be slow to compare."""
_HINTS = 200
"""How many different wrong codes are compared with the list; of more the list alone is told."""


def row_of(table: Table, index: int, column: str) -> int | None:
    """Return the row number a person sees for a cell: of its row, or of its field on the cover."""
    if table.sheet.layout == "fields":
        return table.field_rows.get(column)
    return table.row_numbers[index]


def _unfit(submission: Submission, *reasons: str) -> Iterator[tuple[Table, UnfitCell]]:
    for table in submission.tables.values():
        for cell in table.unfit:
            if cell.reason in reasons:
                yield table, cell


@rule(
    code="SHAPE-001",
    group="shape",
    stage="cover",
    message="A sheet of the form is missing.",
    remedy=(
        "Add the sheet, with the form's header, or give it back its name. If there is nothing to report, "
        "leave it empty and give the reason on the cover."
    ),
)
def sheets_are_there(submission: Submission) -> Iterator[Finding]:
    """Find missing sheets; without a known form, a missing cover."""
    misnamed = {meant: title for title, meant in _misnamed_sheets(submission).items()}
    for name in _missing_sheets(submission):
        found = "no such sheet"
        if name in misnamed:
            found += f"; {submission.shown_sheet(misnamed[name])} has nearly its name"
        yield Finding(name, found=found, expected=f"a sheet named {name}")


def _missing_sheets(submission: Submission) -> list[str]:
    if submission.workbook is None:
        return []
    there = {sheet.name for sheet in submission.workbook.sheets}
    expected = [sheet.name for sheet in submission.form.sheets] if submission.form else ["cover"]
    return [name for name in expected if name not in there]


def _misnamed_sheets(submission: Submission) -> dict[str, str]:
    """Return title -> missing sheet of the form, for sheets that have nearly its name."""
    if submission.workbook is None or submission.form is None:
        return {}
    known = {sheet.name for sheet in submission.form.sheets}.union(HELPER_SHEETS)
    missing = _missing_sheets(submission)
    misnamed: dict[str, str] = {}
    for sheet in submission.workbook.sheets:
        if sheet.name not in known:
            close = _close_to(sheet.name, set(missing) - set(misnamed.values()))
            if close is not None:
                misnamed[sheet.name] = close
    return misnamed


def _close_to(text: str, codes: Collection[str]) -> str | None:
    """Return the code that a text is, but for its capitals, blanks or a slip; None if there is none."""
    if len(text) >= _LONGEST_SLIP:
        return None
    small = {code.lower(): code for code in sorted(codes)}
    close = get_close_matches(text.strip().lower(), small, n=1, cutoff=0.8)
    return small[close[0]] if close else None


@rule(
    code="SHAPE-002",
    group="shape",
    message="A column of the form is missing.",
    remedy="Add the column with exactly the form's header; its cells may be blank where the form allows it.",
)
def columns_are_there(submission: Submission) -> Iterator[Finding]:
    """Find missing columns, and required fields of the cover that are missing as a line."""
    for table in submission.tables.values():
        for name in table.missing_columns:
            yield Finding(table.sheet.name, 1, name, "no such column", f"a column named {name}")


@rule(
    code="SHAPE-003",
    group="shape",
    message="A cell is not of the type of its column.",
    remedy="Write the cell as the column's type; leave it blank if there is no value.",
)
def cells_are_of_the_columns_type(submission: Submission) -> Iterator[Finding]:
    """Find cells of a wrong type."""
    for table, cell in _unfit(submission, "type"):
        yield Finding(
            table.sheet.name,
            row_of(table, cell.index, cell.column.name),
            cell.column.name,
            quote(cell.raw),
            _due(submission, cell.column),
        )


def _due(submission: Submission, column: Column) -> str:
    """Say what a cell of a column is to hold."""
    is_code = column.type == "code"
    return _expected_codes(submission, column, None) if is_code else _TYPES_IN_WORDS[column.type]


def _expected_codes(submission: Submission, column: Column, raw: Cell | None) -> str:
    """Say which codes a column takes: all of a short list, or how many there are; and which may be meant."""
    if column.codes_from == "periods":
        return "a period such as 2025-26-Q1"
    codes = allowed_codes(column, submission.context.reference)
    own = {area for _, area in submission.served} if column.codes_from == "areas" else set()
    if column.codes_from == "bodies":
        own = {body for body, _ in submission.served}
    if 0 < len(own) <= _LISTED:
        codes = frozenset(own)
    close = _close_to(raw, codes) if isinstance(raw, str) else None
    hint = f"; perhaps {close}" if close and len(codes) > 1 else ""
    if len(codes) <= _LISTED:
        ordered: Sequence[str] = column.codes + column.also
        if column.codes_from is not None:
            ordered = sorted(codes, key=lambda code: (len(code), code))
        return f"one of {', '.join(ordered)}{hint}" if len(codes) > 1 else ordered[0]
    listed = f" of {column.codes_from.replace('_', ' ')}" if column.codes_from else ""
    return f"one of the {len(codes)} codes{listed}{hint}"


@rule(
    code="SHAPE-004",
    group="shape",
    message="A code is not on the form's list.",
    remedy=(
        "Use a code of the list, letter for letter, with no space before or after it. The sheet lists of the "
        "template has them all."
    ),
)
def codes_are_known(submission: Submission) -> Iterator[Finding]:
    """Find unknown codes. Those of the cover that say whose return it is, and for what, others tell."""
    told = {"kind", "period_code"}  # by IDENTITY-001 and IDENTITY-006
    if submission.context.sender_code is not None:
        told.add("sender_code")  # by IDENTITY-004
    expected: dict[tuple[str, Cell | None], str] = {}
    for table, cell in _unfit(submission, "code"):
        if table.sheet.layout == "fields" and cell.column.name in told:
            continue
        key: tuple[str, Cell | None] = (cell.column.name, cell.raw)
        if key not in expected and len(expected) >= _HINTS:
            key = (cell.column.name, None)
        if key not in expected:
            expected[key] = _expected_codes(submission, cell.column, key[1])
        yield Finding(
            table.sheet.name,
            row_of(table, cell.index, cell.column.name),
            cell.column.name,
            quote(cell.raw),
            expected[key],
        )


@rule(
    code="SHAPE-005",
    group="shape",
    message="Two rows are about the same thing.",
    remedy="Keep one of the rows, or correct what tells them apart.",
)
def keys_are_unique(submission: Submission) -> Iterator[Finding]:
    """Find rows whose key stands on an earlier row.

    Rows with an unfit or blank required key cell are left out.
    """
    for table in submission.form_tables:
        keys = list(zip(*(table[name] for name in table.sheet.key), strict=True))
        if len(set(keys)) == len(keys):
            continue
        broken = {cell.index for cell in table.unfit if cell.column.name in table.sheet.key}
        required = [place for place, name in enumerate(table.sheet.key) if table.sheet.column(name).required]
        first: dict[tuple[object, ...], int] = {}
        for index, key in enumerate(keys):
            if index in broken or any(key[place] is None for place in required):
                continue
            if key in first:
                yield Finding(
                    table.sheet.name,
                    table.row_numbers[index],
                    None,
                    f"the same as row {table.row_numbers[first[key]]}",
                    f"one row for each {', '.join(table.sheet.key)}",
                )
            else:
                first[key] = index


@rule(
    code="SHAPE-006",
    group="shape",
    message="A cell that must be filled is blank.",
    remedy="Fill the cell.",
)
def required_cells_are_filled(submission: Submission) -> Iterator[Finding]:
    """Find blank required cells, and rows that lack most of their key, such as a remark beneath the table.

    Cells that hold something unfit are told by other rules, and so are rows without any figure.
    """
    for table in submission.tables.values():
        absent = set(table.missing_columns)
        if table.sheet.layout == "fields" and absent:
            continue
        strays = dict(_stray_rows(table))
        for index, columns in strays.items():
            found, expected = f"a row without {', '.join(columns)}", "a whole row, or none"
            yield Finding(table.sheet.name, table.row_numbers[index], None, found, expected)
        # Of a row without any figure, FIGURES-011 tells that.
        without_figures = submission.rows_without_figures.get(table.sheet.name, frozenset())
        for column in table.sheet.columns:
            if column.name in absent or not (column.required or column.required_when):
                continue
            cells = table[column.name]
            if None not in cells:
                continue
            when = column.required_when
            due = _due(submission, column)
            if when is not None:
                due += f", as {when.column} is {'blank' if when.is_blank else 'filled'}"
            for index, cell in enumerate(cells):
                if cell is not None or (index, column.name) in table.unfit_places or index in strays:
                    continue
                if when is not None and (table[when.column][index] is None) != when.is_blank:
                    continue
                if index in without_figures and when is not None and when.column == table.sheet.not_collected:
                    continue
                yield Finding(
                    table.sheet.name,
                    row_of(table, index, column.name),
                    column.name,
                    "nothing",
                    due,
                )


def _stray_rows(table: Table) -> Iterator[tuple[int, list[str]]]:
    """Yield (row index, blank columns) of rows that lack most of the columns that make up their key."""
    sheet = table.sheet
    keys = [name for name in sheet.key if sheet.column(name).required and name not in table.missing_columns]
    if len(keys) < 2 or all(None not in table[name] for name in keys):
        return
    for index in range(table.row_count):
        blank = [
            name for name in keys if table[name][index] is None and (index, name) not in table.unfit_places
        ]
        if 2 * len(blank) > len(keys):
            yield index, blank


@rule(
    code="SHAPE-007",
    group="shape",
    severity="warning",
    message="A column (or a line of the cover) is not part of the form; it is not read.",
    remedy="Take it out, or correct its name if a column of the form is meant.",
)
def no_extra_columns(submission: Submission) -> Iterator[Finding]:
    """Tell of columns that the form does not know."""
    for table in submission.tables.values():
        for place, header in table.extra_columns:
            if table.sheet.layout == "fields":
                yield Finding(table.sheet.name, int(place), "field", quote(header), "a field of the form")
            else:
                yield Finding(table.sheet.name, 1, f"column {place}", quote(header), "a column of the form")


@rule(
    code="SHAPE-008",
    group="shape",
    message="A row sets both a crime type and a characteristic.",
    remedy="Give each breakdown on rows of its own, with ALL for the other.",
)
def one_breakdown_a_row(submission: Submission) -> Iterator[Finding]:
    """Find rows broken down both ways at once."""
    for table in submission.form_tables:
        if not table.sheet.is_broken_down:
            continue
        rows = zip(table.row_numbers, table["crime_type"], table["characteristic"], strict=True)
        for number, crime_type, characteristic in rows:
            if crime_type not in (TOTAL, None) and characteristic not in (TOTAL, None):
                yield Finding(
                    table.sheet.name,
                    number,
                    "characteristic",
                    f"{crime_type} and {characteristic}",
                    "one of them ALL",
                )


@rule(
    code="SHAPE-009",
    group="shape",
    message="A category is not one of its characteristic.",
    remedy="Use a category of the characteristic's list; ALL goes with ALL.",
)
def categories_belong_to_their_characteristic(submission: Submission) -> Iterator[Finding]:
    """Find pairs of characteristic and category that do not go together."""
    view = submission.view
    if view is None:
        return
    good = {(name, value) for name, values in view.characteristics.items() for value in values} | {
        (TOTAL, TOTAL)
    }
    for table in submission.form_tables:
        if not table.sheet.is_broken_down:
            continue
        pairs = list(zip(table["characteristic"], table["characteristic_value"], strict=True))
        if good.issuperset(pairs):
            continue
        for number, pair in zip(table.row_numbers, pairs, strict=True):
            if None not in pair and pair not in good:
                yield Finding(
                    table.sheet.name,
                    number,
                    "characteristic_value",
                    f"{pair[1]} of {pair[0]}",
                    f"one of {', '.join(view.characteristics.get(pair[0], (TOTAL,)))}",
                )


def _answers(table: Table) -> Iterator[tuple[int, str, str]]:
    """Yield (row number, body_code, metric, question or item) of the rows whose codes are known."""
    if table.sheet.answers is None or table.sheet.body_column is None:
        return
    cells = zip(table.row_numbers, table[table.sheet.body_column], table[table.sheet.answers], strict=True)
    for number, body, answered in cells:
        if body is not None and answered is not None:
            yield number, body, answered


@rule(
    code="SHAPE-010",
    group="shape",
    message="A row answers what this kind of body is not asked.",
    remedy="Take the row out; the form's list says who answers what.",
)
def answered_by_the_right_kind_of_body(submission: Submission) -> Iterator[Finding]:
    """Find metrics, questions and items that the body's kind does not answer."""
    view = submission.view
    if view is None:
        return
    asked = {(row.metric_id, row.body_kind) for row in view.metric_bodies}
    audit = {question: lines[0].metric_id for question, lines in view.legacy_questions.items()}
    verdicts: dict[tuple[str, str], bool] = {}
    for table in submission.form_tables:
        legacy = table.sheet.information == "legacy"
        for number, body, answered in _answers(table):
            if (body, answered) not in verdicts:
                metric = audit.get(answered, "") if legacy else answered
                known_body = view.bodies.get(body)
                in_force = metric in view.metrics
                verdicts[body, answered] = (
                    known_body is None or not in_force or (metric, known_body.body_kind) in asked
                )
            if not verdicts[body, answered]:
                yield Finding(
                    table.sheet.name,
                    number,
                    table.sheet.answers,
                    f"{answered} from {body}",
                    "what this kind of body is asked",
                )


@rule(
    code="SHAPE-011",
    group="shape",
    message="A code is known but not in force for the period.",
    remedy="Take the row out, or use the code that is in force.",
)
def codes_are_in_force(submission: Submission) -> Iterator[Finding]:
    """Find metrics, questions, items and crime types used outside their dates."""
    view = submission.view
    if view is None:
        return
    for table in submission.form_tables:
        checks: list[tuple[str, set[str]]] = []
        if table.sheet.answers is not None:
            in_force = view.legacy_questions if table.sheet.information == "legacy" else view.metrics
            checks.append((table.sheet.answers, set(in_force)))
        if table.sheet.is_broken_down:
            checks.append(("crime_type", set(view.crime_types) | {TOTAL}))
        for column, current in checks:
            late = set(table[column]) - current - {None}
            if late:
                for number, code in zip(table.row_numbers, table[column], strict=True):
                    if code in late:
                        yield Finding(
                            table.sheet.name, number, column, code, "a code in force for the period"
                        )


@rule(
    code="SHAPE-012",
    group="shape",
    severity="warning",
    message="A sheet is not part of the form; it is not read.",
    remedy="Take it out, or correct its name if a sheet of the form is meant.",
)
def no_extra_sheets(submission: Submission) -> Iterator[Finding]:
    """Tell of sheets that neither the form knows nor a template adds."""
    if submission.workbook is None or submission.form is None:
        return
    names = ", ".join(sheet.name for sheet in submission.form.sheets)
    misnamed = _misnamed_sheets(submission)  # SHAPE-001 tells these
    known = {*submission.tables, *HELPER_SHEETS, *misnamed}
    for sheet in submission.workbook.sheets:
        if sheet.name not in known:
            found = f"{submission.shown_sheet(sheet.name)} of the file"
            yield Finding(found=found, expected=f"the sheets {names}")


@rule(
    code="SHAPE-013",
    group="shape",
    message="A column (or a line of the cover) stands twice.",
    remedy="Keep one of them.",
)
def columns_stand_once(submission: Submission) -> Iterator[Finding]:
    """Find columns and fields that are repeated."""
    for table in submission.tables.values():
        for place, header in table.repeated_columns:
            if table.sheet.layout == "fields":
                yield Finding(table.sheet.name, int(place), header, "a second line", "each field once")
            else:
                yield Finding(
                    table.sheet.name, 1, f"column {place}", "a second column of that name", "each column once"
                )


@rule(
    code="SHAPE-014",
    group="shape",
    message="A cell is filled in a column that has no header.",
    remedy="Clear the cell, or move it to the column it belongs to.",
)
def cells_have_a_header(submission: Submission) -> Iterator[Finding]:
    """Find cells to the right of the table, or under a blank header."""
    for table in submission.tables.values():
        for number, letter in table.unnamed_cells:
            yield Finding(table.sheet.name, number, f"column {letter}", "a filled cell", "nothing")


@rule(
    code="SHAPE-015",
    group="shape",
    message="A code may not be used on this row.",
    remedy="Take the row out; the form says which rows may use the code.",
)
def codes_are_allowed_on_their_row(submission: Submission) -> Iterator[Finding]:
    """Find codes that only some rows may use, on other rows."""
    for table in submission.form_tables:
        for column in table.sheet.columns:
            for code, allowed in column.restricted.items():
                cells = table[column.name]
                if code not in cells:
                    continue
                for index, cell in enumerate(cells):
                    if cell != code:
                        continue
                    for other, values in allowed.items():
                        if table[other][index] not in (None, *values):
                            yield Finding(
                                table.sheet.name,
                                table.row_numbers[index],
                                column.name,
                                f"{code} with {other} {table[other][index]}",
                                f"{other} {' or '.join(values)}",
                            )


@rule(
    code="SHAPE-016",
    group="shape",
    message="A response line does not belong to its question.",
    remedy="Use a response line of the question's list.",
)
def responses_belong_to_their_question(submission: Submission) -> Iterator[Finding]:
    """Find response lines of the audit under another question."""
    lines = Counter((r.question_id, r.response_id) for r in submission.context.reference.legacy_responses)
    for table in submission.form_tables:
        if table.sheet.information != "legacy":
            continue
        pairs = zip(table.row_numbers, table["question_id"], table["response_id"], strict=True)
        for number, question, response in pairs:
            if question is not None and response is not None and (question, response) not in lines:
                expected = ", ".join(sorted(r for q, r in lines if q == question))
                yield Finding(
                    table.sheet.name, number, "response_id", f"{response} of {question}", f"one of {expected}"
                )

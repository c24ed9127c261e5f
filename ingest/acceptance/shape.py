"""Rules of the group shape: sheets, columns, types, codes and keys are those of the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches

from ingest.acceptance.quoting import quote
from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.form import Column
from ingest.reference import TOTAL
from ingest.typed import Table, UnfitCell, allowed_codes

_TYPES_IN_WORDS = {
    "string": "text, exactly as printed, in a cell formatted as text",
    "text": "text",
    "code": "a code",
    "count": "a whole number from 0",
    "date": "a date such as 2025-06-30",
    "decimal": "a number above 0",
    "grade": "0, 1, 2 or 3",
}
_LISTED = 8


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
        "Add the sheet, with the form's header. Leave it empty and give the reason on the cover if "
        "there is nothing to report."
    ),
)
def sheets_are_there(submission: Submission) -> Iterator[Finding]:
    """Find missing sheets; without a known form, a missing cover."""
    if submission.workbook is None:
        return
    there = {sheet.name for sheet in submission.workbook.sheets}
    expected = [sheet.name for sheet in submission.form.sheets] if submission.form else ["cover"]
    for name in expected:
        if name not in there:
            yield Finding(name, found="no such sheet", expected=f"a sheet named {name}")


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
            _TYPES_IN_WORDS[cell.column.type],
        )


def _expected_codes(submission: Submission, column: Column, raw: object) -> str:
    if column.codes_from == "periods":
        return "a period such as 2025-26-Q1"
    codes = sorted(allowed_codes(column, submission.context.reference))
    if len(codes) <= _LISTED:
        return f"one of {', '.join(codes)}"
    close = (
        get_close_matches(raw.strip(), codes, n=1, cutoff=0.8)
        if isinstance(raw, str) and len(raw) < 60
        else []
    )
    hint = f"; perhaps {close[0]}" if close else ""
    return f"one of the {len(codes)} codes of {column.codes_from}{hint}"


@rule(
    code="SHAPE-004",
    group="shape",
    message="A code is not on the form's list.",
    remedy="Use a code of the list, letter for letter, with no space before or after it.",
)
def codes_are_known(submission: Submission) -> Iterator[Finding]:
    """Find unknown codes."""
    expected: dict[tuple[str, object], str] = {}
    for table, cell in _unfit(submission, "code"):
        if table.sheet.layout == "fields" and cell.column.name in ("kind", "period_code"):
            continue  # IDENTITY-001 and IDENTITY-006 tell these
        key = (cell.column.name, cell.raw)
        if key not in expected:
            expected[key] = _expected_codes(submission, cell.column, cell.raw)
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
    message="Two rows have the same key.",
    remedy="Keep one of the rows; what makes rows differ is listed in the form as their key.",
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
                    ", ".join(table.sheet.key),
                    f"the key of row {table.row_numbers[first[key]]}",
                    "each key once",
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
    """Find blank required cells. Cells that hold something unfit are told by other rules."""
    for table in submission.tables.values():
        absent = set(table.missing_columns)
        if table.sheet.layout == "fields" and absent:
            continue
        for column in table.sheet.columns:
            if column.name in absent or not (column.required or column.required_when):
                continue
            cells = table[column.name]
            if None not in cells:
                continue
            when = column.required_when
            for index, cell in enumerate(cells):
                if cell is not None or (index, column.name) in table.unfit_places:
                    continue
                if when is not None and (table[when.column][index] is None) != when.is_blank:
                    continue
                yield Finding(
                    table.sheet.name,
                    row_of(table, index, column.name),
                    column.name,
                    "nothing",
                    _TYPES_IN_WORDS[column.type],
                )


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
    """Tell of sheets that the form does not know."""
    if submission.workbook is None or submission.form is None:
        return
    names = ", ".join(sheet.name for sheet in submission.form.sheets)
    for place, sheet in enumerate(submission.workbook.sheets, 1):
        if sheet.name not in submission.tables:
            yield Finding(found=f"sheet number {place} of the file", expected=f"the sheets {names}")


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

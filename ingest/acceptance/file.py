"""Rules of the group file: what arrives can be opened, is what it says it is, and does no harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.readers import Fault, column_index

EXTENSIONS = ("xlsx", "ods", "zip")
_CONTENTS = {"xlsx": "an Excel workbook", "ods": "an OpenDocument spreadsheet", "zip": "a zip"}
"""Extension -> what a file of that name must be."""
_CONTAINERS = (".zip", ".xlsx", ".xlsm", ".xls", ".ods", ".7z", ".rar", ".gz", ".tar")
_COUNTED = ("count", "grade")
"""Types of columns whose cells are whole numbers."""
_SEND_AGAIN = (
    "Save the file anew from your spreadsheet program, open it once to see that it is whole, and send "
    "it again."
)


def _of_fault(submission: Submission, *reasons: str) -> Iterator[Finding]:
    fault: Fault | None = submission.fault
    if fault is not None and fault.reason in reasons:
        yield Finding(fault.sheet, fault.row, fault.column, fault.found, fault.expected)


@rule(
    code="FILE-001",
    group="file",
    message="The file is empty or damaged and cannot be opened.",
    remedy=_SEND_AGAIN,
)
def can_be_opened(submission: Submission) -> Iterator[Finding]:
    """Find files of no bytes and containers that do not open."""
    facts = submission.facts
    if facts.container == "empty":
        yield Finding(found="a file of 0 bytes", expected="a workbook or a zip of CSVs")
    elif facts.container == "broken":
        yield Finding(found="a damaged zip container", expected="a workbook or a zip of CSVs")


@rule(
    code="FILE-002",
    group="file",
    message="The file is protected with a password.",
    remedy="Save it without a password and send it again; the inbox itself is private.",
)
def not_encrypted(submission: Submission) -> Iterator[Finding]:
    """Find encrypted workbooks and encrypted zip entries."""
    if submission.facts.is_encrypted:
        yield Finding(found="an encrypted file", expected="a file that opens without a password")


@rule(
    code="FILE-003",
    group="file",
    quarantines=True,
    message="The workbook holds macros (program code).",
    remedy="Save it as a workbook without macros (.xlsx or .ods) and send it again.",
)
def no_macros(submission: Submission) -> Iterator[Finding]:
    """Find workbooks with macros, whatever their extension."""
    if submission.facts.has_macros:
        yield Finding(found="macros", expected="a workbook without macros")


@rule(
    code="FILE-004",
    group="file",
    message="The file is not of the type that its name says, or not of a type that is read.",
    remedy=(
        "Send an Excel workbook named .xlsx, an OpenDocument spreadsheet named .ods, or a zip of CSV files "
        "named .zip. To turn one into another, save it in that form; to rename a file is not enough."
    ),
)
def right_type_for_extension(submission: Submission) -> Iterator[Finding]:
    """Find unknown extensions, and content that is not what the extension says."""
    facts = submission.facts
    if facts.container in ("empty", "broken") or facts.is_encrypted:
        return
    actual = (
        "an old Excel or other Office file"
        if facts.container == "ole"
        else "neither a workbook nor a zip"
        if facts.container == "other"
        else _CONTENTS["ods" if facts.is_opendocument else "xlsx" if facts.is_excel else "zip"]
    )
    if facts.extension not in EXTENSIONS:
        yield Finding(found=f"{actual}, under an extension that is not read", expected=".xlsx, .ods or .zip")
    elif facts.bytes > submission.context.limits.file_bytes and facts.container == "zip":
        return  # it was not opened; its size is the problem to mend
    elif actual != _CONTENTS[facts.extension]:
        yield Finding(
            found=f"{actual}, under a name that ends in .{facts.extension}",
            expected=_CONTENTS[facts.extension],
        )


@rule(
    code="FILE-005",
    group="file",
    message="The file is larger than is accepted.",
    remedy="Send only the sheets of the form, without pictures or working sheets.",
)
def within_file_size(submission: Submission) -> Iterator[Finding]:
    """Find files with too many bytes."""
    limit = submission.context.limits.file_bytes
    if submission.facts.bytes > limit:
        yield Finding(found=f"{submission.facts.bytes} bytes", expected=f"at most {limit} bytes")


@rule(
    code="FILE-006",
    group="file",
    quarantines=True,
    message="The file would unpack to far more than is accepted.",
    remedy="Send only the sheets of the form; if the file is as you made it, ask the returns team.",
)
def unpacks_within_limits(submission: Submission) -> Iterator[Finding]:
    """Find declared sizes beyond the limit, and entries packed suspiciously well."""
    facts, limits = submission.facts, submission.context.limits
    if facts.unpacked_bytes > limits.unpacked_bytes:
        yield Finding(
            found=f"{facts.unpacked_bytes} bytes", expected=f"at most {limits.unpacked_bytes} bytes unpacked"
        )
    for entry in facts.entries:
        ratio = entry.unpacked_bytes / max(entry.packed_bytes, 1)
        if entry.unpacked_bytes > limits.ratio_matters_from_bytes and ratio > limits.unpacked_ratio:
            yield Finding(
                found=f"an entry packed {ratio:.0f} to 1", expected=f"at most {limits.unpacked_ratio} to 1"
            )


@rule(
    code="FILE-007",
    group="file",
    message="The file holds too many entries.",
    remedy="Send only the sheets of the form.",
)
def within_entry_count(submission: Submission) -> Iterator[Finding]:
    """Find containers with too many entries."""
    limit = submission.context.limits.entries
    if len(submission.facts.entries) > limit:
        yield Finding(found=f"{len(submission.facts.entries)} entries", expected=f"at most {limit}")


@rule(
    code="FILE-008",
    group="file",
    stage="content",
    message="A sheet is larger than is accepted.",
    remedy=(
        "Delete unused rows and columns outside the table, shorten long texts, and send only the sheets "
        "of the form."
    ),
)
def within_sheet_limits(submission: Submission) -> Iterator[Finding]:
    """Find too many sheets, rows, columns or cells, and cells that are too long."""
    return _of_fault(submission, "too_large")


@rule(
    code="FILE-009",
    group="file",
    quarantines=True,
    message="A name inside the zip would place a file outside its folder.",
    remedy="Make the zip anew from the CSV files alone, with plain names such as metrics.csv.",
)
def no_path_tricks(submission: Submission) -> Iterator[Finding]:
    """Find absolute, climbing or doubled names and links inside the container."""
    tricks = submission.facts.path_tricks
    if tricks:
        yield Finding(found=f"{len(tricks)} such names", expected="plain names, each once")


@rule(
    code="FILE-010",
    group="file",
    stage="content",
    quarantines=True,
    message="The workbook's XML holds what an ordinary workbook never holds.",
    remedy="Save the workbook anew from your spreadsheet program and send it again.",
)
def no_xml_tricks(submission: Submission) -> Iterator[Finding]:
    """Find document types, entities and odd encodings in the XML of a workbook."""
    return _of_fault(submission, "xml_trick")


@rule(
    code="FILE-011",
    group="file",
    message="The zip holds something other than CSV files.",
    remedy=(
        "Put only the CSV files of the form into the zip, not in a folder: cover.csv, and one file a sheet. "
        "Send a workbook as it is, not in a zip."
    ),
)
def only_csv_in_zip(submission: Submission) -> Iterator[Finding]:
    """Find entries of a zip that are no CSV, or lie in a folder."""
    facts = submission.facts
    if facts.container != "zip" or facts.is_workbook or facts.extension != "zip":
        return
    others = [entry.name for entry in facts.entries if "/" in entry.name or not entry.name.endswith(".csv")]
    if others:
        containers = sum(name.lower().endswith(_CONTAINERS) for name in others)
        told = f", of them {containers} zips or workbooks" if containers else ""
        yield Finding(
            found=f"{len(others)} other entries{told}",
            expected="files named like the sheets, such as metrics.csv",
        )
    elif not facts.entries and facts.bytes <= submission.context.limits.file_bytes:
        yield Finding(found="an empty zip", expected="files named like the sheets, such as metrics.csv")


@rule(
    code="FILE-012",
    group="file",
    stage="content",
    message="The file cannot be read to its end.",
    remedy=(
        "Save each CSV as UTF-8 with one separator throughout (or the workbook anew), open it once to see "
        "that it is whole, and send it again."
    ),
)
def can_be_read(submission: Submission) -> Iterator[Finding]:
    """Find bytes that are no text, unclear separators, quotes that do not close, damaged parts."""
    return _of_fault(submission, "not_text", "corrupt")


@rule(
    code="FILE-013",
    group="file",
    stage="content",
    message="A cell holds an error such as #N/A or #REF!.",
    remedy="Mend the formula, or replace the cell by its value or by nothing.",
)
def no_error_cells(submission: Submission) -> Iterator[Finding]:
    """Find error cells, which would otherwise be read as blank."""
    if submission.workbook is not None:
        for cell in submission.workbook.error_cells:
            yield Finding(cell.sheet, cell.row, cell.column, cell.found, cell.expected)


@rule(
    code="FILE-014",
    group="file",
    stage="content",
    severity="warning",
    message="A sheet holds formulas; each is read as the value it last showed.",
    remedy="Check that the values are up to date, or paste them as values.",
)
def formulas_are_read_as_values(submission: Submission) -> Iterator[Finding]:
    """Tell of formulas."""
    if submission.workbook is not None:
        for sheet, count in submission.workbook.formula_counts.items():
            yield Finding(sheet, found=f"{count} formula cells", expected="values")


@rule(
    code="FILE-015",
    group="file",
    stage="content",
    quarantines=True,
    message="Reading the file made the reader fail.",
    remedy=_SEND_AGAIN,
)
def does_not_crash_the_reader(submission: Submission) -> Iterator[Finding]:
    """Tell of a reader that ended without an answer."""
    return _of_fault(submission, "crashed")


@rule(
    code="FILE-016",
    group="file",
    stage="content",
    quarantines=True,
    message="Reading the file took too long.",
    remedy="Send only the sheets of the form, without pictures or working sheets.",
)
def is_read_in_time(submission: Submission) -> Iterator[Finding]:
    """Tell of a reader that was stopped for taking too long."""
    return _of_fault(submission, "timed_out")


@rule(
    code="FILE-017",
    group="file",
    stage="content",
    quarantines=True,
    message="Reading the file took too much memory.",
    remedy="Send only the sheets of the form, without pictures or working sheets.",
)
def is_read_in_memory(submission: Submission) -> Iterator[Finding]:
    """Tell of a reader that was stopped for taking too much memory."""
    return _of_fault(submission, "out_of_memory")


@rule(
    code="FILE-018",
    group="file",
    message="The file is packed in a way that is not read.",
    remedy="Make the zip with your system's own program (the method is called deflate), and send it again.",
)
def ordinary_compression(submission: Submission) -> Iterator[Finding]:
    """Find entries packed by another method than stored or deflated."""
    if submission.facts.has_other_compression:
        yield Finding(found="another compression method", expected="entries stored or deflated")


@rule(
    code="FILE-019",
    group="file",
    message=(
        "The workbook holds pictures, copies of data (of pivot tables, of shared workbooks) or other files, "
        "which cannot be looked through for personal data."
    ),
    remedy=(
        "Take the pictures, the pivot tables, the embedded files and (in an OpenDocument spreadsheet) the "
        "charts out of the workbook, stop sharing it, and send it again."
    ),
)
def no_embedded_files(submission: Submission) -> Iterator[Finding]:
    """Find pictures, embedded files and copies of data in a workbook."""
    number = submission.facts.embedded_files
    if submission.facts.is_workbook and number:
        yield Finding(found=f"{number} such files", expected="none")


@rule(
    code="FILE-020",
    group="file",
    stage="content",
    quarantines=True,
    message="The workbook refers to other files, programs or sources of data.",
    remedy=(
        "Paste formulas that look into other files as values, break the links (Data, Edit Links) and remove "
        "connections, add-ins and form controls, then save the workbook and send it again."
    ),
)
def stands_alone(submission: Submission) -> Iterator[Finding]:
    """Find external links, DDE and OLE links, data connections, web add-ins, and formulas that fetch.

    None is followed. A hyperlink in a cell is none of these.
    """
    if submission.workbook is not None:
        for place in submission.workbook.outside_references:
            yield Finding(place.sheet, place.row, place.column, place.found, place.expected)


def _of_form(submission: Submission, faults: Iterable[Fault]) -> Iterator[Finding]:
    """Yield the faults of the form's sheets as findings."""
    for fault in faults:
        if fault.sheet in submission.tables:
            yield Finding(fault.sheet, fault.row, fault.column, fault.found, fault.expected)


@rule(
    code="FILE-021",
    group="file",
    stage="tables",
    message="A cell shows another number than the one it holds.",
    remedy=(
        "Format the cell as a plain number (not as a percentage, not in thousands, not hidden) and see that "
        "it shows the number that is meant."
    ),
)
def numbers_are_shown_as_they_are(submission: Submission) -> Iterator[Finding]:
    """Find counts that a person sees otherwise: 1 as 100%, 12000 as 12.

    Numbers that are not whole are left to the rules on figures, which refuse them as counts.
    """
    workbook = submission.workbook
    if workbook is None or not workbook.shown_otherwise:
        return
    for table in submission.form_tables:
        raw = workbook.sheet(table.sheet.name)
        counted = [column.name for column in table.sheet.columns if column.type in _COUNTED]
        if raw is None:
            continue
        places = {place: name for place, name in enumerate(raw.header) if name in counted}
        rows = {number: index for index, number in enumerate(raw.row_numbers)}
        for fault in workbook.shown_otherwise:
            if fault.sheet != raw.name or fault.column is None or fault.row not in rows:
                continue
            place = column_index(fault.column)
            cell = raw.columns[place][rows[fault.row]] if place in places else None
            if type(cell) is float and cell.is_integer():
                yield Finding(raw.name, fault.row, places[place], fault.found, fault.expected)


@rule(
    code="FILE-022",
    group="file",
    stage="tables",
    severity="warning",
    message="A sheet hides a part of its table; the hidden part is read like the rest.",
    remedy=(
        "Show all rows and columns (clear the filters, unhide), split merged cells, and check that each row "
        "holds what is meant."
    ),
)
def nothing_is_hidden(submission: Submission) -> Iterator[Finding]:
    """Tell of hidden rows, columns and sheets of the form, and of merged cells."""
    if submission.workbook is not None:
        yield from _of_form(submission, submission.workbook.concealed)


@rule(
    code="FILE-023",
    group="file",
    stage="tables",
    message="A formula's value is not stored in the file, so that its cell would be read as blank.",
    remedy=(
        "Open the workbook in a spreadsheet program, which works the values out, save it there and send it "
        "again; or paste the values in place of the formulas."
    ),
)
def formulas_have_values(submission: Submission) -> Iterator[Finding]:
    """Find formulas that nobody has calculated since a program wrote them."""
    if submission.workbook is not None:
        yield from _of_form(submission, submission.workbook.unvalued_formulas)

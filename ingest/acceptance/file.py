"""Rules of the group file: what arrives can be opened, is what it says it is, and does no harm."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.readers import Fault

EXTENSIONS = ("xlsx", "zip")
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
    remedy="Save it as an Excel workbook (.xlsx) without macros and send it again.",
)
def no_macros(submission: Submission) -> Iterator[Finding]:
    """Find workbooks with macros, whatever their extension."""
    if submission.facts.has_macros:
        yield Finding(found="macros", expected="a workbook without macros")


@rule(
    code="FILE-004",
    group="file",
    message="The file is not of the type that its name says, or not of a type that is read.",
    remedy="Send an Excel workbook named .xlsx, or a zip of CSV files named .zip.",
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
        else "an Excel workbook"
        if facts.is_workbook
        else "a zip"
    )
    if facts.extension not in EXTENSIONS:
        yield Finding(found=f"{actual}, under an extension that is not read", expected=".xlsx or .zip")
    elif facts.bytes > submission.context.limits.file_bytes and facts.container == "zip":
        return  # it was not opened; its size is the problem to mend
    elif (actual != "an Excel workbook") if facts.extension == "xlsx" else (actual != "a zip"):
        yield Finding(found=actual, expected=f"what .{facts.extension} stands for")


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
        "Put only the CSV files of the form into the zip, not in a folder: cover.csv, and one file a sheet."
    ),
)
def only_csv_in_zip(submission: Submission) -> Iterator[Finding]:
    """Find entries of a zip that are no CSV, or lie in a folder."""
    facts = submission.facts
    if facts.container != "zip" or facts.is_workbook or facts.extension != "zip":
        return
    others = [entry.name for entry in facts.entries if "/" in entry.name or not entry.name.endswith(".csv")]
    if others:
        yield Finding(
            found=f"{len(others)} other entries", expected="files named like the sheets, such as metrics.csv"
        )
    elif not facts.entries and facts.bytes <= submission.context.limits.file_bytes:
        yield Finding(found="an empty zip", expected="files named like the sheets, such as metrics.csv")


@rule(
    code="FILE-012",
    group="file",
    stage="content",
    message="The file cannot be read to its end.",
    remedy=(
        "Save each CSV as UTF-8 (or the workbook anew), open it once to see that it is whole, and send "
        "it again."
    ),
)
def can_be_read(submission: Submission) -> Iterator[Finding]:
    """Find bytes that are not UTF-8, quotes that do not close, and parts that do not unpack."""
    return _of_fault(submission, "not_text", "corrupt")


@rule(
    code="FILE-013",
    group="file",
    stage="content",
    message="A cell holds an Excel error such as #N/A or #REF!.",
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
    message="The workbook holds pictures or other files, which cannot be looked through for personal data.",
    remedy="Take the pictures and embedded files out of the workbook and send it again.",
)
def no_embedded_files(submission: Submission) -> Iterator[Finding]:
    """Find pictures and embedded files in a workbook."""
    number = submission.facts.embedded_files
    if submission.facts.is_workbook and number:
        yield Finding(found=f"{number} such files", expected="none")

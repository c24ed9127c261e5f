"""What both kinds of workbook share: traps of XML, formulas that reach outside, and reading by calamine."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from ingest.limits import Limits
from ingest.readers.workbook import Fault, RawSheet, Unreadable, Workbook, make_sheet

ANOTHER_FILE = "a link to another file"
PROGRAM = "a call of a program (DDE, OLE or a script)"
ELSEWHERE = "a function that fetches from elsewhere"
DATA_SOURCE = "a connection to a source of data"

_ENTITY_TRICK = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']""")
_STRING = re.compile(r'"[^"]*"')
_LITERAL = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')""")
_QUOTED_OR_LIST = re.compile(r"'[^']*'|\{[^}]*\}")
_FUNCTION = re.compile(
    r"\b(DDE|CALL|REGISTER(?:\.ID)?|EXEC|RTD|WEBSERVICE|IMAGE|SQL\.REQUEST)\s*\(", re.IGNORECASE
)
_PROGRAM_FUNCTIONS = ("DDE", "CALL", "REGISTER", "REGISTER.ID", "EXEC", "RTD")
_OTHER_FILE = re.compile(
    r"""'(?:\w{2,}:|[A-Za-z]:\\|\\\\)|\bfile:|\[\d+\][^\[\],;()]*!|\[[^\[\]]*\.(?:xl\w{1,2}|od[st]|csv|dbf)\]""",
    re.IGNORECASE,
)


def refuse_xml_tricks(xml: bytes) -> None:
    """Raise Unreadable for XML with a document type, an entity, or in an encoding that hides either."""
    encoding = _DECLARED_ENCODING.match(xml.removeprefix(b"\xef\xbb\xbf"))
    if xml.startswith(_UTF16) or (encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
        # The scans read bytes as ASCII; another encoding would hide what they look for.
        raise Unreadable(Fault("xml_trick", found="a part that is not in UTF-8", expected="XML in UTF-8"))
    if _ENTITY_TRICK.search(xml):
        raise Unreadable(Fault("xml_trick", found="a document type or entity", expected="XML without either"))


def refuse_broken_xml(xml: bytes) -> None:
    """Raise Unreadable for XML that is not whole, of which calamine would read what it can."""
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(xml, True)
    except expat.ExpatError as error:
        raise Unreadable(Fault("corrupt", found="XML that is not whole")) from error


def reaches_outside(formula: str) -> str | None:
    """Say what a formula would fetch or start outside its workbook, or None.

    A hyperlink is nothing of the kind: nobody follows it until somebody clicks on it.
    """
    bare = _STRING.sub("", formula)
    function = _FUNCTION.search(bare)
    if function is not None:
        return PROGRAM if function[1].upper() in _PROGRAM_FUNCTIONS else ELSEWHERE
    # program|topic!item starts the program. Elsewhere the bar stands only in names of sheets and in lists.
    if "|" in _QUOTED_OR_LIST.sub("", bare):
        return PROGRAM
    return ANOTHER_FILE if _OTHER_FILE.search(bare) else None


def said_in(formula: str) -> Iterator[str]:
    """Yield the words of a formula: what it puts between quotes, names of sheets included."""
    if "@" in formula:
        yield formula
    elif '"' in formula or "'" in formula:
        for quoted in _LITERAL.findall(formula):
            yield quoted[1:-1]


def comments_of(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of what the zip itself says, beside its entries."""
    for comment in (archive.comment, *(info.comment for info in archive.infolist())):
        if comment:
            yield "the comment of the zip", comment.decode("utf-8", "replace")


def outside(kind: str, sheet: str | None = None, row: int | None = None, column: str | None = None) -> Fault:
    """Return the fault of a reference to something outside the workbook."""
    return Fault("outside", sheet, row, column, kind, "a workbook that needs nothing but itself")


def repacked(parts: dict[str, bytes]) -> io.BytesIO:
    """Return a zip container of parts as they were looked over; the dict is emptied on the way.

    Calamine reads this and not the file: the directory of a zip can be made to show one reader less than
    another.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name in list(parts):
            archive.writestr(name, parts.pop(name))
    data.seek(0)
    return data


def read_sheets(data: io.BytesIO, limits: Limits, workbook: Workbook) -> None:
    """Read every worksheet into the workbook. Raises Unreadable for what calamine cannot read."""
    import python_calamine

    folded = [title.casefold() for title in workbook.titles]
    if len(set(folded)) != len(folded):
        # Calamine looks sheets up by their names, and would read one twice and another not at all.
        raise Unreadable(Fault("corrupt", found="two sheets of one name", expected="a name for each sheet"))
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(data)
        for meta in book.sheets_metadata:
            if meta.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            rows = book.get_sheet_by_name(meta.name).to_python(skip_empty_area=False)
            sheet = make_sheet(meta.name, rows, limits)
            sheet.holds_booleans = _holds_booleans(sheet)
            workbook.sheets.append(sheet)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(_does_not_open(error)) from error
    except BaseException as error:
        # A panic inside calamine is not an Exception in Python, and must not end the process that reads.
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable(_does_not_open(error)) from error


@dataclass
class Hidden:
    """What of one sheet is not shown, and whether cells of it are merged. Rows and columns count from 1."""

    whole: bool = False
    rows: set[int] = field(default_factory=set)
    columns: list[range] = field(default_factory=list)
    merged: bool = False


def note_concealed(hidden: dict[str, Hidden], workbook: Workbook) -> None:
    """List what is hidden of each sheet, as far as it holds values."""
    for sheet in workbook.sheets:
        of_sheet = hidden.get(sheet.name)
        if of_sheet is None or not sheet.header:
            continue
        rows = len(of_sheet.rows.intersection([1, *sheet.row_numbers]))
        told = ["a hidden sheet"] * of_sheet.whole
        told += [f"{rows} hidden rows" if rows > 1 else "a hidden row"] * (rows > 0)
        told += ["hidden columns"] * any(columns.start <= len(sheet.header) for columns in of_sheet.columns)
        told += ["merged cells"] * of_sheet.merged
        expected = "a table that shows all of its cells"
        workbook.concealed += [
            Fault("concealed", sheet.name, found=found, expected=expected) for found in told
        ]


def _does_not_open(error: BaseException) -> Fault:
    return Fault("corrupt", found=f"a workbook that does not open ({type(error).__name__})")


def _holds_booleans(sheet: RawSheet) -> bool:
    """Say whether any cell is TRUE or FALSE, which Python would otherwise take for 1 and 0."""
    return any(bool in set(map(type, cells)) for cells in sheet.columns)

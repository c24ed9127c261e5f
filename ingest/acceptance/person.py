"""Rules of the group person: nothing in a return may look like a person. Reports say where, never what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from ingest.acceptance.registry import Finding, rule
from ingest.acceptance.submission import Submission
from ingest.readers import RawSheet, column_letter
from ingest.typed import Table

_REMEDY = (
    "Take the personal data out of the file and send it again. Returns hold counts, never anything "
    "about one person."
)
_EXPECTED = "nothing about a person"
_LARGE_NUMBER = 10**8
_MARKS_IN_NAMES = re.compile(r"[-._+]")

_EMAIL = re.compile(r"[\w.%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}")
_PHONE = re.compile(
    r"(?<![\w.])(?:(?:\+|00)44[ .-]?\(?0?\)?[ .-]?\d{2,4}\)?|\(?0[1-37-9]\d{1,4}\)?)"
    r"[ .-]?\d{3,4}[ .-]?\d{3,4}(?![\w%])"
)
_NATIONAL_INSURANCE = re.compile(
    r"(?<![A-Za-z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    r"[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D](?![A-Za-z0-9])",
    re.IGNORECASE,
)
_NHS_NUMBER = re.compile(r"(?<![\d.,-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\d.,%])")
_POSTCODE_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|"
    "GL|GU|HA|HD|HG|HP|HR|HS|HU|HX|IG|IP|IV|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|"
    "PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|"
    "WS|WV|YO|ZE"
)
# "E2 1st" is an ordinal, not the inward half of a postcode.
_POSTCODE = re.compile(
    rf"(?<![A-Za-z0-9])(?:{_POSTCODE_AREAS})(?:\d[A-HJKPSTUW]|\d{{1,2}})[ ]?"
    r"(?!(?:1st|2nd|3rd|\dth)\b)\d[ABD-HJLNP-UW-Z]{2}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"\bdate[ ]of[ ]birth\b|\bdob\b|\bd\.o\.b\b|\bbirth[ ]?da(?:y|te)\b"
    r"|\bborn[ ](?:(?:on|in)[ ])?(?:the[ ])?\d",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"\b\d{2}[ /]?(?!OF|IN|TO|BY|AT|ON)[A-Z]{2}[ /]?\d{4,6}[ /]?\d{2}\b"  # unique reference number of a case
    r"|\b[A-Z]{2}/\d{3,7}/\d{2,4}\b"  # custody record
    r"|\b\d{2}/(?!20\d\d/)\d{4,7}/\d{2}\b"  # crime number
    r"|\b[TSA]20\d{6}\b"  # Crown Court case
    r"|\b(?:19|20)?\d{2}/\d{5,7}[A-Z]\b"  # Police National Computer identity
    r"|\b(?i:(?:custody|crime|case|occurrence|incident|arrest|prison|offender)[ ]"
    r"(?:record|reference|ref|number|no|id)\b)"
    r"\.?[ :#]{0,3}(?=[A-Z0-9/-]*\d)[A-Z0-9/-]{4,}"
)
_TITLE_AND_NAME = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Rev|Sir|Dame|Sgt)\b\.?[ ](?:[A-Z]\.?[ ]){0,2}"
    r"[A-Z][A-Za-z'\u2019-]*[a-z]{2,}\b"
    r"|\b(?:MR|MRS|MISS)\b\.?[ ][A-Z]{3,}\b"
    r"|\b(?:PC|WPC|DC|DS)[ ]\d{3,5}\b"
)


def nhs_check_digit_holds(digits: str) -> bool:
    """Say whether ten digits end in the check digit of an NHS number (weights 10 to 2, modulo 11)."""
    rest = (
        11 - sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    )
    return rest != 10 and rest % 11 == int(digits[9])


def _holds_email_address(text: str) -> bool:
    # Looked for only where there is an @: without one the pattern would crawl through long texts.
    return "@" in text and _EMAIL.search(text) is not None


def _holds_nhs_number(text: str) -> bool:
    for match in _NHS_NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        # Ten equal digits pass the check and are nobody's number.
        if len(set(digits)) > 1 and nhs_check_digit_holds(digits):
            return True
    return False


_TESTS: dict[str, Callable[[str], Any]] = {
    "PERSON-001": _holds_email_address,
    "PERSON-002": _PHONE.search,
    "PERSON-003": _NATIONAL_INSURANCE.search,
    "PERSON-004": _holds_nhs_number,
    "PERSON-005": _POSTCODE.search,
    "PERSON-006": _BIRTH.search,
    "PERSON-007": _REFERENCE.search,
    "PERSON-008": _TITLE_AND_NAME.search,
}


_UNSEEN = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
"""Characters that show nothing: they are taken out before a text is looked at."""


def plain(text: str) -> str:
    """Return a text as it reads: every run of white space one space, odd forms of letters made ordinary."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_UNSEEN))
    return " ".join(text.split())


def screen(text: str) -> list[str]:
    """Return the codes of the person rules that a text breaks."""
    text = plain(text)
    return [code for code, test in _TESTS.items() if test(text)]


# --- which texts of a file are screened -------------------------------------------------------------------


def _text(cell: Any) -> str:
    """Return what a cell says.

    A long number also as a telephone number, whose leading 0 a spreadsheet drops.
    """
    if type(cell) is str:
        return plain(cell)
    if type(cell) in (float, int) and cell == cell and _LARGE_NUMBER <= cell < 10**13:
        return f"{cell:.0f} or 0{cell:.0f}"
    return ""


def _is_trusted(table: Table | None, header: str, unfit: set[str]) -> bool:
    """Say whether a column was found to hold nothing but codes, dates and small numbers."""
    if table is None or table.sheet.layout == "fields" or not table.sheet.has(header) or header in unfit:
        return False
    type_ = table.sheet.column(header).type
    if type_ == "count":
        return max((count for count in table[header] if count is not None), default=0) < _LARGE_NUMBER
    return type_ not in ("string", "text")


def _screened(submission: Submission, sheet: RawSheet) -> list[tuple[int, str, list[str]]]:
    """Return (place, name or letter, distinct texts) of every column that must be screened.

    Worked out once.
    """
    known = submission.screened.get(sheet.name)
    if known is not None:
        return known
    table = submission.tables.get(sheet.name)
    unfit = {cell.column.name for cell in table.unfit} if table is not None else set()
    columns = []
    for place, cells in enumerate(sheet.columns):
        header = sheet.header[place]
        if _is_trusted(table, header, unfit):
            continue
        texts = sorted({_text(cell) for cell in set(cells)} - {""})
        if texts:
            named = table is not None and (table.sheet.has(header) or header in ("field", "value"))
            columns.append((place, header if named else f"column {column_letter(place)}", texts))
    submission.screened[sheet.name] = columns
    return columns


def _hits(submission: Submission, code: str) -> Iterator[Finding]:
    test = _TESTS[code]
    if code in screen_file_name(submission.facts.file_name):
        yield Finding(None, None, "the file's name", "", _EXPECTED)
    workbook = submission.workbook
    if workbook is None:
        return
    for where, text in workbook.loose_text:
        # A program writes numbers and dates of its own into properties and links.
        if (where not in _WRITTEN_BY_PROGRAMS or code in _IN_THEM) and test(plain(text)):
            yield Finding(where, None, None, "", _EXPECTED)
    for sheet in workbook.sheets:
        yield from _hits_of_sheet(submission, sheet, test)


_WRITTEN_BY_PROGRAMS = ("the document's properties", "a link")
_IN_THEM = ("PERSON-001", "PERSON-002", "PERSON-008")


def screen_file_name(file_name: str) -> list[str]:
    """Return the codes of the person rules that a file's whole name breaks.

    It is read as it is, and as one would say it: with spaces where file names have other marks.
    """
    return sorted({*screen(file_name), *screen(_MARKS_IN_NAMES.sub(" ", file_name))})


def _hits_of_sheet(submission: Submission, sheet: RawSheet, test: Callable[[str], Any]) -> Iterator[Finding]:
    table = submission.tables.get(sheet.name)
    name = sheet.name
    if table is None and (test(plain(sheet.name)) or test(_MARKS_IN_NAMES.sub(" ", sheet.name))):
        yield Finding(name, None, "the sheet's name", "", _EXPECTED)
    for place, header in enumerate(sheet.header):
        if (table is None or not table.sheet.has(header)) and test(plain(header)):
            yield Finding(name, 1, f"column {column_letter(place)}", "", _EXPECTED)
    for place, column, texts in _screened(submission, sheet):
        # One search over the whole column; only a hit is looked for cell by cell. The separator ends a match.
        if not test("\n\u241e\n".join(texts)):
            continue
        for number, cell in zip(sheet.row_numbers, sheet.columns[place], strict=True):
            if test(_text(cell)):
                yield Finding(name, number, column, "", _EXPECTED)


@rule(
    code="PERSON-001",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like an e-mail address.",
)
def no_email_address(submission: Submission) -> Iterator[Finding]:
    """Find e-mail addresses."""
    return _hits(submission, "PERSON-001")


@rule(
    code="PERSON-002",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like a telephone number.",
)
def no_phone_number(submission: Submission) -> Iterator[Finding]:
    """Find UK telephone numbers."""
    return _hits(submission, "PERSON-002")


@rule(
    code="PERSON-003",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like a National Insurance number.",
)
def no_national_insurance_number(submission: Submission) -> Iterator[Finding]:
    """Find National Insurance numbers."""
    return _hits(submission, "PERSON-003")


@rule(
    code="PERSON-004",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like an NHS number.",
)
def no_nhs_number(submission: Submission) -> Iterator[Finding]:
    """Find NHS numbers, by their check digit."""
    return _hits(submission, "PERSON-004")


@rule(
    code="PERSON-005",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like a postcode.",
)
def no_postcode(submission: Submission) -> Iterator[Finding]:
    """Find UK postcodes."""
    return _hits(submission, "PERSON-005")


@rule(
    code="PERSON-006",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file speaks of a date of birth.",
)
def no_date_of_birth(submission: Submission) -> Iterator[Finding]:
    """Find phrases about a date of birth."""
    return _hits(submission, "PERSON-006")


@rule(
    code="PERSON-007",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like a custody, crime or case reference.",
)
def no_case_reference(submission: Submission) -> Iterator[Finding]:
    """Find custody, crime, court and police references."""
    return _hits(submission, "PERSON-007")


@rule(
    code="PERSON-008",
    group="person",
    quarantines=True,
    remedy=_REMEDY,
    message="The file holds what looks like a person's name with a title.",
)
def no_title_and_name(submission: Submission) -> Iterator[Finding]:
    """Find names with a title or a rank."""
    return _hits(submission, "PERSON-008")

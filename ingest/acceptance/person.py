"""Rules of the group person: nothing in a return may look like a person. Reports say where, never what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
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

# What may stand between the groups of a number: nothing, a space, or a mark with or without spaces.
_GAP = r"(?: ?[-._/] ?| )?"

_EMAIL = re.compile(
    r"[\w.%+'\"-]{1,64} ?(?:@|%40) ?"
    r"(?:[^\W_][\w-]{0,62}(?: ?\.[^\W_][\w-]{0,62}){0,6} ?\.[^\W\d_][\w-]{1,62}|\[?\d{1,3}(?:\.\d{1,3}){3})"
)
_SPELT_EMAIL = re.compile(
    r"[\w.%+'-]{1,64} ?[\[({]at[\])}] ?[\w-]{1,63}(?:\.| ?[\[({]dot[\])}] ?)[a-z]{2}"
    r"|[\w.%+'-]{1,64} at [\w-]{1,63} dot [a-z]{2}",
    re.IGNORECASE,
)

_PHONE = re.compile(
    r"(?<![\w.])(?:(?:\(?(?:\+ ?|00)44\)?[ .-]?\(?0?\)?[ .-]?[1-37-9]\d{1,3}|\(?0[1-37-9]\d{1,3})\)?"
    rf"{_GAP}"
    rf"(?:\d{{5,8}}|\d{{3,4}}{_GAP}\d{{3,4}}|\d{{2}}[ -]\d{{2}}[ -]\d{{2}}|\d{{4}}[ -]\d{{2}})"
    r"|07[ .-]7\d\d[ .-]\d{3}[ .-]\d{3}"
    r"|0 7(?: \d){9}(?! \d)"
    r"|(?<!\d[,/-])(?:44 ?(?:\(0\) ?)?)?7[1-9]\d\d[ -]?\d{3}[ -]?\d{3}(?![,./-]\d)"
    r"|\+ ?[1-9]\d{0,2}(?:[ .-]?\(?\d{1,4}\)?){3,6})(?![\w%])"
)
_FEWEST_DIGITS_OF_PHONE, _MOST_DIGITS_OF_PHONE = 10, 15

_NATIONAL_INSURANCE = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z]{_GAP}[A-CEGHJ-NPR-TW-Z]|QQ)"
    rf"{_GAP}(?:\d{_GAP}){{6}}[A-D]|TN{_GAP}(?:\d\d{_GAP}){{3}}[MF])(?![A-Za-z0-9])"
    r"|\b(?:NINO|N\.? ?I\.? ?(?:no|number)|National Insurance(?: no| number)?|Yswiriant Gwladol|rhif YG)\b"
    r"[^\w]{0,3}(?:is |yw )?[A-Z]{2} ?\d\d ?\d\d ?\d\d(?!\d)",
    re.IGNORECASE,
)

# Digits between letters are part of an identifier, such as that of a case or a receipt.
_NHS_NUMBER = re.compile(
    rf"(?<![^\W_])(?<!\d[.,-])\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{2}} ?\d{{2}}(?![^\W_]|%|[.,]\d)"
)
# Beside its label a number is taken for one even if its check digit does not hold: it was mistyped.
_LABELLED_NHS_NUMBER = re.compile(
    rf"\b(?:NHS|GIG|hospital)(?: (?:no|number|id|ref))?\b[^\w]{{0,3}}(?:\d{_GAP}){{9}}\d(?!\d)", re.IGNORECASE
)

_POSTCODE_AREAS = (
    "AB|AL|B|BA|BB|BD|BF|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|"
    "CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|GL|GU|GY|HA|HD|HG|"
    "HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|"
    "ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|"
    "SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|"
    "WS|WV|YO|ZE|ZZ"
)
# "E2 1st" is an ordinal, not the inward half of a postcode; O and l stand for mistyped 0 and 1.
_POSTCODE = re.compile(
    rf"(?<![A-Za-z0-9])(?=[A-Z]{{1,2}}\d|[A-Z] ?[A-Z] \d|[A-Z] [A-Z]\d|GIR)(?:"
    rf"(?:{_POSTCODE_AREAS})(?:\d[A-HJKOPSTUW]|\d{{1,2}})(?:[ ]?[-._,/]?[ ]?)"
    r"(?:(?!(?-i:1st|2nd|3rd|\dth)\b)\d|(?-i:l(?=[A-Z])))[ABD-HJLNP-UW-Z]{2}"
    r"|GIR ?0AA"
    r"|(?-i:[A-PR-UWYZ] ?[A-HK-Y] ?\d{1,2} ?\d ?[ABD-HJLNP-UW-Z] [ABD-HJLNP-UW-Z])"
    r"|(?-i:[A-PR-UWYZ][A-HK-Y](?: \d{1,2} \d|\d{1,2} \d )[ABD-HJLNP-UW-Z]{2}))(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    r"|ion|chwe|maw|ebr|mai|meh|gor|aws|med|hyd|tach|rhag)[a-z]*"
)
_DAY = rf"\d{{1,2}}(?:st|nd|rd|th)?(?:[./ -]\d{{1,2}}[./ -]| ?(?:of )?{_MONTH} )"
# Years in which somebody a return could speak of was born, and that its own dates do not lie in.
_BIRTH_YEAR = r"(?:19\d\d|200\d|201\d|[4-9]\d)(?!\d)"
_BIRTH = re.compile(
    r"\bd([ ./]?)o\1b(?:s?\b|(?=[\d._]))|\bdate[ _-]of[ _-]birth|\bbirth[ _-]?da(?:y|te)"
    r"|\b(?:year of birth|birth year|yob)\b|\bbirth: ?\d|\b(?:dyddiad|blwyddyn) geni\b"
    r"|\b(?:born|ganwyd|ganed|anwyd)(?: yn|:)?(?: (?:on|in|ar|ym|yn))?(?: the)?(?: [a-z]{3,6}day,?)?"
    rf" (?:\d|{_MONTH} \d)"
    rf"|\bb(?:[.:] ?| ){_DAY}{_BIRTH_YEAR}|\bb\. ?(?:19\d\d|20[01]\d)(?![\d/-])"
    r"|\b(?:male|female|man|woman|boy|girl|child|victim|suspect|witness|aged \d\d?"
    rf"|\d\d? ?(?:yo|y/o|yrs?|years old))[ ,(]{{1,3}}{_DAY}{_BIRTH_YEAR}",
    re.IGNORECASE,
)

_A_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|(?:19|20)\d\d-?[01]\d-?[0-3]\d|(?:19|20)\d\d[/-]\d\d)(?![\w/-])"
)
_WORD_OF_REFERENCE = r"(?:record|reference|ref|number|no|id|register|occ)"
_TOKEN = r"(?=[A-Z0-9/-]*\d)[A-Z0-9/-]{4,}"
_REFERENCE = re.compile(
    r"\b(?:(?=\d)(?:"
    # unique reference number of a case
    r"\d{2}[ /-]?(?:(?!OF|IN|TO|BY|AT|ON)(?-i:[A-Z]{2})[ /-]?\d{4,6}"
    r"|(?!of|in|to|by|at|on|or|is|am|pm|as|vs|wk|no)[a-z]{2}[ /-]?\d{5})[ /-]?\d{2}\b"
    # crime number
    r"|\d{2}/(?!20\d\d/)\d{4,7}/(?:20)?\d{2}\b|\d{2}-\d{5,7}-\d{2}\b"
    # Police National Computer and Criminal Records Office
    r"|(?:19|20)?\d{2}/\d{5,7}[A-Z]\b|\d{5,6}/\d{2}[A-Z]\b"
    # arrest or summons
    r"|\d{4}[A-Z0-9]{4}\d{10,11}[A-Z]\b|\d{2}/\d{2}[A-Z]{2}/\d{2}/\d{3,11}[A-Z]\b"
    r")|(?=[A-Z])(?:"
    # custody record, but not the number of a paper such as PB/2026/02
    r"(?-i:[A-Z]{2})/(?!20\d\d/\d\d?\b)\d{3,7}/\d{2,4}\b"
    # Crown Court case; prison and probation
    r"|[TSA]20\d{6}\b|T20\d\d \d{4}\b|(?-i:[A-Z]\d{4}[A-Z]{2})\b|X\d{6}\b"
    r"|(?:prisoner|offender|nomis)\b[^\n]{0,6} [a-z]\d{4}[a-z]{2}\b"
    # a log of the control room
    r"|(?:log|incident|cad|storm)(?: (?:log|ref|reference|no|number))?[.:# ]{1,3}"
    r"(?:\d{1,5}(?: of |[ /-])\d{1,2}[/.]?(?:\d{1,2}|[a-z]{3})[/.]?\d{2,4}|20\d{6}-\d{3,5})\b"
    # whatever is said to be a reference
    r"|(?:custody|crime|case|occurrence|incident|arrest|summons|prison|prisoner|offender|court|log|niche|athena|connect"
    r"|cris|delius|ndelius|nomis|childview|careworks|assetplus|urn|crn|cro|asn|pnc|vcs|cad|storm)"
    rf"(?: {_WORD_OF_REFERENCE}){{1,2}}\b\.?[ :#]{{0,3}}(?!{_A_DATE}){_TOKEN}"
    rf"|(?:rhif|cyfeirnod)(?: yr?)? (?:trosedd|achos|cadw|ddalfa)\b[ :#]{{1,3}}{_TOKEN}"
    # the number that follows the name of a system
    r"|(?:niche|athena|connect|cris?|n?delius|nomis|childview|urn|crn|cro|asn|pnc(?:id)?)[:# ]{1,3}"
    rf"(?!{_A_DATE})"
    r"(?:\d{8,}|(?=[A-Z/-]*\d[A-Z0-9/-]*\d{2})[A-Z0-9]+/[A-Z0-9/]+|[A-Z]\d{6,})\b"
    r"|(?:case \d{6,}|occurrence \d{8,})\b"
    r"))",
    re.IGNORECASE,
)

_CIVIL_TITLE = (
    "Mr|MR|Mrs|MRS|Ms|MS|Miss|MISS|Mx|MX|Messrs|Dr|DR|Doctor|Prof|Professor|Revd?|Reverend|Father|Sir|Lady|Lord|Dame|"
    "Baroness|HHJ|Judge|Recorder|Justice|Barnwr|Cllr|Councillor|Cynghorydd"
)
_RANK = (
    r"(?:[AT]/)?(?:W?PC|P\.C\.|PCSO|CI|Det Con|D[CSI]|PS|DCI|DSU|D/(?:Sgt|Insp)|[Ss]gt|SGT|Sergeant|Insp"
    r"|Inspector|Supt|Superintendent|ACC|DCC|DJ|Constable|Rhingyll|Cwnstabl|Arolygydd)"
)
_TITLE = re.compile(
    rf"(?<![\w/])(?:({_CIVIL_TITLE})\b\.?|(?:{_RANK})(?!\w)\.?)(?: (?:and|&|a) (?:Mrs|Ms|Dr)\.?)? "
    r"(?:\d{2,5} )?(?:(?:[A-Z]\. ?|[A-Z] ){0,3})"
    r"(?:(?:van|der|den|de|del|la|le|du|ap|ab|ferch|bin|ibn|von|di|da|al|el|O|St)[ '-]){0,2}"
    r"([^\W\d_][\w'\u2019-]+)((?: [^\W\d_a-z][\w'\u2019-]+){0,3})(?: ([a-z]+))?"
)
_LOWER_CASE_TITLE = re.compile(r"(?<![\w/])(?:mr|mrs)\b\.? ([a-z][a-z'-]+)")
# A year is no collar number.
_COLLAR_NUMBER = re.compile(
    rf"(?<![\w/])(?:{_RANK})(?:\b\.? (?!20[0-4]\d\b)\d{{3,5}}|(?!20[0-4]\d\b)\d{{4,5}})\b(?![%,]?\d)"
)


def _words(section: str) -> frozenset[str]:
    text = (Path(__file__).parent / "no_names.txt").read_text(encoding="utf-8")
    return frozenset(text.partition(f"[{section}]")[2].partition("\n")[2].partition("[")[0].split())


_PLACES, _POSTS = _words("places"), _words("posts")
# After a rank and its field of work: PC Safer Schools officers, Supt Bronze command.
_HOLDERS = frozenset(
    ("officer", "officers", "command", "lead", "leads", "team", "teams", "unit", "posts", "roles")
)


def nhs_check_digit_holds(digits: str) -> bool:
    """Say whether ten digits end in the check digit of an NHS number (weights 10 to 2, modulo 11)."""
    rest = (
        11 - sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    )
    return rest != 10 and rest % 11 == int(digits[9])


def _holds_email_address(text: str) -> bool:
    # Looked for only where there is an @: without one the pattern would crawl through long texts.
    if ("@" in text or "%40" in text) and _EMAIL.search(text) is not None:
        return True
    return _AT.search(text) is not None and _SPELT_EMAIL.search(text) is not None


_AT = re.compile(r"[\[({]at[\])}]| at [\w-]{1,63} dot ", re.IGNORECASE)


def _holds_phone_number(text: str) -> bool:
    return any(
        _FEWEST_DIGITS_OF_PHONE <= sum(map(str.isdigit, match[0])) <= _MOST_DIGITS_OF_PHONE
        for match in _PHONE.finditer(text)
    )


def _holds_nhs_number(text: str) -> bool:
    for match in _NHS_NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        # Ten equal digits pass the check and are nobody's number.
        if len(set(digits)) > 1 and nhs_check_digit_holds(digits):
            return True
    return _LABELLED_NHS_NUMBER.search(text) is not None


def _holds_title_and_name(text: str) -> bool:
    if _COLLAR_NUMBER.search(text) is not None:
        return True
    for match in _TITLE.finditer(text):
        if _is_name(match[1], match[2], match[3].split(), match[4]):
            return True
    return any(match[1] not in _POSTS for match in _LOWER_CASE_TITLE.finditer(text))


def _is_name(title: str | None, word: str, more: list[str], after: str | None) -> bool:
    """Say whether what follows a title (None: a rank) names a person: no post, team or road.

    `word` is followed by `more` words with a capital, and then by the word `after`.
    """
    if not word[0].isupper():
        return False
    plain_word = re.sub(r"['\u2019]s?$", "", word)
    if len(plain_word) < 2 or plain_word.casefold() in _POSTS:
        return False
    is_everyday = title is not None and title.casefold() in ("mr", "mrs", "ms", "miss", "mx")
    if (not is_everyday and plain_word.casefold() in _PLACES) or (more and more[-1].casefold() in _PLACES):
        return False
    if title is None and (after in _HOLDERS or any(other.casefold() in _POSTS for other in more)):
        return False
    # In capitals after a rank it is an acronym; after a title in capitals it is a name in capitals.
    return not plain_word.isupper() or (title is not None and title.isupper() and len(plain_word) > 2)


_TESTS: dict[str, Callable[[str], Any]] = {
    "PERSON-001": _holds_email_address,
    "PERSON-002": _holds_phone_number,
    "PERSON-003": _NATIONAL_INSURANCE.search,
    "PERSON-004": _holds_nhs_number,
    "PERSON-005": _POSTCODE.search,
    "PERSON-006": _BIRTH.search,
    "PERSON-007": _REFERENCE.search,
    "PERSON-008": _holds_title_and_name,
}


_UNSEEN: dict[int, str | None] = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2043, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")
_AS_IT_READS = _UNSEEN | _DASHES
"""Characters that show nothing are taken out before a text is looked at; every dash is a hyphen."""


def plain(text: str) -> str:
    """Return a text as it reads: every run of white space one space, odd forms of letters made ordinary."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_AS_IT_READS))
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

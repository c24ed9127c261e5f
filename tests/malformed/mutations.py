"""Malformed variants of real returns: bytes, containers, XML, CSV and cells spoilt one way each. Same seed, same bytes.

Belongs here: how a return is spoilt. Does not: what should become of it (tests/malformed/test_malformed_returns.py).
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any

from ingest.form import Form, Forms
from ingest.period import Period
from ingest.reference import Reference
from ingest.synthetic.catalogue import Catalogue, catalogue_for
from ingest.synthetic.essex import PACKED_PATH, SENDER_CODE, packed_bytes
from ingest.synthetic.files import Sheet, ods_bytes, xlsx_bytes, zip_bytes
from ingest.synthetic.others import draw_other
from ingest.synthetic.returns import draw_return

SEED = 20260401
FIRST, SECOND = Period.parse("2026-27-Q1"), Period.parse("2026-27-Q2")
WRITERS: dict[str, Callable[[dict[str, Sheet]], bytes]] = {
    "zip": zip_bytes,
    "xlsx": xlsx_bytes,
    "ods": ods_bytes,
}


@dataclass(frozen=True)
class Base:
    """A return that is accepted as it is: sheets by name, and its form (None: a finished file)."""

    name: str
    sender_code: str
    arrived_at: str
    sheets: dict[str, Sheet]
    form: Form


@dataclass(frozen=True)
class Variant:
    """One malformed file: what was done to it (level: what exactly), and where and when it arrives."""

    level: str
    what: str
    sender_code: str
    extension: str
    arrived_at: str
    content: bytes


def bases(reference: Reference, forms: Forms) -> list[Base]:
    """Small returns of every kind, both forms of the quarterly one, and the Essex audit."""
    catalogues = {period.code: catalogue_for(reference, period) for period in (FIRST, SECOND)}
    found = [
        _quarterly(sender, period, catalogues[period.code], forms)
        for sender, period in (
            ("yjs-barnsley", FIRST),
            ("yjs-barnsley", SECOND),
            ("E23000028-police", FIRST),
            ("BTP", SECOND),
            ("cps-east-midlands", SECOND),
        )
    ]
    for kind, sender, keep in (
        ("feedback", "survey", 40),
        ("insight", "E23000028-lpb", None),
        ("decisions", "programme-board", None),
        ("rules", "programme-board", None),
        ("context", "moj", None),
    ):
        form = forms.for_date(kind, SECOND.last_day)
        assert form is not None
        cycle_rules = reference.cycle_on(SECOND.last_day)
        drawn = draw_other(kind, SEED, sender, SECOND, catalogues[SECOND.code], form, cycle_rules)
        assert drawn is not None
        sheets = {
            name: replace(sheet, rows=sheet.rows[: keep if name == kind else None])
            for name, sheet in drawn[0].sheets.items()
        }
        found.append(Base(kind, sender, _stamp(drawn[1]), sheets, form))
    audit = forms.get("legacy_audit", 1)
    assert audit is not None
    found.append(Base("legacy_audit", SENDER_CODE, "2020-06-30T10:00:00Z", _essex(), audit))
    return found


def earlier_decisions(reference: Reference, forms: Forms) -> list[Base]:
    """The decisions of the quarters before, without which those of the base do not follow from anything."""
    found = []
    period = SECOND.previous()
    while True:
        form = forms.for_date("decisions", period.last_day)
        assert form is not None
        rules = reference.cycle_on(period.last_day)
        drawn = draw_other(
            "decisions", SEED, "programme-board", period, catalogue_for(reference, period), form, rules
        )
        if drawn is None:
            return found[::-1]
        found.append(Base(f"decisions {period}", "programme-board", _stamp(drawn[1]), drawn[0].sheets, form))
        period = period.previous()


def _quarterly(sender: str, period: Period, catalogue: Catalogue, forms: Forms) -> Base:
    form = forms.for_date("quarterly", period.last_day)
    assert form is not None
    drawn = draw_return(SEED, sender, period, catalogue, form, breakdowns=False)
    arrived = datetime.combine(period.last_day + timedelta(days=20), datetime.min.time())
    return Base(f"{sender} v{form.version}", sender, _stamp(arrived), drawn.sheets, form)


def _stamp(instant: datetime) -> str:
    return f"{instant.isoformat(timespec='seconds')}Z"


def _essex() -> dict[str, Sheet]:
    from python_calamine import CalamineWorkbook

    assert PACKED_PATH.read_bytes() == packed_bytes()
    book = CalamineWorkbook.from_path(str(PACKED_PATH))
    tables = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return {
        name: Sheet(tuple(map(str, rows[0])), frozenset(), [_plain(row) for row in rows[1:]])
        for name, rows in tables.items()
    }


def _plain(row: list[Any]) -> list[Any]:
    return [int(cell) if isinstance(cell, float) and cell.is_integer() else cell or None for cell in row]


def variants(all_bases: list[Base], counts: dict[str, int], seed: int = SEED) -> Iterator[Variant]:
    """Yield so many variants of each level, the bases and file types in turn."""
    for level, make in LEVELS.items():
        rng = random.Random(f"{seed} {level}")
        yield from islice(make(all_bases, rng), counts[level])


def _in_turn(all_bases: list[Base], extensions: tuple[str, ...]) -> Iterator[tuple[Base, str, bytes]]:
    written = [
        (base, extension, WRITERS[extension](base.sheets)) for base in all_bases for extension in extensions
    ]
    return cycle(written)


def _variant(level: str, what: str, base: Base, extension: str, content: bytes) -> Variant:
    return Variant(level, what, base.sender_code, extension, base.arrived_at, content)


# --- bytes ---------------------------------------------------------------------------------------------


def _flipped(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _cut_at_the_start(data: bytearray, rng: random.Random) -> None:
    del data[: rng.randrange(1, len(data))]


def _inserted(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    data[place:place] = rng.randbytes(rng.choice((1, 2, 16, 300)))


def _removed(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    del data[place : place + rng.choice((1, 2, 16, 300))]


def _swapped(data: bytearray, rng: random.Random) -> None:
    size = rng.choice((4, 64, 512))
    one, other = rng.randrange(len(data)), rng.randrange(len(data))
    data[one : one + size], data[other : other + size] = data[other : other + size], data[one : one + size]


def _zeroed(data: bytearray, rng: random.Random) -> None:
    place, size = rng.randrange(len(data)), rng.choice((1, 16, 256))
    data[place : place + size] = bytes(len(data[place : place + size]))


def _repeated(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    data[place:place] = data[place : place + 400] * rng.choice((1, 5))


def _bytes(all_bases: list[Base], rng: random.Random) -> Iterator[Variant]:
    ways = (_flipped, _cut, _cut_at_the_start, _inserted, _removed, _swapped, _zeroed, _repeated)
    for base, extension, content in _in_turn(all_bases, ("zip", "xlsx", "ods")):
        spoil, data = rng.choice(ways), bytearray(content)
        spoil(data, rng)
        yield _variant("bytes", spoil.__name__.strip("_"), base, extension, bytes(data))


# --- the container -------------------------------------------------------------------------------------

_NAMES = (
    "../metrics.csv", "/etc/passwd", "C:\\metrics.csv", "metrics.CSV", "Metrics.csv", "metrics.csv.csv", "metrics",
    "sub/metrics.csv", "con.csv", "", ".csv", "metrics\u202e.csv", "m\u00e9triques.csv", "metrics.csv/", "a" * 300,
    "xl/workbook.xml", "content.xml", "mimetype", "__MACOSX/._metrics.csv", "Thumbs.db", "metrics .csv", "\x00.csv",
)  # fmt: skip


def _container(all_bases: list[Base], rng: random.Random) -> Iterator[Variant]:
    for base, extension, content in _in_turn(all_bases, ("zip", "xlsx", "ods")):
        what = rng.choice(
            ("renamed", "dropped", "doubled", "wrong crc", "wrong size", "added", "encrypted flag", "emptied",
             "stored", "odd method", "shuffled", "comment", "directory moved", "symlink")
        )  # fmt: skip
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
        place = rng.randrange(len(entries))
        name, data = entries[place]
        if what == "renamed":
            entries[place] = (rng.choice(_NAMES), data)
        elif what == "dropped":
            del entries[place]
        elif what == "doubled":
            entries.insert(rng.randrange(len(entries) + 1), (name, data if rng.random() < 0.5 else b"x"))
        elif what == "added":
            entries.append((rng.choice(_NAMES), rng.randbytes(rng.choice((0, 10, 5000)))))
        elif what == "emptied":
            entries[place] = (name, b"")
        elif what == "shuffled":
            rng.shuffle(entries)
        link = place if what == "symlink" else -1
        comment = rng.randbytes(20) if what == "comment" else b""
        result = bytearray(_packed(entries, what == "stored", link, comment))
        if what in ("wrong crc", "wrong size", "encrypted flag", "odd method", "directory moved"):
            _lie(result, what, rng)
        yield _variant("container", what, base, extension, bytes(result))


def _packed(entries: list[tuple[str, bytes]], stored: bool, link: int = -1, comment: bytes = b"") -> bytes:
    target = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w", method, compresslevel=1) as archive:
        for place, (name, data) in enumerate(entries):
            info = zipfile.ZipInfo(name or "nameless", (2025, 1, 1, 0, 0, 0))
            info.compress_type = method
            info.external_attr = (0o120777 if place == link else 0o100600) << 16
            archive.writestr(info, data)
        archive.comment = comment
    return target.getvalue()


def _lie(data: bytearray, what: str, rng: random.Random) -> None:
    """Change one field of a header: of the entry itself, of the directory, or of both."""
    field, size = {
        "wrong crc": (14, 4),
        "wrong size": (22, 4),
        "encrypted flag": (6, 1),
        "odd method": (8, 2),
        "directory moved": (0, 0),
    }[what]
    if what == "directory moved":
        end = data.rfind(b"PK\x05\x06")
        place = end + rng.choice((8, 10, 12, 16))
        data[place : place + 2] = rng.randbytes(2)
        return
    value = rng.choice((b"\xff" * size, b"\0" * size, rng.randbytes(size)))
    if what == "encrypted flag":
        value = b"\x01"
    marks = (b"PK\x03\x04", 0) if rng.random() < 0.3 else (b"PK\x01\x02", 2)
    starts = [match.start() for match in re.finditer(re.escape(marks[0]), data)]
    place = rng.choice(starts) + field + marks[1]
    data[place : place + size] = value


# --- XML -----------------------------------------------------------------------------------------------

_XLSX_PARTS = re.compile(
    r"xl/(?:worksheets/sheet\d+|sharedStrings|styles|workbook)\.xml|\[Content_Types\]|\.rels"
)
_TAG, _ATTRIBUTE = re.compile(rb"<[^>]+>"), re.compile(rb'([\w:.-]+)="([^"]*)"')
_VALUE = re.compile(rb"(?<=<v>)[^<]+|(?<=<t>)[^<]+|(?<=<text:p>)[^<]+")
_ODD_VALUES = (
    b"", b"-1", b"99999999", b"4294967296", b"1e308", b"1e999", b"-1e999", b"NaN", b"inf", b"0x10", b"1,5", b"1.5",
    b"TRUE", b"#REF!", b"2026-02-30", b"9999-12-31", b"0000-00-00", b"-2958466", b"60", b"0.0000001", b"&#0;", b"&#x41;",
    b"&amp;amp;", b"&undefined;", b"\xff\xfe", b"\xc3\x28", b" " * 50, b"9" * 400, b"A1:XFD1048576", b"1899-12-31T00:00:00",
    b"PT36H", b"string", b"s", b"str", b"inlineStr", b"e", b"b", b"d", b"n", b"date", b"float", b"percentage", b"1000000000",
    b"XFD1048576", b"A0", b"$A$1", b"ZZZZ9", b"1048577",
)  # fmt: skip
_ODD_CELLS = (
    b'<c r="A2" t="s"><v>99999</v></c>', b'<c r="A2" t="b"><v>2</v></c>', b'<c r="A2" t="e"><v>#N/A</v></c>',
    b'<c r="A2" t="d"><v>2026-13-45</v></c>', b'<c r="XFE1"><v>1</v></c>', b'<c><f>cmd|\' /C calc\'!A0</f><v>1</v></c>',
    b'<row r="2"/>', b'<row r="1048577"><c><v>1</v></c></row>', b"<mergeCell ref='A1:B2'/>", b"<!-- x -->",
    b"<![CDATA[x]]>", b"<?xml version='1.0'?>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<x xmlns='http://example.org'/>",
    b'<table:table-row table:number-rows-repeated="1048576"><table:table-cell/></table:table-row>',
    b'<table:table-cell table:number-columns-repeated="16384"/>',
    b'<table:table-cell office:value-type="date" office:date-value="soon"/>',
    b'<table:covered-table-cell/>', b'<table:table-cell table:number-rows-spanned="-1"/>',
)  # fmt: skip


def _xml(all_bases: list[Base], rng: random.Random) -> Iterator[Variant]:
    for base, extension, content in _in_turn(all_bases, ("xlsx", "ods")):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
        spoilable = [
            place
            for place, (name, data) in enumerate(entries)
            if data.startswith(b"<") and (extension == "ods" or _XLSX_PARTS.search(name))
        ]
        place = rng.choice(spoilable)
        name, data = entries[place]
        what, data = _spoilt_xml(data, rng)
        entries[place] = (name, data)
        yield _variant("xml", what, base, extension, _packed(entries, stored=False))


def _spoilt_xml(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    what = rng.choice(
        ("tag removed", "tag doubled", "attribute changed", "attribute removed", "value changed", "value changed",
         "cell inserted", "cell inserted", "type changed", "tag renamed", "text cut", "encoding changed")
    )  # fmt: skip

    def one(pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        found = list(islice(pattern.finditer(data), 4000))
        return rng.choice(found) if found else None

    def instead(match: re.Match[bytes] | None, new: bytes) -> bytes:
        return data if match is None else data[: match.start()] + new + data[match.end() :]

    tag = one(_TAG)
    assert tag is not None
    if what == "tag removed":
        return what, instead(tag, b"")
    if what == "tag doubled":
        return what, instead(tag, tag[0] * 2)
    if what == "tag renamed":
        return what, instead(tag, tag[0].replace(b":", b"x", 1) if b":" in tag[0] else b"<zz>")
    if what == "attribute removed":
        return what, instead(one(_ATTRIBUTE), b"")
    if what == "attribute changed":
        found = one(_ATTRIBUTE)
        return what, instead(found, b'%s="%s"' % (found[1], rng.choice(_ODD_VALUES)) if found else b"")
    if what == "type changed":
        found = one(re.compile(rb'(\bt|office:value-type)="[^"]*"'))
        return what, instead(found, b'%s="%s"' % (found[1], rng.choice(_ODD_VALUES[-20:])) if found else b"")
    if what == "value changed":
        return what, instead(one(_VALUE) or one(_ATTRIBUTE), rng.choice(_ODD_VALUES))
    if what == "cell inserted":
        return what, data[: tag.start()] + rng.choice(_ODD_CELLS) + data[tag.start() :]
    if what == "text cut":
        return what, data[: rng.randrange(len(data))]
    changed = data.decode("utf-8").replace("UTF-8", rng.choice(("UTF-16", "latin-1", "x-none", "utf-8")))
    return what, changed.encode(rng.choice(("utf-16", "utf-8", "latin-1")), "replace")


# --- CSV -----------------------------------------------------------------------------------------------

_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "cp1252", "cp850", "utf-8-sig", "latin-1", "utf-7", "cp037")


def _csv(all_bases: list[Base], rng: random.Random) -> Iterator[Variant]:
    for base, extension, content in _in_turn(all_bases, ("zip",)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
        place = rng.randrange(len(entries))
        name, data = entries[place]
        what, data = _spoilt_csv(data.decode(), rng)
        entries[place] = (name, data)
        yield _variant("csv", what, base, extension, _packed(entries, stored=False))


def _spoilt_csv(text: str, rng: random.Random) -> tuple[str, bytes]:
    what = rng.choice(
        ("quote put in", "quote left open", "delimiter", "mixed delimiters", "encoding", "NUL", "ragged row",
         "short row", "line endings", "blank lines", "odd byte", "sep note", "no header", "header twice",
         "control character", "non-ASCII text")
    )  # fmt: skip
    lines = text.split("\r\n")
    row = rng.randrange(max(1, len(lines) - 1))
    place = rng.randrange(len(text))
    if what == "quote put in":
        return what, (text[:place] + '"' * rng.choice((1, 2, 3)) + text[place:]).encode()
    if what == "quote left open":
        lines[row] = '"' + lines[row]
    elif what == "delimiter":
        return what, text.replace(",", rng.choice((";", "\t", "|", ":", " ", "\u00a0", ",,"))).encode()
    elif what == "mixed delimiters":
        lines[row] = lines[row].replace(",", ";")
    elif what == "encoding":
        return what, (text + "\u2013 \u00e9").encode(rng.choice(_ENCODINGS), "replace")
    elif what == "NUL":
        return what, (text[:place] + "\0" + text[place:]).encode()
    elif what == "ragged row":
        lines[row] += rng.choice((",", ",x", ",,,,,,,,", "," * 500))
    elif what == "short row":
        lines[row] = lines[row].rpartition(",")[0]
    elif what == "line endings":
        return what, rng.choice(("\n", "\r", "\n\r", "\r\r\n", "\u2028", "\x85")).join(lines).encode()
    elif what == "blank lines":
        lines[row:row] = [""] * rng.choice((1, 3, 2000))
    elif what == "odd byte":
        return what, text[:place].encode() + rng.randbytes(1) + text[place:].encode()
    elif what == "sep note":
        lines.insert(0, rng.choice(("sep=;", "sep=,", "SEP=\t", "sep=|", "sep=", "sep=\u20ac")))
    elif what == "no header":
        del lines[0]
    elif what == "header twice":
        lines.insert(row, lines[0])
    elif what == "control character":
        return what, (text[:place] + rng.choice("\x01\x07\x08\x0b\x0c\x1a\x1b\x7f") + text[place:]).encode()
    else:
        return what, (
            text[:place] + rng.choice("\u00e9\u2013\u202e\u200b\U0001f600\ufffd") + text[place:]
        ).encode()
    return what, "\r\n".join(lines).encode()


# --- cells ---------------------------------------------------------------------------------------------

ODD_CELLS: tuple[Any, ...] = (
    None, "", " ", "x", "ALL", "NS", -1, "-1", 0, "0", 1.5, "1,5", "3.0", "1e3", "85%", 0.85, 10**9, 10**12, "1" * 30, "1,234",
    "\u0661\u0662", "\uff13", "\u00bd", "\u2212" + "4", "+5", "1 000", "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "-2+3",
    "+44", "07700 900123", "jo.bloggs@example.org", "Mr Smith", "AB123456C", "SW1A 1AA", "DOB 1/2/1990", "999 156 1212",
    "x" * 3999, "x" * 4001, "a\nb", "a\tb", "\u202eabc", "\u200b", "\ufeff", "e\u0301", "\U0001f600", "NULL", "None", "N/A", "#N/A",
    "TRUE", True, "yes", "no", "2026-02-30", "2026-06-31", "30/06/2026", "1900-01-00", "9999-12-31", "0001-01-01", 46203, 46203.5,
    "E23000099", "E23000028", "NAT", "r99_s01_nothing", "2031-32-Q1", "2019-20-Q1", "yjs-nowhere", "census ", "CENSUS", "inf", "nan",
    "\ud83d".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "../..", "<b>x</b>", "'; drop table x;--", "\\N", "0x1F", "1/3",
)  # fmt: skip
_CELLS_PER_COLUMN = 14
_WHOLE = (
    "row doubled", "row dropped", "rows reversed", "column dropped", "column doubled", "column renamed", "column added",
    "columns reversed", "sheet dropped", "sheet renamed", "sheet added", "all blank", "header blank", "rows multiplied",
    "figures scaled",
)  # fmt: skip


def _cells(all_bases: list[Base], rng: random.Random) -> Iterator[Variant]:
    """Every column of every sheet of every form with some odd cells each; then whole rows, columns and sheets."""
    seen: set[tuple[str, int, str, str]] = set()
    types = cycle(("zip", "xlsx", "ods", "zip"))
    for base in all_bases:
        for sheet in base.form.tables:
            for column in sheet.columns:
                key = (base.form.kind, base.form.version, sheet.name, column.name)
                if key in seen or column.name not in base.sheets[sheet.name].columns:
                    continue
                seen.add(key)
                for odd in rng.sample(ODD_CELLS, _CELLS_PER_COLUMN):
                    place = base.sheets[sheet.name].columns.index(column.name)
                    changed = _with_cell(base, sheet.name, place, odd, rng)
                    yield _written("cells", f"{column.type} {column.name}", base, changed, next(types))
        for place in range(len(base.sheets["cover"].rows)):
            for odd in rng.sample(ODD_CELLS, _CELLS_PER_COLUMN // 2):
                rows = [list(row) for row in base.sheets["cover"].rows]
                rows[place][rng.choice((0, 1, 1))] = odd
                changed = _with_rows(base, "cover", rows)
                yield _written("cells", "cover", base, changed, next(types))
    while True:
        base = rng.choice(all_bases)
        what = rng.choice(_WHOLE)
        yield _written("cells", what, base, _changed_as_a_whole(base, what, rng), next(types))


def _with_rows(base: Base, name: str, rows: list[list[Any]], columns: Any = None) -> dict[str, Sheet]:
    sheet = base.sheets[name]
    return {**base.sheets, name: Sheet(columns or sheet.columns, sheet.dates, rows)}


def _with_cell(base: Base, name: str, place: int, odd: Any, rng: random.Random) -> dict[str, Sheet]:
    rows = [list(row) for row in base.sheets[name].rows]
    for row in rng.sample(rows, rng.choice((1, 1, min(3, len(rows)), len(rows)))) if rows else ():
        row[place] = odd
    return _with_rows(base, name, rows)


def _changed_as_a_whole(base: Base, what: str, rng: random.Random) -> dict[str, Sheet]:
    name = rng.choice([name for name, sheet in base.sheets.items() if sheet.rows])
    sheet = base.sheets[name]
    rows = [list(row) for row in sheet.rows]
    columns = list(sheet.columns)
    row, place = rng.randrange(len(rows)), rng.randrange(len(columns))
    if what == "row doubled":
        rows.insert(rng.randrange(len(rows) + 1), list(rows[row]))
    elif what == "row dropped":
        del rows[row]
    elif what == "rows reversed":
        rows.reverse()
    elif what == "rows multiplied":
        rows *= 5
    elif what == "column dropped":
        columns.pop(place)
        rows = [line[:place] + line[place + 1 :] for line in rows]
    elif what == "column doubled":
        columns.append(columns[place])
        rows = [[*line, line[place]] for line in rows]
    elif what == "column renamed":
        columns[place] = rng.choice(
            (columns[place].upper(), f" {columns[place]} ", columns[place] + "s", "", "x" * 300)
        )
    elif what == "column added":
        columns.append(rng.choice(("remarks", "receipt_id", "row_number", "", "=1+1")))
        rows = [[*line, rng.choice(ODD_CELLS)] for line in rows]
    elif what == "columns reversed":
        columns.reverse()
        rows = [line[::-1] for line in rows]
    elif what == "sheet dropped":
        return {other: held for other, held in base.sheets.items() if other != name}
    elif what == "sheet renamed":
        new = rng.choice((name.upper(), f"{name} ", name + "2", "Sheet1", "x" * 31))
        return {new if other == name else other: held for other, held in base.sheets.items()}
    elif what == "sheet added":
        return {
            **base.sheets,
            rng.choice(("notes", "guidance", "Sheet9")): Sheet(("a", "b"), frozenset(), [["x", 1]]),
        }
    elif what == "all blank":
        rows = [[None] * len(columns) for _ in rows]
    elif what == "header blank":
        columns = [""] * len(columns)
    else:
        factor = rng.choice((2, 10, 0, -1, 0.5, 10**7))
        rows = [[cell * factor if type(cell) is int else cell for cell in line] for line in rows]
    return _with_rows(base, name, rows, tuple(columns))


def _written(level: str, what: str, base: Base, sheets: dict[str, Sheet], extension: str) -> Variant:
    if extension == "zip":
        # written here: a CSV may hold what no spreadsheet program would write
        entries = []
        for name, sheet in sheets.items():
            text = io.StringIO(newline="")
            csv.writer(text).writerows([sheet.columns, *sheet.rows])
            entries.append((f"{name}.csv", text.getvalue().encode()))
        content = _packed(entries, stored=False)
    else:
        kept = {name: replace(sheet, dates=_real_dates(sheet)) for name, sheet in sheets.items()}
        content = WRITERS[extension](kept)
    return _variant(level, what, base, extension, content)


def _real_dates(sheet: Sheet) -> frozenset[str]:
    """Columns whose every cell is a date: the others are written as text, as a person types them."""
    found = set()
    for place, name in enumerate(sheet.columns):
        cells = [row[place] for row in sheet.rows if row[place] not in (None, "")]
        if name in sheet.dates and all(
            re.fullmatch(r"20[12]\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d)", str(cell)) for cell in cells
        ):
            found.add(name)
    return frozenset(found)


LEVELS: dict[str, Callable[[list[Base], random.Random], Iterator[Variant]]] = {
    "bytes": _bytes,
    "container": _container,
    "xml": _xml,
    "csv": _csv,
    "cells": _cells,
}

"""Files made to hurt, each with the code of the rule that must reject it (or none: it must be read).

A file is made when it is asked for: `hostile.write(folder)`. None of them is larger than 20 MiB.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from return_files import patched, write_ods, write_xlsx, write_zip

COVER = [["field", "value"], ["kind", "quarterly"], ["form_version", "1"]]
TABLES: dict[str, list[list[Any]]] = {"cover": COVER, "metrics": [["body_code", "met"], ["yjs-barnsley", 30]]}
SHEET = "xl/worksheets/sheet2.xml"
CONTENT = "content.xml"
ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MIB = 1 << 20
MILLION = 1_000_000


@dataclass(frozen=True)
class Hostile:
    """One file: its name as delivered, how its bytes are made in a folder, and the rule that rejects it."""

    name: str
    file_name: str
    make: Callable[[Path], object]
    code: str | None

    def write(self, folder: Path) -> Path:
        """Make the file in a folder and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        self.make(path)
        return path


HOSTILE: dict[str, Hostile] = {}


def hostile(
    file_name: str, code: str | None
) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Put a builder into HOSTILE under the name of its function."""

    def add(make: Callable[[Path], object]) -> Callable[[Path], object]:
        name = make.__name__
        HOSTILE[name] = Hostile(name, file_name, make, code)
        return make

    return add


# --- pieces ------------------------------------------------------------------------------------------------


def zip_of(path: Path, entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]], level: int = 1) -> Path:
    """Write a zip of these entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def xlsx(path: Path, *changes: tuple[str, Callable[[bytes], bytes]]) -> Path:
    """Write an ordinary workbook with some of its parts changed; a part that is not there begins empty."""
    write_xlsx(path, TABLES)
    for part, change in changes:
        patched(path, part, change)
    return path


def ods(path: Path, *changes: tuple[str, Callable[[bytes], bytes]]) -> Path:
    """The same in OpenDocument."""
    write_ods(path, TABLES)
    for part, change in changes:
        patched(path, part, change)
    return path


def xlsx_rows(path: Path, rows: bytes, dimension: bytes = b"") -> Path:
    """Write a workbook whose second sheet holds the rows (XML) and nothing else."""

    def change(xml: bytes) -> bytes:
        start, end = xml.index(b"<sheetData>"), xml.index(b"</sheetData>")
        return (
            xml[:start].replace(b'ref="A1:B2"', dimension or b'ref="A1:B2"')
            + b"<sheetData>"
            + rows
            + xml[end:]
        )

    return xlsx(path, (SHEET, change))


def ods_rows(path: Path, rows: bytes) -> Path:
    """Write an OpenDocument spreadsheet whose last sheet ends with these rows (XML)."""

    def change(xml: bytes) -> bytes:
        end = xml.rindex(b"</table:table>")
        return xml[:end] + rows + xml[end:]

    return ods(path, (CONTENT, change))


def ods_cell(text: str, attributes: str = "") -> bytes:
    """One cell of text."""
    return (
        f'<table:table-cell office:value-type="string" {attributes}><text:p>{text}</text:p></table:table-cell>'
    ).encode()


def ods_row(*cells: bytes, attributes: str = "") -> bytes:
    """One row of cells."""
    return f"<table:table-row {attributes}>".encode() + b"".join(cells) + b"</table:table-row>"


def inserted(before: bytes, text: bytes) -> Callable[[bytes], bytes]:
    """A change that puts text before the first occurrence of something that must be there."""

    def change(data: bytes) -> bytes:
        place = data.index(before)
        return data[:place] + text + data[place:]

    return change


def noise(characters: int) -> str:
    """Text that packs no better than two to one, the same every time."""
    return hashlib.shake_256(b"noise").hexdigest(characters // 2)


# --- sizes -------------------------------------------------------------------------------------------------


@hostile("return.zip", "FILE-006")
def flat_bomb(path: Path) -> None:
    zip_of(path, [("cover.csv", bytes(210 * MIB))])


@hostile("return.zip", "FILE-006")
def bomb_of_many_entries(path: Path) -> None:
    """Each entry is small enough; together they are not."""
    data = noise(1000).encode() * 1500
    zip_of(path, [(f"s{number}.csv", data) for number in range(150)], level=1)


@hostile("return.xlsx", "FILE-006")
def flat_bomb_in_a_workbook(path: Path) -> None:
    xlsx(path, (SHEET, inserted(b"</worksheet>", b" " * (60 * MIB))))


@hostile("return.ods", "FILE-006")
def flat_bomb_in_opendocument(path: Path) -> None:
    ods(path, (CONTENT, inserted(b"</office:body>", b" " * (60 * MIB))))


@hostile("return.zip", "FILE-011")
def nested_bomb(path: Path) -> None:
    """Ten zips of ten zips of ten zips of a MiB: a GiB, if somebody unpacked it to the end."""
    data = zipped([("0.csv", bytes(MIB))])
    for _ in range(2):
        data = zipped([(f"{number}.zip", data) for number in range(10)])
    zip_of(path, [(f"{number}.zip", data) for number in range(10)])


@hostile("return.zip", "FILE-012")
def nested_zip_that_says_it_is_a_csv(path: Path) -> None:
    zip_of(path, [("cover.csv", zipped([("cover.csv", bytes(MIB))]))])


def zipped(entries: Iterable[tuple[str, bytes]]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return data.getvalue()


def lie_about_size(path: Path, name: str, size: int = 10) -> None:
    """Let the directory declare a smaller unpacked size of one entry than it has."""
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    while data[place : place + 4] == b"PK\x01\x02":
        name_length, extra, comment = struct.unpack_from("<HHH", data, place + 28)
        if data[place + 46 : place + 46 + name_length] == name.encode():
            struct.pack_into("<L", data, place + 24, size)
        place += 46 + name_length + extra + comment
    path.write_bytes(data)


@hostile("return.zip", "FILE-012")
def bomb_that_lies_about_its_size(path: Path) -> None:
    zip_of(path, [("cover.csv", bytes(100 * MIB))])
    lie_about_size(path, "cover.csv")


@hostile("return.xlsx", "FILE-012")
def workbook_that_lies_about_its_size(path: Path) -> None:
    xlsx(path, (SHEET, inserted(b"</worksheet>", b" " * (60 * MIB))))
    lie_about_size(path, SHEET, 500)


@hostile("return.xlsx", "FILE-008")
def million_rows_in_a_workbook(path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, MILLION + 1))
    xlsx_rows(path, rows.encode())


@hostile("return.ods", "FILE-008")
def million_rows_in_opendocument(path: Path) -> None:
    row = ods_row(b'<table:table-cell office:value-type="float" office:value="%d"/>')
    ods_rows(path, b"".join(row % number for number in range(MILLION)))


@hostile("return.ods", "FILE-008")
def million_repeated_rows_in_opendocument(path: Path) -> None:
    ods_rows(path, ods_row(ods_cell("x"), attributes='table:number-rows-repeated="1000000"'))


@hostile("return.ods", "FILE-008")
def long_cell_repeated_in_opendocument(path: Path) -> None:
    """Within the limits of rows, columns, cells and characters, and two gigabytes if written out."""
    cell = ods_cell("x" * 4000, 'table:number-columns-repeated="20"')
    ods_rows(path, ods_row(cell, attributes='table:number-rows-repeated="25000"'))


@hostile("return.ods", "FILE-008")
def spaces_repeated_in_opendocument(path: Path) -> None:
    ods_rows(path, ods_row(ods_cell('a<text:s text:c="900000000"/>b')))


@hostile("return.zip", "FILE-008")
def million_rows_in_a_csv(path: Path) -> None:
    lines = "\r\n".join(["body_code", *map(str, range(MILLION))])
    zip_of(path, [("metrics.csv", lines.encode())])


@hostile("return.xlsx", None)
def million_declared_rows_in_a_workbook(path: Path) -> None:
    """What a sheet looks like once somebody has formatted whole columns and the last row."""
    rows = (
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>body_code</t></is></c><c r="XFD1" s="0"/></row>'
        b'<row r="2"><c r="A2"><v>1</v></c></row>'
        b'<row r="1048575" ht="30" customHeight="1"/><row r="1048576"><c r="A1048576" s="0"/><c r="XFD1048576"></c></row>'
    )
    xlsx_rows(path, rows, b'ref="A1:XFD1048576"')


@hostile("return.xlsx", None)
def million_formatted_rows_in_a_workbook(path: Path) -> None:
    rows = "".join(f'<row r="{n}" s="1"/>' for n in range(3, MILLION))
    first = '<row r="1"><c r="A1" t="inlineStr"><is><t>body_code</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    xlsx_rows(path, (first + rows).encode(), b'ref="A1:A999999"')


@hostile("return.ods", None)
def million_declared_rows_in_opendocument(path: Path) -> None:
    wide = b'<table:table-cell table:number-columns-repeated="16384"/>'
    ods_rows(path, ods_row(wide, attributes='table:number-rows-repeated="1048574"'))


@hostile("return.xlsx", "FILE-008")
def all_columns_in_a_workbook(path: Path) -> None:
    from ingest.readers import column_letter

    cells = "".join(f'<c r="{column_letter(n)}1"><v>{n}</v></c>' for n in range(16_384))
    xlsx_rows(path, f'<row r="1">{cells}</row>'.encode())


@hostile("return.ods", "FILE-008")
def all_columns_in_opendocument(path: Path) -> None:
    ods_rows(path, ods_row(ods_cell("x", 'table:number-columns-repeated="16384"')))


@hostile("return.zip", "FILE-008")
def all_columns_in_a_csv(path: Path) -> None:
    write_zip(path, {"metrics": [[f"c{number}" for number in range(16_384)]]})


@hostile("return.zip", "FILE-008")
def nothing_but_separators(path: Path) -> None:
    """As rows, every comma becomes a cell of many bytes."""
    lines = b"".join(b"," * 300 + f"{number}\r\n".encode() for number in range(50_000))
    zip_of(path, [("metrics.csv", b"body_code,met\r\n" + lines)])


@hostile("return.xlsx", "FILE-008")
def long_cell_in_a_workbook(path: Path) -> None:
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{noise(10 * MIB)}</t></is></c></row>'
    xlsx_rows(path, cell.encode())


@hostile("return.ods", "FILE-008")
def long_cell_in_opendocument(path: Path) -> None:
    ods_rows(path, ods_row(ods_cell(noise(10 * MIB))))


@hostile("return.zip", "FILE-008")
def long_cell_in_a_csv(path: Path) -> None:
    zip_of(path, [("metrics.csv", b"body_code\r\n" + noise(10 * MIB).encode() + b"\r\n")])


# --- XML ---------------------------------------------------------------------------------------------------


def laughs(root: str) -> bytes:
    """A document type whose last entity stands for a thousand million of the first."""
    entities = ['<!ENTITY e0 "ha">']
    entities += [f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10)]
    return f"<!DOCTYPE {root} [{''.join(entities)}]>".encode()


@hostile("return.xlsx", "FILE-010")
def laughs_in_a_workbook(path: Path) -> None:
    xlsx(
        path,
        (SHEET, inserted(b"<worksheet", laughs("worksheet"))),
        (SHEET, lambda xml: xml.replace(b"<v>30</v>", b"<v>&e9;</v>")),
    )


@hostile("return.xlsx", "FILE-010")
def laughs_in_the_shared_strings(path: Path) -> None:
    xlsx(
        path,
        ("xl/sharedStrings.xml", inserted(b"<sst", laughs("sst"))),
        ("xl/sharedStrings.xml", lambda xml: xml.replace(b"<t>yjs-barnsley</t>", b"<t>&e9;</t>")),
    )


@hostile("return.ods", "FILE-010")
def laughs_in_opendocument(path: Path) -> None:
    ods(
        path,
        (CONTENT, inserted(b"<office:document-content", laughs("office:document-content"))),
        (CONTENT, lambda xml: xml.replace(b"yjs-barnsley<", b"&e9;<")),
    )


@hostile("return.ods", "FILE-010")
def entity_of_a_file_in_opendocument(path: Path) -> None:
    outside = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    ods(
        path,
        (CONTENT, inserted(b"<office:document-content", outside)),
        (CONTENT, lambda xml: xml.replace(b"yjs-barnsley<", b"&e;<")),
    )


@hostile("return.xlsx", "FILE-010")
def sheet_under_another_ending(path: Path) -> None:
    """A sheet that a scan of the .xml parts alone would not look at."""
    write_xlsx(path, TABLES)
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    sheet = parts.pop(SHEET)
    parts["xl/worksheets/sheet2.rels"] = inserted(b"<worksheet", laughs("worksheet"))(sheet)
    for name in ("xl/_rels/workbook.xml.rels", "[Content_Types].xml"):
        parts[name] = parts[name].replace(b"worksheets/sheet2.xml", b"worksheets/sheet2.rels")
    zip_of(path, parts.items())


@hostile("return.xlsx", "FILE-008")
def far_cell_in_a_sheet_of_another_folder(path: Path) -> None:
    write_xlsx(path, TABLES)
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    sheet = parts.pop(SHEET)
    parts["xl/tables/sheet2.xml"] = sheet.replace(b'r="A2"', b'r="XFD1048576"')
    for name in ("xl/_rels/workbook.xml.rels", "[Content_Types].xml"):
        parts[name] = parts[name].replace(b"worksheets/sheet2.xml", b"tables/sheet2.xml")
    zip_of(path, parts.items())


# --- code, passwords, the outside --------------------------------------------------------------------------


@hostile("return.xlsx", "FILE-003")
def macro_workbook_renamed(path: Path) -> None:
    types = "[Content_Types].xml"
    xlsx(
        path,
        (
            types,
            lambda xml: xml.replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            ),
        ),
        ("xl/vbaProject.bin", lambda _: OLE + bytes(504)),
    )


@hostile("return.ods", "FILE-003")
def macro_in_opendocument(path: Path) -> None:
    ods(path, ("Basic/Standard/Module1.xml", lambda _: b"<script:module/>"))


@hostile("return.ods", "FILE-003")
def macro_on_opening_opendocument(path: Path) -> None:
    listener = (
        b'<office:scripts><office:event-listeners><script:event-listener script:language="ooo:script" '
        b'script:event-name="dom:load" xlink:href="vnd.sun.star.script:Standard.Module1.Main?language=Basic" '
        b'xlink:type="simple"/></office:event-listeners></office:scripts>'
    )
    ods(path, (CONTENT, inserted(b"<office:body", listener)))


@hostile("return.ods", "FILE-020")
def macro_far_down_in_opendocument(path: Path) -> None:
    """Behind the part of the file that is looked at first."""
    listener = (
        b'<table:table-row><table:table-cell><draw:control xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0">'
        b'<script:event-listener xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" '
        b'xlink:href="vnd.sun.star.script:x?language=Basic"/></draw:control></table:table-cell></table:table-row>'
    )
    row = ods_row(b'<table:table-cell office:value-type="float" office:value="%d"/>')
    ods_rows(path, b"".join(row % number for number in range(15_000)) + listener)


def ole(*streams: str) -> bytes:
    """A compound file with these streams in its directory: 512 bytes of header, one sector each of table and
    directory."""
    header = bytearray(OLE + bytes(504))
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<LLLLLLLLL", header, 44, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    table = struct.pack("<LL", 0xFFFFFFFD, 0xFFFFFFFE) + b"\xff" * 504
    directory = b""
    for kind, name in [(5, "Root Entry"), *((2, stream) for stream in streams)]:
        said = name.encode("utf-16-le") + b"\0\0"
        directory += (
            said.ljust(64, b"\0") + struct.pack("<HBB", len(said), kind, 1) + b"\xff" * 12 + bytes(48)
        )
    return bytes(header) + table + directory.ljust(512, b"\0")


@hostile("return.xlsx", "FILE-002")
def encrypted_workbook(path: Path) -> None:
    path.write_bytes(ole("EncryptionInfo", "EncryptedPackage"))


@hostile("return.zip", "FILE-002")
def encrypted_zip(path: Path) -> None:
    """The flag that says so, in the header of the entry and in the directory."""
    write_zip(path, TABLES)
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + flags] |= 1
            place = data.find(signature, place + 4)
    path.write_bytes(data)


@hostile("return.ods", "FILE-002")
def encrypted_opendocument(path: Path) -> None:
    """As LibreOffice marks it: the manifest says how each part was encrypted, and the parts are noise."""
    manifest = (
        b'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        b'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">'
        b'<manifest:file-entry manifest:full-path="content.xml" manifest:size="4000"><manifest:encryption-data>'
        b'<manifest:algorithm manifest:algorithm-name="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/>'
        b"</manifest:encryption-data></manifest:file-entry></manifest:manifest>"
    )
    noise_of_content = hashlib.shake_256(b"content").digest(2000)
    ods(path, ("META-INF/manifest.xml", lambda _: manifest), (CONTENT, lambda _: noise_of_content))


def external_relation(kind: str, target: str) -> bytes:
    """A relation of the workbook to something outside it."""
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return (
        f'<Relationship Id="rId99" Type="{base}/{kind}" Target="{target}" TargetMode="External"/></Relationships>'
    ).encode()


@hostile("return.xlsx", "FILE-020")
def external_links(path: Path) -> None:
    link = (
        b'<?xml version="1.0" encoding="UTF-8"?><externalLink '
        b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook '
        b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"/></externalLink>'
    )
    relations = b"<Relationships>" + external_relation("externalLinkPath", "file:///C:/figures.xlsx")
    xlsx(
        path,
        ("xl/externalLinks/externalLink1.xml", lambda _: link),
        ("xl/externalLinks/_rels/externalLink1.xml.rels", lambda _: relations),
        (SHEET, lambda xml: xml.replace(b"<v>30</v>", b"<f>[1]Sheet1!$A$1</f><v>30</v>")),
    )


@hostile("return.xlsx", "FILE-020")
def external_relation_of_the_sheet(path: Path) -> None:
    relations = b"<Relationships>" + external_relation("image", "https://example.org/pixel.png")
    xlsx(path, ("xl/worksheets/_rels/sheet2.xml.rels", lambda _: relations))


@hostile("return.xlsx", "FILE-020")
def dde_formula(path: Path) -> None:
    xlsx(path, (SHEET, lambda xml: xml.replace(b"<v>30</v>", b"<f>cmd|' /C calc'!A0</f><v>30</v>")))


@hostile("return.xlsx", "FILE-020")
def dde_link(path: Path) -> None:
    link = (
        b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<ddeLink ddeService="cmd" ddeTopic="/C calc"/></externalLink>'
    )
    xlsx(path, ("xl/externalLinks/externalLink1.xml", lambda _: link))


@hostile("return.xlsx", "FILE-020")
def data_connection(path: Path) -> None:
    xlsx(path, ("xl/connections.xml", lambda _: b'<connections><connection id="1" type="5"/></connections>'))


@hostile("return.ods", "FILE-020")
def dde_formula_in_opendocument(path: Path) -> None:
    formula = (
        'table:formula="of:=DDE(&quot;cmd&quot;;&quot;/C calc&quot;;&quot;x&quot;)" office:string-value="x"'
    )
    ods_rows(path, ods_row(ods_cell("x", formula)))


@hostile("return.ods", "FILE-020")
def linked_sheet_in_opendocument(path: Path) -> None:
    link = (
        b'<table:table-source xlink:type="simple" xlink:href="file:///srv/figures.ods" table:table-name="s"/>'
    )
    ods(path, (CONTENT, inserted(b"<table:table-row", link)))


# --- containers --------------------------------------------------------------------------------------------


@hostile("return.zip", "FILE-009")
def path_traversal(path: Path) -> None:
    zip_of(path, [("cover.csv", b"field,value\r\n"), ("../../metrics.csv", b"body_code\r\n")])


@hostile("return.zip", "FILE-009")
def symbolic_link(path: Path) -> None:
    link = zipfile.ZipInfo("cover.csv")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    zip_of(path, [(link, b"/etc/passwd")])


@hostile("return.zip", "FILE-012")
def nul_bytes_in_a_csv(path: Path) -> None:
    zip_of(path, [("cover.csv", b"field,value\r\nkind,quar\0terly\r\n")])


@hostile("return.xlsx", "FILE-001")
def empty_file(path: Path) -> None:
    path.write_bytes(b"")


def _truncated(write: Callable[[Path], object], share: float) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        write(path)
        data = path.read_bytes()
        path.write_bytes(data[: max(5, int(len(data) * share)) if share < 1 else len(data) - 1])

    return make


for _extension, _write in (("xlsx", xlsx), ("ods", ods), ("zip", lambda path: write_zip(path, TABLES))):
    for _share in (0.01, 0.3, 0.6, 0.9, 0.99, 1):
        _name = f"{_extension}_cut_at_{_share:.0%}".replace("100%", "the_last_byte").replace("%", "_percent")
        HOSTILE[_name] = Hostile(_name, f"return.{_extension}", _truncated(_write, _share), "FILE-001")

for _extension, _said, _write in (
    ("xlsx", "ods", xlsx),
    ("ods", "xlsx", ods),
    ("xlsx", "zip", xlsx),
    ("ods", "zip", ods),
    ("zip", "xlsx", lambda path: write_zip(path, TABLES)),
    ("zip", "ods", lambda path: write_zip(path, TABLES)),
    ("csv", "xlsx", lambda path: path.write_bytes(b"field,value\r\n")),
    ("csv", "ods", lambda path: path.write_bytes(b"field,value\r\n")),
    ("csv", "csv", lambda path: path.write_bytes(b"field,value\r\n")),
    ("xls", "xlsx", lambda path: path.write_bytes(ole("Workbook"))),
    ("xlsx", "exe", xlsx),
):
    _name = f"{_extension}_named_{_said}"
    HOSTILE[_name] = Hostile(_name, f"return.{_said}", _write, "FILE-004")

"""What can be told of a file without unpacking it.

Nothing here raises on a hostile file; rules judge the facts.
"""

from __future__ import annotations

import re
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ZIP_SIGNATURE = b"PK\x03\x04"
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OLE_SEARCH_BYTES = 8 << 20
MIMETYPE = "mimetype"
MANIFEST = "META-INF/manifest.xml"
_EXCEL_PART = "xl/workbook.xml"
_OPENDOCUMENT_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_MACRO_PARTS = ("vbaproject.bin", "vbadata.xml")
_EXCEL_MACRO_FOLDERS = ("xl/macrosheets/", "xl/dialogsheets/")
_OPENDOCUMENT_MACRO_FOLDERS = ("basic/", "scripts/", "dialogs/")
_SCRIPT = re.compile(rb"<(?:[\w.-]+:)?(?:script|event-listener)[\s/>]")
_PEEK_BYTES = 1 << 20
_EXCEL_EMBEDDED = (
    "xl/media/",
    "xl/embeddings/",
    "xl/activex/",
    "xl/pivotcache/pivotcache",
    "xl/revisions/rev",
)
"""Starts of the names of parts that are counted as embedded, whatever they end in.

A pivot table keeps a copy of the data it was made from, a shared workbook one of all that ever stood in it.
"""
_EXCEL_ORDINARY = re.compile(
    r".*\.(?:xml|rels|vml)\Z|xl/printersettings/[^/]*\.bin\Z|docprops/thumbnail\.\w+\Z", re.DOTALL
)
_OPENDOCUMENT_ORDINARY = re.compile(
    r"mimetype\Z|(?:content|styles|meta|settings)\.xml\Z|manifest\.rdf\Z|layout-cache\Z|"
    r"META-INF/[^/]*\.xml\Z|Configurations2/.*\.xml\Z|Thumbnails/thumbnail\.png\Z",
    re.DOTALL,
)
"""Entries that a workbook without pictures and embedded files has. Excel heeds no capitals: in lower case."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Entry:
    """One entry of a zip container as its directory declares it."""

    name: str
    unpacked_bytes: int
    packed_bytes: int
    is_encrypted: bool
    is_link: bool
    method: int = zipfile.ZIP_DEFLATED
    """Number of the compression method, as zip counts them."""


@dataclass(frozen=True)
class FileFacts:
    """Facts of a file.

    container: zip, ole, other, empty, or broken (says zip and cannot be opened as one).
    """

    file_name: str
    extension: str
    bytes: int
    container: str
    entries: tuple[Entry, ...] = ()
    is_ole_encrypted: bool = False
    macros_declared: bool = False
    declared_type: str = ""
    """What the entry `mimetype`, which an OpenDocument file begins with, says."""
    encryption_declared: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the entries."""
        return tuple(entry.name for entry in self.entries)

    @property
    def unpacked_bytes(self) -> int:
        """Sum of the sizes that the entries declare."""
        return sum(entry.unpacked_bytes for entry in self.entries)

    @property
    def is_opendocument(self) -> bool:
        """Say whether the zip holds an OpenDocument spreadsheet."""
        return self.container == "zip" and self.declared_type == _OPENDOCUMENT_TYPE

    @property
    def is_excel(self) -> bool:
        """Say whether the zip holds an Excel workbook."""
        return self.container == "zip" and _EXCEL_PART in self.names and not self.is_opendocument

    @property
    def is_workbook(self) -> bool:
        """Say whether the zip holds a workbook of either kind."""
        return self.is_excel or self.is_opendocument

    @property
    def is_encrypted(self) -> bool:
        """Say whether a password is needed to read any of it."""
        return (
            self.is_ole_encrypted
            or self.encryption_declared
            or any(entry.is_encrypted for entry in self.entries)
        )

    @property
    def has_macros(self) -> bool:
        """Say whether the file holds program code."""
        return self.macros_declared or any(map(self._is_macro, self.names))

    def _is_macro(self, name: str) -> bool:
        folded = name.lower()
        folders = _OPENDOCUMENT_MACRO_FOLDERS if self.is_opendocument else _EXCEL_MACRO_FOLDERS
        return folded.endswith(_MACRO_PARTS) or (folded.startswith(folders) and not folded.endswith("/"))

    @property
    def embedded_files(self) -> int:
        """Number of pictures, copies of data and other files in a workbook.

        Macros and the workbook's thumbnail do not count.
        """
        files = [name for name in self.names if not name.endswith("/") and not self._is_macro(name)]
        if self.is_opendocument:
            return sum(_OPENDOCUMENT_ORDINARY.match(name) is None for name in files)
        return sum(
            _EXCEL_ORDINARY.match(name) is None or name.startswith(_EXCEL_EMBEDDED)
            for name in map(str.lower, files)
        )

    @property
    def has_other_compression(self) -> bool:
        """Say whether an entry is packed by another method than the two that every program writes."""
        return any(entry.method not in _METHODS for entry in self.entries)

    @property
    def path_tricks(self) -> tuple[str, ...]:
        """Names of entries that would leave their folder, that are links, or that stand twice."""
        seen: set[str] = set()
        tricks = []
        for entry in self.entries:
            folded = entry.name.casefold()
            if entry.is_link or _leaves_folder(entry.name) or folded in seen:
                tricks.append(entry.name)
            seen.add(folded)
        return tuple(tricks)


def _leaves_folder(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name or not name


def inspect(path: Path, file_name: str | None = None, *, max_bytes: int | None = None) -> FileFacts:
    """Collect the facts of a file.

    `file_name` is the name it was delivered under; its extension is what counts. A file larger than max_bytes
    is not opened beyond its first bytes. Raises OSError if the file cannot be opened.
    """
    name = file_name or path.name
    extension = Path(name).suffix.lower().lstrip(".")
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(8)
    if not start:
        return FileFacts(name, extension, size, "empty")
    if start.startswith(OLE_SIGNATURE):
        with path.open("rb") as stream:
            encrypted = _ENCRYPTED_PACKAGE in stream.read(_OLE_SEARCH_BYTES)
        return FileFacts(name, extension, size, "ole", is_ole_encrypted=encrypted)
    if not start.startswith(ZIP_SIGNATURE):
        return FileFacts(name, extension, size, "other")
    if max_bytes is not None and size > max_bytes:
        return FileFacts(name, extension, size, "zip")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = tuple(_entry(info) for info in archive.infolist())
            declared_type = _peek(archive, MIMETYPE)[:100].decode("ascii", "replace").strip()
            if declared_type == _OPENDOCUMENT_TYPE:
                macros = _SCRIPT.search(_peek(archive, "content.xml")) is not None
                encrypted = b"encryption-data" in _peek(archive, MANIFEST)
            else:
                # The list of content types names macro-enabled workbooks as such.
                macros = b"macroenabled" in _peek(archive, "[Content_Types].xml").lower()
                encrypted = False
    except Exception:  # zipfile raises a dozen kinds of errors on damaged directories
        return FileFacts(name, extension, size, "broken")
    return FileFacts(
        name,
        extension,
        size,
        "zip",
        entries,
        macros_declared=macros,
        declared_type=declared_type,
        encryption_declared=encrypted,
    )


def _entry(info: zipfile.ZipInfo) -> Entry:
    return Entry(
        # ZipInfo.filename stops at a NUL and turns backslashes round; the name as stored must be judged.
        name=info.orig_filename,
        unpacked_bytes=info.file_size,
        packed_bytes=info.compress_size,
        is_encrypted=bool(info.flag_bits & 0x1),
        is_link=stat.S_ISLNK(info.external_attr >> 16),
        method=info.compress_type,
    )


def _peek(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the start of an entry, or nothing if it is not there or does not unpack."""
    try:
        with archive.open(name) as stream:
            return stream.read(_PEEK_BYTES)
    except Exception:  # every method of compression has errors of its own
        return b""

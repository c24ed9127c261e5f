"""What can be told of a file without unpacking it.

Nothing here raises on a hostile file; rules judge the facts.
"""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ZIP_SIGNATURE = b"PK\x03\x04"
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OLE_SEARCH_BYTES = 8 << 20
_WORKBOOK_PART = "xl/workbook.xml"
_MACRO_PARTS = ("vbaproject.bin", "vbadata.xml")
_MACRO_FOLDERS = ("xl/macrosheets/", "xl/dialogsheets/")
_EMBEDDED_FOLDERS = ("xl/media/", "xl/embeddings/")
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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the entries."""
        return tuple(entry.name for entry in self.entries)

    @property
    def unpacked_bytes(self) -> int:
        """Sum of the sizes that the entries declare."""
        return sum(entry.unpacked_bytes for entry in self.entries)

    @property
    def is_workbook(self) -> bool:
        """Say whether the zip holds an Excel workbook."""
        return self.container == "zip" and _WORKBOOK_PART in self.names

    @property
    def is_encrypted(self) -> bool:
        """Say whether a password is needed to read any of it."""
        return self.is_ole_encrypted or any(entry.is_encrypted for entry in self.entries)

    @property
    def has_macros(self) -> bool:
        """Say whether the file holds program code."""
        return self.macros_declared or any(
            name.lower().endswith(_MACRO_PARTS) or name.lower().startswith(_MACRO_FOLDERS)
            for name in self.names
        )

    @property
    def embedded_files(self) -> int:
        """Number of pictures and other files inside a workbook."""
        return sum(
            name.lower().startswith(_EMBEDDED_FOLDERS) and not name.endswith("/") for name in self.names
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
            macros = _declares_macros(archive)
    except Exception:  # zipfile raises a dozen kinds of errors on damaged directories
        return FileFacts(name, extension, size, "broken")
    return FileFacts(name, extension, size, "zip", entries, macros_declared=macros)


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


def _declares_macros(archive: zipfile.ZipFile) -> bool:
    """Read the start of the list of content types, which names macro-enabled workbooks as such."""
    try:
        with archive.open("[Content_Types].xml") as stream:
            return b"macroenabled" in stream.read(1 << 20).lower()
    except Exception:  # every method of compression has errors of its own
        return False

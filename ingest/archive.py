"""The archive: originals, kept once and for ever under the hash of their bytes. And the quarantine beside it.

The archive is a folder of the data root, or a prefix of a bucket; the quarantine never leaves this machine.
Belongs here: keeping, giving back and taking away files by hash. Does not: deciding which file is kept where
(ingest/receive.py), or what may be taken away (ingest/erasure.py).
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ingest.files import blocks, replacing, sha256_of, sync
from ingest.paths import OWNER_ONLY, DataRoot
from ingest.storage import Bucket

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}\Z")

CACHE_BYTES = 1 << 30
"""Copies of archived files are kept on this machine up to so many bytes, those used last."""


class ArchiveError(RuntimeError):
    """A file of the archive is not what its name says, or is not there."""


def safe_extension(extension: str) -> str:
    """Return an extension that may stand in the archive: as it was if it is plain, else bin."""
    return extension if _EXTENSION.match(extension) else "bin"


@dataclass(frozen=True)
class Store:
    """A folder of files addressed by sha256. A file once there is never written again."""

    folder: Path
    is_split: bool
    """Whether files lie in a folder named by the first two digits of their hash."""
    mode: int

    def path(self, sha256: str, extension: str) -> Path:
        """Return where a file lies, or would lie. Raises ValueError for what is not a hash."""
        if not _SHA256.match(sha256):
            raise ValueError(f"{sha256!r} is not a sha256 in hexadecimal.")
        folder = self.folder / sha256[:2] if self.is_split else self.folder
        return folder / f"{sha256}.{safe_extension(extension)}"

    def place(self, sha256: str, extension: str) -> str:
        """Return where a file lies, for people."""
        return str(self.path(sha256, extension))

    def put(self, source: Path, sha256: str, extension: str) -> Path:
        """Keep a copy of a file. Putting the same file twice changes nothing.

        Raises ArchiveError if the source's bytes are not those of the hash, or if others lie there already.
        """
        target = self.path(sha256, extension)
        if target.exists():
            if sha256_of(target) != sha256:
                raise ArchiveError(
                    f"{target} does not hold the bytes its name says; restore it from a backup."
                )
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
        digest = hashlib.sha256()
        try:
            with temporary.open("wb") as stream:
                for block in blocks(source):
                    digest.update(block)
                    stream.write(block)
                stream.flush()
                os.fsync(stream.fileno())
            if digest.hexdigest() != sha256:
                raise ArchiveError(f"{source} changed after it was judged; deliver it again.")
            temporary.chmod(self.mode)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync(target.parent)
        return target

    def get(self, sha256: str, extension: str) -> Path:
        """Return the path of a kept file, its hash checked.

        Raises ArchiveError if it is missing or altered.
        """
        path = self.path(sha256, extension)
        if not path.is_file():
            raise ArchiveError(f"{path} is missing; restore it from a backup.")
        if sha256_of(path) != sha256:
            raise ArchiveError(f"{path} does not hold the bytes its name says; restore it from a backup.")
        return path

    def remove(self, sha256: str, extension: str) -> bool:
        """Take a file away for good; say whether it was there."""
        path = self.path(sha256, extension)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync(path.parent)
        return True

    def holds(self, sha256: str, extension: str) -> bool:
        """Say whether there is such a file, without looking at its bytes."""
        return self.path(sha256, extension).is_file()


@dataclass(frozen=True)
class BucketStore:
    """A prefix of a bucket that holds files addressed by sha256. An object once there is never put again."""

    bucket: Bucket
    cache: Path
    """Folder of this machine for copies. Its owner only may look into it."""
    cache_bytes: int = CACHE_BYTES

    def place(self, sha256: str, extension: str) -> str:
        """Return the URL of a file. Raises ValueError for what is not a hash."""
        return f"{self.bucket.url}/{_key(sha256, extension)}"

    def put(self, source: Path, sha256: str, extension: str) -> str:
        """Keep a copy of a file and return its URL. Putting the same file twice changes nothing.

        What was put is read back. Raises ArchiveError if the source's bytes are not those of the hash, or if
        others lie there already.
        """
        key = _key(sha256, extension)
        if self.bucket.head(key) is None:
            content = source.read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ArchiveError(f"{source} changed after it was judged; deliver it again.")
            self.bucket.put(key, content, only_if="")
        self._read(sha256, extension)
        return self.place(sha256, extension)

    def get(self, sha256: str, extension: str) -> Path:
        """Return the path of a copy on this machine, its hash checked.

        The copy stays until others need its room. Raises ArchiveError if the file is missing or altered.
        """
        copy = self.cache / f"{sha256}.{safe_extension(extension)}"
        _key(sha256, extension)  # refuses what is no hash
        if copy.is_file() and sha256_of(copy) == sha256:
            os.utime(copy)
            return copy
        content = self._read(sha256, extension)
        self.cache.mkdir(parents=True, exist_ok=True)
        self.cache.chmod(OWNER_ONLY)
        with replacing(copy) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(0o400)
        self._make_room(copy)
        return copy

    def remove(self, sha256: str, extension: str) -> bool:
        """Take a file away for good, with its copy here and every version of it; say whether it was there."""
        (self.cache / f"{sha256}.{safe_extension(extension)}").unlink(missing_ok=True)
        return self.bucket.delete_for_good(_key(sha256, extension))

    def holds(self, sha256: str, extension: str) -> bool:
        """Say whether there is such a file, without looking at its bytes."""
        return self.bucket.head(_key(sha256, extension)) is not None

    def _read(self, sha256: str, extension: str) -> bytes:
        found = self.bucket.read(_key(sha256, extension))
        place = self.place(sha256, extension)
        if found is None:
            raise ArchiveError(f"{place} is missing; restore it from a backup.")
        if hashlib.sha256(found[0]).hexdigest() != sha256:
            raise ArchiveError(f"{place} does not hold the bytes its name says; restore it from a backup.")
        return found[0]

    def _make_room(self, latest: Path) -> None:
        """Delete the copies that were used longest ago, until the others fit into the bound."""
        copies = [path for path in self.cache.iterdir() if path != latest and not path.name.startswith(".")]
        room = self.cache_bytes - latest.stat().st_size
        for path in sorted(copies, key=lambda each: each.stat().st_mtime_ns, reverse=True):
            room -= path.stat().st_size
            if room < 0:
                path.unlink()


Archive = Store | BucketStore


def _key(sha256: str, extension: str) -> str:
    """Return the key of a file: as the archive's folder lays them out."""
    if not _SHA256.match(sha256):
        raise ValueError(f"{sha256!r} is not a sha256 in hexadecimal.")
    return f"{sha256[:2]}/{sha256}.{safe_extension(extension)}"


def archive_of(root: DataRoot) -> Archive:
    """Return the write-once archive of a data root: its folder, or the prefix of a bucket that it names."""
    if root.archive_url:
        return BucketStore(Bucket(root.archive_url), root.archive_cache)
    return Store(root.archive, is_split=True, mode=0o444)


def quarantine_of(root: DataRoot) -> Store:
    """Return the quarantine of a data root, readable by its owner only. It is always a folder."""
    root.quarantine.mkdir(parents=True, exist_ok=True)
    root.quarantine.chmod(OWNER_ONLY)
    return Store(root.quarantine, is_split=False, mode=0o400)

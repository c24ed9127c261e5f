"""The archive: originals, kept once and for ever under the hash of their bytes. And the quarantine beside it.

Belongs here: keeping and giving back files by hash. Does not: deciding which file is kept where.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ingest.files import blocks, sha256_of, sync
from ingest.paths import OWNER_ONLY, DataRoot

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}\Z")


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


def archive_of(root: DataRoot) -> Store:
    """Return the write-once archive of a data root."""
    return Store(root.archive, is_split=True, mode=0o444)


def quarantine_of(root: DataRoot) -> Store:
    """Return the quarantine of a data root, readable by its owner only."""
    root.quarantine.mkdir(parents=True, exist_ok=True)
    root.quarantine.chmod(OWNER_ONLY)
    return Store(root.quarantine, is_split=False, mode=0o400)

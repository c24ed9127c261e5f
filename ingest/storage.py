"""Object storage by URL (s3://bucket/prefix): the few things the inbox and the archive ask of it.

Credentials, region and endpoint come from the usual AWS settings of the environment or a profile; none is
ever part of a URL or of a message. fsspec and s3fs are loaded by the first request only.
Belongs here: requests, their conditions and their errors. Does not: what is kept where and why.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ingest.clock import as_utc

_URL = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(?:/[A-Za-z0-9!_.*'()=-]+)*)/?\Z"
)
_BLOCK = 8 << 20
_CONDITION_FAILED = ("PreconditionFailed", "412", "ConditionalRequestConflict")
"""Codes that storage gives where a condition does not hold, or another request was quicker."""
_ATTEMPTS = 10
"""So often an object is read again that others keep putting anew."""
_PAGES = 100
"""So many pages of versions of one object are deleted before it is taken that storage keeps them."""


class StorageError(RuntimeError):
    """Object storage cannot be used. The text says which, and what kind of error it gave; no credentials."""


def checked_url(setting: str, text: str) -> str:
    """Return a URL without its last slash. Raises ValueError naming the setting, never its value."""
    match = _URL.match(text)
    if match is None or any(part in (".", "..") for part in match["prefix"].split("/")):
        raise ValueError(
            f"{setting} is not a place in object storage; write it like s3://bucket/prefix. Credentials and"
            " endpoint are not part of it: they are taken from the AWS settings of the environment."
        )
    return f"s3://{match['bucket']}{match['prefix']}"


@dataclass(frozen=True)
class StoredObject:
    """An object as storage lists it. key is relative to the prefix; modified_at is in UTC."""

    key: str
    etag: str
    size: int
    modified_at: datetime

    def is_same(self, other: StoredObject | None) -> bool:
        """Say whether it is the same object still: put once, not put again. Times are told to the second."""
        return (
            other is not None
            and (self.key, self.etag) == (other.key, other.etag)
            and self.modified_at.replace(microsecond=0) == other.modified_at.replace(microsecond=0)
        )


@dataclass(frozen=True)
class Bucket:
    """A prefix of a bucket. Every method raises StorageError if storage cannot be reached or refuses."""

    url: str

    @property
    def name(self) -> str:
        """Name of the bucket."""
        return self.url.removeprefix("s3://").partition("/")[0]

    def full_key(self, key: str) -> str:
        """Return the key within the bucket of a key relative to the prefix."""
        prefix = self.url.removeprefix("s3://").partition("/")[2]
        return f"{prefix}/{key}" if prefix else key

    @cached_property
    def _system(self) -> Any:
        import s3fs

        # Nothing is remembered of a listing: others deliver and take at the same time.
        return s3fs.S3FileSystem(use_listings_cache=False)

    def _path(self, key: str) -> str:
        return f"{self.name}/{self.full_key(key)}"

    def objects(self) -> list[StoredObject]:
        """Return every object under the prefix, sorted by key."""
        with self._asking():
            found = self._system.find(self.url.removeprefix("s3://"), withdirs=False, detail=True)
        start = len(self._path(""))
        objects = (
            _stored(path[start:], info) for path, info in found.items() if path.startswith(self._path(""))
        )
        return sorted(objects, key=lambda each: each.key)

    def head(self, key: str) -> StoredObject | None:
        """Return what storage says of an object, or None if it is not there."""
        with self._asking():
            try:
                answer = self._system.call_s3("head_object", Bucket=self.name, Key=self.full_key(key))
            except FileNotFoundError:
                return None
        return _stored(key, {**answer, "size": answer["ContentLength"]})

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return an object's bytes and its ETag, or None if it is not there."""
        from s3fs.utils import FileExpired

        with self._asking():
            for attempt in range(_ATTEMPTS):
                try:
                    with self._system.open(self._path(key), "rb", block_size=_BLOCK) as source:
                        return source.read(), str(source.details["ETag"])
                except FileNotFoundError:
                    return None
                except FileExpired:  # put anew while it was read
                    if attempt == _ATTEMPTS - 1:
                        raise
        return None

    def download(self, stored: StoredObject, target: Path) -> bool:
        """Write an object's bytes to a file and wait until they are on the disk.

        Says False, with no promise on the file, if the object is not the one that was listed any more.
        """
        from s3fs.utils import FileExpired

        with self._asking():
            try:
                with self._system.open(self._path(stored.key), "rb", block_size=_BLOCK) as source:
                    if source.details["ETag"] != stored.etag:
                        return False
                    with target.open("wb") as stream:
                        while block := source.read(_BLOCK):
                            stream.write(block)
                        stream.flush()
                        os.fsync(stream.fileno())
                    return target.stat().st_size == stored.size
            except (FileNotFoundError, FileExpired):
                return False

    def put(self, key: str, content: bytes, *, only_if: str | None = None) -> bool:
        """Put an object, whole or not at all.

        only_if is an ETag: put only in place of that object; "" for only if there is none. Says False if the
        condition does not hold. Storage that does not know such conditions is asked once before the put.
        """
        where = {"Bucket": self.name, "Key": self.full_key(key)}
        condition = {} if only_if is None else {"IfMatch": only_if} if only_if else {"IfNoneMatch": "*"}
        with self._asking():
            try:
                self._system.call_s3("put_object", **where, Body=content, **condition)
            except FileNotFoundError:
                if only_if and self.head(key) is None:  # what should be replaced is gone
                    return False
                raise
            except (NotImplementedError, OSError) as error:
                if condition and _has_failed_condition(error):
                    return False
                if not condition or not _is_unknown(error):
                    raise
                present = self.head(key)
                if (present.etag if present else "") != only_if:
                    return False
                self._system.call_s3("put_object", **where, Body=content)
        return True

    def delete(self, stored: StoredObject) -> bool:
        """Delete an object if it is still the one given; say whether it was."""
        if not stored.is_same(self.head(stored.key)):
            return False
        where = {"Bucket": self.name, "Key": self.full_key(stored.key)}
        with self._asking():
            try:
                self._system.call_s3("delete_object", **where, IfMatch=stored.etag)
            except FileNotFoundError:  # gone since it was asked about
                return False
            except (NotImplementedError, OSError) as error:
                if _has_failed_condition(error):  # put anew since it was asked about
                    return False
                if not _is_unknown(error):
                    raise
                self._system.call_s3("delete_object", **where)
        return True

    def delete_for_good(self, key: str) -> bool:
        """Delete an object with every version that storage keeps of it; say whether there was any."""
        full = self.full_key(key)
        is_found = False
        with self._asking():
            for _ in range(_PAGES):
                versions = self._versions(full)
                if not versions:
                    return is_found
                is_found = True
                for version in versions:
                    self._system.call_s3("delete_object", Bucket=self.name, Key=full, **version)
        raise StorageError(f"{self.url} still shows an object after it was deleted; look into its settings.")

    def _versions(self, full_key: str) -> list[dict[str, str]]:
        """Return how requests name each version of an object; where none are kept, the object itself."""
        try:
            answer = self._system.call_s3("list_object_versions", Bucket=self.name, Prefix=full_key)
        except (NotImplementedError, OSError) as error:
            if not _is_unknown(error):
                raise
            start = len(self.full_key(""))
            return [{}] if self.head(full_key[start:]) else []
        return [
            {"VersionId": version["VersionId"]} if version.get("VersionId") else {}
            for version in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))
            if version["Key"] == full_key
        ]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except StorageError:
            raise
        except PermissionError as error:
            raise StorageError(
                f"{self.url} refuses what was asked of it; the AWS settings of the environment must allow to"
                " list, read, write and delete there."
            ) from error
        except FileNotFoundError as error:
            raise StorageError(f"There is no bucket for {self.url}; look at its name.") from error
        except Exception as error:
            # The error's own text may hold addresses and names of keys; its kind says enough.
            raise StorageError(
                f"{self.url} cannot be used ({type(error).__name__}); look at the network and at the AWS"
                " settings of the environment, then run again."
            ) from error


def _stored(key: str, info: Any) -> StoredObject:
    return StoredObject(key, str(info["ETag"]), int(info["size"]), as_utc(info["LastModified"]))


def _has_failed_condition(error: BaseException) -> bool:
    """Say whether storage refused a request because its condition does not hold."""
    answer = getattr(error.__cause__, "response", None)
    code = str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
    return isinstance(error, FileExistsError) or code in _CONDITION_FAILED


def _is_unknown(error: BaseException) -> bool:
    """Say whether storage does not know the condition that was asked for."""
    return isinstance(error, NotImplementedError) or getattr(error, "errno", None) == errno.ENOSYS

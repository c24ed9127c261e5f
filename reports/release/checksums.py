"""SHA256SUMS: the hash of every other file, as `sha256sum -c` reads it."""

from __future__ import annotations

from collections.abc import Mapping

from reports.release.encoding import sha256
from reports.release.publication import Publication

CHECKSUMS = "SHA256SUMS"


def write(publication: Publication, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """SHA256SUMS over all files written so far, by name; so it is written last."""
    lines = "".join(f"{sha256(content)}  {name}\n" for name, content in sorted(files.items()))
    return {CHECKSUMS: lines.encode("ascii")}

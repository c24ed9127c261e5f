"""SHA256SUMS against the folder, as `sha256sum -c` does, and more strictly: every file listed, none extra."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from quality.validators import Fault

NAME = "checksums"
SUMS = "SHA256SUMS"

_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[^/\\]+)")


def validate(folder: Path) -> list[Fault]:
    """The faults of SHA256SUMS: a line nobody can read, a file missing, extra, listed twice, or altered."""
    path = folder / SUMS
    if not path.is_file():
        return [Fault(NAME, SUMS, f"{SUMS} is missing from {folder.name}.")]
    faults: list[Fault] = []
    listed: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            faults.append(
                Fault(
                    NAME, SUMS, f"{SUMS} line {number} is not 64 hexadecimal digits, two blanks, a file name."
                )
            )
        elif found["name"] in listed:
            faults.append(Fault(NAME, SUMS, f"{SUMS} line {number} lists {found['name']} a second time."))
        else:
            listed[found["name"]] = found["digest"]
    present = {item.name for item in folder.iterdir()} - {SUMS}
    for name in sorted(present - set(listed)):
        faults.append(Fault(NAME, name, f"{name} stands in the folder, but not in {SUMS}."))
    for name, digest in sorted(listed.items()):
        if name not in present:
            faults.append(Fault(NAME, name, f"{name} stands in {SUMS}, but not in the folder."))
        elif (held := hashlib.sha256((folder / name).read_bytes()).hexdigest()) != digest:
            faults.append(
                Fault(NAME, name, f"{name} has SHA-256 {held[:12]}..., {SUMS} says {digest[:12]}...")
            )
    return faults

"""Which build each output of a quarter was made from, so that an output is made again only when it must be.

What belongs here: the note beside the checks, one file a quarter. What does not: making outputs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from orchestration.warehouse import write_json


@dataclass(frozen=True)
class OutputNotes:
    """Notes of one data root: `checks/outputs/<period_code>.json`, output -> what it was made from."""

    folder: Path

    def made_from(self, period_code: str, output: str) -> str | None:
        """Return what the output of that quarter was made from, or None if it was never made."""
        return self._read(period_code).get(output)

    def note(self, period_code: str, output: str, made_from: str) -> None:
        """Note it, once the output itself is whole on the disk. Writes nothing if nothing changed."""
        notes = self._read(period_code)
        if notes.get(output) != made_from:
            write_json(self._path(period_code), {**notes, output: made_from})

    def _path(self, period_code: str) -> Path:
        return self.folder / f"{period_code}.json"

    def _read(self, period_code: str) -> dict[str, str]:
        path = self._path(period_code)
        if not path.is_file():
            return {}
        notes: dict[str, str] = json.loads(path.read_bytes())
        return notes

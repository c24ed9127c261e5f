"""How large a return may be.

Belongs here: limits of one file and of judging it. Does not: rules about figures.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one delivered file.

    The defaults leave an ordinary return ten times the room that it needs.
    """

    file_bytes: int = 20 * MIB
    unpacked_bytes: int = 200 * MIB
    unpacked_ratio: int = 200
    ratio_matters_from_bytes: int = 2 * MIB
    """Below this unpacked size a high ratio harms nobody: a sheet of blanks packs very well."""
    entries: int = 200
    sheets: int = 20
    rows: int = 100_000
    columns: int = 200
    cells: int = 2_000_000
    cell_characters: int = 4_000
    seconds: float = 60.0
    memory_bytes: int = 1536 * MIB
    """Address space a judging process may take on top of what it has when it starts."""

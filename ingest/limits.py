"""How large a return may be.

Belongs here: limits of one file and of judging it. Does not: rules about figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches

MIB = 1 << 20
PREFIX = "VCC_LIMIT_"


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

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Limits:
        """Return the limits, those replaced that the environment sets: VCC_LIMIT_ROWS for `rows`, and so on.

        A value is a number above zero in the unit of its field, whole except for seconds; an empty one
        counts as not set. Raises ValueError for any other value, and for a name with the prefix that is no
        limit.
        """
        defaults = {f"{PREFIX}{field.name.upper()}": field for field in fields(cls)}
        values: dict[str, float] = {}
        for name in sorted(name for name in environ if name.startswith(PREFIX)):
            if name not in defaults:
                close = get_close_matches(name, defaults, n=1)
                hint = f"perhaps {close[0]} is meant" if close else f"the limits are {', '.join(defaults)}"
                raise ValueError(f"The setting {name} is no limit; {hint}.")
            text = environ[name].strip()
            if text:
                field = defaults[name]
                values[field.name] = _number(name, text, whole=isinstance(field.default, int))
        return cls(**values)  # type: ignore[arg-type]


def _number(name: str, text: str, *, whole: bool) -> float:
    try:
        number = int(text) if whole and text.isascii() and text.isdigit() else float("nan" if whole else text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"The setting {name} is {text!r}; it must be {kind} above zero, written in digits.")
    return number

"""What keeps a validator from leaving the folder: whatever a metadata file points to must stand there.

The libraries would fetch a context, a schema or a table from the address a metadata file gives. So it is
looked through first, and one that points elsewhere is a fault; the library does not see it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quality.validators import Fault


def read_json(validator: str, folder: Path, name: str) -> tuple[dict[str, Any], list[Fault]]:
    """The object a JSON file holds, or the fault that keeps it from being read."""
    try:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, [Fault(validator, name, f"{name} is missing from {folder.name}.")]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        return {}, [Fault(validator, name, f"{name} is not JSON in UTF-8: {error}.")]
    if not isinstance(document, dict):
        return {}, [Fault(validator, name, f"{name} holds no object at its top.")]
    return document, []


def named(document: Any, keys: set[str], place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value under one of the keys, however deep, with its place: `tables/0/url`."""
    if isinstance(document, dict):
        for key, value in document.items():
            here = f"{place}/{key}" if place else str(key)
            if key in keys:
                yield here, value
            yield from named(value, keys, here)
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from named(value, keys, f"{place}/{position}")


def elsewhere(validator: str, folder: Path, name: str, place: str, value: object) -> list[Fault]:
    """The fault of a value that does not name a file of the folder; none if it does."""
    if not isinstance(value, str) or not value or Path(value).name != value or ":" in value:
        return [Fault(validator, name, f"{name} at {place}: {value!r} is not the name of a file beside it.")]
    if not (folder / value).is_file():
        return [Fault(validator, name, f"{name} at {place}: there is no file {value} beside it.")]
    return []

"""How documents become bytes: the same JSON, text and hash everywhere in a release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Readable UTF-8 JSON with its keys in the order given, ending in a line feed."""
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()

"""Strangers' and our own validators of a finished release folder: each says what is wrong, in which file.

A validator is a function `validate(folder) -> list[Fault]` that reads files only, without a network. Does not
belong here: whether a figure identifies somebody (`quality.disclosure`), or promises on marts (`contracts`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a release: the validator's name, the file, and what and where in one sentence."""

    validator: str
    file: str
    message: str

"""Text that came from somewhere else, made safe to stand in a line: controls out, wrapped to a width.

Belongs here: what any file type needs of a text. Does not: escaping, which each file type does for itself.
"""

from __future__ import annotations

import decimal
import re
from typing import Any

# Marks, embeddings, overrides and isolates: one of them in a name turns round the words that follow it.
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_DROPPED = re.compile(f"[{_BIDI}\ufeff]")
_BLANKS = re.compile(r"[\s\u0085\u2028\u2029]+")
# What XML 1.0 cannot hold at all, however it is escaped; and controls, which no reader can see.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\ufdd0-\ufdef]")


def plain(text: object) -> str:
    """The text in one line without direction controls; what no file can hold becomes U+FFFD.

    It is still to be escaped: `<b>` stays `<b>`.
    """
    line = _BLANKS.sub(" ", _DROPPED.sub("", str(text)))
    return _UNPRINTABLE.sub("\ufffd", line).strip()


#: Marks that turn the direction of the text around them, and control characters: shown as U+FFFD.
_STEERING = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff]"
)


def neutral(value: Any) -> Any:
    """A value as pages and files for machines may have it: text without steering marks, decimals as floats,
    all the way down.
    """
    if isinstance(value, str):
        return _STEERING.sub("\ufffd", value)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _STEERING.sub("\ufffd", bytes(value).decode("utf-8", "replace"))
    if isinstance(value, list | tuple):
        return [neutral(each) for each in value]
    if isinstance(value, dict):
        return {neutral(key): neutral(each) for key, each in value.items()}
    return value


# Advance widths of Arial (Liberation Sans has the same) for U+0020 to U+007E in thousandths of the font size.
_ARIAL = """
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278
    556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556
    1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778
    667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556
    333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556
    556 556 333 500 278 556 500 722 500 500 500 334 260 334 584
"""
_WIDTHS = tuple(map(int, _ARIAL.split()))
_SIGNS = {
    "\u00a3": 556,
    "\u2013": 556,
    "\u2018": 222,
    "\u2019": 222,
    "\u201c": 333,
    "\u201d": 333,
    "\u2264": 549,
}
_OTHER = 1000  # no letter of another script is much wider than it is high


def text_width(text: str, size: float) -> float:
    """About how many pixels a text takes in Arial of a size; never too few."""
    return size * sum(map(_width_of, text)) / 1000


def _width_of(letter: str) -> int:
    place = ord(letter) - 32
    return _WIDTHS[place] if 0 <= place < len(_WIDTHS) else _SIGNS.get(letter, _OTHER)


def wrapped(text: str, width: float, size: float, *, lines: int = 3) -> list[str]:
    """The text in lines no wider than `width` pixels; the last one ends in an ellipsis where it did not fit.

    A word that is too long for a line is cut into pieces. An empty text is one empty line.
    """
    words: list[str] = []
    for word in text.split():
        while text_width(word, size) > width and len(word) > 1:
            end = len(word) - 1
            while end > 1 and text_width(word[:end], size) > width:
                end -= 1
            words.append(word[:end])
            word = word[end:]
        words.append(word)
    done: list[str] = []
    line = ""
    for word in words:
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size) > width:
            done.append(line)
            line = word
        else:
            line = longer
    done.append(line)
    if len(done) <= lines:
        return done
    last = done[lines - 1]
    while last and text_width(f"{last}\u2026", size) > width:
        last = last[:-1]
    return [*done[: lines - 1], f"{last.rstrip()}\u2026"]

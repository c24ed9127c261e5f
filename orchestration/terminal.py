"""What a person sees in the terminal: progress while it works, plain tables at the end.

What belongs here: formatting. What does not: what is shown (the commands decide).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TextIO

#: Without a terminal a line is written at most this often, so that a log stays readable.
SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_UPDATES = 0.1


class ProgressLine:
    """Shows work as it goes on: one moving line in a terminal, a few lasting lines elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`; whether it is a terminal decides the form."""
        self._stream = stream
        self._moves = stream.isatty()
        self._what = ""
        self._began = 0.0
        self._shown_at = 0.0
        self._state = (0, 0)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note of progress: `done` of `total`; a total of 0 means that the amount is not known."""
        now = time.monotonic()
        if what != self._what:
            self.close()
            self._what, self._began, self._shown_at = what, now, 0.0
        self._state = (done, total)
        pause = SECONDS_BETWEEN_UPDATES if self._moves else SECONDS_BETWEEN_LINES
        if self._moves and now - self._shown_at >= pause:
            self._show(now, "\r", "\033[K")
        elif not self._moves and now - self._began >= pause and now - self._shown_at >= pause:
            self._show(now, "", "\n")

    def close(self) -> None:
        """End the line of what was going on, with the time it took."""
        if not self._what:
            return
        start, end = ("\r", "\033[K\n") if self._moves else ("", "\n")
        self._show(time.monotonic(), start, end)
        self._what = ""

    def _show(self, now: float, start: str, end: str) -> None:
        done, total = self._state
        amount = f" {done:,} of {total:,}" if total else ""
        self._stream.write(f"{start}  {self._what}{amount} ({now - self._began:.0f} s){end}")
        self._stream.flush()
        self._shown_at = now


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as aligned columns, numbers to the right; only the header if there are none."""
    listed = [list(row) for row in rows]
    texts = [[_text(value) for value in row] for row in listed]
    widths = [max(len(line[place]) for line in [list(header), *texts]) for place in range(len(header))]
    to_right = [any(isinstance(row[place], int | float) for row in listed) for place in range(len(header))]
    lines = []
    for line in [list(header), ["-" * width for width in widths], *texts]:
        cells = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, to_right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)

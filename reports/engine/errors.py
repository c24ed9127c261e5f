"""What stops a page, always with the file and the line of the markdown that its author can mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PageError(Exception):
    """One fault of one page. `file` is the markdown file as it was named, `line` counts from 1."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.message = message

    def __reduce__(self) -> tuple[type[PageError], tuple[str, int, str]]:
        return type(self), (self.file, self.line, self.message)


class PageErrors(Exception):
    """Every fault that was found, each once, in the order of files and lines."""

    def __init__(self, errors: Iterable[PageError]) -> None:
        kept = {(error.file, error.line, error.message): error for error in errors}
        self.errors = tuple(kept[key] for key in sorted(kept))
        super().__init__("\n".join(str(error) for error in self.errors))

    def __reduce__(self) -> tuple[type[PageErrors], tuple[tuple[PageError, ...]]]:
        return type(self), (self.errors,)


class TemplateFault(Exception):
    """What a page asked for is wrong, said while it is rendered; the engine adds file and line."""


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` if a known name is close to the word, else what there is, else nothing."""
    names = sorted(set(known))
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if found:
        return f" Did you mean {found[0]!r}?"
    if names and len(names) <= 40:
        return f" There is {', '.join(names)}."
    return ""

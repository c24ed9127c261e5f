"""Reading page files: front matter, queries and text, each with its line. Nothing is run here.

A page file is markdown that begins with front matter between two lines `---`. Fenced blocks
```` ```sql name ```` are its queries; everything else is its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from reports.engine.errors import PageError, PageErrors, nearest

KEYS = ("title", "description", "path", "layout", "source", "foreach", "section")
LAYOUTS = ("site", "document")
SOURCES = ("published", "warehouse")

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
_SAFE_PATH = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)*[A-Za-z0-9][A-Za-z0-9_-]*\.html\Z")


@dataclass(frozen=True)
class Query:
    """One `sql` block: its name, its text, and the line of the file on which the text begins."""

    name: str
    sql: str
    line: int

    @property
    def fence_line(self) -> int:
        """The line on which its name stands."""
        return self.line - 1


@dataclass(frozen=True)
class Page:
    """One page file, read. `body` has as many lines as the file: what is not text is a blank line.

    `lines` gives the line of each key of the front matter that is there.
    """

    file: str
    title: str
    description: str
    path: str
    layout: str
    source: str
    foreach: str | None
    section: str | None
    queries: Mapping[str, Query]
    body: str
    lines: Mapping[str, int]

    def line_of(self, key: str) -> int:
        """The line of a key of the front matter; the first line if it is left out."""
        return self.lines.get(key, 1)


def is_safe_path(path: str) -> bool:
    """Whether a path may be written: relative, of plain names, ending in .html."""
    return bool(_SAFE_PATH.match(path))


def load_pages(folder: Path) -> list[Page]:
    """Every page of a folder (or of one file), by its path. Raises PageErrors with all that is wrong."""
    pages, errors = read_pages(folder)
    if errors:
        raise PageErrors(errors)
    return pages


def read_pages(folder: Path) -> tuple[list[Page], list[PageError]]:
    """The pages that can be read, and what is wrong with the others.

    Files named README.md or beginning with `_` are no pages.
    """
    if folder.is_file():
        files = [folder]
    else:
        files = [
            file
            for file in sorted(folder.rglob("*.md"))
            if file.name != "README.md" and not file.name.startswith(("_", "."))
        ]
    pages: list[Page] = []
    errors: list[PageError] = []
    for file in files:
        relative = Path(file.name) if folder.is_file() else file.relative_to(folder)
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            errors.append(PageError(str(file), line, "This is not UTF-8; save the file as UTF-8."))
            continue
        try:
            pages.append(read_page(text, str(file), relative.with_suffix(".html").as_posix()))
        except PageErrors as found:
            errors.extend(found.errors)
    return pages, errors


def read_page(text: str, file: str, default_path: str) -> Page:
    """Read one page from its text. Raises PageErrors with everything that is wrong with it."""
    errors: list[PageError] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    values, key_lines, end = _front_matter(lines, file, errors)
    queries: dict[str, Query] = {}
    body = [""] * end
    for number, line, kind in _classified(lines, end, file, errors, queries):
        assert number == len(body) + 1
        body.append("" if kind == "sql" else line)
    for key in ("title",) if values.get("layout") == "document" else ("title", "description"):
        if not values.get(key, "").strip():
            errors.append(
                PageError(
                    file,
                    key_lines.get(key, 1),
                    f"The page has no {key}; add `{key}: ...` between the two lines `---`.",
                )
            )
    for key, allowed in (("layout", LAYOUTS), ("source", SOURCES)):
        if values.get(key) and values[key] not in allowed:
            errors.append(
                PageError(file, key_lines[key], f"{key}: {values[key]!r} is none of {', '.join(allowed)}.")
            )
    if values.get("source") == "warehouse" and values.get("layout", "site") == "site":
        errors.append(
            PageError(
                file,
                key_lines["source"],
                "source: a page of the public site cannot read the warehouse. Leave `source` out, or write"
                " `layout: document` for a restricted document.",
            )
        )
    foreach = values.get("foreach") or None
    if foreach and foreach not in queries:
        errors.append(
            PageError(
                file,
                key_lines["foreach"],
                f"foreach: the page has no query {foreach!r}.{nearest(foreach, queries)}",
            )
        )
    path = values.get("path") or default_path
    if "{" not in path and not is_safe_path(path):
        errors.append(PageError(file, key_lines.get("path", 1), bad_path(path)))
    if foreach and "{{" not in path:
        errors.append(
            PageError(
                file,
                key_lines.get("path", key_lines["foreach"]),
                "A page with foreach needs a path that"
                " differs from row to row, as `path: areas/{{ row.slug }}.html`.",
            )
        )
    if errors:
        raise PageErrors(errors)
    return Page(
        file=file,
        title=values["title"],
        description=values.get("description", ""),
        path=path,
        layout=values.get("layout") or "site",
        source=values.get("source") or "published",
        foreach=foreach,
        section=values.get("section") or None,
        queries=queries,
        body="\n".join(body),
        lines=key_lines,
    )


def bad_path(path: str) -> str:
    """Why a path is refused."""
    return (
        f"path: {path!r} cannot be a page's path; use letters, digits, `-`, `_` and `/`, ending in .html,"
        " as areas/kent.html."
    )


def _front_matter(
    lines: list[str], file: str, errors: list[PageError]
) -> tuple[dict[str, str], dict[str, int], int]:
    """The keys, their lines, and how many lines the front matter takes."""
    if not lines or lines[0].strip() != "---":
        errors.append(PageError(file, 1, "A page begins with front matter: `---`, `title: ...`, `---`."))
        return {}, {}, 0
    end = next((place for place, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        errors.append(PageError(file, 1, "The front matter has no end: a second line `---` is missing."))
        return {}, {}, len(lines)
    values: dict[str, str] = {}
    key_lines: dict[str, int] = {}
    try:
        node = yaml.compose("\n".join(lines[1:end]), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 1
        errors.append(
            PageError(
                file,
                line,
                f"The front matter cannot be read: {error.problem}. Put a value that holds a"
                " colon, a # or a brace in quotes.",
            )
        )
        return {}, {}, end + 1
    if node is not None and not isinstance(node, yaml.MappingNode):
        errors.append(PageError(file, 2, "The front matter is lines of `key: value`."))
        return {}, {}, end + 1
    for key_node, value_node in node.value if node is not None else ():
        key, line = str(key_node.value), key_node.start_mark.line + 2
        if key in values:
            errors.append(PageError(file, line, f"{key} stands twice, first on line {key_lines[key]}."))
        elif key not in KEYS:
            errors.append(PageError(file, line, f"There is no key {key!r}.{nearest(key, KEYS)}"))
        elif not isinstance(value_node, yaml.ScalarNode):
            errors.append(PageError(file, line, f"{key} must be text; put it in quotes."))
        else:
            values[key], key_lines[key] = str(value_node.value), line
    return values, key_lines, end + 1


def _classified(
    lines: list[str], start: int, file: str, errors: list[PageError], queries: dict[str, Query]
) -> Iterator[tuple[int, str, str]]:
    """Each line after the front matter as (number, line, `sql` | `text`); queries are collected."""
    marks, opened, name = "", 0, ""
    collected: list[str] | None = None
    for number, line in enumerate(lines[start:], start + 1):
        match = _FENCE.match(line)
        if not marks:
            if match is None:
                yield number, line, "text"
                continue
            marks, opened = match["marks"], number
            words = match["info"].split()
            if words[:1] == ["sql"]:
                collected, name = [], words[1] if len(words) == 2 else ""
                _check_name(name, words, number, file, errors, queries)
            yield number, line, "text" if collected is None else "sql"
            continue
        ends = match is not None and match["marks"].startswith(marks) and not match["info"].strip()
        yield number, line, "text" if collected is None else "sql"
        if ends:
            if collected is not None and name and name not in queries:
                queries[name] = Query(name, "\n".join(collected), opened + 1)
            marks, collected = "", None
        elif collected is not None:
            collected.append(line)
    if marks:
        errors.append(PageError(file, opened, f"This block has no end: a line `{marks}` is missing."))


def _check_name(
    name: str, words: list[str], number: int, file: str, errors: list[PageError], queries: dict[str, Query]
) -> None:
    if not _NAME.match(name):
        errors.append(
            PageError(
                file,
                number,
                f"{' '.join(words[1:])!r} cannot name a query: write ```sql name, with a"
                " name of small letters, digits and _. To show SQL as text, write ```text.",
            )
        )
    elif name in queries:
        errors.append(
            PageError(
                file,
                number,
                f"There are two queries {name!r}; the first is on line {queries[name].fence_line}.",
            )
        )

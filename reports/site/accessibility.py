"""What the browser tests found, kept for the accessibility statement: written by them, read by the build.

A page type is a kind of page that is made in one way: if one area page passes, the others are made alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("accessibility.json")

#: Name of a page type -> the paths of its pages. The first that fits counts.
PAGE_TYPES: Mapping[str, str] = {
    "home": r"index\.html",
    "list of areas": r"areas/index\.html",
    "area": r"areas/[^/]+\.html",
    "list of rights": r"rights/index\.html",
    "right": r"rights/[^/]+\.html",
    "metric catalogue": r"metrics/[^/]+\.html",
    "data tool": r"data-tool/index\.html",
    "downloads": r"downloads\.html",
    "list of notices": r"notices/index\.html",
    "notice": r"notices/[^/]+\.html",
    "text to reuse": r"narratives/[^/]+\.html",
    "list of annual reports": r"annual-report/index\.html",
    "annual report": r"annual-report/[^/]+\.html",
    "methods": r"methods\.html",
    "data quality": r"data-quality\.html",
    "search": r"search\.html",
    "about": r"about\.html",
    "accessibility statement": r"accessibility\.html",
    "release history": r"releases/index\.html",
    "releases of a quarter": r"releases/[^/]+/index\.html",
    "release": r"releases/[^/]+/[^/]+/index\.html",
}


@dataclass(frozen=True)
class Violation:
    """A rule of axe that one page type breaks under one setting."""

    page_type: str
    width: int
    scheme: str
    javascript: bool
    rule: str


@dataclass(frozen=True)
class Results:
    """One run of the browser tests over every page type."""

    tested_on: str
    browser: str
    axe_version: str
    rules: tuple[str, ...]
    page_types: tuple[str, ...]
    widths: tuple[int, ...]
    schemes: tuple[str, ...]
    javascript: tuple[bool, ...]
    visits: int
    violations: tuple[Violation, ...]


def page_type(path: str) -> str:
    """The type of a page by its path; a path that no type fits is a type of its own."""
    return next((name for name, shape in PAGE_TYPES.items() if re.fullmatch(shape, path)), path)


def page_types(paths: Collection[str]) -> dict[str, str]:
    """Type -> the first path of that type, in the order of PAGE_TYPES; Welsh pages are their English ones."""
    order = list(PAGE_TYPES)
    found: dict[str, str] = {}
    for path in sorted(paths):
        found.setdefault(page_type(path), path)
    return dict(sorted(found.items(), key=lambda item: (_place(order, item[0]), item[0])))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def write_results(results: Results, path: Path = RESULTS) -> bool:
    """Write the results of a run; tell whether the file changed.

    A run that found the same as the one before keeps its day: the file changes when what it says changes.
    """
    before = read_results(path)
    if before is not None and {**asdict(before), "tested_on": ""} == {**asdict(results), "tested_on": ""}:
        return False
    path.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    return True


def read_results(path: Path = RESULTS) -> Results | None:
    """The results of the last run; None if there are none. Raises ValueError for a file that is not one."""
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    try:
        violations = tuple(Violation(**each) for each in facts.pop("violations"))
        lists: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
        }
        return Results(**lists, violations=violations)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a file of results ({error}); run the browser tests again.") from None


def untested(results: Results | None, types: Collection[str]) -> list[str]:
    """The page types of a site that the results say nothing of."""
    known = set(results.page_types) if results else set()
    return [name for name in types if name not in known]

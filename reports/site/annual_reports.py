"""Laid annual reports on the site: the words and figures as they were laid, in the frame of the site.

Belongs here: showing what was kept. Does not: making a report (reports/annual_report.py), keeping one
(orchestration). The kept page has its styles inside, which the policy of the site forbids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from markupsafe import Markup

from reports.annual_report import PUBLIC_FOLDER, AnnualReportError
from reports.page import rendered
from reports.site.frame import root_of

_KEPT = re.compile(
    r'<html lang="(?P<lang>[A-Za-z-]+)">.*<title>(?P<title>[^<]*)</title>.*<main>\n(?P<content>.*)</main>',
    re.DOTALL,
)


def report_files(kept: Mapping[str, bytes]) -> dict[str, bytes]:
    """PDF and ODT of every laid report: path below the public folder -> content, as it was laid."""
    return {f"{PUBLIC_FOLDER}/{name}": content for name, content in kept.items() if not _is_page(name)}


def report_pages(kept: Mapping[str, bytes], context: Mapping[str, object]) -> dict[str, bytes]:
    """The pages of the laid reports in the frame of the site: path -> content.

    Raises AnnualReportError for a file that is not a page of a report.
    """
    return {
        f"{PUBLIC_FOLDER}/{name}": _framed(name, content, kept, context)
        for name, content in kept.items()
        if _is_page(name)
    }


def listed(kept: Mapping[str, bytes]) -> list[dict[str, object]]:
    """The laid reports, newest first: the months in their file names, and their formats."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(kept):
        years, _, ending = name.partition(".")
        found.setdefault(years, []).append((name, _format(ending)))
    return [{"years": years, "files": found[years]} for years in sorted(found, reverse=True)]


def _is_page(name: str) -> bool:
    return name.endswith(".html")


def _format(ending: str) -> str:
    """What follows the first dot, as people say it: PDF, or HTML in Welsh."""
    language, _, kind = ending.rpartition(".")
    return f"{kind.upper()} in Welsh" if language == "cy" else kind.upper()


def _framed(name: str, content: bytes, kept: Mapping[str, bytes], context: Mapping[str, object]) -> bytes:
    match = _KEPT.search(content.decode("utf-8"))
    if match is None:
        raise AnnualReportError(
            f"{name} is not a page as it was laid; restore the folder of laid reports from a backup."
        )
    path = f"{PUBLIC_FOLDER}/{name}"
    title = unescape(match["title"])
    page = {
        "path": path,
        "title": title,
        "description": f"{title}, as it was laid before Parliament.",
        "section": "",
    }
    stem = name.removesuffix(".html")
    others = [
        (other, other.rpartition(".")[2].upper())
        for other in sorted(kept)
        if not _is_page(other) and other.rpartition(".")[0] == stem
    ]
    return rendered(
        "site_laid_report.html.j2",
        page=page,
        root=root_of(path),
        language=match["lang"],
        report=Markup(match["content"]),
        others=others,
        **context,
    ).encode("utf-8")

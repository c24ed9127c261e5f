"""A finished page of HTML as a PDF that a screen reader can follow: tagged, with bookmarks, title, language.

Belongs here: the settings of the PDF and what it may load. Does not belong here: how a page looks (its own
style sheet, `reports/templates/layouts/document.html.j2`).
"""

from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_TITLE = re.compile(r"<title>\s*[^\s<]", re.IGNORECASE)
_LANGUAGE = re.compile(r"<html[^>]*\slang=[\"']?[a-z]", re.IGNORECASE)


class PdfError(RuntimeError):
    """PDFs cannot be made on this machine; the message says what to install."""


def pdf_of(html: str, *, base: Path | None = None) -> bytes:
    """The page as the bytes of a PDF/UA-1 file; the same page gives the same bytes.

    Bookmarks come from its headings, title and language from the page, the date from its element
    `<meta name="dcterms.created">` if it has one (no other date is written), the identifier from its content.
    Pictures may be `data:` addresses or files below `base`; anything else stops the work.
    Raises PdfError where Pango is missing, ValueError for a page without a title or a language, and for a
    picture that may not be loaded.
    """
    if not _TITLE.search(html) or not _LANGUAGE.search(html):
        raise ValueError(
            "A PDF for everybody needs a title and a language: give the page a <title> and <html lang>."
        )
    try:
        import weasyprint
    except OSError as problem:  # a library of the machine that it sets type with
        raise PdfError(
            f"PDFs cannot be made here ({problem}). Install what sets their type: `.ci/programs run`"
            " does, or names the Debian packages (Pango, HarfBuzz, fonts)."
        ) from problem
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    root = base.resolve() if base is not None else None
    refused: list[str] = []

    class _OwnFilesOnly(URLFetcher):
        """Loads what the page holds itself and files below its folder, and nothing from a network."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            parts = urlsplit(url)
            is_own = parts.scheme == "data" or (
                root is not None
                and parts.scheme == "file"
                and Path(unquote(parts.path)).resolve().is_relative_to(root)
            )
            if not is_own:
                refused.append(url[:200])
                raise FatalURLFetchingError(url[:200])
            return super().fetch(url, headers)

    document = weasyprint.HTML(
        string=html,
        base_url=f"{root.as_uri()}/" if root is not None else None,
        url_fetcher=_OwnFilesOnly(allowed_protocols={"data", "file"}),
    )
    identifier = hashlib.sha256(html.encode("utf-8")).hexdigest()[:32].encode("ascii")
    try:
        with _no_collection():
            content = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    except FatalURLFetchingError as problem:
        raise ValueError(
            f"The page loads {refused[-1]!r}, which is not part of it: put pictures into the page as data:,"
            " or below the folder that is given as base."
        ) from problem
    return bytes(content)


@contextmanager
def _no_collection() -> Iterator[None]:
    """A document is a million objects that all live until it is written: no use to look for dead ones."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

"""How a page is made of its template: everything escaped, nothing left out unnoticed, one look for all."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from reports.components.text import neutral

TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, **values: object) -> str:
    """Render a template of `reports/templates`. Raises jinja2.UndefinedError for a value that is missing."""
    page: Any = _environment().get_template(template).render(**values)
    return str(page)


@functools.cache
def _environment() -> Any:
    # One for all pages: a template is read and compiled once.
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # whatever a template prints; what is marked safe was made of text that went through here before
        finalize=lambda value: neutral(value) if type(value) is str else value,
    )

"""How a page is made of its template: everything escaped, nothing left out unnoticed, one look for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, **values: object) -> str:
    """Render a template of `reports/templates`. Raises jinja2.UndefinedError for a value that is missing."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page: Any = environment.get_template(template).render(**values)
    return str(page)

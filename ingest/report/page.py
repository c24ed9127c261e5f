"""The report as one page that stands alone: no script, nothing fetched, readable on paper and by any reader.

Belongs here: rendering. The wording is in groups.py, the markup in report.html.j2.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.acceptance.verdict import Verdict
from ingest.clock import local_day
from ingest.report.groups import HEADLINES, facts_of, groups_of, next_step, plural

if TYPE_CHECKING:
    from jinja2 import Template

_HERE = Path(__file__).parent


def to_html(verdict: Verdict, *, receipt_id: str | None = None, arrived_at: datetime | None = None) -> str:
    """Return the report as an HTML page.

    The page of a receipt names it and the day the file arrived; without them it is that of a check before
    sending.
    """
    errors, warnings = groups_of(verdict, "error"), groups_of(verdict, "warning")
    return _template().render(
        verdict=verdict,
        headline=HEADLINES[verdict.outcome],
        counted=f"{plural(verdict.count('error'), 'error')}, {plural(verdict.count('warning'), 'warning')}",
        facts=_facts(verdict, receipt_id, arrived_at),
        is_check=receipt_id is None,
        next_step=next_step(verdict, is_check=receipt_id is None),
        sections=[
            (name, title, groups)
            for name, title, groups in (
                ("errors", "Errors: these must be mended", errors),
                ("warnings", "Warnings: these do not block", warnings),
            )
            if groups
        ],
        plural=plural,
    )


def _facts(
    verdict: Verdict, receipt_id: str | None, arrived_at: datetime | None
) -> tuple[tuple[str, str], ...]:
    facts = facts_of(verdict)
    if receipt_id is not None:
        facts = (("Receipt", receipt_id), *facts)
    if arrived_at is not None:
        day = local_day(arrived_at)
        facts = (*facts, ("Arrived on", f"{day.day} {day:%B %Y}"))
    return facts


@cache
def _template() -> Template:
    # Loaded when a page is first asked for: a check that prints text must not pay for it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2")

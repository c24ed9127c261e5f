"""`vcc template`: the workbook that a sender fills in for a period, with what is known already filled in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.commands import OK, project_of

if TYPE_CHECKING:
    from ingest.acceptance.comparison import ReturnFigures
    from ingest.period import Period
    from orchestration.project import Project


def run(options: argparse.Namespace) -> int:
    """Write the workbook and say where it is."""
    from ingest.period import Period
    from ingest.template import plan_of, write_template
    from orchestration.project import SettingError

    project = project_of(options)
    try:
        period = Period.parse(options.period)
    except ValueError as error:
        raise SettingError(str(error)) from None
    out = options.output or Path(f"{options.sender}_{options.kind}_{period.code}.xlsx")
    chosen = {"kind": options.kind, "breakdowns": options.breakdowns, "nil": options.nil}
    plan_of(options.sender, period, project.reference, project.forms, **chosen)
    if out.exists() and not options.force:
        raise SettingError(f"{out} is there already; give another name with --output, or add --force.")
    previous = _previous(project, options.sender, options.kind, period)
    plan = write_template(
        out, options.sender, period, project.reference, project.forms, previous=previous, **chosen
    )
    rows = {sheet.name: len(plan.rows(sheet)) for sheet in plan.form.tables}
    told = ", ".join(f"{name} {number}" for name, number in rows.items())
    print(f"{out}: {plan.form.title}, version {plan.form.version}, {period.label}.")
    print(f"Rows filled in: {told}." if any(rows.values()) else "The tables are blank.")
    if previous is not None:
        print(f"The figures of {previous.period_code} are shown beside.")
    return OK


def _previous(project: Project, sender_code: str, kind: str, period: Period) -> ReturnFigures | None:
    """Return the figures of the sender's current return of the period before, if the ledger has one."""
    if not project.root.receipts.exists():
        return None
    from ingest.acceptance.comparison import previous_figures

    return previous_figures(
        project.root,
        sender_code,
        kind,
        period,
        reference=project.reference,
        forms=project.forms,
        limits=project.limits,
    )

"""`vcc flags`: the severe indicators of a quarter, as the served build has them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from orchestration.commands import not_served, project_of, served_build
from orchestration.project import Project, SettingError
from orchestration.terminal import table
from orchestration.warehouse import open_reader

if TYPE_CHECKING:
    from ingest.period import Period


def run(options: argparse.Namespace) -> int:
    """Print one row a body, area and right that is recommended to the Board or on watch."""
    project = project_of(options)
    asked = project.quarter(options.period) if options.period else None
    build = served_build(project)
    quarter = asked or latest_due(project)
    with open_reader(build.path) as connection:
        assessed = connection.execute(
            "select count(*) from marts.oversight_persistence where period_code = ?", [quarter.code]
        ).fetchone()
        if not assessed or not assessed[0]:
            raise not_served(project, quarter)
        rows = connection.execute(
            """
            select
                case when is_recommended then 'recommended' else 'watch' end as standing,
                result,
                body_kind,
                area_name,
                string_agg(right_number::varchar, ', ' order by right_number) as rights,
                quarters_running,
                indicators_met
            from marts.oversight_persistence
            where period_code = ? and (is_recommended or result = 'SEVERE')
            group by is_recommended, result, body_kind, area_name, quarters_running, indicators_met
            order by is_recommended desc, result = 'NON_SUBMISSION', result, body_kind, area_name, rights
            """,
            [quarter.code],
        ).fetchall()
    print(f"{quarter.label}: severe indicators. A recommendation to the Programme Board, not a decision.")
    if rows:
        print(table(("standing", "result", "body", "area", "rights", "quarters", "indicators met"), rows))
    else:
        print("None.")
    page = project.root.flags / quarter.code / "flags.html"
    if page.is_file():
        print(f"\nWith figures and like areas: {page}")
    return 0


def latest_due(project: Project) -> Period:
    """Return the latest quarter whose returns were due. Raises SettingError before the first."""
    due = project.due_quarters()
    if not due:
        raise SettingError("No quarter's returns are due yet; name one with --period.")
    return due[-1]

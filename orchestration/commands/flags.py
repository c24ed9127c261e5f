"""`vcc flags`: the severe indicators of a quarter, as the served build has them."""

from __future__ import annotations

import argparse

from orchestration.commands import project_of
from orchestration.terminal import table
from orchestration.warehouse import WarehouseError, open_reader


def run(options: argparse.Namespace) -> int:
    """Print one row a body, area and right that is recommended to the Board or on watch."""
    project = project_of(options)
    build = project.warehouse.current()
    if build is None:
        raise WarehouseError("Nothing has been built yet; run `vcc run --all` first.")
    asked = project.quarter(options.period).code if options.period else None
    with open_reader(build.path) as connection:
        code, label = connection.execute(
            """
            select period_code, period_label
            from staging.stg_periods
            where period_code = coalesce(?, (
                select max_by(period_code, quarter_index) from marts.oversight_persistence
            ))
            """,
            [asked],
        ).fetchone() or (asked, asked)
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
            [code],
        ).fetchall()
    print(f"{label}: severe indicators. A recommendation to the Programme Board, not a decision.")
    if rows:
        print(table(("standing", "result", "body", "area", "rights", "quarters", "indicators met"), rows))
    else:
        print("None.")
    page = project.root.flags / str(code) / "flags.html"
    if page.is_file():
        print(f"\nWith figures and like areas: {page}")
    return 0

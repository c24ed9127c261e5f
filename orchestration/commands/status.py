"""`vcc status`: returns expected against received, as of the build that is served."""

from __future__ import annotations

import argparse

from orchestration.commands import not_served, project_of, served_build
from orchestration.terminal import table
from orchestration.warehouse import open_reader


def run(options: argparse.Namespace) -> int:
    """Print one row a quarter, or the senders that a quarter still lacks."""
    project = project_of(options)
    quarter = project.quarter(options.period) if options.period else None
    build = served_build(project)
    with open_reader(build.path) as connection:
        if quarter is None:
            rows = connection.execute(
                """
                select
                    period_code,
                    max(due_on)::varchar as due_on,
                    count(*) filter (where is_expected) as expected,
                    count(*) filter (where submission_status = 'on_time') as on_time,
                    count(*) filter (where submission_status = 'late') as late,
                    count(*) filter (where submission_status = 'rejected') as rejected,
                    count(*) filter (where submission_status = 'not_submitted') as not_submitted,
                    count(*) filter (where is_revised) as revised
                from marts.quality_submissions
                where form_kind = 'quarterly'
                group by period_code
                order by period_code
                """
            ).fetchall()
            header = (
                "period_code",
                "due",
                "expected",
                "on time",
                "late",
                "rejected only",
                "not sent",
                "revised",
            )
            print(table(header, rows))
            return 0
        expected = connection.execute(
            """
            select count(*) from marts.quality_submissions
            where form_kind = 'quarterly' and period_code = ? and is_expected
            """,
            [quarter.code],
        ).fetchone()
        if not expected or not expected[0]:
            raise not_served(project, quarter)
        rows = connection.execute(
            """
            select sender_code, sender_name, submission_status, due_on::varchar, days_late
            from marts.quality_submissions
            where form_kind = 'quarterly' and period_code = ? and is_expected
                and submission_status <> 'on_time'
            order by submission_status, sender_code
            """,
            [quarter.code],
        ).fetchall()
    if rows:
        print(table(("sender", "name", "status", "due", "days late"), rows))
    else:
        print(f"Every expected return for {quarter.code} came in time.")
    return 0

"""`vcc periods`: the quarters that can be run, and how the web page comes to know them."""

from __future__ import annotations

import argparse

from orchestration.commands import project_of


def run(options: argparse.Namespace) -> int:
    """List the quarters, or add the new ones to the page's partitions."""
    project = project_of(options)
    if options.action == "sync":
        from orchestration.instance import open_instance
        from orchestration.periods import ensure_periods
        from orchestration.project import dagster_home

        with open_instance(dagster_home()) as instance:
            new = ensure_periods(instance, project)
        print(
            f"{len(new)} new quarters are known to the page."
            if new
            else "The page knows every quarter already."
        )
        return 0

    from orchestration.terminal import table

    rows = [
        (
            quarter.code,
            quarter.label,
            f"{project.returns_due_on(quarter)}",
            f"{project.review_due_on(quarter)}",
        )
        for quarter in project.ended_quarters()
    ]
    print(table(("period_code", "period", "returns due", "review due"), rows))
    return 0

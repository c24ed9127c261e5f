"""The metric catalogue as the build's seeds hold it: what each metric counts, and who reports it."""

from __future__ import annotations

import duckdb

from reports.release.publication import PublicColumn, PublicTable

METRIC_CATALOGUE = "metric-catalogue"

_COLUMNS = (
    PublicColumn("metric_id", "Metric of the catalogue.", "VARCHAR"),
    PublicColumn("metric_version", "Version of the metric's definition.", "INTEGER"),
    PublicColumn("right_number", "Right of the Victims' Code.", "INTEGER"),
    PublicColumn("right_title", "Title of the right.", "VARCHAR"),
    PublicColumn(
        "information",
        "statistic, feedback of victims, or delivery as bodies assess it themselves.",
        "VARCHAR",
    ),
    PublicColumn("definition", "Definition of the metric.", "VARCHAR"),
    PublicColumn("numerator", "What is counted as met, or counted at all.", "VARCHAR"),
    PublicColumn("denominator", "Of what; blank for a count.", "VARCHAR"),
    PublicColumn("unit", "proportion, count, counts_by_delay or grade_0_3.", "VARCHAR"),
    PublicColumn("time_limit", "Time in which the right is to be met, if it has one.", "VARCHAR"),
    PublicColumn("polarity", "higher or lower, whichever is better; contextual if neither is.", "VARCHAR"),
    PublicColumn("tier", "core, ambition, or of the 2019 to 2020 audit.", "VARCHAR"),
    PublicColumn(
        "basis", "Where the metric comes from: code, policy_paper, prescribed or proposed.", "VARCHAR"
    ),
    PublicColumn("basis_note", "What of it is proposed, and what changed.", "VARCHAR"),
    PublicColumn("body_kinds", "Kinds of body that report it, with a semicolon between them.", "VARCHAR"),
    PublicColumn("valid_from", "First day for which it is reported.", "DATE"),
    PublicColumn("valid_to", "Last day for which it is reported; blank while it is.", "DATE"),
)


def read_catalogue(con: duckdb.DuckDBPyConnection) -> PublicTable:
    """Every version of every metric, also those no longer asked for, by metric and version."""
    rows = con.execute(
        """
        with senders as (

            select
                metric_bodies.metric_id,
                string_agg(kinds.body_kind, '; ' order by kinds.sort_order, kinds.body_kind) as body_kinds
            from (select distinct metric_id, body_kind from reference.metric_bodies) as metric_bodies
            inner join reference.body_kinds as kinds
                on metric_bodies.body_kind = kinds.body_kind
            group by metric_bodies.metric_id

        ),

        titles as (

            select right_number, right_title
            from reference.rights
            qualify row_number() over (partition by right_number order by valid_from desc) = 1

        )

        select
            metrics.metric_id, metrics.metric_version, metrics.right_number, titles.right_title,
            metrics.information, metrics.definition, metrics.numerator, metrics.denominator, metrics.unit,
            metrics.time_limit, metrics.polarity, metrics.tier, metrics.basis, metrics.basis_note,
            senders.body_kinds, metrics.valid_from, metrics.valid_to
        from reference.metrics as metrics
        left join titles
            on metrics.right_number = titles.right_number
        left join senders
            on metrics.metric_id = senders.metric_id
        order by metrics.metric_id, metrics.metric_version
        """
    ).fetchall()
    return PublicTable(
        name=METRIC_CATALOGUE,
        mart="reference.metrics",
        title="Metric catalogue",
        description="One row a metric x version. What each metric counts, of what, and who reports it.",
        columns=_COLUMNS,
        primary_key=("metric_id", "metric_version"),
        rows=tuple(rows),
    )

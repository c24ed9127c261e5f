"""What local packs are made of: one query a subject for all areas at once, then shared out by area.

Belongs here: SQL on `marts` and `reference`, and which rows an area may see. Does not belong here: words
(`local_words`) and layout (`reports/pages/packs/local.md`).

An area sees its own exact figures. Of other areas it sees sums over at least `LEAST_AREAS` of them, and the
good practice that their reviewers reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reports.components.text import neutral
from reports.published import LOCKED

#: A sum over fewer areas is nearly the figure of one of them.
LEAST_AREAS = 3
#: Quarters whose good practice is still worth reading: the one reviewed and those before it.
PRACTICE_QUARTERS = 3

Fact = Mapping[str, Any]

# BTP and MDP share one area code in the marts; a pack, and its file, is called after the force.
_AREA = """
    case when kinds.is_national_force then upper({0}.body_kind) else {0}.pfa_code end as area_code,
    kinds.sort_order as kind_order"""
_KINDS = "inner join reference.body_kinds as kinds on {0}.body_kind = kinds.body_kind"
_METRIC = """
    left join reference.metrics as metrics
        on {0}.item_id = metrics.metric_id and {0}.metric_version = metrics.metric_version"""
_TOGETHER = f"coalesce(figures.like_area_count, 0) >= {LEAST_AREAS}"
_ACHIEVED = f"coalesce(figures.achievable_area_count, 0) >= {LEAST_AREAS}"
# A group of one or two victims is nearly a person: neither compared nor printed.
_LARGE_GROUP = """not coalesce(figures.is_unknown_value, false)
            and least(figures.group_base_count, figures.rest_base_count) >= (
                select breakdown_n_min from reference.benchmark_rules order by rule_version desc limit 1
            )"""

# Of few measures it is the lower figure that is better.
_WORSE = "case when figures.polarity = 'lower' then 'higher' else 'lower' end"

_QUERIES: Mapping[str, str] = {
    "rights": f"""
        select figures.*, {_AREA.format("figures")}
        from marts.local_area_rights as figures {_KINDS.format("figures")}
        where figures.period_code = $period
        order by kind_order, figures.right_number""",
    "items": f"""
        select figures.*, {_AREA.format("figures")}
        from marts.local_area_right_items as figures {_KINDS.format("figures")}
        where figures.period_code = $period
        order by kind_order, figures.right_number, figures.item_id, figures.collection_mode,
            figures.sampling_frame""",
    "benchmarks": f"""
        select
            figures.body_kind, figures.pfa_code, figures.information, figures.item_id, figures.right_number,
            figures.collection_mode, figures.sampling_frame, figures.metric_version, figures.polarity,
            metrics.definition, metrics.basis,
            figures.good_count, figures.base_count, figures.good_rate, figures.rate_lower, figures.rate_upper,
            figures.standard_rate, figures.standard_basis, figures.standard_wording, figures.standard_gap,
            case when {_ACHIEVED} then figures.achievable_rate end as achievable_rate,
            case when {_ACHIEVED} then figures.achievable_gap end as achievable_gap,
            case when {_ACHIEVED} then figures.achievable_area_count end as achievable_area_count,
            figures.achievable_rate is not null and not {_ACHIEVED} as is_achievable_withheld,
            case when {_TOGETHER} then figures.like_area_count end as like_area_count,
            case when {_TOGETHER} then figures.like_areas_good_count end as like_areas_good_count,
            case when {_TOGETHER} then figures.like_areas_base_count end as like_areas_base_count,
            case when {_TOGETHER} then figures.like_areas_rate end as like_areas_rate,
            case when {_TOGETHER} then figures.like_areas_gap end as like_areas_gap,
            figures.own_period_count, figures.own_rate, figures.own_gap,
            figures.previous_good_count, figures.previous_base_count, figures.previous_rate,
            figures.change_from_previous,
            figures.year_ago_good_count, figures.year_ago_base_count, figures.year_ago_rate,
            figures.change_from_year_ago,
            (
                select breakdown_n_min from reference.benchmark_rules order by rule_version desc limit 1
            ) as least_base,
            figures.z_score, figures.gap_to_peers, figures.is_high_compliance, figures.high_compliance,
            {_AREA.format("figures")}
        from marts.local_area_benchmarks as figures {_KINDS.format("figures")} {_METRIC.format("figures")}
        where figures.period_code = $period
        order by kind_order, figures.information desc, figures.item_id, figures.collection_mode,
            figures.sampling_frame""",
    "indicators": f"""
        select figures.*, {_AREA.format("figures")}
        from marts.oversight_indicators as figures {_KINDS.format("figures")}
        where figures.period_code = $period and (figures.is_met or figures.is_watch)
        order by figures.is_met desc, kind_order, figures.right_number, figures.indicator, figures.item_id,
            figures.collection_mode, figures.sampling_frame""",
    "exclusions": f"""
        select
            figures.*, metrics.definition, {_AREA.format("figures")}
        from marts.oversight_exclusion_warnings as figures {_KINDS.format("figures")}
        left join (
            select metric_id, arg_max(definition, metric_version) as definition
            from reference.metrics group by metric_id
        ) as metrics on figures.metric_id = metrics.metric_id
        where figures.period_code = $period and (figures.is_severe or figures.is_watch)
        order by figures.is_severe desc, kind_order, figures.metric_id""",
    "results": f"""
        select figures.*, {_AREA.format("figures")}
        from marts.oversight_persistence as figures {_KINDS.format("figures")}
        where figures.period_code = $period and figures.result not in ('CLEAR', 'RESET', 'NOT_ASSESSED')
        order by figures.is_recommended desc, kind_order, figures.right_number""",
    "register": f"""
        select
            figures.body_kind, figures.pfa_code, cast(figures.right_number as integer) as right_number,
            figures.result, figures.case_id, any_value(figures.reason) as reason,
            {_AREA.format("figures")}
        from marts.oversight_register as figures {_KINDS.format("figures")}
        where figures.period_code = $period
        group by all
        order by kind_order, right_number""",
    "cases": f"""
        select figures.*, {_AREA.format("figures")}
        from marts.oversight_cases as figures {_KINDS.format("figures")}
        where figures.is_open or figures.is_eligible_to_close
        order by figures.is_overdue desc, kind_order, figures.right_number, figures.case_id""",
    "notices": f"""
        select figures.*, {_AREA.format("figures")}
        from marts.oversight_notices as figures {_KINDS.format("figures")}
        order by figures.published_on, figures.notice_id""",
    "tested_breakdowns": f"""
        select
            case when kinds.is_national_force then upper(figures.body_kind) else figures.pfa_code end
                as area_code,
            count(*) as test_count,
            count(*) filter (figures.disparity = {_WORSE}) as worse_count
        from marts.local_area_breakdowns as figures {_KINDS.format("figures")}
        where figures.period_code = $period and figures.disparity is not null and {_LARGE_GROUP}
        group by all""",
    "disparities": f"""
        select
            figures.body_kind, figures.right_number, figures.information, figures.item_id,
            metrics.definition, figures.breakdown, figures.breakdown_value, figures.collection_mode,
            figures.compared_over, figures.compared_period_count, figures.unknown_share,
            figures.group_good_count, figures.group_base_count, figures.group_rate,
            figures.rest_good_count, figures.rest_base_count, figures.rest_rate,
            figures.rate_difference, figures.difference_lower, figures.difference_upper, figures.disparity,
            figures.polarity,
            coalesce(names.label, crimes.crime_type_name, figures.breakdown_value) as group_label,
            {_AREA.format("figures")}
        from marts.local_area_breakdowns as figures {_KINDS.format("figures")} {_METRIC.format("figures")}
        left join (
            select characteristic, characteristic_value, any_value(label) as label
            from reference.characteristics where valid_to is null group by all
        ) as names
            on figures.breakdown = names.characteristic
            and figures.breakdown_value = names.characteristic_value
        left join (
            select crime_type, any_value(crime_type_name) as crime_type_name
            from reference.crime_types where valid_to is null group by all
        ) as crimes on figures.breakdown_value = crimes.crime_type
        where figures.period_code = $period
            and figures.disparity = {_WORSE}
            and {_LARGE_GROUP}
        order by
            case when figures.polarity = 'lower' then -figures.difference_lower
                else figures.difference_upper end,
            kind_order, figures.item_id, figures.breakdown,
            figures.breakdown_value""",
    "submissions": """
        select distinct
            case when bodies.pfa_code = 'NAT' then bodies.body_code else bodies.pfa_code end as area_code,
            figures.*
        from marts.quality_submissions as figures
        inner join reference.sender_bodies as bodies
            on figures.sender_code = bodies.sender_code and figures.form_kind = bodies.form_kind
        where figures.period_code = $period and figures.form_kind in ('quarterly', 'feedback', 'insight')
            and figures.is_expected
        order by figures.form_kind desc, figures.sender_name, figures.sender_code""",
    "problems": """
        select distinct
            case when bodies.pfa_code = 'NAT' then bodies.body_code else bodies.pfa_code end as area_code,
            problems.*, figures.sender_name
        from marts.quality_problems as problems
        inner join marts.quality_submissions as figures
            on problems.sender_code = figures.sender_code and problems.form_kind = figures.form_kind
            and problems.period_code = figures.period_code
            and (problems.receipt_id = figures.current_receipt_id or figures.current_receipt_id is null)
        inner join reference.sender_bodies as bodies
            on figures.sender_code = bodies.sender_code and figures.form_kind = bodies.form_kind
        where problems.period_code = $period and problems.form_kind in ('quarterly', 'feedback')
        order by problems.sender_code, problems.receipt_id, problems.problem_number""",
    "bodies": """
        select distinct
            case when body_areas.pfa_code = 'NAT' then bodies.body_code else body_areas.pfa_code end
                as area_code,
            body_areas.pfa_code, bodies.body_code, bodies.body_name, bodies.body_kind,
            kinds.sort_order as kind_order, senders.sender_code, figures.current_receipt_id
        from reference.bodies as bodies
        inner join reference.body_areas as body_areas on bodies.body_code = body_areas.body_code
        inner join reference.body_kinds as kinds on bodies.body_kind = kinds.body_kind
        inner join reference.sender_bodies as senders
            on bodies.body_code = senders.body_code and senders.form_kind = 'quarterly'
            and senders.pfa_code = body_areas.pfa_code
        inner join marts.quality_submissions as figures
            on senders.sender_code = figures.sender_code and figures.form_kind = 'quarterly'
            and figures.period_code = $period
        where bodies.valid_to is null and body_areas.valid_to is null and senders.valid_to is null
        order by kind_order, bodies.body_name, bodies.body_code""",
    "reviewers": """
        select distinct
            case when bodies.pfa_code = 'NAT' then bodies.body_code else bodies.pfa_code end as area_code,
            bodies.sender_code, senders.sender_name
        from reference.sender_bodies as bodies
        inner join reference.senders as senders on bodies.sender_code = senders.sender_code
        where bodies.form_kind = 'insight' and bodies.valid_to is null
        order by bodies.sender_code""",
    "like_areas": """
        select peers.pfa_code as area_code, peers.peer_pfa_code, areas.area_name
        from reference.similar_areas as peers
        inner join (
            select pfa_code, any_value(area_name) as area_name from reference.areas
            where valid_to is null group by pfa_code
        ) as areas on peers.peer_pfa_code = areas.pfa_code
        where peers.valid_to is null
            and peers.peer_set = (
                select peer_set from reference.severe_rules order by rule_version desc limit 1
            )
        order by peers.peer_rank""",
    "actions": """
        select
            case when figures.pfa_code = 'NAT' then upper(figures.body_kind) else figures.pfa_code end
                as area_code,
            figures.*, bodies.body_name
        from marts.insight_actions as figures
        left join (
            select body_code, any_value(body_name) as body_name from reference.bodies group by body_code
        ) as bodies on figures.body_code = bodies.body_code
        where (figures.is_unfinished or figures.is_lost) and figures.first_reported_period_code <= $period
        order by figures.is_lost desc, figures.is_overdue desc, figures.action_due_on, figures.insight_id""",
    "review": """
        select
            case when figures.pfa_code = 'NAT' then upper(figures.body_kind) else figures.pfa_code end
                as area_code,
            figures.*, bodies.body_name
        from marts.insight_entries as figures
        left join (
            select body_code, any_value(body_name) as body_name from reference.bodies group by body_code
        ) as bodies on figures.body_code = bodies.body_code
        where figures.period_code = $period and figures.insight_kind <> 'action'
        order by figures.insight_kind, figures.right_number, figures.insight_id""",
    "returns": """
        select distinct
            case when bodies.pfa_code = 'NAT' then bodies.body_code else bodies.pfa_code end as area_code,
            figures.*
        from marts.insight_returns as figures
        inner join reference.sender_bodies as bodies
            on figures.sender_code = bodies.sender_code and bodies.form_kind = 'insight'
        where figures.period_code = $period""",
    "context": """
        select coalesce(figures.pfa_code, '') as area_code, figures.*
        from marts.context_entries as figures
        where figures.period_code <= $period
        qualify dense_rank() over (
            partition by figures.sender_code, coalesce(figures.pfa_code, '') order by figures.period_code desc
        ) = 1
        order by figures.context_source, figures.title, figures.context_id""",
}

_PRACTICE = f"""
    select
        case when figures.pfa_code = 'NAT' then upper(figures.body_kind) else figures.pfa_code end
            as area_code,
        figures.pfa_code, figures.area_name, figures.body_kind, bodies.body_name, figures.right_number,
        figures.insight_id, figures.insight_text, figures.period_code, figures.sender_name
    from marts.insight_entries as figures
    left join (
        select body_code, any_value(body_name) as body_name from reference.bodies group by body_code
    ) as bodies on figures.body_code = bodies.body_code
    where figures.insight_kind = 'best_practice' and figures.period_code <= $period
    qualify dense_rank() over (order by figures.quarter_index desc) <= {PRACTICE_QUARTERS}
    order by figures.period_code desc, figures.area_name, figures.insight_id"""


@dataclass(frozen=True)
class LocalFacts:
    """Every subject's rows, by area code (BTP and MDP for the national forces), in the order of its query."""

    period_code: str
    by_subject: Mapping[str, Mapping[str, list[Fact]]]
    practice: tuple[Fact, ...]
    right_titles: Mapping[int, str]

    @property
    def area_codes(self) -> tuple[str, ...]:
        """The areas that have a pack, in order."""
        return tuple(sorted(self.by_subject["rights"]))

    def of(self, subject: str, area_code: str) -> list[Fact]:
        """The rows of a subject for one area; none is an empty list."""
        return self.by_subject[subject].get(area_code, [])


@contextmanager
def open_warehouse(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the analysts' copy that reaches nothing else.

    A build has the register as a view of files, which a connection without access to files cannot read.
    """
    connection = duckdb.connect(str(warehouse), read_only=True, config=LOCKED)
    try:
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def local_facts(connection: duckdb.DuckDBPyConnection, period_code: str) -> LocalFacts:
    """Reads everything that the packs of a quarter need. Raises ValueError for a quarter without figures."""
    by_subject = {}
    for subject, sql in _QUERIES.items():
        parameters = {"period": period_code} if "$period" in sql else None
        by_area: dict[str, list[Fact]] = defaultdict(list)
        for fact in _facts(connection, sql, parameters):
            by_area[fact["area_code"]].append(fact)
        by_subject[subject] = dict(by_area)
    if not by_subject["rights"]:
        raise ValueError(f"No local figure for {period_code}; build the warehouse for that quarter first.")
    titles = {
        fact["right_number"]: fact["right_title"] for facts in by_subject["rights"].values() for fact in facts
    }
    practice = tuple(_facts(connection, _PRACTICE, {"period": period_code}))
    return LocalFacts(period_code, by_subject, practice, titles)


def _facts(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object] | None
) -> list[Fact]:
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description or []]
    # sentences are made of these before a page or workbook sees them
    return [
        {
            name: neutral(value) if isinstance(value, str) else value
            for name, value in zip(names, values, strict=True)
        }
        for values in cursor.fetchall()
    ]

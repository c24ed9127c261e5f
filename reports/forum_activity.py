"""What the two national forums did in some months: meetings, cases, escalations, notices, as counts.

Belongs here: counting on `marts.oversight_*`. Does not belong here: naming. No row holds a body, an area or a
word of a case's record: a case is public only through a published notice (`published.notices`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from reports.engine.queries import neutral
from reports.engine.rows import Rows

FORUMS: Mapping[str, str] = {"programme_board": "Programme Board", "taskforce": "Ministerial Taskforce"}

# Every event with whether the case was open before and after it.
_STEPS = """
    select
        events.case_id, events.event_number, events.occurred_on, events.to_state,
        states.state_name, states.is_open,
        coalesce(
            lag(states.is_open) over (partition by events.case_id order by events.event_number), false
        ) as was_open,
        max(case when events.to_state = 'detected' then events.occurred_on end) over (
            partition by events.case_id order by events.event_number
        ) as detected_on
    from marts.oversight_case_events as events
    inner join (
        select state, any_value(state_name) as state_name, bool_or(is_open) as is_open
        from reference.case_states group by state
    ) as states on events.to_state = states.state
    -- what no final build has recorded may still change
    where events.is_recorded or events.set_by = 'decision'"""

_COUNTS = f"""
    with steps as ({_STEPS}),
    within as (select * from steps where occurred_on between $first_day and $last_day),
    notices as (
        select notice_id, min(published_on) as published_on, min(closed_on) as closed_on
        from marts.oversight_notices where published_on is not null group by notice_id
    )
    select
        (select count(*) from (
            select is_open from steps where occurred_on < $first_day
            qualify row_number() over (partition by case_id order by event_number desc) = 1
        ) where is_open) as open_at_start,
        (select count(*) from within where is_open and not was_open) as opened,
        (select count(*) from within where is_open and not was_open and event_number > 1) as opened_again,
        (select count(*) from within where was_open and not is_open and to_state = 'data_error')
            as data_errors,
        (select count(*) from within where was_open and not is_open and to_state <> 'data_error') as closed,
        (select count(*) from (
            select is_open from steps where occurred_on <= $last_day
            qualify row_number() over (partition by case_id order by event_number desc) = 1
        ) where is_open) as open_at_end,
        (select count(*) from within where to_state = 'local_action') as to_local_action,
        (select count(*) from within where to_state = 'escalated_to_board') as to_board,
        (select count(*) from within where to_state = 'escalated_to_taskforce') as to_taskforce,
        (select count(*) from notices where published_on between $first_day and $last_day)
            as notices_published,
        (select count(*) from notices where closed_on between $first_day and $last_day) as notices_closed"""

_TIMES = f"""
    with steps as ({_STEPS})
    select
        any_value(state_name) as step_name,
        cast(count(*) as integer) as case_count,
        cast(min(occurred_on - detected_on) as integer) as shortest_days,
        cast(median(occurred_on - detected_on) as double) as median_days,
        cast(max(occurred_on - detected_on) as integer) as longest_days
    from steps
    where to_state in ('escalated_to_board', 'escalated_to_taskforce')
        and occurred_on between $first_day and $last_day and detected_on is not null
    group by to_state
    order by to_state"""

_MEETINGS = """
    select forum, meeting_on, reviewed_period_code, considered_case_count, meeting_decision_count
    from marts.oversight_forum_meetings
    where meeting_on between $first_day and $last_day
    order by meeting_on, forum"""

# Steps towards a notice are told only of cases whose notice is public: others may still come to nothing.
_DAYS = f"""
    with steps as ({_STEPS})
    select occurred_on, any_value(state_name) as state_name, count(distinct case_id) as case_count
    from steps
    where occurred_on between $first_day and $last_day
        and (
            to_state in ('escalated_to_board', 'escalated_to_taskforce', 'closed', 'reopened')
            or (
                to_state in ('commissioner_consulted', 'notice_agreed', 'notice_published', 'plan_published')
                and case_id in (select case_id from marts.oversight_notices where published_on is not null)
            )
        )
    group by occurred_on, to_state
    order by occurred_on, to_state"""


@dataclass(frozen=True)
class ForumActivity:
    """Counts of some months: `counts` is one row, `timeline` one for each meeting and kind of step."""

    counts: Rows
    forums: Rows
    times: Rows
    timeline: Rows


def forum_activity(
    warehouse: duckdb.DuckDBPyConnection,
    first_day: dt.date,
    last_day: dt.date,
    *,
    recorded_from: dt.date,
    period_labels: Mapping[str, str],
) -> ForumActivity:
    """Count what lies between two days, both included.

    Meetings are recorded only for days from `recorded_from` on: of a forum in months that lie wholly before,
    the number is not known, never 0. `period_labels` says how the quarter that a meeting reviewed is put.
    A case counts as opened when it becomes open, by a detection or again after it had ended, so that
    open_at_end = open_at_start + opened - data_errors - closed.
    """
    days = {"first_day": first_day, "last_day": last_day}
    names, counted = _asked(warehouse, _COUNTS, days)
    counts = Rows("counts", names, counted)
    times = Rows("times", *_asked(warehouse, _TIMES, days))
    _, meetings = _asked(warehouse, _MEETINGS, days)
    is_known = recorded_from <= last_day
    forums = []
    for forum, name in FORUMS.items():
        held = [row for row in meetings if row[0] == forum]
        forums.append(
            (
                name,
                len(held) if is_known else None,
                sum(row[4] for row in held) if is_known else None,
                None if is_known else "x",
            )
        )
    lines: list[tuple[dt.date, int, str, str, int]] = []
    for forum, on, reviewed, considered, _ in meetings:
        what = f"Meeting; reviewed {period_labels.get(reviewed, reviewed)}"
        lines.append((on, 0, FORUMS.get(forum, forum), what, considered))
    _, steps = _asked(warehouse, _DAYS, days)
    lines += [(on, 1, "Case register", state, cases) for on, state, cases in steps]
    timeline = [(on, who, what, cases) for on, _, who, what, cases in sorted(lines)]
    return ForumActivity(
        counts,
        Rows("forums", ("forum_name", "meeting_count", "meeting_decision_count", "obs_status"), forums),
        times,
        Rows("timeline", ("on_day", "who", "what", "case_count"), [neutral(row) for row in timeline]),
    )


def _asked(
    warehouse: duckdb.DuckDBPyConnection, sql: str, days: Mapping[str, dt.date]
) -> tuple[list[str], list[Sequence[Any]]]:
    cursor = warehouse.execute(sql, {name: value for name, value in days.items() if f"${name}" in sql})
    columns = [column[0] for column in cursor.description or []]
    return columns, [neutral(row) for row in cursor.fetchall()]

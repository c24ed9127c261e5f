-- Each action as last reported, with what was said of it before. The warehouse has no clock: how late an action is, is
-- counted to the day to which it knows.
with latest_day as (

    select * from {{ ref('int_known_day') }}

),

reports as (

    select * from {{ ref('insight_entries') }}
    where insight_kind = 'action'

),

latest_returns as (

    select
        sender_code,
        max(quarter_index) as quarter_index
    from {{ ref('insight_returns') }} as insight_returns
    inner join {{ ref('stg_periods') }} as periods
        on insight_returns.period_code = periods.period_code
    group by sender_code

),

ranked as (

    select
        reports.*,
        row_number() over (
            partition by sender_code, insight_id
            order by quarter_index desc, receipt_id asc
        ) as recency
    from reports

),

histories as (

    select
        sender_code,
        insight_id,
        cast(count(*) as integer) as report_count,
        min(period_code) as first_reported_period_code,
        min(action_due_on) as first_due_on,
        {{ sorted_list("period_code || ' ' || coalesce(action_status, 'no status')", "quarter_index, receipt_id") }}
            as status_history
    from reports
    group by sender_code, insight_id

),

latest as (

    select
        ranked.*,
        latest_day.known_on,
        histories.report_count,
        histories.first_reported_period_code,
        histories.first_due_on,
        histories.status_history,
        coalesce(ranked.action_status, 'open') in ('open', 'in_progress') as is_unfinished,
        ranked.quarter_index < latest_returns.quarter_index as is_left_out
    from ranked
    cross join latest_day
    inner join histories
        on
            ranked.sender_code = histories.sender_code
            and ranked.insight_id = histories.insight_id
    inner join latest_returns
        on ranked.sender_code = latest_returns.sender_code
    where ranked.recency = 1

)

select
    sender_code,
    insight_id,
    sender_name,
    pfa_code,
    area_name,
    body_code,
    body_kind,
    right_number,
    insight_text,
    owner_role,
    first_due_on,
    action_due_on,
    action_status,
    first_reported_period_code,
    period_code as last_reported_period_code,
    receipt_id,
    arrived_on as reported_on,
    report_count,
    status_history,
    known_on,
    is_unfinished,
    is_unfinished and is_left_out as is_lost,
    is_unfinished and coalesce(action_due_on < known_on, false) as is_overdue,
    case
        when is_unfinished and action_due_on < known_on
            then cast({{ days_between("action_due_on", "known_on") }} as integer)
    end as days_overdue
from latest

-- What happened to each case, in order. Statistics set only `detected` and `eligible_to_close`, on the day that the
-- local review of their quarter was due; every other state is a recorded decision.
with persistence as (

    select
        results.*,
        lag(results.result) over (
            partition by results.body_kind, results.pfa_code, results.right_number
            order by results.quarter_index
        ) as previous_result
    from {{ ref('int_persistence') }} as results

),

statistics_states as (

    select
        persistence.*,
        case
            when opened_index = quarter_index then 'detected'
            when result = 'ELIGIBLE_TO_CLOSE' and coalesce(previous_result, '') <> 'ELIGIBLE_TO_CLOSE'
                then 'eligible_to_close'
        end as to_state
    from persistence
    where is_open_case

),

statistics as (

    select
        case_keys.case_id,
        'statistics' as set_by,
        statistics_states.to_state,
        quarters.review_due_on as occurred_on,
        cast(null as varchar) as decided_by_role,
        statistics_states.reason as event_reason,
        cast(null as varchar) as evidence_reference,
        statistics_states.period_code,
        statistics_states.result,
        cast(null as varchar) as receipt_id,
        cast(null as integer) as sheet_row,
        cast(0 as integer) as receipt_sequence
    from statistics_states
    inner join {{ ref('int_case_keys') }} as case_keys
        on
            statistics_states.body_kind = case_keys.body_kind
            and statistics_states.pfa_code = case_keys.pfa_code
            and statistics_states.right_number = case_keys.right_number
            and statistics_states.case_first_index = case_keys.first_index
    inner join {{ ref('int_quarters') }} as quarters
        on statistics_states.period_code = quarters.period_code
    where statistics_states.to_state is not null

),

decisions as (

    select
        case_id,
        'decision' as set_by,
        to_state,
        decided_on as occurred_on,
        decided_by_role,
        decision_reason as event_reason,
        evidence_reference,
        cast(null as varchar) as period_code,
        cast(null as varchar) as result,
        receipt_id,
        cast(sheet_row as integer) as sheet_row,
        cast(receipt_sequence as integer) as receipt_sequence
    from {{ ref('int_case_decisions') }}

),

events as (

    select * from statistics
    union all
    select * from decisions

),

ordered as (

    select
        events.*,
        cast(row_number() over (
            partition by case_id
            order by
                occurred_on, case when set_by = 'statistics' then 0 else 1 end, receipt_sequence, sheet_row nulls last,
                to_state
        ) as integer) as event_number
    from events

),

followed as (

    select
        ordered.*,
        max(case when set_by = 'decision' then event_number end) over (
            partition by case_id
            order by event_number
            rows between unbounded preceding and 1 preceding
        ) as last_decision_number,
        max(case when to_state = 'detected' then 1 else 0 end) over (
            partition by case_id
            order by event_number
            rows between unbounded preceding and 1 preceding
        ) as was_detected
    from ordered

)

select
    followed.case_id,
    followed.event_number,
    case_keys.body_kind,
    case_keys.pfa_code,
    case_keys.right_number,
    case_keys.first_period_code,
    followed.set_by,
    followed.occurred_on,
    -- what a decision starts from is the decision before it, or that the case was detected
    coalesce(last_decision.to_state, case when followed.was_detected = 1 then 'detected' end) as from_state,
    followed.to_state,
    followed.decided_by_role,
    followed.event_reason,
    followed.evidence_reference,
    followed.period_code,
    followed.result,
    followed.receipt_id,
    followed.sheet_row
from followed
left join followed as last_decision
    on
        followed.case_id = last_decision.case_id
        and followed.last_decision_number = last_decision.event_number
left join {{ ref('int_case_keys') }} as case_keys
    on followed.case_id = case_keys.case_id

-- Each case as it stands: the last state that a decision set, or that it was detected; and what is due or odd.
with events as (

    select
        events.*,
        max(case when set_by = 'decision' then event_number end) over (partition by case_id) as last_decision_number,
        min(case when to_state = 'detected' then event_number end) over (partition by case_id) as first_detected_number,
        max(case when to_state = 'detected' then event_number end) over (partition by case_id) as last_detected_number
    from {{ ref('int_case_events') }} as events

),

cases as (

    select
        case_id,
        max(body_kind) as body_kind,
        max(pfa_code) as pfa_code,
        max(right_number) as right_number,
        max(first_period_code) as first_period_code,
        max(first_detected_number) as first_detected_number,
        max(last_detected_number) as last_detected_number,
        max(last_decision_number) as last_decision_number,
        coalesce(max(last_decision_number), max(last_detected_number)) as state_number,
        min(case when set_by = 'decision' then event_number end) as first_decision_number,
        min(case when to_state = 'detected' then occurred_on end) as detected_on,
        max(case when event_number = first_detected_number then period_code end) as opened_period_code,
        max(case when event_number = first_detected_number then result end) as opened_by_result,
        max(case when event_number = last_detected_number then period_code end) as last_detected_period_code,
        cast(sum(case when set_by = 'decision' then 1 else 0 end) as integer) as decision_count,
        cast(sum(case when to_state = 'reopened' then 1 else 0 end) as integer) as reopened_count
    from events
    group by case_id

),

latest_results as (

    select
        persistence.body_kind,
        persistence.pfa_code,
        persistence.right_number,
        persistence.period_code,
        persistence.result,
        persistence.state,
        persistence.indicators_met,
        persistence.is_open_case,
        case_keys.case_id,
        row_number() over (
            partition by persistence.body_kind, persistence.pfa_code, persistence.right_number
            order by persistence.quarter_index desc, persistence.period_code asc
        ) as recency
    from {{ ref('int_persistence') }} as persistence
    left join {{ ref('int_case_keys') }} as case_keys
        on
            persistence.body_kind = case_keys.body_kind
            and persistence.pfa_code = case_keys.pfa_code
            and persistence.right_number = case_keys.right_number
            and persistence.case_first_index = case_keys.first_index

),

latest_quarters as (

    select
        period_code,
        last_day
    from {{ ref('int_quarters') }}
    where quarter_index = (select max(results.quarter_index) from {{ ref('int_persistence') }} as results)

),

-- areas that are no more in the latest quarter with results, each with the one that stands for it there
ended_areas as (

    select
        areas.pfa_code,
        min(lineage.pfa_code) as successor_pfa_code
    from {{ ref('areas') }} as areas
    cross join latest_quarters as latest
    left join {{ ref('int_area_lineage') }} as lineage
        on
            latest.period_code = lineage.period_code
            and areas.pfa_code = lineage.ancestor_pfa_code
            and lineage.generations_back > 0
    group by areas.pfa_code, latest.last_day
    having max(coalesce(areas.valid_to, latest.last_day)) < latest.last_day

),

-- a closing before the statistics called the case eligible; one of a data error needs no such thing
early_closings as (

    select distinct closures.case_id
    from {{ ref('int_case_closures') }} as closures
    inner join {{ ref('int_persistence') }} as persistence
        on
            closures.body_kind = persistence.body_kind
            and closures.pfa_code = persistence.pfa_code
            and closures.right_number = persistence.right_number
            and closures.closed_index = persistence.quarter_index
    where
        closures.closing_state = 'closed'
        and persistence.result <> 'ELIGIBLE_TO_CLOSE'

),

notices as (

    select
        case_id,
        {{ sorted_list("notice_id", "notice_id") }} as notice_ids,
        min(case when plan_link is null and closed_on is null then plan_due_on end) as plan_due_on,
        min(case when closed_on is null then update_due_on end) as update_due_on
    from {{ ref('int_notices') }}
    group by case_id

),

standing as (

    select
        cases.case_id,
        cases.body_kind,
        cases.pfa_code,
        cases.right_number,
        cases.first_period_code,
        cases.opened_period_code,
        cases.opened_by_result,
        cases.detected_on,
        cases.last_detected_period_code,
        cases.first_detected_number,
        cases.first_decision_number,
        -- severe again after a closing: detected once more, until somebody decides
        coalesce(
            states.is_closing and cases.last_detected_number > cases.last_decision_number, false
        ) as is_severe_again,
        events.to_state as case_state,
        events.occurred_on as state_since_on,
        events.decided_by_role,
        states.state_name,
        states.is_open,
        cases.decision_count,
        cases.reopened_count,
        latest.result as latest_result,
        latest.state as latest_state,
        latest.indicators_met as latest_indicators_met,
        ended_areas.pfa_code is not null as is_area_ended,
        ended_areas.successor_pfa_code,
        -- such as one that was reopened without being severe again
        coalesce(
            states.is_open and cases.first_detected_number is not null
            and not coalesce(latest.is_open_case and latest.case_id = cases.case_id, false),
            false
        ) as is_open_here_only,
        latest.period_code as latest_period_code,
        coalesce(
            states.is_open and latest.result = 'ELIGIBLE_TO_CLOSE' and latest.case_id = cases.case_id, false
        ) as is_eligible_to_close,
        notices.notice_ids,
        notices.plan_due_on,
        notices.update_due_on,
        states.sort_order >= notice_states.sort_order and states.is_open and states.state <> 'reopened'
            as is_at_notice,
        early_closings.case_id is not null as is_closed_early,
        known_days.known_on
    from cases
    inner join events
        on
            cases.case_id = events.case_id
            and cases.state_number = events.event_number
    left join {{ ref('case_states') }} as states
        on
            events.to_state = states.state
            and {{ in_force('states', 'events.occurred_on') }}
    left join {{ ref('case_states') }} as notice_states
        on
            notice_states.state = 'notice_agreed'
            and {{ in_force('notice_states', 'events.occurred_on') }}
    left join latest_results as latest
        on
            cases.body_kind = latest.body_kind
            and cases.pfa_code = latest.pfa_code
            and cases.right_number = latest.right_number
            and latest.recency = 1
    left join ended_areas
        on cases.pfa_code = ended_areas.pfa_code
    left join notices
        on cases.case_id = notices.case_id
    left join early_closings
        on cases.case_id = early_closings.case_id
    cross join {{ ref('int_known_day') }} as known_days

),

-- the last day of the data check: so many working days after it was asked for
data_checks as (

    select
        standing.case_id,
        min(due_days.day_on) as data_check_due_on
    from standing
    inner join {{ ref('cycle_rules') }} as cycles
        on
            standing.state_since_on >= cycles.effective_from
            and (cycles.effective_to is null or standing.state_since_on <= cycles.effective_to)
    inner join {{ ref('stg_working_days') }} as asked_days
        on standing.state_since_on = asked_days.day_on
    inner join {{ ref('stg_working_days') }} as due_days
        on asked_days.working_day_number + cycles.data_check_working_days = due_days.working_day_number
    where standing.case_state = 'data_check'
    group by standing.case_id

),

due as (

    select
        standing.*,
        case
            when standing.case_state = 'data_check' then 'data check'
            when standing.case_state in ('notice_published', 'plan_due') then 'plan'
            when standing.case_state in ('plan_published', 'update_due') then 'update'
        end as next_step,
        case
            when standing.case_state = 'data_check' then data_checks.data_check_due_on
            when standing.case_state in ('notice_published', 'plan_due') then standing.plan_due_on
            when standing.case_state in ('plan_published', 'update_due') then standing.update_due_on
        end as next_due_on
    from standing
    left join data_checks
        on standing.case_id = data_checks.case_id

)

select
    case_id,
    body_kind,
    pfa_code,
    right_number,
    first_period_code,
    opened_period_code,
    opened_by_result,
    detected_on,
    case_state,
    state_name,
    state_since_on,
    decided_by_role,
    coalesce(is_open, true) or is_severe_again as is_open,
    is_eligible_to_close,
    latest_period_code,
    latest_result,
    latest_state,
    latest_indicators_met,
    successor_pfa_code,
    next_step,
    next_due_on,
    coalesce(next_due_on < known_on, false) as is_overdue,
    notice_ids,
    decision_count,
    reopened_count,
    last_detected_period_code,
    nullif(substr(
        case when body_kind is null then '; the number is that of no case' else '' end
        || case
            when body_kind is not null and first_detected_number is null then '; decided on without a detection'
            else ''
        end
        || case
            when first_decision_number < first_detected_number then '; decided on before it was detected'
            else ''
        end
        || case when is_closed_early then '; closed before it was eligible to close' else '' end
        || case when is_severe_again then '; severe again after it was closed' else '' end
        || case
            when is_area_ended and (coalesce(is_open, true) or is_severe_again)
                then
                    '; the area has ended: decide on the case'
                    || coalesce(', or for its successor ' || successor_pfa_code, '')
            else ''
        end
        || case when is_open_here_only then '; open here, but not in the statistics' else '' end
        || case when case_state = 'detected' then '; no decision yet' else '' end
        || case when is_eligible_to_close then '; eligible to close, to be decided' else '' end
        || case
            -- that an update came is recorded nowhere: only that its day has passed is known
            when next_due_on < known_on and next_step = 'update' then '; an update was due'
            when next_due_on < known_on then '; ' || next_step || ' overdue'
            else ''
        end
        || case when is_at_notice and notice_ids is null then '; no notice names the case' else '' end,
        3
    ), '') as needs_attention
from due

{#- Persistence as a recommendation: each quarter's state against the quarters before it, the rest of a `with` clause
    and its `select`. Takes the names of three CTEs or relations:
    states: one row a body kind, area, right and quarter, with what its rule version says of persistence (columns
    of int_right_states); met_items: which indicator was met on what; closures: closing decisions, as in
    int_case_closures. Rows of the case expressions stand in the order in which they apply. -#}
{% macro persistence(states, met_items, closures) -%}
sequenced as (

    select
        states.*,
        states.state in ('MET', 'NOT_MET') as is_assessable,
        -- the quarter before, unless the right was not expected in it
        case
            when
                states.quarter_index - 1 = lag(states.quarter_index) over (
                    partition by states.body_kind, states.pfa_code, states.right_number
                    order by states.quarter_index
                )
                then lag(states.state) over (
                    partition by states.body_kind, states.pfa_code, states.right_number
                    order by states.quarter_index
                )
        end as previous_state,
        max(case when states.state in ('MET', 'NOT_MET') then states.quarter_index end) over (
            partition by states.body_kind, states.pfa_code, states.right_number
            order by states.quarter_index
            rows between unbounded preceding and 1 preceding
        ) as last_assessable_index,
        max(case when states.state = 'MET' then states.quarter_index end) over (
            partition by states.body_kind, states.pfa_code, states.right_number
            order by states.quarter_index
            rows between unbounded preceding and current row
        ) as last_met_index
    from {{ states }} as states

),

-- which metrics, questions or items met which indicator: what "the same indicator" is compared on
counted_items as (

    select distinct
        sequenced.body_kind,
        sequenced.pfa_code,
        sequenced.right_number,
        sequenced.quarter_index,
        items.indicator,
        items.item_id
    from {{ met_items }} as items
    inner join sequenced
        on
            items.body_kind = sequenced.body_kind
            and items.pfa_code = sequenced.pfa_code
            and items.right_number = sequenced.right_number
            and items.period_code = sequenced.period_code
    where items.indicator <> 'S4' or sequenced.s4_counts = 'counts'

),

last_closures as (

    select
        sequenced.body_kind,
        sequenced.pfa_code,
        sequenced.right_number,
        sequenced.quarter_index,
        max(closures.closed_index) as last_closed_index,
        max(case when closures.closing_state = 'data_error' then closures.closed_index end) as last_error_index
    from sequenced
    inner join {{ closures }} as closures
        on
            sequenced.body_kind = closures.body_kind
            and sequenced.pfa_code = closures.pfa_code
            and sequenced.right_number = closures.right_number
            and sequenced.quarter_index > closures.closed_index
    group by sequenced.body_kind, sequenced.pfa_code, sequenced.right_number, sequenced.quarter_index

),

-- what was ended as an error of the data is no evidence: no quarter up to there counts as one before
remembered as (

    select
        sequenced.*,
        last_closures.last_closed_index,
        case
            when coalesce(sequenced.quarter_index - 1 > last_closures.last_error_index, true)
                then sequenced.previous_state
        end as remembered_state,
        case
            when coalesce(sequenced.last_assessable_index > last_closures.last_error_index, true)
                then sequenced.last_assessable_index
        end as remembered_index
    from sequenced
    left join last_closures
        on
            sequenced.body_kind = last_closures.body_kind
            and sequenced.pfa_code = last_closures.pfa_code
            and sequenced.right_number = last_closures.right_number
            and sequenced.quarter_index = last_closures.quarter_index

),

repeats as (

    select distinct
        remembered.body_kind,
        remembered.pfa_code,
        remembered.right_number,
        remembered.quarter_index
    from remembered
    inner join counted_items as met_now
        on
            remembered.body_kind = met_now.body_kind
            and remembered.pfa_code = met_now.pfa_code
            and remembered.right_number = met_now.right_number
            and remembered.quarter_index = met_now.quarter_index
    inner join counted_items as met_before
        on
            remembered.body_kind = met_before.body_kind
            and remembered.pfa_code = met_before.pfa_code
            and remembered.right_number = met_before.right_number
            and remembered.remembered_index = met_before.quarter_index
            and met_now.indicator = met_before.indicator
            and met_now.item_id = met_before.item_id

),

compared as (

    select
        remembered.*,
        last_states.state as last_assessable_state,
        remembered.quarter_index - remembered.remembered_index - 1 as unassessed_between,
        remembered.persistence_scope = 'any_indicator' or repeats.quarter_index is not null as is_repeat,
        -- what was ended as an error of the data was no case: nothing is reopened
        coalesce(
            last_closings.closing_state = 'closed'
            and remembered.quarter_index - remembered.last_closed_index <= remembered.reopen_quarters,
            false
        ) as is_recently_closed,
        -- the last quarter before this run of missing returns; a quarter in which none was expected ends a run
        max(case
            when remembered.state <> 'NOT_SUBMITTED' then remembered.quarter_index
            when remembered.remembered_state is null then remembered.quarter_index - 1
        end) over (
            partition by remembered.body_kind, remembered.pfa_code, remembered.right_number
            order by remembered.quarter_index
            rows between unbounded preceding and current row
        ) as before_missing_index,
        -- quarters with a NOT_MET since the last MET; unassessable ones neither add nor reset
        sum(case when remembered.state = 'NOT_MET' then 1 else 0 end) over (
            partition by
                remembered.body_kind, remembered.pfa_code, remembered.right_number, remembered.last_met_index
            order by remembered.quarter_index
            rows between unbounded preceding and current row
        ) as clear_run
    from remembered
    left join {{ closures }} as last_closings
        on
            remembered.body_kind = last_closings.body_kind
            and remembered.pfa_code = last_closings.pfa_code
            and remembered.right_number = last_closings.right_number
            and remembered.last_closed_index = last_closings.closed_index
    left join sequenced as last_states
        on
            remembered.body_kind = last_states.body_kind
            and remembered.pfa_code = last_states.pfa_code
            and remembered.right_number = last_states.right_number
            and remembered.remembered_index = last_states.quarter_index
    left join repeats
        on
            remembered.body_kind = repeats.body_kind
            and remembered.pfa_code = repeats.pfa_code
            and remembered.right_number = repeats.right_number
            and remembered.quarter_index = repeats.quarter_index

),

-- a run of severe quarters goes on over as many unassessed quarters as may be bridged, and ends with a clear one
run_starts as (

    select
        compared.*,
        case
            when
                state = 'MET'
                and not coalesce(last_assessable_state = 'MET' and unassessed_between <= bridge_quarters, false)
                then quarter_index
        end as run_start_index
    from compared

),

runs as (

    select
        run_starts.*,
        max(run_start_index) over (
            partition by body_kind, pfa_code, right_number
            order by quarter_index
            rows between unbounded preceding and current row
        ) as run_first_index
    from run_starts

),

run_lengths as (

    select
        runs.*,
        sum(case when state = 'MET' then 1 else 0 end) over (
            partition by body_kind, pfa_code, right_number, run_first_index
            order by quarter_index
            rows between unbounded preceding and current row
        ) as met_run,
        quarter_index - before_missing_index as missing_run
    from runs

),

-- what the quarter would be with no case open; the events that open one are among them
unopened as (

    select
        run_lengths.*,
        case
            when state = 'MET' and is_recently_closed then 'REOPENED'
            when state = 'MET' and remembered_state = 'MET' and is_repeat then 'SEVERE_PERSISTENT'
            when
                state = 'MET' and last_assessable_state = 'MET' and unassessed_between > 0
                and unassessed_between <= bridge_quarters and is_repeat
                then 'SEVERE_PERSISTENT_BRIDGED'
            when state = 'MET' then 'SEVERE'
            when state = 'NOT_SUBMITTED' and remembered_state = 'NOT_SUBMITTED' then 'NON_SUBMISSION'
            when not is_assessable and last_assessable_state = 'MET' and unassessed_between = 0
                then 'SEVERE_PENDING'
            when state = 'NOT_MET' and last_assessable_state = 'MET' then 'RESET'
            when state = 'NOT_MET' then 'CLEAR'
            else 'NOT_ASSESSED'
        end as unopened_result
    from run_lengths

),

recommending as (

    -- what is recommended to the Board opens a case
    select
        unopened.*,
        unopened_result in ('SEVERE_PERSISTENT', 'SEVERE_PERSISTENT_BRIDGED', 'NON_SUBMISSION', 'REOPENED')
            as is_opening
    from unopened

),

opened as (

    select
        recommending.*,
        min(case when is_opening then quarter_index end) over (
            partition by body_kind, pfa_code, right_number, last_closed_index
            order by quarter_index
            rows between unbounded preceding and current row
        ) as opened_index
    from recommending

),

first_quarters as (

    -- a new case begins after the decision that closed the one before
    select
        opened.*,
        case
            when run_first_index <= last_closed_index then last_closed_index + 1
            else run_first_index
        end as severe_first_index,
        case
            when quarter_index - missing_run + 1 <= last_closed_index then last_closed_index + 1
            else quarter_index - missing_run + 1
        end as missing_first_index
    from opened

),

starts as (

    -- first quarter of the run that opened a case; a reopened case goes on under its own
    select
        first_quarters.*,
        case
            when quarter_index = opened_index and unopened_result = 'NON_SUBMISSION' then missing_first_index
            when quarter_index = opened_index and unopened_result <> 'REOPENED' then severe_first_index
        end as own_first_index
    from first_quarters

),

openings as (

    select
        starts.*,
        max(case when own_first_index is not null then quarter_index end) over (
            partition by body_kind, pfa_code, right_number
            order by quarter_index
            rows between unbounded preceding and current row
        ) as own_opened_index
    from starts

),

resulted as (

    select
        openings.*,
        coalesce(opened_index < quarter_index, false) as is_open_before,
        opened_index is not null as is_open_case,
        -- a case keeps the first quarter of the run that opened it, also when it is closed and reopened
        case
            when opened_index is not null
                then coalesce(
                    max(own_first_index) over (
                        partition by body_kind, pfa_code, right_number, own_opened_index
                    ),
                    max(case when quarter_index = opened_index then severe_first_index end) over (
                        partition by body_kind, pfa_code, right_number, last_closed_index, opened_index
                    )
                )
            when unopened_result in ('SEVERE', 'SEVERE_PENDING') then severe_first_index
        end as case_first_index,
        case
            when coalesce(opened_index < quarter_index, false) and state = 'MET' then 'SEVERE_PERSISTENT'
            when
                coalesce(opened_index < quarter_index, false) and state = 'NOT_MET' and clear_run >= close_quarters
                then 'ELIGIBLE_TO_CLOSE'
            when coalesce(opened_index < quarter_index, false) and state = 'NOT_MET' then 'PERSISTENT_IMPROVING'
            when coalesce(opened_index < quarter_index, false) then 'PERSISTENT_UNASSESSED'
            else unopened_result
        end as result
    from openings

)

select
    body_kind,
    pfa_code,
    right_number,
    period_code,
    quarter_index,
    rule_version,
    state,
    previous_state,
    result,
    -- while a case is open it is recommended again for each severe quarter, and for nothing else
    case when is_open_before then state = 'MET' else is_opening end as is_recommended,
    is_open_before,
    is_open_case,
    opened_index,
    case_first_index,
    cast(clear_run as integer) as clear_run,
    cast(case
        when state = 'NOT_MET' then 0
        when state = 'NOT_SUBMITTED' and result <> 'SEVERE_PENDING' then missing_run
        when result in ('NOT_ASSESSED', 'PERSISTENT_UNASSESSED') then 0
        else met_run
    end as integer) as quarters_running,
    is_s4_met,
    indicators_met,
    case
        when result = 'SEVERE_PERSISTENT_BRIDGED'
            then
                'Severe again after '
                || case
                    when unassessed_between = 1 then 'one quarter'
                    else cast(unassessed_between as varchar) || ' quarters'
                end
                || ' that could not be assessed ('
                || case when unassessed_between > 1 then 'the last: ' else '' end
                || coalesce(lower(replace(previous_state, '_', ' ')), 'not expected') || ')'
        when result = 'NON_SUBMISSION' then 'No complete return accepted for two or more consecutive quarters'
        when result = 'REOPENED' then 'Severe again within the quarters after the case was closed'
        when result = 'SEVERE_PERSISTENT' and is_open_before then 'Severe while the case is open'
        when result = 'SEVERE_PERSISTENT' then 'Severe in two or more consecutive quarters'
        when result = 'SEVERE' and previous_state = 'MET' and remembered_state is null
            then 'Severe in this quarter; the case before it ended as an error of the data: watch'
        when result = 'SEVERE' and previous_state = 'MET'
            then 'Severe in both quarters, on different indicators: watch'
        when result = 'SEVERE' then 'Severe in this quarter: watch'
        when result = 'SEVERE_PENDING'
            then 'Severe when last assessed; this quarter cannot be assessed, the count is not reset'
        when result = 'PERSISTENT_UNASSESSED' then 'The case is open and this quarter cannot be assessed'
        when result = 'PERSISTENT_IMPROVING' and clear_run > 1
            then 'The case is open; not enough quarters without a severe indicator yet to consider closing it'
        when result = 'PERSISTENT_IMPROVING' then 'The case is open; the first quarter without a severe indicator'
        when result = 'ELIGIBLE_TO_CLOSE'
            then 'The case is open; enough quarters without a severe indicator to consider closing it'
        when result = 'RESET' then 'Severe when last assessed, not in this quarter'
        when result = 'CLEAR' then 'No severe indicator met'
        else 'Could not be assessed'
    end as reason,
    senders_expected,
    senders_received
from resulted
{%- endmacro %}

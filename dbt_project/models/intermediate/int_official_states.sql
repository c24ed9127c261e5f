-- The state of each right in each quarter that the official results rest on: as recorded at the quarter's final
-- build, with the rules of then; as computed from today's figures where nothing is recorded yet.
with recorded as (

    select
        states.body_kind,
        states.pfa_code,
        states.right_number,
        states.period_code,
        quarters.quarter_index,
        states.rule_version,
        states.state,
        states.is_s4_met,
        states.indicators_met,
        states.senders_expected,
        states.senders_received,
        states.s4_counts,
        states.persistence_scope,
        states.bridge_quarters,
        states.close_quarters,
        states.reopen_quarters
    from {{ ref('stg_recorded_states') }} as states
    inner join {{ ref('int_quarters') }} as quarters
        on states.period_code = quarters.period_code

),

not_recorded as (

    select
        states.body_kind,
        states.pfa_code,
        states.right_number,
        states.period_code,
        states.quarter_index,
        states.rule_version,
        states.state,
        states.is_s4_met,
        states.indicators_met,
        states.senders_expected,
        states.senders_received,
        states.s4_counts,
        states.persistence_scope,
        states.bridge_quarters,
        states.close_quarters,
        states.reopen_quarters
    from {{ ref('int_right_states') }} as states
    where not exists (
        select 1 from {{ ref('stg_recorded_quarters') }} as recorded_quarters
        where states.period_code = recorded_quarters.period_code
    )

)

select * from recorded
union all
select * from not_recorded

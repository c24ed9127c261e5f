{{ config(materialized='view') }}
-- The state and result of each right as recorded at the final build of its quarter.
with source as (

    select * from {{ source('register', 'states') }}

)

select
    source.period_code,
    source.body_kind,
    source.pfa_code,
    source.right_number,
    source.state,
    source.result,
    source.is_recommended,
    source.is_open_case,
    source.case_id,
    source.first_period_code,
    source.opened_period_code,
    source.indicators_met,
    source.is_s4_met,
    source.clear_run,
    source.quarters_running,
    source.senders_expected,
    source.senders_received,
    source.receipts,
    source.rule_version,
    source.s4_counts,
    source.persistence_scope,
    source.bridge_quarters,
    source.close_quarters,
    source.reopen_quarters
from source
inner join {{ source('register', 'quarters') }} as quarters
    on source.period_code = quarters.period_code

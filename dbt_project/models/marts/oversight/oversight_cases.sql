{{ config(materialized='view') }}
-- The case register as it stands. A view, so that it shows at once which quarters are recorded.
select
    cases.case_id,
    cases.body_kind,
    cases.pfa_code,
    cases.right_number,
    cases.first_period_code,
    areas.area_name,
    rights.right_title,
    cases.opened_period_code,
    cases.opened_by_result,
    cases.detected_on,
    recorded.period_code is not null as is_recorded,
    cases.case_state,
    cases.state_name,
    cases.state_since_on,
    cases.decided_by_role,
    cases.is_open,
    cases.is_eligible_to_close,
    cases.latest_period_code,
    cases.latest_result,
    cases.latest_state,
    cases.latest_indicators_met,
    cases.successor_pfa_code,
    cases.next_step,
    cases.next_due_on,
    cases.is_overdue,
    cases.notice_ids,
    cases.decision_count,
    cases.reopened_count,
    cases.needs_attention
from {{ ref('int_cases') }} as cases
left join {{ ref('int_quarters') }} as quarters
    on cases.first_period_code = quarters.period_code
left join {{ ref('areas') }} as areas
    on
        cases.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'quarters.last_day') }}
left join {{ ref('rights') }} as rights
    on
        cases.right_number = rights.right_number
        and {{ in_force('rights', 'quarters.last_day') }}
left join {{ ref('stg_recorded_quarters') }} as recorded
    on cases.opened_period_code = recorded.period_code

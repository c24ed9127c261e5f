{{ config(materialized='view') }}
-- The case register as a log. A view, so that it shows at once which quarters are recorded.
select
    events.case_id,
    events.event_number,
    events.body_kind,
    events.pfa_code,
    events.right_number,
    events.first_period_code,
    events.set_by,
    events.occurred_on,
    events.from_state,
    events.to_state,
    states.state_name,
    events.decided_by_role,
    events.event_reason,
    events.evidence_reference,
    events.period_code,
    events.result,
    events.set_by = 'decision' or recorded.period_code is not null as is_recorded,
    events.receipt_id,
    events.sheet_row
from {{ ref('int_case_events') }} as events
left join {{ ref('case_states') }} as states
    on
        events.to_state = states.state
        and {{ in_force('states', 'events.occurred_on') }}
left join {{ ref('stg_recorded_quarters') }} as recorded
    on events.period_code = recorded.period_code

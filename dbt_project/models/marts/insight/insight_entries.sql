-- What reviewers found, quarter by quarter: high and low compliance, best practice, dip samples, actions, escalations.
select
    receipts.receipt_id,
    entries.sheet_row,
    receipts.sender_code,
    receipts.period_code,
    entries.insight_id,
    entries.insight_kind,
    periods.quarter_index,
    senders.sender_name,
    receipts.arrived_on,
    entries.pfa_code,
    areas.area_name,
    entries.body_code,
    bodies.body_kind,
    entries.right_number,
    entries.insight_text,
    entries.owner_role,
    entries.action_due_on,
    entries.action_status,
    case
        when entries.insight_kind = 'action'
            then
                coalesce(entries.action_status, 'open') in ('open', 'in_progress')
                and coalesce(entries.action_due_on < receipts.arrived_on, false)
    end as was_overdue
from {{ ref('stg_insight_entries') }} as entries
inner join {{ ref('int_current_receipts') }} as receipts
    on entries.receipt_id = receipts.receipt_id
inner join {{ ref('stg_periods') }} as periods
    on receipts.period_code = periods.period_code
left join {{ ref('senders') }} as senders
    on receipts.sender_code = senders.sender_code
left join {{ ref('areas') }} as areas
    on
        entries.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'periods.last_day') }}
left join {{ ref('bodies') }} as bodies
    on
        entries.body_code = bodies.body_code
        and {{ in_force('bodies', 'periods.last_day') }}

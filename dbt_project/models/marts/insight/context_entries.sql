-- What others found. It stands beside compliance, and no flag reads it.
select
    receipts.receipt_id,
    entries.sheet_row,
    receipts.sender_code,
    receipts.period_code,
    entries.context_id,
    senders.sender_name,
    entries.context_source,
    entries.publisher,
    entries.pfa_code,
    case when entries.pfa_code is null then 'England and Wales' else areas.area_name end as area_name,
    entries.body_code,
    bodies.body_kind,
    entries.right_number,
    entries.title,
    entries.summary,
    entries.measure,
    entries.measure_value,
    entries.measure_unit,
    entries.published_on,
    entries.link
from {{ ref('stg_context_entries') }} as entries
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

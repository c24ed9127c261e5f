-- Which sender should answer for which body and area in a quarter, and whether the return is in.
with quarters as (

    select * from {{ ref('int_quarters') }}

)

select
    quarters.period_code,
    quarters.quarter_index,
    bodies.body_kind,
    sender_bodies.pfa_code,
    sender_bodies.body_code,
    sender_bodies.sender_code,
    body_areas.case_share,
    receipts.receipt_id,
    receipts.receipt_id is not null as is_received
from quarters
inner join {{ ref('sender_bodies') }} as sender_bodies
    on
        sender_bodies.form_kind = 'quarterly'
        and sender_bodies.is_expected
        and {{ in_force('sender_bodies', 'quarters.last_day') }}
inner join {{ ref('bodies') }} as bodies
    on
        sender_bodies.body_code = bodies.body_code
        and {{ in_force('bodies', 'quarters.last_day') }}
inner join {{ ref('body_areas') }} as body_areas
    on
        sender_bodies.body_code = body_areas.body_code
        and sender_bodies.pfa_code = body_areas.pfa_code
        and {{ in_force('body_areas', 'quarters.last_day') }}
left join {{ ref('int_current_receipts') }} as receipts
    on
        sender_bodies.sender_code = receipts.sender_code
        and quarters.period_code = receipts.period_code
        and receipts.form_kind = 'quarterly'

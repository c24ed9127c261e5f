-- The latest accepted return of a sender for a kind and period stands; a rejected resubmission changes nothing.
with receipts as (

    select * from {{ ref('stg_receipts') }}
    where is_accepted

),

ranked as (

    select
        receipts.*,
        row_number() over (
            partition by sender_code, form_kind, period_code
            order by receipt_sequence desc
        ) as recency,
        count(*) over (partition by sender_code, form_kind, period_code) as accepted_receipt_count
    from receipts

)

select
    sender_code,
    form_kind,
    period_code,
    receipt_id,
    receipt_sequence,
    form_version,
    arrived_at,
    arrived_on,
    accepted_receipt_count
from ranked
where recency = 1

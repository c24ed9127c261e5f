-- What each reviewer sent back for a quarter, and why a part of it is empty.
with receipts as (

    select * from {{ ref('int_current_receipts') }}
    where form_kind = 'insight'

),

reviews as (

    select
        receipt_id,
        cast(count(distinct meeting_on) as integer) as meeting_count,
        min(meeting_on) as first_meeting_on,
        max(meeting_on) as last_meeting_on,
        cast(count(distinct body_code) as integer) as bodies_expected_count,
        cast(count(distinct case when is_represented then body_code end) as integer) as bodies_represented_count
    from {{ ref('stg_insight_reviews') }}
    group by receipt_id

),

entries as (

    select
        receipt_id,
        cast(count(*) as integer) as entry_count,
        cast(sum(case when insight_kind = 'action' then 1 else 0 end) as integer) as action_count,
        cast(sum(case when insight_kind = 'escalate' then 1 else 0 end) as integer) as escalation_count
    from {{ ref('stg_insight_entries') }}
    group by receipt_id

)

select
    receipts.sender_code,
    receipts.period_code,
    receipts.receipt_id,
    senders.sender_name,
    periods.review_due_on,
    receipts.arrived_on,
    reviews.receipt_id is not null as is_review_held,
    covers.nil_review_reason,
    coalesce(reviews.meeting_count, 0) as meeting_count,
    reviews.first_meeting_on,
    reviews.last_meeting_on,
    coalesce(reviews.bodies_expected_count, 0) as bodies_expected_count,
    coalesce(reviews.bodies_represented_count, 0) as bodies_represented_count,
    covers.nil_insight_reason,
    coalesce(entries.entry_count, 0) as entry_count,
    coalesce(entries.action_count, 0) as action_count,
    coalesce(entries.escalation_count, 0) as escalation_count
from receipts
inner join {{ ref('stg_insight_covers') }} as covers
    on receipts.receipt_id = covers.receipt_id
inner join {{ ref('stg_periods') }} as periods
    on receipts.period_code = periods.period_code
left join {{ ref('senders') }} as senders
    on receipts.sender_code = senders.sender_code
left join reviews
    on receipts.receipt_id = reviews.receipt_id
left join entries
    on receipts.receipt_id = entries.receipt_id

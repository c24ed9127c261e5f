-- Who sat at each joint local review, and whether the figures that were reviewed are still those that stand.
with receipts as (

    select * from {{ ref('int_current_receipts') }}

),

reviewed as (

    select
        any_receipts.receipt_id,
        any_receipts.sender_code,
        any_receipts.form_kind,
        any_receipts.period_code,
        any_receipts.is_accepted,
        any_receipts.is_erased,
        receipts.receipt_id as standing_receipt_id
    from {{ ref('stg_receipts') }} as any_receipts
    left join receipts
        on
            any_receipts.sender_code = receipts.sender_code
            and any_receipts.form_kind = receipts.form_kind
            and any_receipts.period_code = receipts.period_code
    where any_receipts.form_kind = 'quarterly'

),

answering as (

    select distinct
        period_code,
        sender_code,
        body_code
    from {{ ref('int_expected_returns') }}

)

select
    receipts.receipt_id,
    reviews.sheet_row,
    receipts.sender_code,
    receipts.period_code,
    reviews.meeting_on,
    reviews.pfa_code,
    areas.area_name,
    reviews.body_code,
    bodies.body_kind,
    bodies.body_name,
    reviews.is_represented,
    reviews.meeting_on > periods.review_due_on as is_after_due,
    reviews.reviewed_receipt_id,
    case
        when reviews.reviewed_receipt_id is null then 'not_named'
        when reviewed.receipt_id is null or answering.body_code is null then 'not_the_bodys'
        when reviewed.is_erased then 'erased'
        when not reviewed.is_accepted then 'not_accepted'
        when reviewed.receipt_id = reviewed.standing_receipt_id then 'stands'
        else 'replaced'
    end as reviewed_state,
    case when answering.body_code is not null then reviewed.standing_receipt_id end as standing_receipt_id,
    reviews.note
from {{ ref('stg_insight_reviews') }} as reviews
inner join receipts
    on reviews.receipt_id = receipts.receipt_id
inner join {{ ref('stg_periods') }} as periods
    on receipts.period_code = periods.period_code
left join {{ ref('areas') }} as areas
    on
        reviews.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'periods.last_day') }}
left join {{ ref('bodies') }} as bodies
    on
        reviews.body_code = bodies.body_code
        and {{ in_force('bodies', 'periods.last_day') }}
left join reviewed
    on
        reviews.reviewed_receipt_id = reviewed.receipt_id
        and receipts.period_code = reviewed.period_code
left join answering
    on
        reviewed.sender_code = answering.sender_code
        and reviewed.period_code = answering.period_code
        and reviews.body_code = answering.body_code

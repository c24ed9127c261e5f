-- Each notice as the latest return that holds it says, and its cases one by one.
with notices as (

    select
        notices.*,
        row_number() over (
            partition by notices.notice_id
            order by periods.first_day desc, receipts.receipt_sequence desc, notices.sheet_row desc
        ) as recency
    from {{ ref('stg_notices') }} as notices
    inner join {{ ref('int_current_receipts') }} as receipts
        on notices.receipt_id = receipts.receipt_id
    inner join {{ ref('stg_periods') }} as periods
        on receipts.period_code = periods.period_code

),

places as (

    {% for place in range(1, 51) -%}
        select {{ place }} as place
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

split as (

    select distinct
        notices.receipt_id,
        notices.notice_id,
        trim(split_part(notices.case_ids, ';', places.place)) as case_id,
        notices.recipient_code,
        notices.copied_to,
        notices.summary,
        notices.request,
        notices.sos_agreed_on,
        notices.ag_agreed_on,
        notices.vc_consulted_on,
        notices.published_on,
        notices.plan_due_on,
        notices.plan_link,
        notices.update_due_on,
        notices.closed_on
    from notices
    cross join places
    where notices.recency = 1

)

select
    split.*,
    cast(count(*) over (partition by split.notice_id) as integer) as notice_case_count,
    case
        when split.closed_on is not null then 'closed'
        when split.published_on is not null and split.plan_link is null and split.plan_due_on < known.known_on
            then 'plan_overdue'
        when split.published_on is not null and split.plan_link is null and split.plan_due_on is not null
            then 'plan_due'
        when split.published_on is not null and split.update_due_on <= known.known_on then 'update_due'
        when split.published_on is not null and split.plan_link is not null then 'plan_published'
        when split.published_on is not null then 'published'
        when split.sos_agreed_on is not null and split.ag_agreed_on is not null then 'agreed'
        else 'draft'
    end as notice_status,
    known.known_on
from split
cross join {{ ref('int_known_day') }} as known
where split.case_id <> ''

-- Who should have sent and what came of it; returns that nobody expected are listed too.
with receipts as (

    select * from {{ ref('stg_receipts') }}
    where
        outcome <> 'duplicate'
        and not is_erased

),

expected as (

    select distinct
        sender_code,
        'quarterly' as form_kind,
        period_code
    from {{ ref('int_expected_returns') }}
    union all
    -- What is due of reviewers, who answer for bodies without reporting on them.
    select distinct
        sender_bodies.sender_code,
        sender_bodies.form_kind,
        quarters.period_code
    from {{ ref('int_quarters') }} as quarters
    inner join {{ ref('sender_bodies') }} as sender_bodies
        on
            sender_bodies.form_kind <> 'quarterly'
            and sender_bodies.is_expected
            and {{ in_force('sender_bodies', 'quarters.last_day') }}

),

due_days as (

    select
        forms.form_kind,
        periods.period_code,
        case
            when forms.cycle = 'reporting' then periods.returns_due_on
            when forms.cycle = 'review' then periods.review_due_on
        end as due_on,
        -- The latest version in force is the form that was to be used.
        row_number() over (
            partition by forms.form_kind, periods.period_code
            order by forms.form_version desc
        ) as recency
    from {{ ref('stg_forms') }} as forms
    inner join {{ ref('stg_periods') }} as periods
        on {{ in_force('forms', 'periods.last_day') }}

),

received as (

    select
        sender_code,
        form_kind,
        period_code,
        cast(count(*) as integer) as receipt_count,
        cast(sum(case when is_accepted then 1 else 0 end) as integer) as accepted_count,
        min(case when is_accepted then arrived_on end) as first_accepted_on,
        min(arrived_on) as first_arrived_on
    from receipts
    where period_code is not null and form_kind is not null
    group by sender_code, form_kind, period_code

),

keys as (

    select
        sender_code,
        form_kind,
        period_code
    from expected
    union
    select
        received.sender_code,
        received.form_kind,
        received.period_code
    from received
    inner join {{ ref('senders') }} as senders
        on received.sender_code = senders.sender_code
    inner join {{ ref('stg_periods') }} as periods
        on received.period_code = periods.period_code

)

select
    keys.sender_code,
    keys.form_kind,
    keys.period_code,
    senders.sender_name,
    expected.sender_code is not null as is_expected,
    due_days.due_on,
    received.first_arrived_on,
    received.first_accepted_on,
    case
        when coalesce(received.accepted_count, 0) = 0 and received.receipt_count > 0 then 'rejected'
        when received.receipt_count is null then 'not_submitted'
        when expected.sender_code is not null and received.first_accepted_on > due_days.due_on then 'late'
        else 'on_time'
    end as submission_status,
    case
        when expected.sender_code is not null and received.first_accepted_on > due_days.due_on
            then cast({{ days_between("due_days.due_on", "received.first_accepted_on") }} as integer)
    end as days_late,
    coalesce(received.receipt_count, 0) as receipt_count,
    current_receipts.receipt_id as current_receipt_id,
    coalesce(current_receipts.accepted_receipt_count > 1, false) as is_revised
from keys
inner join {{ ref('senders') }} as senders
    on keys.sender_code = senders.sender_code
left join due_days
    on
        keys.form_kind = due_days.form_kind
        and keys.period_code = due_days.period_code
        and due_days.recency = 1
left join expected
    on
        keys.sender_code = expected.sender_code
        and keys.form_kind = expected.form_kind
        and keys.period_code = expected.period_code
left join received
    on
        keys.sender_code = received.sender_code
        and keys.form_kind = received.form_kind
        and keys.period_code = received.period_code
left join {{ ref('int_current_receipts') }} as current_receipts
    on
        keys.sender_code = current_receipts.sender_code
        and keys.form_kind = current_receipts.form_kind
        and keys.period_code = current_receipts.period_code

-- Who should have sent and what came of it; returns that nobody expected are listed too.
with receipts as (

    select * from {{ ref('stg_receipts') }}
    where outcome <> 'duplicate'

),

expected as (

    select distinct
        sender_code,
        'quarterly' as form_kind,
        period_code
    from {{ ref('int_expected_returns') }}

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
    periods.returns_due_on as due_on,
    received.first_arrived_on,
    received.first_accepted_on,
    case
        when coalesce(received.accepted_count, 0) = 0 and received.receipt_count > 0 then 'rejected'
        when received.receipt_count is null then 'not_submitted'
        when expected.sender_code is not null and received.first_accepted_on > periods.returns_due_on then 'late'
        else 'on_time'
    end as submission_status,
    case
        when expected.sender_code is not null and received.first_accepted_on > periods.returns_due_on
            then cast({{ days_between("periods.returns_due_on", "received.first_accepted_on") }} as integer)
    end as days_late,
    coalesce(received.receipt_count, 0) as receipt_count,
    current_receipts.receipt_id as current_receipt_id,
    coalesce(current_receipts.accepted_receipt_count > 1, false) as is_revised
from keys
inner join {{ ref('senders') }} as senders
    on keys.sender_code = senders.sender_code
inner join {{ ref('stg_periods') }} as periods
    on keys.period_code = periods.period_code
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

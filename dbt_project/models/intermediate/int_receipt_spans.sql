-- When each accepted return stood. As at present, so at any moment: of what had arrived by then and was not erased
-- yet, the receipt given last counts. A return whose successor is erased stands again, in a span of its own.
with receipts as (

    select * from {{ ref('stg_receipts') }}
    where outcome in ('accepted', 'accepted_with_warnings')

),

moments as (

    select
        sender_code,
        form_kind,
        period_code,
        arrived_at as moment_at
    from receipts
    union
    select
        sender_code,
        form_kind,
        period_code,
        erased_at as moment_at
    from receipts
    where erased_at is not null

),

standing as (

    select
        moments.sender_code,
        moments.form_kind,
        moments.period_code,
        moments.moment_at,
        -- receipts are numbered from 1
        coalesce(max(receipts.receipt_sequence), 0) as receipt_sequence
    from moments
    left join receipts
        on
            moments.sender_code = receipts.sender_code
            and moments.form_kind = receipts.form_kind
            and moments.period_code = receipts.period_code
            and moments.moment_at >= receipts.arrived_at
            and (receipts.erased_at is null or moments.moment_at < receipts.erased_at)
    group by moments.sender_code, moments.form_kind, moments.period_code, moments.moment_at

),

compared as (

    select
        standing.*,
        coalesce(
            lag(receipt_sequence) over (partition by sender_code, form_kind, period_code order by moment_at), 0
        ) as previous_sequence
    from standing

),

changes as (

    select
        sender_code,
        form_kind,
        period_code,
        moment_at,
        receipt_sequence,
        previous_sequence,
        lead(moment_at) over (partition by sender_code, form_kind, period_code order by moment_at) as next_moment_at
    from compared
    where receipt_sequence <> previous_sequence

)

select
    receipts.receipt_id,
    changes.moment_at as known_from,
    changes.next_moment_at as known_to,
    receipts.sender_code,
    receipts.form_kind,
    receipts.period_code,
    receipts.receipt_sequence,
    receipts.form_version,
    receipts.arrived_at,
    receipts.arrived_on,
    receipts.is_erased,
    changes.next_moment_at is null as is_current,
    previous.receipt_id as previous_receipt_id,
    coalesce(previous.is_erased, false) as is_previous_erased
from changes
inner join receipts
    on changes.receipt_sequence = receipts.receipt_sequence
left join receipts as previous
    on changes.previous_sequence = previous.receipt_sequence

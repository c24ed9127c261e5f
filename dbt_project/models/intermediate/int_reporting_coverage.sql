-- Which returns a body kind in an area should rest on, and which have come.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

kind_areas as (

    select
        quarters.period_code,
        quarters.quarter_index,
        kind_areas.body_kind,
        kind_areas.pfa_code,
        kind_areas.applicability
    from quarters
    inner join {{ ref('body_kind_areas') }} as kind_areas
        on {{ in_force('kind_areas', 'quarters.last_day') }}

),

expected_returns as (

    select
        quarters.period_code,
        bodies.body_kind,
        sender_bodies.pfa_code,
        sender_bodies.body_code,
        body_areas.case_share,
        sender_bodies.sender_code,
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

),

bodies_in as (

    select
        period_code,
        body_kind,
        pfa_code,
        body_code,
        max(case_share) as case_share,
        count(*) as senders_expected,
        sum(case when is_received then 1 else 0 end) as senders_received
    from expected_returns
    group by period_code, body_kind, pfa_code, body_code

),

coverage as (

    select
        period_code,
        body_kind,
        pfa_code,
        count(*) as bodies_expected,
        sum(senders_expected) as senders_expected,
        sum(senders_received) as senders_received,
        sum(case_share) as expected_share,
        -- a body whose figures come from two senders counts once both are in
        sum(case when senders_received = senders_expected then case_share else 0 end) as received_share
    from bodies_in
    group by period_code, body_kind, pfa_code

),

final as (

    select
        kind_areas.period_code,
        kind_areas.quarter_index,
        kind_areas.body_kind,
        kind_areas.pfa_code,
        kind_areas.applicability,
        cast(coalesce(coverage.bodies_expected, 0) as integer) as bodies_expected,
        cast(coalesce(coverage.senders_expected, 0) as integer) as senders_expected,
        cast(coalesce(coverage.senders_received, 0) as integer) as senders_received,
        {{ stable("coalesce(" ~ to_double("coverage.received_share")
            ~ " / nullif(" ~ to_double("coverage.expected_share") ~ ", 0), 0)", 6) }} as received_share,
        rules.yjs_share_min
    from kind_areas
    inner join rules
        on kind_areas.period_code = rules.period_code
    left join coverage
        on
            kind_areas.period_code = coverage.period_code
            and kind_areas.body_kind = coverage.body_kind
            and kind_areas.pfa_code = coverage.pfa_code

)

select
    period_code,
    quarter_index,
    body_kind,
    pfa_code,
    applicability,
    bodies_expected,
    senders_expected,
    senders_received,
    received_share,
    applicability = 'expected'
    and received_share >= case when body_kind = 'yjs' then yjs_share_min else 1.0 end as is_submitted
from final

-- Which returns a body kind in an area should rest on, and which have come.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

kind_areas as (

    select
        quarters.period_code,
        quarters.quarter_index,
        kind_areas.body_kind,
        kind_areas.pfa_code,
        kind_areas.applicability,
        -- of many bodies in one area most are enough, of a single one nothing less than all of it
        case when kinds.is_many_bodies then rules.yjs_share_min else 1.0 end as share_needed
    from quarters
    inner join {{ ref('int_rules_by_quarter') }} as rules
        on quarters.period_code = rules.period_code
    inner join {{ ref('body_kind_areas') }} as kind_areas
        on {{ in_force('kind_areas', 'quarters.last_day') }}
    inner join {{ ref('body_kinds') }} as kinds
        on kind_areas.body_kind = kinds.body_kind

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
    from {{ ref('int_expected_returns') }}
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
        kind_areas.share_needed,
        cast(coalesce(coverage.bodies_expected, 0) as integer) as bodies_expected,
        cast(coalesce(coverage.senders_expected, 0) as integer) as senders_expected,
        cast(coalesce(coverage.senders_received, 0) as integer) as senders_received,
        {{ to_double("coverage.expected_share") }} as expected_share,
        {{ stable("coalesce(" ~ to_double("coverage.received_share")
            ~ " / nullif(" ~ to_double("coverage.expected_share") ~ ", 0), 0)", 6) }} as received_share
    from kind_areas
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
    expected_share,
    received_share,
    share_needed,
    applicability = 'expected' and received_share >= share_needed as is_submitted
from final

-- Delivery items per area: the lowest grade, and the shares of its cases held by bodies with a low grade, or with no
-- improvement plan.
with item_rows as (

    select
        due_returns.body_kind,
        due_returns.period_code,
        due_returns.sender_code,
        item_rows.*
    from {{ ref('stg_quarterly_delivery') }} as item_rows
    inner join {{ ref('int_expected_returns') }} as due_returns
        on
            item_rows.receipt_id = due_returns.receipt_id
            and item_rows.body_code = due_returns.body_code
            and item_rows.pfa_code = due_returns.pfa_code

),

answered as (

    {{ answered_share("item_rows", ["item_id"]) }}

),

by_body as (

    select
        body_kind,
        pfa_code,
        item_id,
        period_code,
        body_code,
        min(grade) as grade,
        max(case when improvement_plan is not null then 1 else 0 end) as has_plan,
        min(next_step_due_on) as next_step_due_on
    from item_rows
    group by body_kind, pfa_code, item_id, period_code, body_code

),

summed as (

    select
        by_body.body_kind,
        by_body.pfa_code,
        by_body.item_id,
        by_body.period_code,
        cast(count(*) as integer) as body_count,
        min(by_body.grade) as lowest_grade,
        sum(case when by_body.grade <= rules.s4_grade_max then body_areas.case_share else 0 end) as low_share,
        sum(case when by_body.has_plan = 0 then body_areas.case_share else 0 end) as no_plan_share,
        min(by_body.next_step_due_on) as next_step_due_on
    from by_body
    inner join {{ ref('int_rules_by_quarter') }} as rules
        on by_body.period_code = rules.period_code
    inner join {{ ref('body_areas') }} as body_areas
        on
            by_body.body_code = body_areas.body_code
            and by_body.pfa_code = body_areas.pfa_code
            and {{ in_force('body_areas', 'rules.last_day') }}
    group by by_body.body_kind, by_body.pfa_code, by_body.item_id, by_body.period_code

)

select
    summed.body_kind,
    summed.pfa_code,
    summed.item_id,
    summed.period_code,
    coverage.quarter_index,
    coalesce(
        {{ stable("answered.answered_share / nullif(coverage.expected_share, 0)", 6) }} >= coverage.share_needed, false
    ) as is_complete,
    summed.body_count,
    summed.lowest_grade,
    {{ stable(to_double("summed.low_share"), 6) }} as low_grade_share,
    {{ stable(to_double("summed.no_plan_share"), 6) }} as no_plan_share,
    summed.no_plan_share = 0 as has_improvement_plan,
    summed.next_step_due_on
from summed
inner join {{ ref('int_reporting_coverage') }} as coverage
    on
        summed.period_code = coverage.period_code
        and summed.body_kind = coverage.body_kind
        and summed.pfa_code = coverage.pfa_code
left join answered
    on
        summed.period_code = answered.period_code
        and summed.body_kind = answered.body_kind
        and summed.pfa_code = answered.pfa_code
        and summed.item_id = answered.item_id

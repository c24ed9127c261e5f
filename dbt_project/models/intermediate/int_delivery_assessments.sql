-- Delivery items per area: the lowest grade, and the share of cases held by bodies with a low grade.
with item_rows as (

    select
        bodies.body_kind,
        receipts.period_code,
        item_rows.*
    from {{ ref('stg_quarterly_delivery') }} as item_rows
    inner join {{ ref('int_current_receipts') }} as receipts
        on item_rows.receipt_id = receipts.receipt_id
    inner join {{ ref('bodies') }} as bodies
        on item_rows.body_code = bodies.body_code

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
        min(by_body.has_plan) = 1 as has_improvement_plan,
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
    items.right_number,
    items.polarity,
    coverage.is_submitted as is_complete,
    summed.body_count,
    summed.lowest_grade,
    {{ stable(to_double("summed.low_share"), 6) }} as low_grade_share,
    summed.has_improvement_plan,
    summed.next_step_due_on
from summed
inner join {{ ref('int_reporting_coverage') }} as coverage
    on
        summed.period_code = coverage.period_code
        and summed.body_kind = coverage.body_kind
        and summed.pfa_code = coverage.pfa_code
inner join {{ ref('int_quarters') }} as quarters
    on summed.period_code = quarters.period_code
inner join {{ ref('metrics') }} as items
    on
        summed.item_id = items.metric_id
        and {{ in_force('items', 'quarters.last_day') }}

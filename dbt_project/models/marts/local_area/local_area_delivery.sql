-- One row for every delivery item that is due, whether it was assessed or not.
with expected as (

    select
        items.period_code,
        items.quarter_index,
        items.body_kind,
        coverage.pfa_code,
        areas.area_name,
        items.right_number,
        items.metric_id as item_id,
        items.metric_version,
        items.polarity,
        coverage.applicability,
        coverage.is_submitted,
        coverage.senders_received
    from {{ ref('int_expected_items') }} as items
    inner join {{ ref('int_reporting_coverage') }} as coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
    inner join {{ ref('int_quarters') }} as quarters
        on items.period_code = quarters.period_code
    inner join {{ ref('areas') }} as areas
        on
            coverage.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'quarters.last_day') }}
    where items.information = 'delivery'

),

assessments as (

    select * from {{ ref('int_delivery_assessments') }}

)

select
    expected.body_kind,
    expected.pfa_code,
    expected.item_id,
    expected.period_code,
    expected.area_name,
    expected.right_number,
    expected.polarity,
    expected.quarter_index,
    case
        when expected.applicability = 'not_applicable' then 'not_applicable'
        when assessments.is_complete then 'reported'
        when assessments.item_id is not null then 'incomplete'
        when expected.senders_received = 0 then 'not_submitted'
        when not expected.is_submitted then 'incomplete'
        else 'not_collected'
    end as figure_status,
    assessments.body_count,
    cast(assessments.lowest_grade as integer) as lowest_grade,
    assessments.low_grade_share,
    assessments.has_improvement_plan,
    assessments.next_step_due_on,
    cast(previous.lowest_grade as integer) as previous_lowest_grade
from expected
left join assessments
    on
        expected.body_kind = assessments.body_kind
        and expected.pfa_code = assessments.pfa_code
        and expected.item_id = assessments.item_id
        and expected.period_code = assessments.period_code
-- grades are compared only while the item means the same
left join {{ ref('int_expected_items') }} as previous_items
    on
        expected.body_kind = previous_items.body_kind
        and expected.item_id = previous_items.metric_id
        and expected.metric_version = previous_items.metric_version
        and expected.quarter_index - 1 = previous_items.quarter_index
        and previous_items.information = 'delivery'
left join assessments as previous
    on
        expected.body_kind = previous.body_kind
        and expected.pfa_code = previous.pfa_code
        and previous_items.metric_id = previous.item_id
        and previous_items.period_code = previous.period_code
        and previous.is_complete

-- How many areas of a larger geography stand at which grade.
with area_groups as (

    select * from {{ ref('int_area_groups') }}

),

local_items as (

    select
        area_groups.group_kind,
        area_groups.group_code,
        area_groups.group_name,
        items.*
    from {{ ref('local_area_delivery') }} as items
    inner join area_groups
        on
            items.period_code = area_groups.period_code
            and items.pfa_code = area_groups.pfa_code

),

counted as (

    select
        group_kind,
        group_code,
        body_kind,
        item_id,
        period_code,
        max(group_name) as group_name,
        max(right_number) as right_number,
        max(quarter_index) as quarter_index,
        cast(sum(case when figure_status <> 'not_applicable' then 1 else 0 end) as integer) as areas_expected,
        cast(sum(case when figure_status = 'reported' then 1 else 0 end) as integer) as areas_reporting,
        sum(case when figure_status = 'not_submitted' then 1 else 0 end) as areas_not_submitted,
        sum(case when figure_status = 'not_collected' then 1 else 0 end) as areas_not_collected,
        cast(sum(case when figure_status = 'reported' and lowest_grade = 0 then 1 else 0 end) as integer)
            as areas_absent,
        cast(sum(case when figure_status = 'reported' and lowest_grade = 1 then 1 else 0 end) as integer)
            as areas_drafted,
        cast(sum(case when figure_status = 'reported' and lowest_grade = 2 then 1 else 0 end) as integer)
            as areas_in_use,
        cast(sum(case when figure_status = 'reported' and lowest_grade = 3 then 1 else 0 end) as integer)
            as areas_reviewed,
        cast(sum(case when figure_status = 'reported' and has_improvement_plan then 1 else 0 end) as integer)
            as areas_with_plan
    from local_items
    group by group_kind, group_code, body_kind, item_id, period_code

)

select
    group_kind,
    group_code,
    body_kind,
    item_id,
    period_code,
    group_name,
    right_number,
    quarter_index,
    areas_expected,
    areas_reporting,
    areas_expected > 0 and areas_reporting = areas_expected as is_complete,
    case
        when areas_expected = 0 then 'not_applicable'
        when areas_reporting = areas_expected then 'reported'
        when areas_not_submitted = areas_expected then 'not_submitted'
        when areas_not_collected = areas_expected then 'not_collected'
        else 'incomplete'
    end as figure_status,
    areas_absent,
    areas_drafted,
    areas_in_use,
    areas_reviewed,
    areas_with_plan
from counted

-- How many areas stand at which grade.
select
    body_kind,
    item_id,
    period_code,
    max(right_number) as right_number,
    max(quarter_index) as quarter_index,
    cast(sum(case when figure_status <> 'not_applicable' then 1 else 0 end) as integer) as areas_expected,
    cast(sum(case when figure_status = 'reported' then 1 else 0 end) as integer) as areas_reporting,
    cast(sum(case when figure_status = 'reported' and lowest_grade = 0 then 1 else 0 end) as integer)
        as areas_absent,
    cast(sum(case when figure_status = 'reported' and lowest_grade = 1 then 1 else 0 end) as integer)
        as areas_drafted,
    cast(sum(case when figure_status = 'reported' and lowest_grade = 2 then 1 else 0 end) as integer)
        as areas_in_use,
    cast(sum(case when figure_status = 'reported' and lowest_grade = 3 then 1 else 0 end) as integer)
        as areas_reviewed
from {{ ref('local_area_delivery') }}
group by body_kind, item_id, period_code

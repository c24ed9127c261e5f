-- For each kind of larger geography, its groups together are the nation: no police area is left out or counted twice.
with national_kinds as (

    select body_kind from {{ ref('body_kinds') }}
    where is_national_force

),

figures as (

    select
        group_kind,
        group_code,
        body_kind,
        metric_id as item_id,
        period_code,
        collection_mode || ', ' || sampling_frame as way,
        areas_expected,
        areas_reporting,
        coalesce(met_count, reported_count, within_limit_count) as numerator_count,
        coalesce(case_count, 0) as base_count
    from {{ ref('national_group_compliance') }}
    union all
    select
        group_kind,
        group_code,
        body_kind,
        question_id as item_id,
        period_code,
        collected_by || ', ' || survey_mode as way,
        areas_expected,
        areas_reporting,
        good_count as numerator_count,
        valid_answer_count as base_count
    from {{ ref('national_group_feedback') }}
    union all
    select
        group_kind,
        group_code,
        body_kind,
        item_id,
        period_code,
        'grades' as way,
        areas_expected,
        areas_reporting,
        areas_with_plan as numerator_count,
        areas_in_use + 2 * areas_reviewed as base_count
    from {{ ref('national_group_delivery') }}
    union all
    select
        group_kind,
        group_code,
        body_kind,
        'right ' || cast(right_number as varchar) as item_id,
        period_code,
        'items' as way,
        areas_expected,
        statistic_areas_complete as areas_reporting,
        statistic_items_reported + feedback_items_reported + delivery_items_reported as numerator_count,
        statistic_items_expected + feedback_items_expected + delivery_items_expected as base_count
    from {{ ref('national_group_rights') }}

),

-- how many areas are expected is said of an item, however it was collected
measures as (

    select distinct
        group_kind,
        group_code,
        body_kind,
        item_id,
        period_code,
        'any' as way,
        areas_expected as area_count,
        0 as numerator_count,
        0 as base_count
    from figures
    union all
    select
        group_kind,
        group_code,
        body_kind,
        item_id,
        period_code,
        way,
        areas_reporting as area_count,
        coalesce(numerator_count, 0) as numerator_count,
        coalesce(base_count, 0) as base_count
    from figures
    -- a right may be partly in where no area is complete
    where areas_reporting > 0 or way = 'items'

),

group_kinds as (

    select distinct group_kind from measures
    where group_kind <> 'nation'

),

summed as (

    select
        group_kind,
        body_kind,
        item_id,
        period_code,
        way,
        sum(area_count) as area_count,
        sum(numerator_count) as numerator_count,
        sum(base_count) as base_count
    from measures
    where group_kind <> 'nation'
    group by group_kind, body_kind, item_id, period_code, way

)

select
    group_kinds.group_kind,
    nation.body_kind,
    nation.item_id,
    nation.period_code,
    nation.way,
    nation.area_count,
    summed.area_count as summed_area_count,
    nation.base_count,
    summed.base_count as summed_base_count
from measures as nation
cross join group_kinds
left join summed
    on
        group_kinds.group_kind = summed.group_kind
        and nation.body_kind = summed.body_kind
        and nation.item_id = summed.item_id
        and nation.period_code = summed.period_code
        and nation.way = summed.way
where
    nation.group_kind = 'nation'
    and nation.body_kind not in (select national_kinds.body_kind from national_kinds)
    and (
        coalesce(summed.area_count, -1) <> nation.area_count
        or coalesce(summed.numerator_count, -1) <> nation.numerator_count
        or coalesce(summed.base_count, -1) <> nation.base_count
    )
union all
-- the national forces are in no group of police areas
select
    measures.group_kind,
    measures.body_kind,
    measures.item_id,
    measures.period_code,
    measures.way,
    measures.area_count,
    null as summed_area_count,
    measures.base_count,
    null as summed_base_count
from measures
inner join national_kinds
    on measures.body_kind = national_kinds.body_kind
where measures.group_kind <> 'nation'

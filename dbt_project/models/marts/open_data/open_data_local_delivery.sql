-- What bodies say of their own processes: grades of organisations, in which no victim is counted.
select
    deliveries.period_code as release_period_code,
    deliveries.period_code,
    quarters.period_label,
    deliveries.body_kind,
    {{ public_area_code("deliveries.pfa_code", "deliveries.body_kind") }} as area_code,
    case when deliveries.pfa_code = 'NAT' then kinds.body_kind_name else deliveries.area_name end as area_name,
    coalesce(areas.region_code, 'K04000001') as region_code,
    coalesce(areas.region_name, 'England and Wales') as region_name,
    deliveries.right_number,
    deliveries.item_id,
    items.definition as item_definition,
    case when deliveries.figure_status = 'reported' then deliveries.lowest_grade end as lowest_grade,
    -- an item that is reported has its grade
    {{ observation_status("deliveries.figure_status", "'value'") }} as obs_status,
    'p' as obs_note
from {{ ref('local_area_delivery') }} as deliveries
inner join {{ ref('int_quarters') }} as quarters
    on deliveries.period_code = quarters.period_code
inner join {{ ref('int_expected_items') }} as items
    on
        deliveries.period_code = items.period_code
        and deliveries.body_kind = items.body_kind
        and deliveries.item_id = items.metric_id
inner join {{ ref('body_kinds') }} as kinds
    on deliveries.body_kind = kinds.body_kind
left join {{ ref('areas') }} as areas
    on
        deliveries.pfa_code = areas.pfa_code
        and areas.area_kind = 'police_area'
        and {{ in_force('areas', 'quarters.last_day') }}

-- Which areas a published total or benchmark adds up, so that anybody can add them up again.
with areas as (

    select
        quarters.period_code,
        areas.pfa_code,
        areas.area_name
    from {{ ref('int_quarters') }} as quarters
    inner join {{ ref('areas') }} as areas
        on
            areas.area_kind = 'police_area'
            and {{ in_force('areas', 'quarters.last_day') }}

),

larger_geographies as (

    select
        area_groups.period_code,
        area_groups.group_kind,
        area_groups.group_code,
        area_groups.group_name,
        area_groups.pfa_code,
        area_groups.is_combined
    from {{ ref('int_area_groups') }} as area_groups

),

like_areas as (

    select
        peers.period_code,
        'like_areas' as group_kind,
        peers.pfa_code as group_code,
        'Areas like ' || areas.area_name as group_name,
        peers.peer_pfa_code as pfa_code,
        false as is_combined
    from {{ ref('int_like_areas') }} as peers
    inner join areas
        on
            peers.period_code = areas.period_code
            and peers.pfa_code = areas.pfa_code

),

area_groups as (

    select * from larger_geographies
    union all
    select * from like_areas

)

select
    area_groups.period_code as release_period_code,
    area_groups.period_code,
    area_groups.group_kind,
    area_groups.group_code,
    area_groups.group_name,
    area_groups.pfa_code as area_code,
    areas.area_name,
    area_groups.is_combined
from area_groups
-- the two national forces stand in no group of areas
inner join areas
    on
        area_groups.period_code = areas.period_code
        and area_groups.pfa_code = areas.pfa_code

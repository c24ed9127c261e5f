-- The larger geographies of each quarter. Where an area is divided between two groups and its figures are known only
-- for the whole of it, the groups stand as one: so every area stands in one group of each kind, and is counted once.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

areas as (

    select
        quarters.period_code,
        areas.pfa_code,
        areas.area_kind,
        areas.country_code,
        areas.country_name
    from quarters
    inner join {{ ref('areas') }} as areas
        on {{ in_force('areas', 'quarters.last_day') }}

),

bridged as (

    select
        areas.period_code,
        bridges.bridge as group_kind,
        bridges.group_code,
        bridges.group_name,
        areas.pfa_code
    from quarters
    inner join {{ ref('area_bridges') }} as bridges
        on {{ in_force('bridges', 'quarters.last_day') }}
    inner join areas
        on
            quarters.period_code = areas.period_code
            and bridges.pfa_code = areas.pfa_code

),

-- groups that share an area, named after the first of them
linked as (

    select
        bridged.period_code,
        bridged.group_kind,
        bridged.group_code,
        max(bridged.group_name) as group_name,
        min(sharing.group_code) as first_group_code
    from bridged
    inner join bridged as sharing
        on
            bridged.period_code = sharing.period_code
            and bridged.group_kind = sharing.group_kind
            and bridged.pfa_code = sharing.pfa_code
    group by bridged.period_code, bridged.group_kind, bridged.group_code

),

combined as (

    select
        period_code,
        group_kind,
        first_group_code,
        {{ sorted_list("group_code", "group_code", "+") }} as group_code,
        {{ sorted_list("group_name", "group_code", " and ") }} as group_name,
        count(*) > 1 as is_combined
    from linked
    group by period_code, group_kind, first_group_code

),

in_bridges as (

    select distinct
        bridged.period_code,
        bridged.group_kind,
        combined.group_code,
        combined.group_name,
        bridged.pfa_code,
        combined.is_combined
    from bridged
    inner join linked
        on
            bridged.period_code = linked.period_code
            and bridged.group_kind = linked.group_kind
            and bridged.group_code = linked.group_code
    inner join combined
        on
            linked.period_code = combined.period_code
            and linked.group_kind = combined.group_kind
            and linked.first_group_code = combined.first_group_code

),

in_countries as (

    select
        period_code,
        'country' as group_kind,
        country_code as group_code,
        country_name as group_name,
        pfa_code,
        false as is_combined
    from areas
    where area_kind = 'police_area'

),

-- the national forces stand in no group of police areas; in the nation they are kinds of body of their own
in_nation as (

    select
        period_code,
        'nation' as group_kind,
        'K04000001' as group_code,
        'England and Wales' as group_name,
        pfa_code,
        false as is_combined
    from areas

),

unioned as (

    select * from in_bridges
    union all
    select * from in_countries
    union all
    select * from in_nation

)

select
    period_code,
    group_kind,
    pfa_code,
    group_code,
    group_name,
    is_combined
from unioned

-- Like areas of each quarter; an area without a list of its own is compared with all others.
with rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

areas as (

    select
        rules.period_code,
        areas.pfa_code
    from rules
    inner join {{ ref('areas') }} as areas
        on
            areas.area_kind = 'police_area'
            and {{ in_force('areas', 'rules.last_day') }}

),

listed as (

    select
        rules.period_code,
        peers.pfa_code,
        peers.peer_pfa_code
    from rules
    inner join {{ ref('similar_areas') }} as peers
        on
            rules.peer_set = peers.peer_set
            and {{ in_force('peers', 'rules.last_day') }}

),

unlisted as (

    select
        areas.period_code,
        areas.pfa_code,
        other_areas.pfa_code as peer_pfa_code
    from areas
    inner join areas as other_areas
        on
            areas.period_code = other_areas.period_code
            and areas.pfa_code <> other_areas.pfa_code
    where not exists (
        select 1 from listed
        where
            listed.period_code = areas.period_code
            and listed.pfa_code = areas.pfa_code
    )

)

select
    period_code,
    pfa_code,
    peer_pfa_code
from listed
union all
select
    period_code,
    pfa_code,
    peer_pfa_code
from unlisted

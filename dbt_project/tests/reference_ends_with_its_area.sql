-- What is said of an area holds only while the area does, and an area that takes over starts on the day after: so that
-- after a merger nothing is expected of the old area, and nothing is counted twice. A changed area has a new code.
with areas as (

    select * from {{ ref('areas') }}

),

lives as (

    select
        pfa_code,
        min(valid_from) as first_day,
        -- open while one of its rows is
        case when count(*) = count(valid_to) then max(valid_to) end as last_day
    from areas
    group by pfa_code

),

dated as (

    {% for name, column in [
        ("area_bridges", "pfa_code"), ("body_areas", "pfa_code"), ("body_kind_areas", "pfa_code"),
        ("local_policing_bodies", "pfa_code"), ("sender_bodies", "pfa_code"), ("similar_areas", "pfa_code"),
        ("similar_areas", "peer_pfa_code"), ("youth_offending_teams", "pfa_code"),
    ] -%}
        select
            '{{ name }}' as reference_table,
            {{ column }} as pfa_code,
            valid_from,
            valid_to
        from {{ ref(name) }}
        where {{ column }} <> 'ALL'
        {%- if not loop.last %}
            union all
        {% endif -%}
    {% endfor %}

),

bodies as (

    select
        'body_areas of a body' as reference_table,
        body_areas.pfa_code,
        body_areas.valid_from,
        body_areas.valid_to
    from {{ ref('body_areas') }} as body_areas
    inner join {{ ref('bodies') }} as bodies
        on body_areas.body_code = bodies.body_code
    where
        body_areas.valid_from < bodies.valid_from
        or (bodies.valid_to is not null and (body_areas.valid_to is null or body_areas.valid_to > bodies.valid_to))

)

select
    dated.reference_table,
    dated.pfa_code,
    dated.valid_from,
    dated.valid_to,
    'outlives or precedes its area' as fault
from dated
left join lives
    on dated.pfa_code = lives.pfa_code
where
    lives.pfa_code is null
    or dated.valid_from < lives.first_day
    or (lives.last_day is not null and (dated.valid_to is null or dated.valid_to > lives.last_day))
union all
select
    reference_table,
    pfa_code,
    valid_from,
    valid_to,
    'outlives or precedes its body' as fault
from bodies
union all
select
    'areas' as reference_table,
    areas.pfa_code,
    areas.valid_from,
    areas.valid_to,
    'its successor does not start on the day after' as fault
from areas
left join lives as successors
    on areas.successor_pfa_code = successors.pfa_code
where
    areas.successor_pfa_code is not null
    and (
        areas.valid_to is null
        or successors.first_day is null
        or {{ days_between("areas.valid_to", "successors.first_day") }} <> 1
    )

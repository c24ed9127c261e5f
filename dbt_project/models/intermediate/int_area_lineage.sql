-- Which areas of earlier days an area in force stands for: itself, and those it took over from, over as many
-- mergers as are followed here. A sum over these, in any earlier quarter, is the figure of the same ground.
{%- set generations = 5 %}
with quarters as (

    select * from {{ ref('int_quarters') }}

),

areas as (

    select * from {{ ref('areas') }}

),

predecessors as (

    select
        pfa_code,
        successor_pfa_code,
        valid_to as last_day
    from areas
    where successor_pfa_code is not null

),

generation_0 as (

    select
        quarters.period_code,
        quarters.last_day,
        areas.pfa_code,
        areas.pfa_code as ancestor_pfa_code
    from quarters
    inner join areas
        on {{ in_force('areas', 'quarters.last_day') }}

),

{% for generation in range(1, generations + 1) -%}
    generation_{{ generation }} as (

        select distinct
            descendants.period_code,
            descendants.last_day,
            descendants.pfa_code,
            predecessors.pfa_code as ancestor_pfa_code
        from generation_{{ generation - 1 }} as descendants
        inner join predecessors
            on
                descendants.ancestor_pfa_code = predecessors.successor_pfa_code
                and descendants.last_day > predecessors.last_day

    ),

{% endfor -%}

unioned as (

    {% for generation in range(generations + 1) -%}
        select
            period_code,
            pfa_code,
            ancestor_pfa_code,
            {{ generation }} as generations_back
        from generation_{{ generation }}
        {%- if not loop.last %}
            union all
        {% endif -%}
    {% endfor %}

)

select
    period_code,
    pfa_code,
    ancestor_pfa_code,
    cast(min(generations_back) as integer) as generations_back
from unioned
group by period_code, pfa_code, ancestor_pfa_code

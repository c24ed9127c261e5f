-- How much of each kind of information about a right is in, over the areas of a larger geography.
{%- set kinds = ["statistic", "feedback", "delivery"] %}
with area_groups as (

    select * from {{ ref('int_area_groups') }}

),

summed as (

    select
        area_groups.group_kind,
        area_groups.group_code,
        local_rights.body_kind,
        local_rights.right_number,
        local_rights.period_code,
        max(area_groups.group_name) as group_name,
        max(local_rights.right_title) as right_title,
        max(local_rights.quarter_index) as quarter_index,
        cast(count(case when local_rights.statistic_status <> 'not_applicable' then 1 end) as integer)
            as areas_expected,
        {% for kind in kinds -%}
            cast(count(case when local_rights.{{ kind }}_status = 'complete' then 1 end) as integer)
                as {{ kind }}_areas_complete,
            count(case when local_rights.{{ kind }}_status = 'not_submitted' then 1 end) as {{ kind }}_not_submitted,
            count(case when local_rights.{{ kind }}_status = 'not_collected' then 1 end) as {{ kind }}_not_collected,
            cast(sum(local_rights.{{ kind }}_items_expected) as integer) as {{ kind }}_items_expected,
            cast(sum(local_rights.{{ kind }}_items_reported) as integer) as {{ kind }}_items_reported
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('local_area_rights') }} as local_rights
    inner join area_groups
        on
            local_rights.period_code = area_groups.period_code
            and local_rights.pfa_code = area_groups.pfa_code
    group by
        area_groups.group_kind, area_groups.group_code, local_rights.body_kind, local_rights.right_number,
        local_rights.period_code

)

select
    group_kind,
    group_code,
    body_kind,
    right_number,
    period_code,
    group_name,
    right_title,
    quarter_index,
    areas_expected,
    {% for kind in kinds -%}
        {{ kind }}_areas_complete,
        {{ kind }}_items_expected,
        {{ kind }}_items_reported,
        {{ rate(kind ~ "_items_reported", kind ~ "_items_expected") }} as {{ kind }}_completeness,
        case
            when areas_expected = 0 then 'not_applicable'
            when {{ kind }}_items_expected = 0 then 'not_collected_by_design'
            when {{ kind }}_items_reported = {{ kind }}_items_expected then 'complete'
            when {{ kind }}_not_submitted = areas_expected then 'not_submitted'
            when {{ kind }}_not_collected = areas_expected then 'not_collected'
            else 'partly'
        end as {{ kind }}_status
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from summed

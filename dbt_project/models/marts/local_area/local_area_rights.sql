-- Every right in force beside every kind of body and area, with how much of each kind of information is there. A right
-- is never one number: the texts name each item with its own figure.
{%- set kinds = ["statistic", "feedback", "delivery"] %}
with coverage as (

    select * from {{ ref('int_reporting_coverage') }}

),

quarters as (

    select * from {{ ref('int_quarters') }}

),

figures as (

    select * from {{ ref('local_area_right_items') }}

),

-- an item is in if one way of collecting it gave a complete figure
items as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        information,
        item_id,
        max(case when figure_status = 'reported' then 1 else 0 end) as is_reported,
        min(case when figure_status = 'not_submitted' then 1 else 0 end) as is_not_submitted,
        min(case when figure_status = 'not_collected' then 1 else 0 end) as is_not_collected,
        min(next_step_due_on) as next_step_due_on
    from figures
    where figure_status <> 'not_applicable'
    group by body_kind, pfa_code, right_number, period_code, information, item_id

),

counted as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        {% for kind in kinds -%}
            sum(case when information = '{{ kind }}' then 1 else 0 end) as {{ kind }}_items,
            sum(case when information = '{{ kind }}' then is_reported else 0 end) as {{ kind }}_reported,
            sum(case when information = '{{ kind }}' then is_not_submitted else 0 end) as {{ kind }}_not_submitted,
            sum(case when information = '{{ kind }}' then is_not_collected else 0 end) as {{ kind }}_not_collected,
        {% endfor -%}
        min(next_step_due_on) as next_step_due_on
    from items
    group by body_kind, pfa_code, right_number, period_code

),

worded as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        information,
        item_id,
        collection_mode,
        sampling_frame,
        item_id || ': '
        || case
            when figure_status <> 'reported' then replace(figure_status, '_', ' ')
            when information = 'delivery' then 'grade ' || cast(lowest_grade as varchar)
            when base_count is not null
                then cast(numerator_count as varchar) || ' of ' || cast(base_count as varchar)
            when reported_count is not null then cast(reported_count as varchar)
            else
                cast(coalesce(within_limit_count, 0) as varchar) || ' in time, '
                || cast(coalesce(short_delay_count, 0) as varchar) || ' a little late, '
                || cast(coalesce(long_delay_count, 0) as varchar) || ' very late'
        end as item_words
    from figures
    where figure_status <> 'not_applicable'

),

summaries as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        information,
        {{ sorted_list("item_words", "item_id, collection_mode, sampling_frame") }} as summary_text
    from worded
    group by body_kind, pfa_code, right_number, period_code, information

),

joined as (

    select
        coverage.body_kind,
        coverage.pfa_code,
        rights.right_number,
        coverage.period_code,
        areas.area_name,
        rights.right_title,
        coverage.quarter_index,
        coverage.applicability,
        coverage.senders_expected,
        coverage.senders_received,
        {% for kind in kinds -%}
            cast(coalesce(counted.{{ kind }}_items, 0) as integer) as {{ kind }}_items_expected,
            cast(coalesce(counted.{{ kind }}_reported, 0) as integer) as {{ kind }}_items_reported,
            coalesce(counted.{{ kind }}_not_submitted, 0) as {{ kind }}_not_submitted,
            coalesce(counted.{{ kind }}_not_collected, 0) as {{ kind }}_not_collected,
            {{ kind }}_summaries.summary_text as {{ kind }}_summary,
        {% endfor -%}
        counted.next_step_due_on
    from coverage
    inner join quarters
        on coverage.period_code = quarters.period_code
    inner join {{ ref('rights') }} as rights
        on {{ in_force('rights', 'quarters.last_day') }}
    inner join {{ ref('areas') }} as areas
        on
            coverage.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'quarters.last_day') }}
    left join counted
        on
            coverage.body_kind = counted.body_kind
            and coverage.pfa_code = counted.pfa_code
            and rights.right_number = counted.right_number
            and coverage.period_code = counted.period_code
    {%- for kind in kinds %}
        left join summaries as {{ kind }}_summaries
            on
                {{ kind }}_summaries.information = '{{ kind }}'
                and coverage.body_kind = {{ kind }}_summaries.body_kind
                and coverage.pfa_code = {{ kind }}_summaries.pfa_code
                and rights.right_number = {{ kind }}_summaries.right_number
                and coverage.period_code = {{ kind }}_summaries.period_code
    {%- endfor %}

)

select
    body_kind,
    pfa_code,
    right_number,
    period_code,
    area_name,
    right_title,
    quarter_index,
    senders_expected,
    senders_received,
    {% for kind in kinds -%}
        {{ kind }}_items_expected,
        {{ kind }}_items_reported,
        {{ rate(kind ~ "_items_reported", kind ~ "_items_expected") }} as {{ kind }}_completeness,
        case
            when applicability = 'not_applicable' then 'not_applicable'
            when {{ kind }}_items_expected = 0 then 'not_collected_by_design'
            when {{ kind }}_items_reported = {{ kind }}_items_expected then 'complete'
            when {{ kind }}_not_submitted = {{ kind }}_items_expected then 'not_submitted'
            when {{ kind }}_not_collected = {{ kind }}_items_expected then 'not_collected'
            else 'partly'
        end as {{ kind }}_status,
        {{ kind }}_summary,
    {% endfor -%}
    next_step_due_on
from joined

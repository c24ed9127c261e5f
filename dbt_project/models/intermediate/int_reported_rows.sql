{{ config(materialized='view') }}
-- Every row with a figure of every accepted return, in one shape, replaced returns included. A view: with breakdowns
-- it is a million rows, which nobody reads but for the few that make up one figure.
select
    metric_rows.receipt_id,
    'metrics' as sheet,
    metric_rows.sheet_row,
    'statistic' as information,
    'own' as collected_by,
    metric_rows.body_code,
    metric_rows.pfa_code,
    metric_rows.metric_id as item_id,
    metric_rows.crime_type,
    metric_rows.characteristic,
    metric_rows.characteristic_value,
    metric_rows.is_total,
    metric_rows.collection_mode,
    metric_rows.sampling_frame,
    cast(metric_rows.met_count as bigint) as met_count,
    cast(metric_rows.not_met_count as bigint) as not_met_count,
    cast(metric_rows.not_suitable_count as bigint) as not_suitable_count,
    cast(metric_rows.declined_count as bigint) as declined_count,
    cast(metric_rows.unknown_count as bigint) as unknown_count,
    cast(metric_rows.reported_count as bigint) as reported_count,
    cast(metric_rows.within_limit_count as bigint) as within_limit_count,
    cast(metric_rows.short_delay_count as bigint) as short_delay_count,
    cast(metric_rows.long_delay_count as bigint) as long_delay_count,
    cast(null as bigint) as invited_count,
    cast(null as bigint) as positive_answer_count,
    cast(null as bigint) as valid_answer_count,
    cast(null as bigint) as not_applicable_count,
    cast(null as bigint) as dont_know_count,
    cast(null as integer) as grade,
    cast(null as boolean) as has_improvement_plan,
    cast(null as date) as next_step_due_on,
    metric_rows.note
from {{ ref('stg_quarterly_metrics') }} as metric_rows
where metric_rows.not_collected_reason is null
{%- for model, collected_by in [('stg_quarterly_feedback', 'own'), ('stg_feedback_answers', 'survey')] %}
    union all
    select
        answer_rows.receipt_id,
        'feedback' as sheet,
        answer_rows.sheet_row,
        'feedback' as information,
        '{{ collected_by }}' as collected_by,
        answer_rows.body_code,
        answer_rows.pfa_code,
        answer_rows.question_id as item_id,
        answer_rows.crime_type,
        answer_rows.characteristic,
        answer_rows.characteristic_value,
        answer_rows.is_total,
        answer_rows.survey_mode as collection_mode,
        'none' as sampling_frame,
        cast(null as bigint) as met_count,
        cast(null as bigint) as not_met_count,
        cast(null as bigint) as not_suitable_count,
        cast(null as bigint) as declined_count,
        cast(null as bigint) as unknown_count,
        cast(null as bigint) as reported_count,
        cast(null as bigint) as within_limit_count,
        cast(null as bigint) as short_delay_count,
        cast(null as bigint) as long_delay_count,
        cast(answer_rows.invited_count as bigint) as invited_count,
        case
            when answer_rows.response_set = 'five_point'
                then cast(answer_rows.very_good_count + answer_rows.good_count as bigint)
            else cast(answer_rows.yes_count as bigint)
        end as positive_answer_count,
        case
            when answer_rows.response_set = 'five_point'
                then cast(
                    answer_rows.very_good_count + answer_rows.good_count + answer_rows.neither_count
                    + answer_rows.poor_count + answer_rows.very_poor_count as bigint
                )
            else cast(answer_rows.yes_count + answer_rows.no_count as bigint)
        end as valid_answer_count,
        cast(answer_rows.not_applicable_count as bigint) as not_applicable_count,
        cast(answer_rows.dont_know_count as bigint) as dont_know_count,
        cast(null as integer) as grade,
        cast(null as boolean) as has_improvement_plan,
        cast(null as date) as next_step_due_on,
        answer_rows.note
    from {{ ref(model) }} as answer_rows
{%- endfor %}
union all
select
    item_rows.receipt_id,
    'delivery' as sheet,
    item_rows.sheet_row,
    'delivery' as information,
    'own' as collected_by,
    item_rows.body_code,
    item_rows.pfa_code,
    item_rows.item_id,
    'ALL' as crime_type,
    'ALL' as characteristic,
    'ALL' as characteristic_value,
    true as is_total,
    'none' as collection_mode,
    'none' as sampling_frame,
    cast(null as bigint) as met_count,
    cast(null as bigint) as not_met_count,
    cast(null as bigint) as not_suitable_count,
    cast(null as bigint) as declined_count,
    cast(null as bigint) as unknown_count,
    cast(null as bigint) as reported_count,
    cast(null as bigint) as within_limit_count,
    cast(null as bigint) as short_delay_count,
    cast(null as bigint) as long_delay_count,
    cast(null as bigint) as invited_count,
    cast(null as bigint) as positive_answer_count,
    cast(null as bigint) as valid_answer_count,
    cast(null as bigint) as not_applicable_count,
    cast(null as bigint) as dont_know_count,
    cast(item_rows.grade as integer) as grade,
    item_rows.improvement_plan is not null as has_improvement_plan,
    item_rows.next_step_due_on,
    cast(null as varchar) as note
from {{ ref('stg_quarterly_delivery') }} as item_rows

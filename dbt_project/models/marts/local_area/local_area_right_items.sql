-- Statistics, feedback and delivery items of a right in one shape, so that they can be printed beside each other.
with items as (

    select * from {{ ref('int_expected_items') }}

),

-- plans and steps as the bodies wrote them; an area of many bodies has several
delivery_rows as (

    select
        due_returns.body_kind,
        due_returns.pfa_code,
        item_rows.item_id,
        due_returns.period_code,
        item_rows.improvement_plan,
        item_rows.next_step
    from {{ ref('int_expected_returns') }} as due_returns
    inner join {{ ref('stg_quarterly_delivery') }} as item_rows
        on
            due_returns.receipt_id = item_rows.receipt_id
            and due_returns.body_code = item_rows.body_code
            and due_returns.pfa_code = item_rows.pfa_code

),

{% for text in ["improvement_plan", "next_step"] -%}
    {{ text }}s as (

        select
            body_kind,
            pfa_code,
            item_id,
            period_code,
            {{ sorted_list(text, text) }} as {{ text }}
        from (
            select distinct
                body_kind,
                pfa_code,
                item_id,
                period_code,
                {{ text }}
            from delivery_rows
            where {{ text }} is not null
        ) as texts
        group by body_kind, pfa_code, item_id, period_code

    ),

{% endfor -%}
statistics as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        'statistic' as information,
        metric_id as item_id,
        collection_mode,
        sampling_frame,
        area_name,
        quarter_index,
        figure_status,
        not_collected_reason,
        met_count as numerator_count,
        case_count as base_count,
        compliance_rate as item_rate,
        rate_lower,
        rate_upper,
        reported_count,
        within_limit_count,
        short_delay_count,
        long_delay_count,
        cast(null as integer) as lowest_grade,
        cast(null as boolean) as has_improvement_plan,
        cast(null as varchar) as improvement_plan,
        cast(null as varchar) as next_step,
        cast(null as date) as next_step_due_on
    from {{ ref('local_area_compliance') }}

),

feedback as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        'feedback' as information,
        question_id as item_id,
        survey_mode as collection_mode,
        'none' as sampling_frame,
        area_name,
        quarter_index,
        figure_status,
        not_collected_reason,
        good_count as numerator_count,
        valid_answer_count as base_count,
        good_rate as item_rate,
        rate_lower,
        rate_upper,
        cast(null as bigint) as reported_count,
        cast(null as bigint) as within_limit_count,
        cast(null as bigint) as short_delay_count,
        cast(null as bigint) as long_delay_count,
        cast(null as integer) as lowest_grade,
        cast(null as boolean) as has_improvement_plan,
        cast(null as varchar) as improvement_plan,
        cast(null as varchar) as next_step,
        cast(null as date) as next_step_due_on
    from {{ ref('local_area_feedback') }}

),

delivery as (

    select
        assessments.body_kind,
        assessments.pfa_code,
        assessments.right_number,
        assessments.period_code,
        'delivery' as information,
        assessments.item_id,
        'none' as collection_mode,
        'none' as sampling_frame,
        assessments.area_name,
        assessments.quarter_index,
        assessments.figure_status,
        cast(null as varchar) as not_collected_reason,
        cast(null as bigint) as numerator_count,
        cast(null as bigint) as base_count,
        cast(null as double) as item_rate,
        cast(null as double) as rate_lower,
        cast(null as double) as rate_upper,
        cast(null as bigint) as reported_count,
        cast(null as bigint) as within_limit_count,
        cast(null as bigint) as short_delay_count,
        cast(null as bigint) as long_delay_count,
        assessments.lowest_grade,
        assessments.has_improvement_plan,
        improvement_plans.improvement_plan,
        next_steps.next_step,
        assessments.next_step_due_on
    from {{ ref('local_area_delivery') }} as assessments
    left join improvement_plans
        on
            assessments.body_kind = improvement_plans.body_kind
            and assessments.pfa_code = improvement_plans.pfa_code
            and assessments.item_id = improvement_plans.item_id
            and assessments.period_code = improvement_plans.period_code
    left join next_steps
        on
            assessments.body_kind = next_steps.body_kind
            and assessments.pfa_code = next_steps.pfa_code
            and assessments.item_id = next_steps.item_id
            and assessments.period_code = next_steps.period_code

),

unioned as (

    select * from statistics
    union all
    select * from feedback
    union all
    select * from delivery

)

select
    unioned.body_kind,
    unioned.pfa_code,
    unioned.right_number,
    unioned.period_code,
    unioned.information,
    unioned.item_id,
    unioned.collection_mode,
    unioned.sampling_frame,
    unioned.area_name,
    unioned.quarter_index,
    items.metric_version,
    items.definition,
    items.unit,
    items.response_set,
    items.polarity,
    unioned.figure_status,
    unioned.not_collected_reason,
    unioned.numerator_count,
    unioned.base_count,
    unioned.item_rate,
    unioned.rate_lower,
    unioned.rate_upper,
    unioned.reported_count,
    unioned.within_limit_count,
    unioned.short_delay_count,
    unioned.long_delay_count,
    unioned.lowest_grade,
    unioned.has_improvement_plan,
    unioned.improvement_plan,
    unioned.next_step,
    unioned.next_step_due_on
from unioned
inner join items
    on
        unioned.period_code = items.period_code
        and unioned.body_kind = items.body_kind
        and unioned.item_id = items.metric_id

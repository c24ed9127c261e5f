-- Each offence group and each group of victims beside the rest of England and Wales: sums over the areas whose
-- figures are complete; what bodies and the survey collected is never one sum.
with rules as (

    select * from {{ ref('int_benchmark_rules') }}

),

summed as (

    select
        body_kind,
        information,
        item_id,
        period_code,
        breakdown,
        breakdown_value,
        collection_mode,
        sampling_frame,
        metric_version,
        collected_by,
        max(right_number) as right_number,
        max(polarity) as polarity,
        max(quarter_index) as quarter_index,
        max(case when is_unknown_value then 1 else 0 end) = 1 as is_unknown_value,
        cast(count(distinct pfa_code) as integer) as areas_in_group,
        cast(sum(good_count) as bigint) as good_count,
        cast(sum(base_count) as bigint) as base_count,
        {{ stable("sum(effective_count)", 6) }} as effective_count
    from {{ ref('int_proportions') }}
    where not is_total
    group by
        body_kind, information, item_id, period_code, breakdown, breakdown_value, collection_mode, sampling_frame,
        metric_version, collected_by

),

figures as (

    select
        summed.*,
        rules.period_kind,
        rules.window_periods,
        rules.breakdown_n_min,
        rules.interval_z,
        summed.body_kind || '|' || summed.item_id || '|v' || cast(summed.metric_version as varchar) || '|'
        || summed.collection_mode || '|' || summed.sampling_frame || '|' || summed.collected_by as series_id
    from summed
    inner join rules
        on summed.period_code = rules.period_code

),

{{ disparity_steps("figures") }}

select
    figures.body_kind,
    figures.information,
    figures.item_id,
    figures.period_code,
    figures.breakdown,
    figures.breakdown_value,
    figures.collection_mode,
    figures.sampling_frame,
    figures.collected_by,
    figures.right_number,
    figures.metric_version,
    figures.polarity,
    figures.quarter_index,
    figures.series_id,
    figures.is_unknown_value,
    figures.areas_in_group,
    figures.good_count,
    figures.base_count,
    {{ rate("figures.good_count", "figures.base_count") }} as good_rate,
    disparities.rate_lower,
    disparities.rate_upper,
    disparities.unknown_share,
    disparities.compared_over,
    disparities.compared_period_count,
    disparities.group_good_count,
    disparities.group_base_count,
    disparities.group_rate,
    disparities.rest_good_count,
    disparities.rest_base_count,
    disparities.rest_rate,
    disparities.rate_difference,
    disparities.difference_lower,
    disparities.difference_upper,
    disparities.disparity
from figures
inner join disparities
    on
        figures.series_id = disparities.series_id
        and figures.period_code = disparities.period_code
        and figures.breakdown = disparities.breakdown
        and figures.breakdown_value = disparities.breakdown_value

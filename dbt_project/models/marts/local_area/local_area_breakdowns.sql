-- Each offence group and each group of victims beside the rest of its area.
with rules as (

    select * from {{ ref('int_benchmark_rules') }}

),

figures as (

    select
        proportions.*,
        rules.period_kind,
        rules.last_day,
        rules.window_periods,
        rules.breakdown_n_min,
        rules.interval_z
    from {{ ref('int_proportions') }} as proportions
    inner join rules
        on proportions.period_code = rules.period_code
    where not proportions.is_total

),

{{ disparity_steps("figures") }}

select
    figures.body_kind,
    figures.pfa_code,
    figures.information,
    figures.item_id,
    figures.period_code,
    figures.breakdown,
    figures.breakdown_value,
    figures.collection_mode,
    figures.sampling_frame,
    figures.collected_by,
    areas.area_name,
    figures.right_number,
    figures.metric_version,
    figures.polarity,
    figures.quarter_index,
    figures.series_id,
    figures.is_unknown_value,
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
inner join {{ ref('areas') }} as areas
    on
        figures.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'figures.last_day') }}

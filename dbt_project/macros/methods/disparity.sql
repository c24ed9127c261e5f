{#- Steps of a `with` that end in `disparities`: each group of a breakdown against the rest, which is the other values
    of the same breakdown added up, those not known apart. One row a row of `figures`, which has series_id, period_code,
    period_kind, quarter_index, breakdown, breakdown_value, is_unknown_value, good_count, base_count, effective_count,
    and the rules breakdown_n_min, window_periods and interval_z. Where the group or the rest has fewer cases than the
    limit, both are added up over the window, within one series. -#}
{% macro disparity_steps(figures) -%}
known_values as (

    select
        series_id,
        period_code,
        breakdown,
        max(period_kind) as period_kind,
        max(quarter_index) as quarter_index,
        max(window_periods) as window_periods,
        sum(base_count) as all_base_count,
        sum(case when is_unknown_value then base_count else 0 end) as unknown_base_count,
        sum(case when is_unknown_value then 0 else good_count end) as good_count,
        sum(case when is_unknown_value then 0 else base_count end) as base_count,
        {{ stable("sum(case when is_unknown_value then 0.0 else effective_count end)", 6) }} as effective_count
    from {{ figures }}
    group by series_id, period_code, breakdown

),

known_in_window as (

    select
        ends.series_id,
        ends.period_code,
        ends.breakdown,
        cast(count(*) as integer) as period_count,
        sum(held.good_count) as good_count,
        sum(held.base_count) as base_count,
        {{ stable("sum(held.effective_count)", 6) }} as effective_count
    from known_values as ends
    inner join known_values as held
        on
            ends.series_id = held.series_id
            and ends.breakdown = held.breakdown
            and ends.period_kind = held.period_kind
            and held.quarter_index <= ends.quarter_index
            and held.quarter_index > ends.quarter_index - ends.window_periods
    where held.base_count > 0
    group by ends.series_id, ends.period_code, ends.breakdown

),

sized as (

    select
        figures.series_id,
        figures.period_code,
        figures.period_kind,
        figures.quarter_index,
        figures.breakdown,
        figures.breakdown_value,
        figures.is_unknown_value,
        figures.good_count,
        figures.base_count,
        figures.effective_count,
        figures.window_periods,
        figures.interval_z,
        known_values.good_count - figures.good_count as rest_good_count,
        known_values.base_count - figures.base_count as rest_base_count,
        {{ stable("known_values.effective_count - figures.effective_count", 6) }} as rest_effective_count,
        {{ rate("known_values.unknown_base_count", "known_values.all_base_count") }} as unknown_share,
        not figures.is_unknown_value
        and (
            figures.base_count < figures.breakdown_n_min
            or known_values.base_count - figures.base_count < figures.breakdown_n_min
        ) as is_small
    from {{ figures }} as figures
    inner join known_values
        on
            figures.series_id = known_values.series_id
            and figures.period_code = known_values.period_code
            and figures.breakdown = known_values.breakdown

),

pooled as (

    select
        sized.series_id,
        sized.period_code,
        sized.breakdown,
        sized.breakdown_value,
        sum(held.good_count) as good_count,
        sum(held.base_count) as base_count,
        {{ stable("sum(held.effective_count)", 6) }} as effective_count
    from sized
    inner join {{ figures }} as held
        on
            sized.series_id = held.series_id
            and sized.breakdown = held.breakdown
            and sized.breakdown_value = held.breakdown_value
            and sized.period_kind = held.period_kind
            and held.quarter_index <= sized.quarter_index
            and held.quarter_index > sized.quarter_index - sized.window_periods
    where sized.is_small
    group by sized.series_id, sized.period_code, sized.breakdown, sized.breakdown_value

),

sides as (

    select
        sized.series_id,
        sized.period_code,
        sized.breakdown,
        sized.breakdown_value,
        sized.good_count,
        sized.base_count,
        sized.effective_count,
        sized.unknown_share,
        sized.interval_z,
        'four_quarters' as compared_over,
        known_in_window.period_count as compared_period_count,
        pooled.good_count as group_good_count,
        pooled.base_count as group_base_count,
        pooled.effective_count as group_effective_count,
        known_in_window.good_count - pooled.good_count as rest_good_count,
        known_in_window.base_count - pooled.base_count as rest_base_count,
        {{ stable("known_in_window.effective_count - pooled.effective_count", 6) }} as rest_effective_count
    from sized
    inner join pooled
        on
            sized.series_id = pooled.series_id
            and sized.period_code = pooled.period_code
            and sized.breakdown = pooled.breakdown
            and sized.breakdown_value = pooled.breakdown_value
    inner join known_in_window
        on
            sized.series_id = known_in_window.series_id
            and sized.period_code = known_in_window.period_code
            and sized.breakdown = known_in_window.breakdown
    union all
    select
        series_id,
        period_code,
        breakdown,
        breakdown_value,
        good_count,
        base_count,
        effective_count,
        unknown_share,
        interval_z,
        case
            when is_unknown_value then null
            when period_kind = 'half' then 'half_year'
            else period_kind
        end as compared_over,
        case when not is_unknown_value then 1 end as compared_period_count,
        case when not is_unknown_value then good_count end as group_good_count,
        case when not is_unknown_value then base_count end as group_base_count,
        case when not is_unknown_value then effective_count end as group_effective_count,
        case when not is_unknown_value then rest_good_count end as rest_good_count,
        case when not is_unknown_value then rest_base_count end as rest_base_count,
        case when not is_unknown_value then rest_effective_count end as rest_effective_count
    from sized
    where not is_small

),

effective_sides as (

    select
        sides.*,
        {{ to_double("good_count") }} * effective_count / nullif(base_count, 0) as effective_good_count,
        {{ to_double("group_good_count") }} * group_effective_count / nullif(group_base_count, 0)
            as group_effective_good_count,
        {{ to_double("rest_good_count") }} * rest_effective_count / nullif(rest_base_count, 0)
            as rest_effective_good_count
    from sides

),

bounded as (

    select
        effective_sides.*,
        {{ wilson_bound("effective_good_count", "effective_count", "interval_z", "lower") }} as rate_lower,
        {{ wilson_bound("effective_good_count", "effective_count", "interval_z", "upper") }} as rate_upper,
        {{ rate("group_good_count", "group_base_count") }} as group_rate,
        {{ wilson_bound("group_effective_good_count", "group_effective_count", "interval_z", "lower") }}
            as group_lower,
        {{ wilson_bound("group_effective_good_count", "group_effective_count", "interval_z", "upper") }}
            as group_upper,
        {{ rate("rest_good_count", "rest_base_count") }} as rest_rate,
        {{ wilson_bound("rest_effective_good_count", "rest_effective_count", "interval_z", "lower") }} as rest_lower,
        {{ wilson_bound("rest_effective_good_count", "rest_effective_count", "interval_z", "upper") }} as rest_upper
    from effective_sides

),

differences as (

    select
        series_id,
        period_code,
        breakdown,
        breakdown_value,
        rate_lower,
        rate_upper,
        unknown_share,
        compared_over,
        compared_period_count,
        cast(group_good_count as bigint) as group_good_count,
        cast(group_base_count as bigint) as group_base_count,
        group_rate,
        cast(rest_good_count as bigint) as rest_good_count,
        cast(rest_base_count as bigint) as rest_base_count,
        rest_rate,
        {{ stable("group_rate - rest_rate") }} as rate_difference,
        {{ difference_bound("group_rate", "group_lower", "group_upper", "rest_rate", "rest_lower", "rest_upper",
            "lower") }} as difference_lower,
        {{ difference_bound("group_rate", "group_lower", "group_upper", "rest_rate", "rest_lower", "rest_upper",
            "upper") }} as difference_upper
    from bounded

),

disparities as (

    select
        differences.*,
        {{ difference_in_words("difference_lower", "difference_upper") }} as disparity
    from differences

)
{%- endmacro %}

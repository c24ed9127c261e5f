-- What good looks like, for every complete figure that is scored: four lines, and how many victims lie between.
with rules as (

    select * from {{ ref('int_benchmark_rules') }}

),

figures as (

    select
        proportions.*,
        rules.period_kind
    from {{ ref('int_proportions') }} as proportions
    inner join rules
        on proportions.period_code = rules.period_code
    where
        proportions.is_total
        and proportions.is_scored

),

-- 1. the Code's own standard
standards as (

    select
        rules.period_code,
        code_standards.metric_id,
        code_standards.standard_rate,
        code_standards.basis,
        code_standards.wording
    from {{ ref('code_standards') }} as code_standards
    inner join rules
        on {{ in_force('code_standards', 'rules.last_day') }}

),

-- 2. the achievable benchmark: the best areas that together hold a tenth of the cases
ranked as (

    select
        figures.information,
        figures.body_kind,
        figures.pfa_code,
        figures.item_id,
        figures.period_code,
        figures.metric_version,
        figures.collection_mode,
        figures.sampling_frame,
        figures.collected_by,
        figures.good_count,
        figures.base_count,
        rules.achievable_case_share,
        rules.achievable_areas_min,
        row_number() over (
            partition by
                figures.information, figures.body_kind, figures.item_id, figures.period_code, figures.metric_version,
                figures.collection_mode, figures.sampling_frame, figures.collected_by
            order by
                {{ to_double("figures.good_count + rules.prior_good") }}
                / nullif(figures.base_count + rules.prior_cases, 0) desc nulls last,
                figures.pfa_code
        ) as place,
        count(*) over (
            partition by
                figures.information, figures.body_kind, figures.item_id, figures.period_code, figures.metric_version,
                figures.collection_mode, figures.sampling_frame, figures.collected_by
        ) as area_count,
        sum(figures.base_count) over (
            partition by
                figures.information, figures.body_kind, figures.item_id, figures.period_code, figures.metric_version,
                figures.collection_mode, figures.sampling_frame, figures.collected_by
        ) as all_cases
    from figures
    inner join rules
        on figures.period_code = rules.period_code
    where
        figures.base_count > 0
        -- cases chosen by hand are described; nobody is measured against them
        and figures.collection_mode <> 'purposive_sample'

),

accumulated as (

    select
        ranked.*,
        sum(base_count) over (
            partition by
                information, body_kind, item_id, period_code, metric_version, collection_mode, sampling_frame,
                collected_by
            order by place
            rows between unbounded preceding and current row
        ) - base_count as cases_of_better_areas
    from ranked

),

achievable as (

    select
        accumulated.information,
        accumulated.body_kind,
        accumulated.item_id,
        accumulated.period_code,
        accumulated.metric_version,
        accumulated.collection_mode,
        accumulated.sampling_frame,
        accumulated.collected_by,
        cast(count(*) as integer) as area_count,
        cast(sum(accumulated.good_count) as bigint) as good_count,
        cast(sum(accumulated.base_count) as bigint) as base_count,
        {{ sorted_list("accumulated.pfa_code", "accumulated.pfa_code") }} as pfa_codes,
        {{ sorted_list("areas.area_name", "areas.area_name") }} as area_names
    from accumulated
    inner join rules
        on accumulated.period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on
            accumulated.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}
    where
        accumulated.area_count >= accumulated.achievable_areas_min
        -- an area is taken while those before it do not hold enough
        and accumulated.cases_of_better_areas * 1000000
        < {{ in_millionths("accumulated.achievable_case_share") }} * accumulated.all_cases
    group by
        accumulated.information, accumulated.body_kind, accumulated.item_id, accumulated.period_code,
        accumulated.metric_version, accumulated.collection_mode, accumulated.sampling_frame,
        accumulated.collected_by

),

-- 3. like areas, the area itself left out
peers as (

    select
        figures.series_id,
        figures.period_code,
        peer_figures.pfa_code as peer_pfa_code,
        peer_figures.good_count,
        peer_figures.base_count,
        row_number() over (
            partition by figures.series_id, figures.period_code
            order by
                {{ to_double("peer_figures.good_count") }} / nullif(peer_figures.base_count, 0) nulls last,
                peer_figures.pfa_code
        ) as place,
        count(*) over (partition by figures.series_id, figures.period_code) as peer_count
    from figures
    inner join {{ ref('int_like_areas') }} as like_areas
        on
            figures.period_code = like_areas.period_code
            and figures.pfa_code = like_areas.pfa_code
    inner join figures as peer_figures
        on
            like_areas.peer_pfa_code = peer_figures.pfa_code
            and figures.period_code = peer_figures.period_code
            and figures.information = peer_figures.information
            and figures.body_kind = peer_figures.body_kind
            and figures.item_id = peer_figures.item_id
            and figures.metric_version = peer_figures.metric_version
            and figures.collection_mode = peer_figures.collection_mode
            and figures.sampling_frame = peer_figures.sampling_frame
            and figures.collected_by = peer_figures.collected_by
    where
        peer_figures.base_count > 0
        and peer_figures.pfa_code <> figures.pfa_code

),

like_areas as (

    select
        series_id,
        period_code,
        cast(max(peer_count) as integer) as area_count,
        cast(sum(good_count) as bigint) as good_count,
        cast(sum(base_count) as bigint) as base_count,
        min({{ rate("good_count", "base_count") }}) as lowest_rate,
        max({{ rate("good_count", "base_count") }}) as highest_rate,
        -- the middle one, or the middle two of an even number
        max(case when place = floor((peer_count + 1) / 2.0) then good_count end) as low_good_count,
        max(case when place = floor((peer_count + 1) / 2.0) then base_count end) as low_base_count,
        max(case when place = ceil((peer_count + 1) / 2.0) then good_count end) as high_good_count,
        max(case when place = ceil((peer_count + 1) / 2.0) then base_count end) as high_base_count,
        max(peer_count) - 2 * floor(max(peer_count) / 2.0) = 1 as is_odd
    from peers
    group by series_id, period_code

),

medians as (

    -- as a fraction of whole numbers, which a gap in victims needs
    select
        series_id,
        period_code,
        area_count,
        good_count,
        base_count,
        lowest_rate,
        highest_rate,
        case
            when is_odd then low_good_count
            else low_good_count * high_base_count + high_good_count * low_base_count
        end as median_numerator,
        case when is_odd then low_base_count else 2 * low_base_count * high_base_count end as median_denominator
    from like_areas

),

-- 4. the area's own last four quarters, the present one among them
own_window as (

    select
        figures.series_id,
        figures.period_code,
        cast(count(*) as integer) as period_count,
        cast(sum(held.good_count) as bigint) as good_count,
        cast(sum(held.base_count) as bigint) as base_count,
        {{ stable("sum(held.effective_count)", 6) }} as effective_count
    from figures
    inner join rules
        on figures.period_code = rules.period_code
    inner join figures as held
        on
            figures.series_id = held.series_id
            and figures.period_kind = held.period_kind
            and figures.quarter_index >= held.quarter_index
            and figures.quarter_index - rules.window_periods < held.quarter_index
    group by figures.series_id, figures.period_code

),

joined as (

    select
        figures.body_kind,
        figures.pfa_code,
        figures.information,
        figures.item_id,
        figures.period_code,
        figures.collection_mode,
        figures.sampling_frame,
        areas.area_name,
        figures.right_number,
        figures.metric_version,
        figures.polarity,
        figures.quarter_index,
        figures.series_id,
        figures.good_count,
        figures.base_count,
        figures.effective_count,
        {{ to_double("figures.good_count") }} * figures.effective_count / nullif(figures.base_count, 0)
            as effective_good_count,
        standards.standard_rate,
        standards.basis as standard_basis,
        coalesce(standards.wording, 'the Code sets none') as standard_wording,
        achievable.area_count as achievable_area_count,
        achievable.pfa_codes as achievable_pfa_codes,
        achievable.area_names as achievable_areas,
        achievable.good_count as achievable_good_count,
        achievable.base_count as achievable_base_count,
        medians.area_count as like_area_count,
        medians.median_numerator,
        medians.median_denominator,
        medians.lowest_rate,
        medians.highest_rate,
        medians.good_count as like_areas_good_count,
        medians.base_count as like_areas_base_count,
        own_window.period_count as own_period_count,
        own_window.good_count as own_good_count,
        own_window.base_count as own_base_count,
        own_window.effective_count as own_effective_count,
        {{ to_double("own_window.good_count") }} * own_window.effective_count / nullif(own_window.base_count, 0)
            as own_effective_good_count,
        previous.good_count as previous_good_count,
        previous.base_count as previous_base_count,
        previous.effective_count as previous_effective_count,
        {{ to_double("previous.good_count") }} * previous.effective_count / nullif(previous.base_count, 0)
            as previous_effective_good_count,
        year_ago.good_count as year_ago_good_count,
        year_ago.base_count as year_ago_base_count,
        year_ago.effective_count as year_ago_effective_count,
        {{ to_double("year_ago.good_count") }} * year_ago.effective_count / nullif(year_ago.base_count, 0)
            as year_ago_effective_good_count,
        scores.is_assessable,
        scores.not_assessable_reason,
        scores.z_score,
        scores.gap_to_peers,
        -- a limit divided among the metrics of a right is divided for the better ones too
        case
            when rules.s2_divide_tail and -scores.z_flag > rules.high_z then -scores.z_flag
            else rules.high_z
        end as high_limit,
        rules.high_n_min,
        rules.s2_gap_min,
        rules.interval_z,
        rules.change_z
    from figures
    inner join rules
        on figures.period_code = rules.period_code
    inner join {{ ref('int_quarters') }} as quarters
        on figures.period_code = quarters.period_code
    inner join {{ ref('areas') }} as areas
        on
            figures.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}
    left join standards
        on
            figures.period_code = standards.period_code
            and figures.item_id = standards.metric_id
            and figures.information = 'statistic'
    left join achievable
        on
            figures.information = achievable.information
            and figures.body_kind = achievable.body_kind
            and figures.item_id = achievable.item_id
            and figures.period_code = achievable.period_code
            and figures.metric_version = achievable.metric_version
            and figures.collection_mode = achievable.collection_mode
            and figures.sampling_frame = achievable.sampling_frame
            and figures.collected_by = achievable.collected_by
    left join medians
        on
            figures.series_id = medians.series_id
            and figures.period_code = medians.period_code
    left join own_window
        on
            figures.series_id = own_window.series_id
            and figures.period_code = own_window.period_code
    left join figures as previous
        on
            figures.series_id = previous.series_id
            and figures.quarter_index - 1 = previous.quarter_index
    left join figures as year_ago
        on
            figures.series_id = year_ago.series_id
            and quarters.year_ago_period_code = year_ago.period_code
    left join {{ ref('int_s2_scores') }} as scores
        on
            figures.information = 'statistic'
            and scores.subject = 'compliance'
            and figures.body_kind = scores.body_kind
            and figures.pfa_code = scores.pfa_code
            and figures.period_code = scores.period_code
            and figures.item_id = scores.metric_id
            and figures.metric_version = scores.metric_version
            and figures.collection_mode = scores.collection_mode
            and figures.sampling_frame = scores.sampling_frame

),

judged as (

    select
        joined.*,
        coalesce(
            is_assessable and z_score >= high_limit and base_count >= high_n_min and -gap_to_peers >= s2_gap_min, false
        ) as is_high_compliance
    from joined

)

select
    body_kind,
    pfa_code,
    information,
    item_id,
    period_code,
    collection_mode,
    sampling_frame,
    area_name,
    right_number,
    metric_version,
    polarity,
    quarter_index,
    series_id,
    good_count,
    base_count,
    {{ rate("good_count", "base_count") }} as good_rate,
    {{ wilson_bound("effective_good_count", "effective_count", "interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("effective_good_count", "effective_count", "interval_z", "upper") }} as rate_upper,
    standard_rate,
    standard_basis,
    standard_wording,
    {{ gap_in_victims("good_count", "base_count", in_millionths("standard_rate"), "1000000") }} as standard_gap,
    {{ rate("achievable_good_count", "achievable_base_count") }} as achievable_rate,
    achievable_good_count,
    achievable_base_count,
    achievable_area_count,
    achievable_pfa_codes,
    achievable_areas,
    {{ gap_in_victims("good_count", "base_count", "achievable_good_count", "achievable_base_count") }}
        as achievable_gap,
    like_area_count,
    {{ rate("median_numerator", "median_denominator") }} as like_areas_median_rate,
    lowest_rate as like_areas_lowest_rate,
    highest_rate as like_areas_highest_rate,
    like_areas_good_count,
    like_areas_base_count,
    {{ rate("like_areas_good_count", "like_areas_base_count") }} as like_areas_rate,
    {{ gap_in_victims("good_count", "base_count", "median_numerator", "median_denominator") }} as like_areas_median_gap,
    {{ gap_in_victims("good_count", "base_count", "like_areas_good_count", "like_areas_base_count") }}
        as like_areas_gap,
    own_period_count,
    own_good_count,
    own_base_count,
    {{ rate("own_good_count", "own_base_count") }} as own_rate,
    {{ wilson_bound("own_effective_good_count", "own_effective_count", "interval_z", "lower") }} as own_rate_lower,
    {{ wilson_bound("own_effective_good_count", "own_effective_count", "interval_z", "upper") }} as own_rate_upper,
    {{ gap_in_victims("good_count", "base_count", "own_good_count", "own_base_count") }} as own_gap,
    previous_good_count,
    previous_base_count,
    {{ rate("previous_good_count", "previous_base_count") }} as previous_rate,
    {{ change_in_words("effective_good_count", "effective_count",
        "previous_effective_good_count", "previous_effective_count", "change_z") }} as change_from_previous,
    year_ago_good_count,
    year_ago_base_count,
    {{ rate("year_ago_good_count", "year_ago_base_count") }} as year_ago_rate,
    {{ change_in_words("effective_good_count", "effective_count",
        "year_ago_effective_good_count", "year_ago_effective_count", "change_z") }} as change_from_year_ago,
    z_score,
    gap_to_peers,
    is_high_compliance,
    case
        when is_high_compliance then 'significantly better than like areas'
        when information = 'feedback' then 'not tested: answers are not scored against like areas'
        when is_assessable is null then 'not tested: the cases were chosen by hand'
        when not is_assessable then 'not tested: ' || not_assessable_reason
        when base_count < high_n_min then 'not tested: too few cases to call it high'
        else 'not significantly better than like areas'
    end as high_compliance
from judged

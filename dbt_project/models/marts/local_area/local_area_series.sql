-- Every share over time: by reporting period and by four quarters together, never beyond its series.
with rules as (

    select * from {{ ref('int_benchmark_rules') }}

),

periods as (

    select * from {{ ref('stg_periods') }}

),

reported as (

    select
        proportions.information,
        proportions.body_kind,
        proportions.pfa_code,
        proportions.item_id,
        proportions.period_code,
        proportions.collection_mode,
        proportions.sampling_frame,
        proportions.collected_by,
        proportions.quarter_index,
        proportions.right_number,
        proportions.metric_version,
        proportions.polarity,
        proportions.good_count,
        proportions.base_count,
        proportions.effective_count,
        proportions.series_id,
        rules.period_kind,
        rules.window_periods,
        rules.interval_z,
        rules.change_z
    from {{ ref('int_proportions') }} as proportions
    inner join rules
        on proportions.period_code = rules.period_code
    where proportions.is_total

),

first_rules as (

    -- the audit is older than any rule version: it is read by the first one
    select
        interval_z,
        change_z
    from {{ ref('severe_rules') }}
    where rule_version = 0

),

-- the 2019/20 audit, as far as whole cases are known
audited as (

    select
        'statistic' as information,
        bodies.body_kind,
        answers.pfa_code,
        answers.metric_id as item_id,
        answers.period_code,
        'purposive_sample' as collection_mode,
        answers.sampling_frame,
        'own' as collected_by,
        cast(null as integer) as quarter_index,
        metrics.right_number,
        metrics.metric_version,
        metrics.polarity,
        cast(case
            when metrics.polarity = 'lower'
                then coalesce(answers.stated_base_count - answers.stated_case_count, cases.not_met_cases)
            else coalesce(answers.stated_case_count, cases.met_cases)
        end as bigint) as good_count,
        cast(coalesce(answers.stated_base_count, cases.met_cases + cases.not_met_cases) as bigint) as base_count,
        {{ to_double("coalesce(answers.stated_base_count, cases.met_cases + cases.not_met_cases)") }}
            as effective_count,
        bodies.body_kind || '|' || answers.pfa_code || '|' || answers.metric_id || '|v'
        || cast(metrics.metric_version as varchar) || '|purposive_sample|' || answers.sampling_frame as series_id,
        periods.period_kind,
        cast(null as integer) as window_periods,
        first_rules.interval_z,
        first_rules.change_z
    from {{ ref('int_legacy_answers') }} as answers
    inner join periods
        on answers.period_code = periods.period_code
    inner join {{ ref('bodies') }} as bodies
        on
            answers.body_code = bodies.body_code
            and {{ in_force('bodies', 'periods.last_day') }}
    inner join {{ ref('metrics') }} as metrics
        on
            answers.metric_id = metrics.metric_id
            and {{ in_force('metrics', 'periods.last_day') }}
    cross join first_rules
    left join {{ ref('int_legacy_cases') }} as cases
        on
            answers.body_code = cases.body_code
            and answers.pfa_code = cases.pfa_code
            and answers.question_id = cases.question_id
            and answers.period_code = cases.period_code
            and answers.sampling_frame = cases.sampling_frame
    where
        (answers.stated_base_count is not null and answers.stated_case_count is not null)
        or cases.question_id is not null

),

by_period as (

    select * from reported
    union all
    select * from audited

),

single as (

    select
        by_period.*,
        case by_period.period_kind
            when 'half' then 'half_year'
            else by_period.period_kind
        end as time_window,
        1 as period_count,
        periods.first_day as window_starts_on,
        periods.last_day as window_ends_on,
        periods.year_ago_period_code
    from by_period
    inner join periods
        on by_period.period_code = periods.period_code

),

four_quarters as (

    select
        ends.information,
        ends.body_kind,
        ends.pfa_code,
        ends.item_id,
        ends.period_code,
        ends.collection_mode,
        ends.sampling_frame,
        ends.collected_by,
        ends.quarter_index,
        ends.right_number,
        ends.metric_version,
        ends.polarity,
        cast(sum(parts.good_count) as bigint) as good_count,
        cast(sum(parts.base_count) as bigint) as base_count,
        {{ stable("sum(parts.effective_count)", 6) }} as effective_count,
        ends.series_id,
        ends.period_kind,
        ends.window_periods,
        ends.interval_z,
        ends.change_z,
        'four_quarters' as time_window,
        cast(count(*) as integer) as period_count,
        min(parts.window_starts_on) as window_starts_on,
        max(parts.window_ends_on) as window_ends_on,
        ends.year_ago_period_code
    from single as ends
    inner join single as parts
        on
            ends.series_id = parts.series_id
            and ends.period_kind = parts.period_kind
            and ends.quarter_index >= parts.quarter_index
            and ends.quarter_index - ends.window_periods < parts.quarter_index
    where ends.window_periods > 1
    group by
        ends.information, ends.body_kind, ends.pfa_code, ends.item_id, ends.period_code, ends.collection_mode,
        ends.sampling_frame, ends.collected_by, ends.quarter_index, ends.right_number, ends.metric_version,
        ends.polarity, ends.series_id, ends.period_kind, ends.window_periods, ends.interval_z, ends.change_z,
        ends.year_ago_period_code
    having count(*) = ends.window_periods

),

windows as (

    select
        single.*,
        'single' as window_group,
        cast(single.window_starts_on - interval '1' day as date) as day_before
    from single
    union all
    select
        four_quarters.*,
        'pooled' as window_group,
        cast(four_quarters.window_starts_on - interval '1' day as date) as day_before
    from four_quarters

),

-- the last time before this one that the same item had a figure, in whatever series
ends_on as (

    select distinct
        information,
        body_kind,
        pfa_code,
        item_id,
        window_group,
        window_ends_on
    from windows

),

last_before as (

    select
        ends_on.*,
        lag(window_ends_on) over (
            partition by information, body_kind, pfa_code, item_id, window_group
            order by window_ends_on
        ) as last_ended_on
    from ends_on

),

compared as (

    select
        windows.information,
        windows.body_kind,
        windows.pfa_code,
        windows.item_id,
        windows.series_id,
        windows.window_group,
        windows.window_ends_on,
        windows.metric_version,
        windows.collection_mode,
        windows.sampling_frame,
        windows.collected_by,
        earlier.series_id as last_series_id,
        earlier.metric_version as last_metric_version,
        earlier.collection_mode as last_collection_mode,
        earlier.sampling_frame as last_sampling_frame,
        earlier.collected_by as last_collected_by,
        -- of several figures the same series, else the largest
        row_number() over (
            partition by
                windows.information, windows.body_kind, windows.pfa_code, windows.item_id, windows.series_id,
                windows.window_group, windows.window_ends_on
            order by
                case when windows.series_id = earlier.series_id then 0 else 1 end asc,
                earlier.base_count desc nulls last,
                earlier.series_id asc
        ) as place
    from windows
    inner join last_before
        on
            windows.information = last_before.information
            and windows.body_kind = last_before.body_kind
            and windows.pfa_code = last_before.pfa_code
            and windows.item_id = last_before.item_id
            and windows.window_group = last_before.window_group
            and windows.window_ends_on = last_before.window_ends_on
    inner join windows as earlier
        on
            last_before.information = earlier.information
            and last_before.body_kind = earlier.body_kind
            and last_before.pfa_code = earlier.pfa_code
            and last_before.item_id = earlier.item_id
            and last_before.window_group = earlier.window_group
            and last_before.last_ended_on = earlier.window_ends_on

),

changes as (

    select
        compared.*,
        case
            when metric_version <> last_metric_version
                then
                    'definition: version ' || cast(last_metric_version as varchar) || ' before, version '
                    || cast(metric_version as varchar) || ' now; '
            else ''
        end
        || case
            when collection_mode <> last_collection_mode
                then
                    case when information = 'feedback' then 'way of asking: ' else 'collection mode: ' end
                    || replace(last_collection_mode, '_', ' ') || ' before, '
                    || replace(collection_mode, '_', ' ') || ' now; '
            else ''
        end
        || case
            when sampling_frame <> last_sampling_frame
                then
                    'sampling frame: ' || replace(last_sampling_frame, '_', ' ') || ' before, '
                    || replace(sampling_frame, '_', ' ') || ' now; '
            else ''
        end
        || case
            when collected_by <> last_collected_by
                then 'survey source: ' || last_collected_by || ' before, ' || collected_by || ' now; '
            else ''
        end as words
    from compared
    where
        place = 1
        and series_id <> last_series_id

),

joined as (

    select
        windows.*,
        areas.area_name,
        {{ to_double("windows.good_count") }} * windows.effective_count / nullif(windows.base_count, 0)
            as effective_good_count,
        previous.period_code as previous_period_code,
        previous.good_count as previous_good_count,
        previous.base_count as previous_base_count,
        {{ to_double("previous.good_count") }} * previous.effective_count / nullif(previous.base_count, 0)
            as previous_effective_good_count,
        previous.effective_count as previous_effective_count,
        year_ago.good_count as year_ago_good_count,
        year_ago.base_count as year_ago_base_count,
        {{ to_double("year_ago.good_count") }} * year_ago.effective_count / nullif(year_ago.base_count, 0)
            as year_ago_effective_good_count,
        year_ago.effective_count as year_ago_effective_count,
        nullif(substr(changes.words, 1, length(changes.words) - 2), '') as series_break
    from windows
    inner join {{ ref('areas') }} as areas
        on
            windows.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'windows.window_ends_on') }}
    -- what ended the day before this began, so that no quarter is on both sides
    left join windows as previous
        on
            windows.series_id = previous.series_id
            and windows.window_group = previous.window_group
            and windows.day_before = previous.window_ends_on
    left join windows as year_ago
        on
            windows.series_id = year_ago.series_id
            and windows.time_window = year_ago.time_window
            and windows.year_ago_period_code = year_ago.period_code
    left join changes
        on
            windows.series_id = changes.series_id
            and windows.window_group = changes.window_group
            and windows.window_ends_on = changes.window_ends_on

)

select
    body_kind,
    pfa_code,
    information,
    item_id,
    time_window,
    period_code,
    collection_mode,
    sampling_frame,
    area_name,
    right_number,
    metric_version,
    polarity,
    quarter_index,
    series_id,
    window_starts_on,
    window_ends_on,
    period_count,
    good_count,
    base_count,
    {{ rate("good_count", "base_count") }} as good_rate,
    {{ wilson_bound("effective_good_count", "effective_count", "interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("effective_good_count", "effective_count", "interval_z", "upper") }} as rate_upper,
    previous_period_code,
    previous_good_count,
    previous_base_count,
    {{ rate("previous_good_count", "previous_base_count") }} as previous_rate,
    {{ change_in_words("effective_good_count", "effective_count", "previous_effective_good_count",
        "previous_effective_count", "change_z") }} as change_from_previous,
    year_ago_good_count,
    year_ago_base_count,
    {{ rate("year_ago_good_count", "year_ago_base_count") }} as year_ago_rate,
    {{ change_in_words("effective_good_count", "effective_count", "year_ago_effective_good_count",
        "year_ago_effective_count", "change_z") }} as change_from_year_ago,
    series_break
from joined

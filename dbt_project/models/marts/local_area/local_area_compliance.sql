-- One row for every statistic that is due, whether it came or not.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

figures as (

    select * from {{ ref('int_metric_figures') }}
    where is_total

),

comparable as (

    select * from figures
    where is_complete

),

expected as (

    select
        items.period_code,
        items.quarter_index,
        items.body_kind,
        coverage.pfa_code,
        areas.area_name,
        items.right_number,
        items.metric_id,
        items.metric_version,
        items.unit,
        items.polarity,
        coverage.applicability,
        coverage.is_submitted,
        coverage.senders_expected,
        coverage.senders_received
    from {{ ref('int_expected_items') }} as items
    inner join {{ ref('int_reporting_coverage') }} as coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
    inner join rules
        on items.period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on
            coverage.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}
    where items.information = 'statistic'

),

not_collected as (

    select
        due_returns.body_kind,
        metric_rows.pfa_code,
        metric_rows.metric_id,
        due_returns.period_code,
        min(metric_rows.not_collected_reason) as not_collected_reason
    from {{ ref('stg_quarterly_metrics') }} as metric_rows
    inner join {{ ref('int_expected_returns') }} as due_returns
        on
            metric_rows.receipt_id = due_returns.receipt_id
            and metric_rows.body_code = due_returns.body_code
            and metric_rows.pfa_code = due_returns.pfa_code
    where metric_rows.not_collected_reason is not null
    group by due_returns.body_kind, metric_rows.pfa_code, metric_rows.metric_id, due_returns.period_code

),

like_areas as (

    select
        figures.series_id,
        figures.period_code,
        cast(count(*) as integer) as like_area_count,
        cast(sum(peer_figures.met_count) as bigint) as met_count,
        cast(sum(peer_figures.case_count) as bigint) as case_count
    from comparable as figures
    inner join {{ ref('int_like_areas') }} as peers
        on
            figures.period_code = peers.period_code
            and figures.pfa_code = peers.pfa_code
    inner join comparable as peer_figures
        on
            peers.peer_pfa_code = peer_figures.pfa_code
            and figures.period_code = peer_figures.period_code
            and figures.body_kind = peer_figures.body_kind
            and figures.metric_id = peer_figures.metric_id
            and figures.metric_version = peer_figures.metric_version
            and figures.collection_mode = peer_figures.collection_mode
            and figures.sampling_frame = peer_figures.sampling_frame
    where figures.unit = 'proportion'
    group by figures.series_id, figures.period_code

),

joined as (

    select
        expected.body_kind,
        expected.pfa_code,
        expected.metric_id,
        expected.period_code,
        coalesce(figures.collection_mode, 'none') as collection_mode,
        coalesce(figures.sampling_frame, 'none') as sampling_frame,
        expected.area_name,
        expected.right_number,
        expected.metric_version,
        expected.unit,
        expected.polarity,
        expected.quarter_index,
        figures.series_id,
        case
            when expected.applicability = 'not_applicable' then 'not_applicable'
            when figures.is_complete then 'reported'
            when figures.series_id is not null then 'incomplete'
            when expected.senders_received = 0 then 'not_submitted'
            when not expected.is_submitted then 'incomplete'
            else 'not_collected'
        end as figure_status,
        case when figures.series_id is null then not_collected.not_collected_reason end as not_collected_reason,
        expected.senders_expected,
        expected.senders_received,
        figures.met_count,
        figures.not_met_count,
        figures.not_suitable_count,
        figures.declined_count,
        figures.unknown_count,
        figures.reported_count,
        figures.within_limit_count,
        figures.short_delay_count,
        figures.long_delay_count,
        figures.case_count,
        previous.met_count as previous_met_count,
        previous.case_count as previous_case_count,
        year_ago.met_count as year_ago_met_count,
        year_ago.case_count as year_ago_case_count,
        like_areas.like_area_count,
        like_areas.met_count as like_areas_met_count,
        like_areas.case_count as like_areas_case_count,
        rules.interval_z,
        rules.change_z
    from expected
    inner join rules
        on expected.period_code = rules.period_code
    inner join quarters
        on expected.period_code = quarters.period_code
    left join figures
        on
            expected.body_kind = figures.body_kind
            and expected.pfa_code = figures.pfa_code
            and expected.metric_id = figures.metric_id
            and expected.metric_version = figures.metric_version
            and expected.period_code = figures.period_code
    left join not_collected
        on
            expected.body_kind = not_collected.body_kind
            and expected.pfa_code = not_collected.pfa_code
            and expected.metric_id = not_collected.metric_id
            and expected.period_code = not_collected.period_code
    left join comparable as previous
        on
            figures.series_id = previous.series_id
            and figures.quarter_index - 1 = previous.quarter_index
            and figures.is_complete
    left join comparable as year_ago
        on
            figures.series_id = year_ago.series_id
            and quarters.year_ago_period_code = year_ago.period_code
            and figures.is_complete
    left join like_areas
        on
            figures.series_id = like_areas.series_id
            and figures.period_code = like_areas.period_code

)

select
    body_kind,
    pfa_code,
    metric_id,
    period_code,
    collection_mode,
    sampling_frame,
    area_name,
    right_number,
    metric_version,
    unit,
    polarity,
    quarter_index,
    series_id,
    figure_status,
    not_collected_reason,
    senders_expected,
    senders_received,
    met_count,
    not_met_count,
    not_suitable_count,
    declined_count,
    unknown_count,
    reported_count,
    within_limit_count,
    short_delay_count,
    long_delay_count,
    case_count,
    {{ rate("met_count", "case_count") }} as compliance_rate,
    {{ wilson_bound("met_count", "case_count", "interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("met_count", "case_count", "interval_z", "upper") }} as rate_upper,
    {{ rate("coalesce(not_suitable_count, 0) + coalesce(declined_count, 0)",
        "case_count + coalesce(not_suitable_count, 0) + coalesce(declined_count, 0)") }} as exclusion_rate,
    previous_met_count,
    previous_case_count,
    {{ rate("previous_met_count", "previous_case_count") }} as previous_rate,
    {{ change_in_words("met_count", "case_count", "previous_met_count", "previous_case_count", "change_z") }}
        as change_from_previous,
    year_ago_met_count,
    year_ago_case_count,
    {{ rate("year_ago_met_count", "year_ago_case_count") }} as year_ago_rate,
    like_area_count,
    like_areas_met_count,
    like_areas_case_count,
    {{ rate("like_areas_met_count", "like_areas_case_count") }} as like_areas_rate
from joined

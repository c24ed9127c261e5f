-- Every statistic that is due, beside the quarter before, the year before and the like areas.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

due_figures as (

    select * from {{ ref('int_due_figures') }}

),

comparable as (

    select * from {{ ref('int_metric_figures') }}
    where is_total and is_complete

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
        due_figures.*,
        previous.met_count as previous_met_count,
        previous.case_count as previous_case_count,
        year_ago.met_count as year_ago_met_count,
        year_ago.case_count as year_ago_case_count,
        like_areas.like_area_count,
        like_areas.met_count as like_areas_met_count,
        like_areas.case_count as like_areas_case_count,
        rules.interval_z,
        rules.change_z
    from due_figures
    inner join rules
        on due_figures.period_code = rules.period_code
    inner join quarters
        on due_figures.period_code = quarters.period_code
    left join comparable as previous
        on
            due_figures.series_id = previous.series_id
            and due_figures.quarter_index - 1 = previous.quarter_index
            and due_figures.figure_status = 'reported'
    left join comparable as year_ago
        on
            due_figures.series_id = year_ago.series_id
            and quarters.year_ago_period_code = year_ago.period_code
            and due_figures.figure_status = 'reported'
    left join like_areas
        on
            due_figures.series_id = like_areas.series_id
            and due_figures.period_code = like_areas.period_code

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

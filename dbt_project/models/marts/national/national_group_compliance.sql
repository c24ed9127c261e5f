-- Sums of cases over the areas of a larger geography whose figures are complete; percentages are never averaged.
with area_groups as (

    select * from {{ ref('int_area_groups') }}

),

local_figures as (

    select
        area_groups.group_kind,
        area_groups.group_code,
        area_groups.group_name,
        figures.*
    from {{ ref('local_area_compliance') }} as figures
    inner join area_groups
        on
            figures.period_code = area_groups.period_code
            and figures.pfa_code = area_groups.pfa_code

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

expected as (

    select
        group_kind,
        group_code,
        body_kind,
        metric_id,
        period_code,
        max(group_name) as group_name,
        max(right_number) as right_number,
        max(metric_version) as metric_version,
        max(unit) as unit,
        max(polarity) as polarity,
        max(quarter_index) as quarter_index,
        cast(count(distinct case when figure_status <> 'not_applicable' then pfa_code end) as integer)
            as areas_expected,
        count(distinct case when figure_status = 'not_submitted' then pfa_code end) as areas_not_submitted,
        count(distinct case when figure_status = 'not_collected' then pfa_code end) as areas_not_collected
    from local_figures
    group by group_kind, group_code, body_kind, metric_id, period_code

),

summed as (

    select
        group_kind,
        group_code,
        body_kind,
        metric_id,
        period_code,
        collection_mode,
        sampling_frame,
        cast(count(*) as integer) as areas_reporting,
        cast(sum(met_count) as bigint) as met_count,
        cast(sum(not_met_count) as bigint) as not_met_count,
        cast(sum(not_suitable_count) as bigint) as not_suitable_count,
        cast(sum(declined_count) as bigint) as declined_count,
        cast(sum(unknown_count) as bigint) as unknown_count,
        cast(sum(reported_count) as bigint) as reported_count,
        cast(sum(within_limit_count) as bigint) as within_limit_count,
        cast(sum(short_delay_count) as bigint) as short_delay_count,
        cast(sum(long_delay_count) as bigint) as long_delay_count,
        cast(sum(case_count) as bigint) as case_count
    from local_figures
    where figure_status = 'reported'
    group by group_kind, group_code, body_kind, metric_id, period_code, collection_mode, sampling_frame

),

joined as (

    select
        expected.*,
        coalesce(summed.collection_mode, 'none') as collection_mode,
        coalesce(summed.sampling_frame, 'none') as sampling_frame,
        coalesce(summed.areas_reporting, 0) as areas_reporting,
        summed.met_count,
        summed.not_met_count,
        summed.not_suitable_count,
        summed.declined_count,
        summed.unknown_count,
        summed.reported_count,
        summed.within_limit_count,
        summed.short_delay_count,
        summed.long_delay_count,
        summed.case_count,
        rules.interval_z
    from expected
    inner join rules
        on expected.period_code = rules.period_code
    left join summed
        on
            expected.group_kind = summed.group_kind
            and expected.group_code = summed.group_code
            and expected.body_kind = summed.body_kind
            and expected.metric_id = summed.metric_id
            and expected.period_code = summed.period_code

)

select
    group_kind,
    group_code,
    body_kind,
    metric_id,
    period_code,
    collection_mode,
    sampling_frame,
    group_name,
    right_number,
    metric_version,
    unit,
    polarity,
    quarter_index,
    areas_expected,
    areas_reporting,
    areas_expected > 0 and areas_reporting = areas_expected as is_complete,
    case
        when areas_expected = 0 then 'not_applicable'
        when areas_reporting = areas_expected then 'reported'
        when areas_not_submitted = areas_expected then 'not_submitted'
        when areas_not_collected = areas_expected then 'not_collected'
        else 'incomplete'
    end as figure_status,
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
        "case_count + coalesce(not_suitable_count, 0) + coalesce(declined_count, 0)") }} as exclusion_rate
from joined

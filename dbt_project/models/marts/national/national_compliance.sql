-- Sums of cases over the areas whose figures are complete; percentages are never averaged.
with local_figures as (

    select * from {{ ref('local_area_compliance') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

expected as (

    select
        body_kind,
        metric_id,
        period_code,
        cast(count(distinct pfa_code) as integer) as areas_expected
    from local_figures
    where figure_status <> 'not_applicable'
    group by body_kind, metric_id, period_code

),

reported as (

    select * from local_figures
    where figure_status = 'reported'

),

ranked as (

    select
        body_kind,
        metric_id,
        period_code,
        collection_mode,
        sampling_frame,
        compliance_rate,
        row_number() over (
            partition by body_kind, metric_id, period_code, collection_mode, sampling_frame
            order by compliance_rate, pfa_code
        ) as rate_rank,
        count(*) over (
            partition by body_kind, metric_id, period_code, collection_mode, sampling_frame
        ) as rate_count
    from reported
    where compliance_rate is not null

),

medians as (

    select
        body_kind,
        metric_id,
        period_code,
        collection_mode,
        sampling_frame,
        avg(compliance_rate) as median_area_rate
    from ranked
    where rate_rank in (floor((rate_count + 1) / 2.0), ceil((rate_count + 1) / 2.0))
    group by body_kind, metric_id, period_code, collection_mode, sampling_frame

),

summed as (

    select
        body_kind,
        metric_id,
        period_code,
        collection_mode,
        sampling_frame,
        max(right_number) as right_number,
        max(metric_version) as metric_version,
        max(unit) as unit,
        max(polarity) as polarity,
        max(quarter_index) as quarter_index,
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
    from reported
    group by body_kind, metric_id, period_code, collection_mode, sampling_frame

)

select
    summed.body_kind,
    summed.metric_id,
    summed.period_code,
    summed.collection_mode,
    summed.sampling_frame,
    summed.right_number,
    summed.metric_version,
    summed.unit,
    summed.polarity,
    summed.quarter_index,
    expected.areas_expected,
    summed.areas_reporting,
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
    {{ rate("summed.met_count", "summed.case_count") }} as compliance_rate,
    {{ wilson_bound("summed.met_count", "summed.case_count", "rules.interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("summed.met_count", "summed.case_count", "rules.interval_z", "upper") }} as rate_upper,
    {{ stable("medians.median_area_rate") }} as median_area_rate
from summed
inner join expected
    on
        summed.body_kind = expected.body_kind
        and summed.metric_id = expected.metric_id
        and summed.period_code = expected.period_code
inner join rules
    on summed.period_code = rules.period_code
left join medians
    on
        summed.body_kind = medians.body_kind
        and summed.metric_id = medians.metric_id
        and summed.period_code = medians.period_code
        and summed.collection_mode = medians.collection_mode
        and summed.sampling_frame = medians.sampling_frame

-- Figures of the current returns, summed over the senders and bodies that answer for one area.
with metric_rows as (

    select
        due_returns.body_kind,
        due_returns.period_code,
        due_returns.sender_code,
        metric_rows.*
    from {{ ref('stg_quarterly_metrics') }} as metric_rows
    inner join {{ ref('int_expected_returns') }} as due_returns
        on
            metric_rows.receipt_id = due_returns.receipt_id
            and metric_rows.body_code = due_returns.body_code
            and metric_rows.pfa_code = due_returns.pfa_code
    where metric_rows.not_collected_reason is null

),

totals as (

    select * from metric_rows
    where is_total

),

answered as (

    {{ answered_share("totals", ["metric_id", "collection_mode", "sampling_frame"]) }}

),

summed as (

    select
        body_kind,
        pfa_code,
        metric_id,
        period_code,
        crime_type,
        characteristic,
        characteristic_value,
        collection_mode,
        sampling_frame,
        is_total,
        cast(count(distinct body_code) as integer) as body_count,
        min(cases_from_on) as cases_from_on,
        max(cases_to_on) as cases_to_on,
        cast(sum(met_count) as bigint) as met_count,
        cast(sum(not_met_count) as bigint) as not_met_count,
        cast(sum(not_suitable_count) as bigint) as not_suitable_count,
        cast(sum(declined_count) as bigint) as declined_count,
        cast(sum(unknown_count) as bigint) as unknown_count,
        cast(sum(reported_count) as bigint) as reported_count,
        cast(sum(within_limit_count) as bigint) as within_limit_count,
        cast(sum(short_delay_count) as bigint) as short_delay_count,
        cast(sum(long_delay_count) as bigint) as long_delay_count
    from metric_rows
    group by
        body_kind, pfa_code, metric_id, period_code, crime_type, characteristic, characteristic_value,
        collection_mode, sampling_frame, is_total

)

select
    summed.body_kind,
    summed.pfa_code,
    summed.metric_id,
    summed.period_code,
    summed.crime_type,
    summed.characteristic,
    summed.characteristic_value,
    summed.collection_mode,
    summed.sampling_frame,
    summed.is_total,
    quarters.quarter_index,
    metrics.right_number,
    metrics.metric_version,
    metrics.unit,
    metrics.polarity,
    coalesce(
        {{ stable("answered.answered_share / nullif(coverage.expected_share, 0)", 6) }} >= coverage.share_needed, false
    ) as is_complete,
    summed.body_count,
    summed.cases_from_on,
    summed.cases_to_on,
    summed.met_count,
    summed.not_met_count,
    summed.not_suitable_count,
    summed.declined_count,
    summed.unknown_count,
    summed.reported_count,
    summed.within_limit_count,
    summed.short_delay_count,
    summed.long_delay_count,
    summed.met_count + summed.not_met_count as case_count,
    -- only figures with one series_id may be compared over time
    summed.body_kind || '|' || summed.pfa_code || '|' || summed.metric_id || '|v'
    || cast(metrics.metric_version as varchar) || '|' || summed.collection_mode || '|' || summed.sampling_frame
        as series_id
from summed
inner join {{ ref('int_quarters') }} as quarters
    on summed.period_code = quarters.period_code
inner join {{ ref('metrics') }} as metrics
    on
        summed.metric_id = metrics.metric_id
        and {{ in_force('metrics', 'quarters.last_day') }}
inner join {{ ref('int_reporting_coverage') }} as coverage
    on
        summed.period_code = coverage.period_code
        and summed.body_kind = coverage.body_kind
        and summed.pfa_code = coverage.pfa_code
left join answered
    on
        summed.period_code = answered.period_code
        and summed.body_kind = answered.body_kind
        and summed.pfa_code = answered.pfa_code
        and summed.metric_id = answered.metric_id
        and summed.collection_mode = answered.collection_mode
        and summed.sampling_frame = answered.sampling_frame

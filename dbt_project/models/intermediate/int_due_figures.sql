-- One row for every statistic that is due, whether it came or not.
with rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

figures as (

    select * from {{ ref('int_metric_figures') }}
    where is_total

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

)

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
    figures.case_count
from expected
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

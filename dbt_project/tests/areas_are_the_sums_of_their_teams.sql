-- What an area's youth offending teams sent in current returns, added up by the list of teams, is the area's figure.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

sent as (

    select
        teams.pfa_code,
        metric_rows.metric_id,
        quarters.period_code,
        metric_rows.collection_mode,
        metric_rows.sampling_frame,
        sum(coalesce(metric_rows.met_count, 0)) as met_count,
        sum(coalesce(metric_rows.not_met_count, 0)) as not_met_count,
        sum(coalesce(metric_rows.reported_count, 0)) as reported_count
    from {{ ref('int_current_receipts') }} as receipts
    inner join quarters
        on
            receipts.period_code = quarters.period_code
            and receipts.form_kind = 'quarterly'
    inner join {{ ref('stg_quarterly_metrics') }} as metric_rows
        on receipts.receipt_id = metric_rows.receipt_id
    inner join {{ ref('youth_offending_teams') }} as teams
        on
            metric_rows.body_code = teams.body_code
            and {{ in_force('teams', 'quarters.last_day') }}
    where
        metric_rows.is_total
        and metric_rows.not_collected_reason is null
    group by
        teams.pfa_code, metric_rows.metric_id, quarters.period_code, metric_rows.collection_mode,
        metric_rows.sampling_frame

),

figures as (

    select
        pfa_code,
        metric_id,
        period_code,
        collection_mode,
        sampling_frame,
        coalesce(met_count, 0) as met_count,
        coalesce(not_met_count, 0) as not_met_count,
        coalesce(reported_count, 0) as reported_count
    from {{ ref('int_metric_figures') }}
    where body_kind = 'yjs' and is_total

)

select
    pfa_code,
    metric_id,
    period_code,
    collection_mode,
    sampling_frame,
    met_count,
    not_met_count,
    reported_count,
    min(origin) as origin
from (
    select
        'figures' as origin,
        figures.*
    from figures
    union all
    select
        'returns' as origin,
        sent.*
    from sent
) as both_ways
group by
    pfa_code, metric_id, period_code, collection_mode, sampling_frame, met_count, not_met_count, reported_count
having count(*) <> 2

{{ config(materialized='view') }}
-- Detections as recorded at the final build of their quarter, one row an indicator.
with source as (

    select * from {{ source('register', 'detections') }}

)

select
    source.period_code,
    source.body_kind,
    source.pfa_code,
    source.right_number,
    source.result,
    source.state,
    source.indicator,
    source.item_id,
    source.collection_mode,
    source.sampling_frame,
    source.good_count,
    source.base_count,
    source.rate,
    source.threshold,
    source.upper_bound,
    source.z_score,
    source.gap_to_peers,
    source.peer_count,
    source.peer_target_rate,
    source.peers,
    source.peer_weight_sum,
    source.phi,
    source.tau_squared,
    source.p_value,
    source.p_adjusted,
    source.grade,
    source.rule_version,
    source.case_id,
    source.quarters_running,
    source.reason,
    cast(row_number() over (
        partition by source.period_code
        order by
            source.body_kind, source.pfa_code, source.right_number, source.indicator nulls first,
            source.item_id nulls first, source.collection_mode nulls first, source.sampling_frame nulls first
    ) as integer) as detection_number
from source
inner join {{ source('register', 'quarters') }} as quarters
    on source.period_code = quarters.period_code

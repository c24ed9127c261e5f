-- A share of excluded cases far above that of like areas, tested by S2's method: a question about data quality,
-- since leaving cases out is the easiest way to a better rate.
select
    scores.body_kind,
    scores.pfa_code,
    scores.metric_id,
    scores.period_code,
    scores.collection_mode,
    scores.sampling_frame,
    areas.area_name,
    scores.right_number,
    scores.base_count - scores.good_count as excluded_count,
    scores.base_count,
    {{ rate("scores.base_count - scores.good_count", "scores.base_count") }} as exclusion_rate,
    {{ stable("1.0 - scores.peer_target_rate") }} as peer_exclusion_rate,
    scores.peer_count,
    scores.z_score,
    scores.gap_to_peers,
    scores.is_met as is_severe,
    scores.is_watch
from {{ ref('int_s2_scores') }} as scores
inner join {{ ref('int_quarters') }} as quarters
    on scores.period_code = quarters.period_code
inner join {{ ref('areas') }} as areas
    on
        scores.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'quarters.last_day') }}
where
    scores.subject = 'inclusion'
    and (scores.is_met or scores.is_watch)

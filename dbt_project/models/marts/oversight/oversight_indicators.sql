-- Every test of a severe indicator with its figures; a result here is a statistic, not a decision.
select
    indicators.body_kind,
    indicators.pfa_code,
    indicators.right_number,
    indicators.period_code,
    indicators.indicator,
    indicators.item_id,
    indicators.collection_mode,
    indicators.sampling_frame,
    areas.area_name,
    items.definition as item_definition,
    indicators.is_assessable,
    indicators.is_met,
    indicators.is_watch,
    indicators.not_assessable_reason,
    indicators.good_count,
    indicators.base_count,
    indicators.good_rate as rate,
    indicators.threshold,
    indicators.upper_bound,
    indicators.z_score,
    indicators.gap_to_peers,
    indicators.peer_count,
    indicators.peer_target_rate,
    indicators.peers,
    indicators.peer_weight_sum,
    indicators.phi,
    indicators.tau_squared,
    indicators.p_value,
    indicators.p_adjusted,
    indicators.lowest_grade as grade,
    indicators.rule_version
from {{ ref('int_indicators') }} as indicators
inner join {{ ref('int_quarters') }} as quarters
    on indicators.period_code = quarters.period_code
inner join {{ ref('areas') }} as areas
    on
        indicators.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'quarters.last_day') }}
inner join {{ ref('int_expected_items') }} as items
    on
        indicators.item_id = items.metric_id
        and indicators.body_kind = items.body_kind
        and indicators.period_code = items.period_code

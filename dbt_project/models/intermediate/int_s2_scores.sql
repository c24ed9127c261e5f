-- Peer-predictive z of each area against its like areas, itself excluded; a negative z is worse than they are.
with inputs as (

    select * from {{ ref('int_s2_inputs') }}

),

pools as (

    select * from {{ ref('int_s2_pools') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

peers as (

    select
        inputs.subject,
        inputs.body_kind,
        inputs.pfa_code,
        inputs.period_code,
        inputs.metric_id,
        inputs.metric_version,
        inputs.collection_mode,
        inputs.sampling_frame,
        cast(count(*) as integer) as peer_count,
        cast(sum(peer_inputs.good_count) as bigint) as peer_good_count,
        cast(sum(peer_inputs.base_count) as bigint) as peer_base_count,
        {{ sorted_list("peer_inputs.pfa_code", "peer_inputs.pfa_code") }} as peers,
        sum(1.0 / (peer_inputs.s * peer_inputs.s + pools.tau_squared)) as weight_sum,
        sum(peer_inputs.y / (peer_inputs.s * peer_inputs.s + pools.tau_squared)) as weighted_sum
    from inputs
    inner join {{ ref('int_like_areas') }} as like_areas
        on
            inputs.period_code = like_areas.period_code
            and inputs.pfa_code = like_areas.pfa_code
    inner join inputs as peer_inputs
        on
            like_areas.peer_pfa_code = peer_inputs.pfa_code
            and inputs.subject = peer_inputs.subject
            and inputs.body_kind = peer_inputs.body_kind
            and inputs.period_code = peer_inputs.period_code
            and inputs.metric_id = peer_inputs.metric_id
            and inputs.metric_version = peer_inputs.metric_version
            and inputs.collection_mode = peer_inputs.collection_mode
            and inputs.sampling_frame = peer_inputs.sampling_frame
            and peer_inputs.is_in_pool
    inner join pools
        on
            inputs.subject = pools.subject
            and inputs.body_kind = pools.body_kind
            and inputs.period_code = pools.period_code
            and inputs.metric_id = pools.metric_id
            and inputs.metric_version = pools.metric_version
            and inputs.collection_mode = pools.collection_mode
            and inputs.sampling_frame = pools.sampling_frame
    group by
        inputs.subject, inputs.body_kind, inputs.pfa_code, inputs.period_code, inputs.metric_id,
        inputs.metric_version, inputs.collection_mode, inputs.sampling_frame

),

tails as (

    -- the metrics of a right may share its tail
    select
        inputs.subject,
        inputs.body_kind,
        inputs.period_code,
        inputs.right_number,
        max(rules.s2_tail) / count(distinct inputs.metric_id) as tail
    from inputs
    inner join rules
        on inputs.period_code = rules.period_code
    group by inputs.subject, inputs.body_kind, inputs.period_code, inputs.right_number

),

divided_tails as (

    select
        subject,
        body_kind,
        period_code,
        right_number,
        {{ stable(normal_quantile("tail"), 6) }} as divided_z_flag
    from tails

),

assessed as (

    select
        inputs.subject,
        inputs.body_kind,
        inputs.pfa_code,
        inputs.period_code,
        inputs.right_number,
        inputs.metric_id,
        inputs.metric_version,
        inputs.collection_mode,
        inputs.sampling_frame,
        inputs.good_count,
        inputs.base_count,
        inputs.y,
        inputs.s,
        coalesce(peers.peer_count, 0) as peer_count,
        coalesce(pools.area_count, 0) as area_count,
        peers.peer_good_count,
        peers.peer_base_count,
        peers.peers,
        pools.phi,
        pools.tau_squared,
        peers.weighted_sum / nullif(peers.weight_sum, 0) as peer_target,
        peers.weight_sum,
        rules.s2_gap_min,
        rules.s2_z_watch,
        case
            when rules.s2_divide_tail then divided_tails.divided_z_flag
            else rules.s2_z_flag
        end as z_flag,
        case
            when inputs.is_national_force then 'a national force has no like areas'
            when inputs.base_count < rules.n_min then 'too few cases'
            when coalesce(pools.area_count, 0) < rules.s2_areas_min then 'too few areas'
            when coalesce(peers.peer_count, 0) < rules.s2_peers_min then 'too few like areas'
        end as not_assessable_reason
    from inputs
    inner join rules
        on inputs.period_code = rules.period_code
    inner join divided_tails
        on
            inputs.subject = divided_tails.subject
            and inputs.body_kind = divided_tails.body_kind
            and inputs.period_code = divided_tails.period_code
            and inputs.right_number = divided_tails.right_number
    left join pools
        on
            inputs.subject = pools.subject
            and inputs.body_kind = pools.body_kind
            and inputs.period_code = pools.period_code
            and inputs.metric_id = pools.metric_id
            and inputs.metric_version = pools.metric_version
            and inputs.collection_mode = pools.collection_mode
            and inputs.sampling_frame = pools.sampling_frame
    left join peers
        on
            inputs.subject = peers.subject
            and inputs.body_kind = peers.body_kind
            and inputs.pfa_code = peers.pfa_code
            and inputs.period_code = peers.period_code
            and inputs.metric_id = peers.metric_id
            and inputs.metric_version = peers.metric_version
            and inputs.collection_mode = peers.collection_mode
            and inputs.sampling_frame = peers.sampling_frame

),

z_scores as (

    select
        assessed.*,
        not_assessable_reason is null as is_assessable,
        case
            when not_assessable_reason is null
                then {{ stable("(y - peer_target) / sqrt(s * s + tau_squared + 1.0 / weight_sum)") }}
        end as z_score,
        case
            when not_assessable_reason is null then {{ stable("sin(peer_target) * sin(peer_target)") }}
        end as peer_target_rate,
        case
            when not_assessable_reason is null
                then
                    {{ stable("sin(peer_target) * sin(peer_target) - "
                        ~ to_double("good_count") ~ " / nullif(" ~ to_double("base_count") ~ ", 0)") }}
        end as gap_to_peers
    from assessed

),

p_values as (

    select
        z_scores.*,
        case when is_assessable then {{ stable(normal_cdf("z_score"), 12) }} end as p_value
    from z_scores

),

ranked as (

    select
        p_values.*,
        count(p_value) over (partition by subject, period_code) as test_count,
        row_number() over (
            partition by subject, period_code
            order by
                p_value nulls last, body_kind, pfa_code, metric_id, metric_version, collection_mode, sampling_frame
        ) as p_rank
    from p_values

)

select
    subject,
    body_kind,
    pfa_code,
    period_code,
    right_number,
    metric_id,
    metric_version,
    collection_mode,
    sampling_frame,
    good_count,
    base_count,
    peer_count,
    area_count,
    peer_good_count,
    peer_base_count,
    -- with these a z can be computed anew against the like areas as they were
    case when is_assessable then peers end as peers,
    case when is_assessable then {{ stable("weight_sum") }} end as peer_weight_sum,
    phi,
    tau_squared,
    is_assessable,
    not_assessable_reason,
    z_score,
    z_flag,
    peer_target_rate,
    gap_to_peers,
    p_value,
    -- Benjamini and Hochberg 1995, over all tests of the quarter
    case
        when is_assessable
            then
                {{ stable("least(min(p_value * test_count / p_rank) over (
                    partition by subject, period_code
                    order by p_rank
                    rows between current row and unbounded following
                ), 1.0)", 12) }}
    end as p_adjusted,
    is_assessable and z_score <= z_flag and gap_to_peers >= s2_gap_min as is_met,
    is_assessable and z_score <= s2_z_watch and not (z_score <= z_flag and gap_to_peers >= s2_gap_min) as is_watch
from ranked

-- Centre c, overdispersion phi and between-area variance tau squared of each set of like figures (additive random
-- effects with winsorised z scores: Spiegelhalter 2005; DerSimonian and Laird 1986).
with pooled_inputs as (

    select * from {{ ref('int_s2_inputs') }}
    where is_in_pool

),

centres as (

    select
        subject,
        body_kind,
        period_code,
        metric_id,
        metric_version,
        collection_mode,
        sampling_frame,
        sum(y / (s * s)) / sum(1.0 / (s * s)) as centre,
        cast(count(*) as integer) as area_count,
        sum(1.0 / (s * s)) as weight_sum,
        sum(1.0 / (s * s * s * s)) as weight_square_sum
    from pooled_inputs
    group by subject, body_kind, period_code, metric_id, metric_version, collection_mode, sampling_frame

),

scored as (

    select
        centres.subject,
        centres.body_kind,
        centres.period_code,
        centres.metric_id,
        centres.metric_version,
        centres.collection_mode,
        centres.sampling_frame,
        centres.area_count,
        rules.s2_winsor_low,
        rules.s2_winsor_high,
        (inputs.y - centres.centre) / inputs.s as zeta,
        row_number() over (
            partition by
                centres.subject, centres.body_kind, centres.period_code, centres.metric_id,
                centres.metric_version, centres.collection_mode, centres.sampling_frame
            order by (inputs.y - centres.centre) / inputs.s, inputs.pfa_code
        ) as zeta_rank
    from pooled_inputs as inputs
    inner join centres
        on
            inputs.subject = centres.subject
            and inputs.body_kind = centres.body_kind
            and inputs.period_code = centres.period_code
            and inputs.metric_id = centres.metric_id
            and inputs.metric_version = centres.metric_version
            and inputs.collection_mode = centres.collection_mode
            and inputs.sampling_frame = centres.sampling_frame
    inner join {{ ref('int_rules_by_quarter') }} as rules
        on inputs.period_code = rules.period_code

),

positions as (

    -- linear interpolation between order statistics, "type 7": position (I - 1) p + 1
    select
        scored.*,
        (area_count - 1) * {{ to_double("s2_winsor_low") }} + 1.0 as low_position,
        (area_count - 1) * {{ to_double("s2_winsor_high") }} + 1.0 as high_position
    from scored

),

limits as (

    select
        subject,
        body_kind,
        period_code,
        metric_id,
        metric_version,
        collection_mode,
        sampling_frame,
        sum(case
            when zeta_rank = floor(low_position) then zeta * (1.0 - (low_position - floor(low_position)))
            when zeta_rank = floor(low_position) + 1 then zeta * (low_position - floor(low_position))
            else 0.0
        end) as low_limit,
        sum(case
            when zeta_rank = floor(high_position) then zeta * (1.0 - (high_position - floor(high_position)))
            when zeta_rank = floor(high_position) + 1 then zeta * (high_position - floor(high_position))
            else 0.0
        end) as high_limit
    from positions
    group by subject, body_kind, period_code, metric_id, metric_version, collection_mode, sampling_frame

),

dispersion as (

    select
        scored.subject,
        scored.body_kind,
        scored.period_code,
        scored.metric_id,
        scored.metric_version,
        scored.collection_mode,
        scored.sampling_frame,
        avg(
            case
                when scored.zeta < limits.low_limit then limits.low_limit
                when scored.zeta > limits.high_limit then limits.high_limit
                else scored.zeta
            end
            * case
                when scored.zeta < limits.low_limit then limits.low_limit
                when scored.zeta > limits.high_limit then limits.high_limit
                else scored.zeta
            end
        ) as phi
    from scored
    inner join limits
        on
            scored.subject = limits.subject
            and scored.body_kind = limits.body_kind
            and scored.period_code = limits.period_code
            and scored.metric_id = limits.metric_id
            and scored.metric_version = limits.metric_version
            and scored.collection_mode = limits.collection_mode
            and scored.sampling_frame = limits.sampling_frame
    group by
        scored.subject, scored.body_kind, scored.period_code, scored.metric_id, scored.metric_version,
        scored.collection_mode, scored.sampling_frame

)

select
    centres.subject,
    centres.body_kind,
    centres.period_code,
    centres.metric_id,
    centres.metric_version,
    centres.collection_mode,
    centres.sampling_frame,
    centres.area_count,
    {{ stable("centres.centre", 13) }} as centre,
    {{ stable("dispersion.phi", 13) }} as phi,
    {{ stable("case
        when centres.area_count * dispersion.phi < centres.area_count - 1 or centres.area_count < 2 then 0.0
        else
            (centres.area_count * dispersion.phi - (centres.area_count - 1))
            / (centres.weight_sum - centres.weight_square_sum / centres.weight_sum)
    end", 15) }} as tau_squared
from centres
inner join dispersion
    on
        centres.subject = dispersion.subject
        and centres.body_kind = dispersion.body_kind
        and centres.period_code = dispersion.period_code
        and centres.metric_id = dispersion.metric_id
        and centres.metric_version = dispersion.metric_version
        and centres.collection_mode = dispersion.collection_mode
        and centres.sampling_frame = dispersion.sampling_frame

-- What S2's method is applied to: the compliance of scored metrics (a low share is bad), and the share of cases
-- kept in the count (a low share means many exclusions).
with figures as (

    select * from {{ ref('int_metric_figures') }}
    where
        is_total
        and is_complete
        and unit = 'proportion'
        and polarity in ('higher', 'lower')
        and collection_mode <> 'purposive_sample'

),

kinds as (

    select * from {{ ref('body_kinds') }}

),

compliance as (

    select
        'compliance' as subject,
        body_kind,
        pfa_code,
        period_code,
        right_number,
        metric_id,
        metric_version,
        collection_mode,
        sampling_frame,
        case when polarity = 'lower' then not_met_count else met_count end as good_count,
        case_count as base_count
    from figures

),

inclusion as (

    select
        'inclusion' as subject,
        body_kind,
        pfa_code,
        period_code,
        right_number,
        metric_id,
        metric_version,
        collection_mode,
        sampling_frame,
        case_count as good_count,
        case_count + coalesce(not_suitable_count, 0) + coalesce(declined_count, 0) as base_count
    from figures

),

unioned as (

    select * from compliance
    union all
    select * from inclusion

)

select
    unioned.subject,
    unioned.body_kind,
    unioned.pfa_code,
    unioned.period_code,
    unioned.right_number,
    unioned.metric_id,
    unioned.metric_version,
    unioned.collection_mode,
    unioned.sampling_frame,
    unioned.good_count,
    unioned.base_count,
    kinds.is_national_force,
    unioned.base_count >= rules.n_min and not kinds.is_national_force as is_in_pool,
    -- variance-stabilised share and its standard error
    case
        when unioned.base_count > 0
            then asin(sqrt({{ to_double("unioned.good_count") }} / nullif({{ to_double("unioned.base_count") }}, 0)))
    end as y,
    case
        when unioned.base_count > 0 then 1.0 / (2.0 * sqrt({{ to_double("unioned.base_count") }}))
    end as s
from unioned
inner join kinds
    on unioned.body_kind = kinds.body_kind
inner join {{ ref('int_rules_by_quarter') }} as rules
    on unioned.period_code = rules.period_code

-- Every test of the four severe indicators, met or not, assessable or not, with the figures it stands on.
with rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

thresholds as (

    select * from {{ ref('int_severe_thresholds') }}

),

figures as (

    select * from {{ ref('int_metric_figures') }}
    where
        is_total
        and is_complete
        and unit = 'proportion'
        and polarity in ('higher', 'lower')

),

answers as (

    -- of a body whose return is not in, nothing is evaluated, whatever the survey heard about it
    select answers.*
    from {{ ref('int_feedback_answers') }} as answers
    inner join {{ ref('int_reporting_coverage') }} as coverage
        on
            answers.period_code = coverage.period_code
            and answers.body_kind = coverage.body_kind
            and answers.pfa_code = coverage.pfa_code
    where
        answers.is_total
        and answers.is_standing
        and answers.is_complete
        and answers.polarity in ('higher', 'lower')
        and coverage.is_submitted

),

s1_bounds as (

    select
        figures.body_kind,
        figures.pfa_code,
        figures.right_number,
        figures.period_code,
        figures.metric_id as item_id,
        figures.collection_mode,
        figures.sampling_frame,
        case when figures.polarity = 'lower' then figures.not_met_count else figures.met_count end as good_count,
        figures.case_count as base_count,
        {{ to_double("figures.case_count") }} as effective_base,
        thresholds.threshold,
        rules.rule_version,
        rules.s1_z,
        case
            when figures.collection_mode = 'purposive_sample' then 'a purposive sample is described, not tested'
            when thresholds.threshold is null then 'no threshold set'
            when figures.case_count < rules.n_min then 'too few cases'
        end as not_assessable_reason
    from figures
    inner join rules
        on figures.period_code = rules.period_code
    left join thresholds
        on
            rules.rule_version = thresholds.rule_version
            and figures.metric_id = thresholds.metric_id

),

s3_bounds as (

    select
        answers.body_kind,
        answers.pfa_code,
        answers.right_number,
        answers.period_code,
        answers.question_id as item_id,
        answers.survey_mode as collection_mode,
        'respondents' as sampling_frame,
        answers.good_answer_count as good_count,
        answers.valid_answer_count as base_count,
        answers.effective_answer_count as effective_base,
        thresholds.threshold,
        rules.rule_version,
        rules.s1_z,
        case
            when thresholds.threshold is null then 'no threshold set'
            when answers.valid_answer_count < rules.n_min then 'too few answers'
        end as not_assessable_reason
    from answers
    inner join rules
        on answers.period_code = rules.period_code
    left join thresholds
        on
            rules.rule_version = thresholds.rule_version
            and answers.question_id = thresholds.metric_id

),

bounds as (

    select
        'S1' as indicator,
        s1_bounds.*
    from s1_bounds
    union all
    select
        'S3' as indicator,
        s3_bounds.*
    from s3_bounds

),

low_shares as (

    select
        indicator,
        body_kind,
        pfa_code,
        right_number,
        period_code,
        item_id,
        collection_mode,
        sampling_frame,
        good_count,
        base_count,
        threshold,
        rule_version,
        not_assessable_reason,
        {{ rate("good_count", "base_count") }} as good_rate,
        {{ wilson_bound(
            "good_count * effective_base / nullif(" ~ to_double("base_count") ~ ", 0)", "effective_base", "s1_z", "upper"
        ) }} as upper_bound
    from bounds

),

against_threshold as (

    select
        low_shares.indicator,
        low_shares.body_kind,
        low_shares.pfa_code,
        low_shares.right_number,
        low_shares.period_code,
        low_shares.item_id,
        low_shares.collection_mode,
        low_shares.sampling_frame,
        low_shares.not_assessable_reason is null as is_assessable,
        low_shares.not_assessable_reason is null and low_shares.upper_bound < low_shares.threshold as is_met,
        false as is_watch,
        low_shares.not_assessable_reason,
        low_shares.good_count,
        low_shares.base_count,
        low_shares.good_rate,
        low_shares.threshold,
        low_shares.upper_bound,
        cast(null as double) as z_score,
        cast(null as double) as gap_to_peers,
        cast(null as integer) as peer_count,
        cast(null as double) as peer_target_rate,
        cast(null as varchar) as peers,
        cast(null as double) as peer_weight_sum,
        cast(null as double) as phi,
        cast(null as double) as tau_squared,
        cast(null as double) as p_value,
        cast(null as double) as p_adjusted,
        cast(null as integer) as lowest_grade,
        low_shares.rule_version
    from low_shares

),

against_like_areas as (

    select
        'S2' as indicator,
        scores.body_kind,
        scores.pfa_code,
        scores.right_number,
        scores.period_code,
        scores.metric_id as item_id,
        scores.collection_mode,
        scores.sampling_frame,
        scores.is_assessable,
        scores.is_met,
        scores.is_watch,
        scores.not_assessable_reason,
        scores.good_count,
        scores.base_count,
        {{ rate("scores.good_count", "scores.base_count") }} as good_rate,
        scores.z_flag as threshold,
        cast(null as double) as upper_bound,
        scores.z_score,
        scores.gap_to_peers,
        scores.peer_count,
        scores.peer_target_rate,
        scores.peers,
        scores.peer_weight_sum,
        scores.phi,
        scores.tau_squared,
        scores.p_value,
        scores.p_adjusted,
        cast(null as integer) as lowest_grade,
        rules.rule_version
    from {{ ref('int_s2_scores') }} as scores
    inner join rules
        on scores.period_code = rules.period_code
    where scores.subject = 'compliance'

),

low_rights as (

    select distinct
        body_kind,
        pfa_code,
        right_number,
        period_code
    from (
        select * from against_threshold
        union all
        select * from against_like_areas
    ) as low_tests
    where is_met

),

expected_processes as (

    -- every item that is due of a body whose return is in: an empty delivery sheet is no plan
    select
        items.body_kind,
        coverage.pfa_code,
        items.right_number,
        items.period_code,
        items.metric_id as item_id,
        kinds.is_many_bodies
    from {{ ref('int_expected_items') }} as items
    inner join {{ ref('int_reporting_coverage') }} as coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
    inner join {{ ref('body_kinds') }} as kinds
        on items.body_kind = kinds.body_kind
    where
        items.information = 'delivery'
        and items.polarity <> 'contextual'
        and coverage.is_submitted

),

assessments as (

    select * from {{ ref('int_delivery_assessments') }}

),

against_process as (

    select
        'S4' as indicator,
        items.body_kind,
        items.pfa_code,
        items.right_number,
        items.period_code,
        items.item_id,
        'none' as collection_mode,
        'none' as sampling_frame,
        true as is_assessable,
        coalesce(assessments.low_grade_share, 0.0)
        >= case when items.is_many_bodies then rules.yjs_s4_share_min else 1.0 end
        or (
            low_rights.right_number is not null
            and coalesce(assessments.no_plan_share, 1.0)
            >= case when items.is_many_bodies then rules.yjs_s4_share_min else 1.0 end
        ) as is_met,
        false as is_watch,
        cast(null as varchar) as not_assessable_reason,
        cast(null as bigint) as good_count,
        cast(null as bigint) as base_count,
        assessments.low_grade_share as good_rate,
        cast(rules.s4_grade_max as double) as threshold,
        cast(null as double) as upper_bound,
        cast(null as double) as z_score,
        cast(null as double) as gap_to_peers,
        cast(null as integer) as peer_count,
        cast(null as double) as peer_target_rate,
        cast(null as varchar) as peers,
        cast(null as double) as peer_weight_sum,
        cast(null as double) as phi,
        cast(null as double) as tau_squared,
        cast(null as double) as p_value,
        cast(null as double) as p_adjusted,
        cast(assessments.lowest_grade as integer) as lowest_grade,
        rules.rule_version
    from expected_processes as items
    inner join rules
        on items.period_code = rules.period_code
    left join assessments
        on
            items.body_kind = assessments.body_kind
            and items.pfa_code = assessments.pfa_code
            and items.item_id = assessments.item_id
            and items.period_code = assessments.period_code
    left join low_rights
        on
            items.body_kind = low_rights.body_kind
            and items.pfa_code = low_rights.pfa_code
            and items.right_number = low_rights.right_number
            and items.period_code = low_rights.period_code

),

final as (

    select * from against_threshold
    union all
    select * from against_like_areas
    union all
    select * from against_process

)

select
    body_kind,
    pfa_code,
    right_number,
    period_code,
    indicator,
    item_id,
    collection_mode,
    sampling_frame,
    is_assessable,
    is_met,
    is_watch,
    not_assessable_reason,
    good_count,
    base_count,
    good_rate,
    threshold,
    upper_bound,
    z_score,
    gap_to_peers,
    peer_count,
    peer_target_rate,
    peers,
    peer_weight_sum,
    phi,
    tau_squared,
    p_value,
    p_adjusted,
    lowest_grade,
    rule_version
from final

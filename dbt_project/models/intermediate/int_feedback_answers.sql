-- Answers to each feedback question; `good` follows the polarity, so that a low share is always the worse one.
with answer_rows as (

    select
        due_returns.body_kind,
        due_returns.period_code,
        due_returns.sender_code,
        answer_rows.*
    from {{ ref('stg_quarterly_feedback') }} as answer_rows
    inner join {{ ref('int_expected_returns') }} as due_returns
        on
            answer_rows.receipt_id = due_returns.receipt_id
            and answer_rows.body_code = due_returns.body_code
            and answer_rows.pfa_code = due_returns.pfa_code

),

totals as (

    select * from answer_rows
    where is_total

),

answered as (

    {{ answered_share("totals", ["question_id", "survey_mode"]) }}

),

summed as (

    select
        body_kind,
        pfa_code,
        question_id,
        period_code,
        crime_type,
        characteristic,
        characteristic_value,
        survey_mode,
        is_total,
        response_set,
        cast(sum(invited_count) as bigint) as invited_count,
        cast(sum(very_good_count) as bigint) as very_good_count,
        cast(sum(good_count) as bigint) as good_count,
        cast(sum(neither_count) as bigint) as neither_count,
        cast(sum(poor_count) as bigint) as poor_count,
        cast(sum(very_poor_count) as bigint) as very_poor_count,
        cast(sum(yes_count) as bigint) as yes_count,
        cast(sum(no_count) as bigint) as no_count,
        cast(sum(not_applicable_count) as bigint) as not_applicable_count,
        cast(sum(dont_know_count) as bigint) as dont_know_count,
        -- the widest of the designs that were added together
        max(design_effect) as design_effect
    from answer_rows
    group by
        body_kind, pfa_code, question_id, period_code, crime_type, characteristic, characteristic_value,
        survey_mode, is_total, response_set

),

counted as (

    select
        summed.*,
        questions.right_number,
        questions.metric_version,
        questions.polarity,
        quarters.quarter_index,
        coalesce(
            {{ stable("answered.answered_share / nullif(coverage.expected_share, 0)", 6) }} >= coverage.share_needed,
            false
        ) as is_complete,
        case
            when summed.response_set = 'five_point'
                then
                    summed.very_good_count + summed.good_count + summed.neither_count + summed.poor_count
                    + summed.very_poor_count
            else summed.yes_count + summed.no_count
        end as valid_answer_count,
        case
            when summed.response_set = 'five_point' then summed.very_good_count + summed.good_count
            else summed.yes_count
        end as positive_answer_count
    from summed
    inner join {{ ref('int_quarters') }} as quarters
        on summed.period_code = quarters.period_code
    inner join {{ ref('metrics') }} as questions
        on
            summed.question_id = questions.metric_id
            and {{ in_force('questions', 'quarters.last_day') }}
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
            and summed.question_id = answered.question_id
            and summed.survey_mode = answered.survey_mode

)

select
    body_kind,
    pfa_code,
    question_id,
    period_code,
    crime_type,
    characteristic,
    characteristic_value,
    survey_mode,
    is_total,
    quarter_index,
    right_number,
    metric_version,
    polarity,
    response_set,
    is_complete,
    invited_count,
    valid_answer_count,
    case
        when polarity = 'lower' then valid_answer_count - positive_answer_count
        else positive_answer_count
    end as good_answer_count,
    not_applicable_count,
    dont_know_count,
    design_effect,
    {{ stable(to_double("valid_answer_count") ~ " / coalesce(nullif(design_effect, 0), 1.0)", 6) }}
        as effective_answer_count,
    body_kind || '|' || pfa_code || '|' || question_id || '|v' || cast(metric_version as varchar) || '|'
    || survey_mode as series_id
from counted

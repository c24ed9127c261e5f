-- Answers summed over the areas whose figures are complete; what bodies and the survey collected is never one sum.
with local_answers as (

    select * from {{ ref('local_area_feedback') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

expected as (

    select
        body_kind,
        question_id,
        period_code,
        cast(count(distinct pfa_code) as integer) as areas_expected
    from local_answers
    where figure_status <> 'not_applicable'
    group by body_kind, question_id, period_code

),

summed as (

    select
        body_kind,
        question_id,
        period_code,
        collected_by,
        survey_mode,
        max(right_number) as right_number,
        max(response_set) as response_set,
        max(polarity) as polarity,
        max(quarter_index) as quarter_index,
        cast(count(*) as integer) as areas_reporting,
        cast(sum(invited_count) as bigint) as invited_count,
        cast(sum(good_count) as bigint) as good_count,
        cast(sum(valid_answer_count) as bigint) as valid_answer_count,
        sum(effective_answer_count) as effective_answer_count
    from local_answers
    where figure_status = 'reported'
    group by body_kind, question_id, period_code, collected_by, survey_mode

)

select
    summed.body_kind,
    summed.question_id,
    summed.period_code,
    summed.collected_by,
    summed.survey_mode,
    summed.right_number,
    summed.response_set,
    summed.polarity,
    summed.quarter_index,
    expected.areas_expected,
    summed.areas_reporting,
    summed.invited_count,
    summed.good_count,
    summed.valid_answer_count,
    {{ stable("summed.effective_answer_count", 6) }} as effective_answer_count,
    {{ rate("summed.good_count", "summed.valid_answer_count") }} as good_rate,
    {{ wilson_bound(
        "summed.good_count * summed.effective_answer_count / nullif(" ~ to_double("summed.valid_answer_count") ~ ", 0)",
        "summed.effective_answer_count", "rules.interval_z", "lower") }} as rate_lower,
    {{ wilson_bound(
        "summed.good_count * summed.effective_answer_count / nullif(" ~ to_double("summed.valid_answer_count") ~ ", 0)",
        "summed.effective_answer_count", "rules.interval_z", "upper") }} as rate_upper
from summed
inner join expected
    on
        summed.body_kind = expected.body_kind
        and summed.question_id = expected.question_id
        and summed.period_code = expected.period_code
inner join rules
    on summed.period_code = rules.period_code

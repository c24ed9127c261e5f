-- Answers summed over the areas of a larger geography whose figures are complete; what bodies and the survey
-- collected is never one sum.
with area_groups as (

    select * from {{ ref('int_area_groups') }}

),

local_answers as (

    select
        area_groups.group_kind,
        area_groups.group_code,
        area_groups.group_name,
        answers.*
    from {{ ref('local_area_feedback') }} as answers
    inner join area_groups
        on
            answers.period_code = area_groups.period_code
            and answers.pfa_code = area_groups.pfa_code

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

expected as (

    select
        group_kind,
        group_code,
        body_kind,
        question_id,
        period_code,
        max(group_name) as group_name,
        max(right_number) as right_number,
        max(response_set) as response_set,
        max(polarity) as polarity,
        max(quarter_index) as quarter_index,
        cast(count(distinct case when figure_status <> 'not_applicable' then pfa_code end) as integer)
            as areas_expected,
        count(distinct case when figure_status = 'not_submitted' then pfa_code end) as areas_not_submitted,
        count(distinct case when figure_status = 'not_collected' then pfa_code end) as areas_not_collected
    from local_answers
    group by group_kind, group_code, body_kind, question_id, period_code

),

summed as (

    select
        group_kind,
        group_code,
        body_kind,
        question_id,
        period_code,
        collected_by,
        survey_mode,
        cast(count(*) as integer) as areas_reporting,
        cast(sum(invited_count) as bigint) as invited_count,
        cast(sum(good_count) as bigint) as good_count,
        cast(sum(valid_answer_count) as bigint) as valid_answer_count,
        {{ stable("sum(effective_answer_count)", 6) }} as effective_answer_count
    from local_answers
    where figure_status = 'reported'
    group by group_kind, group_code, body_kind, question_id, period_code, collected_by, survey_mode

),

joined as (

    select
        expected.*,
        coalesce(summed.collected_by, 'none') as collected_by,
        coalesce(summed.survey_mode, 'none') as survey_mode,
        coalesce(summed.areas_reporting, 0) as areas_reporting,
        summed.invited_count,
        summed.good_count,
        summed.valid_answer_count,
        summed.effective_answer_count,
        rules.interval_z
    from expected
    inner join rules
        on expected.period_code = rules.period_code
    left join summed
        on
            expected.group_kind = summed.group_kind
            and expected.group_code = summed.group_code
            and expected.body_kind = summed.body_kind
            and expected.question_id = summed.question_id
            and expected.period_code = summed.period_code

)

select
    group_kind,
    group_code,
    body_kind,
    question_id,
    period_code,
    collected_by,
    survey_mode,
    group_name,
    right_number,
    response_set,
    polarity,
    quarter_index,
    areas_expected,
    areas_reporting,
    areas_expected > 0 and areas_reporting = areas_expected as is_complete,
    case
        when areas_expected = 0 then 'not_applicable'
        when areas_reporting = areas_expected then 'reported'
        when areas_not_submitted = areas_expected then 'not_submitted'
        when areas_not_collected = areas_expected then 'not_collected'
        else 'incomplete'
    end as figure_status,
    invited_count,
    good_count,
    valid_answer_count,
    effective_answer_count,
    {{ rate("good_count", "valid_answer_count") }} as good_rate,
    {{ wilson_bound("good_count * effective_answer_count / nullif(" ~ to_double("valid_answer_count") ~ ", 0)",
        "effective_answer_count", "interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("good_count * effective_answer_count / nullif(" ~ to_double("valid_answer_count") ~ ", 0)",
        "effective_answer_count", "interval_z", "upper") }} as rate_upper
from joined

-- The bodies' own answers beside those of the national survey, where there are both. They are two surveys of one
-- service, asked differently: a difference is a question about how victims were asked, not a change over time.
with rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

answers as (

    select * from {{ ref('int_feedback_answers') }}
    where is_total

),

paired as (

    select
        own_answers.body_kind,
        own_answers.pfa_code,
        own_answers.question_id,
        own_answers.period_code,
        own_answers.survey_mode as bodies_survey_mode,
        survey_answers.survey_mode as national_survey_mode,
        areas.area_name,
        own_answers.right_number,
        own_answers.response_set,
        own_answers.polarity,
        own_answers.quarter_index,
        case when survey_answers.is_standing then 'survey' else 'own' end as standing_source,
        own_answers.is_complete as is_bodies_complete,
        survey_answers.is_complete as is_survey_complete,
        own_answers.good_answer_count as bodies_good_count,
        own_answers.valid_answer_count as bodies_answer_count,
        own_answers.effective_answer_count as bodies_effective_count,
        survey_answers.good_answer_count as survey_good_count,
        survey_answers.valid_answer_count as survey_answer_count,
        survey_answers.effective_answer_count as survey_effective_count,
        rules.interval_z,
        rules.change_z
    from answers as own_answers
    inner join answers as survey_answers
        on
            own_answers.body_kind = survey_answers.body_kind
            and own_answers.pfa_code = survey_answers.pfa_code
            and own_answers.question_id = survey_answers.question_id
            and own_answers.period_code = survey_answers.period_code
            and own_answers.response_set = survey_answers.response_set
    inner join rules
        on own_answers.period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on
            own_answers.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}
    where
        own_answers.collected_by = 'own'
        and survey_answers.collected_by = 'survey'

),

weighed as (

    -- good answers as far as the design lets them count, so that a weighted survey claims no more than it knows
    select
        paired.*,
        bodies_good_count * bodies_effective_count / nullif({{ to_double("bodies_answer_count") }}, 0)
            as bodies_effective_good,
        survey_good_count * survey_effective_count / nullif({{ to_double("survey_answer_count") }}, 0)
            as survey_effective_good
    from paired

)

select
    body_kind,
    pfa_code,
    question_id,
    period_code,
    bodies_survey_mode,
    national_survey_mode,
    area_name,
    right_number,
    response_set,
    polarity,
    quarter_index,
    standing_source,
    is_bodies_complete,
    is_survey_complete,
    bodies_good_count,
    bodies_answer_count,
    {{ rate("bodies_good_count", "bodies_answer_count") }} as bodies_rate,
    {{ wilson_bound("bodies_effective_good", "bodies_effective_count", "interval_z", "lower") }} as bodies_rate_lower,
    {{ wilson_bound("bodies_effective_good", "bodies_effective_count", "interval_z", "upper") }} as bodies_rate_upper,
    survey_good_count,
    survey_answer_count,
    {{ rate("survey_good_count", "survey_answer_count") }} as survey_rate,
    {{ wilson_bound("survey_effective_good", "survey_effective_count", "interval_z", "lower") }} as survey_rate_lower,
    {{ wilson_bound("survey_effective_good", "survey_effective_count", "interval_z", "upper") }} as survey_rate_upper,
    case
        when is_bodies_complete and is_survey_complete
            then {{ change_in_words("survey_effective_good", "survey_effective_count", "bodies_effective_good",
                "bodies_effective_count", "change_z") }}
    end as survey_against_own
from weighed

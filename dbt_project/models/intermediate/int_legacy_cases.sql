-- Whole cases behind the printed percentages, only where exactly one solution exists on a known base.
with answers as (

    select * from {{ ref('int_legacy_answers') }}

),

digits as (

    {% for digit in range(10) %}
        select {{ digit }} as digit
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}

),

whole_numbers as (

    select tens.digit * 10 + ones.digit as cases
    from digits as tens
    cross join digits as ones

),

sample_answers as (

    select * from answers
    where
        base_rule = 'sample'
        and sample_size is not null
        and met_percent is not null
        and not_met_percent is not null

),

sample_solutions as (

    {{ whole_case_solutions("sample_answers") }}

),

sample_cases as (

    select
        body_code,
        pfa_code,
        question_id,
        period_code,
        sampling_frame,
        max(base_kind) as base_kind,
        max(met_cases) as met_cases,
        max(not_met_cases) as not_met_cases,
        max(other_cases) as other_cases
    from sample_solutions
    group by body_code, pfa_code, question_id, period_code, sampling_frame
    having count(*) = 1

),

-- questions asked only of the cases that met another one
dependent_answers as (

    select
        answers.body_code,
        answers.pfa_code,
        answers.question_id,
        answers.period_code,
        answers.sampling_frame,
        answers.met_percent,
        answers.not_met_percent,
        answers.other_percent,
        sample_cases.met_cases as sample_size
    from answers
    inner join sample_cases
        on
            answers.base_question_id = sample_cases.question_id
            and answers.body_code = sample_cases.body_code
            and answers.pfa_code = sample_cases.pfa_code
            and answers.period_code = sample_cases.period_code
            and answers.sampling_frame = sample_cases.sampling_frame
    where
        answers.base_rule = 'met_cases_of_question'
        and answers.met_percent is not null
        and answers.not_met_percent is not null

),

dependent_solutions as (

    {{ whole_case_solutions("dependent_answers") }}

),

dependent_cases as (

    select
        body_code,
        pfa_code,
        question_id,
        period_code,
        sampling_frame,
        max(base_kind) as base_kind,
        max(met_cases) as met_cases,
        max(not_met_cases) as not_met_cases,
        max(other_cases) as other_cases
    from dependent_solutions
    group by body_code, pfa_code, question_id, period_code, sampling_frame
    having count(*) = 1

),

final as (

    select * from sample_cases
    union all
    select * from dependent_cases

)

select
    body_code,
    pfa_code,
    question_id,
    period_code,
    sampling_frame,
    base_kind,
    met_cases,
    not_met_cases,
    other_cases
from final

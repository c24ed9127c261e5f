{#- Whole cases behind printed percentages. For each answer set of `answers` (body_code, pfa_code, question_id,
    period_code, sampling_frame, met_percent, not_met_percent, other_percent, sample_size) every triple of whole
    cases that adds up to the sample is tried, on two bases: all cases of the sample, or those left after the
    third answer is taken off. A triple fits when each share, rounded half up, is the printed one.
    Needs a relation `whole_numbers` with a column `cases`. -#}
{% macro whole_case_solutions(answers) -%}
    select
        answers.body_code,
        answers.pfa_code,
        answers.question_id,
        answers.period_code,
        answers.sampling_frame,
        bases.base_kind,
        met.cases as met_cases,
        not_met.cases as not_met_cases,
        answers.sample_size - met.cases - not_met.cases as other_cases
    from {{ answers }} as answers
    cross join (
        select 'all_cases' as base_kind
        union all
        select 'suitable_cases' as base_kind
    ) as bases
    inner join whole_numbers as met
        on met.cases <= answers.sample_size
    inner join whole_numbers as not_met
        on not_met.cases <= answers.sample_size - met.cases
    where
        {{ rounds_to("met.cases",
            "case when bases.base_kind = 'all_cases' then answers.sample_size else met.cases + not_met.cases end",
            "answers.met_percent") }}
        and {{ rounds_to("not_met.cases",
            "case when bases.base_kind = 'all_cases' then answers.sample_size else met.cases + not_met.cases end",
            "answers.not_met_percent") }}
        and {{ rounds_to("answers.sample_size - met.cases - not_met.cases", "answers.sample_size",
            "coalesce(answers.other_percent, 0)") }}
        -- with nothing taken off, the two bases are one
        and (bases.base_kind = 'all_cases' or answers.sample_size > met.cases + not_met.cases)
{%- endmacro %}

{#- Is 100 * cases / base, rounded half up to a whole percent, the printed percentage? -#}
{% macro rounds_to(cases, base, percent) -%}
    floor(100.0 * ({{ cases }}) / nullif({{ to_double(base) }}, 0) + 0.5) = {{ percent }}
{%- endmacro %}

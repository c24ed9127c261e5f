-- Exact answers behind what is published of each feedback question: one pooled financial year (rule 9), only where one
-- way of asking stood in all of it.
with years as (

    select * from {{ ref('int_public_years') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

coverage as (

    select * from {{ ref('int_reporting_coverage') }}

),

items as (

    select * from {{ ref('int_expected_items') }}
    where information = 'feedback'

),

answers as (

    select
        years.year_code,
        answers.period_code,
        answers.body_kind,
        answers.pfa_code,
        answers.question_id,
        answers.metric_version,
        answers.survey_mode,
        answers.collected_by,
        answers.is_complete,
        answers.valid_answer_count,
        answers.good_answer_count
    from {{ ref('int_feedback_answers') }} as answers
    inner join years
        on answers.period_code = years.period_code
    where
        answers.is_total
        and answers.is_standing

),

-- what is asked in the last quarter of the year, of the areas that it is asked about
expected as (

    select
        years.year_code,
        years.year_label,
        years.release_period_code,
        years.period_count,
        years.is_whole_year,
        years.year_last_day,
        items.body_kind,
        coverage.pfa_code,
        items.right_number,
        items.metric_id as question_id
    from years
    inner join items
        on years.period_code = items.period_code
    inner join coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
    where years.period_code = years.release_period_code

),

heard as (

    select
        period_code,
        body_kind,
        pfa_code,
        question_id,
        max(case when is_complete then 1 else 0 end) as is_complete
    from answers
    group by period_code, body_kind, pfa_code, question_id

),

-- how each quarter of the year stands, whatever way was asked in
states as (

    select
        years.year_code,
        coverage.body_kind,
        coverage.pfa_code,
        items.metric_id as question_id,
        sum(case when coverage.applicability = 'not_applicable' then 1 else 0 end) as periods_not_applicable,
        sum(case
            when coverage.applicability = 'not_applicable' or heard.is_complete is not null then 0
            when coverage.senders_received = 0 then 1
            else 0
        end) as periods_not_submitted,
        sum(case
            when coverage.applicability = 'not_applicable' or heard.is_complete = 1 then 0
            when heard.is_complete = 0 then 1
            when coverage.senders_received > 0 and not coverage.is_submitted then 1
            else 0
        end) as periods_incomplete,
        count(*) as periods_asked
    from years
    inner join items
        on years.period_code = items.period_code
    inner join coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
    left join heard
        on
            coverage.period_code = heard.period_code
            and coverage.body_kind = heard.body_kind
            and coverage.pfa_code = heard.pfa_code
            and items.metric_id = heard.question_id
    group by years.year_code, coverage.body_kind, coverage.pfa_code, items.metric_id

),

pooled as (

    select
        year_code,
        body_kind,
        pfa_code,
        question_id,
        survey_mode,
        collected_by,
        metric_version,
        count(distinct period_code) as periods_answered,
        cast(sum(valid_answer_count) as bigint) as base_count,
        cast(sum(good_answer_count) as bigint) as met_count
    from answers
    where
        is_complete
        and valid_answer_count is not null
    group by year_code, body_kind, pfa_code, question_id, survey_mode, collected_by, metric_version

),

joined as (

    select
        expected.year_code,
        expected.year_label,
        expected.release_period_code,
        expected.year_last_day,
        expected.body_kind,
        expected.pfa_code,
        {{ public_area_code("expected.pfa_code", "expected.body_kind") }} as area_code,
        expected.right_number,
        expected.question_id,
        coalesce(pooled.survey_mode, 'none') as survey_mode,
        coalesce(pooled.collected_by, 'none') as collected_by,
        case
            when states.periods_not_applicable = states.periods_asked then 'not_applicable'
            when pooled.base_count is not null then 'reported'
            when not expected.is_whole_year then 'not_collected'
            when states.periods_not_submitted = states.periods_asked then 'not_submitted'
            when states.periods_not_submitted + states.periods_incomplete > 0 then 'incomplete'
            -- asked in another way, or by somebody else, from one quarter to the next; or not asked at all
            else 'not_collected'
        end as figure_status,
        pooled.base_count,
        pooled.met_count
    from expected
    inner join states
        on
            expected.year_code = states.year_code
            and expected.body_kind = states.body_kind
            and expected.pfa_code = states.pfa_code
            and expected.question_id = states.question_id
    left join pooled
        on
            expected.year_code = pooled.year_code
            and expected.body_kind = pooled.body_kind
            and expected.pfa_code = pooled.pfa_code
            and expected.question_id = pooled.question_id
            and expected.period_count = pooled.periods_answered
            and expected.is_whole_year

),

named as (

    select
        joined.*,
        'feedback|' || body_kind || '|' || area_code || '|' || question_id || '|' || year_code || '|' || survey_mode
        || '|' || collected_by as cell_id
    from joined

),

-- rule 10: what was published stands, unless so much has changed that the change is about many
compared as (

    select
        named.*,
        {{ rules_columns("rules") }},
        earlier.base_count as earlier_base_count,
        earlier.met_count as earlier_met_count,
        coalesce(earlier.is_revised, false) as was_revised,
        coalesce(
            earlier.cell_id is not null
            and {{ is_large_revision("named.base_count", "named.met_count", "earlier.base_count", "earlier.met_count",
                "rules.revision_min_change") }},
            false
        ) as is_large
    from named
    inner join rules
        on named.release_period_code = rules.period_code
    left join {{ ref('int_earlier_cells') }} as earlier
        on
            named.cell_id = earlier.cell_id
            and named.figure_status = 'reported'

)

select
    cell_id,
    body_kind,
    area_code,
    question_id,
    year_code,
    survey_mode,
    collected_by,
    release_period_code,
    year_label,
    year_last_day,
    pfa_code,
    right_number,
    'proportion' as unit,
    figure_status,
    case
        when figure_status <> 'reported' then null
        when earlier_base_count is null or is_large then base_count
        else earlier_base_count
    end as base_count,
    case
        when figure_status <> 'reported' then null
        when earlier_base_count is null or is_large then met_count
        else earlier_met_count
    end as met_count,
    -- what was revised once stays marked: it is not what was published first
    is_large or was_revised as is_revised,
    disclosure_rule_version,
    suppress_max,
    rounding_base,
    whole_percent_n_min,
    about_percent_n_min,
    closed_band_n_min,
    interval_z
from compared

-- Answers to each feedback question, of the bodies' own asking and of the national survey, side by side and never in
-- one series. `is_standing` says which of the two is read: the survey where it is complete, else the body's own;
-- each breakdown by itself.
-- `good` follows the polarity, so that a low share is always the worse one.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

due_returns as (

    select * from {{ ref('int_expected_returns') }}

),

own_rows as (

    select
        'own' as collected_by,
        due_returns.body_kind,
        due_returns.period_code,
        due_returns.sender_code,
        answer_rows.receipt_id,
        answer_rows.body_code,
        answer_rows.pfa_code,
        answer_rows.question_id,
        answer_rows.crime_type,
        answer_rows.characteristic,
        answer_rows.characteristic_value,
        answer_rows.is_total,
        answer_rows.survey_mode,
        answer_rows.response_set,
        answer_rows.invited_count,
        answer_rows.very_good_count,
        answer_rows.good_count,
        answer_rows.neither_count,
        answer_rows.poor_count,
        answer_rows.very_poor_count,
        answer_rows.yes_count,
        answer_rows.no_count,
        answer_rows.not_applicable_count,
        answer_rows.dont_know_count,
        answer_rows.design_effect
    from {{ ref('stg_quarterly_feedback') }} as answer_rows
    inner join due_returns
        on
            answer_rows.receipt_id = due_returns.receipt_id
            and answer_rows.body_code = due_returns.body_code
            and answer_rows.pfa_code = due_returns.pfa_code

),

survey_rows as (

    select
        'survey' as collected_by,
        bodies.body_kind,
        receipts.period_code,
        receipts.sender_code,
        answer_rows.receipt_id,
        answer_rows.body_code,
        answer_rows.pfa_code,
        answer_rows.question_id,
        answer_rows.crime_type,
        answer_rows.characteristic,
        answer_rows.characteristic_value,
        answer_rows.is_total,
        answer_rows.survey_mode,
        answer_rows.response_set,
        answer_rows.invited_count,
        answer_rows.very_good_count,
        answer_rows.good_count,
        answer_rows.neither_count,
        answer_rows.poor_count,
        answer_rows.very_poor_count,
        answer_rows.yes_count,
        answer_rows.no_count,
        answer_rows.not_applicable_count,
        answer_rows.dont_know_count,
        answer_rows.design_effect
    from {{ ref('stg_feedback_answers') }} as answer_rows
    inner join {{ ref('int_current_receipts') }} as receipts
        on answer_rows.receipt_id = receipts.receipt_id
    inner join quarters
        on receipts.period_code = quarters.period_code
    inner join {{ ref('bodies') }} as bodies
        on
            answer_rows.body_code = bodies.body_code
            and {{ in_force('bodies', 'quarters.last_day') }}

),

answer_rows as (

    select * from own_rows
    union all
    select * from survey_rows

),

own_totals as (

    select * from own_rows
    where is_total

),

own_answered as (

    {{ answered_share("own_totals", ["question_id", "survey_mode"]) }}

),

body_shares as (

    select
        period_code,
        pfa_code,
        body_code,
        max(case_share) as case_share
    from due_returns
    group by period_code, pfa_code, body_code

),

-- a survey asks about bodies whether or not they send a return: it covers those that it has answers about
survey_answered as (

    select
        asked.body_kind,
        asked.pfa_code,
        asked.period_code,
        asked.question_id,
        asked.survey_mode,
        sum(body_shares.case_share) as answered_share
    from (
        select distinct
            body_kind,
            pfa_code,
            period_code,
            question_id,
            survey_mode,
            body_code
        from survey_rows
        where is_total
    ) as asked
    inner join body_shares
        on
            asked.period_code = body_shares.period_code
            and asked.pfa_code = body_shares.pfa_code
            and asked.body_code = body_shares.body_code
    group by asked.body_kind, asked.pfa_code, asked.period_code, asked.question_id, asked.survey_mode

),

answered as (

    select
        'own' as collected_by,
        own_answered.*
    from own_answered
    union all
    select
        'survey' as collected_by,
        survey_answered.*
    from survey_answered

),

summed as (

    select
        collected_by,
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
        collected_by, body_kind, pfa_code, question_id, period_code, crime_type, characteristic,
        characteristic_value, survey_mode, is_total, response_set

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
    inner join quarters
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
            summed.collected_by = answered.collected_by
            and summed.period_code = answered.period_code
            and summed.body_kind = answered.body_kind
            and summed.pfa_code = answered.pfa_code
            and summed.question_id = answered.question_id
            and summed.survey_mode = answered.survey_mode

),

broken_down as (

    select
        counted.*,
        case
            when characteristic <> 'ALL' then characteristic
            when crime_type <> 'ALL' then 'crime_type'
            else 'ALL'
        end as breakdown,
        max(case when collected_by = 'survey' and is_total and is_complete then 1 else 0 end) over (
            partition by body_kind, pfa_code, question_id, period_code
        ) = 1 as is_survey_complete
    from counted

),

-- a survey that does not break its answers down leaves the breakdowns to the bodies
sources as (

    select
        body_kind,
        pfa_code,
        question_id,
        period_code,
        breakdown,
        max(case when collected_by = 'survey' then 1 else 0 end) = 1 as is_survey_there,
        max(case when collected_by = 'own' then 1 else 0 end) = 1 as is_own_there
    from broken_down
    group by body_kind, pfa_code, question_id, period_code, breakdown

)

select
    counted.body_kind,
    counted.pfa_code,
    counted.question_id,
    counted.period_code,
    counted.crime_type,
    counted.characteristic,
    counted.characteristic_value,
    counted.collected_by,
    counted.survey_mode,
    counted.is_total,
    case
        when (counted.is_survey_complete and sources.is_survey_there) or not sources.is_own_there
            then counted.collected_by = 'survey'
        else counted.collected_by = 'own'
    end as is_standing,
    counted.quarter_index,
    counted.right_number,
    counted.metric_version,
    counted.polarity,
    counted.response_set,
    counted.is_complete,
    counted.invited_count,
    counted.valid_answer_count,
    case
        when counted.polarity = 'lower' then counted.valid_answer_count - counted.positive_answer_count
        else counted.positive_answer_count
    end as good_answer_count,
    counted.not_applicable_count,
    counted.dont_know_count,
    counted.design_effect,
    {{ stable(to_double("counted.valid_answer_count") ~ " / coalesce(nullif(counted.design_effect, 0), 1.0)", 6) }}
        as effective_answer_count,
    counted.body_kind || '|' || counted.pfa_code || '|' || counted.question_id || '|v'
    || cast(counted.metric_version as varchar) || '|' || counted.collected_by || '|' || counted.survey_mode
        as series_id
from broken_down as counted
inner join sources
    on
        counted.body_kind = sources.body_kind
        and counted.pfa_code = sources.pfa_code
        and counted.question_id = sources.question_id
        and counted.period_code = sources.period_code
        and counted.breakdown = sources.breakdown

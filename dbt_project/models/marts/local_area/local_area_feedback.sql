-- One row for every feedback question that is due, whether it was asked or not.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

answers as (

    select * from {{ ref('int_feedback_answers') }}
    where
        is_total
        and is_standing

),

comparable as (

    select * from answers
    where is_complete

),

expected as (

    select
        items.period_code,
        items.quarter_index,
        items.body_kind,
        coverage.pfa_code,
        areas.area_name,
        items.right_number,
        items.metric_id as question_id,
        items.response_set,
        items.polarity,
        coverage.applicability,
        coverage.is_submitted,
        coverage.senders_received
    from {{ ref('int_expected_items') }} as items
    inner join {{ ref('int_reporting_coverage') }} as coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
    inner join rules
        on items.period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on
            coverage.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}
    where items.information = 'feedback'

),

nil_declarations as (

    -- a sender that asks no questions says so on the cover, for all it answers for
    select
        due_returns.body_kind,
        due_returns.pfa_code,
        due_returns.period_code,
        min(covers.nil_feedback_reason) as nil_feedback_reason
    from {{ ref('stg_quarterly_covers') }} as covers
    inner join {{ ref('int_expected_returns') }} as due_returns
        on covers.receipt_id = due_returns.receipt_id
    where covers.nil_feedback_reason is not null
    group by due_returns.body_kind, due_returns.pfa_code, due_returns.period_code

),

like_areas as (

    select
        answers.series_id,
        answers.period_code,
        cast(count(*) as integer) as like_area_count,
        cast(sum(peer_answers.good_answer_count) as bigint) as good_count,
        cast(sum(peer_answers.valid_answer_count) as bigint) as answer_count
    from comparable as answers
    inner join {{ ref('int_like_areas') }} as peers
        on
            answers.period_code = peers.period_code
            and answers.pfa_code = peers.pfa_code
    inner join comparable as peer_answers
        on
            peers.peer_pfa_code = peer_answers.pfa_code
            and answers.period_code = peer_answers.period_code
            and answers.body_kind = peer_answers.body_kind
            and answers.question_id = peer_answers.question_id
            and answers.metric_version = peer_answers.metric_version
            and answers.collected_by = peer_answers.collected_by
            and answers.survey_mode = peer_answers.survey_mode
    group by answers.series_id, answers.period_code

),

joined as (

    select
        expected.body_kind,
        expected.pfa_code,
        expected.question_id,
        expected.period_code,
        coalesce(answers.survey_mode, 'none') as survey_mode,
        answers.collected_by,
        expected.area_name,
        expected.right_number,
        expected.response_set,
        expected.polarity,
        expected.quarter_index,
        answers.series_id,
        case
            when expected.applicability = 'not_applicable' then 'not_applicable'
            when answers.is_complete then 'reported'
            when answers.series_id is not null then 'incomplete'
            when expected.senders_received = 0 then 'not_submitted'
            when not expected.is_submitted then 'incomplete'
            else 'not_collected'
        end as figure_status,
        case when answers.series_id is null then nil_declarations.nil_feedback_reason end as not_collected_reason,
        answers.invited_count,
        answers.good_answer_count as good_count,
        answers.valid_answer_count,
        answers.effective_answer_count,
        previous.good_answer_count as previous_good_count,
        previous.valid_answer_count as previous_answer_count,
        previous.effective_answer_count as previous_effective_count,
        year_ago.good_answer_count as year_ago_good_count,
        year_ago.valid_answer_count as year_ago_answer_count,
        like_areas.like_area_count,
        like_areas.good_count as like_areas_good_count,
        like_areas.answer_count as like_areas_answer_count,
        rules.interval_z,
        rules.change_z
    from expected
    inner join rules
        on expected.period_code = rules.period_code
    inner join quarters
        on expected.period_code = quarters.period_code
    left join answers
        on
            expected.body_kind = answers.body_kind
            and expected.pfa_code = answers.pfa_code
            and expected.question_id = answers.question_id
            and expected.period_code = answers.period_code
    left join nil_declarations
        on
            expected.body_kind = nil_declarations.body_kind
            and expected.pfa_code = nil_declarations.pfa_code
            and expected.period_code = nil_declarations.period_code
    left join comparable as previous
        on
            answers.series_id = previous.series_id
            and answers.quarter_index - 1 = previous.quarter_index
            and answers.is_complete
    left join comparable as year_ago
        on
            answers.series_id = year_ago.series_id
            and quarters.year_ago_period_code = year_ago.period_code
            and answers.is_complete
    left join like_areas
        on
            answers.series_id = like_areas.series_id
            and answers.period_code = like_areas.period_code

)

select
    body_kind,
    pfa_code,
    question_id,
    period_code,
    survey_mode,
    collected_by,
    area_name,
    right_number,
    response_set,
    polarity,
    quarter_index,
    series_id,
    figure_status,
    not_collected_reason,
    invited_count,
    good_count,
    valid_answer_count,
    effective_answer_count,
    {{ rate("good_count", "valid_answer_count") }} as good_rate,
    {{ wilson_bound("good_count * effective_answer_count / nullif(" ~ to_double("valid_answer_count") ~ ", 0)",
        "effective_answer_count", "interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("good_count * effective_answer_count / nullif(" ~ to_double("valid_answer_count") ~ ", 0)",
        "effective_answer_count", "interval_z", "upper") }} as rate_upper,
    previous_good_count,
    previous_answer_count,
    {{ rate("previous_good_count", "previous_answer_count") }} as previous_rate,
    -- a design that makes answers count for less makes a change harder to tell, as it widens the interval
    {{ change_in_words("good_count * effective_answer_count / nullif(" ~ to_double("valid_answer_count") ~ ", 0)",
        "effective_answer_count",
        "previous_good_count * previous_effective_count / nullif(" ~ to_double("previous_answer_count") ~ ", 0)",
        "previous_effective_count", "change_z") }} as change_from_previous,
    year_ago_good_count,
    year_ago_answer_count,
    {{ rate("year_ago_good_count", "year_ago_answer_count") }} as year_ago_rate,
    like_area_count,
    like_areas_good_count,
    like_areas_answer_count,
    {{ rate("like_areas_good_count", "like_areas_answer_count") }} as like_areas_rate
from joined

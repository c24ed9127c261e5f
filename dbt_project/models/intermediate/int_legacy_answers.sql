-- The 2019/20 audit as printed: one row a question and period, its answers side by side.
with answers as (

    select
        receipts.receipt_id,
        answers.period_code,
        answers.body_code,
        answers.pfa_code,
        answers.question_id,
        -- one figure of the report does not say which cases it is about
        coalesce(answers.sampling_frame, 'not_stated') as sampling_frame,
        answers.printed_in,
        questions.metric_id,
        questions.entitlement_number,
        questions.question,
        questions.base_rule,
        questions.base_question_id,
        questions.outcome,
        answers.printed_value,
        {{ to_integer_or_null("nullif(trim(replace(answers.printed_value, '%', '')), '')") }} as printed_percent,
        answers.stated_case_count,
        answers.stated_base_count
    from {{ ref('stg_legacy_audit_answers') }} as answers
    inner join {{ ref('int_current_receipts') }} as receipts
        on answers.receipt_id = receipts.receipt_id
    inner join {{ ref('legacy_questions') }} as questions
        on
            answers.question_id = questions.question_id
            and answers.response_id = questions.response_id

),

pivoted as (

    select
        period_code,
        body_code,
        pfa_code,
        question_id,
        sampling_frame,
        printed_in,
        max(receipt_id) as receipt_id,
        max(metric_id) as metric_id,
        max(entitlement_number) as entitlement_number,
        max(question) as question,
        max(base_rule) as base_rule,
        max(base_question_id) as base_question_id,
        max(case when outcome in ('met', 'percentage') then printed_value end) as printed_met,
        max(case when outcome = 'not_met' then printed_value end) as printed_not_met,
        max(case when outcome in ('not_suitable', 'declined') then printed_value end) as printed_other,
        max(case when outcome in ('met', 'percentage') then printed_percent end) as met_percent,
        max(case when outcome = 'not_met' then printed_percent end) as not_met_percent,
        max(case when outcome in ('not_suitable', 'declined') then printed_percent end) as other_percent,
        max(case when outcome in ('not_suitable', 'declined') then outcome end) as other_outcome,
        max(case when outcome = 'unknown' then 1 else 0 end) = 1 as has_unknown_answer,
        max(case when outcome in ('met', 'percentage') then stated_case_count end) as stated_case_count,
        max(case when outcome in ('met', 'percentage') then stated_base_count end) as stated_base_count
    from answers
    group by period_code, body_code, pfa_code, question_id, sampling_frame, printed_in

)

select
    pivoted.*,
    samples.sample_size,
    samples.basis as sample_basis
from pivoted
left join {{ ref('legacy_samples') }} as samples
    on
        pivoted.pfa_code = samples.pfa_code
        and pivoted.period_code = samples.period_code
        and pivoted.sampling_frame = samples.sampling_frame

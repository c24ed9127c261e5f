-- Every total that a body or the survey reported, and when it was known. The rows of replaced returns are kept, so a
-- past state of knowledge is one condition on two columns.
with spans as (

    select * from {{ ref('int_receipt_spans') }}
    where form_kind in ('quarterly', 'feedback')

),

reported as (

    select * from {{ ref('int_reported_rows') }}
    where is_total

),

quarters as (

    select * from {{ ref('int_quarters') }}

),

-- the bodies and areas whose figures a return can bring: those its sender answers for, and any for the survey
answerable as (

    select distinct
        'own' as collected_by,
        sender_code,
        period_code,
        body_code,
        pfa_code,
        body_kind
    from {{ ref('int_expected_returns') }}
    union all
    select distinct
        'survey' as collected_by,
        spans.sender_code,
        quarters.period_code,
        bodies.body_code,
        body_areas.pfa_code,
        bodies.body_kind
    from spans
    inner join quarters
        on spans.period_code = quarters.period_code
    inner join {{ ref('bodies') }} as bodies
        on {{ in_force('bodies', 'quarters.last_day') }}
    inner join {{ ref('body_areas') }} as body_areas
        on
            bodies.body_code = body_areas.body_code
            and {{ in_force('body_areas', 'quarters.last_day') }}
    where spans.form_kind = 'feedback'

)

select
    reported.receipt_id,
    spans.known_from,
    reported.sheet,
    reported.sheet_row,
    spans.known_to,
    reported.information,
    reported.collected_by,
    answerable.body_kind,
    reported.pfa_code,
    reported.item_id,
    spans.period_code,
    reported.collection_mode,
    reported.sampling_frame,
    reported.body_code,
    spans.sender_code,
    items.right_number,
    items.metric_version,
    quarters.quarter_index,
    reported.met_count,
    reported.not_met_count,
    reported.not_suitable_count,
    reported.declined_count,
    reported.unknown_count,
    reported.reported_count,
    reported.within_limit_count,
    reported.short_delay_count,
    reported.long_delay_count,
    reported.met_count + reported.not_met_count as case_count,
    reported.invited_count,
    case
        when items.polarity = 'lower' then reported.valid_answer_count - reported.positive_answer_count
        else reported.positive_answer_count
    end as good_count,
    reported.valid_answer_count,
    reported.not_applicable_count,
    reported.dont_know_count,
    reported.grade,
    reported.has_improvement_plan,
    reported.next_step_due_on,
    reported.note
from reported
inner join spans
    on reported.receipt_id = spans.receipt_id
inner join quarters
    on spans.period_code = quarters.period_code
inner join answerable
    on
        reported.collected_by = answerable.collected_by
        and spans.sender_code = answerable.sender_code
        and spans.period_code = answerable.period_code
        and reported.body_code = answerable.body_code
        and reported.pfa_code = answerable.pfa_code
inner join {{ ref('metrics') }} as items
    on
        reported.item_id = items.metric_id
        and {{ in_force('items', 'quarters.last_day') }}

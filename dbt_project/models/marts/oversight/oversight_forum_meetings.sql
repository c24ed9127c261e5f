-- Meetings of the two national forums as the current returns record them. No form asked for them before January 2026.
with decided as (

    select
        decided_by_role,
        decided_on,
        cast(count(*) as integer) as decision_count
    from {{ ref('int_case_decisions') }}
    group by decided_by_role, decided_on

)

select
    meetings.forum,
    meetings.meeting_on,
    receipts.period_code,
    meetings.reviewed_period_code,
    meetings.considered_case_count,
    coalesce(decided.decision_count, 0) as meeting_decision_count,
    meetings.summary,
    meetings.receipt_id,
    meetings.sheet_row
from {{ ref('stg_forum_meetings') }} as meetings
inner join {{ ref('int_current_receipts') }} as receipts
    on meetings.receipt_id = receipts.receipt_id
left join decided
    on
        meetings.forum = decided.decided_by_role
        and meetings.meeting_on = decided.decided_on

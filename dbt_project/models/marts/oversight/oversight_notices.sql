-- Notices as recorded: what the law calls a notice, agreed by both ministers. A flag is never one.
select
    notices.notice_id,
    notices.case_id,
    case_keys.body_kind,
    case_keys.pfa_code,
    case_keys.right_number,
    case_keys.first_period_code,
    areas.area_name,
    rights.right_title,
    case when notices.notice_case_count > 1 then 'joint' else 'single' end as notice_scope,
    notices.notice_case_count,
    notices.notice_status,
    notices.recipient_code,
    senders.sender_name as recipient_name,
    notices.copied_to,
    notices.summary,
    notices.request,
    notices.sos_agreed_on,
    notices.ag_agreed_on,
    notices.vc_consulted_on,
    notices.published_on,
    notices.plan_due_on,
    notices.plan_link,
    notices.update_due_on,
    notices.closed_on,
    cases.case_id is not null as is_case_known,
    notices.receipt_id
from {{ ref('int_notices') }} as notices
left join {{ ref('int_case_keys') }} as case_keys
    on notices.case_id = case_keys.case_id
left join {{ ref('int_cases') }} as cases
    on notices.case_id = cases.case_id
left join {{ ref('int_quarters') }} as quarters
    on case_keys.first_period_code = quarters.period_code
left join {{ ref('areas') }} as areas
    on
        case_keys.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'quarters.last_day') }}
left join {{ ref('rights') }} as rights
    on
        case_keys.right_number = rights.right_number
        and {{ in_force('rights', 'quarters.last_day') }}
left join {{ ref('senders') }} as senders
    on
        notices.recipient_code = senders.sender_code
        and {{ in_force('senders', 'coalesce(notices.published_on, notices.known_on)') }}

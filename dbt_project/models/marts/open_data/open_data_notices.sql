-- Published notices as they stood when the review of each quarter was due: a notice is in the release of the first
-- quarter whose review was due on the day it was published or later, and in every release after that.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

notices as (

    select * from {{ ref('int_notices') }}
    where published_on is not null

),

case_keys as (

    select * from {{ ref('int_case_keys') }}

),

plans as (

    select
        notices.notice_id,
        min(decisions.decided_on) as plan_published_on
    from notices
    inner join {{ ref('int_case_decisions') }} as decisions
        on
            notices.case_id = decisions.case_id
            and decisions.to_state = 'plan_published'
            and notices.published_on <= decisions.decided_on
    group by notices.notice_id

),

-- several cases of one body and right are one row
subjects as (

    select
        notices.notice_id,
        case_keys.body_kind,
        case_keys.pfa_code,
        case_keys.right_number,
        max(case_keys.first_period_code) as first_period_code
    from notices
    inner join case_keys
        on notices.case_id = case_keys.case_id
    group by notices.notice_id, case_keys.body_kind, case_keys.pfa_code, case_keys.right_number

),

-- what was so on the day the review was due; a plan of which no decision tells is out from the start
standing as (

    select distinct
        quarters.period_code,
        quarters.review_due_on,
        notices.notice_id,
        notices.notice_case_count,
        notices.recipient_code,
        notices.summary,
        notices.request,
        notices.sos_agreed_on,
        notices.ag_agreed_on,
        notices.vc_consulted_on,
        notices.published_on,
        notices.plan_due_on,
        notices.update_due_on,
        case when notices.closed_on <= quarters.review_due_on then notices.closed_on end as closed_on,
        case
            when coalesce(plans.plan_published_on, notices.published_on) <= quarters.review_due_on
                then notices.plan_link
        end as plan_link
    from notices
    inner join quarters
        on notices.published_on <= quarters.review_due_on
    left join plans
        on notices.notice_id = plans.notice_id

)

select
    standing.period_code as release_period_code,
    standing.notice_id,
    subjects.body_kind,
    {{ public_area_code("subjects.pfa_code", "subjects.body_kind") }} as area_code,
    case when subjects.pfa_code = 'NAT' then kinds.body_kind_name else areas.area_name end as area_name,
    subjects.right_number,
    rights.right_title,
    case when standing.notice_case_count > 1 then 'joint' else 'single' end as notice_scope,
    case
        when standing.closed_on is not null then 'closed'
        when standing.plan_link is null and standing.plan_due_on < standing.review_due_on then 'plan_overdue'
        when standing.plan_link is null and standing.plan_due_on is not null then 'plan_due'
        when standing.update_due_on <= standing.review_due_on then 'update_due'
        when standing.plan_link is not null then 'plan_published'
        else 'published'
    end as notice_status,
    standing.recipient_code,
    senders.sender_name as recipient_name,
    standing.summary,
    standing.request,
    standing.sos_agreed_on,
    standing.ag_agreed_on,
    standing.vc_consulted_on,
    standing.published_on,
    standing.plan_due_on,
    standing.plan_link,
    standing.update_due_on,
    standing.closed_on
from standing
inner join subjects
    on standing.notice_id = subjects.notice_id
inner join {{ ref('body_kinds') }} as kinds
    on subjects.body_kind = kinds.body_kind
left join quarters as first_quarters
    on subjects.first_period_code = first_quarters.period_code
left join {{ ref('areas') }} as areas
    on
        subjects.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'first_quarters.last_day') }}
left join {{ ref('rights') }} as rights
    on
        subjects.right_number = rights.right_number
        and {{ in_force('rights', 'first_quarters.last_day') }}
left join {{ ref('senders') }} as senders
    on
        standing.recipient_code = senders.sender_code
        and {{ in_force('senders', 'standing.published_on') }}

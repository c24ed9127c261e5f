with source as (

    select * from {{ source('raw', 'decisions_notices') }}

)

select
    receipt_id,
    row_number as sheet_row,
    notice_id,
    case_ids,
    recipient_code,
    copied_to,
    summary,
    request,
    update_due as update_due_on,
    plan_due as plan_due_on,
    plan_link,
    sos_agreed_on,
    ag_agreed_on,
    vc_consulted_on,
    published_on,
    closed_on
from source

with source as (

    select * from {{ source('raw', 'insight_insight') }}

)

select
    receipt_id,
    row_number as sheet_row,
    insight_id,
    insight_kind,
    pfa_code,
    body_code,
    cast(right_number as integer) as right_number,
    text as insight_text,
    owner_role,
    due as action_due_on,
    status as action_status
from source

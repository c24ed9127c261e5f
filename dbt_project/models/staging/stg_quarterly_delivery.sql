with source as (

    select * from {{ source('raw', 'quarterly_delivery') }}

)

select
    receipt_id,
    row_number as sheet_row,
    body_code,
    pfa_code,
    item_id,
    grade,
    evidence,
    improvement_plan,
    next_step,
    next_step_due as next_step_due_on
from source

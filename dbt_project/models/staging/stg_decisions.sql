with source as (

    select * from {{ source('raw', 'decisions_decisions') }}

)

select
    receipt_id,
    row_number as sheet_row,
    case_id,
    to_state,
    decided_by_role,
    decided_on,
    reason as decision_reason,
    evidence_reference
from source

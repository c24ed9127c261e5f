with source as (

    select * from {{ source('raw', 'insight_review') }}

)

select
    receipt_id,
    row_number as sheet_row,
    meeting_on,
    pfa_code,
    body_code,
    is_represented,
    receipt_id_reviewed as reviewed_receipt_id,
    note
from source

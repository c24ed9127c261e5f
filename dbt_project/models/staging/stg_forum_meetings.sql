with source as (

    select * from {{ source('raw', 'decisions_meetings') }}

)

select
    receipt_id,
    row_number as sheet_row,
    forum,
    meeting_on,
    reviewed_period_code,
    cases_considered as considered_case_count,
    summary
from source

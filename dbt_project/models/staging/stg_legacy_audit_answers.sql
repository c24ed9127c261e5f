with source as (

    select * from {{ source('raw', 'legacy_audit_answers') }}

)

select
    receipt_id,
    row_number as sheet_row,
    period_code,
    body_code,
    pfa_code,
    question_id,
    response_id,
    question,
    response,
    printed_value,
    cases_stated as stated_case_count,
    base_stated as stated_base_count,
    sampling_frame,
    source as printed_in,
    note
from source

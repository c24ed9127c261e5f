with source as (

    select * from {{ source('raw', 'problems') }}

)

select
    receipt_id,
    problem_number,
    severity,
    rule_code,
    sheet,
    row_number as sheet_row,
    column_name,
    found,
    expected,
    remedy,
    message
from source

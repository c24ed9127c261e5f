with source as (

    select * from {{ source('raw', 'context_context') }}

)

select
    receipt_id,
    row_number as sheet_row,
    context_id,
    source as context_source,
    publisher,
    pfa_code,
    body_code,
    cast(right_number as integer) as right_number,
    title,
    summary,
    measure,
    value as measure_value,
    unit as measure_unit,
    published_on,
    link
from source

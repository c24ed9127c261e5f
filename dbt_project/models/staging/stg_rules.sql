with source as (

    select * from {{ source('raw', 'rules_rules') }}

)

select
    receipt_id,
    row_number as sheet_row,
    cast(rule_version as integer) as rule_version,
    effective_from,
    effective_to,
    parameter,
    metric_id,
    number_value,
    text_value,
    basis,
    agreed_on,
    note
from source

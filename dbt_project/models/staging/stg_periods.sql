with source as (

    select * from {{ source('raw', 'periods') }}

)

select
    period_code,
    period_kind,
    financial_year,
    part,
    first_day,
    last_day,
    period_label,
    quarter_index,
    returns_due_on,
    review_due_on,
    is_reporting_quarter
from source

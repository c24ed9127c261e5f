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
    year_ago_period_code,
    is_reporting
from source

-- The spine of everything that follows a quarter: no quarter is left out because nothing came in.
with periods as (

    select * from {{ ref('stg_periods') }}

)

select
    period_code,
    period_label,
    quarter_index,
    first_day,
    last_day,
    returns_due_on,
    review_due_on
from periods
where is_reporting_quarter

-- The spine of everything that follows a reporting period: none is left out because nothing came in. A period
-- is a quarter unless the form in force asks for half-years or years; neighbours are one number apart.
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
    review_due_on,
    year_ago_period_code
from periods
where is_reporting

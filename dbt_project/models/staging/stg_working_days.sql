with source as (

    select * from {{ source('raw', 'working_days') }}

)

select
    day_on,
    is_working_day,
    working_day_number
from source

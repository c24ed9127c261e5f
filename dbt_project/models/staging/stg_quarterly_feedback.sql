with source as (

    select * from {{ source('raw', 'quarterly_feedback') }}

)

select
    {{ answer_columns() }}
from source

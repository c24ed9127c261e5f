with source as (

    select * from {{ source('raw', 'feedback_feedback') }}

)

select
    {{ answer_columns() }}
from source

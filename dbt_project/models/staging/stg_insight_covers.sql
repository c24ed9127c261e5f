with source as (

    select * from {{ source('raw', 'insight_cover') }}

)

select
    receipt_id,
    nil_review_reason,
    nil_insight_reason
from source

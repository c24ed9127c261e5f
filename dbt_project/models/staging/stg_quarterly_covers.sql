with source as (

    select * from {{ source('raw', 'quarterly_cover') }}

)

select
    receipt_id,
    nil_metrics_reason,
    nil_feedback_reason,
    nil_delivery_reason
from source

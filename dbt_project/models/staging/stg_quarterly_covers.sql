with source as (

    select * from {{ source('raw', 'quarterly_cover') }}

)

select
    receipt_id,
    max(case when field = 'nil_metrics_reason' then value end) as nil_metrics_reason,
    max(case when field = 'nil_feedback_reason' then value end) as nil_feedback_reason,
    max(case when field = 'nil_delivery_reason' then value end) as nil_delivery_reason
from source
group by receipt_id

with source as (

    select * from {{ source('raw', 'decisions_cover') }}

)

select
    receipt_id,
    nil_decisions_reason,
    nil_notices_reason,
    nil_meetings_reason
from source

with source as (

    select * from {{ source('raw', 'forms') }}

)

select
    kind as form_kind,
    form_version,
    title as form_title,
    basis,
    valid_from,
    valid_to,
    frequency,
    cycle
from source

{{ config(materialized='view') }}
-- Quarters whose final build is recorded: what the register holds of any other quarter is not whole.
with source as (

    select * from {{ source('register', 'quarters') }}

)

select
    period_code,
    build_id,
    inputs_id,
    rule_version,
    state_count,
    detection_count,
    recommended_count
from source

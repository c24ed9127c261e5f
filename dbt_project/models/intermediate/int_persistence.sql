-- The official results: recorded quarters as they were recorded, the others as today's figures give them. A missing
-- quarter is never a pass, and a revision neither opens nor closes anything.
with states as (

    select * from {{ ref('int_official_states') }}

),

met_items as (

    select * from {{ ref('int_official_items') }}

),

closures as (

    select * from {{ ref('int_case_closures') }}

),

{{ persistence('states', 'met_items', 'closures') }}

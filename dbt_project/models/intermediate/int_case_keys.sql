-- The number that a case would bear, for every body kind, area, right and first quarter: what a decision names.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

body_areas as (

    select distinct
        body_kind,
        pfa_code
    from {{ ref('body_kind_areas') }}

),

right_numbers as (

    select distinct right_number
    from {{ ref('rights') }}

)

select
    {{ case_id("body_areas.body_kind", "body_areas.pfa_code", "right_numbers.right_number", "quarters.period_code") }}
        as case_id,
    body_areas.body_kind,
    body_areas.pfa_code,
    right_numbers.right_number,
    quarters.period_code as first_period_code,
    quarters.quarter_index as first_index
from body_areas
cross join right_numbers
cross join quarters

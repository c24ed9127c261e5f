-- What every quarter would be if it were judged today: the shadow beside the official results.
with states as (

    select * from {{ ref('int_right_states') }}

),

met_items as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        indicator,
        item_id
    from {{ ref('int_indicators') }}
    where is_met

),

closures as (

    select * from {{ ref('int_case_closures') }}

),

{{ persistence('states', 'met_items', 'closures') }}

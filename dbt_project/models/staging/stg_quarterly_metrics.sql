with source as (

    select * from {{ source('raw', 'quarterly_metrics') }}

)

select
    receipt_id,
    row_number as sheet_row,
    body_code,
    pfa_code,
    metric_id,
    crime_type,
    characteristic,
    characteristic_value,
    crime_type = 'ALL' and characteristic = 'ALL' as is_total,
    collection_mode,
    sampling_frame,
    cases_from as cases_from_on,
    cases_to as cases_to_on,
    met as met_count,
    not_met as not_met_count,
    not_suitable as not_suitable_count,
    declined as declined_count,
    unknown as unknown_count,
    count as reported_count,
    within_limit as within_limit_count,
    short_delay as short_delay_count,
    long_delay as long_delay_count,
    not_collected_reason,
    note
from source

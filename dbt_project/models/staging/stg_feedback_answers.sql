with source as (

    select * from {{ source('raw', 'feedback_feedback') }}

)

select
    receipt_id,
    row_number as sheet_row,
    about_body_code as body_code,
    pfa_code,
    question_id,
    crime_type,
    characteristic,
    characteristic_value,
    crime_type = 'ALL' and characteristic = 'ALL' as is_total,
    survey_mode,
    invited as invited_count,
    response_set,
    very_good as very_good_count,
    good as good_count,
    neither as neither_count,
    poor as poor_count,
    very_poor as very_poor_count,
    yes as yes_count,
    no as no_count,
    not_applicable as not_applicable_count,
    dont_know as dont_know_count,
    design_effect,
    note
from source

with source as (

    select * from {{ source('raw', 'receipts') }}

)

select
    receipt_id,
    receipt_sequence,
    sha256,
    bytes as file_bytes,
    sender_code,
    file_name,
    arrived_at,
    arrived_on,
    kind as form_kind,
    form_version,
    period_code,
    outcome,
    outcome in ('accepted', 'accepted_with_warnings') and not is_erased as is_accepted,
    is_erased,
    erased_at,
    supersedes_receipt_id,
    rows_read as rows_read_count,
    rows_accepted as rows_accepted_count,
    problem_count
from source

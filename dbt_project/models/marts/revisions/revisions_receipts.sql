-- The accepted returns and how long each stood.
select
    spans.receipt_id,
    spans.known_from,
    spans.known_to,
    spans.sender_code,
    spans.form_kind,
    spans.period_code,
    senders.sender_name,
    spans.is_current,
    spans.is_erased,
    spans.previous_receipt_id,
    receipts.sha256,
    receipts.file_name,
    receipts.file_bytes,
    spans.form_version,
    receipts.outcome,
    spans.arrived_at,
    spans.arrived_on,
    receipts.erased_at,
    receipts.problem_count
from {{ ref('int_receipt_spans') }} as spans
inner join {{ ref('stg_receipts') }} as receipts
    on spans.receipt_id = receipts.receipt_id
left join {{ ref('senders') }} as senders
    on spans.sender_code = senders.sender_code

-- The returns that a body kind's figures of an area rest on in a quarter: what a revision replaces.
select
    body_kind,
    pfa_code,
    period_code,
    {{ sorted_list("receipt_id", "receipt_id") }} as receipts
from (
    select distinct
        body_kind,
        pfa_code,
        period_code,
        receipt_id
    from {{ ref('int_expected_returns') }}
    where receipt_id is not null
) as received
group by body_kind, pfa_code, period_code

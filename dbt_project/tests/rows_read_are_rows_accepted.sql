-- A return is taken whole or not at all: rows accepted are all rows read or none, and all of them are in staging,
-- unless the return was erased since.
with staged as (

    select receipt_id from {{ ref('stg_quarterly_metrics') }}
    union all
    select receipt_id from {{ ref('stg_quarterly_feedback') }}
    union all
    select receipt_id from {{ ref('stg_quarterly_delivery') }}
    union all
    select receipt_id from {{ ref('stg_legacy_audit_answers') }}
    union all
    select receipt_id from {{ ref('stg_feedback_answers') }}
    union all
    select receipt_id from {{ ref('stg_insight_reviews') }}
    union all
    select receipt_id from {{ ref('stg_insight_entries') }}
    union all
    select receipt_id from {{ ref('stg_decisions') }}
    union all
    select receipt_id from {{ ref('stg_notices') }}
    union all
    select receipt_id from {{ ref('stg_forum_meetings') }}
    union all
    select receipt_id from {{ ref('stg_rules') }}
    union all
    select receipt_id from {{ ref('stg_context_entries') }}

),

counted as (

    select
        receipt_id,
        count(*) as staged_count
    from staged
    group by receipt_id

)

select
    receipts.receipt_id,
    receipts.outcome,
    receipts.rows_read_count,
    receipts.rows_accepted_count,
    counted.staged_count
from {{ ref('stg_receipts') }} as receipts
left join counted
    on receipts.receipt_id = counted.receipt_id
where
    receipts.rows_accepted_count
    <> case when receipts.is_accepted or receipts.is_erased then receipts.rows_read_count else 0 end
    or coalesce(counted.staged_count, 0)
    <> case when receipts.is_erased then 0 else receipts.rows_accepted_count end

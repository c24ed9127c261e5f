-- What the Taskforce agreed, parameter by parameter. Of a version that stands in several current returns the latest
-- counts.
with ranked as (

    select
        rules.*,
        dense_rank() over (
            partition by rules.rule_version
            order by receipts.receipt_sequence desc
        ) as recency
    from {{ ref('stg_rules') }} as rules
    inner join {{ ref('int_current_receipts') }} as receipts
        on rules.receipt_id = receipts.receipt_id

)

select
    rule_version,
    parameter,
    metric_id,
    effective_from,
    effective_to,
    number_value,
    text_value,
    basis
from ranked
where recency = 1

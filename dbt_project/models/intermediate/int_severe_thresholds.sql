-- The threshold of each metric and question in each version of the rules.
with agreed as (

    select
        agreed_rows.*,
        dense_rank() over (
            partition by agreed_rows.rule_version
            order by receipts.receipt_sequence desc
        ) as recency
    from {{ ref('stg_rules') }} as agreed_rows
    inner join {{ ref('int_current_receipts') }} as receipts
        on agreed_rows.receipt_id = receipts.receipt_id

)

select
    rule_version,
    metric_id,
    threshold,
    basis
from {{ ref('severe_thresholds') }}
union all
select
    rule_version,
    metric_id,
    number_value as threshold,
    basis
from agreed
where
    recency = 1
    and parameter = 'threshold'

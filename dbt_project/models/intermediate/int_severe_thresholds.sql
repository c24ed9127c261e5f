-- The threshold of each metric and question in each version of the rules.
with agreed as (

    select * from {{ ref('int_agreed_rules') }}

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
where parameter = 'threshold'

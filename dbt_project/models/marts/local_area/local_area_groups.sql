-- What a local mart is joined with to be summed over a larger geography: each area stands in one group of a kind.
select
    period_code,
    group_kind,
    pfa_code,
    group_code,
    group_name,
    is_combined
from {{ ref('int_area_groups') }}

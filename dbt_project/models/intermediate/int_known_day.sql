-- The latest day that anything is known of: that of the latest return, before the first one the last day of the latest
-- period. A build has no clock of its own.
select coalesce(max(receipts.arrived_on), max(periods.last_day)) as known_on
from {{ ref('stg_periods') }} as periods
left join {{ ref('stg_receipts') }} as receipts
    on periods.period_code = receipts.period_code

-- Empty in every build: what was last published is known only when a release is made. A release fills this table and
-- makes the open data marts anew.
select
    cast(null as varchar) as cell_id,
    cast(null as bigint) as base_count,
    cast(null as bigint) as met_count,
    cast(null as boolean) as is_revised
from {{ ref('disclosure_rules') }}
where 1 = 0

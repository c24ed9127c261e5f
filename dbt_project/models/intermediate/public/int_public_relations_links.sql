-- What any reader knows of two cells from their definitions: the cases of the one are the cases met of the other.
-- A count is all of them. A rate leaves out cases whose outcome is not known, so its cases are at most as many.
-- Where the figures themselves break the definition, no reader can use it, and it is left out.
with cells as (

    select * from {{ ref('int_public_compliance_cells') }}
    where figure_status = 'reported'

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

linked as (

    select
        repeats.cell_id,
        linked_cells.cell_id as other_cell_id,
        case
            when repeats.unit = 'count' and repeats.base_count = linked_cells.met_count then 'zero'
            else 'at_most_zero'
        end as kind
    from cells as repeats
    inner join rules
        on repeats.period_code = rules.period_code
    inner join {{ ref('metric_links') }} as links
        on
            repeats.metric_id = links.metric_id
            and {{ in_force('links', 'rules.last_day') }}
    inner join cells as linked_cells
        on
            links.equals_metric_id = linked_cells.metric_id
            and repeats.body_kind = linked_cells.body_kind
            and repeats.area_code = linked_cells.area_code
            and repeats.period_code = linked_cells.period_code
            -- of a sample, or of other cases, the definition says nothing
            and repeats.collection_mode = linked_cells.collection_mode
            and repeats.sampling_frame = linked_cells.sampling_frame
    where
        repeats.collection_mode = 'census'
        and repeats.base_count <= linked_cells.met_count

)

select
    'link|' || cell_id as relation_id,
    cell_id,
    'base' as measure,
    1 as coefficient,
    kind
from linked
union all
select
    'link|' || cell_id as relation_id,
    other_cell_id as cell_id,
    'met' as measure,
    -1 as coefficient,
    kind
from linked

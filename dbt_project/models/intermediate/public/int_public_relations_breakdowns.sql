-- What any reader knows of published breakdowns from the form: the parts of one add up to their total, or to less where
-- the form lets some be left out. Figures that break the form tell nobody anything, and are left out; so are parts and
-- totals that were published at different times and no longer fit.
with parts as (

    select * from {{ ref('int_public_breakdown_cells') }}
    where collection_mode <> 'none'

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

areas as (

    select
        rules.period_code,
        areas.pfa_code,
        coalesce(areas.region_code, 'K04000001') as region_code
    from rules
    inner join {{ ref('areas') }} as areas
        on {{ in_force('areas', 'rules.last_day') }}

),

-- each breakdown of an item: an offence group that nobody had to give may hold the rest of the total
breakdowns as (

    select
        'breakdown|' || information || '|' || body_kind || '|' || region_code || '|' || item_id || '|' || year_code
        || '|' || breakdown || '|' || collection_mode || '|' || sampling_frame || '|' || collected_by as relation_id,
        information,
        body_kind,
        region_code,
        item_id,
        year_code,
        breakdown,
        collection_mode,
        sampling_frame,
        collected_by,
        max(cells_due) as cells_due,
        max(areas_due) as areas_due,
        max(case when figure_status = 'not_collected' then 1 else 0 end) = 0 as is_whole,
        sum(base_count) as base_sum,
        sum(met_count) as met_sum
    from parts
    group by
        information, body_kind, region_code, item_id, year_code, breakdown, collection_mode, sampling_frame,
        collected_by

),

statistics as (

    select
        'statistic' as information,
        cells.cell_id,
        cells.body_kind,
        areas.region_code,
        cells.metric_id as item_id,
        years.year_code,
        cells.collection_mode,
        cells.sampling_frame,
        'own' as collected_by,
        cells.base_count,
        -- breakdowns count what is good
        case when items.polarity = 'lower' then 'unmet' else 'met' end as good_measure,
        case
            when items.polarity = 'lower' then cells.base_count - cells.met_count else cells.met_count
        end as good_count
    from {{ ref('int_public_compliance_cells') }} as cells
    inner join {{ ref('int_public_years') }} as years
        on cells.period_code = years.period_code
    inner join areas
        on
            cells.period_code = areas.period_code
            and cells.pfa_code = areas.pfa_code
    inner join {{ ref('int_expected_items') }} as items
        on
            cells.period_code = items.period_code
            and cells.body_kind = items.body_kind
            and cells.metric_id = items.metric_id
    where
        cells.figure_status = 'reported'
        and cells.unit = 'proportion'

),

feedback as (

    select
        'feedback' as information,
        cells.cell_id,
        cells.body_kind,
        areas.region_code,
        cells.question_id as item_id,
        cells.year_code,
        cells.survey_mode as collection_mode,
        'respondents' as sampling_frame,
        cells.collected_by,
        cells.base_count,
        'met' as good_measure,
        cells.met_count as good_count
    from {{ ref('int_public_feedback_cells') }} as cells
    inner join areas
        on
            cells.release_period_code = areas.period_code
            and cells.pfa_code = areas.pfa_code
    where cells.figure_status = 'reported'

),

totals as (

    select * from statistics
    union all
    select * from feedback

),

-- only where every total of the region and year is published: one by one, counted in the same way as the parts
whole_totals as (

    select
        information,
        body_kind,
        region_code,
        item_id,
        year_code,
        collection_mode,
        sampling_frame,
        collected_by,
        count(*) as cells_in_total,
        sum(base_count) as base_sum,
        sum(good_count) as good_sum
    from totals
    group by information, body_kind, region_code, item_id, year_code, collection_mode, sampling_frame, collected_by

),

compared as (

    select
        breakdowns.*,
        whole_totals.base_sum as total_base_sum,
        whole_totals.good_sum as total_good_sum
    from breakdowns
    inner join whole_totals
        on
            breakdowns.information = whole_totals.information
            and breakdowns.body_kind = whole_totals.body_kind
            and breakdowns.region_code = whole_totals.region_code
            and breakdowns.item_id = whole_totals.item_id
            and breakdowns.year_code = whole_totals.year_code
            and breakdowns.collection_mode = whole_totals.collection_mode
            and breakdowns.sampling_frame = whole_totals.sampling_frame
            and breakdowns.collected_by = whole_totals.collected_by
            and case
                when breakdowns.information = 'statistic' then breakdowns.cells_due else breakdowns.areas_due
            end = whole_totals.cells_in_total

),

measured as (

    select
        compared.*,
        'base' as measure,
        case
            when is_whole and base_sum = total_base_sum then 'zero'
            when base_sum <= total_base_sum then 'at_most_zero'
        end as kind
    from compared
    union all
    select
        compared.*,
        'met' as measure,
        case
            when is_whole and met_sum = total_good_sum then 'zero'
            when met_sum <= total_good_sum then 'at_most_zero'
        end as kind
    from compared
    union all
    select
        compared.*,
        'unmet' as measure,
        -- where base and met are known to add up, so are those not met
        case
            when is_whole and base_sum = total_base_sum and met_sum = total_good_sum then null
            when base_sum - met_sum <= total_base_sum - total_good_sum then 'at_most_zero'
        end as kind
    from compared

),

known as (

    select * from measured
    where kind is not null

),

-- a metric whose cases are at most the cases met of another, value by value
links as (

    select
        repeats.cell_id,
        linked_parts.cell_id as other_cell_id
    from parts as repeats
    inner join {{ ref('metric_links') }} as metric_links
        on
            repeats.item_id = metric_links.metric_id
            and {{ in_force('metric_links', 'repeats.year_last_day') }}
    inner join parts as linked_parts
        on
            metric_links.equals_metric_id = linked_parts.item_id
            and repeats.body_kind = linked_parts.body_kind
            and repeats.region_code = linked_parts.region_code
            and repeats.year_code = linked_parts.year_code
            and repeats.breakdown = linked_parts.breakdown
            and repeats.breakdown_value = linked_parts.breakdown_value
            and repeats.collection_mode = linked_parts.collection_mode
            and repeats.sampling_frame = linked_parts.sampling_frame
    where
        repeats.collection_mode = 'census'
        and repeats.figure_status = 'reported'
        and linked_parts.figure_status = 'reported'
        and repeats.base_count <= linked_parts.met_count

)

select
    known.relation_id || '|' || known.measure as relation_id,
    parts.cell_id,
    known.measure,
    1 as coefficient,
    known.kind
from known
inner join parts
    on
        known.information = parts.information
        and known.body_kind = parts.body_kind
        and known.region_code = parts.region_code
        and known.item_id = parts.item_id
        and known.year_code = parts.year_code
        and known.breakdown = parts.breakdown
        and known.collection_mode = parts.collection_mode
        and known.sampling_frame = parts.sampling_frame
        and known.collected_by = parts.collected_by
        and parts.figure_status = 'reported'
union all
select
    known.relation_id || '|' || known.measure as relation_id,
    totals.cell_id,
    case
        when known.measure = 'base' or totals.good_measure = 'met' then known.measure
        when known.measure = 'met' then 'unmet'
        else 'met'
    end as measure,
    -1 as coefficient,
    known.kind
from known
inner join totals
    on
        known.information = totals.information
        and known.body_kind = totals.body_kind
        and known.region_code = totals.region_code
        and known.item_id = totals.item_id
        and known.year_code = totals.year_code
        and known.collection_mode = totals.collection_mode
        and known.sampling_frame = totals.sampling_frame
        and known.collected_by = totals.collected_by
union all
select
    'link|' || cell_id as relation_id,
    cell_id,
    'base' as measure,
    1 as coefficient,
    'at_most_zero' as kind
from links
union all
select
    'link|' || cell_id as relation_id,
    other_cell_id as cell_id,
    'met' as measure,
    -1 as coefficient,
    'at_most_zero' as kind
from links

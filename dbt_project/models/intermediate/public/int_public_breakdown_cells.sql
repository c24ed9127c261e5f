-- Exact cases and answers behind what is published by offence group and by each characteristic: sums over a financial
-- year and a region (rule 11), only where every area that is expected has the breakdown in every quarter, counted in
-- the same way.
with years as (

    select * from {{ ref('int_public_years') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

crime_types as (

    select * from {{ ref('crime_types') }}

),

-- one row a region and area of each quarter; the national forces belong to the nation
areas as (

    select
        years.year_code,
        years.period_code,
        areas.pfa_code,
        coalesce(areas.region_code, 'K04000001') as region_code
    from years
    inner join rules
        on years.period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on {{ in_force('areas', 'rules.last_day') }}

),

statistics as (

    select
        'statistic' as information,
        body_kind,
        pfa_code,
        metric_id as item_id,
        period_code,
        is_total,
        crime_type,
        characteristic,
        characteristic_value,
        collection_mode,
        sampling_frame,
        'own' as collected_by,
        metric_version,
        case_count as base_count,
        case when polarity = 'lower' then not_met_count else met_count end as met_count
    from {{ ref('int_metric_figures') }}
    where
        unit = 'proportion'
        and is_complete
        and case_count is not null

),

feedback as (

    select
        'feedback' as information,
        body_kind,
        pfa_code,
        question_id as item_id,
        period_code,
        is_total,
        crime_type,
        characteristic,
        characteristic_value,
        survey_mode as collection_mode,
        'respondents' as sampling_frame,
        collected_by,
        metric_version,
        valid_answer_count as base_count,
        good_answer_count as met_count
    from {{ ref('int_feedback_answers') }}
    where
        is_standing
        and is_complete
        and valid_answer_count is not null

),

figures as (

    select
        areas.year_code,
        areas.region_code,
        statistics.*
    from statistics
    inner join areas
        on
            statistics.period_code = areas.period_code
            and statistics.pfa_code = areas.pfa_code
    union all
    select
        areas.year_code,
        areas.region_code,
        feedback.*
    from feedback
    inner join areas
        on
            feedback.period_code = areas.period_code
            and feedback.pfa_code = areas.pfa_code

),

parts as (

    select
        figures.year_code,
        figures.region_code,
        figures.information,
        figures.body_kind,
        figures.pfa_code,
        figures.item_id,
        figures.period_code,
        case when figures.characteristic = 'ALL' then 'crime_type' else figures.characteristic end as breakdown,
        case
            when figures.characteristic = 'ALL' then figures.crime_type else figures.characteristic_value
        end as breakdown_value,
        figures.collection_mode,
        figures.sampling_frame,
        figures.collected_by,
        figures.metric_version,
        figures.base_count,
        figures.met_count
    from figures
    left join crime_types
        on
            figures.crime_type = crime_types.crime_type
            and crime_types.level = 'group'
    where
        not figures.is_total
        -- one breakdown at a time, and offence groups without their subgroups
        and (
            (figures.crime_type = 'ALL' and figures.characteristic <> 'ALL')
            or (figures.characteristic = 'ALL' and crime_types.crime_type is not null)
        )

),

breakdowns as (

    select distinct
        year_code,
        information,
        body_kind,
        item_id,
        breakdown
    from parts

),

-- which ways of counting are broken down at all: elsewhere an empty total is no breakdown
broken_down as (

    select distinct
        year_code,
        information,
        body_kind,
        item_id,
        breakdown,
        collection_mode,
        sampling_frame,
        collected_by,
        metric_version
    from parts

),

-- Every value that the form offers, whether any victim was in it or not: that a value is there must say nothing.
offered_values as (

    select
        years.year_code,
        categories.characteristic as breakdown,
        categories.characteristic_value as breakdown_value,
        'required' as reporting
    from years
    inner join {{ ref('characteristics') }} as categories
        on
            years.period_code = years.release_period_code
            and {{ in_force('categories', 'years.year_last_day') }}
    union all
    select
        years.year_code,
        'crime_type' as breakdown,
        crime_types.crime_type as breakdown_value,
        crime_types.reporting
    from years
    inner join crime_types
        on
            years.period_code = years.release_period_code
            and crime_types.level = 'group'
            and crime_types.reporting <> 'not_accepted'
            and {{ in_force('crime_types', 'years.year_last_day') }}

),

-- the areas and quarters that the figure of a region and year is made of
due as (

    select
        areas.year_code,
        areas.region_code,
        items.information,
        items.body_kind,
        items.metric_id as item_id,
        max(items.right_number) as right_number,
        cast(count(*) as integer) as cells_due,
        cast(count(distinct coverage.pfa_code) as integer) as areas_due,
        count(distinct items.period_code) as periods_due,
        sum(case when coverage.is_submitted then 0 else 1 end) as cells_not_submitted
    from {{ ref('int_expected_items') }} as items
    inner join {{ ref('int_reporting_coverage') }} as coverage
        on
            items.period_code = coverage.period_code
            and items.body_kind = coverage.body_kind
            and coverage.applicability = 'expected'
    inner join areas
        on
            items.period_code = areas.period_code
            and coverage.pfa_code = areas.pfa_code
    group by areas.year_code, areas.region_code, items.information, items.body_kind, items.metric_id

),

-- where no case is in the total, a breakdown is there whether its rows are or not
empty_totals as (

    select
        figures.year_code,
        figures.region_code,
        figures.information,
        figures.body_kind,
        figures.pfa_code,
        figures.item_id,
        figures.period_code,
        broken_down.breakdown,
        figures.collection_mode,
        figures.sampling_frame,
        figures.collected_by,
        figures.metric_version
    from figures
    inner join broken_down
        on
            figures.year_code = broken_down.year_code
            and figures.information = broken_down.information
            and figures.body_kind = broken_down.body_kind
            and figures.item_id = broken_down.item_id
            and figures.collection_mode = broken_down.collection_mode
            and figures.sampling_frame = broken_down.sampling_frame
            and figures.collected_by = broken_down.collected_by
            and figures.metric_version = broken_down.metric_version
    where
        figures.is_total
        and figures.base_count = 0

),

cells_in as (

    select
        year_code,
        region_code,
        information,
        body_kind,
        item_id,
        breakdown,
        collection_mode,
        sampling_frame,
        collected_by,
        metric_version,
        count(*) as cells_in
    from (
        select distinct
            year_code,
            region_code,
            information,
            body_kind,
            pfa_code,
            item_id,
            period_code,
            breakdown,
            collection_mode,
            sampling_frame,
            collected_by,
            metric_version
        from parts
        union distinct
        select * from empty_totals
    ) as there
    group by
        year_code, region_code, information, body_kind, item_id, breakdown, collection_mode, sampling_frame,
        collected_by, metric_version

),

-- what each area adds to the figure of its region and year
area_parts as (

    select
        year_code,
        region_code,
        information,
        body_kind,
        pfa_code,
        item_id,
        breakdown,
        breakdown_value,
        collection_mode,
        sampling_frame,
        collected_by,
        metric_version,
        count(*) as cells_with_value,
        sum(base_count) as base_count,
        sum(met_count) as met_count
    from parts
    group by
        year_code, region_code, information, body_kind, pfa_code, item_id, breakdown, breakdown_value, collection_mode,
        sampling_frame, collected_by, metric_version

),

summed as (

    select
        year_code,
        region_code,
        information,
        body_kind,
        item_id,
        breakdown,
        breakdown_value,
        collection_mode,
        sampling_frame,
        collected_by,
        metric_version,
        cast(sum(cells_with_value) as bigint) as cells_with_value,
        cast(sum(base_count) as bigint) as base_count,
        cast(sum(met_count) as bigint) as met_count,
        max(base_count) as largest_base,
        max(met_count) as largest_met,
        max(base_count - met_count) as largest_unmet
    from area_parts
    group by
        year_code, region_code, information, body_kind, item_id, breakdown, breakdown_value, collection_mode,
        sampling_frame, collected_by, metric_version

),

expected as (

    select
        years.year_code,
        years.year_label,
        years.release_period_code,
        years.year_last_day,
        years.period_count,
        due.region_code,
        due.information,
        due.body_kind,
        due.right_number,
        due.item_id,
        due.cells_due,
        due.areas_due,
        due.cells_not_submitted,
        -- an item that was not asked all year has no figure of the year
        years.is_whole_year and due.periods_due = years.period_count as is_whole_year,
        breakdowns.breakdown
    from years
    inner join due
        on years.year_code = due.year_code
    inner join breakdowns
        on
            due.year_code = breakdowns.year_code
            and due.information = breakdowns.information
            and due.body_kind = breakdowns.body_kind
            and due.item_id = breakdowns.item_id
    where years.period_code = years.release_period_code

),

joined as (

    select
        expected.*,
        offered_values.breakdown_value,
        offered_values.reporting,
        coalesce(cells_in.collection_mode, 'none') as collection_mode,
        coalesce(cells_in.sampling_frame, 'none') as sampling_frame,
        coalesce(cells_in.collected_by, 'none') as collected_by,
        cells_in.cells_in,
        summed.cells_with_value,
        coalesce(summed.base_count, 0) as base_count,
        coalesce(summed.met_count, 0) as met_count,
        coalesce(summed.largest_base, 0) as largest_base,
        coalesce(summed.largest_met, 0) as largest_met,
        coalesce(summed.largest_unmet, 0) as largest_unmet
    from expected
    inner join offered_values
        on
            expected.year_code = offered_values.year_code
            and expected.breakdown = offered_values.breakdown
    left join cells_in
        on
            expected.year_code = cells_in.year_code
            and expected.region_code = cells_in.region_code
            and expected.information = cells_in.information
            and expected.body_kind = cells_in.body_kind
            and expected.item_id = cells_in.item_id
            and expected.breakdown = cells_in.breakdown
            and expected.cells_due = cells_in.cells_in
            and expected.is_whole_year
    left join summed
        on
            cells_in.year_code = summed.year_code
            and cells_in.region_code = summed.region_code
            and cells_in.information = summed.information
            and cells_in.body_kind = summed.body_kind
            and cells_in.item_id = summed.item_id
            and cells_in.breakdown = summed.breakdown
            and offered_values.breakdown_value = summed.breakdown_value
            and cells_in.collection_mode = summed.collection_mode
            and cells_in.sampling_frame = summed.sampling_frame
            and cells_in.collected_by = summed.collected_by
            and cells_in.metric_version = summed.metric_version

),

named as (

    select
        joined.*,
        'breakdown|' || information || '|' || body_kind || '|' || region_code || '|' || item_id || '|' || year_code
        || '|' || breakdown || '|' || breakdown_value || '|' || collection_mode || '|' || sampling_frame || '|'
        || collected_by as cell_id,
        case
            when cells_in is null and cells_not_submitted > 0 then 'incomplete'
            -- not broken down everywhere, or not counted in one way
            when cells_in is null then 'not_collected'
            -- an offence group that a return may leave out is summed only where none does
            when reporting = 'optional' and coalesce(cells_with_value, 0) < cells_due then 'not_collected'
            -- an offence group that only some bodies record has nothing where none of them is
            when reporting = 'fraud_senders_only' and cells_with_value is null then 'not_applicable'
            else 'reported'
        end as figure_status
    from joined

),

-- rule 10: what was published stands, unless so much has changed that the change is about many
compared as (

    select
        named.*,
        {{ rules_columns("rules") }},
        rules.respondents_min,
        earlier.base_count as earlier_base_count,
        earlier.met_count as earlier_met_count,
        coalesce(earlier.is_revised, false) as was_revised,
        coalesce(
            {{ is_large_revision("named.base_count", "named.met_count", "earlier.base_count", "earlier.met_count",
                "rules.revision_min_change") }},
            false
        ) as is_large
    from named
    inner join rules
        on named.release_period_code = rules.period_code
    left join {{ ref('int_earlier_cells') }} as earlier
        on
            named.cell_id = earlier.cell_id
            and named.figure_status = 'reported'

),

-- A body knows what it sent: it may subtract it from the figure of its region and year, and must not find that what
-- is left, which is of the other areas, is small.
judged as (

    select
        compared.*,
        case
            when figure_status <> 'reported' or areas_due < 2 then 0
            -- nothing, where the other areas have hardly any; the base, where they have hardly any told, or not told
            when base_count - largest_base <= suppress_max then 3
            -- an open band says that all areas together have a few: not given where one has most of those
            when base_count - met_count < 2 * rounding_base
                then case when 2 * largest_unmet > suppress_max then 2 else 0 end
            when met_count < 2 * rounding_base
                then case when 2 * largest_met > suppress_max then 2 else 0 end
            when met_count - largest_met <= suppress_max then 2
            when base_count - met_count - largest_unmet <= suppress_max then 2
            else 0
        end as own_share_level
    from compared

)

select
    cell_id,
    information,
    body_kind,
    region_code,
    item_id,
    year_code,
    breakdown,
    breakdown_value,
    collection_mode,
    sampling_frame,
    collected_by,
    release_period_code,
    year_label,
    year_last_day,
    right_number,
    'proportion' as unit,
    figure_status,
    areas_due,
    cells_due,
    case
        when figure_status <> 'reported' then null
        when earlier_base_count is null or is_large then base_count
        else earlier_base_count
    end as base_count,
    case
        when figure_status <> 'reported' then null
        when earlier_base_count is null or is_large then met_count
        else earlier_met_count
    end as met_count,
    -- what was revised once stays marked: it is not what was published first
    is_large or was_revised as is_revised,
    disclosure_rule_version,
    suppress_max,
    rounding_base,
    whole_percent_n_min,
    about_percent_n_min,
    closed_band_n_min,
    interval_z,
    respondents_min,
    cast(own_share_level as integer) as own_share_level
from judged

-- What may be published by offence group and by each characteristic: a financial year and a region, under rules 1 to 4
-- and 11 and what a release withholds beyond them.
with exact_cells as (

    select * from {{ ref('int_public_breakdown_cells') }}

),

suppressions as (

    select
        cell_id,
        max(level) as suppression_level
    from {{ ref('int_suppressions') }}
    group by cell_id

),

cells as (

    select
        exact_cells.*,
        exact_cells.figure_status = 'reported' as is_reported,
        case
            -- rule 11: too few respondents to tell them apart by who they are
            when exact_cells.base_count < exact_cells.respondents_min then 3
            else greatest(coalesce(suppressions.suppression_level, 0), exact_cells.own_share_level)
        end as suppression_level
    from exact_cells
    left join suppressions
        on exact_cells.cell_id = suppressions.cell_id

),

formed as (

    {{ published_forms("cells") }}

),

-- A metric whose cases are by definition the cases met of another would print what the other withholds, value by value.
withheld as (

    select distinct
        formed.body_kind,
        formed.region_code,
        formed.year_code,
        formed.breakdown,
        formed.breakdown_value,
        links.metric_id as item_id
    from formed
    inner join {{ ref('metric_links') }} as links
        on
            formed.item_id = links.equals_metric_id
            and {{ in_force('links', 'formed.year_last_day') }}
    where
        formed.is_reported
        and formed.published_as not in ('value', 'about')

),

linked_cells as (

    select
        formed.*,
        withheld.item_id is not null and formed.is_reported as is_withheld_for_another
    from formed
    left join withheld
        on
            formed.body_kind = withheld.body_kind
            and formed.region_code = withheld.region_code
            and formed.year_code = withheld.year_code
            and formed.breakdown = withheld.breakdown
            and formed.breakdown_value = withheld.breakdown_value
            and formed.item_id = withheld.item_id

),

published as (

    select
        release_period_code,
        year_code,
        year_label,
        year_last_day,
        information,
        body_kind,
        region_code,
        right_number,
        item_id,
        breakdown,
        breakdown_value,
        collection_mode,
        sampling_frame,
        collected_by,
        figure_status,
        is_revised,
        disclosure_rule_version,
        case when not is_withheld_for_another then public_base_count end as base_count,
        case when not is_withheld_for_another then public_met_count end as good_count,
        case when not is_withheld_for_another then public_rate_percent end as rate_percent,
        case when not is_withheld_for_another then public_rate_is_about end as rate_is_about,
        case when not is_withheld_for_another then public_rate_lower_percent end as rate_lower_percent,
        case when not is_withheld_for_another then public_rate_upper_percent end as rate_upper_percent,
        case when not is_withheld_for_another then public_rate_band end as rate_band,
        case when is_withheld_for_another then 'suppressed' else published_as end as published_as
    from linked_cells

),

region_names as (

    select distinct
        quarters.period_code,
        areas.region_code,
        areas.region_name
    from {{ ref('int_quarters') }} as quarters
    inner join {{ ref('areas') }} as areas
        on
            areas.area_kind = 'police_area'
            and {{ in_force('areas', 'quarters.last_day') }}

)

select
    published.release_period_code,
    published.year_code,
    published.year_label,
    published.information,
    published.body_kind,
    published.region_code,
    coalesce(region_names.region_name, 'England and Wales') as region_name,
    published.right_number,
    published.item_id,
    items.definition as item_definition,
    published.breakdown,
    published.breakdown_value,
    coalesce(crime_types.crime_type_name, categories.label) as breakdown_label,
    published.collection_mode,
    published.sampling_frame,
    published.collected_by,
    published.base_count,
    published.good_count,
    published.rate_percent,
    published.rate_is_about,
    published.rate_lower_percent,
    published.rate_upper_percent,
    published.rate_band,
    published.published_as,
    {{ observation_status("published.figure_status", "published.published_as") }} as obs_status,
    case when published.is_revised then 'r' else 'p' end as obs_note,
    published.disclosure_rule_version
from published
inner join {{ ref('int_expected_items') }} as items
    on
        published.release_period_code = items.period_code
        and published.body_kind = items.body_kind
        and published.item_id = items.metric_id
left join region_names
    on
        published.release_period_code = region_names.period_code
        and published.region_code = region_names.region_code
left join {{ ref('crime_types') }} as crime_types
    on
        published.breakdown = 'crime_type'
        and published.breakdown_value = crime_types.crime_type
        and crime_types.level = 'group'
        and {{ in_force('crime_types', 'published.year_last_day') }}
left join {{ ref('characteristics') }} as categories
    on
        published.breakdown = categories.characteristic
        and published.breakdown_value = categories.characteristic_value
        and {{ in_force('categories', 'published.year_last_day') }}

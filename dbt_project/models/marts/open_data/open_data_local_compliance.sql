-- What may be published of each local figure: rules 1 to 4 of disclosure control and what a release withholds beyond
-- them, cell by cell.
with exact_cells as (

    select * from {{ ref('int_public_compliance_cells') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

suppressions as (

    select
        cell_id,
        max(level) as suppression_level
    from {{ ref('int_suppressions') }}
    group by cell_id

),

items as (

    select * from {{ ref('int_expected_items') }}

),

cells as (

    select
        exact_cells.*,
        rules.period_label,
        rules.last_day,
        exact_cells.figure_status = 'reported' as is_reported,
        coalesce(suppressions.suppression_level, 0) as suppression_level
    from exact_cells
    inner join rules
        on exact_cells.period_code = rules.period_code
    left join suppressions
        on exact_cells.cell_id = suppressions.cell_id

),

formed as (

    {{ published_forms("cells") }}

),

-- A metric whose cases are by definition the cases met of another would print what the other withholds.
withheld as (

    select distinct
        formed.body_kind,
        formed.pfa_code,
        formed.period_code,
        links.metric_id
    from formed
    inner join {{ ref('metric_links') }} as links
        on
            formed.metric_id = links.equals_metric_id
            and {{ in_force('links', 'formed.last_day') }}
    where
        formed.is_reported
        and formed.published_as not in ('value', 'about')

),

linked_cells as (

    select
        formed.*,
        withheld.metric_id is not null and formed.is_reported as is_withheld_for_another
    from formed
    left join withheld
        on
            formed.body_kind = withheld.body_kind
            and formed.pfa_code = withheld.pfa_code
            and formed.period_code = withheld.period_code
            and formed.metric_id = withheld.metric_id

),

published as (

    select
        body_kind,
        pfa_code,
        area_code,
        metric_id,
        period_code,
        period_label,
        last_day,
        collection_mode,
        sampling_frame,
        right_number,
        unit,
        figure_status,
        is_revised,
        disclosure_rule_version,
        case when not is_withheld_for_another then public_base_count end as public_base_count,
        case when not is_withheld_for_another then public_met_count end as public_met_count,
        case when not is_withheld_for_another then public_rate_percent end as public_rate_percent,
        case when not is_withheld_for_another then public_rate_is_about end as public_rate_is_about,
        case when not is_withheld_for_another then public_rate_lower_percent end as public_rate_lower_percent,
        case when not is_withheld_for_another then public_rate_upper_percent end as public_rate_upper_percent,
        case when not is_withheld_for_another then public_rate_band end as public_rate_band,
        case when is_withheld_for_another then 'suppressed' else published_as end as published_as
    from linked_cells

)

select
    published.period_code as release_period_code,
    published.period_code,
    published.period_label,
    published.body_kind,
    published.area_code,
    case when published.pfa_code = 'NAT' then kinds.body_kind_name else areas.area_name end as area_name,
    coalesce(areas.region_code, 'K04000001') as region_code,
    coalesce(areas.region_name, 'England and Wales') as region_name,
    published.right_number,
    published.metric_id,
    items.definition as metric_definition,
    published.unit,
    published.collection_mode,
    published.sampling_frame,
    case when published.unit = 'proportion' then published.public_base_count end as case_count,
    published.public_met_count as met_count,
    case when published.unit = 'count' then published.public_base_count end as reported_count,
    published.public_rate_percent as rate_percent,
    published.public_rate_is_about as rate_is_about,
    published.public_rate_lower_percent as rate_lower_percent,
    published.public_rate_upper_percent as rate_upper_percent,
    published.public_rate_band as rate_band,
    published.published_as,
    {{ observation_status("published.figure_status", "published.published_as") }} as obs_status,
    case when published.is_revised then 'r' else 'p' end as obs_note,
    published.disclosure_rule_version
from published
inner join items
    on
        published.period_code = items.period_code
        and published.body_kind = items.body_kind
        and published.metric_id = items.metric_id
inner join {{ ref('body_kinds') }} as kinds
    on published.body_kind = kinds.body_kind
left join {{ ref('areas') }} as areas
    on
        published.pfa_code = areas.pfa_code
        and areas.area_kind = 'police_area'
        and {{ in_force('areas', 'published.last_day') }}

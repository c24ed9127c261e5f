-- What may be published of each local figure: rules 1 to 4 of disclosure control, cell by cell.
with figures as (

    select * from {{ ref('local_area_compliance') }}
    -- delays are published only as the share within the limit, which is a metric of its own
    where unit in ('proportion', 'count')

),

rules as (

    select
        quarters.period_code,
        quarters.period_label,
        quarters.last_day,
        disclosure_rules.rule_version,
        disclosure_rules.suppress_max,
        disclosure_rules.rounding_base,
        disclosure_rules.whole_percent_n_min,
        disclosure_rules.about_percent_n_min,
        disclosure_rules.closed_band_n_min,
        row_number() over (
            partition by quarters.period_code
            order by disclosure_rules.rule_version desc
        ) as version_rank
    from {{ ref('int_quarters') }} as quarters
    inner join {{ ref('disclosure_rules') }} as disclosure_rules
        on
            quarters.last_day >= disclosure_rules.effective_from
            and (disclosure_rules.effective_to is null or quarters.last_day <= disclosure_rules.effective_to)

),

items as (

    select * from {{ ref('int_expected_items') }}

),

cells as (

    select
        figures.*,
        rules.period_label,
        rules.last_day,
        rules.rule_version,
        rules.suppress_max,
        rules.rounding_base,
        rules.whole_percent_n_min,
        rules.about_percent_n_min,
        rules.closed_band_n_min,
        figures.figure_status = 'reported' as is_reported,
        figures.case_count - figures.met_count as unmet_count,
        {{ rounded_to_base("figures.case_count", "rules.rounding_base") }} as rounded_cases,
        {{ rounded_to_base("figures.met_count", "rules.rounding_base") }} as rounded_met,
        {{ rounded_to_base("figures.reported_count", "rules.rounding_base") }} as rounded_reported
    from figures
    inner join rules
        on
            figures.period_code = rules.period_code
            and rules.version_rank = 1

),

ruled as (

    select
        cells.*,
        is_reported and unit = 'proportion' and case_count > suppress_max as has_public_base,
        -- rule 3: met or unmet is small, or so near to it that the rounded counts stand one step apart
        -- (docs/decisions/0007)
        met_count <= suppress_max
        or unmet_count <= suppress_max
        or rounded_cases - rounded_met <= rounding_base
        or rounded_met <= rounding_base as is_one_side_small
    from cells

),

-- A metric whose cases are by definition the cases met of another would print what the other withholds.
withheld as (

    select distinct
        ruled.body_kind,
        ruled.pfa_code,
        ruled.period_code,
        links.metric_id
    from ruled
    inner join {{ ref('metric_links') }} as links
        on
            ruled.metric_id = links.equals_metric_id
            and {{ in_force('links', 'ruled.last_day') }}
    where
        ruled.is_reported
        and (not ruled.has_public_base or ruled.is_one_side_small or ruled.rounded_cases < ruled.about_percent_n_min)

),

formed as (

    select
        ruled.*,
        withheld.metric_id is not null as is_withheld_for_another,
        -- rule 1: a small count is withheld, whatever it is part of
        has_public_base and withheld.metric_id is null as is_base_published,
        has_public_base and withheld.metric_id is null and is_one_side_small as is_open_band,
        -- rule 4: a closed band on a small base
        has_public_base and withheld.metric_id is null and not is_one_side_small
        and rounded_cases < about_percent_n_min as is_closed_band,
        has_public_base and withheld.metric_id is null and not is_one_side_small
        and rounded_cases >= about_percent_n_min as is_rate_published,
        is_reported and unit = 'count' and reported_count > suppress_max
        and withheld.metric_id is null as is_count_published
    from ruled
    left join withheld
        on
            ruled.body_kind = withheld.body_kind
            and ruled.pfa_code = withheld.pfa_code
            and ruled.period_code = withheld.period_code
            and ruled.metric_id = withheld.metric_id

),

published as (

    select
        formed.*,
        case when is_base_published then rounded_cases end as public_cases,
        case when is_rate_published then rounded_met end as public_met,
        case when is_count_published then rounded_reported end as public_reported,
        case
            when is_rate_published and rounded_cases >= whole_percent_n_min
                then cast(floor(100.0 * rounded_met / nullif(rounded_cases, 0) + 0.5) as integer)
            when is_rate_published
                then cast(floor(10.0 * rounded_met / nullif(rounded_cases, 0) + 0.5) * 10 as integer)
        end as public_percent,
        is_rate_published and rounded_cases < whole_percent_n_min as is_about,
        case
            when is_open_band and unmet_count <= suppress_max and met_count <= suppress_max then null
            when is_open_band and rounded_cases - rounded_met <= rounded_met
                then {{ open_band_high("rounded_cases", "suppress_max + 1 + floor(rounding_base / 2.0)") }}
            when is_open_band then {{ open_band_low("rounded_cases", "suppress_max + 1 + floor(rounding_base / 2.0)") }}
            when is_closed_band and rounded_cases < closed_band_n_min then null
            when is_closed_band and 100 * met_count < 50 * case_count then 'under 50%'
            when is_closed_band and 100 * met_count < 80 * case_count then '50% to 79%'
            when is_closed_band then '80% and over'
        end as public_band
    from formed

)

select
    published.period_code,
    published.period_label,
    published.body_kind,
    case when published.pfa_code = 'NAT' then upper(published.body_kind) else published.pfa_code end as area_code,
    case when published.pfa_code = 'NAT' then kinds.body_kind_name else published.area_name end as area_name,
    coalesce(areas.region_name, 'England and Wales') as region_name,
    published.right_number,
    published.metric_id,
    items.definition as metric_definition,
    published.unit,
    published.collection_mode,
    published.sampling_frame,
    published.public_cases as case_count,
    published.public_met as met_count,
    published.public_reported as reported_count,
    published.public_percent as rate_percent,
    case when published.public_percent is not null then published.is_about end as rate_is_about,
    published.public_band as rate_band,
    case
        when published.figure_status = 'not_applicable' then 'z'
        when published.figure_status in ('not_submitted', 'incomplete') then 'w'
        when published.figure_status = 'not_collected' then 'x'
        when published.is_rate_published or published.is_count_published then null
        -- nothing happened, and nothing could be identified: still withheld, as any count up to seven is
        else 'c'
    end as obs_status,
    'p' as obs_note,
    published.rule_version as disclosure_rule_version
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

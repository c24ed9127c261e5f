-- Breakdowns for England and Wales that add nothing to those of the regions: sums of the very cells that are published,
-- left out where those hold too small a share of the cases (rule 5).
with cells as (

    select * from {{ ref('open_data_region_breakdowns') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

kinds as (

    select * from {{ ref('body_kinds') }}
    -- a national force is the nation already
    where not is_national_force

),

populations as (

    select
        rules.period_code,
        areas.region_code,
        sum(areas.population) as population,
        count(*) as area_count
    from rules
    inner join {{ ref('areas') }} as areas
        on
            areas.area_kind = 'police_area'
            and {{ in_force('areas', 'rules.last_day') }}
    group by rules.period_code, areas.region_code

),

region_cells as (

    select
        cells.*,
        populations.population,
        populations.area_count,
        case when cells.good_count is not null then cells.base_count end as size_in_total
    from cells
    inner join kinds
        on cells.body_kind = kinds.body_kind
    inner join populations
        on
            cells.release_period_code = populations.period_code
            and cells.region_code = populations.region_code

),

expected as (

    select
        release_period_code,
        year_code,
        information,
        body_kind,
        item_id,
        breakdown,
        breakdown_value,
        max(year_label) as year_label,
        max(right_number) as right_number,
        max(item_definition) as item_definition,
        max(breakdown_label) as breakdown_label,
        max(disclosure_rule_version) as disclosure_rule_version,
        cast(count(distinct case when coalesce(obs_status, '') <> 'z' then region_code end) as integer)
            as regions_expected,
        count(distinct case when obs_status = 'x' then region_code end) as regions_not_available,
        -- regions of which nothing is in: their cases are guessed from their population
        sum(case when obs_status in ('w', 'x') then population else 0 end) as absent_population
    from region_cells
    group by release_period_code, year_code, information, body_kind, item_id, breakdown, breakdown_value

),

summed as (

    select
        year_code,
        information,
        body_kind,
        item_id,
        breakdown,
        breakdown_value,
        collection_mode,
        sampling_frame,
        collected_by,
        cast(sum(case when size_in_total is not null then 1 else 0 end) as integer) as regions_published,
        cast(sum(size_in_total) as bigint) as base_count,
        cast(sum(good_count) as bigint) as good_count,
        {{ to_double("coalesce(sum(size_in_total), 0)") }} as size_in_total,
        {{ to_double("coalesce(sum(base_count), 0)") }} as size_published,
        sum(case when base_count is null and area_count > 2 then 1 else 0 end) as withheld_region_count,
        -- of two areas much is withheld, for each knows its own share: that tells nothing of its size
        sum(case when base_count is null and area_count <= 2 then population else 0 end) as withheld_population,
        sum(case when base_count is not null then population else 0 end) as published_population,
        max(case when size_in_total is not null and obs_note = 'r' then 1 else 0 end) = 1 as is_revised
    from region_cells
    where collection_mode <> 'none' and coalesce(obs_status, 'c') = 'c'
    group by
        year_code, information, body_kind, item_id, breakdown, breakdown_value, collection_mode, sampling_frame,
        collected_by

),

covered as (

    select
        expected.*,
        coalesce(summed.collection_mode, 'none') as collection_mode,
        coalesce(summed.sampling_frame, 'none') as sampling_frame,
        coalesce(summed.collected_by, 'none') as collected_by,
        coalesce(summed.regions_published, 0) as regions_published,
        summed.collection_mode is not null as has_figures,
        summed.base_count,
        summed.good_count,
        coalesce(summed.is_revised, false) as is_revised,
        rules.whole_percent_n_min,
        rules.about_percent_n_min,
        rules.coverage_min,
        rules.interval_z,
        -- a withheld base counts as the most that the rules withhold; a region that is absent, or of two areas, as its
        -- population would have it
        summed.size_in_total / nullif(
            summed.size_published
            + summed.withheld_region_count * greatest(rules.suppress_max, rules.respondents_min - 1)
            + summed.size_published * (expected.absent_population + summed.withheld_population)
            / nullif(summed.published_population, 0),
            0
        ) as share_in_total
    from expected
    inner join rules
        on expected.release_period_code = rules.period_code
    left join summed
        on
            expected.year_code = summed.year_code
            and expected.information = summed.information
            and expected.body_kind = summed.body_kind
            and expected.item_id = summed.item_id
            and expected.breakdown = summed.breakdown
            and expected.breakdown_value = summed.breakdown_value

),

judged as (

    select
        covered.*,
        coalesce(share_in_total >= coverage_min and base_count >= about_percent_n_min, false) as is_published
    from covered

),

published as (

    select
        judged.*,
        case when is_published then base_count end as public_base_count,
        case when is_published then good_count end as public_good_count
    from judged

)

select
    release_period_code,
    year_code,
    year_label,
    information,
    body_kind,
    item_id,
    breakdown,
    breakdown_value,
    collection_mode,
    sampling_frame,
    collected_by,
    right_number,
    item_definition,
    breakdown_label,
    regions_expected,
    regions_published,
    case when has_figures then floor(100.0 * coalesce(share_in_total, 0.0)) / 100.0 end as base_share_covered,
    public_base_count as base_count,
    public_good_count as good_count,
    {{ rounded_rate_percent("public_good_count", "public_base_count", "whole_percent_n_min") }} as rate_percent,
    case when public_good_count is not null then public_base_count < whole_percent_n_min end as rate_is_about,
    {{ interval_percent("public_good_count", "public_base_count", "interval_z", "lower") }} as rate_lower_percent,
    {{ interval_percent("public_good_count", "public_base_count", "interval_z", "upper") }} as rate_upper_percent,
    case
        when not has_figures then null
        when not is_published then 'suppressed'
        when public_base_count < whole_percent_n_min then 'about'
        else 'value'
    end as published_as,
    case
        when regions_expected = 0 then 'z'
        when not has_figures and regions_not_available = regions_expected then 'x'
        when not has_figures then 'w'
        when not is_published then 'c'
    end as obs_status,
    case when is_revised and is_published then 'r' else 'p' end as obs_note,
    disclosure_rule_version
from published

-- Figures of larger geographies that add nothing to the local ones: sums of the very cells that are published, left
-- out where those hold too small a share of the cases (rule 5). Anybody can add them up again, with
-- open_data_area_groups.
with cells as (

    select * from {{ ref('open_data_local_compliance') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

area_groups as (

    select * from {{ ref('open_data_area_groups') }}
    where group_kind <> 'like_areas'

),

-- what each cell adds to a total, and how much is known to be, or may be, outside it
local_cells as (

    select
        area_groups.group_kind,
        area_groups.group_code,
        area_groups.group_name,
        cells.*,
        areas.population,
        case
            when cells.met_count is not null then cells.case_count
            when cells.reported_count is not null then cells.reported_count
        end as size_in_total,
        case
            when cells.unit = 'count' then cells.reported_count
            else cells.case_count
        end as size_published
    from cells
    -- a national force stands in no group: its own figure is its only one
    inner join area_groups
        on
            cells.period_code = area_groups.period_code
            and cells.area_code = area_groups.area_code
    inner join rules
        on cells.period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on
            cells.area_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}

),

expected as (

    select
        group_kind,
        group_code,
        period_code,
        body_kind,
        metric_id,
        max(group_name) as group_name,
        max(period_label) as period_label,
        max(right_number) as right_number,
        max(metric_definition) as metric_definition,
        max(unit) as unit,
        max(disclosure_rule_version) as disclosure_rule_version,
        cast(count(distinct case when coalesce(obs_status, '') <> 'z' then area_code end) as integer)
            as areas_expected,
        count(distinct case when obs_status = 'x' then area_code end) as areas_not_available,
        -- areas of which nothing is in: their cases are guessed from their population
        sum(case when obs_status in ('w', 'x') then population else 0 end) as absent_population
    from local_cells
    group by group_kind, group_code, period_code, body_kind, metric_id

),

summed as (

    select
        group_kind,
        group_code,
        period_code,
        body_kind,
        metric_id,
        collection_mode,
        sampling_frame,
        cast(sum(case when size_in_total is not null then 1 else 0 end) as integer) as areas_published,
        cast(sum(case when met_count is not null then case_count end) as bigint) as case_count,
        cast(sum(met_count) as bigint) as met_count,
        cast(sum(reported_count) as bigint) as reported_count,
        {{ to_double("coalesce(sum(size_in_total), 0)") }} as size_in_total,
        {{ to_double("coalesce(sum(size_published), 0)") }} as size_published,
        sum(case when size_published is null then 1 else 0 end) as withheld_area_count,
        sum(case when size_published is not null then population else 0 end) as published_population,
        max(case when size_in_total is not null and obs_note = 'r' then 1 else 0 end) = 1 as is_revised
    from local_cells
    where collection_mode <> 'none' and coalesce(obs_status, 'c') = 'c'
    group by group_kind, group_code, period_code, body_kind, metric_id, collection_mode, sampling_frame

),

covered as (

    select
        expected.*,
        coalesce(summed.collection_mode, 'none') as collection_mode,
        coalesce(summed.sampling_frame, 'none') as sampling_frame,
        coalesce(summed.areas_published, 0) as areas_published,
        summed.collection_mode is not null as has_figures,
        summed.case_count,
        summed.met_count,
        summed.reported_count,
        coalesce(summed.is_revised, false) as is_revised,
        rules.whole_percent_n_min,
        rules.about_percent_n_min,
        rules.coverage_min,
        rules.interval_z,
        -- a withheld base counts as the most that rule 1 withholds; an absent area as its population would have it
        summed.size_in_total / nullif(
            summed.size_published
            + summed.withheld_area_count * rules.suppress_max
            + summed.size_published * expected.absent_population / nullif(summed.published_population, 0),
            0
        ) as share_in_total
    from expected
    inner join rules
        on expected.period_code = rules.period_code
    left join summed
        on
            expected.group_kind = summed.group_kind
            and expected.group_code = summed.group_code
            and expected.period_code = summed.period_code
            and expected.body_kind = summed.body_kind
            and expected.metric_id = summed.metric_id

),

judged as (

    select
        covered.*,
        coalesce(share_in_total >= coverage_min, false)
        and (unit = 'count' or case_count >= about_percent_n_min) as is_published
    from covered

),

published as (

    select
        judged.*,
        case when is_published then case_count end as public_case_count,
        case when is_published then met_count end as public_met_count,
        case when is_published then reported_count end as public_reported_count
    from judged

)

select
    period_code as release_period_code,
    period_code,
    period_label,
    group_kind,
    group_code,
    group_name,
    body_kind,
    metric_id,
    collection_mode,
    sampling_frame,
    right_number,
    metric_definition,
    unit,
    areas_expected,
    areas_published,
    case when has_figures then floor(100.0 * coalesce(share_in_total, 0.0)) / 100.0 end as case_share_covered,
    public_case_count as case_count,
    public_met_count as met_count,
    public_reported_count as reported_count,
    {{ rounded_rate_percent("public_met_count", "public_case_count", "whole_percent_n_min") }} as rate_percent,
    case when public_met_count is not null then public_case_count < whole_percent_n_min end as rate_is_about,
    {{ interval_percent("public_met_count", "public_case_count", "interval_z", "lower") }} as rate_lower_percent,
    {{ interval_percent("public_met_count", "public_case_count", "interval_z", "upper") }} as rate_upper_percent,
    case
        when not has_figures then null
        when not is_published then 'suppressed'
        when unit = 'proportion' and public_case_count < whole_percent_n_min then 'about'
        else 'value'
    end as published_as,
    case
        when areas_expected = 0 then 'z'
        when not has_figures and areas_not_available = areas_expected then 'x'
        when not has_figures then 'w'
        when not is_published then 'c'
    end as obs_status,
    case when is_revised and is_published then 'r' else 'p' end as obs_note,
    disclosure_rule_version
from published

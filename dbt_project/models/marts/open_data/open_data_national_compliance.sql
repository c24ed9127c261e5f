-- National figures that add nothing to the local ones: sums of the very cells that are published, left out where
-- those hold too small a share of the cases (rule 5).
with cells as (

    select * from {{ ref('open_data_local_compliance') }}

),

rules as (

    select
        rule_version,
        suppress_max,
        whole_percent_n_min,
        about_percent_n_min,
        coverage_min
    from {{ ref('disclosure_rules') }}

),

kinds as (

    select * from {{ ref('body_kinds') }}
    where not is_national_force

),

quarters as (

    select * from {{ ref('int_quarters') }}

),

-- what each cell adds to a total, and how much is known to be, or may be, outside it
local_cells as (

    select
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
    inner join kinds
        on cells.body_kind = kinds.body_kind
    inner join quarters
        on cells.period_code = quarters.period_code
    inner join {{ ref('areas') }} as areas
        on
            cells.area_code = areas.pfa_code
            and {{ in_force('areas', 'quarters.last_day') }}
    where cells.obs_status is null or cells.obs_status <> 'z'

),

expected as (

    select
        period_code,
        body_kind,
        metric_id,
        cast(count(distinct area_code) as integer) as areas_expected,
        -- areas of which nothing is in: their cases are guessed from their population
        sum(case when obs_status in ('w', 'x') then population else 0 end) as absent_population
    from local_cells
    group by period_code, body_kind, metric_id

),

summed as (

    select
        local_cells.period_code,
        local_cells.period_label,
        local_cells.body_kind,
        local_cells.right_number,
        local_cells.metric_id,
        local_cells.metric_definition,
        local_cells.unit,
        local_cells.collection_mode,
        local_cells.sampling_frame,
        local_cells.disclosure_rule_version,
        cast(sum(case when local_cells.size_in_total is not null then 1 else 0 end) as integer) as areas_published,
        cast(sum(case when local_cells.met_count is not null then local_cells.case_count end) as bigint) as case_count,
        cast(sum(local_cells.met_count) as bigint) as met_count,
        cast(sum(local_cells.reported_count) as bigint) as reported_count,
        {{ to_double("coalesce(sum(local_cells.size_in_total), 0)") }} as size_in_total,
        {{ to_double("coalesce(sum(local_cells.size_published), 0)") }} as size_published,
        sum(case when local_cells.size_published is null then 1 else 0 end) as withheld_area_count,
        sum(case when local_cells.size_published is not null then local_cells.population else 0 end)
            as published_population
    from local_cells
    where local_cells.collection_mode <> 'none' and coalesce(local_cells.obs_status, 'c') = 'c'
    group by
        local_cells.period_code, local_cells.period_label, local_cells.body_kind, local_cells.right_number,
        local_cells.metric_id, local_cells.metric_definition, local_cells.unit, local_cells.collection_mode,
        local_cells.sampling_frame, local_cells.disclosure_rule_version

),

covered as (

    select
        summed.*,
        expected.areas_expected,
        rules.whole_percent_n_min,
        rules.about_percent_n_min,
        rules.coverage_min,
        -- a withheld base counts as the most it can be; an absent area as its population would have it
        summed.size_in_total / nullif(
            summed.size_published
            + summed.withheld_area_count * rules.suppress_max
            + summed.size_published * expected.absent_population / nullif(summed.published_population, 0),
            0
        ) as share_in_total
    from summed
    inner join expected
        on
            summed.period_code = expected.period_code
            and summed.body_kind = expected.body_kind
            and summed.metric_id = expected.metric_id
    inner join rules
        on summed.disclosure_rule_version = rules.rule_version

),

judged as (

    select
        covered.*,
        coalesce(share_in_total >= coverage_min, false)
        and (unit = 'count' or case_count >= about_percent_n_min) as is_published
    from covered

)

select
    period_code,
    period_label,
    body_kind,
    metric_id,
    collection_mode,
    sampling_frame,
    right_number,
    metric_definition,
    unit,
    areas_expected,
    areas_published,
    floor(100.0 * coalesce(share_in_total, 0.0)) / 100.0 as case_share_covered,
    case when is_published then case_count end as case_count,
    case when is_published then met_count end as met_count,
    case when is_published then reported_count end as reported_count,
    case
        when is_published and unit = 'proportion' and case_count >= whole_percent_n_min
            then cast(floor(100.0 * met_count / nullif(case_count, 0) + 0.5) as integer)
        when is_published and unit = 'proportion'
            then cast(floor(10.0 * met_count / nullif(case_count, 0) + 0.5) * 10 as integer)
    end as rate_percent,
    case when is_published and unit = 'proportion' then case_count < whole_percent_n_min end as rate_is_about,
    case when is_published then null else 'c' end as obs_status,
    'p' as obs_note,
    disclosure_rule_version
from judged

-- National figures that add nothing to the local ones: sums of the very cells that are published, left out where
-- those hold too small a share of the cases (rule 5).
with cells as (

    select * from {{ ref('open_data_local_compliance') }}

),

rules as (

    select
        rule_version,
        whole_percent_n_min,
        about_percent_n_min,
        coverage_min
    from {{ ref('disclosure_rules') }}

),

kinds as (

    select * from {{ ref('body_kinds') }}
    where not is_national_force

),

expected as (

    select
        period_code,
        body_kind,
        metric_id,
        cast(count(distinct area_code) as integer) as areas_expected
    from cells
    where obs_status is null or obs_status <> 'z'
    group by period_code, body_kind, metric_id

),

summed as (

    select
        cells.period_code,
        cells.period_label,
        cells.body_kind,
        cells.right_number,
        cells.metric_id,
        cells.metric_definition,
        cells.unit,
        cells.collection_mode,
        cells.sampling_frame,
        cells.disclosure_rule_version,
        cast(sum(
            case when cells.met_count is not null or cells.reported_count is not null then 1 else 0 end
        ) as integer) as areas_published,
        cast(sum(case when cells.met_count is not null then cells.case_count end) as bigint) as case_count,
        cast(sum(cells.met_count) as bigint) as met_count,
        cast(sum(cells.reported_count) as bigint) as reported_count,
        cast(sum(cells.case_count) as bigint) as published_base
    from cells
    inner join kinds
        on cells.body_kind = kinds.body_kind
    where cells.collection_mode <> 'none'
    group by
        cells.period_code, cells.period_label, cells.body_kind, cells.right_number, cells.metric_id,
        cells.metric_definition, cells.unit, cells.collection_mode, cells.sampling_frame,
        cells.disclosure_rule_version

),

covered as (

    select
        summed.*,
        expected.areas_expected,
        rules.whole_percent_n_min,
        rules.about_percent_n_min,
        case
            when summed.unit = 'count'
                then {{ stable(to_double("summed.areas_published") ~ " / nullif(expected.areas_expected, 0)", 2) }}
            else {{ stable(to_double("coalesce(summed.case_count, 0)") ~ " / nullif(summed.published_base, 0)", 2) }}
        end as case_share_covered,
        rules.coverage_min
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
        coalesce(case_share_covered >= coverage_min, false)
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
    case_share_covered,
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

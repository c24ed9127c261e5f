-- The exact values behind every published cell of compliance. A cell that was published keeps its values until they
-- change by so many cases that the difference says nothing of a few people (rule 10).
with figures as (

    select * from {{ ref('int_due_figures') }}
    -- delays are published only as the share within the limit, which is a metric of its own
    where unit in ('proportion', 'count')

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

earlier as (

    select * from {{ ref('int_earlier_cells') }}

),

links as (

    select * from {{ ref('metric_links') }}

),

kept as (

    select
        'statistic|' || figures.body_kind || '|'
        || {{ public_area_code("figures.pfa_code", "figures.body_kind") }}
        || '|' || figures.metric_id || '|' || figures.period_code
        || '|' || figures.collection_mode || '|' || figures.sampling_frame as cell_id,
        figures.body_kind,
        {{ public_area_code("figures.pfa_code", "figures.body_kind") }} as area_code,
        figures.metric_id,
        figures.period_code,
        figures.collection_mode,
        figures.sampling_frame,
        figures.pfa_code,
        figures.right_number,
        figures.unit,
        figures.figure_status,
        figures.figure_status = 'reported' as is_reported,
        case
            when figures.figure_status = 'reported' and figures.unit = 'count' then figures.reported_count
            when figures.figure_status = 'reported' then figures.case_count
        end as new_base_count,
        case
            when figures.figure_status = 'reported' and figures.unit = 'proportion' then figures.met_count
        end as new_met_count
    from figures

),

compared as (

    select
        kept.*,
        earlier.base_count as earlier_base_count,
        earlier.met_count as earlier_met_count,
        coalesce(earlier.is_revised, false) as was_revised,
        {{ rules_columns("rules") }},
        rules.coverage_min,
        -- a metric and those that repeat its cases are revised together: one alone would no longer agree with the rest
        coalesce(links.equals_metric_id, kept.metric_id) as revised_with,
        case
            when earlier.base_count is null then 0
            when not kept.is_reported then 0
            when {{ is_large_revision(
                "kept.new_base_count", "kept.new_met_count", "earlier.base_count", "earlier.met_count",
                "rules.revision_min_change",
            ) }} then 1
            else 0
        end as is_large
    from kept
    inner join rules
        on kept.period_code = rules.period_code
    left join earlier
        on kept.cell_id = earlier.cell_id
    left join links
        on
            kept.metric_id = links.metric_id
            and {{ in_force('links', 'rules.last_day') }}

),

revised as (

    select
        compared.*,
        max(is_large) over (partition by body_kind, area_code, period_code, revised_with) = 1 as is_large_together
    from compared

)

select
    cell_id,
    body_kind,
    area_code,
    metric_id,
    period_code,
    collection_mode,
    sampling_frame,
    pfa_code,
    right_number,
    unit,
    figure_status,
    case
        when is_reported and earlier_base_count is not null and not is_large_together then earlier_base_count
        else new_base_count
    end as base_count,
    case
        when is_reported and earlier_base_count is not null and not is_large_together then earlier_met_count
        else new_met_count
    end as met_count,
    disclosure_rule_version,
    suppress_max,
    rounding_base,
    whole_percent_n_min,
    about_percent_n_min,
    closed_band_n_min,
    interval_z,
    coverage_min,
    earlier_base_count is not null
    and (
        not is_reported
        -- what was revised once stays marked: it is not what was published first
        or was_revised
        or (
            is_large_together
            and (
                earlier_base_count <> new_base_count
                or coalesce(earlier_met_count <> new_met_count, false)
            )
        )
    ) as is_revised
from revised

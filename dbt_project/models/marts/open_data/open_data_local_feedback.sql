-- What may be published of each feedback question: the answers of one financial year, pooled, under rules 1 to 4 and
-- what a release withholds beyond them.
with exact_cells as (

    select * from {{ ref('int_public_feedback_cells') }}

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
        coalesce(suppressions.suppression_level, 0) as suppression_level
    from exact_cells
    left join suppressions
        on exact_cells.cell_id = suppressions.cell_id

),

published as (

    {{ published_forms("cells") }}

)

select
    published.release_period_code,
    published.year_code,
    published.year_label,
    published.body_kind,
    published.area_code,
    case when published.pfa_code = 'NAT' then kinds.body_kind_name else areas.area_name end as area_name,
    coalesce(areas.region_code, 'K04000001') as region_code,
    coalesce(areas.region_name, 'England and Wales') as region_name,
    published.right_number,
    published.question_id,
    questions.definition as item_definition,
    published.survey_mode,
    published.collected_by,
    published.public_base_count as valid_answer_count,
    published.public_met_count as good_count,
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
inner join {{ ref('int_expected_items') }} as questions
    on
        published.release_period_code = questions.period_code
        and published.body_kind = questions.body_kind
        and published.question_id = questions.metric_id
inner join {{ ref('body_kinds') }} as kinds
    on published.body_kind = kinds.body_kind
left join {{ ref('areas') }} as areas
    on
        published.pfa_code = areas.pfa_code
        and areas.area_kind = 'police_area'
        and {{ in_force('areas', 'published.year_last_day') }}

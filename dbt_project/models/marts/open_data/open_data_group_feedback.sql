-- Feedback of larger geographies that adds nothing to the local cells: sums of the very cells that are published, left
-- out where those hold too small a share of the answers (rule 5). Anybody can add them up again, with
-- open_data_area_groups.
with cells as (

    select * from {{ ref('open_data_local_feedback') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

area_groups as (

    select * from {{ ref('open_data_area_groups') }}
    where group_kind <> 'like_areas'

),

local_cells as (

    select
        area_groups.group_kind,
        area_groups.group_code,
        area_groups.group_name,
        cells.*,
        areas.population,
        case when cells.good_count is not null then cells.valid_answer_count end as size_in_total
    from cells
    -- a national force stands in no group: its own figure is its only one
    inner join area_groups
        on
            cells.release_period_code = area_groups.period_code
            and cells.area_code = area_groups.area_code
    inner join rules
        on cells.release_period_code = rules.period_code
    inner join {{ ref('areas') }} as areas
        on
            cells.area_code = areas.pfa_code
            and {{ in_force('areas', 'rules.last_day') }}

),

expected as (

    select
        group_kind,
        group_code,
        release_period_code,
        year_code,
        body_kind,
        question_id,
        max(group_name) as group_name,
        max(year_label) as year_label,
        max(right_number) as right_number,
        max(item_definition) as item_definition,
        max(disclosure_rule_version) as disclosure_rule_version,
        cast(count(distinct case when coalesce(obs_status, '') <> 'z' then area_code end) as integer)
            as areas_expected,
        count(distinct case when obs_status = 'x' then area_code end) as areas_not_available,
        -- areas of which nothing is in: their answers are guessed from their population
        sum(case when obs_status in ('w', 'x') then population else 0 end) as absent_population
    from local_cells
    group by group_kind, group_code, release_period_code, year_code, body_kind, question_id

),

summed as (

    select
        group_kind,
        group_code,
        year_code,
        body_kind,
        question_id,
        survey_mode,
        collected_by,
        cast(sum(case when size_in_total is not null then 1 else 0 end) as integer) as areas_published,
        cast(sum(size_in_total) as bigint) as valid_answer_count,
        cast(sum(good_count) as bigint) as good_count,
        {{ to_double("coalesce(sum(size_in_total), 0)") }} as size_in_total,
        {{ to_double("coalesce(sum(valid_answer_count), 0)") }} as size_published,
        sum(case when valid_answer_count is null then 1 else 0 end) as withheld_area_count,
        sum(case when valid_answer_count is not null then population else 0 end) as published_population,
        max(case when size_in_total is not null and obs_note = 'r' then 1 else 0 end) = 1 as is_revised
    from local_cells
    where survey_mode <> 'none'
    group by group_kind, group_code, year_code, body_kind, question_id, survey_mode, collected_by

),

covered as (

    select
        expected.*,
        coalesce(summed.survey_mode, 'none') as survey_mode,
        coalesce(summed.collected_by, 'none') as collected_by,
        coalesce(summed.areas_published, 0) as areas_published,
        summed.survey_mode is not null as has_figures,
        summed.valid_answer_count,
        summed.good_count,
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
        on expected.release_period_code = rules.period_code
    left join summed
        on
            expected.group_kind = summed.group_kind
            and expected.group_code = summed.group_code
            and expected.year_code = summed.year_code
            and expected.body_kind = summed.body_kind
            and expected.question_id = summed.question_id

),

judged as (

    select
        covered.*,
        coalesce(share_in_total >= coverage_min and valid_answer_count >= about_percent_n_min, false) as is_published
    from covered

),

published as (

    select
        judged.*,
        case when is_published then valid_answer_count end as public_answer_count,
        case when is_published then good_count end as public_good_count
    from judged

)

select
    release_period_code,
    year_code,
    year_label,
    group_kind,
    group_code,
    group_name,
    body_kind,
    question_id,
    survey_mode,
    collected_by,
    right_number,
    item_definition,
    areas_expected,
    areas_published,
    case when has_figures then floor(100.0 * coalesce(share_in_total, 0.0)) / 100.0 end as answer_share_covered,
    public_answer_count as valid_answer_count,
    public_good_count as good_count,
    {{ rounded_rate_percent("public_good_count", "public_answer_count", "whole_percent_n_min") }} as rate_percent,
    case when public_good_count is not null then public_answer_count < whole_percent_n_min end as rate_is_about,
    {{ interval_percent("public_good_count", "public_answer_count", "interval_z", "lower") }} as rate_lower_percent,
    {{ interval_percent("public_good_count", "public_answer_count", "interval_z", "upper") }} as rate_upper_percent,
    case
        when not has_figures then null
        when not is_published then 'suppressed'
        when public_answer_count < whole_percent_n_min then 'about'
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

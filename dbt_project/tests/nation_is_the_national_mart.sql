-- The nation as one of the larger geographies is what the national marts say: neither has a figure the other lacks.
with figures as (

    select
        'groups' as mart,
        body_kind,
        metric_id as item_id,
        period_code,
        collection_mode || ', ' || sampling_frame as way,
        areas_expected,
        areas_reporting,
        coalesce(met_count, reported_count, within_limit_count) as numerator_count,
        case_count as base_count,
        rate_upper
    from {{ ref('national_group_compliance') }}
    where group_kind = 'nation' and areas_reporting > 0
    union all
    select
        'nation' as mart,
        body_kind,
        metric_id as item_id,
        period_code,
        collection_mode || ', ' || sampling_frame as way,
        areas_expected,
        areas_reporting,
        coalesce(met_count, reported_count, within_limit_count) as numerator_count,
        case_count as base_count,
        rate_upper
    from {{ ref('national_compliance') }}
    union all
    select
        'groups' as mart,
        body_kind,
        question_id as item_id,
        period_code,
        collected_by || ', ' || survey_mode as way,
        areas_expected,
        areas_reporting,
        good_count as numerator_count,
        valid_answer_count as base_count,
        rate_upper
    from {{ ref('national_group_feedback') }}
    where group_kind = 'nation' and areas_reporting > 0
    union all
    select
        'nation' as mart,
        body_kind,
        question_id as item_id,
        period_code,
        collected_by || ', ' || survey_mode as way,
        areas_expected,
        areas_reporting,
        good_count as numerator_count,
        valid_answer_count as base_count,
        rate_upper
    from {{ ref('national_feedback') }}
    union all
    select
        'groups' as mart,
        body_kind,
        item_id,
        period_code,
        'grades' as way,
        areas_expected,
        areas_reporting,
        areas_absent + 10 * areas_drafted as numerator_count,
        areas_in_use + 10 * areas_reviewed as base_count,
        null as rate_upper
    from {{ ref('national_group_delivery') }}
    where group_kind = 'nation'
    union all
    select
        'nation' as mart,
        body_kind,
        item_id,
        period_code,
        'grades' as way,
        areas_expected,
        areas_reporting,
        areas_absent + 10 * areas_drafted as numerator_count,
        areas_in_use + 10 * areas_reviewed as base_count,
        null as rate_upper
    from {{ ref('national_delivery') }}

)

select
    body_kind,
    item_id,
    period_code,
    way,
    areas_expected,
    areas_reporting,
    numerator_count,
    base_count,
    -- an interval of pooled answers stands on a sum of doubles
    round(rate_upper, 6) as rate_upper,
    min(mart) as mart
from figures
group by
    body_kind, item_id, period_code, way, areas_expected, areas_reporting, numerator_count, base_count,
    round(rate_upper, 6)
having count(distinct mart) < 2 or count(*) <> 2

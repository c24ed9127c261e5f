-- Complete figures that are shares, statistics and feedback alike: totals, and scored ones by offence group and by
-- protected characteristic. The one place in which answers that stand are chosen.
with statistics as (

    select
        'statistic' as information,
        body_kind,
        pfa_code,
        metric_id as item_id,
        period_code,
        crime_type,
        characteristic,
        characteristic_value,
        collection_mode,
        sampling_frame,
        'own' as collected_by,
        is_total,
        quarter_index,
        right_number,
        metric_version,
        polarity,
        case when polarity = 'lower' then not_met_count else met_count end as good_count,
        case_count as base_count,
        {{ to_double("case_count") }} as effective_count,
        series_id
    from {{ ref('int_metric_figures') }}
    where
        is_complete
        and unit = 'proportion'
        and case_count is not null

),

feedback as (

    select
        'feedback' as information,
        body_kind,
        pfa_code,
        question_id as item_id,
        period_code,
        crime_type,
        characteristic,
        characteristic_value,
        survey_mode as collection_mode,
        'respondents' as sampling_frame,
        collected_by,
        is_total,
        quarter_index,
        right_number,
        metric_version,
        polarity,
        good_answer_count as good_count,
        valid_answer_count as base_count,
        effective_answer_count as effective_count,
        series_id
    from {{ ref('int_feedback_answers') }}
    where
        is_complete
        and is_standing
        and valid_answer_count is not null

),

figures as (

    select * from statistics
    union all
    select * from feedback

)

select
    figures.information,
    figures.body_kind,
    figures.pfa_code,
    figures.item_id,
    figures.period_code,
    -- an offence group and its subgroups are two breakdowns: added up together they would count twice
    case
        when figures.is_total then 'total'
        when figures.characteristic <> 'ALL' then figures.characteristic
        when crime_types.level = 'subgroup' then 'crime_subgroup'
        else 'crime_type'
    end as breakdown,
    case
        when figures.is_total then 'ALL'
        when figures.characteristic <> 'ALL' then figures.characteristic_value
        else figures.crime_type
    end as breakdown_value,
    figures.collection_mode,
    figures.sampling_frame,
    figures.collected_by,
    figures.is_total,
    figures.quarter_index,
    figures.right_number,
    figures.metric_version,
    figures.polarity,
    figures.polarity in ('higher', 'lower') as is_scored,
    -- not recorded, not stated
    figures.crime_type = 'UNK' or figures.characteristic_value = 'NS' as is_unknown_value,
    figures.good_count,
    figures.base_count,
    figures.effective_count,
    figures.series_id
from figures
inner join {{ ref('int_quarters') }} as quarters
    on figures.period_code = quarters.period_code
left join {{ ref('crime_types') }} as crime_types
    on
        figures.crime_type = crime_types.crime_type
        and {{ in_force('crime_types', 'quarters.last_day') }}
where
    figures.is_total
    or (
        figures.polarity in ('higher', 'lower')
        and figures.base_count > 0
        -- one breakdown at a time
        and (figures.crime_type = 'ALL' or figures.characteristic = 'ALL')
    )

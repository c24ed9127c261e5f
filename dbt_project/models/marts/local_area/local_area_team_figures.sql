-- Where many bodies answer for one area, each of them by itself: what the area's figure is made of.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

teams as (

    select
        due_returns.period_code,
        due_returns.quarter_index,
        due_returns.body_kind,
        due_returns.pfa_code,
        due_returns.body_code,
        due_returns.case_share,
        due_returns.receipt_id,
        due_returns.is_received,
        bodies.body_name,
        areas.area_name
    from {{ ref('int_expected_returns') }} as due_returns
    inner join {{ ref('body_kinds') }} as kinds
        on
            due_returns.body_kind = kinds.body_kind
            and kinds.is_many_bodies
    inner join quarters
        on due_returns.period_code = quarters.period_code
    inner join {{ ref('bodies') }} as bodies
        on
            due_returns.body_code = bodies.body_code
            and {{ in_force('bodies', 'quarters.last_day') }}
    inner join {{ ref('areas') }} as areas
        on
            due_returns.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'quarters.last_day') }}

),

figures as (

    select
        receipt_id,
        body_code,
        pfa_code,
        'statistic' as information,
        metric_id as item_id,
        collection_mode,
        sampling_frame,
        met_count as numerator_count,
        met_count + not_met_count as base_count,
        cast(null as integer) as grade,
        cast(null as boolean) as has_improvement_plan,
        not_collected_reason
    from {{ ref('stg_quarterly_metrics') }}
    where is_total
    union all
    select
        receipt_id,
        body_code,
        pfa_code,
        'feedback' as information,
        question_id as item_id,
        survey_mode as collection_mode,
        'respondents' as sampling_frame,
        case
            when response_set = 'five_point' then very_good_count + good_count
            else yes_count
        end as numerator_count,
        case
            when response_set = 'five_point'
                then very_good_count + good_count + neither_count + poor_count + very_poor_count
            else yes_count + no_count
        end as base_count,
        cast(null as integer) as grade,
        cast(null as boolean) as has_improvement_plan,
        cast(null as varchar) as not_collected_reason
    from {{ ref('stg_quarterly_feedback') }}
    where is_total
    union all
    select
        receipt_id,
        body_code,
        pfa_code,
        'delivery' as information,
        item_id,
        'none' as collection_mode,
        'none' as sampling_frame,
        cast(null as bigint) as numerator_count,
        cast(null as bigint) as base_count,
        cast(grade as integer) as grade,
        improvement_plan is not null as has_improvement_plan,
        cast(null as varchar) as not_collected_reason
    from {{ ref('stg_quarterly_delivery') }}

)

select
    teams.body_kind,
    teams.pfa_code,
    teams.body_code,
    items.metric_id as item_id,
    teams.period_code,
    coalesce(figures.collection_mode, 'none') as collection_mode,
    coalesce(figures.sampling_frame, 'none') as sampling_frame,
    teams.area_name,
    teams.body_name,
    items.right_number,
    items.information,
    items.polarity,
    teams.quarter_index,
    case
        when not teams.is_received then 'not_submitted'
        when figures.receipt_id is null or figures.not_collected_reason is not null then 'not_collected'
        else 'reported'
    end as figure_status,
    teams.case_share,
    -- of a question good answers are meant, as everywhere: of difficulties, those who had none
    case
        when figures.information = 'feedback' and items.polarity = 'lower'
            then figures.base_count - figures.numerator_count
        else figures.numerator_count
    end as numerator_count,
    figures.base_count,
    {{ rate("case
            when figures.information = 'feedback' and items.polarity = 'lower'
                then figures.base_count - figures.numerator_count
            else figures.numerator_count
        end", "figures.base_count") }} as item_rate,
    figures.grade,
    figures.has_improvement_plan
from teams
inner join {{ ref('int_expected_items') }} as items
    on
        teams.period_code = items.period_code
        and teams.body_kind = items.body_kind
        and items.unit in ('proportion', 'grade_0_3')
left join figures
    on
        teams.receipt_id = figures.receipt_id
        and teams.body_code = figures.body_code
        and teams.pfa_code = figures.pfa_code
        and items.metric_id = figures.item_id

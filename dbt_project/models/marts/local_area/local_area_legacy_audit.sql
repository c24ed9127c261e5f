{%- set adds_up %}
                'Two of the printed shares are of suitable cases and one is of all cases: together they add up to '
                || cast(met_percent + not_met_percent + other_percent as varchar) || '%'
{%- endset %}
-- The 2019/20 audit beside what may be said of it: a dip sample, described and never tested.
with answers as (

    select * from {{ ref('int_legacy_answers') }}

),

periods as (

    select * from {{ ref('stg_periods') }}

),

counted as (

    select
        bodies.body_kind,
        answers.pfa_code,
        areas.area_name,
        answers.question_id,
        answers.period_code,
        periods.first_day as period_first_day,
        answers.sampling_frame,
        answers.receipt_id,
        answers.metric_id,
        answers.entitlement_number,
        answers.question,
        answers.printed_in,
        answers.printed_met,
        answers.printed_not_met,
        answers.printed_other,
        answers.sample_size,
        answers.sample_basis,
        answers.base_rule,
        answers.met_percent,
        answers.not_met_percent,
        answers.other_percent,
        cases.base_kind,
        case
            when answers.stated_base_count is not null and answers.stated_case_count is not null then 'stated'
            when cases.question_id is not null then 'derived'
            when
                answers.has_unknown_answer and coalesce(answers.met_percent, 0) = 0
                and coalesce(answers.not_met_percent, 0) = 0
                then 'unknown'
            when answers.printed_met is null and answers.printed_not_met is null and answers.printed_other is null
                then 'not_collected'
            else 'as_printed'
        end as outcome_status,
        cast(coalesce(answers.stated_case_count, cases.met_cases) as bigint) as met_count,
        cast(coalesce(answers.stated_base_count - answers.stated_case_count, cases.not_met_cases) as bigint)
            as not_met_count,
        cast(case when answers.other_outcome = 'not_suitable' then cases.other_cases end as bigint)
            as not_suitable_count,
        cast(case when answers.other_outcome = 'declined' then cases.other_cases end as bigint) as declined_count
    from answers
    inner join periods
        on answers.period_code = periods.period_code
    inner join {{ ref('bodies') }} as bodies
        on
            answers.body_code = bodies.body_code
            and {{ in_force('bodies', 'periods.last_day') }}
    inner join {{ ref('areas') }} as areas
        on
            answers.pfa_code = areas.pfa_code
            and {{ in_force('areas', 'periods.last_day') }}
    left join {{ ref('int_legacy_cases') }} as cases
        on
            answers.body_code = cases.body_code
            and answers.pfa_code = cases.pfa_code
            and answers.question_id = cases.question_id
            and answers.period_code = cases.period_code
            and answers.sampling_frame = cases.sampling_frame

),

first_rules as (

    -- the audit is older than any rule version: its intervals use the first one
    select interval_z
    from {{ ref('severe_rules') }}
    where rule_version = 0

),

sequenced as (

    select
        counted.*,
        first_rules.interval_z,
        lag(base_kind) over (
            partition by body_kind, pfa_code, question_id, sampling_frame
            order by period_first_day
        ) as previous_base_kind
    from counted
    cross join first_rules

)

select
    body_kind,
    pfa_code,
    question_id,
    period_code,
    sampling_frame,
    area_name,
    entitlement_number,
    question,
    metric_id,
    'purposive_sample' as collection_mode,
    printed_in,
    printed_met,
    printed_not_met,
    printed_other,
    outcome_status,
    sample_size,
    sample_basis,
    base_kind,
    coalesce(base_kind <> previous_base_kind, false) as is_base_changed,
    case
        when base_kind <> previous_base_kind
            then
                'The printed shares change base: before they are of '
                || replace(previous_base_kind, '_', ' ') || ', here of ' || replace(base_kind, '_', ' ')
                || '. Compare the rates on one base, not the printed percentages'
                || case
                    when base_kind = 'suitable_cases'
                        then
                            '. ' ||{{ adds_up }}
                    else ''
                end
        when base_kind = 'suitable_cases'
            then{{ adds_up }}
        when outcome_status = 'as_printed' and base_rule = 'unstated'
            then 'No base is stated: kept as printed, no rate is made from it'
        when outcome_status = 'as_printed'
            then 'No whole number of cases gives the printed shares: kept as printed, no rate is made from it'
        when outcome_status = 'unknown' then 'Printed as unknown: not a zero'
        when outcome_status = 'not_collected' then 'Blank in the report: not collected'
        when question_id = 'q2_referred'
            then 'Those not referred had not consented or had support already: the form does not tell them apart'
    end as warning,
    met_count,
    not_met_count,
    not_suitable_count,
    declined_count,
    met_count + not_met_count as case_count,
    {{ rate("met_count", "met_count + not_met_count") }} as compliance_rate,
    {{ wilson_bound("met_count", "(met_count + not_met_count)", "interval_z", "lower") }} as rate_lower,
    {{ wilson_bound("met_count", "(met_count + not_met_count)", "interval_z", "upper") }} as rate_upper,
    receipt_id
from sequenced

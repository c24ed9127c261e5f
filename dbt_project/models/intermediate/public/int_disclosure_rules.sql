-- Each quarter is published under the rule version in force on its last day; the latest version wins.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('disclosure_rules') }}

),

ranked as (

    select
        quarters.period_code,
        quarters.period_label,
        quarters.last_day,
        rules.*,
        row_number() over (partition by quarters.period_code order by rules.rule_version desc) as version_rank
    from quarters
    inner join rules
        on
            quarters.last_day >= rules.effective_from
            and (rules.effective_to is null or quarters.last_day <= rules.effective_to)

)

select
    period_code,
    period_label,
    last_day,
    rule_version as disclosure_rule_version,
    suppress_max,
    rounding_base,
    whole_percent_n_min,
    about_percent_n_min,
    closed_band_n_min,
    coverage_min,
    interval_z,
    revision_min_change,
    respondents_min,
    flag_base_min,
    survey_quarters,
    benchmark_areas_min
from ranked
where version_rank = 1

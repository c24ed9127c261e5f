-- What benchmarks, windows and breakdowns of each quarter are made with; the latest version in force wins.
with judged as (

    select * from {{ ref('int_rules_by_quarter') }}

),

periods as (

    select * from {{ ref('stg_periods') }}

),

ranked as (

    select
        judged.period_code,
        judged.quarter_index,
        judged.last_day,
        periods.period_kind,
        benchmark_rules.rule_version as benchmark_rule_version,
        benchmark_rules.achievable_case_share,
        benchmark_rules.prior_good,
        benchmark_rules.prior_cases,
        benchmark_rules.achievable_areas_min,
        benchmark_rules.breakdown_n_min,
        -- a window is so many quarters long, whatever the reporting period
        case
            when periods.period_kind = 'half' then cast(ceil(benchmark_rules.window_quarters / 2.0) as integer)
            when periods.period_kind = 'year' then cast(ceil(benchmark_rules.window_quarters / 4.0) as integer)
            else benchmark_rules.window_quarters
        end as window_periods,
        judged.interval_z,
        judged.change_z,
        judged.s2_gap_min,
        judged.s2_divide_tail,
        judged.high_z,
        judged.high_n_min,
        row_number() over (
            partition by judged.period_code
            order by benchmark_rules.rule_version desc
        ) as version_rank
    from judged
    inner join periods
        on judged.period_code = periods.period_code
    inner join {{ ref('benchmark_rules') }} as benchmark_rules
        on
            judged.last_day >= benchmark_rules.effective_from
            and (benchmark_rules.effective_to is null or judged.last_day <= benchmark_rules.effective_to)

)

select
    period_code,
    quarter_index,
    last_day,
    period_kind,
    benchmark_rule_version,
    achievable_case_share,
    prior_good,
    prior_cases,
    achievable_areas_min,
    breakdown_n_min,
    window_periods,
    interval_z,
    change_z,
    s2_gap_min,
    s2_divide_tail,
    high_z,
    high_n_min
from ranked
where version_rank = 1

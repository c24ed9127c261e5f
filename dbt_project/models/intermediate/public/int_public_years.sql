-- The financial years whose last reporting period is there, and whether all of them are: a year that began before the
-- reporting did has nothing that could be pooled.
with periods as (

    select
        period_code,
        quarter_index,
        first_day,
        last_day,
        substr(period_code, 1, 7) as financial_year
    from {{ ref('int_quarters') }}

),

years as (

    select
        financial_year,
        count(*) as period_count,
        min(first_day) as first_day,
        max(last_day) as last_day,
        min(quarter_index) as first_index,
        max(quarter_index) as last_index
    from periods
    group by financial_year

)

select
    periods.period_code,
    years.financial_year || '-FY' as year_code,
    'April ' || substr(years.financial_year, 1, 4) || ' to March ' || cast(extract(year from years.last_day) as varchar)
        as year_label,
    last_periods.period_code as release_period_code,
    years.last_day as year_last_day,
    cast(years.period_count as integer) as period_count,
    extract(month from years.first_day) = 4
    and years.last_index - years.first_index + 1 = years.period_count as is_whole_year
from periods
inner join years
    on periods.financial_year = years.financial_year
inner join periods as last_periods
    on
        years.financial_year = last_periods.financial_year
        and years.last_index = last_periods.quarter_index
where extract(month from years.last_day) = 3

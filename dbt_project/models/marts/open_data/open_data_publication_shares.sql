-- How much of what is due is published, and in which form. Counts of published rows, which any reader could make.
{%- set tables = [
    ("local_compliance", "metric_id", "case when unit = 'proportion' then case_count end"),
    ("local_feedback", "question_id", "valid_answer_count"),
    ("region_breakdowns", "item_id", "base_count"),
] %}
with rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

-- table, what its figure is about, base of its rate
cells as (
    {%- for table, item, rate_base in tables %}
        {%- if not loop.first %}

            union all
        {%- endif %}

        select
            release_period_code,
            '{{ table }}' as table_name,
            body_kind,
            {{ item }} as item_id,
            published_as,
            rate_percent,
            rate_band,
            {{ rate_base }} as rate_base,
            obs_status
        from {{ ref('open_data_' ~ table) }}
    {%- endfor %}

),

judged as (

    select
        cells.*,
        rules.disclosure_rule_version,
        coalesce(cells.rate_base >= rules.whole_percent_n_min, false) as is_large,
        cells.rate_percent is not null
        or coalesce({{ is_narrow_band("cells.rate_band") }}, false) as is_close
    from cells
    inner join rules
        on cells.release_period_code = rules.period_code
    where cells.obs_status is null or cells.obs_status <> 'z'

),

counted as (

    select
        release_period_code,
        table_name,
        body_kind,
        item_id,
        max(disclosure_rule_version) as disclosure_rule_version,
        cast(count(*) as integer) as cells_expected,
        {%- for form in ["value", "about", "band", "base", "suppressed"] %}
            cast(sum(case when published_as = '{{ form }}' then 1 else 0 end) as integer) as cells_{{ form }},
        {%- endfor %}
        cast(sum(case when obs_status = 'w' then 1 else 0 end) as integer) as cells_not_submitted,
        cast(sum(case when obs_status = 'x' then 1 else 0 end) as integer) as cells_not_available,
        cast(sum(case when is_large then 1 else 0 end) as integer) as large_cells,
        cast(sum(case when is_large and is_close then 1 else 0 end) as integer) as large_cells_published
    from judged
    group by release_period_code, table_name, body_kind, item_id

)

select
    release_period_code,
    table_name,
    body_kind,
    item_id,
    cells_expected,
    cells_value,
    cells_about,
    cells_band,
    cells_base,
    cells_suppressed,
    cells_not_submitted,
    cells_not_available,
    large_cells,
    large_cells_published,
    cast(floor(100.0 * large_cells_published / nullif({{ to_double("large_cells") }}, 0)) as integer)
        as large_published_percent,
    disclosure_rule_version
from counted

-- What a published notice says of figures: in these quarters the rate lay under the threshold of the first severe
-- indicator. Said only of a base that is large enough (rule 8), and only while it is true of the cell as published.
with notices as (

    select * from {{ ref('int_notices') }}
    where published_on is not null

),

quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

low_rates as (

    select * from {{ ref('int_indicators') }}
    where
        indicator = 'S1'
        and is_met

),

cells as (

    select * from {{ ref('int_public_compliance_cells') }}
    where figure_status = 'reported'

),

suppressions as (

    select
        cell_id,
        max(level) as suppression_level
    from {{ ref('int_suppressions') }}
    group by cell_id

),

-- the quarters of a case whose results were there when its notice was published
grounds as (

    select distinct
        notices.notice_id,
        notices.published_on,
        cells.cell_id,
        cells.body_kind,
        cells.area_code,
        cells.right_number,
        cells.metric_id,
        cells.period_code,
        cells.collection_mode,
        cells.sampling_frame,
        cells.base_count,
        cells.met_count,
        cells.disclosure_rule_version,
        rules.flag_base_min,
        cast(ceil({{ stable("100.0 * low_rates.threshold", 6) }}) as integer) as limit_percent
    from notices
    inner join {{ ref('int_case_keys') }} as cases
        on notices.case_id = cases.case_id
    inner join low_rates
        on
            cases.body_kind = low_rates.body_kind
            and cases.pfa_code = low_rates.pfa_code
            and cases.right_number = low_rates.right_number
    inner join quarters
        on
            low_rates.period_code = quarters.period_code
            and cases.first_index <= quarters.quarter_index
            and notices.published_on >= quarters.review_due_on
    inner join {{ ref('int_expected_items') }} as items
        on
            low_rates.period_code = items.period_code
            and low_rates.body_kind = items.body_kind
            and low_rates.item_id = items.metric_id
            -- a rate that is better when it is lower is never "under" a threshold
            and items.polarity = 'higher'
    inner join cells
        on
            low_rates.body_kind = cells.body_kind
            and low_rates.pfa_code = cells.pfa_code
            and low_rates.item_id = cells.metric_id
            and low_rates.period_code = cells.period_code
            and low_rates.collection_mode = cells.collection_mode
            and low_rates.sampling_frame = cells.sampling_frame
    inner join rules
        on cells.period_code = rules.period_code

),

allowed as (

    select grounds.*
    from grounds
    left join suppressions
        on grounds.cell_id = suppressions.cell_id
    where
        grounds.base_count >= grounds.flag_base_min
        and 100 * grounds.met_count < grounds.limit_percent * grounds.base_count
        and coalesce(suppressions.suppression_level, 0) < 2

)

select
    quarters.period_code as release_period_code,
    allowed.notice_id,
    allowed.body_kind,
    allowed.area_code,
    allowed.right_number,
    allowed.metric_id,
    allowed.period_code,
    allowed.collection_mode,
    allowed.sampling_frame,
    allowed.limit_percent,
    'under ' || cast(allowed.limit_percent as varchar) || '%' as statement,  -- noqa: RF04
    allowed.disclosure_rule_version
from allowed
-- beside its notice, in every release that has it
inner join quarters
    on allowed.published_on <= quarters.review_due_on

-- Which decision ended a case, and after which quarter: the latest whose review was due by the day of the decision.
-- A decision to reopen before the next quarter's review was due takes the closing back.
with decisions as (

    select * from {{ ref('int_case_decisions') }}

),

ending_or_reopening as (

    select
        decisions.*,
        quarters.period_code as closed_period_code,
        quarters.quarter_index as closed_index,
        row_number() over (
            partition by decisions.receipt_id, decisions.sheet_row
            order by quarters.quarter_index desc, quarters.period_code asc
        ) as quarter_recency
    from decisions
    inner join {{ ref('int_quarters') }} as quarters
        on
            decisions.decided_on >= quarters.review_due_on
            and decisions.first_index <= quarters.quarter_index
    where decisions.is_closing or decisions.to_state = 'reopened'

),

ranked as (

    select
        ending_or_reopening.*,
        row_number() over (
            partition by case_id, closed_index
            order by decided_on desc, receipt_sequence desc, sheet_row desc
        ) as recency
    from ending_or_reopening
    where quarter_recency = 1

),

-- the last word on each case; of two cases of a right that ended after one quarter, the one that ended last
endings as (

    select
        ranked.*,
        row_number() over (
            partition by body_kind, pfa_code, right_number, closed_index
            order by decided_on desc, receipt_sequence desc, sheet_row desc
        ) as ending_recency
    from ranked
    where recency = 1 and is_closing

)

select
    body_kind,
    pfa_code,
    right_number,
    closed_period_code,
    closed_index,
    decided_on,
    to_state as closing_state,
    case_id
from endings
where ending_recency = 1

-- The state of a right in a quarter. Nothing received is NOT_SUBMITTED and nothing else is then asked.
with indicators as (

    select * from {{ ref('int_indicators') }}

),

rules as (

    select * from {{ ref('int_rules_by_quarter') }}

),

expected_rights as (

    select
        period_code,
        body_kind,
        right_number,
        max(case when is_scored then 1 else 0 end) = 1 as has_scored_item
    from {{ ref('int_expected_items') }}
    group by period_code, body_kind, right_number

),

spine as (

    select
        coverage.period_code,
        coverage.quarter_index,
        coverage.body_kind,
        coverage.pfa_code,
        coverage.is_submitted,
        coverage.senders_expected,
        coverage.senders_received,
        expected_rights.right_number,
        expected_rights.has_scored_item
    from {{ ref('int_reporting_coverage') }} as coverage
    inner join expected_rights
        on
            coverage.period_code = expected_rights.period_code
            and coverage.body_kind = expected_rights.body_kind
    where coverage.applicability = 'expected'

),

tested as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        count(distinct case when is_met and indicator <> 'S4' then indicator end) as severe_indicator_count,
        max(case when is_met and indicator = 'S4' then 1 else 0 end) as is_s4_met,
        max(case when is_assessable and indicator <> 'S4' then 1 else 0 end) as is_any_assessable,
        -- the size of each scored figure, each figure once (S1 and S3 hold them all)
        count(case when indicator in ('S1', 'S3') then 1 end) as scored_figure_count,
        min(case when indicator in ('S1', 'S3') then base_count end) as smallest_base,
        max(case when indicator in ('S1', 'S3') then base_count end) as largest_base
    from indicators
    group by body_kind, pfa_code, right_number, period_code

),

met_lists as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        {{ sorted_list("indicator || ': ' || item_id", "indicator, item_id") }} as indicators_met
    from (
        select distinct
            body_kind,
            pfa_code,
            right_number,
            period_code,
            indicator,
            item_id
        from indicators
        where is_met
    ) as met_items
    group by body_kind, pfa_code, right_number, period_code

),

joined as (

    select
        spine.*,
        rules.rule_version,
        rules.met_min,
        rules.n_min,
        rules.s4_counts,
        rules.persistence_scope,
        rules.bridge_quarters,
        rules.close_quarters,
        rules.reopen_quarters,
        coalesce(tested.severe_indicator_count, 0)
        + case when rules.s4_counts = 'counts' then coalesce(tested.is_s4_met, 0) else 0 end
            as counted_indicators,
        coalesce(tested.is_s4_met, 0) = 1 as is_s4_met,
        coalesce(tested.is_any_assessable, 0) = 1 as is_any_assessable,
        coalesce(tested.scored_figure_count, 0) as scored_figure_count,
        tested.smallest_base,
        tested.largest_base,
        met_lists.indicators_met
    from spine
    inner join rules
        on spine.period_code = rules.period_code
    left join tested
        on
            spine.body_kind = tested.body_kind
            and spine.pfa_code = tested.pfa_code
            and spine.right_number = tested.right_number
            and spine.period_code = tested.period_code
    left join met_lists
        on
            spine.body_kind = met_lists.body_kind
            and spine.pfa_code = met_lists.pfa_code
            and spine.right_number = met_lists.right_number
            and spine.period_code = met_lists.period_code

)

select
    body_kind,
    pfa_code,
    right_number,
    period_code,
    quarter_index,
    rule_version,
    case
        when not is_submitted then 'NOT_SUBMITTED'
        when counted_indicators >= met_min then 'MET'
        when is_any_assessable or not has_scored_item then 'NOT_MET'
        when scored_figure_count > 0 and smallest_base >= 1 and largest_base < n_min then 'TOO_FEW'
        else 'NO_CASES'
    end as state,
    is_submitted and is_s4_met as is_s4_met,
    case when is_submitted then indicators_met end as indicators_met,
    senders_expected,
    senders_received,
    -- what the rule version of the quarter says of persistence
    s4_counts,
    persistence_scope,
    bridge_quarters,
    close_quarters,
    reopen_quarters
from joined

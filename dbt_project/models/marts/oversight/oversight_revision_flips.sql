{{ config(materialized='view') }}
-- Where what was recorded at a final build is not what today's figures say. For the Board to note: nothing opens or
-- closes by it. A view, so that a quarter is compared from the moment it is recorded.
with recorded as (

    select
        states.*,
        quarters.build_id as recorded_build_id
    from {{ ref('stg_recorded_states') }} as states
    inner join {{ ref('stg_recorded_quarters') }} as quarters
        on states.period_code = quarters.period_code

),

flipped as (

    select
        recorded.*,
        periods.last_day,
        shadow.state as state_now,
        shadow.result as result_now,
        shadow.rule_version as rule_version_now,
        shadow.indicators_met as indicators_met_now,
        shadow.is_open_case as is_open_case_now,
        -- the record and the decisions of today give what today's figures give: only a decision has come since
        coalesce(
            recorded.state = shadow.state
            and coalesce(recorded.indicators_met, '') = coalesce(shadow.indicators_met, '')
            and official.result = shadow.result,
            false
        ) as is_by_decision,
        case_keys.case_id as case_id_now,
        own_receipts.receipts as receipts_now
    from recorded
    inner join {{ ref('int_quarters') }} as periods
        on recorded.period_code = periods.period_code
    left join {{ ref('int_persistence_shadow') }} as shadow
        on
            recorded.body_kind = shadow.body_kind
            and recorded.pfa_code = shadow.pfa_code
            and recorded.right_number = shadow.right_number
            and recorded.period_code = shadow.period_code
    left join {{ ref('int_persistence') }} as official
        on
            recorded.body_kind = official.body_kind
            and recorded.pfa_code = official.pfa_code
            and recorded.right_number = official.right_number
            and recorded.period_code = official.period_code
    left join {{ ref('int_case_keys') }} as case_keys
        on
            shadow.body_kind = case_keys.body_kind
            and shadow.pfa_code = case_keys.pfa_code
            and shadow.right_number = case_keys.right_number
            and shadow.case_first_index = case_keys.first_index
    left join {{ ref('int_own_receipts') }} as own_receipts
        on
            recorded.body_kind = own_receipts.body_kind
            and recorded.pfa_code = own_receipts.pfa_code
            and recorded.period_code = own_receipts.period_code
    where
        shadow.state is null
        or recorded.state <> shadow.state
        or recorded.result <> shadow.result

),

tests_then as (

    select * from {{ ref('stg_recorded_detections') }}
    where indicator is not null

),

tests_now as (

    select * from {{ ref('int_indicators') }}

),

-- what was met then or is met now, but not both
changed_tests as (

    select
        flipped.body_kind,
        flipped.pfa_code,
        flipped.right_number,
        flipped.period_code,
        tests_then.indicator,
        tests_then.item_id,
        tests_then.collection_mode,
        tests_then.sampling_frame
    from flipped
    inner join tests_then
        on
            flipped.body_kind = tests_then.body_kind
            and flipped.pfa_code = tests_then.pfa_code
            and flipped.right_number = tests_then.right_number
            and flipped.period_code = tests_then.period_code
    where
        not exists (
            select 1 from tests_now
            where
                tests_now.body_kind = tests_then.body_kind
                and tests_now.pfa_code = tests_then.pfa_code
                and tests_now.right_number = tests_then.right_number
                and tests_now.period_code = tests_then.period_code
                and tests_now.indicator = tests_then.indicator
                and tests_now.item_id = tests_then.item_id
                and tests_now.collection_mode = tests_then.collection_mode
                and tests_now.sampling_frame = tests_then.sampling_frame
                and tests_now.is_met
        )
    union all
    select
        flipped.body_kind,
        flipped.pfa_code,
        flipped.right_number,
        flipped.period_code,
        tests_now.indicator,
        tests_now.item_id,
        tests_now.collection_mode,
        tests_now.sampling_frame
    from flipped
    inner join tests_now
        on
            flipped.body_kind = tests_now.body_kind
            and flipped.pfa_code = tests_now.pfa_code
            and flipped.right_number = tests_now.right_number
            and flipped.period_code = tests_now.period_code
            and tests_now.is_met
    where not exists (
        select 1 from tests_then
        where
            tests_then.body_kind = tests_now.body_kind
            and tests_then.pfa_code = tests_now.pfa_code
            and tests_then.right_number = tests_now.right_number
            and tests_then.period_code = tests_now.period_code
            and tests_then.indicator = tests_now.indicator
            and tests_then.item_id = tests_now.item_id
            and tests_then.collection_mode = tests_now.collection_mode
            and tests_then.sampling_frame = tests_now.sampling_frame
    )

),

-- figures are shown where exactly one test has changed
named_tests as (

    select
        body_kind,
        pfa_code,
        right_number,
        period_code,
        max(indicator) as indicator,
        max(item_id) as item_id,
        max(collection_mode) as collection_mode,
        max(sampling_frame) as sampling_frame
    from changed_tests
    group by body_kind, pfa_code, right_number, period_code
    having count(*) = 1

),

figures as (

    select
        named_tests.*,
        tests_then.good_count as good_count_then,
        tests_then.base_count as base_count_then,
        tests_then.rate as rate_then,
        tests_then.z_score as z_then,
        tests_then.gap_to_peers as gap_then,
        tests_then.tau_squared as frozen_tau_squared,
        tests_then.peer_target_rate as frozen_target_rate,
        tests_then.peer_weight_sum as frozen_weight_sum,
        tests_now.good_count as good_count_now,
        tests_now.base_count as base_count_now,
        tests_now.good_rate as rate_now,
        tests_now.z_score as z_now,
        tests_now.gap_to_peers as gap_now
    from named_tests
    left join tests_then
        on
            named_tests.body_kind = tests_then.body_kind
            and named_tests.pfa_code = tests_then.pfa_code
            and named_tests.right_number = tests_then.right_number
            and named_tests.period_code = tests_then.period_code
            and named_tests.indicator = tests_then.indicator
            and named_tests.item_id = tests_then.item_id
            and named_tests.collection_mode = tests_then.collection_mode
            and named_tests.sampling_frame = tests_then.sampling_frame
    left join tests_now
        on
            named_tests.body_kind = tests_now.body_kind
            and named_tests.pfa_code = tests_now.pfa_code
            and named_tests.right_number = tests_now.right_number
            and named_tests.period_code = tests_now.period_code
            and named_tests.indicator = tests_now.indicator
            and named_tests.item_id = tests_now.item_id
            and named_tests.collection_mode = tests_now.collection_mode
            and named_tests.sampling_frame = tests_now.sampling_frame

)

select
    flipped.body_kind,
    flipped.pfa_code,
    flipped.right_number,
    flipped.period_code,
    areas.area_name,
    rights.right_title,
    'REVISION_FLIP' as event_kind,
    case
        when flipped.state = 'MET' and coalesce(flipped.state_now, '') <> 'MET' then 'no_longer_severe'
        when flipped.state <> 'MET' and flipped.state_now = 'MET' then 'newly_severe'
        else 'other'
    end as direction,
    case
        when flipped.state_now is null then 'not_expected_now'
        when flipped.is_by_decision then 'decision'
        when coalesce(flipped.receipts, '') <> coalesce(flipped.receipts_now, '') then 'own_return'
        when flipped.rule_version <> flipped.rule_version_now then 'rules'
        when
            flipped.state = flipped.state_now
            and coalesce(flipped.indicators_met, '') = coalesce(flipped.indicators_met_now, '')
            then 'earlier_quarters'
        when
            figures.good_count_then <> figures.good_count_now or figures.base_count_then <> figures.base_count_now
            then 'other_figures'
        when figures.indicator = 'S2' then 'like_areas'
        else 'other_figures'
    end as cause,
    coalesce(flipped.receipts, '') <> coalesce(flipped.receipts_now, '') as is_own_return_revised,
    flipped.state as state_then,
    flipped.state_now,
    flipped.result as result_then,
    flipped.result_now,
    flipped.indicators_met as indicators_met_then,
    flipped.indicators_met_now,
    flipped.is_open_case as is_open_case_then,
    flipped.is_open_case_now,
    flipped.case_id as case_id_then,
    flipped.case_id_now,
    flipped.rule_version as rule_version_then,
    flipped.rule_version_now,
    figures.indicator,
    figures.item_id,
    figures.collection_mode,
    figures.sampling_frame,
    figures.good_count_then,
    figures.base_count_then,
    figures.rate_then,
    figures.good_count_now,
    figures.base_count_now,
    figures.rate_now,
    figures.z_then,
    figures.z_now,
    -- the figures of now against tau squared and the like areas of then: what the body's own change does
    case
        when figures.indicator = 'S2' and figures.base_count_now > 0
            then
                {{ stable("(asin(sqrt(" ~ to_double("figures.good_count_now") ~ " / nullif("
                    ~ to_double("figures.base_count_now") ~ ", 0))) - asin(sqrt(figures.frozen_target_rate)))"
                    ~ " / sqrt(1.0 / (4.0 * nullif(" ~ to_double("figures.base_count_now") ~ ", 0))"
                    ~ " + figures.frozen_tau_squared + 1.0 / nullif(figures.frozen_weight_sum, 0))", 6) }}
    end as z_on_frozen_peers,
    figures.gap_then,
    figures.gap_now,
    flipped.receipts as receipts_then,
    flipped.receipts_now,
    flipped.recorded_build_id
from flipped
inner join {{ ref('areas') }} as areas
    on
        flipped.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'flipped.last_day') }}
inner join {{ ref('rights') }} as rights
    on
        flipped.right_number = rights.right_number
        and {{ in_force('rights', 'flipped.last_day') }}
left join figures
    on
        flipped.body_kind = figures.body_kind
        and flipped.pfa_code = figures.pfa_code
        and flipped.right_number = figures.right_number
        and flipped.period_code = figures.period_code

-- Which indicator was met on what, of the official results: as recorded, or as today's figures give it.
with recorded as (

    select distinct
        detections.body_kind,
        detections.pfa_code,
        detections.right_number,
        detections.period_code,
        detections.indicator,
        detections.item_id
    from {{ ref('stg_recorded_detections') }} as detections
    where detections.indicator is not null

),

not_recorded as (

    select distinct
        indicators.body_kind,
        indicators.pfa_code,
        indicators.right_number,
        indicators.period_code,
        indicators.indicator,
        indicators.item_id
    from {{ ref('int_indicators') }} as indicators
    where
        indicators.is_met
        and not exists (
            select 1 from {{ ref('stg_recorded_quarters') }} as recorded_quarters
            where indicators.period_code = recorded_quarters.period_code
        )

)

select * from recorded
union all
select * from not_recorded

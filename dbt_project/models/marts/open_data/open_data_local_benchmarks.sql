-- Like areas beside each published local rate: the pooled rate of their published, rounded counts, without the area
-- itself (rule 7). Anybody can add them up again, with open_data_area_groups.
with cells as (

    select * from {{ ref('open_data_local_compliance') }}
    where unit = 'proportion' and met_count is not null

),

rules as (

    select * from {{ ref('int_disclosure_rules') }}

),

like_areas as (

    select * from {{ ref('open_data_area_groups') }}
    where group_kind = 'like_areas' and group_code <> area_code

),

compared as (

    select
        cells.period_code,
        cells.body_kind,
        cells.area_code,
        cells.metric_id,
        cells.collection_mode,
        cells.sampling_frame,
        max(cells.area_name) as area_name,
        max(cells.right_number) as right_number,
        max(cells.disclosure_rule_version) as disclosure_rule_version,
        max(cells.rate_percent) as rate_percent,
        cast(count(*) as integer) as like_areas_expected,
        cast(count(peers.area_code) as integer) as like_areas_published,
        cast(sum(peers.case_count) as bigint) as case_count,
        cast(sum(peers.met_count) as bigint) as met_count,
        max(case when peers.obs_note = 'r' then 1 else 0 end) = 1 as is_revised
    from cells
    inner join like_areas
        on
            cells.period_code = like_areas.period_code
            and cells.area_code = like_areas.group_code
    left join cells as peers
        on
            like_areas.area_code = peers.area_code
            and cells.period_code = peers.period_code
            and cells.body_kind = peers.body_kind
            and cells.metric_id = peers.metric_id
            and cells.collection_mode = peers.collection_mode
            and cells.sampling_frame = peers.sampling_frame
    group by
        cells.period_code, cells.body_kind, cells.area_code, cells.metric_id, cells.collection_mode,
        cells.sampling_frame

),

judged as (

    select
        compared.*,
        rules.whole_percent_n_min,
        rules.interval_z,
        compared.like_areas_published >= rules.benchmark_areas_min as is_published,
        case when compared.like_areas_published >= rules.benchmark_areas_min then compared.case_count end
            as like_areas_case_count,
        case when compared.like_areas_published >= rules.benchmark_areas_min then compared.met_count end
            as like_areas_met_count
    from compared
    inner join rules
        on compared.period_code = rules.period_code

)

select
    period_code as release_period_code,
    period_code,
    body_kind,
    area_code,
    metric_id,
    collection_mode,
    sampling_frame,
    area_name,
    right_number,
    rate_percent,
    like_areas_expected,
    like_areas_published,
    like_areas_case_count,
    like_areas_met_count,
    {{ rounded_rate_percent("like_areas_met_count", "like_areas_case_count", "whole_percent_n_min") }}
        as like_areas_rate_percent,
    {{ interval_percent("like_areas_met_count", "like_areas_case_count", "interval_z", "lower") }}
        as like_areas_lower_percent,
    {{ interval_percent("like_areas_met_count", "like_areas_case_count", "interval_z", "upper") }}
        as like_areas_upper_percent,
    case when not is_published then 'x' end as obs_status,
    case when is_published and is_revised then 'r' else 'p' end as obs_note,
    disclosure_rule_version
from judged

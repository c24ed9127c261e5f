-- Each quarter is judged by the rule version in force on its last day; the latest version wins.
with quarters as (

    select * from {{ ref('int_quarters') }}

),

rules as (

    select * from {{ ref('int_severe_rules') }}

),

ranked as (

    select
        quarters.period_code,
        quarters.quarter_index,
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
    quarter_index,
    last_day,
    rule_version,
    n_min,
    s1_z,
    s2_z_flag,
    s2_z_watch,
    s2_gap_min,
    s2_peers_min,
    s2_areas_min,
    s2_winsor_low,
    s2_winsor_high,
    s2_divide_tail,
    s2_tail,
    s4_grade_max,
    s4_counts,
    met_min,
    persistence_scope,
    bridge_quarters,
    reopen_quarters,
    close_quarters,
    yjs_share_min,
    yjs_s4_share_min,
    high_z,
    high_n_min,
    interval_z,
    change_z,
    peer_set
from ranked
where version_rank = 1

-- Every version of the rules for severe indicators: the one the service started with, and those the Taskforce agreed,
-- which arrive as returns.
with agreed as (

    select * from {{ ref('int_agreed_rules') }}

),

versions as (

    select
        rule_version,
        min(effective_from) as effective_from,
        max(effective_to) as effective_to,
        max(case when parameter = 'n_min' then basis end) as basis,
        cast(max(case when parameter = 'n_min' then number_value end) as integer) as n_min,
        max(case when parameter = 's1_z' then number_value end) as s1_z,
        max(case when parameter = 's2_z_flag' then number_value end) as s2_z_flag,
        max(case when parameter = 's2_z_watch' then number_value end) as s2_z_watch,
        max(case when parameter = 's2_gap_min' then number_value end) as s2_gap_min,
        cast(max(case when parameter = 's2_peers_min' then number_value end) as integer) as s2_peers_min,
        cast(max(case when parameter = 's2_areas_min' then number_value end) as integer) as s2_areas_min,
        max(case when parameter = 's2_winsor_low' then number_value end) as s2_winsor_low,
        max(case when parameter = 's2_winsor_high' then number_value end) as s2_winsor_high,
        max(case when parameter = 's2_divide_tail' then lower(text_value) end) = 'true' as s2_divide_tail,
        max(case when parameter = 's2_tail' then number_value end) as s2_tail,
        cast(max(case when parameter = 's4_grade_max' then number_value end) as integer) as s4_grade_max,
        max(case when parameter = 's4_counts' then text_value end) as s4_counts,
        cast(max(case when parameter = 'met_min' then number_value end) as integer) as met_min,
        max(case when parameter = 'persistence_scope' then text_value end) as persistence_scope,
        cast(max(case when parameter = 'bridge_quarters' then number_value end) as integer) as bridge_quarters,
        cast(max(case when parameter = 'reopen_quarters' then number_value end) as integer) as reopen_quarters,
        cast(max(case when parameter = 'close_quarters' then number_value end) as integer) as close_quarters,
        max(case when parameter = 'yjs_share_min' then number_value end) as yjs_share_min,
        max(case when parameter = 'yjs_s4_share_min' then number_value end) as yjs_s4_share_min,
        max(case when parameter = 'high_z' then number_value end) as high_z,
        cast(max(case when parameter = 'high_n_min' then number_value end) as integer) as high_n_min,
        max(case when parameter = 'interval_z' then number_value end) as interval_z,
        max(case when parameter = 'peer_set' then text_value end) as peer_set,
        max(case when parameter = 'change_z' then number_value end) as change_z
    from agreed
    group by rule_version

)

select
    rule_version,
    effective_from,
    effective_to,
    basis,
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
    peer_set,
    change_z
from {{ ref('severe_rules') }}
union all
select
    rule_version,
    effective_from,
    effective_to,
    basis,
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
    peer_set,
    change_z
from versions

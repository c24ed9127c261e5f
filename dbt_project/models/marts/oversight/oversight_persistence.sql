-- What statistics recommend for each right in each quarter. A recommendation to the Board: it decides nothing.
select
    persistence.body_kind,
    persistence.pfa_code,
    persistence.right_number,
    persistence.period_code,
    areas.area_name,
    rights.right_title,
    persistence.quarter_index,
    persistence.state,
    persistence.previous_state,
    persistence.result,
    persistence.is_recommended,
    persistence.is_open_case,
    persistence.clear_run,
    persistence.quarters_running,
    persistence.indicators_met,
    persistence.is_s4_met,
    persistence.reason,
    persistence.senders_expected,
    persistence.senders_received,
    persistence.rule_version,
    opening.period_code as opened_period_code,
    case_start.period_code as first_period_code,
    case
        when case_start.period_code is not null
            then
                {{ case_id("persistence.body_kind", "persistence.pfa_code", "persistence.right_number",
                    "case_start.period_code") }}
    end as case_id
from {{ ref('int_persistence') }} as persistence
inner join {{ ref('int_quarters') }} as quarters
    on persistence.period_code = quarters.period_code
inner join {{ ref('areas') }} as areas
    on
        persistence.pfa_code = areas.pfa_code
        and {{ in_force('areas', 'quarters.last_day') }}
inner join {{ ref('rights') }} as rights
    on
        persistence.right_number = rights.right_number
        and {{ in_force('rights', 'quarters.last_day') }}
left join {{ ref('int_quarters') }} as opening
    on persistence.opened_index = opening.quarter_index
left join {{ ref('int_quarters') }} as case_start
    on persistence.case_first_index = case_start.quarter_index

-- What each kind of body answers in a quarter: the catalogue in force, without ambitions and past audits.
select
    quarters.period_code,
    quarters.quarter_index,
    metric_bodies.body_kind,
    metrics.right_number,
    metrics.metric_id,
    metrics.metric_version,
    metrics.information,
    metrics.definition,
    metrics.unit,
    metrics.response_set,
    metrics.polarity,
    metrics.information in ('statistic', 'feedback')
    and metrics.unit = 'proportion'
    and metrics.polarity in ('higher', 'lower') as is_scored
from {{ ref('int_quarters') }} as quarters
inner join {{ ref('metric_bodies') }} as metric_bodies
    on {{ in_force('metric_bodies', 'quarters.last_day') }}
inner join {{ ref('metrics') }} as metrics
    on
        metric_bodies.metric_id = metrics.metric_id
        and metrics.tier = 'core'
        and {{ in_force('metrics', 'quarters.last_day') }}

{#- The counts that make up a figure, in the order in which they are told. -#}
{%- set told = [
    ('met', 'met_count'), ('not met', 'not_met_count'), ('not suitable', 'not_suitable_count'),
    ('declined', 'declined_count'), ('unknown', 'unknown_count'), ('reported', 'reported_count'),
    ('within limit', 'within_limit_count'), ('short delay', 'short_delay_count'), ('long delay', 'long_delay_count'),
    ('good', 'good_count'), ('valid answers', 'valid_answer_count'), ('invited', 'invited_count'),
    ('not applicable', 'not_applicable_count'), ('do not know', 'dont_know_count'), ('grade', 'grade'),
    ('improvement plan', 'has_improvement_plan'), ('next step due', 'next_step_due_on')
] -%}
{%- set key = ['body_code', 'pfa_code', 'item_id', 'collection_mode', 'sampling_frame'] -%}
{%- set area_counts = ['met_count', 'case_count', 'good_count', 'valid_answer_count'] -%}
-- What changed after it was first reported, or came late. Each time that another receipt begins to stand, its figures
-- are laid beside those of the one that stood before.
with figures as (

    select * from {{ ref('revisions_reported_figures') }}

),

-- a receipt that stands again after an erasure has its figures in the mart once for each time
contents as (

    select
        figures.*,
        row_number() over (
            partition by receipt_id, {{ key | join(', ') }}
            order by known_from, sheet, sheet_row
        ) as place
    from figures

),

told_contents as (

    select
        contents.*,
        {%- for word, column in told %}
            {{ "|| " if not loop.first }}coalesce('; {{ word }} ' || cast({{ column }} as varchar), '')
        {%- endfor %} as told
    from contents
    where place = 1

),

events as (

    select
        spans.receipt_id,
        spans.known_from as changed_at,
        spans.previous_receipt_id,
        spans.is_erased,
        spans.is_previous_erased,
        spans.sender_code,
        spans.period_code
    from {{ ref('int_receipt_spans') }} as spans
    inner join {{ ref('int_quarters') }} as quarters
        on spans.period_code = quarters.period_code
    where
        spans.form_kind in ('quarterly', 'feedback')
        -- a first return that came in time revises nothing
        and (spans.previous_receipt_id is not null or spans.arrived_on > quarters.returns_due_on)

),

-- what either of the two returns says
keys as (

    select distinct
        events.receipt_id,
        events.changed_at,
        {% for column in key -%}
            told_contents.{{ column }},
        {% endfor -%}
        told_contents.information,
        told_contents.collected_by,
        told_contents.body_kind,
        told_contents.right_number
    from events
    inner join told_contents
        on told_contents.receipt_id in (events.receipt_id, events.previous_receipt_id)

),

not_collected as (

    select
        receipt_id,
        body_code,
        pfa_code,
        metric_id as item_id,
        min(not_collected_reason) as not_collected_reason
    from {{ ref('stg_quarterly_metrics') }}
    where is_total and not_collected_reason is not null
    group by receipt_id, body_code, pfa_code, metric_id

),

changes as (

    select
        keys.*,
        events.sender_code,
        events.period_code,
        events.previous_receipt_id,
        events.is_erased,
        events.is_previous_erased,
        case
            when events.is_erased or events.is_previous_erased then 'erased'
            when before_figures.receipt_id is null then 'new'
            when after_figures.receipt_id is null then 'withdrawn'
            else 'revised'
        end as change_reason,
        {% for column in area_counts + ['reported_count', 'grade'] -%}
            before_figures.{{ column }} as {{ column }}_before,
            after_figures.{{ column }} as {{ column }}_after,
        {% endfor -%}
        substr(before_figures.told, 3) as figures_before,
        substr(after_figures.told, 3) as figures_after,
        coalesce(after_figures.note, not_collected.not_collected_reason) as note
    from keys
    inner join events
        on
            keys.receipt_id = events.receipt_id
            and keys.changed_at = events.changed_at
    left join told_contents as before_figures
        on
            events.previous_receipt_id = before_figures.receipt_id
            {%- for column in key %}
                and keys.{{ column }} = before_figures.{{ column }}
            {%- endfor %}
    left join told_contents as after_figures
        on
            events.receipt_id = after_figures.receipt_id
            {%- for column in key %}
                and keys.{{ column }} = after_figures.{{ column }}
            {%- endfor %}
    left join not_collected
        on
            events.receipt_id = not_collected.receipt_id
            and keys.body_code = not_collected.body_code
            and keys.pfa_code = not_collected.pfa_code
            and keys.item_id = not_collected.item_id
    where
        before_figures.told is null
        or after_figures.told is null
        or before_figures.told <> after_figures.told

),

-- the sum over the senders and bodies of the area, just before and from then on
areas_then as (

    select
        changes.receipt_id,
        changes.changed_at,
        {% for column in key -%}
            changes.{{ column }},
        {% endfor -%}
        {% for column in area_counts -%}
            cast(sum(case when figures.known_from < changes.changed_at then figures.{{ column }} end) as bigint)
                as area_{{ column }}_before,
            cast(
                sum(
                    case
                        when figures.known_to is null or figures.known_to > changes.changed_at then figures.{{ column }}
                    end
                ) as bigint
            ) as area_{{ column }}_after,
        {% endfor -%}
        cast(count(distinct figures.sender_code || '|' || figures.body_code) as integer) as source_count
    from changes
    inner join figures
        on
            changes.period_code = figures.period_code
            and changes.body_kind = figures.body_kind
            and changes.collected_by = figures.collected_by
            and changes.pfa_code = figures.pfa_code
            and changes.item_id = figures.item_id
            and changes.collection_mode = figures.collection_mode
            and changes.sampling_frame = figures.sampling_frame
            and changes.changed_at >= figures.known_from
            and (figures.known_to is null or changes.changed_at <= figures.known_to)
    group by
        changes.receipt_id, changes.changed_at, changes.body_code, changes.pfa_code, changes.item_id,
        changes.collection_mode, changes.sampling_frame

)

select
    changes.receipt_id,
    changes.changed_at,
    {% for column in key -%}
        changes.{{ column }},
    {% endfor -%}
    changes.information,
    changes.collected_by,
    changes.body_kind,
    changes.period_code,
    changes.right_number,
    changes.sender_code,
    changes.change_reason,
    changes.previous_receipt_id,
    {% for column in area_counts + ['reported_count', 'grade'] -%}
        changes.{{ column }}_before,
        changes.{{ column }}_after,
    {% endfor -%}
    changes.figures_before,
    changes.figures_after,
    changes.note,
    areas_then.source_count,
{% for column in area_counts -%}
    case when not changes.is_previous_erased then areas_then.area_{{ column }}_before end as area_{{ column }}_before,
    case when not changes.is_erased then areas_then.area_{{ column }}_after end as area_{{ column }}_after
    {{- "," if not loop.last }}
{% endfor -%}
from changes
left join areas_then
    on
        changes.receipt_id = areas_then.receipt_id
        and changes.changed_at = areas_then.changed_at
        {%- for column in key %}
            and changes.{{ column }} = areas_then.{{ column }}
        {%- endfor %}

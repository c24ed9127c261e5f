{#- Share of an area's cases held by bodies whose every expected sender gave a figure, by the columns in `keys`.
    A return that is in but declares a metric not collected gives none, so completeness is judged figure by figure.
    `figures` has sender_code, body_code, body_kind, pfa_code, period_code and the keys, one row a figure. -#}
{% macro answered_share(figures, keys) -%}
    select
        answered.body_kind,
        answered.pfa_code,
        answered.period_code,
        {% for key in keys -%}
        answered.{{ key }},
        {% endfor -%}
        sum(case
            when answered.senders_answering = expected.senders_expected then expected.case_share else 0
        end) as answered_share
    from (
        select
            body_kind,
            pfa_code,
            period_code,
            {% for key in keys -%}
            {{ key }},
            {% endfor -%}
            body_code,
            count(distinct sender_code) as senders_answering
        from {{ figures }}
        group by body_kind, pfa_code, period_code, {{ keys | join(', ') }}, body_code
    ) as answered
    inner join (
        select
            period_code,
            pfa_code,
            body_code,
            max(case_share) as case_share,
            count(*) as senders_expected
        from {{ ref('int_expected_returns') }}
        group by period_code, pfa_code, body_code
    ) as expected
        on
            answered.period_code = expected.period_code
            and answered.pfa_code = expected.pfa_code
            and answered.body_code = expected.body_code
    group by
        answered.body_kind, answered.pfa_code, answered.period_code,
        {% for key in keys -%}
        answered.{{ key }}{{ ', ' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{#- The number of a case: body kind, area, right and first quarter, hashed. A decision names it. -#}
{% macro case_id(body_kind, pfa_code, right_number, first_period_code) -%}
    substr({{ hash_text(body_kind ~ " || '|' || " ~ pfa_code ~ " || '|' || cast(" ~ right_number
        ~ " as varchar) || '|' || " ~ first_period_code) }}, 1, 16)
{%- endmacro %}

{#- Is the dated row `alias` (valid_from, valid_to, either may be open) in force on the day? -#}
{% macro in_force(alias, day) -%}
    (({{ alias }}.valid_from is null or {{ alias }}.valid_from <= {{ day }})
    and ({{ alias }}.valid_to is null or {{ alias }}.valid_to >= {{ day }}))
{%- endmacro %}

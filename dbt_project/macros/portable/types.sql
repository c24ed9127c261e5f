{#- What differs between DuckDB, Spark and Athena sits here, behind dispatch. -#}

{#- Cast to a double, so that a division never becomes an integer one. -#}
{% macro to_double(expression) -%}
    cast({{ expression }} as double)
{%- endmacro %}

{#- Round a statistic before it is stored or compared: sums of doubles differ in the last digits from one
    parallel run to the next. Ten decimals, more only for what later steps still compute with. -#}
{% macro stable(expression, decimals=10) -%}
    round({{ expression }}, {{ decimals }})
{%- endmacro %}

{#- A text list in a stated order. -#}
{% macro sorted_list(expression, order_by, separator="; ") -%}
    {{ adapter.dispatch('sorted_list')(expression, order_by, separator) }}
{%- endmacro %}

{% macro duckdb__sorted_list(expression, order_by, separator) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}

{% macro default__sorted_list(expression, order_by, separator) -%}
    listagg({{ expression }}, '{{ separator }}') within group (order by {{ order_by }})
{%- endmacro %}

{#- Hexadecimal MD5 of a text: an identifier, not a secret. -#}
{% macro hash_text(expression) -%}
    {{ adapter.dispatch('hash_text')(expression) }}
{%- endmacro %}

{% macro default__hash_text(expression) -%}
    md5({{ expression }})
{%- endmacro %}

{% macro athena__hash_text(expression) -%}
    lower(to_hex(md5(to_utf8({{ expression }}))))
{%- endmacro %}

{#- A whole number read from a text, NULL where it is not one. -#}
{% macro to_integer_or_null(expression) -%}
    {{ adapter.dispatch('to_integer_or_null')(expression) }}
{%- endmacro %}

{% macro default__to_integer_or_null(expression) -%}
    try_cast({{ expression }} as bigint)
{%- endmacro %}

{#- Calendar days from the first day to the last. -#}
{% macro days_between(first_day, last_day) -%}
    {{ adapter.dispatch('days_between')(first_day, last_day) }}
{%- endmacro %}

{% macro default__days_between(first_day, last_day) -%}
    date_diff('day', {{ first_day }}, {{ last_day }})
{%- endmacro %}

{% macro spark__days_between(first_day, last_day) -%}
    datediff({{ last_day }}, {{ first_day }})
{%- endmacro %}

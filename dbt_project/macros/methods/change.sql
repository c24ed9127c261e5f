{#- The change from x0 of n0 to x1 of n1 in words, by the two-proportion z test with pooled variance, two-sided
    at the coverage of z. NULL where either side has no cases. -#}
{% macro change_in_words(x1, n1, x0, n0, z) -%}
    {%- set x1 = to_double(x1) -%}{%- set n1 = to_double(n1) -%}
    {%- set x0 = to_double(x0) -%}{%- set n0 = to_double(n0) -%}
    {%- set pooled = "((" ~ x1 ~ " + " ~ x0 ~ ") / nullif(" ~ n1 ~ " + " ~ n0 ~ ", 0))" -%}
    {%- set difference = "(" ~ x1 ~ " / nullif(" ~ n1 ~ ", 0) - " ~ x0 ~ " / nullif(" ~ n0 ~ ", 0))" -%}
    case
        when {{ n1 }} is null or {{ n0 }} is null or {{ n1 }} <= 0 or {{ n0 }} <= 0 then null
        when abs({{ difference }}) <= {{ to_double(z) }} * sqrt(
            {{ pooled }} * greatest(1.0 - {{ pooled }}, 0.0) * (1.0 / nullif({{ n1 }}, 0) + 1.0 / nullif({{ n0 }}, 0))
        ) then 'no detectable change'
        when {{ difference }} > 0 then 'higher'
        else 'lower'
    end
{%- endmacro %}

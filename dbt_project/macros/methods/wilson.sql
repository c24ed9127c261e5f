{#- Wilson score bounds of a proportion x of n (Wilson 1927; Newcombe 1998, method 3), clamped to [0, 1]
    and rounded. NULL where n is NULL or 0 or x is NULL; x may be fractional (an effective sample size).
    `side` is 'lower' or 'upper'; z is the normal deviate of the wished coverage. -#}
{% macro wilson_bound(x, n, z, side) -%}
    {%- set x = to_double(x) -%}
    {%- set n = to_double(n) -%}
    {%- set z = to_double(z) -%}
    {%- set root -%}
        {{ z }} * sqrt({{ z }} * {{ z }} + 4.0 * {{ x }} * greatest(1.0 - {{ x }} / nullif({{ n }}, 0), 0.0))
    {%- endset -%}
    {%- set bound -%}
        (2.0 * {{ x }} + {{ z }} * {{ z }} {{ '-' if side == 'lower' else '+' }} {{ root }})
        / (2.0 * (nullif({{ n }}, 0) + {{ z }} * {{ z }}))
    {%- endset -%}
    {#- the rate itself is the limit of either bound, whatever the rounding -#}
    {%- if side == 'lower' -%}
    {{ stable("case when " ~ n ~ " > 0 and " ~ x ~ " is not null then greatest(least(" ~ bound ~ ", " ~ x ~ " / nullif(" ~ n ~ ", 0)), 0.0) end") }}
    {%- else -%}
    {{ stable("case when " ~ n ~ " > 0 and " ~ x ~ " is not null then least(greatest(" ~ bound ~ ", " ~ x ~ " / nullif(" ~ n ~ ", 0)), 1.0) end") }}
    {%- endif -%}
{%- endmacro %}

{#- x of n as a rounded double; NULL where n is NULL or 0. -#}
{% macro rate(x, n) -%}
    {{ stable(to_double(x) ~ " / nullif(" ~ to_double(n) ~ ", 0)") }}
{%- endmacro %}
